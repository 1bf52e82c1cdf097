/* What an RFB client is told beside pixels: size, cursor, lock lights, name, and which extensions are
 * understood. */
#include "session/vnc/rfb.h"
#include "session/vnc/screen_internal.h"
#include "session/vnc/writer.h"

#include <string.h>

gboolean screen_signs_due(const Screen *screen)
{
    const Capabilities *c = &screen->capabilities;
    return screen->size_due || screen->size_reply_due ||
           (screen->cursor_due && c->cursor && screen->cursor_known) || (screen->leds_due && c->leds) ||
           (screen->name_due && c->desktop_name) || screen->qemu_key_due || screen->extended_mouse_due;
}

static guint put_sizes(Screen *screen, GByteArray *out)
{
    guint rects = 0;
    if (screen->size_reply_due) {
        write_extended_size(out, RFB_SIZE_BY_CLIENT, screen->size_reply, screen->client_width,
                            screen->client_height);
        screen->size_reply_due = FALSE;
        rects++;
    } else if (screen->size_due) {
        if (screen->capabilities.extended_size)
            write_extended_size(out, RFB_SIZE_BY_SERVER, RFB_SIZE_OK, screen->client_width,
                                screen->client_height);
        else
            write_desktop_size(out, screen->client_width, screen->client_height);
        screen->size_due = FALSE;
        rects++;
    }
    return rects;
}

static guint put_others(Screen *screen, GByteArray *out)
{
    const Capabilities *c = &screen->capabilities;
    guint rects = 0;

    if (screen->cursor_due && c->cursor && screen->cursor_known) {
        write_cursor(out, c->cursor, &screen->format, screen->cursor,
                     screen->cursor ? screen->cursor_width : 0, screen->cursor ? screen->cursor_height : 0,
                     screen->cursor ? screen->hot_x : 0, screen->cursor ? screen->hot_y : 0);
        screen->cursor_due = FALSE;
        rects++;
    }
    if (screen->leds_due && c->leds) {
        write_leds(out, c->leds, screen->leds);
        screen->leds_due = FALSE;
        rects++;
    }
    if (screen->name_due && c->desktop_name) {
        write_desktop_name(out, screen->name);
        screen->name_due = FALSE;
        rects++;
    }
    if (screen->qemu_key_due) {
        write_rect_head(out, 0, 0, 0, 0, RFB_ENCODING_QEMU_KEY);
        screen->qemu_key_due = FALSE;
        rects++;
    }
    if (screen->extended_mouse_due) {
        write_rect_head(out, 0, 0, 0, 0, RFB_ENCODING_EXTENDED_MOUSE);
        screen->extended_mouse_due = FALSE;
        rects++;
    }
    return rects;
}

void screen_send_signs(Screen *screen)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    guint rects;

    write_update_head(out, 0);
    rects = put_sizes(screen, out);
    if (rects == 0)
        rects = put_others(screen, out);
    out->data[3] = (guint8)rects;
    transport_write(screen->transport, out->data, out->len);
}

void screen_announce(Screen *screen, const Capabilities *before)
{
    const Capabilities *now = &screen->capabilities;
    g_autoptr(GByteArray) out = g_byte_array_new();

    screen->qemu_key_due |= now->qemu_key && !before->qemu_key;
    screen->extended_mouse_due |= now->extended_mouse && !before->extended_mouse;
    screen->cursor_due |= now->cursor != before->cursor;
    screen->leds_due |= screen->leds_known && now->leds && now->leds != before->leds;
    screen->name_due |= now->desktop_name && !before->desktop_name;
    /* The first one tells the client that it may ask for sizes. */
    screen->size_due |= now->extended_size && !before->extended_size;
    if (now->desktop_size && !before->desktop_size &&
        (screen->width != screen->client_width || screen->height != screen->client_height))
        screen->size_due = TRUE;
    if (now->desktop_size || now->extended_size) {
        screen->client_width = screen->width;
        screen->client_height = screen->height;
    }
    if (now->fence && !screen->fence_announced) {
        write_fence(out, RFB_FENCE_REQUEST | RFB_FENCE_BLOCK_BEFORE, (const guint8 *)"", 0);
        screen->fence_announced = TRUE;
    }
    if (now->continuous && !screen->continuous_announced) {
        write_end_of_continuous(out);
        screen->continuous_announced = TRUE;
    }
    transport_write(screen->transport, out->data, out->len);
}

void screen_set_name(Screen *screen, const SeatWelcome *welcome)
{
    g_autofree char *name = NULL;
    if (welcome->greeter || !*welcome->desktop)
        name = g_strdup("Fernwerk");
    else
        name = g_strdup_printf("%s - Fernwerk", welcome->desktop);
    if (g_strcmp0(name, screen->name) == 0)
        return;
    g_free(screen->name);
    screen->name = g_steal_pointer(&name);
    screen->name_due = TRUE;
}

void screen_cursor(Screen *screen, const guint8 *pixels, guint width, guint height, guint hot_x, guint hot_y)
{
    g_clear_pointer(&screen->cursor, g_free);
    if (pixels && width > 0 && height > 0) {
        screen->cursor = g_memdup2(pixels, (gsize)width * height * 4);
        screen->cursor_width = width;
        screen->cursor_height = height;
        screen->hot_x = MIN(hot_x, width - 1);
        screen->hot_y = MIN(hot_y, height - 1);
    }
    screen->cursor_known = screen->cursor_due = TRUE;
    screen_pump(screen);
}

void screen_leds(Screen *screen, guint32 mask)
{
    screen->leds = mask;
    screen->leds_known = screen->leds_due = TRUE;
    screen_pump(screen);
}

void screen_take_size(Screen *screen, guint width, guint height, guint screens)
{
    SeatSizeHint hint = {.width = width, .height = height};

    screen->size_reply_due = screen->capabilities.extended_size;
    if (screens < 1 || width < SEAT_WIDTH_MIN || width > SEAT_WIDTH_MAX || height < SEAT_WIDTH_MIN ||
        height > SEAT_WIDTH_MAX) {
        screen->size_reply = RFB_SIZE_INVALID;
    } else if (width == screen->width && height == screen->height) {
        screen->size_reply = RFB_SIZE_OK;
    } else {
        /* Whether and when the desktop follows is for its guest to say. */
        screen->size_reply = RFB_SIZE_FORWARDED;
        viewer_size(screen->viewer, 0, &hint);
    }
    screen_pump(screen);
}
