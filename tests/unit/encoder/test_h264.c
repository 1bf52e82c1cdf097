/* Conversion, Annex B, and the software encoders through the probe that production uses. */
#include "base/config_table.h"
#include "encoder/annexb.h"
#include "encoder/convert.h"
#include "encoder/probe.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 70, HEIGHT = 38, CODED_WIDTH = 80, CODED_HEIGHT = 48 };

static guint8 planes[CODED_WIDTH * CODED_HEIGHT * 3 / 2];

static YuvPicture picture(gboolean interleaved)
{
    guint8 *chroma = planes + CODED_WIDTH * CODED_HEIGHT;
    return (YuvPicture){planes,
                        chroma,
                        interleaved ? chroma + 1 : chroma + CODED_WIDTH * CODED_HEIGHT / 4,
                        CODED_WIDTH,
                        interleaved ? CODED_WIDTH : CODED_WIDTH / 2,
                        interleaved ? 2 : 1,
                        CODED_WIDTH,
                        CODED_HEIGHT};
}

START_TEST(colours_are_full_range_bt_709_and_the_padding_repeats_the_edge)
{
    static const guint32 colours[] = {0x000000, 0xffffff, 0x808080, 0xff0000,
                                      0x00ff00, 0x0000ff, 0xffff00, 0x123456};
    const SeatRect whole = {.width = WIDTH, .height = HEIGHT};
    guint32 colour = colours[_i / 2];
    g_autofree guint32 *source = g_new(guint32, WIDTH * HEIGHT);
    YuvPicture yuv = picture(_i % 2);
    double r = colour >> 16 & 255, g = colour >> 8 & 255, b = colour & 255;
    double y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    double u = CLAMP((b - y) / 1.8556 + 128, 0, 255), v = CLAMP((r - y) / 1.5748 + 128, 0, 255);

    guint wrong = 0;
    for (guint i = 0; i < WIDTH * HEIGHT; i++)
        source[i] = colour;
    memset(planes, 77, sizeof planes);
    convert_rect(&yuv, &whole, source, WIDTH * 4, WIDTH, HEIGHT);
    for (guint py = 0; py < CODED_HEIGHT; py++)
        for (guint px = 0; px < CODED_WIDTH; px++) {
            gsize chroma = py / 2 * yuv.chroma_stride + px / 2 * yuv.chroma_step;
            wrong += fabs(yuv.y[py * CODED_WIDTH + px] - y) > 1 || fabs(yuv.u[chroma] - u) > 1 ||
                     fabs(yuv.v[chroma] - v) > 1;
        }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(converting_a_rectangle_equals_converting_everything)
{
    static guint8 whole_planes[sizeof planes];
    const SeatRect whole = {.width = WIDTH, .height = HEIGHT};
    g_autofree guint32 *source = g_new(guint32, WIDTH * HEIGHT);
    g_autoptr(GRand) random = g_rand_new_with_seed(_i);
    YuvPicture yuv = picture(FALSE);
    SeatRect part;

    for (guint i = 0; i < WIDTH * HEIGHT; i++)
        source[i] = g_rand_int(random);
    convert_rect(&yuv, &whole, source, WIDTH * 4, WIDTH, HEIGHT);
    part.x = g_rand_int_range(random, 0, WIDTH);
    part.y = g_rand_int_range(random, 0, HEIGHT);
    part.width = g_rand_int_range(random, 1, WIDTH - part.x + 1);
    part.height = g_rand_int_range(random, 1, HEIGHT - part.y + 1);
    for (guint y = part.y; y < (guint)part.y + part.height; y++)
        for (guint x = part.x; x < (guint)part.x + part.width; x++)
            source[y * WIDTH + x] = g_rand_int(random);
    convert_rect(&yuv, &part, source, WIDTH * 4, WIDTH, HEIGHT);
    memcpy(whole_planes, planes, sizeof planes);
    convert_rect(&yuv, &whole, source, WIDTH * 4, WIDTH, HEIGHT);
    /* The vector unit and plain C round alike, so every byte is the same. */
    ck_assert_mem_eq(whole_planes, planes, sizeof planes);
}
END_TEST

/* What stands around the rectangle must not be touched, so all of the planes are compared. */
static void check_variant(ConvertVariant variant, GRand *random, gboolean interleaved, guint width)
{
    enum { LARGEST = 700, TALL = 12 };
    static guint8 memory[2][LARGEST * TALL * 3];
    guint height = (guint)g_rand_int_range(random, 1, TALL + 1), coded = (width + 1) & ~1u,
          stride = coded + 6;
    g_autofree guint32 *source = g_new(guint32, width * height);
    SeatRect rect = {.x = (guint16)g_rand_int_range(random, 0, (gint)width),
                     .y = (guint16)g_rand_int_range(random, 0, (gint)height)};

    rect.width = (guint16)g_rand_int_range(random, 1, (gint)(width - rect.x) + 1);
    rect.height = (guint16)g_rand_int_range(random, 1, (gint)(height - rect.y) + 1);
    /* Full and empty components are where sums end. */
    for (guint i = 0; i < width * height; i++)
        source[i] = g_rand_int(random) | (g_rand_boolean(random) ? 0x00ff00ff : 0) |
                    (g_rand_boolean(random) ? 0x0000ff00 : 0);
    for (guint i = 0; i < width * height; i++)
        source[i] &= g_rand_boolean(random) ? G_MAXUINT32 : g_rand_boolean(random) ? 0xff0000ff : 0xffff0000;
    for (guint i = 0; i < 2; i++) {
        guint8 *chroma = memory[i] + stride * (TALL + 2);
        YuvPicture yuv = {memory[i],
                          chroma,
                          interleaved ? chroma + 1 : chroma + stride * (TALL + 2) / 2,
                          stride,
                          interleaved ? stride : stride / 2,
                          interleaved ? 2 : 1,
                          coded,
                          (height + 1) & ~1u};
        memset(memory[i], 77, sizeof memory[i]);
        convert_rect_as(i ? variant : CONVERT_PLAIN, &yuv, &rect, source, width * 4, width, height);
    }
    ck_assert_msg(memcmp(memory[0], memory[1], sizeof memory[0]) == 0, "%s, %u px wide, %u,%u %ux%u",
                  convert_name(variant), width, rect.x, rect.y, rect.width, rect.height);
}

START_TEST(all_variants_convert_alike)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);

    if (!convert_has(_i)) {
        printf("this machine has no %s\n", convert_name(_i));
        return;
    }
    for (guint width = 1; width <= 300; width++)
        for (guint i = 0; i < 8; i++)
            check_variant(_i, random, i % 2 == 1, width);
    for (guint i = 0; i < 500; i++)
        check_variant(_i, random, i % 2 == 1, (guint)g_rand_int_range(random, 300, 700));
}
END_TEST

START_TEST(annex_b_units_are_counted_with_either_start_code)
{
    static const guint8 unit[] = {0, 0, 0, 1, 0x67, 1, 2, 3, 0, 0, 1,    0x68, 4,
                                  0, 0, 0, 1, 0x65, 9, 9, 0, 0, 1, 0x65, 8};
    AnnexB look = annexb_look(unit, sizeof unit);

    ck_assert(look.idr && look.sps && look.pps);
    ck_assert_uint_eq(look.slices, 2);
    ck_assert_uint_eq(look.sps_at, 1);
    ck_assert_uint_eq(look.sps_length, 7);
    ck_assert_uint_eq(look.pps_length, 5);
    ck_assert_uint_eq(annexb_look(unit, 0).slices, 0);
    ck_assert_uint_eq(annexb_look(unit, 4).slices, 0);
    ck_assert_uint_eq(annexb_look((const guint8 *)"\1\2\3\0\0", 5).slices, 0);
}
END_TEST

START_TEST(the_probe_proves_the_software_encoder_and_refuses_what_is_not_there)
{
    static const EncoderCandidate missing = {
        .element = "nonsense", .plugin = "libgstnonsense", .format = "I420", .settings = ""};
    ProbeVerdict verdict;

    encoder_probe(encoder_candidate("x264enc"), NULL, &verdict);
    ck_assert_msg(verdict.usable, "%s", verdict.reason);
    ck_assert_uint_gt(verdict.fps, 0);
    encoder_probe(&missing, NULL, &verdict);
    ck_assert(!verdict.usable);
    ck_assert_ptr_nonnull(strstr(verdict.reason, "not installed"));
}
END_TEST

START_TEST(the_probe_refuses_an_encoder_with_several_slices)
{
    static const EncoderCandidate sliced = {.element = "x264enc",
                                            .plugin = "libgstx264",
                                            .format = "I420",
                                            .settings =
                                                "tune=zerolatency threads=4 sliced-threads=true aud=false"};
    ProbeVerdict verdict;

    encoder_probe(&sliced, NULL, &verdict);
    ck_assert(!verdict.usable);
    ck_assert_ptr_nonnull(strstr(verdict.reason, "slices"));
}
END_TEST

START_TEST(the_probe_refuses_an_encoder_that_holds_pictures_back)
{
    static const EncoderCandidate slow = {.element = "x264enc",
                                          .plugin = "libgstx264",
                                          .format = "I420",
                                          .settings = "speed-preset=slow threads=1"};
    ProbeVerdict verdict;

    encoder_probe(&slow, NULL, &verdict);
    ck_assert(!verdict.usable);
    ck_assert_ptr_nonnull(strstr(verdict.reason, "in time"));
}
END_TEST

/* The configuration stands below the encoders and cannot ask them: its list has to be theirs. */
START_TEST(the_configuration_knows_the_encoders_of_the_table_and_no_others)
{
    g_autoptr(GString) all = g_string_new(NULL), software = g_string_new(NULL);
    for (const EncoderCandidate *candidate = encoder_candidates; candidate->element; candidate++) {
        g_string_append_printf(all, "%s%s", all->len ? "|" : "", candidate->element);
        if (!candidate->hardware)
            g_string_append_printf(software, "%s%s", software->len ? "|" : "", candidate->element);
    }
    guint seen = 0;
    for (const ConfigKey *key = config_keys; key->section; key++) {
        if (strcmp(key->section, "encoder") != 0)
            continue;
        ck_assert_str_eq(key->choices, strcmp(key->key, "software") == 0 ? software->str : all->str);
        seen++;
    }
    ck_assert_uint_eq(seen, 2);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("h264");

    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, colours_are_full_range_bt_709_and_the_padding_repeats_the_edge, 0, 16);
    tcase_add_loop_test(tests, all_variants_convert_alike, 0, CONVERT_VARIANTS);
    tcase_add_loop_test(tests, converting_a_rectangle_equals_converting_everything, 0, 50);
    tcase_add_test(tests, the_configuration_knows_the_encoders_of_the_table_and_no_others);
    tcase_add_test(tests, annex_b_units_are_counted_with_either_start_code);
    tcase_add_test(tests, the_probe_proves_the_software_encoder_and_refuses_what_is_not_there);
    tcase_add_test(tests, the_probe_refuses_an_encoder_with_several_slices);
    tcase_add_test(tests, the_probe_refuses_an_encoder_that_holds_pictures_back);
    return suite_run("h264", tests);
}
