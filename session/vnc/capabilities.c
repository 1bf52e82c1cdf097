/* Reading SetEncodings. */
#include "session/vnc/capabilities.h"

#include "session/vnc/rfb.h"

static gboolean better(gint32 one, gint32 other, const gint32 *order)
{
    for (; *order != 0; order++) {
        if (*order == other)
            return FALSE;
        if (*order == one)
            return TRUE;
    }
    return FALSE;
}

static void read_one(Capabilities *c, gint32 encoding, gboolean *pixels_known)
{
    /* Alpha first, and rather the standard's than VMware's. */
    static const gint32 cursors[] = {RFB_ENCODING_CURSOR_ALPHA, RFB_ENCODING_VMWARE_CURSOR,
                                     RFB_ENCODING_CURSOR, 0};
    static const gint32 leds[] = {RFB_ENCODING_QEMU_LEDS, RFB_ENCODING_VMWARE_LEDS, 0};

    if (encoding >= RFB_ENCODING_QUALITY_0 && encoding <= RFB_ENCODING_QUALITY_9)
        c->quality = encoding - RFB_ENCODING_QUALITY_0;
    if (encoding >= RFB_ENCODING_COMPRESS_0 && encoding <= RFB_ENCODING_COMPRESS_9)
        c->compress = encoding - RFB_ENCODING_COMPRESS_0;
    if (better(encoding, c->cursor, cursors))
        c->cursor = encoding;
    if (better(encoding, c->leds, leds))
        c->leds = encoding;
    if (!*pixels_known && (encoding == RFB_ENCODING_TIGHT || encoding == RFB_ENCODING_ZRLE ||
                           encoding == RFB_ENCODING_HEXTILE || encoding == RFB_ENCODING_RAW)) {
        c->pixels = encoding;
        *pixels_known = TRUE;
    }
    c->h264 |= encoding == RFB_ENCODING_H264;
    c->copy_rect |= encoding == RFB_ENCODING_COPY_RECT;
    c->last_rect |= encoding == RFB_ENCODING_LAST_RECT;
    c->desktop_size |= encoding == RFB_ENCODING_DESKTOP_SIZE;
    c->extended_size |= encoding == RFB_ENCODING_EXTENDED_DESKTOP_SIZE;
    c->desktop_name |= encoding == RFB_ENCODING_DESKTOP_NAME;
    c->fence |= encoding == RFB_ENCODING_FENCE;
    c->continuous |= encoding == RFB_ENCODING_CONTINUOUS;
    c->qemu_key |= encoding == RFB_ENCODING_QEMU_KEY;
    c->extended_mouse |= encoding == RFB_ENCODING_EXTENDED_MOUSE;
}

Capabilities capabilities_read(const gint32 *list, guint count)
{
    Capabilities c = {.pixels = RFB_ENCODING_RAW, .compress = -1, .quality = -1};
    gboolean pixels_known = FALSE;
    for (guint i = 0; i < count; i++)
        read_one(&c, list[i], &pixels_known);
    return c;
}

guint capabilities_max_kbit_s(const Capabilities *capabilities)
{
    static const guint ceilings[10] = {
        500,  800,        /* a mobile link at its edge */
        1200, 1800, 2600, /* one that also serves others; the page's "low" is 2 */
        3800, 5500, /* ADSL and slow uplinks, about what a 1080p video takes; the page's "medium" is 6 */
        9000,       /* a share of an office's uplink */
        0,    0,    /* the encoder's own ceiling; viewers that measure a fast link ask for 8 */
    };
    return capabilities->quality < 0 ? 0 : ceilings[MIN(capabilities->quality, 9)];
}
