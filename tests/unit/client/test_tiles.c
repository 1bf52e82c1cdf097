/* Which rectangles a client is sent for what it lacks. */
#include "session/client/tiles.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>

static Tiles tiles;
static GArray *rects;

static void setup(void)
{
    tiles = (Tiles){0};
    tiles_reset(&tiles, 1000, 300);
    for (guint i = 0; i < tiles.columns * tiles.rows; i++)
        tiles.tiles[i].exact = (TileBox){0};
    rects = g_array_new(FALSE, FALSE, sizeof(ViewerRect));
}

static void teardown(void)
{
    tiles_clear(&tiles);
    g_array_unref(rects);
}

static void join_exact(void)
{
    TileJoiner joiner;
    g_array_set_size(rects, 0);
    tile_joiner_start(&joiner, rects);
    for (guint row = 0; row < tiles.rows; row++)
        for (guint column = 0; column < tiles.columns; column++)
            if (!tile_box_empty(tiles.tiles[row * tiles.columns + column].exact))
                tile_joiner_add(&joiner, column, row, tiles.tiles[row * tiles.columns + column].exact);
    tile_joiner_end(&joiner);
}

static void assert_rect(guint i, guint x, guint y, guint width, guint height)
{
    ViewerRect r = g_array_index(rects, ViewerRect, i);
    ck_assert_uint_eq(r.x, x);
    ck_assert_uint_eq(r.y, y);
    ck_assert_uint_eq(r.width, width);
    ck_assert_uint_eq(r.height, height);
}

START_TEST(a_rectangle_over_many_tiles_is_joined_into_itself)
{
    tiles_damage(&tiles, &(ViewerRect){50, 30, 500, 200}, FALSE, FALSE);
    join_exact();
    ck_assert_uint_eq(rects->len, 1);
    assert_rect(0, 50, 30, 500, 200);
}
END_TEST

START_TEST(a_new_screen_lacks_exactly_everything)
{
    tiles_reset(&tiles, 1000, 300);
    join_exact();
    ck_assert_uint_eq(rects->len, 1);
    assert_rect(0, 0, 0, 1000, 300);
}
END_TEST

START_TEST(two_apart_rectangles_stay_two)
{
    tiles_damage(&tiles, &(ViewerRect){0, 0, 10, 10}, FALSE, FALSE);
    tiles_damage(&tiles, &(ViewerRect){640, 128, 64, 128}, FALSE, FALSE);
    join_exact();
    ck_assert_uint_eq(rects->len, 2);
    assert_rect(0, 0, 0, 10, 10);
    assert_rect(1, 640, 128, 64, 128);
}
END_TEST

static void lack(guint x, guint y, guint width, guint height)
{
    tiles_damage(&tiles, &(ViewerRect){x, y, width, height}, FALSE, FALSE);
}

START_TEST(letters_of_a_line_become_one_rectangle)
{
    lack(33, 80, 31, 11);
    lack(64, 80, 50, 14);
    lack(135, 83, 57, 11); /* 21 px further on */
    lack(192, 80, 64, 14);
    lack(256, 82, 20, 9);
    tiles_level(&tiles);
    join_exact();
    ck_assert_uint_eq(rects->len, 2);
    assert_rect(0, 33, 80, 81, 14);
    assert_rect(1, 135, 80, 141, 14);
}
END_TEST

START_TEST(a_line_beside_something_high_stays_apart)
{
    lack(0, 64, 64, 60);
    lack(64, 70, 64, 3);
    tiles_level(&tiles);
    join_exact();
    ck_assert_uint_eq(rects->len, 2);
}
END_TEST

START_TEST(lossy_tiles_are_not_made_larger)
{
    lack(0, 80, 64, 14);
    lack(64, 80, 64, 11);
    tiles.tiles[tiles.columns + 1].lossy = 1;
    tiles_level(&tiles);
    join_exact();
    ck_assert_uint_eq(rects->len, 2);
    assert_rect(1, 64, 80, 64, 11);
}
END_TEST

START_TEST(levelled_boxes_cover_all_damage_and_half_as_much_more_at_most)
{
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    guint before = 0, after = 0;

    for (guint i = 0; i < 12; i++)
        lack((guint)g_rand_int_range(random, 0, 990), (guint)g_rand_int_range(random, 0, 290),
             (guint)g_rand_int_range(random, 1, 150), (guint)g_rand_int_range(random, 1, 40));
    g_autofree Tile *old = g_memdup2(tiles.tiles, tiles.columns * tiles.rows * sizeof(Tile));
    tiles_level(&tiles);
    for (guint i = 0; i < tiles.columns * tiles.rows; i++) {
        TileBox a = old[i].exact, b = tiles.tiles[i].exact;
        ck_assert(tile_box_empty(a) == tile_box_empty(b));
        ck_assert(tile_box_empty(a) || (b.x0 <= a.x0 && b.y0 <= a.y0 && b.x1 >= a.x1 && b.y1 >= a.y1));
        before += (guint)(a.x1 - a.x0) * (a.y1 - a.y0);
        after += (guint)(b.x1 - b.x0) * (b.y1 - b.y0);
    }
    ck_assert_uint_le(2 * after, 3 * before);
}
END_TEST

START_TEST(damage_outside_of_the_screen_is_cut_or_ignored)
{
    tiles_damage(&tiles, &(ViewerRect){990, 290, 5000, 5000}, FALSE, FALSE);
    tiles_damage(&tiles, &(ViewerRect){1000, 0, 5, 5}, FALSE, FALSE);
    tiles_damage(&tiles, &(ViewerRect){0, 300, G_MAXUINT, 5}, FALSE, FALSE);
    join_exact();
    ck_assert_uint_eq(rects->len, 1);
    assert_rect(0, 990, 290, 10, 10);
}
END_TEST

START_TEST(joined_rectangles_never_overlap_and_cover_all_damage)
{
    static guint8 canvas[300][1000];
    GRand *random = g_rand_new_with_seed(7);
    guint overlaps = 0, holes = 0;
    for (guint round = 0; round < 200; round++) {
        memset(canvas, 0, sizeof canvas);
        for (guint i = 0; i < 20; i++)
            tiles_damage(&tiles,
                         &(ViewerRect){(guint)g_rand_int_range(random, 0, 16) * 64,
                                       (guint)g_rand_int_range(random, 0, 300),
                                       (guint)g_rand_int_range(random, 1, 4) * 64,
                                       (guint)g_rand_int_range(random, 1, 150)},
                         FALSE, FALSE);
        join_exact();
        for (guint i = 0; i < rects->len; i++) {
            ViewerRect r = g_array_index(rects, ViewerRect, i);
            for (guint y = r.y; y < r.y + r.height; y++)
                for (guint x = r.x; x < r.x + r.width; x++)
                    overlaps += canvas[y][x]++ != 0;
        }
        for (guint row = 0; row < tiles.rows; row++)
            for (guint column = 0; column < tiles.columns; column++) {
                TileBox *box = &tiles.tiles[row * tiles.columns + column].exact;
                for (guint y = box->y0; y < box->y1; y++)
                    for (guint x = box->x0; x < box->x1; x++)
                        holes += canvas[row * 64 + y][column * 64 + x] != 1;
                *box = (TileBox){0};
            }
    }
    ck_assert_uint_eq(overlaps, 0);
    ck_assert_uint_eq(holes, 0);
    g_rand_free(random);
}
END_TEST

START_TEST(a_unit_makes_its_damage_lossy_and_nothing_else)
{
    ViewerRect screen = {0, 0, 1000, 300};
    tiles_damage(&tiles, &(ViewerRect){64, 64, 128, 64}, TRUE, FALSE);
    tiles_take_motion(&tiles, &screen, FALSE, 1000, rects);
    ck_assert_uint_eq(rects->len, 1);
    assert_rect(0, 64, 64, 128, 64);
    ck_assert_int_eq(tiles_calm_due(&tiles, 1000), TILES_CALM_MS);
    ck_assert_uint_eq(tiles_take_calm(&tiles, 1000 + TILES_CALM_MS - 1, 64), 0);
    ck_assert_uint_eq(tiles_take_calm(&tiles, 1000 + TILES_CALM_MS, 64), 2);
    join_exact();
    ck_assert_uint_eq(rects->len, 1);
    assert_rect(0, 64, 64, 128, 64);
    ck_assert_int_eq(tiles_calm_due(&tiles, 5000), -1);
}
END_TEST

START_TEST(a_unit_that_paints_all_of_its_region_makes_all_of_it_lossy)
{
    ViewerRect region = {128, 64, 256, 128};
    tiles_take_motion(&tiles, &region, TRUE, 1, rects);
    ck_assert_uint_eq(tiles_take_calm(&tiles, 1000, 1000), 8);
    join_exact();
    ck_assert_uint_eq(rects->len, 1);
    assert_rect(0, 128, 64, 256, 128);
}
END_TEST

START_TEST(calm_tiles_come_in_portions)
{
    ViewerRect screen = {0, 0, 1000, 300};
    tiles_take_motion(&tiles, &screen, TRUE, 1, rects);
    ck_assert_uint_eq(tiles_take_calm(&tiles, 1000, 64), 64);
    ck_assert_int_eq(tiles_calm_due(&tiles, 1000), 0);
    ck_assert_uint_eq(tiles_take_calm(&tiles, 1000, 64), 16);
    ck_assert_int_eq(tiles_calm_due(&tiles, 1000), -1);
}
END_TEST

START_TEST(a_unit_covers_what_its_region_lacked_before)
{
    ViewerRect screen = {0, 0, 1000, 300};
    tiles_damage(&tiles, &(ViewerRect){0, 0, 64, 64}, FALSE, FALSE);
    tiles_take_motion(&tiles, &screen, FALSE, 1, rects);
    assert_rect(0, 0, 0, 64, 64);
    ck_assert(!tiles_lacking(&tiles));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("tiles");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_rectangle_over_many_tiles_is_joined_into_itself);
    tcase_add_test(tcase, a_new_screen_lacks_exactly_everything);
    tcase_add_test(tcase, two_apart_rectangles_stay_two);
    tcase_add_test(tcase, damage_outside_of_the_screen_is_cut_or_ignored);
    tcase_add_test(tcase, letters_of_a_line_become_one_rectangle);
    tcase_add_test(tcase, a_line_beside_something_high_stays_apart);
    tcase_add_test(tcase, lossy_tiles_are_not_made_larger);
    tcase_add_loop_test(tcase, levelled_boxes_cover_all_damage_and_half_as_much_more_at_most, 0, 30);
    tcase_add_test(tcase, joined_rectangles_never_overlap_and_cover_all_damage);
    tcase_add_test(tcase, a_unit_makes_its_damage_lossy_and_nothing_else);
    tcase_add_test(tcase, a_unit_that_paints_all_of_its_region_makes_all_of_it_lossy);
    tcase_add_test(tcase, calm_tiles_come_in_portions);
    tcase_add_test(tcase, a_unit_covers_what_its_region_lacked_before);
    return suite_run("tiles", tcase);
}
