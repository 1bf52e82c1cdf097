/* Pictures on their way to a client that answers late or never; viewer, encoder and socket are played. */
#include "session/vnc/rfb.h"
#include "session/vnc/screen.h"
#include "tests/unit/suite.h"

static struct {
    SeatH264 h264; /* what was subscribed last */
    guint taken, sent;
    const char *failed;
} seen;

/* ---- what is played ---- */

gboolean viewer_take(Viewer *viewer, gboolean lossless_only, ViewerUpdate *update)
{
    static const guint8 pixels[64 * 64 * 4], bytes[] = {0, 0, 0, 1, 0x65};
    static const ViewerRect all = {0, 0, 64, 64};
    static const ViewerUnit unit = {
        .data = bytes, .length = sizeof bytes, .region = {0, 0, 64, 64}, .key = TRUE, .stream = 1};

    *update = (ViewerUpdate){.picture = {64, 64, 64 * 4, 1, pixels}};
    if (lossless_only) {
        update->rects = &all;
        update->n_rects = 1;
    } else {
        update->units = &unit;
        update->n_units = 1;
    }
    seen.taken++;
    return TRUE;
}

void viewer_ready(Viewer *viewer)
{
}

gint64 viewer_clock_us(const Viewer *viewer)
{
    return g_get_monotonic_time();
}

void viewer_subscribe(Viewer *viewer, SeatH264 h264, guint max_kbit_s)
{
    seen.h264 = h264;
}

void viewer_need_keyframe(Viewer *viewer)
{
}

void viewer_invalidate(Viewer *viewer, const ViewerRect *rects, guint count)
{
}

void viewer_accept_losses(Viewer *viewer, gboolean accept)
{
}

void viewer_accept_moves(Viewer *viewer, gboolean accept)
{
}

void viewer_refine(Viewer *viewer, guint tiles)
{
}

void viewer_release(Viewer *viewer)
{
}

void viewer_size(Viewer *viewer, guint head, const SeatSizeHint *size)
{
}

gboolean pixels_set_format(Pixels *pixels, const RfbPixelFormat *format, GByteArray *out)
{
    return TRUE;
}

gboolean pixels_set_encoding(Pixels *pixels, gint32 encoding, gint compress, gint quality, gboolean last_rect)
{
    return TRUE;
}

gboolean pixels_encode(Pixels *pixels, const ViewerPicture *picture, const ViewerRect *rect, gboolean lossy,
                       GByteArray *out, guint *rects)
{
    (*rects)++;
    return TRUE;
}

gboolean transport_ready(Transport *transport)
{
    return TRUE;
}

void transport_write(Transport *transport, const guint8 *bytes, gsize length)
{
}

void transport_take(Transport *transport, GByteArray *bytes)
{
    seen.sent++;
    g_byte_array_unref(bytes);
}

gsize transport_unsent(const Transport *transport)
{
    return 0;
}

static void failed(const char *why, gpointer data)
{
    seen.failed = why;
}

/* ---- the tests ---- */

static Screen *start(void)
{
    static const gint32 encodings[] = {RFB_ENCODING_H264, RFB_ENCODING_TIGHT, RFB_ENCODING_FENCE,
                                       RFB_ENCODING_CONTINUOUS, RFB_ENCODING_EXTENDED_DESKTOP_SIZE};
    static int socket;
    const SeatWelcome welcome = {.desktop = "d1"};
    Screen *screen = screen_new(NULL, NULL, failed, NULL);

    screen_switched(screen, 64, 64, &welcome);
    screen_start(screen, (Transport *)(void *)&socket);
    screen_take_encodings(screen, encodings, G_N_ELEMENTS(encodings));
    screen_take_continuous(screen, TRUE);
    return screen;
}

static void answer(Screen *screen, guint8 serial)
{
    const guint8 payload[] = {0, 0, 0, serial};
    screen_take_fence(screen, 0, payload, sizeof payload);
}

START_TEST(a_stuck_decoder_is_noticed_however_often_there_is_something_else_to_do)
{
    Screen *screen = start();
    gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

    screen_dirty(screen);
    answer(screen, 1);
    ck_assert_int_ne(seen.h264, SEAT_H264_NONE);
    for (guint i = 0; i < 40; i++)
        screen_dirty(screen); /* more than the window takes */
    ck_assert_uint_lt(seen.taken, 40);
    while (seen.h264 != SEAT_H264_NONE) {
        ck_assert_int_lt(g_get_monotonic_time(), end);
        screen_ready(screen);
        g_main_context_iteration(NULL, FALSE);
        g_usleep(10000);
    }
    ck_assert_ptr_null(seen.failed);
    screen_free(screen);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("vnc screen");

    tcase_set_timeout(tests, 90);
    tcase_add_test(tests, a_stuck_decoder_is_noticed_however_often_there_is_something_else_to_do);
    return suite_run("vnc screen", tests);
}
