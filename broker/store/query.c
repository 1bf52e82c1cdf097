/* Statements, prepared once and kept by the address of their text. */
#include "broker/store/store_internal.h"

#include <string.h>

gboolean store_broken(const StoreJob *job)
{
    return job->out.result == STORE_FAILED;
}

static void broke(StoreJob *job, const char *sql)
{
    if (store_broken(job))
        return;
    job->out.result = STORE_FAILED;
    g_clear_error(&job->out.error);
    job->out.error = g_error_new(STORE_ERROR, STORE_ERROR_FAILED, "%s [%.40s]",
                                 sqlite3_errmsg(store_database(job->store)), sql);
}

static sqlite3_stmt *prepare(StoreJob *job, const char *sql, const char *types, va_list values)
{
    if (store_broken(job))
        return NULL;
    GHashTable *cache = store_statements(job->store);
    sqlite3_stmt *statement = g_hash_table_lookup(cache, sql);
    if (!statement) {
        if (sqlite3_prepare_v3(store_database(job->store), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement,
                               NULL) != SQLITE_OK) {
            broke(job, sql);
            return NULL;
        }
        g_hash_table_insert(cache, (gpointer)sql, statement);
    }
    sqlite3_reset(statement);
    g_assert(sqlite3_bind_parameter_count(statement) == (int)strlen(types));
    for (int i = 0; types[i]; i++) {
        if (types[i] == 'i')
            sqlite3_bind_int64(statement, i + 1, va_arg(values, gint64));
        else if (types[i] == 'h')
            sqlite3_bind_blob(statement, i + 1, va_arg(values, const guint8 *), STORE_HASH_SIZE,
                              SQLITE_TRANSIENT);
        else
            sqlite3_bind_text(statement, i + 1, va_arg(values, const char *), -1, SQLITE_TRANSIENT);
    }
    return statement;
}

static gboolean step(StoreJob *job, sqlite3_stmt *statement, const char *sql)
{
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return TRUE;
    if (code != SQLITE_DONE)
        broke(job, sql);
    sqlite3_reset(statement);
    return FALSE;
}

gboolean store_run(StoreJob *job, const char *sql, const char *types, ...)
{
    va_list values;
    va_start(values, types);
    sqlite3_stmt *statement = prepare(job, sql, types, values);
    va_end(values);
    if (!statement)
        return FALSE;
    while (step(job, statement, sql))
        continue;
    return !store_broken(job);
}

sqlite3_stmt *store_first(StoreJob *job, const char *sql, const char *types, ...)
{
    va_list values;
    va_start(values, types);
    sqlite3_stmt *statement = prepare(job, sql, types, values);
    va_end(values);
    return statement && step(job, statement, sql) ? statement : NULL;
}

gint64 store_number(StoreJob *job, const char *sql, const char *types, ...)
{
    va_list values;
    va_start(values, types);
    sqlite3_stmt *statement = prepare(job, sql, types, values);
    va_end(values);
    if (!statement || !step(job, statement, sql))
        return 0;
    gint64 number = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return number;
}

void store_each(StoreJob *job, StoreRow row, gpointer data, const char *sql, const char *types, ...)
{
    va_list values;
    va_start(values, types);
    sqlite3_stmt *statement = prepare(job, sql, types, values);
    va_end(values);
    while (statement && step(job, statement, sql))
        row(job, statement, data);
}

gint64 store_changes(StoreJob *job)
{
    return sqlite3_changes64(store_database(job->store));
}

gint64 store_last_id(StoreJob *job)
{
    return sqlite3_last_insert_rowid(store_database(job->store));
}

char *store_text(sqlite3_stmt *row, int column)
{
    return g_strdup((const char *)sqlite3_column_text(row, column));
}

void store_answer(StoreJob *job, StoreResult result, const char *hint, const char *format, ...)
{
    if (store_broken(job))
        return;
    job->out.result = result;
    g_free(job->out.message);
    va_list values;
    va_start(values, format);
    job->out.message = g_strdup_vprintf(format, values);
    va_end(values);
    g_free(job->out.hint);
    job->out.hint = g_strdup(hint);
}
