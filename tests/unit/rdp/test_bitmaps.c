/* What our encoders make, FreeRDP's decoders must turn into the same pixels. */
#include "session/rdp/interleave.h"
#include "session/rdp/planar.h"
#include "tests/unit/suite.h"

#include <freerdp/codec/color.h>
#include <freerdp/codec/interleaved.h>
#include <freerdp/codec/planar.h>
#include <stdlib.h>
#include <string.h>

static guint32 picture[PLANAR_HEIGHT_MAX * PLANAR_WIDTH_MAX], back[PLANAR_HEIGHT_MAX * PLANAR_WIDTH_MAX];
static guint8 encoded[PLANAR_SIZE_MAX + 16];

typedef enum { NOISE, FLAT, TEXT, GRADIENT, STRIPES, PICTURES } Picture;

static void paint(Picture kind, guint width, guint height, GRand *random)
{
    for (guint y = 0; y < height; y++)
        for (guint x = 0; x < width; x++) {
            guint32 *p = &picture[y * width + x];
            switch (kind) {
            case NOISE:
                *p = g_rand_int(random);
                break;
            case FLAT:
                *p = 0x123456;
                break;
            case TEXT:
                *p = g_rand_int_range(random, 0, 5) == 0 ? 0 : 0xffffff;
                break;
            case GRADIENT:
                *p = (x * 5 & 0xff) << 16 | (y * 3 & 0xff) << 8 | ((x + y) & 0xff);
                break;
            default:
                *p = x / 3 % 2 ? 0xff0000 : 0x0000ff;
            }
            *p = (*p & 0xffffff) | 0xff000000;
        }
}

static void planar_round_trip(Picture kind, guint width, guint height, PlanarFlags flags, GRand *random)
{
    gboolean bottom_up = (flags & PLANAR_BOTTOM_UP) != 0;
    BITMAP_PLANAR_CONTEXT *decoder = freerdp_bitmap_planar_context_new(0, width, height);
    paint(kind, width, height, random);
    memset(encoded, 0xcc, sizeof encoded);
    gsize length = planar_encode((const guint8 *)picture, width * 4, width, height, flags, encoded);
    ck_assert_uint_eq(encoded[0] & 0x20, flags & PLANAR_ALPHA ? 0 : 0x20);
    ck_assert_uint_le(length, PLANAR_SIZE_MAX);
    if (!(flags & (PLANAR_ALPHA | PLANAR_FOR_BULK)))
        ck_assert_uint_le(length, width * height * 3 + 2);
    ck_assert_msg(planar_decompress(decoder, encoded, (UINT32)length, width, height, (BYTE *)back,
                                    PIXEL_FORMAT_BGRX32, width * 4, 0, 0, width, height, bottom_up),
                  "picture %d, %u x %u is not decoded", kind, width, height);
    for (guint i = 0; i < width * height; i++)
        ck_assert_msg((back[i] & 0xffffff) == (picture[i] & 0xffffff), "picture %d, %u x %u differs at %u",
                      kind, width, height, i);
    freerdp_bitmap_planar_context_free(decoder);
}

START_TEST(planar_pictures_of_every_small_size_come_back_exactly)
{
    GRand *random = g_rand_new_with_seed(1);
    for (Picture kind = NOISE; kind < PICTURES; kind++)
        for (guint width = 1; width <= 24; width++)
            for (guint height = 1; height <= 8; height++)
                planar_round_trip(kind, width, height, (width + height) % 8, random);
    g_rand_free(random);
}
END_TEST

START_TEST(planar_runs_of_every_length_come_back_exactly)
{
    GRand *random = g_rand_new_with_seed(2);
    for (guint width = 25; width <= 200; width++)
        planar_round_trip(FLAT, width, 2,
                          width <= PLANAR_ALPHA_WIDTH_MAX ? width % 8 : width % 2 * PLANAR_FOR_BULK, random);
    g_rand_free(random);
}
END_TEST

START_TEST(large_planar_pictures_come_back_exactly)
{
    GRand *random = g_rand_new_with_seed(3);
    for (Picture kind = NOISE; kind < PICTURES; kind++) {
        planar_round_trip(kind, PLANAR_WIDTH_MAX, PLANAR_HEIGHT_MAX, PLANAR_PLAIN, random);
        planar_round_trip(kind, PLANAR_WIDTH_MAX, PLANAR_HEIGHT_MAX, PLANAR_FOR_BULK, random);
    }
    g_rand_free(random);
}
END_TEST

START_TEST(a_flat_planar_picture_is_small)
{
    paint(FLAT, 512, 64, NULL);
    ck_assert_uint_lt(planar_encode((const guint8 *)picture, 512 * 4, 512, 64, PLANAR_PLAIN, encoded), 3000);
}
END_TEST

static guint32 reduced(guint32 pixel, guint depth)
{
    guint32 format = depth == 15 ? PIXEL_FORMAT_RGB15 : depth == 16 ? PIXEL_FORMAT_RGB16 : PIXEL_FORMAT_BGR24;
    if (depth == 24)
        return pixel & 0xffffff;
    guint r = pixel >> 16 & 0xff, g = pixel >> 8 & 0xff, b = pixel & 0xff;
    guint32 packed =
        depth == 16 ? (r >> 3) << 11 | (g >> 2) << 5 | b >> 3 : (r >> 3) << 10 | (g >> 3) << 5 | b >> 3;
    return FreeRDPConvertColor(packed, format, PIXEL_FORMAT_BGRX32, NULL) >> 8;
}

static void interleaved_round_trip(Picture kind, guint width, guint height, guint depth, GRand *random)
{
    BITMAP_INTERLEAVED_CONTEXT *decoder = bitmap_interleaved_context_new(FALSE);
    paint(kind, width, height, random);
    gsize length = interleave_encode((const guint8 *)picture, width * 4, width, height, depth, encoded);
    ck_assert_uint_le(length, INTERLEAVE_SIZE_MAX);
    ck_assert_msg(interleaved_decompress(decoder, encoded, (UINT32)length, width, height, depth, (BYTE *)back,
                                         PIXEL_FORMAT_BGRX32, width * 4, 0, 0, width, height, NULL),
                  "picture %d, %u x %u, %u bits is not decoded", kind, width, height, depth);
    for (guint i = 0; i < width * height; i++) {
        const guint8 *p = (const guint8 *)&back[i];
        guint32 wanted = reduced(picture[i], depth);
        guint32 got = depth == 24 ? back[i] & 0xffffff : (guint32)p[0] << 16 | (guint32)p[1] << 8 | p[2];
        ck_assert_msg(got == wanted, "picture %d, %u x %u, %u bits differs at %u: %x, not %x", kind, width,
                      height, depth, i, got, wanted);
    }
    bitmap_interleaved_context_free(decoder);
}

START_TEST(interleaved_pictures_come_back_as_exactly_as_their_depth_allows)
{
    static const guint depths[] = {15, 16, 24}, sizes[] = {4, 8, 12, 32, 36, 64};
    GRand *random = g_rand_new_with_seed(4);
    for (Picture kind = NOISE; kind < PICTURES; kind++)
        for (guint d = 0; d < G_N_ELEMENTS(depths); d++)
            for (guint w = 0; w < G_N_ELEMENTS(sizes); w++)
                for (guint height = 1; height <= 64; height += 9)
                    interleaved_round_trip(kind, sizes[w], height, depths[d], random);
    g_rand_free(random);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("bitmaps");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, planar_pictures_of_every_small_size_come_back_exactly);
    tcase_add_test(tcase, planar_runs_of_every_length_come_back_exactly);
    tcase_add_test(tcase, large_planar_pictures_come_back_exactly);
    tcase_add_test(tcase, a_flat_planar_picture_is_small);
    tcase_add_test(tcase, interleaved_pictures_come_back_as_exactly_as_their_depth_allows);
    return suite_run("bitmaps", tcase);
}
