/* Scancodes, Unicode, wheels and keyboard layouts. */
#include "session/rdp/layout.h"
#include "session/rdp/scancode.h"
#include "tests/unit/suite.h"

#define EXTENDED 0x0100
#define EXTENDED1 0x0200
#define RELEASE 0x8000

static ScancodeState state;
static guint32 number;
static gboolean pressed;

static void setup(void)
{
    state = (ScancodeState){0};
    number = 0;
}

START_TEST(an_ordinary_key_keeps_its_scancode)
{
    ck_assert(scancode_key(&state, 0, 0x1e, &number, &pressed));
    ck_assert_uint_eq(number, 0x1e);
    ck_assert(pressed);
    ck_assert(scancode_key(&state, RELEASE, 0x1e, &number, &pressed));
    ck_assert(!pressed);
}
END_TEST

START_TEST(an_extended_key_gets_the_high_bit)
{
    ck_assert(scancode_key(&state, EXTENDED, 0x48, &number, &pressed));
    ck_assert_uint_eq(number, 0xc8);
}
END_TEST

START_TEST(the_pause_sequence_becomes_one_key)
{
    ck_assert(!scancode_key(&state, EXTENDED1, 0x1d, &number, &pressed));
    ck_assert(scancode_key(&state, 0, 0x45, &number, &pressed));
    ck_assert_uint_eq(number, 0xc6);
    ck_assert(pressed);
    ck_assert(!scancode_key(&state, EXTENDED1 | RELEASE, 0x1d, &number, &pressed));
    ck_assert(scancode_key(&state, RELEASE, 0x45, &number, &pressed));
    ck_assert_uint_eq(number, 0xc6);
    ck_assert(!pressed);
}
END_TEST

START_TEST(num_lock_alone_is_num_lock)
{
    ck_assert(scancode_key(&state, 0, 0x45, &number, &pressed));
    ck_assert_uint_eq(number, 0x45);
}
END_TEST

START_TEST(impossible_scancodes_are_dropped)
{
    ck_assert(!scancode_key(&state, 0, 0, &number, &pressed));
    ck_assert(!scancode_key(&state, EXTENDED, 0x80, &number, &pressed));
}
END_TEST

START_TEST(unicode_becomes_a_keysym)
{
    ck_assert(scancode_unicode(&state, 0, 'a', &number, &pressed));
    ck_assert_uint_eq(number, 'a');
    ck_assert(scancode_unicode(&state, 0, 0xdf, &number, &pressed));
    ck_assert_uint_eq(number, 0xdf);
    ck_assert(scancode_unicode(&state, RELEASE, 0x20ac, &number, &pressed));
    ck_assert_uint_eq(number, 0x010020ac);
    ck_assert(!pressed);
    ck_assert(scancode_unicode(&state, 0, '\r', &number, &pressed));
    ck_assert_uint_eq(number, 0xff0d);
}
END_TEST

START_TEST(a_surrogate_pair_becomes_one_keysym)
{
    ck_assert(!scancode_unicode(&state, 0, 0xd83d, &number, &pressed));
    ck_assert(scancode_unicode(&state, 0, 0xde00, &number, &pressed));
    ck_assert_uint_eq(number, 0x0101f600);
}
END_TEST

START_TEST(a_lone_second_surrogate_is_dropped)
{
    ck_assert(!scancode_unicode(&state, 0, 0xde00, &number, &pressed));
}
END_TEST

START_TEST(wheels_turn_both_ways)
{
    ck_assert_int_eq(scancode_wheel(0x0200 | 0x78), 120);
    ck_assert_int_eq(scancode_wheel(0x0200 | 0x0100 | 0x88), -120);
    ck_assert_int_eq(scancode_wheel(0x0400 | 0x0100 | 0xff), -1);
}
END_TEST

static void assert_layout(guint32 klid, const char *layout, const char *variant)
{
    const char *l, *v;
    ck_assert(layout_from_klid(klid, &l, &v));
    ck_assert_str_eq(l, layout);
    ck_assert_str_eq(v, variant);
}

START_TEST(known_layouts_have_xkb_names)
{
    assert_layout(0x407, "de", "");
    assert_layout(0x409, "us", "");
    assert_layout(0x10409, "us", "dvorak");
    assert_layout(0x807, "ch", "");
    assert_layout(0x100c, "ch", "fr");
    assert_layout(0x809, "gb", "");
}
END_TEST

START_TEST(an_unknown_variant_falls_back_to_its_language)
{
    assert_layout(0xf0000407, "de", "");
    assert_layout(0x00001407, "de", ""); /* Liechtenstein */
}
END_TEST

START_TEST(no_layout_is_no_layout)
{
    const char *l, *v;
    ck_assert(!layout_from_klid(0, &l, &v));
    ck_assert_str_eq(l, "");
    ck_assert(!layout_from_klid(0xffffffff, &l, &v));
    ck_assert_str_eq(v, "");
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("input");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, an_ordinary_key_keeps_its_scancode);
    tcase_add_test(tcase, an_extended_key_gets_the_high_bit);
    tcase_add_test(tcase, the_pause_sequence_becomes_one_key);
    tcase_add_test(tcase, num_lock_alone_is_num_lock);
    tcase_add_test(tcase, impossible_scancodes_are_dropped);
    tcase_add_test(tcase, unicode_becomes_a_keysym);
    tcase_add_test(tcase, a_surrogate_pair_becomes_one_keysym);
    tcase_add_test(tcase, a_lone_second_surrogate_is_dropped);
    tcase_add_test(tcase, wheels_turn_both_ways);
    tcase_add_test(tcase, known_layouts_have_xkb_names);
    tcase_add_test(tcase, an_unknown_variant_falls_back_to_its_language);
    tcase_add_test(tcase, no_layout_is_no_layout);
    return suite_run("input", tcase);
}
