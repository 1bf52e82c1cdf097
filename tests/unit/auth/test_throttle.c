/* Guessing gets slow for whoever guesses, and the owner of the account gets in. */
#include "auth/throttle.h"
#include "tests/unit/suite.h"

static Throttle *throttle;
static gint64 now;

static void setup(void)
{
    throttle = throttle_new(1000);
    now = 1000000;
}

static void teardown(void)
{
    throttle_free(throttle);
}

static guint ask(const char *account, const char *source)
{
    return throttle_ask(throttle, account, source, now).wait_ms;
}

/* Fails `times` times, waiting as told. Returns the ms that it took. */
static gint64 guess(const char *account, const char *source, guint times)
{
    gint64 began = now;
    for (guint i = 0; i < times; i++) {
        guint wait = ask(account, source);
        if (wait > 0) {
            now += wait;
            ck_assert_uint_eq(ask(account, source), 0);
        }
    }
    return now - began;
}

START_TEST(three_mistakes_cost_nothing_and_the_next_ones_wait_longer_and_longer)
{
    ck_assert_int_eq(guess("alice", "192.0.2.1", 3), 0);
    guint last = 0;
    for (guint i = 0; i < 6; i++) {
        guint wait = ask("alice", "192.0.2.1");
        ck_assert_uint_gt(wait, last);
        last = wait;
        now += wait;
        ck_assert_uint_eq(ask("alice", "192.0.2.1"), 0);
    }
}
END_TEST

START_TEST(the_delay_is_capped_so_that_nobody_is_locked_out)
{
    guess("alice", "192.0.2.1", 100);
    guint wait = ask("alice", "192.0.2.1");
    ck_assert_uint_le(wait, 60000);
    ck_assert_uint_gt(wait, 30000);
}
END_TEST

START_TEST(refused_attempts_do_not_make_the_delay_longer)
{
    guess("alice", "192.0.2.1", 6);
    guint before = ask("alice", "192.0.2.1");
    for (guint i = 0; i < 1000; i++)
        ask("alice", "192.0.2.1");
    ck_assert_uint_eq(ask("alice", "192.0.2.1"), before);
}
END_TEST

START_TEST(parallel_guesses_count_before_they_are_decided)
{
    guint admitted = 0;
    for (guint i = 0; i < 50; i++)
        admitted += ask("alice", "192.0.2.1") == 0;
    ck_assert_uint_eq(admitted, 3);
}
END_TEST

START_TEST(failures_fade)
{
    guess("alice", "192.0.2.1", 20);
    now += 2 * 3600 * 1000;
    ck_assert_int_eq(guess("alice", "192.0.2.1", 2), 0);
}
END_TEST

START_TEST(a_success_clears_the_pair)
{
    guess("alice", "192.0.2.1", 3);
    now += ask("alice", "192.0.2.1");
    ck_assert_uint_eq(ask("alice", "192.0.2.1"), 0);
    throttle_success(throttle, "alice", "192.0.2.1", now);
    ck_assert_int_eq(guess("alice", "192.0.2.1", 3), 0);
}
END_TEST

START_TEST(an_undecided_attempt_does_not_count)
{
    for (guint i = 0; i < 100; i++) {
        ck_assert_uint_eq(ask("alice", "192.0.2.1"), 0);
        throttle_cancel(throttle, "alice", "192.0.2.1", now);
    }
}
END_TEST

START_TEST(an_attacker_elsewhere_does_not_delay_the_owner_who_was_in_before)
{
    ck_assert_uint_eq(ask("alice", "198.51.100.7"), 0);
    throttle_success(throttle, "alice", "198.51.100.7", now);
    for (guint i = 0; i < 200; i++) {
        g_autofree char *source = g_strdup_printf("192.0.2.%u", i);
        guess("alice", source, 3);
    }
    ck_assert_uint_eq(ask("alice", "198.51.100.7"), 0);
}
END_TEST

START_TEST(the_owner_at_a_new_place_waits_once_and_briefly_while_others_attack)
{
    for (guint i = 0; i < 200; i++) {
        g_autofree char *source = g_strdup_printf("192.0.2.%u", i);
        guess("alice", source, 3);
    }
    guint wait = ask("alice", "203.0.113.9");
    ck_assert_uint_gt(wait, 0);
    ck_assert_uint_le(wait, 15000);
    for (guint i = 0; i < 100; i++) {
        g_autofree char *source = g_strdup_printf("192.0.3.%u", i);
        ask("alice", source);
    }
    now += wait;
    ck_assert_uint_eq(ask("alice", "203.0.113.9"), 0);
}
END_TEST

START_TEST(one_source_that_tries_many_accounts_is_slowed)
{
    guint admitted = 0;
    for (guint i = 0; i < 100; i++) {
        g_autofree char *account = g_strdup_printf("user%u", i);
        admitted += ask(account, "192.0.2.1") == 0;
    }
    ck_assert_uint_eq(admitted, 10);
    ck_assert_uint_eq(ask("user1", "192.0.2.2"), 0);
}
END_TEST

START_TEST(an_own_account_does_not_wash_the_failures_on_others_away)
{
    for (guint i = 0; i < 9; i++) {
        g_autofree char *account = g_strdup_printf("user%u", i);
        ask(account, "192.0.2.1");
        if (ask("mallory", "192.0.2.1") == 0)
            throttle_success(throttle, "mallory", "192.0.2.1", now);
    }
    ask("user90", "192.0.2.1");
    ck_assert_uint_gt(ask("user91", "192.0.2.1"), 0);
}
END_TEST

START_TEST(sources_count_by_the_64_bits_of_their_ipv6_network_and_mapped_addresses_as_ipv4)
{
    char a[64], b[64], c[64], d[64], e[64];
    throttle_source_key("2001:db8:1:2::1", a);
    throttle_source_key("2001:db8:1:2:ffff::9", b);
    throttle_source_key("2001:db8:1:3::1", c);
    throttle_source_key("::ffff:192.0.2.1", d);
    throttle_source_key("192.0.2.1", e);
    ck_assert_str_eq(a, b);
    ck_assert_str_ne(a, c);
    ck_assert_str_eq(d, e);
}
END_TEST

START_TEST(names_count_without_case)
{
    guess("alice", "192.0.2.1", 3);
    ck_assert_uint_gt(ask("ALICE", "192.0.2.1"), 0);
}
END_TEST

START_TEST(only_the_first_refusal_is_worth_a_report)
{
    guess("alice", "192.0.2.1", 3);
    ck_assert(throttle_ask(throttle, "alice", "192.0.2.1", now).first);
    ThrottleAnswer again = throttle_ask(throttle, "alice", "192.0.2.1", now);
    ck_assert(!again.first);
    now += again.wait_ms;
    ck_assert_uint_eq(ask("alice", "192.0.2.1"), 0);
    ck_assert(throttle_ask(throttle, "alice", "192.0.2.1", now).first);
}
END_TEST

START_TEST(memory_is_bounded_and_the_worst_guesser_is_not_forgotten_for_strangers)
{
    guess("alice", "192.0.2.1", 12);
    for (guint i = 0; i < 5000; i++) {
        g_autofree char *account = g_strdup_printf("user%u", i);
        g_autofree char *source = g_strdup_printf("2001:db8:0:%x::1", i);
        ask(account, source);
    }
    ck_assert_uint_le(throttle_size(throttle), 3000);
    ck_assert_uint_gt(ask("alice", "192.0.2.1"), 0);
}
END_TEST

int main(void)
{
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, three_mistakes_cost_nothing_and_the_next_ones_wait_longer_and_longer);
    tcase_add_test(all, the_delay_is_capped_so_that_nobody_is_locked_out);
    tcase_add_test(all, refused_attempts_do_not_make_the_delay_longer);
    tcase_add_test(all, parallel_guesses_count_before_they_are_decided);
    tcase_add_test(all, failures_fade);
    tcase_add_test(all, a_success_clears_the_pair);
    tcase_add_test(all, an_undecided_attempt_does_not_count);
    tcase_add_test(all, an_attacker_elsewhere_does_not_delay_the_owner_who_was_in_before);
    tcase_add_test(all, the_owner_at_a_new_place_waits_once_and_briefly_while_others_attack);
    tcase_add_test(all, one_source_that_tries_many_accounts_is_slowed);
    tcase_add_test(all, an_own_account_does_not_wash_the_failures_on_others_away);
    tcase_add_test(all, sources_count_by_the_64_bits_of_their_ipv6_network_and_mapped_addresses_as_ipv4);
    tcase_add_test(all, names_count_without_case);
    tcase_add_test(all, only_the_first_refusal_is_worth_a_report);
    tcase_add_test(all, memory_is_bounded_and_the_worst_guesser_is_not_forgotten_for_strangers);
    return suite_run("throttle", all);
}
