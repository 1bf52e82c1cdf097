/* A real seat that plays a recording: its picture, its damage, and what becomes of a file that is none. */
#include "film.h"
#include "rig.h"
#include "tests/unit/suite.h"

#include <string.h>
#include <unistd.h>

static RigSeat seat;
static Film film;
static union {
    guint8 bytes[SEAT_LINK_PACKET_MAX];
    SeatFrame frame;
    SeatPicture picture;
    SeatLost lost;
} got;

static void start(void)
{
    film_make(&film);
    rig_seat_start(&seat);
}

static void stop(void)
{
    rig_seat_stop(&seat);
}

static void expect_damage(RigClient *client, const RecordingOp *op)
{
    SeatRect rect;
    rig_client_await(client, SEAT_FRAME, got.bytes);
    ck_assert_uint_eq(got.frame.damage, 1);
    memcpy(&rect, got.bytes + sizeof got.frame, sizeof rect);
    ck_assert_int_eq(rect.x, op->x);
    ck_assert_int_eq(rect.y, op->y);
    ck_assert_uint_eq(rect.width, op->width);
    ck_assert_uint_eq(rect.height, op->height);
}

/* Two frames draw a block each, the third draws one anew: nothing of it has changed, then or later. */
static void show_blocks(gboolean whole_damage)
{
    static const RecordingFrame frames[] = {{1, 1}, {3, 1}, {1, 1}};
    guint32 wanted[FILM_WIDTH * FILM_HEIGHT];
    RigClient client;

    memcpy(film.frames, frames, sizeof frames);
    film.header.interval_us = 300000;
    int fd = film_open(&film, sizeof film);
    rig_seat_replay(&seat, fd, whole_damage);
    close(fd);
    rig_seat_await(&seat, SEAT_CONTROL_PICTURE, got.bytes, NULL);
    ck_assert_uint_eq(got.picture.width, FILM_WIDTH);
    ck_assert_uint_eq(got.picture.height, FILM_HEIGHT);
    rig_client_attach(&seat, &client, 10, 0, SEAT_PROTOCOL_VNC, 1024, 768);
    rig_client_credit(&client, 8);
    rig_client_await(&client, SEAT_FRAME, got.bytes);
    ck_assert_uint_eq(got.frame.complete, 1);
    expect_damage(&client, &film.ops[1]);
    expect_damage(&client, &film.ops[3]);
    ck_assert(!rig_client_take(&client, SEAT_FRAME, 1500, NULL));
    film_expect(&film, 2, wanted);
    for (guint y = 0; y < FILM_HEIGHT; y++)
        for (guint x = 0; x < FILM_WIDTH; x++)
            ck_assert_uint_eq(rig_client_row(&client, y)[x] & 0xffffff,
                              wanted[y * FILM_WIDTH + x] & 0xffffff);
    rig_client_close(&client);
}

START_TEST(a_recording_plays_at_its_own_size_and_what_it_draws_is_the_damage)
{
    show_blocks(FALSE);
}
END_TEST

START_TEST(where_all_is_damage_the_seat_finds_what_has_changed)
{
    show_blocks(TRUE);
}
END_TEST

START_TEST(a_file_that_cannot_be_played_is_a_lost_display_with_its_reason)
{
    film.header.frames = 0;
    int fd = film_open(&film, sizeof film);
    rig_seat_replay(&seat, fd, FALSE);
    rig_seat_await(&seat, SEAT_CONTROL_LOST, got.bytes, NULL);
    ck_assert_ptr_nonnull(strstr(got.lost.text, "0 frames"));
    close(fd);
}
END_TEST

START_TEST(a_file_that_becomes_shorter_while_it_plays_is_a_lost_display_too)
{
    RigClient client;
    int fd = film_open(&film, sizeof film);

    rig_seat_replay(&seat, fd, FALSE);
    rig_seat_await(&seat, SEAT_CONTROL_PICTURE, got.bytes, NULL);
    ck_assert_int_eq(ftruncate(fd, (off_t)(sizeof film - 4)), 0);
    rig_client_attach(&seat, &client, 10, 0, SEAT_PROTOCOL_VNC, 0, 0);
    rig_seat_await(&seat, SEAT_CONTROL_LOST, got.bytes, NULL);
    ck_assert_ptr_nonnull(strstr(got.lost.text, "ends too early"));
    rig_client_close(&client);
    close(fd);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("replay");

    tcase_add_checked_fixture(tests, start, stop);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_recording_plays_at_its_own_size_and_what_it_draws_is_the_damage);
    tcase_add_test(tests, where_all_is_damage_the_seat_finds_what_has_changed);
    tcase_add_test(tests, a_file_that_cannot_be_played_is_a_lost_display_with_its_reason);
    tcase_add_test(tests, a_file_that_becomes_shorter_while_it_plays_is_a_lost_display_too);
    return suite_run("replay", tests);
}
