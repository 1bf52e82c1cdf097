/* What may be written into a record, and who may meet whom by it. */
#include "base/proto/process_record.h"
#include "tests/unit/suite.h"

#include <string.h>

static const ProcessRecord full = {
    .user = "alice", .desktop = "d1", .epoch = 7, .connection = 8, .serial = 9, .web_session = 10};

START_TEST(a_record_whose_text_does_not_end_is_not_valid)
{
    ProcessRecord user = full, desktop = full;
    ck_assert(process_record_valid(&full));
    memset(user.user, 'x', sizeof user.user);
    ck_assert(!process_record_valid(&user));
    memset(desktop.desktop, 'x', sizeof desktop.desktop);
    ck_assert(!process_record_valid(&desktop));
}
END_TEST

START_TEST(fields_are_filled_in_steps_and_empty_ones_change_nothing)
{
    ProcessRecord record = {0}, nothing = {0};
    ck_assert(
        process_record_fill(&record, &(ProcessRecord){.user = "alice", .serial = 9, .web_session = 10}));
    ck_assert_str_eq(record.desktop, "");
    ck_assert(process_record_fill(&record, &(ProcessRecord){.desktop = "d1", .epoch = 7, .connection = 8}));
    ck_assert_mem_eq(&record, &full, sizeof full);
    ck_assert(process_record_fill(&record, &nothing));
    ck_assert(process_record_fill(&record, &full));
    ck_assert_mem_eq(&record, &full, sizeof full);
}
END_TEST

START_TEST(a_field_that_differs_from_a_written_one_is_refused_and_nothing_is_written)
{
    const ProcessRecord wishes[] = {{.user = "bob"},   {.desktop = "d2"}, {.epoch = 1},
                                    {.connection = 1}, {.serial = 1},     {.web_session = 1}};
    for (guint i = 0; i < G_N_ELEMENTS(wishes); i++) {
        ProcessRecord record = full;
        ck_assert(!process_record_fill(&record, &wishes[i]));
        ck_assert_mem_eq(&record, &full, sizeof full);
    }
    ProcessRecord record = {.user = "alice"};
    ck_assert(!process_record_fill(&record, &(ProcessRecord){.user = "bob", .desktop = "d1", .epoch = 7}));
    ck_assert_str_eq(record.desktop, "");
    ck_assert_uint_eq(record.epoch, 0);
}
END_TEST

START_TEST(a_client_enters_a_seat_of_its_own_lease_alone)
{
    const ProcessRecord seat = {.desktop = "d1", .epoch = 7}, other = {.desktop = "d2", .epoch = 7},
                        later = {.desktop = "d1", .epoch = 8}, empty = {0};
    ProcessRecord nobody = full;
    *nobody.user = '\0';
    ck_assert(process_record_may_enter(&full, &seat));
    ck_assert(!process_record_may_enter(&full, &other));
    ck_assert(!process_record_may_enter(&full, &later));
    ck_assert(!process_record_may_enter(&nobody, &seat));
    ck_assert(!process_record_may_enter(&(ProcessRecord){.user = "alice"}, &empty));
    ck_assert(!process_record_may_enter(&(ProcessRecord){.user = "alice", .desktop = "d1"},
                                        &(ProcessRecord){.desktop = "d1"}));
}
END_TEST

START_TEST(users_disagree_only_when_both_are_known)
{
    const ProcessRecord alice = {.user = "alice"}, bob = {.user = "bob"}, nobody = {0};
    ck_assert(process_record_users_agree(&alice, &alice));
    ck_assert(process_record_users_agree(&alice, &nobody));
    ck_assert(process_record_users_agree(&nobody, &bob));
    ck_assert(!process_record_users_agree(&alice, &bob));
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("process_record");
    tcase_add_test(cases, a_record_whose_text_does_not_end_is_not_valid);
    tcase_add_test(cases, fields_are_filled_in_steps_and_empty_ones_change_nothing);
    tcase_add_test(cases, a_field_that_differs_from_a_written_one_is_refused_and_nothing_is_written);
    tcase_add_test(cases, a_client_enters_a_seat_of_its_own_lease_alone);
    tcase_add_test(cases, users_disagree_only_when_both_are_known);
    return suite_run("process_record", cases);
}
