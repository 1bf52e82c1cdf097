/* Films on their way to a client of RFB: one that keeps a decoder for each rectangle, as noVNC does, and
 * complains. The viewer is played; the file under test is compiled in for its bounds. */
#include "session/vnc/screen_units.c"

#include "session/vnc/rfb.h"
#include "session/vnc/wire.h"
#include "tests/unit/suite.h"

#include <string.h>

#define RESET 1
#define RESET_ALL 2
#define DECODERS_MAX 64 /* noVNC's and TigerVNC's */

static Screen *screen;
static struct {
    guint keyframes, invalidated;
    ViewerRect region;                  /* that was invalidated last */
    guint units, flags[SEAT_FILMS_MAX]; /* of the last update */
    guint decoders_most;
} saw;

typedef struct {
    ViewerRect place;
    guint8 stream, number; /* of the last unit */
} Decoder;
static Decoder decoders[DECODERS_MAX];
static guint n_decoders;

/* ---- what is played ---- */

void viewer_need_keyframe(Viewer *viewer)
{
    saw.keyframes++;
}

void viewer_invalidate(Viewer *viewer, const ViewerRect *rects, guint count)
{
    saw.invalidated += count;
    saw.region = rects[0];
}

/* ---- the client ---- */

static Decoder *decoder_at(const ViewerRect *place)
{
    for (guint i = 0; i < n_decoders; i++)
        if (memcmp(&decoders[i].place, place, sizeof *place) == 0)
            return &decoders[i];
    ck_assert_uint_lt(n_decoders, DECODERS_MAX);
    decoders[n_decoders] = (Decoder){.place = *place};
    return &decoders[n_decoders++];
}

static void see_unit(const ViewerRect *place, guint flags, const guint8 *unit)
{
    if (flags & RESET_ALL)
        n_decoders = 0;
    Decoder *decoder = decoder_at(place);
    if (flags & RESET)
        *decoder = (Decoder){.place = *place};
    ck_assert(unit[0] || (decoder->stream == unit[1] && unit[2] == (guint8)(decoder->number + 1)));
    ck_assert(decoder->stream == 0 || decoder->stream == unit[1]); /* a fresh one for a new stream */
    decoder->stream = unit[1];
    decoder->number = unit[2];
    saw.decoders_most = MAX(saw.decoders_most, n_decoders);
}

static guint16 get16(const guint8 *bytes)
{
    return (guint16)(bytes[0] << 8 | bytes[1]);
}

static void see_update(const GByteArray *bytes, guint rects)
{
    gsize at = 0;

    saw.units = rects;
    for (guint i = 0; i < rects; i++) {
        const guint8 *rect = bytes->data + at;
        const ViewerRect place = {get16(rect), get16(rect + 2), get16(rect + 4), get16(rect + 6)};
        ck_assert_uint_eq(wire_get32(rect + 8), RFB_ENCODING_H264);
        saw.flags[i] = wire_get32(rect + 16);
        see_unit(&place, saw.flags[i], rect + 20);
        at += 20 + wire_get32(rect + 12);
    }
    ck_assert_uint_eq(at, bytes->len);
}

/* ---- films ---- */

typedef struct {
    gboolean key_due;
    guint8 bytes[3]; /* whether it is a key frame, stream, number */
} PlayedFilm;

static PlayedFilm first, second;
static guint8 streams; /* so many have begun, of all films */
static const ViewerRect left = {0, 0, 256, 192}, right = {320, 64, 256, 384};

static ViewerUnit play(PlayedFilm *film, ViewerRect region, gboolean begins)
{
    film->bytes[0] = begins || film->key_due;
    if (begins)
        film->bytes[1] = ++streams;
    film->bytes[2]++;
    film->key_due = FALSE;
    return (ViewerUnit){.film = film == &second,
                        .data = film->bytes,
                        .length = sizeof film->bytes,
                        .region = region,
                        .key = film->bytes[0],
                        .stream = film->bytes[1]};
}

static void send_units(const ViewerUnit *units, guint count)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    ViewerUpdate update = {.units = units, .n_units = count};
    guint rects = 0, keyframes = saw.keyframes;

    screen_put_units(screen, &update, out, &rects);
    see_update(out, rects);
    screen_mend_units(screen);
    if (saw.keyframes > keyframes)
        first.key_due = second.key_due = TRUE;
}

static void send_one(ViewerUnit unit)
{
    send_units(&unit, 1);
}

static void send_both(ViewerUnit one, ViewerUnit other)
{
    const ViewerUnit units[] = {one, other};
    send_units(units, 2);
}

static void setup(void)
{
    memset(&saw, 0, sizeof saw);
    n_decoders = 0;
    first = second = (PlayedFilm){0};
    screen = g_new0(Screen, 1);
    screen_forget_decoders(screen);
}

static void teardown(void)
{
    g_free(screen);
}

START_TEST(the_first_unit_of_all_resets_all_and_each_its_own)
{
    send_both(play(&first, left, TRUE), play(&second, right, TRUE));
    ck_assert_uint_eq(saw.flags[0], RESET | RESET_ALL);
    ck_assert_uint_eq(saw.flags[1], RESET);
    for (guint i = 0; i < 20; i++) {
        send_both(play(&first, left, FALSE), play(&second, right, FALSE));
        ck_assert_uint_eq(saw.flags[0] | saw.flags[1], 0);
        send_one(play(&second, right, FALSE));
        ck_assert_uint_eq(saw.flags[0], 0);
    }
    ck_assert_uint_eq(saw.decoders_most, 2);
    ck_assert_uint_eq(screen->units, 62);
}
END_TEST

START_TEST(a_film_that_begins_alone_leaves_the_other_s_decoder)
{
    send_both(play(&first, left, TRUE), play(&second, right, TRUE));
    send_both(play(&first, left, FALSE), play(&second, right, TRUE));
    ck_assert_uint_eq(saw.flags[0], 0);
    ck_assert_uint_eq(saw.flags[1], RESET);
    send_one(
        play(&second, (ViewerRect){320, 64, 128, 128}, TRUE)); /* the first has nothing to show just now */
    ck_assert_uint_eq(saw.flags[0], RESET);
    send_both(play(&first, left, FALSE), play(&second, (ViewerRect){320, 64, 128, 128}, FALSE));
    ck_assert_uint_eq(saw.units, 2);
    ck_assert_uint_eq(saw.keyframes, 0);
}
END_TEST

START_TEST(where_no_film_goes_on_decoders_of_old_regions_go)
{
    for (guint i = 0; i < 100; i++) {
        send_one(play(&first, (ViewerRect){64 * (i % 5), 0, 64, 64}, TRUE));
        ck_assert_uint_eq(saw.flags[0], RESET | RESET_ALL);
        send_one(play(&first, (ViewerRect){64 * (i % 5), 0, 64, 64}, FALSE));
    }
    ck_assert_uint_eq(saw.decoders_most, 1);
    send_both(play(&first, left, TRUE), play(&second, right, TRUE));
    ck_assert_uint_eq(n_decoders, 2);
    screen->decoders[1].shown_us -= VIEWER_FILM_OVER_US + 1;
    send_one(play(&first, left, TRUE));
    ck_assert_uint_eq(n_decoders, 1);
    ck_assert_uint_eq(saw.keyframes, 0);
}
END_TEST

START_TEST(decoders_of_old_regions_are_bounded_while_the_other_film_goes_on)
{
    send_both(play(&first, left, TRUE), play(&second, right, TRUE));
    for (guint i = 0; i < 200; i++) {
        const ViewerRect region = {320, 0, 64 + i, 64};
        send_both(play(&first, left, FALSE), play(&second, region, TRUE));
        ck_assert_uint_eq(saw.units, 2);
        send_one(play(&second, region, FALSE));
    }
    ck_assert_uint_le(saw.decoders_most, 2 + LEFT_MAX);
    ck_assert_uint_ge(saw.keyframes, 200 / (LEFT_MAX + 2));
    ck_assert_uint_le(saw.keyframes, 200 / LEFT_MAX);
    ck_assert_uint_eq(saw.invalidated, 0);
}
END_TEST

START_TEST(what_the_client_cannot_decode_is_asked_for_instead_of_sent)
{
    send_both(play(&first, left, TRUE), play(&second, right, TRUE));
    screen_forget_decoders(screen); /* the screen has another size, or is another */
    send_both(play(&first, left, FALSE), play(&second, right, TRUE));
    ck_assert_uint_eq(saw.units, 1);
    ck_assert_uint_eq(saw.flags[0], RESET | RESET_ALL);
    ck_assert_uint_eq(saw.keyframes, 1);
    ck_assert_uint_eq(saw.invalidated, 1);
    ck_assert_mem_eq(&saw.region, &left, sizeof left);
    send_both(play(&first, left, FALSE), play(&second, right, FALSE)); /* as asked for, key frames */
    ck_assert_uint_eq(saw.units, 2);
    ck_assert_uint_eq(saw.flags[0], RESET);
    ck_assert_uint_eq(saw.flags[1], 0);
    screen_forget_decoders(screen);
    send_both(play(&first, left, FALSE), play(&second, right, FALSE));
    ck_assert_uint_eq(saw.units, 0);
    ck_assert_uint_eq(saw.keyframes, 2);
    ck_assert_uint_eq(saw.invalidated, 3);
    send_one(play(&second, right, FALSE));
    ck_assert_uint_eq(saw.flags[0], RESET | RESET_ALL);
}
END_TEST

START_TEST(the_decoder_of_a_rectangle_is_of_the_film_that_began_there_last)
{
    send_one(play(&first, left, TRUE));
    send_one(play(&second, left, TRUE));
    ck_assert_uint_eq(saw.flags[0], RESET);
    send_one(play(&first, left, FALSE));
    ck_assert_uint_eq(saw.units, 0);
    ck_assert_uint_eq(saw.keyframes, 1);
    ck_assert_uint_eq(saw.invalidated, 1);
    ck_assert_mem_eq(&saw.region, &left, sizeof left);
    second.key_due = FALSE;
    send_one(play(&second, left, FALSE));
    ck_assert_uint_eq(saw.units, 1);
    ck_assert_uint_eq(saw.flags[0], 0);
    send_one(play(&first, right, FALSE)); /* the key frame, elsewhere: the second's decoder stays */
    ck_assert_uint_eq(saw.flags[0], RESET);
    send_both(play(&first, right, FALSE), play(&second, left, FALSE));
    ck_assert_uint_eq(saw.units, 2);
    ck_assert_uint_eq(saw.keyframes, 1);
    ck_assert_uint_eq(screen->left, 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("vnc films");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, the_first_unit_of_all_resets_all_and_each_its_own);
    tcase_add_test(tests, a_film_that_begins_alone_leaves_the_other_s_decoder);
    tcase_add_test(tests, where_no_film_goes_on_decoders_of_old_regions_go);
    tcase_add_test(tests, decoders_of_old_regions_are_bounded_while_the_other_film_goes_on);
    tcase_add_test(tests, the_decoder_of_a_rectangle_is_of_the_film_that_began_there_last);
    tcase_add_test(tests, what_the_client_cannot_decode_is_asked_for_instead_of_sent);
    return suite_run("vnc films", tests);
}
