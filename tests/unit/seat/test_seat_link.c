/* A real seat with the pattern source: buffers, frames and credits, input, view-only, takeover by a new
 * broker. */
#include "guest/testcard/testcard.h"
#include "rig.h"
#include "tests/unit/suite.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static RigSeat seat;
static union {
    guint8 bytes[SEAT_LINK_PACKET_MAX];
    SeatFrame frame;
    SeatClose close;
    SeatPicture picture;
    SeatThumbnail thumbnail;
    SeatClients clients;
} got;

static void start(void)
{
    rig_seat_start(&seat);
    rig_seat_configure(&seat, SEAT_SOURCE_PATTERN, 800, 600, "de");
    rig_seat_await(&seat, SEAT_CONTROL_PICTURE, got.bytes, NULL);
    ck_assert_uint_eq(got.picture.width, 800);
}

static void stop(void)
{
    rig_seat_stop(&seat);
}

static void freeze(RigClient *client)
{
    rig_client_key(client, 0x42, TRUE);
    rig_client_key(client, 0x42, FALSE);
}

START_TEST(the_shadow_is_the_test_card_and_the_first_frame_is_complete)
{
    RigClient client;
    struct testcard card;
    struct testcard_rect damage[TESTCARD_DAMAGE_MAX];
    g_autofree guint32 *want = g_new0(guint32, 1024 * 768);

    rig_client_attach(&seat, &client, 10, 0, SEAT_PROTOCOL_VNC, 1024, 768);
    rig_client_credit(&client, 1);
    rig_client_await(&client, SEAT_FRAME, got.bytes);
    ck_assert_uint_eq(got.frame.complete, 1);
    ck_assert_uint_eq(got.frame.serial, 1);
    ck_assert_uint_eq(client.layout.width, 1024);
    ck_assert_uint_eq(client.layout.height, 768);
    freeze(&client);
    rig_client_credit(&client, 8);
    while (rig_client_take(&client, SEAT_FRAME, 300, NULL))
        rig_client_credit(&client, 1);

    testcard_init(&card);
    testcard_key(&card, TESTCARD_KEY_FREEZE, true);
    testcard_key(&card, TESTCARD_KEY_FREEZE, false);
    card.frame = rig_client_card_number(&client);
    testcard_draw(&card, want, 1024, 768, 1024 * 4, damage);
    guint wrong = 0;
    for (guint y = 0; y < 768; y++)
        for (guint x = 0; x < 1024; x++)
            wrong += (rig_client_row(&client, y)[x] & 0xffffff) != (want[y * 1024 + x] & 0xffffff);
    ck_assert_uint_eq(wrong, 0);
    rig_client_close(&client);
}
END_TEST

START_TEST(no_frame_comes_without_a_credit_and_eight_are_the_most)
{
    RigClient client;
    guint frames = 0;

    rig_client_attach(&seat, &client, 10, 0, SEAT_PROTOCOL_RDP, 0, 0);
    ck_assert(!rig_client_take(&client, SEAT_FRAME, 200, NULL));
    rig_client_credit(&client, 1000);
    while (rig_client_take(&client, SEAT_FRAME, 500, got.bytes))
        frames++;
    ck_assert_uint_eq(frames, 8);
    ck_assert_uint_eq(got.frame.serial, 8);
    rig_client_close(&client);
}
END_TEST

START_TEST(keys_and_pointer_reach_the_card_and_what_is_held_is_released_on_leaving)
{
    RigClient client, second;
    guint32 before, after;

    rig_client_attach(&seat, &client, 10, 0, SEAT_PROTOCOL_RDP, 0, 0);
    rig_client_attach(&seat, &second, 11, LINK_VIEW_ONLY, SEAT_PROTOCOL_RDP, 0, 0);
    rig_client_credit(&client, 1);
    rig_client_credit(&second, 8);
    rig_client_await(&client, SEAT_FRAME, NULL);
    freeze(&client);
    while (rig_client_take(&second, SEAT_FRAME, 300, NULL))
        rig_client_credit(&second, 1);
    before = rig_client_card_number(&second);

    /* A view-only client's F8 does nothing. */
    freeze(&second);
    ck_assert(!rig_client_take(&second, SEAT_FRAME, 300, NULL));

    /* F8 is held as its holder goes away: the release redraws the card's key line. */
    rig_client_key(&client, 0x1e, TRUE);
    rig_client_await(&second, SEAT_FRAME, NULL);
    rig_client_credit(&second, 8);
    while (rig_client_take(&second, SEAT_FRAME, 300, NULL))
        ;
    rig_client_close(&client);
    ck_assert_msg(rig_client_take(&second, SEAT_FRAME, 2000, NULL), "no release was drawn");
    after = rig_client_card_number(&second);
    ck_assert_uint_eq(before, after);
    rig_client_close(&second);
}
END_TEST

START_TEST(nobody_can_write_or_cut_the_shared_memory)
{
    RigClient client;

    rig_client_attach(&seat, &client, 10, 0, SEAT_PROTOCOL_RDP, 0, 0);
    rig_client_credit(&client, 1);
    rig_client_await(&client, SEAT_FRAME, NULL);
    int descriptors[] = {client.memory_fd, client.ring_fd};
    for (guint i = 0; i < 2; i++) {
        ck_assert_int_lt(pwrite(descriptors[i], "x", 1, 8192), 0);
        ck_assert_int_lt(ftruncate(descriptors[i], 0), 0);
        ck_assert_ptr_eq(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptors[i], 0), MAP_FAILED);
        void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, descriptors[i], 0);
        ck_assert_int_lt(mprotect(map, 4096, PROT_READ | PROT_WRITE), 0);
        munmap(map, 4096);
    }
    rig_client_close(&client);
}
END_TEST

START_TEST(a_misbehaving_client_is_dropped_and_the_other_goes_on)
{
    RigClient good, bad;
    SeatKey key = {.header = {.type = SEAT_KEY, .size = sizeof key}, .code = 4711};

    rig_client_attach(&seat, &good, 10, 0, SEAT_PROTOCOL_RDP, 0, 0);
    rig_client_attach(&seat, &bad, 11, 0, SEAT_PROTOCOL_RDP, 0, 0);
    ck_assert_int_eq(packet_send(bad.fd, &key, sizeof key, NULL, 0), PACKET_OK);
    rig_client_await(&bad, SEAT_CLOSE, got.bytes);
    ck_assert_uint_eq(got.close.reason, END_FAULT);
    rig_client_credit(&good, 2);
    rig_client_await(&good, SEAT_FRAME, NULL);
    rig_client_close(&good);
    rig_client_close(&bad);
}
END_TEST

START_TEST(a_resize_is_a_new_generation_and_old_coordinates_are_dropped)
{
    RigClient client;
    SeatSize size = {.header = {.type = SEAT_SIZE, .size = sizeof size},
                     .size = {.width = 640, .height = 480}};

    rig_client_attach(&seat, &client, 10, 0, SEAT_PROTOCOL_RDP, 0, 0);
    rig_client_credit(&client, 8);
    rig_client_await(&client, SEAT_FRAME, NULL);
    guint32 before = client.generation;
    ck_assert_int_eq(packet_send(client.fd, &size, sizeof size, NULL, 0), PACKET_OK);
    rig_client_await(&client, SEAT_BUFFER, NULL);
    ck_assert_uint_eq(client.layout.width, 640);
    ck_assert_uint_gt(client.generation, before);
    rig_client_await(&client, SEAT_FRAME, got.bytes);
    ck_assert_uint_eq(got.frame.complete, 1);
    ck_assert_uint_eq(got.frame.header.generation, client.generation);
    rig_client_close(&client);
}
END_TEST

START_TEST(a_new_broker_finds_display_and_clients_as_they_were)
{
    RigClient client;

    rig_client_attach(&seat, &client, 10, 0, SEAT_PROTOCOL_RDP, 0, 0);
    rig_client_credit(&client, 2);
    rig_client_await(&client, SEAT_FRAME, NULL);
    rig_seat_broker_again(&seat);
    rig_seat_configure(&seat, SEAT_SOURCE_PATTERN, 800, 600, "de");
    rig_seat_await(&seat, SEAT_CONTROL_PICTURE, got.bytes, NULL);
    rig_seat_await(&seat, SEAT_CONTROL_CLIENTS, got.bytes, NULL);
    ck_assert_uint_eq(got.clients.clients, 1);
    rig_client_credit(&client, 1);
    rig_client_await(&client, SEAT_FRAME, NULL);
    rig_client_close(&client);
    rig_seat_await(&seat, SEAT_CONTROL_CLIENTS, got.bytes, NULL);
    ck_assert_uint_eq(got.clients.clients, 0);
}
END_TEST

START_TEST(a_thumbnail_is_a_png_of_the_asked_size)
{
    SeatThumbnailRequest request = {.header = {.type = SEAT_CONTROL_THUMBNAIL, .size = sizeof request},
                                    .max_width = 320,
                                    .max_height = 320,
                                    .request = 7};
    guint8 magic[8];
    int fd;

    ck_assert_int_eq(packet_send(seat.broker, &request, sizeof request, NULL, 0), PACKET_OK);
    rig_seat_await(&seat, SEAT_CONTROL_THUMB, got.bytes, &fd);
    ck_assert_uint_eq(got.thumbnail.request, 7);
    ck_assert_uint_eq(got.thumbnail.width, 320);
    ck_assert_uint_eq(got.thumbnail.height, 240);
    ck_assert_int_eq(pread(fd, magic, sizeof magic, 0), sizeof magic);
    ck_assert_mem_eq(magic, "\x89PNG\r\n\x1a\n", 8);
    close(fd);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("pattern");

    tcase_add_checked_fixture(tests, start, stop);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_shadow_is_the_test_card_and_the_first_frame_is_complete);
    tcase_add_test(tests, no_frame_comes_without_a_credit_and_eight_are_the_most);
    tcase_add_test(tests, keys_and_pointer_reach_the_card_and_what_is_held_is_released_on_leaving);
    tcase_add_test(tests, nobody_can_write_or_cut_the_shared_memory);
    tcase_add_test(tests, a_misbehaving_client_is_dropped_and_the_other_goes_on);
    tcase_add_test(tests, a_resize_is_a_new_generation_and_old_coordinates_are_dropped);
    tcase_add_test(tests, a_new_broker_finds_display_and_clients_as_they_were);
    tcase_add_test(tests, a_thumbnail_is_a_png_of_the_asked_size);
    return suite_run("seat_link", tests);
}
