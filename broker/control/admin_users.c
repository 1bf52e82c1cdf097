/* The admin's verbs for users. */
#include "broker/control/control_internal.h"

static void answer_user(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (control_store_ok(request, reply))
        control_answer_object(request, control_user_json(reply->user));
}

static void answer_result(ControlRequest *request)
{
    control_answer(request, g_steal_pointer(&request->result));
}

/* The user's state is the answer, given once everything that relied on the old one is over. */
static void answer_after_revoking(ControlRequest *request, StoreReply *reply, const char *text,
                                  ControlVerb next)
{
    g_clear_pointer(&request->result, json_node_unref);
    request->result = control_object_node(control_user_json(reply->user));
    g_free(request->name);
    request->name = g_strdup(reply->user->name);
    control_revoke(request, reply->revoked, END_REVOKED, text, next);
}

/* ---- passwords ---- */

static void hash_password(ControlRequest *request, PasswordHashed next)
{
    const char *password = control_text(request, "password");
    const char *unfit = password_unfit(password, FALSE);
    if (unfit)
        control_refuse(request, CONTROL_USAGE, unfit, NULL);
    else if (!password_hash(login_hasher(request->control->login), password, next, request))
        control_refuse_wait(request, "Too many passwords are being checked.", 1000);
}

static gboolean is_hashed(ControlRequest *request, const char *hash)
{
    if (hash)
        return TRUE;
    control_refuse(request, CONTROL_FAILED, "There is not enough memory for hashing the password.",
                   "Lower argon2_memory_kib in fernwerk.conf.");
    return FALSE;
}

static void add_hashed(const char *hash, gpointer data)
{
    ControlRequest *request = data;
    if (is_hashed(request, hash))
        store_user_add(request->control->store, request->actor, control_text(request, "name"),
                       json_object_get_boolean_member(request->args, "admin"), hash, answer_user, request);
}

/* Nobody waits for Argon2id only to hear that the name is taken. */
static void add_looked_up(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (reply->result == STORE_OK) {
        g_autofree char *message = g_strdup_printf("There is a user %s already.", reply->user->name);
        control_refuse(request, CONTROL_CONFLICT, message, "fernwerk user list");
    } else if (reply->result == STORE_NOT_FOUND || control_store_ok(request, reply)) {
        hash_password(request, add_hashed);
    }
}

void control_user_add(ControlRequest *request)
{
    store_user_show(request->control->store, control_text(request, "name"), add_looked_up, request);
}

static void password_stored(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (control_store_ok(request, reply))
        answer_after_revoking(request, reply, "The password was changed.", answer_result);
}

static void passwd_hashed(const char *hash, gpointer data)
{
    ControlRequest *request = data;
    if (is_hashed(request, hash))
        store_user_password(request->control->store, request->actor, control_text(request, "name"), hash, 0,
                            0, password_stored, request);
}

static void passwd_looked_up(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (control_store_ok(request, reply))
        hash_password(request, passwd_hashed);
}

void control_user_passwd(ControlRequest *request)
{
    store_user_show(request->control->store, control_text(request, "name"), passwd_looked_up, request);
}

/* ---- the rest ---- */

static void got_users(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (!control_store_ok(request, reply))
        return;
    JsonArray *array = json_array_new();
    for (guint i = 0; i < reply->users->len; i++)
        json_array_add_object_element(array, control_user_json(reply->users->pdata[i]));
    control_answer(request, control_array_node(array));
}

void control_user_list(ControlRequest *request)
{
    store_user_list(request->control->store, got_users, request);
}

void control_user_show(ControlRequest *request)
{
    store_user_show(request->control->store, control_text(request, "name"), answer_user, request);
}

static void disabled(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (control_store_ok(request, reply))
        answer_after_revoking(request, reply, "The account was disabled.", answer_result);
}

void control_user_disable(ControlRequest *request)
{
    store_user_disable(request->control->store, request->actor, control_text(request, "name"),
                       verb_id(request->verb) == VERB_USER_DISABLE, disabled, request);
}

static void deleted(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (control_store_ok(request, reply))
        answer_result(request);
}

static void delete_user(ControlRequest *request)
{
    store_user_delete(request->control->store, request->actor, request->name, deleted, request);
}

static void retired(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (control_store_ok(request, reply))
        answer_after_revoking(request, reply, "The account was removed.", delete_user);
}

void control_user_remove(ControlRequest *request)
{
    store_user_retire(request->control->store, request->actor, control_text(request, "name"), retired,
                      request);
}
