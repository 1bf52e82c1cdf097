/* What the files of broker/arrival share. */
#pragma once

#include "broker/arrival/arrivals.h"
#include "broker/arrival/greeter_line.h"

/* One client process and the person at it. What it does next follows from these fields alone
 * (arrival_advance()), so that a seat's death, a VM's death, a takeover and a restart of the broker are no
 * cases of their own. */
typedef struct {
    Arrivals *set;
    ProcessId client;
    MasterProcess process; /* as the master reported it */
    gboolean ending;       /* we have asked for its end */
    gboolean busy;         /* a request of advance() is under way */
    gboolean checking;     /* a password or ticket is being checked */

    ProcessId greeter; /* the one that serves him, 0 none */
    gboolean greeter_coming;
    ProcessId at; /* greeter or seat to which he was introduced last */

    char user[SEAT_NAME_MAX]; /* "" until logged in */
    gint64 serial, web_session;
    gboolean proven; /* that this login holds; FALSE for one that an earlier broker took, until it is asked */
    gboolean proving;           /* it is being asked */
    GPtrArray *assigned;        /* names of his desktops; NULL: not known yet */
    gboolean listing, list_old; /* a list is on its way; it is out of date already */

    char wanted[SEAT_NAME_MAX];  /* brought along by file or ticket */
    char chosen[SEAT_NAME_MAX];  /* where he is to be; fixed once he is settled */
    gboolean start;              /* chosen by him just now: start it when it is off */
    char denied[SEAT_NAME_MAX];  /* not his, asked for last; "" when he has chosen another since */
    gboolean denying;            /* that is being written to the audit */
    char refused[SEAT_TEXT_MAX]; /* why the lease was not granted; "" */
    gboolean granting;           /* the lease is being asked for: the choice is made */
    gint64 connection;           /* to `chosen`, the store's number; 0: no lease granted */
    uint64_t epoch;
    gboolean bound;  /* the master knows desktop, epoch and connection */
    guint conflicts; /* grants that found another's lease not given back yet */
    guint timer;
    SeatSizeHint size;
} Arrival;

typedef struct Revocation Revocation;

struct Arrivals {
    ArrivalsNeeds needs;
    GHashTable *clients;    /* ProcessId -> Arrival */
    GHashTable *lines;      /* ProcessId of a greeter -> GreeterLine */
    GHashTable *greeters;   /* ProcessId of a greeter -> MasterProcess */
    GPtrArray *revocations; /* of Revocation */
    gboolean begun;         /* all living processes are known */
    gboolean reconciled;    /* and squared with the database: leases may be taken */
    guint reconcile_again;
    gboolean dead;
};

/* For callbacks that may come after arrivals_free(); unref tells whether the set still lives. */
Arrivals *arrivals_ref(Arrivals *set);
gboolean arrivals_unref(Arrivals *set);

/* An answer for an arrival that may be gone by then. */
typedef struct {
    Arrivals *set;
    ProcessId client;
} ArrivalKey;
ArrivalKey *arrival_key(Arrival *arrival);
/* Frees the key. NULL: gone, or about to be. */
Arrival *arrival_of_key(ArrivalKey *key);

/* ---- arrivals.c ---- */
Arrival *arrivals_find(Arrivals *set, ProcessId client);
GreeterLine *arrival_line(Arrival *arrival); /* NULL: no greeter is there */
const char *arrival_protocol(const Arrival *arrival);
void arrival_end(Arrival *arrival, EndReason reason, const char *text);
void arrival_end_greeter(Arrivals *set, ProcessId greeter);
/* Another living client that has been let to his desktop; NULL: nobody. */
Arrival *arrivals_other_at(Arrivals *set, const Arrival *arrival);
void arrivals_count_users(Arrivals *set, const char *desktop);

/* ---- advance.c ---- */
/* Does the next step towards `chosen`, if there is one now. */
void arrival_advance(Arrival *arrival);
/* Nothing before that. */
void arrival_advance_later(Arrival *arrival, guint ms);
/* TRUE when he stands for one desktop from now on, for the rest of his client's life. */
gboolean arrival_is_settled(const Arrival *arrival);

/* ---- entry.c ---- */
extern const GreeterLineEvents arrival_line_events;
/* Logs why a call failed; returns what a person is told of it. */
const char *arrival_no_database(const StoreReply *reply);
/* Asks whether the login still holds, tells his greeter, and goes on. */
void arrival_prove(Arrival *arrival);
/* His greeter is new: tells it what is known. */
void arrival_greet(Arrival *arrival);
void arrival_list(Arrival *arrival);
void arrival_send_list(Arrival *arrival);

/* ---- revoke.c ---- */
void revocations_gone(Arrivals *set, ProcessId client);
void revocation_free(gpointer data);
