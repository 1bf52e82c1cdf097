/* The lws context with one HTTPS vhost, our own accept in front of it, and the dispatch of its events. */
#include "web/server/service.h"

#include "base/log.h"
#include "web/server/bridge.h"
#include "web/server/exchange.h"

#include <errno.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_BURST 32
#define ACCEPT_PAUSE_MS 250     /* when descriptors have run out */
#define UNSENT_MAX (128 * 1024) /* bytes that TCP may queue before we count as not writable */
#define PEER_DEAD_MS 30000
#define HEADERS_MAX 8192
/* Proxies forget who says nothing for 60 s. A page that is looked at asks by itself before that. */
#define PING_SECONDS 45
#define HANGUP_SECONDS 75
#define PROBE_SECONDS 30 /* by TCP, of a peer who says nothing; then every 10 */

typedef struct {
    Server *server;
    int fd;
    guint source;
} Listener;

static void connection_free(Connection *connection)
{
    connection_deadline(connection, 0);
    g_clear_handle_id(&connection->waiting, g_source_remove);
    if (!connection->wsi && connection->fd >= 0)
        close(connection->fd);
    exchange_free(connection->exchange);
    bridge_free(connection->bridge);
    admission_leave(connection->server->admission, connection->source, connection->standing);
    g_free(connection);
}

static gboolean cut(gpointer data)
{
    Connection *connection = data;
    connection->deadline = 0;
    log_debug("%s has taken too long and is cut off", connection->address);
    /* lws sees the end on its own and closes; its timers are not ours to set from outside of its events. */
    if (connection->wsi)
        shutdown(connection->fd, SHUT_RDWR);
    else
        connection_free(connection);
    return G_SOURCE_REMOVE;
}

void connection_deadline(Connection *connection, guint seconds)
{
    g_clear_handle_id(&connection->deadline, g_source_remove);
    if (seconds)
        connection->deadline = g_timeout_add_seconds(seconds, cut, connection);
}

guint connection_login_left(const Connection *connection)
{
    if (connection->standing == STANDING_KNOWN)
        return MAX(connection->server->login_s, IDLE_SECONDS);
    gint64 gone = (g_get_monotonic_time() - connection->accepted) / G_USEC_PER_SEC;
    return gone < connection->server->login_s ? connection->server->login_s - (guint)gone : 0;
}

void connection_stands(Connection *connection, Standing standing)
{
    if (standing <= connection->standing)
        return;
    admission_move(connection->server->admission, connection->source, connection->standing, standing);
    connection->standing = standing;
}

static int admit_websocket(Connection *connection, struct lws *wsi)
{
    static const char refusal[] = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    unsigned char buffer[LWS_PRE + sizeof refusal];
    if (bridge_admit(connection, wsi)) {
        connection_stands(connection, STANDING_KNOWN);
        connection_deadline(connection, 0); /* lws's pings watch over it from here on */
        return 0;
    }
    memcpy(buffer + LWS_PRE, refusal, sizeof refusal);
    lws_write(wsi, buffer + LWS_PRE, sizeof refusal - 1, LWS_WRITE_HTTP_HEADERS);
    return -1;
}

static int connection_event(struct lws *wsi, enum lws_callback_reasons reason, Connection *connection,
                            void *in, size_t length)
{
    switch (reason) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return admit_websocket(connection, wsi);
    case LWS_CALLBACK_ESTABLISHED:
        return connection->bridge ? bridge_open(connection->bridge) : -1;
    case LWS_CALLBACK_RECEIVE:
        return connection->bridge ? bridge_receive(connection->bridge, in, length) : -1;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return connection->bridge ? bridge_writable(connection->bridge) : -1;
    case LWS_CALLBACK_HTTP:
        return exchange_begin(connection);
    case LWS_CALLBACK_HTTP_BODY:
        return exchange_body(connection, in, length);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return exchange_body_end(connection);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return exchange_writable(connection);
    default:
        return 0;
    }
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
    Connection *connection;
    switch (reason) {
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS: {
        Server *server = lws_context_user(lws_get_context(wsi));
        g_autoptr(GError) error = NULL;
        server->ssl = user;
        if (tls_identity_serve(&server->identity, server->ssl, &error))
            return 0;
        log_error("%s", error->message);
        return -1;
    }
    case LWS_CALLBACK_WSI_DESTROY:
        connection = lws_get_opaque_user_data(wsi);
        if (connection && connection->wsi == wsi) {
            lws_set_opaque_user_data(wsi, NULL);
            connection_free(connection);
        }
        return 0;
    case LWS_CALLBACK_HTTP:
    case LWS_CALLBACK_HTTP_BODY:
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
    case LWS_CALLBACK_HTTP_WRITEABLE:
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_SERVER_WRITEABLE:
        connection = lws_get_opaque_user_data(wsi);
        return connection ? connection_event(wsi, reason, connection, in, length) : -1;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
    case LWS_CALLBACK_FILTER_HTTP_CONNECTION:
        return 0;
    default:
        return 0;
    }
}

static void on_log(int level, const char *line)
{
    g_autofree char *text = g_strdup(line);
    log_write(level & (LLL_ERR | LLL_WARN) ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, "lws: %s",
              g_strchomp(text));
}

gboolean service_start(Server *server, GMainLoop *loop, GError **error)
{
    static const struct lws_protocols protocols[] = {
        {.name = "http", .callback = on_event, .rx_buffer_size = WRITE_CHUNK},
        {.name = WEBSOCKET_PROTOCOL, .callback = on_event, .rx_buffer_size = WRITE_CHUNK},
        {0}};
    static const lws_retry_bo_t liveness = {.secs_since_valid_ping = PING_SECONDS,
                                            .secs_since_valid_hangup = HANGUP_SECONDS};
    void *loops[] = {loop};
    struct lws_context_creation_info info = {0};

    lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
    info.options = LWS_SERVER_OPTION_GLIB | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
                   LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    info.foreign_loops = loops;
    info.user = server;
    info.pt_serv_buf_size = WRITE_CHUNK;
    info.max_http_header_data = HEADERS_MAX;
    info.max_http_header_pool =
        (unsigned short)MIN(server->connections_max, G_MAXUINT16); /* allocated when used */
    info.timeout_secs = server->first_packet_s;
    info.timeout_secs_ah_idle = server->first_packet_s;
    info.gid = info.uid = (unsigned int)-1;
    server->lws = lws_create_context(&info);
    if (!server->lws) {
        g_set_error_literal(
            error, G_IO_ERROR, G_IO_ERROR_FAILED,
            "libwebsockets does not start: is its GLib event loop (libwebsockets-evlib-glib) there?");
        return FALSE;
    }
    info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
    info.vhost_name = "fernwerk";
    info.protocols = protocols;
    info.alpn = "http/1.1";
    info.keepalive_timeout = IDLE_SECONDS;
    info.retry_and_idle_policy = &liveness;
    server->vhost = lws_create_vhost(server->lws, &info);
    if (!server->vhost || !server->ssl) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                            "libwebsockets does not take the certificate");
        return FALSE;
    }
    return TRUE;
}

static void tune(int fd)
{
    int on = 1, unsent = UNSENT_MAX, dead = PEER_DEAD_MS, idle_s = PROBE_SECONDS, interval_s = 10, probes = 3;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead, sizeof dead);
}

/* Only now does the connection cost more than a descriptor: lws and OpenSSL take 50 KiB for it. */
static gboolean on_first_byte(gint fd, GIOCondition condition, gpointer data)
{
    Connection *connection = data;
    lws_sock_file_fd_type descriptor = {.sockfd = fd};
    char byte;

    connection->waiting = 0;
    if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 1) {
        connection_free(connection);
        return G_SOURCE_REMOVE;
    }
    struct lws *wsi = lws_adopt_descriptor_vhost(connection->server->vhost,
                                                 LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP | LWS_ADOPT_ALLOW_SSL,
                                                 descriptor, NULL, NULL);
    if (!wsi) { /* lws has closed the descriptor */
        connection->fd = -1;
        connection_free(connection);
        return G_SOURCE_REMOVE;
    }
    connection->wsi = wsi;
    lws_set_opaque_user_data(wsi, connection);
    return G_SOURCE_REMOVE;
}

static void admit(Server *server, int fd, const struct sockaddr *address)
{
    Connection *connection = g_new0(Connection, 1);
    connection->server = server;
    connection->fd = fd;
    connection->source = address_source(address);
    address_text(address, connection->address);
    if (!admission_enter(server->admission, connection->source, g_get_monotonic_time())) {
        log_debug("%s is turned away: too many connections", connection->address);
        close(fd);
        g_free(connection);
        return;
    }
    connection->standing = STANDING_HALF_OPEN;
    connection->accepted = g_get_monotonic_time();
    tune(fd);
    connection->waiting = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_first_byte, connection);
    connection_deadline(connection, server->first_packet_s);
}

static gboolean on_connection(gint fd, GIOCondition condition, gpointer data);

static gboolean listen_again(gpointer data)
{
    Listener *listener = data;
    listener->source = g_unix_fd_add(listener->fd, G_IO_IN, on_connection, listener);
    return G_SOURCE_REMOVE;
}

static gboolean on_connection(gint fd, GIOCondition condition, gpointer data)
{
    Listener *listener = data;
    for (guint i = 0; i < ACCEPT_BURST; i++) {
        union {
            struct sockaddr any;
            struct sockaddr_in6 in6;
            struct sockaddr_storage storage;
        } address;
        socklen_t length = sizeof address;
        int accepted = accept4(fd, &address.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted >= 0) {
            admit(listener->server, accepted, &address.any);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            log_warning("no connection can be accepted: %s", g_strerror(errno));
            listener->source = g_timeout_add(ACCEPT_PAUSE_MS, listen_again, listener);
            return G_SOURCE_REMOVE;
        }
        break;
    }
    return G_SOURCE_CONTINUE;
}

void service_listen(Server *server, int fd)
{
    Listener *listener = g_new0(Listener, 1);
    listener->server = server;
    listener->fd = fd;
    g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    listen_again(listener);
}

gboolean service_reload(Server *server, int chain, int key, int ca, GError **error)
{
    TlsIdentity *identity = tls_identity_load(chain, key, ca, error);
    return identity && tls_identity_replace(&server->identity, identity, server->ssl, error);
}
