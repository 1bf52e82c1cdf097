/* All desktops of this node, and what reports about them: the hypervisor and fernwerkd. Main thread only. */
#pragma once

#include "broker/desktop/desktop.h"
#include "broker/virt/hypervisor.h"

typedef struct Desktops Desktops;

typedef struct {
    guint start_timeout_s, stop_timeout_s;
    guint starts_max;   /* desktops that start at a time; more wait */
    guint seat_idle_ms; /* a VM's seat at which nobody looks ends then */
} DesktopsSettings;

typedef struct {
    /* State, reason or seat has changed. From the main loop, never from inside a call. */
    void (*changed)(Desktop *desktop, gpointer data);
} DesktopsEvents;

Desktops *desktops_new(MasterClient *master, const DesktopsSettings *settings, const DesktopsEvents *events,
                       gpointer data);
void desktops_free(Desktops *desktops);

/* The hypervisor, borrowed; without one VMs fail to start with `why`. Its events go to the three functions
 * below. */
void desktops_set_hypervisor(Desktops *desktops, Hypervisor *hypervisor, const char *why);
void desktops_hypervisor_up(Desktops *desktops, GPtrArray *running);
void desktops_hypervisor_down(Desktops *desktops, const GError *error);
void desktops_vm_ended(Desktops *desktops, const char *uuid, const char *reason);

/* Follows a desktop from now on; the row is taken over. */
Desktop *desktops_add(Desktops *desktops, StoreDesktop *row);
Desktop *desktops_find(Desktops *desktops, const char *name);
void desktops_each(Desktops *desktops, void (*visit)(Desktop *desktop, gpointer data), gpointer data);

/* The master's reports about seats. FALSE: no desktop wants this seat: it must be ended (fd stays the
 * caller's). */
gboolean desktops_take_seat(Desktops *desktops, const MasterProcess *process, int fd);
/* TRUE when it was a seat of ours. */
gboolean desktops_seat_gone(Desktops *desktops, ProcessId id);

/* The desktop whose seat that is; NULL: none's. */
Desktop *desktops_of_seat(Desktops *desktops, ProcessId id);

/* What seats started from now on encode with (GStreamer elements; "": none). */
void desktops_set_encoders(Desktops *desktops, const char *hardware, const char *software);
