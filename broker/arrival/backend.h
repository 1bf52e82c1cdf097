/* What the control verbs ask of desktops and arrivals. Main thread only. */
#pragma once

#include "broker/arrival/arrivals.h"
#include "broker/control/control.h"
#include "broker/desktop/encoders.h"

typedef struct {
    Store *store;
    Desktops *desktops;
    Arrivals *arrivals;
    Encoders *encoders;
    GHashTable *processes;                  /* ProcessId -> MasterProcess of seats, web and probe */
    void (*need_hypervisor)(gpointer data); /* a VM's desktop was added */
    gpointer data;
    char instance[40];            /* UUID */
    char libvirt[256], virt[256]; /* for the verb status */
} Backend;

/* Its functions get a Backend as data. */
extern const ControlBackend backend_functions;
