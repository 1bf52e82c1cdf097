/* The graphics pipeline's PDUs: what a client may send, well made or not. What the server sends is judged by
 * test_screen.c and by real clients. */
#include "session/rdp/gfx_pdu.h"
#include "tests/unit/suite.h"

#include <string.h>

static const guint8 acknowledge[] = {0xd, 0, 0, 0, 20, 0, 0, 0, 7, 0, 0, 0, 0x12, 0x34, 0, 0, 9, 0, 0, 0};
static const guint8 advertise[] = {0x12, 0, 0, 0, 34, 0, 0, 0,  2, 0, 5, 1, 8, 0,    4, 0, 0,
                                   0,    1, 0, 0, 0,  1, 7, 10, 0, 4, 0, 0, 0, 0x20, 0, 0, 0};

START_TEST(an_acknowledgement_tells_frame_and_queue)
{
    GfxPdu pdu;
    ck_assert_uint_eq(gfx_pdu_read(acknowledge, sizeof acknowledge, &pdu), sizeof acknowledge);
    ck_assert_int_eq(pdu.kind, GFX_PDU_FRAME_ACKNOWLEDGE);
    ck_assert_uint_eq(pdu.frame, 0x3412);
    ck_assert_uint_eq(pdu.queue_depth, 7);
}
END_TEST

START_TEST(capabilities_come_with_their_flags)
{
    GfxPdu pdu;
    ck_assert_uint_eq(gfx_pdu_read(advertise, sizeof advertise, &pdu), sizeof advertise);
    ck_assert_int_eq(pdu.kind, GFX_PDU_CAPS_ADVERTISE);
    ck_assert_uint_eq(pdu.n_caps, 2);
    ck_assert_uint_eq(pdu.caps[0].version, 0x80105);
    ck_assert_uint_eq(pdu.caps[0].flags, 1);
    ck_assert_uint_eq(pdu.caps[1].version, 0xa0701);
    ck_assert_uint_eq(pdu.caps[1].flags, 0x20);
}
END_TEST

START_TEST(what_is_cut_short_is_no_pdu)
{
    GfxPdu pdu;
    for (gsize length = 0; length < sizeof acknowledge; length++)
        ck_assert_uint_eq(gfx_pdu_read(acknowledge, length, &pdu), 0);
    for (gsize length = 0; length < sizeof advertise; length++)
        ck_assert_uint_eq(gfx_pdu_read(advertise, length, &pdu), 0);
}
END_TEST

/* The PDU says that it has all bytes, but its inside promises more. */
START_TEST(capabilities_that_end_early_are_no_pdu)
{
    GfxPdu pdu;
    guint8 bytes[sizeof advertise];
    for (guint size = 8; size < sizeof advertise; size++) {
        memcpy(bytes, advertise, sizeof bytes);
        bytes[4] = (guint8)size;
        ck_assert_uint_eq(gfx_pdu_read(bytes, sizeof bytes, &pdu), 0);
    }
    memcpy(bytes, advertise, sizeof bytes);
    memset(bytes + 14, 0xff, 4); /* the first set's length */
    ck_assert_uint_eq(gfx_pdu_read(bytes, sizeof bytes, &pdu), 0);
}
END_TEST

START_TEST(unknown_pdus_are_passed_over_by_their_size)
{
    guint8 unknown[] = {0x16, 0, 0, 0, 12, 0, 0, 0, 1, 2, 3, 4, 0xd, 0};
    GfxPdu pdu;
    ck_assert_uint_eq(gfx_pdu_read(unknown, sizeof unknown, &pdu), 12);
    ck_assert_int_eq(pdu.kind, GFX_PDU_OTHER);
    unknown[4] = 7; /* less than a header: it would never end */
    ck_assert_uint_eq(gfx_pdu_read(unknown, sizeof unknown, &pdu), 0);
}
END_TEST

START_TEST(more_capabilities_than_anybody_has_are_bounded)
{
    g_autoptr(GByteArray) many = g_byte_array_new();
    guint8 set[8] = {4, 0, 8, 0, 0, 0, 0, 0};
    guint8 header[10] = {0x12, 0, 0, 0, 0, 0, 0, 0, 200, 0};
    guint32 size = GUINT32_TO_LE(10 + 200 * 8);
    GfxPdu pdu;

    memcpy(header + 4, &size, 4);
    g_byte_array_append(many, header, sizeof header);
    for (guint i = 0; i < 200; i++)
        g_byte_array_append(many, set, sizeof set);
    ck_assert_uint_eq(gfx_pdu_read(many->data, many->len, &pdu), many->len);
    ck_assert_uint_eq(pdu.n_caps, GFX_CAPS_MAX);
}
END_TEST

START_TEST(confirmed_capabilities_read_as_they_were_chosen)
{
    GfxCaps chosen = {.version = 0xa0100, .flags = 0, .length = 16};
    GfxBlock block;
    gfx_block_init(&block);
    gfx_pdu_caps_confirm(&block, &chosen);
    const guint8 expected[] = {0x13, 0, 0, 0, 32, 0, 0, 0, 0, 1, 10, 0, 16, 0, 0, 0};
    ck_assert_uint_eq(block.bytes->len, 32);
    ck_assert_mem_eq(block.bytes->data, expected, sizeof expected);
    gfx_block_clear(&block);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("rdp graphics PDUs");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, an_acknowledgement_tells_frame_and_queue);
    tcase_add_test(tcase, capabilities_come_with_their_flags);
    tcase_add_test(tcase, what_is_cut_short_is_no_pdu);
    tcase_add_test(tcase, capabilities_that_end_early_are_no_pdu);
    tcase_add_test(tcase, unknown_pdus_are_passed_over_by_their_size);
    tcase_add_test(tcase, more_capabilities_than_anybody_has_are_bounded);
    tcase_add_test(tcase, confirmed_capabilities_read_as_they_were_chosen);
    return suite_run("rdp graphics PDUs", tcase);
}
