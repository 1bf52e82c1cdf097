/* Packets of the seat link out of a fuzzer's bytes, so that most of them pass the first checks: sizes are
 * right unless the input wants them wrong, strings end. Shared by both sides' targets. */
#pragma once

#include "base/proto/seat_link.h"

#include <string.h>

typedef struct {
    const guint8 *data;
    gsize size;
} Input;

static inline guint8 input_byte(Input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->data++;
}

/* Up to `length` bytes; what is missing stays as it is. */
static inline void input_fill(Input *input, void *target, gsize length)
{
    gsize n = MIN(length, input->size);
    memcpy(target, input->data, n);
    input->data += n;
    input->size -= n;
}

typedef struct {
    guint16 type;
    guint16 size;    /* of the fixed part */
    guint16 ends[4]; /* offsets of last bytes of strings, 0: none */
} PacketKind;

typedef union {
    SeatHeader header;
    SeatFrame frame;
    SeatBuffer buffer;
    guint8 bytes[SEAT_LINK_PACKET_MAX];
} Packet;

/* A packet of this kind: a byte for its header, a byte for how much of the body follows, the body. Returns
 * its length. */
static inline gsize packet_make(Input *input, const PacketKind *kind, guint32 generation, Packet *packet)
{
    guint8 odd = input_byte(input), length = input_byte(input);
    gsize size = kind->size;

    memset(packet, 0, sizeof *packet);
    input_fill(input, packet->bytes + sizeof(SeatHeader), MIN(length, size - sizeof(SeatHeader)));
    if (kind->type == SEAT_FRAME) {
        packet->frame.damage %= 6;
        packet->frame.moves %= 4;
        gsize tail = packet->frame.damage * sizeof(SeatRect) + packet->frame.moves * sizeof(SeatMove);
        input_fill(input, packet->bytes + size, tail);
        size += tail;
    }
    if (kind->type == SEAT_STREAM_DATA)
        size += ((SeatStreamData *)packet)->length %= 64;
    for (guint i = 0; i < G_N_ELEMENTS(kind->ends) && kind->ends[i] && !(odd & 1); i++)
        packet->bytes[kind->ends[i]] = 0;
    packet->header.type = kind->type;
    packet->header.head = odd & 2 ? odd >> 4 : 0;
    packet->header.generation = odd & 4 ? odd : generation;
    if ((odd & 0xf8) == 0xf8)
        size = 8 + odd % 8 + length;
    packet->header.size = (guint16)(size + ((odd & 0xf8) == 0xf0));
    return size;
}
