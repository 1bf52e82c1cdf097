/* The broker in small for tests of broker/arrival: the real store and login, fakes for fernwerkd and the
 * hypervisor; and what a person does at a greeter. */
#include "rig.h"

#include "broker/store/store_internal.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static char *folder;
static Config *config;
Store *store;
Login *login;
FakeMaster *master;
FakeHypervisor *hypervisor;
static MasterClient *client;
Desktops *desktops;
Arrivals *arrivals;
guint rig_pending;

/* ---- the broker in small ---- */

static void on_process(const MasterProcess *process, int fd, gpointer data)
{
    if (!arrivals && fd >= 0)
        close(fd);
    else if (process->kind != KIND_SEAT)
        arrivals_process(arrivals, process, fd);
    else if (!desktops_take_seat(desktops, process, fd))
        close(fd);
}

static void on_arrival(const MasterArrival *arrival, gpointer data)
{
    if (arrivals)
        arrivals_arrived(arrivals, arrival);
}

static void on_gone(const MasterProcessGone *gone, gpointer data)
{
    if (!arrivals)
        return;
    arrivals_gone(arrivals, gone);
    if (gone->kind == KIND_SEAT)
        desktops_seat_gone(desktops, gone->id);
}

static void on_living_end(gpointer data)
{
    arrivals_reconcile(arrivals);
}

static void on_changed(Desktop *desktop, gpointer data)
{
    if (arrivals)
        arrivals_desktop_changed(arrivals, desktop);
}

gboolean nothing_pending(gpointer data)
{
    return rig_pending == 0;
}

StoreReply last;

void stored(StoreReply *reply, gpointer data)
{
    ck_assert_msg(reply->result == STORE_OK, "%s", reply->message ? reply->message : reply->error->message);
    last.id = reply->id;
    last.epoch = reply->epoch;
    rig_pending--;
}

void added(StoreReply *reply, gpointer data)
{
    stored(reply, data);
    desktops_add(desktops, g_steal_pointer(&reply->desktop));
}

/* ---- a database that refuses ---- */

static gint mood; /* read on the store's thread */
static gint refusals;

static gboolean refuses(int action, const char *what)
{
    switch (g_atomic_int_get(&mood)) {
    case DATABASE_FAILS:
        return action == SQLITE_TRANSACTION && strcmp(what, "BEGIN") == 0;
    case DATABASE_KEEPS_CONNECTIONS:
        return action == SQLITE_UPDATE && strcmp(what, "connections") == 0;
    default:
        return FALSE;
    }
}

static int authorize(gpointer data, int action, const char *a, const char *b, const char *c, const char *d)
{
    if (!refuses(action, a))
        return SQLITE_OK;
    g_atomic_int_inc(&refusals);
    return SQLITE_DENY;
}

gboolean database_has_refused(gpointer data)
{
    return g_atomic_int_get(&refusals) > 0;
}

/* SQLite asks when it prepares: this has it prepare everything anew. */
static void watch(StoreJob *job)
{
    sqlite3_set_authorizer(store_database(job->store), authorize, NULL);
}

void set_database(DatabaseMood wanted)
{
    g_atomic_int_set(&mood, DATABASE_TAKES_ALL);
    STORED(store_submit(store_job(store, watch, stored, NULL)));
    g_atomic_int_set(&refusals, 0);
    g_atomic_int_set(&mood, wanted);
}

static void hashed(const char *hash, gpointer name)
{
    ck_assert_ptr_nonnull(hash);
    store_user_add(store, "broker", name, FALSE, hash, stored, NULL);
}

void add_user(const char *name)
{
    STORED(password_hash(login_hasher(login), PASSWORD, hashed, (gpointer)name));
}

void add_desktop(const char *name, const char *user)
{
    g_autofree char *uuid = g_uuid_string_random(), *disk = g_strdup_printf("/nowhere/%s", name);
    STORED(store_desktop_create(store, "broker", name, "t", name, uuid, disk, added, NULL));
    if (user)
        STORED(store_assign(store, "broker", name, user, stored, NULL));
}

void open_broker(void)
{
    static const MasterEvents events = {on_process, on_arrival, on_gone, on_living_end};
    static const DesktopsEvents desktop_events = {on_changed};
    DesktopsSettings settings = {
        .start_timeout_s = 60, .stop_timeout_s = 60, .starts_max = 8, .seat_idle_ms = 60000};
    g_autoptr(GPtrArray) none = g_ptr_array_new();

    master = fake_master_new();
    hypervisor = fake_hypervisor_new();
    client = master_client_new(master->broker_end, &events, NULL);
    desktops = desktops_new(client, &settings, &desktop_events, NULL);
    desktops_set_hypervisor(desktops, &hypervisor->base, NULL);
    desktops_hypervisor_up(desktops, none);
    arrivals = arrivals_new(&(ArrivalsNeeds){client, store, login, desktops});
}

void set_up(void)
{
    StoreTemplate template = {"t", "vm", "", "/k", "", "", "bios", "virtio", "us", "", 64, 1, 800, 600};
    g_autofree char *path = NULL, *text = NULL;
    g_autoptr(GError) error = NULL;

    g_atomic_int_set(&mood, DATABASE_TAKES_ALL);
    folder = g_dir_make_tmp("arrival-XXXXXX", NULL);
    path = g_build_filename(folder, "db", NULL);
    text = g_strdup_printf(
        "[fernwerk]\nstate_dir = %s\n[broker]\nargon2_memory_kib = 8192\nargon2_passes = 1\n", folder);
    config = config_parse("test", text, strlen(text), &error);
    ck_assert_msg(config != NULL, "%s", error ? error->message : "");
    store = store_open(path, "test", &error);
    ck_assert_msg(store != NULL, "%s", error ? error->message : "");
    login = login_new(store, config, &error);
    ck_assert_msg(login != NULL, "%s", error ? error->message : "");
    STORED(store_template_add(store, "broker", &template, stored, NULL));
    open_broker();
    add_user("alice");
    fake_master_living_end(master);
    spin();
}

void close_broker(void)
{
    g_clear_pointer(&arrivals, arrivals_free);
    g_clear_pointer(&desktops, desktops_free);
    spin();
    master_client_free(client);
    fake_master_free(master);
    hypervisor_free(&hypervisor->base);
}

void tear_down(void)
{
    g_autofree char *command = g_strdup_printf("rm -r %s", folder);
    close_broker();
    login_free(login);
    store_close(store);
    config_free(config);
    ck_assert(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    g_free(folder);
}

/* ---- a person at a greeter ---- */

Heard heard;

typedef struct {
    FakeProcess *greeter;
    guint type, phase;
} Wish;

static gboolean hears(gpointer data)
{
    const Wish *wish = data;
    gsize length;
    int descriptor;
    guint count;

    while (packet_receive(wish->greeter->link, &heard, sizeof heard, &length, &descriptor, 1, &count) ==
           PACKET_OK)
        if (heard.header.type == wish->type && (!wish->phase || heard.progress.phase == wish->phase))
            return TRUE;
    return FALSE;
}

void hear(FakeProcess *greeter, guint type, guint phase)
{
    Wish wish = {greeter, type, phase};
    spin_until(hears, &wish);
}

FakeProcess *greeter_of(FakeProcess *person)
{
    spin();
    FakeProcess *greeter = fake_master_find(master, person->at);
    ck_assert(greeter && greeter->kind == KIND_GREETER);
    return greeter;
}

void say_login(FakeProcess *person, const char *user, const char *password, const char *desktop)
{
    GreeterLogin packet = {.header = {.type = GREETER_LOGIN, .size = sizeof packet}};
    g_strlcpy(packet.user, user, sizeof packet.user);
    g_strlcpy(packet.password, password, sizeof packet.password);
    g_strlcpy(packet.desktop, desktop, sizeof packet.desktop);
    ck_assert_int_eq(packet_send(greeter_of(person)->link, &packet, sizeof packet, NULL, 0), PACKET_OK);
}

void say_choose(FakeProcess *person, const char *desktop)
{
    GreeterChoose packet = {.header = {.type = GREETER_CHOOSE, .size = sizeof packet}};
    g_strlcpy(packet.desktop, desktop, sizeof packet.desktop);
    ck_assert_int_eq(packet_send(greeter_of(person)->link, &packet, sizeof packet, NULL, 0), PACKET_OK);
}

void say_cancel(FakeProcess *person)
{
    GreeterHeader packet = {.type = GREETER_CANCEL, .size = sizeof packet};
    ck_assert_int_eq(packet_send(greeter_of(person)->link, &packet, sizeof packet, NULL, 0), PACKET_OK);
}

FakeProcess *arrive(void)
{
    FakeProcess *person = fake_master_arrive(master, CLIENT_RDP, "10.0.0.1");
    spin();
    return person;
}

gboolean at_seat(gpointer person)
{
    FakeProcess *at = fake_master_find(master, ((FakeProcess *)person)->at);
    return at && at->kind == KIND_SEAT;
}

gboolean at_a_greeter(gpointer person)
{
    FakeProcess *at = fake_master_find(master, ((FakeProcess *)person)->at);
    return at && at->kind == KIND_GREETER;
}

gboolean is_ended(gpointer process)
{
    return ((FakeProcess *)process)->ended;
}

gboolean has_seat(gpointer data)
{
    return fake_master_newest(master, KIND_SEAT) != NULL;
}

FakeProcess *connect_alice(void)
{
    FakeProcess *person = arrive();
    gboolean runs = fake_master_newest(master, KIND_SEAT) != NULL;

    say_login(person, "alice", PASSWORD, "");
    hear(greeter_of(person), GREETER_RESULT, 0);
    ck_assert_uint_eq(heard.result.result, SEAT_LOGIN_OK);
    if (!runs) {
        spin_until(has_seat, NULL);
        fake_seat_picture(fake_master_newest(master, KIND_SEAT));
        spin_until(at_seat, person);
    }
    return person;
}

ProcessRecord log_in(void)
{
    FakeProcess *person = arrive();
    say_login(person, "alice", PASSWORD, "");
    hear(greeter_of(person), GREETER_RESULT, 0);
    spin();
    ck_assert_uint_eq(person->record.serial, 1);
    return person->record;
}

FakeProcess *restart_at_greeter(const ProcessRecord *record)
{
    ProcessRecord nobody = {0};
    FakeProcess *greeter, *person;

    close_broker();
    open_broker();
    greeter = fake_master_living(master, KIND_GREETER, &nobody, 0);
    person = fake_master_living(master, KIND_RDP, record, greeter->id);
    fake_master_living_end(master);
    return person;
}
