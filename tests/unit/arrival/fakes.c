/* The fakes' few rules: what fernwerkd checks where a test depends on it, and VMs that are only names. */
#include "fakes.h"

#include "base/proto/seat_control.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

void spin(void)
{
    for (guint i = 0; i < 3; i++)
        while (g_main_context_iteration(NULL, FALSE))
            continue;
}

void spin_until(gboolean (*condition)(gpointer data), gpointer data)
{
    gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    while (!condition(data)) {
        ck_assert_int_lt(g_get_monotonic_time(), deadline);
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(500);
    }
}

/* ---- fernwerkd ---- */

static void process_free(gpointer data)
{
    FakeProcess *process = data;
    if (process->link >= 0)
        close(process->link);
    g_free(process);
}

FakeProcess *fake_master_find(FakeMaster *self, ProcessId id)
{
    for (guint i = 0; i < self->processes->len; i++) {
        FakeProcess *process = self->processes->pdata[i];
        if (process->id == id)
            return process;
    }
    return NULL;
}

FakeProcess *fake_master_newest(FakeMaster *self, ProcessKind kind)
{
    for (guint i = self->processes->len; i > 0; i--) {
        FakeProcess *process = self->processes->pdata[i - 1];
        if (process->kind == kind)
            return process;
    }
    return NULL;
}

static FakeProcess *add(FakeMaster *self, ProcessKind kind)
{
    FakeProcess *process = g_new0(FakeProcess, 1);
    process->id = self->next++;
    process->kind = kind;
    process->link = -1;
    g_ptr_array_add(self->processes, process);
    return process;
}

static void announce(FakeMaster *self, FakeProcess *process, ProcessId client, gboolean living,
                     guint protocol, const char *address)
{
    MasterProcess packet = {.header = {.type = MASTER_PROCESS, .size = sizeof packet},
                            .id = process->id,
                            .kind = process->kind,
                            .living = living,
                            .record = process->record,
                            .client = client,
                            .at = process->at,
                            .protocol = protocol};
    int ends[2] = {-1, -1};

    g_strlcpy(packet.address, address, sizeof packet.address);
    if (process->kind == KIND_SEAT || process->kind == KIND_GREETER || process->kind == KIND_PROBE) {
        ck_assert(packet_pair(ends, NULL));
        process->link = ends[0];
    }
    packet_link_send(self->link, &packet, sizeof packet, &ends[1], ends[1] >= 0);
    if (ends[1] >= 0)
        close(ends[1]);
}

static int bind_record(FakeProcess *process, const ProcessRecord *wish)
{
    ProcessRecord *record = &process->record;
    if ((*wish->user && *record->user && strcmp(wish->user, record->user) != 0) ||
        (*wish->desktop && *record->desktop && strcmp(wish->desktop, record->desktop) != 0) ||
        (wish->epoch && record->epoch && wish->epoch != record->epoch))
        return EEXIST;
    if (*wish->user)
        g_strlcpy(record->user, wish->user, sizeof record->user);
    if (*wish->desktop)
        g_strlcpy(record->desktop, wish->desktop, sizeof record->desktop);
    record->epoch = wish->epoch ? wish->epoch : record->epoch;
    record->connection = wish->connection ? wish->connection : record->connection;
    record->serial = wish->serial ? wish->serial : record->serial;
    record->web_session = wish->web_session ? wish->web_session : record->web_session;
    return 0;
}

static int introduce(FakeMaster *self, const RequestIntroduce *request)
{
    FakeProcess *client = fake_master_find(self, request->a), *seat = fake_master_find(self, request->b);
    if (!client || !seat)
        return ENOENT;
    if (seat->kind == KIND_SEAT &&
        (strcmp(client->record.desktop, seat->record.desktop) != 0 ||
         client->record.epoch != seat->record.epoch || !seat->record.epoch || !*client->record.user))
        return EPERM;
    client->at = seat->id;
    self->introductions++;
    return 0;
}

static void received(PacketLink *link, const void *packet, gsize length, int *descriptors, guint count,
                     gpointer data)
{
    FakeMaster *self = data;
    const RequestHeader *header = packet;
    MasterReply reply = {.header = {.type = MASTER_REPLY, .size = sizeof reply}, .request = header->request};
    FakeProcess *spawned = NULL;

    self->repeats += self->mute;
    if (self->mute)
        return;
    if (header->header.type == REQUEST_SPAWN) {
        spawned = add(self, ((const RequestSpawn *)packet)->kind);
        reply.id = spawned->id;
        self->spawns++;
    } else if (header->header.type == REQUEST_BIND) {
        const RequestBind *request = packet;
        FakeProcess *process = fake_master_find(self, request->id);
        reply.error = process ? bind_record(process, &request->record) : ENOENT;
    } else if (header->header.type == REQUEST_INTRODUCE) {
        reply.error = introduce(self, packet);
    } else if (header->header.type == REQUEST_END) {
        FakeProcess *process = fake_master_find(self, ((const RequestEnd *)packet)->id);
        if (process) {
            process->ended = TRUE;
            process->end_reason = ((const RequestEnd *)packet)->reason;
        }
    }
    packet_link_send(self->link, &reply, sizeof reply, NULL, 0);
    if (spawned)
        announce(self, spawned, 0, FALSE, 0, "");
}

static void closed(PacketLink *link, gboolean broken, gpointer data)
{
}

FakeMaster *fake_master_new(void)
{
    FakeMaster *self = g_new0(FakeMaster, 1);
    int ends[2];
    ck_assert(packet_pair(ends, NULL));
    self->broker_end = ends[1];
    self->next = 1;
    self->living_address = "10.0.0.1";
    self->processes = g_ptr_array_new_with_free_func(process_free);
    self->link = packet_link_new(ends[0], NULL, MASTER_PACKET_MAX, 256, received, closed, self);
    return self;
}

void fake_master_free(FakeMaster *self)
{
    packet_link_free(self->link);
    g_ptr_array_unref(self->processes);
    g_free(self);
}

static void give_greeter(FakeMaster *self, FakeProcess *client, guint protocol, const char *address)
{
    FakeProcess *greeter = add(self, KIND_GREETER);
    MasterArrival arrival = {.header = {.type = MASTER_ARRIVAL, .size = sizeof arrival},
                             .client = client->id,
                             .greeter = greeter->id,
                             .protocol = protocol};
    g_strlcpy(arrival.address, address, sizeof arrival.address);
    client->at = greeter->id;
    announce(self, greeter, client->id, FALSE, 0, "");
    packet_link_send(self->link, &arrival, sizeof arrival, NULL, 0);
}

FakeProcess *fake_master_arrive(FakeMaster *self, ClientProtocol protocol, const char *address)
{
    FakeProcess *client = add(self, protocol == CLIENT_RDP ? KIND_RDP : KIND_VNC);
    announce(self, client, 0, FALSE, protocol, address);
    give_greeter(self, client, protocol, address);
    return client;
}

FakeProcess *fake_master_living(FakeMaster *self, ProcessKind kind, const ProcessRecord *record, ProcessId at)
{
    FakeProcess *process = add(self, kind);
    process->record = *record;
    process->at = at;
    announce(self, process, kind == KIND_GREETER ? self->next : 0, TRUE, CLIENT_RDP, self->living_address);
    return process;
}

void fake_master_living_end(FakeMaster *self)
{
    MasterHeader end = {.type = MASTER_LIVING_END, .size = sizeof end};
    packet_link_send(self->link, &end, sizeof end, NULL, 0);
}

void fake_master_die(FakeMaster *self, FakeProcess *process)
{
    MasterProcessGone gone = {.header = {.type = MASTER_PROCESS_GONE, .size = sizeof gone},
                              .id = process->id,
                              .kind = process->kind,
                              .reason = process->ended ? process->end_reason : END_FAULT};
    g_ptr_array_remove(self->processes, process);
    packet_link_send(self->link, &gone, sizeof gone, NULL, 0);
    for (guint i = 0; i < self->processes->len; i++) {
        FakeProcess *client = self->processes->pdata[i];
        if (client->at != gone.id)
            continue;
        client->at = 0;
        if (gone.kind == KIND_GREETER)
            give_greeter(self, client, CLIENT_RDP, "10.0.0.1");
    }
}

/* ---- a seat ---- */

void fake_seat_picture(FakeProcess *seat)
{
    SeatPicture packet = {
        .header = {.type = SEAT_CONTROL_PICTURE, .size = sizeof packet}, .width = 800, .height = 600};
    ck_assert_int_eq(packet_send(seat->link, &packet, sizeof packet, NULL, 0), PACKET_OK);
}

void fake_seat_lost(FakeProcess *seat, const char *text)
{
    SeatLost packet = {.header = {.type = SEAT_CONTROL_LOST, .size = sizeof packet}};
    g_strlcpy(packet.text, text, sizeof packet.text);
    ck_assert_int_eq(packet_send(seat->link, &packet, sizeof packet, NULL, 0), PACKET_OK);
}

gboolean fake_seat_configured_with(FakeProcess *seat, int *fd)
{
    SeatConfigure packet;
    gsize length;
    int descriptor;
    guint count = 0;
    gboolean told =
        packet_receive(seat->link, &packet, sizeof packet, &length, &descriptor, 1, &count) == PACKET_OK &&
        length == sizeof packet && packet.header.type == SEAT_CONTROL_CONFIGURE;
    *fd = count == 1 ? descriptor : -1;
    return told;
}

gboolean fake_seat_configured(FakeProcess *seat)
{
    int fd;
    gboolean told = fake_seat_configured_with(seat, &fd);
    if (fd >= 0)
        close(fd);
    return told;
}

/* ---- the hypervisor ---- */

typedef struct {
    char *uuid;
    HypervisorDone done;
    gpointer data;
} FakeStart;

static void answer(FakeHypervisor *self, HypervisorDone done, gpointer data)
{
    g_autoptr(GError) error =
        self->fail_text ? g_error_new_literal(HYPERVISOR_ERROR, (int)self->fails, self->fail_text) : NULL;
    self->fail_text = NULL;
    if (done)
        done(error, data);
}

static gboolean answer_start(gpointer data)
{
    FakeHypervisor *self = data;
    FakeStart *start = g_ptr_array_steal_index(self->starts, 0);
    if (!self->fail_text)
        g_hash_table_add(self->running, g_strdup(start->uuid));
    answer(self, start->done, start->data);
    g_free(start->uuid);
    g_free(start);
    return G_SOURCE_REMOVE;
}

static void start(Hypervisor *base, const DomainSpec *spec, HypervisorDone done, gpointer data)
{
    FakeHypervisor *self = (FakeHypervisor *)base;
    FakeStart waits = {g_strdup(spec->uuid), done, data};
    self->started++;
    g_ptr_array_add(self->starts, g_memdup2(&waits, sizeof waits));
    if (!self->holds)
        g_idle_add(answer_start, self);
}

void fake_hypervisor_answer(FakeHypervisor *self)
{
    while (self->starts->len > 0)
        answer_start(self);
}

static void act(Hypervisor *base, const char *uuid, DomainAct act, HypervisorDone done, gpointer data)
{
    FakeHypervisor *self = (FakeHypervisor *)base;
    self->shutdowns += act == DOMAIN_SHUTDOWN;
    self->destroys += act == DOMAIN_DESTROY;
    self->resets += act == DOMAIN_RESET;
    if (act == DOMAIN_DESTROY)
        g_hash_table_remove(self->running, uuid);
    answer(self, done, data);
}

static void open_display(Hypervisor *base, const char *uuid, int fd, HypervisorDone done, gpointer data)
{
    ((FakeHypervisor *)base)->displays++;
    close(fd);
    answer((FakeHypervisor *)base, done, data);
}

static void remove_disk(Hypervisor *base, const DomainSpec *spec, HypervisorDone done, gpointer data)
{
    ((FakeHypervisor *)base)->removals++;
    answer((FakeHypervisor *)base, done, data);
}

static void destroy(Hypervisor *base)
{
    FakeHypervisor *self = (FakeHypervisor *)base;
    g_hash_table_unref(self->running);
    g_ptr_array_unref(self->starts);
    g_free(self);
}

FakeHypervisor *fake_hypervisor_new(void)
{
    static const HypervisorClass class = {.start = start,
                                          .act = act,
                                          .open_display = open_display,
                                          .remove_disk = remove_disk,
                                          .free = destroy};
    FakeHypervisor *self = g_new0(FakeHypervisor, 1);
    self->base.class = &class;
    self->running = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->starts = g_ptr_array_new();
    return self;
}
