/* Both views through the real encoders and FreeRDP's decoder. */
#include "encoder/auxiliary.h"
#include "encoder/h264_pair.h"
#include "tests/unit/suite.h"

#include <freerdp/codec/color.h>
#include <freerdp/codec/h264.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 330, HEIGHT = 250, TILE = AUXILIARY_TILE, RECTS_MAX = 64 };

typedef struct {
    H264Pair *pair;
    H264_CONTEXT *decoder;
    guint32 source[WIDTH * HEIGHT], shown[WIDTH * HEIGHT];
    GMainLoop *loop;
    gboolean plain; /* the decoder gets no auxiliary unit */
    guint units, auxiliaries, keyframes;
    gsize bytes;
    char *failure;
} Rig;

static guint tile_rects(const H264Units *units, RECTANGLE_16 *rects)
{
    gsize stride = h264_tiles_stride(WIDTH);
    guint count = 0;

    for (guint y = 0; y < HEIGHT; y += TILE)
        for (guint x = 0; x < WIDTH; x += TILE)
            if (units->tiles[y / TILE * stride + x / TILE / 8] >> x / TILE % 8 & 1)
                rects[count++] = (RECTANGLE_16){(UINT16)x, (UINT16)y, (UINT16)MIN(x + TILE, WIDTH),
                                                (UINT16)MIN(y + TILE, HEIGHT)};
    return count;
}

static void take_units(const H264Units *units, gpointer data)
{
    Rig *rig = data;
    RECTANGLE_16 whole = {0, 0, WIDTH, HEIGHT}, rects[RECTS_MAX];
    gboolean both = units->auxiliary && !rig->plain;
    guint count = both ? tile_rects(units, rects) : 0;

    rig->units++;
    rig->keyframes += units->keyframe;
    rig->auxiliaries += units->auxiliary ? 1 : 0;
    rig->bytes += units->main_length + units->auxiliary_length;
    INT32 result = avc444_decompress(rig->decoder, both ? 0 : 1, &whole, 1, units->main,
                                     (UINT32)units->main_length, rects, count, both ? units->auxiliary : NULL,
                                     both ? (UINT32)units->auxiliary_length : 0, (BYTE *)rig->shown,
                                     PIXEL_FORMAT_BGRX32, WIDTH * 4, WIDTH, HEIGHT, RDPGFX_CODECID_AVC444v2);
    ck_assert_int_ge(result, 0);
    g_main_loop_quit(rig->loop);
}

static void take_failure(const char *reason, gpointer data)
{
    Rig *rig = data;
    rig->failure = g_strdup(reason);
    g_main_loop_quit(rig->loop);
}

static Rig *rig_new(const char *element, gboolean chroma)
{
    static const H264PairEvents events = {.units = take_units, .failed = take_failure};
    g_autoptr(GError) error = NULL;
    Rig *rig = g_new0(Rig, 1);

    rig->loop = g_main_loop_new(NULL, FALSE);
    rig->decoder = h264_context_new(FALSE);
    ck_assert(h264_context_reset(rig->decoder, WIDTH, HEIGHT));
    rig->pair = h264_pair_new(encoder_candidate(element), WIDTH, HEIGHT, chroma, &events, rig, &error);
    ck_assert_msg(rig->pair != NULL, "%s", error ? error->message : "");
    h264_pair_set_patience(rig->pair, 20000);
    return rig;
}

static void rig_free(Rig *rig)
{
    h264_pair_free(rig->pair);
    h264_context_free(rig->decoder);
    g_main_loop_unref(rig->loop);
    g_free(rig->failure);
    g_free(rig);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rig, rig_free)

static void encode(Rig *rig, const SeatRect *rects, guint count, gboolean keyframe)
{
    h264_pair_encode(rig->pair, rig->source, WIDTH * 4, rects, count, keyframe);
    g_main_loop_run(rig->loop);
    ck_assert_msg(!rig->failure, "%s", rig->failure);
    ck_assert(!h264_pair_busy(rig->pair));
}

static void encode_whole(Rig *rig, gboolean keyframe)
{
    const SeatRect whole = {.width = WIDTH, .height = HEIGHT};
    encode(rig, &whole, 1, keyframe);
}

/* Strokes of a letter's width, moved by `step` px. */
static void paint_text(Rig *rig, guint32 paper, guint32 ink, guint step)
{
    for (guint y = 0; y < HEIGHT; y++)
        for (guint x = 0; x < WIDTH; x++) {
            guint at = x + step, line = y / 14;
            gboolean stroke = y % 14 < 9 && ((at * 7 + line * 3) % 11 < 3 || (at + y * line) % 17 == 0);
            rig->source[y * WIDTH + x] = stroke ? ink : paper;
        }
}

static void paint_gradient(Rig *rig, guint step)
{
    for (guint y = 0; y < HEIGHT; y++)
        for (guint x = 0; x < WIDTH; x++)
            rig->source[y * WIDTH + x] =
                ((x + step) / 2 & 255) << 16 | ((y + step) / 2 & 255) << 8 | ((x + y) / 4 & 255);
}

static double chroma(guint32 p, guint part)
{
    double r = p >> 16 & 255, g = p >> 8 & 255, b = p & 255, luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    return part ? (r - luma) / 1.5748 : (b - luma) / 1.8556;
}

/* Of the samples that the auxiliary view carries. The fourth of each block is the decoder's to work out, and
 * FreeRDP's does not everywhere before 3.11. */
static double chroma_psnr(const Rig *rig)
{
    double sum = 0;
    guint count = 0;
    for (guint i = 0; i < WIDTH * HEIGHT; i++)
        for (guint part = 0; part < 2 && (i / WIDTH % 2 || i % WIDTH % 2); part++) {
            double apart = chroma(rig->source[i], part) - chroma(rig->shown[i], part);
            sum += apart * apart;
            count++;
        }
    return 10 * log10(255.0 * 255.0 / MAX(sum / count, 1e-9));
}

START_TEST(coloured_text_in_motion_is_far_sharper_than_with_the_main_view_alone)
{
    double psnr[2];

    for (guint plain = 0; plain < 2; plain++) {
        g_autoptr(Rig) rig = rig_new("x264enc", TRUE);
        rig->plain = plain;
        for (guint i = 0; i < 40; i++) {
            paint_text(rig, 0x0000ff, 0xff0000, i * 3);
            encode_whole(rig, i == 25);
            double now = chroma_psnr(rig);
            psnr[plain] = i == 0 ? now : MIN(psnr[plain], now);
        }
        ck_assert_uint_eq(rig->units, 40);
        ck_assert_uint_eq(rig->keyframes, 2);
        ck_assert_uint_eq(rig->auxiliaries, 40);
    }
    ck_assert_msg(psnr[0] > psnr[1] + 8, "%.1f dB with both views, %.1f dB with one", psnr[0], psnr[1]);
}
END_TEST

START_TEST(pictures_without_coloured_detail_bring_no_auxiliary_view)
{
    g_autoptr(Rig) rig = rig_new("x264enc", TRUE);

    for (guint i = 0; i < 10; i++) {
        paint_gradient(rig, i);
        encode_whole(rig, FALSE);
    }
    ck_assert_uint_eq(rig->auxiliaries, 0);
    ck_assert(chroma_psnr(rig) > 35);
}
END_TEST

/* The view comes and goes in every order, with key frames at any time: the decoder must follow. */
START_TEST(the_decoder_follows_whatever_comes_and_goes)
{
    g_autoptr(Rig) rig = rig_new("x264enc", TRUE);
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    guint seen = 0;

    for (guint i = 0; i < 80; i++) {
        gboolean text = g_rand_int_range(random, 0, 3) > 0;
        if (g_rand_int_range(random, 0, 12) == 0)
            h264_pair_set_chroma(rig->pair, g_rand_boolean(random));
        if (text)
            paint_text(rig, 0xffffff, 0xff0000 >> (i / 8 % 3 * 8), i * 5);
        else
            paint_gradient(rig, i);
        encode_whole(rig, g_rand_int_range(random, 0, 15) == 0);
        if (text && rig->auxiliaries > seen)
            ck_assert_msg(chroma_psnr(rig) > 25, "picture %u: %.1f dB", i, chroma_psnr(rig));
        if (!text)
            ck_assert_msg(chroma_psnr(rig) > 33, "picture %u: %.1f dB", i, chroma_psnr(rig));
        seen = rig->auxiliaries;
    }
    ck_assert_uint_gt(seen, 10);
}
END_TEST

START_TEST(damage_beside_the_text_brings_no_auxiliary_view)
{
    const SeatRect corner = {.x = 260, .y = 200, .width = 60, .height = 40};
    g_autoptr(Rig) rig = rig_new("x264enc", TRUE);

    for (guint y = 0; y < HEIGHT; y++)
        for (guint x = 0; x < WIDTH; x++)
            rig->source[y * WIDTH + x] = y < 60 && x % 5 == 0 ? 0xff0000 : 0x0000ff;
    encode_whole(rig, FALSE);
    ck_assert_uint_eq(rig->auxiliaries, 1);
    for (guint i = 0; i < 5; i++) {
        for (guint y = corner.y; y < 240; y++)
            for (guint x = corner.x; x < 320; x++)
                rig->source[y * WIDTH + x] = (i * 20 + x) & 255;
        encode(rig, &corner, 1, FALSE);
    }
    ck_assert_uint_eq(rig->auxiliaries, 1);
    encode(rig, &corner, 1, TRUE);
    ck_assert_uint_eq(rig->auxiliaries, 2);
    ck_assert(chroma_psnr(rig) > 30);
}
END_TEST

START_TEST(an_encoder_that_makes_no_pairs_gives_the_main_view)
{
    g_autoptr(Rig) rig = rig_new("openh264enc", TRUE);

    for (guint i = 0; i < 5; i++) {
        paint_text(rig, 0x0000ff, 0xff0000, i);
        encode_whole(rig, FALSE);
    }
    ck_assert_uint_eq(rig->units, 5);
    ck_assert_uint_eq(rig->auxiliaries, 0);
    ck_assert(h264_pair_set_chroma(rig->pair, TRUE));
}
END_TEST

START_TEST(a_pair_made_without_chroma_cannot_begin_with_it)
{
    g_autoptr(Rig) rig = rig_new("x264enc", FALSE);

    paint_text(rig, 0x0000ff, 0xff0000, 0);
    encode_whole(rig, FALSE);
    ck_assert_uint_eq(rig->auxiliaries, 0);
    ck_assert(!h264_pair_set_chroma(rig->pair, TRUE));
    ck_assert(h264_pair_set_chroma(rig->pair, FALSE));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("avc444");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, coloured_text_in_motion_is_far_sharper_than_with_the_main_view_alone);
    tcase_add_test(tests, pictures_without_coloured_detail_bring_no_auxiliary_view);
    tcase_add_loop_test(tests, the_decoder_follows_whatever_comes_and_goes, 0, 6);
    tcase_add_test(tests, damage_beside_the_text_brings_no_auxiliary_view);
    tcase_add_test(tests, an_encoder_that_makes_no_pairs_gives_the_main_view);
    tcase_add_test(tests, a_pair_made_without_chroma_cannot_begin_with_it);
    return suite_run("avc444", tests);
}
