/* A real seat's H.264: what subscribers get of a film in a part of the screen. */
#include "encoder/annexb.h"
#include "film.h"
#include "rig.h"
#include "tests/unit/suite.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static RigSeat seat;
static const char *encoder, *software_encoder;
static union {
    guint8 bytes[SEAT_LINK_PACKET_MAX];
    SeatFrame frame;
} got;

static void start(void)
{
    encoder = "";
    software_encoder = "x264enc";
    rig_seat_start(&seat);
}

static void stop(void)
{
    rig_seat_stop(&seat);
}

static void play(guint moving, guint still)
{
    SeatConfigure packet = {.header = {.type = SEAT_CONTROL_CONFIGURE, .size = sizeof packet},
                            .source = SEAT_SOURCE_REPLAY,
                            .desktop = "d1",
                            .xkb_layout = "us"};
    int film = film_moving(moving, still);

    g_strlcpy(packet.encoder, encoder, sizeof packet.encoder);
    g_strlcpy(packet.software_encoder, software_encoder, sizeof packet.software_encoder);
    ck_assert_int_eq(packet_send(seat.broker, &packet, sizeof packet, &film, 1), PACKET_OK);
    close(film);
    rig_seat_await(&seat, SEAT_CONTROL_PICTURE, got.bytes, NULL);
}

/* The unit of a frame, copied out of the ring as a client does. */
static GByteArray *copy_unit(const RigClient *client, const SeatAccessUnit *unit)
{
    GByteArray *copy = g_byte_array_new();
    g_byte_array_append(copy, client->ring + sizeof(SeatRingHeader) + unit->position % SEAT_AU_RING,
                        unit->length);
    ck_assert_uint_le(*(const guint64 *)(const void *)client->ring - unit->position, SEAT_AU_RING);
    return copy;
}

/* Takes frames until one has a unit. */
static void await_unit(RigClient *client)
{
    guint frames = 0;
    do {
        ck_assert_uint_lt(++frames, 200);
        rig_client_await(client, SEAT_FRAME, got.bytes);
        rig_client_credit(client, 1);
    } while (got.frame.units[0].length == 0);
}

static void check_stream(RigClient *client)
{
    for (guint units = 0; units < 30; units++) {
        await_unit(client);
        g_autoptr(GByteArray) unit = copy_unit(client, &got.frame.units[0]);
        AnnexB look = annexb_look(unit->data, unit->len);
        ck_assert_uint_eq(look.slices, 1);
        ck_assert_uint_eq(look.idr, got.frame.units[0].keyframe);
        ck_assert_uint_gt(got.frame.damage, 0);
        if (units == 0)
            ck_assert(look.idr && look.sps && look.pps);
        ck_assert_uint_eq(got.frame.units[0].region.x, FILM_REGION_X);
        ck_assert_uint_eq(got.frame.units[0].region.y, FILM_REGION_Y);
        ck_assert_uint_eq(got.frame.units[0].region.width, FILM_REGION_WIDTH);
        ck_assert_uint_eq(got.frame.units[0].region.height, FILM_REGION_HEIGHT);
    }
}

START_TEST(a_subscriber_gets_one_stream_and_nothing_when_all_is_still)
{
    RigClient client;

    play(150, 100);
    rig_client_attach(&seat, &client, 10, 0, SEAT_PROTOCOL_RDP, 0, 0);
    rig_client_subscribe(&client, TRUE);
    rig_client_credit(&client, 2);
    check_stream(&client);
    while (rig_client_take(&client, SEAT_FRAME, 600, NULL))
        rig_client_credit(&client, 1);
    ck_assert(!rig_client_take(&client, SEAT_FRAME, 1000, NULL));
    rig_client_close(&client);
}
END_TEST

START_TEST(a_client_that_lost_its_decoder_gets_a_key_frame)
{
    RigClient client;
    SeatHeader lost = {.type = SEAT_KEYFRAME, .size = sizeof lost};
    guint frames = 0;

    play(100, 0);
    rig_client_attach(&seat, &client, 10, 0, SEAT_PROTOCOL_RDP, 0, 0);
    rig_client_subscribe(&client, TRUE);
    rig_client_credit(&client, 2);
    await_unit(&client);
    await_unit(&client);
    ck_assert_uint_eq(got.frame.units[0].keyframe, 0);
    guint32 stream = got.frame.units[0].stream;
    ck_assert_int_eq(packet_send(client.fd, &lost, sizeof lost, NULL, 0), PACKET_OK);
    do {
        ck_assert_uint_lt(++frames, 100);
        await_unit(&client);
    } while (!got.frame.units[0].keyframe);
    ck_assert_uint_eq(got.frame.units[0].stream, stream);
    rig_client_close(&client);
}
END_TEST

START_TEST(a_subscriber_that_stops_reading_holds_nobody_up)
{
    RigClient reader, sleeper;
    guint frames = 0;

    play(100, 0);
    rig_client_attach(&seat, &reader, 10, 0, SEAT_PROTOCOL_RDP, 0, 0);
    rig_client_subscribe(&reader, TRUE);
    rig_client_credit(&reader, 2);
    await_unit(&reader);
    rig_client_attach(&seat, &sleeper, 11, 0, SEAT_PROTOCOL_RDP, 0, 0);
    rig_client_subscribe(&sleeper, TRUE);
    rig_client_credit(&sleeper, 8);
    while (frames < 8) {
        frames += rig_client_take(&sleeper, SEAT_FRAME, 20, NULL);
        if (rig_client_take(&reader, SEAT_FRAME, 20, NULL))
            rig_client_credit(&reader, 1);
    }
    /* It has used up its credits and gives no more. */
    gint64 start = g_get_monotonic_time();
    for (guint units = 0; units < 30; units++)
        await_unit(&reader);
    ck_assert_int_lt(g_get_monotonic_time() - start, 5 * G_USEC_PER_SEC);
    rig_client_close(&reader);
    rig_client_close(&sleeper);
}
END_TEST

START_TEST(software_takes_over_where_the_hardware_encoder_does_not_start)
{
    RigClient client;

    encoder = "v4l2h264enc";
    software_encoder = "openh264enc";
    play(100, 0);
    rig_client_attach(&seat, &client, 10, 0, SEAT_PROTOCOL_RDP, 0, 0);
    rig_client_subscribe(&client, TRUE);
    rig_client_credit(&client, 2);
    check_stream(&client);
    rig_client_close(&client);
}
END_TEST

START_TEST(a_joiner_starts_at_a_key_frame_of_the_running_stream)
{
    RigClient first, second;
    guint frames = 0;

    play(100, 0);
    rig_client_attach(&seat, &first, 10, 0, SEAT_PROTOCOL_RDP, 0, 0);
    rig_client_subscribe(&first, TRUE);
    rig_client_credit(&first, 2);
    await_unit(&first);
    rig_client_attach(&seat, &second, 11, 0, SEAT_PROTOCOL_VNC, 0, 0);
    rig_client_subscribe(&second, TRUE);
    rig_client_credit(&second, 8);
    do {
        ck_assert_uint_lt(++frames, 100);
        rig_client_credit(&first, 1);
        rig_client_credit(&second, 1);
        ck_assert(rig_client_take(&second, SEAT_FRAME, 3000, got.bytes));
        rig_client_take(&first, SEAT_FRAME, 1, NULL);
    } while (got.frame.units[0].length == 0);
    ck_assert_uint_eq(got.frame.units[0].keyframe, 1);
    rig_client_close(&first);
    rig_client_close(&second);
}
END_TEST

START_TEST(an_encoder_goes_with_its_film_and_the_next_film_is_a_new_stream)
{
    RigClient client;

    /* 1.2 s of film, then still for longer than an encoder stays, which is looked at every 5 s. */
    play(40, 420);
    rig_client_attach(&seat, &client, 10, 0, SEAT_PROTOCOL_RDP, 0, 0);
    rig_client_subscribe(&client, TRUE);
    rig_client_credit(&client, 2);
    await_unit(&client);
    guint32 stream = got.frame.units[0].stream;
    for (guint frames = 0; got.frame.units[0].stream == stream; frames++) {
        ck_assert_uint_lt(frames, 200);
        rig_client_take(&client, SEAT_FRAME, 30000, got.bytes);
        rig_client_credit(&client, 1);
        if (got.frame.units[0].length == 0)
            got.frame.units[0].stream = stream;
    }
    ck_assert_uint_eq(got.frame.units[0].keyframe, 1);
    rig_client_close(&client);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("stream");

    tcase_add_checked_fixture(tests, start, stop);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_subscriber_gets_one_stream_and_nothing_when_all_is_still);
    tcase_add_test(tests, a_client_that_lost_its_decoder_gets_a_key_frame);
    tcase_add_test(tests, a_subscriber_that_stops_reading_holds_nobody_up);
    tcase_add_test(tests, software_takes_over_where_the_hardware_encoder_does_not_start);
    tcase_add_test(tests, a_joiner_starts_at_a_key_frame_of_the_running_stream);
    tcase_add_test(tests, an_encoder_goes_with_its_film_and_the_next_film_is_a_new_stream);
    return suite_run("stream", tests);
}
