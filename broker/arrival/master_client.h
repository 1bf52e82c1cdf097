/* The broker's side of the request link to fernwerkd. Main thread only. */
#pragma once

#include "base/proto/master_link.h"

#include <gio/gio.h>

typedef struct MasterClient MasterClient;

typedef struct {
    /* A process has started or lives (process->living). fd: the broker's end of its link, owned by the
     * callee; -1. */
    void (*process)(const MasterProcess *process, int fd, gpointer data);
    void (*arrival)(const MasterArrival *arrival, gpointer data);
    void (*gone)(const MasterProcessGone *gone, gpointer data);
    void (*living_end)(gpointer data);
} MasterEvents;

/* error: 0 or what MasterReply says; ETIMEDOUT when the master did not answer. id: of REQUEST_SPAWN. */
typedef void (*MasterAnswered)(int error, ProcessId id, gpointer data);

/* Takes `fd` over. When the link breaks the process ends: without a master there is nothing to do. */
MasterClient *master_client_new(int fd, const MasterEvents *events, gpointer data);
void master_client_free(MasterClient *master);

/* Asks for the living processes; they come as events, living_end last. */
void master_client_ready(MasterClient *master);

/* Each asks once and answers once (`answered` may be NULL). A request that stays unanswered for two seconds
 * is repeated with the same id, so that it has one effect. A spawn for which there is no room at the moment
 * is asked anew, twice. */
void master_client_spawn(MasterClient *master, ProcessKind kind, MasterAnswered answered, gpointer data);
void master_client_bind(MasterClient *master, ProcessId id, const ProcessRecord *record,
                        MasterAnswered answered, gpointer data);
void master_client_introduce(MasterClient *master, ProcessId client, ProcessId seat, MasterAnswered answered,
                             gpointer data);
/* text NULL or "": the reason's own sentence. */
void master_client_end(MasterClient *master, ProcessId id, EndReason reason, const char *text);
void master_client_extend(MasterClient *master, ProcessId id);

/* No callback with this `data` comes any more. */
void master_client_forget(MasterClient *master, gconstpointer data);
