/* The gate's look at first packets: what real clients send passes at every split, lies do not. */
#include "broker/gate/first_packet.h"
#include "tests/unit/suite.h"

#include <string.h>

static const guint8 bare[] = {3, 0, 0, 11, 6, 0xe0, 0, 0, 0, 0, 0};
static const guint8 negotiation[] = {3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0};
static const char cookie[] = "\3\0\0\x2b\x26\xe0\0\0\0\0\0Cookie: mstshash=alice\r\n\1\0\10\0\3\0\0\0";
static const char token[] = "\3\0\0\x1e\x19\xe0\0\0\0\0\0tsv://desktop-1\r\n\0\0";

static FirstPacket rdp(const void *bytes, gsize length)
{
    gsize wanted;
    return first_packet_rdp(bytes, length, &wanted);
}

static void passes_at_every_split(const void *bytes, gsize length)
{
    gsize wanted;
    for (gsize part = 0; part < length; part++) {
        ck_assert_int_eq(first_packet_rdp(bytes, part, &wanted), FIRST_PACKET_PARTIAL);
        ck_assert_uint_gt(wanted, part);
        ck_assert_uint_le(wanted, length);
    }
    ck_assert_int_eq(rdp(bytes, length), FIRST_PACKET_GOOD);
}

START_TEST(what_clients_send_passes_however_it_is_cut)
{
    ck_assert_uint_eq(sizeof cookie - 1, 0x2b);
    passes_at_every_split(bare, sizeof bare);
    passes_at_every_split(negotiation, sizeof negotiation);
    passes_at_every_split(cookie, sizeof cookie - 1);
}
END_TEST

START_TEST(bytes_after_the_packet_are_not_looked_at)
{
    guint8 longer[sizeof negotiation + 5] = {0};
    memcpy(longer, negotiation, sizeof negotiation);
    memset(longer + sizeof negotiation, 0x16, 5);
    ck_assert_int_eq(rdp(longer, sizeof longer), FIRST_PACKET_GOOD);
}
END_TEST

static void changed_is_bad(gsize at, guint8 value)
{
    guint8 copy[sizeof negotiation];
    memcpy(copy, negotiation, sizeof copy);
    copy[at] = value;
    ck_assert_msg(rdp(copy, sizeof copy) == FIRST_PACKET_BAD, "byte %zu = %u passes", at, value);
}

START_TEST(a_lie_in_any_length_or_type_is_bad)
{
    changed_is_bad(0, 0x16); /* TLS straight away */
    changed_is_bad(1, 1);
    changed_is_bad(2, 0xff); /* 65 KB announced */
    changed_is_bad(3, 10);   /* shorter than the fixed part */
    changed_is_bad(3, 18);   /* cuts the negotiation */
    changed_is_bad(4, 13);
    changed_is_bad(4, 0xff);
    changed_is_bad(5, 0xd0);
    changed_is_bad(6, 1);
    changed_is_bad(10, 1);
    changed_is_bad(11, 2);
    changed_is_bad(13, 9);
    ck_assert_int_eq(rdp(token, sizeof token - 1),
                     FIRST_PACKET_BAD); /* two bytes too many behind the token */
}
END_TEST

START_TEST(a_cookie_without_an_end_or_with_control_bytes_is_bad)
{
    char copy[sizeof cookie - 1];
    memcpy(copy, cookie, sizeof copy);
    copy[33] = ' ';
    ck_assert_int_eq(rdp(copy, sizeof copy), FIRST_PACKET_BAD);
    memcpy(copy, cookie, sizeof copy);
    copy[20] = '\0';
    ck_assert_int_eq(rdp(copy, sizeof copy), FIRST_PACKET_BAD);
}
END_TEST

START_TEST(an_rfb_version_is_three_point_something)
{
    gsize wanted;
    const guint8 *good = (const guint8 *)"RFB 003.889\n";
    for (gsize part = 0; part < 12; part++)
        ck_assert_int_eq(first_packet_rfb(good, part, &wanted), FIRST_PACKET_PARTIAL);
    ck_assert_uint_eq(wanted, 12);
    ck_assert_int_eq(first_packet_rfb(good, 12, &wanted), FIRST_PACKET_GOOD);
    ck_assert_int_eq(first_packet_rfb((const guint8 *)"RFB 004.000\n", 12, &wanted), FIRST_PACKET_BAD);
    ck_assert_int_eq(first_packet_rfb((const guint8 *)"GET / HTTP/1", 12, &wanted), FIRST_PACKET_BAD);
    ck_assert_int_eq(first_packet_rfb((const guint8 *)"RFB 003.008 ", 12, &wanted), FIRST_PACKET_BAD);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("first packet");
    tcase_add_test(cases, what_clients_send_passes_however_it_is_cut);
    tcase_add_test(cases, bytes_after_the_packet_are_not_looked_at);
    tcase_add_test(cases, a_lie_in_any_length_or_type_is_bad);
    tcase_add_test(cases, a_cookie_without_an_end_or_with_control_bytes_is_bad);
    tcase_add_test(cases, an_rfb_version_is_three_point_something);
    return suite_run("first packet", cases);
}
