/* A desktop's states as a table, and its way through them with a fake hypervisor and fake seats. */
#include "broker/desktop/desktops_internal.h"
#include "fakes.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define UUID "11111111-2222-4333-8444-00000000000"

static FakeMaster *master;
static FakeHypervisor *hypervisor;
static MasterClient *client;
static Desktops *desktops;
static guint told;

static void changed(Desktop *desktop, gpointer data)
{
    told++;
}

static void on_process(const MasterProcess *process, int fd, gpointer data)
{
    if (!desktops || !desktops_take_seat(desktops, process, fd)) {
        close(fd);
        master_client_end(client, process->id, END_DONE, NULL);
    }
}

static void on_arrival(const MasterArrival *arrival, gpointer data)
{
}

static void on_gone(const MasterProcessGone *gone, gpointer data)
{
    if (desktops)
        desktops_seat_gone(desktops, gone->id);
}

static void on_living_end(gpointer data)
{
}

static void set_up(void)
{
    static const MasterEvents events = {on_process, on_arrival, on_gone, on_living_end};
    static const DesktopsEvents desktop_events = {changed};
    DesktopsSettings settings = {
        .start_timeout_s = 1, .stop_timeout_s = 1, .starts_max = 2, .seat_idle_ms = 60000};

    told = 0;
    master = fake_master_new();
    hypervisor = fake_hypervisor_new();
    client = master_client_new(master->broker_end, &events, NULL);
    desktops = desktops_new(client, &settings, &desktop_events, NULL);
    desktops_set_hypervisor(desktops, &hypervisor->base, NULL);
}

static void know_hypervisor(void)
{
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    desktops_hypervisor_up(desktops, none);
}

static void tear_down(void)
{
    g_clear_pointer(&desktops, desktops_free);
    spin();
    master_client_free(client);
    fake_master_free(master);
    hypervisor_free(&hypervisor->base);
}

static Desktop *add(guint number, gboolean vm)
{
    StoreDesktop *row = g_new0(StoreDesktop, 1);
    StoreTemplate *template = g_new0(StoreTemplate, 1);
    char **strings[] = {&template->image,      &template->kernel,      &template->initrd,
                        &template->cmdline,    &template->name,        &template->video,
                        &template->xkb_layout, &template->xkb_variant, &template->firmware};

    for (guint i = 0; i < G_N_ELEMENTS(strings); i++)
        *strings[i] = g_strdup("");
    template->kind = g_strdup(vm ? "vm" : "pattern");
    template->memory_mib = 64;
    row->name = g_strdup_printf("d%u", number);
    row->uuid = vm ? g_strdup_printf(UUID "%u", number) : NULL;
    row->domain = vm ? g_strdup_printf("fw-d%u", number) : NULL;
    row->disk = vm ? g_strdup("/nowhere") : NULL;
    row->template = template;
    return desktops_add(desktops, row);
}

static FakeProcess *seat_of(void)
{
    spin();
    FakeProcess *seat = fake_master_newest(master, KIND_SEAT);
    ck_assert_ptr_nonnull(seat);
    return seat;
}

static Desktop *running(guint number, gboolean vm)
{
    Desktop *desktop = add(number, vm);
    know_hypervisor();
    desktop_start(desktop, NULL);
    fake_seat_picture(seat_of());
    spin();
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_RUNNING);
    return desktop;
}

static struct {
    guint count;
    int code;
    char text[200];
} result;

static void done(const GError *error, gpointer data)
{
    result.count++;
    result.code = error ? error->code : -1;
    g_strlcpy(result.text, error ? error->message : "", sizeof result.text);
}

START_TEST(each_state_allows_exactly_its_own_events)
{
    /* One row a state, one letter an event: next state, or - for illegal. */
    static const char *const table[] = {"SR--OF", "-SRTFF", "-RRTOF", "-TTTOF", "SR--FF"};
    static const char letters[] = "OSRTF";

    for (int from = 0; from < 5; from++) {
        for (int event = 0; event < DESKTOP_EVENTS; event++) {
            DesktopState to = DESKTOP_OFF;
            gboolean legal = desktop_next((DesktopState)from, (DesktopEvent)event, &to);
            ck_assert_msg(legal == (table[from][event] != '-'), "%d %d", from, event);
            ck_assert_msg(!legal || letters[to] == table[from][event], "%d %d", from, event);
        }
    }
}
END_TEST

START_TEST(a_start_needs_vm_and_first_picture)
{
    Desktop *desktop = add(1, TRUE);
    know_hypervisor();
    hypervisor->holds = TRUE;
    memset(&result, 0, sizeof result);
    desktop_power(desktop, DESKTOP_POWER_START, done, NULL);
    FakeProcess *seat = seat_of();
    ck_assert_str_eq(seat->record.desktop, "d1");
    ck_assert(fake_seat_configured(seat));
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_STARTING);
    ck_assert_uint_eq(result.count, 0);
    fake_hypervisor_answer(hypervisor);
    spin();
    ck_assert_uint_eq(result.count, 1);
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_STARTING);
    ck_assert_uint_eq(desktop_seat(desktop), 0);
    fake_seat_picture(seat);
    spin();
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_RUNNING);
    ck_assert_uint_eq(desktop_seat(desktop), seat->id);
    ck_assert_uint_gt(told, 0);
}
END_TEST

START_TEST(a_display_that_comes_before_the_vm_waits_for_it)
{
    SeatControlHeader display = {.type = SEAT_CONTROL_DISPLAY, .size = sizeof display};
    Desktop *desktop = add(1, TRUE);
    int fd = dup(2);

    know_hypervisor();
    hypervisor->holds = TRUE;
    desktop_start(desktop, NULL);
    packet_send(seat_of()->link, &display, sizeof display, &fd, 1);
    spin();
    ck_assert_uint_eq(hypervisor->displays, 0);
    fake_hypervisor_answer(hypervisor);
    ck_assert_uint_eq(hypervisor->displays, 1);
    close(fd);
}
END_TEST

START_TEST(a_start_that_fails_tells_the_reason_and_can_be_tried_again)
{
    Desktop *desktop = add(1, TRUE);
    know_hypervisor();
    hypervisor->fails = HYPERVISOR_ERROR_IMAGE_MISSING;
    hypervisor->fail_text = "The image is missing.";
    memset(&result, 0, sizeof result);
    desktop_power(desktop, DESKTOP_POWER_START, done, NULL);
    spin();
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_FAILED);
    ck_assert_str_eq(desktop_reason(desktop), "The image is missing.");
    ck_assert_str_eq(result.text, "The image is missing.");
    ck_assert(fake_master_newest(master, KIND_SEAT)->ended);
    desktop_start(desktop, NULL);
    fake_seat_picture(seat_of());
    spin();
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_RUNNING);
}
END_TEST

static gboolean has_failed(gpointer desktop)
{
    return desktop_state(desktop) == DESKTOP_FAILED;
}

static gboolean was_destroyed(gpointer data)
{
    return hypervisor->destroys > 0;
}

START_TEST(without_a_picture_in_time_the_vm_goes_and_the_desktop_has_failed)
{
    Desktop *desktop = add(1, TRUE);
    know_hypervisor();
    desktop_start(desktop, NULL);
    spin_until(was_destroyed, NULL);
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_STOPPING);
    desktops_vm_ended(desktops, UUID "1", "switched off");
    ck_assert(has_failed(desktop));
    ck_assert_ptr_nonnull(strstr(desktop_reason(desktop), "no picture"));
}
END_TEST

START_TEST(a_guest_that_does_not_shut_down_is_switched_off_after_its_time)
{
    Desktop *desktop = running(1, TRUE);
    memset(&result, 0, sizeof result);
    desktop_power(desktop, DESKTOP_POWER_STOP, done, NULL);
    ck_assert_uint_eq(hypervisor->shutdowns, 1);
    ck_assert_uint_eq(hypervisor->destroys, 0);
    spin_until(was_destroyed, NULL);
    ck_assert_uint_eq(result.count, 0);
    desktops_vm_ended(desktops, UUID "1", "destroyed");
    ck_assert_uint_eq(result.count, 1);
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_OFF);
}
END_TEST

START_TEST(a_restart_starts_again_once_the_vm_is_off)
{
    Desktop *desktop = running(1, TRUE);
    memset(&result, 0, sizeof result);
    desktop_power(desktop, DESKTOP_POWER_RESTART, done, NULL);
    desktops_vm_ended(desktops, UUID "1", "shut down");
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_STARTING);
    ck_assert_uint_eq(result.count, 0);
    spin();
    ck_assert_uint_eq(hypervisor->started, 2);
    ck_assert_uint_eq(result.count, 1);
    ck_assert_int_eq(result.code, -1);
}
END_TEST

START_TEST(a_vm_that_dies_by_itself_leaves_the_desktop_off_with_the_reason)
{
    Desktop *desktop = running(1, TRUE);
    desktops_vm_ended(desktops, UUID "1", "The desktop crashed.");
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_OFF);
    ck_assert_str_eq(desktop_reason(desktop), "The desktop crashed.");
    ck_assert_uint_eq(desktop_seat(desktop), 0);
}
END_TEST

START_TEST(a_seat_that_dies_is_replaced_at_once_and_the_desktop_runs_on)
{
    Desktop *desktop = running(1, TRUE);
    FakeProcess *seat = fake_master_newest(master, KIND_SEAT);
    ProcessId old = seat->id;
    fake_master_die(master, seat);
    seat = seat_of();
    ck_assert_uint_ne(seat->id, old);
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_RUNNING);
    ck_assert_uint_eq(desktop_seat(desktop), 0);
    fake_seat_picture(seat);
    spin();
    ck_assert_uint_eq(desktop_seat(desktop), seat->id);
}
END_TEST

static gboolean has_no_seat(gpointer desktop)
{
    return desktop_seat(desktop) == 0;
}

START_TEST(the_time_until_an_unwatched_seat_ends_begins_with_the_last_look)
{
    Desktop *desktop = running(1, TRUE);
    guint before = desktop->idle_timer;
    ck_assert_uint_ne(before, 0);
    desktop_set_users(desktop, 1);
    ck_assert_uint_eq(desktop->idle_timer, 0);
    desktops->settings.seat_idle_ms = 1;
    desktop_set_users(desktop, 0);
    ck_assert_uint_ne(desktop->idle_timer, before);
    spin_until(has_no_seat, desktop);
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_RUNNING);
}
END_TEST

START_TEST(a_seat_that_always_dies_is_not_replaced_without_end)
{
    running(1, TRUE);
    for (guint i = 0; i < 10; i++) {
        FakeProcess *seat = fake_master_newest(master, KIND_SEAT);
        if (!seat)
            break;
        fake_master_die(master, seat);
        spin();
    }
    ck_assert_uint_lt(master->spawns, 6);
}
END_TEST

START_TEST(only_so_many_start_at_a_time_and_the_others_see_their_place)
{
    Desktop *first = add(1, TRUE), *second = add(2, TRUE), *third = add(3, TRUE);
    know_hypervisor();
    desktop_start(first, NULL);
    desktop_start(second, NULL);
    desktop_start(third, NULL);
    spin();
    ck_assert_uint_eq(hypervisor->started, 2);
    ck_assert_ptr_nonnull(strstr(desktop_reason(third), "place 1"));
    fake_seat_picture(fake_master_newest(master, KIND_SEAT));
    spin();
    ck_assert_uint_eq(hypervisor->started, 3);
    ck_assert_str_eq(desktop_reason(third), "");
}
END_TEST

START_TEST(nothing_starts_before_the_hypervisor_has_been_heard_of)
{
    Desktop *desktop = add(1, TRUE);
    desktop_start(desktop, NULL);
    spin();
    ck_assert_uint_eq(hypervisor->started, 0);
    know_hypervisor();
    ck_assert_uint_eq(hypervisor->started, 1);
}
END_TEST

START_TEST(running_vms_are_adopted_orphans_switched_off_and_lost_ones_told)
{
    Desktop *adopted = add(1, TRUE), *lost = running(2, TRUE);
    g_autoptr(GPtrArray) found = g_ptr_array_new();

    g_ptr_array_add(found, (gpointer)(UUID "1"));
    g_ptr_array_add(found, (gpointer)(UUID "9"));
    desktops_hypervisor_up(desktops, found);
    ck_assert_int_eq(desktop_state(adopted), DESKTOP_RUNNING);
    ck_assert_int_eq(desktop_state(lost), DESKTOP_OFF);
    ck_assert_uint_eq(hypervisor->destroys, 1);
    ck_assert_uint_eq(hypervisor->started, 1);
}
END_TEST

START_TEST(a_living_seat_is_taken_over_and_proves_that_its_desktop_runs)
{
    Desktop *desktop = add(1, TRUE);
    ProcessRecord record = {.desktop = "d1"};
    FakeProcess *seat = fake_master_living(master, KIND_SEAT, &record, 0);

    spin();
    ck_assert(!seat->ended);
    ck_assert(fake_seat_configured(seat));
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_RUNNING);
    ck_assert_uint_eq(master->spawns, 0);
    fake_seat_picture(seat);
    spin();
    ck_assert_uint_eq(desktop_seat(desktop), seat->id);
}
END_TEST

START_TEST(a_living_seat_of_no_desktop_or_another_lease_is_ended)
{
    ProcessRecord unknown = {.desktop = "d7"}, other = {.desktop = "d1", .epoch = 4};
    FakeProcess *a, *b;

    add(1, TRUE);
    a = fake_master_living(master, KIND_SEAT, &unknown, 0);
    b = fake_master_living(master, KIND_SEAT, &other, 0);
    spin();
    ck_assert(a->ended);
    ck_assert(b->ended);
}
END_TEST

START_TEST(a_seat_of_another_lease_is_replaced_before_anyone_comes)
{
    Desktop *desktop = running(1, TRUE);
    FakeProcess *seat = fake_master_newest(master, KIND_SEAT);

    ck_assert(desktop_bind(desktop, 3));
    spin();
    ck_assert_uint_eq(seat->record.epoch, 3);
    ck_assert(desktop_bind(desktop, 3));
    ck_assert(!desktop_bind(desktop, 4));
    spin();
    ck_assert(seat->ended);
    ck_assert_uint_eq(fake_master_newest(master, KIND_SEAT)->record.epoch, 4);
}
END_TEST

START_TEST(a_pattern_needs_no_hypervisor)
{
    Desktop *desktop = add(1, FALSE);
    desktops_set_hypervisor(desktops, NULL, "none");
    desktop_start(desktop, NULL);
    fake_seat_picture(seat_of());
    spin();
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_RUNNING);
    desktop_power(desktop, DESKTOP_POWER_STOP, NULL, NULL);
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_OFF);
    ck_assert_uint_eq(hypervisor->started, 0);
}
END_TEST

static Desktop *with_recording(const char *path)
{
    Desktop *desktop = add(1, FALSE);
    g_free(desktop->row->template->image);
    desktop->row->template->image = g_strdup(path);
    desktop_start(desktop, NULL);
    return desktop;
}

START_TEST(the_seat_of_a_recording_gets_its_descriptor_to_read_only)
{
    char path[] = "/tmp/fernwerk-recording-XXXXXX";
    int file = g_mkstemp(path), fd;

    with_recording(path);
    ck_assert(fake_seat_configured_with(seat_of(), &fd));
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    close(fd);
    close(file);
    unlink(path);
}
END_TEST

START_TEST(a_recording_that_cannot_be_opened_is_the_desktops_failure)
{
    Desktop *desktop = with_recording("/no/such/recording");
    spin();
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_FAILED);
    ck_assert_ptr_nonnull(strstr(desktop_reason(desktop), "/no/such/recording"));
}
END_TEST

START_TEST(a_desktop_that_is_nothing_but_its_seat_fails_with_what_the_seat_says)
{
    Desktop *desktop = running(1, FALSE);
    FakeProcess *seat = seat_of();
    fake_seat_lost(seat, "The recording cannot be played: it ends too early.");
    spin();
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_FAILED);
    ck_assert_str_eq(desktop_reason(desktop), "The recording cannot be played: it ends too early.");
    ck_assert(seat->ended);
}
END_TEST

START_TEST(a_removal_switches_off_deletes_the_disk_and_forgets)
{
    Desktop *desktop = running(1, TRUE);
    memset(&result, 0, sizeof result);
    desktop_remove(desktop, done, NULL);
    ck_assert_uint_eq(hypervisor->destroys, 1);
    ck_assert_uint_eq(hypervisor->removals, 0);
    desktops_vm_ended(desktops, UUID "1", "destroyed");
    spin();
    ck_assert_uint_eq(hypervisor->removals, 1);
    ck_assert_uint_eq(result.count, 1);
    ck_assert_int_eq(result.code, -1);
    ck_assert_ptr_null(desktops_find(desktops, "d1"));
}
END_TEST

START_TEST(a_stop_during_the_start_ends_the_vm_once_it_is_there)
{
    Desktop *desktop = add(1, TRUE);
    know_hypervisor();
    hypervisor->holds = TRUE;
    desktop_start(desktop, NULL);
    desktop_power(desktop, DESKTOP_POWER_STOP, NULL, NULL);
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_STOPPING);
    ck_assert_uint_eq(hypervisor->destroys, 0);
    fake_hypervisor_answer(hypervisor);
    ck_assert_uint_eq(hypervisor->destroys, 1);
    desktops_vm_ended(desktops, UUID "1", "destroyed");
    ck_assert_int_eq(desktop_state(desktop), DESKTOP_OFF);
    spin();
}
END_TEST

static struct {
    guint count;
    char png[16];
    gsize length;
} thumbnail;

static void on_thumbnail(const guint8 *png, gsize length, guint width, guint height, gpointer data)
{
    thumbnail.count++;
    thumbnail.length = length;
    if (png)
        memcpy(thumbnail.png, png, MIN(length, sizeof thumbnail.png));
}

/* Reads up to the request and answers it with `claimed` bytes, of which the memory holds four. */
static void answer_thumbnail(FakeProcess *seat, guint claimed)
{
    union {
        SeatThumbnailRequest request;
        char bytes[SEAT_CONTROL_PACKET_MAX];
    } in;
    SeatThumbnail out = {.header = {.type = SEAT_CONTROL_THUMB, .size = sizeof out}, .length = claimed};
    int descriptor, fd = memfd_create("png", MFD_CLOEXEC);
    gsize length;
    guint count;

    do
        ck_assert_int_eq(packet_receive(seat->link, &in, sizeof in, &length, &descriptor, 1, &count),
                         PACKET_OK);
    while (in.request.header.type != SEAT_CONTROL_THUMBNAIL);
    out.request = in.request.request;
    ck_assert_int_eq(write(fd, "\x89PNG", 4), 4);
    packet_send(seat->link, &out, sizeof out, &fd, 1);
    close(fd);
    spin();
}

START_TEST(a_thumbnail_is_copied_from_the_seats_memory_and_a_lie_about_its_size_gives_none)
{
    Desktop *desktop = running(1, TRUE);
    FakeProcess *seat = fake_master_newest(master, KIND_SEAT);

    memset(&thumbnail, 0, sizeof thumbnail);
    desktop_thumbnail(desktop, 320, 200, on_thumbnail, NULL);
    answer_thumbnail(seat, 4);
    ck_assert_uint_eq(thumbnail.count, 1);
    ck_assert_uint_eq(thumbnail.length, 4);
    ck_assert_mem_eq(thumbnail.png, "\x89PNG", 4);
    desktop_thumbnail(desktop, 320, 200, on_thumbnail, NULL);
    answer_thumbnail(seat, 5);
    ck_assert_uint_eq(thumbnail.count, 2);
    ck_assert_uint_eq(thumbnail.length, 0);
}
END_TEST

START_TEST(a_desktop_that_is_off_has_no_thumbnail_and_an_error_keeps_its_kind)
{
    Desktop *desktop = add(1, TRUE);

    memset(&thumbnail, 0, sizeof thumbnail);
    desktop_thumbnail(desktop, 320, 200, on_thumbnail, NULL);
    ck_assert_uint_eq(thumbnail.count, 1);
    ck_assert_uint_eq(thumbnail.length, 0);
    know_hypervisor();
    hypervisor->fails = HYPERVISOR_ERROR_UNREACHABLE;
    hypervisor->fail_text = "libvirt is not running.";
    memset(&result, 0, sizeof result);
    desktop_power(desktop, DESKTOP_POWER_START, done, NULL);
    spin();
    ck_assert_int_eq(result.code, HYPERVISOR_ERROR_UNREACHABLE);
}
END_TEST

static gboolean repeated(gpointer data)
{
    return master->repeats >= 2;
}

START_TEST(a_request_without_an_answer_is_repeated_with_its_number)
{
    Desktop *desktop = add(1, FALSE);
    master->mute = TRUE;
    desktop_start(desktop, NULL);
    spin_until(repeated, NULL);
    master->mute = FALSE;
    ck_assert_uint_eq(master->spawns, 0);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("desktop");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, each_state_allows_exactly_its_own_events);
    tcase_add_test(tcase, a_start_needs_vm_and_first_picture);
    tcase_add_test(tcase, a_display_that_comes_before_the_vm_waits_for_it);
    tcase_add_test(tcase, a_start_that_fails_tells_the_reason_and_can_be_tried_again);
    tcase_add_test(tcase, without_a_picture_in_time_the_vm_goes_and_the_desktop_has_failed);
    tcase_add_test(tcase, a_guest_that_does_not_shut_down_is_switched_off_after_its_time);
    tcase_add_test(tcase, a_restart_starts_again_once_the_vm_is_off);
    tcase_add_test(tcase, a_vm_that_dies_by_itself_leaves_the_desktop_off_with_the_reason);
    tcase_add_test(tcase, a_seat_that_dies_is_replaced_at_once_and_the_desktop_runs_on);
    tcase_add_test(tcase, the_time_until_an_unwatched_seat_ends_begins_with_the_last_look);
    tcase_add_test(tcase, a_seat_that_always_dies_is_not_replaced_without_end);
    tcase_add_test(tcase, only_so_many_start_at_a_time_and_the_others_see_their_place);
    tcase_add_test(tcase, nothing_starts_before_the_hypervisor_has_been_heard_of);
    tcase_add_test(tcase, running_vms_are_adopted_orphans_switched_off_and_lost_ones_told);
    tcase_add_test(tcase, a_living_seat_is_taken_over_and_proves_that_its_desktop_runs);
    tcase_add_test(tcase, a_living_seat_of_no_desktop_or_another_lease_is_ended);
    tcase_add_test(tcase, a_seat_of_another_lease_is_replaced_before_anyone_comes);
    tcase_add_test(tcase, a_pattern_needs_no_hypervisor);
    tcase_add_test(tcase, the_seat_of_a_recording_gets_its_descriptor_to_read_only);
    tcase_add_test(tcase, a_recording_that_cannot_be_opened_is_the_desktops_failure);
    tcase_add_test(tcase, a_desktop_that_is_nothing_but_its_seat_fails_with_what_the_seat_says);
    tcase_add_test(tcase, a_removal_switches_off_deletes_the_disk_and_forgets);
    tcase_add_test(tcase, a_stop_during_the_start_ends_the_vm_once_it_is_there);
    tcase_add_test(tcase, a_thumbnail_is_copied_from_the_seats_memory_and_a_lie_about_its_size_gives_none);
    tcase_add_test(tcase, a_desktop_that_is_off_has_no_thumbnail_and_an_error_keeps_its_kind);
    tcase_add_test(tcase, a_request_without_an_answer_is_repeated_with_its_number);
    return suite_run("desktop", tcase);
}
