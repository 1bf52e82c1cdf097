/* The broker in small for tests of broker/arrival: the real store and login, fakes for fernwerkd and the
 * hypervisor; and what a person does at a greeter. User 1 is alice. */
#pragma once

#include "broker/arrival/arrivals.h"
#include "fakes.h"

#include <check.h>

#define PASSWORD "correct horse"

extern Store *store;
extern Login *login;
extern FakeMaster *master;
extern FakeHypervisor *hypervisor;
extern Desktops *desktops;
extern Arrivals *arrivals;

void set_up(void);
void tear_down(void);
/* The broker dies and starts again; store and login stay. */
void close_broker(void);
void open_broker(void);

/* Runs a store call whose callback is or calls stored(), and waits for it. */
#define STORED(CALL)                                                                                         \
    do {                                                                                                     \
        rig_pending++;                                                                                       \
        CALL;                                                                                                \
        spin_until(nothing_pending, NULL);                                                                   \
    } while (0)
/* What the database refuses from now on. */
typedef enum {
    DATABASE_TAKES_ALL,
    DATABASE_KEEPS_CONNECTIONS /* rows cannot change */,
    DATABASE_FAILS
} DatabaseMood;
void set_database(DatabaseMood mood);
/* Since then; for spin_until(). */
gboolean database_has_refused(gpointer data);

extern guint rig_pending;
gboolean nothing_pending(gpointer data);
extern StoreReply last; /* ids only */
void stored(StoreReply *reply, gpointer data);
/* Also gives reply->desktop to desktops_add(). */
void added(StoreReply *reply, gpointer data);

void add_user(const char *name);
/* user NULL: assigned to nobody. */
void add_desktop(const char *name, const char *user);

/* ---- a person ---- */

typedef union {
    GreeterHeader header;
    GreeterResult result;
    GreeterDesktops desktops;
    GreeterProgress progress;
    char bytes[GREETER_PACKET_MAX];
} Heard;
extern Heard heard;

/* Reads what the greeter is told until a packet of that type, and of that phase unless 0; it is in `heard`.
 */
void hear(FakeProcess *greeter, guint type, guint phase);
FakeProcess *greeter_of(FakeProcess *person);
void say_login(FakeProcess *person, const char *user, const char *password, const char *desktop);
void say_choose(FakeProcess *person, const char *desktop);
void say_cancel(FakeProcess *person);
FakeProcess *arrive(void);
/* Logs in, and waits until he is at the desktop unless somebody is there already. */
FakeProcess *connect_alice(void);
/* Alice has logged in and is still at her greeter. */
ProcessRecord log_in(void);
/* The broker starts again and finds somebody at a greeter. */
FakeProcess *restart_at_greeter(const ProcessRecord *record);

/* Conditions for spin_until(). */
gboolean at_seat(gpointer person);
gboolean at_a_greeter(gpointer person);
gboolean is_ended(gpointer process);
gboolean has_seat(gpointer data);
