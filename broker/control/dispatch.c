/* From a line to a verb: JSON, identity, rights, arguments; and from its outcome to an answer. */
#include "broker/control/control_internal.h"

#include "auth/token.h"
#include "base/log.h"

#include <string.h>

static const ControlVerb handlers[VERB_COUNT] = {
    [VERB_SESSION_LOGIN] = control_login,
    [VERB_SESSION_LOGOUT] = control_logout,
    [VERB_SESSION_WHOAMI] = control_whoami,
    [VERB_PASSWORD_CHANGE] = control_password_change,
    [VERB_DESKTOP_MINE] = control_mine,
    [VERB_DESKTOP_CONNECT] = control_connect,
    [VERB_DESKTOP_RDP_FILE] = control_rdp_file,
    [VERB_DESKTOP_THUMBNAIL] = control_thumbnail,
    [VERB_DESKTOP_POWER] = control_power,
    [VERB_USER_ADD] = control_user_add,
    [VERB_USER_LIST] = control_user_list,
    [VERB_USER_SHOW] = control_user_show,
    [VERB_USER_PASSWD] = control_user_passwd,
    [VERB_USER_DISABLE] = control_user_disable,
    [VERB_USER_ENABLE] = control_user_disable,
    [VERB_USER_REMOVE] = control_user_remove,
    [VERB_TEMPLATE_ADD] = control_template_add,
    [VERB_TEMPLATE_LIST] = control_template_list,
    [VERB_TEMPLATE_SHOW] = control_template_show,
    [VERB_TEMPLATE_REMOVE] = control_template_remove,
    [VERB_DESKTOP_CREATE] = control_desktop_create,
    [VERB_DESKTOP_LIST] = control_desktop_list,
    [VERB_DESKTOP_SHOW] = control_desktop_show,
    [VERB_DESKTOP_START] = control_power,
    [VERB_DESKTOP_STOP] = control_power,
    [VERB_DESKTOP_RESTART] = control_power,
    [VERB_DESKTOP_RESET] = control_power,
    [VERB_DESKTOP_REMOVE] = control_desktop_remove,
    [VERB_ASSIGN] = control_assign,
    [VERB_UNASSIGN] = control_unassign,
    [VERB_SESSION_LIST] = control_session_list,
    [VERB_SESSION_KILL] = control_session_kill,
    [VERB_ENCODER_LIST] = control_encoder_list,
    [VERB_AUDIT] = control_audit,
    [VERB_STATUS] = control_status,
};

/* ---- answers ---- */

/* The parsed request holds what the person typed; GLib frees it as it is. */
static void scrub_secrets(ControlRequest *request)
{
    for (const VerbArgument *argument = request->verb ? request->verb->arguments : NULL;
         argument && argument->name; argument++) {
        if (argument->type != ARGUMENT_SECRET || !request->args)
            continue;
        const char *text = json_object_get_string_member_with_default(request->args, argument->name, NULL);
        if (text)
            explicit_bzero((char *)text, strlen(text));
    }
}

static void request_free(ControlRequest *request)
{
    scrub_secrets(request);
    g_clear_pointer(&request->args, json_object_unref);
    g_clear_pointer(&request->result, json_node_unref);
    g_clear_handle_id(&request->timer, g_source_remove);
    if (request->session)
        explicit_bzero(request->session, strlen(request->session));
    g_free(request->session);
    g_free(request->actor);
    g_free(request->source);
    g_free(request->hash);
    g_free(request->name);
    store_user_free(request->user);
    control_link_unref(request->link);
    g_free(request);
}

void control_answer(ControlRequest *request, JsonNode *result)
{
    control_link_send(request->link, request->id, "result", result, TRUE);
    request_free(request);
}

void control_answer_object(ControlRequest *request, JsonObject *result)
{
    control_answer(request, control_object_node(result));
}

static JsonObject *error_object(const char *code, const char *message, const char *hint)
{
    JsonObject *error = json_object_new();
    json_object_set_string_member(error, "code", code);
    json_object_set_string_member(error, "message", message && *message ? message : "It failed.");
    if (hint)
        json_object_set_string_member(error, "hint", hint);
    return error;
}

static void refuse_with(ControlRequest *request, JsonObject *error)
{
    control_link_send(request->link, request->id, "error", control_object_node(error), TRUE);
    request_free(request);
}

/* Commands are of no use to somebody at a browser. */
static const char *hint_for(const ControlRequest *request, const char *hint)
{
    static const struct {
        const char *command, *wording;
    } hints[] = {{"fernwerk unassign ", "Take it from its user first."},
                 {"fernwerk user remove ", "Remove the user once more in a moment."},
                 {"fernwerk ", NULL},
                 {"systemctl ", NULL}};
    for (guint i = 0; request->web && hint && i < G_N_ELEMENTS(hints); i++)
        if (g_str_has_prefix(hint, hints[i].command))
            return hints[i].wording;
    return hint;
}

void control_refuse(ControlRequest *request, ControlResult code, const char *message, const char *hint)
{
    refuse_with(request, error_object(verb_errors[code].code, message, hint_for(request, hint)));
}

void control_refuse_wait(ControlRequest *request, const char *message, guint retry_after_ms)
{
    JsonObject *error = error_object("wait", message, NULL);
    json_object_set_int_member(error, "retry_after_ms", retry_after_ms);
    refuse_with(request, error);
}

void control_refuse_session(ControlRequest *request)
{
    JsonObject *error = error_object("denied", "You are not logged in.", NULL);
    json_object_set_boolean_member(error, "session", FALSE);
    refuse_with(request, error);
}

gboolean control_store_ok(ControlRequest *request, const StoreReply *reply)
{
    static const ControlResult results[] = {[STORE_OK] = CONTROL_OK,
                                            [STORE_NOT_FOUND] = CONTROL_NOT_FOUND,
                                            [STORE_CONFLICT] = CONTROL_CONFLICT,
                                            [STORE_DENIED] = CONTROL_DENIED,
                                            [STORE_FAILED] = CONTROL_FAILED};
    if (reply->result == STORE_OK)
        return TRUE;
    if (reply->result == STORE_FAILED)
        log_error("database: %s", reply->error->message);
    control_refuse(request, results[reply->result], reply->message, reply->hint);
    return FALSE;
}

const char *control_text(const ControlRequest *request, const char *argument)
{
    return json_object_get_string_member(request->args, argument);
}

static void refuse_foreign(ControlRequest *request)
{
    g_autofree char *message =
        g_strdup_printf("No desktop %s is assigned to you.", control_text(request, "name"));
    control_refuse(request, CONTROL_NOT_FOUND, message, NULL);
}

static void foreign_recorded(StoreReply *reply, gpointer data)
{
    refuse_foreign(data);
}

gboolean control_is_own(ControlRequest *request, const StoreReply *reply, const char *action)
{
    if (reply->result != STORE_NOT_FOUND && !control_store_ok(request, reply))
        return FALSE;
    if (reply->result == STORE_OK && reply->desktop->assigned &&
        g_ascii_strcasecmp(reply->desktop->assigned, request->user->name) == 0)
        return TRUE;
    if (action)
        store_audit_write(request->control->store, request->actor, action, control_text(request, "name"),
                          "denied", request->source, foreign_recorded, request);
    else
        refuse_foreign(request);
    return FALSE;
}

/* ---- the way to the verb ---- */

static void run(ControlRequest *request)
{
    g_autofree char *problem = NULL;
    JsonObject *checked = verb_arguments(request->verb, request->args, &problem);
    if (!checked) {
        control_refuse(request, CONTROL_USAGE, problem, NULL);
        return;
    }
    scrub_secrets(request);
    g_clear_pointer(&request->args, json_object_unref);
    request->args = checked;
    VerbId id = verb_id(request->verb);
    if (id == VERB_API_ROUTES)
        control_answer(request, verb_routes());
    else if (id == VERB_API_OPENAPI)
        control_answer(request, verb_openapi(FERNWERK_VERSION));
    else
        handlers[id](request);
}

static void denied_recorded(StoreReply *reply, gpointer data)
{
    control_refuse(data, CONTROL_DENIED, "Only administrators may do this.", NULL);
}

static void identified(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (reply->result == STORE_DENIED) {
        control_refuse_session(request);
        return;
    }
    if (!control_store_ok(request, reply))
        return;
    request->user = g_steal_pointer(&reply->user);
    request->web_session = reply->id;
    g_free(request->actor);
    request->actor = g_strdup_printf("user:%s", request->user->name);
    if (request->verb->role == ROLE_ADMIN && !request->user->admin) {
        store_audit_write(request->control->store, request->actor, request->verb->name, "", "denied",
                          request->source, denied_recorded, request);
        return;
    }
    run(request);
}

/* The admin socket itself is the right to the admin's verbs. With a handle, it is that session's rights that
 * count. */
static void identify(ControlRequest *request)
{
    guint8 hash[TOKEN_HASH_SIZE];
    VerbRole role = request->verb->role;
    if (role == ROLE_ANY || (role == ROLE_ADMIN && !request->web && !request->session)) {
        run(request);
        return;
    }
    if (!request->session || !token_parse(TOKEN_SESSION, request->session, strlen(request->session), hash)) {
        control_refuse_session(request);
        return;
    }
    store_web_session_find(request->control->store, hash, identified, request);
}

static char *member_text(JsonObject *object, const char *name, gsize most)
{
    JsonNode *node = json_object_get_member(object, name);
    if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING)
        return NULL;
    const char *text = json_node_get_string(node);
    return strlen(text) <= most ? g_strdup(text) : NULL;
}

/* Counts what nests, outside of strings: the parser recurses. */
static gboolean is_shallow(const char *text, gsize length)
{
    guint depth = 0;
    gboolean quoted = FALSE;
    for (gsize i = 0; i < length; i++) {
        if (quoted) {
            if (text[i] == '\\')
                i++;
            else if (text[i] == '"')
                quoted = FALSE;
        } else if (text[i] == '"') {
            quoted = TRUE;
        } else if (text[i] == '{' || text[i] == '[') {
            if (++depth > CONTROL_DEPTH_MAX)
                return FALSE;
        } else if ((text[i] == '}' || text[i] == ']') && depth > 0) {
            depth--;
        }
    }
    return TRUE;
}

static ControlRequest *request_new(ControlLink *link, Control *control)
{
    ControlRequest *request = g_new0(ControlRequest, 1);
    request->control = control;
    request->link = control_link_ref(link);
    request->web = control_link_is_web(link);
    request->actor = g_strdup(control_link_actor(link));
    return request;
}

static JsonObject *parse(JsonParser *parser, const char *line, gsize length)
{
    JsonNode *root;
    if (!g_utf8_validate(line, (gssize)length, NULL) || !is_shallow(line, length) ||
        !json_parser_load_from_data(parser, line, (gssize)length, NULL) ||
        !(root = json_parser_get_root(parser)) || !JSON_NODE_HOLDS_OBJECT(root))
        return NULL;
    return json_node_get_object(root);
}

void control_dispatch(ControlLink *link, Control *control, const char *line, gsize length)
{
    ControlRequest *request = request_new(link, control);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object = parse(parser, line, length);
    if (!object) {
        control_refuse(request, CONTROL_USAGE, "The request is no JSON object.", NULL);
        return;
    }
    JsonNode *id = json_object_get_member(object, "id"), *args = json_object_get_member(object, "args");
    if (id && JSON_NODE_HOLDS_VALUE(id) && json_node_get_value_type(id) == G_TYPE_INT64)
        request->id = json_node_get_int(id);
    g_autofree char *name = member_text(object, "verb", 64);
    request->verb = name ? verb_find(name) : NULL;
    if (!request->verb) {
        control_refuse(request, CONTROL_USAGE, "There is no such verb.", NULL);
        return;
    }
    if (args && !JSON_NODE_HOLDS_OBJECT(args) && !JSON_NODE_HOLDS_NULL(args)) {
        control_refuse(request, CONTROL_USAGE, "\"args\" is no object.", NULL);
        return;
    }
    request->args = args && JSON_NODE_HOLDS_OBJECT(args) ? json_object_ref(json_node_get_object(args)) : NULL;
    request->session = member_text(object, "session", 128);
    request->source = request->web ? member_text(object, "source", 63) : g_strdup("local");
    if (!request->source)
        request->source = g_strdup("unknown");
    identify(request);
}
