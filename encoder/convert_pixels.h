/* What convert.c and chroma.c compute alike: one pixel's luma and chroma, plain and with SSE2. */
#pragma once

#include <glib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Full range BT.709 with 14 fractional bits (ITU-R BT.709-6, chroma scaled to 0..255 around 128); the three
 * of each sum up so that grey stays grey. */
#define Y_R 3483
#define Y_G 11718
#define Y_B 1183
#define U_R (-1877)
#define U_G (-6315)
#define U_B 8192
#define V_R 8192
#define V_G (-7441)
#define V_B (-751)
#define HALF (1 << 13)
#define CENTRE (128 << 14)

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
/* Four pixels times one set of coefficients: four sums. */
static inline __m128i weigh(__m128i pixels, __m128i coefficients, __m128i offset)
{
    __m128i zero = _mm_setzero_si128();
    __m128 low = _mm_castsi128_ps(_mm_madd_epi16(_mm_unpacklo_epi8(pixels, zero), coefficients));
    __m128 high = _mm_castsi128_ps(_mm_madd_epi16(_mm_unpackhi_epi8(pixels, zero), coefficients));
    __m128i blue_green = _mm_castps_si128(_mm_shuffle_ps(low, high, _MM_SHUFFLE(2, 0, 2, 0)));
    __m128i red = _mm_castps_si128(_mm_shuffle_ps(low, high, _MM_SHUFFLE(3, 1, 3, 1)));
    return _mm_srai_epi32(_mm_add_epi32(_mm_add_epi32(blue_green, red), offset), 14);
}

static inline __m128i load(const guint32 *pixels)
{
    return _mm_loadu_si128((const __m128i *)(const void *)pixels);
}

#define COEFFICIENTS(B, G, R) _mm_set_epi16(0, R, G, B, 0, R, G, B)
#endif
