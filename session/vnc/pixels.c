/* libvncserver as an encoder. Its client reads and writes one end of a socketpair; we hold the other end,
 * write whole messages into it and empty it after every call, so that it never waits: a piece of PIECE_WIDTH
 * x PIECE_HEIGHT px makes less output in any encoding than the pair holds. */
#include "session/vnc/pixels.h"

#include "base/log.h"
#include "session/vnc/rfb.h"
#include "session/vnc/wire.h"

#include <errno.h>
#include <gio/gio.h>
#include <rfb/rfb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* rfb.h says -1, which is no gboolean that one may add or compare. */
#undef TRUE
#define TRUE 1

#define PIECE_WIDTH 512
#define PIECE_HEIGHT SEAT_TILE
#define BEAT_US (MASTER_HEARTBEAT_MS * 1000 / 2)

struct Pixels {
    rfbScreenInfoPtr screen;
    rfbClientPtr client;
    int fd; /* our end */
    gint32 encoding;
    gboolean last_rect;
    int quality; /* libvncserver's JPEG quality for lossy pieces, -1 none */
    void (*beat)(void);
    gint64 beat_us;
};

static void silent(const char *format, ...)
{
}

/* Moves what the encoder wrote to `out` (NULL: away). FALSE: the pair is broken. */
static gboolean drain(Pixels *pixels, GByteArray *out)
{
    guint8 bytes[16384];
    for (;;) {
        ssize_t n = recv(pixels->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (n > 0 && out)
            g_byte_array_append(out, bytes, (guint)n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        if (n == 0)
            return FALSE;
    }
}

/* Hands one whole message of ours to libvncserver; what it answers goes to `out`. */
static gboolean tell(Pixels *pixels, const guint8 *message, gsize length, GByteArray *out)
{
    if (send(pixels->fd, message, length, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)length)
        return FALSE;
    rfbProcessClientMessage(pixels->client);
    return pixels->client->sock != -1 && drain(pixels, out);
}

static gboolean make_client(Pixels *pixels, int fd, GError **error)
{
    static const char start[] = "RFB 003.008\n\001\001"; /* version, security type None, ClientInit shared */
    gboolean ok = send(pixels->fd, start, sizeof start - 1, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof start - 1;

    if (ok)
        pixels->client = rfbNewClient(pixels->screen, fd);
    else
        close(fd);
    for (guint message = 0; message < 3 && pixels->client && pixels->client->sock != -1; message++)
        rfbProcessClientMessage(pixels->client);
    if (!pixels->client || pixels->client->sock == -1 || pixels->client->state != RFB_NORMAL ||
        !drain(pixels, NULL)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "libvncserver did not take its client");
        return FALSE;
    }
    return TRUE;
}

Pixels *pixels_new(void (*beat)(void), GError **error)
{
    g_autoptr(Pixels) pixels = g_new0(Pixels, 1);
    static guint8 nothing[SEAT_WIDTH_MIN * SEAT_WIDTH_MIN * 4];
    int ends[2];

    pixels->fd = -1;
    pixels->beat = beat;
    pixels->quality = -1;
    rfbLog = silent;
    rfbErr = silent;
    pixels->screen = rfbGetScreen(NULL, NULL, SEAT_WIDTH_MIN, SEAT_WIDTH_MIN, 8, 3, 4);
    if (!pixels->screen) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "libvncserver made no screen");
        return NULL;
    }
    rfbScreenInfoPtr screen = pixels->screen;
    screen->frameBuffer = (char *)nothing;
    screen->port = screen->ipv6port = -1;
    screen->socketState = RFB_SOCKET_READY;
    screen->permitFileTransfer = FALSE;
    screen->cursor = NULL;
    screen->alwaysShared = TRUE;
    screen->maxClientWait = 100;
    screen->serverFormat.depth =
        rfb_native_format.depth; /* it says 32, and Tight would send the fourth byte too */
    screen->serverFormat.redShift = 16;
    screen->serverFormat.greenShift = 8;
    screen->serverFormat.blueShift = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "cannot make a socket pair: %s",
                    g_strerror(errno));
        return NULL;
    }
    pixels->fd = ends[0];
    if (!make_client(pixels, ends[1], error) || !pixels_set_format(pixels, &rfb_native_format, NULL) ||
        !pixels_set_encoding(pixels, RFB_ENCODING_RAW, -1, -1, FALSE))
        return NULL;
    return g_steal_pointer(&pixels);
}

void pixels_free(Pixels *pixels)
{
    if (!pixels)
        return;
    if (pixels->client) {
        rfbCloseClient(pixels->client);
        rfbClientConnectionGone(pixels->client);
    }
    if (pixels->screen)
        rfbScreenCleanup(pixels->screen);
    if (pixels->fd >= 0)
        close(pixels->fd);
    g_free(pixels);
}

gboolean pixels_set_format(Pixels *pixels, const RfbPixelFormat *format, GByteArray *out)
{
    g_autoptr(GByteArray) message = g_byte_array_new();
    wire_put8(message, RFB_SET_PIXEL_FORMAT);
    wire_put8(message, 0);
    wire_put16(message, 0);
    wire_put8(message, format->bits_per_pixel);
    wire_put8(message, format->depth);
    wire_put8(message, format->big_endian);
    wire_put8(message, format->true_colour);
    wire_put16(message, format->red_max);
    wire_put16(message, format->green_max);
    wire_put16(message, format->blue_max);
    wire_put8(message, format->red_shift);
    wire_put8(message, format->green_shift);
    wire_put8(message, format->blue_shift);
    wire_put8(message, 0);
    wire_put16(message, 0);
    return tell(pixels, message->data, message->len, out);
}

gboolean pixels_set_encoding(Pixels *pixels, gint32 encoding, gint compress, gint quality, gboolean last_rect)
{
    g_autoptr(GByteArray) message = g_byte_array_new();
    wire_put8(message, RFB_SET_ENCODINGS);
    wire_put8(message, 0);
    wire_put16(message, 1u + last_rect + (compress >= 0) + (quality >= 0));
    wire_put32(message, (guint32)encoding);
    if (last_rect)
        wire_put32(message, (guint32)RFB_ENCODING_LAST_RECT);
    if (compress >= 0)
        wire_put32(message, (guint32)(RFB_ENCODING_COMPRESS_0 + compress));
    if (quality >= 0)
        wire_put32(message, (guint32)(RFB_ENCODING_QUALITY_0 + quality));
    if (!tell(pixels, message->data, message->len, NULL))
        return FALSE;
    pixels->encoding = encoding;
    pixels->last_rect = last_rect;
    pixels->quality = quality >= 0 ? pixels->client->turboQualityLevel : -1;
    /* Or it would paint a cursor of its own into our picture. */
    pixels->client->enableCursorShapeUpdates = TRUE;
    pixels->client->cursorWasChanged = FALSE;
    return TRUE;
}

/* One piece, at most PIECE_WIDTH x PIECE_HEIGHT. */
static gboolean encode_piece(Pixels *pixels, int x, int y, int width, int height, GByteArray *out,
                             guint *rects)
{
    rfbClientPtr client = pixels->client;
    rfbBool ok = FALSE;
    guint before = out->len;
    guint count = 1;

    client->ublen = 0;
    switch (pixels->encoding) {
    case RFB_ENCODING_TIGHT:
        /* Tight looks for areas of one colour and cuts them out only where LastRect spares it the counting.
         */
        count = (guint)rfbNumCodedRectsTight(client, x, y, width, height);
        ok = rfbSendRectEncodingTight(client, x, y, width, height);
        break;
    case RFB_ENCODING_ZRLE:
        ok = rfbSendRectEncodingZRLE(client, x, y, width, height);
        break;
    case RFB_ENCODING_HEXTILE:
        ok = rfbSendRectEncodingHextile(client, x, y, width, height);
        break;
    default:
        ok = rfbSendRectEncodingRaw(client, x, y, width, height);
    }
    ok = ok && rfbSendUpdateBuf(client) && client->sock != -1 && drain(pixels, out) && out->len > before;
    *rects += count == 0 ? 1 : count;
    return ok;
}

gboolean pixels_encode(Pixels *pixels, const ViewerPicture *picture, const ViewerRect *rect, gboolean lossy,
                       GByteArray *out, guint *rects)
{
    rfbScreenInfoPtr screen = pixels->screen;

    g_assert(rect->x + rect->width <= picture->width && rect->y + rect->height <= picture->height);
    /* libvncserver only reads the picture: it has no cursor to paint and takes no input. */
    screen->frameBuffer = (char *)picture->pixels;
    screen->width = (int)picture->width;
    screen->height = (int)picture->height;
    screen->paddedWidthInBytes = (int)picture->stride;
    screen->sizeInBytes = (int)(picture->stride * picture->height);
    pixels->client->turboQualityLevel = lossy ? pixels->quality : -1;
    for (guint y = rect->y; y < rect->y + rect->height; y += PIECE_HEIGHT)
        for (guint x = rect->x; x < rect->x + rect->width; x += PIECE_WIDTH) {
            guint width = MIN(PIECE_WIDTH, rect->x + rect->width - x);
            guint height = MIN(PIECE_HEIGHT, rect->y + rect->height - y);
            if (!encode_piece(pixels, (int)x, (int)y, (int)width, (int)height, out, rects))
                return FALSE;
            gint64 now = g_get_monotonic_time();
            if (pixels->beat && now - pixels->beat_us > BEAT_US) {
                pixels->beat();
                pixels->beat_us = now;
            }
        }
    return TRUE;
}
