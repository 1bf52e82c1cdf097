/* The parser of a client's messages. */
#include "session/vnc/messages.h"

#include "session/vnc/rfb.h"
#include "tests/unit/suite.h"

#include <string.h>

static RfbMessage last;
static guint seen;
static gint32 encodings[RFB_ENCODINGS_MAX];
static guint8 payload[RFB_FENCE_PAYLOAD_MAX];

static void received(const RfbMessage *message, gpointer data)
{
    last = *message;
    seen++;
    if (message->type == RFB_SET_ENCODINGS)
        memcpy(encodings, message->encodings.list, message->encodings.count * sizeof *encodings);
    if (message->type == RFB_FENCE)
        memcpy(payload, message->fence.payload, message->fence.length);
}

static Messages *messages;

static void setup(void)
{
    seen = 0;
    memset(&last, 0, sizeof last);
    messages = messages_new(received, NULL);
}

static void teardown(void)
{
    messages_free(messages);
}

static const char *feed(const void *bytes, gsize length)
{
    return messages_feed(messages, bytes, length);
}
#define FEED(TEXT) feed(TEXT, sizeof(TEXT) - 1)

START_TEST(a_plain_key_brings_its_keysym_and_no_code)
{
    ck_assert_ptr_null(FEED("\004\001\000\000\000\000\000\141"));
    ck_assert_uint_eq(last.type, RFB_KEY);
    ck_assert(last.key.pressed);
    ck_assert_uint_eq(last.key.keysym, 'a');
    ck_assert_uint_eq(last.key.code, 0);
}
END_TEST

START_TEST(an_extended_key_brings_its_code)
{
    ck_assert_ptr_null(FEED("\377\000\000\001\000\000\377\123\000\000\000\315"));
    ck_assert_uint_eq(last.type, RFB_KEY);
    ck_assert_uint_eq(last.key.keysym, 0xff53);
    ck_assert_uint_eq(last.key.code, 0xcd);
}
END_TEST

START_TEST(another_qemu_message_is_an_error)
{
    ck_assert_ptr_nonnull(FEED("\377\001\000\000"));
    ck_assert_uint_eq(seen, 0);
}
END_TEST

START_TEST(messages_may_be_cut_anywhere)
{
    static const char bytes[] = "\002\000\000\002\000\000\000\007\377\377\377\030"
                                "\003\001\000\001\000\002\000\003\000\004"
                                "\006\000\000\000\000\000\000\003abc"
                                "\005\001\000\012\000\024";
    for (gsize i = 0; i < sizeof bytes - 1; i++)
        ck_assert_ptr_null(feed(bytes + i, 1));
    ck_assert_uint_eq(seen, 3);
    ck_assert_int_eq(encodings[0], 7);
    ck_assert_int_eq(encodings[1], -232);
    ck_assert_uint_eq(last.type, RFB_POINTER);
    ck_assert_uint_eq(last.pointer.x, 10);
    ck_assert_uint_eq(last.pointer.y, 20);
    ck_assert_uint_eq(last.pointer.mask, 1);
}
END_TEST

START_TEST(an_update_request_is_read)
{
    ck_assert_ptr_null(FEED("\003\000\000\001\000\002\000\003\000\004"));
    ck_assert(!last.request.incremental);
    ck_assert_uint_eq(last.request.x, 1);
    ck_assert_uint_eq(last.request.height, 4);
}
END_TEST

START_TEST(side_buttons_come_once_they_were_agreed_on)
{
    messages_extend_pointer(messages);
    ck_assert_ptr_null(FEED("\005\201\000\001\000\002\003\005\000\000\003\000\004"));
    ck_assert_uint_eq(seen, 2);
    ck_assert_uint_eq(last.pointer.mask, 0);
    ck_assert_ptr_null(FEED("\005\201\000\001\000\002\002"));
    ck_assert_uint_eq(last.pointer.mask, 1 | 1 << 8);
}
END_TEST

START_TEST(before_that_the_seventh_byte_is_the_next_message)
{
    ck_assert_ptr_null(FEED("\005\200\000\001\000\002\004\001\000\000\000\000\000\141"));
    ck_assert_uint_eq(seen, 2);
    ck_assert_uint_eq(last.type, RFB_KEY);
}
END_TEST

START_TEST(a_fence_keeps_its_payload)
{
    ck_assert_ptr_null(FEED("\370\000\000\000\200\000\000\001\004wxyz"));
    ck_assert_uint_eq(last.fence.flags, 0x80000001u);
    ck_assert_uint_eq(last.fence.length, 4);
    ck_assert_mem_eq(payload, "wxyz", 4);
}
END_TEST

START_TEST(a_fence_with_too_much_payload_is_an_error)
{
    ck_assert_ptr_nonnull(FEED("\370\000\000\000\200\000\000\001\101"));
}
END_TEST

START_TEST(a_desktop_size_with_its_screens_is_one_message)
{
    ck_assert_ptr_null(FEED("\373\000\004\000\003\000\001\000"
                            "\000\000\000\000\000\000\000\000\004\000\003\000\000\000\000\000"
                            "\004\000\000\000\000\000\000\141"));
    ck_assert_uint_eq(seen, 2);
    ck_assert_uint_eq(last.type, RFB_KEY);
}
END_TEST

START_TEST(too_many_screens_are_an_error)
{
    ck_assert_ptr_nonnull(FEED("\373\000\004\000\003\000\021\000"));
}
END_TEST

START_TEST(cut_text_is_skipped_in_both_forms)
{
    ck_assert_ptr_null(
        FEED("\006\000\000\000\000\000\000\002xy\006\000\000\000\377\377\377\374abcd\004\001"));
    ck_assert_ptr_null(FEED("\000\000\000\000\000\141"));
    ck_assert_uint_eq(seen, 1);
    ck_assert_uint_eq(last.type, RFB_KEY);
}
END_TEST

START_TEST(endless_cut_text_is_an_error)
{
    ck_assert_ptr_nonnull(FEED("\006\000\000\000\177\377\377\377"));
    teardown();
    setup();
    ck_assert_ptr_nonnull(FEED("\006\000\000\000\200\000\000\000"));
}
END_TEST

START_TEST(too_many_encodings_are_an_error)
{
    ck_assert_ptr_nonnull(FEED("\002\000\001\001"));
}
END_TEST

START_TEST(an_unknown_message_is_an_error)
{
    ck_assert_ptr_nonnull(FEED("\007"));
}
END_TEST

START_TEST(pixel_formats_that_can_be_are_taken)
{
    ck_assert_ptr_null(
        FEED("\000\000\000\000\040\030\000\001\000\377\000\377\000\377\020\010\000\000\000\000"));
    ck_assert_uint_eq(last.format.red_shift, 16);
    ck_assert_ptr_null(
        FEED("\000\000\000\000\020\020\001\001\000\037\000\077\000\037\013\005\000\000\000\000"));
    ck_assert_uint_eq(last.format.green_max, 63);
    ck_assert(last.format.big_endian);
    ck_assert_ptr_null(
        FEED("\000\000\000\000\010\010\000\000\000\000\000\000\000\000\000\000\000\000\000\000"));
    ck_assert(!last.format.true_colour);
    ck_assert_uint_eq(seen, 3);
}
END_TEST

START_TEST(pixel_formats_that_cannot_be_are_errors)
{
    static const char *const bad[] = {
        "\030\030\000\001\000\377\000\377\000\377\020\010\000", /* 24 bits a pixel */
        "\040\041\000\001\000\377\000\377\000\377\020\010\000", /* deeper than it is wide */
        "\040\030\000\001\000\376\000\377\000\377\020\010\000", /* no mask of ones */
        "\040\030\000\001\000\000\000\377\000\377\020\010\000", /* no red */
        "\040\030\000\001\000\377\000\377\000\377\031\010\000", /* red shifted out */
        "\020\020\000\001\377\377\000\077\000\037\013\005\000", /* red too wide */
        "\040\030\000\000\000\000\000\000\000\000\000\000\000", /* a colour map of 2^32 */
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        guint8 bytes[20] = {0};
        memcpy(bytes + 4, bad[i], 13);
        ck_assert_msg(feed(bytes, sizeof bytes) != NULL, "format %u was taken", i);
        teardown();
        setup();
    }
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("messages");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_plain_key_brings_its_keysym_and_no_code);
    tcase_add_test(cases, an_extended_key_brings_its_code);
    tcase_add_test(cases, another_qemu_message_is_an_error);
    tcase_add_test(cases, messages_may_be_cut_anywhere);
    tcase_add_test(cases, an_update_request_is_read);
    tcase_add_test(cases, side_buttons_come_once_they_were_agreed_on);
    tcase_add_test(cases, before_that_the_seventh_byte_is_the_next_message);
    tcase_add_test(cases, a_fence_keeps_its_payload);
    tcase_add_test(cases, a_fence_with_too_much_payload_is_an_error);
    tcase_add_test(cases, a_desktop_size_with_its_screens_is_one_message);
    tcase_add_test(cases, too_many_screens_are_an_error);
    tcase_add_test(cases, cut_text_is_skipped_in_both_forms);
    tcase_add_test(cases, endless_cut_text_is_an_error);
    tcase_add_test(cases, too_many_encodings_are_an_error);
    tcase_add_test(cases, an_unknown_message_is_an_error);
    tcase_add_test(cases, pixel_formats_that_can_be_are_taken);
    tcase_add_test(cases, pixel_formats_that_cannot_be_are_errors);
    return suite_run("vnc messages", cases);
}
