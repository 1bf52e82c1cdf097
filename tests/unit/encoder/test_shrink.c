/* Pictures made smaller, against the mean taken pixel by pixel. */
#include "encoder/shrink.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdlib.h>

static double covered(guint at, guint size, guint source, guint pixel)
{
    double from = (double)at * source / size, to = (double)(at + 1) * source / size;
    return fmax(0, fmin(to, pixel + 1) - fmax(from, pixel));
}

static double exact(const guint32 *pixels, guint width, guint height, guint to_width, guint to_height,
                    guint x, guint y, guint shift)
{
    double sum = 0;
    for (guint sy = 0; sy < height; sy++)
        for (guint sx = 0; sx < width; sx++)
            sum += covered(y, to_height, height, sy) * covered(x, to_width, width, sx) *
                   ((pixels[sy * width + sx] >> shift) & 0xff);
    return sum * to_width * to_height / ((double)width * height);
}

static void check_size(guint width, guint height, guint to_width, guint to_height)
{
    g_autoptr(Shrink) shrink = shrink_new(width, height, to_width, to_height);
    g_autofree guint32 *pixels = g_new(guint32, (gsize)width * height);
    g_autofree guint32 *small = g_new(guint32, (gsize)to_width * to_height);
    SeatRect whole = {.width = (guint16)to_width, .height = (guint16)to_height};

    for (guint i = 0; i < width * height; i++)
        pixels[i] = (guint32)rand() ^ (guint32)rand() << 16;
    shrink_part(shrink, &whole, pixels, width * 4, small);
    for (guint y = 0; y < to_height; y++)
        for (guint x = 0; x < to_width; x++)
            for (guint shift = 0; shift < 24; shift += 8) {
                guint got = (small[y * to_width + x] >> shift) & 0xff;
                /* half a step of rounding, and what the fractions of two passes lack */
                ck_assert_double_eq_tol(got, exact(pixels, width, height, to_width, to_height, x, y, shift),
                                        0.6);
            }
}

START_TEST(each_new_pixel_is_the_mean_of_what_it_covers)
{
    check_size(64, 48, 64, 48);
    check_size(64, 48, 32, 16);
    check_size(61, 47, 37, 31);
    check_size(61, 47, 60, 46);
    check_size(200, 3, 1, 1);
    check_size(3, 200, 2, 1);
}
END_TEST

START_TEST(white_stays_white_from_the_largest_picture_to_one_pixel)
{
    const guint width = 8192, height = 8192;
    const SeatRect whole = {.width = 1, .height = 1};
    g_autoptr(Shrink) shrink = shrink_new(width, height, 1, 1);
    g_autofree guint32 *row = g_new(guint32, width);
    guint32 small = 0;

    for (guint i = 0; i < width; i++)
        row[i] = 0x00ffffff;
    shrink_part(shrink, &whole, row, 0, &small); /* every row is the same one */
    ck_assert_uint_eq(small, 0xffffffff);
}
END_TEST

START_TEST(a_changed_pixel_reaches_just_what_it_changes)
{
    const guint width = 61, height = 47, to_width = 37, to_height = 31;
    const SeatRect whole = {.width = to_width, .height = to_height};
    g_autoptr(Shrink) shrink = shrink_new(width, height, to_width, to_height);
    g_autofree guint32 *pixels = g_new0(guint32, width * height);
    guint32 small[37 * 31];

    for (guint i = 0; i < width * height; i++) {
        SeatRect pixel = {.x = i % width, .y = i / width, .width = 1, .height = 1};
        SeatRect reach = shrink_reach(shrink, &pixel);
        pixels[i] = 0x00ffffff;
        shrink_part(shrink, &whole, pixels, width * 4, small);
        pixels[i] = 0;
        for (guint at = 0; at < to_width * to_height; at++) {
            guint x = at % to_width, y = at / to_width;
            gboolean inside =
                x >= reach.x && x < reach.x + reach.width && y >= reach.y && y < reach.y + reach.height;
            ck_assert_msg(inside || small[at] == 0xff000000, "pixel %u changes %u,%u", i, x, y);
        }
        ck_assert_uint_le(reach.width, 2);
        ck_assert_uint_le(reach.height, 2);
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("shrink");
    tcase_set_timeout(tcase, 60); /* slow machines */
    tcase_add_test(tcase, each_new_pixel_is_the_mean_of_what_it_covers);
    tcase_add_test(tcase, white_stays_white_from_the_largest_picture_to_one_pixel);
    tcase_add_test(tcase, a_changed_pixel_reaches_just_what_it_changes);
    return suite_run("shrink", tcase);
}
