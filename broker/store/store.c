/* Opening, migrating, and the thread on which every transaction runs. What the transactions do stands beside
 * this. */
#include "broker/store/store_internal.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x46574442 /* "FWDB" */
#define QUEUE_MAX 8192
#define DAY_MS (G_GINT64_CONSTANT(24) * 3600 * 1000)
#define CLOSED_CONNECTIONS_KEPT_MS (90 * DAY_MS)

struct Store {
    sqlite3 *database;
    GHashTable *statements; /* SQL text (static) -> sqlite3_stmt */
    GAsyncQueue *jobs;
    GThread *thread;
    gint64 node;
    guint8 secret[STORE_SECRET_SIZE];
    gint64 (*now)(gpointer data);
    gpointer now_data;
};

G_DEFINE_QUARK(fernwerk - store - error, store_error)

GHashTable *store_statements(Store *store)
{
    return store->statements;
}

sqlite3 *store_database(Store *store)
{
    return store->database;
}

gint64 store_node(Store *store)
{
    return store->node;
}

const guint8 *store_secret(Store *store)
{
    return store->secret;
}

gint64 store_now(Store *store)
{
    return store->now ? store->now(store->now_data) : g_get_real_time() / 1000;
}

void store_set_clock(Store *store, gint64 (*now)(gpointer data), gpointer data)
{
    store->now_data = data;
    store->now = now;
}

/* ---- jobs ---- */

static void clear_arguments(StoreArguments *in)
{
    g_free(in->actor);
    g_free(in->name);
    g_free(in->other);
    g_free(in->protocol);
    g_free(in->address);
    g_free(in->domain);
    g_free(in->uuid);
    g_free(in->disk);
    g_free(in->reason);
    if (in->hash_text)
        explicit_bzero(in->hash_text, strlen(in->hash_text));
    g_free(in->hash_text);
    store_template_free(in->template);
    g_clear_pointer(&in->ids, g_array_unref);
}

static void clear_reply(StoreReply *out)
{
    g_clear_error(&out->error);
    g_clear_pointer(&out->message, g_free);
    g_clear_pointer(&out->hint, g_free);
    g_clear_pointer(&out->address, g_free);
    g_clear_pointer(&out->parameters, g_free);
    g_clear_pointer(&out->user, store_user_free);
    g_clear_pointer(&out->template, store_template_free);
    g_clear_pointer(&out->desktop, store_desktop_free);
    g_clear_pointer(&out->revoked, store_revoked_free);
    g_clear_pointer(&out->users, g_ptr_array_unref);
    g_clear_pointer(&out->templates, g_ptr_array_unref);
    g_clear_pointer(&out->desktops, g_ptr_array_unref);
    g_clear_pointer(&out->connections, g_ptr_array_unref);
    g_clear_pointer(&out->audit, g_ptr_array_unref);
    out->id = 0;
    out->epoch = 0;
}

static void job_free(gpointer data)
{
    StoreJob *job = data;
    clear_arguments(&job->in);
    clear_reply(&job->out);
    g_main_context_unref(job->context);
    g_free(job);
}

static gboolean deliver(gpointer data)
{
    StoreJob *job = data;
    job->done(&job->out, job->data);
    return G_SOURCE_REMOVE;
}

static void finish(StoreJob *job)
{
    if (!job->done) {
        if (job->out.result == STORE_FAILED)
            log_error("database: %s", job->out.error->message);
        job_free(job);
        return;
    }
    /* Not g_main_context_invoke(): that may run the callback on this thread while the loop is not yet
     * running. */
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, deliver, job, job_free);
    g_source_attach(source, job->context);
}

static void fail(StoreJob *job)
{
    g_autoptr(GError) error = g_steal_pointer(&job->out.error);
    if (!error)
        error = g_error_new(STORE_ERROR, STORE_ERROR_FAILED, "%s", sqlite3_errmsg(job->store->database));
    clear_reply(&job->out);
    job->out.result = STORE_FAILED;
    job->out.error = g_steal_pointer(&error);
    job->out.message = g_strdup_printf("The database failed: %s.", job->out.error->message);
}

static void run(StoreJob *job)
{
    sqlite3 *database = job->store->database;
    if (sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) {
        fail(job);
        return;
    }
    job->work(job);
    /* A query left at its first row would hold the snapshot, and the log could never start over. */
    for (sqlite3_stmt *statement = sqlite3_next_stmt(database, NULL); statement;
         statement = sqlite3_next_stmt(database, statement))
        sqlite3_reset(statement);
    if (store_broken(job) || sqlite3_exec(database, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
        fail(job);
        if (!sqlite3_get_autocommit(database))
            sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    }
}

static gpointer work(gpointer data)
{
    Store *store = data;
    for (;;) {
        StoreJob *job = g_async_queue_pop(store->jobs);
        if (!job->work) {
            job_free(job);
            return NULL;
        }
        run(job);
        finish(job);
    }
}

StoreJob *store_job(Store *store, StoreWork todo, StoreCallback done, gpointer data)
{
    StoreJob *job = g_new0(StoreJob, 1);
    job->store = store;
    job->work = todo;
    job->done = done;
    job->data = data;
    job->context = g_main_context_ref_thread_default();
    return job;
}

void store_submit(StoreJob *job)
{
    if (g_async_queue_length(job->store->jobs) >= QUEUE_MAX) {
        job->out.result = STORE_FAILED;
        job->out.error = g_error_new(STORE_ERROR, STORE_ERROR_FAILED, "too many requests wait for it");
        job->out.message = g_strdup("The database is too busy.");
        finish(job);
        return;
    }
    g_async_queue_push(job->store->jobs, job);
}

/* ---- opening ---- */

static gboolean set_error(Store *store, GError **error, const char *path, const char *doing)
{
    int code = sqlite3_errcode(store->database) & 0xff;
    g_set_error(error, STORE_ERROR,
                code == SQLITE_BUSY || code == SQLITE_LOCKED ? STORE_ERROR_LOCKED : STORE_ERROR_FAILED,
                "%s: cannot %s the database: %s%s", path, doing, sqlite3_errmsg(store->database),
                code == SQLITE_BUSY ? " (does another Fernwerk use it?)" : "");
    return FALSE;
}

static gboolean pragma(Store *store, const char *sql, gint64 *value)
{
    sqlite3_stmt *statement = NULL;
    gboolean good = sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) == SQLITE_OK &&
                    sqlite3_step(statement) == SQLITE_ROW;
    if (good)
        *value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return good;
}

static gboolean migrate(Store *store, const char *path, GError **error)
{
    gint64 version = 0, application = 0, tables = 0, latest = 0;
    while (store_migrations[latest])
        latest++;
    if (!pragma(store, "PRAGMA user_version", &version) ||
        !pragma(store, "PRAGMA application_id", &application) ||
        !pragma(store, "SELECT count(*) FROM sqlite_schema", &tables))
        return set_error(store, error, path, "read");
    if (application != APPLICATION_ID && (application != 0 || version != 0 || tables != 0)) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED, "%s: not a database of Fernwerk", path);
        return FALSE;
    }
    if (version > latest) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_NEWER_VERSION,
                    "%s: the database has version %" G_GINT64_FORMAT
                    ", written by a newer Fernwerk; this one knows "
                    "versions up to %" G_GINT64_FORMAT ". Install the newer one again or restore a backup",
                    path, version, latest);
        return FALSE;
    }
    for (; version < latest; version++) {
        g_autofree char *sql =
            g_strdup_printf("BEGIN EXCLUSIVE;%sPRAGMA application_id = %d;PRAGMA user_version = %d;"
                            "COMMIT",
                            store_migrations[version], APPLICATION_ID, (int)version + 1);
        if (sqlite3_exec(store->database, sql, NULL, NULL, NULL) != SQLITE_OK)
            return set_error(store, error, path, "migrate");
    }
    return TRUE;
}

/* Everything that a crash may have left half done, and this machine's row. */
static void settle(StoreJob *job)
{
    store_run(job, "INSERT INTO nodes (name) VALUES (?) ON CONFLICT DO NOTHING", "s", job->in.name);
    job->store->node = store_number(job, "SELECT id FROM nodes WHERE name = ?", "s", job->in.name);
    store_run(job, "UPDATE audit SET result = 'interrupted' WHERE result = 'pending'", "");
    store_run(job, "DELETE FROM tickets WHERE expires < ?", "i", store_now(job->store));
    store_run(job, "DELETE FROM web_sessions WHERE expires < ?", "i", store_now(job->store));
    store_run(job, "DELETE FROM connections WHERE ended < ?", "i",
              store_now(job->store) - CLOSED_CONNECTIONS_KEPT_MS);
}

static gboolean prepare(Store *store, const char *path, const char *node, GError **error)
{
    /* SQLite's own files beside it take over this mode. */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_FAILED, "%s: %s", path, g_strerror(errno));
        return FALSE;
    }
    close(fd);
    if (sqlite3_open_v2(path, &store->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        return set_error(store, error, path, "open");
    sqlite3_busy_timeout(store->database, 2000);
    sqlite3_extended_result_codes(store->database, 1);
    /* One connection, and nobody else's beside it: Debian's SQLite has a bug with several in WAL mode. */
    if (sqlite3_exec(store->database,
                     "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                     "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;",
                     NULL, NULL, NULL) != SQLITE_OK)
        return set_error(store, error, path, "open");
    if (!migrate(store, path, error))
        return FALSE;
    StoreJob *job = store_job(store, settle, NULL, NULL);
    job->in.name = g_strdup(node);
    run(job);
    gboolean good = job->out.result == STORE_OK;
    if (!good)
        g_propagate_error(error, g_steal_pointer(&job->out.error));
    job_free(job);
    return good;
}

static void statement_free(gpointer statement)
{
    sqlite3_finalize(statement);
}

static void store_free(Store *store)
{
    g_hash_table_unref(store->statements);
    sqlite3_close(store->database);
    g_async_queue_unref(store->jobs);
    g_free(store);
}

Store *store_open(const char *path, const char *node, GError **error)
{
    Store *store = g_new0(Store, 1);
    store->statements = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, statement_free);
    store->jobs = g_async_queue_new_full(job_free);
    sqlite3_randomness(sizeof store->secret, store->secret);
    if (!prepare(store, path, node, error)) {
        store_free(store);
        return NULL;
    }
    store->thread = g_thread_new("store", work, store);
    return store;
}

void store_close(Store *store)
{
    if (!store)
        return;
    g_async_queue_push(store->jobs, store_job(store, NULL, NULL, NULL));
    g_thread_join(store->thread);
    store_free(store);
}
