/* Pictures on their way to a client that answers late or never; viewer, encoder and socket are played. */
#include "session/vnc/rfb.h"
#include "session/vnc/screen.h"
#include "tests/unit/suite.h"

#include <string.h>

static struct {
    SeatH264 h264; /* what was subscribed last */
    guint taken, sent, keyframes, invalidated;
    const char *failed;
} seen;
static gboolean key_due; /* the film's next unit is a key frame */

/* ---- what is played ---- */

gboolean viewer_take(Viewer *viewer, gboolean lossless_only, ViewerUpdate *update)
{
    static const guint8 pixels[64 * 64 * 4], bytes[] = {0, 0, 0, 1, 0x65};
    static const ViewerRect all = {0, 0, 64, 64};
    static ViewerUnit unit = {.data = bytes, .length = sizeof bytes, .region = {0, 0, 64, 64}, .stream = 1};

    *update = (ViewerUpdate){.picture = {64, 64, 64 * 4, 1, pixels}};
    if (lossless_only) {
        update->rects = &all;
        update->n_rects = 1;
    } else {
        unit.key = key_due;
        key_due = FALSE;
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
    seen.keyframes++;
    key_due = TRUE;
}

void viewer_invalidate(Viewer *viewer, const ViewerRect *rects, guint count)
{
    seen.invalidated++;
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

static const gint32 encodings[] = {RFB_ENCODING_TIGHT, RFB_ENCODING_FENCE, RFB_ENCODING_CONTINUOUS,
                                   RFB_ENCODING_EXTENDED_DESKTOP_SIZE, RFB_ENCODING_H264};
static const SeatWelcome welcome = {.desktop = "d1"};

static Screen *start(void)
{
    static int socket;
    memset(&seen, 0, sizeof seen);
    key_due = TRUE;
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

/* A client whose decoder has begun, and goes on. */
static Screen *start_film(void)
{
    Screen *screen = start();

    screen_dirty(screen);
    answer(screen, 2);
    screen_dirty(screen);
    answer(screen, 3);
    ck_assert_uint_eq(seen.taken, 2);
    ck_assert_uint_eq(seen.keyframes, 0);
    return screen;
}

/* Its next unit, which is no key frame, is asked for instead of sent; the one after that is sent. */
static void check_begins_anew(Screen *screen, guint sent)
{
    ck_assert_uint_eq(seen.sent, sent);
    ck_assert_uint_eq(seen.keyframes, 1);
    ck_assert_uint_eq(seen.invalidated, 1);
    screen_dirty(screen);
    ck_assert_uint_eq(seen.sent, sent + 1);
    ck_assert_uint_eq(seen.keyframes, 1);
    ck_assert_uint_eq(seen.invalidated, 1);
    screen_free(screen);
}

START_TEST(a_film_begins_anew_after_a_switch)
{
    Screen *screen = start_film();
    guint sent = seen.sent;

    screen_switched(screen, 64, 64, &welcome);
    ck_assert_uint_eq(seen.taken, 3);
    check_begins_anew(screen, sent);
}
END_TEST

START_TEST(a_film_begins_anew_for_a_client_that_takes_h264_again)
{
    Screen *screen = start_film();

    screen_take_encodings(screen, encodings, G_N_ELEMENTS(encodings) - 1);
    ck_assert_int_eq(seen.h264, SEAT_H264_NONE);
    screen_take_encodings(screen, encodings, G_N_ELEMENTS(encodings));
    ck_assert_int_ne(seen.h264, SEAT_H264_NONE);
    guint sent = seen.sent;
    screen_dirty(screen);
    ck_assert_uint_eq(seen.taken, 3);
    check_begins_anew(screen, sent);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("vnc screen");

    tcase_set_timeout(tests, 90);
    tcase_add_test(tests, a_stuck_decoder_is_noticed_however_often_there_is_something_else_to_do);
    tcase_add_test(tests, a_film_begins_anew_after_a_switch);
    tcase_add_test(tests, a_film_begins_anew_for_a_client_that_takes_h264_again);
    return suite_run("vnc screen", tests);
}
