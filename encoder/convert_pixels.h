/* What convert.c and auxiliary.c compute alike: one pixel's luma and chroma, plain and with SSE2. */
#pragma once

#include <glib.h>

#ifdef __SSE2__
#include <immintrin.h>
#endif

/* Full range BT.709 with 8 fractional bits (ITU-R BT.709-6, chroma scaled to 0..255 around 128): at most 0.6
 * of a level wrong, and vectors multiply bytes. The three of each sum up so that grey stays grey. */
#define FRACTION 8
#define Y_R 55
#define Y_G 183
#define Y_B 18
#define U_R (-29)
#define U_G (-99)
#define U_B 128
#define V_R 128
#define V_G (-116)
#define V_B (-12)
#define HALF (1 << (FRACTION - 1))
#define CENTRE (128 << FRACTION)

static inline guint8 limited(gint32 value)
{
    return value > 255 ? 255 : value < 0 ? 0 : (guint8)value;
}

/* Fetches `count` pixels of a row from x on, repeating the last one past the source's edge. */
static inline const guint32 *fetch(guint32 *scratch, const guint8 *row, guint x, guint count, guint width)
{
    const guint32 *pixels = (const guint32 *)(const void *)row;
    if (x + count <= width)
        return pixels + x;
    for (guint i = 0; i < count; i++)
        scratch[i] = pixels[MIN(x + i, width - 1)];
    return scratch;
}

#ifdef __SSE2__
/* One set of coefficients: blue's and red's stand where those bytes are in pixels of which each second byte
 * is masked out, green's where it is when the others are shifted out. */
typedef struct {
    __m128i blue_red, green;
} Weights;

#define BLUE_RED(B, R) ((gint32)((guint32)(guint16)(B) | (guint32)(guint16)(R) << 16))
#define WEIGHTS(B, G, R)                                                                                     \
    {                                                                                                        \
        _mm_set1_epi32(BLUE_RED(B, R)), _mm_set1_epi32((guint16)(G))                                         \
    }

/* Four pixels times one set of coefficients: four sums. */
static inline __m128i weigh(__m128i pixels, Weights weights, __m128i offset)
{
    __m128i blue_red = _mm_madd_epi16(_mm_and_si128(pixels, _mm_set1_epi16(255)), weights.blue_red);
    __m128i green = _mm_madd_epi16(_mm_srli_epi16(pixels, 8), weights.green);
    return _mm_srai_epi32(_mm_add_epi32(_mm_add_epi32(blue_red, green), offset), FRACTION);
}

static inline __m128i load(const guint32 *pixels)
{
    return _mm_loadu_si128((const __m128i *)(const void *)pixels);
}
#endif
