/* Templates. */
#include "broker/store/store_internal.h"

static void add(StoreJob *job)
{
    const StoreTemplate *t = job->in.template;
    if (store_number(job, "SELECT count(*) FROM templates WHERE name = ?", "s", t->name) > 0) {
        store_answer(job, STORE_CONFLICT, NULL, "There is a template %s already.", t->name);
        return;
    }
    store_run(
        job,
        "INSERT INTO templates (name, kind, image, kernel, initrd, cmdline, firmware, video, xkb_layout,"
        " xkb_variant, memory_mib, vcpus, width, height, made) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        "ssssssssssiiiii", t->name, t->kind, t->image, t->kernel, t->initrd, t->cmdline, t->firmware,
        t->video, t->xkb_layout, t->xkb_variant, (gint64)t->memory_mib, (gint64)t->vcpus, (gint64)t->width,
        (gint64)t->height, store_now(job->store));
    store_record(job, job->in.actor, "template.add", t->name, "ok", NULL);
    store_need_template(job, t->name, &job->out.template, NULL);
}

void store_template_add(Store *store, const char *actor, const StoreTemplate *template, StoreCallback done,
                        gpointer data)
{
    StoreJob *job = store_job(store, add, done, data);
    job->in.actor = g_strdup(actor);
    job->in.template = store_template_copy(template);
    store_submit(job);
}

void store_template_list(Store *store, StoreCallback done, gpointer data)
{
    store_submit(store_job(store, store_read_templates, done, data));
}

static void show(StoreJob *job)
{
    store_need_template(job, job->in.name, &job->out.template, NULL);
}

void store_template_show(Store *store, const char *name, StoreCallback done, gpointer data)
{
    StoreJob *job = store_job(store, show, done, data);
    job->in.name = g_strdup(name);
    store_submit(job);
}

static void remove_template(StoreJob *job)
{
    gint64 id = 0;
    if (!store_need_template(job, job->in.name, &job->out.template, &id))
        return;
    const char *name = job->out.template->name;
    gint64 used = store_number(job, "SELECT count(*) FROM desktops WHERE template = ?", "i", id) +
                  store_number(job, "SELECT count(*) FROM pools WHERE template = ?", "i", id);
    if (used > 0) {
        store_answer(job, STORE_CONFLICT, "fernwerk desktop list",
                     "The template %s is used by %" G_GINT64_FORMAT " desktop%s.", name, used,
                     used == 1 ? "" : "s");
        return;
    }
    store_run(job, "DELETE FROM templates WHERE id = ?", "i", id);
    store_record(job, job->in.actor, "template.remove", name, "ok", NULL);
}

void store_template_remove(Store *store, const char *actor, const char *name, StoreCallback done,
                           gpointer data)
{
    StoreJob *job = store_job(store, remove_template, done, data);
    job->in.actor = g_strdup(actor);
    job->in.name = g_strdup(name);
    store_submit(job);
}
