/* libvncserver as an encoder: exactness of Raw, JPEG only where allowed, and that no piece ever fills the
 * pair. */
#include "session/vnc/pixels.h"

#include "session/vnc/rfb.h"
#include "session/vnc/wire.h"
#include "tests/unit/suite.h"

#include <string.h>

#define WIDTH 1100
#define HEIGHT 300

static guint8 noise[WIDTH * HEIGHT * 4];
static const ViewerPicture picture = {.width = WIDTH, .height = HEIGHT, .stride = WIDTH * 4, .pixels = noise};
static const ViewerRect whole = {0, 0, WIDTH, HEIGHT};
static Pixels *pixels;

static void setup(void)
{
    guint32 state = 1;
    for (guint i = 0; i < sizeof noise; i++) {
        state = state * 1664525u + 1013904223u;
        noise[i] = (guint8)(state >> 24);
    }
    pixels = pixels_new(NULL, NULL);
    ck_assert_ptr_nonnull(pixels);
}

static void teardown(void)
{
    pixels_free(pixels);
}

static GByteArray *encode(const ViewerRect *rect, gboolean lossy, guint *rects)
{
    GByteArray *out = g_byte_array_new();
    *rects = 0;
    gint64 start = g_get_monotonic_time();
    ck_assert(pixels_encode(pixels, &picture, rect, lossy, out, rects));
    /* libvncserver would wait 5 s for a full pair. */
    ck_assert_int_lt(g_get_monotonic_time() - start, 4 * G_USEC_PER_SEC);
    return out;
}

START_TEST(raw_pieces_are_the_pictures_pixels)
{
    guint rects, seen = 0;
    ViewerRect rect = {5, 7, 700, 100};
    g_autoptr(GByteArray) out = encode(&rect, FALSE, &rects);
    gsize at = 0;
    while (at < out->len) {
        const guint8 *head = out->data + at;
        guint x = wire_get16(head), y = wire_get16(head + 2), w = wire_get16(head + 4),
              h = wire_get16(head + 6);
        ck_assert_uint_eq(wire_get32(head + 8), RFB_ENCODING_RAW);
        at += 12;
        for (guint row = 0; row < h; row++, at += w * 4)
            ck_assert_mem_eq(out->data + at, noise + ((gsize)(y + row) * WIDTH + x) * 4, w * 4);
        seen++;
    }
    ck_assert_uint_eq(at, out->len);
    ck_assert_uint_eq(seen, rects);
    ck_assert_uint_eq(rects, 4);
}
END_TEST

START_TEST(noise_never_fills_the_socket_pair_in_any_encoding)
{
    static const gint32 encodings[] = {RFB_ENCODING_TIGHT, RFB_ENCODING_ZRLE, RFB_ENCODING_HEXTILE,
                                       RFB_ENCODING_RAW};
    for (guint i = 0; i < G_N_ELEMENTS(encodings); i++)
        for (guint last_rect = 0; last_rect < 2; last_rect++) {
            guint rects;
            ck_assert(pixels_set_encoding(pixels, encodings[i], 1, -1, last_rect != 0));
            g_autoptr(GByteArray) out = encode(&whole, FALSE, &rects);
            ck_assert_uint_ge(out->len, WIDTH * HEIGHT * 3);
            ck_assert_uint_eq(rects, 15);
        }
}
END_TEST

START_TEST(jpeg_is_used_only_where_it_is_allowed)
{
    guint rects;
    ck_assert(pixels_set_encoding(pixels, RFB_ENCODING_TIGHT, -1, 5, TRUE));
    g_autoptr(GByteArray) lossy = encode(&whole, TRUE, &rects);
    g_autoptr(GByteArray) exact = encode(&whole, FALSE, &rects);
    ck_assert_uint_lt(lossy->len, exact->len / 2);
    ck_assert_uint_ge(exact->len, WIDTH * HEIGHT * 3);
    ck_assert(pixels_set_encoding(pixels, RFB_ENCODING_TIGHT, -1, -1, TRUE));
    g_autoptr(GByteArray) never = encode(&whole, TRUE, &rects);
    ck_assert_uint_ge(never->len, WIDTH * HEIGHT * 3);
}
END_TEST

START_TEST(pixels_follow_the_clients_format)
{
    RfbPixelFormat format = {16, 16, TRUE, TRUE, 31, 63, 31, 11, 5, 0};
    ViewerRect one = {3, 4, 1, 1};
    guint rects;
    g_autoptr(GByteArray) said = g_byte_array_new();
    ck_assert(pixels_set_format(pixels, &format, said));
    ck_assert_uint_eq(said->len, 0);
    g_autoptr(GByteArray) out = encode(&one, FALSE, &rects);
    const guint8 *p = noise + (4 * WIDTH + 3) * 4;
    guint expected =
        (p[2] * 31u + 127) / 255 << 11 | (p[1] * 63u + 127) / 255 << 5 | (p[0] * 31u + 127) / 255;
    ck_assert_uint_eq(out->len, 14);
    ck_assert_uint_eq(wire_get16(out->data + 12), expected);
}
END_TEST

START_TEST(a_colour_map_is_told_to_the_client)
{
    RfbPixelFormat format = {.bits_per_pixel = 8, .depth = 8};
    g_autoptr(GByteArray) said = g_byte_array_new();
    ck_assert(pixels_set_format(pixels, &format, said));
    ck_assert_uint_ge(said->len, 6 + 256 * 6);
    ck_assert_uint_eq(said->data[0], 1);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("pixels");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, raw_pieces_are_the_pictures_pixels);
    tcase_add_test(cases, noise_never_fills_the_socket_pair_in_any_encoding);
    tcase_add_test(cases, jpeg_is_used_only_where_it_is_allowed);
    tcase_add_test(cases, pixels_follow_the_clients_format);
    tcase_add_test(cases, a_colour_map_is_told_to_the_client);
    return suite_run("vnc pixels", cases);
}
