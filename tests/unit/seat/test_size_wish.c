/* When a guest is asked for which size. */
#include "session/seat/size_wish.h"
#include "tests/unit/suite.h"

#include <string.h>

#define UNIT_MS 20

static GString *asked;
static gint64 last_us, shortest_us;

static void note(guint width, guint height, guint width_mm, guint height_mm, gpointer data)
{
    gint64 now = g_get_monotonic_time();
    if (last_us)
        shortest_us = MIN(shortest_us, now - last_us);
    last_us = now;
    g_string_append_printf(asked, "%ux%u@%u ", width, height, width_mm);
}

static void setup(void)
{
    asked = g_string_new(NULL);
    last_us = 0;
    shortest_us = G_MAXINT64;
}

static void teardown(void)
{
    g_string_free(asked, TRUE);
}

static gboolean over(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

/* Lets the timers run for so many units: more than enough for what may come, so that more would be seen. */
static void run(guint units)
{
    gboolean done = FALSE;
    g_timeout_add(units * UNIT_MS, over, &done);
    while (!done)
        g_main_context_iteration(NULL, TRUE);
}

START_TEST(nothing_is_asked_before_there_is_a_display)
{
    g_autoptr(SizeWish) wish = size_wish_new(1280, 800, UNIT_MS, note, NULL);
    size_wish_set(wish, 1024, 768, 0, 0);
    run(5);
    ck_assert_str_eq(asked->str, "");
    size_wish_connected(wish, TRUE);
    ck_assert_str_eq(asked->str, "1024x768@270 ");
}
END_TEST

START_TEST(the_default_waits_for_a_client_and_is_asked_when_none_comes)
{
    g_autoptr(SizeWish) alone = size_wish_new(1280, 800, UNIT_MS, note, NULL);
    size_wish_connected(alone, TRUE);
    ck_assert_str_eq(asked->str, "");
    run(2);
    size_wish_shown(alone, 1280, 800);
    ck_assert_str_eq(asked->str, "1280x800@338 ");
    g_string_truncate(asked, 0);
    g_autoptr(SizeWish) visited = size_wish_new(1280, 800, UNIT_MS, note, NULL);
    size_wish_connected(visited, TRUE);
    size_wish_set(visited, 800, 600, 100, 75);
    size_wish_shown(visited, 800, 600);
    run(5);
    ck_assert_str_eq(asked->str, "800x600@100 ");
}
END_TEST

START_TEST(asks_are_kept_apart_and_the_newest_wins)
{
    g_autoptr(SizeWish) wish = size_wish_new(1280, 800, UNIT_MS, note, NULL);
    size_wish_set(wish, 640, 480, 100, 75);
    size_wish_connected(wish, TRUE);
    size_wish_set(wish, 800, 600, 100, 75);
    size_wish_set(wish, 900, 650, 100, 75);
    ck_assert_str_eq(asked->str, "640x480@100 ");
    while (!strchr(asked->str, '9'))
        g_main_context_iteration(NULL, TRUE);
    ck_assert_str_eq(asked->str, "640x480@100 900x650@100 ");
    ck_assert_int_ge(shortest_us, (UNIT_MS - 2) * 1000);
}
END_TEST

START_TEST(a_guest_that_does_not_follow_is_asked_four_times_each_time_in_other_words)
{
    g_autoptr(SizeWish) wish = size_wish_new(1280, 800, UNIT_MS, note, NULL);
    size_wish_set(wish, 800, 600, 100, 75);
    size_wish_connected(wish, TRUE);
    size_wish_shown(wish, 640, 480);
    run(80);
    ck_assert_str_eq(asked->str, "800x600@100 800x600@101 800x600@100 800x600@101 ");
}
END_TEST

START_TEST(a_guest_that_follows_is_left_alone_even_when_it_changes_its_size_later)
{
    g_autoptr(SizeWish) wish = size_wish_new(1280, 800, UNIT_MS, note, NULL);
    size_wish_set(wish, 800, 600, 100, 75);
    size_wish_connected(wish, TRUE);
    size_wish_shown(wish, 800, 600);
    size_wish_shown(wish, 1280, 1024);
    run(50);
    ck_assert_str_eq(asked->str, "800x600@100 ");
}
END_TEST

START_TEST(a_lost_display_is_not_asked_and_the_next_one_is)
{
    g_autoptr(SizeWish) wish = size_wish_new(1280, 800, UNIT_MS, note, NULL);
    size_wish_set(wish, 800, 600, 100, 75);
    size_wish_connected(wish, TRUE);
    size_wish_connected(wish, FALSE);
    run(40);
    ck_assert_str_eq(asked->str, "800x600@100 ");
    size_wish_connected(wish, TRUE);
    ck_assert_str_eq(asked->str, "800x600@100 800x600@100 ");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("size_wish");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, nothing_is_asked_before_there_is_a_display);
    tcase_add_test(tcase, the_default_waits_for_a_client_and_is_asked_when_none_comes);
    tcase_add_test(tcase, asks_are_kept_apart_and_the_newest_wins);
    tcase_add_test(tcase, a_guest_that_does_not_follow_is_asked_four_times_each_time_in_other_words);
    tcase_add_test(tcase, a_guest_that_follows_is_left_alone_even_when_it_changes_its_size_later);
    tcase_add_test(tcase, a_lost_display_is_not_asked_and_the_next_one_is);
    return suite_run("size_wish", tcase);
}
