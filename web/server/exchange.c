/* HTTP requests and responses on top of libwebsockets. */
#include "web/server/exchange.h"

#include "web/server/api.h"

#include <glib-unix.h>
#include <string.h>

#define BODY_SWALLOWED_MAX (1024 * 1024) /* a longer one cuts the connection */
#define HEAD_MAX 4096
#define ANSWER_SECONDS 20      /* longer than the broker may take */
#define SLOW_DOWNLOAD_FACTOR 4 /* a page's file may take so many times the login's time */

/* What holds for every answer. Styles: React sets element styles through CSSOM, which needs no
 * 'unsafe-inline'. */
static const char security_headers[] =
    "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: "
    "blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'\r\n"
    "x-content-type-options: nosniff\r\n"
    "x-frame-options: DENY\r\n"
    "referrer-policy: no-referrer\r\n"
    "cross-origin-opener-policy: same-origin\r\n"
    "cross-origin-resource-policy: same-origin\r\n"
    "permissions-policy: camera=(), microphone=(), geolocation=()\r\n";

static const struct {
    enum lws_token_indexes token;
    const char *name;
} methods[] = {
    {WSI_TOKEN_GET_URI, "GET"},         {WSI_TOKEN_POST_URI, "POST"}, {WSI_TOKEN_PUT_URI, "PUT"},
    {WSI_TOKEN_DELETE_URI, "DELETE"},   {WSI_TOKEN_HEAD_URI, "HEAD"}, {WSI_TOKEN_PATCH_URI, "PATCH"},
    {WSI_TOKEN_OPTIONS_URI, "OPTIONS"},
};

static char *header(struct lws *wsi, enum lws_token_indexes token)
{
    int length = lws_hdr_total_length(wsi, token);
    if (length <= 0)
        return NULL;
    char *value = g_malloc((gsize)length + 1);
    if (lws_hdr_copy(wsi, value, length + 1, token) < 0)
        g_clear_pointer(&value, g_free);
    return value;
}

static char *custom_header(struct lws *wsi, const char *name)
{
    int name_length = (int)strlen(name), length = lws_hdr_custom_length(wsi, name, name_length);
    if (length <= 0)
        return NULL;
    char *value = g_malloc((gsize)length + 1);
    if (lws_hdr_custom_copy(wsi, value, length + 1, name, name_length) < 0)
        g_clear_pointer(&value, g_free);
    return value;
}

/* lws keeps the arguments in fragments, one per "&". */
static char *query_header(struct lws *wsi)
{
    g_autoptr(GString) query = g_string_new(NULL);
    char fragment[1024];
    for (int i = 0;
         i < 32 && lws_hdr_copy_fragment(wsi, fragment, sizeof fragment, WSI_TOKEN_HTTP_URI_ARGS, i) > 0; i++)
        g_string_append_printf(query, "%s%s", i ? "&" : "", fragment);
    return query->len ? g_string_free(g_steal_pointer(&query), FALSE) : NULL;
}

static void read_head(Exchange *exchange, struct lws *wsi)
{
    exchange->method = "?";
    for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
        if (lws_hdr_total_length(wsi, methods[i].token) <= 0)
            continue;
        exchange->method = methods[i].name;
        exchange->path = header(wsi, methods[i].token);
        break;
    }
    if (!exchange->path)
        exchange->path = g_strdup("");
    exchange->query = query_header(wsi);
    exchange->host = header(wsi, WSI_TOKEN_HOST);
    exchange->origin = header(wsi, WSI_TOKEN_ORIGIN);
    exchange->fetch_site = custom_header(wsi, "sec-fetch-site:");
    exchange->content_type = header(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE);
    exchange->if_none_match = header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH);
    g_autofree char *encoding = header(wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING);
    exchange->gzip = accepts_gzip(encoding);
    char *cookie = header(wsi, WSI_TOKEN_HTTP_COOKIE);
    if (!cookie_find(cookie, exchange->handle))
        *exchange->handle = '\0';
    if (cookie)
        explicit_bzero(cookie, strlen(cookie));
    g_free(cookie);
}

void exchange_free(Exchange *exchange)
{
    if (!exchange)
        return;
    if (exchange->call)
        broker_link_cancel(exchange->connection->server->broker, exchange->call);
    explicit_bzero(exchange->handle, sizeof exchange->handle);
    if (exchange->body) {
        explicit_bzero(exchange->body->data, exchange->body->len);
        g_byte_array_unref(exchange->body);
    }
    g_clear_handle_id(&exchange->writable, g_source_remove);
    g_free(exchange->verb);
    g_free(exchange->path);
    g_free(exchange->query);
    g_free(exchange->host);
    g_free(exchange->origin);
    g_free(exchange->fetch_site);
    g_free(exchange->content_type);
    g_free(exchange->if_none_match);
    g_free(exchange->headers);
    g_clear_pointer(&exchange->reply, g_bytes_unref);
    g_free(exchange);
}

static gboolean on_room(gint fd, GIOCondition condition, gpointer data)
{
    Exchange *exchange = data;
    exchange->writable = 0;
    lws_rx_flow_control(exchange->connection->wsi, 1);
    lws_callback_on_writable(exchange->connection->wsi);
    return G_SOURCE_REMOVE;
}

/* lws neither reads what a client sends ahead of its answer nor stops polling for it, and with reading
 * stopped it does not write: so reading is stopped while we wait, by a watch of our own, for room in the
 * socket. Else a client that sends ahead and does not read would make us spin. */
static void want_write(Exchange *exchange)
{
    struct lws *wsi = exchange->connection->wsi;
    if (lws_partial_buffered(wsi)) {
        lws_callback_on_writable(wsi);
        return;
    }
    lws_rx_flow_control(wsi, 0);
    if (!exchange->writable)
        exchange->writable =
            g_unix_fd_add(lws_get_socket_fd(wsi), G_IO_OUT | G_IO_HUP | G_IO_ERR, on_room, exchange);
}

void exchange_reply(Exchange *exchange, guint status, const char *type, GBytes *body, const char *headers)
{
    g_assert(!exchange->status);
    exchange->status = status;
    exchange->type = type;
    exchange->reply = body;
    exchange->headers = g_strdup(headers ? headers : "");
    exchange->call = 0;
    want_write(exchange);
}

void exchange_fail(Exchange *exchange, guint status, const char *code, const char *message, const char *hint)
{
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new(), *error = json_object_new();
    json_object_set_string_member(error, "code", code);
    json_object_set_string_member(error, "message", message);
    json_object_set_string_member(error, "hint", hint); /* NULL: null */
    json_object_set_object_member(object, "error", error);
    json_node_take_object(root, object);
    char *text = json_to_string(root, FALSE);
    exchange_reply(exchange, status, "application/json", g_bytes_new_take(text, strlen(text)),
                   status == 503 ? "cache-control: no-store\r\nretry-after: 2\r\n"
                                 : "cache-control: no-store\r\n");
}

static void serve_asset(Exchange *exchange)
{
    const Asset *asset = assets_find(exchange->connection->server->assets, exchange->path);
    if (!asset) {
        exchange_reply(exchange, 404, "text/plain; charset=utf-8", g_bytes_new_static("Not found.\n", 11),
                       NULL);
        return;
    }
    gboolean gzip = asset->gzip && exchange->gzip;
    g_autofree char *headers =
        g_strdup_printf("cache-control: %s\r\netag: %s\r\nvary: accept-encoding\r\n%s",
                        asset->immutable ? "public, max-age=31536000, immutable" : "no-cache", asset->etag,
                        gzip ? "content-encoding: gzip\r\n" : "");
    if (exchange->if_none_match && strstr(exchange->if_none_match, asset->etag))
        exchange_reply(exchange, 304, asset->type, NULL, headers);
    else
        exchange_reply(exchange, 200, asset->type, g_bytes_ref(gzip ? asset->gzip : asset->body), headers);
}

/* The request is complete. */
static void dispatch(Exchange *exchange)
{
    gboolean reading = strcmp(exchange->method, "GET") == 0 || strcmp(exchange->method, "HEAD") == 0;
    /* Nothing more is read until the answer is out: what a browser sends ahead stays in the kernel. */
    lws_rx_flow_control(exchange->connection->wsi, 0);
    connection_deadline(exchange->connection, MAX(exchange->connection->server->login_s, ANSWER_SECONDS));
    if (exchange->overflow)
        exchange_fail(exchange, 413, "usage", "The request is too large.", NULL);
    else if (g_str_has_prefix(exchange->path, API_PREFIX))
        api_handle(exchange);
    else if (reading)
        serve_asset(exchange);
    else
        exchange_fail(exchange, 405, "usage", "There is nothing to change at this address.", NULL);
}

/* Refuses before the body was read: the connection cannot go on, what follows could be body or request. */
static void refuse(Exchange *exchange, guint status, const char *message)
{
    exchange->close = TRUE;
    exchange_fail(exchange, status, "usage", message, NULL);
}

int exchange_begin(Connection *connection)
{
    struct lws *wsi = connection->wsi;
    if (connection->exchange)
        return -1;
    Exchange *exchange = connection->exchange = g_new0(Exchange, 1);
    exchange->connection = connection;
    read_head(exchange, wsi);
    lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0); /* ours holds from here on */
    connection_stands(connection, STANDING_ANONYMOUS);
    connection_deadline(connection, connection->server->first_packet_s);

    g_autofree char *length_text = header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
    gint64 length = length_text ? content_length_parse(length_text, BODY_SWALLOWED_MAX) : 0;
    gboolean may_have_body = strcmp(exchange->method, "POST") == 0 || strcmp(exchange->method, "PUT") == 0;
    gboolean chunked = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;

    if (!host_is_plain(exchange->host) || *exchange->path != '/')
        refuse(exchange, 400, "The request has no valid Host.");
    else if (chunked || (may_have_body && !length_text))
        refuse(exchange, 411, "Send a Content-Length.");
    else if (length < 0 || (length > 0 && !may_have_body))
        refuse(exchange, length == -2 ? 413 : 400, "The request's length is not acceptable.");
    else if (length > 0 || strcmp(exchange->method, "POST") == 0)
        exchange->expected = length; /* dispatched by exchange_body_end() */
    else
        dispatch(exchange);
    return 0;
}

int exchange_body(Connection *connection, const void *bytes, gsize length)
{
    Exchange *exchange = connection->exchange;
    if (!exchange || exchange->status)
        return exchange ? 0 : -1;
    if (!exchange->body)
        exchange->body = g_byte_array_sized_new(1024);
    if (exchange->overflow || exchange->body->len + length > BODY_MAX)
        exchange->overflow = TRUE;
    else if (length)
        g_byte_array_append(exchange->body, bytes, (guint)length);
    return 0;
}

int exchange_body_end(Connection *connection)
{
    Exchange *exchange = connection->exchange;
    if (!exchange)
        return -1;
    if (!exchange->status && !exchange->call)
        dispatch(exchange);
    return 0;
}

static gboolean add_lines(struct lws *wsi, const char *lines, unsigned char **p, unsigned char *end)
{
    while (*lines) {
        const char *colon = strchr(lines, ':'), *line_end = strstr(lines, "\r\n");
        g_autofree char *name = g_strndup(lines, (gsize)(colon - lines) + 1);
        const char *value = colon + 2;
        if (lws_add_http_header_by_name(wsi, (const unsigned char *)name, (const unsigned char *)value,
                                        (int)(line_end - value), p, end))
            return FALSE;
        lines = line_end + 2;
    }
    return TRUE;
}

static int write_head(Exchange *exchange)
{
    struct lws *wsi = exchange->connection->wsi;
    unsigned char buffer[LWS_PRE + HEAD_MAX], *start = buffer + LWS_PRE, *p = start,
                                              *end = buffer + sizeof buffer - 1;
    gsize length = exchange->reply ? g_bytes_get_size(exchange->reply) : 0;
    gboolean bodiless = exchange->status == 304 || exchange->status == 204;

    if (lws_add_http_header_status(wsi, exchange->status | LWSAHH_FLAG_NO_SERVER_NAME, &p, end))
        return -1;
    if (!bodiless &&
        (lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, (const unsigned char *)exchange->type,
                                      (int)strlen(exchange->type), &p, end) ||
         lws_add_http_header_content_length(wsi, length, &p, end)))
        return -1;
    if (!add_lines(wsi, security_headers, &p, end) || !add_lines(wsi, exchange->headers, &p, end))
        return -1;
    /* A browser that was told to insist on a certificate made here could not be helped once it changes. */
    if (!tls_identity_ca(exchange->connection->server->identity) &&
        !add_lines(wsi, "strict-transport-security: max-age=31536000\r\n", &p, end))
        return -1;
    /* Requests alone must not keep a connection for ever: a browser opens another one. */
    exchange->close |= connection_login_left(exchange->connection) == 0;
    if (exchange->close && !add_lines(wsi, "connection: close\r\n", &p, end))
        return -1;
    if (lws_finalize_write_http_header(wsi, start, &p, end))
        return -1;
    if (bodiless || strcmp(exchange->method, "HEAD") == 0)
        exchange->sent = length;
    exchange->head_sent = TRUE;
    return 0;
}

static int complete(Exchange *exchange)
{
    Connection *connection = exchange->connection;
    gboolean close = exchange->close;
    connection->exchange = NULL;
    exchange_free(exchange);
    connection_deadline(connection, CLAMP(connection_login_left(connection), 1, IDLE_SECONDS));
    if (close)
        return -1;
    return lws_http_transaction_completed(connection->wsi) ? -1 : 0;
}

int exchange_writable(Connection *connection)
{
    Exchange *exchange = connection->exchange;
    unsigned char buffer[LWS_PRE + WRITE_CHUNK];

    if (!exchange || !exchange->status)
        return 0;
    gsize length = exchange->reply ? g_bytes_get_size(exchange->reply) : 0;
    if (!exchange->head_sent) {
        connection_deadline(connection, connection->server->login_s * SLOW_DOWNLOAD_FACTOR);
        if (write_head(exchange) < 0)
            return -1;
        if (exchange->sent < length) {
            want_write(exchange);
            return 0;
        }
    }
    if (exchange->sent < length) {
        gsize n = MIN(length - exchange->sent, WRITE_CHUNK);
        gboolean last = exchange->sent + n == length;
        memcpy(buffer + LWS_PRE, (const guint8 *)g_bytes_get_data(exchange->reply, NULL) + exchange->sent, n);
        if (lws_write(connection->wsi, buffer + LWS_PRE, n, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) <
            (int)n)
            return -1;
        exchange->sent += n;
        if (!last) {
            want_write(exchange);
            return 0;
        }
    }
    return complete(exchange);
}
