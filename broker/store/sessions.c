/* Web sessions, and the one-time tickets they ask for. */
#include "broker/store/store_internal.h"

#include <string.h>

#define SESSIONS_PER_USER 32
#define TICKETS_PER_SESSION 16
#define USE_WRITTEN_MS 60000

static void make_session(StoreJob *job)
{
    StoreArguments *in = &job->in;
    gint64 now = store_now(job->store);
    if (store_number(job, "SELECT count(*) FROM users WHERE id = ? AND serial = ? AND disabled = 0", "ii",
                     in->id, in->serial) == 0) {
        store_answer(job, STORE_DENIED, NULL, "The account is disabled or was changed: log in again.");
        return;
    }
    store_run(job, "DELETE FROM web_sessions WHERE expires < ?", "i", now);
    /* An open connection keeps its session: the oldest one without goes. */
    store_run(
        job,
        "DELETE FROM web_sessions WHERE id IN (SELECT id FROM web_sessions s WHERE user = ?1 AND NOT EXISTS"
        " (SELECT 1 FROM connections WHERE web_session = s.id AND ended IS NULL)"
        " ORDER BY used DESC, id DESC LIMIT -1 OFFSET ?2)",
        "ii", in->id, (gint64)SESSIONS_PER_USER - 1);
    store_run(job,
              "INSERT INTO web_sessions (hash, user, address, made, used, expires, idle) VALUES (?, ?, ?, ?, "
              "?, ?, ?)",
              "hisiiii", in->hash, in->id, in->address, now, now, now + in->number * 1000, in->limit * 1000);
    job->out.id = store_last_id(job);
}

void store_web_session_make(Store *store, const guint8 hash[STORE_HASH_SIZE], gint64 user_id, gint64 serial,
                            const char *address, guint life_s, guint idle_s, StoreCallback done,
                            gpointer data)
{
    StoreJob *job = store_job(store, make_session, done, data);
    memcpy(job->in.hash, hash, STORE_HASH_SIZE);
    job->in.id = user_id;
    job->in.serial = serial;
    job->in.address = g_strdup(address);
    job->in.number = life_s;
    job->in.limit = idle_s;
    store_submit(job);
}

static void find_session(StoreJob *job)
{
    gint64 now = store_now(job->store), used = 0, idle = 0, expires = 0;
    sqlite3_stmt *row =
        store_first(job,
                    "SELECT " STORE_USER_COLUMNS ", s.id, s.used, s.idle, s.expires FROM web_sessions s"
                    " JOIN users u ON u.id = s.user WHERE s.hash = ?",
                    "h", job->in.hash);
    if (row) {
        job->out.user = store_read_user(row);
        job->out.id = sqlite3_column_int64(row, 5);
        used = sqlite3_column_int64(row, 6);
        idle = sqlite3_column_int64(row, 7);
        expires = sqlite3_column_int64(row, 8);
    }
    gboolean over = !row || job->out.user->disabled || now >= expires;
    if (!over && now >= used + idle)
        over = store_number(job, "SELECT count(*) FROM connections WHERE web_session = ? AND ended IS NULL",
                            "i", job->out.id) == 0;
    if (over) {
        g_clear_pointer(&job->out.user, store_user_free);
        job->out.id = 0;
        store_answer(job, STORE_DENIED, NULL, "Log in first.");
        return;
    }
    if (now - used >= MIN(USE_WRITTEN_MS, idle / 4))
        store_run(job, "UPDATE web_sessions SET used = ? WHERE id = ?", "ii", now, job->out.id);
}

void store_web_session_find(Store *store, const guint8 hash[STORE_HASH_SIZE], StoreCallback done,
                            gpointer data)
{
    StoreJob *job = store_job(store, find_session, done, data);
    memcpy(job->in.hash, hash, STORE_HASH_SIZE);
    store_submit(job);
}

static void end_session(StoreJob *job)
{
    job->out.revoked = store_revoked_new();
    job->out.revoked->web_session = job->in.id;
    store_revoke(job, 0, 0, job->in.id, 0, "logout");
    store_run(job, "DELETE FROM web_sessions WHERE id = ?", "i", job->in.id);
    if (store_changes(job) > 0)
        store_record(job, job->in.actor, "logout", "web", "ok", NULL);
}

void store_web_session_end(Store *store, const char *actor, gint64 id, StoreCallback done, gpointer data)
{
    StoreJob *job = store_job(store, end_session, done, data);
    job->in.actor = g_strdup(actor);
    job->in.id = id;
    store_submit(job);
}

/* ---- tickets ---- */

static void issue(StoreJob *job)
{
    StoreArguments *in = &job->in;
    gint64 desktop_id = 0, now = store_now(job->store);
    sqlite3_stmt *row = store_first(
        job, "SELECT " STORE_USER_COLUMNS " FROM web_sessions s JOIN users u ON u.id = s.user WHERE s.id = ?",
        "i", in->session);
    if (row)
        job->out.user = store_read_user(row);
    const StoreUser *user = job->out.user;
    if (!user || user->disabled) {
        store_answer(job, STORE_DENIED, NULL, "Log in first.");
        return;
    }
    g_autofree char *actor = g_strdup_printf("user:%s", user->name);
    g_autofree char *object = g_strdup_printf("%s %s", in->name, in->protocol);
    gboolean known = store_need_desktop(job, in->name, &job->out.desktop, &desktop_id);
    if (!known || !job->out.desktop->assigned ||
        g_ascii_strcasecmp(job->out.desktop->assigned, user->name) != 0) {
        /* Whether somebody else's desktop exists is nobody's business. */
        store_record(job, actor, "ticket", object, "denied", NULL);
        store_answer(job, STORE_NOT_FOUND, NULL, "No desktop %s is assigned to you.", in->name);
        return;
    }
    store_run(job, "DELETE FROM tickets WHERE expires < ?", "i", now);
    store_run(job,
              "DELETE FROM tickets WHERE hash IN (SELECT hash FROM tickets WHERE web_session = ?1"
              " ORDER BY expires DESC LIMIT -1 OFFSET ?2)",
              "ii", in->session, (gint64)TICKETS_PER_SESSION - 1);
    store_run(
        job,
        "INSERT INTO tickets (hash, web_session, desktop, user, protocol, expires) VALUES (?, ?, ?, ?, ?, ?)",
        "hiiisi", in->hash, in->session, desktop_id, user->id, in->protocol, now + in->number);
    store_record(job, actor, "ticket", object, "ok", NULL);
}

void store_ticket_issue(Store *store, const guint8 hash[STORE_HASH_SIZE], gint64 web_session,
                        const char *desktop, const char *protocol, guint life_ms, StoreCallback done,
                        gpointer data)
{
    StoreJob *job = store_job(store, issue, done, data);
    memcpy(job->in.hash, hash, STORE_HASH_SIZE);
    job->in.session = web_session;
    job->in.name = g_strdup(desktop);
    job->in.protocol = g_strdup(protocol);
    job->in.number = life_ms;
    store_submit(job);
}

static void redeem(StoreJob *job)
{
    StoreArguments *in = &job->in;
    sqlite3_stmt *row =
        store_first(job,
                    "SELECT " STORE_USER_COLUMNS ", d.name, t.web_session, s.address FROM tickets t"
                    " JOIN users u ON u.id = t.user JOIN desktops d ON d.id = t.desktop"
                    " JOIN web_sessions s ON s.id = t.web_session"
                    " WHERE t.hash = ?1 AND t.protocol = ?2 AND t.expires > ?3 AND u.disabled = 0"
                    " AND d.removing = 0",
                    "hsi", in->hash, in->protocol, store_now(job->store));
    g_autofree char *actor = NULL, *object = NULL;
    gboolean good = row != NULL;
    if (good) {
        job->out.user = store_read_user(row);
        g_autofree char *name = store_text(row, 5);
        job->out.id = sqlite3_column_int64(row, 6);
        job->out.address = store_text(row, 7);
        good = store_need_desktop(job, name, &job->out.desktop, NULL);
    }
    if (good) {
        actor = g_strdup_printf("user:%s", job->out.user->name);
        object = g_strdup_printf("%s ticket", in->protocol);
    }
    store_run(job, "DELETE FROM tickets WHERE hash = ?", "h", in->hash);
    store_record(job, good ? actor : "claim:ticket", "login", good ? object : in->protocol,
                 good ? "ok" : "denied", good && !*in->address ? job->out.address : in->address);
    if (!good)
        store_answer(job, STORE_DENIED, NULL, "This ticket is not valid, or no longer.");
}

void store_ticket_redeem(Store *store, const guint8 hash[STORE_HASH_SIZE], const char *protocol,
                         const char *address, StoreCallback done, gpointer data)
{
    StoreJob *job = store_job(store, redeem, done, data);
    memcpy(job->in.hash, hash, STORE_HASH_SIZE);
    job->in.protocol = g_strdup(protocol);
    job->in.address = g_strdup(address);
    store_submit(job);
}
