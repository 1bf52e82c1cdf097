/* The kernels of compare-and-copy, and which of them this machine can run. Intrinsics live here and nowhere
 * else. */
#include "encoder/compare.h"

#include <stdatomic.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* From here on VALUE is what has been read, whatever the source holds by now: the compiler could else read
 * once for the comparison and once more for the copy. */
#define READ_ONCE(VALUE, KIND) __asm__("" : KIND(VALUE))

#define INLINE static inline __attribute__((always_inline))

#define AHEAD 16 /* rows */

typedef struct {
    const ComparePart *part;
    _Atomic guint32 *version;
    guint32 before;
    CompareBounds found;
} Pass;

INLINE Pass pass_begin(const ComparePart *part, _Atomic guint32 *version)
{
    return (Pass){part, version, atomic_load_explicit(version, memory_order_relaxed), {.left = G_MAXUINT}};
}

INLINE guint64 row_bit(const ComparePart *part, guint y)
{
    return G_GUINT64_CONSTANT(1) << ((part->row + y) % SEAT_TILE);
}

/* Before anything is written to row `y`, of which left .. right (exclusive) differ. */
INLINE void pass_differs(Pass *pass, guint y, guint left, guint right)
{
    if (pass->found.right == 0) {
        pass->found.top = y;
        atomic_store_explicit(pass->version, pass->before + 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_release);
    }
    if (pass->part->moved)
        *pass->part->moved &= ~row_bit(pass->part, y);
    if (pass->part->undo)
        undo_keep(pass->part->undo, pass->part->tile, pass->part->row + y, pass->part->picture);
    pass->found.left = MIN(pass->found.left, left);
    pass->found.right = MAX(pass->found.right, right);
    pass->found.bottom = y + 1;
}

INLINE gboolean watched(const ComparePart *part, guint y)
{
    return y >= part->watch_top && y < part->watch_bottom;
}

/* The target's row `y` is as it stays. */
INLINE void watch_row(const ComparePart *part, const guint8 *target, guint y)
{
    const guint8 *row = target + part->watch_left * 4u;
    if (watched(part, y) && memcmp(row, row + part->shift, (part->watch_right - part->watch_left) * 4u) == 0)
        *part->moved |= row_bit(part, y);
}

INLINE CompareBounds pass_end(const Pass *pass)
{
    if (pass->found.right == 0)
        return (CompareBounds){0};
    atomic_store_explicit(pass->version, pass->before + 2, memory_order_release);
    return pass->found;
}

/* Rows of a tile are so far apart that no processor guesses which memory comes next. */
INLINE void fetch_ahead(const ComparePart *part, guint y)
{
    gsize row = y + AHEAD, column = 0, bytes = part->width * 4;
    if (row >= part->height) {
        if (!part->more || row - part->height >= part->height)
            return;
        row -= part->height;
        column = bytes;
        bytes = SEAT_TILE * 4;
    }
    const guint8 *source = part->source + row * part->source_stride + column;
    const guint8 *target = part->target + row * part->target_stride + column;
    for (gsize at = 0; at < SEAT_TILE * 4 && at < bytes; at += 64) {
        __builtin_prefetch(source + at);
        __builtin_prefetch(target + at);
        if (watched(part, row))
            __builtin_prefetch(target + part->shift + at);
    }
}

/* ---- plain C: memcmp() and memcpy() know the processor, too ---- */

static CompareBounds tile_plain(const ComparePart *part, _Atomic guint32 *version)
{
    Pass pass = pass_begin(part, version);
    guint32 now[SEAT_TILE], before[SEAT_TILE];
    gsize bytes = part->width * 4;

    for (guint y = 0; y < part->height; y++) {
        guint8 *target = part->target + y * part->target_stride;
        guint left = 0, right = part->width;
        fetch_ahead(part, y);
        memcpy(now, part->source + y * part->source_stride, bytes);
        READ_ONCE(now, "+m");
        if (memcmp(now, target, bytes) != 0) {
            memcpy(before, target, bytes);
            while (now[left] == before[left])
                left++;
            while (now[right - 1] == before[right - 1])
                right--;
            pass_differs(&pass, y, left, right);
            memcpy(target, now, bytes);
        }
        watch_row(part, target, y);
    }
    return pass_end(&pass);
}

#if defined(__x86_64__)
/* ---- SSE2, part of x86-64: 16 pixels at a time, then one ---- */

INLINE __m128i load_sse2(const guint8 *pixels)
{
    return _mm_loadu_si128((const __m128i *)(const void *)pixels);
}

INLINE guint32 load_pixel(const guint8 *pixel)
{
    guint32 value;
    memcpy(&value, pixel, sizeof value);
    READ_ONCE(value, "+r");
    return value;
}

static CompareBounds tile_sse2(const ComparePart *part, _Atomic guint32 *version)
{
    Pass pass = pass_begin(part, version);

    for (guint y = 0; y < part->height; y++) {
        const guint8 *source = part->source + y * part->source_stride;
        guint8 *target = part->target + y * part->target_stride;
        guint x = 0;
        fetch_ahead(part, y);
        for (; x + 16 <= part->width; x += 16) {
            __m128i now[4], equal[4];
            for (guint i = 0; i < 4; i++) {
                now[i] = load_sse2(source + x * 4 + i * 16);
                READ_ONCE(now[i], "+x");
                equal[i] = _mm_cmpeq_epi32(now[i], load_sse2(target + x * 4 + i * 16));
            }
            guint differ =
                0xffff ^ (guint)_mm_movemask_epi8(_mm_packs_epi16(_mm_packs_epi32(equal[0], equal[1]),
                                                                  _mm_packs_epi32(equal[2], equal[3])));
            if (differ == 0)
                continue;
            pass_differs(&pass, y, x + (guint)__builtin_ctz(differ), x + 32 - (guint)__builtin_clz(differ));
            for (guint i = 0; i < 4; i++)
                _mm_storeu_si128((__m128i *)(void *)(target + x * 4 + i * 16), now[i]);
        }
        for (; x < part->width; x++) {
            guint32 now = load_pixel(source + x * 4);
            if (now == load_pixel(target + x * 4))
                continue;
            pass_differs(&pass, y, x, x + 1);
            memcpy(target + x * 4, &now, sizeof now);
        }
        watch_row(part, target, y);
    }
    return pass_end(&pass);
}

/* ---- AVX2: a whole row of a whole tile, else 8 pixels at a time, of which some may lie outside ---- */

#define AVX2 __attribute__((target("avx2")))

AVX2 INLINE __m256i load_avx2(const guint8 *pixels)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)pixels);
}

AVX2 INLINE guint differ_avx2(__m256i equal)
{
    return 0xff ^ (guint)_mm256_movemask_ps(_mm256_castsi256_ps(equal));
}

AVX2 INLINE void row_avx2(Pass *pass, const guint8 *source, guint8 *target, guint y)
{
    __m256i now[8], equal = _mm256_set1_epi32(-1);
    guint64 differ = 0;

    for (guint i = 0; i < 8; i++) {
        now[i] = load_avx2(source + i * 32);
        READ_ONCE(now[i], "+x");
        equal = _mm256_and_si256(equal, _mm256_cmpeq_epi32(now[i], load_avx2(target + i * 32)));
    }
    if (differ_avx2(equal) == 0)
        return;
    for (guint i = 0; i < 8; i++)
        differ |= (guint64)differ_avx2(_mm256_cmpeq_epi32(now[i], load_avx2(target + i * 32))) << (8 * i);
    pass_differs(pass, y, (guint)__builtin_ctzll(differ), 64 - (guint)__builtin_clzll(differ));
    for (guint i = 0; i < 8; i++)
        _mm256_storeu_si256((__m256i *)(void *)(target + i * 32), now[i]);
}

AVX2 INLINE void watch_row_avx2(const ComparePart *part, const guint8 *target, guint y)
{
    __m256i equal = _mm256_set1_epi32(-1);

    if (!watched(part, y))
        return;
    for (guint i = 0; i < 8; i++)
        equal = _mm256_and_si256(
            equal, _mm256_cmpeq_epi32(load_avx2(target + i * 32), load_avx2(target + part->shift + i * 32)));
    if (differ_avx2(equal) == 0)
        *part->moved |= row_bit(part, y);
}

AVX2 INLINE void part_avx2(Pass *pass, const guint8 *source, guint8 *target, guint y, guint width)
{
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);

    for (guint x = 0; x < width; x += 8) {
        __m256i inside = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(width - x)), lanes);
        __m256i now = _mm256_maskload_epi32((const int *)(const void *)(source + x * 4), inside);
        READ_ONCE(now, "+x");
        __m256i before = _mm256_maskload_epi32((const int *)(const void *)(target + x * 4), inside);
        guint differ = differ_avx2(_mm256_cmpeq_epi32(now, before));
        if (differ == 0)
            continue;
        pass_differs(pass, y, x + (guint)__builtin_ctz(differ), x + 32 - (guint)__builtin_clz(differ));
        _mm256_maskstore_epi32((int *)(void *)(target + x * 4), inside, now);
    }
}

AVX2 static CompareBounds tile_avx2(const ComparePart *part, _Atomic guint32 *version)
{
    Pass pass = pass_begin(part, version);

    for (guint y = 0; y < part->height; y++) {
        const guint8 *source = part->source + y * part->source_stride;
        guint8 *target = part->target + y * part->target_stride;
        fetch_ahead(part, y);
        if (part->width == SEAT_TILE)
            row_avx2(&pass, source, target, y);
        else
            part_avx2(&pass, source, target, y, part->width);
        if (part->watch_right - part->watch_left == SEAT_TILE)
            watch_row_avx2(part, target, y);
        else
            watch_row(part, target, y);
    }
    return pass_end(&pass);
}
#endif

/* ---- the choice ---- */

CompareTile *compare_variant(CompareVariant variant)
{
#if defined(__x86_64__)
    if (variant == COMPARE_SSE2)
        return tile_sse2;
    if (variant == COMPARE_AVX2 && __builtin_cpu_supports("avx2"))
        return tile_avx2;
#endif
    return variant == COMPARE_PLAIN ? tile_plain : NULL;
}

CompareTile *compare_best(void)
{
    CompareTile *best = NULL;
    for (CompareVariant variant = COMPARE_VARIANTS; !best; variant--)
        best = compare_variant(variant - 1);
    return best;
}

const char *compare_name(CompareVariant variant)
{
    static const char *const names[COMPARE_VARIANTS] = {"plain C", "SSE2", "AVX2"};
    return names[variant];
}
