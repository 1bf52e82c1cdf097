/* Shrinking by box, first down, then across. Weights are fractions of ONE and sums fit 32 bits: no division a
 * pixel, and what one colour has filled keeps it. */
#include "encoder/shrink.h"

#define BITS 15
#define ONE (1u << BITS)
#define KEPT 8 /* bits of a fraction that a row's sums keep on their way across */

/* The pixels of the source under a new one along one axis. */
typedef struct {
    guint first, count;
    const guint16 *weights; /* their sum is ONE */
} Span;

typedef struct {
    guint source, size; /* px */
    Span *spans;        /* of `size` pixels */
    guint16 *weights;
} Axis;

struct Shrink {
    Axis across, down;
    guint32 *sums; /* of a row of the source, 4 a pixel */
};

/* In units of which a pixel of the source has `size` and a new one has `source`. The weights are differences
 * of a rounded sum, so that no rounding adds up. */
static void axis_init(Axis *axis, guint source, guint size)
{
    axis->source = source;
    axis->size = size;
    axis->spans = g_new(Span, size);
    axis->weights = g_new(guint16, (gsize)source + size);
    guint16 *next = axis->weights;
    for (guint at = 0; at < size; at++) {
        guint64 from = (guint64)at * source, to = from + source;
        guint first = (guint)(from / size), last = (guint)((to - 1) / size), before = 0;
        axis->spans[at] = (Span){first, last - first + 1, next};
        for (guint i = first; i <= last; i++) {
            guint64 covered = MIN((guint64)(i + 1) * size, to) - from;
            guint sum = (guint)((covered * ONE + source / 2) / source);
            *next++ = (guint16)(sum - before);
            before = sum;
        }
    }
}

Shrink *shrink_new(guint source_width, guint source_height, guint width, guint height)
{
    g_return_val_if_fail(width > 0 && width <= source_width && height > 0 && height <= source_height, NULL);

    Shrink *shrink = g_new0(Shrink, 1);
    axis_init(&shrink->across, source_width, width);
    axis_init(&shrink->down, source_height, height);
    shrink->sums = g_new(guint32, (gsize)source_width * 4);
    return shrink;
}

void shrink_free(Shrink *shrink)
{
    if (!shrink)
        return;
    g_free(shrink->across.spans);
    g_free(shrink->across.weights);
    g_free(shrink->down.spans);
    g_free(shrink->down.weights);
    g_free(shrink->sums);
    g_free(shrink);
}

static guint reach_from(const Axis *axis, guint at)
{
    return (guint)((guint64)at * axis->size / axis->source);
}

static guint reach_to(const Axis *axis, guint at)
{
    return (guint)(((guint64)at * axis->size + axis->source - 1) / axis->source);
}

SeatRect shrink_reach(const Shrink *shrink, const SeatRect *source_part)
{
    guint x = reach_from(&shrink->across, source_part->x), y = reach_from(&shrink->down, source_part->y);
    guint right = reach_to(&shrink->across, (guint)source_part->x + source_part->width);
    guint bottom = reach_to(&shrink->down, (guint)source_part->y + source_part->height);
    return (SeatRect){
        .x = (guint16)x, .y = (guint16)y, .width = (guint16)(right - x), .height = (guint16)(bottom - y)};
}

static void add_row(guint32 *restrict sums, const guint8 *restrict row, guint bytes, guint16 weight)
{
    for (guint i = 0; i < bytes; i++)
        sums[i] += (guint32)row[i] * weight;
}

/* The mean of each column under row `y` of the result, into shrink->sums as fractions of 1 << KEPT. */
static void sum_down(Shrink *shrink, guint y, guint left, guint right, const guint8 *source, gsize stride)
{
    const Span *span = &shrink->down.spans[y];
    guint bytes = (right - left) * 4;
    guint32 *sums = shrink->sums;

    for (guint i = 0; i < bytes; i++)
        sums[i] = 1u << (BITS - KEPT - 1);
    for (guint i = 0; i < span->count; i++)
        add_row(sums, source + (span->first + i) * stride + (gsize)left * 4, bytes, span->weights[i]);
    for (guint i = 0; i < bytes; i++)
        sums[i] >>= BITS - KEPT;
}

static guint32 sum_across(const Span *span, const guint32 *sums)
{
    const guint half = 1u << (BITS + KEPT - 1);
    guint32 blue = half, green = half, red = half;

    for (guint i = 0; i < span->count; i++, sums += 4) {
        guint weight = span->weights[i];
        blue += sums[0] * weight;
        green += sums[1] * weight;
        red += sums[2] * weight;
    }
    return 0xff000000u | (red >> (BITS + KEPT)) << 16 | (green >> (BITS + KEPT)) << 8 | blue >> (BITS + KEPT);
}

void shrink_part(Shrink *shrink, const SeatRect *part, const void *source, gsize stride, guint32 *result)
{
    guint right = (guint)part->x + part->width, bottom = (guint)part->y + part->height;
    g_return_if_fail(right <= shrink->across.size && bottom <= shrink->down.size);
    if (part->width == 0 || part->height == 0)
        return;

    const Span *spans = shrink->across.spans, *last = &spans[right - 1];
    guint source_left = spans[part->x].first;
    for (guint y = part->y; y < bottom; y++) {
        guint32 *row = result + (gsize)y * shrink->across.size;
        sum_down(shrink, y, source_left, last->first + last->count, source, stride);
        for (guint x = part->x; x < right; x++)
            row[x] = GUINT32_TO_LE(
                sum_across(&spans[x], shrink->sums + (gsize)(spans[x].first - source_left) * 4));
    }
}
