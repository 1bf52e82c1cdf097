/* The serving end of a seat link for tests: every packet is sent by hand, so that also impossible orders can
 * be tried. */
#pragma once

#include "base/packet.h"
#include "base/proto/seat_link.h"

typedef struct {
    int fd;
    guint32 generation;
    guint width, height;
    guint64 serial;
    guint8 *shadow; /* writable mapping */
    gsize shadow_size;
    guint32 *versions;
    guint32 *pixels;
    guint8 *ring;
} FakeSeat;

/* Makes a pair; the viewer's end is returned. */
int fake_seat_open(FakeSeat *seat);
void fake_seat_close(FakeSeat *seat);

void fake_seat_send(FakeSeat *seat, gpointer packet, gsize size, const int *fds, guint count);
void fake_seat_welcome(FakeSeat *seat, gboolean greeter);
/* A new shadow, every pixel 0xff000000 + its index. */
void fake_seat_buffer(FakeSeat *seat, guint width, guint height);
void fake_seat_frame(FakeSeat *seat, gboolean complete, const SeatRect *rects, guint count,
                     const SeatAccessUnit *unit);
/* Likewise, of all films. */
void fake_seat_films(FakeSeat *seat, gboolean complete, const SeatRect *rects, guint count,
                     const SeatAccessUnit units[SEAT_FILMS_MAX]);
/* Puts `length` bytes of value `fill` into the ring and describes them. */
SeatAccessUnit fake_seat_unit(FakeSeat *seat, guint32 stream, gboolean keyframe, guint length, guint8 fill);
void fake_seat_bye(FakeSeat *seat, EndReason reason);

/* The next packet from the viewer of that type, skipping others; FALSE when none is there. */
gboolean fake_seat_receive(FakeSeat *seat, guint16 type, gpointer packet, gsize size);
