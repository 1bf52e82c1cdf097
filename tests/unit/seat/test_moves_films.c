/* Films and moves in one picture: what scrolls beside a film is moved, what is moved is no film, and nobody
 * is ever left with a wrong pixel. */
#include "tests/unit/seat/spectators.h"

#define PICTURE_US (G_USEC_PER_SEC / 30)

/* ---- two films ---- */

/* In two corners, which rest, move and grow now and then; text scrolls between them and below. */
static void check_two_films(guint32 seed)
{
    Pane panes[PANES] = {{{0, 0, 640, 480}, SCENE_TEXT, seed, 0, 0},
                         {{12, 20, 170, 100}, SCENE_PHOTO, seed, 0, 0},
                         {{440, 340, 180, 120}, SCENE_PHOTO, seed + 1, 0, 0}};
    gboolean runs[PANES] = {FALSE, TRUE, TRUE};
    const SeatRect all = {.width = 640, .height = 480};

    begin(seed, all.width, all.height, TRUE);
    stop_clock(); /* it passes with the pictures: a film on the slowest machine, too */
    for (guint i = 0; i < 3 * FRAMES; i++) {
        for (guint pane = 0; pane < PANES; pane++)
            runs[pane] ^= between(0, 25) == 0;
        panes[0].y += runs[0] ? 17 : 0;
        for (guint pane = 1; pane < PANES; pane++)
            panes[pane].number += runs[pane];
        if (between(0, 40) == 0)
            panes[2].part = (ScenePart){between(150, 440), between(200, 340), 180, between(100, 120)};
        draw(panes, PANES);
        pass_time(PICTURE_US);
        show(&all, 1);
        if (between(0, 3) == 0)
            change_links();
    }
    start_clock();
    finish(seed, TRUE);
}

START_TEST(two_films_and_moves_get_along)
{
    seen = (Seen){0};
    for (guint i = 0; i < 3; i++)
        check_two_films(3000 + (guint32)_i * 3 + i);
    ck_assert_uint_gt(seen.pairs_painted, 20);
    ck_assert_uint_gt(seen.units_painted, 2 * seen.pairs_painted);
    ck_assert_uint_gt(seen.tiers_changed, 0);
}
END_TEST

/* ---- a film, and what scrolls beside it ---- */

/* A film anywhere in the left part; a text beside it, or all around. */
static void film_and_text(guint32 seed, Pane *panes)
{
    gint width = (gint)scene->width, height = (gint)scene->height;
    ScenePart film = {between(0, 40), between(0, 90), between(180, 200), between(260, 330)};
    gint left = seed % 3 ? film.x + film.width + between(0, 9) : 0;

    panes[0] = (Pane){{left, between(0, 20), width - left, height}, SCENE_TEXT, seed, 0, 0};
    panes[1] = (Pane){film, SCENE_PHOTO, 0, 0, 0};
}

/* Now and then the film is somewhere else, or rests. */
static void play_beside(Pane *panes)
{
    panes[0].y += between(0, 8) ? 17 : between(-60, 60);
    panes[1].number += between(0, 20) > 0;
    if (between(0, 25) == 0)
        panes[1].part.x += between(-30, 30);
}

static void check_beside(guint32 seed)
{
    const SeatRect all = {.width = 560, .height = 440};
    Pane panes[2];

    begin(seed, all.width, all.height, TRUE);
    film_and_text(seed, panes);
    stop_clock();
    for (guint i = 0; i < 2 * FRAMES; i++) {
        pass_time(PICTURE_US);
        play_beside(panes);
        draw(panes, 2);
        show(&all, 1);
    }
    start_clock();
    finish(seed, TRUE);
}

START_TEST(what_scrolls_beside_a_film_is_moved_and_never_wrong)
{
    seen = (Seen){0};
    for (guint i = 0; i < SEQUENCES; i++)
        check_beside(3000 + (guint32)_i * SEQUENCES + i);
    ck_assert_uint_gt(seen.beside_units, 0);
    ck_assert_uint_gt(seen.beside_films, 0);
}
END_TEST

static void all_take(void)
{
    for (guint i = 0; i < 4; i++) {
        turn();
        for (guint j = 0; j < CLIENTS; j++)
            if (clients[j].dirty)
                client_take(&clients[j]);
        for (guint j = 0; j < G_N_ELEMENTS(fakes); j++)
            deliver_unit(&fakes[j]);
    }
}

/* The next picture, at a film's pace by the stopped clock. */
static void show_in_time(void)
{
    const SeatRect all = {.width = (guint16)scene->width, .height = (guint16)scene->height};

    pass_time(PICTURE_US);
    seat_host_damage(host, &all, 1, scene->drawn, scene->stride, 0);
    all_take();
}

#define SETTLED_US                                                                                           \
    (30 * G_USEC_PER_SEC) /* the film's region needs seconds to become as small as the film                  \
                           */

static void play_line(guint number)
{
    scene_sheet(scene, (ScenePart){21, 33, 171, 230}, SCENE_PHOTO, number, 0, 0);
    scene_sheet(scene, (ScenePart){210, 0, 430, 512}, SCENE_TEXT, 1, 0, (gint)number * 17);
    show_in_time();
}

static gboolean followers_have_moves(void)
{
    for (guint i = 1; i < CLIENTS; i++)
        if (clients[i].moves == 0)
            return FALSE;
    return TRUE;
}

START_TEST(a_text_that_scrolls_beside_a_film_costs_its_new_line)
{
    const guint measured = 20, line = 430;
    guint moves[CLIENTS] = {0}, number = 0;
    guint64 exact[CLIENTS] = {0};

    begin(1, 640, 512, TRUE);
    stop_clock();
    gint64 deadline = g_get_monotonic_time() + SETTLED_US;
    while (!followers_have_moves() && g_get_monotonic_time() < deadline)
        play_line(number++);
    for (guint i = 1; i < CLIENTS; i++) {
        moves[i] = clients[i].moves;
        exact[i] = clients[i].exact;
    }
    for (guint i = 0; i < measured; i++)
        play_line(number++);
    for (guint i = 1; i < CLIENTS; i++) { /* who follows the film */
        guint64 painted = (clients[i].exact - exact[i]) / measured;
        ck_assert_uint_ge(clients[i].moves - moves[i], measured - 1);
        /* Of 512 lines; a slow machine's film is calm between its pictures, and becomes exact each time. */
        ck_assert_msg(painted < 170u * line, "%" G_GUINT64_FORMAT " px were painted for each line", painted);
    }
    ck_assert_uint_ge(seen.units_painted, measured);
    start_clock();
    finish(1, TRUE);
}
END_TEST

/* The new line of a photograph is picture-like and in motion, but no film. */
START_TEST(a_photograph_that_scrolls_is_moved_and_no_film)
{
    const guint warm = 20, measured = 20;
    guint moves = 0, units = 0;

    begin(1, 640, 512, TRUE);
    stop_clock();
    for (guint i = 0; i < warm + measured; i++) {
        if (i == warm) {
            moves = clients[1].moves;
            units = seen.units_painted;
        }
        scene_sheet(scene, (ScenePart){0, 0, 640, 512}, SCENE_PHOTO, 1, 0, (gint)i * 17);
        show_in_time();
    }
    ck_assert_uint_eq(seen.units_painted, units);
    ck_assert_uint_ge(clients[1].moves - moves, measured - 1);
    start_clock();
    finish(1, TRUE);
}
END_TEST

/* The film is less than an eighth of what scrolls, but not where that was. */
START_TEST(a_small_film_beside_a_large_scroll_stays_a_film)
{
    guint units = 0;

    begin(1, 640, 512, TRUE);
    stop_clock();
    for (guint i = 0; i < 60; i++) {
        units = i == 40 ? seen.units_painted : units;
        scene_sheet(scene, (ScenePart){0, 0, 170, 100}, SCENE_PHOTO, i, 0, 0);
        scene_sheet(scene, (ScenePart){192, 0, 448, 512}, SCENE_TEXT, 1, 0, (gint)i * 17);
        show_in_time();
    }
    ck_assert_uint_ge(seen.units_painted, units + 20);
    start_clock();
    finish(1, TRUE);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("moves beside films");
    tcase_set_timeout(tcase, 120); /* slow machines */
    tcase_add_loop_test(tcase, two_films_and_moves_get_along, 0, 6);
    tcase_add_loop_test(tcase, what_scrolls_beside_a_film_is_moved_and_never_wrong, 0, 6);
    tcase_add_test(tcase, a_text_that_scrolls_beside_a_film_costs_its_new_line);
    tcase_add_test(tcase, a_photograph_that_scrolls_is_moved_and_no_film);
    tcase_add_test(tcase, a_small_film_beside_a_large_scroll_stays_a_film);
    return suite_run("moves beside films", tcase);
}
