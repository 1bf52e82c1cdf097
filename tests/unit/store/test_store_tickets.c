/* Tickets work once, web sessions end, and both go with what they lean on. */
#include "tests/unit/store/harness.h"
#include "tests/unit/suite.h"

#include <string.h>

#define LIFE_MS 30000

static guint8 session_hash[STORE_HASH_SIZE], ticket[STORE_HASH_SIZE];
static gint64 alice, session;

static gint64 make_session(const char *user, gint64 id, guint8 fill)
{
    memset(session_hash, fill, sizeof session_hash);
    gint64 serial = serial_of(user);
    StoreReply *reply = CALL(store_web_session_make, session_hash, id, serial, "192.0.2.1", 3600, 600);
    ck_assert_int_eq(reply->result, STORE_OK);
    return reply->id;
}

static void setup(void)
{
    harness_open();
    make_template("t");
    alice = make_user("alice");
    make_user("bob");
    make_desktop("d1");
    CALL(store_assign, "test", "d1", "alice");
    session = make_session("alice", alice, 1);
    memset(ticket, 7, sizeof ticket);
}

static StoreResult issue(void)
{
    return RESULT(store_ticket_issue, ticket, session, "d1", "web", LIFE_MS);
}

static StoreResult redeem(const char *protocol)
{
    return RESULT(store_ticket_redeem, ticket, protocol, "192.0.2.1");
}

static gboolean session_lives(guint8 fill)
{
    memset(session_hash, fill, sizeof session_hash);
    return RESULT(store_web_session_find, session_hash) == STORE_OK;
}

START_TEST(a_ticket_works_once)
{
    ck_assert_int_eq(issue(), STORE_OK);
    StoreReply *reply = CALL(store_ticket_redeem, ticket, "web", "192.0.2.1");
    ck_assert_int_eq(reply->result, STORE_OK);
    ck_assert_str_eq(reply->user->name, "alice");
    ck_assert_str_eq(reply->desktop->name, "d1");
    ck_assert_int_eq(reply->id, session);
    ck_assert_int_eq(redeem("web"), STORE_DENIED);
    ck_assert_uint_eq(audited("login", "ok"), 1);
    ck_assert_uint_eq(audited("login", "denied"), 1);
}
END_TEST

static gboolean audited_from(const char *action, const char *address)
{
    StoreReply *reply = CALL(store_audit_list, 1000, 0);
    for (guint i = 0; i < reply->audit->len; i++) {
        const StoreAudit *row = reply->audit->pdata[i];
        if (strcmp(row->action, action) == 0 && strcmp(row->address, address) == 0)
            return TRUE;
    }
    return FALSE;
}

START_TEST(a_ticket_tells_from_where_its_session_was_made)
{
    issue();
    StoreReply *reply = CALL(store_ticket_redeem, ticket, "web", "");
    ck_assert_str_eq(reply->address, "192.0.2.1");
    ck_assert(audited_from("login", "192.0.2.1"));
    ck_assert(!audited_from("login", ""));
}
END_TEST

START_TEST(a_ticket_tried_with_another_protocol_is_used_up)
{
    issue();
    ck_assert_int_eq(redeem("rdp"), STORE_DENIED);
    ck_assert_int_eq(redeem("web"), STORE_DENIED);
}
END_TEST

START_TEST(a_ticket_expires)
{
    issue();
    store_clock += LIFE_MS;
    ck_assert_int_eq(redeem("web"), STORE_DENIED);
}
END_TEST

START_TEST(an_unknown_ticket_is_denied)
{
    ck_assert_int_eq(redeem("web"), STORE_DENIED);
}
END_TEST

START_TEST(a_ticket_survives_a_restart_of_the_broker)
{
    issue();
    harness_reopen();
    ck_assert_int_eq(redeem("web"), STORE_OK);
}
END_TEST

START_TEST(no_ticket_for_somebody_else_s_desktop_and_no_word_about_it)
{
    make_desktop("d2");
    CALL(store_assign, "test", "d2", "bob");
    StoreReply *reply = CALL(store_ticket_issue, ticket, session, "d2", "web", LIFE_MS);
    ck_assert_int_eq(reply->result, STORE_NOT_FOUND);
    g_autofree char *message = g_strdup(reply->message);
    reply = CALL(store_ticket_issue, ticket, session, "d9", "web", LIFE_MS);
    ck_assert_int_eq(reply->result, STORE_NOT_FOUND);
    ck_assert_str_eq(message, "No desktop d2 is assigned to you.");
    ck_assert_str_eq(reply->message, "No desktop d9 is assigned to you.");
}
END_TEST

START_TEST(unassigning_takes_the_ticket)
{
    issue();
    CALL(store_unassign, "test", "d1");
    ck_assert_int_eq(redeem("web"), STORE_DENIED);
    CALL(store_assign, "test", "d1", "alice");
    ck_assert_int_eq(redeem("web"), STORE_DENIED);
}
END_TEST

START_TEST(disabling_takes_tickets_and_sessions)
{
    issue();
    CALL(store_user_disable, "test", "alice", TRUE);
    CALL(store_user_disable, "test", "alice", FALSE);
    ck_assert_int_eq(redeem("web"), STORE_DENIED);
    ck_assert(!session_lives(1));
}
END_TEST

START_TEST(a_password_changed_by_the_admin_takes_all_sessions_and_tickets)
{
    issue();
    CALL(store_user_password, "test", "alice", "$argon2id$new", 0, 0);
    ck_assert_int_eq(redeem("web"), STORE_DENIED);
    ck_assert(!session_lives(1));
}
END_TEST

START_TEST(an_own_password_change_keeps_the_session_that_made_it)
{
    make_session("alice", alice, 2);
    issue();
    ck_assert_int_eq(RESULT(store_user_password, "user:alice", "alice", "$argon2id$new", 0, session),
                     STORE_OK);
    ck_assert(session_lives(1));
    ck_assert(!session_lives(2));
    ck_assert_int_eq(redeem("web"), STORE_DENIED);
}
END_TEST

START_TEST(an_own_password_change_keeps_the_session_s_own_connection_and_ends_the_others)
{
    make_desktop("d2");
    CALL(store_assign, "test", "d2", "alice");
    grant("alice", "d2");
    StoreGrant asked = {.user = "alice",
                        .desktop = "d1",
                        .serial = serial_of("alice"),
                        .web_session = session,
                        .protocol = "web",
                        .address = "192.0.2.1"};
    gint64 own = CALL(store_lease_grant, &asked)->id;
    StoreReply *reply = CALL(store_user_password, "user:alice", "alice", "$argon2id$new", 0, session);
    ck_assert_uint_eq(reply->revoked->connections->len, 1);
    ck_assert_int_ne(((StoreConnection *)reply->revoked->connections->pdata[0])->id, own);
    ck_assert_int_eq(reply->revoked->kept_session, session);
    /* What came through it is as good as before, though its serial is older. */
    ck_assert_int_eq(RESULT(store_login_renew, "alice", asked.serial, session), STORE_OK);
    ck_assert_int_eq(RESULT(store_login_renew, "alice", asked.serial, 0), STORE_DENIED);
    ck_assert_int_eq(RESULT(store_lease_grant, &asked), STORE_OK);
}
END_TEST

START_TEST(logging_out_takes_tickets_and_the_session_s_connections)
{
    issue();
    StoreGrant asked = {.user = "alice",
                        .desktop = "d1",
                        .serial = serial_of("alice"),
                        .web_session = session,
                        .protocol = "web",
                        .address = "192.0.2.1"};
    ck_assert_int_eq(RESULT(store_lease_grant, &asked), STORE_OK);
    StoreReply *reply = CALL(store_web_session_end, "user:alice", session);
    ck_assert_uint_eq(reply->revoked->connections->len, 1);
    ck_assert_int_eq(reply->revoked->web_session, session);
    ck_assert_int_eq(redeem("web"), STORE_DENIED);
    ck_assert(!session_lives(1));
    ck_assert_int_eq(RESULT(store_lease_grant, &asked), STORE_DENIED);
}
END_TEST

START_TEST(a_session_ends_when_idle_and_after_its_life)
{
    for (guint i = 0; i < 5; i++) {
        store_clock += 599 * 1000;
        ck_assert(session_lives(1));
    }
    store_clock += 600 * 1000;
    ck_assert(!session_lives(1));
    make_session("alice", alice, 3);
    for (guint i = 0; i < 7; i++) {
        ck_assert(session_lives(3));
        store_clock += 550 * 1000;
    }
    ck_assert(!session_lives(3));
}
END_TEST

START_TEST(a_connected_desktop_keeps_its_session_from_idling_out)
{
    StoreGrant asked = {.user = "alice",
                        .desktop = "d1",
                        .serial = serial_of("alice"),
                        .web_session = session,
                        .protocol = "web",
                        .address = "192.0.2.1"};
    CALL(store_lease_grant, &asked);
    store_clock += 1800 * 1000;
    ck_assert(session_lives(1));
    store_clock += 1800 * 1000;
    ck_assert(!session_lives(1));
}
END_TEST

START_TEST(idle_time_begins_when_the_desktop_is_left_however_that_came)
{
    StoreGrant asked = {.user = "alice",
                        .desktop = "d1",
                        .serial = serial_of("alice"),
                        .web_session = session,
                        .protocol = "web",
                        .address = "192.0.2.1"};
    gint64 id = CALL(store_lease_grant, &asked)->id;
    store_clock += 610 * 1000;
    CALL(store_connection_close, id, "fault");
    store_clock += 300 * 1000;
    ck_assert(session_lives(1));
    id = CALL(store_lease_grant, &asked)->id;
    store_clock += 610 * 1000;
    CALL(store_connection_kill, "test", id);
    store_clock += 300 * 1000;
    ck_assert(session_lives(1));
    CALL(store_lease_grant, &asked);
    store_clock += 610 * 1000;
    CALL(store_reconcile, NULL, 0);
    store_clock += 300 * 1000;
    ck_assert(session_lives(1));
    store_clock += 600 * 1000;
    ck_assert(!session_lives(1));
}
END_TEST

START_TEST(a_user_s_sessions_and_a_session_s_tickets_are_bounded)
{
    for (guint i = 0; i < 40; i++) {
        store_clock += 1000;
        make_session("alice", alice, (guint8)(100 + i));
    }
    ck_assert(!session_lives(1));
    ck_assert(!session_lives(107));
    ck_assert(session_lives(108));
    ck_assert(session_lives(139));
    session = CALL(store_web_session_find, session_hash)->id;
    for (guint i = 0; i < 20; i++) {
        memset(ticket, (int)i, sizeof ticket);
        store_clock += 10;
        ck_assert_int_eq(issue(), STORE_OK);
    }
    memset(ticket, 3, sizeof ticket);
    ck_assert_int_eq(redeem("web"), STORE_DENIED);
    memset(ticket, 4, sizeof ticket);
    ck_assert_int_eq(redeem("web"), STORE_OK);
}
END_TEST

int main(void)
{
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, setup, harness_close);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, a_ticket_works_once);
    tcase_add_test(all, a_ticket_tells_from_where_its_session_was_made);
    tcase_add_test(all, a_ticket_tried_with_another_protocol_is_used_up);
    tcase_add_test(all, a_ticket_expires);
    tcase_add_test(all, an_unknown_ticket_is_denied);
    tcase_add_test(all, a_ticket_survives_a_restart_of_the_broker);
    tcase_add_test(all, no_ticket_for_somebody_else_s_desktop_and_no_word_about_it);
    tcase_add_test(all, unassigning_takes_the_ticket);
    tcase_add_test(all, disabling_takes_tickets_and_sessions);
    tcase_add_test(all, a_password_changed_by_the_admin_takes_all_sessions_and_tickets);
    tcase_add_test(all, an_own_password_change_keeps_the_session_that_made_it);
    tcase_add_test(all, an_own_password_change_keeps_the_session_s_own_connection_and_ends_the_others);
    tcase_add_test(all, logging_out_takes_tickets_and_the_session_s_connections);
    tcase_add_test(all, a_session_ends_when_idle_and_after_its_life);
    tcase_add_test(all, a_connected_desktop_keeps_its_session_from_idling_out);
    tcase_add_test(all, idle_time_begins_when_the_desktop_is_left_however_that_came);
    tcase_add_test(all, a_user_s_sessions_and_a_session_s_tickets_are_bounded);
    return suite_run("store_tickets", all);
}
