// The test card keeps to docs/test-card.md, and its damage rectangles tell the whole truth.
#include "guest/testcard/testcard.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 800, HEIGHT = 600 };

static uint32_t picture[WIDTH * HEIGHT], reference[WIDTH * HEIGHT];
static struct testcard_rect damage[TESTCARD_DAMAGE_MAX];

static size_t draw(struct testcard *card, int width, int height)
{
    return testcard_draw(card, picture, width, height, (size_t)width * 4, damage);
}

static uint32_t decode_frame(int width)
{
    uint32_t frame = 0;
    for (int i = 0; i < TESTCARD_CELLS; i++)
        frame = frame << 1 | (picture[8 * width + i * TESTCARD_CELL + 8] == 0xffffff);
    return frame;
}

START_TEST(the_first_draw_damages_the_whole_picture_and_the_second_nothing)
{
    struct testcard card;
    testcard_init(&card);
    ck_assert_uint_eq(draw(&card, WIDTH, HEIGHT), 1);
    ck_assert(damage[0].x == 0 && damage[0].y == 0 && damage[0].width == WIDTH && damage[0].height == HEIGHT);
    ck_assert_uint_eq(draw(&card, WIDTH, HEIGHT), 0);
}
END_TEST

START_TEST(the_frame_number_stands_in_the_cells_most_significant_bit_first)
{
    struct testcard card;
    testcard_init(&card);
    card.frame = 0xdeadbeef;
    draw(&card, WIDTH, HEIGHT);
    ck_assert_uint_eq(decode_frame(WIDTH), 0xdeadbeef);
    for (int i = 0; i < 300; i++) {
        testcard_advance(&card);
        draw(&card, WIDTH, HEIGHT);
        ck_assert_uint_eq(decode_frame(WIDTH), 0xdeadbeef + 1 + (unsigned)i);
    }
}
END_TEST

START_TEST(every_pixel_that_changed_lies_in_a_damage_rectangle)
{
    struct testcard card;
    testcard_init(&card);
    draw(&card, WIDTH, HEIGHT);
    for (int step = 0; step < 500; step++) {
        memcpy(reference, picture, sizeof picture);
        testcard_advance(&card);
        if (step % 7 == 0)
            testcard_key(&card, step % 250, step % 2);
        if (step % 5 == 0)
            testcard_pointer(&card, step, step / 2, (unsigned)step % 32);
        size_t count = draw(&card, WIDTH, HEIGHT);
        for (size_t i = 0; i < count; i++) {
            ck_assert(damage[i].x >= 0 && damage[i].x + damage[i].width <= WIDTH);
            ck_assert(damage[i].y >= 0 && damage[i].y + damage[i].height <= HEIGHT);
            for (int y = damage[i].y; y < damage[i].y + damage[i].height; y++)
                memcpy(&reference[y * WIDTH + damage[i].x], &picture[y * WIDTH + damage[i].x],
                       (size_t)damage[i].width * 4);
        }
        ck_assert_mem_eq(reference, picture, sizeof picture);
    }
}
END_TEST

START_TEST(a_card_drawn_in_steps_equals_one_drawn_at_once)
{
    struct testcard card, fresh;
    testcard_init(&card);
    draw(&card, WIDTH, HEIGHT);
    for (int step = 0; step < 333; step++) {
        testcard_advance(&card);
        draw(&card, WIDTH, HEIGHT);
    }
    testcard_key(&card, 30, true);
    testcard_pointer(&card, 12345, 6789, 31);
    draw(&card, WIDTH, HEIGHT);
    testcard_pointer(&card, 1, 2, 0);
    draw(&card, WIDTH, HEIGHT);
    memcpy(reference, picture, sizeof picture);
    fresh = card;
    testcard_invalidate(&fresh);
    draw(&fresh, WIDTH, HEIGHT);
    ck_assert_mem_eq(reference, picture, sizeof picture);
}
END_TEST

START_TEST(f8_freezes_all_motion_and_a_second_f8_lets_it_go_on)
{
    struct testcard card;
    testcard_init(&card);
    testcard_advance(&card);
    testcard_key(&card, TESTCARD_KEY_FREEZE, true);
    testcard_key(&card, TESTCARD_KEY_FREEZE, false);
    ck_assert(card.frozen);
    draw(&card, WIDTH, HEIGHT);
    testcard_advance(&card);
    ck_assert_uint_eq(card.frame, 1);
    ck_assert_uint_eq(draw(&card, WIDTH, HEIGHT), 0);
    testcard_key(&card, TESTCARD_KEY_FREEZE, true);
    testcard_advance(&card);
    ck_assert_uint_eq(card.frame, 2);
}
END_TEST

START_TEST(a_new_size_is_painted_whole_and_small_sizes_stay_inside_their_memory)
{
    struct testcard card;
    testcard_init(&card);
    for (int width = 1; width < 700; width += 37) {
        for (int height = 1; height < 500; height += 29) {
            uint32_t *pixels = malloc((size_t)width * (size_t)height * 4); // exact, for the address sanitizer
            testcard_pointer(&card, width, height, 0);
            ck_assert_uint_eq(testcard_draw(&card, pixels, width, height, (size_t)width * 4, damage), 1);
            testcard_advance(&card);
            testcard_draw(&card, pixels, width, height, (size_t)width * 4, damage);
            free(pixels);
        }
    }
}
END_TEST

START_TEST(an_impossible_size_draws_nothing)
{
    struct testcard card;
    testcard_init(&card);
    ck_assert_uint_eq(testcard_draw(&card, picture, 0, 10, 40, damage), 0);
    ck_assert_uint_eq(testcard_draw(&card, picture, 10, -1, 40, damage), 0);
    ck_assert_uint_eq(testcard_draw(&card, picture, 10, 10, 39, damage), 0);
    ck_assert_uint_eq(testcard_draw(&card, picture, TESTCARD_SIZE_MAX + 1, 1, 1 << 20, damage), 0);
}
END_TEST

START_TEST(the_box_stays_inside_the_picture_and_turns_at_both_edges)
{
    int lowest = WIDTH, highest = 0;
    for (uint32_t frame = 0; frame < 1000; frame++) {
        int x = testcard_box_x(frame, WIDTH);
        lowest = x < lowest ? x : lowest;
        highest = x > highest ? x : highest;
    }
    ck_assert_int_eq(lowest, 0);
    ck_assert_int_eq(highest, WIDTH - TESTCARD_BOX);
    ck_assert_int_eq(testcard_box_x(1000, 10), 0);
}
END_TEST

START_TEST(the_cursor_has_an_opaque_hot_spot_and_a_clear_far_corner)
{
    uint32_t argb[TESTCARD_CURSOR * TESTCARD_CURSOR];
    testcard_cursor(argb);
    ck_assert_uint_eq(argb[0] >> 24, 0xff);
    ck_assert_uint_eq(argb[TESTCARD_CURSOR * TESTCARD_CURSOR - 1], 0);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("testcard");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, the_first_draw_damages_the_whole_picture_and_the_second_nothing);
    tcase_add_test(tcase, the_frame_number_stands_in_the_cells_most_significant_bit_first);
    tcase_add_test(tcase, every_pixel_that_changed_lies_in_a_damage_rectangle);
    tcase_add_test(tcase, a_card_drawn_in_steps_equals_one_drawn_at_once);
    tcase_add_test(tcase, f8_freezes_all_motion_and_a_second_f8_lets_it_go_on);
    tcase_add_test(tcase, a_new_size_is_painted_whole_and_small_sizes_stay_inside_their_memory);
    tcase_add_test(tcase, an_impossible_size_draws_nothing);
    tcase_add_test(tcase, the_box_stays_inside_the_picture_and_turns_at_both_edges);
    tcase_add_test(tcase, the_cursor_has_an_opaque_hot_spot_and_a_clear_far_corner);
    return suite_run("testcard", tcase);
}
