/* Cursor shapes. */
#include "session/rdp/pointer.h"
#include "tests/unit/suite.h"

static PointerShape shape;

static void teardown(void)
{
    pointer_shape_clear(&shape);
}

START_TEST(rows_come_bottom_up_and_alpha_stays)
{
    const guint8 argb[2 * 4] = {1, 2, 3, 255, 4, 5, 6, 255}; /* 1 wide, 2 high */
    pointer_shape_encode(&shape, argb, 1, 2, 0, 0, 32, TRUE);
    const guint8 xor_mask[] = {4, 5, 6, 255, 1, 2, 3, 255};
    ck_assert_uint_eq(shape.bpp, 32);
    ck_assert_uint_eq(shape.xor_mask->len, sizeof xor_mask);
    ck_assert_mem_eq(shape.xor_mask->data, xor_mask, sizeof xor_mask);
    ck_assert_uint_eq(shape.and_mask->len, 4);
}
END_TEST

START_TEST(transparent_pixels_are_masked_out)
{
    const guint8 argb[3 * 4] = {9, 9, 9, 0, 255, 255, 255, 255, 0, 0, 0, 0};
    pointer_shape_encode(&shape, argb, 3, 1, 0, 0, 32, TRUE);
    ck_assert_uint_eq(shape.and_mask->data[0], 0xa0);
    ck_assert_uint_eq(shape.xor_mask->data[0], 0);
}
END_TEST

START_TEST(without_alpha_colours_are_whole_and_rows_padded)
{
    const guint8 argb[4] = {64, 32, 0, 128}; /* premultiplied by one half */
    pointer_shape_encode(&shape, argb, 1, 1, 0, 0, 32, FALSE);
    ck_assert_uint_eq(shape.bpp, 24);
    ck_assert_uint_eq(shape.xor_mask->len, 4);
    ck_assert_uint_eq(shape.xor_mask->data[0], 127);
    ck_assert_uint_eq(shape.and_mask->data[0], 0);
}
END_TEST

START_TEST(with_alpha_colours_are_whole_too)
{
    const guint8 argb[2 * 4] = {64, 32, 0, 128, 10, 10, 10, 10};
    const guint8 xor_mask[] = {127, 63, 0, 128, 255, 255, 255, 10};
    pointer_shape_encode(&shape, argb, 2, 1, 0, 0, 32, TRUE);
    ck_assert_mem_eq(shape.xor_mask->data, xor_mask, sizeof xor_mask);
}
END_TEST

START_TEST(a_large_shape_is_cut_around_its_hot_spot)
{
    g_autofree guint8 *argb = g_malloc0(64 * 64 * 4);
    argb[(50 * 64 + 40) * 4 + 3] = 255;
    pointer_shape_encode(&shape, argb, 64, 64, 40, 50, 32, TRUE);
    ck_assert_uint_eq(shape.width, 32);
    ck_assert_uint_eq(shape.hot_x, 16);
    ck_assert_uint_eq(shape.hot_y, 18);
    guint row = 31 - shape.hot_y;
    ck_assert_uint_eq(shape.xor_mask->data[(row * 32 + shape.hot_x) * 4 + 3], 255);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("pointer");
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(tcase, rows_come_bottom_up_and_alpha_stays);
    tcase_add_test(tcase, transparent_pixels_are_masked_out);
    tcase_add_test(tcase, without_alpha_colours_are_whole_and_rows_padded);
    tcase_add_test(tcase, with_alpha_colours_are_whole_too);
    tcase_add_test(tcase, a_large_shape_is_cut_around_its_hot_spot);
    return suite_run("pointer", tcase);
}
