/* The QEMU source: brings the newest picture into the host when somebody can see it, and input the other way.
 */
#include "base/log.h"
#include "session/seat/input_qemu.h"
#include "session/seat/qemu_display.h"
#include "session/seat/size_wish.h"
#include "session/seat/source.h"

#define ASK_APART_MS 500 /* for sizes; a guest under emulation takes some 100 ms to fetch one */

typedef struct {
    Source source;
    SeatHost *host;
    const SourceEvents *events;
    gpointer data;
    QemuDisplay *display;
    QemuInput *input;
    SizeWish *size_wish;
    guint32 *converted;                /* the picture as XRGB8888 where QEMU's is something else */
    guint shown_width, shown_height;   /* px, of the last picture */
    guint failed_width, failed_height; /* px, of a picture that there was no memory for */
    gboolean pictured, in_take;
} Qemu;

static void ask_for_size(guint width, guint height, guint width_mm, guint height_mm, gpointer data)
{
    Qemu *qemu = data;
    qemu_display_call(qemu->display, "Console", "SetUIInfo",
                      g_variant_new("(qqiiuu)", (guint16)MIN(width_mm, G_MAXUINT16),
                                    (guint16)MIN(height_mm, G_MAXUINT16), 0, 0, width, height),
                      NULL, NULL);
}

/* ---- picture ---- */

static gboolean fit_host(Qemu *qemu, const Surface *surface)
{
    g_autoptr(GError) error = NULL;
    if (qemu->shown_width == surface->width && qemu->shown_height == surface->height && qemu->pictured)
        return TRUE;
    if (!seat_host_resize(qemu->host, surface->width, surface->height, &error)) {
        if (qemu->failed_width != surface->width || qemu->failed_height != surface->height)
            log_warning("display: %ux%u: %s", surface->width, surface->height, error->message);
        qemu->failed_width = surface->width;
        qemu->failed_height = surface->height;
        return FALSE;
    }
    qemu->failed_width = qemu->failed_height = 0;
    g_clear_pointer(&qemu->converted, g_free);
    return TRUE;
}

static void bring_pixels(Qemu *qemu, QemuPicture *picture)
{
    Surface *surface = picture->surface;
    const void *pixels = surface->pixels;
    gsize stride = surface->stride;

    if (!surface->shared)
        g_mutex_lock(&surface->lock);
    if (!surface_format_is_native(surface->format)) {
        if (!qemu->converted)
            qemu->converted = g_new0(guint32, (gsize)surface->width * surface->height);
        stride = (gsize)surface->width * 4;
        for (guint i = 0; i < picture->rect_count; i++) {
            const SeatRect *rect = &picture->rects[i];
            surface_convert(surface, rect->x, rect->y, rect->width, rect->height, qemu->converted, stride);
        }
        pixels = qemu->converted;
    }
    /* The display's thread, and with it QEMU, waits for this lock: nothing longer than the copy under it. */
    seat_host_copy(qemu->host, picture->rects, picture->rect_count, pixels, stride, 0);
    if (!surface->shared)
        g_mutex_unlock(&surface->lock);
    /* Sends and may start an encode, hence not under the lock. */
    seat_host_publish(qemu->host);
}

static void bring_cursor(Qemu *qemu, const QemuPicture *picture)
{
    if (picture->cursor_changed)
        seat_host_cursor(qemu->host, g_bytes_get_data(picture->cursor, NULL), picture->cursor_width,
                         picture->cursor_height, picture->hot_x, picture->hot_y);
    if (picture->cursor_changed || picture->visibility_changed)
        seat_host_cursor_visible(qemu->host, picture->cursor_visible);
}

/* seat_host_damage() may say `wants` while it runs; what is new by then comes with the next turn of the loop.
 */
static void take(Qemu *qemu)
{
    QemuPicture picture;

    if (qemu->in_take)
        return;
    qemu->in_take = TRUE;
    qemu_display_take(qemu->display, &picture);
    bring_cursor(qemu, &picture);
    Surface *surface = picture.surface;
    if (surface && fit_host(qemu, surface)) {
        gboolean tell =
            !qemu->pictured || qemu->shown_width != surface->width || qemu->shown_height != surface->height;
        qemu->pictured = TRUE;
        qemu->shown_width = surface->width;
        qemu->shown_height = surface->height;
        if (tell) {
            picture.rects[0] = (SeatRect){.width = surface->width, .height = surface->height};
            picture.rect_count = 1;
        }
        if (picture.rect_count > 0)
            bring_pixels(qemu, &picture);
        if (tell) {
            size_wish_shown(qemu->size_wish, surface->width, surface->height);
            qemu->events->picture(surface->width, surface->height, qemu->data);
        }
    }
    qemu_picture_clear(&picture);
    qemu->in_take = FALSE;
}

/* Damage that nobody can see waits and merges, but a new size is told at once. */
static void display_changed(gpointer data)
{
    Qemu *qemu = data;
    guint width, height;
    qemu_display_size(qemu->display, &width, &height);
    if (!qemu->pictured || width != qemu->shown_width || height != qemu->shown_height ||
        seat_host_wants(qemu->host))
        take(qemu);
}

/* ---- the rest of the display ---- */

static void display_connected(gpointer data)
{
    Qemu *qemu = data;
    qemu_input_release_all(qemu->input);
    size_wish_connected(qemu->size_wish, TRUE);
}

static void display_lost(const char *text, gpointer data)
{
    Qemu *qemu = data;
    size_wish_connected(qemu->size_wish, FALSE);
    qemu->events->lost(text, qemu->data);
}

static void display_leds(guint mask, gpointer data)
{
    Qemu *qemu = data;
    qemu->events->leds(mask, qemu->data);
}

static void display_absolute(gboolean absolute, gpointer data)
{
    Qemu *qemu = data;
    qemu_input_absolute(qemu->input, absolute);
    seat_host_pointer_mode(qemu->host, absolute);
}

/* ---- the source's class ---- */

static void source_key(Source *source, guint code, gboolean pressed)
{
    qemu_input_key(((Qemu *)source)->input, code, pressed);
}

static void source_pointer(Source *source, const SeatPointer *pointer)
{
    qemu_input_pointer(((Qemu *)source)->input, pointer);
}

static void source_motion(Source *source, const SeatMotion *motion)
{
    qemu_input_motion(((Qemu *)source)->input, motion);
}

static void source_touch(Source *source, const SeatTouch *touch)
{
    qemu_input_touch(((Qemu *)source)->input, touch);
}

static void source_size(Source *source, const SeatSizeHint *size)
{
    Qemu *qemu = (Qemu *)source;
    size_wish_set(qemu->size_wish, CLAMP(size->width, SEAT_WIDTH_MIN, SEAT_WIDTH_MAX),
                  CLAMP(size->height, SEAT_WIDTH_MIN, SEAT_WIDTH_MAX), size->width_mm, size->height_mm);
}

static void source_wants(Source *source)
{
    take((Qemu *)source);
}

static void source_clients(Source *source, guint count)
{
}

static void source_free(Source *source)
{
    Qemu *qemu = (Qemu *)source;
    size_wish_free(qemu->size_wish);
    qemu_input_free(qemu->input);
    qemu_display_free(qemu->display);
    g_free(qemu->converted);
    g_free(qemu);
}

Source *source_qemu_new(SeatHost *host, int fd, guint width, guint height, const SourceEvents *events,
                        gpointer data)
{
    static const SourceClass class = {
        .key = source_key,
        .pointer = source_pointer,
        .motion = source_motion,
        .touch = source_touch,
        .size = source_size,
        .wants = source_wants,
        .clients = source_clients,
        .free = source_free,
    };
    static const QemuDisplayEvents display_events = {.connected = display_connected,
                                                     .changed = display_changed,
                                                     .lost = display_lost,
                                                     .leds = display_leds,
                                                     .absolute = display_absolute};
    Qemu *qemu = g_new0(Qemu, 1);
    qemu->source.class = &class;
    qemu->host = host;
    qemu->events = events;
    qemu->data = data;
    qemu->size_wish = size_wish_new(width, height, ASK_APART_MS, ask_for_size, qemu);
    qemu->display = qemu_display_new(fd, &display_events, qemu);
    qemu->input = qemu_input_new(qemu->display);
    return &qemu->source;
}
