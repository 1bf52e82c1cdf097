/* The checks that both ends of a seat link make on every packet before they look at it. */
#include "base/proto/seat_link.h"

#include <string.h>

typedef struct {
    gsize size;     /* of the fixed part */
    gboolean tail;  /* more bytes may follow */
    guint descriptors_min, descriptors_max;
    gboolean to_client, to_seat;
} PacketShape;

static gboolean shape_of(guint16 type, PacketShape *shape)
{
#define TO_SEAT(T, S)                                                                                                  \
    case T:                                                                                                            \
        *shape = (PacketShape){sizeof(S), FALSE, 0, 0, FALSE, TRUE};                                                   \
        return TRUE
#define TO_CLIENT(T, S)                                                                                                \
    case T:                                                                                                            \
        *shape = (PacketShape){sizeof(S), FALSE, 0, 0, TRUE, FALSE};                                                   \
        return TRUE
#define BOTH(T, S, TAIL)                                                                                               \
    case T:                                                                                                            \
        *shape = (PacketShape){sizeof(S), TAIL, 0, 0, TRUE, TRUE};                                                     \
        return TRUE
    switch (type) {
        TO_SEAT(SEAT_HELLO, SeatHello);
        TO_SEAT(SEAT_PREFILL, SeatPrefill);
        TO_SEAT(SEAT_SIZE, SeatSize);
        TO_SEAT(SEAT_KEY, SeatKey);
        TO_SEAT(SEAT_KEYSYM, SeatKeysym);
        TO_SEAT(SEAT_LOCKS, SeatLocks);
        TO_SEAT(SEAT_POINTER, SeatPointer);
        TO_SEAT(SEAT_MOTION, SeatMotion);
        TO_SEAT(SEAT_TOUCH, SeatTouch);
        TO_SEAT(SEAT_CREDIT, SeatCredit);
        TO_SEAT(SEAT_SUBSCRIBE, SeatSubscribe);
        TO_SEAT(SEAT_KEYFRAME, SeatHeader);
        TO_SEAT(SEAT_RELEASE, SeatHeader);
        BOTH(SEAT_STREAM_OPEN, SeatStreamOpen, FALSE);
        BOTH(SEAT_STREAM_DATA, SeatStreamData, TRUE);
        BOTH(SEAT_STREAM_CREDIT, SeatStreamCredit, FALSE);
        BOTH(SEAT_STREAM_CLOSE, SeatStreamClose, FALSE);
        TO_CLIENT(SEAT_WELCOME, SeatWelcome);
        TO_CLIENT(SEAT_LEDS, SeatLocks);
        TO_CLIENT(SEAT_POINTER_MODE, SeatPointerMode);
        TO_CLIENT(SEAT_PRESENCE, SeatPresence);
        TO_CLIENT(SEAT_LOGIN, SeatLogin);
        TO_CLIENT(SEAT_CLOSE, SeatClose);
    case SEAT_BUFFER:
        *shape = (PacketShape){sizeof(SeatBuffer), FALSE, 2, 2, TRUE, FALSE};
        return TRUE;
    case SEAT_FRAME:
        *shape = (PacketShape){sizeof(SeatFrame), TRUE, 0, 0, TRUE, FALSE};
        return TRUE;
    case SEAT_CURSOR:
        *shape = (PacketShape){sizeof(SeatCursor), FALSE, 0, 1, TRUE, FALSE};
        return TRUE;
    default:
        return FALSE;
    }
#undef TO_SEAT
#undef TO_CLIENT
#undef BOTH
}

#define TERMINATED(FIELD) (memchr((FIELD), 0, sizeof(FIELD)) != NULL)

static gboolean size_hint_fits(const SeatSizeHint *size)
{
    return size->width <= SEAT_WIDTH_MAX && size->height <= SEAT_WIDTH_MAX && size->scale <= 1000 &&
           size->width_mm <= 10000 && size->height_mm <= 10000 && ABS((gint64)size->x) <= 65535 &&
           ABS((gint64)size->y) <= 65535;
}

static gboolean buffer_fits(const SeatBuffer *buffer)
{
    guint64 pixels = (guint64)buffer->stride * buffer->height;
    guint64 versions = (guint64)buffer->tiles_x * buffer->tiles_y * sizeof(guint32);
    return buffer->width >= 1 && buffer->width <= SEAT_WIDTH_MAX && buffer->height >= 1 &&
           buffer->height <= SEAT_WIDTH_MAX && buffer->stride >= buffer->width * 4 &&
           buffer->stride <= SEAT_WIDTH_MAX * 8 && buffer->tiles_x == (buffer->width + SEAT_TILE - 1) / SEAT_TILE &&
           buffer->tiles_y == (buffer->height + SEAT_TILE - 1) / SEAT_TILE && buffer->memory <= (1ull << 31) &&
           buffer->versions_offset >= sizeof(SeatShadowHeader) && buffer->versions_offset % 4 == 0 &&
           buffer->versions_offset <= buffer->memory && versions <= buffer->memory - buffer->versions_offset &&
           buffer->pixels_offset % 4096 == 0 && buffer->pixels_offset <= buffer->memory &&
           pixels <= buffer->memory - buffer->pixels_offset;
}

static gboolean unit_fits(const SeatAccessUnit *unit)
{
    return unit->length <= SEAT_AU_RING && (uint64_t)unit->auxiliary + unit->tiles <= unit->length;
}

/* Whether the record has room for what it counts; only then is it looked at. */
static gboolean frame_fits(const SeatFrame *frame, gsize length)
{
    if (frame->damage > SEAT_RECTS_MAX || frame->moves > SEAT_MOVES_MAX ||
        length != sizeof *frame + frame->damage * sizeof(SeatRect) + frame->moves * sizeof(SeatMove))
        return FALSE;
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        if (!unit_fits(&frame->units[i]))
            return FALSE;
    const SeatMove *moves = seat_frame_moves(frame);
    for (guint i = 0; i < frame->moves; i++) {
        const SeatMove *move = &moves[i];
        if (move->width < 1 || move->height < 1 || MAX(move->x, move->to_x) + move->width > SEAT_WIDTH_MAX ||
            MAX(move->y, move->to_y) + move->height > SEAT_WIDTH_MAX)
            return FALSE;
    }
    return TRUE;
}

static gboolean body_fits(const SeatHeader *header, gsize length)
{
    const void *packet = header;
    switch (header->type) {
    case SEAT_HELLO: {
        const SeatHello *p = packet;
        return size_hint_fits(&p->size) && p->heads >= 1 && p->heads <= SEAT_HEADS_MAX && TERMINATED(p->xkb_layout) &&
               TERMINATED(p->xkb_variant) && p->protocol >= SEAT_PROTOCOL_RDP && p->protocol <= SEAT_PROTOCOL_WEB;
    }
    case SEAT_PREFILL: {
        const SeatPrefill *p = packet;
        return TERMINATED(p->user) && TERMINATED(p->desktop) && TERMINATED(p->password) && TERMINATED(p->ticket);
    }
    case SEAT_SIZE:
        return size_hint_fits(&((const SeatSize *)packet)->size);
    case SEAT_KEY:
        return ((const SeatKey *)packet)->code < 0x100 && ((const SeatKey *)packet)->pressed <= 1;
    case SEAT_KEYSYM:
        return ((const SeatKeysym *)packet)->keysym <= 0x1fffffff && ((const SeatKeysym *)packet)->pressed <= 1;
    case SEAT_LOCKS:
    case SEAT_LEDS:
        return ((const SeatLocks *)packet)->mask <= 7;
    case SEAT_POINTER: {
        const SeatPointer *p = packet;
        return p->buttons < 32 && ABS((gint64)p->wheel_vertical) <= 12000 && ABS((gint64)p->wheel_horizontal) <= 12000;
    }
    case SEAT_MOTION: {
        const SeatMotion *p = packet;
        return p->buttons < 32 && ABS((gint64)p->dx) <= 65535 && ABS((gint64)p->dy) <= 65535 &&
               ABS((gint64)p->wheel_vertical) <= 12000 && ABS((gint64)p->wheel_horizontal) <= 12000;
    }
    case SEAT_TOUCH:
        return ((const SeatTouch *)packet)->contact < 16 && ((const SeatTouch *)packet)->phase <= 3;
    case SEAT_STREAM_OPEN:
        return TERMINATED(((const SeatStreamOpen *)packet)->mime);
    case SEAT_STREAM_DATA:
        return ((const SeatStreamData *)packet)->length == length - sizeof(SeatStreamData);
    case SEAT_WELCOME:
        return TERMINATED(((const SeatWelcome *)packet)->desktop) && TERMINATED(((const SeatWelcome *)packet)->user);
    case SEAT_BUFFER:
        return buffer_fits(packet);
    case SEAT_FRAME:
        return frame_fits(packet, length);
    case SEAT_CURSOR: {
        const SeatCursor *p = packet;
        return p->width <= SEAT_CURSOR_MAX && p->height <= SEAT_CURSOR_MAX && p->hot_x <= p->width &&
               p->hot_y <= p->height;
    }
    case SEAT_LOGIN:
        return TERMINATED(((const SeatLogin *)packet)->user) && TERMINATED(((const SeatLogin *)packet)->text);
    case SEAT_CLOSE:
        return TERMINATED(((const SeatClose *)packet)->text);
    default:
        return TRUE;
    }
}

const char *seat_link_check(const void *packet, gsize length, guint descriptors, gboolean from_client)
{
    const SeatHeader *header = packet;
    PacketShape shape;

    if (length < sizeof *header || length > SEAT_LINK_PACKET_MAX)
        return "a packet too short or too long";
    if (header->size != length)
        return "a packet whose size field lies";
    if (!shape_of(header->type, &shape) || !(from_client ? shape.to_seat : shape.to_client))
        return "a packet of an unknown type";
    if (shape.tail ? length < shape.size : length != shape.size)
        return "a packet of the wrong size";
    if (descriptors < shape.descriptors_min || descriptors > shape.descriptors_max)
        return "a packet with the wrong number of descriptors";
    if (header->head >= SEAT_HEADS_MAX)
        return "a packet for a head that cannot be";
    if (!body_fits(header, length))
        return "a packet with a value out of range";
    return NULL;
}

const char *end_reason_text(EndReason reason)
{
    switch (reason) {
    case END_DONE:
        return "The session has ended.";
    case END_TAKEN_OVER:
        return "This desktop is continued on another device.";
    case END_REVOKED:
        return "Your right to this desktop has been withdrawn. Ask your administrator.";
    case END_KILLED:
        return "An administrator has ended this session.";
    case END_TIMEOUT:
        return "Nobody logged in in time. Connect again.";
    case END_DESKTOP_OFF:
        return "The desktop has been switched off.";
    case END_SHUTDOWN:
        return "The service is being stopped. Try again later.";
    case END_LIMIT:
        return "Too many connections at the moment. Try again in a minute.";
    case END_FAULT:
        return "Something broke on the server. Connect again.";
    case END_REPLACED:
        return "";
    }
    return "The session has ended.";
}
