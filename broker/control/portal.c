/* What a person does for himself: log in and out, his password, his desktops. */
#include "broker/control/control_internal.h"

#include "auth/token.h"

#include <string.h>

#define THUMBNAIL_WIDTH 480
#define THUMBNAIL_HEIGHT 300
#define RDP_PORT 3389

/* ---- sessions ---- */

static JsonObject *whoami(const StoreUser *user)
{
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "user", user->name);
    json_object_set_boolean_member(object, "admin", user->admin);
    return object;
}

static void session_made(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (!control_store_ok(request, reply))
        return;
    JsonObject *object = whoami(request->user);
    json_object_set_string_member(object, "session", request->session);
    control_answer_object(request, object);
}

static void refuse_login(ControlRequest *request, const LoginOutcome *outcome)
{
    if (outcome->result == LOGIN_WAIT)
        control_refuse_wait(request, outcome->text, outcome->retry_after_ms);
    else
        control_refuse(request, outcome->result == LOGIN_DENIED ? CONTROL_DENIED : CONTROL_FAILED,
                       outcome->text,
                       outcome->result == LOGIN_DENIED
                           ? NULL
                           : "If it stays so, tell your administrator: the server's log has the reason.");
}

static void logged_in(const LoginOutcome *outcome, gpointer data)
{
    ControlRequest *request = data;
    Control *control = request->control;
    char handle[TOKEN_TEXT_SIZE];
    guint8 hash[TOKEN_HASH_SIZE];
    if (outcome->result != LOGIN_OK) {
        refuse_login(request, outcome);
        return;
    }
    request->user = g_new0(StoreUser, 1);
    request->user->name = g_strdup(outcome->user->name);
    request->user->admin = outcome->user->admin;
    token_make(TOKEN_SESSION, handle, hash);
    if (request->session)
        explicit_bzero(request->session, strlen(request->session));
    g_free(request->session);
    request->session = g_strdup(handle);
    explicit_bzero(handle, sizeof handle);
    store_web_session_make(control->store, hash, outcome->user->id, outcome->user->serial, request->source,
                           (guint)config_integer(control->config, "web.session_life_s"),
                           (guint)config_integer(control->config, "web.session_idle_s"), session_made,
                           request);
}

void control_login(ControlRequest *request)
{
    LoginAttempt attempt = {.user = control_text(request, "username"),
                            .password = control_text(request, "password"),
                            .protocol = "web",
                            .address = request->source};
    login_check(request->control->login, &attempt, logged_in, request);
}

static void answer_nothing(ControlRequest *request)
{
    control_answer_object(request, json_object_new());
}

static void session_ended(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (control_store_ok(request, reply))
        control_revoke(request, reply->revoked, END_REVOKED, "Logged out.", answer_nothing);
}

void control_logout(ControlRequest *request)
{
    store_web_session_end(request->control->store, request->actor, request->web_session, session_ended,
                          request);
}

void control_whoami(ControlRequest *request)
{
    control_answer_object(request, whoami(request->user));
}

/* ---- password ---- */

static void password_stored(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (control_store_ok(request, reply))
        control_revoke(request, reply->revoked, END_REVOKED, "The password was changed.", answer_nothing);
}

static void new_hashed(const char *hash, gpointer data)
{
    ControlRequest *request = data;
    if (!hash) {
        control_refuse(request, CONTROL_FAILED, "There is not enough memory for hashing the password.",
                       "Try again in a minute.");
        return;
    }
    store_user_password(request->control->store, request->actor, request->user->name, hash,
                        request->user->serial, request->web_session, password_stored, request);
}

static void old_checked(const LoginOutcome *outcome, gpointer data)
{
    ControlRequest *request = data;
    if (outcome->result == LOGIN_DENIED) {
        control_refuse(request, CONTROL_DENIED, "The present password is wrong.", NULL);
        return;
    }
    if (outcome->result != LOGIN_OK) {
        refuse_login(request, outcome);
        return;
    }
    /* What was proven counts for this serial, and the change is void if there is a newer one by then. */
    request->user->serial = outcome->user->serial;
    if (!password_hash(login_hasher(request->control->login), control_text(request, "new"), new_hashed,
                       request))
        control_refuse_wait(request, "Too many passwords are being checked.", 1000);
}

void control_password_change(ControlRequest *request)
{
    const char *unfit = password_unfit(control_text(request, "new"), TRUE);
    if (unfit) {
        control_refuse(request, CONTROL_USAGE, unfit, NULL);
        return;
    }
    LoginAttempt attempt = {.user = request->user->name,
                            .password = control_text(request, "old"),
                            .protocol = "password-change",
                            .address = request->source};
    login_check(request->control->login, &attempt, old_checked, request);
}

/* ---- desktops ---- */

/* A page that was cut off sees by it whether it may come back or was taken over. */
static void add_connection(JsonObject *object, const StoreConnection *connection)
{
    if (!connection) {
        json_object_set_null_member(object, "connection");
        return;
    }
    g_autofree char *since = control_time(connection->since);
    JsonObject *inner = json_object_new();
    json_object_set_int_member(inner, "id", connection->id);
    json_object_set_string_member(inner, "protocol", connection->protocol);
    json_object_set_string_member(inner, "since", since);
    json_object_set_object_member(object, "connection", inner);
}

static void got_mine(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (!control_store_ok(request, reply))
        return;
    JsonArray *array = json_array_new();
    for (guint i = 0; i < reply->desktops->len; i++) {
        const StoreDesktop *desktop = reply->desktops->pdata[i];
        JsonObject *object = control_desktop_json(request->control, desktop);
        json_object_set_boolean_member(object, "connected", desktop->user != NULL);
        add_connection(object, desktop->connection);
        json_array_add_object_element(array, object);
    }
    control_answer(request, control_array_node(array));
}

void control_mine(ControlRequest *request)
{
    store_desktop_list(request->control->store, request->user->name, got_mine, request);
}

static void ticket_issued(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (!control_store_ok(request, reply))
        return;
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "url", "/ws");
    json_object_set_string_member(object, "ticket", request->name);
    explicit_bzero(request->name, strlen(request->name));
    control_answer_object(request, object);
}

void control_connect(ControlRequest *request)
{
    Control *control = request->control;
    char ticket[TOKEN_TEXT_SIZE];
    guint8 hash[TOKEN_HASH_SIZE];
    token_make(TOKEN_TICKET, ticket, hash);
    request->name = g_strdup(ticket);
    explicit_bzero(ticket, sizeof ticket);
    store_ticket_issue(control->store, hash, request->web_session, control_text(request, "name"),
                       control_text(request, "protocol"),
                       (guint)config_integer(control->config, "broker.ticket_life_s") * 1000, ticket_issued,
                       request);
}

static guint16 configured_rdp_port(const Config *config)
{
    g_autoptr(GPtrArray) endpoints = config_endpoints(config_string(config, "listen.rdp"), NULL);
    guint16 port = endpoints && endpoints->len > 0 ? ((const Endpoint *)endpoints->pdata[0])->port : 0;
    return endpoints && endpoints->len > 0 && port == 0 ? RDP_PORT : port;
}

/* 0: RDP is off. What fernwerkd listens on stands in its file: a port that was any free one, or the one of a
 * socket unit, is in no configuration. */
static guint16 rdp_port(const Config *config)
{
    g_autofree char *path = g_build_filename(config_string(config, "fernwerk.run_dir"), "ready", NULL);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return configured_rdp_port(config);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 64);
    for (char **line = lines; *line; line++) {
        const char *colon = strrchr(*line, ':');
        guint64 number;
        if (g_str_has_prefix(*line, "rdp=") && colon &&
            g_ascii_string_to_unsigned(colon + 1, 10, 1, G_MAXUINT16, &number, NULL))
            return (guint16)number;
    }
    return 0;
}

static gboolean is_host(const char *text)
{
    return *text && strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS ".-_:[]") == strlen(text);
}

/* "host", "host:port", "[::1]:port" without the port. */
static char *without_port(const char *host)
{
    const char *end = *host == '[' ? strchr(host, ']') : NULL;
    if (end)
        return g_strndup(host, (gsize)(end + 1 - host));
    const char *colon = strchr(host, ':');
    return colon && !strchr(colon + 1, ':') ? g_strndup(host, (gsize)(colon - host)) : g_strdup(host);
}

static void got_rdp_desktop(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    const Config *config = request->control->config;
    guint16 port = rdp_port(config);
    if (!control_is_own(request, reply, request->verb->name))
        return;
    if (port == 0) {
        control_refuse(request, CONTROL_NOT_FOUND, "RDP is off on this server.",
                       "Use the browser, or ask your administrator.");
        return;
    }
    const char *given = control_text(request, "host");
    if (!*given)
        given = *config_string(config, "web.public_host") ? config_string(config, "web.public_host")
                                                          : g_get_host_name();
    if (!is_host(given)) {
        control_refuse(request, CONTROL_USAGE, "\"host\" is no host name or address.", NULL);
        return;
    }
    g_autofree char *host = without_port(given);
    g_autofree char *content = rdp_file_content(host, port, request->user->name, reply->desktop->name);
    g_autofree char *name = rdp_file_name(reply->desktop->name);
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "filename", name);
    json_object_set_string_member(object, "content", content);
    control_answer_object(request, object);
}

void control_rdp_file(ControlRequest *request)
{
    store_desktop_show(request->control->store, control_text(request, "name"), got_rdp_desktop, request);
}

static void got_thumbnail(ControlResult result, const char *message, const guint8 *png, gsize length,
                          guint width, guint height, gpointer data)
{
    ControlRequest *request = data;
    if (result != CONTROL_OK) {
        control_refuse(request, result, message, NULL);
        return;
    }
    if (length > CONTROL_ANSWER_MAX / 2) {
        control_refuse(request, CONTROL_FAILED, "The picture is too large.", NULL);
        return;
    }
    g_autofree char *base64 = g_base64_encode(png, length);
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "png", base64);
    json_object_set_int_member(object, "width", width);
    json_object_set_int_member(object, "height", height);
    control_answer_object(request, object);
}

static void got_thumbnail_desktop(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    Control *control = request->control;
    /* A page asks for pictures by itself, also of a desktop that was taken from him meanwhile. */
    if (control_is_own(request, reply, NULL))
        control->backend->thumbnail(reply->desktop->name, THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT, got_thumbnail,
                                    request, control->data);
}

void control_thumbnail(ControlRequest *request)
{
    store_desktop_show(request->control->store, control_text(request, "name"), got_thumbnail_desktop,
                       request);
}
