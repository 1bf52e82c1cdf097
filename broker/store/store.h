/* What was promised: users, templates, desktops, assignments, leases, connections, tickets, web sessions,
 * audit. Whole transactions only; SQLite stays behind this header, on one connection and one thread. What
 * runs is libvirt's to say. */
#pragma once

#include <glib.h>

typedef struct Store Store;

#define STORE_HASH_SIZE 32 /* bytes of a ticket's or session handle's hash, see auth/token.h */

/* ---- objects; all strings are owned by their object, free with the function of its name ---- */

typedef struct {
    gint64 id;
    char *name;
    gboolean admin, disabled;
    gint64 serial; /* grows whenever password, state or role change: what was proven under an older one is
                      void */
    char *hash;    /* Argon2id string; only in answers to store_user_secret() */
} StoreUser;

typedef struct {
    char *name;
    char *kind;                              /* "vm" or "pattern" */
    char *image, *kernel, *initrd, *cmdline; /* "" when unused */
    char *firmware;                          /* "bios" or "uefi" */
    char *video;                             /* "virtio" or "vga" */
    char *xkb_layout, *xkb_variant;
    guint memory_mib, vcpus, width, height; /* px */
} StoreTemplate;

typedef struct {
    gint64 id;
    char *user, *desktop, *protocol, *address;
    guint64 epoch;
    gint64 since; /* ms since 1970, UTC */
} StoreConnection;

typedef struct {
    char *name, *template_name, *node;
    char *assigned;              /* user's name or NULL */
    char *user;                  /* user of the open connection or NULL */
    StoreConnection *connection; /* the open one, or NULL */
    char *domain, *uuid;         /* libvirt's name and UUID; NULL for the pattern source */
    char *disk;                  /* path of the overlay; NULL for the pattern source */
    char *owner;                 /* lease: its owner or NULL */
    guint64 epoch;               /* lease: its epoch; 0: none */
    gboolean removing;           /* store_desktop_retire() was called, store_desktop_delete() not yet */
    StoreTemplate *template;     /* never NULL */
} StoreDesktop;

typedef struct {
    gint64 id, time; /* ms since 1970, UTC */
    char *actor, *action, *object, *result, *address;
} StoreAudit;

/* Which rights ended. Connection rows are closed, tickets and web sessions deleted already; the processes
 * still live: end them, and only then give the leases back (I1, I8). */
typedef struct {
    char *user;             /* clients at which he is logged in are void as well; NULL: none */
    gint64 kept_session;    /* of that user's, those that came through this web session stay; 0: none */
    gint64 web_session;     /* clients that came through it are void, connected or not; 0: none */
    GPtrArray *connections; /* of StoreConnection: end these clients; never NULL */
    GPtrArray
        *leases; /* of char *: desktops whose lease is to be given back when nobody is on them; never NULL */
} StoreRevoked;

void store_user_free(StoreUser *user);
void store_template_free(StoreTemplate *template);
void store_desktop_free(StoreDesktop *desktop);
void store_connection_free(StoreConnection *connection);
void store_audit_free(StoreAudit *audit);
void store_revoked_free(StoreRevoked *revoked);

/* ---- answers ---- */

typedef enum {
    STORE_OK,
    STORE_NOT_FOUND, /* `message` says what is not there */
    STORE_CONFLICT,  /* exists, is in use, belongs to somebody else */
    STORE_DENIED,    /* not assigned, disabled, expired, used up, proven under an old password */
    STORE_FAILED,    /* the database: `error`; nothing was changed */
} StoreResult;

/* An answer, filled as each operation says; the rest is NULL or 0. All of it is freed after the callback:
 * steal what you want to keep (g_steal_pointer). */
typedef struct {
    StoreResult result;
    GError *error; /* STORE_FAILED */
    char *message; /* a sentence for a person unless STORE_OK */
    char *hint;    /* a command that helps, or NULL */
    gint64 id;
    guint64 epoch;
    char *address;
    char *parameters;
    StoreUser *user;
    StoreTemplate *template;
    StoreDesktop *desktop;
    StoreRevoked *revoked;
    GPtrArray *users, *templates, *desktops, *connections, *audit; /* of the objects above */
} StoreReply;

/* Runs on the main context that was the thread's default one at the call, after the transaction is on disk
 * (I4). NULL is allowed where nobody waits. */
typedef void (*StoreCallback)(StoreReply *reply, gpointer data);

/* ---- opening ---- */

#define STORE_ERROR (store_error_quark())
GQuark store_error_quark(void);
typedef enum { STORE_ERROR_FAILED, STORE_ERROR_NEWER_VERSION, STORE_ERROR_LOCKED } StoreErrorCode;

/* Opens or makes the database at `path` (mode 0600), brings it to this version by the numbered migrations,
 * and starts the thread. `node` names this machine in the rows. Blocks; call before the main loop. Errors:
 * NEWER_VERSION (a newer Fernwerk wrote it), LOCKED (another process has it), FAILED. */
Store *store_open(const char *path, const char *node, GError **error);

/* Waits until all calls are done (their callbacks may be lost), closes. NULL is allowed. */
void store_close(Store *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_close)

/* For tests: ms since 1970 from `now` instead of the clock. Before the first call. */
void store_set_clock(Store *store, gint64 (*now)(gpointer data), gpointer data);

/* `actor` in all calls below: "uid:0(root)", "user:alice", "broker"; it goes to the audit, in the same
 * transaction. All strings are copied. Names are compared without case; answers carry the name as it was
 * made. */

/* ---- users ---- */

/* reply->user. CONFLICT: exists. `hash` from password_hash(). */
void store_user_add(Store *store, const char *actor, const char *name, gboolean admin, const char *hash,
                    StoreCallback done, gpointer data);
/* reply->users, by name. */
void store_user_list(Store *store, StoreCallback done, gpointer data);
/* reply->user. NOT_FOUND. */
void store_user_show(Store *store, const char *name, StoreCallback done, gpointer data);
/* reply->user with hash; for broker/login. NOT_FOUND: reply->parameters is what a hash begins with up to its
 * salt, taken from some account, always the same one for a name: so long takes a check that must not tell
 * that nobody is called so. NULL: there are no users. */
void store_user_secret(Store *store, const char *name, StoreCallback done, gpointer data);
/* reply->user, reply->revoked. Ends every web session of the user but `keep_session` (0: none is kept), all
 * tickets and all connections that did not come through the kept session. `serial` (0: any): DENIED when the
 * user's has changed. */
void store_user_password(Store *store, const char *actor, const char *name, const char *hash, gint64 serial,
                         gint64 keep_session, StoreCallback done, gpointer data);
/* Another hash of the same password, with newer parameters; nothing is revoked. Nothing happens when the
 * user's serial is another one by now. */
void store_user_rehash(Store *store, gint64 user_id, gint64 serial, const char *hash, StoreCallback done,
                       gpointer data);
/* reply->user, reply->revoked (empty when enabling). NOT_FOUND. */
void store_user_disable(Store *store, const char *actor, const char *name, gboolean disabled,
                        StoreCallback done, gpointer data);
/* Disables, unassigns all, revokes: reply->user, reply->revoked. Then end the processes, give leases back,
 * delete. */
void store_user_retire(Store *store, const char *actor, const char *name, StoreCallback done, gpointer data);
/* NOT_FOUND; CONFLICT: he still has a lease. */
void store_user_delete(Store *store, const char *actor, const char *name, StoreCallback done, gpointer data);

/* ---- templates ---- */

/* reply->template. CONFLICT: exists. Values are checked by the caller. */
void store_template_add(Store *store, const char *actor, const StoreTemplate *template, StoreCallback done,
                        gpointer data);
void store_template_list(Store *store, StoreCallback done, gpointer data);
void store_template_show(Store *store, const char *name, StoreCallback done, gpointer data);
/* reply->template as it was. CONFLICT: a desktop uses it. */
void store_template_remove(Store *store, const char *actor, const char *name, StoreCallback done,
                           gpointer data);

/* ---- desktops and assignments ---- */

/* reply->desktop. `domain`, `uuid`, `disk`: NULL for the pattern source. NOT_FOUND: the template; CONFLICT:
 * the name, the domain or the disk belongs to another desktop (I3). */
void store_desktop_create(Store *store, const char *actor, const char *name, const char *template_name,
                          const char *domain, const char *uuid, const char *disk, StoreCallback done,
                          gpointer data);
/* The VM of a desktop is another one from now on (an existing VM is taken in, or it was defined anew):
 * reply->desktop. NOT_FOUND; CONFLICT: the UUID belongs to another desktop. */
void store_desktop_adopt(Store *store, const char *actor, const char *name, const char *domain,
                         const char *uuid, StoreCallback done, gpointer data);
/* reply->desktops, by name; `user` (or NULL: all): those assigned to him. */
void store_desktop_list(Store *store, const char *user, StoreCallback done, gpointer data);
void store_desktop_show(Store *store, const char *name, StoreCallback done, gpointer data);
/* Marks it as going: reply->desktop, reply->revoked. CONFLICT: it is assigned. Then stop the VM, delete the
 * disk, give the lease back, and call delete. Repeating it is allowed; rows with `removing` are finished
 * after a restart. */
void store_desktop_retire(Store *store, const char *actor, const char *name, StoreCallback done,
                          gpointer data);
/* NOT_FOUND; CONFLICT: not retired, or leased. */
void store_desktop_delete(Store *store, const char *actor, const char *name, StoreCallback done,
                          gpointer data);
/* reply->desktop. Again to the same user: OK. CONFLICT: assigned to another; DENIED never. */
void store_assign(Store *store, const char *actor, const char *desktop, const char *user, StoreCallback done,
                  gpointer data);
/* reply->desktop (as it is now), reply->revoked. Not assigned: OK, nothing revoked. The lease stays until
 * store_lease_return(). */
void store_unassign(Store *store, const char *actor, const char *desktop, StoreCallback done, gpointer data);

/* ---- logins; use broker/login instead of these ---- */

/* A password was right: the user still has this serial and is enabled, else DENIED. reply->user. Audit:
 * "login". */
void store_login_grant(Store *store, gint64 user_id, gint64 serial, const char *protocol, const char *address,
                       StoreCallback done, gpointer data);
/* Whether a login that was proven earlier, to another life of the broker, still holds: the user is enabled,
 * and the web session he came through (0: none) lives, or else his serial is the same. reply->user.
 * NOT_FOUND, DENIED. */
void store_login_renew(Store *store, const char *name, gint64 serial, gint64 web_session, StoreCallback done,
                       gpointer data);
/* A login was refused. `name` is the client's claim; `result`: "denied" or "throttled". */
void store_login_deny(Store *store, const char *name, const char *result, const char *protocol,
                      const char *address, StoreCallback done, gpointer data);

/* ---- leases and connections ---- */

typedef struct {
    const char *user, *desktop;
    gint64 serial;        /* StoreUser.serial under which the login was proven */
    gint64 web_session;   /* from store_ticket_redeem(), else 0 */
    const char *protocol; /* "rdp", "vnc" or "web" */
    const char *address;  /* numeric source address */
    gboolean again;       /* asked anew after CONFLICT: one more of them is no news for the audit */
} StoreGrant;

/* The user's desktop for one connection, in one step: his login holds as for store_login_renew(), the desktop
 * is assigned to him and not going, nobody else holds its lease (I1). Makes the lease or finds his own:
 * reply->epoch, unchanged while the lease lasts. Opens the connection: reply->id. An older open connection to
 * the desktop is closed as taken over and comes back in reply->connections: end its process before the new
 * one is introduced. reply->desktop. NOT_FOUND, DENIED, CONFLICT (another's lease is not given back yet: try
 * again). All audited. */
void store_lease_grant(Store *store, const StoreGrant *grant, StoreCallback done, gpointer data);
/* He asked for a desktop that is not assigned to him, for the audit. `desktop` is the client's claim. */
void store_lease_deny(Store *store, const char *user, const char *desktop, const char *protocol,
                      const char *address, StoreCallback done, gpointer data);
/* Gives a lease back, when nobody is attached any more. `epoch` 0: whichever. OK also when there is none;
 * CONFLICT: a connection is still open, or the epoch is another. */
void store_lease_return(Store *store, const char *desktop, guint64 epoch, StoreCallback done, gpointer data);
/* The connection is over. OK also when it is closed already. `reason` in a word: "closed", "fault" ... */
void store_connection_close(Store *store, gint64 id, const char *reason, StoreCallback done, gpointer data);
/* reply->connections that are open; `user` or NULL. */
void store_connection_list(Store *store, const char *user, StoreCallback done, gpointer data);
/* reply->revoked with one connection. NOT_FOUND. Audit: "session.kill". */
void store_connection_kill(Store *store, const char *actor, gint64 id, StoreCallback done, gpointer data);
/* After a start, when all living processes are known: closes every open connection that is not among
 * `living`, and returns the open ones in reply->connections; end the processes whose connection is not there
 * (I12). */
void store_reconcile(Store *store, const gint64 *living, guint count, StoreCallback done, gpointer data);

/* ---- tickets (I7) and web sessions ---- */

/* The desktop must be assigned to the user of that session, who is enabled: else DENIED or NOT_FOUND. */
void store_ticket_issue(Store *store, const guint8 hash[STORE_HASH_SIZE], gint64 web_session,
                        const char *desktop, const char *protocol, guint life_ms, StoreCallback done,
                        gpointer data);
/* Uses a ticket up, also when it turns out to be void. reply->user, reply->desktop, reply->id: the web
 * session (for StoreGrant), reply->address: from where that session was made, which stands for `address` when
 * that one is not known (""). DENIED: unknown, used, expired, other protocol, no longer assigned; one answer
 * for all. */
void store_ticket_redeem(Store *store, const guint8 hash[STORE_HASH_SIZE], const char *protocol,
                         const char *address, StoreCallback done, gpointer data);

/* reply->id. DENIED: the user's serial has changed or he is disabled. At most 32 sessions a user: the oldest
 * goes. */
void store_web_session_make(Store *store, const guint8 hash[STORE_HASH_SIZE], gint64 user_id, gint64 serial,
                            const char *address, guint life_s, guint idle_s, StoreCallback done,
                            gpointer data);
/* reply->user, reply->id: the session. DENIED: unknown or over. Counts as use (written at most once a
 * minute); an open connection of the session counts too. */
void store_web_session_find(Store *store, const guint8 hash[STORE_HASH_SIZE], StoreCallback done,
                            gpointer data);
/* Logs out: reply->revoked lists the connections made through it. */
void store_web_session_end(Store *store, const char *actor, gint64 id, StoreCallback done, gpointer data);

/* ---- audit ---- */

/* Writes a row before an act outside the database, with the result "pending": reply->id. */
void store_audit_begin(Store *store, const char *actor, const char *action, const char *object,
                       const char *address, StoreCallback done, gpointer data);
/* Its outcome, once: "ok", "denied", "failed: ...". A row still pending at the next start becomes
 * "interrupted". */
void store_audit_end(Store *store, gint64 id, const char *result, StoreCallback done, gpointer data);
/* A whole row. */
void store_audit_write(Store *store, const char *actor, const char *action, const char *object,
                       const char *result, const char *address, StoreCallback done, gpointer data);
/* reply->audit, newest first, at most `limit` (1..1000) rows with an id below `before` (0: the newest). */
void store_audit_list(Store *store, guint limit, gint64 before, StoreCallback done, gpointer data);
