/* The libvirt hypervisor against the real libvirtd, with a VM that has nothing to boot. Skipped where there
 * is no libvirtd. One main loop, so no forks between the tests' steps. */
#include "broker/virt/libvirt_hypervisor.h"

#include "base/packet.h"
#include "tests/unit/suite.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define URI "qemu:///system"
#define WAIT_S 60

static struct {
    GMainLoop *loop;
    gboolean up, down, done, ended;
    GPtrArray *running;
    GError *error;
    char reason[256];
} seen;

static char *folder;

static void on_up(GPtrArray *running, const char *version, const char *virt, gpointer data)
{
    g_clear_pointer(&seen.running, g_ptr_array_unref);
    seen.running = g_ptr_array_ref(running);
    g_atomic_int_set(&seen.up, TRUE);
}

static void on_down(const GError *error, gpointer data)
{
    g_atomic_int_set(&seen.down, TRUE);
}

/* Flags come last: libvirt's thread iterates the default context too, and between two turns of ours the
 * callbacks run there. (The broker's main loop never lets go of it.) */
static void on_ended(const char *uuid, const char *reason, gpointer data)
{
    g_strlcpy(seen.reason, reason, sizeof seen.reason);
    g_atomic_int_set(&seen.ended, TRUE);
}

static void on_done(const GError *error, gpointer data)
{
    g_clear_error(&seen.error);
    seen.error = error ? g_error_copy(error) : NULL;
    g_atomic_int_set(&seen.done, TRUE);
}

static void wait_for(const gboolean *flag)
{
    gint64 deadline = g_get_monotonic_time() + WAIT_S * G_USEC_PER_SEC;
    while (!g_atomic_int_get(flag) && g_get_monotonic_time() < deadline) {
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(2000);
    }
    ck_assert(*flag);
}

#define assert_unreachable()                                                                                 \
    ck_assert_msg(g_error_matches(seen.error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_UNREACHABLE), "%s",         \
                  seen.error ? seen.error->message : "no error")

static void wait_done(void)
{
    wait_for(&seen.done);
    seen.done = FALSE;
}

static Hypervisor *open_instance(const char *instance)
{
    HypervisorEvents events = {on_up, on_down, on_ended};
    LibvirtSettings settings = {.uri = URI, .instance = instance, .image_dir = folder, .virt = VIRT_TCG};
    g_autoptr(GError) error = NULL;
    Hypervisor *hypervisor = libvirt_hypervisor_new(&settings, &events, NULL, &error);

    ck_assert_ptr_nonnull(hypervisor);
    seen.up = FALSE;
    wait_for(&seen.up);
    return hypervisor;
}

static DomainSpec *make_spec(void)
{
    DomainSpec *spec = g_new0(DomainSpec, 1);
    g_autofree char *command = NULL;

    spec->uuid = g_uuid_string_random();
    spec->domain = g_strdup_printf("fernwerk-unit-%d", getpid());
    spec->name = g_strdup("unit");
    spec->image = g_build_filename(folder, "base.qcow2", NULL);
    spec->disk = g_build_filename(folder, "unit.qcow2", NULL);
    spec->memory_mib = 64;
    spec->vcpus = 1;
    command = g_strdup_printf("/usr/bin/qemu-img create -q -f qcow2 %s 1M", spec->image);
    ck_assert(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    return spec;
}

START_TEST(a_vm_starts_is_adopted_by_its_own_instance_only_shows_itself_and_ends_with_a_reason)
{
    g_autofree char *instance = g_uuid_string_random(), *other = g_uuid_string_random();
    g_autoptr(DomainSpec) spec = make_spec();
    Hypervisor *hypervisor = open_instance(instance), *stranger;
    int ends[2];

    ck_assert_uint_eq(seen.running->len, 0);
    hypervisor_start(hypervisor, spec, on_done, NULL);
    wait_done();
    ck_assert_msg(!seen.error, "%s", seen.error ? seen.error->message : "");
    hypervisor_start(hypervisor, spec, on_done, NULL);
    wait_done();
    ck_assert(!seen.error);

    ck_assert(packet_pair(ends, NULL));
    hypervisor_open_display(hypervisor, spec->uuid, ends[0], on_done, NULL);
    wait_done();
    ck_assert_msg(!seen.error, "%s", seen.error ? seen.error->message : "");
    close(ends[1]);
    hypervisor_act(hypervisor, spec->uuid, DOMAIN_RESET, on_done, NULL);
    wait_done();
    ck_assert(!seen.error);
    hypervisor_remove_disk(hypervisor, spec, on_done, NULL);
    wait_done();
    ck_assert(g_error_matches(seen.error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_DISK_BUSY));

    stranger = open_instance(other);
    ck_assert_uint_eq(seen.running->len, 0);
    hypervisor_act(stranger, spec->uuid, DOMAIN_DESTROY, on_done, NULL);
    wait_done();
    ck_assert(g_error_matches(seen.error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_NOT_OURS));
    hypervisor_start(stranger, spec, on_done, NULL);
    wait_done();
    ck_assert(g_error_matches(seen.error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_NOT_OURS));
    hypervisor_free(stranger);

    hypervisor_free(hypervisor);
    hypervisor = open_instance(instance);
    ck_assert_uint_eq(seen.running->len, 1);
    ck_assert_str_eq(seen.running->pdata[0], spec->uuid);

    ck_assert(!seen.ended);
    hypervisor_act(hypervisor, spec->uuid, DOMAIN_DESTROY, on_done, NULL);
    wait_done();
    ck_assert(!seen.error);
    wait_for(&seen.ended);
    ck_assert_str_eq(seen.reason, "The desktop was switched off.");
    hypervisor_act(hypervisor, spec->uuid, DOMAIN_RESET, on_done, NULL);
    wait_done();
    ck_assert(g_error_matches(seen.error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_OFF));
    hypervisor_remove_disk(hypervisor, spec, on_done, NULL);
    wait_done();
    ck_assert(!seen.error);
    ck_assert_int_ne(access(spec->disk, F_OK), 0);
    g_unlink(spec->image);
    hypervisor_free(hypervisor);
}
END_TEST

static void report_down(const GError *error, gpointer data)
{
    g_clear_error(&seen.error);
    seen.error = g_error_copy(error);
    on_down(error, data);
}

START_TEST(a_libvirtd_that_is_not_there_is_reported_and_calls_fail_with_the_reason)
{
    HypervisorEvents events = {on_up, report_down, on_ended};
    LibvirtSettings settings = {.uri = "qemu:///system?socket=/nowhere/libvirt-sock",
                                .instance = "6f2b8a52-6c29-4a7e-9d52-0a5b3b1d2c11",
                                .image_dir = folder,
                                .virt = VIRT_TCG};
    Hypervisor *hypervisor = libvirt_hypervisor_new(&settings, &events, NULL, NULL);

    wait_for(&seen.down);
    assert_unreachable();
    hypervisor_act(hypervisor, "11111111-2222-4333-8444-555555555555", DOMAIN_SHUTDOWN, on_done, NULL);
    wait_done();
    assert_unreachable();
    hypervisor_free(hypervisor);
}
END_TEST

START_TEST(without_libvirtd_a_missing_image_is_named_and_a_desktop_that_never_ran_can_go)
{
    HypervisorEvents events = {on_up, report_down, on_ended};
    LibvirtSettings settings = {.uri = "qemu:///system?socket=/nowhere/libvirt-sock",
                                .instance = "6f2b8a52-6c29-4a7e-9d52-0a5b3b1d2c11",
                                .image_dir = folder,
                                .virt = VIRT_TCG};
    g_autoptr(DomainSpec) spec = make_spec();
    Hypervisor *hypervisor = libvirt_hypervisor_new(&settings, &events, NULL, NULL);

    wait_for(&seen.down);
    hypervisor_start(hypervisor, spec, on_done, NULL);
    wait_done();
    assert_unreachable();
    g_unlink(spec->image);
    hypervisor_start(hypervisor, spec, on_done, NULL);
    wait_done();
    ck_assert(g_error_matches(seen.error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_IMAGE_MISSING));
    ck_assert_ptr_nonnull(strstr(seen.error->message, spec->image));
    hypervisor_remove_disk(hypervisor, spec, on_done, NULL);
    wait_done();
    ck_assert(!seen.error);
    ck_assert(g_file_set_contents(spec->disk, "", 0, NULL)); /* it has run: perhaps it still does */
    hypervisor_remove_disk(hypervisor, spec, on_done, NULL);
    wait_done();
    assert_unreachable();
    ck_assert_int_eq(g_unlink(spec->disk), 0);
    hypervisor_free(hypervisor);
}
END_TEST

START_TEST(a_vm_started_while_kvm_is_still_being_proven_waits_for_the_verdict)
{
    HypervisorEvents events = {on_up, on_down, on_ended};
    g_autofree char *instance = g_uuid_string_random(), *xml = NULL, *command = NULL;
    g_autoptr(DomainSpec) spec = make_spec();
    LibvirtSettings settings = {.uri = URI, .instance = instance, .image_dir = folder, .virt = VIRT_KVM};
    Hypervisor *hypervisor = libvirt_hypervisor_new(&settings, &events, NULL, NULL);

    do {
        g_usleep(5000);
        hypervisor_start(hypervisor, spec, on_done, NULL);
        wait_done();
    } while (g_error_matches(seen.error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_UNREACHABLE));
    /* Without /dev/kvm the start itself has failed, for that reason. */
    if (!seen.error) {
        command = g_strdup_printf("virsh -c %s dumpxml %s", URI, spec->domain);
        ck_assert(g_spawn_command_line_sync(command, &xml, NULL, NULL, NULL));
        hypervisor_act(hypervisor, spec->uuid, DOMAIN_DESTROY, on_done, NULL);
        wait_done();
        /* Where KVM starts and does not work it has ended by now; an emulated one would still run. */
        ck_assert_msg(!*xml || g_str_has_prefix(xml, "<domain type='kvm'"), "%.40s", xml);
        wait_for(&seen.ended);
    }
    hypervisor_remove_disk(hypervisor, spec, on_done, NULL);
    wait_done();
    g_unlink(spec->image);
    hypervisor_free(hypervisor);
}
END_TEST

/* ---- a libvirtd that goes away: a forwarder in front of the real one ---- */

#define LIBVIRTD "/run/libvirt/libvirt-sock"

typedef struct {
    char *path;
    GPtrArray *links; /* of GSocketConnection, both sides of each */
    GSocketService *service;
} Forwarder;

static void forwarded(GObject *from, GAsyncResult *result, gpointer to)
{
    g_output_stream_splice_finish(G_OUTPUT_STREAM(to), result, NULL);
}

static void forward(GIOStream *from, GIOStream *to)
{
    GOutputStream *out = g_io_stream_get_output_stream(to);
    g_output_stream_splice_async(out, g_io_stream_get_input_stream(from), G_OUTPUT_STREAM_SPLICE_NONE,
                                 G_PRIORITY_DEFAULT, NULL, forwarded, out);
}

static gboolean on_incoming(GSocketService *service, GSocketConnection *incoming, GObject *source,
                            gpointer data)
{
    Forwarder *self = data;
    g_autoptr(GSocketClient) socket = g_socket_client_new();
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(LIBVIRTD);
    GSocketConnection *real = g_socket_client_connect(socket, G_SOCKET_CONNECTABLE(address), NULL, NULL);

    ck_assert_ptr_nonnull(real);
    g_ptr_array_add(self->links, g_object_ref(incoming));
    g_ptr_array_add(self->links, real);
    forward(G_IO_STREAM(incoming), G_IO_STREAM(real));
    forward(G_IO_STREAM(real), G_IO_STREAM(incoming));
    return TRUE;
}

static void forwarder_start(Forwarder *self)
{
    g_autoptr(GSocketAddress) address = NULL;

    self->path = g_build_filename(folder, "libvirt-sock", NULL);
    address = g_unix_socket_address_new(self->path);
    self->links = g_ptr_array_new_with_free_func(g_object_unref);
    self->service = g_socket_service_new();
    ck_assert(g_socket_listener_add_address(G_SOCKET_LISTENER(self->service), address, G_SOCKET_TYPE_STREAM,
                                            G_SOCKET_PROTOCOL_DEFAULT, NULL, NULL, NULL));
    g_signal_connect(self->service, "incoming", G_CALLBACK(on_incoming), self);
    g_socket_service_start(self->service);
}

static void forwarder_stop(Forwarder *self)
{
    g_socket_service_stop(self->service);
    g_socket_listener_close(G_SOCKET_LISTENER(self->service));
    for (guint i = 0; i < self->links->len; i++)
        g_socket_shutdown(g_socket_connection_get_socket(self->links->pdata[i]), TRUE, TRUE, NULL);
    g_ptr_array_unref(self->links);
    g_object_unref(self->service);
    g_unlink(self->path);
    g_free(self->path);
}

START_TEST(after_libvirtd_has_been_away_it_is_found_again_and_the_vm_was_not_touched)
{
    HypervisorEvents events = {on_up, report_down, on_ended};
    g_autofree char *instance = g_uuid_string_random();
    g_autofree char *uri = g_strdup_printf("qemu:///system?socket=%s/libvirt-sock", folder);
    g_autoptr(DomainSpec) spec = make_spec();
    LibvirtSettings settings = {.uri = uri, .instance = instance, .image_dir = folder, .virt = VIRT_TCG};
    Forwarder forwarder;
    Hypervisor *hypervisor;

    forwarder_start(&forwarder);
    hypervisor = libvirt_hypervisor_new(&settings, &events, NULL, NULL);
    wait_for(&seen.up);
    hypervisor_start(hypervisor, spec, on_done, NULL);
    wait_done();
    ck_assert_msg(!seen.error, "%s", seen.error ? seen.error->message : "");

    forwarder_stop(&forwarder);
    wait_for(&seen.down);
    hypervisor_act(hypervisor, spec->uuid, DOMAIN_RESET, on_done, NULL);
    wait_done();
    assert_unreachable();
    ck_assert_msg(!seen.ended, "%s", seen.reason);

    seen.up = FALSE;
    forwarder_start(&forwarder);
    wait_for(&seen.up);
    ck_assert_uint_eq(seen.running->len, 1);
    ck_assert_str_eq(seen.running->pdata[0], spec->uuid);
    hypervisor_act(hypervisor, spec->uuid, DOMAIN_DESTROY, on_done, NULL);
    wait_done();
    ck_assert(!seen.error);
    wait_for(&seen.ended);
    hypervisor_remove_disk(hypervisor, spec, on_done, NULL);
    wait_done();
    g_unlink(spec->image);
    hypervisor_free(hypervisor);
    forwarder_stop(&forwarder);
}
END_TEST

static void make_folder(void)
{
    memset(&seen, 0, sizeof seen);
    folder = g_dir_make_tmp("libvirt-XXXXXX", NULL);
    g_chmod(folder, 0711);
}

static void remove_folder(void)
{
    g_autofree char *serial = g_build_filename(folder, "serial", NULL);
    g_rmdir(serial);
    ck_assert_int_eq(g_rmdir(folder), 0);
    g_clear_pointer(&seen.running, g_ptr_array_unref);
    g_clear_error(&seen.error);
    g_clear_pointer(&folder, g_free);
}

int main(void)
{
    if (access("/run/libvirt/libvirt-sock", R_OK | W_OK) != 0) {
        g_print("skipped: no libvirtd that this user may use\n");
        return 77;
    }
    TCase *tcase = tcase_create("libvirt");

    tcase_set_timeout(tcase, 200);
    tcase_add_checked_fixture(tcase, make_folder, remove_folder);
    tcase_add_test(tcase,
                   a_vm_starts_is_adopted_by_its_own_instance_only_shows_itself_and_ends_with_a_reason);
    tcase_add_test(tcase, a_libvirtd_that_is_not_there_is_reported_and_calls_fail_with_the_reason);
    tcase_add_test(tcase, without_libvirtd_a_missing_image_is_named_and_a_desktop_that_never_ran_can_go);
    tcase_add_test(tcase, a_vm_started_while_kvm_is_still_being_proven_waits_for_the_verdict);
    tcase_add_test(tcase, after_libvirtd_has_been_away_it_is_found_again_and_the_vm_was_not_touched);
    return suite_run("libvirt", tcase);
}
