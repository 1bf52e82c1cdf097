/* What may be on its way to a client, and what is learnt of its link. */
#include "session/client/pace.h"
#include "tests/unit/suite.h"

#define MS 1000

START_TEST(without_fences_requests_pace)
{
    Pace pace = {0};
    for (guint i = 0; i < 100; i++) {
        ck_assert(pace_may_send(&pace, i));
        pace_sent(&pace, 100, i);
    }
    ck_assert_int_eq(pace_waiting_us(&pace, 1000 * MS), 0);
}
END_TEST

START_TEST(with_fences_the_window_closes_and_an_echo_opens_it)
{
    Pace pace = {.answers = TRUE};
    guint32 first = pace_sent(&pace, 100, 0);
    ck_assert(pace_may_send(&pace, 0));
    guint32 second = pace_sent(&pace, 100, 1 * MS);
    ck_assert(!pace_may_send(&pace, 1 * MS));
    ck_assert(pace_echoed(&pace, first, 3 * MS));
    ck_assert(pace_may_send(&pace, 3 * MS));
    ck_assert_int_eq(pace.round_trip_us, 3 * MS);
    ck_assert(pace_echoed(&pace, second, 4 * MS));
}
END_TEST

START_TEST(while_an_answer_is_overdue_only_the_least_is_sent)
{
    Pace pace = {.answers = TRUE};
    pace_echoed(&pace, pace_sent(&pace, 100, 0), 100 * MS);
    for (guint i = 0; i < 4; i++)
        pace_sent(&pace, 100, (100 + 33 * i) * MS);
    ck_assert(pace_may_send(&pace, 260 * MS));
    ck_assert(!pace_may_send(&pace, 290 * MS));
    ck_assert(pace_echoed(&pace, pace.sent - 1, 300 * MS));
    ck_assert(pace_may_send(&pace, 400 * MS));
}
END_TEST

START_TEST(a_long_round_trip_makes_the_window_larger_up_to_its_limit)
{
    Pace pace = {.answers = TRUE};
    pace_echoed(&pace, pace_sent(&pace, 100, 0), 60 * MS);
    guint sent = 0;
    for (; pace_may_send(&pace, 60 * MS); sent++)
        pace_sent(&pace, 100, 60 * MS);
    ck_assert_uint_eq(sent, PACE_WINDOW_MIN + 3);
    Pace far = {.answers = TRUE};
    pace_echoed(&far, pace_sent(&far, 100, 0), 900 * MS);
    for (sent = 0; pace_may_send(&far, 900 * MS); sent++)
        pace_sent(&far, 100, 900 * MS);
    ck_assert_uint_eq(sent, PACE_WINDOW_MAX);
}
END_TEST

START_TEST(echoes_of_what_was_never_sent_are_ignored)
{
    Pace pace = {0};
    guint32 serial = pace_sent(&pace, 100, 0);
    ck_assert(!pace_echoed(&pace, serial + 1, MS));
    ck_assert(!pace_echoed(&pace, serial - 1, MS));
    ck_assert(!pace.answers);
    ck_assert(pace_echoed(&pace, serial, MS));
    ck_assert(!pace_echoed(&pace, serial, MS));
}
END_TEST

START_TEST(the_oldest_unanswered_fence_tells_how_long_the_client_is_silent)
{
    Pace pace = {.answers = TRUE};
    guint32 first = pace_sent(&pace, 100, 10 * MS);
    pace_sent(&pace, 100, 20 * MS);
    ck_assert_int_eq(pace_waiting_us(&pace, 110 * MS), 100 * MS);
    pace_echoed(&pace, first, 110 * MS);
    ck_assert_int_eq(pace_waiting_us(&pace, 110 * MS), 90 * MS);
}
END_TEST

/* A link of so many bytes a ms and 20 ms there and back, on which `frames` of `bytes` follow each other as
 * the window lets them; returns what the last one waited for its answer. */
static gint64 stream(Pace *pace, guint frames, gsize bytes, guint bytes_per_ms, gint64 *now)
{
    gint64 arrivals[64], free_us = *now, waited = 0;
    guint32 first = pace->sent;

    for (guint sent = 0, answered = 0; answered < frames;) {
        if (sent < frames && pace_may_send(pace, *now)) {
            free_us = MAX(free_us, *now) + (gint64)bytes * MS / bytes_per_ms;
            arrivals[sent++ % 64] = free_us + 20 * MS;
            pace_sent(pace, bytes, *now);
            continue;
        }
        waited = arrivals[answered % 64] - pace->frames[(first + answered + 1) % PACE_WINDOW_MAX].us;
        *now = MAX(*now, arrivals[answered % 64]);
        ck_assert(pace_echoed(pace, first + ++answered, *now));
    }
    return waited;
}

START_TEST(the_rate_of_the_link_is_learnt_and_followed_when_it_falls)
{
    Pace pace = {0};
    gint64 now = 0;

    stream(&pace, 4, 100, 2500, &now);
    ck_assert_uint_eq(pace_film_kbit_s(&pace), 0); /* so little tells nothing */
    stream(&pace, 100, 20000, 2500, &now);
    ck_assert_uint_ge(pace_bytes(&pace, 10 * MS), 20000);
    ck_assert_uint_le(pace_bytes(&pace, 10 * MS), 30000);
    guint before = pace_film_kbit_s(&pace);
    ck_assert_uint_ge(before, 10000);
    stream(&pace, 30, 20000, 125, &now); /* from 20 to 1 Mbit/s */
    guint after = pace_film_kbit_s(&pace);
    ck_assert_uint_ge(after, 400);
    ck_assert_uint_le(after, 1000);
    stream(&pace, 60, 20000, 25000, &now);
    ck_assert_uint_eq(pace_film_kbit_s(&pace), 0);
}
END_TEST

/* As it was seen on a link that fell from 5 to 0.5 Mbit/s with 126 ms there and back: the end of the fifth
 * update came late, with the sixth. */
START_TEST(what_comes_in_a_burst_in_the_midst_of_a_queue_is_no_faster_link)
{
    static const guint sent_ms[] = {0, 34, 69, 101, 135, 168},
                       answered_ms[] = {332, 575, 837, 1152, 1638, 1682};
    Pace pace = {.answers = TRUE, .round_trip_us = 126 * MS, .rate = 0.6, .best = 0.6, .best_us = -2000 * MS};

    pace.echoed_us = MS;
    for (guint i = 0; i < G_N_ELEMENTS(sent_ms); i++)
        pace_sent(&pace, 14300, sent_ms[i] * MS);
    for (guint i = 0; i < G_N_ELEMENTS(answered_ms); i++) {
        pace_echoed(&pace, i + 1, answered_ms[i] * MS);
        ck_assert_double_lt(pace.rate, 0.1);
    }
    ck_assert_double_gt(pace.rate, 0.04);
}
END_TEST

START_TEST(a_film_that_needs_less_than_the_link_carries_is_not_held_back)
{
    Pace pace = {0};
    gint64 now = 0, answers[16];
    guint32 answered = 0;

    /* 30 frames a second of 30 kB, 20 Mbit/s, 100 ms there and back. */
    for (guint i = 0; i < 300; i++, now += 33 * MS) {
        while (answered < pace.sent && answers[(answered + 1) % 16] <= now) {
            answered++;
            pace_echoed(&pace, answered, answers[answered % 16]);
        }
        ck_assert(pace_may_send(&pace, now));
        gsize bytes = i < 3 ? 100 : 30000;
        guint32 serial = pace_sent(&pace, bytes, now);
        answers[serial % 16] = now + (gint64)bytes * MS / 2500 + 100 * MS;
    }
    guint film = pace_film_kbit_s(&pace);
    ck_assert(film == 0 || film >= 11000);
}
END_TEST

START_TEST(what_waits_in_front_of_a_slow_link_is_little)
{
    Pace pace = {0};
    gint64 now = 0;

    stream(&pace, 4, 100, 2500, &now);
    gint64 waited = stream(&pace, 100, 20000, 125, &now); /* a frame takes 160 ms */
    ck_assert_int_le(waited, (2 * 160 + 20 + 1) * MS);
}
END_TEST

START_TEST(what_becomes_exact_at_once_follows_the_link)
{
    Pace pace = {0};
    gint64 now = 0;
    guint unknown = pace_calm_tiles(&pace);

    stream(&pace, 4, 100, 2500, &now);
    stream(&pace, 50, 20000, 100, &now);
    ck_assert_uint_eq(pace_calm_tiles(&pace), 1);
    ck_assert_uint_gt(unknown, 1);
    stream(&pace, 50, 200000, 100000, &now);
    ck_assert_uint_gt(pace_calm_tiles(&pace), unknown);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("pace");

    tcase_add_test(tests, without_fences_requests_pace);
    tcase_add_test(tests, with_fences_the_window_closes_and_an_echo_opens_it);
    tcase_add_test(tests, while_an_answer_is_overdue_only_the_least_is_sent);
    tcase_add_test(tests, a_long_round_trip_makes_the_window_larger_up_to_its_limit);
    tcase_add_test(tests, echoes_of_what_was_never_sent_are_ignored);
    tcase_add_test(tests, the_oldest_unanswered_fence_tells_how_long_the_client_is_silent);
    tcase_add_test(tests, the_rate_of_the_link_is_learnt_and_followed_when_it_falls);
    tcase_add_test(tests, what_comes_in_a_burst_in_the_midst_of_a_queue_is_no_faster_link);
    tcase_add_test(tests, a_film_that_needs_less_than_the_link_carries_is_not_held_back);
    tcase_add_test(tests, what_waits_in_front_of_a_slow_link_is_little);
    tcase_add_test(tests, what_becomes_exact_at_once_follows_the_link);
    return suite_run("pace", tests);
}
