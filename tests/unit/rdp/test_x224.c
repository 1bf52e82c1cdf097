/* The first packet: wanted desktop, and repairs. */
#include "session/rdp/repair.h"
#include "session/rdp/x224.h"
#include "tests/unit/suite.h"

#include <string.h>

static const guint8 negotiation[] = {1, 0, 8, 0, 3, 0, 0, 0};

/* A connection request with that token line (without its end; NULL: none). Returns its length. */
static gsize request(guint8 *out, const char *token)
{
    gsize at = 11;
    memset(out, 0, at);
    if (token) {
        memcpy(out + at, token, strlen(token));
        at += strlen(token);
        memcpy(out + at, "\r\n", 2);
        at += 2;
    }
    memcpy(out + at, negotiation, sizeof negotiation);
    at += sizeof negotiation;
    out[0] = 3;
    out[2] = (guint8)(at >> 8);
    out[3] = (guint8)at;
    out[4] = (guint8)(at - 5);
    out[5] = 0xe0;
    return at;
}

static const char *desktop_of(const char *token)
{
    static char desktop[64];
    guint8 bytes[X224_REQUEST_MAX];
    strcpy(desktop, "unset");
    x224_desktop(bytes, request(bytes, token), desktop, sizeof desktop);
    return desktop;
}

START_TEST(a_bare_routing_token_names_the_desktop)
{
    ck_assert_str_eq(desktop_of("fernwerk.desktop=d1"), "d1");
}
END_TEST

START_TEST(the_token_may_follow_what_clients_and_brokers_put_before_it)
{
    ck_assert_str_eq(desktop_of("Cookie: msts=fernwerk.desktop=win-10.a_b"), "win-10.a_b");
    ck_assert_str_eq(desktop_of("tsv://fernwerk.desktop=d2"), "d2");
    ck_assert_str_eq(desktop_of("mth://fernwerk.desktop=d3"), "d3");
}
END_TEST

START_TEST(other_tokens_and_none_name_no_desktop)
{
    ck_assert_str_eq(desktop_of(NULL), "");
    ck_assert_str_eq(desktop_of("Cookie: mstshash=alice"), "");
    ck_assert_str_eq(desktop_of("Cookie: msts=3640205228.15629.0000"), "");
    ck_assert_str_eq(desktop_of("fernwerk.desktop="), "");
}
END_TEST

START_TEST(a_name_that_no_desktop_can_have_is_ignored)
{
    char longer[200] = "fernwerk.desktop=";
    memset(longer + strlen(longer), 'x', 70);
    ck_assert_str_eq(desktop_of("fernwerk.desktop=a b"), "");
    ck_assert_str_eq(desktop_of("fernwerk.desktop=../etc"), "");
    ck_assert_str_eq(desktop_of("fernwerk.desktop=d\xc3\xa4"), "");
    ck_assert_str_eq(desktop_of(longer), "");
}
END_TEST

START_TEST(every_truncated_request_is_partial_and_never_read_beyond)
{
    guint8 bytes[X224_REQUEST_MAX];
    gsize length = request(bytes, "Cookie: msts=fernwerk.desktop=d1"), wanted;
    for (gsize n = 0; n < length; n++) {
        g_autofree guint8 *exact = g_memdup2(bytes, n);
        char desktop[64];
        ck_assert_int_eq(x224_check(exact, n, &wanted), X224_PARTIAL);
        ck_assert_uint_gt(wanted, n);
        x224_desktop(exact, n, desktop, sizeof desktop);
        ck_assert_str_eq(desktop, "");
    }
    ck_assert_int_eq(x224_check(bytes, length, &wanted), X224_COMPLETE);
}
END_TEST

START_TEST(lying_lengths_are_wrong)
{
    guint8 bytes[X224_REQUEST_MAX];
    gsize wanted, length = request(bytes, NULL);
    bytes[4]++;
    ck_assert_int_eq(x224_check(bytes, length, &wanted), X224_WRONG);
    request(bytes, NULL);
    bytes[2] = 0xff;
    ck_assert_int_eq(x224_check(bytes, length, &wanted), X224_WRONG);
    request(bytes, NULL);
    bytes[3] = 5;
    ck_assert_int_eq(x224_check(bytes, length, &wanted), X224_WRONG);
    ck_assert_int_eq(x224_check((const guint8 *)"GET / HTTP/1.1\r\n", 16, &wanted), X224_WRONG);
}
END_TEST

START_TEST(a_bare_token_is_taken_out_before_freerdp_sees_it)
{
    guint8 bytes[X224_REQUEST_MAX], plain[X224_REQUEST_MAX];
    gsize length = repair_pdu(bytes, request(bytes, "fernwerk.desktop=d1"));
    ck_assert_uint_eq(length, request(plain, NULL));
    ck_assert_mem_eq(bytes, plain, length);
}
END_TEST

START_TEST(other_requests_are_left_alone)
{
    guint8 bytes[X224_REQUEST_MAX], same[X224_REQUEST_MAX];
    gsize length = request(bytes, "Cookie: mstshash=alice");
    memcpy(same, bytes, length);
    ck_assert_uint_eq(repair_pdu(bytes, length), length);
    ck_assert_mem_eq(bytes, same, length);
}
END_TEST

START_TEST(rdesktops_erect_domain_request_gets_integers_of_one_byte)
{
    guint8 bytes[] = {3, 0, 0, 12, 2, 0xf0, 0x80, 4, 0, 1, 0, 1};
    const guint8 right[] = {3, 0, 0, 12, 2, 0xf0, 0x80, 4, 1, 0, 1, 0};
    ck_assert_uint_eq(repair_pdu(bytes, sizeof bytes), sizeof bytes);
    ck_assert_mem_eq(bytes, right, sizeof right);
}
END_TEST

START_TEST(a_request_that_offers_no_tls_is_known)
{
    guint8 bytes[X224_REQUEST_MAX];
    gsize length = request(bytes, NULL);
    ck_assert(x224_offers_tls(bytes, length));
    bytes[length - 4] = 0; /* RDP's own security only */
    ck_assert(!x224_offers_tls(bytes, length));
    length = request(bytes, "Cookie: mstshash=alice");
    ck_assert(x224_offers_tls(bytes, length));
    length -= sizeof negotiation;
    bytes[3] = (guint8)length;
    bytes[4] = (guint8)(length - 5);
    ck_assert(!x224_offers_tls(bytes, length));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("x224");
    tcase_add_test(tcase, a_bare_routing_token_names_the_desktop);
    tcase_add_test(tcase, the_token_may_follow_what_clients_and_brokers_put_before_it);
    tcase_add_test(tcase, other_tokens_and_none_name_no_desktop);
    tcase_add_test(tcase, a_name_that_no_desktop_can_have_is_ignored);
    tcase_add_test(tcase, every_truncated_request_is_partial_and_never_read_beyond);
    tcase_add_test(tcase, lying_lengths_are_wrong);
    tcase_add_test(tcase, a_bare_token_is_taken_out_before_freerdp_sees_it);
    tcase_add_test(tcase, other_requests_are_left_alone);
    tcase_add_test(tcase, rdesktops_erect_domain_request_gets_integers_of_one_byte);
    tcase_add_test(tcase, a_request_that_offers_no_tls_is_known);
    return suite_run("x224", tcase);
}
