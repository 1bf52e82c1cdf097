/* What a person may do through the web's link, and what ends when. */
#include "tests/unit/control/harness.h"

#include "auth/token.h"
#include "tests/unit/suite.h"

#include <string.h>

static char *session;

static void setup(void)
{
    harness_setup();
    make_user("alice", "secret", FALSE);
    make_user("bob", "secret", FALSE);
    make_desktop("d1");
    make_desktop("d2");
    cli_run(NULL, "assign", "d1", "alice", NULL);
    session = web_login("alice", "secret");
}

static void teardown(void)
{
    g_clear_pointer(&session, g_free);
    harness_teardown();
}

START_TEST(a_login_gives_a_session_that_knows_its_user)
{
    JsonObject *who = web_call("session.whoami", session, NULL, NULL);
    ck_assert_str_eq(json_object_get_string_member(who, "user"), "alice");
    ck_assert(!json_object_get_boolean_member(who, "admin"));
}
END_TEST

START_TEST(a_wrong_password_an_unknown_and_a_disabled_user_get_the_same_answer)
{
    cli_run(NULL, "user", "disable", "bob", NULL);
    static const char *const tries[] = {"{\"username\":\"alice\",\"password\":\"wrong\"}",
                                        "{\"username\":\"nobody\",\"password\":\"wrong\"}",
                                        "{\"username\":\"bob\",\"password\":\"secret\"}",
                                        "{\"username\":\"no name at all!\",\"password\":\"x\"}"};
    g_autofree char *first = NULL;
    for (guint i = 0; i < G_N_ELEMENTS(tries); i++) {
        const char *message =
            json_object_get_string_member(web_call("session.login", NULL, tries[i], "denied"), "message");
        if (!first)
            first = g_strdup(message);
        ck_assert_str_eq(message, first);
    }
}
END_TEST

START_TEST(guessing_is_told_to_wait_and_for_how_long)
{
    for (guint i = 0; i < 3; i++)
        web_call("session.login", NULL, "{\"username\":\"alice\",\"password\":\"wrong\"}",
                 i < 3 ? "denied" : "wait");
    JsonObject *error =
        web_call("session.login", NULL, "{\"username\":\"alice\",\"password\":\"wrong\"}", "wait");
    ck_assert_int_gt(json_object_get_int_member(error, "retry_after_ms"), 0);
    error = web_call("session.login", NULL, "{\"username\":\"alice\",\"password\":\"secret\"}", "wait");
    ck_assert_int_le(json_object_get_int_member(error, "retry_after_ms"), 60000);
}
END_TEST

START_TEST(without_a_session_nothing_is_told_but_that_it_is_missing)
{
    static const char *const handles[] = {NULL, "x", "fws1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    for (guint i = 0; i < G_N_ELEMENTS(handles); i++) {
        JsonObject *error = web_call("desktop.mine", handles[i], NULL, "denied");
        ck_assert(!json_object_get_boolean_member(error, "session"));
    }
}
END_TEST

START_TEST(only_own_desktops_are_listed_and_usable_and_others_seem_not_to_exist)
{
    JsonObject *answer = web_call("desktop.mine", session, NULL, NULL);
    JsonArray *mine = json_object_get_array_member(answer, "result");
    ck_assert_uint_eq(json_array_get_length(mine), 1);
    JsonObject *desktop = json_array_get_object_element(mine, 0);
    ck_assert_str_eq(json_object_get_string_member(desktop, "name"), "d1");
    ck_assert(!json_object_get_boolean_member(desktop, "connected"));
    static const char *const verbs[] = {"desktop.connect", "desktop.rdp-file", "desktop.thumbnail",
                                        "desktop.power"};
    for (guint i = 0; i < G_N_ELEMENTS(verbs); i++) {
        const char *args[] = {i == 3 ? "{\"name\":\"d2\",\"action\":\"start\"}" : "{\"name\":\"d2\"}",
                              i == 3 ? "{\"name\":\"d9\",\"action\":\"start\"}" : "{\"name\":\"d9\"}"};
        g_autofree char *message = g_strdup(
            json_object_get_string_member(web_call(verbs[i], session, args[0], "not-found"), "message"));
        ck_assert_str_eq(message, "No desktop d2 is assigned to you.");
        ck_assert_str_eq(
            json_object_get_string_member(web_call(verbs[i], session, args[1], "not-found"), "message"),
            "No desktop d9 is assigned to you.");
    }
    ck_assert_uint_eq(harness.powered, 0);
}
END_TEST

START_TEST(a_try_at_somebody_else_s_desktop_is_in_the_audit)
{
    static const char *const expected[] = {"ticket", "desktop.rdp-file", "desktop.stop"};
    web_call("desktop.connect", session, "{\"name\":\"d2\"}", "not-found");
    web_call("desktop.rdp-file", session, "{\"name\":\"d2\"}", "not-found");
    /* A page asks for these again and again, also for a desktop that was taken away meanwhile. */
    web_call("desktop.thumbnail", session, "{\"name\":\"d2\"}", "not-found");
    web_call("desktop.power", session, "{\"name\":\"d2\",\"action\":\"stop\"}", "not-found");
    JsonArray *rows = json_node_get_array(cli_json(0, NULL, "audit", "--limit", "3", NULL));
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        JsonObject *row = json_array_get_object_element(rows, 2 - i);
        ck_assert_str_eq(json_object_get_string_member(row, "actor"), "user:alice");
        ck_assert_str_eq(json_object_get_string_member(row, "action"), expected[i]);
        ck_assert(g_str_has_prefix(json_object_get_string_member(row, "object"), "d2"));
        ck_assert_str_eq(json_object_get_string_member(row, "result"), "denied");
    }
}
END_TEST

START_TEST(a_browser_is_told_no_commands)
{
    make_user("root2", "secret", TRUE);
    g_autofree char *admin = web_login("root2", "secret");
    JsonObject *error = web_call("user.show", admin, "{\"name\":\"nobody\"}", "not-found");
    ck_assert(!json_object_has_member(error, "hint"));
    error = web_call("desktop.remove", admin, "{\"name\":\"d1\"}", "conflict");
    ck_assert_str_eq(json_object_get_string_member(error, "hint"), "Take it from its user first.");
    error = cli_object(4, NULL, "desktop", "remove", "d1", NULL);
    ck_assert_str_eq(json_object_get_string_member(error, "hint"), "fernwerk unassign d1");
}
END_TEST

static StoreResult redeemed;
static char redeemed_user[64];

static void on_redeemed(StoreReply *reply, gpointer data)
{
    redeemed = reply->result;
    g_strlcpy(redeemed_user, reply->user ? reply->user->name : "", sizeof redeemed_user);
    *(gboolean *)data = TRUE;
}

static StoreResult redeem(const char *ticket)
{
    guint8 hash[TOKEN_HASH_SIZE];
    gboolean done = FALSE;
    ck_assert(token_parse(TOKEN_TICKET, ticket, strlen(ticket), hash));
    store_ticket_redeem(harness.store, hash, "web", "192.0.2.1", on_redeemed, &done);
    while (!done)
        g_main_context_iteration(NULL, TRUE);
    return redeemed;
}

START_TEST(the_list_names_the_connection_that_holds_a_desktop)
{
    StoreGrant grant = {
        .user = "alice", .desktop = "d1", .serial = 1, .protocol = "vnc", .address = "192.0.2.9"};
    JsonArray *mine = json_object_get_array_member(web_call("desktop.mine", session, NULL, NULL), "result");
    ck_assert(json_object_get_null_member(json_array_get_object_element(mine, 0), "connection"));
    store_lease_grant(harness.store, &grant, NULL, NULL);
    mine = json_object_get_array_member(web_call("desktop.mine", session, NULL, NULL), "result");
    JsonObject *desktop = json_array_get_object_element(mine, 0);
    ck_assert(json_object_get_boolean_member(desktop, "connected"));
    JsonObject *connection = json_object_get_object_member(desktop, "connection");
    ck_assert_str_eq(json_object_get_string_member(connection, "protocol"), "vnc");
    ck_assert_int_gt(json_object_get_int_member(connection, "id"), 0);
}
END_TEST

START_TEST(connect_gives_a_ticket_that_works_once)
{
    JsonObject *result = web_call("desktop.connect", session, "{\"name\":\"d1\",\"protocol\":\"web\"}", NULL);
    g_autofree char *ticket = g_strdup(json_object_get_string_member(result, "ticket"));
    ck_assert_int_eq(redeem(ticket), STORE_OK);
    ck_assert_str_eq(redeemed_user, "alice");
    ck_assert_int_eq(redeem(ticket), STORE_DENIED);
}
END_TEST

START_TEST(logging_out_ends_the_session_and_its_tickets)
{
    JsonObject *result = web_call("desktop.connect", session, "{\"name\":\"d1\"}", NULL);
    g_autofree char *ticket = g_strdup(json_object_get_string_member(result, "ticket"));
    web_call("session.logout", session, NULL, NULL);
    web_call("session.whoami", session, NULL, "denied");
    ck_assert_int_eq(redeem(ticket), STORE_DENIED);
    /* Somebody who came by a ticket may be at a greeter, without a connection. */
    ck_assert_uint_eq(harness.revoked, 1);
}
END_TEST

START_TEST(an_own_password_change_needs_the_old_one_and_ends_the_other_sessions)
{
    g_autofree char *other = web_login("alice", "secret");
    web_call("password.change", session, "{\"old\":\"wrong\",\"new\":\"long enough\"}", "denied");
    web_call("password.change", session, "{\"old\":\"secret\",\"new\":\"short\"}", "usage");
    web_call("password.change", session, "{\"old\":\"secret\",\"new\":\"long enough\"}", NULL);
    web_call("session.whoami", session, NULL, NULL);
    web_call("session.whoami", other, NULL, "denied");
    g_free(web_login("alice", "long enough"));
    ck_assert_uint_eq(harness.revoked, 1);
}
END_TEST

START_TEST(an_admin_s_password_change_ends_the_session_at_once)
{
    cli_run("new one", "user", "passwd", "alice", "--password-stdin", NULL);
    web_call("session.whoami", session, NULL, "denied");
    ck_assert_str_eq(harness.last_user, "alice");
}
END_TEST

START_TEST(an_own_desktop_can_be_switched)
{
    web_call("desktop.power", session, "{\"name\":\"d1\",\"action\":\"restart\"}", NULL);
    ck_assert_uint_eq(harness.powered, 1);
    ck_assert_int_eq(harness.last_power, CONTROL_RESTART);
    web_call("desktop.power", session, "{\"name\":\"d1\",\"action\":\"explode\"}", "usage");
}
END_TEST

START_TEST(a_switch_that_takes_long_is_answered_with_the_state_so_far)
{
    harness.silent = TRUE;
    harness.state = DESKTOP_STOPPING;
    JsonObject *desktop = web_call("desktop.power", session, "{\"name\":\"d1\",\"action\":\"stop\"}", NULL);
    ck_assert_str_eq(json_object_get_string_member(desktop, "state"), "stopping");
    harness_finish_power();
    web_call("session.whoami", session, NULL, NULL);
}
END_TEST

START_TEST(a_thumbnail_is_a_png)
{
    JsonObject *result = web_call("desktop.thumbnail", session, "{\"name\":\"d1\"}", NULL);
    ck_assert_str_eq(json_object_get_string_member(result, "png"), "iVBORw==");
    ck_assert_int_eq(json_object_get_int_member(result, "width"), 320);
}
END_TEST

static void expect_address(const char *host, const char *line)
{
    g_autofree char *args = g_strdup_printf("{\"name\":\"d1\",\"host\":\"%s\"}", host);
    JsonObject *result = web_call("desktop.rdp-file", session, args, NULL);
    const char *content = json_object_get_string_member(result, "content");
    g_autofree char *full = g_strdup_printf("full address:s:%s\r\n", line);
    ck_assert_msg(g_str_has_prefix(content, full), "%s", content);
}

START_TEST(the_rdp_file_names_host_user_and_desktop_and_switches_nla_off)
{
    JsonObject *result =
        web_call("desktop.rdp-file", session, "{\"name\":\"d1\",\"host\":\"vdi.example\"}", NULL);
    const char *content = json_object_get_string_member(result, "content");
    ck_assert_str_eq(json_object_get_string_member(result, "filename"), "fernwerk-d1.rdp");
    ck_assert_ptr_nonnull(strstr(content, "username:s:alice\r\n"));
    ck_assert_ptr_nonnull(strstr(content, "loadbalanceinfo:s:fernwerk.desktop=d1\r\n"));
    ck_assert_ptr_nonnull(strstr(content, "enablecredsspsupport:i:0\r\n"));
    expect_address("vdi.example:8443", "vdi.example");
    expect_address("[2001:db8::1]:8443", "[2001:db8::1]");
    expect_address("2001:db8::1", "[2001:db8::1]");
    web_call("desktop.rdp-file", session, "{\"name\":\"d1\",\"host\":\"a b\"}", "usage");
    web_call("desktop.rdp-file", session, "{\"name\":\"d1\",\"host\":\"a\\r\\nb\"}", "usage");
}
END_TEST

START_TEST(the_rdp_file_has_the_port_that_was_found_at_start)
{
    g_autofree char *ready = g_build_filename(harness.folder, "ready", NULL);
    ck_assert(g_file_set_contents(ready, "pid=1\nrdp=127.0.0.1:40123\nhttps=127.0.0.1:40124\n", -1, NULL));
    expect_address("vdi.example", "vdi.example:40123");
}
END_TEST

START_TEST(there_is_no_rdp_file_where_rdp_is_off)
{
    g_autofree char *ready = g_build_filename(harness.folder, "ready", NULL);
    ck_assert(g_file_set_contents(ready, "pid=1\nhttps=127.0.0.1:40124\n", -1, NULL));
    JsonObject *error =
        web_call("desktop.rdp-file", session, "{\"name\":\"d1\",\"host\":\"vdi.example\"}", "not-found");
    ck_assert_str_eq(json_object_get_string_member(error, "message"), "RDP is off on this server.");
}
END_TEST

int main(void)
{
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, a_login_gives_a_session_that_knows_its_user);
    tcase_add_test(all, a_wrong_password_an_unknown_and_a_disabled_user_get_the_same_answer);
    tcase_add_test(all, guessing_is_told_to_wait_and_for_how_long);
    tcase_add_test(all, without_a_session_nothing_is_told_but_that_it_is_missing);
    tcase_add_test(all, only_own_desktops_are_listed_and_usable_and_others_seem_not_to_exist);
    tcase_add_test(all, a_try_at_somebody_else_s_desktop_is_in_the_audit);
    tcase_add_test(all, a_browser_is_told_no_commands);
    tcase_add_test(all, there_is_no_rdp_file_where_rdp_is_off);
    tcase_add_test(all, the_list_names_the_connection_that_holds_a_desktop);
    tcase_add_test(all, connect_gives_a_ticket_that_works_once);
    tcase_add_test(all, logging_out_ends_the_session_and_its_tickets);
    tcase_add_test(all, an_own_password_change_needs_the_old_one_and_ends_the_other_sessions);
    tcase_add_test(all, an_admin_s_password_change_ends_the_session_at_once);
    tcase_add_test(all, an_own_desktop_can_be_switched);
    tcase_add_test(all, a_switch_that_takes_long_is_answered_with_the_state_so_far);
    tcase_add_test(all, a_thumbnail_is_a_png);
    tcase_add_test(all, the_rdp_file_names_host_user_and_desktop_and_switches_nla_off);
    tcase_add_test(all, the_rdp_file_has_the_port_that_was_found_at_start);
    return suite_run("portal", all);
}
