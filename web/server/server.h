/* What the parts of fernwerk-web share: the server, its connections, the request under way on one. Main
 * thread only. */
#pragma once

#include "base/address.h"
#include "base/packet.h"
#include "base/proto/master_link.h"
#include "web/server/admission.h"
#include "web/server/assets.h"
#include "web/server/broker_link.h"
#include "web/server/headers.h"
#include "web/server/routes.h"
#include "web/server/tickets.h"
#include "web/server/tls.h"

#include <libwebsockets.h>

#define API_PREFIX "/api/v1/"
#define WEBSOCKET_PATH "/ws/desktop"
#define WEBSOCKET_PROTOCOL "binary"
#define BODY_MAX 16384    /* bytes of a request's body */
#define IDLE_SECONDS 20   /* between two requests on one connection */
#define WRITE_CHUNK 16384 /* bytes of one write: one TLS record */

typedef struct {
    Assets *assets;
    TlsIdentity *identity;
    BrokerLink *broker;
    Routes *routes; /* NULL: not known yet */
    char *openapi;  /* JSON text, NULL: not known yet */
    guint describe_timer;
    Tickets *tickets;
    Admission *admission;
    char *public_host; /* "" : none */
    guint first_packet_s, login_s, connections_max, websockets_max;
    guint websockets;
    PacketLink *requests;  /* to the master */
    GHashTable *handovers; /* request id -> Bridge that waits for the master's answer */
    guint64 next_request;
    struct lws_context *lws;
    struct lws_vhost *vhost;
    SSL_CTX *ssl;
} Server;

typedef struct Exchange Exchange;
typedef struct Bridge Bridge;

/* One accepted connection, from accept to close; lws keeps it as opaque user data. */
typedef struct {
    Server *server;
    struct lws *wsi; /* NULL until the first byte has come */
    int fd;          /* lws's, once wsi is set */
    guint waiting;   /* watch for that byte */
    guint64 source;  /* address_source() */
    char address[ADDRESS_TEXT_MAX];
    Standing standing;
    guint deadline;     /* timer that ends the connection */
    gint64 accepted;    /* monotonic, us */
    Exchange *exchange; /* the request under way, or NULL */
    Bridge *bridge;     /* set once it is a WebSocket */
} Connection;

/* The connection is cut in so many seconds unless this is called again; 0: no deadline. */
void connection_deadline(Connection *connection, guint seconds);
/* Seconds that are left for somebody to log in on it, 0: none; IDLE_SECONDS at least once somebody has. */
guint connection_login_left(const Connection *connection);
/* Somebody has logged in on it: another cap counts. */
void connection_stands(Connection *connection, Standing standing);
