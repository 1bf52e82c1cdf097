/* RFB's server messages: RFC 6143 sections 7.3.2, 7.6 and 7.8, and rfbproto for the extensions. */
#include "session/vnc/writer.h"

#include "session/vnc/rfb.h"
#include "session/vnc/wire.h"

#include <string.h>

static void write_text(GByteArray *out, const char *text)
{
    wire_put32(out, (guint32)strlen(text));
    g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text));
}

static void write_padding(GByteArray *out, guint count)
{
    while (count-- > 0)
        wire_put8(out, 0);
}

void write_server_init(GByteArray *out, guint width, guint height, const char *name)
{
    const RfbPixelFormat *f = &rfb_native_format;
    wire_put16(out, width);
    wire_put16(out, height);
    wire_put8(out, f->bits_per_pixel);
    wire_put8(out, f->depth);
    wire_put8(out, f->big_endian);
    wire_put8(out, f->true_colour);
    wire_put16(out, f->red_max);
    wire_put16(out, f->green_max);
    wire_put16(out, f->blue_max);
    wire_put8(out, f->red_shift);
    wire_put8(out, f->green_shift);
    wire_put8(out, f->blue_shift);
    write_padding(out, 3);
    write_text(out, name);
}

void write_update_head(GByteArray *out, guint rects)
{
    wire_put8(out, RFB_UPDATE);
    wire_put8(out, 0);
    wire_put16(out, rects);
}

void write_rect_head(GByteArray *out, guint x, guint y, guint width, guint height, gint32 encoding)
{
    wire_put16(out, x);
    wire_put16(out, y);
    wire_put16(out, width);
    wire_put16(out, height);
    wire_put32(out, (guint32)encoding);
}

void write_last_rect(GByteArray *out)
{
    write_rect_head(out, 0, 0, 0, 0, RFB_ENCODING_LAST_RECT);
}

void write_desktop_size(GByteArray *out, guint width, guint height)
{
    write_rect_head(out, 0, 0, width, height, RFB_ENCODING_DESKTOP_SIZE);
}

void write_extended_size(GByteArray *out, guint cause, guint status, guint width, guint height)
{
    write_rect_head(out, cause, status, width, height, RFB_ENCODING_EXTENDED_DESKTOP_SIZE);
    wire_put8(out, 1); /* one screen, id 0, over everything */
    write_padding(out, 3);
    wire_put32(out, 0);
    wire_put16(out, 0);
    wire_put16(out, 0);
    wire_put16(out, width);
    wire_put16(out, height);
    wire_put32(out, 0);
}

void write_desktop_name(GByteArray *out, const char *name)
{
    write_rect_head(out, 0, 0, 0, 0, RFB_ENCODING_DESKTOP_NAME);
    write_text(out, name);
}

void write_leds(GByteArray *out, gint32 encoding, guint32 mask)
{
    /* Both encodings count as the seat link does: scroll 1, num 2, caps 4. */
    write_rect_head(out, 0, 0, 0, 0, encoding);
    if (encoding == RFB_ENCODING_QEMU_LEDS)
        wire_put8(out, mask & 7);
    else
        wire_put32(out, mask & 7);
}

void write_copy(GByteArray *out, guint x, guint y, guint width, guint height, guint from_x, guint from_y)
{
    write_rect_head(out, x, y, width, height, RFB_ENCODING_COPY_RECT);
    wire_put16(out, from_x);
    wire_put16(out, from_y);
}

void write_h264(GByteArray *out, guint x, guint y, guint width, guint height, gboolean reset,
                gboolean reset_all, const guint8 *unit, gsize length)
{
    write_rect_head(out, x, y, width, height, RFB_ENCODING_H264);
    wire_put32(out, (guint32)length);
    wire_put32(out, (reset ? 1u : 0u) | (reset_all ? 2u : 0u));
    g_byte_array_append(out, unit, (guint)length);
}

static guint straight(guint channel, guint alpha)
{
    return alpha == 0 ? 0 : MIN(255, (channel * 255 + alpha / 2) / alpha);
}

static void write_pixel(GByteArray *out, const RfbPixelFormat *f, guint red, guint green, guint blue)
{
    guint32 value;
    if (f->true_colour)
        value = (red * f->red_max / 255) << f->red_shift | (green * f->green_max / 255) << f->green_shift |
                (blue * f->blue_max / 255) << f->blue_shift;
    else
        value = (blue >> 6) << 6 | (green >> 5) << 3 | red >> 5; /* the map that libvncserver sets: BGR233 */
    guint bytes = f->bits_per_pixel / 8;
    for (guint i = 0; i < bytes; i++)
        wire_put8(out, value >> 8 * (f->big_endian ? bytes - 1 - i : i));
}

static void write_mask(GByteArray *out, const guint8 *pixels, guint width, guint height)
{
    for (guint y = 0; y < height; y++)
        for (guint x = 0; x < width; x += 8) {
            guint bits = 0;
            for (guint i = 0; i < 8 && x + i < width; i++)
                if (pixels[4 * (y * width + x + i) + 3] >= 128)
                    bits |= 0x80u >> i;
            wire_put8(out, bits);
        }
}

void write_cursor(GByteArray *out, gint32 encoding, const RfbPixelFormat *format, const guint8 *pixels,
                  guint width, guint height, guint hot_x, guint hot_y)
{
    write_rect_head(out, hot_x, hot_y, width, height, encoding);
    if (encoding == RFB_ENCODING_CURSOR_ALPHA)
        wire_put32(out, RFB_ENCODING_RAW);
    else if (encoding == RFB_ENCODING_VMWARE_CURSOR)
        wire_put16(out, 0x0100); /* with alpha, padding */
    for (guint i = 0; i < width * height; i++) {
        const guint8 *p = pixels + 4 * i;
        guint blue = p[0], green = p[1], red = p[2], alpha = p[3];
        if (encoding != RFB_ENCODING_CURSOR_ALPHA) {
            red = straight(red, alpha);
            green = straight(green, alpha);
            blue = straight(blue, alpha);
        }
        if (encoding == RFB_ENCODING_CURSOR) {
            write_pixel(out, format, red, green, blue);
        } else {
            guint8 rgba[4] = {(guint8)red, (guint8)green, (guint8)blue, (guint8)alpha};
            g_byte_array_append(out, rgba, 4);
        }
    }
    if (encoding == RFB_ENCODING_CURSOR)
        write_mask(out, pixels, width, height);
}

void write_fence(GByteArray *out, guint32 flags, const guint8 *payload, guint length)
{
    wire_put8(out, RFB_FENCE);
    write_padding(out, 3);
    wire_put32(out, flags);
    wire_put8(out, length);
    g_byte_array_append(out, payload, length);
}

void write_end_of_continuous(GByteArray *out)
{
    wire_put8(out, RFB_END_OF_CONTINUOUS);
}

void write_bell(GByteArray *out)
{
    wire_put8(out, RFB_BELL);
}

char *writer_end_name(EndReason reason, const char *text)
{
    return g_strdup_printf("fernwerk:end=%u:%s", (guint)reason, text);
}
