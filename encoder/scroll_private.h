/* What the parts of the search share. Not for others. */
#pragma once

#include "encoder/forecast.h"

/* A part of the picture, px, x1 and y1 exclusive; empty when x0 == x1. */
typedef struct {
    guint16 x0, y0, x1, y1;
} ScrollBox;

/* What is at x, y now was at x - dx, y - dy. */
typedef struct {
    gint dx, dy;
} ScrollOffset;

/* Rows of px in which the same tile columns have moved. */
typedef struct {
    guint y, rows;
    guint64 columns[SEAT_WIDTH_MAX / SEAT_TILE / 64]; /* bits */
} ScrollBand;

typedef struct ScrollLines ScrollLines;

struct Scroll {
    guint width, height, tiles_x, tiles_y;
    guint tiles;
    guint fruitless, rested; /* searches in a row without moves; frames since the last one */
    guint earlier;           /* `fruitless` before the last search */
    SeatRect left_out[SCROLL_PARTS_MAX];
    guint n_left_out;
    ScrollOffset last;  /* of the largest move found last; 0, 0: none */
    ScrollMove largest; /* that one, if it has left little else; width 0: it has not, or there was none */
    guint confirmed;    /* forecasts in a row that have come true */

    /* the frame */
    const guint8 *now;
    const Undo *undo;         /* NULL under a forecast */
    const Forecast *forecast; /* NULL without */
    ScrollBox bounds;         /* around all damage */
    ScrollBox *left;          /* of each tile: damage that no move covers yet */
    gboolean *examined; /* tiles that an offset is verified on: damaged ones, and single ones between them */
    guint n_moves;
    ScrollMove moves[SCROLL_MOVES_MAX];

    /* scratch */
    ScrollLines *lines;
    ScrollBox *cells;  /* of each tile: what is compared */
    ScrollBand *bands; /* at most one a row */
};

static inline gboolean scroll_box_empty(const ScrollBox *box)
{
    return box->x0 == box->x1;
}

static inline const guint8 *scroll_now(const Scroll *scroll, guint x, guint y)
{
    return scroll->now + y * scroll->undo->stride + x * 4u;
}

static inline const guint8 *scroll_before(const Scroll *scroll, guint x, guint y)
{
    return undo_before(scroll->undo, scroll->now, x, y);
}

/* Whether `width` px at x, y are now what they were at from_x, from_y; both inside the picture. */
gboolean scroll_same(const Scroll *scroll, guint x, guint y, guint width, guint from_x, guint from_y);

/* Guesses; each writes up to SCROLL_OFFSETS, the likeliest first, and returns how many. */
guint scroll_lines_vertical(Scroll *scroll, ScrollOffset *offsets);
guint scroll_lines_horizontal(Scroll *scroll, ScrollOffset *offsets);
guint scroll_points(const Scroll *scroll, ScrollOffset *offsets);

ScrollLines *scroll_lines_new(guint longest);
void scroll_lines_free(ScrollLines *lines);

/* Finds the rectangles of at least `least` px that have moved by `offset`, adds them to the moves and takes
 * them off `left`. */
void scroll_take(Scroll *scroll, ScrollOffset offset, guint64 least);
