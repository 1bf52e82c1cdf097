/* What one source address may have open and how often it may come. */
#include "broker/gate/sources.h"
#include "tests/unit/suite.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define MINUTE (60 * G_USEC_PER_SEC)

static Source *enter(Sources *sources, const char *text, gint64 now)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return sources_enter(sources, (struct sockaddr *)&v4, now);
    ck_assert_int_eq(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return sources_enter(sources, (struct sockaddr *)&v6, now);
}

START_TEST(a_source_has_no_more_open_than_it_may)
{
    Sources *sources = sources_new(2, 1000);
    Source *first = enter(sources, "192.0.2.1", 0);
    ck_assert_ptr_nonnull(enter(sources, "192.0.2.1", 0));
    ck_assert_ptr_null(enter(sources, "192.0.2.1", 0));
    ck_assert_ptr_nonnull(enter(sources, "192.0.2.2", 0));
    sources_leave(sources, first);
    ck_assert_ptr_nonnull(enter(sources, "192.0.2.1", 0));
    sources_free(sources);
}
END_TEST

START_TEST(an_ipv6_network_of_64_bits_is_one_source)
{
    Sources *sources = sources_new(1, 1000);
    ck_assert_ptr_nonnull(enter(sources, "2001:db8::1", 0));
    ck_assert_ptr_null(enter(sources, "2001:db8::ffff:2", 0));
    ck_assert_ptr_nonnull(enter(sources, "2001:db8:0:1::1", 0));
    sources_free(sources);
}
END_TEST

START_TEST(an_ipv4_address_is_the_same_in_ipv6_clothes)
{
    Sources *sources = sources_new(1, 1000);
    ck_assert_ptr_nonnull(enter(sources, "192.0.2.1", 0));
    ck_assert_ptr_null(enter(sources, "::ffff:192.0.2.1", 0));
    ck_assert_ptr_nonnull(enter(sources, "::ffff:192.0.2.2", 0));
    sources_free(sources);
}
END_TEST

START_TEST(the_rate_holds_and_recovers)
{
    Sources *sources = sources_new(100, 3);
    for (guint i = 0; i < 3; i++)
        sources_leave(sources, enter(sources, "192.0.2.1", 0));
    ck_assert_ptr_null(enter(sources, "192.0.2.1", MINUTE / 4));
    ck_assert_ptr_nonnull(enter(sources, "192.0.2.1", MINUTE / 2));
    ck_assert_ptr_null(enter(sources, "192.0.2.1", MINUTE / 2));
    sources_free(sources);
}
END_TEST

START_TEST(a_flood_of_sources_has_bounded_memory_and_those_open_are_kept)
{
    Sources *sources = sources_new(1, 1);
    Source *kept = enter(sources, "192.0.2.1", 0);
    for (guint i = 0; i < 100000; i++) {
        g_autofree char *text = g_strdup_printf("2001:db8:%x:%x::1", i >> 16, i & 0xffff);
        Source *source = enter(sources, text, 1);
        ck_assert_ptr_nonnull(source);
        sources_leave(sources, source);
        ck_assert_uint_le(sources_count(sources), 40000);
    }
    ck_assert_ptr_null(enter(sources, "192.0.2.1", MINUTE));
    sources_leave(sources, kept);
    sources_free(sources);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("sources");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, a_source_has_no_more_open_than_it_may);
    tcase_add_test(cases, an_ipv6_network_of_64_bits_is_one_source);
    tcase_add_test(cases, an_ipv4_address_is_the_same_in_ipv6_clothes);
    tcase_add_test(cases, the_rate_holds_and_recovers);
    tcase_add_test(cases, a_flood_of_sources_has_bounded_memory_and_those_open_are_kept);
    return suite_run("sources", cases);
}
