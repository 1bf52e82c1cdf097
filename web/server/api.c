/* The REST interface. Verbs, arguments and rights are the broker's business; here is what HTTP adds: the
 * cookie, the checks against forged requests, files to download, pictures. */
#include "web/server/api.h"

#include "base/log.h"

#include <string.h>

#define JSON_DEPTH_MAX 8
#define DESCRIBE_RETRY_MS 1000
#define NO_STORE "cache-control: no-store\r\n"

static guint status_of(const BrokerAnswer *answer)
{
    static const struct {
        const char *code;
        guint status;
    } statuses[] = {{"usage", 400},  {"not-found", 404}, {"conflict", 409},
                    {"denied", 403}, {"wait", 429},      {"unreachable", 503}};
    if (strcmp(answer->code, "denied") == 0 && answer->no_session)
        return 401;
    for (guint i = 0; i < G_N_ELEMENTS(statuses); i++)
        if (strcmp(answer->code, statuses[i].code) == 0)
            return statuses[i].status;
    return 500;
}

static void reply_json(Exchange *exchange, guint status, JsonNode *node, const char *headers)
{
    char *text = json_to_string(node, FALSE);
    g_autofree char *all = g_strconcat(NO_STORE, headers, NULL);
    exchange_reply(exchange, status, "application/json", g_bytes_new_take(text, strlen(text)), all);
}

static void reply_error(Exchange *exchange, const BrokerAnswer *answer)
{
    guint status = strcmp(exchange->verb, "session.login") == 0 && strcmp(answer->code, "denied") == 0
                       ? 401
                       : status_of(answer);
    if (strcmp(answer->code, "wait") != 0) {
        exchange_fail(exchange, status, answer->code, answer->message, answer->hint);
        return;
    }
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new(), *error = json_object_new();
    json_object_set_string_member(error, "code", answer->code);
    json_object_set_string_member(error, "message", answer->message);
    json_object_set_string_member(error, "hint", answer->hint); /* NULL: null */
    json_object_set_int_member(error, "retry_after_ms", answer->retry_after_ms);
    json_object_set_object_member(object, "error", error);
    json_node_take_object(root, object);
    g_autofree char *after = g_strdup_printf("retry-after: %" G_GINT64_FORMAT "\r\n",
                                             MAX(1, (answer->retry_after_ms + 999) / 1000));
    reply_json(exchange, status, root, after);
}

/* The handle goes into a cookie that no script can read, and not into the body. */
static void reply_login(Exchange *exchange, JsonObject *result)
{
    const char *handle = json_object_get_string_member_with_default(result, "session", "");
    char parsed[HANDLE_MAX + 1];
    g_autofree char *cookie = cookie_format(handle);
    if (!cookie_find(cookie, parsed)) {
        exchange_fail(exchange, 500, "failed", "The broker's session handle is malformed.", NULL);
        return;
    }
    explicit_bzero(parsed, sizeof parsed);
    g_autofree char *headers = g_strdup_printf("set-cookie: %s\r\n", cookie);
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), result);
    json_object_remove_member(result, "session");
    reply_json(exchange, 200, node, headers);
}

static void reply_ticket(Exchange *exchange, JsonObject *result)
{
    const char *ticket = json_object_get_string_member_with_default(result, "ticket", "");
    if (!ticket_is_plain(ticket)) {
        exchange_fail(exchange, 500, "failed", "The broker's ticket is malformed.", NULL);
        return;
    }
    tickets_remember(exchange->connection->server->tickets, exchange->handle, ticket, g_get_monotonic_time());
    json_object_set_string_member(result, "url", WEBSOCKET_PATH);
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), result);
    reply_json(exchange, 200, node, "");
}

static void reply_picture(Exchange *exchange, JsonObject *result)
{
    const char *base64 = json_object_get_string_member_with_default(result, "png", "");
    gsize length;
    guint8 *png = g_base64_decode(base64, &length);
    exchange_reply(exchange, 200, "image/png", g_bytes_new_take(png, length), NO_STORE);
}

static void reply_rdp_file(Exchange *exchange, JsonObject *result)
{
    const char *content = json_object_get_string_member_with_default(result, "content", "");
    g_autofree char *name =
        g_strdup(json_object_get_string_member_with_default(result, "filename", "desktop.rdp"));
    g_strcanon(name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "._-", '_');
    g_autofree char *headers =
        g_strdup_printf(NO_STORE "content-disposition: attachment; filename=\"%s\"\r\n", name);
    exchange_reply(exchange, 200, "application/x-rdp", g_bytes_new(content, strlen(content)), headers);
}

/* Verbs whose answer is more than JSON passed on. before: sets arguments that only the web knows. */
static void set_host(Exchange *exchange, JsonObject *args);
static void set_protocol(Exchange *exchange, JsonObject *args);
static const struct {
    const char *verb;
    void (*before)(Exchange *exchange, JsonObject *args);
    void (*after)(Exchange *exchange, JsonObject *result);
} special_verbs[] = {
    {"session.login", NULL, reply_login},
    {"desktop.connect", set_protocol, reply_ticket},
    {"desktop.thumbnail", NULL, reply_picture},
    {"desktop.rdp-file", set_host, reply_rdp_file},
};

static void set_host(Exchange *exchange, JsonObject *args)
{
    const char *configured = exchange->connection->server->public_host;
    json_object_set_string_member(args, "host", *configured ? configured : exchange->host);
}

static void set_protocol(Exchange *exchange, JsonObject *args)
{
    json_object_set_string_member(args, "protocol", "web");
}

static void answered(const BrokerAnswer *answer, gpointer data)
{
    Exchange *exchange = data;
    const char *verb = exchange->verb;
    exchange->call = 0;
    if (answer->code) {
        reply_error(exchange, answer);
        return;
    }
    connection_stands(exchange->connection, STANDING_KNOWN);
    if (strcmp(verb, "session.logout") == 0) {
        g_autofree char *cookie = cookie_format(NULL);
        g_autofree char *headers = g_strdup_printf("set-cookie: %s\r\n", cookie);
        reply_json(exchange, 200, answer->result, headers);
        return;
    }
    for (guint i = 0; i < G_N_ELEMENTS(special_verbs); i++) {
        if (strcmp(verb, special_verbs[i].verb) != 0)
            continue;
        if (JSON_NODE_HOLDS_OBJECT(answer->result))
            special_verbs[i].after(exchange, json_node_get_object(answer->result));
        else
            exchange_fail(exchange, 500, "failed", "The broker's answer is malformed.", NULL);
        return;
    }
    reply_json(exchange, 200, answer->result, "");
}

static void call_verb(Exchange *exchange, const char *verb, JsonObject *args)
{
    Server *server = exchange->connection->server;
    exchange->verb = g_strdup(verb); /* the table may be replaced before the answer comes */
    for (guint i = 0; i < G_N_ELEMENTS(special_verbs); i++)
        if (special_verbs[i].before && strcmp(verb, special_verbs[i].verb) == 0)
            special_verbs[i].before(exchange, args);
    exchange->call = broker_link_call(server->broker, verb, *exchange->handle ? exchange->handle : NULL,
                                      exchange->connection->address, args, answered, exchange);
}

static gboolean parse_body(Exchange *exchange, JsonObject *args)
{
    const GByteArray *body = exchange->body;
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root;
    GList *members;

    if (!body || body->len == 0)
        return TRUE;
    const char *text = (const char *)body->data;
    if (!g_utf8_validate(text, body->len, NULL) || !json_is_shallow(text, body->len, JSON_DEPTH_MAX) ||
        !json_parser_load_from_data(parser, text, body->len, NULL) ||
        !(root = json_parser_get_root(parser)) || !JSON_NODE_HOLDS_OBJECT(root))
        return FALSE;
    JsonObject *object = json_node_get_object(root);
    members = json_object_get_members(object);
    for (GList *link = members; link; link = link->next)
        json_object_set_member(args, link->data, json_object_dup_member(object, link->data));
    g_list_free(members);
    return TRUE;
}

/* What a page of another site could make a browser send is refused here, before anything is looked at. */
static gboolean is_forged(Exchange *exchange)
{
    OriginClaim claim = {exchange->host, exchange->origin, exchange->fetch_site,
                         exchange->connection->server->public_host};
    if (strcmp(exchange->method, "GET") == 0 || strcmp(exchange->method, "HEAD") == 0)
        return FALSE;
    if (!origin_is_own(&claim)) {
        exchange_fail(exchange, 403, "denied", "This request does not come from this server's own pages.",
                      "Send the header Origin: https://HOST.");
        return TRUE;
    }
    if (strcmp(exchange->method, "DELETE") != 0 && !content_type_is_json(exchange->content_type)) {
        exchange_fail(exchange, 415, "usage", "Send the header Content-Type: application/json.", NULL);
        return TRUE;
    }
    return FALSE;
}

static void reply_certificate(Exchange *exchange)
{
    const TlsIdentity *identity = exchange->connection->server->identity;
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "fingerprint_sha256", tls_identity_fingerprint(identity));
    json_object_set_boolean_member(object, "ca", tls_identity_ca(identity) != NULL);
    json_object_set_string_member(object, "ca_fingerprint_sha256", tls_identity_ca_fingerprint(identity));
    json_node_take_object(root, object);
    reply_json(exchange, 200, root, "");
}

static gboolean answer_here(Exchange *exchange, const char *path)
{
    Server *server = exchange->connection->server;
    if (strcmp(exchange->method, "GET") != 0 && strcmp(exchange->method, "HEAD") != 0)
        return FALSE;
    if (strcmp(path, "certificate") == 0) {
        reply_certificate(exchange);
    } else if (strcmp(path, "ca.pem") == 0) {
        GBytes *ca = tls_identity_ca(server->identity);
        if (ca)
            exchange_reply(exchange, 200, "application/x-pem-file", g_bytes_ref(ca),
                           NO_STORE "content-disposition: attachment; filename=\"fernwerk-ca.pem\"\r\n");
        else
            exchange_fail(exchange, 404, "not-found", "This server's certificate was not made by itself.",
                          NULL);
    } else if (strcmp(path, "openapi.json") == 0 && server->openapi) {
        exchange_reply(exchange, 200, "application/json",
                       g_bytes_new(server->openapi, strlen(server->openapi)), "cache-control: no-cache\r\n");
    } else {
        return FALSE;
    }
    return TRUE;
}

void api_handle(Exchange *exchange)
{
    Server *server = exchange->connection->server;
    const char *path = exchange->path + strlen(API_PREFIX);
    const char *method = strcmp(exchange->method, "HEAD") == 0 ? "GET" : exchange->method;
    const char *verb = NULL;

    if (is_forged(exchange) || answer_here(exchange, path))
        return;
    if (!server->routes) {
        exchange_fail(exchange, 503, "unreachable", "The broker is being restarted.",
                      "Try again in a few seconds.");
        return;
    }
    g_autoptr(JsonObject) args = json_object_new();
    if (!parse_body(exchange, args)) {
        exchange_fail(exchange, 400, "usage", "The request's body is no JSON object.", NULL);
        return;
    }
    /* After the body, so that what the address names cannot be replaced by it. */
    switch (routes_match(server->routes, method, path, exchange->query, args, &verb)) {
    case ROUTE_NO_PATH:
        exchange_fail(exchange, 404, "not-found", "There is nothing at this address.",
                      "GET /api/v1/openapi.json");
        return;
    case ROUTE_NO_METHOD:
        exchange_fail(exchange, 405, "usage", "This address does not know that method.",
                      "GET /api/v1/openapi.json");
        return;
    case ROUTE_FOUND:
        break;
    }
    if (!*exchange->handle && strcmp(verb, "session.login") != 0)
        exchange_fail(exchange, 401, "denied", "You are not logged in.", NULL);
    else
        call_verb(exchange, verb, g_steal_pointer(&args));
}

static gboolean describe_again(gpointer data)
{
    Server *server = data;
    server->describe_timer = 0;
    api_describe(server);
    return G_SOURCE_REMOVE;
}

static void describe_later(Server *server, const char *what, const char *why)
{
    log_warning("the broker does not tell its %s: %s", what, why);
    if (!server->describe_timer && broker_link_is_up(server->broker))
        server->describe_timer = g_timeout_add(DESCRIBE_RETRY_MS, describe_again, server);
}

static void got_routes(const BrokerAnswer *answer, gpointer data)
{
    Server *server = data;
    g_autoptr(GError) error = NULL;
    Routes *routes = answer->code ? NULL : routes_new(answer->result, &error);
    if (!routes) {
        describe_later(server, "routes", error ? error->message : answer->message);
        return;
    }
    g_clear_pointer(&server->routes, routes_free);
    server->routes = routes;
    log_info("%u routes of the broker are served", routes_count(routes));
}

static void got_openapi(const BrokerAnswer *answer, gpointer data)
{
    Server *server = data;
    if (answer->code) {
        describe_later(server, "OpenAPI document", answer->message);
        return;
    }
    g_free(server->openapi);
    server->openapi = json_to_string(answer->result, FALSE);
}

void api_describe(Server *server)
{
    broker_link_call(server->broker, "api.routes", NULL, NULL, NULL, got_routes, server);
    broker_link_call(server->broker, "api.openapi", NULL, NULL, NULL, got_openapi, server);
}
