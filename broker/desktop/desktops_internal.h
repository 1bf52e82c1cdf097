/* What desktop.c and desktops.c share. */
#pragma once

#include "broker/desktop/desktops.h"

typedef struct {
    DesktopPower goal; /* START or STOP */
    DesktopDone done;
    gpointer data;
} DesktopWaiter;

struct Desktop {
    Desktops *set;
    StoreDesktop *row;
    DomainSpec *spec; /* NULL: the pattern source */
    DesktopState state;
    char reason[SEAT_TEXT_MAX];
    HypervisorError fault; /* of the last start, for whoever waited for it */
    gboolean queued;       /* STARTING, but has no slot yet */
    gboolean slot;         /* STARTING and counts as a start under way */
    gboolean creating;     /* hypervisor_start() has not answered */
    gboolean vm;           /* the VM runs, as far as we know */
    gboolean failing;      /* STOPPING leads to FAILED */
    gboolean start_again;  /* STOPPING leads to STARTING */
    gboolean going;        /* desktop_remove() was called */
    gboolean changed;      /* to be told */
    guint timer;           /* of the state: start or stop timeout */
    guint stop_seconds;    /* since it was asked to stop */
    uint64_t epoch;        /* of the lease, 0: none */
    SeatSizeHint size;     /* 0 x 0: the template's */
    SeatProcess *seat;     /* NULL: none */
    GPtrArray *old_seats;  /* their clients are moving elsewhere */
    guint seat_timer;      /* next try of seat or display */
    guint idle_timer;      /* nobody looks: the seat's end */
    guint seat_tries;
    gint64 seat_since; /* us */
    int display;       /* for QEMU, once there is a VM; -1 */
    guint users;
    GArray *waiters;    /* of DesktopWaiter */
    GArray *thumbnails; /* of DesktopThumbnail: wait for a seat's first picture */
};

typedef struct {
    guint width, height;
    SeatThumbnailDone done;
    gpointer data;
} DesktopThumbnail;

struct Desktops {
    MasterClient *master;
    DesktopsSettings settings;
    DesktopsEvents events;
    gpointer data;
    Hypervisor *hypervisor;
    char *no_hypervisor;
    gboolean known; /* the hypervisor has reported up or down */
    GPtrArray *all; /* of Desktop */
    GQueue queue;   /* of Desktop, in the order of their wishes */
    guint starting; /* slots in use */
    guint tell_idle;
    char hardware[64], software[64];
};

/* ---- desktop.c ---- */
Desktop *desktop_new(Desktops *set, StoreDesktop *row);
void desktop_free(Desktop *desktop);
/* The one function that makes a move. */
void desktop_move(Desktop *desktop, DesktopEvent event, const char *reason);
/* Begins a start that waited for its slot. */
void desktop_begin(Desktop *desktop);
void desktop_vm_ended(Desktop *desktop, const char *reason);
void desktop_found(Desktop *desktop);
/* A desktop that is nothing but its seat can show nothing: it fails with that reason. */
void desktop_picture_lost(Desktop *desktop, const char *reason);
/* The hypervisor is back: what was asked of it while it was away is asked again. */
void desktop_ask_again(Desktop *desktop);

/* ---- desktop_seat.c ---- */
void desktop_seat_begin(Desktop *desktop);
void desktop_seat_adopt(Desktop *desktop, const MasterProcess *process, int fd);
gboolean desktop_seat_gone(Desktop *desktop, ProcessId id);
/* The VM is gone: the seat's clients are about to leave it. */
void desktop_seat_retire(Desktop *desktop);
/* The VM runs: give it the display that waits. */
void desktop_seat_vm_up(Desktop *desktop);
void desktop_seat_free(Desktop *desktop);

/* ---- desktops.c ---- */
void desktops_tell(Desktop *desktop);
void desktops_enqueue(Desktop *desktop);
/* Leaves queue and slot, so that others may start. */
void desktops_leave(Desktop *desktop);
