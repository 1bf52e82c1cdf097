/* The host's frames with a stream whose encoder answers when the test says so. */
#include "base/packet.h"
#include "base/proto/master_link.h"
#include "session/seat/host.h"
#include "session/seat/stream.h"
#include "tests/unit/suite.h"

#include <unistd.h>

#define WIDTH 256
#define HEIGHT 256

static SeatHost *host;
static guint32 pixels[WIDTH * HEIGHT];
static struct {
    HostStream stream;
    const HostStreamEvents *events;
    gpointer host;
    guint encodes, max_kbit_s;
    gboolean keyframe, chroma;
} fake;

static void fake_attach(HostStream *stream, const HostStreamEvents *events, gpointer data)
{
    fake.events = events;
    fake.host = data;
}

static gboolean fake_encode(HostStream *stream, const Shadow *shadow, const SeatRect *region,
                            const SeatRect *rects, guint count, gboolean keyframe)
{
    fake.encodes++;
    fake.keyframe = keyframe;
    return TRUE;
}

static void fake_cancel(HostStream *stream)
{
}

static void fake_demand(HostStream *stream, guint max_kbit_s, gboolean chroma)
{
    fake.max_kbit_s = max_kbit_s;
    fake.chroma = chroma;
}

static void fake_free(HostStream *stream)
{
}

static const HostStreamClass fake_class = {fake_attach, fake_encode, fake_cancel, fake_demand, fake_free};
static const SeatHostEvents events;

static void turn(void)
{
    for (guint i = 0; i < 1000 && g_main_context_iteration(NULL, FALSE); i++)
        ;
}

static void say(int client, gpointer packet, SeatPacketType type, gsize size)
{
    SeatHeader *header = packet;
    header->type = type;
    header->size = (guint16)size;
    header->generation = 1;
    ck_assert_int_eq(packet_send(client, packet, size, NULL, 0), PACKET_OK);
    turn();
}

static SeatFrame heard; /* the last */

/* How many frames wait; `units` of them with an access unit. */
static guint hear(int client, guint *units)
{
    union {
        SeatFrame frame;
        guint8 bytes[SEAT_LINK_PACKET_MAX];
    } packet;
    int descriptors[SEAT_LINK_DESCRIPTORS_MAX];
    guint frames = 0, count;
    gsize length;

    *units = 0;
    while (packet_receive(client, &packet, sizeof packet, &length, descriptors, G_N_ELEMENTS(descriptors),
                          &count) == PACKET_OK) {
        for (guint i = 0; i < count; i++)
            close(descriptors[i]);
        if (packet.frame.header.type == SEAT_FRAME) {
            frames++;
            *units += packet.frame.units[0].length > 0;
            heard = packet.frame;
        }
        turn();
    }
    return frames;
}

static int join_with(ProcessId peer, guint rights, SeatH264 h264, guint max_kbit_s)
{
    ProcessRecord record = {0};
    SeatHello hello = {.version = SEAT_LINK_VERSION, .protocol = SEAT_PROTOCOL_RDP, .heads = 1};
    SeatSubscribe subscribe = {.h264 = h264, .max_kbit_s = max_kbit_s};
    SeatCredit credit = {.frames = 4};
    int ends[2];

    ck_assert(packet_pair(ends, NULL));
    seat_host_add_client(host, ends[0], peer, rights, &record);
    say(ends[1], &hello, SEAT_HELLO, sizeof hello);
    say(ends[1], &subscribe, SEAT_SUBSCRIBE, sizeof subscribe);
    say(ends[1], &credit, SEAT_CREDIT, sizeof credit);
    return ends[1];
}

static int join(ProcessId peer, guint rights, guint max_kbit_s)
{
    return join_with(peer, rights, SEAT_H264_AVC420, max_kbit_s);
}

static void draw(void)
{
    const SeatRect all = {.width = WIDTH, .height = HEIGHT};
    static guint32 colour;

    colour += 0x010203;
    for (guint i = 0; i < WIDTH * HEIGHT; i++)
        pixels[i] = colour + i % 64 * 0x010101; /* picture-like */
    seat_host_damage(host, &all, 1, pixels, WIDTH * 4, 0);
    turn();
}

static void wait_ms(guint ms)
{
    gint64 until = g_get_monotonic_time() + ms * 1000;
    while (g_get_monotonic_time() < until) {
        turn();
        g_usleep(5000);
    }
}

static void setup(void)
{
    fake.encodes = 0;
    fake.stream.class = &fake_class;
    host = seat_host_new(FALSE, &events, NULL, NULL);
    ck_assert(seat_host_resize(host, WIDTH, HEIGHT, NULL));
    seat_host_set_streams(host, 1, (HostStream *[]){&fake.stream}, NULL);
}

static void teardown(void)
{
    seat_host_free(host);
}

START_TEST(a_late_encode_freezes_nobody_and_its_unit_goes_to_nobody)
{
    static const guint8 unit[] = {0, 0, 0, 1, 0x65};
    const H264Units made = {.main = unit, .main_length = sizeof unit, .keyframe = TRUE};
    int client = join(1, 0, 0);
    guint units;

    draw();
    ck_assert_uint_eq(fake.encodes, 1);
    ck_assert_uint_eq(hear(client, &units), 0);
    wait_ms(1000);
    ck_assert_uint_eq(hear(client, &units), 1);
    ck_assert_uint_eq(units, 0);
    draw();
    ck_assert_uint_eq(hear(client, &units), 1);
    fake.events->unit(&made, 1, fake.host);
    turn();
    ck_assert_uint_eq(hear(client, &units), 0);
    wait_ms(1100); /* key frames come once a second */
    draw();
    ck_assert_uint_eq(fake.encodes, 2);
    ck_assert(fake.keyframe);
    fake.events->unit(&made, 1, fake.host);
    turn();
    ck_assert_uint_eq(hear(client, &units), 1);
    ck_assert_uint_eq(units, 1);
    close(client);
}
END_TEST

START_TEST(who_only_looks_on_does_not_lower_the_bitrate_of_who_works)
{
    int guest = join(1, LINK_VIEW_ONLY, 300);
    ck_assert_uint_eq(fake.max_kbit_s, 300);
    int owner = join(2, 0, 0);
    ck_assert_uint_eq(fake.max_kbit_s, 0);
    int second = join(3, 0, 5000);
    ck_assert_uint_eq(fake.max_kbit_s, 5000);
    close(guest);
    close(owner);
    close(second);
}
END_TEST

START_TEST(the_auxiliary_view_is_made_while_all_subscribers_take_it)
{
    int rdp = join_with(1, 0, SEAT_H264_AVC444, 0);
    ck_assert(fake.chroma);
    int lossless = join_with(2, 0, SEAT_H264_NONE, 0);
    ck_assert(fake.chroma);
    int vnc = join_with(3, LINK_VIEW_ONLY, SEAT_H264_AVC420, 0);
    ck_assert(!fake.chroma);
    close(vnc);
    turn();
    ck_assert(fake.chroma);
    close(rdp);
    turn();
    ck_assert(!fake.chroma);
    close(lossless);
}
END_TEST

START_TEST(both_views_stand_in_the_ring_behind_one_another)
{
    static const guint8 main_view[] = {0, 0, 1, 0x65, 7}, auxiliary[] = {0, 0, 1, 0x41},
                        tiles[] = {3, 0, 1, 0};
    const H264Units made = {main_view,    auxiliary, sizeof main_view, sizeof auxiliary, tiles,
                            sizeof tiles, TRUE};
    int client = join_with(1, 0, SEAT_H264_AVC444, 0);
    guint units;

    draw();
    ck_assert_uint_eq(fake.encodes, 1);
    fake.events->unit(&made, 1, fake.host);
    turn();
    ck_assert_uint_eq(hear(client, &units), 1);
    ck_assert_uint_eq(units, 1);
    ck_assert_uint_eq(heard.units[0].length, 13);
    ck_assert_uint_eq(heard.units[0].auxiliary, 4);
    ck_assert_uint_eq(heard.units[0].tiles, 4);
    close(client);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("seat frames");
    tcase_set_timeout(cases, 60); /* slow machines */
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_late_encode_freezes_nobody_and_its_unit_goes_to_nobody);
    tcase_add_test(cases, the_auxiliary_view_is_made_while_all_subscribers_take_it);
    tcase_add_test(cases, both_views_stand_in_the_ring_behind_one_another);
    tcase_add_test(cases, who_only_looks_on_does_not_lower_the_bitrate_of_who_works);
    return suite_run("seat frames", cases);
}
