/* People's way from a greeter to their desktop and back, with the real store and login, and fakes for
 * fernwerkd and the hypervisor. */
#include "auth/token.h"
#include "rig.h"
#include "tests/unit/suite.h"

#include <string.h>
#include <unistd.h>

START_TEST(logging_in_starts_the_one_desktop_and_leads_to_it)
{
    add_desktop("d1", "alice");
    FakeProcess *person = connect_alice();
    FakeProcess *seat = fake_master_newest(master, KIND_SEAT);

    ck_assert_uint_eq(hypervisor->started, 1);
    ck_assert_str_eq(person->record.user, "alice");
    ck_assert_str_eq(person->record.desktop, "d1");
    ck_assert_uint_ne(person->record.connection, 0);
    ck_assert_uint_ne(person->record.epoch, 0);
    ck_assert_uint_eq(person->record.epoch, seat->record.epoch);
    ck_assert_uint_eq(person->at, seat->id);
}
END_TEST

START_TEST(wrong_password_and_unknown_user_get_the_same_answer)
{
    char text[SEAT_TEXT_MAX];
    FakeProcess *person = arrive(), *other = arrive();

    say_login(person, "alice", "wrong", "");
    hear(greeter_of(person), GREETER_RESULT, 0);
    ck_assert_uint_eq(heard.result.result, SEAT_LOGIN_DENIED);
    g_strlcpy(text, heard.result.text, sizeof text);
    say_login(other, "nobody", "wrong", "");
    hear(greeter_of(other), GREETER_RESULT, 0);
    ck_assert_uint_eq(heard.result.result, SEAT_LOGIN_DENIED);
    ck_assert_str_eq(heard.result.text, text);
    ck_assert_str_eq(person->record.user, "");
}
END_TEST

START_TEST(a_user_without_a_desktop_is_told_so_and_gets_one_when_it_is_assigned)
{
    FakeProcess *person = arrive();
    add_desktop("d1", NULL);
    say_login(person, "alice", PASSWORD, "");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_FAILED);
    ck_assert_ptr_nonnull(strstr(heard.progress.text, "No desktop is assigned"));
    STORED(store_assign(store, "broker", "d1", "alice", stored, NULL));
    arrivals_assigned(arrivals, "alice");
    spin_until(has_seat, NULL);
    fake_seat_picture(fake_master_newest(master, KIND_SEAT));
    spin_until(at_seat, person);
}
END_TEST

START_TEST(of_several_desktops_one_is_chosen_and_a_foreign_one_refused)
{
    FakeProcess *person = arrive();
    add_desktop("d1", "alice");
    add_desktop("d2", "alice");
    add_desktop("d3", NULL);
    say_login(person, "alice", PASSWORD, "");
    hear(greeter_of(person), GREETER_DESKTOPS, 0);
    ck_assert_uint_eq(heard.desktops.total, 2);
    say_choose(person, "d3");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_FAILED);
    ck_assert_uint_eq(hypervisor->started, 0);
    say_choose(person, "d2");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_STARTING);
    spin_until(has_seat, NULL);
    ck_assert_str_eq(fake_master_newest(master, KIND_SEAT)->record.desktop, "d2");
}
END_TEST

START_TEST(a_long_list_comes_in_several_packets)
{
    FakeProcess *person = arrive();
    guint count = 0;

    for (guint i = 0; i < GREETER_DESKTOPS_MAX + 6; i++) {
        g_autofree char *name = g_strdup_printf("d%02u", i);
        add_desktop(name, "alice");
    }
    say_login(person, "alice", PASSWORD, "");
    while (count < GREETER_DESKTOPS_MAX + 6) {
        hear(greeter_of(person), GREETER_DESKTOPS, 0);
        ck_assert_uint_eq(heard.desktops.total, GREETER_DESKTOPS_MAX + 6);
        ck_assert_uint_eq(heard.desktops.first, count);
        count += heard.desktops.count;
    }
    ck_assert_uint_eq(count, GREETER_DESKTOPS_MAX + 6);
}
END_TEST

START_TEST(a_wanted_desktop_is_checked_against_the_assignment)
{
    FakeProcess *person = arrive(), *other = arrive();
    add_desktop("d1", "alice");
    add_desktop("d2", "alice");
    add_desktop("d3", NULL);
    say_login(person, "alice", PASSWORD, "d3");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_FAILED);
    ck_assert_ptr_nonnull(strstr(heard.progress.text, "d3"));
    say_login(other, "alice", PASSWORD, "D1");
    hear(greeter_of(other), GREETER_PROGRESS, GREETER_PHASE_STARTING);
    ck_assert_str_eq(heard.progress.desktop, "d1");
}
END_TEST

START_TEST(a_failed_start_is_told_and_enter_tries_again)
{
    FakeProcess *person = arrive();
    add_desktop("d1", "alice");
    hypervisor->fails = HYPERVISOR_ERROR_IMAGE_MISSING;
    hypervisor->fail_text = "The image is missing.";
    say_login(person, "alice", PASSWORD, "");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_FAILED);
    ck_assert_str_eq(heard.progress.text, "The image is missing.");
    say_choose(person, "d1");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_STARTING);
    ck_assert_uint_eq(hypervisor->started, 2);
}
END_TEST

START_TEST(a_second_connection_waits_until_the_first_process_is_dead)
{
    add_desktop("d1", "alice");
    FakeProcess *first = connect_alice(), *second = connect_alice();

    spin_until(is_ended, first);
    ck_assert_uint_eq(first->end_reason, END_TAKEN_OVER);
    hear(greeter_of(second), GREETER_PROGRESS, GREETER_PHASE_WAITING);
    ck_assert(!at_seat(second));
    fake_master_die(master, first);
    spin_until(at_seat, second);
    ck_assert_uint_eq(hypervisor->started, 1);
}
END_TEST

START_TEST(a_dead_seat_is_replaced_and_its_client_introduced_anew)
{
    add_desktop("d1", "alice");
    FakeProcess *person = connect_alice();
    ProcessId old = person->at;

    fake_master_die(master, fake_master_newest(master, KIND_SEAT));
    spin_until(has_seat, NULL);
    ck_assert_uint_eq(person->at, 0);
    fake_seat_picture(fake_master_newest(master, KIND_SEAT));
    spin_until(at_seat, person);
    ck_assert_uint_ne(person->at, old);
    ck_assert(!person->ended);
}
END_TEST

static const char *running_uuid(void)
{
    GHashTableIter iter;
    gpointer uuid = NULL;
    g_hash_table_iter_init(&iter, hypervisor->running);
    ck_assert(g_hash_table_iter_next(&iter, &uuid, NULL));
    return uuid;
}

START_TEST(a_dead_vm_leads_to_a_greeter_that_knows_its_person_and_starts_it_again)
{
    add_desktop("d1", "alice");
    FakeProcess *person = connect_alice();
    g_autofree char *uuid = g_strdup(running_uuid());

    g_hash_table_remove_all(hypervisor->running);
    desktops_vm_ended(desktops, uuid, "The desktop crashed.");
    spin_until(at_a_greeter, person);
    hear(greeter_of(person), GREETER_KNOWN, 0);
    ck_assert_str_eq(heard.result.user, "alice");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_OFF);
    ck_assert_str_eq(heard.progress.text, "The desktop crashed.");
    ck_assert_uint_eq(hypervisor->started, 1);
    say_choose(person, "d1");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_STARTING);
    ck_assert_uint_eq(hypervisor->started, 2);
    fake_seat_picture(fake_master_newest(master, KIND_SEAT));
    spin_until(at_seat, person);
}
END_TEST

static gboolean revoked_done;

static void on_revoked(gpointer data)
{
    revoked_done = TRUE;
}

static gboolean was_revoked(gpointer data)
{
    return revoked_done;
}

static void revoke_rights(StoreReply *reply, gpointer data)
{
    arrivals_revoke(arrivals, reply->revoked, END_REVOKED, NULL, on_revoked, NULL);
    stored(reply, data);
}

static void check_lease(StoreReply *reply, gpointer data)
{
    ck_assert_ptr_null(reply->desktop->owner);
    stored(reply, data);
}

START_TEST(unassigning_ends_the_session_and_then_gives_the_lease_back)
{
    add_desktop("d1", "alice");
    FakeProcess *person = connect_alice();

    revoked_done = FALSE;
    STORED(store_unassign(store, "uid:0(root)", "d1", revoke_rights, NULL));
    spin_until(is_ended, person);
    ck_assert_uint_eq(person->end_reason, END_REVOKED);
    ck_assert(!revoked_done);
    fake_master_die(master, person);
    spin_until(was_revoked, NULL);
    STORED(store_desktop_show(store, "d1", check_lease, NULL));
}
END_TEST

START_TEST(disabling_a_user_ends_his_greeters_too)
{
    FakeProcess *person = arrive();
    say_login(person, "alice", PASSWORD, "");
    hear(greeter_of(person), GREETER_RESULT, 0);
    STORED(store_user_disable(store, "uid:0(root)", "alice", TRUE, revoke_rights, NULL));
    spin_until(is_ended, person);
}
END_TEST

START_TEST(a_ticket_leads_to_its_desktop_once)
{
    char text[TOKEN_TEXT_SIZE];
    guint8 hash[TOKEN_HASH_SIZE], session[TOKEN_HASH_SIZE] = {1};
    GreeterTicket packet = {.header = {.type = GREETER_TICKET, .size = sizeof packet}};
    FakeProcess *person, *second;

    add_desktop("d1", "alice");
    add_desktop("d2", "alice");
    STORED(store_web_session_make(store, session, 1, 1, "10.0.0.1", 60, 60, stored, NULL));
    token_make(TOKEN_TICKET, text, hash);
    STORED(store_ticket_issue(store, hash, last.id, "d2", "web", 30000, stored, NULL));
    g_strlcpy(packet.ticket, text, sizeof packet.ticket);
    person = fake_master_arrive(master, CLIENT_WEB, "");
    second = fake_master_arrive(master, CLIENT_WEB, "");
    packet_send(greeter_of(person)->link, &packet, sizeof packet, NULL, 0);
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_STARTING);
    ck_assert_str_eq(heard.progress.desktop, "d2");
    packet_send(greeter_of(second)->link, &packet, sizeof packet, NULL, 0);
    hear(greeter_of(second), GREETER_RESULT, 0);
    ck_assert_uint_eq(heard.result.result, SEAT_LOGIN_DENIED);
}
END_TEST

static gboolean is_introduced_again(gpointer data)
{
    return master->introductions > 0;
}

START_TEST(after_a_restart_of_the_broker_clients_stay_where_they_are)
{
    ProcessRecord record;
    FakeProcess *person, *seat;

    add_desktop("d1", "alice");
    record = connect_alice()->record;
    close_broker();
    open_broker();
    STORED(store_desktop_show(store, "d1", added, NULL));
    ProcessRecord seat_record = record;
    *seat_record.user = '\0';
    seat_record.connection = 0;
    seat = fake_master_living(master, KIND_SEAT, &seat_record, 0);
    person = fake_master_living(master, KIND_RDP, &record, seat->id);
    fake_master_living_end(master);
    spin();
    fake_seat_picture(seat);
    spin();
    g_usleep(100000);
    spin();
    ck_assert(!person->ended);
    ck_assert(!seat->ended);
    ck_assert_uint_eq(master->introductions, 0);
    fake_master_die(master, seat);
    spin_until(has_seat, NULL);
    fake_seat_picture(fake_master_newest(master, KIND_SEAT));
    spin_until(is_introduced_again, NULL);
}
END_TEST

START_TEST(a_client_without_a_connection_in_the_database_is_ended_after_a_restart)
{
    ProcessRecord record = {.user = "alice", .desktop = "d1", .epoch = 1, .connection = 99};
    FakeProcess *person;

    close_broker();
    open_broker();
    person = fake_master_living(master, KIND_RDP, &record, 0);
    fake_master_living_end(master);
    spin_until(is_ended, person);
}
END_TEST

START_TEST(a_greeter_that_dies_is_followed_by_one_that_knows_the_person)
{
    FakeProcess *person = arrive();
    add_desktop("d1", "alice");
    add_desktop("d2", "alice");
    say_login(person, "alice", PASSWORD, "");
    hear(greeter_of(person), GREETER_DESKTOPS, 0);
    fake_master_die(master, greeter_of(person));
    hear(greeter_of(person), GREETER_KNOWN, 0);
    hear(greeter_of(person), GREETER_DESKTOPS, 0);
    ck_assert_uint_eq(heard.desktops.total, 2);
}
END_TEST

START_TEST(a_greeter_that_sends_garbage_loses_its_link_and_nobody_else_notices)
{
    FakeProcess *person = arrive(), *other = arrive();
    GreeterLogin packet = {.header = {.type = GREETER_LOGIN, .size = sizeof packet}};

    memset(packet.user, 'x', sizeof packet.user);
    packet_send(greeter_of(person)->link, &packet, sizeof packet, NULL, 0);
    packet_send(greeter_of(person)->link, "??", 2, NULL, 0);
    spin();
    say_login(other, "alice", PASSWORD, "");
    hear(greeter_of(other), GREETER_RESULT, 0);
    ck_assert_uint_eq(heard.result.result, SEAT_LOGIN_OK);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("arrival");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, logging_in_starts_the_one_desktop_and_leads_to_it);
    tcase_add_test(tcase, wrong_password_and_unknown_user_get_the_same_answer);
    tcase_add_test(tcase, a_user_without_a_desktop_is_told_so_and_gets_one_when_it_is_assigned);
    tcase_add_test(tcase, of_several_desktops_one_is_chosen_and_a_foreign_one_refused);
    tcase_add_test(tcase, a_long_list_comes_in_several_packets);
    tcase_add_test(tcase, a_wanted_desktop_is_checked_against_the_assignment);
    tcase_add_test(tcase, a_failed_start_is_told_and_enter_tries_again);
    tcase_add_test(tcase, a_second_connection_waits_until_the_first_process_is_dead);
    tcase_add_test(tcase, a_dead_seat_is_replaced_and_its_client_introduced_anew);
    tcase_add_test(tcase, a_dead_vm_leads_to_a_greeter_that_knows_its_person_and_starts_it_again);
    tcase_add_test(tcase, unassigning_ends_the_session_and_then_gives_the_lease_back);
    tcase_add_test(tcase, disabling_a_user_ends_his_greeters_too);
    tcase_add_test(tcase, a_ticket_leads_to_its_desktop_once);
    tcase_add_test(tcase, after_a_restart_of_the_broker_clients_stay_where_they_are);
    tcase_add_test(tcase, a_client_without_a_connection_in_the_database_is_ended_after_a_restart);
    tcase_add_test(tcase, a_greeter_that_dies_is_followed_by_one_that_knows_the_person);
    tcase_add_test(tcase, a_greeter_that_sends_garbage_loses_its_link_and_nobody_else_notices);
    return suite_run("arrival", tcase);
}
