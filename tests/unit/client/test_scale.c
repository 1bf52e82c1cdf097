/* Pictures that are larger than the client's window. */
#include "session/client/scale.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>

static void check_fit(Fit fit, guint x, guint y, guint width, guint height)
{
    ck_assert_uint_eq(fit.x, x);
    ck_assert_uint_eq(fit.y, y);
    ck_assert_uint_eq(fit.width, width);
    ck_assert_uint_eq(fit.height, height);
}

START_TEST(a_picture_that_fits_stands_in_the_middle_as_it_is)
{
    check_fit(fit_into(640, 480, 800, 600), 80, 60, 640, 480);
    check_fit(fit_into(800, 600, 800, 600), 0, 0, 800, 600);
}
END_TEST

START_TEST(a_larger_picture_is_shrunk_in_its_shape)
{
    check_fit(fit_into(1024, 768, 800, 600), 0, 0, 800, 600);
    check_fit(fit_into(1920, 1080, 800, 600), 0, 75, 800, 450);
    check_fit(fit_into(1080, 1920, 800, 600), 231, 0, 337, 600);
    check_fit(fit_into(8192, 64, 64, 64), 0, 31, 64, 1);
}
END_TEST

#define WIDTH 150
#define HEIGHT 90
static guint32 pixels[WIDTH * HEIGHT];

static ViewerUpdate update(const ViewerRect *rects, guint count)
{
    return (ViewerUpdate){
        .picture = {WIDTH, HEIGHT, WIDTH * 4, 1, (const guint8 *)pixels}, .rects = rects, .n_rects = count};
}

START_TEST(one_colour_stays_that_colour)
{
    g_autoptr(Scaler) scaler = scaler_new(WIDTH, HEIGHT, 97, 58);
    ViewerRect all = {0, 0, WIDTH, HEIGHT};
    ViewerUpdate from = update(&all, 1), to;
    for (guint i = 0; i < G_N_ELEMENTS(pixels); i++)
        pixels[i] = 0xff123456;
    scaler_take(scaler, &from, &to);
    ck_assert_uint_eq(to.n_rects, 1);
    ck_assert_uint_eq(to.rects[0].width, 97);
    ck_assert_uint_eq(to.rects[0].height, 58);
    for (guint i = 0; i < 97 * 58; i++)
        ck_assert_uint_eq(((const guint32 *)to.picture.pixels)[i], 0xff123456);
}
END_TEST

START_TEST(halving_takes_the_mean_of_four)
{
    g_autoptr(Scaler) scaler = scaler_new(WIDTH, HEIGHT, WIDTH / 2, HEIGHT / 2);
    ViewerRect first = {0, 0, 2, 2};
    ViewerUpdate from = update(&first, 1), to;
    pixels[0] = 0x000000ff;
    pixels[1] = 0x000000ff;
    pixels[WIDTH] = pixels[WIDTH + 1] = 0;
    scaler_take(scaler, &from, &to);
    ck_assert_uint_eq(to.rects[0].width, 1);
    ck_assert_uint_eq(((const guint32 *)to.picture.pixels)[0], 0xff000080);
}
END_TEST

START_TEST(parts_come_out_as_in_the_whole)
{
    g_autoptr(Scaler) whole = scaler_new(WIDTH, HEIGHT, 101, 61), parts = scaler_new(WIDTH, HEIGHT, 101, 61);
    ViewerRect all = {0, 0, WIDTH, HEIGHT};
    ViewerUpdate from = update(&all, 1), to, once;
    for (guint i = 0; i < G_N_ELEMENTS(pixels); i++)
        pixels[i] = (guint32)rand() | 0xff000000;
    scaler_take(whole, &from, &once);
    for (guint y = 0; y < HEIGHT; y += 30)
        for (guint x = 0; x < WIDTH; x += 50) {
            ViewerRect part = {x, y, 50, 30};
            from = update(&part, 1);
            scaler_take(parts, &from, &to);
        }
    ck_assert_mem_eq(to.picture.pixels, once.picture.pixels, 101 * 61 * 4);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("scale");
    tcase_set_timeout(tcase, 60); /* slow machines */
    tcase_add_test(tcase, a_picture_that_fits_stands_in_the_middle_as_it_is);
    tcase_add_test(tcase, a_larger_picture_is_shrunk_in_its_shape);
    tcase_add_test(tcase, one_colour_stays_that_colour);
    tcase_add_test(tcase, halving_takes_the_mean_of_four);
    tcase_add_test(tcase, parts_come_out_as_in_the_whole);
    return suite_run("scale", tcase);
}
