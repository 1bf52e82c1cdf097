/* A process's side of the master's lifeline and heartbeat: what every Fernwerk process but the master and the
 * CLI does at start. */
#pragma once

#include "base/packet.h"
#include "base/proto/master_link.h"

/* Callbacks, all on the default main context; any may be NULL. Descriptors are owned by the callee. */
typedef struct {
    void (*client)(const LifelineClient *client, int socket, gpointer data);
    void (*seat_link)(const LifelineSeatLink *link, int fd, gpointer data);
    void (*broker)(int fd, gpointer data);
    void (*unlink)(ProcessId peer, gpointer data);
    /* The process is to end: show reason and text, then return or quit the loop; the master kills it 500 ms
     * later. */
    void (*end)(EndReason reason, const char *text, gpointer data);
    void (*reload)(const int *descriptors, guint count, gpointer data);
    void (*record)(const ProcessRecord *record, gpointer data);
} LifelineEvents;

/* Reads LIFELINE_START (blocking, the master has written it before exec) into *start and its descriptors into
 * descriptors[0..*count-1] (at most MASTER_DESCRIPTORS_MAX, owned by the caller), then watches the lifeline
 * and has the default main context show through the heartbeat that it does not hang. When the lifeline closes
 * the process exits with 0. Opens the log at the configured level. Sets the process title on LIFELINE_RECORD
 * ("fernwerk-rdp: alice on d1"). argc/argv/envp as given to main: the title lives in their memory. Exits with
 * a message when there is no lifeline (started by hand). Main thread, once. */
void lifeline_start(int argc, char *argv[], char *envp[], ProcessKind kind, const LifelineEvents *events,
                    gpointer data, LifelineStart *start, int *descriptors, guint *count);

/* A sign of life outside of the main loop, for long work: at least every MASTER_HEARTBEAT_MS. Also before
 * lifeline_start(). */
void lifeline_beat(void);

/* The name of a kind's program, e.g. "fernwerk-seat" (static). */
const char *process_kind_name(ProcessKind kind);
