/* What clients see of a film when the (scripted) hardware encoder fails: nothing. The seat's host and its
 * real streams in this process; a client decodes what it gets. */
#include "base/log.h"
#include "base/packet.h"
#include "base/proto/master_link.h"
#include "encoder/auxiliary.h"
#include "encoder/h264_pair.h"
#include "encoder/rect.h"
#include "session/seat/doubt.h"
#include "session/seat/host.h"
#include "session/seat/stream_h264.h"
#include "tests/unit/encoder/fake_encoder.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <freerdp/codec/color.h>
#include <freerdp/codec/h264.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define WIDTH 512
#define HEIGHT 320
#define FRAME_MS 15
#define CLIENTS 2
#define DIFFERENCE_MAX 6 /* a tile's mean, of 255: film shows losses */
#define MINUTE_US (60 * G_USEC_PER_SEC)

typedef struct {
    int fd;
    guint8 *memory, *ring;
    SeatBuffer layout;
    guint32 stream; /* of the last unit */
    guint units, streams, keys;
    gint64 unit_us;
    H264_CONTEXT *decoder;
    guint32 *film; /* what it has decoded */
    guint32 shown[WIDTH * HEIGHT];
    gboolean slow;  /* takes its time to give a credit */
    gint64 owed_us; /* one, since then; 0: none */
} Client;

static SeatHost *host;
static guint32 pixels[WIDTH * HEIGHT];
static Client clients[CLIENTS];
static guint n_clients;
static SeatRect film;
static gint64 later_us; /* than it really is */
static int errors = -1, standard_error = -1;

/* For the host and the streams; GLib's timers run in real time. */
gint64 g_get_monotonic_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 + later_us;
}

/* ---- clients ---- */

static void say(Client *client, gpointer packet, SeatPacketType type, gsize size)
{
    SeatHeader *header = packet;
    header->type = type;
    header->size = (guint16)size;
    header->generation = 1;
    ck_assert_int_eq(packet_send(client->fd, packet, size, NULL, 0), PACKET_OK);
}

static void give_credit(Client *client)
{
    SeatCredit credit = {.frames = 1};
    client->owed_us = 0;
    say(client, &credit, SEAT_CREDIT, sizeof credit);
}

static Client *join(SeatH264 h264, guint max_kbit_s)
{
    ProcessRecord record = {0};
    SeatHello hello = {.version = SEAT_LINK_VERSION, .protocol = SEAT_PROTOCOL_RDP, .heads = 1};
    SeatSubscribe subscribe = {.h264 = h264, .max_kbit_s = max_kbit_s};
    Client *client = &clients[n_clients++];
    int ends[2];

    ck_assert(packet_pair(ends, NULL));
    memset(client, 0, sizeof *client);
    client->fd = ends[1];
    client->decoder = h264_context_new(FALSE);
    seat_host_add_client(host, ends[0], n_clients, 0, &record);
    say(client, &hello, SEAT_HELLO, sizeof hello);
    say(client, &subscribe, SEAT_SUBSCRIBE, sizeof subscribe);
    give_credit(client);
    give_credit(client);
    return client;
}

static guint tile_rects(const guint8 *tiles, const SeatRect *region, RECTANGLE_16 *rects)
{
    gsize stride = h264_tiles_stride(region->width);
    guint count = 0;

    for (guint y = 0; y < region->height; y += AUXILIARY_TILE)
        for (guint x = 0; x < region->width; x += AUXILIARY_TILE)
            if (tiles[y / AUXILIARY_TILE * stride + x / AUXILIARY_TILE / 8] >> x / AUXILIARY_TILE % 8 & 1)
                rects[count++] =
                    (RECTANGLE_16){(UINT16)x, (UINT16)y, (UINT16)MIN(x + AUXILIARY_TILE, region->width),
                                   (UINT16)MIN(y + AUXILIARY_TILE, region->height)};
    return count;
}

static void decode(Client *client, const SeatAccessUnit *unit)
{
    const SeatRect *region = &unit->region;
    const guint8 *bytes = client->ring + sizeof(SeatRingHeader) + unit->position % SEAT_AU_RING;
    guint main_length = unit->length - unit->auxiliary - unit->tiles, count = 0;
    RECTANGLE_16 whole = {0, 0, region->width, region->height}, rects[256];

    /* As a decoder: another stream begins with a key frame. */
    ck_assert(unit->keyframe || (client->units > 0 && client->stream == unit->stream));
    if (client->units == 0 || client->stream != unit->stream) {
        client->streams++;
        g_free(client->film);
        client->film = g_new0(guint32, (gsize)region->width * region->height);
        ck_assert(h264_context_reset(client->decoder, region->width, region->height));
    }
    client->stream = unit->stream;
    client->units++;
    client->keys += unit->keyframe;
    client->unit_us = g_get_monotonic_time();
    if (unit->auxiliary)
        count = tile_rects(bytes + main_length + unit->auxiliary, region, rects);
    INT32 result = avc444_decompress(
        client->decoder, unit->auxiliary ? 0 : 1, &whole, 1, bytes, main_length, rects, count,
        unit->auxiliary ? bytes + main_length : NULL, unit->auxiliary, (BYTE *)client->film,
        PIXEL_FORMAT_BGRX32, region->width * 4u, region->width, region->height, RDPGFX_CODECID_AVC444v2);
    ck_assert_int_ge(result, 0);
}

static void copy(guint32 *to, const guint32 *from, gsize stride, const SeatRect *rect, gint x, gint y)
{
    for (guint row = 0; row < rect->height; row++)
        memcpy(to + (rect->y + row) * WIDTH + rect->x,
               from + (gsize)((gint)rect->y + (gint)row - y) * stride + ((gint)rect->x - x),
               rect->width * 4u);
}

static void take_frame(Client *client, const SeatFrame *frame)
{
    const SeatAccessUnit *unit = &frame->units[0];
    const SeatRect *region = &unit->region, *rects = frame->rects;

    ck_assert_uint_eq(frame->moves, 0);
    if (unit->length > 0)
        decode(client, unit);
    for (guint i = 0; i < frame->damage; i++) {
        SeatRect inside;
        copy(client->shown, (const guint32 *)(const void *)(client->memory + client->layout.pixels_offset),
             client->layout.stride / 4, &rects[i], 0, 0);
        if (unit->length > 0 && rect_common(&rects[i], region, &inside))
            copy(client->shown, client->film, region->width, &inside, region->x, region->y);
    }
    if (!client->slow)
        give_credit(client);
    else if (!client->owed_us)
        client->owed_us = g_get_monotonic_time();
}

static void take_buffer(Client *client, const SeatBuffer *layout, const int *descriptors)
{
    client->layout = *layout;
    client->memory = mmap(NULL, layout->memory, PROT_READ, MAP_SHARED, descriptors[0], 0);
    client->ring =
        mmap(NULL, sizeof(SeatRingHeader) + SEAT_AU_RING, PROT_READ, MAP_SHARED, descriptors[1], 0);
    ck_assert(client->memory != MAP_FAILED && client->ring != MAP_FAILED);
}

static void hear(Client *client)
{
    union {
        SeatHeader header;
        SeatFrame frame;
        SeatBuffer buffer;
        guint8 bytes[SEAT_LINK_PACKET_MAX];
    } packet;
    int descriptors[SEAT_LINK_DESCRIPTORS_MAX];
    guint count;
    gsize length;
    PacketResult result;

    while ((result = packet_receive(client->fd, &packet, sizeof packet, &length, descriptors,
                                    G_N_ELEMENTS(descriptors), &count)) == PACKET_OK) {
        ck_assert_uint_ne(packet.header.type, SEAT_CLOSE);
        if (packet.header.type == SEAT_BUFFER)
            take_buffer(client, &packet.buffer, descriptors);
        if (packet.header.type == SEAT_FRAME)
            take_frame(client, &packet.frame);
        for (guint i = 0; i < count; i++)
            close(descriptors[i]);
    }
    ck_assert_int_eq(result, PACKET_AGAIN);
    if (client->owed_us && g_get_monotonic_time() - client->owed_us > 60000)
        give_credit(client);
}

/* ---- the screen ---- */

static void spin(guint ms)
{
    gint64 until = g_get_monotonic_time() + ms * 1000ll;
    do {
        for (guint i = 0; i < 100 && g_main_context_iteration(NULL, FALSE); i++)
            ;
        for (guint i = 0; i < n_clients; i++)
            hear(&clients[i]);
        g_usleep(1000);
    } while (g_get_monotonic_time() < until);
}

static void draw(void)
{
    static guint32 step;

    step++;
    for (guint y = film.y; y < rect_bottom(&film); y++)
        for (guint x = film.x; x < rect_right(&film); x++) {
            guint32 level =
                64 + ((x + y + 3 * step) % 128 < 64 ? (x + y + 3 * step) % 64 : 63 - (x + y + 3 * step) % 64);
            pixels[y * WIDTH + x] = level * 0x010101 + 0x200010;
        }
    seat_host_damage(host, &film, 1, pixels, WIDTH * 4, 0);
}

static void play(guint frames)
{
    for (guint i = 0; i < frames; i++) {
        draw();
        spin(FRAME_MS);
    }
}

/* Plays until it is so; fails after a time that no machine needs. */
#define PLAY_UNTIL(CONDITION)                                                                                \
    do {                                                                                                     \
        gint64 until_ = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;                                        \
        while (!(CONDITION)) {                                                                               \
            ck_assert_msg(g_get_monotonic_time() < until_, "never: %s", #CONDITION);                         \
            play(1);                                                                                         \
        }                                                                                                    \
    } while (0)

static guint difference(const Client *client, guint left, guint top)
{
    guint sum = 0;
    for (guint y = top; y < top + 64; y++)
        for (guint x = left; x < left + 64; x++)
            for (guint shift = 0; shift < 24; shift += 8)
                sum += (guint)ABS((gint)(client->shown[y * WIDTH + x] >> shift & 255) -
                                  (gint)(pixels[y * WIDTH + x] >> shift & 255));
    return sum / (64 * 64 * 3);
}

static gboolean all_shown(void)
{
    for (guint i = 0; i < n_clients; i++)
        for (guint y = 0; y < HEIGHT; y += 64)
            for (guint x = 0; x < WIDTH; x += 64)
                if (difference(&clients[i], x, y) > DIFFERENCE_MAX)
                    return FALSE;
    return TRUE;
}

/* Without any further picture from the guest all is shown that it has drawn, and nothing has been said but
 * warnings. */
static void check_end(void)
{
    gint64 until = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

    while (!all_shown() && g_get_monotonic_time() < until)
        spin(20);
    ck_assert(all_shown());
    ck_assert_int_eq(lseek(errors, 0, SEEK_CUR), 0);
}

/* ---- the seat ---- */

static void begin(const char *software)
{
    HostStream *streams[2];
    for (guint i = 0; i < 2; i++) {
        streams[i] = stream_h264_new(NULL);
        stream_h264_encoders(streams[i], "vah264enc", software);
    }
    seat_host_set_streams(host, 1, &streams[0], &streams[1]);
}

static void setup(void)
{
    static const SeatHostEvents events = {0};

    ck_assert(h264_load(NULL));
    fake_encoder_register("vah264enc");
    fake_encoder_reset();
    log_open("test", LOG_LEVEL_ERROR);
    errors = memfd_create("errors", MFD_CLOEXEC);
    standard_error = dup(STDERR_FILENO);
    dup2(errors, STDERR_FILENO);
    film = (SeatRect){.x = 64, .y = 64, .width = 384, .height = 192};
    later_us = 0;
    n_clients = 0;
    host = seat_host_new(FALSE, &events, NULL, NULL);
    ck_assert(seat_host_resize(host, WIDTH, HEIGHT, NULL));
}

static void teardown(void)
{
    dup2(standard_error, STDERR_FILENO);
    fake_encoder_wake();
    for (guint i = 0; i < n_clients; i++) {
        close(clients[i].fd);
        h264_context_free(clients[i].decoder);
        g_free(clients[i].film);
    }
    seat_host_free(host);
}

/* ---- failures ---- */

static const char *const softwares[] = {"x264enc", "openh264enc"};
static const FakeScript failures[] = {
    {.fault = FAKE_NO_DEVICE},
    {.fault = FAKE_ERROR},
    {.fault = FAKE_FLOW},
    {.fault = FAKE_HANG},
    {.fault = FAKE_ERROR, .at = 12},
    {.fault = FAKE_FLOW, .at = 12},
    {.fault = FAKE_HANG, .at = 12},
    {.fault = FAKE_LATE, .at = 12, .ms = 2000},
    {.fault = FAKE_ERROR, .at = 12, .pool = 3, .memory = "memory:VAMemory"},
};
#define FAILURES ((int)G_N_ELEMENTS(failures))

static void fail_with(const FakeScript *script, guint times)
{
    fake_script = *script;
    fake_script.times = times;
}

START_TEST(the_next_encoder_takes_over_whatever_the_hardware_does)
{
    const FakeScript *script = &failures[_i % FAILURES];
    guint before = script->at > 0 ? 1 : 0;

    /* Clients do not even turn to rectangles meanwhile (host_stream.c: after 700 ms). */
    ck_assert_uint_lt(STREAM_HARDWARE_MS, 700);
    fail_with(script, G_MAXUINT);
    begin(softwares[_i / FAILURES]);
    Client *client = join(_i / FAILURES ? SEAT_H264_AVC420 : SEAT_H264_AVC444, 0);
    PLAY_UNTIL(client->streams == before + 1 && client->units > 20 + script->at);
    ck_assert_uint_eq(client->keys, before + 1);
    ck_assert_int_le(fake_count(pictures), (gint)script->at + 1);
    play(20);
    ck_assert_uint_eq(client->streams, before + 1);
    check_end();
}
END_TEST

START_TEST(what_the_failed_picture_showed_needs_no_further_one)
{
    const FakeScript *script = &failures[_i];

    fail_with(script, G_MAXUINT);
    begin("x264enc");
    join(SEAT_H264_AVC420, 0);
    PLAY_UNTIL(script->fault == FAKE_NO_DEVICE ? fake_count(made) > 0
                                               : fake_count(pictures) > (gint)script->at);
    check_end();
}
END_TEST

START_TEST(both_tiers_are_taken_over)
{
    const FakeScript *script = &failures[_i];

    fail_with(script, G_MAXUINT);
    begin("x264enc");
    Client *quick = join(SEAT_H264_AVC420, 0), *slow = join(SEAT_H264_AVC420, 1000);
    slow->slow = TRUE;
    PLAY_UNTIL(quick->units > 60 && slow->units > 20 &&
               slow->stream / SEAT_FILMS_MAX % 2 != quick->stream / SEAT_FILMS_MAX % 2);
    guint units = slow->units;
    PLAY_UNTIL(slow->units > units + script->at + 5);
    ck_assert_int_ge(fake_count(made), 2);
    check_end();
}
END_TEST

START_TEST(hardware_that_works_is_all_that_runs)
{
    fake_script.pool = 3;
    begin("x264enc");
    Client *client = join(SEAT_H264_AVC444, 0);
    PLAY_UNTIL(client->units > 60);
    ck_assert_uint_eq(client->streams, 1);
    ck_assert_uint_eq(client->keys, 1);
    ck_assert_int_eq(fake_count(made), 1);
    ck_assert_int_ge(fake_count(lent), 50);
    check_end();
}
END_TEST

/* ---- later ---- */

START_TEST(hardware_that_is_slow_to_start_joins_and_then_begins_after_software)
{
    fake_script = (FakeScript){.fault = FAKE_SLOW_START, .ms = STREAM_HARDWARE_MS + 600, .times = G_MAXUINT};
    begin("x264enc");
    Client *client = join(SEAT_H264_AVC420, 0);
    PLAY_UNTIL(client->streams == 1);
    ck_assert_int_eq(fake_count(pictures), 0);
    PLAY_UNTIL(client->streams == 2);
    ck_assert_int_eq(fake_count(made), 1);
    PLAY_UNTIL(fake_count(pictures) > 20);
    ck_assert_uint_eq(client->streams, 2);
    check_end();

    /* The next one begins with software at once. */
    film = (SeatRect){.width = 256, .height = 128};
    PLAY_UNTIL(client->streams == 3);
    gint pictures = fake_count(pictures);
    PLAY_UNTIL(client->streams == 4);
    ck_assert_int_le(fake_count(pictures), pictures + 2);
    PLAY_UNTIL(fake_count(pictures) > pictures + 20);
    ck_assert_uint_eq(client->streams, 4);
    check_end();
}
END_TEST

START_TEST(hardware_without_a_free_session_is_tried_again_after_a_minute)
{
    if (failures[_i].fault == FAKE_HANG && failures[_i].at == 0)
        return; /* it is as one that is slow to start: after 10 s it counts as failed */
    fail_with(&failures[_i], 1);
    begin("x264enc");
    Client *client = join(SEAT_H264_AVC420, 0);
    guint before = failures[_i].at > 0 ? 1 : 0;
    PLAY_UNTIL(client->streams == before + 1 && client->units > 30);
    play(20);
    ck_assert_int_eq(fake_count(made), 1);
    fake_encoder_wake();
    later_us += MINUTE_US - 20 * G_USEC_PER_SEC;
    play(20);
    ck_assert_int_eq(fake_count(made), 1);
    gint pictures = fake_count(pictures);
    later_us += 20 * G_USEC_PER_SEC;
    PLAY_UNTIL(client->streams == before + 2);
    PLAY_UNTIL(fake_count(pictures) > pictures + 20);
    ck_assert_int_eq(fake_count(made), 2);
    ck_assert_uint_eq(client->streams, before + 2);
    check_end();
}
END_TEST

START_TEST(a_device_that_is_gone_for_good_is_asked_for_ever_more_seldom_and_nobody_sees_it)
{
    fail_with(&failures[_i], G_MAXUINT);
    begin("x264enc");
    Client *client = join(SEAT_H264_AVC420, 0);
    PLAY_UNTIL(client->units > 20);
    guint streams = client->streams;
    for (guint minute = 0; minute < 64; minute++) {
        later_us += MINUTE_US;
        play(12);
    }
    ck_assert_int_ge(fake_count(made), 4);
    ck_assert_int_le(fake_count(made), 8);
    ck_assert_uint_eq(client->streams, streams);
    check_end();
}
END_TEST

START_TEST(the_rest_after_a_failure_grows_until_it_has_worked_for_long)
{
    Doubt doubt = {0};
    gint64 now = 1000 * G_USEC_PER_SEC, rest = MINUTE_US;

    ck_assert(doubt_none(&doubt));
    for (guint i = 0; i < 10; i++, rest = MIN(2 * rest, 32 * MINUTE_US)) {
        doubt_failed(&doubt, now);
        ck_assert(!doubt_none(&doubt));
        ck_assert(!doubt_allows(&doubt, now + rest - 1));
        ck_assert(doubt_allows(&doubt, now + rest));
        now += rest;
        doubt_works(&doubt, TRUE, now);
        ck_assert(doubt_none(&doubt));
    }
    now += 10 * MINUTE_US;
    doubt_works(&doubt, FALSE, now);
    ck_assert(!doubt_none(&doubt) && doubt_allows(&doubt, now));
    doubt_failed(&doubt, now);
    ck_assert(doubt_allows(&doubt, now + MINUTE_US));
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("takeover");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, the_next_encoder_takes_over_whatever_the_hardware_does, 0, 2 * FAILURES);
    tcase_add_loop_test(cases, what_the_failed_picture_showed_needs_no_further_one, 0, FAILURES);
    tcase_add_loop_test(cases, both_tiers_are_taken_over, 0, FAILURES);
    tcase_add_test(cases, hardware_that_works_is_all_that_runs);
    tcase_add_test(cases, hardware_that_is_slow_to_start_joins_and_then_begins_after_software);
    tcase_add_loop_test(cases, hardware_without_a_free_session_is_tried_again_after_a_minute, 0, FAILURES);
    tcase_add_loop_test(
        cases, a_device_that_is_gone_for_good_is_asked_for_ever_more_seldom_and_nobody_sees_it, 0, 2);
    tcase_add_test(cases, the_rest_after_a_failure_grows_until_it_has_worked_for_long);
    return suite_run("takeover", cases);
}
