/* Stands in for fernwerkd and a hypervisor, in the test's own main loop. The other end of every link is the
 * test's. */
#pragma once

#include "base/packet.h"
#include "base/proto/master_link.h"
#include "broker/virt/hypervisor.h"

/* ---- fernwerkd ---- */
typedef struct {
    ProcessId id;
    ProcessKind kind;
    ProcessRecord record;
    ProcessId at;   /* client: introduced to */
    int link;       /* the process's own end of its link to the broker; -1 */
    gboolean ended; /* REQUEST_END came */
    guint end_reason;
} FakeProcess;

typedef struct {
    PacketLink *link;
    int broker_end; /* for master_client_new() */
    GPtrArray *processes;
    ProcessId next;
    guint spawns, introductions, repeats;
    gboolean mute;              /* answers nothing */
    const char *living_address; /* of clients in fake_master_living() */
} FakeMaster;

FakeMaster *fake_master_new(void);
void fake_master_free(FakeMaster *master);
FakeProcess *fake_master_find(FakeMaster *master, ProcessId id);
/* The newest living process of a kind; NULL: none. */
FakeProcess *fake_master_newest(FakeMaster *master, ProcessKind kind);
/* A client comes: client and greeter are announced, then the arrival. */
FakeProcess *fake_master_arrive(FakeMaster *master, ClientProtocol protocol, const char *address);
/* Reports a process as it is after a restart of the broker. A greeter serves the process that is reported
 * next. */
FakeProcess *fake_master_living(FakeMaster *master, ProcessKind kind, const ProcessRecord *record,
                                ProcessId at);
void fake_master_living_end(FakeMaster *master);
/* The process is dead. A client that is left at a dead greeter gets a new one. */
void fake_master_die(FakeMaster *master, FakeProcess *process);

/* ---- a seat ---- */
/* Sends PICTURE on its link. */
void fake_seat_picture(FakeProcess *seat);
/* Sends LOST on its link. */
void fake_seat_lost(FakeProcess *seat, const char *text);
/* TRUE when the next packet on its link is a SeatConfigure; *fd gets the descriptor that came along, -1:
 * none. */
gboolean fake_seat_configured(FakeProcess *seat);
gboolean fake_seat_configured_with(FakeProcess *seat, int *fd);

/* ---- the hypervisor ---- */
typedef struct {
    Hypervisor base;
    GHashTable *running; /* UUIDs */
    GPtrArray *starts;   /* of FakeStart that wait for fake_hypervisor_answer() */
    guint started, shutdowns, destroys, resets, displays, removals;
    gboolean holds;        /* starts wait */
    HypervisorError fails; /* with fail_text: the next start fails */
    const char *fail_text;
} FakeHypervisor;

FakeHypervisor *fake_hypervisor_new(void);
/* Answers what waits. */
void fake_hypervisor_answer(FakeHypervisor *hypervisor);

/* Runs the main loop until *flag, or `condition` says so; fails the test after ten seconds. */
void spin_until(gboolean (*condition)(gpointer data), gpointer data);
/* Runs what is ready. */
void spin(void);
