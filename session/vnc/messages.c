/* The parser of a client's messages: RFC 6143 section 7.5 and the extensions that we announce. */
#include "session/vnc/messages.h"

#include "session/vnc/rfb.h"
#include "session/vnc/wire.h"

#include <string.h>

#define HELD_MAX (4 + 4 * RFB_ENCODINGS_MAX)

struct Messages {
    MessagesReceived received;
    gpointer data;
    gboolean extended_pointer;
    gsize skip; /* bytes of cut text that are still to come */
    gsize held;
    guint8 bytes[HELD_MAX];
};

const RfbPixelFormat rfb_native_format = {
    .bits_per_pixel = 32,
    .depth = 24,
    .true_colour = TRUE,
    .red_max = 255,
    .green_max = 255,
    .blue_max = 255,
    .red_shift = 16,
    .green_shift = 8,
    .blue_shift = 0,
};

Messages *messages_new(MessagesReceived received, gpointer data)
{
    Messages *messages = g_new0(Messages, 1);
    messages->received = received;
    messages->data = data;
    return messages;
}

void messages_free(Messages *messages)
{
    if (messages)
        explicit_bzero(messages->bytes, sizeof messages->bytes);
    g_free(messages);
}

void messages_extend_pointer(Messages *messages)
{
    messages->extended_pointer = TRUE;
}

static gboolean channel_fits(guint max, guint shift, guint bits)
{
    return max > 0 && (max & (max + 1)) == 0 && shift < bits && ((guint64)max << shift) < (1ull << bits);
}

static gboolean format_fits(const RfbPixelFormat *f)
{
    if ((f->bits_per_pixel != 8 && f->bits_per_pixel != 16 && f->bits_per_pixel != 32) || f->depth < 1 ||
        f->depth > f->bits_per_pixel)
        return FALSE;
    if (!f->true_colour)
        return f->bits_per_pixel == 8;
    return channel_fits(f->red_max, f->red_shift, f->bits_per_pixel) &&
           channel_fits(f->green_max, f->green_shift, f->bits_per_pixel) &&
           channel_fits(f->blue_max, f->blue_shift, f->bits_per_pixel);
}

/* The size of the message that begins with `b`, as far as `n` bytes tell: 0: more bytes are needed to know.
 */
static gsize message_size(const Messages *m, const guint8 *b, gsize n, const char **error)
{
    switch (b[0]) {
    case RFB_SET_PIXEL_FORMAT:
        return 20;
    case RFB_SET_ENCODINGS:
        if (n < 4)
            return 0;
        if (wire_get16(b + 2) > RFB_ENCODINGS_MAX)
            *error = "too many encodings in SetEncodings";
        return 4 + 4 * (gsize)wire_get16(b + 2);
    case RFB_UPDATE_REQUEST:
    case RFB_ENABLE_CONTINUOUS:
        return 10;
    case RFB_KEY:
        return 8;
    case RFB_POINTER:
        if (n < 2)
            return 0;
        return m->extended_pointer && (b[1] & 0x80) ? 7 : 6;
    case RFB_CUT_TEXT:
        return 8;
    case RFB_FENCE:
        if (n < 9)
            return 0;
        if (b[8] > RFB_FENCE_PAYLOAD_MAX)
            *error = "a fence with too large a payload";
        return 9 + (gsize)b[8];
    case RFB_XVP:
        return 4;
    case RFB_SET_DESKTOP_SIZE:
        if (n < 8)
            return 0;
        if (b[6] > RFB_SCREENS_MAX)
            *error = "too many screens in SetDesktopSize";
        return 8 + 16 * (gsize)b[6];
    case RFB_QEMU:
        if (n < 2)
            return 0;
        if (b[1] != 0)
            *error = "a QEMU message other than the extended key event";
        return 12;
    default:
        *error = "a message of an unknown type";
        return 0;
    }
}

static const char *take_encodings(Messages *m, RfbMessage *message)
{
    gint32 list[RFB_ENCODINGS_MAX];
    message->encodings.count = wire_get16(m->bytes + 2);
    message->encodings.list = list;
    for (guint i = 0; i < message->encodings.count; i++)
        list[i] = (gint32)wire_get32(m->bytes + 4 + 4 * i);
    m->received(message, m->data);
    return NULL;
}

static const char *take_cut_text(Messages *m)
{
    /* A negative length announces the extended clipboard's form, which is as long as its magnitude. */
    gint64 length = (gint32)wire_get32(m->bytes + 4);
    length = ABS(length);
    if (length > RFB_CUT_TEXT_MAX)
        return "a clipboard text that is too long";
    m->skip = (gsize)length;
    return NULL;
}

static const char *take_format(Messages *m, RfbMessage *message)
{
    const guint8 *b = m->bytes;
    message->format = (RfbPixelFormat){
        .bits_per_pixel = b[4],
        .depth = b[5],
        .big_endian = b[6] != 0,
        .true_colour = b[7] != 0,
        .red_max = wire_get16(b + 8),
        .green_max = wire_get16(b + 10),
        .blue_max = wire_get16(b + 12),
        .red_shift = b[14],
        .green_shift = b[15],
        .blue_shift = b[16],
    };
    if (!format_fits(&message->format))
        return "a pixel format that cannot be";
    m->received(message, m->data);
    return NULL;
}

/* One whole message stands in m->bytes. */
static const char *take(Messages *m)
{
    const guint8 *b = m->bytes;
    RfbMessage message = {.type = b[0]};

    switch (b[0]) {
    case RFB_SET_PIXEL_FORMAT:
        return take_format(m, &message);
    case RFB_SET_ENCODINGS:
        return take_encodings(m, &message);
    case RFB_CUT_TEXT:
        return take_cut_text(m);
    case RFB_XVP:
        return NULL;
    case RFB_UPDATE_REQUEST:
        message.request.incremental = b[1] != 0;
        message.request.x = wire_get16(b + 2);
        message.request.y = wire_get16(b + 4);
        message.request.width = wire_get16(b + 6);
        message.request.height = wire_get16(b + 8);
        break;
    case RFB_ENABLE_CONTINUOUS:
        message.continuous.enable = b[1] != 0;
        message.continuous.x = wire_get16(b + 2);
        message.continuous.y = wire_get16(b + 4);
        message.continuous.width = wire_get16(b + 6);
        message.continuous.height = wire_get16(b + 8);
        break;
    case RFB_KEY:
        message.key.pressed = b[1] != 0;
        message.key.keysym = wire_get32(b + 4);
        break;
    case RFB_QEMU:
        message.type = RFB_KEY;
        message.key.pressed = wire_get16(b + 2) != 0;
        message.key.keysym = wire_get32(b + 4);
        message.key.code = wire_get32(b + 8);
        break;
    case RFB_POINTER:
        message.pointer.mask = b[1];
        if (m->extended_pointer && (b[1] & 0x80))
            message.pointer.mask = (b[1] & 0x7fu) | (guint32)(b[6] & 3) << 7;
        message.pointer.x = wire_get16(b + 2);
        message.pointer.y = wire_get16(b + 4);
        break;
    case RFB_FENCE:
        message.fence.flags = wire_get32(b + 4);
        message.fence.length = b[8];
        message.fence.payload = b + 9;
        break;
    case RFB_SET_DESKTOP_SIZE:
        message.size.width = wire_get16(b + 2);
        message.size.height = wire_get16(b + 4);
        message.size.screens = b[6];
        break;
    default:
        g_assert_not_reached();
    }
    m->received(&message, m->data);
    return NULL;
}

const char *messages_feed(Messages *m, const guint8 *bytes, gsize length)
{
    const char *error = NULL;
    while (length > 0) {
        if (m->skip > 0) {
            gsize n = MIN(m->skip, length);
            m->skip -= n;
            bytes += n;
            length -= n;
            continue;
        }
        m->bytes[m->held++] = *bytes++;
        length--;
        gsize size = message_size(m, m->bytes, m->held, &error);
        if (error)
            return error;
        if (size == 0)
            continue;
        gsize n = MIN(size - m->held, length);
        memcpy(m->bytes + m->held, bytes, n);
        m->held += n;
        bytes += n;
        length -= n;
        if (m->held < size)
            continue;
        error = take(m);
        m->held = 0;
        if (error)
            return error;
    }
    return NULL;
}
