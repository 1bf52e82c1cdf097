/* Whether a move is worth expecting, told from samples. */
#include "encoder/forecast.h"

#include "encoder/rect.h"

#include <string.h>

#define SAMPLES 128     /* stretches of a tile's width */
#define CHANGED_LEAST 8 /* of them: less says nothing */
#define COVERED_SHARE 2 /* at least a half of what the move writes must be damaged */
#define WRONG_SHARE 32  /* of those that have changed one in so many may be something else */

Forecast *forecast_new(guint width, guint height, gsize stride)
{
    Forecast *forecast = g_new0(Forecast, 1);
    forecast->tiles_x = (width + SEAT_TILE - 1) / SEAT_TILE;
    forecast->tiles = forecast->tiles_x * ((height + SEAT_TILE - 1) / SEAT_TILE);
    forecast->stride = stride;
    forecast->moved = g_new0(guint64, forecast->tiles);
    return forecast;
}

void forecast_free(Forecast *forecast)
{
    if (!forecast)
        return;
    g_free(forecast->moved);
    g_free(forecast);
}

static gboolean likely(const Forecast *forecast, const guint8 *before, const guint8 *source,
                       gsize source_stride)
{
    const ScrollMove *move = &forecast->move;
    guint width = MIN(SEAT_TILE, move->width), steps = move->width / width, changed = 0, wrong = 0;

    for (guint i = 0; i < SAMPLES; i++) {
        guint x = move->to_x + i * 7 % steps * width, down = (guint)((guint64)move->height * i / SAMPLES);
        const guint8 *now = source + (move->to_y + down) * source_stride + x * 4u;
        const guint8 *old = before + (move->to_y + down) * forecast->stride + x * 4u;
        if (memcmp(now, old, width * 4u) == 0)
            continue;
        changed++;
        wrong += memcmp(now, before + (move->y + down) * forecast->stride + x * 4u, width * 4u) != 0;
    }
    return changed >= CHANGED_LEAST && wrong * WRONG_SHARE <= changed;
}

static guint overlap(guint a, guint a_length, guint b, guint b_length)
{
    guint from = MAX(a, b), to = MIN(a + a_length, b + b_length);
    return to > from ? to - from : 0;
}

/* Whether much of what the move writes is to be copied anyway. */
static gboolean covered(const ScrollMove *move, const SeatRect *rects, guint count)
{
    guint64 area = 0;
    for (guint i = 0; i < count; i++)
        area += (guint64)overlap(rects[i].x, rects[i].width, move->to_x, move->width) *
                overlap(rects[i].y, rects[i].height, move->to_y, move->height);
    return area * COVERED_SHARE >= (guint64)move->width * move->height;
}

gboolean forecast_begin(Forecast *forecast, const ScrollMove *move, const guint8 *before,
                        const guint8 *source, gsize source_stride, const SeatRect *rects, guint count)
{
    if (!move || move->x != move->to_x || move->to_y >= move->y || !covered(move, rects, count))
        return FALSE;
    forecast->move = *move;
    if (!likely(forecast, before, source, source_stride))
        return FALSE;
    memset(forecast->moved, 0, forecast->tiles * sizeof *forecast->moved);
    forecast->open = TRUE;
    return TRUE;
}

void forecast_close(Forecast *forecast)
{
    forecast->open = FALSE;
}

guint forecast_outside(const Forecast *forecast, const SeatRect *rect, SeatRect outside[4])
{
    const ScrollMove *move = &forecast->move;
    const SeatRect written = {.x = move->to_x, .y = move->to_y, .width = move->width, .height = move->height};

    return rect_outside(rect, &written, outside);
}
