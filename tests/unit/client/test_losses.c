/* What may reach a client with losses first, and when it becomes exact. */
#include "session/client/losses.h"
#include "tests/unit/suite.h"

#define WIDTH 1000
#define HEIGHT 600

static Tiles tiles;
static guint32 pixels[WIDTH * HEIGHT];
static const ViewerPicture picture = {WIDTH, HEIGHT, WIDTH * 4, 1, (const guint8 *)pixels};
static const ViewerRect tile = {64, 64, 64, 64};

/* A photograph to the left of x = 500, text-like runs to the right of it. */
static void setup(void)
{
    tiles = (Tiles){0};
    tiles_reset(&tiles, WIDTH, HEIGHT);
    for (guint i = 0; i < tiles.columns * tiles.rows; i++)
        tiles.tiles[i].exact = (TileBox){0};
    for (guint y = 0; y < HEIGHT; y++)
        for (guint x = 0; x < WIDTH; x++)
            pixels[y * WIDTH + x] = x < 500 ? 0x010101 * ((x * 3 + y * 2) % 200) : x / 7 % 3 ? 0xffffff : 0;
}

static void teardown(void)
{
    tiles_clear(&tiles);
}

static Tile *at(const ViewerRect *rect)
{
    return &tiles.tiles[rect->y / SEAT_TILE * tiles.columns + rect->x / SEAT_TILE];
}

/* Whether a rectangle inside of one tile, changing now, may go with losses; then it has been sent. */
static gboolean change(const ViewerRect *rect, guint32 now, const ViewerMove *moves, guint n_moves)
{
    tiles_damage(&tiles, rect, FALSE, FALSE);
    Losses losses = losses_look(&tiles, moves, n_moves, now);
    gboolean lossy =
        losses_allow(&losses, rect->x / SEAT_TILE, rect->y / SEAT_TILE, at(rect)->exact, &picture);
    at(rect)->exact = (TileBox){0};
    if (lossy)
        at(rect)->lossy = now;
    return lossy;
}

START_TEST(what_changes_now_and_then_stays_exact)
{
    for (guint i = 0; i < 20; i++)
        ck_assert(!change(&tile, 2000 + i * 300, NULL, 0));
}
END_TEST

START_TEST(a_picture_that_keeps_changing_may_have_losses_after_some_changes)
{
    guint exact = 0;
    for (; !change(&tile, 1000 + exact * 30, NULL, 0); exact++)
        ck_assert_uint_lt(exact, 8);
    ck_assert_uint_ge(exact, 3);
}
END_TEST

START_TEST(text_never_has_losses)
{
    ViewerRect text = {640, 64, 64, 64};
    for (guint i = 0; i < 20; i++)
        ck_assert(!change(&text, 1000 + i * 30, NULL, 0));
}
END_TEST

START_TEST(several_updates_in_an_instant_are_one_change)
{
    for (guint i = 0; i < 20; i++)
        ck_assert(!change(&tile, 1000 + i / 8, NULL, 0));
}
END_TEST

START_TEST(what_a_scroll_brings_in_is_exact)
{
    ViewerMove up = {0, 70, 400, 300, 0, 40}, elsewhere = {600, 400, 100, 100, 600, 300};
    for (guint i = 0; i < 10; i++)
        change(&tile, 1000 + i * 30, NULL, 0);
    ck_assert(change(&tile, 1330, &elsewhere, 1));
    ck_assert(!change(&tile, 1360, &up, 1));
}
END_TEST

START_TEST(much_at_once_may_have_losses_where_it_is_a_picture)
{
    tiles_damage(&tiles, &(ViewerRect){0, 0, WIDTH, HEIGHT}, FALSE, FALSE);
    Losses losses = losses_look(&tiles, NULL, 0, 1000);
    ck_assert(losses.sudden);
    ck_assert(losses_allow(&losses, 1, 1, at(&tile)->exact, &picture));
    ck_assert(!losses_allow(&losses, 12, 1, tiles.tiles[tiles.columns + 12].exact, &picture));
}
END_TEST

START_TEST(what_has_become_calm_is_exact_even_if_it_is_much)
{
    for (guint i = 0; i < tiles.columns * tiles.rows; i++)
        tiles.tiles[i].lossy = 1000;
    Losses losses = losses_look(&tiles, NULL, 0, 1000 + TILES_CALM_MAX_MS);
    ck_assert(!losses.sudden);
    ck_assert_uint_gt(tiles_take_calm(&tiles, 1000 + TILES_CALM_MAX_MS, 1000), 100);
    losses.sudden = TRUE;
    ck_assert(!losses_allow(&losses, 1, 1, at(&tile)->exact, &picture));
}
END_TEST

START_TEST(what_moves_on_does_not_become_exact_in_between)
{
    for (guint i = 0; i < 10; i++)
        change(&tile, 1000 + i * 150, NULL, 0);
    tiles_damage(&tiles, &tile, FALSE, FALSE);
    losses_look(&tiles, NULL, 0, 1000 + 10 * 150);
    ck_assert_uint_eq(tiles_take_calm(&tiles, 1000 + 10 * 150, 1000), 0);
    at(&tile)->exact = (TileBox){0};
    ck_assert_uint_eq(tiles_take_calm(&tiles, 1000 + 10 * 150 + TILES_CALM_MAX_MS, 1000), 1);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("losses");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, what_changes_now_and_then_stays_exact);
    tcase_add_test(tests, a_picture_that_keeps_changing_may_have_losses_after_some_changes);
    tcase_add_test(tests, text_never_has_losses);
    tcase_add_test(tests, several_updates_in_an_instant_are_one_change);
    tcase_add_test(tests, what_a_scroll_brings_in_is_exact);
    tcase_add_test(tests, much_at_once_may_have_losses_where_it_is_a_picture);
    tcase_add_test(tests, what_has_become_calm_is_exact_even_if_it_is_much);
    tcase_add_test(tests, what_moves_on_does_not_become_exact_in_between);
    return suite_run("losses", tests);
}
