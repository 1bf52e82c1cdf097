/* Every verb of the table, tried by everybody. */
#include "tests/unit/control/harness.h"

#include "broker/control/verbs.h"
#include "tests/unit/suite.h"

#include <string.h>

static char *user_session, *admin_session;

static void setup(void)
{
    harness_setup();
    make_user("alice", "secret", FALSE);
    make_user("root2", "secret", TRUE);
    user_session = web_login("alice", "secret");
    admin_session = web_login("root2", "secret");
}

static void teardown(void)
{
    g_clear_pointer(&user_session, g_free);
    g_clear_pointer(&admin_session, g_free);
    harness_teardown();
}

typedef enum { ALLOWED, NO_SESSION, NO_RIGHT } Verdict;

/* An argument that no verb takes: who gets as far as being told so has the right to the verb, and nothing
 * happens. */
static Verdict verdict(const char *verb, const char *session)
{
    g_autofree char *line = g_strdup_printf(
        "{\"id\":1,\"verb\":\"%s\"%s%s%s,\"source\":\"192.0.2.1\",\"args\":{\"no such argument\":1}}", verb,
        session ? ",\"session\":\"" : "", session ? session : "", session ? "\"" : "");
    JsonObject *error = json_object_get_object_member(web_raw(line), "error");
    const char *code = json_object_get_string_member(error, "code");
    if (strcmp(code, "usage") == 0)
        return ALLOWED;
    ck_assert_str_eq(code, "denied");
    return json_object_get_boolean_member_with_default(error, "session", TRUE) ? NO_RIGHT : NO_SESSION;
}

START_TEST(every_verb_is_open_to_its_roles_and_to_nobody_else)
{
    for (const Verb *verb = verbs; verb < verbs + VERB_COUNT; verb++) {
        Verdict nobody = verb->role == ROLE_ANY ? ALLOWED : NO_SESSION;
        Verdict user = verb->role == ROLE_ADMIN ? NO_RIGHT : ALLOWED;
        ck_assert_msg(verdict(verb->name, NULL) == nobody, "%s without a session", verb->name);
        ck_assert_msg(verdict(verb->name, user_session) == user, "%s as a user", verb->name);
        ck_assert_msg(verdict(verb->name, admin_session) == ALLOWED, "%s as an admin", verb->name);
    }
}
END_TEST

START_TEST(the_admin_socket_gives_the_admin_s_verbs_and_no_person_s)
{
    int fd = connect_admin();
    for (const Verb *verb = verbs; verb < verbs + VERB_COUNT; verb++) {
        g_autofree char *line =
            g_strdup_printf("{\"id\":1,\"verb\":\"%s\",\"args\":{\"no such argument\":1}}\n", verb->name);
        g_autofree char *answer = exchange_line(fd, line, -1);
        ck_assert_msg(strstr(answer, verb->role == ROLE_USER ? "\"denied\"" : "\"usage\"") != NULL, "%s: %s",
                      verb->name, answer);
    }
}
END_TEST

START_TEST(a_session_on_the_admin_socket_has_that_session_s_rights_only)
{
    int fd = connect_admin();
    g_autofree char *line =
        g_strdup_printf("{\"id\":1,\"verb\":\"user.list\",\"session\":\"%s\"}\n", user_session);
    g_autofree char *answer = exchange_line(fd, line, -1);
    ck_assert_ptr_nonnull(strstr(answer, "\"denied\""));
}
END_TEST

START_TEST(a_user_s_try_at_an_admin_verb_is_in_the_audit)
{
    web_call("user.list", user_session, NULL, "denied");
    JsonArray *rows = json_node_get_array(cli_json(0, NULL, "audit", "--limit", "1", NULL));
    JsonObject *row = json_array_get_object_element(rows, 0);
    ck_assert_str_eq(json_object_get_string_member(row, "actor"), "user:alice");
    ck_assert_str_eq(json_object_get_string_member(row, "action"), "user.list");
    ck_assert_str_eq(json_object_get_string_member(row, "result"), "denied");
}
END_TEST

START_TEST(an_admin_s_acts_over_the_web_carry_his_name)
{
    web_call("user.disable", admin_session, "{\"name\":\"alice\"}", NULL);
    JsonArray *rows = json_node_get_array(cli_json(0, NULL, "audit", "--limit", "1", NULL));
    ck_assert_str_eq(json_object_get_string_member(json_array_get_object_element(rows, 0), "actor"),
                     "user:root2");
}
END_TEST

int main(void)
{
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, every_verb_is_open_to_its_roles_and_to_nobody_else);
    tcase_add_test(all, the_admin_socket_gives_the_admin_s_verbs_and_no_person_s);
    tcase_add_test(all, a_session_on_the_admin_socket_has_that_session_s_rights_only);
    tcase_add_test(all, a_user_s_try_at_an_admin_verb_is_in_the_audit);
    tcase_add_test(all, an_admin_s_acts_over_the_web_carry_his_name);
    return suite_run("roles", all);
}
