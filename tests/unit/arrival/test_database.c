/* A database that does not answer: what was begun goes on, nothing is denied wrongly, and all of it is made
 * up for. */
#include "rig.h"
#include "tests/unit/suite.h"

#include <string.h>

static guint found;

static void count_denials(StoreReply *reply, gpointer data)
{
    for (guint i = 0; i < reply->audit->len; i++) {
        const StoreAudit *row = reply->audit->pdata[i];
        found += strcmp(row->action, "connect") == 0 && strcmp(row->result, "denied") == 0;
    }
    stored(reply, data);
}

static guint denials(void)
{
    found = 0;
    STORED(store_audit_list(store, 1000, 0, count_denials, NULL));
    return found;
}

/* ---- a person at a greeter while the broker starts again ---- */

START_TEST(a_choice_made_before_the_list_is_known_is_kept)
{
    ProcessRecord record;
    FakeProcess *person;

    add_desktop("d1", "alice");
    add_desktop("d2", "alice");
    record = log_in();
    set_database(DATABASE_FAILS);
    person = restart_at_greeter(&record);
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_FAILED);
    say_choose(person, "d2");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_FAILED);
    ck_assert_ptr_nonnull(strstr(heard.progress.text, "database"));
    set_database(DATABASE_TAKES_ALL);
    STORED(store_desktop_show(store, "d2", added, NULL));
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_STARTING);
    ck_assert_str_eq(heard.progress.desktop, "d2");
    ck_assert_uint_eq(denials(), 0);
}
END_TEST

START_TEST(whoever_goes_back_before_he_is_proven_is_proven_all_the_same)
{
    ProcessRecord record = log_in();
    FakeProcess *person;

    set_database(DATABASE_FAILS);
    person = restart_at_greeter(&record);
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_FAILED);
    say_cancel(person);
    spin();
    set_database(DATABASE_TAKES_ALL);
    hear(greeter_of(person), GREETER_KNOWN, 0);
    ck_assert_str_eq(heard.result.user, "alice");
}
END_TEST

static gboolean hears_desktops(FakeProcess *greeter)
{
    gsize length;
    guint count;
    int descriptor;

    while (packet_receive(greeter->link, &heard, sizeof heard, &length, &descriptor, 1, &count) == PACKET_OK)
        if (heard.header.type == GREETER_DESKTOPS)
            return TRUE;
    return FALSE;
}

START_TEST(enter_before_he_is_proven_lists_nothing)
{
    ProcessRecord record;
    FakeProcess *person;

    add_desktop("d1", "alice");
    record = log_in();
    set_database(DATABASE_FAILS);
    person = restart_at_greeter(&record);
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_FAILED);
    /* The broker before this one died between changing the password and ending him. */
    set_database(DATABASE_TAKES_ALL);
    STORED(store_user_password(store, "uid:0(root)", "alice", "$argon2id$new", 0, 0, stored, NULL));
    say_choose(person, "");
    spin_until(is_ended, person);
    ck_assert(!hears_desktops(greeter_of(person)));
}
END_TEST

START_TEST(whoever_stands_for_a_desktop_starts_it_again_before_the_list_is_known)
{
    ProcessRecord nobody = {0}, record;
    FakeProcess *person, *greeter;

    add_desktop("d1", "alice");
    record = connect_alice()->record;
    close_broker();
    open_broker();
    STORED(store_desktop_show(store, "d1", added, NULL));
    set_database(DATABASE_FAILS);
    greeter = fake_master_living(master, KIND_GREETER, &nobody, 0);
    person = fake_master_living(master, KIND_RDP, &record, greeter->id);
    fake_master_living_end(master);
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_OFF);
    say_choose(person, "d1");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_STARTING);
    set_database(DATABASE_TAKES_ALL);
    ck_assert_uint_eq(denials(), 0);
}
END_TEST

static FakeProcess *restart_at_seat(const ProcessRecord *record)
{
    ProcessRecord seat_record = *record;
    FakeProcess *seat, *person;

    *seat_record.user = '\0';
    seat_record.connection = 0;
    close_broker();
    open_broker();
    seat = fake_master_living(master, KIND_SEAT, &seat_record, 0);
    person = fake_master_living(master, KIND_RDP, record, seat->id);
    fake_master_living_end(master);
    return person;
}

/* ---- squaring with the database ---- */

static guint open_rows;

static void count_connections(StoreReply *reply, gpointer data)
{
    open_rows = reply->connections->len;
    stored(reply, data);
}

static guint open_connections(void)
{
    STORED(store_connection_list(store, NULL, count_connections, NULL));
    return open_rows;
}

static gboolean no_connection_is_open(gpointer data)
{
    return open_connections() == 0;
}

START_TEST(a_client_without_a_connection_is_ended_when_the_database_is_back)
{
    ProcessRecord record;
    FakeProcess *person;

    add_desktop("d1", "alice");
    record = connect_alice()->record;
    STORED(store_connection_close(store, (gint64)record.connection, "killed", stored, NULL));
    set_database(DATABASE_FAILS);
    person = restart_at_seat(&record);
    spin_until(database_has_refused, NULL);
    ck_assert(!person->ended);
    set_database(DATABASE_TAKES_ALL);
    spin_until(is_ended, person);
}
END_TEST

START_TEST(a_connection_without_a_client_is_closed_when_the_database_is_back)
{
    add_desktop("d1", "alice");
    connect_alice();
    set_database(DATABASE_KEEPS_CONNECTIONS);
    close_broker();
    open_broker();
    fake_master_living_end(master);
    spin_until(database_has_refused, NULL);
    ck_assert_uint_eq(open_connections(), 1);
    set_database(DATABASE_TAKES_ALL);
    spin_until(no_connection_is_open, NULL);
}
END_TEST

START_TEST(nobody_is_let_to_a_desktop_before_the_database_is_squared)
{
    FakeProcess *person;

    add_desktop("d1", "alice");
    connect_alice();
    set_database(DATABASE_KEEPS_CONNECTIONS);
    close_broker();
    open_broker();
    fake_master_living_end(master);
    STORED(store_desktop_show(store, "d1", added, NULL));
    person = arrive();
    say_login(person, "alice", PASSWORD, "");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_STARTING);
    spin_until(has_seat, NULL);
    fake_seat_picture(fake_master_newest(master, KIND_SEAT));
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_WAITING);
    ck_assert_ptr_nonnull(strstr(heard.progress.text, "database"));
    set_database(DATABASE_TAKES_ALL);
    spin_until(at_seat, person);
    ck_assert_uint_eq(open_connections(), 1);
    ck_assert(!person->ended);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("database");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_choice_made_before_the_list_is_known_is_kept);
    tcase_add_test(tcase, whoever_goes_back_before_he_is_proven_is_proven_all_the_same);
    tcase_add_test(tcase, enter_before_he_is_proven_lists_nothing);
    tcase_add_test(tcase, whoever_stands_for_a_desktop_starts_it_again_before_the_list_is_known);
    tcase_add_test(tcase, a_client_without_a_connection_is_ended_when_the_database_is_back);
    tcase_add_test(tcase, a_connection_without_a_client_is_closed_when_the_database_is_back);
    tcase_add_test(tcase, nobody_is_let_to_a_desktop_before_the_database_is_squared);
    return suite_run("database", tcase);
}
