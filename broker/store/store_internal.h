/* What the store's own files share: a job is one transaction on the store's thread. */
#pragma once

#include "broker/store/store.h"

#include <sqlite3.h>

extern const char *const store_migrations[]; /* NULL ends; the first brings a database to version 1 */

typedef struct StoreJob StoreJob;
typedef void (*StoreWork)(StoreJob *job);

/* What the operations take; each uses a few. */
typedef struct {
    char *actor, *name, *other, *protocol, *address, *domain, *uuid, *disk, *reason, *hash_text;
    gint64 id, serial, session, number, limit;
    gboolean flag;
    guint8 hash[STORE_HASH_SIZE];
    StoreTemplate *template;
    GArray *ids; /* of gint64 */
} StoreArguments;

struct StoreJob {
    Store *store;
    StoreWork work;
    StoreArguments in;
    StoreReply out;
    StoreCallback done;
    gpointer data;
    GMainContext *context;
};

/* A job whose arguments are still to be filled; then store_submit(). */
StoreJob *store_job(Store *store, StoreWork work, StoreCallback done, gpointer data);
void store_submit(StoreJob *job);

gint64 store_now(Store *store);
gint64 store_node(Store *store); /* row of this machine */
#define STORE_SECRET_SIZE 32
const guint8 *store_secret(Store *store); /* random, new at each start */

/* ---- queries (query.c); only inside of a job. After an error of the database all of them do nothing and
 * return FALSE, and the transaction is rolled back. types: s text or NULL, i gint64, h hash ---- */

/* Runs a statement to its end. */
gboolean store_run(StoreJob *job, const char *sql, const char *types, ...);
/* First row of a query, or NULL; column values with sqlite3_column_*(), valid until the next query of the
 * same text. */
sqlite3_stmt *store_first(StoreJob *job, const char *sql, const char *types, ...);
/* One whole number; 0 when there is no row. */
gint64 store_number(StoreJob *job, const char *sql, const char *types, ...);
/* Calls `row` for each row; the rows' functions must not run the same text again. */
typedef void (*StoreRow)(StoreJob *job, sqlite3_stmt *row, gpointer data);
void store_each(StoreJob *job, StoreRow row, gpointer data, const char *sql, const char *types, ...);
/* Rows changed by the last store_run(). */
gint64 store_changes(StoreJob *job);
gint64 store_last_id(StoreJob *job);
gboolean store_broken(const StoreJob *job);
/* Statement cache, owned by the store. */
GHashTable *store_statements(Store *store);
sqlite3 *store_database(Store *store);

char *store_text(sqlite3_stmt *row, int column); /* copy, NULL for NULL */

/* ---- answers ---- */
void store_answer(StoreJob *job, StoreResult result, const char *hint, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* ---- audit.c: a row in this transaction; NULL strings become "" ---- */
void store_record(StoreJob *job, const char *actor, const char *action, const char *object,
                  const char *result, const char *address);

/* What a stranger typed, if it could be a name; else "(no name)", so that a password in the wrong field is
 * not kept. */
const char *store_claimed_name(const char *text);

/* ---- users.c ---- */
/* TRUE when the login behind in.serial and in.session holds; else answers DENIED. */
gboolean store_login_holds(StoreJob *job, const StoreUser *user);

/* ---- objects.c: rows to objects ---- */
#define STORE_USER_COLUMNS "u.id, u.name, u.admin, u.disabled, u.serial"
#define STORE_CONNECTION_SELECT                                                                              \
    "SELECT c.id, u.name, d.name, c.protocol, c.address, c.epoch, c.since FROM connections c"                \
    " JOIN users u ON u.id = c.user JOIN desktops d ON d.id = c.desktop"
StoreUser *store_read_user(sqlite3_stmt *row);
/* Fills *slot by name: TRUE, or answers NOT_FOUND. */
gboolean store_need_user(StoreJob *job, const char *name, StoreUser **slot);
gboolean store_need_desktop(StoreJob *job, const char *name, StoreDesktop **slot, gint64 *id);
gboolean store_need_template(StoreJob *job, const char *name, StoreTemplate **slot, gint64 *id);
void store_read_desktops(StoreJob *job, const char *user);
void store_read_templates(StoreJob *job);
StoreConnection *store_read_connection(sqlite3_stmt *row, int at); /* at: first column */
StoreTemplate *store_template_copy(const StoreTemplate *from);

StoreRevoked *store_revoked_new(void);
/* Closes the open connections that match and adds them to out.revoked. 0 and NULL match all; `except_session`
 * (0: none) spares those of one web session. */
void store_revoke(StoreJob *job, gint64 user, gint64 desktop, gint64 session, gint64 except_session,
                  const char *reason);
/* Adds to out.revoked->leases what is leased to somebody who is no longer assigned. */
void store_revoke_leases(StoreJob *job, gint64 user, gint64 desktop);
