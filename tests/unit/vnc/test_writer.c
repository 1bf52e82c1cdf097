/* What the server writes, what it reads out of SetEncodings, and RFB's button mask. */
#include "session/vnc/writer.h"

#include "base/proto/seat_link.h"
#include "encoder/notice.h"
#include "session/vnc/capabilities.h"
#include "session/vnc/pointer.h"
#include "session/vnc/rfb.h"
#include "tests/unit/suite.h"

#include <string.h>

static GByteArray *out;

static void setup(void)
{
    out = g_byte_array_new();
}

static void teardown(void)
{
    g_byte_array_unref(out);
}

static void is(const void *bytes, gsize length)
{
    ck_assert_uint_eq(out->len, length);
    ck_assert_mem_eq(out->data, bytes, length);
}
#define IS(TEXT) is(TEXT, sizeof(TEXT) - 1)

START_TEST(server_init_offers_bgrx)
{
    write_server_init(out, 1280, 720, "d1");
    IS("\005\000\002\320\040\030\000\001\000\377\000\377\000\377\020\010\000\000\000\000\000\000\000\002d1");
}
END_TEST

START_TEST(an_extended_size_names_cause_status_and_one_screen)
{
    write_extended_size(out, RFB_SIZE_BY_CLIENT, RFB_SIZE_FORWARDED, 640, 480);
    IS("\000\001\000\004\002\200\001\340\377\377\376\314\001\000\000\000"
       "\000\000\000\000\000\000\000\000\002\200\001\340\000\000\000\000");
}
END_TEST

START_TEST(a_copy_names_where_it_goes_and_then_where_it_comes_from)
{
    gint32 list[] = {RFB_ENCODING_COPY_RECT, RFB_ENCODING_ZRLE};
    write_copy(out, 10, 20, 300, 200, 10, 37);
    IS("\000\012\000\024\001\054\000\310\000\000\000\001\000\012\000\045");
    ck_assert(capabilities_read(list, 2).copy_rect);
    ck_assert(!capabilities_read(list + 1, 1).copy_rect);
}
END_TEST

START_TEST(an_h264_rectangle_carries_length_and_flags)
{
    write_h264(out, 0, 0, 64, 32, TRUE, FALSE, (const guint8 *)"nal", 3);
    IS("\000\000\000\000\000\100\000\040\000\000\000\062\000\000\000\003\000\000\000\001nal");
}
END_TEST

START_TEST(lock_lights_have_one_byte_for_qemu_and_four_for_vmware)
{
    write_leds(out, RFB_ENCODING_QEMU_LEDS, SEAT_LOCK_CAPS);
    ck_assert_uint_eq(out->len, 13);
    ck_assert_uint_eq(out->data[12], 4);
    write_leds(out, RFB_ENCODING_VMWARE_LEDS, SEAT_LOCK_NUM);
    ck_assert_uint_eq(out->len, 13 + 16);
    ck_assert_uint_eq(out->data[28], 2);
}
END_TEST

/* One opaque red pixel and one half transparent white one, premultiplied. */
static const guint8 cursor[8] = {0, 0, 255, 255, 128, 128, 128, 128};

START_TEST(a_cursor_with_alpha_stays_premultiplied)
{
    write_cursor(out, RFB_ENCODING_CURSOR_ALPHA, &rfb_native_format, cursor, 2, 1, 1, 0);
    IS("\000\001\000\000\000\002\000\001\377\377\376\306\000\000\000\000\377\000\000\377\200\200\200\200");
}
END_TEST

START_TEST(vmwares_cursor_has_straight_alpha)
{
    write_cursor(out, RFB_ENCODING_VMWARE_CURSOR, &rfb_native_format, cursor, 2, 1, 0, 0);
    IS("\000\000\000\000\000\002\000\001\127\115\126\144\001\000\377\000\000\377\377\377\377\200");
}
END_TEST

START_TEST(the_plain_cursor_follows_the_clients_format_and_has_a_mask)
{
    RfbPixelFormat format = {16, 16, TRUE, TRUE, 31, 63, 31, 11, 5, 0};
    write_cursor(out, RFB_ENCODING_CURSOR, &format, cursor, 2, 1, 0, 0);
    IS("\000\000\000\000\000\002\000\001\377\377\377\021\370\000\377\377\300");
}
END_TEST

START_TEST(no_cursor_is_an_empty_one)
{
    write_cursor(out, RFB_ENCODING_CURSOR, &rfb_native_format, NULL, 0, 0, 0, 0);
    IS("\000\000\000\000\000\000\000\000\377\377\377\021");
}
END_TEST

START_TEST(the_first_pixel_encoding_that_we_have_is_taken)
{
    static const gint32 list[] = {1, 50, 16, 7, -224, -24, -254, -239, -314, -312};
    Capabilities c = capabilities_read(list, G_N_ELEMENTS(list));
    ck_assert_int_eq(c.pixels, RFB_ENCODING_ZRLE);
    ck_assert_int_eq(c.quality, 8);
    ck_assert_int_eq(c.compress, 2);
    ck_assert_int_eq(c.cursor, RFB_ENCODING_CURSOR_ALPHA);
    ck_assert_int_eq(c.leds, 0);
    ck_assert(c.h264 && c.last_rect && c.fence);
    ck_assert(!c.continuous && !c.extended_size && !c.extended_mouse);
}
END_TEST

START_TEST(a_client_that_names_nothing_gets_raw)
{
    Capabilities c = capabilities_read(NULL, 0);
    ck_assert_int_eq(c.pixels, RFB_ENCODING_RAW);
    ck_assert_int_eq(c.quality, -1);
    ck_assert_int_eq(c.cursor, 0);
}
END_TEST

START_TEST(buttons_pass_and_the_wheel_counts_when_it_goes_down)
{
    PointerMask mask = {0};
    PointerState s = pointer_mask_take(&mask, 1 | 4 | 1 << 7 | 1 << 8);
    ck_assert_uint_eq(s.buttons, SEAT_BUTTON_LEFT | SEAT_BUTTON_RIGHT | SEAT_BUTTON_SIDE | SEAT_BUTTON_EXTRA);
    s = pointer_mask_take(&mask, 1 << 3);
    ck_assert_uint_eq(s.buttons, 0);
    ck_assert_int_eq(s.wheel_vertical, 120);
    s = pointer_mask_take(&mask, 1 << 3);
    ck_assert_int_eq(s.wheel_vertical, 0);
    s = pointer_mask_take(&mask, 1 << 4 | 1 << 6);
    ck_assert_int_eq(s.wheel_vertical, -120);
    ck_assert_int_eq(s.wheel_horizontal, 120);
    s = pointer_mask_take(&mask, 1 << 5);
    ck_assert_int_eq(s.wheel_horizontal, -120);
}
END_TEST

START_TEST(a_notice_shows_its_text_at_any_size)
{
    static const guint sizes[][2] = {{64, 64}, {800, 600}, {1, 1}, {3840, 16}};
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree guint8 *pixels =
            notice_paint(sizes[i][0], sizes[i][1], "This desktop is continued elsewhere, für dich.");
        guint lit = 0;
        for (guint p = 0; p < sizes[i][0] * sizes[i][1]; p++)
            lit += pixels[4 * p] == 0xf2;
        ck_assert_msg(sizes[i][0] < 64 || lit > 20, "size %u shows no text", i);
    }
}
END_TEST

START_TEST(a_page_is_told_the_reason_in_the_desktops_name)
{
    g_autofree char *name = writer_end_name(END_KILLED, "An administrator ended this session.");
    ck_assert_str_eq(name, "fernwerk:end=3:An administrator ended this session.");
}
END_TEST

START_TEST(a_lower_quality_is_a_lower_ceiling_for_h264_and_a_high_one_is_none)
{
    Capabilities c = {.quality = -1};
    ck_assert_uint_eq(capabilities_max_kbit_s(&c), 0);
    for (c.quality = 0; c.quality < 7; c.quality++) {
        Capabilities better = {.quality = c.quality + 1};
        ck_assert_uint_gt(capabilities_max_kbit_s(&c), 0);
        ck_assert_uint_lt(capabilities_max_kbit_s(&c), capabilities_max_kbit_s(&better));
    }
    c.quality = 9;
    ck_assert_uint_eq(capabilities_max_kbit_s(&c), 0);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("writer");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, server_init_offers_bgrx);
    tcase_add_test(cases, a_page_is_told_the_reason_in_the_desktops_name);
    tcase_add_test(cases, a_lower_quality_is_a_lower_ceiling_for_h264_and_a_high_one_is_none);
    tcase_add_test(cases, an_extended_size_names_cause_status_and_one_screen);
    tcase_add_test(cases, a_copy_names_where_it_goes_and_then_where_it_comes_from);
    tcase_add_test(cases, an_h264_rectangle_carries_length_and_flags);
    tcase_add_test(cases, lock_lights_have_one_byte_for_qemu_and_four_for_vmware);
    tcase_add_test(cases, a_cursor_with_alpha_stays_premultiplied);
    tcase_add_test(cases, vmwares_cursor_has_straight_alpha);
    tcase_add_test(cases, the_plain_cursor_follows_the_clients_format_and_has_a_mask);
    tcase_add_test(cases, no_cursor_is_an_empty_one);
    tcase_add_test(cases, the_first_pixel_encoding_that_we_have_is_taken);
    tcase_add_test(cases, a_client_that_names_nothing_gets_raw);
    tcase_add_test(cases, buttons_pass_and_the_wheel_counts_when_it_goes_down);
    tcase_add_test(cases, a_notice_shows_its_text_at_any_size);
    return suite_run("vnc writer", cases);
}
