/* One HTTP request and its response: reading what matters of the request, checks that hold for all, sending.
 */
#pragma once

#include "web/server/server.h"

struct Exchange {
    Connection *connection;
    const char *method;                                              /* "GET", ...; static */
    char *path, *query;                                              /* query may be NULL */
    char *host, *origin, *fetch_site, *content_type, *if_none_match; /* NULL: not sent */
    char handle[HANDLE_MAX + 1];                                     /* session handle or "" */
    gboolean gzip;
    gint64 expected; /* bytes of body still to come */
    GByteArray *body;
    gboolean overflow; /* the body is too long: swallowed, then refused */
    guint64 call;      /* to the broker, 0: none */
    char *verb;        /* of that call */
    /* the response */
    guint status; /* 0: not known yet */
    GBytes *reply;
    char *headers; /* "name: value\r\n" lines of its own */
    const char *type;
    gsize sent;
    guint writable; /* our own watch for room in the socket, see want_write() */
    gboolean head_sent, close;
};

/* lws's events on a connection; each returns what the lws callback returns. */
int exchange_begin(Connection *connection);
int exchange_body(Connection *connection, const void *bytes, gsize length);
int exchange_body_end(Connection *connection);
int exchange_writable(Connection *connection);
/* Ends without an answer (the connection is gone). */
void exchange_free(Exchange *exchange);

/* Answers, once. body is taken over (NULL: none), type static, headers "name: value\r\n" lines or NULL
 * (copied). */
void exchange_reply(Exchange *exchange, guint status, const char *type, GBytes *body, const char *headers);
/* Answers {"error": {...}}; hint may be NULL. */
void exchange_fail(Exchange *exchange, guint status, const char *code, const char *message, const char *hint);
