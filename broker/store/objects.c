/* Rows to objects and back to nothing; and what several transactions need of each other's tables. */
#include "broker/store/store_internal.h"

#include <string.h>

void store_user_free(StoreUser *user)
{
    if (!user)
        return;
    g_free(user->name);
    if (user->hash)
        explicit_bzero(user->hash, strlen(user->hash));
    g_free(user->hash);
    g_free(user);
}

void store_template_free(StoreTemplate *template)
{
    if (!template)
        return;
    char *texts[] = {template->name,       template->kind,       template->image,    template->kernel,
                     template->initrd,     template->cmdline,    template->firmware, template->video,
                     template->xkb_layout, template->xkb_variant};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_free(template);
}

StoreTemplate *store_template_copy(const StoreTemplate *from)
{
    StoreTemplate *template = g_new(StoreTemplate, 1);
    *template = *from;
    char **texts[] = {&template->name,       &template->kind,       &template->image,    &template->kernel,
                      &template->initrd,     &template->cmdline,    &template->firmware, &template->video,
                      &template->xkb_layout, &template->xkb_variant};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        *texts[i] = g_strdup(*texts[i] ? *texts[i] : "");
    return template;
}

void store_desktop_free(StoreDesktop *desktop)
{
    if (!desktop)
        return;
    char *texts[] = {desktop->name,   desktop->template_name, desktop->node, desktop->assigned, desktop->user,
                     desktop->domain, desktop->uuid,          desktop->disk, desktop->owner};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    store_connection_free(desktop->connection);
    store_template_free(desktop->template);
    g_free(desktop);
}

void store_connection_free(StoreConnection *connection)
{
    if (!connection)
        return;
    g_free(connection->user);
    g_free(connection->desktop);
    g_free(connection->protocol);
    g_free(connection->address);
    g_free(connection);
}

void store_audit_free(StoreAudit *audit)
{
    if (!audit)
        return;
    g_free(audit->actor);
    g_free(audit->action);
    g_free(audit->object);
    g_free(audit->result);
    g_free(audit->address);
    g_free(audit);
}

void store_revoked_free(StoreRevoked *revoked)
{
    if (!revoked)
        return;
    g_free(revoked->user);
    g_ptr_array_unref(revoked->connections);
    g_ptr_array_unref(revoked->leases);
    g_free(revoked);
}

StoreRevoked *store_revoked_new(void)
{
    StoreRevoked *revoked = g_new0(StoreRevoked, 1);
    revoked->connections = g_ptr_array_new_with_free_func((GDestroyNotify)store_connection_free);
    revoked->leases = g_ptr_array_new_with_free_func(g_free);
    return revoked;
}

/* ---- reading ---- */

StoreUser *store_read_user(sqlite3_stmt *row)
{
    StoreUser *user = g_new0(StoreUser, 1);
    user->id = sqlite3_column_int64(row, 0);
    user->name = store_text(row, 1);
    user->admin = sqlite3_column_int(row, 2) != 0;
    user->disabled = sqlite3_column_int(row, 3) != 0;
    user->serial = sqlite3_column_int64(row, 4);
    return user;
}

gboolean store_need_user(StoreJob *job, const char *name, StoreUser **slot)
{
    sqlite3_stmt *row =
        store_first(job, "SELECT " STORE_USER_COLUMNS " FROM users u WHERE u.name = ?", "s", name);
    g_clear_pointer(slot, store_user_free);
    if (row) {
        *slot = store_read_user(row);
        return TRUE;
    }
    store_answer(job, STORE_NOT_FOUND, "fernwerk user list", "There is no user %s.", name);
    return FALSE;
}

#define TEMPLATE_COLUMNS                                                                                     \
    "t.name, t.kind, t.image, t.kernel, t.initrd, t.cmdline, t.firmware, t.video, t.xkb_layout, "            \
    "t.xkb_variant,"                                                                                         \
    " t.memory_mib, t.vcpus, t.width, t.height"
#define TEMPLATE_WIDTH 14

static StoreTemplate *read_template(sqlite3_stmt *row, int at)
{
    StoreTemplate *template = g_new0(StoreTemplate, 1);
    char **texts[] = {&template->name,       &template->kind,       &template->image,    &template->kernel,
                      &template->initrd,     &template->cmdline,    &template->firmware, &template->video,
                      &template->xkb_layout, &template->xkb_variant};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        *texts[i] = store_text(row, at + (int)i);
    template->memory_mib = (guint)sqlite3_column_int64(row, at + 10);
    template->vcpus = (guint)sqlite3_column_int64(row, at + 11);
    template->width = (guint)sqlite3_column_int64(row, at + 12);
    template->height = (guint)sqlite3_column_int64(row, at + 13);
    return template;
}

gboolean store_need_template(StoreJob *job, const char *name, StoreTemplate **slot, gint64 *id)
{
    sqlite3_stmt *row =
        store_first(job, "SELECT " TEMPLATE_COLUMNS ", t.id FROM templates t WHERE t.name = ?", "s", name);
    g_clear_pointer(slot, store_template_free);
    if (row) {
        *slot = read_template(row, 0);
        if (id)
            *id = sqlite3_column_int64(row, TEMPLATE_WIDTH);
        return TRUE;
    }
    store_answer(job, STORE_NOT_FOUND, "fernwerk template list", "There is no template %s.", name);
    return FALSE;
}

static void append_template(StoreJob *job, sqlite3_stmt *row, gpointer data)
{
    g_ptr_array_add(job->out.templates, read_template(row, 0));
}

void store_read_templates(StoreJob *job)
{
    job->out.templates = g_ptr_array_new_with_free_func((GDestroyNotify)store_template_free);
    store_each(job, append_template, NULL, "SELECT " TEMPLATE_COLUMNS " FROM templates t ORDER BY t.name",
               "");
}

StoreConnection *store_read_connection(sqlite3_stmt *row, int at)
{
    StoreConnection *connection = g_new0(StoreConnection, 1);
    connection->id = sqlite3_column_int64(row, at);
    connection->user = store_text(row, at + 1);
    connection->desktop = store_text(row, at + 2);
    connection->protocol = store_text(row, at + 3);
    connection->address = store_text(row, at + 4);
    connection->epoch = (guint64)sqlite3_column_int64(row, at + 5);
    connection->since = sqlite3_column_int64(row, at + 6);
    return connection;
}

#define DESKTOP_SELECT                                                                                       \
    "SELECT " TEMPLATE_COLUMNS                                                                               \
    ", d.name, n.name, a.name, c.name, d.domain, d.uuid, d.disk, o.name, l.epoch,"                           \
    " d.removing, d.id, k.id, c.name, d.name, k.protocol, k.address, k.epoch, k.since"                       \
    " FROM desktops d JOIN templates t ON t.id = d.template JOIN nodes n ON n.id = d.node"                   \
    " LEFT JOIN assignments s ON s.desktop = d.id LEFT JOIN users a ON a.id = s.user"                        \
    " LEFT JOIN connections k ON k.desktop = d.id AND k.ended IS NULL LEFT JOIN users c ON c.id = k.user"    \
    " LEFT JOIN leases l ON l.desktop = d.id LEFT JOIN users o ON o.id = l.user"
#define DESKTOP_ID (TEMPLATE_WIDTH + 10)

static StoreDesktop *read_desktop(sqlite3_stmt *row)
{
    StoreDesktop *desktop = g_new0(StoreDesktop, 1);
    desktop->template = read_template(row, 0);
    desktop->template_name = g_strdup(desktop->template->name);
    int at = TEMPLATE_WIDTH;
    char **texts[] = {&desktop->name,   &desktop->node, &desktop->assigned, &desktop->user,
                      &desktop->domain, &desktop->uuid, &desktop->disk,     &desktop->owner};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        *texts[i] = store_text(row, at++);
    desktop->epoch = (guint64)sqlite3_column_int64(row, at);
    desktop->removing = sqlite3_column_int(row, at + 1) != 0;
    if (desktop->user)
        desktop->connection = store_read_connection(row, DESKTOP_ID + 1);
    return desktop;
}

gboolean store_need_desktop(StoreJob *job, const char *name, StoreDesktop **slot, gint64 *id)
{
    sqlite3_stmt *row = store_first(job, DESKTOP_SELECT " WHERE d.name = ?", "s", name);
    g_clear_pointer(slot, store_desktop_free);
    if (row) {
        *slot = read_desktop(row);
        if (id)
            *id = sqlite3_column_int64(row, DESKTOP_ID);
        return TRUE;
    }
    store_answer(job, STORE_NOT_FOUND, "fernwerk desktop list", "There is no desktop %s.", name);
    return FALSE;
}

static void append_desktop(StoreJob *job, sqlite3_stmt *row, gpointer data)
{
    g_ptr_array_add(job->out.desktops, read_desktop(row));
}

void store_read_desktops(StoreJob *job, const char *user)
{
    job->out.desktops = g_ptr_array_new_with_free_func((GDestroyNotify)store_desktop_free);
    if (user)
        store_each(job, append_desktop, NULL, DESKTOP_SELECT " WHERE a.name = ? ORDER BY d.name", "s", user);
    else
        store_each(job, append_desktop, NULL, DESKTOP_SELECT " ORDER BY d.name", "");
}

/* ---- revoking ---- */

static void append_revoked(StoreJob *job, sqlite3_stmt *row, gpointer data)
{
    g_ptr_array_add(job->out.revoked->connections, store_read_connection(row, 0));
}

void store_revoke(StoreJob *job, gint64 user, gint64 desktop, gint64 session, gint64 except_session,
                  const char *reason)
{
    guint first = job->out.revoked->connections->len;
    store_each(job, append_revoked, NULL,
               STORE_CONNECTION_SELECT
               " WHERE c.ended IS NULL AND (?1 = 0 OR c.user = ?1) AND (?2 = 0 OR c.desktop = ?2)"
               " AND (?3 = 0 OR c.web_session = ?3) AND (?4 = 0 OR c.web_session IS NOT ?4)",
               "iiii", user, desktop, session, except_session);
    for (guint i = first; i < job->out.revoked->connections->len; i++) {
        StoreConnection *connection = job->out.revoked->connections->pdata[i];
        store_run(job, "UPDATE connections SET ended = ?, reason = ? WHERE id = ?", "isi",
                  store_now(job->store), reason, connection->id);
    }
}

static void append_lease(StoreJob *job, sqlite3_stmt *row, gpointer data)
{
    g_ptr_array_add(job->out.revoked->leases, store_text(row, 0));
}

void store_revoke_leases(StoreJob *job, gint64 user, gint64 desktop)
{
    store_each(job, append_lease, NULL,
               "SELECT d.name FROM leases l JOIN desktops d ON d.id = l.desktop"
               " LEFT JOIN assignments a ON a.desktop = l.desktop AND a.user = l.user"
               " WHERE a.user IS NULL AND (?1 = 0 OR l.user = ?1) AND (?2 = 0 OR l.desktop = ?2)",
               "ii", user, desktop);
}
