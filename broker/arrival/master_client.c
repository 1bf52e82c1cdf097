/* Requests with ids, repeats and answers; the master's reports. */
#include "broker/arrival/master_client.h"

#include "base/log.h"
#include "base/packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX 4096
#define REPEAT_MS 2000
#define REPEATS_MAX 3
#define SPAWN_AGAIN_MS 250
#define SPAWN_AGAIN_MAX 2

typedef struct {
    MasterClient *master;
    union {
        RequestHeader header;
        RequestSpawn spawn;
        RequestBind bind;
        RequestIntroduce introduce;
        RequestEnd end;
        RequestExtend extend;
    } packet;
    MasterAnswered answered;
    gpointer data;
    guint timer, repeats, spawned_again;
} Request;

struct MasterClient {
    PacketLink *link;
    MasterEvents events;
    gpointer data;
    uint64_t next;
    GHashTable *requests; /* id -> Request */
};

static void request_free(gpointer data)
{
    Request *request = data;
    if (request->timer)
        g_source_remove(request->timer);
    g_free(request);
}

static void transmit(Request *request)
{
    packet_link_send(request->master->link, &request->packet, request->packet.header.header.size, NULL, 0);
}

static void finish(Request *request, int error, ProcessId id)
{
    MasterAnswered answered = request->answered;
    gpointer data = request->data;

    g_hash_table_remove(request->master->requests, &request->packet.header.request);
    if (answered)
        answered(error, id, data);
}

static gboolean repeat(gpointer data)
{
    Request *request = data;
    if (request->repeats++ < REPEATS_MAX) {
        transmit(request);
        return G_SOURCE_CONTINUE;
    }
    request->timer = 0;
    log_warning("fernwerkd does not answer request type %u", request->packet.header.header.type);
    finish(request, ETIMEDOUT, 0);
    return G_SOURCE_REMOVE;
}

static void submit(Request *request)
{
    request->packet.header.request = request->master->next++;
    g_hash_table_insert(request->master->requests, &request->packet.header.request, request);
    request->timer = g_timeout_add(REPEAT_MS, repeat, request);
    transmit(request);
}

static Request *request_new(MasterClient *master, RequestType type, gsize size, MasterAnswered answered,
                            gpointer data)
{
    Request *request = g_new0(Request, 1);
    request->master = master;
    request->packet.header.header.type = type;
    request->packet.header.header.size = (uint16_t)size;
    request->answered = answered;
    request->data = data;
    return request;
}

static gboolean spawn_again(gpointer data)
{
    Request *request = data;
    request->timer = 0;
    g_hash_table_steal(request->master->requests, &request->packet.header.request);
    submit(request);
    return G_SOURCE_REMOVE;
}

static void take_reply(MasterClient *self, const MasterReply *reply)
{
    Request *request = g_hash_table_lookup(self->requests, &reply->request);

    if (!request)
        return;
    if (reply->error == EAGAIN && request->packet.header.header.type == REQUEST_SPAWN &&
        request->spawned_again++ < SPAWN_AGAIN_MAX) {
        g_source_remove(request->timer);
        request->timer = g_timeout_add(SPAWN_AGAIN_MS, spawn_again, request);
        return;
    }
    if (reply->error && reply->error != ENOENT)
        log_warning("fernwerkd refuses request type %u: %s", request->packet.header.header.type,
                    g_strerror(reply->error));
    finish(request, reply->error, reply->id);
}

static void received(PacketLink *link, const void *packet, gsize length, int *descriptors, guint count,
                     gpointer data)
{
    MasterClient *self = data;
    const MasterHeader *header = packet;

    g_assert(length >= sizeof *header && header->size == length);
    switch (header->type) {
    case MASTER_REPLY:
        g_assert(length == sizeof(MasterReply));
        take_reply(self, packet);
        break;
    case MASTER_PROCESS: {
        int fd = count > 0 ? descriptors[0] : -1;
        g_assert(length == sizeof(MasterProcess));
        if (count > 0)
            descriptors[0] = -1;
        self->events.process(packet, fd, self->data);
        break;
    }
    case MASTER_ARRIVAL:
        g_assert(length == sizeof(MasterArrival));
        self->events.arrival(packet, self->data);
        break;
    case MASTER_PROCESS_GONE:
        g_assert(length == sizeof(MasterProcessGone));
        self->events.gone(packet, self->data);
        break;
    case MASTER_LIVING_END:
        self->events.living_end(self->data);
        break;
    default:
        log_warning("fernwerkd: unknown packet %u is ignored", header->type);
    }
}

static void closed(PacketLink *link, gboolean broken, gpointer data)
{
    log_error("the link to fernwerkd is %s", broken ? "broken" : "closed");
    exit(1);
}

MasterClient *master_client_new(int fd, const MasterEvents *events, gpointer data)
{
    MasterClient *self = g_new0(MasterClient, 1);
    self->events = *events;
    self->data = data;
    self->next = 1;
    self->requests = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, request_free);
    self->link = packet_link_new(fd, NULL, MASTER_PACKET_MAX, QUEUE_MAX, received, closed, self);
    return self;
}

void master_client_free(MasterClient *self)
{
    g_autoptr(GList) waiting = self ? g_hash_table_get_values(self->requests) : NULL;

    if (!self)
        return;
    packet_link_free(self->link);
    /* Whoever waits owns something. */
    g_hash_table_steal_all(self->requests);
    for (GList *l = waiting; l; l = l->next) {
        Request *request = l->data;
        if (request->answered)
            request->answered(ECANCELED, 0, request->data);
        request_free(request);
    }
    g_hash_table_unref(self->requests);
    g_free(self);
}

void master_client_ready(MasterClient *self)
{
    submit(request_new(self, REQUEST_READY, sizeof(RequestHeader), NULL, NULL));
}

void master_client_spawn(MasterClient *self, ProcessKind kind, MasterAnswered answered, gpointer data)
{
    Request *request = request_new(self, REQUEST_SPAWN, sizeof(RequestSpawn), answered, data);
    request->packet.spawn.kind = kind;
    submit(request);
}

void master_client_bind(MasterClient *self, ProcessId id, const ProcessRecord *record,
                        MasterAnswered answered, gpointer data)
{
    Request *request = request_new(self, REQUEST_BIND, sizeof(RequestBind), answered, data);
    request->packet.bind.id = id;
    request->packet.bind.record = *record;
    submit(request);
}

void master_client_introduce(MasterClient *self, ProcessId client, ProcessId seat, MasterAnswered answered,
                             gpointer data)
{
    Request *request = request_new(self, REQUEST_INTRODUCE, sizeof(RequestIntroduce), answered, data);
    request->packet.introduce.a = client;
    request->packet.introduce.b = seat;
    submit(request);
}

void master_client_end(MasterClient *self, ProcessId id, EndReason reason, const char *text)
{
    Request *request = request_new(self, REQUEST_END, sizeof(RequestEnd), NULL, NULL);
    request->packet.end.id = id;
    request->packet.end.reason = reason;
    g_strlcpy(request->packet.end.text, text ? text : "", sizeof request->packet.end.text);
    submit(request);
}

void master_client_extend(MasterClient *self, ProcessId id)
{
    Request *request = request_new(self, REQUEST_EXTEND, sizeof(RequestExtend), NULL, NULL);
    request->packet.extend.id = id;
    submit(request);
}

void master_client_forget(MasterClient *self, gconstpointer data)
{
    GHashTableIter iter;
    Request *request;
    g_hash_table_iter_init(&iter, self->requests);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&request))
        if (request->data == data)
            request->answered = NULL;
}
