/* The course of the search, and what comes of it: moves in an order that is safe, and the damage that they
 * leave. */
#include "encoder/scroll_private.h"

#include <string.h>

#define DAMAGE_LEAST (SEAT_TILE * SEAT_TILE) /* px of damage that are worth a search */
#define MOVE_LEAST 1024                      /* px that are worth a move */
#define LARGE_SHARE 16
#define FRUITLESS_MAX 8  /* searches in a row that find nothing; then every REST-th frame is searched */
#define REST 12          /* a search that finds nothing takes longer than all else in the seat */
#define CONFIRMED_MAX 30 /* forecasts in a row: what moves may have become larger */
#define LITTLE_SHARE 64
#define LEFT_SHARE 8 /* an eighth of the damage is not worth another way of searching */

Scroll *scroll_new(guint width, guint height)
{
    g_return_val_if_fail(width >= 1 && width <= SEAT_WIDTH_MAX && height >= 1 && height <= SEAT_WIDTH_MAX,
                         NULL);
    Scroll *scroll = g_new0(Scroll, 1);
    scroll->width = width;
    scroll->height = height;
    scroll->tiles_x = (width + SEAT_TILE - 1) / SEAT_TILE;
    scroll->tiles_y = (height + SEAT_TILE - 1) / SEAT_TILE;
    scroll->tiles = scroll->tiles_x * scroll->tiles_y;
    scroll->left = g_new0(ScrollBox, scroll->tiles);
    scroll->cells = g_new0(ScrollBox, scroll->tiles);
    scroll->examined = g_new0(gboolean, scroll->tiles);
    scroll->lines = scroll_lines_new(MAX(width, height));
    scroll->bands = g_new(ScrollBand, height);
    return scroll;
}

void scroll_free(Scroll *scroll)
{
    if (!scroll)
        return;
    g_free(scroll->left);
    g_free(scroll->cells);
    g_free(scroll->examined);
    scroll_lines_free(scroll->lines);
    g_free(scroll->bands);
    g_free(scroll);
}

/* ---- the frame ---- */

/* A clean tile between two damaged ones holds moving content that happened to look the same. */
static gboolean between(const Scroll *scroll, guint tx, guint ty)
{
    const ScrollBox *tile = &scroll->left[ty * scroll->tiles_x + tx];
    gboolean across =
        tx > 0 && tx + 1 < scroll->tiles_x && !scroll_box_empty(tile - 1) && !scroll_box_empty(tile + 1);
    gboolean down = ty > 0 && ty + 1 < scroll->tiles_y && !scroll_box_empty(tile - scroll->tiles_x) &&
                    !scroll_box_empty(tile + scroll->tiles_x);
    return across || down;
}

static void include(ScrollBox *bounds, const ScrollBox *box)
{
    *bounds = (ScrollBox){MIN(bounds->x0, box->x0), MIN(bounds->y0, box->y0), MAX(bounds->x1, box->x1),
                          MAX(bounds->y1, box->y1)};
}

static void start(Scroll *scroll, const guint8 *now, const Undo *undo, const Damage *damage)
{
    scroll->now = now;
    scroll->undo = undo;
    scroll->n_moves = 0;
    scroll->bounds = (ScrollBox){G_MAXUINT16, G_MAXUINT16, 0, 0};
    for (guint i = 0; i < scroll->tiles; i++) {
        SeatRect rect = damage_tile_rect(damage, i);
        scroll->left[i] =
            (ScrollBox){rect.x, rect.y, (guint16)(rect.x + rect.width), (guint16)(rect.y + rect.height)};
        if (rect.width > 0)
            include(&scroll->bounds, &scroll->left[i]);
    }
    for (guint ty = 0; ty < scroll->tiles_y; ty++)
        for (guint tx = 0; tx < scroll->tiles_x; tx++) {
            guint tile = ty * scroll->tiles_x + tx;
            scroll->examined[tile] = !scroll_box_empty(&scroll->left[tile]) || between(scroll, tx, ty);
        }
}

static guint64 left_area(const Scroll *scroll)
{
    guint64 area = 0;
    for (guint i = 0; i < scroll->tiles; i++) {
        const ScrollBox *box = &scroll->left[i];
        area += (guint64)(box->x1 - box->x0) * (box->y1 - box->y0);
    }
    return area;
}

static void remember(Scroll *scroll, guint64 damaged)
{
    guint largest = 0;

    scroll->largest = (ScrollMove){0};
    for (guint i = 0; i < scroll->n_moves; i++) {
        const ScrollMove *move = &scroll->moves[i];
        if ((guint)move->width * move->height <= largest)
            continue;
        largest = (guint)move->width * move->height;
        scroll->last = (ScrollOffset){move->to_x - move->x, move->to_y - move->y};
        scroll->largest = *move;
    }
    /* Beside what comes into view. */
    guint64 strip = (guint64)ABS(scroll->last.dy) * scroll->largest.width;
    if (left_area(scroll) > 2 * strip + damaged / LITTLE_SHARE)
        scroll->largest.width = 0;
}

/* Tries what one way of guessing says; FALSE: enough has been found. An offset also fits what happens to be
 * blank where another one is right: when there are several, each first takes large rectangles only. */
static gboolean try(Scroll *scroll, guint (*guess)(Scroll *, ScrollOffset *), guint64 enough)
{
    ScrollOffset offsets[SCROLL_OFFSETS];
    guint count = guess(scroll, offsets);
    guint64 large = left_area(scroll) / LARGE_SHARE;

    for (guint i = 0; i < count && count > 1; i++)
        scroll_take(scroll, offsets[i], large);
    for (guint i = 0; i < count; i++)
        scroll_take(scroll, offsets[i], MOVE_LEAST);
    return left_area(scroll) > enough && scroll->n_moves < SCROLL_MOVES_MAX;
}

/* Whoever scrolls goes on scrolling: most frames need no guess. What the last offset explains only in part
 * may be explained better by another one. */
static gboolean goes_on(Scroll *scroll, const Damage *damage, guint64 area)
{
    if (scroll->last.dx == 0 && scroll->last.dy == 0)
        return FALSE;
    scroll_take(scroll, scroll->last, area / LARGE_SHARE);
    if (left_area(scroll) <= area / LEFT_SHARE) {
        scroll_take(scroll, scroll->last, MOVE_LEAST);
        return TRUE;
    }
    start(scroll, scroll->now, scroll->undo, damage);
    return FALSE;
}

/* ---- the order ---- */

static gboolean overlap(guint a, guint a_length, guint b, guint b_length)
{
    return a < b + b_length && b < a + a_length;
}

/* Whether `writer` spoils what `reader` reads. */
static gboolean spoils(const ScrollMove *writer, const ScrollMove *reader)
{
    return overlap(writer->to_x, writer->width, reader->x, reader->width) &&
           overlap(writer->to_y, writer->height, reader->y, reader->height);
}

static gboolean spoils_any(const ScrollMove *moves, guint count, guint writer)
{
    for (guint i = 0; i < count; i++)
        if (i != writer && spoils(&moves[writer], &moves[i]))
            return TRUE;
    return FALSE;
}

static guint smallest(const ScrollMove *moves, guint count)
{
    guint best = 0;
    for (guint i = 1; i < count; i++)
        if (moves[i].width * moves[i].height < moves[best].width * moves[best].height)
            best = i;
    return best;
}

/* Writes first whatever spoils nothing that is still to be read. Where moves wait for each other in a circle
 * the smallest becomes damage again. */
static guint put_in_order(ScrollMove *waiting, guint count, Damage *left, ScrollMove *moves)
{
    guint done = 0;
    while (count > 0) {
        guint next = 0;
        while (next < count && spoils_any(waiting, count, next))
            next++;
        if (next < count) {
            moves[done++] = waiting[next];
        } else {
            next = smallest(waiting, count);
            damage_add(left, waiting[next].to_x, waiting[next].to_y, waiting[next].width,
                       waiting[next].height);
        }
        waiting[next] = waiting[--count];
    }
    return done;
}

/* A film has no moves, frame after frame. */
gboolean scroll_ready(const Scroll *scroll)
{
    return scroll->fruitless < FRUITLESS_MAX || scroll->rested + 1 >= REST;
}

void scroll_skip(Scroll *scroll)
{
    scroll->rested = scroll_ready(scroll) ? 0 : scroll->rested + 1;
}

void scroll_in_vain(Scroll *scroll)
{
    scroll->fruitless = scroll->earlier + 1;
}

void scroll_wake(Scroll *scroll)
{
    scroll->fruitless = 0;
}

void scroll_leave_out(Scroll *scroll, const SeatRect *parts, guint count)
{
    g_return_if_fail(count <= SCROLL_PARTS_MAX);
    scroll->n_left_out = 0;
    for (guint i = 0; i < count; i++)
        if (parts[i].width > 0)
            scroll->left_out[scroll->n_left_out++] = parts[i];
}

static gboolean worth_it(Scroll *scroll)
{
    gboolean ready = scroll_ready(scroll);
    scroll_skip(scroll);
    return ready;
}

static guint points(Scroll *scroll, ScrollOffset *offsets)
{
    return scroll_points(scroll, offsets);
}

const ScrollMove *scroll_expected(const Scroll *scroll)
{
    return scroll->largest.width > 0 && scroll->confirmed < CONFIRMED_MAX ? &scroll->largest : NULL;
}

/* The moves in an order, and what is left. */
static guint conclude(Scroll *scroll, guint64 damaged, Damage *left, ScrollMove *moves)
{
    remember(scroll, damaged);
    damage_clear(left);
    for (guint i = 0; i < scroll->tiles; i++) {
        const ScrollBox *box = &scroll->left[i];
        damage_add(left, box->x0, box->y0, box->x1 - box->x0, box->y1 - box->y0);
    }
    return put_in_order(scroll->moves, scroll->n_moves, left, moves);
}

guint scroll_find(Scroll *scroll, const guint8 *now, const Undo *undo, const Damage *damage, Damage *left,
                  ScrollMove moves[SCROLL_MOVES_MAX])
{
    g_return_val_if_fail(undo->width == scroll->width && undo->height == scroll->height, 0);
    g_return_val_if_fail(damage_tiles(damage) == scroll->tiles, 0);
    guint64 area = damage_area(damage);

    scroll->confirmed = 0;
    scroll->earlier = scroll->fruitless;
    start(scroll, now, undo, damage);
    gboolean searched = area >= DAMAGE_LEAST && worth_it(scroll);
    if (searched && !goes_on(scroll, damage, area) && try(scroll, scroll_lines_vertical, area / LEFT_SHARE) &&
        try(scroll, scroll_lines_horizontal, area / LEFT_SHARE))
        try(scroll, points, 0);
    if (searched)
        scroll->fruitless = scroll->n_moves > 0 ? 0 : scroll->fruitless + 1;
    return conclude(scroll, area, left, moves);
}

guint scroll_confirm(Scroll *scroll, const Forecast *forecast, const Damage *damage, Damage *left,
                     ScrollMove moves[SCROLL_MOVES_MAX])
{
    g_return_val_if_fail(damage_tiles(damage) == scroll->tiles && forecast->tiles == scroll->tiles, 0);
    const ScrollMove *move = &forecast->move;

    start(scroll, NULL, NULL, damage);
    scroll->forecast = forecast;
    scroll_take(scroll, (ScrollOffset){0, move->to_y - move->y}, MOVE_LEAST);
    scroll->forecast = NULL;
    scroll->confirmed++;
    return conclude(scroll, damage_area(damage), left, moves);
}
