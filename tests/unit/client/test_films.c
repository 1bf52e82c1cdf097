/* Two films at a time, from frame records to what a viewer hands on. */
#include "session/client/viewer_internal.h"
#include "tests/unit/client/fake_seat.h"
#include "tests/unit/suite.h"

#include <string.h>

#define WIDTH 384
#define HEIGHT 192

static const SeatRect left = {0, 0, 128, 128, 0, 0}, right = {192, 64, 192, 128, 0, 0};
static Viewer *viewer;
static FakeSeat seat;

static void on_switched(Viewer *v, guint width, guint height, const SeatWelcome *welcome, gpointer data)
{
}

static void on_dirty(Viewer *v, gpointer data)
{
}

static void on_mode(Viewer *v, gboolean absolute, gpointer data)
{
}

static const ViewerEvents events = {.switched = on_switched, .dirty = on_dirty, .pointer_mode = on_mode};

static void turn(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static guint asked(void)
{
    SeatHeader packet;
    guint times = 0;

    while (fake_seat_receive(&seat, SEAT_KEYFRAME, &packet, sizeof packet))
        times++;
    return times;
}

static void setup(void)
{
    SeatHello hello = {.protocol = SEAT_PROTOCOL_RDP, .heads = 1};
    ViewerUpdate update;

    viewer = viewer_new(&events, NULL);
    viewer_units_paint_all(viewer, FALSE);
    viewer_accept_moves(viewer, TRUE);
    viewer_subscribe(viewer, SEAT_H264_AVC444, 0);
    viewer_hello(viewer, &hello, NULL);
    viewer_attach(viewer, fake_seat_open(&seat), FALSE);
    fake_seat_welcome(&seat, FALSE);
    fake_seat_buffer(&seat, WIDTH, HEIGHT);
    fake_seat_frame(&seat, TRUE, NULL, 0, NULL);
    turn();
    ck_assert(viewer_take(viewer, FALSE, &update));
    viewer_ready(viewer);
    ck_assert_uint_eq(asked(), 0); /* a seat begins with key frames */
}

static void teardown(void)
{
    fake_seat_close(&seat);
    viewer_free(viewer);
}

static SeatAccessUnit unit_for(SeatRect region, guint32 stream, gboolean keyframe, guint8 fill)
{
    SeatAccessUnit unit = fake_seat_unit(&seat, stream, keyframe, 100 * stream, fill);
    unit.region = region;
    return unit;
}

/* Sends, and takes it at once. */
static ViewerUpdate take_record(SeatRect damage, SeatAccessUnit first, SeatAccessUnit second)
{
    const SeatAccessUnit units[SEAT_FILMS_MAX] = {first, second};
    ViewerUpdate update;

    for (guint i = 0; i < WIDTH / SEAT_TILE * HEIGHT / SEAT_TILE; i++)
        seat.versions[i] += 2;
    fake_seat_films(&seat, FALSE, &damage, damage.width ? 1 : 0, units);
    turn();
    viewer_take(viewer, FALSE, &update);
    viewer_ready(viewer);
    return update;
}

/* Both films go on, or begin. */
static ViewerUpdate take_both(gboolean keyframes)
{
    return take_record((SeatRect){0, 64, WIDTH, 64, 0, 0}, unit_for(left, 1, keyframes, 0x11),
                       unit_for(right, 2, keyframes, 0x22));
}

static const SeatAccessUnit none;

static void assert_rect(const ViewerRect *rect, guint x, guint y, guint width, guint height)
{
    ck_assert_uint_eq(rect->x, x);
    ck_assert_uint_eq(rect->y, y);
    ck_assert_uint_eq(rect->width, width);
    ck_assert_uint_eq(rect->height, height);
}

START_TEST(both_units_of_a_record_are_taken_and_each_does_its_part_of_the_damage)
{
    ViewerUpdate update = take_both(TRUE);

    ck_assert_uint_eq(update.n_units, 2);
    for (guint i = 0; i < 2; i++) {
        const ViewerUnit *unit = &update.units[i];
        ck_assert_uint_eq(unit->film, i);
        ck_assert_uint_eq(unit->stream, i + 1);
        ck_assert_uint_eq(unit->length, 100 * (i + 1));
        ck_assert_uint_eq(unit->data[unit->length - 1], i ? 0x22 : 0x11);
        ck_assert(unit->key);
        ck_assert_uint_eq(unit->n_rects, 1);
    }
    assert_rect(update.units[0].rects, 0, 64, 128, 64);
    assert_rect(update.units[1].rects, 192, 64, 192, 64);
    ck_assert_uint_eq(update.n_rects, 1); /* between them */
    assert_rect(update.rects, 128, 64, 64, 64);
    ck_assert_uint_eq(viewer_counters(viewer).units, 2);
}
END_TEST

START_TEST(damage_around_regions_that_are_no_whole_tiles_goes_exactly)
{
    const SeatRect narrow = {0, 0, 120, 100, 0, 0}, low = {200, 70, 184, 122, 0, 0};
    ViewerUpdate update = take_record((SeatRect){0, 80, WIDTH, 10, 0, 0}, unit_for(narrow, 1, TRUE, 1),
                                      unit_for(low, 2, TRUE, 2));

    assert_rect(update.units[0].rects, 0, 80, 120, 10);
    assert_rect(update.units[1].rects, 200, 80, 184, 10);
    ck_assert_uint_eq(update.n_rects, 1);
    assert_rect(update.rects, 120, 80, 80, 10);
}
END_TEST

START_TEST(another_stream_begins_with_a_key_frame)
{
    take_both(TRUE);
    ViewerUpdate update = take_record(right, unit_for(left, 1, FALSE, 1), unit_for(right, 3, FALSE, 1));
    ck_assert_uint_eq(update.n_units, 1);
    ck_assert_uint_eq(update.units->film, 0);
    ck_assert_uint_eq(asked(), 1);
    update = take_record(right, none, unit_for(right, 3, TRUE, 1));
    ck_assert_uint_eq(update.n_units, 1);
    ck_assert_uint_eq(update.units->stream, 3);
}
END_TEST

START_TEST(each_unit_has_an_auxiliary_view_of_its_own)
{
    SeatAccessUnit units[2];

    for (guint i = 0; i < 2; i++) {
        units[i] = unit_for(i ? right : left, i + 1, TRUE, i ? 0x22 : 0x11);
        guint8 *end = seat.ring + sizeof(SeatRingHeader) + units[i].position + units[i].length;
        units[i].auxiliary = 30;
        units[i].tiles = 2;
        end[-2] = i ? 4 : 2; /* of the first row */
        end[-1] = 0;
    }
    ViewerUpdate update = take_record((SeatRect){0, 0, WIDTH, HEIGHT, 0, 0}, units[0], units[1]);
    ck_assert_uint_eq(update.n_units, 2);
    for (guint i = 0; i < 2; i++) {
        ck_assert_uint_eq(update.units[i].auxiliary_length, 30);
        ck_assert_uint_eq(update.units[i].auxiliary[29], i ? 0x22 : 0x11);
        ck_assert_uint_eq(update.units[i].n_auxiliary_rects, 1);
    }
    assert_rect(update.units[0].auxiliary_rects, 64, 0, 64, 64);
    assert_rect(update.units[1].auxiliary_rects, 320, 64, 64, 64);
    ck_assert_uint_eq(viewer_counters(viewer).auxiliaries, 2);
}
END_TEST

START_TEST(a_film_that_has_not_changed_has_no_unit)
{
    take_both(TRUE);
    ViewerUpdate update = take_record(right, none, unit_for(right, 2, FALSE, 3));
    ck_assert_uint_eq(update.n_units, 1);
    ck_assert_uint_eq(update.units->film, 1);
    update = take_record(left, unit_for(left, 1, FALSE, 4), none);
    ck_assert_uint_eq(update.n_units, 1);
    ck_assert_uint_eq(update.units->film, 0);
    ck_assert_uint_eq(asked(), 0);
}
END_TEST

START_TEST(each_unit_that_changes_nothing_paints_a_few_pixels)
{
    ViewerUpdate update = take_record((SeatRect){0}, unit_for(left, 1, TRUE, 1), unit_for(right, 2, TRUE, 2));
    ck_assert_uint_eq(update.n_units, 2);
    assert_rect(update.units[0].rects, 0, 0, 2, 2);
    assert_rect(update.units[1].rects, 192, 64, 2, 2);
}
END_TEST

/* Else it would go without loss between any two of its pictures. */
START_TEST(what_is_calm_is_judged_by_the_slower_of_two_films_while_it_goes_on)
{
    Tiles tiles = {0};
    guint32 now = 1000;

    tiles_reset(&tiles, WIDTH, HEIGHT);
    for (; now < 4000; now += 25) {
        tiles_note_film(&tiles, 0, now);
        if (now % 125 == 0)
            tiles_note_film(&tiles, 1, now);
    }
    tile_note_losses(&tiles.tiles[0], (TileBox){0, 0, 64, 64}, now);
    ck_assert_int_eq(tiles_calm_due(&tiles, now), 3 * 125);
    for (; now < 4400; now += 25)
        tiles_note_film(&tiles, 0, now);
    tile_note_losses(&tiles.tiles[0], (TileBox){0, 0, 64, 64}, now);
    ck_assert_int_eq(tiles_calm_due(&tiles, now), TILES_CALM_MS);
    tiles_clear(&tiles);
}
END_TEST

START_TEST(each_film_s_pace_is_its_own)
{
    guint32 before = (guint32)(viewer_clock_us(viewer) / 1000) - 100;
    const SeatAccessUnit units[] = {unit_for(left, 1, TRUE, 1), unit_for(right, 2, TRUE, 2)};
    ViewerUpdate update;

    fake_seat_films(&seat, FALSE, &left, 1, units);
    turn();
    viewer->tiles.paces[0] = viewer->tiles.paces[1] = (TilesPace){before, 100};
    ck_assert(viewer_take(viewer, FALSE, &update));
    ck_assert_uint_eq(update.n_units, 2);
    for (guint i = 0; i < 2; i++) {
        ck_assert_uint_ne(viewer->tiles.paces[i].ms, before);
        ck_assert_uint_ge(viewer->tiles.paces[i].every_ms, 100);
    }
    ck_assert_uint_eq(viewer->tiles.paces[TILES_PACE_LOSSES].ms, 0);
}
END_TEST

/* A seat that sends such is not one of ours. */
static void send_units(SeatRect first, SeatRect second)
{
    const SeatAccessUnit units[] = {unit_for(first, 1, TRUE, 1), unit_for(second, 2, TRUE, 2)};

    fake_seat_films(&seat, FALSE, &left, 1, units);
    turn();
}

START_TEST(a_region_that_no_film_has_closes_the_link)
{
    static const SeatRect wrong[][2] = {
        {{0, 0, 64, 64, 0, 0}, {32, 32, 64, 64, 0, 0}},       /* two in one place */
        {{0, 0, 60, 60, 0, 0}, {60, 0, 60, 60, 0, 0}},        /* apart, but in one tile */
        {{0, 0, WIDTH + 1, 64, 0, 0}, {0, 64, 64, 64, 0, 0}}, /* beyond the picture */
        {{0, 0, 64, 64, 0, 0}, {0, HEIGHT, 64, 64, 0, 0}},    /* likewise */
        {{65535, 0, 65535, 64, 0, 0}, {0, 64, 64, 64, 0, 0}}, /* likewise */
        {{0, 0, 0, 64, 0, 0}, {0, 64, 64, 64, 0, 0}},         /* empty */
    };
    ck_assert_ptr_nonnull(viewer->shown->link);
    send_units(wrong[_i][0], wrong[_i][1]);
    ck_assert_ptr_null(viewer->shown->link);
}
END_TEST

/* Both films' units, and the move before them. */
static ViewerUpdate take_move(SeatMove move)
{
    union {
        SeatFrame frame;
        guint8 bytes[sizeof(SeatFrame) + sizeof(SeatMove)];
    } packet = {.frame = {.header.type = SEAT_FRAME, .serial = ++seat.serial, .time_us = 1, .moves = 1}};
    ViewerUpdate update;

    memcpy(packet.bytes + sizeof(SeatFrame), &move, sizeof move);
    packet.frame.units[0] = unit_for(left, 1, FALSE, 1);
    packet.frame.units[1] = unit_for(right, 2, FALSE, 2);
    for (guint i = 0; i < WIDTH / SEAT_TILE * HEIGHT / SEAT_TILE; i++)
        seat.versions[i] += 2;
    fake_seat_send(&seat, &packet, sizeof(SeatFrame) + sizeof(SeatMove), NULL, 0);
    turn();
    ck_assert(viewer_take(viewer, FALSE, &update));
    viewer_ready(viewer);
    ck_assert_uint_eq(update.n_units, 2);
    return update;
}

START_TEST(a_move_beside_both_films_is_made_and_one_from_or_to_either_is_not)
{
    take_both(TRUE);
    const struct {
        SeatMove move;
        gboolean made;
    } cases[] = {{{128, 20, 256, 40, 128, 3}, TRUE},   {{128, 140, 60, 40, 130, 10}, TRUE},
                 {{128, 20, 64, 40, 20, 140}, TRUE},   {{100, 20, 60, 40, 200, 3}, FALSE},
                 {{200, 3, 60, 40, 100, 20}, FALSE},   {{150, 100, 60, 40, 20, 140}, FALSE},
                 {{20, 140, 60, 40, 150, 100}, FALSE}, {{20, 20, 60, 40, 250, 100}, FALSE}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        ViewerUpdate update = take_move(cases[i].move);
        ck_assert_uint_eq(update.n_moves, cases[i].made ? 1 : 0);
    }
}
END_TEST

START_TEST(a_film_that_is_lost_leaves_the_other_alone_and_is_asked_for_once)
{
    take_both(TRUE);
    SeatAccessUnit overwritten = unit_for(right, 2, FALSE, 1);
    ((SeatRingHeader *)seat.ring)->written += SEAT_AU_RING;
    ViewerUpdate update =
        take_record((SeatRect){0, 64, WIDTH, 64, 0, 0}, unit_for(left, 1, FALSE, 2), overwritten);
    ck_assert_uint_eq(update.n_units, 1);
    ck_assert_uint_eq(update.units->film, 0);
    assert_rect(update.rects, 128, 64, 256, 64);
    ck_assert_uint_eq(asked(), 1);
    for (guint i = 0; i < 20; i++) {
        update = take_both(FALSE);
        ck_assert_uint_eq(update.n_units, 1);
        ck_assert_uint_eq(update.units->film, 0);
    }
    ck_assert_uint_eq(asked(), 0);
    ck_assert_uint_eq(take_both(TRUE).n_units, 2);
    ck_assert_uint_eq(take_both(FALSE).n_units, 2);
    ck_assert_uint_eq(asked(), 0);
}
END_TEST

START_TEST(an_answer_without_a_film_means_that_it_may_be_over)
{
    take_both(TRUE);
    viewer_need_keyframe(viewer);
    ck_assert_uint_eq(asked(), 1);
    ck_assert_uint_eq(take_record(left, unit_for(left, 1, TRUE, 1), none).n_units, 1);
    for (guint i = 0; i < 20; i++)
        ck_assert_uint_eq(take_record(left, unit_for(left, 1, FALSE, 1), none).n_units, 1);
    ck_assert_uint_eq(asked(), 0);
    /* It was not: what builds on what was lost still cannot be shown. */
    for (guint i = 0; i < 20; i++)
        ck_assert_uint_eq(take_both(FALSE).n_units, 1);
    ck_assert_uint_eq(asked(), 1);
    ck_assert_uint_eq(take_record(right, none, unit_for(right, 2, TRUE, 1)).n_units, 1);
    ck_assert_uint_eq(take_both(FALSE).n_units, 2);
    ck_assert_uint_eq(asked(), 0);
}
END_TEST

START_TEST(without_a_first_film_the_second_is_shown_and_asked_for_when_it_is_lost)
{
    ck_assert_uint_eq(take_record(right, none, unit_for(right, 2, FALSE, 1)).n_units, 0);
    ck_assert_uint_eq(asked(), 1);
    ck_assert_uint_eq(take_record(right, none, unit_for(right, 2, TRUE, 1)).n_units, 1);
    for (guint i = 0; i < 20; i++)
        ck_assert_uint_eq(take_record(right, none, unit_for(right, 2, FALSE, 1)).n_units, 1);
    ck_assert_uint_eq(asked(), 0);
    viewer_need_keyframe(viewer);
    ck_assert_uint_eq(asked(), 1);
    for (guint i = 0; i < 20; i++)
        ck_assert_uint_eq(take_record(right, none, unit_for(right, 2, FALSE, 1)).n_units, 0);
    ck_assert_uint_eq(asked(), 0);
    ck_assert_uint_eq(take_record(right, none, unit_for(right, 2, TRUE, 1)).n_units, 1);
}
END_TEST

/* The complete record has its key frame. */
START_TEST(who_joins_while_only_the_second_film_plays_asks_for_nothing)
{
    SeatAccessUnit units[] = {none, none};
    ViewerUpdate update;

    fake_seat_buffer(&seat, WIDTH, HEIGHT);
    units[1] = unit_for(right, 2, TRUE, 1);
    fake_seat_films(&seat, TRUE, NULL, 0, units);
    turn();
    ck_assert(viewer_take(viewer, FALSE, &update));
    viewer_ready(viewer);
    ck_assert_uint_eq(update.n_units, 1);
    ck_assert_uint_eq(update.units->film, 1);
    ck_assert_uint_eq(take_record(right, none, unit_for(right, 2, FALSE, 1)).n_units, 1);
    ck_assert_uint_eq(asked(), 0);
}
END_TEST

START_TEST(who_cannot_take_units_loses_those_films_that_had_one)
{
    const SeatAccessUnit units[] = {none, unit_for(right, 2, FALSE, 1)};
    ViewerUpdate update;

    take_both(TRUE);
    fake_seat_films(&seat, FALSE, &right, 1, units);
    turn();
    viewer_take(viewer, TRUE, &update);
    viewer_ready(viewer);
    ck_assert_uint_eq(update.n_units, 0);
    update = take_both(FALSE);
    ck_assert_uint_eq(update.n_units, 1);
    ck_assert_uint_eq(update.units->film, 0);
    ck_assert_uint_eq(asked(), 1);
}
END_TEST

/* ---- any order of films, losses and answers ---- */

#define STEPS 400

typedef struct {
    gboolean goes_on, key_due;
    guint32 stream;
    guint8 number; /* of the last unit */
} PlayedFilm;

static struct {
    GRand *random;
    PlayedFilm seat[SEAT_FILMS_MAX], decoders[SEAT_FILMS_MAX];
    guint32 streams;
    guint faults, asked;
} play;

static gboolean chance(gint in)
{
    return g_rand_int_range(play.random, 0, in) == 0;
}

static SeatAccessUnit play_film(guint i)
{
    PlayedFilm *film = &play.seat[i];
    SeatAccessUnit unit = fake_seat_unit(&seat, film->stream, film->key_due, 50, ++film->number);

    film->key_due = FALSE;
    unit.region = i ? right : left;
    return unit;
}

/* Films begin, go on and end; what was asked for is answered for each as soon as it goes on. */
static void play_record(gboolean faulty)
{
    SeatAccessUnit units[SEAT_FILMS_MAX] = {{0}};

    for (guint i = 0; i < SEAT_FILMS_MAX; i++) {
        PlayedFilm *film = &play.seat[i];
        gboolean begins = faulty && chance(film->goes_on ? 15 : 5);
        if (begins)
            *film = (PlayedFilm){TRUE, TRUE, ++play.streams, (guint8)g_rand_int(play.random)};
        else if (faulty && chance(10))
            film->goes_on = FALSE;
        if (film->goes_on && (film->key_due || !faulty || chance(2)))
            units[i] = play_film(i);
    }
    if (faulty && chance(12)) {
        ((SeatRingHeader *)seat.ring)->written += SEAT_AU_RING;
        play.faults++;
    }
    fake_seat_films(&seat, FALSE, &left, 1, units);
    turn();
}

static guint play_take(gboolean faulty)
{
    gboolean lossless = faulty && chance(12);
    ViewerUpdate update;

    play.faults += lossless;
    viewer_take(viewer, lossless, &update);
    viewer_ready(viewer);
    for (guint i = 0; i < update.n_units; i++) {
        const ViewerUnit *unit = &update.units[i];
        PlayedFilm *decoder = &play.decoders[unit->film];
        ck_assert_msg(unit->key ||
                          (unit->stream == decoder->stream && unit->data[0] == (guint8)(decoder->number + 1)),
                      "a unit that cannot be decoded");
        *decoder = (PlayedFilm){TRUE, FALSE, unit->stream, unit->data[0]};
    }
    if (faulty && chance(12)) {
        memset(play.decoders, 0, sizeof play.decoders);
        viewer_need_keyframe(viewer);
        play.faults++;
    }
    guint times = asked();
    play.asked += times;
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        play.seat[i].key_due |= times > 0;
    return update.n_units;
}

START_TEST(what_is_handed_on_can_be_decoded_and_key_frames_are_asked_for_seldom)
{
    guint units = 0;

    memset(&play, 0, sizeof play);
    play.random = g_rand_new_with_seed((guint32)_i);
    for (guint step = 0; step < STEPS; step++) {
        play_record(TRUE);
        units += play_take(TRUE);
    }
    ck_assert_uint_gt(units, STEPS / 4);
    /* An answer may find one film only, and the other then ask for itself. */
    ck_assert_uint_le(play.asked, 2 * play.faults);
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        play.seat[i].goes_on |= play.seat[i].stream != 0;
    for (guint step = 0; step < 4; step++) {
        play_record(FALSE);
        play_take(FALSE);
    }
    for (guint step = 0; step < 20; step++) {
        play_record(FALSE);
        ck_assert_uint_eq(play_take(FALSE), SEAT_FILMS_MAX);
    }
    g_rand_free(play.random);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("films");
    tcase_set_timeout(tcase, 60); /* slow machines */
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, both_units_of_a_record_are_taken_and_each_does_its_part_of_the_damage);
    tcase_add_test(tcase, damage_around_regions_that_are_no_whole_tiles_goes_exactly);
    tcase_add_test(tcase, another_stream_begins_with_a_key_frame);
    tcase_add_test(tcase, each_unit_has_an_auxiliary_view_of_its_own);
    tcase_add_test(tcase, a_film_that_has_not_changed_has_no_unit);
    tcase_add_test(tcase, each_unit_that_changes_nothing_paints_a_few_pixels);
    tcase_add_test(tcase, what_is_calm_is_judged_by_the_slower_of_two_films_while_it_goes_on);
    tcase_add_test(tcase, each_film_s_pace_is_its_own);
    tcase_add_loop_test(tcase, a_region_that_no_film_has_closes_the_link, 0, 6);
    tcase_add_test(tcase, who_joins_while_only_the_second_film_plays_asks_for_nothing);
    tcase_add_test(tcase, a_move_beside_both_films_is_made_and_one_from_or_to_either_is_not);
    tcase_add_test(tcase, a_film_that_is_lost_leaves_the_other_alone_and_is_asked_for_once);
    tcase_add_test(tcase, an_answer_without_a_film_means_that_it_may_be_over);
    tcase_add_test(tcase, without_a_first_film_the_second_is_shown_and_asked_for_when_it_is_lost);
    tcase_add_test(tcase, who_cannot_take_units_loses_those_films_that_had_one);
    tcase_add_loop_test(tcase, what_is_handed_on_can_be_decoded_and_key_frames_are_asked_for_seldom, 0, 20);
    return suite_run("films", tcase);
}
