/* A seat by hand. */
#include "tests/unit/client/fake_seat.h"

#include <check.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PIXELS_AT 4096

int fake_seat_open(FakeSeat *seat)
{
    int ends[2];
    *seat = (FakeSeat){0};
    ck_assert(packet_pair(ends, NULL));
    seat->fd = ends[0];
    return ends[1];
}

static void unmap(FakeSeat *seat)
{
    if (!seat->shadow)
        return;
    munmap(seat->shadow, seat->shadow_size);
    munmap(seat->ring, sizeof(SeatRingHeader) + SEAT_AU_RING);
    seat->shadow = NULL;
}

void fake_seat_close(FakeSeat *seat)
{
    if (seat->fd >= 0)
        close(seat->fd);
    seat->fd = -1;
    unmap(seat);
}

void fake_seat_send(FakeSeat *seat, gpointer packet, gsize size, const int *fds, guint count)
{
    SeatHeader *header = packet;
    header->size = (guint16)size;
    header->generation = seat->generation;
    ck_assert_int_eq(packet_send(seat->fd, packet, size, fds, count), PACKET_OK);
}

void fake_seat_welcome(FakeSeat *seat, gboolean greeter)
{
    SeatWelcome welcome = {.header.type = SEAT_WELCOME,
                           .version = SEAT_LINK_VERSION,
                           .greeter = greeter,
                           .heads = 1,
                           .desktop = "d1"};
    fake_seat_send(seat, &welcome, sizeof welcome, NULL, 0);
}

void fake_seat_buffer(FakeSeat *seat, guint width, guint height)
{
    gsize ring_size = sizeof(SeatRingHeader) + SEAT_AU_RING;
    int fds[2] = {memfd_create("shadow", MFD_CLOEXEC), memfd_create("ring", MFD_CLOEXEC)};

    unmap(seat);
    seat->width = width;
    seat->height = height;
    seat->generation++;
    seat->shadow_size = PIXELS_AT + (gsize)width * height * 4;
    ck_assert_int_eq(ftruncate(fds[0], (off_t)seat->shadow_size) | ftruncate(fds[1], (off_t)ring_size), 0);
    seat->shadow = mmap(NULL, seat->shadow_size, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
    seat->ring = mmap(NULL, ring_size, PROT_READ | PROT_WRITE, MAP_SHARED, fds[1], 0);
    *(SeatShadowHeader *)seat->shadow = (SeatShadowHeader){SEAT_SHADOW_MAGIC, seat->generation};
    seat->versions = (guint32 *)(seat->shadow + sizeof(SeatShadowHeader));
    seat->pixels = (guint32 *)(seat->shadow + PIXELS_AT);
    SeatBuffer buffer = {.header.type = SEAT_BUFFER,
                         .width = width,
                         .height = height,
                         .stride = width * 4,
                         .tiles_x = (width + SEAT_TILE - 1) / SEAT_TILE,
                         .tiles_y = (height + SEAT_TILE - 1) / SEAT_TILE,
                         .memory = seat->shadow_size,
                         .versions_offset = sizeof(SeatShadowHeader),
                         .pixels_offset = PIXELS_AT};
    for (guint i = 0; i < buffer.tiles_x * buffer.tiles_y; i++)
        seat->versions[i] = 2;
    for (guint i = 0; i < width * height; i++)
        seat->pixels[i] = 0xff000000 + i;
    fake_seat_send(seat, &buffer, sizeof buffer, fds, 2);
    close(fds[0]);
    close(fds[1]);
}

void fake_seat_frame(FakeSeat *seat, gboolean complete, const SeatRect *rects, guint count,
                     const SeatAccessUnit *unit)
{
    SeatAccessUnit units[SEAT_FILMS_MAX] = {0};

    if (unit)
        units[0] = *unit;
    fake_seat_films(seat, complete, rects, count, units);
}

void fake_seat_films(FakeSeat *seat, gboolean complete, const SeatRect *rects, guint count,
                     const SeatAccessUnit units[SEAT_FILMS_MAX])
{
    union {
        SeatFrame frame;
        guint8 bytes[SEAT_LINK_PACKET_MAX];
    } packet = {0};
    packet.frame.header.type = SEAT_FRAME;
    packet.frame.serial = ++seat->serial;
    packet.frame.time_us = 1;
    packet.frame.complete = complete;
    packet.frame.damage = count;
    memcpy(packet.frame.units, units, sizeof packet.frame.units);
    for (guint i = 0; i < count; i++)
        packet.frame.rects[i] = rects[i];
    fake_seat_send(seat, &packet, sizeof packet.frame + count * sizeof *rects, NULL, 0);
}

SeatAccessUnit fake_seat_unit(FakeSeat *seat, guint32 stream, gboolean keyframe, guint length, guint8 fill)
{
    SeatRingHeader *header = (SeatRingHeader *)seat->ring;
    guint64 position = header->written;
    if (position % SEAT_AU_RING + length > SEAT_AU_RING)
        position += SEAT_AU_RING - position % SEAT_AU_RING;
    memset(seat->ring + sizeof *header + position % SEAT_AU_RING, fill, length);
    header->written = position + length;
    return (SeatAccessUnit){.stream = stream,
                            .length = length,
                            .position = position,
                            .region = {0, 0, (guint16)seat->width, (guint16)seat->height, 0, 0},
                            .keyframe = keyframe};
}

void fake_seat_bye(FakeSeat *seat, EndReason reason)
{
    SeatClose packet = {.header.type = SEAT_CLOSE, .reason = reason};
    fake_seat_send(seat, &packet, sizeof packet, NULL, 0);
    close(seat->fd);
    seat->fd = -1;
}

gboolean fake_seat_receive(FakeSeat *seat, guint16 type, gpointer packet, gsize size)
{
    for (;;) {
        union {
            SeatHeader header;
            guint8 bytes[SEAT_LINK_PACKET_MAX];
        } buffer;
        gsize length;
        guint count;
        if (packet_receive(seat->fd, &buffer, sizeof buffer, &length, NULL, 0, &count) != PACKET_OK)
            return FALSE;
        ck_assert_ptr_null(seat_link_check(&buffer, length, count, TRUE));
        if (buffer.header.type != type)
            continue;
        ck_assert_uint_eq(length, size);
        memcpy(packet, &buffer, size);
        return TRUE;
    }
}
