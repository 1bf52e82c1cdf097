/* Whoever scrolls goes on scrolling: while a picture is copied each of its rows is compared with the one that
 * the last move would bring there, so that nothing need be kept of what is overwritten, and nothing read
 * again to find the move once more. Only for moves upwards: what they read has not been overwritten yet when
 * the copy, from top to bottom, comes to where they write. */
#pragma once

#include "encoder/scroll.h"

struct Forecast {
    guint tiles_x, tiles;
    gsize stride;    /* bytes of the shadow's rows */
    ScrollMove move; /* the expected one */
    gboolean open;   /* rows are noted; later they are only struck out */
    guint64 *moved;  /* of each tile: bit y % SEAT_TILE: its row y, as far as the move writes it, has moved */
};

/* For a picture of width x height px with `stride` bytes a row in the shadow. One thread at a time. */
Forecast *forecast_new(guint width, guint height, gsize stride);
void forecast_free(Forecast *forecast);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Forecast, forecast_free)

/* Whether the move is likely to be the next picture's, too: samples say so of `source` (XRGB8888,
 * source_stride bytes a row) and `before`, the shadow as it is, and the changed rectangles have much of what
 * it writes. Then all that it writes is to be copied first, in one rectangle, and after forecast_close() what
 * is outside of it: forecast_outside() cuts a rectangle so. FALSE: no forecast. `move` may be NULL. */
gboolean forecast_begin(Forecast *forecast, const ScrollMove *move, const guint8 *before,
                        const guint8 *source, gsize source_stride, const SeatRect *rects, guint count);
void forecast_close(Forecast *forecast);
guint forecast_outside(const Forecast *forecast, const SeatRect *rect, SeatRect outside[4]);
