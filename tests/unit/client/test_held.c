/* Held keys across the switch from one screen to another. */
#include "session/client/held.h"
#include "tests/unit/suite.h"

START_TEST(a_press_its_repeats_and_its_release_pass)
{
    Held held = {0};
    ck_assert(held_key(&held, 0x1e, TRUE));
    ck_assert(held_key(&held, 0x1e, TRUE));
    ck_assert(held_key(&held, 0x1e, FALSE));
}
END_TEST

START_TEST(a_release_of_a_key_that_is_up_is_dropped)
{
    Held held = {0};
    ck_assert(!held_key(&held, 0x1e, FALSE));
    ck_assert(!held_keysym(&held, 'a', FALSE));
}
END_TEST

START_TEST(a_key_pressed_before_the_switch_is_unknown_to_the_new_screen_until_released)
{
    Held held = {0};
    held_key(&held, 0x1c, TRUE);
    held_keysym(&held, 0xff0d, TRUE);
    held_switched(&held);
    ck_assert(!held_key(&held, 0x1c, TRUE));
    ck_assert(!held_keysym(&held, 0xff0d, TRUE));
    ck_assert(!held_key(&held, 0x1c, FALSE));
    ck_assert(!held_keysym(&held, 0xff0d, FALSE));
    ck_assert(held_key(&held, 0x1c, TRUE));
    ck_assert(held_keysym(&held, 0xff0d, TRUE));
}
END_TEST

START_TEST(a_button_pressed_before_the_switch_counts_only_when_pressed_again)
{
    Held held = {0};
    ck_assert_uint_eq(held_buttons(&held, 1), 1);
    held_switched(&held);
    ck_assert_uint_eq(held_buttons(&held, 1), 0);
    ck_assert_uint_eq(held_buttons(&held, 3), 2);
    ck_assert_uint_eq(held_buttons(&held, 2), 2);
    ck_assert_uint_eq(held_buttons(&held, 3), 3);
}
END_TEST

START_TEST(codes_beyond_the_keyboard_are_dropped)
{
    Held held = {0};
    ck_assert(!held_key(&held, 256, TRUE));
    ck_assert(!held_key(&held, G_MAXUINT32, TRUE));
}
END_TEST

START_TEST(more_keysyms_than_hands_can_hold_still_pass)
{
    Held held = {0};
    for (guint i = 0; i < 2 * HELD_KEYSYMS_MAX; i++)
        ck_assert(held_keysym(&held, 0x100 + i, TRUE));
    ck_assert(held_keysym(&held, 0x100, FALSE));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("held");
    tcase_add_test(tcase, a_press_its_repeats_and_its_release_pass);
    tcase_add_test(tcase, a_release_of_a_key_that_is_up_is_dropped);
    tcase_add_test(tcase, a_key_pressed_before_the_switch_is_unknown_to_the_new_screen_until_released);
    tcase_add_test(tcase, a_button_pressed_before_the_switch_counts_only_when_pressed_again);
    tcase_add_test(tcase, codes_beyond_the_keyboard_are_dropped);
    tcase_add_test(tcase, more_keysyms_than_hands_can_hold_still_pass);
    return suite_run("held", tcase);
}
