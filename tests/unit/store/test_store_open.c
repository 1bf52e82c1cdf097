/* The database is made, migrated, refused, and survives what is done to it. */
#include "tests/unit/store/harness.h"
#include "tests/unit/suite.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void raw(const char *sql)
{
    sqlite3 *database;
    ck_assert_int_eq(sqlite3_open(store_path, &database), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static void expect_refusal(StoreErrorCode code, const char *words)
{
    g_autoptr(GError) error = NULL;
    Store *refused = store_open(store_path, "node1", &error);
    ck_assert_ptr_null(refused);
    ck_assert(g_error_matches(error, STORE_ERROR, code));
    ck_assert_msg(strstr(error->message, words) != NULL, "%s", error->message);
}

START_TEST(a_new_database_is_private_to_its_owner)
{
    struct stat info;
    ck_assert_int_eq(g_stat(store_path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0600);
}
END_TEST

START_TEST(what_was_written_is_there_after_closing)
{
    make_user("alice");
    harness_reopen();
    ck_assert_int_eq(RESULT(store_user_show, "alice"), STORE_OK);
}
END_TEST

START_TEST(a_database_of_a_newer_version_is_refused_and_left_alone)
{
    g_clear_pointer(&store, store_close);
    raw("PRAGMA user_version = 999");
    expect_refusal(STORE_ERROR_NEWER_VERSION, "newer Fernwerk");
    expect_refusal(STORE_ERROR_NEWER_VERSION, "999");
}
END_TEST

START_TEST(somebody_elses_database_is_refused)
{
    g_clear_pointer(&store, store_close);
    raw("PRAGMA application_id = 77");
    expect_refusal(STORE_ERROR_FAILED, "not a database of Fernwerk");
}
END_TEST

START_TEST(a_file_that_is_no_database_is_refused)
{
    g_clear_pointer(&store, store_close);
    ck_assert(g_file_set_contents(store_path, "this is no database, it is a text of some length", -1, NULL));
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(store_open(store_path, "node1", &error));
    ck_assert_ptr_nonnull(error);
}
END_TEST

START_TEST(a_second_process_cannot_open_it)
{
    expect_refusal(STORE_ERROR_LOCKED, "another Fernwerk");
}
END_TEST

static void child(int out)
{
    Store *own = store_open(store_path, "node1", NULL);
    for (guint i = 0;; i++) {
        g_autofree char *name = g_strdup_printf("user%u", i);
        store_user_add(own, "test", name, FALSE, "$argon2id$x", harness_done, NULL);
        if (harness_wait()->result != STORE_OK || write(out, &i, sizeof i) < 0)
            _exit(1);
    }
}

START_TEST(what_was_acknowledged_survives_kill_9)
{
    int ends[2];
    guint last = 0, number;
    g_clear_pointer(&store, store_close);
    ck_assert_int_eq(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0)
        child(ends[1]);
    close(ends[1]);
    while (last < 20 && read(ends[0], &number, sizeof number) == sizeof number)
        last = number;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    while (read(ends[0], &number, sizeof number) == sizeof number)
        last = number;
    close(ends[0]);
    ck_assert_uint_ge(last, 20);
    store = store_open(store_path, "node1", NULL);
    ck_assert_ptr_nonnull(store);
    for (guint i = 0; i <= last; i++) {
        g_autofree char *name = g_strdup_printf("user%u", i);
        ck_assert_int_eq(RESULT(store_user_show, name), STORE_OK);
    }
}
END_TEST

START_TEST(an_audit_row_left_pending_says_interrupted_after_the_next_start)
{
    ck_assert_int_eq(RESULT(store_audit_begin, "uid:0(root)", "desktop.start", "d1", "local"), STORE_OK);
    ck_assert_uint_eq(audited("desktop.start", "pending"), 1);
    harness_reopen();
    ck_assert_uint_eq(audited("desktop.start", "interrupted"), 1);
}
END_TEST

START_TEST(an_audit_row_gets_its_result_once)
{
    gint64 id = CALL(store_audit_begin, "uid:0(root)", "desktop.start", "d1", "local")->id;
    ck_assert_int_eq(RESULT(store_audit_end, id, "ok"), STORE_OK);
    ck_assert_int_eq(RESULT(store_audit_end, id, "failed: no"), STORE_NOT_FOUND);
    ck_assert_uint_eq(audited("desktop.start", "ok"), 1);
}
END_TEST

static int attempt(const char *sql)
{
    sqlite3 *database;
    sqlite3_open(store_path, &database);
    sqlite3_exec(database, "PRAGMA foreign_keys = ON", NULL, NULL, NULL);
    int code = sqlite3_exec(database, sql, NULL, NULL, NULL);
    sqlite3_close(database);
    return code;
}

/* The promises hold against any program, not only against ours. */
START_TEST(the_constraints_keep_the_promises_without_the_code)
{
    make_template("t");
    make_user("alice");
    make_user("bob");
    make_desktop("d1");
    make_desktop("d2");
    CALL(store_assign, "test", "d1", "alice");
    ck_assert_int_eq(grant("alice", "d1")->result, STORE_OK);
    g_clear_pointer(&store, store_close);
    static const char *const forbidden[] = {
        "INSERT INTO leases SELECT id, (SELECT id FROM users WHERE name = 'bob'), 1, epoch, 0 FROM desktops"
        " WHERE name = 'd1'",
        "INSERT INTO leases SELECT id, (SELECT id FROM users WHERE name = 'bob'), 1, epoch, 0 FROM desktops"
        " WHERE name = 'd2'",
        "UPDATE leases SET user = (SELECT id FROM users WHERE name = 'bob')",
        "DELETE FROM leases",
        "DELETE FROM assignments",
        "UPDATE assignments SET user = (SELECT id FROM users WHERE name = 'bob')",
        "UPDATE desktops SET domain = 'fw-d1' WHERE name = 'd2'",
        "UPDATE desktops SET uuid = (SELECT uuid FROM desktops WHERE name = 'd1') WHERE name = 'd2'",
        "UPDATE desktops SET disk = '/disks/d1' WHERE name = 'd2'",
        "UPDATE desktops SET epoch = 0 WHERE name = 'd1'",
        "DELETE FROM desktops WHERE name = 'd2'",
        "UPDATE users SET hash = '$argon2id$other' WHERE name = 'alice'",
        "UPDATE users SET disabled = 1 WHERE name = 'alice'",
        "DELETE FROM users WHERE name = 'alice'",
        "INSERT INTO users (name, hash, made) VALUES ('ALICE', '$argon2id$x', 0)",
        "INSERT INTO users (name, hash, made) VALUES ('a b', '$argon2id$x', 0)",
        "INSERT INTO users (name, hash, made) VALUES ('carol', 'plain', 0)",
        "INSERT INTO connections (desktop, user, epoch, protocol, address, since) SELECT desktop, user, "
        "epoch, 'rdp', '', 0"
        " FROM leases",
        "INSERT INTO connections (desktop, user, epoch, protocol, address, since) SELECT d.id, u.id, 1, "
        "'rdp', '', 0"
        " FROM desktops d, users u WHERE d.name = 'd2' AND u.name = 'bob'",
        "UPDATE audit SET result = 'nothing happened'",
        "DELETE FROM audit",
    };
    for (guint i = 0; i < G_N_ELEMENTS(forbidden); i++)
        ck_assert_msg(attempt(forbidden[i]) == SQLITE_CONSTRAINT, "allowed: %s", forbidden[i]);
}
END_TEST

int main(void)
{
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, harness_open, harness_close);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, a_new_database_is_private_to_its_owner);
    tcase_add_test(all, what_was_written_is_there_after_closing);
    tcase_add_test(all, a_database_of_a_newer_version_is_refused_and_left_alone);
    tcase_add_test(all, somebody_elses_database_is_refused);
    tcase_add_test(all, a_file_that_is_no_database_is_refused);
    tcase_add_test(all, a_second_process_cannot_open_it);
    tcase_add_test(all, what_was_acknowledged_survives_kill_9);
    tcase_add_test(all, an_audit_row_left_pending_says_interrupted_after_the_next_start);
    tcase_add_test(all, an_audit_row_gets_its_result_once);
    tcase_add_test(all, the_constraints_keep_the_promises_without_the_code);
    return suite_run("store_open", all);
}
