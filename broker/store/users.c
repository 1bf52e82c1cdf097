/* Users, logins, and what ends with them. */
#include "broker/store/store_internal.h"

#include <string.h>

static StoreJob *named_job(Store *store, StoreWork work, const char *actor, const char *name,
                           StoreCallback done, gpointer data)
{
    StoreJob *job = store_job(store, work, done, data);
    job->in.actor = g_strdup(actor);
    job->in.name = g_strdup(name);
    return job;
}

static void add(StoreJob *job)
{
    if (store_number(job, "SELECT count(*) FROM users WHERE name = ?", "s", job->in.name) > 0) {
        store_answer(job, STORE_CONFLICT, "fernwerk user list", "There is a user %s already.", job->in.name);
        return;
    }
    store_run(job, "INSERT INTO users (name, admin, hash, made) VALUES (?, ?, ?, ?)", "sisi", job->in.name,
              (gint64)(job->in.flag != 0), job->in.hash_text, store_now(job->store));
    store_record(job, job->in.actor, "user.add", job->in.name, "ok", NULL);
    store_need_user(job, job->in.name, &job->out.user);
}

void store_user_add(Store *store, const char *actor, const char *name, gboolean admin, const char *hash,
                    StoreCallback done, gpointer data)
{
    StoreJob *job = named_job(store, add, actor, name, done, data);
    job->in.flag = admin;
    job->in.hash_text = g_strdup(hash);
    store_submit(job);
}

static void append_user(StoreJob *job, sqlite3_stmt *row, gpointer data)
{
    g_ptr_array_add(job->out.users, store_read_user(row));
}

static void list(StoreJob *job)
{
    job->out.users = g_ptr_array_new_with_free_func((GDestroyNotify)store_user_free);
    store_each(job, append_user, NULL, "SELECT " STORE_USER_COLUMNS " FROM users u ORDER BY u.name", "");
}

void store_user_list(Store *store, StoreCallback done, gpointer data)
{
    store_submit(store_job(store, list, done, data));
}

static void show(StoreJob *job)
{
    store_need_user(job, job->in.name, &job->out.user);
}

void store_user_show(Store *store, const char *name, StoreCallback done, gpointer data)
{
    store_submit(named_job(store, show, NULL, name, done, data));
}

/* Accounts keep the parameters under which their hash was made until their next login. If every unknown name
 * took today's time, those who take another would be known to exist. */
static char *parameters_for_nobody(StoreJob *job)
{
    gint64 users = store_number(job, "SELECT count(*) FROM users", "");
    g_autofree char *lower = g_ascii_strdown(job->in.name, -1);
    g_autofree char *digest =
        g_compute_hmac_for_string(G_CHECKSUM_SHA256, store_secret(job->store), STORE_SECRET_SIZE, lower, -1);
    digest[8] = '\0';
    gint64 place = users > 0 ? (gint64)(g_ascii_strtoull(digest, NULL, 16) % (guint64)users) : 0;
    sqlite3_stmt *row = store_first(job, "SELECT hash FROM users ORDER BY id LIMIT 1 OFFSET ?", "i", place);
    g_autofree char *hash = row ? store_text(row, 0) : NULL;
    /* "$argon2id$v=19$m=65536,t=2,p=1$salt$tag": only what stands before the salt. */
    char *end = hash ? strstr(hash, "p=1$") : NULL;
    return end ? g_strndup(hash, (gsize)(end + 4 - hash)) : NULL;
}

static void secret(StoreJob *job)
{
    if (!store_need_user(job, job->in.name, &job->out.user)) {
        job->out.parameters = parameters_for_nobody(job);
        return;
    }
    sqlite3_stmt *row = store_first(job, "SELECT hash FROM users WHERE id = ?", "i", job->out.user->id);
    if (row)
        job->out.user->hash = store_text(row, 0);
}

void store_user_secret(Store *store, const char *name, StoreCallback done, gpointer data)
{
    store_submit(named_job(store, secret, NULL, name, done, data));
}

/* Everything that was proven by the user's old state ends; a web session may be kept. */
static void revoke_user(StoreJob *job, gint64 keep_session)
{
    const StoreUser *user = job->out.user;
    job->out.revoked = store_revoked_new();
    job->out.revoked->user = g_strdup(user->name);
    store_revoke(job, user->id, 0, 0, keep_session, "revoked");
    store_run(job, "DELETE FROM web_sessions WHERE user = ? AND id <> ?", "ii", user->id, keep_session);
}

static void password(StoreJob *job)
{
    if (!store_need_user(job, job->in.name, &job->out.user))
        return;
    StoreUser *user = job->out.user;
    if (job->in.serial != 0 && (job->in.serial != user->serial || user->disabled)) {
        store_record(job, job->in.actor, "user.passwd", user->name, "denied", NULL);
        store_answer(job, STORE_DENIED, NULL, "The account was changed in the meantime.");
        return;
    }
    revoke_user(job, job->in.session);
    job->out.revoked->kept_session = job->in.session;
    store_run(job, "UPDATE users SET hash = ?, serial = serial + 1 WHERE id = ?", "si", job->in.hash_text,
              user->id);
    user->serial++;
    store_record(job, job->in.actor, "user.passwd", user->name, "ok", NULL);
}

void store_user_password(Store *store, const char *actor, const char *name, const char *hash, gint64 serial,
                         gint64 keep_session, StoreCallback done, gpointer data)
{
    StoreJob *job = named_job(store, password, actor, name, done, data);
    job->in.hash_text = g_strdup(hash);
    job->in.serial = serial;
    job->in.session = keep_session;
    store_submit(job);
}

static void rehash(StoreJob *job)
{
    store_run(job, "UPDATE users SET hash = ?, rehashes = rehashes + 1 WHERE id = ? AND serial = ?", "sii",
              job->in.hash_text, job->in.id, job->in.serial);
}

void store_user_rehash(Store *store, gint64 user_id, gint64 serial, const char *hash, StoreCallback done,
                       gpointer data)
{
    StoreJob *job = store_job(store, rehash, done, data);
    job->in.id = user_id;
    job->in.serial = serial;
    job->in.hash_text = g_strdup(hash);
    store_submit(job);
}

static void disable(StoreJob *job)
{
    if (!store_need_user(job, job->in.name, &job->out.user))
        return;
    StoreUser *user = job->out.user;
    if (job->in.flag)
        revoke_user(job, 0);
    else
        job->out.revoked = store_revoked_new();
    store_run(job, "UPDATE users SET disabled = ?, serial = serial + 1 WHERE id = ?", "ii",
              (gint64)(job->in.flag != 0), user->id);
    user->disabled = job->in.flag;
    user->serial++;
    store_record(job, job->in.actor, job->in.flag ? "user.disable" : "user.enable", user->name, "ok", NULL);
}

void store_user_disable(Store *store, const char *actor, const char *name, gboolean disabled,
                        StoreCallback done, gpointer data)
{
    StoreJob *job = named_job(store, disable, actor, name, done, data);
    job->in.flag = disabled;
    store_submit(job);
}

static void retire(StoreJob *job)
{
    if (!store_need_user(job, job->in.name, &job->out.user))
        return;
    StoreUser *user = job->out.user;
    revoke_user(job, 0);
    store_run(job, "UPDATE users SET disabled = 1, serial = serial + 1 WHERE id = ?", "i", user->id);
    store_run(job, "DELETE FROM assignments WHERE user = ?", "i", user->id);
    store_revoke_leases(job, user->id, 0);
    user->disabled = TRUE;
    user->serial++;
    store_record(job, job->in.actor, "user.remove", user->name, "ok", NULL);
}

void store_user_retire(Store *store, const char *actor, const char *name, StoreCallback done, gpointer data)
{
    store_submit(named_job(store, retire, actor, name, done, data));
}

static void delete_user(StoreJob *job)
{
    if (!store_need_user(job, job->in.name, &job->out.user))
        return;
    const StoreUser *user = job->out.user;
    if (store_number(job, "SELECT count(*) FROM leases WHERE user = ?", "i", user->id) > 0 ||
        store_number(job, "SELECT count(*) FROM assignments WHERE user = ?", "i", user->id) > 0 ||
        store_number(job, "SELECT count(*) FROM connections WHERE user = ? AND ended IS NULL", "i",
                     user->id) > 0) {
        g_autofree char *again = g_strdup_printf("fernwerk user remove %s", user->name);
        store_answer(job, STORE_CONFLICT, again, "A desktop of %s is still being closed.", user->name);
        return;
    }
    store_run(job, "DELETE FROM users WHERE id = ?", "i", user->id);
    store_record(job, job->in.actor, "user.delete", user->name, "ok", NULL);
}

void store_user_delete(Store *store, const char *actor, const char *name, StoreCallback done, gpointer data)
{
    store_submit(named_job(store, delete_user, actor, name, done, data));
}

/* ---- logins ---- */

static void grant_login(StoreJob *job)
{
    g_autofree char *object = g_strdup(job->in.protocol);
    sqlite3_stmt *row =
        store_first(job, "SELECT " STORE_USER_COLUMNS " FROM users u WHERE u.id = ?", "i", job->in.id);
    if (row)
        job->out.user = store_read_user(row);
    const StoreUser *user = job->out.user;
    gboolean good = user && !user->disabled && user->serial == job->in.serial;
    g_autofree char *actor = g_strdup_printf("user:%s", user ? user->name : "?");
    store_record(job, actor, "login", object, good ? "ok" : "denied", job->in.address);
    if (!good)
        store_answer(job, STORE_DENIED, NULL, "The account is disabled or was changed.");
}

void store_login_grant(Store *store, gint64 user_id, gint64 serial, const char *protocol, const char *address,
                       StoreCallback done, gpointer data)
{
    StoreJob *job = store_job(store, grant_login, done, data);
    job->in.id = user_id;
    job->in.serial = serial;
    job->in.protocol = g_strdup(protocol);
    job->in.address = g_strdup(address);
    store_submit(job);
}

gboolean store_login_holds(StoreJob *job, const StoreUser *user)
{
    const StoreArguments *in = &job->in;
    /* Every change of the serial ends the user's web sessions but the one that made it: one that lives is a
     * proof under the present serial. */
    if (user->disabled || (in->session == 0 && user->serial != in->serial)) {
        store_answer(job, STORE_DENIED, NULL, "The account is disabled or was changed: log in again.");
        return FALSE;
    }
    if (in->session != 0 && store_number(job, "SELECT count(*) FROM web_sessions WHERE id = ? AND user = ?",
                                         "ii", in->session, user->id) == 0) {
        store_answer(job, STORE_DENIED, NULL, "The browser's session is over: log in again.");
        return FALSE;
    }
    return TRUE;
}

static void renew_login(StoreJob *job)
{
    if (store_need_user(job, job->in.name, &job->out.user))
        store_login_holds(job, job->out.user);
}

void store_login_renew(Store *store, const char *name, gint64 serial, gint64 web_session, StoreCallback done,
                       gpointer data)
{
    StoreJob *job = store_job(store, renew_login, done, data);
    job->in.name = g_strdup(name);
    job->in.serial = serial;
    job->in.session = web_session;
    store_submit(job);
}

static void deny_login(StoreJob *job)
{
    g_autofree char *actor = g_strdup_printf("claim:%s", job->in.name);
    store_record(job, actor, "login", job->in.protocol, job->in.reason, job->in.address);
}

void store_login_deny(Store *store, const char *name, const char *result, const char *protocol,
                      const char *address, StoreCallback done, gpointer data)
{
    StoreJob *job = store_job(store, deny_login, done, data);
    job->in.name = g_strdup(store_claimed_name(name));
    job->in.reason = g_strdup(result);
    job->in.protocol = g_strdup(protocol);
    job->in.address = g_strdup(address);
    store_submit(job);
}
