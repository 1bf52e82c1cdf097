/* Lossy tiles that become exact. */
#include "session/vnc/refine.h"

#include <check.h>
#include <stdlib.h>

#define MS 1000

static Refine *refine;
static const ViewerRect tile = {64, 64, 64, 64};

static void setup(void)
{
    refine = refine_new();
    refine_resize(refine, 200, 200);
}

static void teardown(void)
{
    refine_free(refine);
}

/* The tile changes every 30 ms; returns the time after the last change. */
static gint64 move(guint changes, gboolean *moves)
{
    gint64 now = 1000 * MS;
    for (guint i = 0; i < changes; i++, now += 30 * MS)
        *moves = refine_moves(refine, &tile, now);
    return now;
}

START_TEST(typing_does_not_count_as_motion)
{
    gboolean moves;
    move(3, &moves);
    ck_assert(!moves);
    for (guint i = 0; i < 20; i++)
        ck_assert(!refine_moves(refine, &tile, 2000 * MS + i * 300 * MS));
}
END_TEST

START_TEST(a_tile_that_keeps_changing_moves)
{
    gboolean moves;
    move(8, &moves);
    ck_assert(moves);
}
END_TEST

START_TEST(several_rectangles_of_one_update_are_one_change)
{
    for (guint i = 0; i < 20; i++)
        ck_assert(!refine_moves(refine, &tile, 1000 * MS + i));
}
END_TEST

START_TEST(a_lossy_tile_is_due_once_it_is_calm)
{
    ViewerRect due;
    refine_sent(refine, &tile, TRUE, 1000 * MS);
    ck_assert_int_eq(refine_next_us(refine), 1000 * MS + REFINE_CALM_US);
    ck_assert(!refine_due(refine, 64, 1100 * MS, &due));
    ck_assert(refine_due(refine, 64, 1000 * MS + REFINE_CALM_US, &due));
    ck_assert_uint_eq(due.x, 64);
    ck_assert_uint_eq(due.y, 64);
    ck_assert_uint_eq(due.width, 64);
    ck_assert_uint_eq(due.height, 64);
    ck_assert(!refine_due(refine, 64, 1000 * MS + REFINE_CALM_US, &due));
    refine_sent(refine, &due, FALSE, 1300 * MS);
    ck_assert_int_eq(refine_next_us(refine), 0);
}
END_TEST

START_TEST(a_tile_that_was_sent_exactly_in_part_stays_lossy)
{
    ViewerRect part = {64, 64, 64, 30};
    refine_sent(refine, &tile, TRUE, 1000 * MS);
    refine_sent(refine, &part, FALSE, 1001 * MS);
    ck_assert_int_ne(refine_next_us(refine), 0);
}
END_TEST

START_TEST(cut_tiles_at_the_edge_become_exact_too)
{
    ViewerRect edge = {192, 192, 8, 8}, due;
    refine_sent(refine, &edge, TRUE, 0);
    ck_assert(refine_due(refine, 64, 1000 * MS, &due));
    ck_assert_uint_eq(due.width, 8);
    refine_sent(refine, &due, FALSE, 1000 * MS);
    ck_assert_int_eq(refine_next_us(refine), 0);
}
END_TEST

START_TEST(losses_go_along_with_a_move)
{
    ViewerRect video = {64, 128, 64, 64}, due;
    ViewerMove up = {0, 100, 200, 100, 0, 36}, beside = {320, 0, 64, 64, 320, 64};
    refine_sent(refine, &video, TRUE, 1000);
    refine_moved(refine, &beside, 2000);
    ck_assert(refine_due(refine, 64, 1000 + REFINE_CALM_US, &due));
    ck_assert_uint_eq(due.y, 128);
    refine_moved(refine, &up, 3000);
    ck_assert(refine_due(refine, 64, 3000 + REFINE_CALM_US, &due));
    ck_assert_uint_eq(due.x, 64);
    ck_assert_uint_eq(due.y, 64);
    ck_assert_uint_eq(due.width, 64);
}
END_TEST

START_TEST(neighbours_come_as_one_rectangle)
{
    ViewerRect all = {0, 0, 200, 64}, due;
    refine_sent(refine, &all, TRUE, 0);
    ck_assert(refine_due(refine, 64, 1000 * MS, &due));
    ck_assert_uint_eq(due.width, 200);
    ck_assert_uint_eq(due.height, 64);
}
END_TEST

START_TEST(rectangles_beyond_the_picture_are_cut)
{
    ViewerRect wild = {150, 150, 4000000000u, 4000000000u}, outside = {400, 400, 10, 10};
    refine_sent(refine, &outside, TRUE, 0);
    ck_assert_int_eq(refine_next_us(refine), 0);
    refine_sent(refine, &wild, TRUE, 0);
    refine_moves(refine, &wild, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vnc refine");
    TCase *lossy = tcase_create("refine");
    tcase_add_checked_fixture(lossy, setup, teardown);
    tcase_add_test(lossy, typing_does_not_count_as_motion);
    tcase_add_test(lossy, a_tile_that_keeps_changing_moves);
    tcase_add_test(lossy, several_rectangles_of_one_update_are_one_change);
    tcase_add_test(lossy, a_lossy_tile_is_due_once_it_is_calm);
    tcase_add_test(lossy, a_tile_that_was_sent_exactly_in_part_stays_lossy);
    tcase_add_test(lossy, cut_tiles_at_the_edge_become_exact_too);
    tcase_add_test(lossy, losses_go_along_with_a_move);
    tcase_add_test(lossy, neighbours_come_as_one_rectangle);
    tcase_add_test(lossy, rectangles_beyond_the_picture_are_cut);
    suite_add_tcase(suite, lossy);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
