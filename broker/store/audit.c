/* The audit: written in the transaction of what it tells. */
#include "broker/store/store_internal.h"

#include <string.h>

#define AUDIT_ROWS_MAX 1000

void store_record(StoreJob *job, const char *actor, const char *action, const char *object,
                  const char *result, const char *address)
{
    store_run(job,
              "INSERT INTO audit (time, actor, action, object, result, address) VALUES (?, ?, ?, ?, ?, ?)",
              "isssss", store_now(job->store), actor ? actor : "", action, object ? object : "", result,
              address ? address : "");
}

const char *store_claimed_name(const char *text)
{
    gsize length = strlen(text);
    gboolean could_be =
        length > 0 && length < 64 && strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-") == length;
    return could_be ? text : "(no name)";
}

static void write_row(StoreJob *job)
{
    store_record(job, job->in.actor, job->in.name, job->in.other, job->in.reason, job->in.address);
    job->out.id = store_last_id(job);
}

void store_audit_write(Store *store, const char *actor, const char *action, const char *object,
                       const char *result, const char *address, StoreCallback done, gpointer data)
{
    StoreJob *job = store_job(store, write_row, done, data);
    job->in.actor = g_strdup(actor);
    job->in.name = g_strdup(action);
    job->in.other = g_strdup(object);
    job->in.reason = g_strdup(result);
    job->in.address = g_strdup(address);
    store_submit(job);
}

void store_audit_begin(Store *store, const char *actor, const char *action, const char *object,
                       const char *address, StoreCallback done, gpointer data)
{
    store_audit_write(store, actor, action, object, "pending", address, done, data);
}

static void end_row(StoreJob *job)
{
    store_run(job, "UPDATE audit SET result = ? WHERE id = ? AND result = 'pending'", "si", job->in.reason,
              job->in.id);
    if (store_changes(job) == 0)
        store_answer(job, STORE_NOT_FOUND, NULL, "There is no such pending audit row.");
}

void store_audit_end(Store *store, gint64 id, const char *result, StoreCallback done, gpointer data)
{
    StoreJob *job = store_job(store, end_row, done, data);
    job->in.id = id;
    job->in.reason = g_strdup(result);
    store_submit(job);
}

static void append_audit(StoreJob *job, sqlite3_stmt *row, gpointer data)
{
    StoreAudit *audit = g_new0(StoreAudit, 1);
    audit->id = sqlite3_column_int64(row, 0);
    audit->time = sqlite3_column_int64(row, 1);
    audit->actor = store_text(row, 2);
    audit->action = store_text(row, 3);
    audit->object = store_text(row, 4);
    audit->result = store_text(row, 5);
    audit->address = store_text(row, 6);
    g_ptr_array_add(job->out.audit, audit);
}

static void list(StoreJob *job)
{
    job->out.audit = g_ptr_array_new_with_free_func((GDestroyNotify)store_audit_free);
    store_each(job, append_audit, NULL,
               "SELECT id, time, actor, action, object, result, address FROM audit WHERE ?1 = 0 OR id < ?1"
               " ORDER BY id DESC LIMIT ?2",
               "ii", job->in.id, job->in.limit);
}

void store_audit_list(Store *store, guint limit, gint64 before, StoreCallback done, gpointer data)
{
    StoreJob *job = store_job(store, list, done, data);
    job->in.limit = CLAMP(limit, 1, AUDIT_ROWS_MAX);
    job->in.id = before;
    store_submit(job);
}
