/* Tile by tile, two rows at a time, into a copy that stays in the first cache until it is known to be needed.
 */
#include "encoder/auxiliary.h"

#include "encoder/convert_pixels.h"

#include <string.h>

#define TILE AUXILIARY_TILE
#define HALF_TILE (TILE / 2)
#define QUARTER_TILE (TILE / 4)
/* Neighbours whose chroma differs by less look alike. */
#define STEP 24
/* By how much more, over all neighbours of a tile, until the eye minds: a dozen glyph edges, red on blue. */
#define EXCESS_MAX 2000

/* A tile of the view; the left halves hold U, the right ones V. */
typedef struct {
    guint8 luma[TILE][TILE];
    guint8 u[HALF_TILE][HALF_TILE], v[HALF_TILE][HALF_TILE];
} Tile;

void auxiliary_row_plain(guint8 *u, guint8 *v, const guint32 *source, guint count)
{
    for (guint i = 0; i < count; i++) {
        guint32 p = source[i];
        gint32 r = p >> 16 & 255, g = p >> 8 & 255, b = p & 255;
        u[i] = limited((U_R * r + U_G * g + U_B * b + CENTRE + HALF) >> FRACTION);
        v[i] = limited((V_R * r + V_G * g + V_B * b + CENTRE + HALF) >> FRACTION);
    }
}

#ifdef __SSE2__
static inline __m128i sixteen(const guint32 *source, Weights weights)
{
    const __m128i offset = _mm_set1_epi32(CENTRE + HALF);
    __m128i a =
        _mm_packs_epi32(weigh(load(source), weights, offset), weigh(load(source + 4), weights, offset));
    __m128i b =
        _mm_packs_epi32(weigh(load(source + 8), weights, offset), weigh(load(source + 12), weights, offset));
    return _mm_packus_epi16(a, b);
}

void auxiliary_row(guint8 *u, guint8 *v, const guint32 *source, guint count)
{
    const Weights cu = WEIGHTS(U_B, U_G, U_R), cv = WEIGHTS(V_B, V_G, V_R);
    guint i = 0;
    for (; i + 16 <= count; i += 16) {
        _mm_storeu_si128((__m128i *)(void *)(u + i), sixteen(source + i, cu));
        _mm_storeu_si128((__m128i *)(void *)(v + i), sixteen(source + i, cv));
    }
    auxiliary_row_plain(u + i, v + i, source + i, count - i);
}
#else
void auxiliary_row(guint8 *u, guint8 *v, const guint32 *source, guint count)
{
    auxiliary_row_plain(u, v, source, count);
}
#endif

/* Even and odd columns of a tile's row apart. */
static void part(guint8 *even, guint8 *odd, const guint8 *row)
{
    for (guint i = 0; i < HALF_TILE; i++) {
        even[i] = row[2 * i];
        odd[i] = row[2 * i + 1];
    }
}

static guint excess(const guint8 *a, const guint8 *b)
{
    guint sum = 0;
    for (guint i = 0; i < HALF_TILE; i++) {
        guint8 most = MAX(a[i], b[i]), least = MIN(a[i], b[i]), apart = (guint8)(most - least);
        sum += (guint8)(MAX(apart, STEP) - STEP);
    }
    return sum;
}

/* One component of two rows; `at` 0: U, HALF_TILE: V. Returns by how much neighbours differ too much. */
static guint pack_component(Tile *tile, guint y, guint at, const guint8 *above, const guint8 *below)
{
    guint8 even[2][HALF_TILE];
    guint8 *odd_above = tile->luma[y] + at, *odd_below = tile->luma[y + 1] + at;

    part(even[0], odd_above, above);
    part(even[1], odd_below, below);
    for (guint i = 0; i < QUARTER_TILE; i++) {
        tile->u[y / 2][at / 2 + i] = even[1][2 * i];
        tile->v[y / 2][at / 2 + i] = even[1][2 * i + 1];
    }
    return excess(even[0], odd_above) + excess(even[1], odd_below) + excess(even[0], even[1]);
}

static guint pack_rows(Tile *tile, guint y, const guint32 *above, const guint32 *below)
{
    guint8 u[2][TILE], v[2][TILE];

    auxiliary_row(u[0], v[0], above, TILE);
    auxiliary_row(u[1], v[1], below, TILE);
    return pack_component(tile, y, 0, u[0], u[1]) + pack_component(tile, y, HALF_TILE, v[0], v[1]);
}

static void put(guint8 *to, const guint8 *from, guint count, guint step)
{
    if (step == 1)
        memcpy(to, from, count);
    else
        for (guint i = 0; i < count; i++)
            to[i * step] = from[i];
}

static void put_tile(const YuvPicture *view, guint x, guint y, const Tile *tile)
{
    guint columns = MIN(TILE, view->width - x), rows = MIN(TILE, view->height - y), step = view->chroma_step;

    for (guint row = 0; row < rows; row++) {
        guint8 *luma = view->y + (y + row) * view->y_stride + x / 2;
        put(luma, tile->luma[row], columns / 2, 1);
        put(luma + view->width / 2, tile->luma[row] + HALF_TILE, columns / 2, 1);
    }
    for (guint row = 0; row < rows / 2; row++) {
        gsize left = (y / 2 + row) * view->chroma_stride + x / 4 * step,
              right = left + view->width / 4 * step;
        put(view->u + left, tile->u[row], columns / 4, step);
        put(view->u + right, tile->u[row] + QUARTER_TILE, columns / 4, step);
        put(view->v + left, tile->v[row], columns / 4, step);
        put(view->v + right, tile->v[row] + QUARTER_TILE, columns / 4, step);
    }
}

gboolean auxiliary_tile(const YuvPicture *view, guint x, guint y, const void *source, gsize stride,
                        guint width, guint height)
{
    guint rows = view ? MIN(TILE, view->height - y) : MIN(TILE, (height + 1 - y) & ~1u), differs = 0;
    guint32 scratch[2][TILE];
    Tile tile;

    for (guint row = 0; row < rows; row += 2) {
        const guint8 *above = (const guint8 *)source + MIN(y + row, height - 1) * stride;
        const guint8 *below = (const guint8 *)source + MIN(y + row + 1, height - 1) * stride;
        differs += pack_rows(&tile, row, fetch(scratch[0], above, x, TILE, width),
                             fetch(scratch[1], below, x, TILE, width));
    }
    if (differs <= EXCESS_MAX)
        return FALSE;
    if (view)
        put_tile(view, x, y, &tile);
    return TRUE;
}
