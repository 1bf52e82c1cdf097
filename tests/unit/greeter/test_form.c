/* The greeter's screens: typing, choosing, answers of the broker. */
#include "session/greeter/form.h"
#include "tests/unit/suite.h"

#include <string.h>

static Form form;

static void setup(void)
{
    form_init(&form);
    form_broker(&form, TRUE);
}

static void teardown(void)
{
    form_clear(&form);
}

static FormAction press(FormKey key)
{
    return form_key(&form, key, NULL, FALSE, 0);
}

static void type(const char *text)
{
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        g_autofree char *one = g_strndup(p, (gsize)(g_utf8_next_char(p) - p));
        ck_assert_int_eq(form_key(&form, FORM_KEY_TEXT, one, FALSE, 0), FORM_NOTHING);
    }
}

static void answer(SeatLoginResult code, guint wait_ms, const char *text)
{
    GreeterResult result = {.result = code, .retry_after_ms = wait_ms, .user = "alice"};
    g_strlcpy(result.text, text, sizeof result.text);
    form_result(&form, &result, 0);
}

static void offer(guint total)
{
    g_autofree GreeterDesktops *packet =
        g_malloc0(sizeof *packet + GREETER_DESKTOPS_MAX * sizeof(GreeterDesktop));
    for (guint first = 0; first < MAX(total, 1); first += GREETER_DESKTOPS_MAX) {
        packet->total = total;
        packet->first = first;
        packet->count = MIN(total - first, GREETER_DESKTOPS_MAX);
        for (guint i = 0; i < packet->count; i++)
            g_snprintf(packet->desktops[i].name, SEAT_NAME_MAX, "d%u", first + i + 1);
        ck_assert(form_desktops_fit(packet, sizeof *packet + packet->count * sizeof(GreeterDesktop)));
        form_desktops(&form, packet);
    }
}

static void progress(GreeterPhase phase)
{
    GreeterProgress packet = {.phase = phase, .desktop = "d2", .text = "because"};
    form_progress(&form, &packet);
}

START_TEST(the_keyboard_alone_signs_in)
{
    form_prefill(&form, "");
    ck_assert_int_eq(form.focus, ELEMENT_USER);
    type("alice");
    ck_assert_int_eq(press(FORM_KEY_NEXT), FORM_NOTHING);
    type("pässword");
    ck_assert_int_eq(press(FORM_KEY_ENTER), FORM_LOGIN);
    ck_assert_str_eq(form.user.text, "alice");
    ck_assert_str_eq(form.password.text, "pässword");
}
END_TEST

START_TEST(enter_after_the_name_goes_to_the_password)
{
    form_prefill(&form, "");
    ck_assert_int_eq(press(FORM_KEY_ENTER), FORM_NOTHING);
    ck_assert_int_eq(form.focus, ELEMENT_USER);
    type("alice");
    ck_assert_int_eq(press(FORM_KEY_ENTER), FORM_NOTHING);
    ck_assert_int_eq(form.focus, ELEMENT_PASSWORD);
}
END_TEST

START_TEST(a_known_name_puts_the_caret_into_the_password)
{
    form_prefill(&form, "alice");
    ck_assert_int_eq(form.focus, ELEMENT_PASSWORD);
}
END_TEST

START_TEST(editing_moves_and_deletes_whole_characters)
{
    form_prefill(&form, "");
    type("aäb€");
    press(FORM_KEY_BACKSPACE);
    ck_assert_str_eq(form.user.text, "aäb");
    press(FORM_KEY_LEFT);
    press(FORM_KEY_LEFT);
    type("x");
    ck_assert_str_eq(form.user.text, "axäb");
    press(FORM_KEY_DELETE);
    ck_assert_str_eq(form.user.text, "axb");
    press(FORM_KEY_HOME);
    press(FORM_KEY_BACKSPACE);
    press(FORM_KEY_DELETE);
    ck_assert_str_eq(form.user.text, "xb");
    press(FORM_KEY_END);
    press(FORM_KEY_RIGHT);
    press(FORM_KEY_DELETE);
    ck_assert_str_eq(form.user.text, "xb");
    press(FORM_KEY_CLEAR);
    ck_assert_str_eq(form.user.text, "");
}
END_TEST

START_TEST(a_field_takes_no_more_than_fits)
{
    form_prefill(&form, "");
    for (guint i = 0; i < 200; i++)
        type("ä");
    ck_assert_uint_eq(strlen(form.user.text), 62);
    ck_assert(g_utf8_validate(form.user.text, -1, NULL));
}
END_TEST

START_TEST(a_prefilled_name_that_is_cut_or_garbage_stays_text)
{
    g_autofree char *longer = g_strnfill(62, 'a'), *cut = g_strconcat(longer, "ä", NULL);
    form_prefill(&form, cut);
    ck_assert_str_eq(form.user.text, longer);
    form_prefill(&form, "ab\xff\xfe");
    ck_assert_str_eq(form.user.text, "ab");
}
END_TEST

START_TEST(a_refusal_empties_the_password_and_says_why)
{
    char buffer[600];
    form_prefill(&form, "alice");
    type("wrong");
    ck_assert_int_eq(press(FORM_KEY_ENTER), FORM_LOGIN);
    form_signing_in(&form);
    ck_assert(form_is_waiting(&form));
    type("x");
    ck_assert_str_eq(form.password.text, "wrong");
    answer(SEAT_LOGIN_DENIED, 0, "Name or password is wrong.");
    ck_assert_int_eq(form.screen, SCREEN_LOGIN);
    ck_assert_int_eq(form.focus, ELEMENT_PASSWORD);
    for (guint i = 0; i < sizeof form.password.text; i++)
        ck_assert_int_eq(form.password.text[i], 0);
    ck_assert_str_eq(form_message(&form, 0, buffer, sizeof buffer), "Name or password is wrong.");
}
END_TEST

START_TEST(a_throttled_login_waits_its_time)
{
    char buffer[600];
    form_prefill(&form, "alice");
    answer(SEAT_LOGIN_WAIT, 2500, "Too many attempts.");
    type("secret");
    ck_assert_int_eq(press(FORM_KEY_ENTER), FORM_NOTHING);
    ck_assert_str_eq(form_message(&form, 0, buffer, sizeof buffer),
                     "Too many attempts. You can try again in 3 seconds.");
    ck_assert_int_eq(form_key(&form, FORM_KEY_ENTER, NULL, FALSE, 2500001), FORM_LOGIN);
}
END_TEST

START_TEST(one_desktop_is_not_asked_for)
{
    form_prefill(&form, "alice");
    answer(SEAT_LOGIN_OK, 0, "");
    offer(1);
    ck_assert_int_eq(form.screen, SCREEN_WAIT);
    progress(GREETER_PHASE_STARTING);
    ck_assert_int_eq(form.screen, SCREEN_PROGRESS);
    ck_assert_int_eq(press(FORM_KEY_ESCAPE), FORM_NOTHING);
}
END_TEST

START_TEST(several_desktops_are_chosen_with_arrows_and_enter)
{
    form_prefill(&form, "alice");
    answer(SEAT_LOGIN_OK, 0, "");
    offer(30);
    ck_assert_int_eq(form.screen, SCREEN_CHOICE);
    press(FORM_KEY_UP);
    ck_assert_uint_eq(form.selected, 0);
    press(FORM_KEY_DOWN);
    press(FORM_KEY_PAGE_DOWN);
    ck_assert_uint_eq(form.selected, 6);
    press(FORM_KEY_END);
    ck_assert_uint_eq(form.selected, 29);
    ck_assert_int_eq(press(FORM_KEY_ENTER), FORM_CHOOSE);
    ck_assert_str_eq(form.desktop, "d30");
    ck_assert_int_eq(form.screen, SCREEN_PROGRESS);
    offer(30);
    ck_assert_int_eq(form.screen, SCREEN_PROGRESS);
    ck_assert_int_eq(press(FORM_KEY_ESCAPE), FORM_CANCEL);
    ck_assert_int_eq(form.screen, SCREEN_CHOICE);
    ck_assert_int_eq(form_press(&form, ELEMENT_ROW, 4, 0), FORM_CHOOSE);
    ck_assert_str_eq(form.desktop, "d5");
}
END_TEST

START_TEST(a_shorter_list_keeps_the_selection_inside)
{
    answer(SEAT_LOGIN_OK, 0, "");
    offer(10);
    press(FORM_KEY_END);
    offer(3);
    ck_assert_uint_eq(form.selected, 2);
    offer(0);
    ck_assert_int_eq(form.screen, SCREEN_NONE);
    ck_assert_int_eq(form_press(&form, ELEMENT_ROW, 0, 0), FORM_NOTHING);
    offer(2);
    ck_assert_int_eq(form.screen, SCREEN_CHOICE);
}
END_TEST

START_TEST(an_enter_that_is_held_decides_once)
{
    offer(2);
    ck_assert_int_eq(form_key(&form, FORM_KEY_ENTER, NULL, FALSE, 0), FORM_CHOOSE);
    ck_assert_int_eq(form_key(&form, FORM_KEY_ENTER, NULL, TRUE, 0), FORM_NOTHING);
    ck_assert_int_eq(form_key(&form, FORM_KEY_TEXT, " ", TRUE, 0), FORM_NOTHING);
    ck_assert_int_eq(form.screen, SCREEN_PROGRESS);
    ck_assert_int_eq(form_key(&form, FORM_KEY_ENTER, NULL, FALSE, 0), FORM_CANCEL);
}
END_TEST

START_TEST(a_space_that_is_held_fills_a_field_and_presses_no_button)
{
    form_prefill(&form, "alice");
    form_key(&form, FORM_KEY_TEXT, " ", TRUE, 0);
    ck_assert_str_eq(form.password.text, " ");
    press(FORM_KEY_NEXT);
    ck_assert_int_eq(form_key(&form, FORM_KEY_TEXT, " ", TRUE, 0), FORM_NOTHING);
    ck_assert_int_eq(form_key(&form, FORM_KEY_TEXT, " ", FALSE, 0), FORM_LOGIN);
}
END_TEST

START_TEST(enter_tries_a_failed_or_switched_off_desktop_again)
{
    static const GreeterPhase phases[] = {GREETER_PHASE_FAILED, GREETER_PHASE_OFF};
    for (guint i = 0; i < 2; i++) {
        progress(phases[i]);
        ck_assert_int_eq(form.screen, i ? SCREEN_OFF : SCREEN_FAILED);
        ck_assert_int_eq(press(FORM_KEY_ESCAPE), FORM_NOTHING);
        ck_assert_int_eq(press(FORM_KEY_ENTER), FORM_CHOOSE);
        ck_assert_str_eq(form.desktop, "d2");
        ck_assert_int_eq(form.screen, SCREEN_PROGRESS);
    }
}
END_TEST

START_TEST(the_other_desktops_can_be_reached_by_tab)
{
    offer(2);
    answer(SEAT_LOGIN_OK, 0, "");
    offer(2);
    progress(GREETER_PHASE_FAILED);
    press(FORM_KEY_NEXT);
    ck_assert_int_eq(form.focus, ELEMENT_BACK);
    ck_assert_int_eq(press(FORM_KEY_ENTER), FORM_CANCEL);
    ck_assert_int_eq(form.screen, SCREEN_CHOICE);
}
END_TEST

START_TEST(a_list_whose_numbers_lie_is_refused)
{
    g_autofree GreeterDesktops *packet = g_malloc0(sizeof *packet + 2 * sizeof(GreeterDesktop));
    gsize size = sizeof *packet + 2 * sizeof(GreeterDesktop);
    *packet = (GreeterDesktops){.count = 2, .total = 2};
    ck_assert(form_desktops_fit(packet, size));
    ck_assert(!form_desktops_fit(packet, size - 1));
    packet->first = 1;
    ck_assert(!form_desktops_fit(packet, size));
    *packet = (GreeterDesktops){.count = 3, .total = 3};
    ck_assert(!form_desktops_fit(packet, size));
    *packet = (GreeterDesktops){.count = 2, .total = G_MAXUINT32, .first = G_MAXUINT32 - 1};
    ck_assert(!form_desktops_fit(packet, size));
    *packet = (GreeterDesktops){.count = 2, .total = 2};
    memset(packet->desktops[1].name, 'x', sizeof packet->desktops[1].name);
    ck_assert(!form_desktops_fit(packet, size));
    packet->desktops[1].name[3] = '\0';
    packet->desktops[0].state = 9;
    ck_assert(!form_desktops_fit(packet, size));
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("greeter form");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, the_keyboard_alone_signs_in);
    tcase_add_test(cases, enter_after_the_name_goes_to_the_password);
    tcase_add_test(cases, a_known_name_puts_the_caret_into_the_password);
    tcase_add_test(cases, editing_moves_and_deletes_whole_characters);
    tcase_add_test(cases, a_field_takes_no_more_than_fits);
    tcase_add_test(cases, a_prefilled_name_that_is_cut_or_garbage_stays_text);
    tcase_add_test(cases, a_refusal_empties_the_password_and_says_why);
    tcase_add_test(cases, a_throttled_login_waits_its_time);
    tcase_add_test(cases, one_desktop_is_not_asked_for);
    tcase_add_test(cases, several_desktops_are_chosen_with_arrows_and_enter);
    tcase_add_test(cases, a_shorter_list_keeps_the_selection_inside);
    tcase_add_test(cases, enter_tries_a_failed_or_switched_off_desktop_again);
    tcase_add_test(cases, the_other_desktops_can_be_reached_by_tab);
    tcase_add_test(cases, a_list_whose_numbers_lie_is_refused);
    tcase_add_test(cases, an_enter_that_is_held_decides_once);
    tcase_add_test(cases, a_space_that_is_held_fills_a_field_and_presses_no_button);
    return suite_run("greeter form", cases);
}
