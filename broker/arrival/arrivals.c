/* The table of clients and greeters, the master's reports, and squaring with the database. */
#include "broker/arrival/arrivals_internal.h"

#include "base/log.h"

#include <string.h>
#include <unistd.h>

#define RECONCILE_AGAIN_MS 2000

static void arrival_free(gpointer data)
{
    Arrival *self = data;
    g_clear_handle_id(&self->timer, g_source_remove);
    g_clear_pointer(&self->assigned, g_ptr_array_unref);
    g_free(self);
}

Arrivals *arrivals_new(const ArrivalsNeeds *needs)
{
    Arrivals *self = g_rc_box_new0(Arrivals);
    self->needs = *needs;
    self->clients = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, arrival_free);
    self->lines =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)greeter_line_free);
    self->greeters = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    self->revocations = g_ptr_array_new_with_free_func(revocation_free);
    return self;
}

static void clear(gpointer data)
{
    Arrivals *self = data;
    g_ptr_array_unref(self->revocations);
    g_hash_table_unref(self->lines);
    g_hash_table_unref(self->greeters);
    g_hash_table_unref(self->clients);
}

Arrivals *arrivals_ref(Arrivals *self)
{
    return g_rc_box_acquire(self);
}

gboolean arrivals_unref(Arrivals *self)
{
    gboolean dead = self->dead;
    g_rc_box_release_full(self, clear);
    return !dead;
}

void arrivals_free(Arrivals *self)
{
    if (!self)
        return;
    self->dead = TRUE;
    g_clear_handle_id(&self->reconcile_again, g_source_remove);
    g_hash_table_remove_all(self->lines);
    g_hash_table_remove_all(self->clients);
    arrivals_unref(self);
}

ArrivalKey *arrival_key(Arrival *arrival)
{
    ArrivalKey key = {arrivals_ref(arrival->set), arrival->client};
    return g_memdup2(&key, sizeof key);
}

Arrival *arrival_of_key(ArrivalKey *key)
{
    ProcessId client = key->client;
    Arrivals *set = key->set;
    Arrival *arrival;

    g_free(key);
    if (!arrivals_unref(set))
        return NULL;
    arrival = arrivals_find(set, client);
    return arrival && !arrival->ending ? arrival : NULL;
}

Arrival *arrivals_find(Arrivals *self, ProcessId client)
{
    return g_hash_table_lookup(self->clients, &client);
}

GreeterLine *arrival_line(Arrival *arrival)
{
    return arrival->greeter && !arrival->ending ? g_hash_table_lookup(arrival->set->lines, &arrival->greeter)
                                                : NULL;
}

const char *arrival_protocol(const Arrival *arrival)
{
    return arrival->process.protocol == CLIENT_RDP   ? "rdp"
           : arrival->process.protocol == CLIENT_VNC ? "vnc"
                                                     : "web";
}

void arrival_end(Arrival *arrival, EndReason reason, const char *text)
{
    if (arrival->ending)
        return;
    arrival->ending = TRUE;
    master_client_end(arrival->set->needs.master, arrival->client, reason, text);
}

void arrival_end_greeter(Arrivals *set, ProcessId greeter)
{
    if (greeter)
        master_client_end(set->needs.master, greeter, END_DONE, NULL);
}

/* ---- who is where ---- */

Arrival *arrivals_other_at(Arrivals *self, const Arrival *arrival)
{
    GHashTableIter iter;
    Arrival *other;

    g_hash_table_iter_init(&iter, self->clients);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&other))
        if (other != arrival && other->connection && g_ascii_strcasecmp(other->chosen, arrival->chosen) == 0)
            return other;
    return NULL;
}

void arrivals_count_users(Arrivals *self, const char *name)
{
    Desktop *desktop = *name ? desktops_find(self->needs.desktops, name) : NULL;
    GHashTableIter iter;
    Arrival *arrival;
    guint users = 0;

    if (!desktop)
        return;
    g_hash_table_iter_init(&iter, self->clients);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&arrival))
        users += !arrival->ending && g_ascii_strcasecmp(arrival->chosen, name) == 0;
    desktop_set_users(desktop, users);
}

/* Keys, because what one does may end others. */
static GArray *all_clients(Arrivals *self)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(ProcessId));
    GHashTableIter iter;
    Arrival *arrival;

    g_hash_table_iter_init(&iter, self->clients);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&arrival))
        g_array_append_val(ids, arrival->client);
    return ids;
}

void arrivals_desktop_changed(Arrivals *self, Desktop *desktop)
{
    g_autoptr(GArray) ids = all_clients(self);

    for (guint i = 0; i < ids->len; i++) {
        Arrival *arrival = arrivals_find(self, g_array_index(ids, ProcessId, i));
        if (!arrival)
            continue;
        arrival_send_list(arrival);
        if (g_ascii_strcasecmp(arrival->chosen, desktop_name(desktop)) == 0)
            arrival_advance(arrival);
    }
}

void arrivals_assigned(Arrivals *self, const char *user)
{
    GHashTableIter iter;
    Arrival *arrival;

    g_hash_table_iter_init(&iter, self->clients);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&arrival))
        if (*arrival->user && (!user || g_ascii_strcasecmp(arrival->user, user) == 0))
            arrival_list(arrival);
}

/* ---- the master's reports ---- */

static Arrival *make_arrival(Arrivals *self, ProcessId client)
{
    Arrival *arrival = g_new0(Arrival, 1);
    arrival->set = self;
    arrival->client = client;
    arrival->process.id = client;
    g_hash_table_insert(self->clients, &arrival->client, arrival);
    return arrival;
}

static void take_client(Arrivals *self, const MasterProcess *process)
{
    Arrival *arrival = arrivals_find(self, process->id);

    if (!arrival)
        arrival = make_arrival(self, process->id);
    arrival->process = *process;
    arrival->at = process->at;
    g_strlcpy(arrival->user, process->record.user, sizeof arrival->user);
    if (*process->record.desktop)
        g_strlcpy(arrival->chosen, process->record.desktop, sizeof arrival->chosen);
    arrival->connection = (gint64)process->record.connection;
    arrival->epoch = process->record.epoch;
    arrival->bound = arrival->connection != 0;
    arrival->serial = (gint64)process->record.serial;
    arrival->web_session = (gint64)process->record.web_session;
    /* A connection that is open in the database is the proof itself: what ends a login closes it. */
    arrival->proven = arrival->bound;
}

static void take_greeter(Arrivals *self, const MasterProcess *process, int fd)
{
    MasterProcess *kept = g_memdup2(process, sizeof *process);
    ProcessId *key = g_memdup2(&process->id, sizeof process->id);
    Arrival *arrival;

    g_hash_table_replace(self->greeters, &kept->id, kept);
    if (fd >= 0)
        g_hash_table_replace(self->lines, key, greeter_line_new(fd, &arrival_line_events, self));
    else
        g_free(key);
    /* Living ones come before their clients: arrivals_reconcile() joins those. */
    arrival = process->client ? arrivals_find(self, process->client) : NULL;
    if (!arrival)
        return;
    arrival->greeter = process->id;
    arrival->greeter_coming = FALSE;
    arrival->at = process->id;
}

void arrivals_process(Arrivals *self, const MasterProcess *process, int fd)
{
    GHashTableIter iter;
    Arrival *arrival;

    if (process->kind != KIND_GREETER) {
        if (fd >= 0)
            close(fd);
        take_client(self, process);
        return;
    }
    take_greeter(self, process, fd);
    /* One that we asked for has no client yet. */
    g_hash_table_iter_init(&iter, self->clients);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&arrival)) {
        if (arrival->greeter == process->id && arrival->greeter_coming) {
            arrival->greeter_coming = FALSE;
            arrival_advance(arrival);
            return;
        }
    }
}

void arrivals_arrived(Arrivals *self, const MasterArrival *report)
{
    Arrival *arrival = arrivals_find(self, report->client);

    if (!arrival) {
        arrival = make_arrival(self, report->client);
        arrival->process.protocol = report->protocol;
        g_strlcpy(arrival->process.address, report->address, sizeof arrival->process.address);
    }
    arrival->greeter = report->greeter;
    arrival->greeter_coming = FALSE;
    arrival->at = report->greeter;
    arrival_greet(arrival);
}

static void client_gone(Arrivals *self, const MasterProcessGone *gone)
{
    Arrival *arrival = arrivals_find(self, gone->id);
    g_autoptr(GArray) others = NULL;
    char desktop[SEAT_NAME_MAX];

    if (!arrival)
        return;
    g_strlcpy(desktop, arrival->chosen, sizeof desktop);
    if (arrival->connection)
        store_connection_close(self->needs.store, arrival->connection,
                               gone->reason == END_FAULT ? "fault" : "closed", NULL, NULL);
    /* One that he was not introduced to yet would wait for him for ever. */
    arrival_end_greeter(self, arrival->greeter);
    g_hash_table_remove(self->clients, &gone->id);
    revocations_gone(self, gone->id);
    arrivals_count_users(self, desktop);
    others = all_clients(self);
    for (guint i = 0; i < others->len && *desktop; i++) {
        Arrival *other = arrivals_find(self, g_array_index(others, ProcessId, i));
        if (other && g_ascii_strcasecmp(other->chosen, desktop) == 0)
            arrival_advance(other);
    }
}

static void greeter_gone(Arrivals *self, ProcessId id)
{
    GHashTableIter iter;
    Arrival *arrival;

    g_hash_table_remove(self->lines, &id);
    g_hash_table_remove(self->greeters, &id);
    g_hash_table_iter_init(&iter, self->clients);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&arrival)) {
        if (arrival->greeter != id)
            continue;
        arrival->greeter = 0;
        arrival->greeter_coming = FALSE;
        /* Who was still at it gets a new one from the master at once (arrivals_arrived()). */
        if (arrival->at == id)
            arrival->at = 0;
    }
}

void arrivals_gone(Arrivals *self, const MasterProcessGone *gone)
{
    if (gone->kind == KIND_GREETER) {
        greeter_gone(self, gone->id);
    } else if (gone->kind == KIND_SEAT) {
        GHashTableIter iter;
        Arrival *arrival;
        g_hash_table_iter_init(&iter, self->clients);
        while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&arrival))
            if (arrival->at == gone->id)
                arrival->at = 0;
    } else {
        client_gone(self, gone);
    }
}

void arrivals_processes(Arrivals *self, GArray *processes)
{
    GHashTableIter iter;
    Arrival *arrival;
    MasterProcess *greeter;

    g_hash_table_iter_init(&iter, self->clients);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&arrival)) {
        MasterProcess process = arrival->process;
        g_strlcpy(process.record.user, arrival->user, sizeof process.record.user);
        if (arrival->connection)
            g_strlcpy(process.record.desktop, arrival->chosen, sizeof process.record.desktop);
        g_array_append_val(processes, process);
    }
    g_hash_table_iter_init(&iter, self->greeters);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&greeter))
        g_array_append_val(processes, *greeter);
}

/* ---- after a start ---- */

/* Leases that were on their way back when the broker before us died. */
static void return_leases(Arrivals *self)
{
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    StoreRevoked nothing = {.connections = none, .leases = none};
    arrivals_revoke(self, &nothing, END_REVOKED, NULL, NULL, NULL);
}

/* Greeters and their clients find each other; one that nobody is at, and nobody is on the way to, is ended.
 */
static void join_greeters(Arrivals *self)
{
    GHashTableIter iter;
    MasterProcess *greeter;

    g_hash_table_iter_init(&iter, self->greeters);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&greeter)) {
        Arrival *arrival = greeter->client ? arrivals_find(self, greeter->client) : NULL;
        if (arrival && arrival->at == greeter->id)
            arrival->greeter = greeter->id;
        else
            arrival_end_greeter(self, greeter->id);
    }
}

static void begin(Arrivals *self)
{
    g_autoptr(GArray) ids = all_clients(self);

    self->begun = TRUE;
    join_greeters(self);
    for (guint i = 0; i < ids->len; i++) {
        Arrival *arrival = arrivals_find(self, g_array_index(ids, ProcessId, i));
        if (!arrival || arrival->ending)
            continue;
        arrivals_count_users(self, arrival->chosen);
        if (*arrival->user && arrival->proven)
            arrival_list(arrival);
        arrival_greet(arrival);
        arrival_advance(arrival);
    }
}

/* Those who wait for a lease. */
static void go_on(Arrivals *self)
{
    g_autoptr(GArray) ids = all_clients(self);

    for (guint i = 0; i < ids->len; i++) {
        Arrival *arrival = arrivals_find(self, g_array_index(ids, ProcessId, i));
        if (arrival)
            arrival_advance(arrival);
    }
}

static const StoreConnection *find_open(const GPtrArray *connections, gint64 id)
{
    for (guint i = 0; i < connections->len; i++) {
        const StoreConnection *connection = connections->pdata[i];
        if (connection->id == id)
            return connection;
    }
    return NULL;
}

/* A browser's address never was in the master's hands; the row has it. */
static void reconcile_client(Arrival *arrival, const GPtrArray *connections)
{
    const StoreConnection *connection = find_open(connections, arrival->connection);

    if (connection && !*arrival->process.address) {
        g_strlcpy(arrival->process.address, connection->address, sizeof arrival->process.address);
    } else if (!connection) {
        log_info("%s on %s: the connection is not in the database and is ended", arrival->user,
                 arrival->chosen);
        arrival_end(arrival, END_REVOKED, NULL);
    }
}

static gboolean reconcile_again(gpointer data)
{
    Arrivals *self = data;
    self->reconcile_again = 0;
    arrivals_reconcile(self);
    return G_SOURCE_REMOVE;
}

/* Who is connected stays so meanwhile; nobody else is let to a desktop, because the row of a connection that
 * is no more would pass for his predecessor. */
static void reconcile_later(Arrivals *self, const StoreReply *reply)
{
    if (!self->begun)
        log_error("the database cannot be squared with what runs; tried again until it can: %s",
                  reply->error ? reply->error->message : "");
    self->reconcile_again = g_timeout_add(RECONCILE_AGAIN_MS, reconcile_again, self);
}

static void reconciled(StoreReply *reply, gpointer data)
{
    Arrivals *self = data;
    g_autoptr(GArray) ids = NULL;

    if (!arrivals_unref(self))
        return;
    if (reply->result != STORE_OK) {
        reconcile_later(self, reply);
        if (!self->begun)
            begin(self);
        return;
    }
    ids = all_clients(self);
    for (guint i = 0; i < ids->len; i++) {
        Arrival *arrival = arrivals_find(self, g_array_index(ids, ProcessId, i));
        if (arrival && arrival->connection)
            reconcile_client(arrival, reply->connections);
    }
    self->reconciled = TRUE;
    if (self->begun) {
        log_info("the database is squared with what runs");
        go_on(self);
    } else {
        begin(self);
    }
    return_leases(self);
}

void arrivals_reconcile(Arrivals *self)
{
    g_autoptr(GArray) living = g_array_new(FALSE, FALSE, sizeof(gint64));
    GHashTableIter iter;
    Arrival *arrival;

    g_clear_handle_id(&self->reconcile_again, g_source_remove);
    g_hash_table_iter_init(&iter, self->clients);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&arrival))
        if (arrival->connection)
            g_array_append_val(living, arrival->connection);
    store_reconcile(self->needs.store, (const gint64 *)(gpointer)living->data, living->len, reconciled,
                    arrivals_ref(self));
}
