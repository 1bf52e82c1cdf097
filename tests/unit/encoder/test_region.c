/* What becomes film, and which part of the screen: played as pictures and times. */
#include "encoder/content.h"
#include "encoder/films.h"
#include "encoder/rect.h"
#include "tests/unit/suite.h"

#include <string.h>

#define WIDTH 1280
#define HEIGHT 800
#define FRAME_US 33333

static guint32 *screen;
static Classifier *classifier;
static Damage *due;
static Films films;
static FilmRects filmed; /* what went as film last */
static gint64 now;

static void setup(void)
{
    screen = g_new0(guint32, WIDTH * HEIGHT);
    classifier = classifier_new(WIDTH, HEIGHT);
    due = damage_new(WIDTH, HEIGHT);
    films = (Films){0};
    filmed = (FilmRects){0};
    now = 5 * G_USEC_PER_SEC;
}

static void teardown(void)
{
    g_clear_pointer(&screen, g_free);
    g_clear_pointer(&classifier, classifier_free);
    g_clear_pointer(&due, damage_free);
}

/* Something like a photograph: soft steps in each direction, another one with each `frame`. */
static void film(guint x, guint y, guint width, guint height, guint frame)
{
    for (guint j = y; j < y + height; j++)
        for (guint i = x; i < x + width; i++)
            screen[j * WIDTH + i] = 0x010203u * ((i * 3 + j * 5 + frame * 7) & 63);
    damage_add(due, (gint)x, (gint)y, (gint)width, (gint)height);
}

/* Something like a line of text: hard strokes and blank paper. */
static void text(guint x, guint y, guint width, guint height, guint frame)
{
    for (guint j = y; j < y + height; j++)
        for (guint i = x; i < x + width; i++)
            screen[j * WIDTH + i] = (i * 7 + frame * 11) % 10 < 2 ? 0x101010 : 0xffffff;
    damage_add(due, (gint)x, (gint)y, (gint)width, (gint)height);
}

/* Ends a frame: whether it went as film. */
static gboolean show(void)
{
    classifier_changed(classifier, due, screen, WIDTH * 4, now);
    filmed = films_choose(&films, SEAT_FILMS_MAX, classifier, due, now);
    damage_clear(due);
    now += FRAME_US;
    return film_rects_any(&filmed);
}

static void assert_region(guint x, guint y, guint width, guint height)
{
    SeatRect wanted = {.x = (guint16)x, .y = (guint16)y, .width = (guint16)width, .height = (guint16)height};
    const SeatRect *region = &films.regions[0].rect;
    ck_assert_msg(rect_same(region, &wanted), "%u,%u %ux%u", region->x, region->y, region->width,
                  region->height);
}

START_TEST(photographs_gradients_and_noise_are_pictures_text_and_drawings_are_not)
{
    guint32 tile[SEAT_TILE * SEAT_TILE] = {0};

    ck_assert(!content_is_picture(tile, SEAT_TILE * 4, SEAT_TILE, SEAT_TILE));
    film(0, 0, SEAT_TILE, SEAT_TILE, 1);
    ck_assert(content_is_picture(screen, WIDTH * 4, SEAT_TILE, SEAT_TILE));
    text(0, 0, SEAT_TILE, SEAT_TILE, 1);
    ck_assert(!content_is_picture(screen, WIDTH * 4, SEAT_TILE, SEAT_TILE));
    for (guint i = 0; i < SEAT_TILE * SEAT_TILE; i++)
        tile[i] = (i * 2654435761u) >> 5;
    ck_assert(content_is_picture(tile, SEAT_TILE * 4, SEAT_TILE, SEAT_TILE));
    for (guint i = 0; i < SEAT_TILE * SEAT_TILE; i++)
        tile[i] = 0xff000000u * (i & 1) | (i % SEAT_TILE) * 4; /* the fourth byte is no colour */
    ck_assert(content_is_picture(tile, SEAT_TILE * 4, SEAT_TILE, SEAT_TILE));
    for (guint i = 0; i < SEAT_TILE * SEAT_TILE; i++)
        tile[i] = 0xff000000u * (i & 1);
    ck_assert(!content_is_picture(tile, SEAT_TILE * 4, SEAT_TILE, SEAT_TILE));
}
END_TEST

START_TEST(odd_sizes_are_looked_at_whole_and_no_further)
{
    for (guint width = 1; width <= 21; width++)
        for (guint height = 1; height <= 6; height++) {
            g_autofree guint32 *block = g_new(guint32, width * height); /* for the sanitizer */
            for (guint i = 0; i < width * height; i++)
                block[i] = i % width * 8;
            ck_assert_int_eq(content_is_picture(block, width * 4, width, height), width > 1);
        }
}
END_TEST

START_TEST(typing_blinking_and_moving_text_never_become_film)
{
    for (guint frame = 0; frame < 200; frame++) {
        text(100 + frame % 20 * 8, 100, 8, 16, frame);
        if (frame % 15 == 0)
            film(700, 300, 2, 20, frame); /* a cursor over a photograph */
        ck_assert(!show());
    }
    for (guint frame = 0; frame < 60; frame++) {
        text(0, 24, WIDTH, HEIGHT - 24, frame);
        ck_assert(!show());
    }
}
END_TEST

START_TEST(a_film_has_its_own_region_and_the_text_beside_it_does_not_go_into_it)
{
    guint shown = 0;
    for (guint frame = 0; frame < 60; frame++) {
        film(330, 200, 500, 300, frame);
        text(10, 10, 20, 20, frame);
        shown += show();
    }
    ck_assert_uint_ge(shown, 50); /* some frames make a film */
    assert_region(330, 200, 500, 300);
    text(10, 10, 20, 20, 0);
    ck_assert(!show());
}
END_TEST

START_TEST(a_film_does_not_flicker_between_codecs)
{
    for (guint frame = 0; frame < 20; frame++) {
        film(320, 192, 512, 320, frame);
        show();
    }
    /* Slower, and with a part of it standing still now and then, it stays film and where it is. */
    for (guint frame = 0; frame < 60; frame++) {
        now += frame % 3 * FRAME_US;
        film(320, 192, frame % 2 ? 512 : 200, 320, frame);
        ck_assert(show());
        assert_region(320, 192, 512, 320);
    }
    now += 400000;
    text(400, 250, 50, 20, 1);
    ck_assert(!show()); /* it is over */
}
END_TEST

START_TEST(many_pictures_at_once_are_film_and_much_text_at_once_is_not)
{
    text(0, 0, WIDTH, HEIGHT, 1);
    ck_assert(!show());
    film(0, 0, WIDTH, 64, 1);
    ck_assert(!show()); /* too little */
    film(0, 0, WIDTH, HEIGHT / 2, 1);
    ck_assert(show());
    assert_region(0, 0, WIDTH, HEIGHT / 2);
    film(0, 0, WIDTH, HEIGHT, 2);
    ck_assert(show());
    assert_region(0, 0, WIDTH, HEIGHT);
}
END_TEST

START_TEST(a_region_follows_once_a_second_unless_much_is_outside)
{
    for (guint frame = 0; frame < 20; frame++) {
        film(0, 0, 320, 192, frame);
        show();
    }
    assert_region(0, 0, 320, 192);
    gint64 chosen = films.regions[0].chosen_us;
    for (guint frame = 0; frame < 40; frame++) {
        film(0, 0, 384, 192, frame); /* some tiles more */
        ck_assert(show());
        if (now - FRAME_US - chosen < G_USEC_PER_SEC)
            assert_region(0, 0, 320, 192);
    }
    assert_region(0, 0, 384, 192);
    for (guint frame = 0; frame < 12; frame++) {
        film(0, 0, 640, 443, frame);
        show();
    }
    assert_region(0, 0, 640, 444); /* at once; chroma wants even places */
    for (guint frame = 0; frame < 100; frame++) {
        film(64, 64, 300, 160, frame);
        ck_assert(show());
    }
    assert_region(64, 64, 320, 192); /* half of it would do for long; tiles remember what changed in them */
}
END_TEST

START_TEST(a_film_that_goes_on_after_a_rest_is_as_tight_as_it_is)
{
    film(0, 0, WIDTH, HEIGHT, 0); /* the first picture of all */
    show();
    for (guint frame = 0; frame < 20; frame++) {
        film(330, 210, 500, 300, frame);
        show();
    }
    now += G_USEC_PER_SEC;
    for (guint frame = 0; frame < 20; frame++) {
        film(330, 210, 500, 300, frame);
        show();
    }
    assert_region(330, 210, 500, 300);
}
END_TEST

START_TEST(regions_are_not_smaller_than_encoders_take_and_lie_on_the_screen)
{
    for (guint frame = 0; frame < 20; frame++) {
        film(WIDTH - 70, HEIGHT - 30, 70, 30, frame);
        show();
    }
    assert_region(WIDTH - 160, HEIGHT - 64, 160, 64);
}
END_TEST

/* Somebody else's damage, asked at `now`. */
static gboolean holds(gint x, gint y, gint width, gint height)
{
    Films before = films;
    damage_clear(due);
    damage_add(due, x, y, width, height);
    FilmRects held = films_hold(&films, classifier, due, now);
    damage_clear(due);
    ck_assert_mem_eq(&before, &films, sizeof films);
    return film_rects_any(&held);
}

START_TEST(what_others_lack_goes_as_film_only_where_the_film_is)
{
    ck_assert(!holds(0, 0, WIDTH, HEIGHT));
    for (guint frame = 0; frame < 20; frame++) {
        film(320, 192, 512, 320, frame);
        show();
    }
    ck_assert(holds(0, 0, WIDTH, HEIGHT));
    ck_assert(holds(810, 490, 40, 40));
    ck_assert(!holds(0, 0, 320, HEIGHT));
    now += 5 * G_USEC_PER_SEC;
    ck_assert(!holds(340, 200, 300, 100)); /* it is over */
    /* Over as well, but a sixth of the screen comes late. */
    film(0, 0, WIDTH, HEIGHT, 1);
    show();
    now += 5 * G_USEC_PER_SEC;
    ck_assert(holds(0, 0, WIDTH, HEIGHT / 2));
    ck_assert(!holds(0, 0, WIDTH / 2, HEIGHT / 8));
}
END_TEST

/* ---- two of them ---- */

static void assert_films(const SeatRect *first, const SeatRect *second)
{
    const SeatRect *wanted[] = {first, second};
    for (guint i = 0; i < 2; i++)
        ck_assert_msg(rect_same(&filmed.rects[i], wanted[i]), "film %u: %u,%u %ux%u", i, filmed.rects[i].x,
                      filmed.rects[i].y, filmed.rects[i].width, filmed.rects[i].height);
}

static const SeatRect nothing;
static const SeatRect left = {.x = 70, .y = 80, .width = 186, .height = 112};
static const SeatRect right = {.x = 1000, .y = 600, .width = 216, .height = 168};

static void film_in(const SeatRect *rect, guint frame)
{
    film(rect->x, rect->y, rect->width, rect->height, frame);
}

static void play_both(guint frames)
{
    for (guint frame = 0; frame < frames; frame++) {
        film_in(&left, frame);
        film_in(&right, frame);
        show();
    }
}

START_TEST(two_films_far_apart_have_a_region_each)
{
    play_both(20);
    assert_films(&left, &right);
    text(500, 300, 40, 20, 1);
    ck_assert(!show());
    film_in(&right, 99); /* a picture of one of them is no picture of the other */
    ck_assert(show());
    assert_films(&nothing, &right);
}
END_TEST

START_TEST(a_second_film_comes_and_the_first_goes_on_where_it_is)
{
    for (guint frame = 0; frame < 20; frame++) {
        film_in(&right, frame);
        show();
    }
    assert_films(&right, &nothing);
    gint64 chosen = films.regions[0].chosen_us;
    play_both(20);
    assert_films(&right, &left);
    ck_assert_int_eq(films.regions[0].chosen_us, chosen);
    now += G_USEC_PER_SEC; /* both are over: who comes back finds its region again */
    for (guint frame = 0; frame < 20; frame++) {
        film_in(&left, frame);
        show();
    }
    assert_films(&nothing, &left);
}
END_TEST

START_TEST(what_changes_thrice_far_from_a_film_is_none)
{
    for (guint frame = 0; frame < 40; frame++) {
        film_in(&left, frame);
        if (frame >= 20 && frame < 24)
            film_in(&right, frame);
        show();
    }
    assert_films(&left, &nothing);
    ck_assert_uint_eq(films.regions[1].rect.width, 0);
}
END_TEST

START_TEST(one_region_of_two_films_is_parted_and_not_at_once)
{
    film(left.x, left.y, 1146, 688, 1); /* much at once: all that lies around both, and between them */
    ck_assert(show());
    guint one = 0, last = 0;
    for (guint frame = 0; frame < 120; frame++) {
        play_both(1);
        one += filmed.rects[1].width == 0;
        last = filmed.rects[1].width == 0 ? frame : last;
    }
    ck_assert_uint_ge(one, 88); /* three seconds */
    ck_assert_uint_eq(one, last + 1);
    /* Tiles remember what changed in them. */
    assert_films(&(SeatRect){.x = 70, .y = 80, .width = 186, .height = 112},
                 &(SeatRect){.x = 960, .y = 576, .width = 256, .height = 192});
}
END_TEST

static guint changes; /* of regions, since it was set to 0 */

static void show_and_count(void)
{
    Films before = films;
    show();
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        changes += films.regions[i].chosen_us != before.regions[i].chosen_us;
}

/* A film of the whole screen that moves in two corners only between its cuts. */
START_TEST(a_film_that_moves_only_here_and_there_is_not_parted_at_each_cut)
{
    changes = 0;
    for (guint frame = 0; frame < 60 * 30; frame++) {
        if (frame % 75 == 0)
            film(0, 0, WIDTH, HEIGHT, frame);
        film_in(&left, frame);
        film_in(&right, frame);
        show_and_count();
    }
    ck_assert_uint_le(changes, 4);
}
END_TEST

START_TEST(who_is_parted_and_joined_again_waits_longer_each_time)
{
    changes = 0;
    for (guint frame = 0; frame < 60 * 30; frame++) {
        if (frame % 200 < 20)
            film(0, 0, WIDTH, HEIGHT, frame);
        film_in(&left, frame);
        film_in(&right, frame);
        show_and_count();
    }
    ck_assert_uint_le(changes, 12); /* 9 turns; two or three with each parting */
}
END_TEST

/* Below and above are the same, whichever began. */
START_TEST(what_stirs_far_from_two_films_leaves_them_where_they_are)
{
    for (guint lower = 0; lower < 2; lower++) {
        films = (Films){0};
        now += 5 * G_USEC_PER_SEC;
        for (guint frame = 0; frame < 20; frame++) {
            film_in(lower ? &right : &left, frame);
            show();
        }
        play_both(30);
        changes = 0;
        for (guint frame = 0; frame < 60; frame++) {
            film_in(&left, frame);
            film_in(&right, frame);
            if (frame % 20 < 5)
                film(600, 0, 40, 40, frame);
            show_and_count();
        }
        ck_assert_uint_eq(changes, 0);
        ck_assert_uint_eq(film_rects_area(&filmed), rect_area(&left) + rect_area(&right));
    }
}
END_TEST

/* While a picture is encoded nobody looks. */
START_TEST(a_film_whose_encoder_is_slow_keeps_its_region)
{
    for (guint frame = 0; frame < 20; frame++) {
        film(64, 64, 900, 600, frame);
        show();
    }
    changes = 0;
    for (guint picture = 0; picture < 60; picture++) {
        for (guint frame = 0; frame < 13; frame++) {
            film(64 + picture % 3 * 200, 64, 400, 500, picture * 13 + frame);
            classifier_changed(classifier, due, screen, WIDTH * 4, now);
            now += FRAME_US;
        }
        films_went_on(&films, &filmed, 13 * FRAME_US);
        show_and_count();
    }
    ck_assert_uint_le(changes, 8);
}
END_TEST

START_TEST(a_film_that_rested_for_a_moment_goes_on_at_once)
{
    guint exact = 0;

    play_both(30);
    for (guint turn = 0; turn < 5; turn++) {
        for (guint frame = 0; frame < 30; frame++) {
            film_in(&left, frame);
            show();
        }
        for (guint frame = 0; frame < 30; frame++) {
            film_in(&left, frame);
            film_in(&right, frame);
            show();
            exact += filmed.rects[1].width == 0;
        }
    }
    ck_assert_uint_le(exact, 5 * 3);
}
END_TEST

START_TEST(films_that_come_together_become_one)
{
    play_both(20);
    for (guint frame = 0; frame < 40; frame++) {
        film(left.x, left.y, 954, 560, frame);
        film_in(&right, frame);
        show();
        ck_assert(film_rects_any(&filmed));
    }
    assert_films(&(SeatRect){.width = WIDTH, .height = HEIGHT}, &nothing); /* they are most of it */
}
END_TEST

START_TEST(what_is_hardly_apart_is_one_film)
{
    for (guint frame = 0; frame < 20; frame++) {
        film(64, 64, 320, 320, frame);
        film(512, 64, 320, 320, frame);
        show();
    }
    assert_films(&(SeatRect){.x = 64, .y = 64, .width = 768, .height = 320}, &nothing);
}
END_TEST

START_TEST(with_one_stream_there_is_one_region)
{
    for (guint frame = 0; frame < 20; frame++) {
        film_in(&left, frame);
        film_in(&right, frame);
        classifier_changed(classifier, due, screen, WIDTH * 4, now);
        filmed = films_choose(&films, 1, classifier, due, now);
        damage_clear(due);
        now += FRAME_US;
    }
    ck_assert_uint_gt(filmed.rects[0].width, 0);
    ck_assert_uint_eq(filmed.rects[1].width, 0);
    ck_assert(rect_inside(&left, &filmed.rects[0]) && rect_inside(&right, &filmed.rects[0]));
}
END_TEST

static SeatRect random_rect(GRand *random)
{
    guint width = (guint)g_rand_int_range(random, 20, 500), height = (guint)g_rand_int_range(random, 20, 400);
    return (SeatRect){.x = (guint16)g_rand_int_range(random, 0, (gint)(WIDTH - width)),
                      .y = (guint16)g_rand_int_range(random, 0, (gint)(HEIGHT - height)),
                      .width = (guint16)width,
                      .height = (guint16)height};
}

static guint first_tile(guint px)
{
    return px / SEAT_TILE;
}

static void assert_apart(const FilmRects *all)
{
    const SeatRect *a = &all->rects[0], *b = &all->rects[1];

    for (guint i = 0; i < 2; i++) {
        const SeatRect *r = &all->rects[i];
        ck_assert(rect_right(r) <= WIDTH && rect_bottom(r) <= HEIGHT && r->x % 2 == 0 && r->y % 2 == 0);
        ck_assert(r->width == 0 || (r->width >= 160 && r->height >= 64));
    }
    if (a->width == 0 || b->width == 0)
        return;
    gboolean across = first_tile(a->x) <= first_tile(rect_right(b) - 1) &&
                      first_tile(b->x) <= first_tile(rect_right(a) - 1);
    gboolean down = first_tile(a->y) <= first_tile(rect_bottom(b) - 1) &&
                    first_tile(b->y) <= first_tile(rect_bottom(a) - 1);
    ck_assert_msg(!across || !down, "%u,%u %ux%u and %u,%u %ux%u", a->x, a->y, a->width, a->height, b->x,
                  b->y, b->width, b->height);
}

/* Films come, grow, move, rest and go. */
START_TEST(two_regions_never_share_a_tile)
{
    GRand *random = g_rand_new_with_seed((guint32)_i);
    SeatRect places[3] = {0};
    guint left_for[3] = {0}, two = 0;

    for (guint frame = 0; frame < 1500; frame++) {
        for (guint i = 0; i < 3; i++) {
            if (left_for[i] == 0) {
                left_for[i] = (guint)g_rand_int_range(random, 5, 90);
                places[i] = g_rand_int_range(random, 0, 3) ? random_rect(random) : (SeatRect){0};
            }
            left_for[i]--;
            if (places[i].width && (i < 2 || frame % 3 == 0))
                film_in(&places[i], frame);
        }
        show();
        assert_apart(&filmed);
        FilmRects active = films_active(&films, now - FRAME_US);
        assert_apart(&active);
        two += active.rects[0].width && active.rects[1].width;
    }
    ck_assert_uint_gt(two, 50);
    g_rand_free(random);
}
END_TEST

/* Pixel by pixel: each is in one part, or in a film. */
START_TEST(what_lies_outside_of_two_films_is_cut_without_a_rest)
{
    GRand *random = g_rand_new_with_seed((guint32)_i);
    FilmRects two = {.rects = {random_rect(random), random_rect(random)}};
    SeatRect rect = random_rect(random), parts[FILM_PARTS_MAX];
    guint count = film_rects_outside(&two, &rect, parts);
    gboolean touched = FALSE;

    for (guint y = 0; y < HEIGHT; y += 3)
        for (guint x = 0; x < WIDTH; x += 3) {
            const SeatRect pixel = {.x = (guint16)x, .y = (guint16)y, .width = 1, .height = 1};
            gboolean filmed_here = rect_inside(&pixel, &two.rects[0]) || rect_inside(&pixel, &two.rects[1]);
            gboolean wanted = rect_inside(&pixel, &rect);
            guint found = 0;
            for (guint i = 0; i < count; i++)
                found += rect_inside(&pixel, &parts[i]);
            ck_assert_uint_eq(found, wanted && !filmed_here);
            ck_assert_int_eq(film_rects_touch(&two, &pixel), filmed_here);
            touched |= wanted && filmed_here;
        }
    ck_assert(!touched || film_rects_touch(&two, &rect));
    g_rand_free(random);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("region");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, photographs_gradients_and_noise_are_pictures_text_and_drawings_are_not);
    tcase_add_test(tests, odd_sizes_are_looked_at_whole_and_no_further);
    tcase_add_test(tests, typing_blinking_and_moving_text_never_become_film);
    tcase_add_test(tests, a_film_has_its_own_region_and_the_text_beside_it_does_not_go_into_it);
    tcase_add_test(tests, a_film_does_not_flicker_between_codecs);
    tcase_add_test(tests, many_pictures_at_once_are_film_and_much_text_at_once_is_not);
    tcase_add_test(tests, a_region_follows_once_a_second_unless_much_is_outside);
    tcase_add_test(tests, a_film_that_goes_on_after_a_rest_is_as_tight_as_it_is);
    tcase_add_test(tests, regions_are_not_smaller_than_encoders_take_and_lie_on_the_screen);
    tcase_add_test(tests, what_others_lack_goes_as_film_only_where_the_film_is);

    tcase_add_test(tests, two_films_far_apart_have_a_region_each);
    tcase_add_test(tests, a_second_film_comes_and_the_first_goes_on_where_it_is);
    tcase_add_test(tests, what_changes_thrice_far_from_a_film_is_none);
    tcase_add_test(tests, one_region_of_two_films_is_parted_and_not_at_once);
    tcase_add_test(tests, a_film_that_moves_only_here_and_there_is_not_parted_at_each_cut);
    tcase_add_test(tests, who_is_parted_and_joined_again_waits_longer_each_time);
    tcase_add_test(tests, what_stirs_far_from_two_films_leaves_them_where_they_are);
    tcase_add_test(tests, a_film_whose_encoder_is_slow_keeps_its_region);
    tcase_add_test(tests, a_film_that_rested_for_a_moment_goes_on_at_once);
    tcase_add_test(tests, films_that_come_together_become_one);
    tcase_add_test(tests, what_is_hardly_apart_is_one_film);
    tcase_add_test(tests, with_one_stream_there_is_one_region);
    tcase_add_loop_test(tests, what_lies_outside_of_two_films_is_cut_without_a_rest, 0, 40);
    tcase_add_loop_test(tests, two_regions_never_share_a_tile, 0, 20);
    return suite_run("region", tests);
}
