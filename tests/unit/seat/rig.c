/* The rig: forks the seat as fernwerkd would, speaks both links synchronously. */
#include "tests/unit/seat/rig.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define AWAIT_MS 50000

static void send_lifeline(RigSeat *seat, void *packet, gsize size, guint type, const int *fd)
{
    MasterHeader *header = packet;
    header->type = type;
    header->size = size;
    ck_assert_int_eq(packet_send(seat->lifeline, packet, size, fd, fd ? 1 : 0), PACKET_OK);
}

void rig_seat_broker_again(RigSeat *seat)
{
    LifelineBroker broker = {0};
    int ends[2];
    ck_assert(packet_pair(ends, NULL));
    if (seat->broker >= 0)
        close(seat->broker);
    seat->broker = ends[0];
    send_lifeline(seat, &broker, sizeof broker, LIFELINE_BROKER, &ends[1]);
    close(ends[1]);
}

void rig_seat_start(RigSeat *seat)
{
    LifelineStart start = {.version = MASTER_VERSION, .kind = KIND_SEAT, .id = 1, .log_level = 2};
    int ends[2], beats;

    ck_assert(packet_pair(ends, NULL));
    *seat = (RigSeat){.lifeline = ends[0], .broker = -1};
    seat->heartbeat = heartbeat_new(&beats, NULL);
    ck_assert_ptr_nonnull(seat->heartbeat);
    send_lifeline(seat, &start, sizeof start, LIFELINE_START, NULL);
    seat->pid = fork();
    if (seat->pid == 0) {
        int lifeline = fcntl(ends[1], F_DUPFD, 10), heartbeat = fcntl(beats, F_DUPFD, 10);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(lifeline, MASTER_LIFELINE_FD);
        dup2(heartbeat, MASTER_HEARTBEAT_FD);
        close_range(MASTER_REQUEST_FD, ~0u, 0);
        execl(FERNWERK_SEAT, "fernwerk-seat", "--config", "/dev/null", NULL);
        _exit(127);
    }
    close(ends[1]);
    close(beats);
    rig_seat_broker_again(seat);
}

void rig_seat_stop(RigSeat *seat)
{
    int status = 0;
    close(seat->lifeline);
    for (guint i = 0; i < 500 && waitpid(seat->pid, &status, WNOHANG) == 0; i++) {
        poll(NULL, 0, 10);
        if (i == 499) {
            kill(seat->pid, SIGKILL);
            waitpid(seat->pid, &status, 0);
        }
    }
    heartbeat_free(seat->heartbeat);
    close(seat->broker);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the seat ended with status 0x%x", status);
}

void rig_seat_configure(RigSeat *seat, SeatSource source, guint width, guint height, const char *layout)
{
    SeatConfigure packet = {.header = {.type = SEAT_CONTROL_CONFIGURE, .size = sizeof packet},
                            .source = source,
                            .width = width,
                            .height = height,
                            .desktop = "d1",
                            .software_encoder = "x264enc"};
    g_strlcpy(packet.xkb_layout, layout, sizeof packet.xkb_layout);
    ck_assert_int_eq(packet_send(seat->broker, &packet, sizeof packet, NULL, 0), PACKET_OK);
}

void rig_seat_replay(RigSeat *seat, int recording, gboolean whole_damage)
{
    SeatConfigure packet = {.header = {.type = SEAT_CONTROL_CONFIGURE, .size = sizeof packet},
                            .source = SEAT_SOURCE_REPLAY,
                            .whole_damage = whole_damage,
                            .desktop = "d1",
                            .xkb_layout = "us",
                            .software_encoder = "x264enc"};
    ck_assert_int_eq(packet_send(seat->broker, &packet, sizeof packet, &recording, 1), PACKET_OK);
}

static gboolean receive(int fd, void *packet, gsize capacity, gsize *length, int *descriptors, guint *count,
                        gint64 deadline_us)
{
    for (;;) {
        PacketResult result = packet_receive(fd, packet, capacity, length, descriptors, 4, count);
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        gint64 left = deadline_us - g_get_monotonic_time();
        if (result == PACKET_OK)
            return TRUE;
        ck_assert_msg(result == PACKET_AGAIN, "the link has ended (%d)", result);
        if (left <= 0)
            return FALSE;
        poll(&poll_fd, 1, left / 1000 + 1);
    }
}

void rig_seat_await(RigSeat *seat, guint type, void *packet, int *fd)
{
    gint64 deadline = g_get_monotonic_time() + AWAIT_MS * 1000;
    const SeatControlHeader *header = packet;
    int descriptors[4];
    gsize length;
    guint count;

    if (fd)
        *fd = -1;
    do {
        ck_assert_msg(
            receive(seat->broker, packet, SEAT_CONTROL_PACKET_MAX, &length, descriptors, &count, deadline),
            "the seat did not send its broker packet %u", type);
        for (guint i = 0; i < count; i++) {
            if (header->type == type && fd && i == 0)
                *fd = descriptors[0];
            else
                close(descriptors[i]);
        }
    } while (header->type != type);
}

guint rig_pss(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/smaps_rollup", pid), *text = NULL;
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    return strtoul(strstr(text, "Pss:") + 4, NULL, 10);
}

/* ---- clients ---- */

static void send_client(RigClient *client, void *packet, gsize size, guint type)
{
    SeatHeader *header = packet;
    header->type = type;
    header->size = size;
    header->generation = client->generation;
    ck_assert_int_eq(packet_send(client->fd, packet, size, NULL, 0), PACKET_OK);
}

void rig_client_attach(RigSeat *seat, RigClient *client, ProcessId peer, guint rights, SeatProtocol protocol,
                       guint width, guint height)
{
    LifelineSeatLink link = {.peer = peer,
                             .rights = rights,
                             .peer_kind = KIND_RDP,
                             .record = {.user = "alice", .desktop = "d1", .epoch = 1}};
    SeatHello hello = {.version = SEAT_LINK_VERSION,
                       .protocol = protocol,
                       .heads = 1,
                       .size = {.width = width, .height = height, .scale = 100}};
    SeatWelcome welcome;
    union {
        guint8 bytes[SEAT_LINK_PACKET_MAX];
        SeatWelcome welcome;
    } packet;
    int ends[2];

    ck_assert(packet_pair(ends, NULL));
    memset(client, 0, sizeof *client);
    client->fd = ends[0];
    client->cursor_fd = client->memory_fd = client->ring_fd = -1;
    send_lifeline(seat, &link, sizeof link, LIFELINE_SEAT_LINK, &ends[1]);
    close(ends[1]);
    send_client(client, &hello, sizeof hello, SEAT_HELLO);
    rig_client_await(client, SEAT_WELCOME, packet.bytes);
    welcome = packet.welcome;
    ck_assert_int_eq(welcome.version, SEAT_LINK_VERSION);
    ck_assert_int_eq(welcome.view_only, (rights & LINK_VIEW_ONLY) != 0);
    ck_assert_str_eq(welcome.desktop, "d1");
}

static void forget_buffer(RigClient *client)
{
    if (client->memory)
        munmap(client->memory, client->layout.memory);
    if (client->ring)
        munmap(client->ring, sizeof(SeatRingHeader) + SEAT_AU_RING);
    if (client->memory_fd >= 0)
        close(client->memory_fd);
    if (client->ring_fd >= 0)
        close(client->ring_fd);
    client->memory = client->ring = NULL;
    client->memory_fd = client->ring_fd = -1;
}

void rig_client_close(RigClient *client)
{
    forget_buffer(client);
    if (client->cursor_fd >= 0)
        close(client->cursor_fd);
    close(client->fd);
}

void rig_client_credit(RigClient *client, guint frames)
{
    SeatCredit credit = {.frames = frames};
    send_client(client, &credit, sizeof credit, SEAT_CREDIT);
}

void rig_client_key(RigClient *client, guint code, gboolean pressed)
{
    SeatKey key = {.code = code, .pressed = pressed};
    send_client(client, &key, sizeof key, SEAT_KEY);
}

void rig_client_keysym(RigClient *client, guint32 keysym)
{
    SeatKeysym packet = {.keysym = keysym, .pressed = 1};
    send_client(client, &packet, sizeof packet, SEAT_KEYSYM);
    packet.pressed = 0;
    send_client(client, &packet, sizeof packet, SEAT_KEYSYM);
}

void rig_client_pointer(RigClient *client, gint x, gint y, guint buttons)
{
    SeatPointer pointer = {.x = x, .y = y, .buttons = buttons};
    send_client(client, &pointer, sizeof pointer, SEAT_POINTER);
}

void rig_client_subscribe(RigClient *client, gboolean h264)
{
    SeatSubscribe subscribe = {.h264 = h264};
    send_client(client, &subscribe, sizeof subscribe, SEAT_SUBSCRIBE);
}

static void take_buffer(RigClient *client, const SeatBuffer *buffer, int *descriptors)
{
    forget_buffer(client);
    client->layout = *buffer;
    client->generation = buffer->header.generation;
    client->memory_fd = descriptors[0];
    client->ring_fd = descriptors[1];
    descriptors[0] = descriptors[1] = -1;
    client->memory = mmap(NULL, buffer->memory, PROT_READ, MAP_SHARED, client->memory_fd, 0);
    client->ring =
        mmap(NULL, sizeof(SeatRingHeader) + SEAT_AU_RING, PROT_READ, MAP_SHARED, client->ring_fd, 0);
    ck_assert(client->memory != MAP_FAILED && client->ring != MAP_FAILED);
}

static void keep(RigClient *client, const void *packet, int *descriptors, guint count)
{
    switch (((const SeatHeader *)packet)->type) {
    case SEAT_BUFFER:
        take_buffer(client, packet, descriptors);
        break;
    case SEAT_CURSOR:
        client->cursor = *(const SeatCursor *)packet;
        if (count == 1) {
            if (client->cursor_fd >= 0)
                close(client->cursor_fd);
            client->cursor_fd = descriptors[0];
            descriptors[0] = -1;
        }
        break;
    case SEAT_LEDS:
        client->leds = ((const SeatLocks *)packet)->mask;
        break;
    case SEAT_POINTER_MODE:
        client->absolute = ((const SeatPointerMode *)packet)->absolute;
        break;
    case SEAT_FRAME:
        client->frames++;
        break;
    default:
        break;
    }
    for (guint i = 0; i < count; i++)
        if (descriptors[i] >= 0)
            close(descriptors[i]);
}

gboolean rig_client_take(RigClient *client, guint type, gint ms, void *packet)
{
    gint64 deadline = g_get_monotonic_time() + ms * 1000ll;
    union {
        SeatHeader header;
        guint8 bytes[SEAT_LINK_PACKET_MAX];
    } buffer;
    int descriptors[4];
    gsize length;
    guint count;

    for (;;) {
        if (!receive(client->fd, &buffer, sizeof buffer, &length, descriptors, &count, deadline))
            return FALSE;
        const char *fault = seat_link_check(&buffer, length, count, FALSE);
        ck_assert_msg(fault == NULL, "the seat sent %s", fault);
        keep(client, &buffer, descriptors, count);
        if (buffer.header.type == type) {
            if (packet)
                memcpy(packet, &buffer, length);
            return TRUE;
        }
    }
}

void rig_client_await(RigClient *client, guint type, void *packet)
{
    ck_assert_msg(rig_client_take(client, type, AWAIT_MS, packet), "the seat did not send packet %u", type);
}

const guint32 *rig_client_row(const RigClient *client, guint y)
{
    return (const guint32 *)(const void *)(client->memory + client->layout.pixels_offset +
                                           (gsize)y * client->layout.stride);
}

guint32 rig_client_card_number(const RigClient *client)
{
    guint32 number = 0;
    for (guint bit = 0; bit < 32; bit++)
        number = number << 1 | ((rig_client_row(client, 8)[bit * 16 + 8] & 0xff) > 127);
    return number;
}
