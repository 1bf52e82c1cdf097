/* Two rows at a time, with SSE2 where there is one and the same arithmetic in plain C elsewhere. */
#include "encoder/convert.h"

#include "encoder/convert_pixels.h"

static void row_luma_plain(guint8 *y, const guint32 *source, guint width)
{
    for (guint x = 0; x < width; x++) {
        guint32 p = source[x];
        gint32 r = p >> 16 & 255, g = p >> 8 & 255, b = p & 255;
        y[x] = (guint8)((Y_R * r + Y_G * g + Y_B * b + HALF) >> 14);
    }
}

/* The mean of two pixels, each component rounded up as the vector unit does it. */
static inline guint32 mean(guint32 a, guint32 b)
{
    return (a | b) - (((a ^ b) & 0xfefefefe) >> 1);
}

/* One chroma row from two source rows; `pairs` samples. */
static void row_chroma_plain(guint8 *u, guint8 *v, const guint32 *above, const guint32 *below, guint pairs)
{
    for (guint i = 0; i < pairs; i++) {
        guint32 p = mean(mean(above[2 * i], below[2 * i]), mean(above[2 * i + 1], below[2 * i + 1]));
        gint32 r = p >> 16 & 255, g = p >> 8 & 255, b = p & 255;
        u[i] = limited((U_R * r + U_G * g + U_B * b + CENTRE + HALF) >> 14);
        v[i] = limited((V_R * r + V_G * g + V_B * b + CENTRE + HALF) >> 14);
    }
}

#ifdef __SSE2__
static void row_luma(guint8 *y, const guint32 *source, guint width)
{
    const __m128i c = COEFFICIENTS(Y_B, Y_G, Y_R), half = _mm_set1_epi32(HALF);
    guint x = 0;
    for (; x + 16 <= width; x += 16) {
        __m128i a = _mm_packs_epi32(weigh(load(source + x), c, half), weigh(load(source + x + 4), c, half));
        __m128i b =
            _mm_packs_epi32(weigh(load(source + x + 8), c, half), weigh(load(source + x + 12), c, half));
        _mm_storeu_si128((__m128i *)(void *)(y + x), _mm_packus_epi16(a, b));
    }
    row_luma_plain(y + x, source + x, width - x);
}

/* The means of four 2x2 blocks out of two rows of eight pixels. */
static inline __m128i blocks(const guint32 *above, const guint32 *below)
{
    __m128 a = _mm_castsi128_ps(_mm_avg_epu8(load(above), load(below)));
    __m128 b = _mm_castsi128_ps(_mm_avg_epu8(load(above + 4), load(below + 4)));
    return _mm_avg_epu8(_mm_castps_si128(_mm_shuffle_ps(a, b, _MM_SHUFFLE(2, 0, 2, 0))),
                        _mm_castps_si128(_mm_shuffle_ps(a, b, _MM_SHUFFLE(3, 1, 3, 1))));
}

static void row_chroma(guint8 *u, guint8 *v, const guint32 *above, const guint32 *below, guint pairs)
{
    const __m128i cu = COEFFICIENTS(U_B, U_G, U_R), cv = COEFFICIENTS(V_B, V_G, V_R);
    const __m128i offset = _mm_set1_epi32(CENTRE + HALF);
    guint i = 0;
    for (; i + 8 <= pairs; i += 8) {
        __m128i a = blocks(above + 2 * i, below + 2 * i), b = blocks(above + 2 * i + 8, below + 2 * i + 8);
        __m128i blue = _mm_packs_epi32(weigh(a, cu, offset), weigh(b, cu, offset));
        __m128i red = _mm_packs_epi32(weigh(a, cv, offset), weigh(b, cv, offset));
        _mm_storel_epi64((__m128i *)(void *)(u + i), _mm_packus_epi16(blue, blue));
        _mm_storel_epi64((__m128i *)(void *)(v + i), _mm_packus_epi16(red, red));
    }
    row_chroma_plain(u + i, v + i, above + 2 * i, below + 2 * i, pairs - i);
}
#else
#define row_luma row_luma_plain
#define row_chroma row_chroma_plain
#endif

#define CHUNK 256 /* px a turn, even */

static void convert_pair(const YuvPicture *picture, guint y, guint left, guint right, const guint8 *source,
                         gsize stride, guint width, guint height)
{
    const guint8 *above_row = source + MIN(y, height - 1) * stride;
    const guint8 *below_row = source + MIN(y + 1, height - 1) * stride;
    guint32 scratch[2][CHUNK];
    guint8 u[CHUNK / 2], v[CHUNK / 2];

    for (guint x = left; x < right; x += CHUNK) {
        guint count = MIN(CHUNK, right - x);
        const guint32 *above = fetch(scratch[0], above_row, x, count, width);
        const guint32 *below = fetch(scratch[1], below_row, x, count, width);
        row_luma(picture->y + y * picture->y_stride + x, above, count);
        row_luma(picture->y + (y + 1) * picture->y_stride + x, below, count);
        gsize chroma = y / 2 * picture->chroma_stride + x / 2 * picture->chroma_step;
        if (picture->chroma_step == 1) {
            row_chroma(picture->u + chroma, picture->v + chroma, above, below, count / 2);
            continue;
        }
        row_chroma(u, v, above, below, count / 2);
        for (guint i = 0; i < count / 2; i++) {
            picture->u[chroma + 2 * i] = u[i];
            picture->u[chroma + 2 * i + 1] = v[i];
        }
    }
}

void convert_rect(const YuvPicture *picture, const SeatRect *rect, const void *source, gsize stride,
                  guint width, guint height)
{
    guint left = rect->x & ~1u, top = rect->y & ~1u;
    guint right = MIN(((guint)rect->x + rect->width + 1) & ~1u, picture->width);
    guint bottom = MIN(((guint)rect->y + rect->height + 1) & ~1u, picture->height);

    /* The padding belongs to whatever touches the source's edge. */
    if ((guint)rect->x + rect->width >= width)
        right = picture->width;
    if ((guint)rect->y + rect->height >= height)
        bottom = picture->height;
    for (guint y = top; y < bottom; y += 2)
        convert_pair(picture, y, left, right, source, stride, width, height);
}
