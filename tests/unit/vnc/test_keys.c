/* Key numbers or keysyms. */
#include "session/vnc/keys.h"
#include "tests/unit/suite.h"

#define CODE_Y 0x15 /* where a German keyboard has z */
#define KEYSYM_Z 0x7a

static KeyForms forms;

static void setup(void)
{
    forms = (KeyForms){0};
}

static KeyForm choose(gboolean greeter, guint32 code, guint32 keysym, gboolean pressed, guint32 *sent)
{
    *sent = keysym;
    return keys_choose(&forms, greeter, code, sent, pressed);
}

START_TEST(a_greeter_gets_what_the_client_s_layout_made_of_the_key)
{
    guint32 sent;
    ck_assert_int_eq(choose(TRUE, CODE_Y, KEYSYM_Z, TRUE, &sent), KEY_AS_KEYSYM);
    ck_assert_uint_eq(sent, KEYSYM_Z);
    ck_assert_int_eq(choose(TRUE, CODE_Y, 'Z', FALSE, &sent), KEY_AS_KEYSYM);
    ck_assert_uint_eq(sent, KEYSYM_Z);
}
END_TEST

START_TEST(a_desktop_gets_the_key)
{
    guint32 sent;
    ck_assert_int_eq(choose(FALSE, CODE_Y, KEYSYM_Z, TRUE, &sent), KEY_AS_CODE);
    ck_assert_int_eq(choose(FALSE, CODE_Y, KEYSYM_Z, FALSE, &sent), KEY_AS_CODE);
}
END_TEST

START_TEST(a_key_is_let_go_as_it_was_pressed_wherever_the_client_is_by_then)
{
    guint32 sent;
    choose(TRUE, CODE_Y, KEYSYM_Z, TRUE, &sent);
    ck_assert_int_eq(choose(FALSE, CODE_Y, KEYSYM_Z, TRUE, &sent), KEY_AS_KEYSYM); /* a repeat */
    ck_assert_int_eq(choose(FALSE, CODE_Y, 0, FALSE, &sent), KEY_AS_KEYSYM);
    ck_assert_uint_eq(sent, KEYSYM_Z);
    ck_assert_int_eq(choose(FALSE, CODE_Y, KEYSYM_Z, TRUE, &sent), KEY_AS_CODE);
    ck_assert_int_eq(choose(TRUE, CODE_Y, KEYSYM_Z, FALSE, &sent), KEY_AS_CODE);
}
END_TEST

START_TEST(one_without_the_other_is_what_there_is)
{
    guint32 sent;
    ck_assert_int_eq(choose(TRUE, CODE_Y, 0, TRUE, &sent), KEY_AS_CODE);
    ck_assert_int_eq(choose(FALSE, 0, KEYSYM_Z, TRUE, &sent), KEY_AS_KEYSYM);
    ck_assert_int_eq(choose(FALSE, 300, 0, TRUE, &sent), KEY_IGNORED);
    ck_assert_int_eq(choose(TRUE, 0, 0x20000000, TRUE, &sent), KEY_IGNORED);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("vnc keys");
    tcase_add_checked_fixture(cases, setup, NULL);
    tcase_add_test(cases, a_greeter_gets_what_the_client_s_layout_made_of_the_key);
    tcase_add_test(cases, a_desktop_gets_the_key);
    tcase_add_test(cases, a_key_is_let_go_as_it_was_pressed_wherever_the_client_is_by_then);
    tcase_add_test(cases, one_without_the_other_is_what_there_is);
    return suite_run("vnc keys", cases);
}
