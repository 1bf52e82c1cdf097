/* Arithmetic of rectangles in px. */
#pragma once

#include "base/proto/seat_link.h"

static inline guint rect_right(const SeatRect *rect)
{
    return (guint)rect->x + rect->width;
}

static inline guint rect_bottom(const SeatRect *rect)
{
    return (guint)rect->y + rect->height;
}

static inline SeatRect rect_of_edges(guint left, guint top, guint right, guint bottom)
{
    return (SeatRect){.x = (guint16)left,
                      .y = (guint16)top,
                      .width = (guint16)(right - left),
                      .height = (guint16)(bottom - top)};
}

static inline guint64 rect_area(const SeatRect *rect)
{
    return (guint64)rect->width * rect->height;
}

static inline gboolean rect_same(const SeatRect *a, const SeatRect *b)
{
    return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height;
}

/* The smallest one with both, which must not be empty. */
static inline SeatRect rect_union(const SeatRect *a, const SeatRect *b)
{
    return rect_of_edges(MIN(a->x, b->x), MIN(a->y, b->y), MAX(rect_right(a), rect_right(b)),
                         MAX(rect_bottom(a), rect_bottom(b)));
}

/* FALSE: they have nothing in common, *common stays as it is. */
static inline gboolean rect_common(const SeatRect *a, const SeatRect *b, SeatRect *common)
{
    guint left = MAX(a->x, b->x), top = MAX(a->y, b->y);
    guint right = MIN(rect_right(a), rect_right(b)), bottom = MIN(rect_bottom(a), rect_bottom(b));
    if (left >= right || top >= bottom)
        return FALSE;
    *common = rect_of_edges(left, top, right, bottom);
    return TRUE;
}

/* Cuts `rect` into what lies outside of `hole`, disjoint and from top to bottom; returns how many parts. */
static inline guint rect_outside(const SeatRect *rect, const SeatRect *hole, SeatRect outside[4])
{
    guint right = rect_right(rect), bottom = rect_bottom(rect), count = 0;
    SeatRect common;

    if (!rect_common(rect, hole, &common)) {
        outside[0] = *rect;
        return 1;
    }
    guint x0 = common.x, y0 = common.y, x1 = rect_right(&common), y1 = rect_bottom(&common);
    const SeatRect parts[4] = {rect_of_edges(rect->x, rect->y, right, y0), rect_of_edges(rect->x, y0, x0, y1),
                               rect_of_edges(x1, y0, right, y1), rect_of_edges(rect->x, y1, right, bottom)};
    for (guint i = 0; i < 4; i++)
        if (parts[i].width > 0 && parts[i].height > 0)
            outside[count++] = parts[i];
    return count;
}

static inline gboolean rect_inside(const SeatRect *inner, const SeatRect *outer)
{
    return inner->x >= outer->x && inner->y >= outer->y && rect_right(inner) <= rect_right(outer) &&
           rect_bottom(inner) <= rect_bottom(outer);
}
