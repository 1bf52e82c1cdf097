/* What the files of fernwerkd share: the table of processes and the few operations on it. The master parses
 * nothing from outside; its main loop is the only thread that touches any of this. */
#pragma once

#include "base/heartbeat.h"
#include "base/lifeline.h"
#include "base/packet.h"
#include "base/proto/setup_link.h"

#include <sys/types.h>

#define END_MESSAGE_MS 500 /* how long a client may show why it ends */
#define EXTEND_S 30        /* what typing at the login screen adds */
#define EXTEND_MAX_S 600   /* and up to when */
#define SHUTDOWN_MS 3000
#define REPLIES_KEPT 64
#define TICK_MS 250       /* while something is due */
#define CALM_TICK_MS 5000 /* at most, else */

typedef struct Master Master;
typedef struct Process Process;

struct Process {
    Master *master;
    ProcessId id;
    ProcessKind kind;
    pid_t pid;
    int pidfd;
    Heartbeat *heartbeat;
    guint pid_watch;
    uid_t uid;
    PacketLink *lifeline, *requests;
    gboolean stopped;    /* by a signal, so that it cannot tell how it is */
    gint64 last_sign_us; /* of life */
    gint64 kill_at_us;   /* 0: not ending */
    gint64 login_by_us;  /* clients without a user; 0: no limit */
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
    SetupNode node; /* what the configuration says */
    int lock, admin_listener;
    int listeners[SETUP_LISTENERS_MAX]; /* parallel to node.listeners */
    int tls[SETUP_TLS_COUNT];
    PacketLink *setup; /* NULL: none runs */
    GMainLoop *loop;
    GHashTable *processes; /* ProcessId -> Process, owned */
    ProcessId next_id;
    gint64 next_uid;
    Backoff backoff[KIND_LAST + 1];
    gboolean broker_ready, ready;
    gint64 shutdown_at_us; /* 0: running */
    guint tick;            /* the timer's source */
    gint64 tick_due_us;
    gint64 taken_us;  /* when the last warm process got work */
    char *tls_state;  /* what the certificate files looked like when they were last asked for */
    char *tls_before; /* and the time before */
    char *tls_seen;
    gint64 tls_checked_us;
};

/* ---- setup.c ---- */
/* Runs fernwerk-setup with the command line and takes over what it has prepared. FALSE: the program is to end
 * with *code; it has said why, or what it was asked for. */
gboolean setup_run(Master *m, char *argv[], int *code);
/* Has the certificates read again, in the background; tls_taken() follows when that went well. */
void setup_certificates(Master *m);

/* ---- ready.c ---- */
/* Writes the ready file, atomically: one line KEY=VALUE for the pid and each listener; tells systemd. */
void ready_publish(const Master *m);
/* Removes it, and the admin socket. */
void ready_withdraw(const Master *m);

/* ---- spawn.c ---- */
/* Starts a program of `kind`; its LIFELINE_START is sent. Returns NULL with an error when that was not
 * possible. */
Process *process_spawn(Master *m, ProcessKind kind, GError **error);
void process_free(Process *process);

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
/* Looks after heartbeats, deadlines, kills, back-off and certificates from now on: every TICK_MS while
 * something is due, else when a heartbeat may be. */
void processes_look_after(Master *m);
/* Something has become due: the next look is at most TICK_MS away. */
void processes_hurry(Master *m);
void processes_shutdown(Master *m);

/* ---- liveness.c ---- */
/* Has liveness_note_stops() called whenever a process stops, goes on or ends. */
void liveness_watch(Master *m);
/* Learns which processes a signal has stopped or let go on since the last time. */
void liveness_note_stops(Master *m);
/* Nobody is to blame for the last `us`: the master itself was held up. */
void liveness_forgive(Master *m, gint64 us);
/* Whether it works or waits as it should, so that it may get a client; after liveness_note_stops(). */
gboolean process_is_fresh(Process *process);
/* Kills it when it has given no sign of life for too long. Returns in how many us it may be so. */
gint64 process_check_heartbeat(Process *process, gint64 now);

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
/* Opens the files for one kind of process: certificate and key, web also the CA. Returns how many, up to 3.
 */
guint tls_open(Master *m, ProcessKind kind, int *descriptors);
/* Looks whether the files have changed; asks for them once they stand still. */
void tls_poll(Master *m);
/* Asks for them at once; own ones are renewed where it is time. */
void tls_renew(Master *m);
/* They have come: those who do not serve anybody yet are replaced, the web gets them. */
void tls_taken(Master *m);
