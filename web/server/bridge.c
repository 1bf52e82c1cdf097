/* Bytes between a WebSocket and a client process; neither side is read faster than the other takes. */
#include "web/server/bridge.h"

#include "base/log.h"
#include "web/server/preamble.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIR_BUFFER (128 * 1024) /* bytes between us and the client process: more is only latency */
#define BACKLOG_MAX (512 * 1024) /* bytes from the browser that lws had already read when we said stop */
#define HANDOVER_SECONDS 10
#define CLOSE_SECONDS 5 /* for a browser to take its close frame and answer it */
#define CLOSE_TRY_AGAIN_LATER ((enum lws_close_status)1013) /* IANA's registry; lws has no name for it */

/* Reasons are shown to the user. */
static const char no_room[] = "The server has no room for another connection.";

struct Bridge {
    Connection *connection;
    int fd; /* our end of the pair, -1 before and after */
    guint readable, writable;
    GByteArray *backlog;  /* from the browser, not yet taken */
    WebPreamble preamble; /* scrubbed once sent */
    guint64 request;      /* the handover that the master has not answered, 0: none */
    guint handover_timer;
    gboolean closing, counted; /* in server->websockets; not so when it is turned away */
    enum lws_close_status status;
    const char *reason; /* static */
};

static char *copy_header(struct lws *wsi, enum lws_token_indexes token)
{
    int length = lws_hdr_total_length(wsi, token);
    if (length <= 0)
        return NULL;
    char *value = g_malloc((gsize)length + 1);
    if (lws_hdr_copy(wsi, value, length + 1, token) < 0)
        g_clear_pointer(&value, g_free);
    return value;
}

static char *copy_query(struct lws *wsi)
{
    g_autoptr(GString) query = g_string_new(NULL);
    char fragment[SEAT_SECRET_MAX + 64];
    for (int i = 0;
         i < 16 && lws_hdr_copy_fragment(wsi, fragment, sizeof fragment, WSI_TOKEN_HTTP_URI_ARGS, i) > 0; i++)
        g_string_append_printf(query, "%s%s", i ? "&" : "", fragment);
    explicit_bzero(fragment, sizeof fragment);
    return g_string_free(g_steal_pointer(&query), FALSE);
}

static void scrub_free(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

static const char *check(Connection *connection, struct lws *wsi, const char *ticket)
{
    Server *server = connection->server;
    g_autofree char *path = copy_header(wsi, WSI_TOKEN_GET_URI);
    g_autofree char *host = copy_header(wsi, WSI_TOKEN_HOST);
    g_autofree char *origin = copy_header(wsi, WSI_TOKEN_ORIGIN);
    OriginClaim claim = {host, origin, NULL, server->public_host};

    if (g_strcmp0(path, WEBSOCKET_PATH) != 0)
        return "its address is wrong";
    if (!lws_get_protocol(wsi) || g_strcmp0(lws_get_protocol(wsi)->name, WEBSOCKET_PROTOCOL) != 0)
        return "it does not offer the subprotocol " WEBSOCKET_PROTOCOL;
    if (!origin_matches(&claim))
        return "its Origin is another site's";
    if (!ticket_is_plain(ticket) || !tickets_take(server->tickets, ticket, g_get_monotonic_time()))
        return "its ticket is unknown, used or too old";
    return NULL;
}

gboolean bridge_admit(Connection *connection, struct lws *wsi)
{
    char *query = copy_query(wsi), *protocols = copy_header(wsi, WSI_TOKEN_PROTOCOL);
    char *ticket = subprotocol_ticket(protocols);
    if (!ticket)
        ticket = query_value(query, "ticket");
    const char *refusal = connection->bridge ? "it is one already" : check(connection, wsi, ticket);

    if (refusal) {
        log_info("a WebSocket of %s is refused: %s", connection->address, refusal);
    } else {
        Bridge *bridge = connection->bridge = g_new0(Bridge, 1);
        bridge->connection = connection;
        bridge->fd = -1;
        bridge->backlog = g_byte_array_new();
        bridge->status = LWS_CLOSE_STATUS_NORMAL;
        bridge->reason = "ended";
        preamble_fill(&bridge->preamble, ticket, connection->address, query);
        /* A refused handshake has no words for a page: it is let in and told. */
        bridge->counted = connection->server->websockets < connection->server->websockets_max;
        connection->server->websockets += bridge->counted ? 1 : 0;
    }
    scrub_free(query);
    scrub_free(protocols);
    scrub_free(ticket);
    return !refusal;
}

static void close_local(Bridge *bridge)
{
    g_clear_handle_id(&bridge->readable, g_source_remove);
    g_clear_handle_id(&bridge->writable, g_source_remove);
    if (bridge->fd >= 0)
        close(bridge->fd);
    bridge->fd = -1;
}

static void end(Bridge *bridge, enum lws_close_status status, const char *reason)
{
    bridge->closing = TRUE;
    bridge->status = status;
    bridge->reason = reason;
    close_local(bridge);
    connection_deadline(bridge->connection, CLOSE_SECONDS);
    lws_callback_on_writable(bridge->connection->wsi);
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    Bridge *bridge = data;
    bridge->readable = 0; /* watched again once the browser has taken what is there */
    lws_callback_on_writable(bridge->connection->wsi);
    return G_SOURCE_REMOVE;
}

static void watch(Bridge *bridge)
{
    if (!bridge->readable && bridge->fd >= 0)
        bridge->readable = g_unix_fd_add(bridge->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, bridge);
}

int bridge_writable(Bridge *bridge)
{
    unsigned char buffer[LWS_PRE + WRITE_CHUNK];
    struct lws *wsi = bridge->connection->wsi;

    if (bridge->closing || bridge->fd < 0) {
        lws_close_reason(wsi, bridge->status, (unsigned char *)bridge->reason, strlen(bridge->reason));
        return -1;
    }
    ssize_t n = recv(bridge->fd, buffer + LWS_PRE, WRITE_CHUNK, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        watch(bridge);
        return 0;
    }
    if (n <= 0) {
        close_local(bridge);
        connection_deadline(bridge->connection, CLOSE_SECONDS);
        lws_close_reason(wsi, bridge->status, (unsigned char *)bridge->reason, strlen(bridge->reason));
        return -1;
    }
    if (lws_write(wsi, buffer + LWS_PRE, (gsize)n, LWS_WRITE_BINARY) < (int)n)
        return -1;
    lws_callback_on_writable(wsi);
    return 0;
}

/* FALSE: the client process is gone. */
static gboolean flush(Bridge *bridge)
{
    while (bridge->backlog->len > 0) {
        ssize_t n =
            send(bridge->fd, bridge->backlog->data, bridge->backlog->len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        g_byte_array_remove_range(bridge->backlog, 0, (guint)n);
    }
    return TRUE;
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer data)
{
    Bridge *bridge = data;
    gboolean sound = flush(bridge);
    if (sound && bridge->backlog->len > 0)
        return G_SOURCE_CONTINUE;
    bridge->writable = 0;
    if (!sound)
        end(bridge, LWS_CLOSE_STATUS_NORMAL, "ended");
    else
        lws_rx_flow_control(bridge->connection->wsi, 1);
    return G_SOURCE_REMOVE;
}

int bridge_receive(Bridge *bridge, const void *bytes, gsize length)
{
    if (bridge->closing || bridge->fd < 0)
        return 0;
    if (bridge->backlog->len + length > BACKLOG_MAX)
        return -1;
    g_byte_array_append(bridge->backlog, bytes, (guint)length);
    if (bridge->writable)
        return 0;
    if (!flush(bridge)) {
        end(bridge, LWS_CLOSE_STATUS_NORMAL, "ended");
    } else if (bridge->backlog->len > 0) {
        lws_rx_flow_control(bridge->connection->wsi, 0);
        bridge->writable = g_unix_fd_add(bridge->fd, G_IO_OUT | G_IO_HUP | G_IO_ERR, on_writable, bridge);
    }
    return 0;
}

static gboolean handover_late(gpointer data)
{
    Bridge *bridge = data;
    bridge->handover_timer = 0;
    end(bridge, CLOSE_TRY_AGAIN_LATER, "The server did not answer.");
    return G_SOURCE_REMOVE;
}

int bridge_open(Bridge *bridge)
{
    Server *server = bridge->connection->server;
    RequestClient request = {.protocol = CLIENT_WEB};
    int ends[2], size = PAIR_BUFFER;

    if (!bridge->counted) {
        end(bridge, CLOSE_TRY_AGAIN_LATER, no_room);
        return 0;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0) {
        log_error("cannot make a socket pair: %s", g_strerror(errno));
        return -1;
    }
    for (guint i = 0; i < 2; i++)
        setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    bridge->fd = ends[0];
    gboolean sent = send(bridge->fd, &bridge->preamble, sizeof bridge->preamble,
                         MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof bridge->preamble;
    explicit_bzero(&bridge->preamble, sizeof bridge->preamble);
    request.header.header.type = REQUEST_CLIENT;
    request.header.header.size = sizeof request;
    request.header.request = bridge->request = ++server->next_request;
    sent = sent && packet_link_send(server->requests, &request, sizeof request, &ends[1], 1);
    close(ends[1]);
    if (!sent)
        return -1;
    g_hash_table_insert(server->handovers, &bridge->request, bridge);
    bridge->handover_timer = g_timeout_add_seconds(HANDOVER_SECONDS, handover_late, bridge);
    watch(bridge);
    return 0;
}

void bridge_handed_over(Server *server, const MasterReply *reply)
{
    Bridge *bridge = g_hash_table_lookup(server->handovers, &reply->request);
    if (!bridge)
        return;
    g_hash_table_remove(server->handovers, &reply->request);
    bridge->request = 0;
    g_clear_handle_id(&bridge->handover_timer, g_source_remove);
    if (reply->error) {
        log_warning("no process for a WebSocket: %s", g_strerror(reply->error));
        end(bridge, CLOSE_TRY_AGAIN_LATER, no_room);
    }
}

void bridge_free(Bridge *bridge)
{
    if (!bridge)
        return;
    Server *server = bridge->connection->server;
    if (bridge->request)
        g_hash_table_remove(server->handovers, &bridge->request);
    g_clear_handle_id(&bridge->handover_timer, g_source_remove);
    close_local(bridge);
    explicit_bzero(&bridge->preamble, sizeof bridge->preamble);
    g_byte_array_unref(bridge->backlog);
    server->websockets -= bridge->counted ? 1 : 0;
    g_free(bridge);
}
