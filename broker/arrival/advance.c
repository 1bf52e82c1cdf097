/* The way of a client to its desktop, one step at a time: start it, take the lease, wait for whoever was
 * there, be introduced; and back to a greeter when the desktop is off. */
#include "broker/arrival/arrivals_internal.h"

#include "base/log.h"

#include <string.h>

#define CONFLICTS_MAX 40
#define CONFLICT_MS 250
#define OLD_GREETER_MS 5000

static void progress(Arrival *self, GreeterPhase phase, const char *text)
{
    GreeterLine *line = arrival_line(self);
    if (line)
        greeter_line_progress(line, phase, self->chosen, text);
}

static gboolean advance_later(gpointer data)
{
    Arrival *self = data;
    self->timer = 0;
    self->busy = FALSE;
    arrival_advance(self);
    return G_SOURCE_REMOVE;
}

void arrival_advance_later(Arrival *self, guint ms)
{
    self->busy = TRUE;
    g_clear_handle_id(&self->timer, g_source_remove);
    self->timer = g_timeout_add(ms, advance_later, self);
}

gboolean arrival_is_settled(const Arrival *self)
{
    return self->connection != 0 || self->granting;
}

/* ---- a greeter ---- */

static void greeter_introduced(int error, ProcessId id, gpointer data)
{
    Arrival *self = arrival_of_key(data);

    if (!self)
        return;
    self->busy = FALSE;
    if (error) {
        arrival_advance_later(self, 1000);
        return;
    }
    self->at = self->greeter;
    arrival_greet(self);
    arrival_advance(self);
}

static void greeter_spawned(int error, ProcessId id, gpointer data)
{
    Arrivals *set = arrivals_ref(((ArrivalKey *)data)->set);
    Arrival *self = arrival_of_key(data);

    /* He may have left meanwhile. */
    if (!self && !set->dead && !error)
        arrival_end_greeter(set, id);
    arrivals_unref(set);
    if (!self)
        return;
    self->busy = FALSE;
    if (error) {
        arrival_advance_later(self, 1000);
        return;
    }
    self->greeter = id;
    self->greeter_coming = TRUE; /* arrivals_process() brings its link */
}

/* TRUE when he is at a greeter; else one is on its way. */
static gboolean at_greeter(Arrival *self)
{
    Arrivals *set = self->set;

    if (self->greeter && self->at == self->greeter)
        return TRUE;
    if (self->greeter_coming)
        return FALSE;
    self->busy = TRUE;
    if (self->greeter && g_hash_table_lookup(set->lines, &self->greeter))
        master_client_introduce(set->needs.master, self->client, self->greeter, greeter_introduced,
                                arrival_key(self));
    else
        master_client_spawn(set->needs.master, KIND_GREETER, greeter_spawned, arrival_key(self));
    return FALSE;
}

typedef struct {
    Arrivals *set;
    ProcessId greeter;
} OldGreeter;

/* One whose client has gone on to a desktop ends by itself; this is for one that does not. */
static gboolean end_old_greeter(gpointer data)
{
    OldGreeter *old = data;
    if (arrivals_unref(old->set) && g_hash_table_lookup(old->set->greeters, &old->greeter))
        master_client_end(old->set->needs.master, old->greeter, END_DONE, NULL);
    g_free(old);
    return G_SOURCE_REMOVE;
}

static void leave_greeter(Arrival *self)
{
    OldGreeter old = {self->set, self->greeter};
    if (self->greeter) {
        arrivals_ref(self->set);
        g_timeout_add(OLD_GREETER_MS, end_old_greeter, g_memdup2(&old, sizeof old));
    }
    self->greeter = 0;
}

/* ---- the lease ---- */

static void end_predecessors(Arrivals *set, const GPtrArray *connections)
{
    GHashTableIter iter;
    Arrival *other;

    for (guint i = 0; connections && i < connections->len; i++) {
        const StoreConnection *connection = connections->pdata[i];
        g_hash_table_iter_init(&iter, set->clients);
        while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&other))
            if (other->connection == connection->id) {
                log_info("%s on %s: continued on another device", other->user, other->chosen);
                arrival_end(other, END_TAKEN_OVER, NULL);
            }
    }
}

static void refuse(Arrival *self, const char *text)
{
    g_strlcpy(self->refused, text && *text ? text : "The desktop is not available now.",
              sizeof self->refused);
    progress(self, GREETER_PHASE_FAILED, self->refused);
}

static void take_lease(Arrival *self, const StoreReply *reply)
{
    self->connection = reply->id;
    self->epoch = reply->epoch;
    g_strlcpy(self->chosen, reply->desktop->name, sizeof self->chosen);
    log_info("%s on %s: connection %" G_GINT64_FORMAT " by %s from %s", self->user, self->chosen, reply->id,
             arrival_protocol(self), self->process.address);
    arrival_send_list(self);
    arrival_advance(self);
}

static void granted(StoreReply *reply, gpointer data)
{
    Arrivals *set = arrivals_ref(((ArrivalKey *)data)->set);
    Arrival *self = arrival_of_key(data);

    /* The rows of whoever was there are closed, whether or not this one is still here to follow him. */
    if (!set->dead && reply->result == STORE_OK) {
        end_predecessors(set, reply->connections);
        if (!self)
            store_connection_close(set->needs.store, reply->id, "closed", NULL, NULL);
    }
    arrivals_unref(set);
    if (!self)
        return;
    self->busy = self->granting = FALSE;
    switch (reply->result) {
    case STORE_OK:
        take_lease(self, reply);
        return;
    case STORE_CONFLICT:
        if (self->conflicts++ < CONFLICTS_MAX) {
            progress(self, GREETER_PHASE_WAITING, reply->message);
            arrival_advance_later(self, CONFLICT_MS);
            return;
        }
        break;
    case STORE_FAILED:
        refuse(self, arrival_no_database(reply));
        return;
    default:
        break;
    }
    refuse(self, reply->message);
}

static void ask_lease(Arrival *self)
{
    StoreGrant grant = {.user = self->user,
                        .desktop = self->chosen,
                        .serial = self->serial,
                        .web_session = self->web_session,
                        .protocol = arrival_protocol(self),
                        .address = self->process.address,
                        .again = self->conflicts > 0};
    self->busy = self->granting = TRUE;
    store_lease_grant(self->set->needs.store, &grant, granted, arrival_key(self));
}

/* ---- the seat ---- */

static void bound(int error, ProcessId id, gpointer data)
{
    Arrival *self = arrival_of_key(data);

    if (!self)
        return;
    self->busy = FALSE;
    if (error) {
        /* A record is written once; this client has stood for something else. */
        arrival_end(self, END_FAULT, "Please connect again.");
        return;
    }
    self->bound = TRUE;
    arrival_advance(self);
}

static void bind_client(Arrival *self)
{
    ProcessRecord record = {.epoch = self->epoch, .connection = (uint64_t)self->connection};

    g_strlcpy(record.user, self->user, sizeof record.user);
    g_strlcpy(record.desktop, self->chosen, sizeof record.desktop);
    self->busy = TRUE;
    master_client_bind(self->set->needs.master, self->client, &record, bound, arrival_key(self));
}

typedef struct {
    ArrivalKey *key;
    ProcessId seat;
} Introduction;

static void introduced(int error, ProcessId id, gpointer data)
{
    Introduction introduction = *(Introduction *)data;
    Arrival *self = arrival_of_key(introduction.key);

    g_free(data);
    if (!self)
        return;
    self->busy = FALSE;
    if (error) {
        /* ENOENT: the seat has died, and its successor is announced; else it must not spin. */
        arrival_advance_later(self, 300);
        return;
    }
    self->at = introduction.seat;
    leave_greeter(self);
    arrival_advance(self);
}

static void introduce(Arrival *self, ProcessId seat)
{
    Introduction introduction = {arrival_key(self), seat};
    self->busy = TRUE;
    master_client_introduce(self->set->needs.master, self->client, seat, introduced,
                            g_memdup2(&introduction, sizeof introduction));
}

/* The desktop runs. */
static void join(Arrival *self, Desktop *desktop)
{
    ProcessId seat = desktop_seat(desktop);

    self->start = FALSE;
    if (!seat) {
        desktop_want_seat(desktop);
        progress(self, GREETER_PHASE_JOINING, "");
    } else if (seat == self->at) {
        return;
    } else if (*self->refused) {
        progress(self, GREETER_PHASE_FAILED, self->refused);
    } else if (!self->set->reconciled) {
        progress(self, GREETER_PHASE_WAITING, "The server's database does not answer yet.");
    } else if (!self->connection) {
        progress(self, GREETER_PHASE_JOINING, "");
        ask_lease(self);
    } else if (arrivals_other_at(self->set, self)) {
        progress(self, GREETER_PHASE_WAITING, "Your connection on the other device is being closed.");
    } else if (desktop_bind(desktop, self->epoch)) {
        if (self->bound)
            introduce(self, seat);
        else
            bind_client(self);
    }
}

/* ---- all of it ---- */

void arrival_advance(Arrival *self)
{
    Desktop *desktop;

    if (self->ending || self->busy || !*self->user || !self->set->begun)
        return;
    if (!self->proven)
        arrival_prove(self);
    if (!self->proven || !*self->chosen)
        return;
    desktop = desktops_find(self->set->needs.desktops, self->chosen);
    if (!desktop) {
        if (at_greeter(self))
            progress(self, GREETER_PHASE_FAILED, "This desktop does not exist any more.");
        return;
    }
    switch (desktop_state(desktop)) {
    case DESKTOP_OFF:
    case DESKTOP_FAILED:
        if (self->start) {
            self->start = FALSE;
            progress(self, GREETER_PHASE_STARTING, "");
            desktop_start(desktop, &self->size);
        } else if (at_greeter(self)) {
            progress(self, desktop_state(desktop) == DESKTOP_OFF ? GREETER_PHASE_OFF : GREETER_PHASE_FAILED,
                     desktop_reason(desktop));
        }
        break;
    case DESKTOP_STARTING:
        self->start = FALSE;
        if (at_greeter(self))
            progress(self, *desktop_reason(desktop) ? GREETER_PHASE_WAITING : GREETER_PHASE_STARTING,
                     desktop_reason(desktop));
        break;
    case DESKTOP_STOPPING:
        /* He may watch it from where he is; a greeter says what is going on. */
        progress(self, GREETER_PHASE_WAITING, "The desktop is still shutting down.");
        break;
    case DESKTOP_RUNNING:
        join(self, desktop);
        break;
    }
}
