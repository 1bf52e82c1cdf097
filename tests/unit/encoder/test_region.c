/* What becomes film, and which part of the screen: played as pictures and times. */
#include "encoder/content.h"
#include "encoder/rect.h"
#include "encoder/region.h"
#include "tests/unit/suite.h"

#include <string.h>

#define WIDTH 1280
#define HEIGHT 800
#define FRAME_US 33333

static guint32 *screen;
static Classifier *classifier;
static Damage *due;
static Region region;
static gint64 now;

static void setup(void)
{
    screen = g_new0(guint32, WIDTH * HEIGHT);
    classifier = classifier_new(WIDTH, HEIGHT);
    due = damage_new(WIDTH, HEIGHT);
    region = (Region){0};
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
    gboolean filmed;
    classifier_changed(classifier, due, screen, WIDTH * 4, now);
    filmed = region_choose(&region, classifier, due, now);
    damage_clear(due);
    now += FRAME_US;
    return filmed;
}

static void assert_region(guint x, guint y, guint width, guint height)
{
    SeatRect wanted = {.x = (guint16)x, .y = (guint16)y, .width = (guint16)width, .height = (guint16)height};
    ck_assert_msg(rect_same(&region.rect, &wanted), "%u,%u %ux%u", region.rect.x, region.rect.y,
                  region.rect.width, region.rect.height);
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
    guint filmed = 0;
    for (guint frame = 0; frame < 60; frame++) {
        film(330, 200, 500, 300, frame);
        text(10, 10, 20, 20, frame);
        filmed += show();
    }
    ck_assert_uint_ge(filmed, 50); /* some frames make a film */
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
    gint64 chosen = region.chosen_us;
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
    Region before = region;
    damage_clear(due);
    damage_add(due, x, y, width, height);
    gboolean held = region_holds(&region, classifier, due, now);
    damage_clear(due);
    ck_assert_mem_eq(&before, &region, sizeof region);
    return held;
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
    tcase_add_test(tests, regions_are_not_smaller_than_encoders_take_and_lie_on_the_screen);
    tcase_add_test(tests, what_others_lack_goes_as_film_only_where_the_film_is);
    return suite_run("region", tests);
}
