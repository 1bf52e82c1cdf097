/* Tiles by their names: which of them an update has whole, and of which it knows what the client shows. */
#include "session/client/viewer_private.h"
#include "tests/unit/client/fake_seat.h"
#include "tests/unit/suite.h"

#include <string.h>

static Viewer *viewer;
static FakeSeat seat;
static guint dirty;

static void on_switched(Viewer *v, guint width, guint height, const SeatWelcome *welcome, gpointer data)
{
}

static void on_dirty(Viewer *v, gpointer data)
{
    dirty++;
}

static void on_cursor(Viewer *v, const guint8 *pixels, guint w, guint h, guint hx, guint hy, gpointer data)
{
}

static void on_leds(Viewer *v, guint32 mask, gpointer data)
{
}

static void on_mode(Viewer *v, gboolean absolute, gpointer data)
{
}

static const ViewerEvents events = {.switched = on_switched,
                                    .dirty = on_dirty,
                                    .cursor = on_cursor,
                                    .leds = on_leds,
                                    .pointer_mode = on_mode};

static void turn_for(guint ms)
{
    gint64 end = g_get_monotonic_time() + ms * 1000;
    do {
        while (g_main_context_iteration(NULL, FALSE))
            ;
        g_usleep(1000);
    } while (g_get_monotonic_time() < end);
}

/* A picture of 200 x 100 px has been taken: two rows of four tiles. */
static void setup(void)
{
    SeatHello hello = {.protocol = SEAT_PROTOCOL_RDP, .heads = 1};
    ViewerUpdate update;

    viewer = viewer_new(&events, NULL);
    viewer_name_tiles(viewer, TRUE);
    viewer_hello(viewer, &hello, NULL);
    viewer_attach(viewer, fake_seat_open(&seat), FALSE);
    fake_seat_welcome(&seat, FALSE);
    fake_seat_buffer(&seat, 200, 100);
    fake_seat_frame(&seat, TRUE, NULL, 0, NULL);
    turn_for(1);
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert_uint_eq(update.n_tiles, 8);
    viewer_ready(viewer);
}

static void teardown(void)
{
    fake_seat_close(&seat);
    viewer_free(viewer);
}

static gboolean take_damage(SeatRect *rects, guint count, ViewerUpdate *update)
{
    for (guint i = 0; i < 8; i++)
        seat.versions[i] += 2;
    fake_seat_frame(&seat, FALSE, rects, count, NULL);
    turn_for(1);
    gboolean taken = viewer_take(viewer, FALSE, update);
    viewer_ready(viewer);
    return taken;
}

START_TEST(a_tile_that_has_changed_for_a_good_part_is_copied_whole)
{
    SeatRect rects[] = {{4, 2, 60, 40, 0, 0}, {70, 10, 20, 20, 0, 0}, {128, 0, 64, 64, 0, 0}};
    ViewerUpdate update;

    seat.pixels[63 * 200] = 0xff123456;
    ck_assert(take_damage(rects, 3, &update));
    ck_assert_uint_eq(update.n_tiles, 3);
    for (guint i = 0; i < 3; i++) {
        ck_assert_uint_eq(update.tiles[i].column, i);
        ck_assert_uint_eq(update.tiles[i].whole, i != 1);
        ck_assert(update.tiles[i].settled);
    }
    ck_assert_uint_eq(update.tiles[0].lacking.width, 60);
    ck_assert_uint_eq(*(const guint32 *)(const void *)(update.picture.pixels + 63 * update.picture.stride),
                      0xff123456);
}
END_TEST

START_TEST(who_does_not_ask_for_names_gets_none)
{
    SeatRect rect = {0, 0, 64, 64, 0, 0};
    ViewerUpdate update;

    viewer_name_tiles(viewer, FALSE);
    ck_assert(take_damage(&rect, 1, &update));
    ck_assert_uint_eq(update.n_tiles, 0);
}
END_TEST

START_TEST(a_tile_of_which_the_client_may_have_something_later_is_not_settled)
{
    SeatRect rect = {0, 0, 64, 40, 0, 0};
    ViewerUpdate update;

    ((SeatShadowHeader *)(void *)seat.shadow)->passes =
        2; /* the picture after the record's is being written */
    ck_assert(take_damage(&rect, 1, &update));
    ck_assert_uint_eq(update.n_tiles, 1);
    ck_assert(update.tiles[0].whole);
    ck_assert(!update.tiles[0].settled);
}
END_TEST

START_TEST(a_tile_that_has_changed_a_little_is_named_once_it_stands)
{
    SeatRect rect = {70, 10, 20, 20, 0, 0};
    ViewerUpdate update;

    ck_assert(take_damage(&rect, 1, &update));
    ck_assert(!update.tiles[0].whole);
    ck_assert(!viewer_take(viewer, FALSE, &update)); /* not yet */
    dirty = 0;
    turn_for(700);
    ck_assert_uint_eq(dirty, 1);
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert_uint_eq(update.n_rects, 0);
    ck_assert_uint_eq(update.n_tiles, 1);
    ck_assert_uint_eq(update.tiles[0].column, 1);
    ck_assert_uint_eq(update.tiles[0].lacking.width, 0);
    ck_assert(update.tiles[0].whole && update.tiles[0].settled);
    ck_assert_mem_eq(update.picture.pixels + 64 * 4, seat.pixels + 64, 64 * 4);
    turn_for(700);
    ck_assert_uint_eq(dirty, 1); /* nothing wakes an idle client */
}
END_TEST

START_TEST(what_is_being_drawn_over_is_not_named)
{
    SeatRect rect = {70, 10, 20, 20, 0, 0};
    ViewerUpdate update;

    ck_assert(take_damage(&rect, 1, &update));
    ((SeatShadowHeader *)(void *)seat.shadow)->passes = 2;
    dirty = 0;
    turn_for(700);
    ck_assert_uint_eq(dirty, 1);
    ck_assert(!viewer_take(viewer, FALSE, &update));
    turn_for(700);
    ck_assert_uint_eq(dirty, 1);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("names");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_tile_that_has_changed_for_a_good_part_is_copied_whole);
    tcase_add_test(tcase, who_does_not_ask_for_names_gets_none);
    tcase_add_test(tcase, a_tile_of_which_the_client_may_have_something_later_is_not_settled);
    tcase_add_test(tcase, a_tile_that_has_changed_a_little_is_named_once_it_stands);
    tcase_add_test(tcase, what_is_being_drawn_over_is_not_named);
    return suite_run("names", tcase);
}
