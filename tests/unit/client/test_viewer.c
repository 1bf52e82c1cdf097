/* The viewer against a seat by hand, over a real socket pair. */
#include "session/client/tiles.h"
#include "session/client/viewer_private.h"
#include "tests/unit/client/fake_seat.h"
#include "tests/unit/suite.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
    guint switched, dirty, cursors, ended, logins;
    guint width, height;
    gboolean greeter;
    EndReason reason;
    guint32 leds;
    gboolean cursor_shown;
} saw;
static Viewer *viewer;
static FakeSeat seat, other;

static void on_switched(Viewer *v, guint width, guint height, const SeatWelcome *welcome, gpointer data)
{
    saw.switched++;
    saw.width = width;
    saw.height = height;
    saw.greeter = welcome->greeter != 0;
}

static void on_dirty(Viewer *v, gpointer data)
{
    saw.dirty++;
}

static void on_cursor(Viewer *v, const guint8 *pixels, guint w, guint h, guint hx, guint hy, gpointer data)
{
    saw.cursors++;
    saw.cursor_shown = pixels != NULL;
}

static void on_leds(Viewer *v, guint32 mask, gpointer data)
{
    saw.leds = mask;
}

static void on_mode(Viewer *v, gboolean absolute, gpointer data)
{
}

static void on_login(Viewer *v, SeatLoginResult result, const char *user, const char *text, gpointer data)
{
    saw.logins++;
}

static void on_ended(Viewer *v, EndReason reason, const char *text, gpointer data)
{
    ck_assert_uint_gt(strlen(text), 0);
    saw.ended++;
    saw.reason = reason;
}

static const ViewerEvents events = {.switched = on_switched,
                                    .dirty = on_dirty,
                                    .cursor = on_cursor,
                                    .leds = on_leds,
                                    .pointer_mode = on_mode,
                                    .login = on_login,
                                    .ended = on_ended};

static void turn(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static void turn_for(guint ms)
{
    gint64 end = g_get_monotonic_time() + ms * 1000;
    while (g_get_monotonic_time() < end) {
        turn();
        g_usleep(1000);
    }
}

static void setup(void)
{
    SeatHello hello = {.protocol = SEAT_PROTOCOL_RDP, .heads = 1, .size = {1024, 768, 100, 0, 0, 0, 0}};
    SeatPrefill prefill = {.user = "alice", .password = "secret"};
    memset(&saw, 0, sizeof saw);
    other.fd = -1;
    viewer = viewer_new(&events, NULL);
    viewer_hello(viewer, &hello, &prefill);
    viewer_attach(viewer, fake_seat_open(&seat), TRUE);
}

static void teardown(void)
{
    fake_seat_close(&seat);
    fake_seat_close(&other);
    viewer_free(viewer);
}

static int memfd_of(off_t size)
{
    int fd = memfd_create("small", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(fd, size), 0);
    return fd;
}

/* Up to the first picture, taken. */
static void show(FakeSeat *s, gboolean greeter, guint width, guint height)
{
    ViewerUpdate update;
    fake_seat_welcome(s, greeter);
    fake_seat_buffer(s, width, height);
    fake_seat_frame(s, TRUE, NULL, 0, NULL);
    turn();
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert_uint_eq(update.n_rects, 1);
    viewer_release(viewer);
    viewer_ready(viewer);
}

START_TEST(the_first_complete_frame_shows_the_whole_picture_exactly)
{
    ViewerUpdate update;
    SeatHello hello;
    fake_seat_welcome(&seat, TRUE);
    fake_seat_buffer(&seat, 200, 100);
    turn();
    ck_assert(fake_seat_receive(&seat, SEAT_HELLO, &hello, sizeof hello));
    ck_assert_uint_eq(hello.version, SEAT_LINK_VERSION);
    ck_assert_uint_eq(saw.switched, 0);
    fake_seat_frame(&seat, TRUE, NULL, 0, NULL);
    turn();
    ck_assert_uint_eq(saw.switched, 1);
    ck_assert_uint_eq(saw.dirty, 1);
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert_uint_eq(update.n_rects, 1);
    ck_assert_uint_eq(update.rects[0].width, 200);
    ck_assert_uint_eq(update.rects[0].height, 100);
    for (guint y = 0; y < 100; y++)
        ck_assert_int_eq(
            memcmp(update.picture.pixels + y * update.picture.stride, seat.pixels + y * 200, 800), 0);
    ck_assert(!viewer_take(viewer, FALSE, &update));
}
END_TEST

START_TEST(a_greeter_gets_the_prefill_once_and_a_seat_never)
{
    SeatPrefill prefill;
    SeatHello hello;
    fake_seat_welcome(&seat, TRUE);
    turn();
    ck_assert(fake_seat_receive(&seat, SEAT_PREFILL, &prefill, sizeof prefill));
    ck_assert_str_eq(prefill.password, "secret");
    viewer_attach(viewer, fake_seat_open(&other), TRUE);
    fake_seat_welcome(&other, TRUE);
    turn();
    ck_assert(fake_seat_receive(&other, SEAT_HELLO, &hello, sizeof hello));
    ck_assert(!fake_seat_receive(&other, SEAT_PREFILL, &prefill, sizeof prefill));
}
END_TEST

START_TEST(a_seat_gets_no_prefill)
{
    SeatPrefill prefill;
    fake_seat_welcome(&seat, FALSE);
    turn();
    ck_assert(!fake_seat_receive(&seat, SEAT_PREFILL, &prefill, sizeof prefill));
}
END_TEST

START_TEST(every_taken_frame_gives_one_credit_back_when_there_is_room_for_the_next)
{
    SeatCredit credit;
    SeatRect rect = {10, 10, 20, 20, 0, 0};
    ViewerUpdate update;
    show(&seat, FALSE, 200, 100);
    ck_assert(fake_seat_receive(&seat, SEAT_CREDIT, &credit, sizeof credit));
    ck_assert_uint_eq(credit.frames, 2);
    ck_assert(fake_seat_receive(&seat, SEAT_CREDIT, &credit, sizeof credit));
    ck_assert_uint_eq(credit.frames, 1);
    seat.versions[0] += 2;
    fake_seat_frame(&seat, FALSE, &rect, 1, NULL);
    turn();
    viewer_ready(viewer); /* not while a frame waits */
    ck_assert(!fake_seat_receive(&seat, SEAT_CREDIT, &credit, sizeof credit));
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert(!fake_seat_receive(&seat, SEAT_CREDIT, &credit, sizeof credit));
    viewer_ready(viewer);
    ck_assert(fake_seat_receive(&seat, SEAT_CREDIT, &credit, sizeof credit));
    ck_assert_uint_eq(credit.frames, 1);
}
END_TEST

START_TEST(the_copy_stays_while_it_is_lent_and_goes_a_moment_after)
{
    ViewerUpdate update;

    fake_seat_welcome(&seat, FALSE);
    fake_seat_buffer(&seat, 800, 600);
    seat.pixels[0] = 0xff123456;
    fake_seat_frame(&seat, TRUE, NULL, 0, NULL);
    turn();
    ck_assert(viewer_take(viewer, FALSE, &update));
    viewer_release(viewer);
    viewer_invalidate(viewer, NULL, 0);
    ck_assert(viewer_take(viewer, FALSE, &update)); /* before that moment is over */
    const guint8 *pixels = update.picture.pixels;
    turn_for(600);
    ck_assert_uint_eq(pixels[0], 0x56);
    viewer_release(viewer);
    ck_assert_uint_eq(pixels[0], 0x56);
    turn_for(600);
    ck_assert_uint_eq(pixels[0], 0);
}
END_TEST

START_TEST(damage_is_sent_as_small_as_it_is)
{
    SeatRect rects[] = {{10, 10, 20, 20, 0, 0}, {100, 70, 64, 10, 0, 0}};
    ViewerUpdate update;
    show(&seat, FALSE, 200, 100);
    seat.pixels[10 * 200 + 10] = 0xff123456;
    seat.versions[0] += 2;
    fake_seat_frame(&seat, FALSE, rects, 2, NULL);
    turn();
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert_uint_eq(update.n_rects, 1); /* the second one's tiles have the version that was sent already */
    ck_assert_uint_eq(update.rects[0].x, 10);
    ck_assert_uint_eq(update.rects[0].width, 20);
    ck_assert_uint_eq(*(guint32 *)(update.picture.pixels + 10 * update.picture.stride + 40), 0xff123456);
}
END_TEST

START_TEST(a_tile_that_is_being_written_is_sent_later)
{
    SeatRect rect = {0, 0, 64, 64, 0, 0};
    ViewerUpdate update;
    show(&seat, FALSE, 200, 100);
    seat.versions[0]++;
    fake_seat_frame(&seat, FALSE, &rect, 1, NULL);
    turn();
    guint dirty = saw.dirty;
    ck_assert(!viewer_take(viewer, FALSE, &update));
    ck_assert_uint_eq(viewer_counters(viewer).torn, 1);
    seat.versions[0]++;
    turn_for(30);
    ck_assert_uint_gt(saw.dirty, dirty);
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert_uint_eq(update.n_rects, 1);
}
END_TEST

static void send_move(SeatMove move, guint64 base, guint64 pass)
{
    union {
        SeatFrame frame;
        guint8 bytes[sizeof(SeatFrame) + sizeof(SeatMove)];
    } packet = {0};
    packet.frame.header.type = SEAT_FRAME;
    packet.frame.serial = ++seat.serial;
    packet.frame.time_us = 1;
    packet.frame.moves = 1;
    packet.frame.base = base;
    packet.frame.pass = pass;
    memcpy(packet.bytes + sizeof packet.frame, &move, sizeof move);
    fake_seat_send(&seat, &packet, sizeof packet.bytes, NULL, 0);
    turn();
}

START_TEST(a_move_is_handed_on_to_who_accepts_it_and_is_damage_for_others)
{
    SeatMove move = {0, 20, 200, 50, 0, 3};
    ViewerUpdate update;
    show(&seat, FALSE, 200, 100);
    viewer_accept_moves(viewer, TRUE);
    send_move(move, 0, 1);
    ck_assert(viewer_take(viewer, TRUE, &update));
    ck_assert_uint_eq(update.n_moves, 1);
    ck_assert_uint_eq(update.moves[0].y, 20);
    ck_assert_uint_eq(update.moves[0].to_y, 3);
    ck_assert_uint_eq(update.n_rects, 0);
    viewer_keep_picture(viewer, TRUE);
    for (guint i = 0; i < 8; i++)
        seat.versions[i] += 2;
    send_move(move, 1, 2);
    ck_assert(viewer_take(viewer, TRUE, &update));
    ck_assert_uint_eq(update.n_moves, 0);
    ck_assert_uint_eq(update.rects[0].height, 50);
    viewer_keep_picture(viewer, FALSE);
    viewer_accept_moves(viewer, FALSE);
    send_move(move, 2, 3);
    ck_assert(viewer_take(viewer, TRUE, &update));
    ck_assert_uint_eq(update.n_moves, 0);
    ck_assert_uint_eq(update.rects[0].height, 50);
}
END_TEST

START_TEST(what_was_copied_of_a_later_picture_is_not_moved)
{
    SeatMove move = {0, 20, 200, 50, 0, 3};
    ViewerUpdate update;
    show(&seat, FALSE, 200, 100);
    viewer_accept_moves(viewer, TRUE);
    viewer_invalidate(viewer, NULL, 0);
    ((SeatShadowHeader *)seat.shadow)->passes = 2; /* the picture after the record's is being written */
    ck_assert(viewer_take(viewer, TRUE, &update));
    for (guint i = 0; i < 8; i++)
        seat.versions[i] += 2;
    send_move(move, 1, 2);
    ck_assert(viewer_take(viewer, TRUE, &update));
    ck_assert_uint_eq(update.n_moves, 0);
    ck_assert_uint_eq(update.n_rects, 1);
    send_move(move, 2, 3);
    ck_assert(viewer_take(viewer, TRUE, &update));
    ck_assert_uint_eq(update.n_moves, 1);
}
END_TEST

START_TEST(a_move_out_of_the_picture_closes_the_link)
{
    SeatMove move = {0, 20, 200, 81, 0, 3};
    SeatHeader ignored;
    show(&seat, FALSE, 200, 100);
    send_move(move, 0, 1);
    ck_assert(!fake_seat_receive(&seat, SEAT_RELEASE, &ignored, sizeof ignored));
    ck_assert_int_lt(send(seat.fd, "", 1, MSG_NOSIGNAL), 0);
}
END_TEST

START_TEST(a_unit_is_handed_on_and_its_tiles_become_exact_when_it_is_calm)
{
    SeatRect rect = {0, 0, 128, 64, 0, 0};
    ViewerUpdate update;
    viewer_units_paint_all(viewer, FALSE);
    viewer_subscribe(viewer, TRUE, 0);
    show(&seat, FALSE, 200, 100);
    seat.versions[0] += 2;
    seat.versions[1] += 2;
    SeatAccessUnit unit = fake_seat_unit(&seat, 1, TRUE, 1000, 0x42);
    fake_seat_frame(&seat, FALSE, &rect, 1, &unit);
    turn();
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert_uint_eq(update.n_rects, 0);
    ck_assert_uint_eq(update.units->length, 1000);
    ck_assert_uint_eq(update.units->data[999], 0x42);
    ck_assert(update.units->key);
    ck_assert_uint_eq(update.units->n_rects, 1);
    ck_assert_uint_eq(update.units->rects[0].width, 128);
    viewer_ready(viewer);
    guint dirty = saw.dirty;
    turn_for(TILES_CALM_MS + 50);
    ck_assert_uint_gt(saw.dirty, dirty);
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert_uint_eq(update.n_units, 0);
    ck_assert_uint_eq(update.n_rects, 1);
    ck_assert_uint_eq(update.rects[0].width, 128);
    ck_assert_uint_eq(update.rects[0].height, 64);
}
END_TEST

/* A unit for the left half of the picture, then the move. */
static void send_unit_and_move(gboolean keyframe, SeatMove move, ViewerUpdate *update)
{
    SeatRect rect = {0, 0, 64, 64, 0, 0};
    SeatAccessUnit unit = fake_seat_unit(&seat, 1, keyframe, 1000, 0x42);

    unit.region.width = 100;
    for (guint i = 0; i < 8; i++)
        seat.versions[i] += 2;
    fake_seat_frame(&seat, FALSE, &rect, 1, &unit);
    send_move(move, 0, 0);
    ck_assert(viewer_take(viewer, FALSE, update));
    ck_assert_uint_eq(update->units->length, 1000);
    viewer_ready(viewer);
}

START_TEST(a_move_beside_a_unit_is_made_and_one_from_or_to_its_region_is_the_unit_s_work)
{
    const SeatMove beside = {100, 20, 90, 50, 100, 3}, from = {90, 20, 60, 50, 130, 3},
                   to = {120, 20, 60, 50, 50, 3};
    ViewerUpdate update;
    viewer_subscribe(viewer, TRUE, 0);
    show(&seat, FALSE, 200, 100);
    viewer_accept_moves(viewer, TRUE);
    for (guint i = 0; i < 2; i++) { /* again, from a tile that the unit has painted a part of */
        send_unit_and_move(i == 0, beside, &update);
        ck_assert_uint_eq(update.n_moves, 1);
        ck_assert_uint_eq(update.n_rects, 0);
    }
    send_unit_and_move(FALSE, from, &update);
    ck_assert_uint_eq(update.n_moves, 0);
    ck_assert_uint_eq(update.rects[0].x, 130);
    send_unit_and_move(FALSE, to, &update);
    ck_assert_uint_eq(update.n_moves, 0);
    ck_assert_uint_eq(update.rects[0].x, 100);
    ck_assert_uint_eq(update.rects[0].width, 10);
}
END_TEST

START_TEST(who_cannot_take_a_unit_gets_tiles_and_asks_for_a_key_frame_later)
{
    SeatRect rect = {0, 0, 64, 64, 0, 0};
    SeatHeader key;
    ViewerUpdate update;
    viewer_subscribe(viewer, TRUE, 0);
    show(&seat, FALSE, 200, 100);
    ck_assert(!fake_seat_receive(&seat, SEAT_KEYFRAME, &key, sizeof key)); /* a seat begins with one */
    SeatAccessUnit unit = fake_seat_unit(&seat, 1, TRUE, 100, 1);
    seat.versions[0] += 2;
    fake_seat_frame(&seat, FALSE, &rect, 1, &unit);
    turn();
    ck_assert(viewer_take(viewer, TRUE, &update));
    ck_assert_uint_eq(update.n_units, 0);
    ck_assert_uint_eq(update.n_rects, 1);
    unit = fake_seat_unit(&seat, 1, FALSE, 100, 2); /* builds on the dropped one */
    seat.versions[0] += 2;
    fake_seat_frame(&seat, FALSE, &rect, 1, &unit);
    turn();
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert_uint_eq(update.n_units, 0);
    ck_assert_uint_eq(update.n_rects, 1);
    ck_assert(fake_seat_receive(&seat, SEAT_KEYFRAME, &key, sizeof key));
}
END_TEST

START_TEST(an_overwritten_unit_is_replaced_by_tiles)
{
    SeatRect rect = {0, 0, 64, 64, 0, 0};
    SeatHeader key;
    ViewerUpdate update;
    viewer_subscribe(viewer, TRUE, 0);
    show(&seat, FALSE, 200, 100);
    ck_assert(!fake_seat_receive(&seat, SEAT_KEYFRAME, &key, sizeof key)); /* a seat begins with one */
    SeatAccessUnit unit = fake_seat_unit(&seat, 1, TRUE, 100, 1);
    ((SeatRingHeader *)seat.ring)->written += SEAT_AU_RING;
    seat.versions[0] += 2;
    fake_seat_frame(&seat, FALSE, &rect, 1, &unit);
    turn();
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert_uint_eq(update.n_units, 0);
    ck_assert_uint_eq(update.n_rects, 1);
    ck_assert(fake_seat_receive(&seat, SEAT_KEYFRAME, &key, sizeof key));
}
END_TEST

START_TEST(the_picture_is_held_when_the_seat_dies_and_goes_on_with_the_next_link)
{
    guint width, height;
    ViewerUpdate update;
    show(&seat, FALSE, 200, 100);
    fake_seat_close(&seat);
    turn();
    ck_assert_uint_eq(saw.ended, 0);
    viewer_geometry(viewer, &width, &height);
    ck_assert_uint_eq(width, 200);
    viewer_invalidate(viewer, NULL, 0);
    ck_assert(viewer_take(viewer, FALSE, &update));
    viewer_attach(viewer, fake_seat_open(&other), FALSE);
    turn();
    ck_assert_uint_eq(saw.switched, 1);
    show(&other, FALSE, 320, 240);
    ck_assert_uint_eq(saw.switched, 2);
    ck_assert_uint_eq(saw.width, 320);
}
END_TEST

START_TEST(a_new_size_is_shown_from_its_first_complete_frame_on)
{
    SeatRect rect = {0, 0, 64, 64, 0, 0};
    ViewerUpdate update;
    show(&seat, FALSE, 200, 100);
    fake_seat_buffer(&seat, 300, 200);
    fake_seat_frame(&seat, FALSE, &rect, 1, NULL);
    turn();
    ck_assert_uint_eq(saw.switched, 1);
    fake_seat_frame(&seat, TRUE, &rect, 1, NULL);
    turn();
    ck_assert_uint_eq(saw.switched, 2);
    ck_assert_uint_eq(saw.width, 300);
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert_uint_eq(update.rects[0].width, 300);
    ck_assert_uint_eq(update.picture.width, 300);
}
END_TEST

START_TEST(enter_at_the_greeter_is_not_typed_on_the_desktop)
{
    SeatKey key;
    show(&seat, TRUE, 200, 100);
    viewer_key(viewer, 0x1c, TRUE);
    ck_assert(fake_seat_receive(&seat, SEAT_KEY, &key, sizeof key));
    viewer_attach(viewer, fake_seat_open(&other), FALSE);
    show(&other, FALSE, 200, 100);
    viewer_key(viewer, 0x1c, TRUE);
    viewer_key(viewer, 0x1c, FALSE);
    ck_assert(!fake_seat_receive(&other, SEAT_KEY, &key, sizeof key));
    viewer_key(viewer, 0x1c, TRUE);
    ck_assert(fake_seat_receive(&other, SEAT_KEY, &key, sizeof key));
    ck_assert_uint_eq(key.header.generation, other.generation);
}
END_TEST

START_TEST(the_pointer_is_kept_inside_of_the_picture)
{
    SeatPointer pointer;
    show(&seat, FALSE, 200, 100);
    viewer_pointer(viewer, 5000, -3, 0, 0, 0);
    ck_assert(fake_seat_receive(&seat, SEAT_POINTER, &pointer, sizeof pointer));
    ck_assert_int_eq(pointer.x, 199);
    ck_assert_int_eq(pointer.y, 0);
}
END_TEST

START_TEST(a_taken_over_link_ends_the_connection_once)
{
    show(&seat, FALSE, 200, 100);
    fake_seat_bye(&seat, END_TAKEN_OVER);
    turn();
    viewer_end(viewer, END_KILLED, NULL);
    ck_assert_uint_eq(saw.ended, 1);
    ck_assert_int_eq(saw.reason, END_TAKEN_OVER);
}
END_TEST

START_TEST(a_link_that_is_merely_done_waits_for_the_masters_reason)
{
    show(&seat, FALSE, 200, 100);
    fake_seat_bye(&seat, END_DONE);
    turn();
    ck_assert_uint_eq(saw.ended, 0);
    viewer_end(viewer, END_REVOKED, NULL);
    ck_assert_int_eq(saw.reason, END_REVOKED);
}
END_TEST

START_TEST(nonsense_from_the_seat_closes_its_link_only)
{
    guint8 nonsense[64] = {SEAT_FRAME, 0, 64};
    SeatHello hello;
    show(&seat, FALSE, 200, 100);
    ck_assert_int_eq(packet_send(seat.fd, nonsense, sizeof nonsense, NULL, 0), PACKET_OK);
    turn();
    ck_assert_uint_eq(saw.ended, 0);
    while (fake_seat_receive(&seat, SEAT_HELLO, &hello, sizeof hello))
        ;
    gsize length;
    guint count;
    ck_assert_int_eq(packet_receive(seat.fd, nonsense, sizeof nonsense, &length, NULL, 0, &count),
                     PACKET_CLOSED);
}
END_TEST

START_TEST(a_shadow_that_lies_about_its_size_is_refused)
{
    SeatHeader any;
    show(&seat, FALSE, 200, 100);
    int fds[2] = {memfd_of(4096), memfd_of(4096)};
    SeatBuffer buffer = {.header.type = SEAT_BUFFER,
                         .width = 200,
                         .height = 100,
                         .stride = 800,
                         .tiles_x = 4,
                         .tiles_y = 2,
                         .memory = 1 << 20,
                         .versions_offset = 8,
                         .pixels_offset = 4096};
    fake_seat_send(&seat, &buffer, sizeof buffer, fds, 2);
    turn();
    ck_assert(!fake_seat_receive(&seat, SEAT_RELEASE, &any, sizeof any));
    ck_assert_uint_eq(saw.switched, 1);
    ck_assert_int_eq(packet_send(seat.fd, &any, sizeof any, NULL, 0), PACKET_CLOSED);
}
END_TEST

static void cursor(FakeSeat *s, gboolean visible, gboolean shape)
{
    SeatCursor packet = {.header.type = SEAT_CURSOR, .visible = visible, .width = 16, .height = 16};
    int fd = memfd_of(16 * 16 * 4);
    fake_seat_send(s, &packet, sizeof packet, &fd, shape ? 1 : 0);
    close(fd);
    turn();
}

START_TEST(a_cursor_that_was_hidden_comes_back_in_its_shape)
{
    show(&seat, FALSE, 200, 100);
    cursor(&seat, TRUE, TRUE);
    ck_assert(saw.cursor_shown);
    cursor(&seat, FALSE, FALSE);
    ck_assert(!saw.cursor_shown);
    cursor(&seat, TRUE, FALSE);
    ck_assert(saw.cursor_shown);
}
END_TEST

START_TEST(the_desktop_hears_of_the_lock_keys_that_were_pressed_before_it_came)
{
    SeatLocks locks;
    viewer_locks(viewer, SEAT_LOCK_NUM); /* before anything is shown */
    show(&seat, TRUE, 200, 100);
    ck_assert(fake_seat_receive(&seat, SEAT_LOCKS, &locks, sizeof locks));
    ck_assert_uint_eq(locks.mask, SEAT_LOCK_NUM);
    viewer_key(viewer, 0x3a, TRUE);
    viewer_key(viewer, 0x3a, TRUE); /* repeats */
    viewer_key(viewer, 0x3a, FALSE);
    viewer_attach(viewer, fake_seat_open(&other), FALSE);
    show(&other, FALSE, 320, 240);
    ck_assert(fake_seat_receive(&other, SEAT_LOCKS, &locks, sizeof locks));
    ck_assert_uint_eq(locks.mask, SEAT_LOCK_NUM | SEAT_LOCK_CAPS);
}
END_TEST

START_TEST(who_says_nothing_of_lock_keys_changes_none)
{
    SeatLocks locks;
    viewer_key(viewer, 0x3a, TRUE);
    show(&seat, FALSE, 200, 100);
    ck_assert(!fake_seat_receive(&seat, SEAT_LOCKS, &locks, sizeof locks));
}
END_TEST

START_TEST(a_unit_that_changes_nothing_paints_a_few_pixels_that_become_exact)
{
    ViewerUpdate update;
    viewer_units_paint_all(viewer, FALSE);
    viewer_subscribe(viewer, TRUE, 0);
    show(&seat, FALSE, 200, 100);
    SeatAccessUnit unit = fake_seat_unit(&seat, 1, TRUE, 100, 1);
    fake_seat_frame(&seat, FALSE, NULL, 0, &unit);
    turn();
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert_uint_eq(update.units->n_rects, 1);
    ck_assert_uint_eq(update.units->rects[0].width, 2);
    ck_assert_uint_eq(update.units->rects[0].height, 2);
    ck_assert(!viewer_update_is_whole(&update));
    /* As long as the seat has no credit it could not say that there is more. */
    turn_for(TILES_CALM_MS + 50);
    ck_assert(!viewer_take(viewer, FALSE, &update));
    turn_for(TILES_CALM_MS + 50);
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert_uint_eq(update.n_rects, 1);
    ck_assert_uint_eq(update.rects[0].x, 0);
    ck_assert_uint_eq(update.rects[0].width, 64);
}
END_TEST

/* Five by three tiles; the second and the third of the first row are marked, and the first of the last. */
static SeatAccessUnit unit_of_both_views(void)
{
    static const guint8 marks[] = {6, 0, 1};
    SeatAccessUnit unit = fake_seat_unit(&seat, 1, TRUE, 103, 0x42);
    guint8 *ring = seat.ring + sizeof(SeatRingHeader) + unit.position % SEAT_AU_RING;
    memset(ring + 70, 0x17, 30);
    memcpy(ring + 100, marks, sizeof marks);
    unit.auxiliary = 30;
    unit.tiles = sizeof marks;
    return unit;
}

START_TEST(an_auxiliary_view_is_shown_where_it_is_marked_and_the_unit_paints)
{
    SeatRect rects[] = {{70, 3, 250, 50, 0, 0}, {0, 129, 130, 20, 0, 0}};
    ViewerUpdate update;
    viewer_units_paint_all(viewer, FALSE);
    viewer_subscribe(viewer, SEAT_H264_AVC444, 0);
    show(&seat, FALSE, 300, 150);
    SeatAccessUnit unit = unit_of_both_views();
    fake_seat_frame(&seat, FALSE, rects, 2, &unit);
    turn();
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert_uint_eq(update.units->length, 70);
    ck_assert_uint_eq(update.units->data[69], 0x42);
    ck_assert_uint_eq(update.units->auxiliary_length, 30);
    ck_assert_uint_eq(update.units->auxiliary[0], 0x17);
    ck_assert_uint_eq(update.units->auxiliary[29], 0x17);
    /* Of the first rectangle what begins and ends with samples of colour. */
    const ViewerRect wanted[] = {{72, 2, 120, 52}, {0, 128, 64, 22}};
    ck_assert_uint_eq(update.units->n_auxiliary_rects, G_N_ELEMENTS(wanted));
    ck_assert_mem_eq(update.units->auxiliary_rects, wanted, sizeof wanted);
}
END_TEST

START_TEST(who_takes_one_view_gets_one)
{
    SeatRect rect = {0, 0, 300, 150, 0, 0};
    ViewerUpdate update;
    viewer_subscribe(viewer, SEAT_H264_AVC420, 0);
    show(&seat, FALSE, 300, 150);
    SeatAccessUnit unit = unit_of_both_views();
    fake_seat_frame(&seat, FALSE, &rect, 1, &unit);
    turn();
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert_uint_eq(update.units->length, 70);
    ck_assert_ptr_null(update.units->auxiliary);
    ck_assert_uint_eq(update.units->n_auxiliary_rects, 0);
}
END_TEST

START_TEST(marks_of_another_size_mark_nothing)
{
    SeatRect rect = {0, 0, 300, 150, 0, 0};
    ViewerUpdate update;
    viewer_subscribe(viewer, SEAT_H264_AVC444, 0);
    show(&seat, FALSE, 300, 150);
    SeatAccessUnit unit = unit_of_both_views();
    unit.tiles = 2;
    unit.auxiliary = 31;
    fake_seat_frame(&seat, FALSE, &rect, 1, &unit);
    turn();
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert_ptr_nonnull(update.units->auxiliary);
    ck_assert_uint_eq(update.units->n_auxiliary_rects, 0);
}
END_TEST

START_TEST(a_first_picture_that_comes_as_a_unit_is_whole)
{
    ViewerUpdate update;
    viewer_units_paint_all(viewer, FALSE);
    viewer_subscribe(viewer, TRUE, 0);
    fake_seat_welcome(&seat, FALSE);
    fake_seat_buffer(&seat, 200, 100);
    SeatAccessUnit unit = fake_seat_unit(&seat, 1, TRUE, 100, 1);
    fake_seat_frame(&seat, TRUE, NULL, 0, &unit);
    turn();
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert_uint_eq(update.n_units, 1);
    ck_assert_uint_eq(update.n_rects, 0);
    ck_assert(viewer_update_is_whole(&update));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("viewer");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_first_complete_frame_shows_the_whole_picture_exactly);
    tcase_add_test(tcase, a_greeter_gets_the_prefill_once_and_a_seat_never);
    tcase_add_test(tcase, a_seat_gets_no_prefill);
    tcase_add_test(tcase, every_taken_frame_gives_one_credit_back_when_there_is_room_for_the_next);
    tcase_add_test(tcase, the_copy_stays_while_it_is_lent_and_goes_a_moment_after);
    tcase_add_test(tcase, damage_is_sent_as_small_as_it_is);
    tcase_add_test(tcase, a_tile_that_is_being_written_is_sent_later);
    tcase_add_test(tcase, a_move_is_handed_on_to_who_accepts_it_and_is_damage_for_others);
    tcase_add_test(tcase, what_was_copied_of_a_later_picture_is_not_moved);
    tcase_add_test(tcase, a_move_out_of_the_picture_closes_the_link);
    tcase_add_test(tcase, a_move_beside_a_unit_is_made_and_one_from_or_to_its_region_is_the_unit_s_work);
    tcase_add_test(tcase, a_unit_is_handed_on_and_its_tiles_become_exact_when_it_is_calm);
    tcase_add_test(tcase, who_cannot_take_a_unit_gets_tiles_and_asks_for_a_key_frame_later);
    tcase_add_test(tcase, an_overwritten_unit_is_replaced_by_tiles);
    tcase_add_test(tcase, the_picture_is_held_when_the_seat_dies_and_goes_on_with_the_next_link);
    tcase_add_test(tcase, a_new_size_is_shown_from_its_first_complete_frame_on);
    tcase_add_test(tcase, enter_at_the_greeter_is_not_typed_on_the_desktop);
    tcase_add_test(tcase, the_pointer_is_kept_inside_of_the_picture);
    tcase_add_test(tcase, a_taken_over_link_ends_the_connection_once);
    tcase_add_test(tcase, a_link_that_is_merely_done_waits_for_the_masters_reason);
    tcase_add_test(tcase, nonsense_from_the_seat_closes_its_link_only);
    tcase_add_test(tcase, a_shadow_that_lies_about_its_size_is_refused);
    tcase_add_test(tcase, a_cursor_that_was_hidden_comes_back_in_its_shape);
    tcase_add_test(tcase, the_desktop_hears_of_the_lock_keys_that_were_pressed_before_it_came);
    tcase_add_test(tcase, who_says_nothing_of_lock_keys_changes_none);
    tcase_add_test(tcase, a_unit_that_changes_nothing_paints_a_few_pixels_that_become_exact);
    tcase_add_test(tcase, an_auxiliary_view_is_shown_where_it_is_marked_and_the_unit_paints);
    tcase_add_test(tcase, who_takes_one_view_gets_one);
    tcase_add_test(tcase, marks_of_another_size_mark_nothing);
    tcase_add_test(tcase, a_first_picture_that_comes_as_a_unit_is_whole);
    return suite_run("viewer", tcase);
}
