/* Two films at once: each has an encoder of its own, and a picture goes out when both have answered. */
#include "audience.h"

#include "tests/unit/suite.h"

static const SeatRect small = {.x = 0, .y = 0, .width = 160, .height = 64};
static const SeatRect large = {.x = 320, .y = 192, .width = 192, .height = 128};
static const SeatRect elsewhere = {.x = 256, .y = 192, .width = 192, .height = 128};

static void steps(guint count)
{
    for (guint i = 0; i < count; i++)
        step();
}

static void play_both(guint frames)
{
    const SeatRect both[] = {large, small};

    for (guint i = 0; i < frames; i++) {
        draw_parts(both, 2);
        steps(STEPS);
    }
}

static void play_one(const SeatRect *rect, guint frames)
{
    for (guint i = 0; i < frames; i++) {
        draw(rect);
        steps(STEPS);
    }
}

/* Somebody sees both: `large` began, so it is the first film. */
static Client *see_both(void)
{
    Client *client = join(0, SEAT_H264_AVC420, 0, 0);

    steps(STEPS);
    play_one(&large, SECOND);
    play_both(SECOND);
    ck_assert_uint_ge(client->other_units, 5);
    ck_assert(fakes[0].region.x == large.x && fakes[0].region.width == large.width);
    ck_assert(others[0].region.x == small.x && others[0].region.width == small.width);
    return client;
}

START_TEST(two_films_are_two_units_of_one_record)
{
    Client *client = see_both();
    guint both = client->both, units = client->units, other = client->other_units;
    guint keys = client->keys + client->other_keys, frames = client->frames;

    give_credit(client); /* for what lies beside films: nothing does */
    play_both(SECOND);
    ck_assert_uint_eq(client->frames - frames, SECOND);
    ck_assert_uint_eq(client->both - both, SECOND);
    ck_assert_uint_eq(client->units - units, SECOND);
    ck_assert_uint_eq(client->other_units - other, SECOND);
    ck_assert_uint_eq(client->keys + client->other_keys, keys);
}
END_TEST

START_TEST(a_picture_of_one_film_is_encoded_alone)
{
    Client *client = see_both();
    guint encodes = fakes[0].encodes, units = client->units;

    play_one(&small, 5);
    ck_assert_uint_eq(fakes[0].encodes, encodes);
    ck_assert_uint_eq(client->units, units);
    guint other = others[0].encodes;
    play_one(&large, 5);
    ck_assert_uint_eq(others[0].encodes, other);
    ck_assert_uint_eq(client->units, units + 5);
}
END_TEST

START_TEST(a_picture_waits_for_both_of_its_units)
{
    Client *client = see_both();
    guint frames = client->frames, both = client->both;
    const SeatRect rects[] = {large, small};

    others[0].takes = 10;
    draw_parts(rects, 2);
    steps(STEPS);
    ck_assert(!fakes[0].encoding && others[0].encoding);
    draw_parts(rects, 2); /* is not begun before the other is done */
    steps(STEPS);
    ck_assert(!fakes[0].encoding);
    ck_assert_uint_eq(client->frames, frames);
    others[0].takes = 0;
    steps(10);
    ck_assert_uint_eq(client->both, both + 2);
}
END_TEST

START_TEST(who_joins_gets_key_frames_of_both)
{
    see_both();
    play_both(SECOND);
    guint keys = fakes[0].keys, other_keys = others[0].keys;
    Client *late = join(0, SEAT_H264_AVC420, 0, 0);

    play_both(SECOND);
    ck_assert_uint_eq(fakes[0].keys, keys + 1);
    ck_assert_uint_eq(others[0].keys, other_keys + 1);
    ck_assert_uint_ge(late->both, SECOND / 2);
}
END_TEST

START_TEST(who_joins_at_a_picture_of_one_film_gets_the_other_one_too)
{
    see_both();
    play_both(2 * SECOND);
    Client *late = join(0, SEAT_H264_AVC420, 0, 0);

    draw(&small);
    steps(STEPS);
    ck_assert_uint_eq(late->both, 1);
}
END_TEST

/* A second film that stands still is none, but its decoders go on when it does. */
START_TEST(who_has_come_while_a_film_rested_gets_a_key_frame_when_it_goes_on)
{
    Client *client = see_both();
    play_one(&large, SECOND);
    Client *late = join(0, SEAT_H264_AVC420, 0, 0);
    play_one(&large, SECOND);
    ck_assert_uint_gt(late->units, 0);
    ck_assert_uint_eq(late->other_units, 0);
    guint keys = client->other_keys;

    play_both(SECOND);
    ck_assert_uint_ge(late->other_units, SECOND / 2);
    ck_assert_uint_eq(client->other_keys, keys + 1);
}
END_TEST

START_TEST(another_region_of_one_film_leaves_the_other_s_decoder_alone)
{
    Client *client = see_both();
    play_both(SECOND);
    guint keys = client->keys, other_keys = client->other_keys;
    const SeatRect rects[] = {elsewhere, small};

    for (guint i = 0; i < 2 * SECOND; i++) {
        draw_parts(rects, 2);
        steps(STEPS);
    }
    ck_assert_uint_gt(client->keys, keys);
    ck_assert_uint_eq(client->other_keys, other_keys);
}
END_TEST

START_TEST(when_one_encoder_fails_the_other_film_goes_on)
{
    Client *client = see_both();
    const SeatRect rects[] = {large, small};
    guint keys = client->keys, other_keys = client->other_keys, units = client->units;

    draw_parts(rects, 2);
    ck_assert(fakes[0].encoding && others[0].encoding);
    others[0].encoding = FALSE;
    others[0].events->lost(others[0].data);
    play_both(SECOND);
    ck_assert_uint_eq(client->keys, keys);
    ck_assert_uint_eq(client->other_keys, other_keys + 1);
    ck_assert_uint_ge(client->units, units + SECOND);
}
END_TEST

START_TEST(a_film_without_an_encoder_goes_without_loss_and_the_other_one_on)
{
    Client *client = see_both();
    guint units = client->units, other = client->other_units, keys = client->keys;

    others[0].refuses = TRUE;
    play_both(SECOND);
    ck_assert_uint_eq(client->other_units, other);
    ck_assert_uint_ge(client->units, units + SECOND / 3);
    ck_assert_uint_eq(client->keys, keys);
    others[0].refuses = FALSE;
    play_both(SECOND);
    ck_assert_uint_gt(client->other_units, other + SECOND / 3);
}
END_TEST

static void pump_until(const guint *count, guint wanted)
{
    gint64 turns = 0;
    while (*count < wanted && turns++ < 30000) { /* timers run in real time */
        hear_all();
        g_usleep(1000);
    }
    ck_assert_uint_ge(*count, wanted);
}

START_TEST(a_film_whose_encoder_hangs_does_not_hold_the_other_one)
{
    Client *client = see_both();
    const SeatRect rects[] = {large, small};
    guint units = client->units, other = client->other_units, other_keys = client->other_keys;

    others[0].takes = 100000;
    draw_parts(rects, 2);
    steps(STEPS);
    ck_assert_uint_eq(client->units, units);
    pump_until(&client->units, units + 1);
    play_both(SECOND);
    ck_assert_uint_ge(client->units, units + SECOND / 3);
    ck_assert_uint_eq(client->other_units, other);
    others[0].steps = others[0].takes = 0; /* its old unit goes to nobody */
    play_both(SECOND);
    ck_assert_uint_ge(client->other_units, other + SECOND / 3);
    ck_assert_uint_eq(client->other_keys, other_keys + 1);
}
END_TEST

START_TEST(who_asks_for_a_key_frame_while_his_picture_is_lost_is_not_forgotten)
{
    Client *client = see_both();
    const SeatRect rects[] = {large, small};
    guint units = client->units;

    draw_parts(rects, 2);
    ask_keyframe(client);
    for (guint i = 0; i < 2; i++) {
        Fake *fake = i ? &others[0] : &fakes[0];
        ck_assert(fake->encoding);
        fake->encoding = FALSE;
        fake->events->lost(fake->data);
    }
    play_both(2 * SECOND);
    ck_assert_uint_ge(client->units, units + SECOND / 2);
}
END_TEST

START_TEST(films_share_what_the_link_carries_by_their_area)
{
    Client *client = see_both();
    guint area = large.width * large.height, all = area + small.width * small.height;

    subscribe(client, SEAT_H264_AVC420, 4000);
    play_both(SECOND);
    ck_assert_uint_eq(fakes[0].max_kbit_s, 4000 * area / all);
    ck_assert_uint_eq(others[0].max_kbit_s, 4000 * (all - area) / all);
    play_one(&small, 4 * SECOND);
    ck_assert_uint_eq(others[0].max_kbit_s, 4000);
    subscribe(client, SEAT_H264_AVC420, 0);
    ck_assert_uint_eq(fakes[0].max_kbit_s, 0);
    ck_assert_uint_eq(others[0].max_kbit_s, 0);
}
END_TEST

static void break_down(Fake *fake)
{
    if (!fake->encoding)
        return;
    fake->encoding = FALSE;
    fake->events->lost(fake->data);
}

/* Films come, rest and move, encoders are slow or fail, people come and go, on all kinds of links: whatever
 * reaches a client, its decoders can take it (audience.c looks at that). */
START_TEST(whatever_happens_decoders_can_take_what_comes)
{
    GRand *random = g_rand_new_with_seed((guint32)_i);
    gboolean runs[2] = {TRUE, TRUE};
    Client *people[4] = {NULL};
    guint both = 0;

    for (guint frame = 0; frame < 600; frame++) {
        gint what = g_rand_int_range(random, 0, 400);
        gint who = g_rand_int_range(random, 0, G_N_ELEMENTS(people));
        if (what < 8 || (frame == 0 && (who = 0) == 0)) {
            if (people[who]) {
                both += people[who]->both;
                leave(people[who]);
                people[who] = NULL;
            } else {
                gint delay = g_rand_int_range(random, 0, 120);
                people[who] = join(0, SEAT_H264_AVC420, delay > 100 ? 600 : 0, delay);
            }
        } else if (what < 14) {
            runs[what % 2] ^= TRUE;
        } else if (what < 18) {
            break_down(what % 2 ? &fakes[what / 2 % 2] : &others[what / 2 % 2]);
        } else if (what < 21) {
            fakes[0].refuses = g_rand_int_range(random, 0, 4) == 0;
            others[0].refuses = g_rand_int_range(random, 0, 4) == 0;
        } else if (what < 24 && people[who]) {
            ask_keyframe(people[who]);
        } else if (what < 30) {
            others[0].takes = (guint)g_rand_int_range(random, 0, 5);
            fakes[0].takes = (guint)g_rand_int_range(random, 0, 5);
        }
        SeatRect rects[2];
        guint count = 0;
        if (runs[0])
            rects[count++] = frame / 100 % 2 ? elsewhere : large;
        if (runs[1])
            rects[count++] = small;
        if (count > 0)
            draw_parts(rects, count);
        steps(STEPS);
    }
    for (guint i = 0; i < G_N_ELEMENTS(people); i++)
        both += people[i] ? people[i]->both : 0;
    ck_assert_uint_gt(both, 0);
    g_rand_free(random);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("films");

    tcase_add_checked_fixture(cases, set_up_two_films, tear_down);
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, two_films_are_two_units_of_one_record);
    tcase_add_test(cases, a_picture_of_one_film_is_encoded_alone);
    tcase_add_test(cases, a_picture_waits_for_both_of_its_units);
    tcase_add_test(cases, who_joins_gets_key_frames_of_both);
    tcase_add_test(cases, who_joins_at_a_picture_of_one_film_gets_the_other_one_too);
    tcase_add_test(cases, who_has_come_while_a_film_rested_gets_a_key_frame_when_it_goes_on);
    tcase_add_test(cases, another_region_of_one_film_leaves_the_other_s_decoder_alone);
    tcase_add_test(cases, when_one_encoder_fails_the_other_film_goes_on);
    tcase_add_test(cases, a_film_without_an_encoder_goes_without_loss_and_the_other_one_on);
    tcase_add_test(cases, a_film_whose_encoder_hangs_does_not_hold_the_other_one);
    tcase_add_test(cases, who_asks_for_a_key_frame_while_his_picture_is_lost_is_not_forgotten);
    tcase_add_test(cases, films_share_what_the_link_carries_by_their_area);
    tcase_add_loop_test(cases, whatever_happens_decoders_can_take_what_comes, 0, 30);
    return suite_run("films", cases);
}
