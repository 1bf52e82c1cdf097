/* Pictures written into buffers that a (scripted) hardware encoder lends. */
#include "encoder/convert.h"
#include "encoder/h264.h"
#include "encoder/probe.h"
#include "fake_encoder.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <gst/video/video.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 330, HEIGHT = 250, CODED_WIDTH = 336, CODED_HEIGHT = 256 };

static guint32 source[WIDTH * HEIGHT];
static GMainLoop *loop;
static H264Encoder *encoder;
static guint units, failures, compared, unequal;
static guint8 wanted[CODED_WIDTH * CODED_HEIGHT * 3 / 2];

static void take_unit(const guint8 *unit, gsize length, gboolean keyframe, gpointer data)
{
    units++;
    g_main_loop_quit(loop);
}

static void take_failure(const char *reason, gpointer data)
{
    failures++;
    g_main_loop_quit(loop);
}

/* All of it, by the function that is tested elsewhere. */
static void want(void)
{
    const SeatRect whole = {.width = WIDTH, .height = HEIGHT};
    guint8 *chroma = wanted + CODED_WIDTH * CODED_HEIGHT;
    const YuvPicture yuv = {wanted,      chroma, chroma + 1,  CODED_WIDTH,
                            CODED_WIDTH, 2,      CODED_WIDTH, CODED_HEIGHT};
    convert_rect(&yuv, &whole, source, WIDTH * 4, WIDTH, HEIGHT);
}

static void compare(GstBuffer *picture, const GstCaps *caps, gpointer data)
{
    GstVideoInfo info;
    GstVideoFrame frame;
    gboolean equal =
        gst_video_info_from_caps(&info, caps) && gst_video_frame_map(&frame, &info, picture, GST_MAP_READ);

    for (guint y = 0; equal && y < CODED_HEIGHT * 3 / 2; y++) {
        guint plane = y < CODED_HEIGHT ? 0 : 1, row = plane ? y - CODED_HEIGHT : y;
        const guint8 *line = (const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&frame, plane) +
                             (gsize)row * (gsize)GST_VIDEO_FRAME_PLANE_STRIDE(&frame, plane);
        equal &= memcmp(line, wanted + y * CODED_WIDTH, CODED_WIDTH) == 0;
    }
    g_atomic_int_inc(&compared);
    if (equal)
        gst_video_frame_unmap(&frame);
    else
        g_atomic_int_inc(&unequal);
}

static void start(void)
{
    ck_assert(h264_load(NULL));
    fake_encoder_register("vah264enc");
    fake_encoder_reset();
    fake_script.picture = compare;
    loop = g_main_loop_new(NULL, FALSE);
    units = failures = compared = unequal = 0;
    memset(source, 0x55, sizeof source);
}

static void stop(void)
{
    h264_encoder_free(encoder);
    g_main_loop_unref(loop);
}

static void begin(void)
{
    static const H264Events events = {.unit = take_unit, .failed = take_failure};
    encoder = h264_encoder_new(encoder_candidate("vah264enc"), WIDTH, HEIGHT, &events, NULL, NULL);
    ck_assert_ptr_nonnull(encoder);
    h264_encoder_set_patience(encoder, 20000);
}

/* Changes what it says it does, and gives the picture. */
static void picture(GRand *random)
{
    SeatRect rects[8];
    guint count = (guint)g_rand_int_range(random, 0, 8);

    for (guint i = 0; i < count; i++) {
        SeatRect *rect = &rects[i];
        rect->x = (guint16)g_rand_int_range(random, 0, WIDTH);
        rect->y = (guint16)g_rand_int_range(random, 0, HEIGHT);
        rect->width = (guint16)g_rand_int_range(random, 1, MIN(WIDTH - rect->x, 90) + 1);
        rect->height = (guint16)g_rand_int_range(random, 1, MIN(HEIGHT - rect->y, 60) + 1);
        guint32 colour = g_rand_int(random);
        for (guint y = rect->y; y < (guint)rect->y + rect->height; y++)
            for (guint x = rect->x; x < (guint)rect->x + rect->width; x++)
                source[y * WIDTH + x] = colour + x * 0x010203 + y * 0x030100;
    }
    want();
    h264_encode(encoder, source, WIDTH * 4, rects, count, g_rand_int_range(random, 0, 20) == 0);
    g_main_loop_run(loop);
}

static void pictures(guint count, guint32 seed)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    for (guint i = 0; i < count && failures == 0; i++)
        picture(random);
}

static void check_all_equal(guint count)
{
    ck_assert_uint_eq(failures, 0);
    ck_assert_uint_eq(units, count);
    ck_assert_uint_eq(compared, count);
    ck_assert_uint_eq(unequal, 0);
}

START_TEST(pictures_are_written_once_into_any_number_of_lent_buffers)
{
    static const guint buffers[] = {1, 2, 3, 4, 5, 20};
    static const char *const memories[] = {NULL, "memory:VAMemory", "memory:DMABuf"};

    fake_script.pool = buffers[_i % 6];
    fake_script.memory = memories[_i / 6];
    fake_script.padding = 16u * (guint)_i;
    begin();
    pictures(150, (guint32)_i);
    check_all_equal(150);
    /* The first may have been made before the encoder had started; then it is copied, or not lent at all. */
    ck_assert_int_ge(fake_count(lent), fake_script.memory ? 150 : 149);
}
END_TEST

START_TEST(without_a_pool_pictures_are_ours)
{
    begin();
    pictures(50, 1);
    check_all_equal(50);
    ck_assert_int_eq(fake_count(lent), 0);
}
END_TEST

START_TEST(a_pool_that_refuses_changes_nothing)
{
    static const char *const memories[] = {NULL, "memory:VAMemory"};

    fake_script.pool = 3;
    fake_script.memory = memories[_i % 2];
    fake_script.no_pool = _i < 2;
    fake_script.map_fails = _i < 2 ? 0 : 1;
    begin();
    pictures(50, 1);
    check_all_equal(50);
    ck_assert_int_eq(fake_count(lent), 0);
}
END_TEST

START_TEST(a_pool_that_breaks_in_the_middle_is_left)
{
    fake_script.pool = 4;
    fake_script.map_fails = 21;
    begin();
    pictures(60, 2);
    check_all_equal(60);
    /* A picture has two planes. */
    ck_assert_int_ge(fake_count(lent), 8);
    ck_assert_int_le(fake_count(lent), 10);
}
END_TEST

START_TEST(where_only_lent_buffers_are_taken_a_broken_pool_is_a_failure)
{
    fake_script.pool = 4;
    fake_script.memory = "memory:VAMemory";
    fake_script.map_fails = 21;
    begin();
    pictures(60, 2);
    ck_assert_uint_eq(failures, 1);
    ck_assert_uint_ge(units, 8);
    ck_assert_uint_eq(unequal, 0);
}
END_TEST

START_TEST(software_is_never_asked_for_buffers)
{
    static const H264Events events = {.unit = take_unit, .failed = take_failure};
    EncoderCandidate soft = *encoder_candidate("vah264enc");

    soft.hardware = FALSE;
    fake_script.pool = 3;
    encoder = h264_encoder_new(&soft, WIDTH, HEIGHT, &events, NULL, NULL);
    ck_assert_ptr_nonnull(encoder);
    pictures(30, 3);
    check_all_equal(30);
    ck_assert_int_eq(fake_count(lent), 0);
}
END_TEST

START_TEST(the_probe_refuses_hardware_that_fails)
{
    static const struct {
        FakeScript script;
        const char *verdict;
    } cases[] = {
        {{.fault = FAKE_NO_DEVICE}, "does not start"},
        {{.fault = FAKE_ERROR}, "no session is free"},
        {{.fault = FAKE_ERROR, .at = 3}, "picture 4: no session is free"},
        {{.fault = FAKE_FLOW, .at = 3}, "picture 4"},
        {{.fault = FAKE_LATE, .at = 2, .ms = 1500}, "picture 3: no answer in time"},
        {{.slices = TRUE}, "several slices"},
    };
    ProbeVerdict verdict;

    fake_script = cases[_i].script;
    fake_script.times = 1;
    encoder_probe_here(encoder_candidate("vah264enc"), &verdict);
    ck_assert_msg(strstr(verdict.reason, cases[_i].verdict) != NULL, "%s", verdict.reason);
    ck_assert(!verdict.usable);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("upload");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, start, stop);
    tcase_add_loop_test(tests, pictures_are_written_once_into_any_number_of_lent_buffers, 0, 18);
    tcase_add_test(tests, without_a_pool_pictures_are_ours);
    tcase_add_loop_test(tests, a_pool_that_refuses_changes_nothing, 0, 4);
    tcase_add_test(tests, a_pool_that_breaks_in_the_middle_is_left);
    tcase_add_test(tests, where_only_lent_buffers_are_taken_a_broken_pool_is_a_failure);
    tcase_add_test(tests, software_is_never_asked_for_buffers);
    tcase_add_loop_test(tests, the_probe_refuses_hardware_that_fails, 0, 6);
    return suite_run("upload", tests);
}
