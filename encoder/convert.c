/* Two rows at a time, with SSE2 or AVX2 where they are and the same arithmetic in plain C elsewhere. */
#include "encoder/convert.h"

#include "encoder/convert_pixels.h"

/* `width` px of two rows of the source, even, and where they go. */
typedef struct {
    const guint32 *above, *below;
    guint8 *y_above, *y_below, *u, *v;
    guint width;
} Pair;

/* What follows the first `x` px, even. */
static inline Pair pair_rest(const Pair *pair, guint x)
{
    return (Pair){pair->above + x, pair->below + x, pair->y_above + x, pair->y_below + x,
                  pair->u + x / 2, pair->v + x / 2, pair->width - x};
}

static void row_luma_plain(guint8 *y, const guint32 *source, guint width)
{
    for (guint x = 0; x < width; x++) {
        guint32 p = source[x];
        gint32 r = p >> 16 & 255, g = p >> 8 & 255, b = p & 255;
        y[x] = (guint8)((Y_R * r + Y_G * g + Y_B * b + HALF) >> FRACTION);
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
        u[i] = limited((U_R * r + U_G * g + U_B * b + CENTRE + HALF) >> FRACTION);
        v[i] = limited((V_R * r + V_G * g + V_B * b + CENTRE + HALF) >> FRACTION);
    }
}

static void pair_plain(const Pair *pair)
{
    row_luma_plain(pair->y_above, pair->above, pair->width);
    row_luma_plain(pair->y_below, pair->below, pair->width);
    row_chroma_plain(pair->u, pair->v, pair->above, pair->below, pair->width / 2);
}

#ifdef __SSE2__
static void row_luma_sse2(guint8 *y, const guint32 *source, guint width)
{
    const __m128i half = _mm_set1_epi32(HALF);
    const Weights w = WEIGHTS(Y_B, Y_G, Y_R);
    guint x = 0;
    for (; x + 16 <= width; x += 16) {
        __m128i a = _mm_packs_epi32(weigh(load(source + x), w, half), weigh(load(source + x + 4), w, half));
        __m128i b =
            _mm_packs_epi32(weigh(load(source + x + 8), w, half), weigh(load(source + x + 12), w, half));
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

static void row_chroma_sse2(guint8 *u, guint8 *v, const guint32 *above, const guint32 *below, guint pairs)
{
    const Weights wu = WEIGHTS(U_B, U_G, U_R), wv = WEIGHTS(V_B, V_G, V_R);
    const __m128i offset = _mm_set1_epi32(CENTRE + HALF);
    guint i = 0;
    for (; i + 8 <= pairs; i += 8) {
        __m128i a = blocks(above + 2 * i, below + 2 * i), b = blocks(above + 2 * i + 8, below + 2 * i + 8);
        __m128i blue = _mm_packs_epi32(weigh(a, wu, offset), weigh(b, wu, offset));
        __m128i red = _mm_packs_epi32(weigh(a, wv, offset), weigh(b, wv, offset));
        _mm_storel_epi64((__m128i *)(void *)(u + i), _mm_packus_epi16(blue, blue));
        _mm_storel_epi64((__m128i *)(void *)(v + i), _mm_packus_epi16(red, red));
    }
    row_chroma_plain(u + i, v + i, above + 2 * i, below + 2 * i, pairs - i);
}

static void pair_sse2(const Pair *pair)
{
    row_luma_sse2(pair->y_above, pair->above, pair->width);
    row_luma_sse2(pair->y_below, pair->below, pair->width);
    row_chroma_sse2(pair->u, pair->v, pair->above, pair->below, pair->width / 2);
}

/* ---- AVX2: the same sums out of products of bytes; its instructions keep to halves, which is undone at the
 * end. No coefficient may exceed a signed byte, and no two products 16 bits: the largest of each three takes
 * the unused fourth byte's place as well, and is split. ---- */

#define AVX2 __attribute__((target("avx2")))
#define AVX2_INLINE AVX2 static inline __attribute__((always_inline))

#define EACH_PIXEL(A, B, C, D)                                                                               \
    _mm256_set1_epi32((gint32)((guint32)(guint8)(A) | (guint32)(guint8)(B) << 8 |                            \
                               (guint32)(guint8)(C) << 16 | (guint32)(guint8)(D) << 24))
/* For _mm256_shuffle_epi8(): blue, green and red stay, byte `BYTE` of each pixel is the fourth. */
#define FOURTH(BYTE)                                                                                         \
    _mm256_add_epi32(EACH_PIXEL(0, 1, 2, BYTE), _mm256_setr_epi32(0, 0x04040404, 0x08080808, 0x0c0c0c0c, 0,  \
                                                                  0x04040404, 0x08080808, 0x0c0c0c0c))
#define Y_G_FIRST (128 - Y_B)

AVX2_INLINE __m256i load_avx2(const guint32 *pixels)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)pixels);
}

/* Sixteen pixels' sums, 16 bits each. */
AVX2_INLINE __m256i sums_avx2(__m256i a, __m256i b, __m256i fourth, __m256i weights)
{
    return _mm256_hadd_epi16(_mm256_maddubs_epi16(_mm256_shuffle_epi8(a, fourth), weights),
                             _mm256_maddubs_epi16(_mm256_shuffle_epi8(b, fourth), weights));
}

/* Unsigned ones. */
AVX2_INLINE __m256i luma_avx2(__m256i a, __m256i b)
{
    __m256i sums = sums_avx2(a, b, FOURTH(1), EACH_PIXEL(Y_B, Y_G_FIRST, Y_R, Y_G - Y_G_FIRST));
    return _mm256_srli_epi16(_mm256_add_epi16(sums, _mm256_set1_epi16(HALF)), FRACTION);
}

AVX2_INLINE void put_luma_avx2(guint8 *y, const __m256i pixels[4])
{
    __m256i both = _mm256_packus_epi16(luma_avx2(pixels[0], pixels[1]), luma_avx2(pixels[2], pixels[3]));
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256((__m256i *)(void *)y, _mm256_permutevar8x32_epi32(both, order));
}

/* The means of eight 2x2 blocks out of two rows of sixteen pixels, in the order 0 1 4 5 2 3 6 7. */
AVX2_INLINE __m256i blocks_avx2(const __m256i above[2], const __m256i below[2])
{
    __m256 a = _mm256_castsi256_ps(_mm256_avg_epu8(above[0], below[0]));
    __m256 b = _mm256_castsi256_ps(_mm256_avg_epu8(above[1], below[1]));
    return _mm256_avg_epu8(_mm256_castps_si256(_mm256_shuffle_ps(a, b, _MM_SHUFFLE(2, 0, 2, 0))),
                           _mm256_castps_si256(_mm256_shuffle_ps(a, b, _MM_SHUFFLE(3, 1, 3, 1))));
}

/* Signed ones, around 0; what would be 128 is 127. */
AVX2_INLINE __m256i chroma_avx2(__m256i a, __m256i b, __m256i fourth, __m256i weights)
{
    __m256i sums = sums_avx2(a, b, fourth, weights);
    return _mm256_srai_epi16(_mm256_adds_epi16(sums, _mm256_set1_epi16(HALF)), FRACTION);
}

AVX2_INLINE void put_chroma_avx2(guint8 *u, guint8 *v, const __m256i above[4], const __m256i below[4])
{
    __m256i a = blocks_avx2(above, below), b = blocks_avx2(above + 2, below + 2);
    __m256i blue = chroma_avx2(a, b, FOURTH(0), EACH_PIXEL(U_B / 2, U_G, U_R, U_B / 2));
    __m256i red = chroma_avx2(a, b, FOURTH(2), EACH_PIXEL(V_B, V_G, V_R / 2, V_R / 2));
    /* Each half: its pairs of U, then those of V; the lower one has the even pairs. */
    __m256i both = _mm256_xor_si256(_mm256_packs_epi16(blue, red), _mm256_set1_epi8((char)128));
    __m128i even = _mm256_castsi256_si128(both), odd = _mm256_extracti128_si256(both, 1);
    _mm_storeu_si128((__m128i *)(void *)u, _mm_unpacklo_epi16(even, odd));
    _mm_storeu_si128((__m128i *)(void *)v, _mm_unpackhi_epi16(even, odd));
}

AVX2 static void pair_avx2(const Pair *pair)
{
    __m256i above[4], below[4];
    guint x = 0;
    for (; x + 32 <= pair->width; x += 32) {
        for (guint i = 0; i < 4; i++) {
            above[i] = load_avx2(pair->above + x + 8 * i);
            below[i] = load_avx2(pair->below + x + 8 * i);
        }
        put_luma_avx2(pair->y_above + x, above);
        put_luma_avx2(pair->y_below + x, below);
        put_chroma_avx2(pair->u + x / 2, pair->v + x / 2, above, below);
    }
    if (x < pair->width) {
        Pair rest = pair_rest(pair, x);
        pair_sse2(&rest);
    }
}
#endif

/* ---- the choice ---- */

typedef void PairKernel(const Pair *pair);

static PairKernel *const kernels[CONVERT_VARIANTS] = {
    [CONVERT_PLAIN] = pair_plain,
#ifdef __SSE2__
    [CONVERT_SSE2] = pair_sse2,
    [CONVERT_AVX2] = pair_avx2,
#endif
};

gboolean convert_has(ConvertVariant variant)
{
#ifdef __SSE2__
    if (variant == CONVERT_AVX2)
        return __builtin_cpu_supports("avx2") != 0;
#endif
    return kernels[variant] != NULL;
}

ConvertVariant convert_best(void)
{
    ConvertVariant best = CONVERT_VARIANTS - 1;
    while (!convert_has(best))
        best--;
    return best;
}

const char *convert_name(ConvertVariant variant)
{
    static const char *const names[CONVERT_VARIANTS] = {"plain C", "SSE2", "AVX2"};
    return names[variant];
}

/* ---- rectangles ---- */

#define CHUNK 2048 /* px a turn, even */

typedef struct {
    guint32 above[CHUNK], below[CHUNK];
    guint8 u[CHUNK / 2], v[CHUNK / 2];
} Scratch;

static void convert_pair(PairKernel *kernel, Scratch *scratch, const YuvPicture *picture, guint y, guint left,
                         guint right, const guint8 *source, gsize stride, guint width, guint height)
{
    const guint8 *above_row = source + MIN(y, height - 1) * stride;
    const guint8 *below_row = source + MIN(y + 1, height - 1) * stride;

    for (guint x = left; x < right; x += CHUNK) {
        guint count = MIN(CHUNK, right - x);
        gsize chroma = y / 2 * picture->chroma_stride + x / 2 * picture->chroma_step;
        guint8 *luma = picture->y + y * picture->y_stride + x;
        gboolean interleaved = picture->chroma_step != 1;
        Pair pair = {.above = fetch(scratch->above, above_row, x, count, width),
                     .below = fetch(scratch->below, below_row, x, count, width),
                     .y_above = luma,
                     .y_below = luma + picture->y_stride,
                     .u = interleaved ? scratch->u : picture->u + chroma,
                     .v = interleaved ? scratch->v : picture->v + chroma,
                     .width = count};
        kernel(&pair);
        for (guint i = 0; interleaved && i < count / 2; i++) {
            picture->u[chroma + 2 * i] = scratch->u[i];
            picture->u[chroma + 2 * i + 1] = scratch->v[i];
        }
    }
}

void convert_rect(const YuvPicture *picture, const SeatRect *rect, const void *source, gsize stride,
                  guint width, guint height)
{
    convert_rect_as(convert_best(), picture, rect, source, stride, width, height);
}

void convert_rect_as(ConvertVariant variant, const YuvPicture *picture, const SeatRect *rect,
                     const void *source, gsize stride, guint width, guint height)
{
    Scratch scratch;
    guint left = rect->x & ~1u, top = rect->y & ~1u;
    guint right = MIN(((guint)rect->x + rect->width + 1) & ~1u, picture->width);
    guint bottom = MIN(((guint)rect->y + rect->height + 1) & ~1u, picture->height);

    /* The padding belongs to whatever touches the source's edge. */
    if ((guint)rect->x + rect->width >= width)
        right = picture->width;
    if ((guint)rect->y + rect->height >= height)
        bottom = picture->height;
    for (guint y = top; y < bottom; y += 2)
        convert_pair(kernels[variant], &scratch, picture, y, left, right, source, stride, width, height);
}
