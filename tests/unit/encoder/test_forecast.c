/* Moves that have been noted while a picture was copied are as right as those that are searched for. */
#include "encoder/forecast.h"
#include "encoder/shadow.h"
#include "tests/unit/encoder/scenes.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 700, HEIGHT = 500, FRAMES = 12 };

typedef struct {
    Scene *scene; /* draws; its own shadow is not used */
    Shadow *shadow;
    gsize stride;
    Forecast *forecast;
    Scroll *scroll;
    Damage *changed, *left;
    guint8 *client;
    ScrollMove move; /* expected */
} Rig;

static Rig rig;

static void setup(void)
{
    rig.scene = scene_new(WIDTH, HEIGHT, 1);
    rig.shadow = shadow_new(WIDTH, HEIGHT, 1, NULL);
    rig.stride = shadow_layout(rig.shadow)->stride;
    rig.forecast = forecast_new(WIDTH, HEIGHT, rig.stride);
    rig.scroll = scroll_new(WIDTH, HEIGHT);
    rig.changed = damage_new(WIDTH, HEIGHT);
    rig.left = damage_new(WIDTH, HEIGHT);
    rig.client = g_malloc0(rig.stride * HEIGHT);
}

static void teardown(void)
{
    g_free(rig.client);
    damage_free(rig.left);
    damage_free(rig.changed);
    scroll_free(rig.scroll);
    forecast_free(rig.forecast);
    shadow_free(rig.shadow);
    scene_free(rig.scene);
}

static gint between(gint from, gint to)
{
    return g_rand_int_range(rig.scene->random, from, MAX(to, from + 1));
}

static void client_move(const ScrollMove *move)
{
    gsize row = move->width * 4u;
    g_autofree guint8 *taken = g_malloc(row * move->height);
    for (guint y = 0; y < move->height; y++)
        memcpy(taken + y * row, rig.client + (move->y + y) * rig.stride + move->x * 4u, row);
    for (guint y = 0; y < move->height; y++)
        memcpy(rig.client + (move->to_y + y) * rig.stride + move->to_x * 4u, taken + y * row, row);
}

static void client_copy(const Damage *damage)
{
    SeatRect rects[SEAT_RECTS_MAX];
    guint count = damage_rects(damage, rects);
    for (guint i = 0; i < count; i++)
        for (guint y = rects[i].y; y < (guint)rects[i].y + rects[i].height; y++) {
            gsize at = y * rig.stride + rects[i].x * 4u;
            memcpy(rig.client + at, shadow_pixels(rig.shadow) + at, rects[i].width * 4u);
        }
}

static void copy(const SeatRect *rect)
{
    shadow_update(rig.shadow, rect, rig.scene->drawn, rig.scene->stride, rig.changed);
}

/* Without a forecast: all that has changed is damage. */
static void plain_frame(void)
{
    const SeatRect all = {.width = WIDTH, .height = HEIGHT};
    damage_clear(rig.changed);
    shadow_watch(rig.shadow, NULL);
    copy(&all);
    client_copy(rig.changed);
}

static gboolean begin(const SeatRect *rects, guint count)
{
    return forecast_begin(rig.forecast, &rig.move, shadow_pixels(rig.shadow), rig.scene->drawn,
                          rig.scene->stride, rects, count);
}

/* A frame under the forecast that has begun; `meanwhile`: the guest goes on drawing between two rectangles.
 * Returns the px that are left. */
static guint64 expected_frame(const SeatRect *rects, guint count, gboolean meanwhile)
{
    const SeatRect written = {
        .x = rig.move.to_x, .y = rig.move.to_y, .width = rig.move.width, .height = rig.move.height};
    ScrollMove moves[SCROLL_MOVES_MAX];
    SeatRect outside[4];

    damage_clear(rig.changed);
    shadow_watch(rig.shadow, rig.forecast);
    copy(&written);
    forecast_close(rig.forecast);
    if (meanwhile) {
        const SeatRect there = {.x = (guint16)between(0, WIDTH - 90),
                                .y = (guint16)between(0, HEIGHT - 90),
                                .width = 90,
                                .height = 90};
        scene_noise(rig.scene, (ScenePart){there.x, there.y, 90, 90});
        copy(&there);
    }
    for (guint i = 0; i < count; i++)
        for (guint part = forecast_outside(rig.forecast, &rects[i], outside); part-- > 0;)
            copy(&outside[part]);
    guint found = scroll_confirm(rig.scroll, rig.forecast, rig.changed, rig.left, moves);
    for (guint i = 0; i < found; i++)
        client_move(&moves[i]);
    client_copy(rig.left);
    return damage_area(rig.left);
}

static void assert_client_is_right(void)
{
    for (guint y = 0; y < HEIGHT; y++)
        ck_assert_msg(
            memcmp(rig.client + y * rig.stride, shadow_pixels(rig.shadow) + y * rig.stride, WIDTH * 4) == 0,
            "a wrong pixel in row %u", y);
}

static void draw_text(gint scrolled)
{
    scene_sheet(rig.scene, (ScenePart){13, 20, 650, 470}, SCENE_TEXT, 3, 0, scrolled);
}

/* Whatever else happens on the screen, and in whatever rectangles it is told. */
START_TEST(a_client_that_makes_noted_moves_has_the_picture)
{
    static const SeatRect all[] = {{.width = WIDTH, .height = HEIGHT}};
    static const SeatRect pieces[] = {{.x = 60, .y = 10, .width = 400, .height = 490},
                                      {.width = 700, .height = 60},
                                      {.x = 450, .y = 30, .width = 250, .height = 470},
                                      {.width = 64, .height = 500}};
    gint dy = 1 + _i % 40, scrolled = 0;
    guint forecasts = 0;

    shadow_compare_with(rig.shadow,
                        compare_variant((CompareVariant)(_i % COMPARE_VARIANTS)) ?: compare_best());
    rig.move = (ScrollMove){
        .x = (guint16)(_i * 7 % 70), .to_x = (guint16)(_i * 7 % 70), .to_y = (guint16)between(0, 80)};
    rig.move.y = (guint16)(rig.move.to_y + dy);
    rig.move.width = (guint16)between(500, WIDTH - rig.move.x + 1);
    rig.move.height = (guint16)between(300, HEIGHT - rig.move.y + 1);
    draw_text(0);
    plain_frame();
    for (guint i = 0; i < FRAMES; i++) {
        draw_text(scrolled += dy);
        if (between(0, 2))
            scene_noise(rig.scene,
                        (ScenePart){between(0, WIDTH), between(0, HEIGHT), between(1, 60), between(1, 9)});
        const SeatRect *rects = i % 2 ? all : pieces;
        guint count = i % 2 ? G_N_ELEMENTS(all) : G_N_ELEMENTS(pieces);
        if (begin(rects, count)) {
            expected_frame(rects, count, i % 3 == 0);
            forecasts++;
        } else {
            plain_frame();
        }
        assert_client_is_right();
    }
    ck_assert_uint_gt(forecasts, 0);
}
END_TEST

START_TEST(a_scroll_that_goes_on_leaves_its_strip)
{
    const SeatRect all = {.width = WIDTH, .height = HEIGHT};

    rig.move = (ScrollMove){.x = 13, .y = 37, .to_x = 13, .to_y = 20, .width = 650, .height = 453};
    draw_text(0);
    plain_frame();
    draw_text(17);
    ck_assert(begin(&all, 1));
    ck_assert_uint_le(expected_frame(&all, 1, FALSE), 650 * 17);
    assert_client_is_right();
    const ScrollMove *next = scroll_expected(rig.scroll);
    ck_assert(next && memcmp(next, &rig.move, sizeof *next) == 0);
}
END_TEST

START_TEST(only_a_likely_move_upwards_is_expected)
{
    const SeatRect all = {.width = WIDTH, .height = HEIGHT}, little = {.width = WIDTH, .height = 100};
    const ScrollMove right = {.x = 13, .y = 37, .to_x = 13, .to_y = 20, .width = 650, .height = 453};

    draw_text(0);
    plain_frame();
    draw_text(17);
    rig.move = right;
    ck_assert(begin(&all, 1));
    ck_assert(!begin(&little, 1));
    rig.move.y = 40;
    ck_assert(!begin(&all, 1));
    rig.move = (ScrollMove){.x = 13, .y = 20, .to_x = 13, .to_y = 37, .width = 650, .height = 453};
    ck_assert(!begin(&all, 1));
    rig.move = right;
    rig.move.to_x = 12;
    ck_assert(!begin(&all, 1));
    draw_text(0); /* nothing has changed */
    rig.move = right;
    ck_assert(!begin(&all, 1));
}
END_TEST

START_TEST(what_is_outside_of_a_move_covers_the_rest_of_a_rectangle_once)
{
    for (guint round = 0; round < 200; round++) {
        guint8 times[60][60] = {{0}};
        SeatRect rect = {.x = (guint16)between(0, 40), .y = (guint16)between(0, 40)}, outside[4];
        ScrollMove *move = &rig.forecast->move;
        rect.width = (guint16)between(1, 20);
        rect.height = (guint16)between(1, 20);
        *move = (ScrollMove){.to_x = (guint16)between(0, 40), .to_y = (guint16)between(0, 40)};
        move->width = (guint16)between(1, 20);
        move->height = (guint16)between(1, 20);
        for (guint i = forecast_outside(rig.forecast, &rect, outside); i-- > 0;)
            for (guint y = outside[i].y; y < (guint)outside[i].y + outside[i].height; y++)
                for (guint x = outside[i].x; x < (guint)outside[i].x + outside[i].width; x++)
                    times[y][x]++;
        for (guint y = 0; y < 60; y++)
            for (guint x = 0; x < 60; x++) {
                gboolean in = x >= rect.x && x < (guint)rect.x + rect.width && y >= rect.y &&
                              y < (guint)rect.y + rect.height;
                gboolean moved = x >= move->to_x && x < (guint)move->to_x + move->width && y >= move->to_y &&
                                 y < (guint)move->to_y + move->height;
                ck_assert_uint_eq(times[y][x], in && !moved);
            }
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("forecast");
    tcase_set_timeout(tcase, 60); /* slow machines */
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_client_that_makes_noted_moves_has_the_picture, 0, 60);
    tcase_add_test(tcase, a_scroll_that_goes_on_leaves_its_strip);
    tcase_add_test(tcase, only_a_likely_move_upwards_is_expected);
    tcase_add_test(tcase, what_is_outside_of_a_move_covers_the_rest_of_a_rectangle_once);
    return suite_run("forecast", tcase);
}
