/* The auxiliary view of AVC444 v2, taken apart again as the specification says, without H.264 in between. */
#include "encoder/auxiliary.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 150, HEIGHT = 137, CODED_WIDTH = 160, CODED_HEIGHT = 144, TILE = AUXILIARY_TILE };

typedef struct {
    YuvPicture view;
    guint8 planes[CODED_WIDTH * CODED_HEIGHT * 3 / 2];
} View;

static guint32 source[WIDTH * HEIGHT];

static void view_init(View *view, gboolean interleaved)
{
    guint8 *chroma = view->planes + CODED_WIDTH * CODED_HEIGHT;
    memset(view->planes, 77, sizeof view->planes);
    view->view = (YuvPicture){.y = view->planes,
                              .u = chroma,
                              .v = interleaved ? chroma + 1 : chroma + CODED_WIDTH * CODED_HEIGHT / 4,
                              .y_stride = CODED_WIDTH,
                              .chroma_stride = interleaved ? CODED_WIDTH : CODED_WIDTH / 2,
                              .chroma_step = interleaved ? 2 : 1,
                              .width = CODED_WIDTH,
                              .height = CODED_HEIGHT};
}

static guint8 luma_at(const View *view, guint x, guint y)
{
    return view->view.y[y * CODED_WIDTH + x];
}

static guint8 chroma_at(const View *view, const guint8 *plane, guint x, guint y)
{
    return plane[y * view->view.chroma_stride + x * view->view.chroma_step];
}

/* MS-RDPEGFX 3.3.8.3.3, backwards: a component's sample at x, y, not both even. `part` 0: U, 1: V. */
static guint8 component_at(const View *view, guint part, guint x, guint y)
{
    if (x % 2 == 1)
        return luma_at(view, part * CODED_WIDTH / 2 + x / 2, y);
    return chroma_at(view, x % 4 == 0 ? view->view.u : view->view.v, part * CODED_WIDTH / 4 + x / 4, y / 2);
}

static double wanted_at(guint part, guint x, guint y)
{
    guint32 p = source[MIN(y, HEIGHT - 1u) * WIDTH + MIN(x, WIDTH - 1u)];
    double r = p >> 16 & 255, g = p >> 8 & 255, b = p & 255, luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    return CLAMP((part ? (r - luma) / 1.5748 : (b - luma) / 1.8556) + 128, 0, 255);
}

static gboolean pack(View *view, guint x, guint y)
{
    return auxiliary_tile(&view->view, x, y, source, WIDTH * 4, WIDTH, HEIGHT);
}

static void paint_noise(guint32 seed)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    for (guint i = 0; i < WIDTH * HEIGHT; i++)
        source[i] = g_rand_int(random);
}

/* Strokes of a letter's width in the colours given. */
static void paint_text(guint32 paper, guint32 ink)
{
    for (guint y = 0; y < HEIGHT; y++)
        for (guint x = 0; x < WIDTH; x++)
            source[y * WIDTH + x] = y % 14 < 9 && (x * 7 + y / 14 * 3) % 11 < 3 ? ink : paper;
}

START_TEST(each_chroma_sample_stands_where_the_specification_wants_it)
{
    View view;
    guint wrong = 0;

    if (_i % 4 < 2)
        paint_noise((guint32)_i);
    else
        paint_text(0x0000ff, 0xff0000);
    view_init(&view, _i % 2);
    for (guint y = 0; y < CODED_HEIGHT; y += TILE)
        for (guint x = 0; x < CODED_WIDTH; x += TILE)
            ck_assert(pack(&view, x, y));
    for (guint y = 0; y < CODED_HEIGHT; y++)
        for (guint x = 0; x < CODED_WIDTH; x++)
            for (guint part = 0; part < 2 && (x % 2 || y % 2); part++)
                wrong += fabs(component_at(&view, part, x, y) - wanted_at(part, x, y)) > 1;
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(a_tile_touches_no_sample_of_another)
{
    static View whole, part;
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    guint tile_x = (guint)g_rand_int_range(random, 0, 3) * TILE;
    guint tile_y = (guint)g_rand_int_range(random, 0, 3) * TILE;

    paint_noise((guint32)_i);
    view_init(&whole, _i % 2);
    for (guint y = 0; y < CODED_HEIGHT; y += TILE)
        for (guint x = 0; x < CODED_WIDTH; x += TILE)
            ck_assert(pack(&whole, x, y));
    view_init(&part, _i % 2);
    memcpy(part.planes, whole.planes, sizeof part.planes);
    for (guint y = tile_y; y < MIN(tile_y + TILE, HEIGHT); y++)
        for (guint x = tile_x; x < MIN(tile_x + TILE, WIDTH); x++)
            source[y * WIDTH + x] = g_rand_int(random);
    ck_assert(pack(&part, tile_x, tile_y));
    for (guint y = 0; y < CODED_HEIGHT; y += TILE)
        for (guint x = 0; x < CODED_WIDTH; x += TILE)
            ck_assert(pack(&whole, x, y));
    ck_assert_mem_eq(part.planes, whole.planes, sizeof part.planes);
}
END_TEST

START_TEST(the_vectors_and_plain_c_give_the_same)
{
    guint8 quick[2][WIDTH], plain[2][WIDTH];

    paint_noise((guint32)_i);
    for (guint row = 0; row < HEIGHT; row++) {
        auxiliary_row(quick[0], quick[1], source + row * WIDTH, WIDTH);
        auxiliary_row_plain(plain[0], plain[1], source + row * WIDTH, WIDTH);
        ck_assert_mem_eq(quick, plain, sizeof quick);
    }
}
END_TEST

START_TEST(coloured_text_needs_the_view_and_black_text_and_photographs_do_not)
{
    static View view, before;

    view_init(&view, FALSE);
    before = view;
    paint_text(0xffffff, 0x000000);
    ck_assert(!pack(&view, 0, 0));
    for (guint i = 0; i < WIDTH * HEIGHT; i++) {
        guint x = i % WIDTH, y = i / WIDTH;
        source[i] = (x + y / 2) << 16 | (255 - x) << 8 | (y + x / 3);
    }
    ck_assert(!pack(&view, TILE, 0));
    ck_assert_mem_eq(view.planes, before.planes, sizeof view.planes);
    paint_text(0xffffff, 0xff0000);
    ck_assert(auxiliary_tile(NULL, 0, 0, source, WIDTH * 4, WIDTH, HEIGHT));
    ck_assert(pack(&view, 0, 0));
    paint_text(0x203040, 0x40c0f0);
    ck_assert(pack(&view, 0, 0));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("auxiliary");

    tcase_add_loop_test(tests, each_chroma_sample_stands_where_the_specification_wants_it, 0, 8);
    tcase_add_loop_test(tests, a_tile_touches_no_sample_of_another, 0, 20);
    tcase_add_loop_test(tests, the_vectors_and_plain_c_give_the_same, 0, 5);
    tcase_add_test(tests, coloured_text_needs_the_view_and_black_text_and_photographs_do_not);
    return suite_run("auxiliary", tests);
}
