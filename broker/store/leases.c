/* Leases and the connections that lean on them. */
#include "broker/store/store_internal.h"

static GPtrArray *connection_array(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)store_connection_free);
}

static void append_connection(StoreJob *job, sqlite3_stmt *row, gpointer data)
{
    g_ptr_array_add(job->out.connections, store_read_connection(row, 0));
}

/* Looks only; TRUE when the grant may be made. */
static gboolean may_grant(StoreJob *job, gint64 desktop_id)
{
    const StoreUser *user = job->out.user;
    const StoreDesktop *desktop = job->out.desktop;
    if (!store_login_holds(job, user))
        return FALSE;
    if (desktop->removing || !desktop->assigned || g_ascii_strcasecmp(desktop->assigned, user->name) != 0) {
        store_answer(job, STORE_DENIED, NULL, "The desktop %s is not assigned to %s.", desktop->name,
                     user->name);
        return FALSE;
    }
    if (desktop->owner && g_ascii_strcasecmp(desktop->owner, user->name) != 0) {
        store_answer(job, STORE_CONFLICT, NULL, "The desktop %s is still being closed for %s.", desktop->name,
                     desktop->owner);
        return FALSE;
    }
    return TRUE;
}

static void make_lease(StoreJob *job, gint64 desktop_id)
{
    if (job->out.desktop->owner)
        return;
    store_run(job, "UPDATE desktops SET epoch = epoch + 1 WHERE id = ?", "i", desktop_id);
    store_run(job,
              "INSERT INTO leases (desktop, user, node, epoch, made)"
              " SELECT id, ?, ?, epoch, ? FROM desktops WHERE id = ?",
              "iiii", job->out.user->id, store_node(job->store), store_now(job->store), desktop_id);
}

static void open_connection(StoreJob *job, gint64 desktop_id)
{
    StoreArguments *in = &job->in;
    gint64 now = store_now(job->store);
    job->out.connections = connection_array();
    store_each(job, append_connection, NULL,
               STORE_CONNECTION_SELECT " WHERE c.ended IS NULL AND c.desktop = ?", "i", desktop_id);
    store_run(job,
              "UPDATE connections SET ended = ?, reason = 'taken-over' WHERE desktop = ? AND ended IS NULL",
              "ii", now, desktop_id);
    if (in->session != 0)
        store_run(job,
                  "INSERT INTO connections (desktop, user, epoch, web_session, protocol, address, since)"
                  " SELECT desktop, user, epoch, ?, ?, ?, ? FROM leases WHERE desktop = ?",
                  "issii", in->session, in->protocol, in->address, now, desktop_id);
    else
        store_run(job,
                  "INSERT INTO connections (desktop, user, epoch, protocol, address, since)"
                  " SELECT desktop, user, epoch, ?, ?, ? FROM leases WHERE desktop = ?",
                  "ssii", in->protocol, in->address, now, desktop_id);
    job->out.id = store_last_id(job);
}

static void grant(StoreJob *job)
{
    const StoreArguments *in = &job->in;
    gint64 desktop_id = 0;
    g_autofree char *actor = g_strdup_printf("user:%s", in->name);
    g_autofree char *object = g_strdup_printf("%s %s", in->other, in->protocol);
    if (store_need_user(job, in->name, &job->out.user) &&
        store_need_desktop(job, in->other, &job->out.desktop, &desktop_id) && may_grant(job, desktop_id)) {
        make_lease(job, desktop_id);
        open_connection(job, desktop_id);
        store_need_desktop(job, in->other, &job->out.desktop, NULL);
        if (!store_broken(job))
            job->out.epoch = job->out.desktop->epoch;
    }
    static const char *const results[] = {[STORE_OK] = "ok",
                                          [STORE_NOT_FOUND] = "not found",
                                          [STORE_CONFLICT] = "conflict",
                                          [STORE_DENIED] = "denied"};
    gboolean news = job->out.result != STORE_CONFLICT || !in->flag;
    if (!store_broken(job) && news)
        store_record(job, actor, "connect", object, results[job->out.result], in->address);
}

void store_lease_grant(Store *store, const StoreGrant *asked, StoreCallback done, gpointer data)
{
    StoreJob *job = store_job(store, grant, done, data);
    job->in.name = g_strdup(asked->user);
    job->in.other = g_strdup(asked->desktop);
    job->in.serial = asked->serial;
    job->in.session = asked->web_session;
    job->in.protocol = g_strdup(asked->protocol);
    job->in.address = g_strdup(asked->address);
    job->in.flag = asked->again;
    store_submit(job);
}

static void deny(StoreJob *job)
{
    const StoreArguments *in = &job->in;
    g_autofree char *actor = g_strdup_printf("user:%s", in->name);
    g_autofree char *object = g_strdup_printf("%s %s", in->other, in->protocol);
    store_record(job, actor, "connect", object, "denied", in->address);
}

void store_lease_deny(Store *store, const char *user, const char *desktop, const char *protocol,
                      const char *address, StoreCallback done, gpointer data)
{
    StoreJob *job = store_job(store, deny, done, data);
    job->in.name = g_strdup(user);
    job->in.other = g_strdup(store_claimed_name(desktop));
    job->in.protocol = g_strdup(protocol);
    job->in.address = g_strdup(address);
    store_submit(job);
}

static void give_back(StoreJob *job)
{
    gint64 id = 0;
    if (!store_need_desktop(job, job->in.name, &job->out.desktop, &id))
        return;
    const StoreDesktop *desktop = job->out.desktop;
    if (!desktop->owner)
        return;
    if (desktop->user) {
        store_answer(job, STORE_CONFLICT, NULL, "The desktop %s is connected.", desktop->name);
        return;
    }
    if (job->in.id != 0 && (guint64)job->in.id != desktop->epoch) {
        store_answer(job, STORE_CONFLICT, NULL, "The lease of %s is another one by now.", desktop->name);
        return;
    }
    g_autofree char *object = g_strdup_printf("%s %s", desktop->name, desktop->owner);
    store_run(job, "DELETE FROM leases WHERE desktop = ?", "i", id);
    store_record(job, "broker", "lease.return", object, "ok", NULL);
}

void store_lease_return(Store *store, const char *desktop, guint64 epoch, StoreCallback done, gpointer data)
{
    StoreJob *job = store_job(store, give_back, done, data);
    job->in.name = g_strdup(desktop);
    job->in.id = (gint64)epoch;
    store_submit(job);
}

/* ---- connections ---- */

static void close_connection(StoreJob *job)
{
    store_run(job, "UPDATE connections SET ended = ?, reason = ? WHERE id = ? AND ended IS NULL", "isi",
              store_now(job->store), job->in.reason, job->in.id);
}

void store_connection_close(Store *store, gint64 id, const char *reason, StoreCallback done, gpointer data)
{
    StoreJob *job = store_job(store, close_connection, done, data);
    job->in.id = id;
    job->in.reason = g_strdup(reason);
    store_submit(job);
}

static void list(StoreJob *job)
{
    job->out.connections = connection_array();
    store_each(job, append_connection, NULL,
               STORE_CONNECTION_SELECT
               " WHERE c.ended IS NULL AND (?1 IS NULL OR u.name = ?1 COLLATE NOCASE) ORDER BY c.id",
               "s", job->in.name);
}

void store_connection_list(Store *store, const char *user, StoreCallback done, gpointer data)
{
    StoreJob *job = store_job(store, list, done, data);
    job->in.name = g_strdup(user);
    store_submit(job);
}

static void kill_connection(StoreJob *job)
{
    sqlite3_stmt *row =
        store_first(job, STORE_CONNECTION_SELECT " WHERE c.ended IS NULL AND c.id = ?", "i", job->in.id);
    if (!row) {
        store_answer(job, STORE_NOT_FOUND, "fernwerk session list",
                     "There is no session %" G_GINT64_FORMAT ".", job->in.id);
        return;
    }
    StoreConnection *connection = store_read_connection(row, 0);
    job->out.revoked = store_revoked_new();
    g_ptr_array_add(job->out.revoked->connections, connection);
    g_autofree char *object =
        g_strdup_printf("%" G_GINT64_FORMAT " %s %s", connection->id, connection->user, connection->desktop);
    store_run(job, "UPDATE connections SET ended = ?, reason = 'killed' WHERE id = ?", "ii",
              store_now(job->store), job->in.id);
    store_record(job, job->in.actor, "session.kill", object, "ok", NULL);
}

void store_connection_kill(Store *store, const char *actor, gint64 id, StoreCallback done, gpointer data)
{
    StoreJob *job = store_job(store, kill_connection, done, data);
    job->in.actor = g_strdup(actor);
    job->in.id = id;
    store_submit(job);
}

static gboolean contains(const GArray *ids, gint64 id)
{
    for (guint i = 0; i < ids->len; i++)
        if (g_array_index(ids, gint64, i) == id)
            return TRUE;
    return FALSE;
}

static void reconcile(StoreJob *job)
{
    job->out.connections = connection_array();
    store_each(job, append_connection, NULL, STORE_CONNECTION_SELECT " WHERE c.ended IS NULL ORDER BY c.id",
               "");
    for (guint i = 0; i < job->out.connections->len;) {
        const StoreConnection *connection = job->out.connections->pdata[i];
        if (contains(job->in.ids, connection->id)) {
            i++;
            continue;
        }
        store_run(job, "UPDATE connections SET ended = ?, reason = 'lost' WHERE id = ?", "ii",
                  store_now(job->store), connection->id);
        g_ptr_array_remove_index(job->out.connections, i);
    }
}

void store_reconcile(Store *store, const gint64 *living, guint count, StoreCallback done, gpointer data)
{
    StoreJob *job = store_job(store, reconcile, done, data);
    job->in.ids = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_array_append_vals(job->in.ids, living, count);
    store_submit(job);
}
