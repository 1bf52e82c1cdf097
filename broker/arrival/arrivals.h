/* Everyone who is connected: client processes, who is at them, where they are and where they are to be. Main
 * thread only. */
#pragma once

#include "broker/arrival/master_client.h"
#include "broker/desktop/desktops.h"
#include "broker/login/login.h"
#include "broker/store/store.h"

typedef struct Arrivals Arrivals;

typedef struct {
    MasterClient *master;
    Store *store;
    Login *login;
    Desktops *desktops;
} ArrivalsNeeds;

/* All of `needs` is borrowed. */
Arrivals *arrivals_new(const ArrivalsNeeds *needs);
void arrivals_free(Arrivals *arrivals);

/* The master's reports about clients and greeters. fd is taken over. */
void arrivals_process(Arrivals *arrivals, const MasterProcess *process, int fd);
void arrivals_arrived(Arrivals *arrivals, const MasterArrival *arrival);
void arrivals_gone(Arrivals *arrivals, const MasterProcessGone *gone);
/* All living processes are known: squares them with the database (I12), again and again until that has
 * worked. Nobody is let to a desktop before. */
void arrivals_reconcile(Arrivals *arrivals);

/* The state of a desktop, or its seat, has changed. */
void arrivals_desktop_changed(Arrivals *arrivals, Desktop *desktop);
/* A user got or lost a desktop: greeters that show his list show it anew. */
void arrivals_assigned(Arrivals *arrivals, const char *user);

typedef void (*ArrivalsDone)(gpointer data);
/* Ends the processes of what was revoked and gives leases back that nobody is entitled to any more; `done`
 * when that has happened. `revoked` is copied. */
void arrivals_revoke(Arrivals *arrivals, const StoreRevoked *revoked, EndReason reason, const char *text,
                     ArrivalsDone done, gpointer data);

/* Appends a MasterProcess for each client and greeter. */
void arrivals_processes(Arrivals *arrivals, GArray *processes);
