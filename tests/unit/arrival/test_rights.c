/* What ends with a right, what is left of a person after he has gone, and what a restart of the broker keeps.
 */
#include "auth/token.h"
#include "rig.h"
#include "tests/unit/suite.h"

#include <string.h>

/* ---- what the store says ---- */

static gboolean revoked_done;
static GPtrArray *rows; /* of StoreAudit or StoreConnection */

static void on_revoked(gpointer data)
{
    revoked_done = TRUE;
}

static void revoke_rights(StoreReply *reply, gpointer data)
{
    arrivals_revoke(arrivals, reply->revoked, END_REVOKED, NULL, on_revoked, NULL);
    stored(reply, data);
}

static void keep_connections(StoreReply *reply, gpointer data)
{
    rows = g_steal_pointer(&reply->connections);
    stored(reply, data);
}

static void keep_audit(StoreReply *reply, gpointer data)
{
    rows = g_steal_pointer(&reply->audit);
    stored(reply, data);
}

static guint open_connections(void)
{
    g_clear_pointer(&rows, g_ptr_array_unref);
    STORED(store_connection_list(store, NULL, keep_connections, NULL));
    return rows->len;
}

static guint audited(const char *action, const char *object, const char *result)
{
    guint found = 0;
    g_clear_pointer(&rows, g_ptr_array_unref);
    STORED(store_audit_list(store, 1000, 0, keep_audit, NULL));
    for (guint i = 0; i < rows->len; i++) {
        const StoreAudit *row = rows->pdata[i];
        found += strcmp(row->action, action) == 0 && strcmp(row->object, object) == 0 &&
                 strcmp(row->result, result) == 0;
    }
    return found;
}

static void finish(void)
{
    g_clear_pointer(&rows, g_ptr_array_unref);
    tear_down();
}

/* For a client whose death the broker is to hear of before anything else. */
static void vanish(FakeProcess *person)
{
    MasterProcessGone gone = {.header = {.type = MASTER_PROCESS_GONE, .size = sizeof gone},
                              .id = person->id,
                              .kind = person->kind,
                              .reason = END_FAULT};
    arrivals_gone(arrivals, &gone);
    g_ptr_array_remove(master->processes, person);
}

/* ---- a person who came from the web ---- */

static gint64 make_session(guint8 fill)
{
    guint8 session[TOKEN_HASH_SIZE];
    memset(session, fill, sizeof session);
    STORED(store_web_session_make(store, session, 1, 1, "192.0.2.7", 60, 60, stored, NULL));
    return last.id;
}

static FakeProcess *come_by_ticket(gint64 session, const char *desktop)
{
    guint8 hash[TOKEN_HASH_SIZE];
    GreeterTicket packet = {.header = {.type = GREETER_TICKET, .size = sizeof packet}};
    char text[TOKEN_TEXT_SIZE];
    FakeProcess *person = fake_master_arrive(master, CLIENT_WEB, "");

    token_make(TOKEN_TICKET, text, hash);
    g_strlcpy(packet.ticket, text, sizeof packet.ticket);
    STORED(store_ticket_issue(store, hash, session, desktop, "web", 30000, stored, NULL));
    packet_send(greeter_of(person)->link, &packet, sizeof packet, NULL, 0);
    hear(greeter_of(person), GREETER_RESULT, 0);
    ck_assert_uint_eq(heard.result.result, SEAT_LOGIN_OK);
    return person;
}

static void show_picture(FakeProcess *person)
{
    spin_until(has_seat, NULL);
    fake_seat_picture(fake_master_newest(master, KIND_SEAT));
    spin_until(at_seat, person);
}

/* ---- taking over ---- */

START_TEST(a_newcomer_who_vanishes_has_taken_over_all_the_same)
{
    add_desktop("d1", "alice");
    FakeProcess *first = connect_alice(), *second = arrive();

    say_login(second, "alice", PASSWORD, "");
    /* Said when the lease is asked for; its answer comes after the newcomer's death. */
    hear(greeter_of(second), GREETER_PROGRESS, GREETER_PHASE_JOINING);
    vanish(second);
    spin_until(is_ended, first);
    ck_assert_uint_eq(first->end_reason, END_TAKEN_OVER);
    ck_assert_uint_eq(open_connections(), 0);
}
END_TEST

START_TEST(unassigning_ends_also_who_is_at_the_desktop_without_a_row)
{
    add_desktop("d1", "alice");
    FakeProcess *person = connect_alice();

    STORED(store_connection_close(store, (gint64)person->record.connection, "taken-over", stored, NULL));
    STORED(store_unassign(store, "uid:0(root)", "d1", revoke_rights, NULL));
    spin_until(is_ended, person);
}
END_TEST

START_TEST(whoever_waits_for_his_predecessor_s_death_cannot_choose_another_desktop)
{
    add_desktop("d1", "alice");
    FakeProcess *first = connect_alice(), *second = arrive();

    add_desktop("d2", "alice");
    say_login(second, "alice", PASSWORD, "d1");
    hear(greeter_of(second), GREETER_PROGRESS, GREETER_PHASE_WAITING);
    say_choose(second, "d2");
    hear(greeter_of(second), GREETER_DESKTOPS, 0);
    ck_assert_uint_eq(heard.desktops.total, 1);
    hear(greeter_of(second), GREETER_PROGRESS, GREETER_PHASE_WAITING);
    ck_assert_str_eq(heard.progress.desktop, "d1");
    fake_master_die(master, first);
    spin_until(at_seat, second);
    ck_assert_str_eq(second->record.desktop, "d1");
    ck_assert_uint_eq(hypervisor->started, 1);
}
END_TEST

START_TEST(a_person_who_waits_for_another_s_lease_can_go_back_and_is_audited_once)
{
    add_desktop("d1", "alice");
    FakeProcess *owner = connect_alice(), *person = arrive();

    add_user("bob");
    add_desktop("d2", "bob");
    /* Not through arrivals_revoke(): the lease is not given back. */
    fake_master_die(master, owner);
    spin();
    STORED(store_unassign(store, "uid:0(root)", "d1", stored, NULL));
    STORED(store_assign(store, "uid:0(root)", "d1", "bob", stored, NULL));
    say_login(person, "bob", PASSWORD, "d1");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_WAITING);
    for (guint retry = 0; retry < 4; retry++)
        hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_WAITING); /* one for each conflict */
    say_cancel(person);
    hear(greeter_of(person), GREETER_DESKTOPS, 0);
    ck_assert_uint_eq(heard.desktops.total, 2);
    say_choose(person, "d2");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_STARTING);
    ck_assert_str_eq(heard.progress.desktop, "d2");
    ck_assert_uint_eq(audited("connect", "d1 rdp", "conflict"), 1);
}
END_TEST

/* ---- greeters ---- */

START_TEST(a_client_takes_his_greeter_along)
{
    FakeProcess *person = arrive(), *greeter = greeter_of(person);
    vanish(person);
    spin_until(is_ended, greeter);
}
END_TEST

static gboolean has_greeter(gpointer data)
{
    return fake_master_newest(master, KIND_GREETER) != data;
}

START_TEST(a_greeter_asked_for_a_client_who_left_meanwhile_is_ended)
{
    GHashTableIter iter;
    gpointer uuid = NULL;

    add_desktop("d1", "alice");
    FakeProcess *person = connect_alice(), *old = fake_master_newest(master, KIND_GREETER);
    g_hash_table_iter_init(&iter, hypervisor->running);
    ck_assert(g_hash_table_iter_next(&iter, &uuid, NULL));
    desktops_vm_ended(desktops, uuid, "The desktop crashed.");
    spin_until(has_greeter, old);
    vanish(person);
    spin_until(is_ended, fake_master_newest(master, KIND_GREETER));
}
END_TEST

START_TEST(a_greeter_that_nobody_is_at_is_ended_after_a_restart)
{
    ProcessRecord nobody = {0};
    FakeProcess *greeter;

    close_broker();
    open_broker();
    greeter = fake_master_living(master, KIND_GREETER, &nobody, 0); /* whose client has died */
    fake_master_living_end(master);
    spin_until(is_ended, greeter);
}
END_TEST

/* ---- addresses and denials ---- */

START_TEST(a_browser_s_connection_has_the_address_from_which_its_session_was_made)
{
    add_desktop("d1", "alice");
    show_picture(come_by_ticket(make_session(1), "d1"));
    ck_assert_uint_eq(open_connections(), 1);
    ck_assert_str_eq(((const StoreConnection *)rows->pdata[0])->address, "192.0.2.7");
}
END_TEST

static gboolean only_client_has_address(gpointer address)
{
    g_autoptr(GArray) processes = g_array_new(FALSE, FALSE, sizeof(MasterProcess));
    arrivals_processes(arrivals, processes);
    return processes->len == 1 && strcmp(g_array_index(processes, MasterProcess, 0).address, address) == 0;
}

START_TEST(a_browser_s_address_is_known_again_after_a_restart)
{
    add_desktop("d1", "alice");
    FakeProcess *person = come_by_ticket(make_session(1), "d1");
    show_picture(person);
    ProcessRecord record = person->record;
    close_broker();
    open_broker();
    master->living_address = "";
    fake_master_living(master, KIND_VNC, &record, 0);
    fake_master_living_end(master);
    spin_until(only_client_has_address, (gpointer) "192.0.2.7");
    ck_assert_uint_eq(open_connections(), 1);
}
END_TEST

START_TEST(asking_for_a_foreign_desktop_is_in_the_audit)
{
    FakeProcess *person = arrive();

    add_desktop("d1", "alice");
    add_desktop("d2", "alice");
    add_desktop("d3", NULL);
    say_login(person, "alice", PASSWORD, "d3");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_FAILED);
    ck_assert_uint_eq(audited("connect", "d3 rdp", "denied"), 1);
    say_choose(person, "d4");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_FAILED);
    ck_assert_str_eq(heard.progress.text, "The desktop d4 is not assigned to you.");
    ck_assert_uint_eq(audited("connect", "d4 rdp", "denied"), 1);
}
END_TEST

START_TEST(asking_again_and_again_for_a_foreign_desktop_is_in_the_audit_once)
{
    FakeProcess *person = arrive();

    add_desktop("d1", "alice");
    add_desktop("d2", "alice");
    say_login(person, "alice", PASSWORD, "");
    hear(greeter_of(person), GREETER_DESKTOPS, 0);
    for (guint i = 0; i < 4; i++) {
        say_choose(person, "d3");
        hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_FAILED);
    }
    ck_assert_uint_eq(audited("connect", "d3 rdp", "denied"), 1);
    /* A denial after he was let to something else is news. */
    say_choose(person, "d1");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_STARTING);
    say_choose(person, "d3");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_FAILED);
    ck_assert_uint_eq(audited("connect", "d3 rdp", "denied"), 2);
}
END_TEST

START_TEST(a_greeter_that_asks_faster_than_the_audit_writes_waits_for_it)
{
    FakeProcess *person = arrive();
    guint rows_written = 0;

    add_desktop("d1", "alice");
    add_desktop("d2", "alice");
    say_login(person, "alice", PASSWORD, "");
    hear(greeter_of(person), GREETER_DESKTOPS, 0);
    for (guint i = 0; i < 20; i++) {
        GreeterChoose packet = {.header = {.type = GREETER_CHOOSE, .size = sizeof packet}};
        g_snprintf(packet.desktop, sizeof packet.desktop, "x%02u", i);
        packet_send(greeter_of(person)->link, &packet, sizeof packet, NULL, 0);
    }
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_FAILED);
    for (guint i = 0; i < 20; i++) {
        g_autofree char *object = g_strdup_printf("x%02u rdp", i);
        rows_written += audited("connect", object, "denied");
    }
    ck_assert_uint_ge(rows_written, 1);
    ck_assert_uint_lt(rows_written, 20);
}
END_TEST

/* ---- sessions and serials ---- */

START_TEST(logging_out_ends_a_client_that_waits_at_a_greeter)
{
    gint64 session = make_session(1), other = make_session(2);

    add_desktop("d1", "alice");
    add_desktop("d2", "alice");
    hypervisor->holds = TRUE;
    FakeProcess *person = come_by_ticket(session, "d1"), *stays = come_by_ticket(other, "d2");
    STORED(store_web_session_end(store, "user:alice", session, revoke_rights, NULL));
    spin_until(is_ended, person);
    ck_assert(!stays->ended);
    hypervisor->holds = FALSE;
    fake_hypervisor_answer(hypervisor);
}
END_TEST

START_TEST(logging_out_still_works_after_a_restart_of_the_broker)
{
    gint64 session = make_session(1);
    FakeProcess *person, *greeter;

    add_desktop("d1", "alice");
    hypervisor->holds = TRUE;
    person = come_by_ticket(session, "d1");
    spin();
    ProcessRecord record = person->record, nobody = {0};
    ck_assert_uint_eq(record.web_session, session);
    fake_hypervisor_answer(hypervisor);
    close_broker();
    open_broker();
    greeter = fake_master_living(master, KIND_GREETER, &nobody, 0);
    person = fake_master_living(master, KIND_VNC, &record, greeter->id);
    fake_master_living_end(master);
    ck_assert_uint_eq(open_connections(), 0);
    ck_assert(!person->ended);
    STORED(store_web_session_end(store, "user:alice", session, revoke_rights, NULL));
    spin_until(is_ended, person);
}
END_TEST

START_TEST(an_own_password_change_spares_the_viewer_of_the_session_that_made_it)
{
    gint64 session = make_session(1);
    FakeProcess *viewer, *other = arrive();

    add_desktop("d1", "alice");
    viewer = come_by_ticket(session, "d1");
    show_picture(viewer);
    add_desktop("d2", "alice");
    say_login(other, "alice", PASSWORD, "d2");
    hear(greeter_of(other), GREETER_PROGRESS, GREETER_PHASE_STARTING);
    STORED(
        store_user_password(store, "user:alice", "alice", "$argon2id$new", 0, session, revoke_rights, NULL));
    spin_until(is_ended, other);
    ck_assert(!viewer->ended);
}
END_TEST

START_TEST(a_login_under_an_old_password_ends_with_the_restart)
{
    ProcessRecord record = log_in();
    /* The broker dies before it has ended the clients. */
    STORED(store_user_password(store, "uid:0(root)", "alice", "$argon2id$new", 0, 0, stored, NULL));
    spin_until(is_ended, restart_at_greeter(&record));
}
END_TEST

START_TEST(a_login_that_holds_goes_on_after_the_restart)
{
    ProcessRecord record = log_in();
    FakeProcess *person = restart_at_greeter(&record);
    hear(greeter_of(person), GREETER_KNOWN, 0);
    ck_assert_str_eq(heard.result.user, "alice");
    add_desktop("d1", "alice");
    arrivals_assigned(arrivals, "alice");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_STARTING);
    ck_assert(!person->ended);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("rights");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, finish);
    tcase_add_test(tcase, a_newcomer_who_vanishes_has_taken_over_all_the_same);
    tcase_add_test(tcase, unassigning_ends_also_who_is_at_the_desktop_without_a_row);
    tcase_add_test(tcase, whoever_waits_for_his_predecessor_s_death_cannot_choose_another_desktop);
    tcase_add_test(tcase, a_person_who_waits_for_another_s_lease_can_go_back_and_is_audited_once);
    tcase_add_test(tcase, a_client_takes_his_greeter_along);
    tcase_add_test(tcase, a_greeter_asked_for_a_client_who_left_meanwhile_is_ended);
    tcase_add_test(tcase, a_greeter_that_nobody_is_at_is_ended_after_a_restart);
    tcase_add_test(tcase, a_browser_s_connection_has_the_address_from_which_its_session_was_made);
    tcase_add_test(tcase, a_browser_s_address_is_known_again_after_a_restart);
    tcase_add_test(tcase, asking_for_a_foreign_desktop_is_in_the_audit);
    tcase_add_test(tcase, asking_again_and_again_for_a_foreign_desktop_is_in_the_audit_once);
    tcase_add_test(tcase, a_greeter_that_asks_faster_than_the_audit_writes_waits_for_it);
    tcase_add_test(tcase, logging_out_ends_a_client_that_waits_at_a_greeter);
    tcase_add_test(tcase, logging_out_still_works_after_a_restart_of_the_broker);
    tcase_add_test(tcase, an_own_password_change_spares_the_viewer_of_the_session_that_made_it);
    tcase_add_test(tcase, a_login_under_an_old_password_ends_with_the_restart);
    tcase_add_test(tcase, a_login_that_holds_goes_on_after_the_restart);
    return suite_run("rights", tcase);
}
