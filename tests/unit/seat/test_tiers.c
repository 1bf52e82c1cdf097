/* The film's two tiers: who gets which, and what those in one cost those in the other. */
#include "audience.h"

#include "base/proto/master_link.h"
#include "tests/unit/suite.h"

static void forget_gap(Client *client)
{
    client->gap_us = 0;
    client->unit_us = now_us;
}

START_TEST(one_viewer_has_one_encoder_however_slow)
{
    static const gint delays[] = {0, 50, 200, 900};
    Client *client = join(0, SEAT_H264_AVC420, 500, delays[_i]);

    play(10 * SECOND);
    ck_assert_uint_gt(client->units, 8);
    ck_assert_uint_eq(client->moves, 0);
    ck_assert_uint_eq(fakes[0].max_kbit_s, 500);
    ck_assert_uint_eq(fakes[1].encodes, 0);
}
END_TEST

START_TEST(viewers_of_one_kind_share_one_encoder)
{
    Client *first = join(0, SEAT_H264_AVC420, 0, 0), *second = join(0, SEAT_H264_AVC420, 6000, 10),
           *third = join(LINK_VIEW_ONLY, SEAT_H264_AVC420, 7000, 20);

    play(2 * SECOND);
    ck_assert_uint_eq(units_in(first, 10 * SECOND), 10 * SECOND);
    ck_assert_uint_ge(second->units, 10 * SECOND);
    ck_assert_uint_ge(third->units, 10 * SECOND);
    ck_assert_uint_eq(fakes[0].max_kbit_s, 6000);
    ck_assert_uint_eq(fakes[1].encodes, 0);
}
END_TEST

/* Beside somebody of any kind of slowness. */
START_TEST(a_slow_viewer_costs_the_others_nothing)
{
    static const struct {
        guint rights, max_kbit_s;
        gint delay_ms;
    } slow[] = {{0, 0, NEVER},  {0, 0, 60},   {0, 0, 250},
                {0, 1000, 700}, {0, 3000, 5}, {LINK_VIEW_ONLY, 800, 90}};
    Client *quick = join(0, SEAT_H264_AVC420, 0, 0), *other;

    play(2 * SECOND);
    ck_assert_uint_eq(units_in(quick, SECOND), SECOND);
    other = join(slow[_i].rights, SEAT_H264_AVC420, slow[_i].max_kbit_s, 0);
    play(2);
    other->delay_ms = slow[_i].delay_ms;
    play(2 * SECOND);
    /* Once it has been found out it is as if there were nobody. */
    forget_gap(quick);
    ck_assert_uint_eq(units_in(quick, 2 * SECOND), 2 * SECOND);
    ck_assert_uint_ge(units_in(quick, 60 * SECOND), 60 * SECOND - 12);
    ck_assert_int_le(quick->gap_us, 150000);
    ck_assert_uint_eq(fakes[0].max_kbit_s, 0);
    if (slow[_i].delay_ms == NEVER)
        return;
    ck_assert_uint_eq(fakes[1].max_kbit_s, slow[_i].max_kbit_s);
    ck_assert_uint_gt(fakes[1].encodes, 60);
    ck_assert_uint_gt(units_in(other, 10 * SECOND), 10);
}
END_TEST

START_TEST(finding_out_costs_the_others_less_than_four_frames)
{
    Client *quick = join(0, SEAT_H264_AVC420, 0, 0), *other = join(0, SEAT_H264_AVC420, 0, 0);

    play(3 * SECOND);
    ck_assert_uint_eq(quick->stream, other->stream);
    other->delay_ms = NEVER;
    ck_assert_uint_ge(units_in(quick, SECOND), SECOND - 4);
    ck_assert_int_le(quick->gap_us, 150000);
}
END_TEST

/* A client that has just come makes its window and its decoder, and takes nothing meanwhile. */
START_TEST(a_newcomer_that_sets_itself_up_gets_no_encoder_of_its_own)
{
    Client *quick = join(0, SEAT_H264_AVC420, 0, 0), *newcomer;

    play(2 * SECOND);
    newcomer = join(0, SEAT_H264_AVC420, 0, 250);
    guint during = units_in(quick, 10);
    newcomer->delay_ms = 0;
    during += units_in(quick, 3 * SECOND - 10);
    ck_assert_uint_ge(during, 3 * SECOND - 4);
    ck_assert_uint_eq(fakes[1].encodes, 0);
    ck_assert_uint_eq(newcomer->stream, quick->stream);
    ck_assert_uint_ge(units_in(newcomer, SECOND), SECOND);
}
END_TEST

START_TEST(who_can_follow_again_is_joined_back_without_a_pause)
{
    Client *quick = join(0, SEAT_H264_AVC420, 0, 0), *other = join(0, SEAT_H264_AVC420, 1000, 5);

    play(3 * SECOND);
    ck_assert_uint_ne(quick->stream, other->stream);
    subscribe(other, SEAT_H264_AVC420, 0);
    play(2 * SECOND + 15);
    ck_assert_uint_ne(quick->stream, other->stream);
    forget_gap(other);
    forget_gap(quick);
    for (guint i = 0; i < 5; i++) { /* others keep the fast tier's key frames busy */
        Client *visitor = join(LINK_VIEW_ONLY, SEAT_H264_AVC420, 0, 0);
        play(25);
        leave(visitor);
    }
    ck_assert_uint_eq(quick->stream, other->stream);
    ck_assert_int_le(other->gap_us, 100000);
    ck_assert_int_le(quick->gap_us, 50000);
    guint before = fakes[1].encodes;
    play(SECOND);
    ck_assert_uint_eq(fakes[1].encodes, before);
}
END_TEST

START_TEST(who_stumbles_again_and_again_is_moved_less_and_less)
{
    Client *quick = join(0, SEAT_H264_AVC420, 0, 0), *other = join(0, SEAT_H264_AVC420, 0, 0);

    play(2 * SECOND);
    for (guint i = 0; i < 40; i++) {
        other->delay_ms = 300;
        play(15);
        other->delay_ms = 0;
        play(5 * SECOND);
    }
    /* 220 s: it could have gone down and up again 40 times. */
    ck_assert_uint_ge(other->moves, 2);
    ck_assert_uint_le(other->moves, 14);
    ck_assert_uint_ge(quick->units, 40 * (5 * SECOND + 15) - 40);
}
END_TEST

START_TEST(a_link_at_the_border_does_not_go_to_and_fro)
{
    Client *quick = join(0, SEAT_H264_AVC420, 0, 0), *other = join(0, SEAT_H264_AVC420, 5000, 0);

    play(2 * SECOND);
    for (guint i = 0; i < 60; i++) {
        subscribe(other, SEAT_H264_AVC420, i % 10 ? 4800 : 3800);
        play(SECOND);
    }
    ck_assert_uint_le(other->moves, 1);
    ck_assert_uint_ne(quick->stream, other->stream);
}
END_TEST

START_TEST(a_moments_low_rate_moves_nobody)
{
    Client *quick = join(0, SEAT_H264_AVC420, 0, 0), *other = join(0, SEAT_H264_AVC420, 0, 0);

    play(3 * SECOND);
    for (guint i = 0; i < 10; i++) {
        subscribe(other, SEAT_H264_AVC420, 1000);
        play(10);
        subscribe(other, SEAT_H264_AVC420, 0);
        play(SECOND);
    }
    ck_assert_uint_eq(other->moves, 0);
    ck_assert_uint_eq(quick->stream, other->stream);
    ck_assert_uint_eq(fakes[1].encodes, 0);
}
END_TEST

START_TEST(who_has_just_come_is_no_measure_for_the_others)
{
    Client *first = join(0, SEAT_H264_AVC420, 3000, 0), *other;

    play(3 * SECOND);
    other = join(0, SEAT_H264_AVC420, 0, 600);
    play(SECOND);
    subscribe(other, SEAT_H264_AVC420, 1000);
    play(4 * SECOND);
    ck_assert_uint_eq(first->moves, 0);
    ck_assert_uint_le(first->keys, 3); /* its own, and two for the other, which is pardoned once */
    ck_assert_uint_eq(fakes[0].max_kbit_s, 3000);
    ck_assert_uint_eq(fakes[1].max_kbit_s, 1000);
}
END_TEST

START_TEST(joiners_cost_one_key_frame_a_second)
{
    Client *quick = join(0, SEAT_H264_AVC420, 0, 0);

    play(2 * SECOND);
    guint before = fakes[0].keys;
    for (guint i = 0; i < CLIENTS - 1; i++) {
        join(0, SEAT_H264_AVC420, 0, 0);
        play(SECOND / 4 + i % 3);
    }
    play(2 * SECOND);
    ck_assert_uint_le(fakes[0].keys - before, 5);
    ck_assert_int_ge(fakes[0].least_us, G_USEC_PER_SEC);
    ck_assert_uint_eq(fakes[1].encodes, 0);
    for (guint i = 0; i < CLIENTS; i++)
        ck_assert_uint_eq(clients[i].stream, quick->stream);
    ck_assert_uint_ge(quick->units, (2 + 2 + 2) * SECOND);
}
END_TEST

START_TEST(a_joiner_does_not_wait_for_somebody_who_takes_nothing)
{
    Client *sleeper = join(0, SEAT_H264_AVC420, 0, 0), *other;

    play(2 * SECOND);
    sleeper->delay_ms = NEVER;
    play(2);
    other = join(0, SEAT_H264_AVC420, 0, 0);
    play(SECOND);
    ck_assert_uint_eq(units_in(other, SECOND), SECOND);
    ck_assert_uint_eq(fakes[1].encodes, 0);
}
END_TEST

START_TEST(the_auxiliary_view_stays_where_somebody_at_work_takes_it)
{
    Client *rdp = join(0, SEAT_H264_AVC444, 0, 0);
    play(SECOND);
    Client *page = join(LINK_VIEW_ONLY, SEAT_H264_AVC420, 0, 0);
    play(3 * SECOND);
    ck_assert(fakes[0].chroma && !fakes[1].chroma);
    ck_assert_uint_ne(rdp->stream, page->stream);
    ck_assert_uint_eq(rdp->moves, 0);
    ck_assert_uint_eq(units_in(page, SECOND), SECOND);
    ck_assert_int_le(page->gap_us, 100000);

    /* Nobody takes it any more: one encoder is enough, and it is theirs who are still here. */
    leave(rdp);
    guint encodes = fakes[0].encodes, keys = fakes[1].keys;
    ck_assert_uint_eq(units_in(page, SECOND), SECOND);
    ck_assert_uint_eq(fakes[0].encodes, encodes);
    ck_assert_uint_eq(fakes[1].keys, keys);
}
END_TEST

START_TEST(who_looks_on_gets_no_second_encoder_for_its_colours)
{
    join(0, SEAT_H264_AVC420, 0, 0);
    join(LINK_VIEW_ONLY, SEAT_H264_AVC444, 0, 0);
    play(3 * SECOND);
    ck_assert(!fakes[0].chroma);
    ck_assert_uint_eq(fakes[1].encodes, 0);
}
END_TEST

START_TEST(nobody_at_work_is_sent_to_a_slow_link_for_colours)
{
    join(0, SEAT_H264_AVC444, 0, 0);
    Client *page = join(0, SEAT_H264_AVC420, 0, 0);
    play(3 * SECOND);
    ck_assert(fakes[0].chroma);
    Client *slow = join(0, SEAT_H264_AVC420, 900, 150);
    play(3 * SECOND);
    ck_assert_uint_eq(units_in(page, SECOND), SECOND);
    ck_assert_uint_eq(fakes[0].max_kbit_s, 0);
    ck_assert_uint_eq(fakes[1].max_kbit_s, 900);
    leave(slow);
    play(SECOND);
    ck_assert(fakes[0].chroma);
}
END_TEST

START_TEST(who_only_looks_on_slows_nobody_down_in_the_slow_tier_either)
{
    join(0, SEAT_H264_AVC420, 0, 0);
    Client *owner = join(0, SEAT_H264_AVC420, 2000, 30);
    play(4 * SECOND);
    guint alone = units_in(owner, 10 * SECOND);
    Client *guest = join(LINK_VIEW_ONLY, SEAT_H264_AVC420, 500, 1500);

    play(5 * SECOND);
    ck_assert_uint_ge(units_in(owner, 60 * SECOND), 6 * alone - 20);
    ck_assert_uint_eq(fakes[1].max_kbit_s, 2000);
    ck_assert_uint_ge(guest->frames, 30);
}
END_TEST

START_TEST(who_holds_up_the_slow_tier_goes_without_loss_until_it_can_follow)
{
    join(0, SEAT_H264_AVC420, 0, 0);
    Client *slow = join(0, SEAT_H264_AVC420, 2000, 60), *slower = join(0, SEAT_H264_AVC420, 1000, 60);
    play(3 * SECOND);
    ck_assert_uint_eq(slow->stream, slower->stream);
    slower->delay_ms = 2000;
    guint units = slower->units;
    ck_assert_uint_ge(units_in(slow, 20 * SECOND), 20 * SECOND / 4);
    ck_assert_uint_ge(slower->frames, units + 8);
    slower->delay_ms = 60;
    play(40 * SECOND);
    units = slower->units;
    play(SECOND);
    ck_assert_uint_gt(slower->units, units);
    ck_assert_uint_eq(slow->stream, slower->stream);
}
END_TEST

START_TEST(what_a_slow_viewer_lacks_is_not_the_others_region)
{
    const SeatRect all = {.width = WIDTH, .height = HEIGHT};
    Client *quick = join(0, SEAT_H264_AVC420, 0, 0), *other = join(0, SEAT_H264_AVC420, 1000, 400);

    film = (SeatRect){.x = 64, .y = 64, .width = 192, .height = 128};
    play(6 * SECOND);
    ck_assert_uint_ne(quick->stream, other->stream);
    for (guint i = 0; i < 20; i++) {
        /* A picture all over the screen that the slow one misses while the quick one has it at once. */
        SeatRect part = all;
        for (part.y = 0, part.height = 32; part.y < HEIGHT; part.y += 32) {
            draw(&part);
            step();
        }
        play(SECOND);
        ck_assert_uint_le(fakes[0].region.width, 256);
        ck_assert_uint_le(fakes[1].region.width, 256);
    }
}
END_TEST

START_TEST(a_film_that_is_elsewhere_is_so_in_both_tiers)
{
    Client *quick = join(0, SEAT_H264_AVC420, 0, 0), *other = join(0, SEAT_H264_AVC420, 1000, 17);

    fakes[1].takes = STEPS;
    for (guint i = 0; i < 12; i++) {
        film = (SeatRect){.x = i % 2 * 256, .y = i % 3 * 64, .width = 192, .height = 128};
        play(3 * SECOND + i % 7);
    }
    for (guint i = 0; i < 2; i++)
        ck_assert_uint_gt(fakes[i].keys, 8);
    ck_assert_uint_ne(quick->stream, other->stream);
}
END_TEST

START_TEST(the_slow_tier_goes_on_while_the_fast_one_has_nobody_to_go_on_with)
{
    Client *quick = join(0, SEAT_H264_AVC420, 0, 0), *other = join(0, SEAT_H264_AVC420, 1000, 20);

    play(5 * SECOND);
    quick->delay_ms = NEVER;
    play(SECOND);
    guint before = other->frames, units = other->units;
    play(5 * SECOND);
    ck_assert_uint_ge(other->units - units, 2 * SECOND);
    ck_assert_uint_eq(other->units - units, other->frames - before);
    quick->delay_ms = 0;
    quick->credit_us = now_us;
    play(2 * SECOND);
    ck_assert_uint_eq(units_in(quick, SECOND), SECOND);
}
END_TEST

/* As QEMU's source does it: what nobody wants is not copied. */
START_TEST(a_small_film_is_known_as_one_however_slow_its_only_viewer_is)
{
    static const gint delays[] = {200, 900, 2500};
    Client *client = join(0, SEAT_H264_AVC420, 500, delays[_i]);

    film = (SeatRect){.x = 64, .y = 64, .width = 128, .height = 96};
    for (guint i = 0; i < 30 * SECOND; i++) {
        if (seat_host_wants(host))
            draw(&film);
        for (guint j = 0; j < STEPS; j++)
            step();
    }
    ck_assert_uint_ge(client->units, 5);
}
END_TEST

START_TEST(who_takes_nothing_has_nothing_copied_after_a_while)
{
    Client *client = join(0, SEAT_H264_AVC420, 500, NEVER);

    play(SECOND);
    ck_assert(seat_host_wants(host));
    play(6 * SECOND);
    ck_assert(!seat_host_wants(host));
    guint told = wants;
    give_credit(client);
    ck_assert(seat_host_wants(host));
    ck_assert_uint_eq(wants, told + 1);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("tiers");
    tcase_set_timeout(cases, 60); /* slow machines */
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_loop_test(cases, one_viewer_has_one_encoder_however_slow, 0, 4);
    tcase_add_test(cases, viewers_of_one_kind_share_one_encoder);
    tcase_add_loop_test(cases, a_small_film_is_known_as_one_however_slow_its_only_viewer_is, 0, 3);
    tcase_add_test(cases, who_takes_nothing_has_nothing_copied_after_a_while);
    tcase_add_loop_test(cases, a_slow_viewer_costs_the_others_nothing, 0, 6);
    tcase_add_test(cases, finding_out_costs_the_others_less_than_four_frames);
    tcase_add_test(cases, a_newcomer_that_sets_itself_up_gets_no_encoder_of_its_own);
    tcase_add_test(cases, who_can_follow_again_is_joined_back_without_a_pause);
    tcase_add_test(cases, who_stumbles_again_and_again_is_moved_less_and_less);
    tcase_add_test(cases, a_link_at_the_border_does_not_go_to_and_fro);
    tcase_add_test(cases, a_moments_low_rate_moves_nobody);
    tcase_add_test(cases, who_has_just_come_is_no_measure_for_the_others);
    tcase_add_test(cases, joiners_cost_one_key_frame_a_second);
    tcase_add_test(cases, a_joiner_does_not_wait_for_somebody_who_takes_nothing);
    tcase_add_test(cases, the_auxiliary_view_stays_where_somebody_at_work_takes_it);
    tcase_add_test(cases, who_looks_on_gets_no_second_encoder_for_its_colours);
    tcase_add_test(cases, nobody_at_work_is_sent_to_a_slow_link_for_colours);
    tcase_add_test(cases, who_only_looks_on_slows_nobody_down_in_the_slow_tier_either);
    tcase_add_test(cases, who_holds_up_the_slow_tier_goes_without_loss_until_it_can_follow);
    tcase_add_test(cases, what_a_slow_viewer_lacks_is_not_the_others_region);
    tcase_add_test(cases, a_film_that_is_elsewhere_is_so_in_both_tiers);
    tcase_add_test(cases, the_slow_tier_goes_on_while_the_fast_one_has_nobody_to_go_on_with);
    return suite_run("tiers", cases);
}
