/* Pictures on their way to an RFB client: newest wins, one update is made when the client can take it. What
 * stands beside the pixels is made in screen_signs.c, film in screen_units.c. */
#include "session/vnc/screen_internal.h"

#include "base/log.h"
#include "encoder/notice.h"
#include "session/vnc/rfb.h"
#include "session/vnc/wire.h"
#include "session/vnc/writer.h"

#define CAUGHT_UP_US (1 * G_USEC_PER_SEC)
#define STALL_US (5 * G_USEC_PER_SEC) /* unanswered fences: the decoder is stuck */
#define STALL_CHECK_MS 1000
#define H264_RETRIES 3                       /* how often a client that came back to life gets H.264 again */
#define WEB_GIVE_UP_US (20 * G_USEC_PER_SEC) /* a stuck page never recovers: let it reconnect */

void screen_fail(Screen *screen, const char *why)
{
    if (screen->failed_already)
        return;
    screen->failed_already = TRUE;
    screen->failed(why, screen->data);
}

Screen *screen_new(Viewer *viewer, Pixels *pixels, ScreenFailed failed, gpointer data)
{
    Screen *screen = g_new0(Screen, 1);
    screen->viewer = viewer;
    screen->pixels = pixels;
    screen->failed = failed;
    screen->data = data;
    screen->format = rfb_native_format;
    screen->capabilities = capabilities_read(NULL, 0);
    return screen;
}

void screen_free(Screen *screen)
{
    if (!screen)
        return;
    g_clear_handle_id(&screen->timer, g_source_remove);
    g_free(screen->cursor);
    g_free(screen->name);
    g_free(screen);
}

/* An update would go out at once. */
static gboolean may_send(const Screen *screen)
{
    return screen->transport && !screen->noticed && !screen->failed_already &&
           (screen->requested || screen->continuous) &&
           pace_may_send(&screen->pace, g_get_monotonic_time()) && transport_ready(screen->transport);
}

static gboolean on_timer(gpointer data);

/* Looks for a stall as long as an answer is missing. Not put off with every update: it would never fire while
 * there are many. */
static void arm_timer(Screen *screen)
{
    if (screen->timer == 0 && pace_waiting_us(&screen->pace, g_get_monotonic_time()) > 0)
        screen->timer = g_timeout_add(STALL_CHECK_MS, on_timer, screen);
}

/* Whether the client takes JPEG where that is worth it, and no film is on its way instead. */
static gboolean takes_losses(const Screen *screen)
{
    return !screen->h264 && screen->capabilities.quality >= 0 &&
           screen->capabilities.pixels == RFB_ENCODING_TIGHT;
}

/* The lower one of what the client wants and what the link carries; 0: no limit. */
static guint film_kbit_s(const Screen *screen)
{
    guint wanted = capabilities_max_kbit_s(&screen->capabilities), carried = screen->film_kbit_s;
    return wanted && carried ? MIN(wanted, carried) : MAX(wanted, carried);
}

static void subscribe(Screen *screen)
{
    /* A client that cannot follow sizes has no rectangle for the whole picture. */
    gboolean follows = screen->capabilities.desktop_size || screen->capabilities.extended_size;
    gboolean wanted = screen->capabilities.h264 && follows && !screen->h264_given_up;
    if (wanted != screen->h264)
        screen_forget_decoders(screen);
    screen->h264 = wanted;
    viewer_subscribe(screen->viewer, wanted, film_kbit_s(screen));
    viewer_accept_losses(screen->viewer, takes_losses(screen));
}

/* The link has shown what it carries. */
static void follow_link(Screen *screen)
{
    guint kbit_s = pace_film_kbit_s(&screen->pace);

    viewer_refine(screen->viewer, pace_calm_tiles(&screen->pace));
    if (kbit_s == screen->film_kbit_s)
        return;
    screen->film_kbit_s = kbit_s;
    subscribe(screen);
}

static void check_stall(Screen *screen)
{
    gint64 waiting = pace_waiting_us(&screen->pace, g_get_monotonic_time());

    if (waiting < STALL_US || transport_unsent(screen->transport) > 0)
        return;
    if (screen->h264 || !screen->stalled) {
        if (screen->h264 || !screen->stall_told)
            log_warning("the client has not answered a fence for 5 s%s",
                        screen->h264 ? ": no more H.264 for it" : "");
        screen->stall_told = TRUE;
        screen->stalled = TRUE;
        screen->h264_given_up = TRUE;
        subscribe(screen);
        viewer_invalidate(screen->viewer, NULL, 0);
    } else if (screen->web && waiting > WEB_GIVE_UP_US) {
        screen_fail(screen, "the page does not decode any longer");
    }
}

static gboolean on_timer(gpointer data)
{
    Screen *screen = data;

    screen->timer = 0;
    check_stall(screen);
    screen_pump(screen);
    return G_SOURCE_REMOVE;
}

/* FALSE: nothing of the rectangle is on the client's screen. */
static gboolean clip(const Screen *screen, const ViewerRect *rect, ViewerRect *clipped)
{
    if (rect->x >= screen->client_width || rect->y >= screen->client_height)
        return FALSE;
    *clipped = (ViewerRect){rect->x, rect->y, MIN(rect->width, screen->client_width - rect->x),
                            MIN(rect->height, screen->client_height - rect->y)};
    return TRUE;
}

/* The client must have all of the picture: what is copied from beyond its screen would be missing. */
static void accept_moves(Screen *screen)
{
    viewer_accept_moves(screen->viewer, screen->capabilities.copy_rect &&
                                            screen->client_width == screen->width &&
                                            screen->client_height == screen->height);
}

static void put_moves(Screen *screen, const ViewerUpdate *update, GByteArray *out, guint *rects)
{
    for (guint i = 0; i < update->n_moves; i++) {
        const ViewerMove *move = &update->moves[i];
        write_copy(out, move->to_x, move->to_y, move->width, move->height, move->x, move->y);
        (*rects)++;
    }
}

static gboolean set_encoding(Screen *screen)
{
    const Capabilities *now = &screen->capabilities;
    return pixels_set_encoding(screen->pixels, now->pixels, now->compress, screen->quality.level,
                               now->last_rect);
}

/* So many bytes with JPEG among them go out: may the next ones be better, or must they be less? */
static gboolean follow_quality(Screen *screen, gsize bytes)
{
    return !quality_follow(&screen->quality, bytes, pace_bytes(&screen->pace, QUALITY_FRAME_US)) ||
           set_encoding(screen);
}

static gboolean put_rects(Screen *screen, const ViewerPicture *picture, const ViewerRect *list, guint count,
                          gboolean lossy, GByteArray *out, guint *rects)
{
    for (guint i = 0; i < count; i++) {
        ViewerRect rect;
        if (clip(screen, &list[i], &rect) &&
            !pixels_encode(screen->pixels, picture, &rect, lossy, out, rects))
            return FALSE;
    }
    return TRUE;
}

static gboolean put_pixels(Screen *screen, const ViewerUpdate *update, GByteArray *out, guint *rects)
{
    return put_rects(screen, &update->picture, update->rects, update->n_rects, FALSE, out, rects) &&
           put_rects(screen, &update->picture, update->lossy_rects, update->n_lossy_rects, TRUE, out,
                     rects) &&
           (update->n_lossy_rects == 0 || follow_quality(screen, out->len));
}

static void put_fence(Screen *screen, GByteArray *out)
{
    guint8 serial[4];
    guint32 number = pace_sent(&screen->pace, out->len, g_get_monotonic_time());
    for (guint i = 0; i < 4; i++)
        serial[i] = (guint8)(number >> (24 - 8 * i));
    write_fence(out, RFB_FENCE_REQUEST | RFB_FENCE_BLOCK_BEFORE, serial, sizeof serial);
}

/* A fence alone: the way there and back, without a picture's weight. */
static void probe_link(Screen *screen)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    put_fence(screen, out);
    transport_write(screen->transport, out->data, out->len);
}

/* Closes an update whose head stands at `head` of `out`. */
static void end_update(Screen *screen, GByteArray *out, guint head, guint rects)
{
    if (screen->capabilities.last_rect) {
        write_last_rect(out);
        rects = 0xffff;
    }
    out->data[head + 2] = (guint8)(rects >> 8);
    out->data[head + 3] = (guint8)rects;
}

static void send_update(Screen *screen, const ViewerUpdate *update)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    guint rects = 0;

    if (update->picture.width != screen->width || update->picture.height != screen->height)
        return;
    write_update_head(out, 0);
    put_moves(screen, update, out, &rects);
    screen_put_units(screen, update, out, &rects);
    if (!put_pixels(screen, update, out, &rects)) {
        screen_fail(screen, "the picture could not be encoded");
        return;
    }
    if (rects == 0)
        return;
    end_update(screen, out, 0, rects);
    if (screen->capabilities.fence) {
        if (screen->pace.sent == 0)
            probe_link(screen);
        put_fence(screen, out);
    }
    screen->requested = FALSE;
    screen->updates++;
    screen->bytes += out->len;
    transport_take(screen->transport, g_steal_pointer(&out));
}

static void send_picture(Screen *screen)
{
    ViewerUpdate update;

    /* Before it is taken: viewer_take() may find more and say so at once. */
    screen->dirty = FALSE;
    if (!viewer_take(screen->viewer, !screen->h264, &update))
        return;
    send_update(screen, &update);
    viewer_release(screen->viewer);
    screen_mend_units(screen);
}

/* Black where a smaller picture leaves a client that cannot resize with the old one. */
static void send_black(Screen *screen)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autofree guint8 *black = g_malloc0((gsize)screen->client_width * screen->client_height * 4);
    ViewerPicture picture = {.width = screen->client_width,
                             .height = screen->client_height,
                             .stride = screen->client_width * 4,
                             .pixels = black};
    ViewerRect all = {0, 0, picture.width, picture.height};
    guint rects = 0;

    write_update_head(out, 0);
    if (!pixels_encode(screen->pixels, &picture, &all, FALSE, out, &rects)) {
        screen_fail(screen, "the picture could not be encoded");
        return;
    }
    end_update(screen, out, 0, rects);
    screen->black_due = FALSE;
    transport_take(screen->transport, g_steal_pointer(&out));
}

void screen_pump(Screen *screen)
{
    gboolean more = TRUE;

    while (more && may_send(screen)) {
        if (screen_signs_due(screen))
            screen_send_signs(screen);
        else if (screen->black_due)
            send_black(screen);
        else if (screen->dirty)
            send_picture(screen);
        else
            more = FALSE;
    }
    if (!more)
        viewer_ready(screen->viewer);
    if (screen->transport)
        arm_timer(screen);
}

void screen_set_web(Screen *screen, gboolean web)
{
    screen->web = web;
}

void screen_dirty(Screen *screen)
{
    screen->dirty = TRUE;
    screen_pump(screen);
}

void screen_ready(Screen *screen)
{
    screen_pump(screen);
}

gboolean screen_known(const Screen *screen)
{
    return screen->width > 0;
}

void screen_switched(Screen *screen, guint width, guint height, const SeatWelcome *welcome)
{
    gboolean resized = width != screen->width || height != screen->height;

    screen->width = width;
    screen->height = height;
    screen_forget_decoders(screen);
    screen_set_name(screen, welcome);
    if (!screen->transport)
        return;
    if (screen->capabilities.desktop_size || screen->capabilities.extended_size) {
        screen->size_due |= resized;
        screen->client_width = width;
        screen->client_height = height;
    } else {
        SeatSizeHint hint = {.width = screen->client_width, .height = screen->client_height};
        screen->black_due = width < screen->client_width || height < screen->client_height;
        /* It cannot follow the desktop, so the desktop may follow it: asked for once. */
        if (resized && !screen->size_asked)
            viewer_size(screen->viewer, 0, &hint);
        screen->size_asked = TRUE;
    }
    accept_moves(screen);
    screen->dirty = TRUE;
    screen_pump(screen);
}

void screen_start(Screen *screen, Transport *transport)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    screen->transport = transport;
    screen->client_width = screen->width;
    screen->client_height = screen->height;
    write_server_init(out, screen->width, screen->height, screen->name);
    transport_write(transport, out->data, out->len);
}

void screen_take_format(Screen *screen, const RfbPixelFormat *format)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    screen->format = *format;
    screen->cursor_due = screen->capabilities.cursor == RFB_ENCODING_CURSOR;
    if (!pixels_set_format(screen->pixels, format, out))
        screen_fail(screen, "the pixel format could not be set");
    transport_write(screen->transport, out->data, out->len);
}

gboolean screen_take_encodings(Screen *screen, const gint32 *list, guint count)
{
    Capabilities before = screen->capabilities;
    Capabilities now = capabilities_read(list, count);

    screen->capabilities = now;
    quality_ask(&screen->quality, now.quality);
    if (!set_encoding(screen))
        screen_fail(screen, "the encoding could not be set");
    screen_announce(screen, &before);
    subscribe(screen);
    accept_moves(screen);
    screen_pump(screen);
    return now.extended_mouse && !before.extended_mouse;
}

void screen_take_request(Screen *screen, gboolean incremental, guint x, guint y, guint width, guint height)
{
    screen->requested = TRUE;
    if (!incremental && x < screen->width && y < screen->height) {
        ViewerRect rect = {x, y, MIN(width, screen->width - x), MIN(height, screen->height - y)};
        if (rect.width > 0 && rect.height > 0) {
            viewer_invalidate(screen->viewer, &rect, 1);
            screen->dirty = TRUE;
        }
    }
    screen_pump(screen);
}

void screen_take_continuous(Screen *screen, gboolean enable)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    if (!enable) {
        write_end_of_continuous(out);
        transport_write(screen->transport, out->data, out->len);
    }
    screen->continuous = enable;
    screen_pump(screen);
}

void screen_take_fence(Screen *screen, guint32 flags, const guint8 *payload, guint length)
{
    if (flags & RFB_FENCE_REQUEST) {
        g_autoptr(GByteArray) out = g_byte_array_new();
        write_fence(out, flags & (RFB_FENCE_BLOCK_BEFORE | RFB_FENCE_BLOCK_AFTER | RFB_FENCE_SYNC_NEXT),
                    payload, length);
        transport_write(screen->transport, out->data, out->len);
        return;
    }
    if (length != 4 || !pace_echoed(&screen->pace, wire_get32(payload), g_get_monotonic_time()))
        return;
    follow_link(screen);
    /* Who answers each fence late goes from stall to stall: that is one spell, until it has caught up. */
    if (pace_waiting_us(&screen->pace, g_get_monotonic_time()) < CAUGHT_UP_US)
        screen->stall_told = FALSE;
    if (screen->stalled) {
        /* It had only slept. */
        screen->stalled = FALSE;
        if (++screen->h264_retries <= H264_RETRIES) {
            screen->h264_given_up = FALSE;
            subscribe(screen);
        }
    }
    screen_pump(screen);
}

void screen_notice(Screen *screen, EndReason reason, const char *text)
{
    if (!screen->transport || screen->noticed)
        return;
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autofree guint8 *pixels = notice_paint(screen->client_width, screen->client_height, text);
    ViewerPicture picture = {.width = screen->client_width,
                             .height = screen->client_height,
                             .stride = screen->client_width * 4,
                             .pixels = pixels};
    ViewerRect all = {0, 0, picture.width, picture.height};
    guint rects = 0;

    screen->noticed = TRUE;
    if (screen_signs_due(screen))
        screen_send_signs(screen);
    write_update_head(out, 0);
    if (screen->capabilities.desktop_name) {
        g_autofree char *page_name = screen->web ? writer_end_name(reason, text) : NULL;
        write_desktop_name(out, page_name ? page_name : text);
        rects++;
    }
    if (pixels_encode(screen->pixels, &picture, &all, FALSE, out, &rects)) {
        end_update(screen, out, 0, rects);
        write_bell(out);
        transport_take(screen->transport, g_steal_pointer(&out));
    }
}

void screen_log(const Screen *screen)
{
    log_info("%u updates, %u units of H.264, %" G_GUINT64_FORMAT " KiB", screen->updates, screen->units,
             screen->bytes / 1024);
}
