/* One way in for all protocols: same throttle, same time, same answer, all in the audit. */
#include "tests/unit/control/harness.h"
#include "tests/unit/suite.h"

#include <string.h>

static LoginResult result;
static guint retry_after_ms;
static char name[64];
static gboolean answered;

static void on_answer(const LoginOutcome *outcome, gpointer data)
{
    result = outcome->result;
    retry_after_ms = outcome->retry_after_ms;
    g_strlcpy(name, outcome->user ? outcome->user->name : "", sizeof name);
    ck_assert((outcome->result == LOGIN_OK) == (*outcome->text == 0));
    answered = TRUE;
}

static LoginResult check_from(const char *user, const char *password, const char *protocol,
                              const char *address)
{
    LoginAttempt attempt = {user, password, protocol, address};
    answered = FALSE;
    login_check(harness.login, &attempt, on_answer, NULL);
    ck_assert_msg(!answered, "answered from inside the call");
    while (!answered)
        g_main_context_iteration(NULL, TRUE);
    return result;
}

static LoginResult check_login(const char *user, const char *password)
{
    return check_from(user, password, "rdp", "192.0.2.1");
}

static void setup(void)
{
    harness_setup();
    make_user("alice", "secret", FALSE);
}

START_TEST(the_right_password_gives_the_account_by_its_own_name)
{
    ck_assert_int_eq(check_login("ALICE", "secret"), LOGIN_OK);
    ck_assert_str_eq(name, "alice");
}
END_TEST

START_TEST(wrong_unknown_empty_and_endless_are_all_denied)
{
    g_autofree char *endless = g_strnfill(5000, 'x');
    ck_assert_int_eq(check_from("alice", "wrong", "rdp", "192.0.2.1"), LOGIN_DENIED);
    ck_assert_int_eq(check_from("nobody", "wrong", "vnc", "192.0.2.2"), LOGIN_DENIED);
    ck_assert_int_eq(check_from("", "", "web", "192.0.2.3"), LOGIN_DENIED);
    ck_assert_int_eq(check_from("alice", endless, "web", "192.0.2.4"), LOGIN_DENIED);
    ck_assert_int_eq(check_from(endless, "x", "web", "192.0.2.5"), LOGIN_DENIED);
}
END_TEST

START_TEST(failures_over_one_protocol_slow_down_the_others)
{
    ck_assert_int_eq(check_from("alice", "wrong", "rdp", "192.0.2.1"), LOGIN_DENIED);
    ck_assert_int_eq(check_from("alice", "wrong", "vnc", "192.0.2.1"), LOGIN_DENIED);
    ck_assert_int_eq(check_from("alice", "wrong", "web", "192.0.2.1"), LOGIN_DENIED);
    ck_assert_int_eq(check_from("alice", "secret", "rdp", "192.0.2.1"), LOGIN_WAIT);
    ck_assert_uint_gt(retry_after_ms, 0);
    ck_assert_int_eq(check_from("alice", "secret", "rdp", "198.51.100.1"), LOGIN_OK);
}
END_TEST

START_TEST(after_the_delay_the_right_password_works)
{
    for (guint i = 0; i < 3; i++)
        check_login("alice", "wrong");
    ck_assert_int_eq(check_login("alice", "secret"), LOGIN_WAIT);
    g_usleep((retry_after_ms + 5) * 1000);
    ck_assert_int_eq(check_login("alice", "secret"), LOGIN_OK);
}
END_TEST

static guint count_audit(const char *actor, const char *outcome);

START_TEST(every_decided_attempt_and_the_first_refusal_are_in_the_audit)
{
    check_login("alice", "secret");
    for (guint i = 0; i < 3; i++)
        check_login("mallory", "wrong");
    for (guint i = 0; i < 5; i++)
        ck_assert_int_eq(check_login("mallory", "wrong"), LOGIN_WAIT);
    ck_assert_uint_eq(count_audit("user:alice", "ok"), 1);
    ck_assert_uint_eq(count_audit("claim:mallory", "denied"), 3);
    ck_assert_uint_eq(count_audit("claim:mallory", "throttled"), 1);
}
END_TEST

static GPtrArray *rows;

static void on_rows(StoreReply *reply, gpointer data)
{
    rows = g_steal_pointer(&reply->audit);
}

static guint count_audit(const char *actor, const char *outcome)
{
    guint found = 0;
    rows = NULL;
    store_audit_list(harness.store, 1000, 0, on_rows, NULL);
    while (!rows)
        g_main_context_iteration(NULL, TRUE);
    for (guint i = 0; i < rows->len; i++) {
        const StoreAudit *row = rows->pdata[i];
        found += strcmp(row->actor, actor) == 0 && strcmp(row->result, outcome) == 0;
    }
    g_ptr_array_unref(rows);
    return found;
}

static char *hash_of_alice;

static void on_secret(StoreReply *reply, gpointer data)
{
    g_free(hash_of_alice);
    hash_of_alice = g_strdup(reply->user->hash);
    *(gboolean *)data = TRUE;
}

static gboolean alice_is_hashed_with(const char *parameters)
{
    gboolean done = FALSE;
    store_user_secret(harness.store, "alice", on_secret, &done);
    while (!done)
        g_main_context_iteration(NULL, TRUE);
    return g_str_has_prefix(hash_of_alice, parameters);
}

START_TEST(new_settings_reach_an_account_at_its_next_login)
{
    static const char *const text = "[broker]\nargon2_memory_kib = 8192\nargon2_passes = 3\n";
    g_autoptr(Config) config = config_parse("test", text, strlen(text), NULL);
    ck_assert(alice_is_hashed_with("$argon2id$v=19$m=8192,t=1,p=1$"));
    login_free(harness.login);
    harness.login = login_new(harness.store, config, NULL);
    ck_assert_int_eq(check_login("alice", "wrong"), LOGIN_DENIED);
    ck_assert_int_eq(check_login("alice", "secret"), LOGIN_OK);
    while (!alice_is_hashed_with("$argon2id$v=19$m=8192,t=3,p=1$"))
        g_usleep(1000);
    ck_assert_int_eq(check_login("alice", "secret"), LOGIN_OK);
    g_clear_pointer(&hash_of_alice, g_free);
}
END_TEST

static gint64 time_of_attempt(const char *user, const char *address)
{
    gint64 began = g_get_monotonic_time();
    ck_assert_int_eq(check_from(user, "wrong", "rdp", address), LOGIN_DENIED);
    return g_get_monotonic_time() - began;
}

START_TEST(an_unknown_user_takes_as_long_as_a_known_one)
{
    /* In turns, so that what else the machine does meets both alike. */
    gint64 known = G_MAXINT64, unknown = G_MAXINT64;
    for (guint i = 0; i < 3; i++) {
        g_autofree char *address = g_strdup_printf("203.0.113.%u", i + 1);
        known = MIN(known, time_of_attempt("alice", address));
        unknown = MIN(unknown, time_of_attempt("nobody", address));
    }
    ck_assert_msg(unknown > known / 2 && unknown < known * 2, "known %ld us, unknown %ld us", (long)known,
                  (long)unknown);
}
END_TEST

int main(void)
{
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, setup, harness_teardown);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, the_right_password_gives_the_account_by_its_own_name);
    tcase_add_test(all, wrong_unknown_empty_and_endless_are_all_denied);
    tcase_add_test(all, failures_over_one_protocol_slow_down_the_others);
    tcase_add_test(all, after_the_delay_the_right_password_works);
    tcase_add_test(all, every_decided_attempt_and_the_first_refusal_are_in_the_audit);
    tcase_add_test(all, new_settings_reach_an_account_at_its_next_login);
    tcase_add_test(all, an_unknown_user_takes_as_long_as_a_known_one);
    return suite_run("login", all);
}
