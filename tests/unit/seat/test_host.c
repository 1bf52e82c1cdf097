/* The host of a seat link in this process: input across a resize, lights and pointer mode. */
#include "base/packet.h"
#include "session/seat/host.h"
#include "tests/unit/suite.h"

#include <string.h>
#include <unistd.h>

static SeatHost *host;
static int client;
static struct {
    guint pointers, buttons;
    gint x, y;
} saw;

static void on_pointer(ProcessId peer, const SeatPointer *pointer, gpointer data)
{
    saw.pointers++;
    saw.buttons = pointer->buttons;
    saw.x = pointer->x;
    saw.y = pointer->y;
}

static const SeatHostEvents events = {.pointer = on_pointer};

static void turn(void)
{
    for (guint i = 0; i < 1000 && g_main_context_iteration(NULL, FALSE); i++)
        ;
}

static void say(gpointer packet, SeatPacketType type, gsize size, guint32 generation)
{
    SeatHeader *header = packet;
    header->type = type;
    header->size = (guint16)size;
    header->generation = generation;
    ck_assert_int_eq(packet_send(client, packet, size, NULL, 0), PACKET_OK);
    turn();
}

/* How many packets of the type wait; the last one stays in `last`. */
static guint hear(SeatPacketType type, gpointer last, gsize size)
{
    union {
        SeatHeader header;
        guint8 bytes[SEAT_LINK_PACKET_MAX];
    } packet;
    guint found = 0, count;
    gsize length;
    int descriptors[SEAT_LINK_DESCRIPTORS_MAX];

    while (packet_receive(client, &packet, sizeof packet, &length, descriptors, G_N_ELEMENTS(descriptors),
                          &count) == PACKET_OK) {
        for (guint i = 0; i < count; i++)
            close(descriptors[i]);
        if (packet.header.type == type) {
            found++;
            memcpy(last, packet.bytes, size);
        }
        turn();
    }
    return found;
}

static void setup(void)
{
    ProcessRecord record = {0};
    SeatHello hello = {.version = SEAT_LINK_VERSION, .protocol = SEAT_PROTOCOL_RDP, .heads = 1};
    int ends[2];

    memset(&saw, 0, sizeof saw);
    host = seat_host_new(FALSE, &events, NULL, NULL);
    ck_assert(seat_host_resize(host, 800, 600, NULL));
    ck_assert(packet_pair(ends, NULL));
    client = ends[1];
    seat_host_add_client(host, ends[0], 7, 0, &record);
    say(&hello, SEAT_HELLO, sizeof hello, 0);
}

static void teardown(void)
{
    seat_host_free(host);
    close(client);
}

static void point(gint x, gint y, guint buttons, guint32 generation)
{
    SeatPointer pointer = {.x = x, .y = y, .buttons = buttons};
    say(&pointer, SEAT_POINTER, sizeof pointer, generation);
}

START_TEST(a_button_that_is_let_go_in_the_old_picture_is_let_go)
{
    point(700, 500, SEAT_BUTTON_LEFT, 1);
    ck_assert_uint_eq(saw.buttons, SEAT_BUTTON_LEFT);
    ck_assert(seat_host_resize(host, 640, 480, NULL));
    point(790, 590, 0, 1);
    ck_assert_uint_eq(saw.pointers, 2);
    ck_assert_uint_eq(saw.buttons, 0);
    ck_assert_int_eq(saw.x, 639);
    ck_assert_int_eq(saw.y, 479);
}
END_TEST

START_TEST(nothing_is_pressed_where_the_old_picture_had_it)
{
    point(10, 10, 0, 1);
    ck_assert(seat_host_resize(host, 640, 480, NULL));
    point(700, 500, SEAT_BUTTON_LEFT, 1);
    ck_assert_uint_eq(saw.pointers, 1);
    point(20, 20, SEAT_BUTTON_LEFT, 2);
    ck_assert_uint_eq(saw.buttons, SEAT_BUTTON_LEFT);
    ck_assert_int_eq(saw.x, 20);
}
END_TEST

START_TEST(lights_that_nobody_has_told_are_not_sent)
{
    SeatLocks leds;
    ck_assert_uint_eq(hear(SEAT_LEDS, &leds, sizeof leds), 0);
    seat_host_leds(host, 0);
    ck_assert_uint_eq(hear(SEAT_LEDS, &leds, sizeof leds), 1);
    ck_assert_uint_eq(leds.mask, 0);
    seat_host_leds(host, 0);
    ck_assert_uint_eq(hear(SEAT_LEDS, &leds, sizeof leds), 0);
}
END_TEST

START_TEST(a_guest_that_flashes_its_lights_closes_no_link_that_is_not_read)
{
    SeatLocks leds;
    SeatPointerMode mode;
    for (guint i = 1; i <= 100001; i++)
        seat_host_leds(host, i % 2 ? SEAT_LOCK_CAPS : SEAT_LOCK_NUM);
    seat_host_pointer_mode(host, FALSE);
    ck_assert_uint_eq(seat_host_clients(host), 1);
    hear(SEAT_LEDS, &leds, sizeof leds);
    SeatCredit credit = {.frames = 1};
    say(&credit, SEAT_CREDIT, sizeof credit, 1);
    ck_assert_uint_ge(hear(SEAT_LEDS, &leds, sizeof leds), 1);
    ck_assert_uint_eq(leds.mask, SEAT_LOCK_CAPS);
    seat_host_pointer_mode(host, TRUE);
    ck_assert_uint_eq(hear(SEAT_POINTER_MODE, &mode, sizeof mode), 1);
    ck_assert_uint_eq(mode.absolute, 1);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("seat host");
    tcase_set_timeout(cases, 60); /* slow machines */
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_button_that_is_let_go_in_the_old_picture_is_let_go);
    tcase_add_test(cases, nothing_is_pressed_where_the_old_picture_had_it);
    tcase_add_test(cases, lights_that_nobody_has_told_are_not_sent);
    tcase_add_test(cases, a_guest_that_flashes_its_lights_closes_no_link_that_is_not_read);
    return suite_run("seat host", cases);
}
