/* What the files of fernwerkd share: the table of processes and the few operations on it. The master parses
 * nothing from outside; its main loop is the only thread that touches any of this. */
#pragma once

#include "base/config.h"
#include "base/packet.h"
#include "base/proto/master_link.h"

#include <sys/types.h>

#define END_MESSAGE_MS 500 /* how long a client may show why it ends */
#define EXTEND_S 30        /* what typing at the login screen adds */
#define EXTEND_MAX_S 600   /* and up to when */
#define SHUTDOWN_MS 3000
#define REPLIES_KEPT 64
#define LISTENERS_MAX 9
#define CERTIFICATES_PROGRAM "fernwerk-certificates"

typedef struct Master Master;
typedef struct Process Process;

typedef struct {
    uid_t uid;
    gid_t gid;
    gid_t groups[16];
    guint group_count;
} Identity;

typedef struct {
    const char *config_path;
    char *libexec_dir, *tls_dir;
    char *rdp_certificate, *rdp_key, *web_certificate, *web_key, *ca;
    gboolean own_certificates;        /* at least one pair is made here */
    Identity broker, gate, web, seat; /* seat: the groups alone */
    gid_t admin_gid;
    gint64 uid_first, uid_last;
} Settings;

typedef struct {
    ClientProtocol protocol; /* CLIENT_WEB: HTTPS */
    int fd;
    char *name; /* address:port */
} Listener;

struct Process {
    Master *master;
    ProcessId id;
    ProcessKind kind;
    pid_t pid;
    int pidfd, heartbeat;
    guint pid_watch;
    uid_t uid;
    PacketLink *lifeline, *requests;
    guint beats;
    gint64 last_beat_us;
    gint64 kill_at_us;  /* 0: not ending */
    gint64 login_by_us; /* clients without a user; 0: no limit */
    gint64 arrived_us, started_us;
    EndReason reason; /* why we ended it */
    gboolean ending;
    gboolean used;      /* no longer warm */
    gboolean announced; /* this broker knows it */
    ProcessRecord record;
    ClientProtocol protocol;
    char address[64];
    guint64 source;                    /* of the address; 0: a browser, whose address the web server knows */
    ProcessId client;                  /* greeter: whom it serves */
    ProcessId at;                      /* client: greeter or seat of its newest link */
    MasterReply replies[REPLIES_KEPT]; /* the newest answers on its request link, so that a repeated request
                                          has no second effect */
    guint reply_next;
};

/* A process that is always there, or a number of warm ones: what to do when one ends early. */
typedef struct {
    gint64 delay_ms;
    gint64 not_before_us;
} Backoff;

struct Master {
    Config *config;
    Settings settings;
    GMainLoop *loop;
    GHashTable *processes; /* ProcessId -> Process, owned */
    ProcessId next_id;
    gint64 next_uid;
    Listener listeners[LISTENERS_MAX];
    guint listener_count;
    int admin_listener, lock;
    gboolean admin_inherited; /* its path belongs to a socket unit */
    Backoff backoff[KIND_LAST + 1];
    gboolean broker_ready, ready;
    gint64 shutdown_at_us; /* 0: running */
    gint64 last_tick_us;
    char *tls_state; /* what the certificate files looked like when they were last taken */
    char *tls_seen;
    gint64 tls_checked_us;
};

/* ---- settings.c ---- */
/* Resolves users, folders and paths of m->config. Returns FALSE with an error that says what to do. */
gboolean settings_resolve(Master *m, const char *config_path, GError **error);
/* Makes state and run folders and takes the lock of run_dir. */
gboolean settings_prepare(Master *m, GError **error);

/* ---- listeners.c ---- */
/* Opens what the configuration names and no socket unit has brought. */
gboolean listeners_open(Master *m, GError **error);
/* Adds a listening socket; FALSE when its protocol has as many as it may have. */
gboolean listeners_add(Master *m, ClientProtocol protocol, int fd, const char *host);
/* Tells systemd (NOTIFY_SOCKET), where it asked for it. */
void notify_service_manager(const char *state);
/* Writes run_dir/ready, atomically: one line KEY=VALUE for the pid and each listener. */
gboolean listeners_publish(Master *m, GError **error);
void listeners_close(Master *m);

/* ---- activation.c ---- */
/* Takes the listeners that systemd passed, if any. */
void activation_take(Master *m);

/* ---- spawn.c ---- */
/* Gives up every capability that is of no use after the listeners are open. */
void spawn_drop_capabilities(void);
/* Starts a program of `kind`; its LIFELINE_START is sent. Returns NULL with an error when that was not
 * possible. */
Process *process_spawn(Master *m, ProcessKind kind, GError **error);
void process_free(Process *process);
const char *process_program(ProcessKind kind);

/* ---- processes.c ---- */
Process *process_find(Master *m, ProcessId id);
guint process_count(Master *m, ProcessKind kind, gboolean used);
gboolean kind_is_client(ProcessKind kind);
/* Asks the process to show `reason` and go; kills it END_MESSAGE_MS later. */
void process_end(Process *process, EndReason reason, const char *text);
void process_kill(Process *process);
/* Watches the pidfd, reaps, and does what an end entails (other processes, the broker's word, replacement).
 */
void process_watch(Process *process);
/* Keeps broker, gate, web and the warm processes running. */
void processes_replenish(Master *m);
/* Every 250 ms: heartbeats, deadlines, kills, back-off, certificates. */
gboolean processes_tick(gpointer master);
void processes_shutdown(Master *m);

/* ---- requests.c ---- */
/* Watches `fd`, the master's end of the request link of broker, gate or web. */
void requests_open(Process *process, int fd);
/* Hands an accepted connection to a client process with a greeter. Returns 0 or an errno. */
int arrival_take(Master *m, ClientProtocol protocol, int socket, ProcessId *id);
/* Gives a client a fresh greeter, its first or the next after one has died. */
int arrival_give_greeter(Process *client);
/* A new link between the broker and a seat, greeter, probe or web; the MASTER_PROCESS packet goes with it. */
void broker_link(Process *process, gboolean living);
void broker_tell_gone(Process *process, int status);

/* ---- tls.c ---- */
/* Opens the files for one kind of process: certificate and key, web also the CA. Returns how many; -1: error.
 */
int tls_open(Master *m, ProcessKind kind, int descriptors[3], GError **error);
/* Makes own certificates in a child where needed. Waits for it: before the main loop and after SIGHUP only.
 */
gboolean tls_make_own(Master *m, GError **error);
/* Looks whether the files have changed; `now` skips the wait for a second look. */
void tls_poll(Master *m, gboolean now);
