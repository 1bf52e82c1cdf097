/* Accepting, waiting for the first packet without reading it, handing over to the master. One descriptor and
 * a few hundred bytes a connection; nothing of what a client sends is kept. */
#include "broker/gate/gate.h"

#include "base/log.h"
#include "broker/gate/first_packet.h"
#include "broker/gate/refusals.h"
#include "broker/gate/sources.h"

#include <errno.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_A_TURN 32
#define FULL_TABLE_PAUSE_MS 200
#define SWEEP_MS 500 /* while there are connections */
#define REPORT_US (10 * G_USEC_PER_SEC)
#define RFB_VERSION "RFB 003.008\n"

typedef struct {
    Gate *gate;
    int fd;
    ClientProtocol protocol;
    guint watch;
} Door;

typedef struct {
    Gate *gate;
    Source *source;
    guint64 request; /* 0: not handed over yet */
    gint64 since_us;
    int fd;
    guint watch;
    guint16 wanted; /* SO_RCVLOWAT */
    guint8 protocol;
    GList link; /* in gate->connections, oldest first */
} Connection;

struct Gate {
    PacketLink *requests;
    guint64 last_request;
    Sources *sources;
    Refusals *refusals;
    guint half_open_total;
    gint64 first_packet_us;
    GQueue connections;
    GPtrArray *doors;
    guint64 refused, dropped; /* since the last report */
    gint64 reported_us;
    guint sweeper;
};

/* Forgets the connection and returns its socket. */
static int connection_release(Connection *connection)
{
    Gate *gate = connection->gate;
    int fd = connection->fd;
    g_clear_handle_id(&connection->watch, g_source_remove);
    sources_leave(gate->sources, connection->source);
    g_queue_unlink(&gate->connections, &connection->link);
    g_free(connection);
    return fd;
}

static void connection_close(Connection *connection)
{
    close(connection_release(connection));
}

/* There is no room behind the gate. What came as the first packet is still unread. */
static void connection_refuse(Connection *connection)
{
    Gate *gate = connection->gate;
    ClientProtocol protocol = connection->protocol;
    char first[FIRST_PACKET_MAX] = "";
    int fd = connection_release(connection);

    gate->refused++;
    ssize_t ignored = recv(fd, first, protocol == CLIENT_VNC ? FIRST_PACKET_RFB : sizeof first, MSG_DONTWAIT);
    (void)ignored;
    refusals_take(gate->refusals, fd, protocol, first);
}

static void hand_over(Connection *connection)
{
    Gate *gate = connection->gate;
    RequestClient request = {.header.header = {.type = REQUEST_CLIENT, .size = sizeof request}};
    static const int one = 1, idle_s = 30, interval_s = 10, probes = 3, dead_ms = 30000;

    g_clear_handle_id(&connection->watch, g_source_remove);
    setsockopt(connection->fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
    setsockopt(connection->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(connection->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(connection->fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(connection->fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    setsockopt(connection->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_ms, sizeof dead_ms);
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connection->request = request.header.request = ++gate->last_request;
    request.protocol = connection->protocol;
    packet_link_send(gate->requests, &request, sizeof request, &connection->fd, 1);
}

static void await(Connection *connection, gsize wanted)
{
    int bytes = (int)wanted;
    connection->wanted = (guint16)wanted;
    setsockopt(connection->fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

static gboolean connection_readable(gint fd, GIOCondition condition, gpointer data)
{
    Connection *connection = data;
    guint8 bytes[FIRST_PACKET_MAX];
    gsize wanted;
    ssize_t length = recv(fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    FirstPacket verdict = length <= 0 ? FIRST_PACKET_BAD
                          : connection->protocol == CLIENT_RDP
                              ? first_packet_rdp(bytes, (gsize)length, &wanted)
                              : first_packet_rfb(bytes, (gsize)length, &wanted);
    if (verdict == FIRST_PACKET_GOOD) {
        connection->watch = 0;
        hand_over(connection);
        return G_SOURCE_REMOVE;
    }
    /* Woken with less than was waited for: the peer will send no more. */
    if (verdict == FIRST_PACKET_BAD || (gsize)length < connection->wanted || wanted <= (gsize)length) {
        connection->gate->dropped++;
        connection->watch = 0;
        connection_close(connection);
        return G_SOURCE_REMOVE;
    }
    await(connection, wanted);
    return G_SOURCE_CONTINUE;
}

/* Room for one more: the oldest of the source that has most gives way, unless the newcomer's own has as many.
 */
static gboolean make_room(Gate *gate, const Source *newcomer)
{
    Connection *victim = NULL;
    if (g_queue_get_length(&gate->connections) < gate->half_open_total)
        return TRUE;
    for (GList *l = gate->connections.head; l; l = l->next) {
        Connection *connection = l->data;
        if (!connection->request &&
            (!victim || source_open(connection->source) > source_open(victim->source)))
            victim = connection;
    }
    if (!victim || source_open(victim->source) <= source_open(newcomer))
        return FALSE;
    gate->dropped++;
    connection_close(victim);
    return TRUE;
}

static void take(Gate *gate, int fd, ClientProtocol protocol, const struct sockaddr *address)
{
    gint64 now = g_get_monotonic_time();
    Source *source = sources_enter(gate->sources, address, now);
    if (!source || !make_room(gate, source)) {
        if (source)
            sources_leave(gate->sources, source);
        gate->refused++;
        refusals_take(gate->refusals, fd, protocol, NULL);
        return;
    }
    if (protocol == CLIENT_VNC && send(fd, RFB_VERSION, 12, MSG_NOSIGNAL | MSG_DONTWAIT) != 12) {
        sources_leave(gate->sources, source);
        close(fd);
        return;
    }
    Connection *connection = g_new0(Connection, 1);
    connection->gate = gate;
    connection->source = source;
    connection->since_us = now;
    connection->fd = fd;
    connection->protocol = (guint8)protocol;
    connection->link.data = connection;
    g_queue_push_tail_link(&gate->connections, &connection->link);
    await(connection, protocol == CLIENT_RDP ? 4 : FIRST_PACKET_RFB);
    connection->watch = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, connection_readable, connection);
}

static void sweep_soon(Gate *gate);
static gboolean door_ready(gint fd, GIOCondition condition, gpointer data);

static gboolean door_reopen(gpointer data)
{
    Door *door = data;
    door->watch = g_unix_fd_add(door->fd, G_IO_IN, door_ready, door);
    return G_SOURCE_REMOVE;
}

static gboolean door_ready(gint fd, GIOCondition condition, gpointer data)
{
    Door *door = data;
    for (guint i = 0; i < ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage address;
        socklen_t length = sizeof address;
        int client = accept4(fd, (struct sockaddr *)&address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client >= 0) {
            take(door->gate, client, door->protocol, (struct sockaddr *)&address);
            sweep_soon(door->gate);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* The connection stays in the backlog and the listener readable: look away, or this would spin.
             */
            log_warning("no descriptors left, new connections wait");
            door->watch = 0;
            g_timeout_add(FULL_TABLE_PAUSE_MS, door_reopen, door);
            return G_SOURCE_REMOVE;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            break;
    }
    return G_SOURCE_CONTINUE;
}

static void report(Gate *gate, gint64 now)
{
    if ((!gate->refused && !gate->dropped) || now - gate->reported_us < REPORT_US)
        return;
    log_info("%" G_GUINT64_FORMAT " connections refused at a limit, %" G_GUINT64_FORMAT
             " dropped for a bad or missing first packet",
             gate->refused, gate->dropped);
    gate->refused = gate->dropped = 0;
    gate->reported_us = now;
}

static gboolean sweep(gpointer data)
{
    Gate *gate = data;
    gint64 now = g_get_monotonic_time();
    for (GList *l = gate->connections.head, *next; l; l = next) {
        Connection *connection = l->data;
        next = l->next;
        if (now - connection->since_us < gate->first_packet_us)
            break;
        if (connection->request) /* the master answers, or is gone and we with it */
            continue;
        gate->dropped++;
        connection_close(connection);
    }
    report(gate, now);
    if (gate->connections.head || gate->refused || gate->dropped)
        return G_SOURCE_CONTINUE;
    gate->sweeper = 0;
    return G_SOURCE_REMOVE;
}

static void sweep_soon(Gate *gate)
{
    if (!gate->sweeper)
        gate->sweeper = g_timeout_add(SWEEP_MS, sweep, gate);
}

static void reply_received(PacketLink *link, const void *packet, gsize length, int *descriptors, guint count,
                           gpointer data)
{
    Gate *gate = data;
    const MasterReply *reply = packet;
    if (length != sizeof *reply || reply->header.type != MASTER_REPLY)
        return;
    for (GList *l = gate->connections.head; l; l = l->next) {
        Connection *connection = l->data;
        if (connection->request != reply->request)
            continue;
        if (reply->error)
            connection_refuse(connection);
        else
            connection_close(connection);
        return;
    }
}

static void requests_closed(PacketLink *link, gboolean broken, gpointer data)
{
    log_error("the master does not listen any more");
    _exit(1);
}

Gate *gate_new(const Config *config, int requests)
{
    Gate *gate = g_new0(Gate, 1);
    gate->half_open_total = (guint)config_integer(config, "limits.half_open_total");
    gate->first_packet_us = config_integer(config, "limits.first_packet_s") * G_USEC_PER_SEC;
    gate->sources = sources_new((guint)config_integer(config, "limits.half_open_per_source"),
                                (guint)config_integer(config, "limits.rate_per_source"));
    gate->refusals = refusals_new();
    gate->doors = g_ptr_array_new_with_free_func(g_free);
    g_queue_init(&gate->connections);
    gate->requests = packet_link_new(requests, NULL, MASTER_PACKET_MAX, gate->half_open_total + 1,
                                     reply_received, requests_closed, gate);
    return gate;
}

void gate_listen(Gate *gate, int listener, ClientProtocol protocol)
{
    Door *door = g_new0(Door, 1);
    door->gate = gate;
    door->fd = listener;
    door->protocol = protocol;
    door->watch = g_unix_fd_add(listener, G_IO_IN, door_ready, door);
    g_ptr_array_add(gate->doors, door);
}
