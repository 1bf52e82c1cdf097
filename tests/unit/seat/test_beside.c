/* What lies beside a film: it goes ahead of the film's units, and never takes their last credit. */
#include "audience.h"

#include "base/packet.h"
#include "tests/unit/suite.h"

#include <unistd.h>

static const SeatRect line = {.x = 400, .y = 250, .width = 40, .height = 12};

/* The next record, which is not answered. */
static gboolean hears_frame(Client *client, SeatFrame *frame, SeatRect *first)
{
    union {
        SeatFrame frame;
        guint8 bytes[SEAT_LINK_PACKET_MAX];
    } packet;
    int descriptors[SEAT_LINK_DESCRIPTORS_MAX];
    guint count;
    gsize length;

    turn();
    while (packet_receive(client->fd, &packet, sizeof packet, &length, descriptors, G_N_ELEMENTS(descriptors),
                          &count) == PACKET_OK) {
        if (packet.frame.header.type != SEAT_FRAME)
            continue;
        *frame = packet.frame;
        memcpy(first, packet.frame.rects, sizeof *first);
        return TRUE;
    }
    return FALSE;
}

/* A film in a part of the screen, whose encoder no longer answers in time; the client has so many credits. */
static Client *see_film(guint credits)
{
    Client *client = join(0, SEAT_H264_AVC420, 0, 0);

    film = (SeatRect){.x = 64, .y = 64, .width = 192, .height = 128};
    play(2 * SECOND);
    ck_assert_uint_gt(client->units, SECOND);
    for (guint i = 1; i < credits; i++)
        give_credit(client);
    fakes[0].takes = 1000;
    return client;
}

START_TEST(what_lies_beside_a_film_does_not_wait_for_its_encoder)
{
    Client *client = see_film(2);
    SeatFrame frame;
    SeatRect rect;

    draw(&film);
    ck_assert(fakes[0].encoding);
    ck_assert(!hears_frame(client, &frame, &rect));
    draw(&line);
    ck_assert(hears_frame(client, &frame, &rect));
    ck_assert_uint_eq(frame.units[0].length, 0);
    ck_assert_uint_eq(frame.damage, 1);
    ck_assert(rect.x == line.x && rect.y == line.y && rect.width == line.width);
    draw(&line);
    ck_assert(!hears_frame(client, &frame, &rect)); /* no credit is left */
    fakes[0].steps = 0;
    answer(&fakes[0]);
    ck_assert(hears_frame(client, &frame, &rect));
    ck_assert_uint_gt(frame.units[0].length, 0);
    ck_assert_uint_eq(frame.damage, 2); /* what had none goes along */
    give_credit(client);
    ck_assert(!hears_frame(client, &frame, &rect));
}
END_TEST

static void draw_film_and_line(void)
{
    const SeatRect both[] = {film, line};

    draw_parts(both, 2);
    ck_assert(fakes[0].encoding);
}

START_TEST(what_comes_with_a_picture_of_the_film_goes_before_it)
{
    Client *client = see_film(2);
    SeatFrame frame;
    SeatRect rect;

    draw_film_and_line();
    ck_assert(hears_frame(client, &frame, &rect));
    ck_assert_uint_eq(frame.units[0].length, 0);
    ck_assert(rect.x == line.x && rect.y == line.y);
}
END_TEST

START_TEST(the_last_credit_is_the_unit_s)
{
    Client *client = see_film(1);
    SeatFrame frame;
    SeatRect rect;

    draw_film_and_line();
    ck_assert(!hears_frame(client, &frame, &rect));
    fakes[0].steps = 0;
    answer(&fakes[0]);
    ck_assert(hears_frame(client, &frame, &rect));
    ck_assert_uint_gt(frame.units[0].length, 0);
    ck_assert_uint_ge(frame.damage, 2);
}
END_TEST

START_TEST(no_picture_is_encoded_for_who_has_not_taken_the_last_one)
{
    Client *client = see_film(4);
    SeatFrame frame;
    SeatRect rect;

    draw(&film);
    fakes[0].steps = 0;
    answer(&fakes[0]);
    guint encodes = fakes[0].encodes;
    draw(&film);
    ck_assert_uint_eq(fakes[0].encodes, encodes);
    ck_assert(hears_frame(client, &frame, &rect));
    give_credit(client);
    ck_assert_uint_eq(fakes[0].encodes, encodes + 1);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("beside");
    tcase_set_timeout(cases, 60); /* slow machines */
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, what_lies_beside_a_film_does_not_wait_for_its_encoder);
    tcase_add_test(cases, what_comes_with_a_picture_of_the_film_goes_before_it);
    tcase_add_test(cases, the_last_credit_is_the_unit_s);
    tcase_add_test(cases, no_picture_is_encoded_for_who_has_not_taken_the_last_one);
    return suite_run("beside", cases);
}
