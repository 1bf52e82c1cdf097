/* A real seat at a real VM: firmware through inline pixels, the tiny guest through shared memory, input,
 * loss. */
#include "rig.h"
#include "tests/unit/suite.h"
#include "vm.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A guest under emulation on a busy machine: what comes, comes. */
#define FRAME_MS 180000
#define SERIAL_MS 60000

static RigSeat seat;
static Vm vm;
static gboolean running;
static union {
    guint8 bytes[SEAT_LINK_PACKET_MAX];
    SeatFrame frame;
    SeatPicture picture;
    SeatLost lost;
} got;

static void start(const char *const *arguments, const char *layout)
{
    int fd;
    vm_start(&vm, arguments);
    running = TRUE;
    rig_seat_start(&seat);
    rig_seat_configure(&seat, SEAT_SOURCE_QEMU, 1024, 768, layout);
    rig_seat_await(&seat, SEAT_CONTROL_DISPLAY, got.bytes, &fd);
    vm_open_display(&vm, fd);
    close(fd);
    rig_seat_await(&seat, SEAT_CONTROL_PICTURE, got.bytes, NULL);
}

static void start_tiny(const char *video)
{
    const char *folder = vm_tiny_guest();
    g_autofree char *kernel = g_build_filename(folder, "kernel", NULL);
    g_autofree char *initrd = g_build_filename(folder, "initrd", NULL);
    const char *arguments[] = {"-kernel", kernel,
                               "-initrd", initrd,
                               "-append", "console=ttyS0 quiet",
                               "-device", video,
                               "-device", "virtio-keyboard-pci",
                               "-device", "virtio-tablet-pci",
                               "-cpu",    "max",
                               NULL};
    start(arguments, "de");
}

static void stop(void)
{
    if (!running)
        return;
    rig_seat_stop(&seat);
    vm_stop(&vm);
    running = FALSE;
}

/* Takes frames until the picture has rested for `ms`. */
static void settle(RigClient *client, gint ms)
{
    while (rig_client_take(client, SEAT_FRAME, ms, NULL))
        rig_client_credit(client, 1);
}

static void compare_with_qemu(RigClient *client)
{
    guint width, height, different = 0;
    g_autofree guint8 *screen = vm_screen(&vm, &width, &height);

    ck_assert_uint_eq(width, client->layout.width);
    ck_assert_uint_eq(height, client->layout.height);
    for (guint y = 0; y < height; y++)
        for (guint x = 0; x < width; x++) {
            const guint8 *want = screen + ((gsize)y * width + x) * 3;
            guint32 wanted = want[0] << 16 | want[1] << 8 | want[2];
            different += (rig_client_row(client, y)[x] & 0xffffff) != wanted;
        }
    ck_assert_msg(different == 0, "%u pixels differ", different);
}

static guint lit_pixels(const RigClient *client)
{
    guint lit = 0;
    for (guint y = 0; y < client->layout.height; y++)
        for (guint x = 0; x < client->layout.width; x++)
            lit += (rig_client_row(client, y)[x] & 0xffffff) != 0;
    return lit;
}

START_TEST(the_firmware_is_seen_through_inline_pixels)
{
    const char *arguments[] = {"-vga", "std", NULL};
    RigClient client;
    guint lit = 0;

    start(arguments, "us");
    rig_client_attach(&seat, &client, 10, 0, SEAT_PROTOCOL_VNC, 0, 0);
    rig_client_credit(&client, 8);
    /* Its text cursor blinks for ever: look until there is text. */
    for (guint frame = 0; frame < 60 && lit <= 500; frame++) {
        rig_client_await(&client, SEAT_FRAME, NULL);
        rig_client_credit(&client, 1);
        lit = lit_pixels(&client);
    }
    ck_assert_uint_gt(lit, 500);
    rig_client_close(&client);
}
END_TEST

START_TEST(the_tiny_guest_shows_its_card_exactly_at_the_clients_size)
{
    RigClient client;

    start_tiny("virtio-gpu-pci");
    rig_client_attach(&seat, &client, 10, 0, SEAT_PROTOCOL_VNC, 1280, 720);
    rig_client_credit(&client, 8);
    do {
        ck_assert_msg(rig_client_take(&client, SEAT_FRAME, FRAME_MS, NULL), "no picture of 1280x720 came");
        rig_client_credit(&client, 1);
    } while (client.layout.width != 1280 || client.layout.height != 720);
    for (guint i = 0; i < 40; i++) {
        ck_assert(rig_client_take(&client, SEAT_FRAME, 10000, NULL));
        rig_client_credit(&client, 1);
    }
    guint32 number = rig_client_card_number(&client);
    for (guint i = 0; i < 10; i++) {
        ck_assert(rig_client_take(&client, SEAT_FRAME, 10000, NULL));
        rig_client_credit(&client, 1);
    }
    ck_assert_uint_gt(rig_client_card_number(&client), number);
    rig_client_key(&client, 0x42, TRUE);
    rig_client_key(&client, 0x42, FALSE);
    ck_assert(vm_serial_has(&vm, "KEY 66 1", SERIAL_MS));
    rig_client_pointer(&client, 300, 200, 0);
    ck_assert(vm_serial_has(&vm, "PTR 300 200 0", SERIAL_MS) || vm_serial_has(&vm, "PTR 299 199 0", 10));
    settle(&client, 1500);
    compare_with_qemu(&client);
    ck_assert(client.cursor.visible);
    ck_assert_int_ge(client.cursor_fd, 0);
    rig_client_close(&client);
}
END_TEST

START_TEST(german_characters_become_the_keys_of_a_german_keyboard)
{
    RigClient client;

    start_tiny("virtio-gpu-pci");
    rig_client_attach(&seat, &client, 10, 0, SEAT_PROTOCOL_VNC, 800, 600);
    rig_client_credit(&client, 8);
    for (guint i = 0; i < 30; i++) {
        ck_assert(rig_client_take(&client, SEAT_FRAME, FRAME_MS, NULL));
        rig_client_credit(&client, 1);
    }
    rig_client_keysym(&client, '@');
    ck_assert(vm_serial_has(&vm, "KEY 100 1\nKEY 16 1\n", SERIAL_MS)); /* AltGr, Q */
    rig_client_keysym(&client, '{');
    ck_assert(vm_serial_has(&vm, "KEY 100 1\nKEY 8 1\n", SERIAL_MS)); /* AltGr, 7 */
    rig_client_keysym(&client, 0xdf);
    ck_assert(vm_serial_has(&vm, "KEY 12 1\n", SERIAL_MS)); /* sharp s: the key after 0 */
    rig_client_keysym(&client, 'y');
    ck_assert(vm_serial_has(&vm, "KEY 44 1\n", SERIAL_MS)); /* where an American Z is */
    rig_client_close(&client);
}
END_TEST

START_TEST(a_vm_that_dies_is_reported_and_the_picture_stays)
{
    const char *arguments[] = {"-vga", "std", NULL};
    RigClient client;

    start(arguments, "us");
    rig_client_attach(&seat, &client, 10, 0, SEAT_PROTOCOL_VNC, 0, 0);
    rig_client_credit(&client, 2);
    rig_client_await(&client, SEAT_FRAME, NULL);
    kill(vm.pid, SIGKILL);
    rig_seat_await(&seat, SEAT_CONTROL_LOST, got.bytes, NULL);
    ck_assert_uint_gt(strlen(got.lost.text), 0);
    rig_client_key(&client, 0x1e, TRUE);
    ck_assert(!rig_client_take(&client, SEAT_CLOSE, 300, NULL));

    /* The broker starts it anew and says so: a new socket comes. */
    SeatControlHeader reopen = {.type = SEAT_CONTROL_REOPEN, .size = sizeof reopen};
    int fd;
    vm_stop(&vm);
    vm_start(&vm, arguments);
    ck_assert_int_eq(packet_send(seat.broker, &reopen, sizeof reopen, NULL, 0), PACKET_OK);
    rig_seat_await(&seat, SEAT_CONTROL_DISPLAY, got.bytes, &fd);
    vm_open_display(&vm, fd);
    close(fd);
    rig_seat_await(&seat, SEAT_CONTROL_PICTURE, got.bytes, NULL);
    rig_client_credit(&client, 2);
    rig_client_await(&client, SEAT_FRAME, NULL);
    rig_client_close(&client);
}
END_TEST

int main(void)
{
    if (!vm_available() || !vm_tiny_guest()) {
        fprintf(stderr, "skipped: no qemu-system-x86_64, or the tiny guest is not built (FERNWERK_TINY)\n");
        return 77;
    }
    TCase *tests = tcase_create("vm");

    tcase_add_checked_fixture(tests, NULL, stop);
    tcase_set_timeout(tests, 600);
    tcase_add_test(tests, the_firmware_is_seen_through_inline_pixels);
    tcase_add_test(tests, the_tiny_guest_shows_its_card_exactly_at_the_clients_size);
    tcase_add_test(tests, german_characters_become_the_keys_of_a_german_keyboard);
    tcase_add_test(tests, a_vm_that_dies_is_reported_and_the_picture_stays);
    return suite_run("seat_qemu", tests);
}
