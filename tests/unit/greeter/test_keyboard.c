/* What keys of real layouts mean at the greeter. Key numbers are QEMU's (XT scan codes). */
#include "session/greeter/keyboard.h"
#include "tests/unit/suite.h"

#include <string.h>

#define CODE_TAB 0x0f
#define CODE_Q 0x10
#define CODE_CONTROL 0x1d
#define CODE_A 0x1e
#define CODE_Z 0x2c
#define CODE_SHIFT 0x2a
#define CODE_MINUS 0x0c /* ß on a German keyboard */
#define CODE_EQUAL 0x0d /* dead acute there */
#define CODE_E 0x12
#define CODE_CAPS 0x3a
#define CODE_ALT_GR 0xb8
#define CODE_ENTER 0x1c
#define CODE_KEYPAD_ENTER 0x9c
#define CODE_UP 0xc8

static Keyboard *keyboard;

static void setup(void)
{
    keyboard = keyboard_new();
}

static void teardown(void)
{
    keyboard_free(keyboard);
}

/* Strokes a key; returns its text, "<n>" for another meaning, "" for none. */
static const char *stroke(guint code)
{
    static char text[16];
    FormKey key;
    memset(text, 0, sizeof text);
    gboolean meant = keyboard_code(keyboard, code, TRUE, &key, text);
    char ignored[16];
    FormKey none;
    ck_assert(!keyboard_code(keyboard, code, FALSE, &none, ignored));
    if (!meant)
        return "";
    if (key != FORM_KEY_TEXT)
        g_snprintf(text, sizeof text, "<%d>", key);
    return text;
}

static const char *stroke_with(guint modifier, guint code)
{
    char ignored[16];
    FormKey none;
    keyboard_code(keyboard, modifier, TRUE, &none, ignored);
    const char *result = stroke(code);
    keyboard_code(keyboard, modifier, FALSE, &none, ignored);
    return result;
}

static const char *named(FormKey key)
{
    static char text[16];
    g_snprintf(text, sizeof text, "<%d>", key);
    return text;
}

START_TEST(a_german_layout_types_german)
{
    keyboard_set_layout(keyboard, "de", "");
    ck_assert_str_eq(keyboard_name(keyboard), "German");
    ck_assert_str_eq(stroke(CODE_Z), "y");
    ck_assert_str_eq(stroke(CODE_MINUS), "ß");
    ck_assert_str_eq(stroke_with(CODE_ALT_GR, CODE_Q), "@");
    ck_assert_str_eq(stroke_with(CODE_ALT_GR, 0x08), "{");
    ck_assert_str_eq(stroke_with(CODE_SHIFT, CODE_A), "A");
}
END_TEST

START_TEST(dead_keys_compose)
{
    keyboard_set_layout(keyboard, "de", "");
    ck_assert_str_eq(stroke(CODE_EQUAL), "");
    ck_assert_str_eq(stroke(CODE_E), "é");
    ck_assert_str_eq(stroke(CODE_E), "e");
    keyboard_set_layout(keyboard, "de", "nodeadkeys");
    ck_assert_str_eq(stroke(CODE_EQUAL), "´");
}
END_TEST

START_TEST(keys_that_steer_mean_the_same_on_every_layout)
{
    static const char *const layouts[] = {"us", "de", "fr", "ru"};
    for (guint i = 0; i < G_N_ELEMENTS(layouts); i++) {
        keyboard_set_layout(keyboard, layouts[i], "");
        ck_assert_str_eq(stroke(CODE_TAB), named(FORM_KEY_NEXT));
        ck_assert_str_eq(stroke_with(CODE_SHIFT, CODE_TAB), named(FORM_KEY_PREVIOUS));
        ck_assert_str_eq(stroke(CODE_ENTER), named(FORM_KEY_ENTER));
        ck_assert_str_eq(stroke(CODE_KEYPAD_ENTER), named(FORM_KEY_ENTER));
        ck_assert_str_eq(stroke(CODE_UP), named(FORM_KEY_UP));
    }
}
END_TEST

START_TEST(control_types_nothing)
{
    ck_assert_str_eq(stroke_with(CODE_CONTROL, CODE_A), "");
    ck_assert_str_eq(stroke_with(CODE_CONTROL, 0x16), named(FORM_KEY_CLEAR));
}
END_TEST

START_TEST(an_unknown_layout_leaves_us)
{
    keyboard_set_layout(keyboard, "no-such-layout", "");
    ck_assert_str_eq(stroke(CODE_Z), "z");
    keyboard_set_layout(keyboard, "de", "no-such-variant");
    ck_assert_str_eq(stroke(CODE_Z), "y");
}
END_TEST

START_TEST(caps_lock_is_known_from_the_client_and_from_its_key)
{
    ck_assert(!keyboard_caps_lock(keyboard));
    keyboard_set_locks(keyboard, SEAT_LOCK_CAPS);
    ck_assert(keyboard_caps_lock(keyboard));
    ck_assert_str_eq(stroke(CODE_A), "A");
    keyboard_set_locks(keyboard, 0);
    ck_assert(!keyboard_caps_lock(keyboard));
    ck_assert_str_eq(stroke(CODE_A), "a");
    stroke(CODE_CAPS);
    ck_assert(keyboard_caps_lock(keyboard));
    stroke(CODE_CAPS);
    ck_assert(!keyboard_caps_lock(keyboard));
}
END_TEST

START_TEST(keysyms_of_tablets_type_what_they_are)
{
    FormKey key = FORM_KEY_ENTER;
    char text[16] = "";
    ck_assert(keyboard_keysym(keyboard, 0x010020ac, TRUE, &key, text));
    ck_assert_int_eq(key, FORM_KEY_TEXT);
    ck_assert_str_eq(text, "€");
    ck_assert(keyboard_keysym(keyboard, 0xff0d, TRUE, &key, text));
    ck_assert_int_eq(key, FORM_KEY_ENTER);
    ck_assert(!keyboard_keysym(keyboard, 0xffe1, TRUE, &key, text));
    ck_assert(keyboard_keysym(keyboard, 0xff09, TRUE, &key, text));
    ck_assert_int_eq(key, FORM_KEY_PREVIOUS);
    ck_assert(!keyboard_keysym(keyboard, 0xff0d, FALSE, &key, text));
    ck_assert(!keyboard_keysym(keyboard, 0x1fffffff, TRUE, &key, text));
}
END_TEST

START_TEST(every_code_and_layout_can_be_stroked_without_harm)
{
    keyboard_set_layout(keyboard, "fr", "oss");
    for (guint code = 0; code < 256; code++)
        stroke(code);
}
END_TEST

START_TEST(presses_of_a_held_key_are_repeats)
{
    ck_assert(!keyboard_repeats(keyboard, 0x1c, TRUE, 0));
    ck_assert(keyboard_repeats(keyboard, 0x1c, TRUE, 500000));
    ck_assert(!keyboard_repeats(keyboard, 0x1c, FALSE, 510000));
    ck_assert(keyboard_repeats(keyboard, 0x1c, TRUE, 511000)); /* a client that lets go before each */
    keyboard_repeats(keyboard, 0x1c, FALSE, 520000);
    ck_assert(!keyboard_repeats(keyboard, 0x1c, TRUE, 620000));
    ck_assert(!keyboard_repeats(keyboard, 0x1e, TRUE, 621000));
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("greeter keyboard");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_german_layout_types_german);
    tcase_add_test(cases, dead_keys_compose);
    tcase_add_test(cases, keys_that_steer_mean_the_same_on_every_layout);
    tcase_add_test(cases, control_types_nothing);
    tcase_add_test(cases, an_unknown_layout_leaves_us);
    tcase_add_test(cases, caps_lock_is_known_from_the_client_and_from_its_key);
    tcase_add_test(cases, keysyms_of_tablets_type_what_they_are);
    tcase_add_test(cases, every_code_and_layout_can_be_stroked_without_harm);
    tcase_add_test(cases, presses_of_a_held_key_are_repeats);
    return suite_run("greeter keyboard", cases);
}
