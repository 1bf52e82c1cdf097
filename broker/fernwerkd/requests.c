/* What broker, gate and web may ask, and what the broker is told. Fixed structs, checked here and nowhere
 * else. */
#include "base/address.h"
#include "base/log.h"
#include "base/proto/process_record.h"
#include "broker/fernwerkd/master.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_QUEUED_MAX 8192
#define TERMINATED(FIELD) (memchr((FIELD), 0, sizeof(FIELD)) != NULL)

static Process *find_broker(Master *m)
{
    GHashTableIter iter;
    Process *process;
    g_hash_table_iter_init(&iter, m->processes);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&process))
        if (process->kind == KIND_BROKER && !process->ending)
            return process;
    return NULL;
}

static void tell_broker(Master *m, const void *packet, gsize size, int fd)
{
    Process *broker = m->broker_ready ? find_broker(m) : NULL;
    if (broker)
        packet_link_send(broker->requests, packet, size, &fd, fd >= 0);
}

static gboolean has_broker_link(ProcessKind kind)
{
    return kind == KIND_SEAT || kind == KIND_GREETER || kind == KIND_PROBE || kind == KIND_WEB;
}

void broker_link(Process *process, gboolean living)
{
    Master *m = process->master;
    MasterProcess told = {.header = {.type = MASTER_PROCESS, .size = sizeof told}};
    LifelineBroker broker = {.header = {.type = LIFELINE_BROKER, .size = sizeof broker}};
    int type = process->kind == KIND_WEB ? SOCK_STREAM : SOCK_SEQPACKET, ends[2] = {-1, -1};

    if (!m->broker_ready || process->ending)
        return;
    if (has_broker_link(process->kind)) {
        if (socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0) {
            log_error("cannot link %s to the broker: %s", process_kind_name(process->kind),
                      g_strerror(errno));
            return;
        }
        packet_link_send(process->lifeline, &broker, sizeof broker, &ends[0], 1);
    }
    told.id = process->id;
    told.kind = process->kind;
    told.living = living;
    told.record = process->record;
    told.client = process->client;
    told.at = process->at;
    told.protocol = process->protocol;
    told.pid = (uint32_t)process->pid;
    g_strlcpy(told.address, process->address, sizeof told.address);
    tell_broker(m, &told, sizeof told, ends[1]);
    process->announced = TRUE;
    if (ends[0] >= 0) {
        close(ends[0]);
        close(ends[1]);
    }
}

void broker_tell_gone(Process *process, int status)
{
    MasterProcessGone gone = {.header = {.type = MASTER_PROCESS_GONE, .size = sizeof gone},
                              .id = process->id};
    gone.kind = process->kind;
    gone.reason = process->reason != END_DONE          ? process->reason
                  : status == 0 || process->kill_at_us ? END_DONE
                                                       : END_FAULT;
    gone.status = status;
    if (process->announced)
        tell_broker(process->master, &gone, sizeof gone, -1);
}

static void tell_arrival(Process *client)
{
    MasterArrival arrival = {.header = {.type = MASTER_ARRIVAL, .size = sizeof arrival},
                             .client = client->id};
    arrival.greeter = client->at;
    arrival.protocol = client->protocol;
    g_strlcpy(arrival.address, client->address, sizeof arrival.address);
    tell_broker(client->master, &arrival, sizeof arrival, -1);
}

static void send_link(Process *to, Process *peer, const Process *client, guint32 rights, int end)
{
    LifelineSeatLink link = {.header = {.type = LIFELINE_SEAT_LINK, .size = sizeof link}};
    link.peer = peer->id;
    link.peer_kind = peer->kind;
    link.rights = rights;
    link.record = client->record;
    packet_link_send(to->lifeline, &link, sizeof link, &end, 1);
}

static int link_pair(Process *client, Process *seat, guint32 rights)
{
    int ends[2];
    if (!packet_pair(ends, NULL))
        return EAGAIN;
    send_link(client, seat, client, rights, ends[0]);
    send_link(seat, client, client, rights, ends[1]);
    close(ends[0]);
    close(ends[1]);
    client->at = seat->id;
    if (seat->kind == KIND_GREETER)
        seat->client = client->id;
    return 0;
}

static gboolean loaded_before(const Process *a, const Process *b)
{
    gboolean a_up = heartbeat_is_up(a->heartbeat), b_up = heartbeat_is_up(b->heartbeat);
    return a_up != b_up ? a_up : a->started_us < b->started_us;
}

/* A warm process, preferably one that has loaded everything, or a new one. */
static Process *take_process(Master *m, ProcessKind kind)
{
    g_autoptr(GError) error = NULL;
    GHashTableIter iter;
    Process *process, *best = NULL;
    liveness_note_stops(m);
    g_hash_table_iter_init(&iter, m->processes);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&process))
        if (process->kind == kind && !process->used && !process->ending && process_is_fresh(process) &&
            (!best || loaded_before(process, best)))
            best = process;
    if (!best && !(best = process_spawn(m, kind, &error)))
        log_error("%s", error->message);
    if (best) {
        best->used = TRUE;
        m->taken_us = g_get_monotonic_time();
        processes_hurry(m);
    }
    return best;
}

int arrival_give_greeter(Process *client)
{
    Process *greeter = take_process(client->master, KIND_GREETER);
    if (!greeter)
        return EAGAIN;
    int error = link_pair(client, greeter, 0);
    if (error)
        return error;
    if (!client->announced)
        broker_link(client, FALSE);
    broker_link(greeter, FALSE);
    tell_arrival(client);
    return 0;
}

/* Logins in progress must not keep out those that follow, nor one source's those of all others. The source of
 * a browser (0) is known to the web server alone, which counts it. */
static gboolean may_log_in(Master *m, guint64 source)
{
    gint in_all = 0, from_there = 0;
    GHashTableIter iter;
    Process *process;

    g_hash_table_iter_init(&iter, m->processes);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&process)) {
        if (!kind_is_client(process->kind) || !process->used || process->ending || *process->record.user)
            continue;
        in_all++;
        from_there += source && process->source == source;
    }
    return in_all < m->node.logging_in_total && from_there < m->node.logging_in_per_source;
}

int arrival_take(Master *m, ClientProtocol protocol, int socket, ProcessId *id)
{
    LifelineClient packet = {.header = {.type = LIFELINE_CLIENT, .size = sizeof packet},
                             .protocol = protocol};
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t length = sizeof address;
    gint64 now = g_get_monotonic_time();

    getpeername(socket, (struct sockaddr *)&address, &length);
    guint64 source = protocol == CLIENT_WEB ? 0 : address_source((struct sockaddr *)&address);
    if (m->shutdown_at_us || !may_log_in(m, source) ||
        process_count(m, KIND_RDP, TRUE) + process_count(m, KIND_VNC, TRUE) >= (guint)m->node.clients_max)
        return ECONNREFUSED;
    Process *client = take_process(m, protocol == CLIENT_RDP ? KIND_RDP : KIND_VNC);
    if (!client)
        return ECONNREFUSED;
    client->protocol = protocol;
    client->source = source;
    client->arrived_us = now;
    client->login_by_us = now + m->node.login_s * G_USEC_PER_SEC;
    address_text((struct sockaddr *)&address, client->address);
    g_strlcpy(packet.address, client->address, sizeof packet.address);
    if (!packet_link_send(client->lifeline, &packet, sizeof packet, &socket, 1) ||
        arrival_give_greeter(client) != 0) {
        process_kill(client);
        return ECONNREFUSED;
    }
    *id = client->id;
    return 0;
}

static int ask_client(Process *asker, const void *packet, int fd, ProcessId *id)
{
    const RequestClient *request = packet;
    int domain = 0, type = 0;
    socklen_t length = sizeof domain;
    gboolean web = asker->kind == KIND_WEB;

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 || type != SOCK_STREAM ||
        (domain == AF_UNIX) != web)
        return EINVAL;
    if (web ? request->protocol != CLIENT_WEB
            : request->protocol != CLIENT_RDP && request->protocol != CLIENT_VNC)
        return EPERM;
    return arrival_take(asker->master, request->protocol, fd, id);
}

static int ask_spawn(Process *asker, const void *packet, int fd, ProcessId *id)
{
    const RequestSpawn *request = packet;
    Master *m = asker->master;
    if (request->kind != KIND_SEAT && request->kind != KIND_GREETER && request->kind != KIND_PROBE)
        return EPERM;
    if (m->shutdown_at_us || !m->broker_ready)
        return EAGAIN;
    if (process_count(m, request->kind, TRUE) >= (guint)m->node.clients_max)
        return EBUSY;
    Process *process = take_process(m, request->kind);
    *id = process ? process->id : 0;
    return process ? 0 : EAGAIN;
}

static int ask_bind(Process *asker, const void *packet, int fd, ProcessId *id)
{
    const RequestBind *request = packet;
    Process *process = process_find(asker->master, request->id);
    LifelineRecord told = {.header = {.type = LIFELINE_RECORD, .size = sizeof told}};

    if (!process || process->ending)
        return ENOENT;
    if (!process->used || has_broker_link(process->kind) == kind_is_client(process->kind) ||
        process->kind == KIND_WEB)
        return EPERM;
    if (!process_record_valid(&request->record))
        return EINVAL;
    if (!process_record_fill(&process->record, &request->record))
        return EEXIST;
    if (*process->record.user)
        process->login_by_us = 0;
    told.record = process->record;
    packet_link_send(process->lifeline, &told, sizeof told, NULL, 0);
    return 0;
}

static int ask_introduce(Process *asker, const void *packet, int fd, ProcessId *id)
{
    const RequestIntroduce *request = packet;
    Process *a = process_find(asker->master, request->a), *b = process_find(asker->master, request->b);
    if (!a || !b || a->ending || b->ending)
        return ENOENT;
    if (!kind_is_client(a->kind) || !a->used || !b->used ||
        (b->kind != KIND_SEAT && b->kind != KIND_GREETER) || (request->rights & ~LINK_VIEW_ONLY))
        return EINVAL;
    if (b->kind == KIND_SEAT && !process_record_may_enter(&a->record, &b->record))
        return EPERM;
    if (b->kind == KIND_GREETER &&
        ((b->client && b->client != a->id) || !process_record_users_agree(&a->record, &b->record)))
        return EPERM;
    return link_pair(a, b, request->rights);
}

static int ask_end(Process *asker, const void *packet, int fd, ProcessId *id)
{
    const RequestEnd *request = packet;
    Process *process = process_find(asker->master, request->id);
    if (!process)
        return ENOENT;
    if (!TERMINATED(request->text) || request->reason > END_REPLACED)
        return EINVAL;
    if (!process->used || process->kind == KIND_BROKER || process->kind == KIND_GATE ||
        process->kind == KIND_WEB)
        return EPERM;
    process_end(process, request->reason, request->text);
    return 0;
}

static int ask_extend(Process *asker, const void *packet, int fd, ProcessId *id)
{
    Process *client = process_find(asker->master, ((const RequestExtend *)packet)->id);
    if (!client || client->ending)
        return ENOENT;
    if (client->login_by_us) {
        gint64 longest = client->arrived_us + EXTEND_MAX_S * G_USEC_PER_SEC;
        gint64 wish = MIN(g_get_monotonic_time() + EXTEND_S * G_USEC_PER_SEC, longest);
        client->login_by_us = MAX(client->login_by_us, wish);
    }
    return 0;
}

static int ask_ready(Process *asker, const void *packet, int fd, ProcessId *id)
{
    Master *m = asker->master;
    MasterHeader end = {.type = MASTER_LIVING_END, .size = sizeof end};
    g_autoptr(GList) processes = g_hash_table_get_values(m->processes);

    m->broker_ready = TRUE;
    for (guint clients = 0; clients < 2; clients++) {
        for (GList *l = processes; l; l = l->next) {
            Process *process = l->data;
            gboolean reported =
                kind_is_client(process->kind) ? clients == 1 : clients == 0 && has_broker_link(process->kind);
            if (reported && process->used)
                broker_link(process, TRUE);
        }
    }
    for (GList *l = processes; l; l = l->next) {
        Process *client = l->data;
        if (kind_is_client(client->kind) && client->used && !client->ending && client->at &&
            !*client->record.user)
            tell_arrival(client);
    }
    tell_broker(m, &end, sizeof end, -1);
    return 0;
}

#define FROM(KIND) (1u << (KIND))
static const struct {
    guint16 type;
    gsize size;
    guint from;
    guint descriptors;
    int (*ask)(Process *asker, const void *packet, int fd, ProcessId *id);
} verbs[] = {
    {REQUEST_CLIENT, sizeof(RequestClient), FROM(KIND_GATE) | FROM(KIND_WEB), 1, ask_client},
    {REQUEST_SPAWN, sizeof(RequestSpawn), FROM(KIND_BROKER), 0, ask_spawn},
    {REQUEST_BIND, sizeof(RequestBind), FROM(KIND_BROKER), 0, ask_bind},
    {REQUEST_INTRODUCE, sizeof(RequestIntroduce), FROM(KIND_BROKER), 0, ask_introduce},
    {REQUEST_END, sizeof(RequestEnd), FROM(KIND_BROKER), 0, ask_end},
    {REQUEST_EXTEND, sizeof(RequestExtend), FROM(KIND_BROKER), 0, ask_extend},
    {REQUEST_READY, sizeof(RequestHeader), FROM(KIND_BROKER), 0, ask_ready},
};

static const MasterReply *earlier_reply(const Process *asker, uint64_t request)
{
    for (guint i = 0; i < MIN(asker->reply_next, REPLIES_KEPT); i++)
        if (asker->replies[i].request == request)
            return &asker->replies[i];
    return NULL;
}

static void answer(Process *asker, guint verb, const RequestHeader *request, int fd)
{
    const MasterReply *earlier = earlier_reply(asker, request->request);
    MasterReply reply = {.header = {.type = MASTER_REPLY, .size = sizeof reply}, .request = request->request};
    gboolean announce = FALSE;

    if (earlier) {
        reply = *earlier;
    } else {
        reply.error = verbs[verb].ask(asker, request, fd, &reply.id);
        asker->replies[asker->reply_next++ % REPLIES_KEPT] = reply;
        announce = request->header.type == REQUEST_SPAWN && reply.error == 0;
    }
    packet_link_send(asker->requests, &reply, sizeof reply, NULL, 0);
    if (announce)
        broker_link(process_find(asker->master, reply.id), FALSE);
}

static void received(PacketLink *link, const void *packet, gsize length, int *descriptors, guint count,
                     gpointer data)
{
    Process *asker = data;
    const RequestHeader *request = packet;
    for (guint i = 0; i < G_N_ELEMENTS(verbs) && length >= sizeof *request; i++) {
        if (verbs[i].type != request->header.type)
            continue;
        if (verbs[i].size != length || request->header.size != length || verbs[i].descriptors != count ||
            !(verbs[i].from & FROM(asker->kind)))
            break;
        answer(asker, i, request, count ? descriptors[0] : -1);
        return;
    }
    log_error("%s sent a request that it may not make and is killed", process_kind_name(asker->kind));
    process_kill(asker);
}

/* Mostly the process has just died, which its pidfd is about to tell: not marked as our doing. */
static void closed(PacketLink *link, gboolean broken, gpointer data)
{
    pidfd_send_signal(((Process *)data)->pidfd, SIGKILL, NULL, 0);
}

void requests_open(Process *process, int fd)
{
    process->requests =
        packet_link_new(fd, NULL, MASTER_PACKET_MAX, EVENTS_QUEUED_MAX, received, closed, process);
}
