/* Desktops and assignments. */
#include "broker/store/store_internal.h"

static StoreJob *named_job(Store *store, StoreWork work, const char *actor, const char *name,
                           StoreCallback done, gpointer data)
{
    StoreJob *job = store_job(store, work, done, data);
    job->in.actor = g_strdup(actor);
    job->in.name = g_strdup(name);
    return job;
}

static gboolean taken(StoreJob *job, const char *sql, const char *value, const char *what)
{
    if (!value || store_number(job, sql, "s", value) == 0)
        return FALSE;
    store_answer(job, STORE_CONFLICT, "fernwerk desktop list", "The %s %s belongs to a desktop already.",
                 what, value);
    return TRUE;
}

static void create(StoreJob *job)
{
    gint64 template = 0;
    StoreArguments *in = &job->in;
    if (!store_need_template(job, in->other, &job->out.template, &template))
        return;
    if (taken(job, "SELECT count(*) FROM desktops WHERE name = ?", in->name, "name") ||
        taken(job, "SELECT count(*) FROM desktops WHERE domain = ?", in->domain, "libvirt domain") ||
        taken(job, "SELECT count(*) FROM desktops WHERE uuid = ?", in->uuid, "UUID") ||
        taken(job, "SELECT count(*) FROM desktops WHERE disk = ?", in->disk, "disk"))
        return;
    store_run(
        job,
        "INSERT INTO desktops (name, node, template, domain, uuid, disk, made) VALUES (?, ?, ?, ?, ?, ?, ?)",
        "siisssi", in->name, store_node(job->store), template, in->domain, in->uuid, in->disk,
        store_now(job->store));
    store_record(job, in->actor, "desktop.create", in->name, "ok", NULL);
    store_need_desktop(job, in->name, &job->out.desktop, NULL);
}

void store_desktop_create(Store *store, const char *actor, const char *name, const char *template_name,
                          const char *domain, const char *uuid, const char *disk, StoreCallback done,
                          gpointer data)
{
    StoreJob *job = named_job(store, create, actor, name, done, data);
    job->in.other = g_strdup(template_name);
    job->in.domain = g_strdup(domain);
    job->in.uuid = g_strdup(uuid);
    job->in.disk = g_strdup(disk);
    store_submit(job);
}

static void adopt(StoreJob *job)
{
    gint64 id = 0;
    StoreArguments *in = &job->in;
    if (!store_need_desktop(job, in->name, &job->out.desktop, &id))
        return;
    if (store_number(job, "SELECT count(*) FROM desktops WHERE id <> ? AND (uuid = ? OR domain = ?)", "iss",
                     id, in->uuid, in->domain) > 0) {
        store_answer(job, STORE_CONFLICT, "fernwerk desktop list",
                     "The domain %s belongs to another desktop.", in->domain);
        return;
    }
    store_run(job, "UPDATE desktops SET domain = ?, uuid = ? WHERE id = ?", "ssi", in->domain, in->uuid, id);
    store_record(job, in->actor, "desktop.adopt", in->name, "ok", NULL);
    store_need_desktop(job, in->name, &job->out.desktop, NULL);
}

void store_desktop_adopt(Store *store, const char *actor, const char *name, const char *domain,
                         const char *uuid, StoreCallback done, gpointer data)
{
    StoreJob *job = named_job(store, adopt, actor, name, done, data);
    job->in.domain = g_strdup(domain);
    job->in.uuid = g_strdup(uuid);
    store_submit(job);
}

static void list(StoreJob *job)
{
    store_read_desktops(job, job->in.name);
}

void store_desktop_list(Store *store, const char *user, StoreCallback done, gpointer data)
{
    store_submit(named_job(store, list, NULL, user, done, data));
}

static void show(StoreJob *job)
{
    store_need_desktop(job, job->in.name, &job->out.desktop, NULL);
}

void store_desktop_show(Store *store, const char *name, StoreCallback done, gpointer data)
{
    store_submit(named_job(store, show, NULL, name, done, data));
}

static void retire(StoreJob *job)
{
    gint64 id = 0;
    if (!store_need_desktop(job, job->in.name, &job->out.desktop, &id))
        return;
    StoreDesktop *desktop = job->out.desktop;
    if (desktop->assigned) {
        g_autofree char *hint = g_strdup_printf("fernwerk unassign %s", desktop->name);
        store_answer(job, STORE_CONFLICT, hint, "The desktop %s is assigned to %s.", desktop->name,
                     desktop->assigned);
        return;
    }
    job->out.revoked = store_revoked_new();
    store_revoke(job, 0, id, 0, 0, "removed");
    store_revoke_leases(job, 0, id);
    if (!desktop->removing)
        store_run(job, "UPDATE desktops SET removing = 1 WHERE id = ?", "i", id);
    desktop->removing = TRUE;
    store_record(job, job->in.actor, "desktop.remove", desktop->name, "ok", NULL);
}

void store_desktop_retire(Store *store, const char *actor, const char *name, StoreCallback done,
                          gpointer data)
{
    store_submit(named_job(store, retire, actor, name, done, data));
}

static void delete_desktop(StoreJob *job)
{
    gint64 id = 0;
    if (!store_need_desktop(job, job->in.name, &job->out.desktop, &id))
        return;
    const StoreDesktop *desktop = job->out.desktop;
    if (!desktop->removing || desktop->owner || desktop->user) {
        store_answer(job, STORE_CONFLICT, NULL, "The desktop %s is still in use.", desktop->name);
        return;
    }
    store_run(job, "DELETE FROM desktops WHERE id = ?", "i", id);
    store_record(job, job->in.actor, "desktop.delete", desktop->name, "ok", NULL);
}

void store_desktop_delete(Store *store, const char *actor, const char *name, StoreCallback done,
                          gpointer data)
{
    store_submit(named_job(store, delete_desktop, actor, name, done, data));
}

/* ---- assignments ---- */

static void assign(StoreJob *job)
{
    gint64 id = 0;
    if (!store_need_desktop(job, job->in.name, &job->out.desktop, &id) ||
        !store_need_user(job, job->in.other, &job->out.user))
        return;
    const StoreDesktop *desktop = job->out.desktop;
    const StoreUser *user = job->out.user;
    if (desktop->removing) {
        store_answer(job, STORE_CONFLICT, NULL, "The desktop %s is being removed.", desktop->name);
        return;
    }
    if (desktop->assigned && g_ascii_strcasecmp(desktop->assigned, user->name) != 0) {
        g_autofree char *hint = g_strdup_printf("fernwerk unassign %s", desktop->name);
        store_answer(job, STORE_CONFLICT, hint, "The desktop %s is assigned to %s.", desktop->name,
                     desktop->assigned);
        return;
    }
    g_autofree char *object = g_strdup_printf("%s %s", desktop->name, user->name);
    if (!desktop->assigned)
        store_run(job, "INSERT INTO assignments (desktop, user, made) VALUES (?, ?, ?)", "iii", id, user->id,
                  store_now(job->store));
    store_record(job, job->in.actor, "assign", object, "ok", NULL);
    store_need_desktop(job, job->in.name, &job->out.desktop, NULL);
}

void store_assign(Store *store, const char *actor, const char *desktop, const char *user, StoreCallback done,
                  gpointer data)
{
    StoreJob *job = named_job(store, assign, actor, desktop, done, data);
    job->in.other = g_strdup(user);
    store_submit(job);
}

static void unassign(StoreJob *job)
{
    gint64 id = 0;
    if (!store_need_desktop(job, job->in.name, &job->out.desktop, &id))
        return;
    const StoreDesktop *desktop = job->out.desktop;
    g_autofree char *object = g_strdup_printf("%s%s%s", desktop->name, desktop->assigned ? " " : "",
                                              desktop->assigned ? desktop->assigned : "");
    job->out.revoked = store_revoked_new();
    store_revoke(job, 0, id, 0, 0, "revoked");
    store_run(job, "DELETE FROM assignments WHERE desktop = ?", "i", id);
    store_revoke_leases(job, 0, id);
    store_record(job, job->in.actor, "unassign", object, "ok", NULL);
    store_need_desktop(job, job->in.name, &job->out.desktop, NULL);
}

void store_unassign(Store *store, const char *actor, const char *desktop, StoreCallback done, gpointer data)
{
    store_submit(named_job(store, unassign, actor, desktop, done, data));
}
