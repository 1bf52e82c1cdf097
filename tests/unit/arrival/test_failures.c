/* What fails is told where the person is looking, and the next try works. */
#include "rig.h"

#include "broker/arrival/backend.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>

/* One of each kind, as broker/virt words them. */
static const struct {
    HypervisorError code;
    const char *text;
    ControlResult result;
} faults[] = {
    {HYPERVISOR_ERROR_FAILED, "The desktop could not be started: internal error.", CONTROL_FAILED},
    {HYPERVISOR_ERROR_UNREACHABLE, "libvirt is not running on the server: start libvirtd.",
     CONTROL_UNREACHABLE},
    {HYPERVISOR_ERROR_DENIED, "libvirt refuses the broker's user: put it into the group libvirt.",
     CONTROL_FAILED},
    {HYPERVISOR_ERROR_NO_EMULATOR, "QEMU is not installed: install the package qemu-system-x86.",
     CONTROL_FAILED},
    {HYPERVISOR_ERROR_NO_MEMORY, "There is not enough memory for this desktop now. Stop another one.",
     CONTROL_FAILED},
    {HYPERVISOR_ERROR_IMAGE_MISSING, "The template's image /images/a.qcow2 is missing.", CONTROL_FAILED},
    {HYPERVISOR_ERROR_IMAGE_DENIED, "QEMU may not read the desktop's files.", CONTROL_FAILED},
    {HYPERVISOR_ERROR_DISK_FULL, "The server's disk is full.", CONTROL_FAILED},
    {HYPERVISOR_ERROR_DISK_BUSY, "The desktop's disk is in use by another program.", CONTROL_CONFLICT},
    {HYPERVISOR_ERROR_NOT_OURS, "A virtual machine of this name exists already.", CONTROL_FAILED},
};

START_TEST(each_kind_of_fault_reaches_the_greeter_as_a_sentence)
{
    FakeProcess *person = arrive();

    add_desktop("d1", "alice");
    for (guint i = 0; i < G_N_ELEMENTS(faults); i++) {
        hypervisor->fails = faults[i].code;
        hypervisor->fail_text = faults[i].text;
        if (i == 0)
            say_login(person, "alice", PASSWORD, "");
        else
            say_choose(person, "d1");
        hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_FAILED);
        ck_assert_str_eq(heard.progress.text, faults[i].text);
    }
    say_choose(person, "d1");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_STARTING);
}
END_TEST

static struct {
    gboolean done;
    ControlResult result;
    char text[SEAT_TEXT_MAX], hint[128];
} outcome;

static void on_outcome(ControlResult result, const char *message, const char *hint, gpointer request)
{
    outcome.done = TRUE;
    outcome.result = result;
    g_strlcpy(outcome.text, message ? message : "", sizeof outcome.text);
    g_strlcpy(outcome.hint, hint ? hint : "", sizeof outcome.hint);
}

static gboolean is_done(gpointer data)
{
    return outcome.done;
}

static void start_by_command(void)
{
    Backend backend = {.store = store, .desktops = desktops, .arrivals = arrivals};
    memset(&outcome, 0, sizeof outcome);
    backend_functions.power("d1", CONTROL_START, on_outcome, NULL, &backend);
    spin_until(is_done, NULL);
}

START_TEST(each_kind_of_fault_reaches_the_command_line_as_a_sentence)
{
    add_desktop("d1", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(faults); i++) {
        hypervisor->fails = faults[i].code;
        hypervisor->fail_text = faults[i].text;
        start_by_command();
        ck_assert_int_eq(outcome.result, faults[i].result);
        ck_assert_str_eq(outcome.text, faults[i].text);
        ck_assert_int_eq(*outcome.hint != 0, faults[i].code == HYPERVISOR_ERROR_UNREACHABLE);
    }
    start_by_command();
    ck_assert_int_eq(outcome.result, CONTROL_OK);
}
END_TEST

START_TEST(without_libvirt_both_are_told_why)
{
    static const char *const why = "libvirt.uri: \"qemu+ssh://elsewhere/system\" is on another machine.";
    FakeProcess *person = arrive();

    desktops_set_hypervisor(desktops, NULL, why);
    add_desktop("d1", "alice");
    say_login(person, "alice", PASSWORD, "");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_FAILED);
    ck_assert_str_eq(heard.progress.text, why);
    start_by_command();
    ck_assert_int_eq(outcome.result, CONTROL_FAILED);
    ck_assert_str_eq(outcome.text, why);
}
END_TEST

START_TEST(a_greeter_that_dies_between_login_and_list_is_followed_by_one_that_goes_on)
{
    FakeProcess *person = arrive(), *greeter = greeter_of(person);
    MasterProcessGone gone = {.header = {.type = MASTER_PROCESS_GONE, .size = sizeof gone},
                              .id = greeter->id,
                              .kind = KIND_GREETER,
                              .reason = END_FAULT};

    add_desktop("d1", "alice");
    say_login(person, "alice", PASSWORD, "");
    hear(greeter, GREETER_RESULT, 0);
    arrivals_gone(arrivals, &gone);
    STORED(store_desktop_show(store, "d1", stored, NULL));
    spin();
    ck_assert_uint_eq(hypervisor->started, 0);
    fake_master_die(master, greeter);
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_STARTING);
}
END_TEST

START_TEST(enter_asks_again_where_there_was_no_desktop_to_name)
{
    FakeProcess *person = arrive();

    add_desktop("d1", NULL);
    say_login(person, "alice", PASSWORD, "");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_FAILED);
    say_choose(person, "");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_FAILED);
    ck_assert_ptr_nonnull(strstr(heard.progress.text, "No desktop is assigned"));
    STORED(store_assign(store, "broker", "d1", "alice", stored, NULL));
    say_choose(person, "");
    hear(greeter_of(person), GREETER_PROGRESS, GREETER_PHASE_STARTING);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("failures");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, each_kind_of_fault_reaches_the_greeter_as_a_sentence);
    tcase_add_test(tcase, each_kind_of_fault_reaches_the_command_line_as_a_sentence);
    tcase_add_test(tcase, without_libvirt_both_are_told_why);
    tcase_add_test(tcase, a_greeter_that_dies_between_login_and_list_is_followed_by_one_that_goes_on);
    tcase_add_test(tcase, enter_asks_again_where_there_was_no_desktop_to_name);
    return suite_run("failures", tcase);
}
