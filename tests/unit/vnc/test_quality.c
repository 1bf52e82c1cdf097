/* JPEG's level over links of different rates. */
#include "session/vnc/quality.h"
#include "tests/unit/suite.h"

/* About what a picture takes at a level. */
static gsize picture(gint level)
{
    gsize bytes = 40000;
    while (level-- > 1)
        bytes = bytes * 5 / 4;
    return bytes;
}

static gint settle(Quality *quality, guint32 carried, guint updates)
{
    for (guint i = 0; i < updates; i++)
        quality_follow(quality, picture(quality->level), carried);
    return quality->level;
}

START_TEST(a_quick_or_unknown_link_gets_what_the_client_asked_for)
{
    Quality quality = {0};
    quality_ask(&quality, 8);
    ck_assert_int_eq(settle(&quality, G_MAXUINT32, 20), 8);
    ck_assert_int_eq(settle(&quality, 500000, 20), 8);
}
END_TEST

START_TEST(a_slow_link_gets_what_it_carries_and_a_quick_one_all_again)
{
    Quality quality = {0};
    quality_ask(&quality, 9);
    gint slow = settle(&quality, 70000, 20);
    ck_assert_int_ge(slow, 2);
    ck_assert_int_le(slow, 4);
    ck_assert_uint_le(picture(slow), 70000);
    ck_assert_int_eq(settle(&quality, 100, 3), 1);
    ck_assert_int_eq(settle(&quality, 1000000, 8), 9);
}
END_TEST

START_TEST(a_level_that_fits_stays)
{
    Quality quality = {0};
    quality_ask(&quality, 8);
    settle(&quality, 70000, 20);
    for (guint i = 0; i < 50; i++)
        ck_assert(!quality_follow(&quality, picture(quality.level), 70000));
}
END_TEST

START_TEST(without_jpeg_and_at_the_lowest_level_nothing_changes)
{
    Quality quality = {0};
    quality_ask(&quality, -1);
    ck_assert(!quality_follow(&quality, 1000, 10));
    ck_assert_int_eq(quality.level, -1);
    quality_ask(&quality, 0);
    ck_assert(!quality_follow(&quality, 1000, 10));
    ck_assert(!quality_follow(&quality, 1000, G_MAXUINT32));
    ck_assert_int_eq(quality.level, 0);
}
END_TEST

START_TEST(asking_for_the_same_again_keeps_what_was_learnt)
{
    Quality quality = {0};
    quality_ask(&quality, 8);
    gint level = settle(&quality, 70000, 20);
    quality_ask(&quality, 8);
    ck_assert_int_eq(quality.level, level);
    quality_ask(&quality, 6);
    ck_assert_int_eq(quality.level, 6);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("quality");

    tcase_add_test(tests, a_quick_or_unknown_link_gets_what_the_client_asked_for);
    tcase_add_test(tests, a_slow_link_gets_what_it_carries_and_a_quick_one_all_again);
    tcase_add_test(tests, a_level_that_fits_stays);
    tcase_add_test(tests, without_jpeg_and_at_the_lowest_level_nothing_changes);
    tcase_add_test(tests, asking_for_the_same_again_keeps_what_was_learnt);
    return suite_run("quality", tests);
}
