/* What a seat costs: memory, time from a key to its frame, encoding, conversion. Prints figures, judges
 * nothing. */
#include "encoder/convert.h"
#include "tests/unit/seat/rig.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WIDTH 1920
#define HEIGHT 1080

static union {
    guint8 bytes[SEAT_LINK_PACKET_MAX];
    SeatFrame frame;
} got;

static double cpu_ms(pid_t pid)
{
    struct timespec used;
    clockid_t clock;
    clock_getcpuclockid(pid, &clock);
    clock_gettime(clock, &used);
    return used.tv_sec * 1e3 + used.tv_nsec / 1e6;
}

static void conversion(void)
{
    const SeatRect whole = {.width = WIDTH, .height = HEIGHT};
    g_autofree guint32 *pixels = g_new(guint32, WIDTH * HEIGHT);
    g_autofree guint8 *planes = g_malloc(WIDTH * 1088 * 3 / 2);
    YuvPicture picture = {
        planes, planes + WIDTH * 1088, planes + WIDTH * 1088 * 5 / 4, WIDTH, WIDTH / 2, 1, WIDTH, 1088};
    for (guint i = 0; i < WIDTH * HEIGHT; i++)
        pixels[i] = i * 2654435761u;
    gint64 start = g_get_monotonic_time();
    for (guint i = 0; i < 50; i++)
        convert_rect(&picture, &whole, pixels, WIDTH * 4, WIDTH, HEIGHT);
    printf("conversion of 1920x1080: %.2f ms\n", (g_get_monotonic_time() - start) / 50e3);
}

static void key_latency(RigClient *client, const char *what)
{
    gint64 sum = 0, most = 0;
    rig_client_key(client, 0x42, TRUE);
    rig_client_key(client, 0x42, FALSE);
    while (rig_client_take(client, SEAT_FRAME, 600, NULL))
        rig_client_credit(client, 1);
    for (guint i = 0; i < 50; i++) {
        gint64 start = g_get_monotonic_time();
        rig_client_key(client, 0x1e, i % 2 == 0);
        rig_client_await(client, SEAT_FRAME, NULL);
        gint64 took = g_get_monotonic_time() - start;
        sum += took;
        most = MAX(most, took);
        rig_client_credit(client, 1);
        g_usleep(20000);
    }
    printf("%s, key to frame: mean %.2f ms, most %.2f ms\n", what, sum / 50e3, most / 1e3);
}

static void idle(RigSeat *seat, const char *what)
{
    double before = cpu_ms(seat->pid);
    g_usleep(3 * G_USEC_PER_SEC);
    printf("%s: %u KiB PSS, %.2f %% of a core\n", what, rig_pss(seat->pid),
           (cpu_ms(seat->pid) - before) / 30);
}

/* In a suite's clothes, since the rig asserts. */
START_TEST(figures)
{
    RigSeat seat;
    RigClient client;
    double before;
    gint64 start;
    guint units = 0;

    conversion();
    rig_seat_start(&seat);
    idle(&seat, "not configured");
    rig_seat_configure(&seat, SEAT_SOURCE_PATTERN, WIDTH, HEIGHT, "de");
    rig_seat_await(&seat, SEAT_CONTROL_PICTURE, got.bytes, NULL);
    idle(&seat, "no client");
    rig_client_attach(&seat, &client, 10, 0, SEAT_PROTOCOL_RDP, 0, 0);
    rig_client_credit(&client, 4);
    rig_client_await(&client, SEAT_FRAME, NULL);
    rig_client_keysym(&client, 'a');
    key_latency(&client, "lossless");
    idle(&seat, "lossless client, card frozen");

    rig_client_subscribe(&client, TRUE);
    rig_client_key(&client, 0x42, TRUE);
    rig_client_key(&client, 0x42, FALSE);
    do {
        rig_client_await(&client, SEAT_FRAME, got.bytes);
        rig_client_credit(&client, 1);
    } while (got.frame.units[0].length == 0);
    before = cpu_ms(seat.pid);
    start = g_get_monotonic_time();
    for (gsize bytes = 0; units < 90;) {
        rig_client_await(&client, SEAT_FRAME, got.bytes);
        rig_client_credit(&client, 1);
        units += got.frame.units[0].length > 0;
        bytes += got.frame.units[0].length;
        if (units == 90)
            printf("H.264 of the moving card: %.1f frames a second, %.2f ms CPU a frame, %.1f KiB a frame, "
                   "%u KiB PSS\n",
                   units * 1e6 / (g_get_monotonic_time() - start), (cpu_ms(seat.pid) - before) / units,
                   bytes / 1024.0 / units, rig_pss(seat.pid));
    }
    key_latency(&client, "subscriber, frozen");
    idle(&seat, "H.264 subscriber, card frozen");
    rig_client_close(&client);
    idle(&seat, "client gone");
    g_usleep(9 * G_USEC_PER_SEC);
    idle(&seat, "encoder freed");
    rig_seat_stop(&seat);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bench_seat");
    TCase *bench = tcase_create("figures");
    setvbuf(stdout, NULL, _IOLBF, 0);
    tcase_add_test(bench, figures);
    suite_add_tcase(suite, bench);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}
