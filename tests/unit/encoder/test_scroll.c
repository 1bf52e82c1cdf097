/* A client that makes the moves and copies the rest ends at the source's picture, whatever moves; and what
 * has only moved is found. */
#include "encoder/rect.h"
#include "encoder/scroll.h"
#include "tests/unit/encoder/scenes.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>

#define SEQUENCES 80 /* of each of 25 runs */
#define PANES 3

/* ---- the client ---- */

static gboolean meet(guint ax, guint ay, guint bx, guint by, const ScrollMove *a, const ScrollMove *b)
{
    return ax < bx + b->width && bx < ax + a->width && ay < by + b->height && by < ay + a->height;
}

static void check_moves(const Scene *scene, const ScrollMove *moves, guint count)
{
    for (guint i = 0; i < count; i++) {
        const ScrollMove *m = &moves[i];
        ck_assert(m->width > 0 && m->height > 0 && (m->x != m->to_x || m->y != m->to_y));
        ck_assert(MAX(m->x, m->to_x) + m->width <= scene->width);
        ck_assert(MAX(m->y, m->to_y) + m->height <= scene->height);
        for (guint j = 0; j < i; j++) {
            ck_assert_msg(!meet(m->to_x, m->to_y, moves[j].to_x, moves[j].to_y, m, &moves[j]),
                          "two moves write the same pixel");
            ck_assert_msg(!meet(m->x, m->y, moves[j].to_x, moves[j].to_y, m, &moves[j]),
                          "a move reads what an earlier one has written");
        }
    }
}

static void client_move(guint8 *picture, gsize stride, const ScrollMove *move)
{
    g_autofree guint8 *taken = g_malloc((gsize)move->width * move->height * 4);
    gsize row = move->width * 4u;
    for (guint y = 0; y < move->height; y++)
        memcpy(taken + y * row, picture + (move->y + y) * stride + move->x * 4u, row);
    for (guint y = 0; y < move->height; y++)
        memcpy(picture + (move->to_y + y) * stride + move->to_x * 4u, taken + y * row, row);
}

/* Returns the px that were left to be sent. */
static guint64 check_frame(Scene *scene, Scroll *scroll, guint *n_moves)
{
    ScrollMove moves[SCROLL_MOVES_MAX];
    SeatRect rects[SEAT_RECTS_MAX];
    gsize size = scene->stride * scene->height;
    g_autoptr(Damage) left = damage_new(scene->width, scene->height);
    g_autofree guint8 *client = g_memdup2(scene->old, size);

    *n_moves = scroll_find(scroll, scene->shadow, scene->undo, scene->damage, left, moves);
    ck_assert_uint_le(*n_moves, SCROLL_MOVES_MAX);
    check_moves(scene, moves, *n_moves);
    for (guint i = 0; i < *n_moves; i++)
        client_move(client, scene->stride, &moves[i]);
    guint count = damage_rects(left, rects);
    for (guint i = 0; i < count; i++)
        for (guint y = rects[i].y; y < (guint)rects[i].y + rects[i].height; y++) {
            gsize at = y * scene->stride + rects[i].x * 4u;
            memcpy(client + at, scene->shadow + at, rects[i].width * 4u);
        }
    ck_assert_msg(memcmp(client, scene->shadow, size) == 0, "a wrong pixel after %u moves", *n_moves);
    return damage_area(left);
}

/* ---- whatever moves ---- */

typedef struct {
    ScenePart part;
    SceneKind kind;
    guint32 number;
    gint x, y; /* what of the sheet is at the part's corner */
} Pane;

static gint between(Scene *scene, gint from, gint to)
{
    return g_rand_int_range(scene->random, from, MAX(to, from + 1));
}

static Pane pane_new(Scene *scene)
{
    gint width = (gint)scene->width, height = (gint)scene->height;
    Pane pane = {.kind = (SceneKind)between(scene, 0, SCENE_KINDS), .number = g_rand_int(scene->random)};
    pane.part = (ScenePart){between(scene, -20, width / 2), between(scene, -20, height / 2),
                            between(scene, 20, width), between(scene, 20, height)};
    pane.x = between(scene, -100, 100);
    pane.y = between(scene, -100, 1000);
    return pane;
}

static void pane_act(Scene *scene, Pane *pane)
{
    switch (between(scene, 0, 8)) {
    case 0:
    case 1:
        pane->y += between(scene, -60, 60);
        break;
    case 2:
        pane->x += between(scene, -60, 60);
        break;
    case 3:
    case 4:
        pane->part.x += between(scene, -40, 40);
        pane->part.y += between(scene, -40, 40);
        break;
    case 5:
        pane->x += between(scene, -9, 9);
        pane->y += between(scene, -9, 9);
        break;
    case 6:
        pane->number++; /* another picture, as a film has */
        break;
    default:
        break;
    }
}

static void draw(Scene *scene, const Pane *panes, guint count, gint frame_shift)
{
    scene_sheet(scene, (ScenePart){0, 0, (gint)scene->width, (gint)scene->height}, SCENE_PHOTO, 1, 0,
                frame_shift);
    for (guint i = 0; i < count; i++) {
        const Pane *pane = &panes[i];
        ScenePart border = {pane->part.x - 3, pane->part.y - 9, pane->part.width + 6, pane->part.height + 12};
        scene_fill(scene, border, 0x00304050);
        scene_sheet(scene, pane->part, pane->kind, pane->number, pane->x, pane->y);
    }
}

/* ---- beside a part that is left out ---- */

static guint beside_moves;

static void check_apart(const ScrollMove *moves, guint count, const SeatRect *part)
{
    SeatRect common;
    for (guint i = 0; i < count; i++) {
        const ScrollMove *m = &moves[i];
        const SeatRect from = {.x = m->x, .y = m->y, .width = m->width, .height = m->height};
        const SeatRect to = {.x = m->to_x, .y = m->to_y, .width = m->width, .height = m->height};
        ck_assert_msg(!rect_common(&from, part, &common) && !rect_common(&to, part, &common),
                      "a move from or to the part");
    }
}

/* Nobody has kept what was in the part, nor says what has changed there. */
static void check_beside(Scene *scene, Scroll *scroll, const SeatRect *part)
{
    g_autoptr(Damage) all = damage_new(scene->width, scene->height);
    g_autoptr(Damage) left = damage_new(scene->width, scene->height);
    g_autofree guint8 *client = g_memdup2(scene->old, scene->stride * scene->height);
    ScrollMove moves[SCROLL_MOVES_MAX];
    SeatRect rects[SEAT_RECTS_MAX], parts[4];

    damage_add_map(all, scene->damage);
    damage_clear(scene->damage);
    for (guint i = damage_next_tile(all, 0); i < damage_tiles(all); i = damage_next_tile(all, i + 1)) {
        SeatRect rect = damage_tile_rect(all, i);
        for (guint n = rect_outside(&rect, part, parts); n-- > 0;)
            damage_add(scene->damage, parts[n].x, parts[n].y, parts[n].width, parts[n].height);
    }
    for (guint y = part->y; y < rect_bottom(part); y++)
        memset(scene->undo->pixels + y * scene->stride + part->x * 4u, 0x55, part->width * 4u);
    scroll_leave_out(scroll, part, part ? 1 : 0);
    guint count = scroll_find(scroll, scene->shadow, scene->undo, scene->damage, left, moves);
    beside_moves += count;
    check_moves(scene, moves, count);
    check_apart(moves, count, part);
    for (guint i = 0; i < count; i++)
        client_move(client, scene->stride, &moves[i]);
    damage_add(left, part->x, part->y, part->width, part->height);
    count = damage_rects(left, rects);
    for (guint i = 0; i < count; i++)
        for (guint y = rects[i].y; y < rect_bottom(&rects[i]); y++) {
            gsize at = y * scene->stride + rects[i].x * 4u;
            memcpy(client + at, scene->shadow + at, rects[i].width * 4u);
        }
    ck_assert_mem_eq(client, scene->shadow, scene->stride * scene->height);
}

static SeatRect part_new(Scene *scene)
{
    gint width = (gint)scene->width, height = (gint)scene->height;
    gint x = between(scene, 0, width - 1), y = between(scene, 0, height - 1);
    return rect_of_edges((guint)x, (guint)y, (guint)between(scene, x + 1, MIN(x + 150, width)),
                         (guint)between(scene, y + 1, MIN(y + 150, height)));
}

/* With `beside` a part is left out. */
static void check_sequence(guint32 seed, gboolean beside)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    guint width = (guint)g_rand_int_range(random, 16, 340), height = (guint)g_rand_int_range(random, 16, 280);
    g_autoptr(Scene) scene = scene_new(width, height, seed);
    g_autoptr(Scroll) scroll = scroll_new(width, height);
    guint n_panes = (guint)between(scene, 1, PANES + 1), moves;
    gint background = 0;
    Pane panes[PANES];

    for (guint i = 0; i < n_panes; i++)
        panes[i] = pane_new(scene);
    for (guint frame = 0; frame < 4; frame++) {
        for (guint i = 0; i < n_panes && frame > 0; i++)
            pane_act(scene, &panes[i]);
        background += between(scene, 0, 6) == 0 ? between(scene, -20, 20) : 0;
        draw(scene, panes, n_panes, background);
        if (between(scene, 0, 4) == 0)
            scene_noise(scene, (ScenePart){between(scene, 0, (gint)width), between(scene, 0, (gint)height),
                                           between(scene, 1, 90), between(scene, 1, 90)});
        scene_frame(scene);
        SeatRect part = beside ? part_new(scene) : (SeatRect){0};
        if (beside)
            check_beside(scene, scroll, &part);
        else
            check_frame(scene, scroll, &moves);
    }
}

START_TEST(a_client_that_makes_the_moves_and_copies_the_rest_has_the_picture)
{
    for (guint i = 0; i < SEQUENCES; i++)
        check_sequence((guint32)_i * SEQUENCES + i, FALSE);
}
END_TEST

START_TEST(nothing_moves_from_or_to_a_part_that_is_left_out)
{
    beside_moves = 0;
    for (guint i = 0; i < SEQUENCES; i++)
        check_sequence(5000 + (guint32)_i * SEQUENCES + i, TRUE);
    ck_assert_uint_gt(beside_moves, 0);
}
END_TEST

/* ---- what must be found ---- */

/* Scrolls the pane and draws it with its frame; returns the damaged px. */
static guint64 scrolled(Scene *scene, Pane *pane, gint dx, gint dy)
{
    pane->x -= dx;
    pane->y -= dy;
    scene_sheet(scene, pane->part, pane->kind, pane->number, pane->x, pane->y);
    scene_frame(scene);
    return damage_area(scene->damage);
}

static void start(Scene *scene, Pane *panes, guint count)
{
    draw(scene, panes, count, 0);
    scene_frame(scene);
}

/* Damage that no move can spare: a band of the way moved along the pane's edge. */
static guint64 exposed(const Pane *pane, gint dx, gint dy)
{
    return (guint64)ABS(dy) * (guint)pane->part.width + (guint64)ABS(dx) * (guint)pane->part.height;
}

START_TEST(nine_tenths_of_a_scrolled_text_are_moves)
{
    g_autoptr(Scene) scene = scene_new(1000, 700, (guint32)_i);
    g_autoptr(Scroll) scroll = scroll_new(1000, 700);
    Pane pane = {.part = {between(scene, 1, 90), between(scene, 1, 90), between(scene, 300, 900),
                          between(scene, 400, 600)},
                 .number = (guint32)_i};
    guint64 all = 0, rest = 0;
    guint moves;

    start(scene, &pane, 1);
    for (guint i = 0; i < 6; i++) {
        gint dy = between(scene, 0, 2) ? 17 : between(scene, -20, 20);
        guint64 damaged = scrolled(scene, &pane, 0, dy), left = check_frame(scene, scroll, &moves);
        ck_assert_msg(left <= damaged / 10 + exposed(&pane, 0, dy), "%lu of %lu px left after %u moves by %d",
                      left, damaged, moves, dy);
        all += damaged;
        rest += left;
    }
    ck_assert_msg(rest * 10 <= all, "%lu of %lu px left", rest, all);
}
END_TEST

/* As in a terminal: lines of all lengths, so that much beside them is not damaged though it has moved, too.
 */
START_TEST(a_text_with_blank_room_beside_it_scrolls_in_one_move)
{
    g_autoptr(Scene) scene = scene_new(1300, 800, (guint32)_i);
    g_autoptr(Scroll) scroll = scroll_new(1300, 800);
    gint lengths[60], rows = 43, line = 18;
    guint moves;

    for (gint i = 0; i < 60; i++)
        lengths[i] = between(scene, 40, 1280);
    scene_sheet(scene, (ScenePart){0, 0, 1300, 20}, SCENE_PHOTO, 1, 0, 0);
    for (gint frame = 0; frame < 8; frame++) {
        for (gint row = 0; row < rows; row++) {
            ScenePart whole = {0, 24 + row * line, 1300, line}, part = whole;
            part.width = lengths[row + frame];
            scene_fill(scene, whole, 0x00102030);
            scene_sheet(scene, part, SCENE_TEXT, 2, 0, (row + frame) * line);
        }
        scene_frame(scene);
        if (frame == 0)
            continue;
        guint64 left = check_frame(scene, scroll, &moves);
        ck_assert_uint_eq(moves, 1);
        ck_assert_uint_le(left, 1300u * (guint)line);
    }
}
END_TEST

START_TEST(two_texts_that_scroll_apart_are_moves)
{
    g_autoptr(Scene) scene = scene_new(1100, 700, (guint32)_i);
    g_autoptr(Scroll) scroll = scroll_new(1100, 700);
    gint middle = between(scene, 400, 700), left_dy = between(scene, 1, 30),
         right_dy = between(scene, -30, -1);
    Pane panes[] = {{.part = {10, 20, middle - 10, 650}, .number = 1},
                    {.part = {middle + 8, 20, 1090 - middle - 8, 650}, .number = 2}};
    guint moves;

    start(scene, panes, 2);
    for (guint i = 0; i < 2; i++) {
        Pane *pane = &panes[i];
        pane->y -= i ? right_dy : left_dy;
        scene_sheet(scene, pane->part, pane->kind, pane->number, pane->x, pane->y);
    }
    scene_frame(scene);
    guint64 damaged = damage_area(scene->damage), left = check_frame(scene, scroll, &moves);
    guint64 band = exposed(&panes[0], 0, left_dy) + exposed(&panes[1], 0, right_dy);
    ck_assert_msg(left <= damaged / 10 + band, "%lu of %lu px left after %u moves, at %d by %d and %d", left,
                  damaged, moves, middle, left_dy, right_dy);
}
END_TEST

START_TEST(a_text_pushed_aside_is_a_move)
{
    g_autoptr(Scene) scene = scene_new(900, 600, (guint32)_i);
    g_autoptr(Scroll) scroll = scroll_new(900, 600);
    Pane pane = {.part = {31, 45, 800, 500}, .number = (guint32)_i, .x = 20};
    gint dx = between(scene, 1, 60) * (_i % 2 ? 1 : -1);
    guint moves;

    start(scene, &pane, 1);
    guint64 damaged = scrolled(scene, &pane, dx, 0), left = check_frame(scene, scroll, &moves);
    ck_assert_msg(left <= damaged / 10 + exposed(&pane, dx, 0), "%lu of %lu px left after %u moves by %d",
                  left, damaged, moves, dx);
}
END_TEST

START_TEST(a_dragged_window_is_a_move)
{
    g_autoptr(Scene) scene = scene_new(1000, 800, (guint32)_i);
    g_autoptr(Scroll) scroll = scroll_new(1000, 800);
    Pane pane = {.part = {between(scene, 100, 400), between(scene, 100, 400), 420, 330},
                 .kind = _i % 2 ? SCENE_TEXT : SCENE_PHOTO,
                 .number = 7};
    gint dx = between(scene, -90, 90), dy = between(scene, -90, 90);
    guint moves;

    start(scene, &pane, 1);
    pane.part.x += dx;
    pane.part.y += dy;
    draw(scene, &pane, 1, 0);
    scene_frame(scene);
    guint64 damaged = damage_area(scene->damage), left = check_frame(scene, scroll, &moves);
    ck_assert_msg(left <= damaged / 10 + exposed(&pane, dx, dy), "%lu of %lu px left after %u moves by %d,%d",
                  left, damaged, moves, dx, dy);
}
END_TEST

START_TEST(what_is_of_one_colour_does_not_move)
{
    g_autoptr(Scene) scene = scene_new(800, 600, 1);
    g_autoptr(Scroll) scroll = scroll_new(800, 600);
    guint moves;

    scene_fill(scene, (ScenePart){0, 0, 800, 300}, 0x00ffffff);
    scene_frame(scene);
    scene_fill(scene, (ScenePart){0, 0, 800, 600}, 0x00304050);
    scene_fill(scene, (ScenePart){0, 250, 800, 350}, 0x00ffffff);
    scene_frame(scene);
    guint64 left = check_frame(scene, scroll, &moves);
    ck_assert_uint_eq(moves, 0);
    ck_assert_uint_eq(left, damage_area(scene->damage));
}
END_TEST

START_TEST(parts_that_change_places_lose_one_move_at_most)
{
    g_autoptr(Scene) scene = scene_new(640, 640, 1);
    g_autoptr(Scroll) scroll = scroll_new(640, 640);
    ScenePart upper = {0, 0, 640, 320}, lower = {0, 320, 640, 320};
    guint moves;

    scene_sheet(scene, upper, SCENE_PHOTO, 1, 0, 0);
    scene_sheet(scene, lower, SCENE_PHOTO, 2, 0, 0);
    scene_frame(scene);
    scene_sheet(scene, upper, SCENE_PHOTO, 2, 0, 0);
    scene_sheet(scene, lower, SCENE_PHOTO, 1, 0, 0);
    scene_frame(scene);
    ck_assert_uint_eq(check_frame(scene, scroll, &moves), 640 * 320);
    ck_assert_uint_eq(moves, 1);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("scroll");
    tcase_set_timeout(tcase, 60); /* slow machines */
    tcase_add_loop_test(tcase, a_client_that_makes_the_moves_and_copies_the_rest_has_the_picture, 0, 25);
    tcase_add_loop_test(tcase, nothing_moves_from_or_to_a_part_that_is_left_out, 0, 25);
    tcase_add_loop_test(tcase, nine_tenths_of_a_scrolled_text_are_moves, 0, 20);
    tcase_add_loop_test(tcase, a_text_with_blank_room_beside_it_scrolls_in_one_move, 0, 10);
    tcase_add_loop_test(tcase, two_texts_that_scroll_apart_are_moves, 0, 20);
    tcase_add_loop_test(tcase, a_text_pushed_aside_is_a_move, 0, 20);
    tcase_add_loop_test(tcase, a_dragged_window_is_a_move, 0, 30);
    tcase_add_test(tcase, what_is_of_one_colour_does_not_move);
    tcase_add_test(tcase, parts_that_change_places_lose_one_move_at_most);
    return suite_run("scroll", tcase);
}
