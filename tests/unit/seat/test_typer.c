/* The typer: which strokes a keysym becomes on which layout. */
#include "session/seat/keycodes.h"
#include "session/seat/typer.h"

#include "base/proto/seat_link.h"
#include "tests/unit/suite.h"

#include <xkbcommon/xkbcommon-keysyms.h>

static GString *strokes;

static void note(guint code, gboolean pressed, gpointer data)
{
    g_string_append_printf(strokes, "%s%c%x", strokes->len ? " " : "", pressed ? '+' : '-', code);
}

static void press_and_release(Typer *typer, guint32 keysym)
{
    typer_keysym(typer, keysym, TRUE);
    typer_keysym(typer, keysym, FALSE);
}

/* What one keysym becomes on a fresh keyboard. */
static void check_keysym(const char *layout, guint32 keysym, const char *expected)
{
    g_autoptr(Typer) typer = typer_new(layout, "", note, NULL);
    strokes = g_string_new(NULL);
    press_and_release(typer, keysym);
    ck_assert_str_eq(strokes->str, expected);
    g_string_free(strokes, TRUE);
}

static const struct {
    const char *layout;
    guint32 keysym;
    const char *strokes;
} cases[] = {
    {"de", 'a', "+1e -1e"},
    {"de", 'A', "+2a +1e -2a -1e"},
    {"de", '@', "+b8 +10 -b8 -10"},
    {"de", '{', "+b8 +8 -b8 -8"},
    {"de", XKB_KEY_ssharp, "+c -c"},
    {"de", 'y', "+2c -2c"},
    {"de", XKB_KEY_udiaeresis, "+1a -1a"},
    {"de", 0x010000fc, "+1a -1a"}, /* the same as a Unicode keysym */
    {"de", XKB_KEY_EuroSign, "+b8 +12 -b8 -12"},
    {"de", 0x010020ac, "+b8 +12 -b8 -12"},
    {"de", '^', "+29 -29 +39 -39"},          /* dead key and space */
    {"de", XKB_KEY_eacute, "+d -d +12 -12"}, /* dead acute, e */
    {"de", XKB_KEY_Ecircumflex, "+29 -29 +2a +12 -12 -2a"},
    {"us", '@', "+2a +3 -2a -3"},
    {"us", 'y', "+15 -15"},
    {"fr", '1', "+2a +2 -2a -2"},
    {"us", XKB_KEY_Return, "+1c -1c"},
    {"us", XKB_KEY_KP_Enter, "+9c -9c"},
    {"us", XKB_KEY_Left, "+cb -cb"},
    {"us", XKB_KEY_F11, "+57 -57"},
    {"us", XKB_KEY_Shift_L, "+2a -2a"},
    {"us", XKB_KEY_Super_L, "+db -db"},
    {"us", XKB_KEY_Delete, "+d3 -d3"},
    {"us", XKB_KEY_Print, "+54 -54"},
    {"nonsense", 'a', "+1e -1e"},
};

START_TEST(a_keysym_becomes_the_layouts_strokes)
{
    check_keysym(cases[_i].layout, cases[_i].keysym, cases[_i].strokes);
}
END_TEST

START_TEST(modifiers_that_disturb_are_let_go_for_the_stroke)
{
    g_autoptr(Typer) typer = typer_new("de", "", note, NULL);
    strokes = g_string_new(NULL);
    /* An American types @ as Shift and 2. */
    typer_keysym(typer, XKB_KEY_Shift_L, TRUE);
    press_and_release(typer, '@');
    typer_keysym(typer, XKB_KEY_Shift_L, FALSE);
    ck_assert_str_eq(strokes->str, "+2a -2a +b8 +10 +2a -b8 -10 -2a");
    g_string_free(strokes, TRUE);
}
END_TEST

START_TEST(held_modifiers_that_fit_stay_as_they_are)
{
    g_autoptr(Typer) typer = typer_new("us", "", note, NULL);
    strokes = g_string_new(NULL);
    typer_keysym(typer, XKB_KEY_Control_L, TRUE);
    typer_keysym(typer, XKB_KEY_Shift_L, TRUE);
    press_and_release(typer, 'T');
    ck_assert_str_eq(strokes->str, "+1d +2a +14 -14");
    g_string_free(strokes, TRUE);
}
END_TEST

START_TEST(caps_lock_in_the_guest_is_taken_into_account)
{
    g_autoptr(Typer) typer = typer_new("us", "", note, NULL);
    strokes = g_string_new(NULL);
    typer_guest_locks(typer, SEAT_LOCK_CAPS);
    press_and_release(typer, 'A');
    ck_assert_str_eq(strokes->str, "+1e -1e");
    g_string_truncate(strokes, 0);
    press_and_release(typer, 'a');
    ck_assert_str_eq(strokes->str, "+2a +1e -2a -1e");
    g_string_free(strokes, TRUE);
}
END_TEST

START_TEST(lock_keys_are_brought_into_step_once)
{
    g_autoptr(Typer) typer = typer_new("us", "", note, NULL);
    strokes = g_string_new(NULL);
    typer_client_locks(typer, SEAT_LOCK_NUM);
    ck_assert_str_eq(strokes->str, "+45 -45");
    typer_client_locks(typer, SEAT_LOCK_NUM);
    typer_guest_locks(typer, SEAT_LOCK_NUM);
    typer_client_locks(typer, SEAT_LOCK_NUM);
    ck_assert_str_eq(strokes->str, "+45 -45");
    g_string_free(strokes, TRUE);
}
END_TEST

START_TEST(what_no_key_can_type_is_refused)
{
    g_autoptr(Typer) typer = typer_new("us", "", note, NULL);
    strokes = g_string_new(NULL);
    ck_assert(!typer_keysym(typer, 0x01004e2d, TRUE));
    ck_assert_str_eq(strokes->str, "");
    g_string_free(strokes, TRUE);
}
END_TEST

START_TEST(key_numbers_and_evdev_codes_are_each_others_inverse)
{
    for (guint code = 1; code < 256; code++)
        if (keycode_to_evdev(code) && code != 0xb7)
            ck_assert_uint_eq(keycode_from_evdev(keycode_to_evdev(code)), code);
    ck_assert_uint_eq(keycode_from_evdev(30), 0x1e);
    ck_assert_uint_eq(keycode_from_evdev(100), 0xb8);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("typer");

    tcase_add_loop_test(tests, a_keysym_becomes_the_layouts_strokes, 0, G_N_ELEMENTS(cases));
    tcase_add_test(tests, modifiers_that_disturb_are_let_go_for_the_stroke);
    tcase_add_test(tests, held_modifiers_that_fit_stay_as_they_are);
    tcase_add_test(tests, caps_lock_in_the_guest_is_taken_into_account);
    tcase_add_test(tests, lock_keys_are_brought_into_step_once);
    tcase_add_test(tests, what_no_key_can_type_is_refused);
    tcase_add_test(tests, key_numbers_and_evdev_codes_are_each_others_inverse);
    return suite_run("typer", tests);
}
