/* Counts how neighbours in a row differ: softly, hard or not at all. */
#include "encoder/content.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define ROWS 4          /* looked at, evenly spaced */
#define SOFT 16         /* levels of a colour between neighbours; more is an edge */
#define SOFT_PERCENT 15 /* of neighbours: text has under 10 where it is smoothed, films over 50 */
#define HARD_PERCENT 55 /* the densest text has 50 */

typedef struct {
    guint differ, hard; /* neighbours that differ, and those of them that do so by more than SOFT */
} Edges;

static void count_plain(const guint8 *pixels, guint from, guint to, Edges *edges)
{
    for (guint i = from; i < to; i++) {
        const guint8 *a = pixels + (gsize)i * 4, *b = a + 4;
        gint most = 0;
        for (guint c = 0; c < 3; c++)
            most = MAX(most, ABS(a[c] - b[c]));
        edges->differ += most > 0;
        edges->hard += most > SOFT;
    }
}

#ifdef __SSE2__
static guint sum(__m128i lanes)
{
    guint32 each[4];
    _mm_storeu_si128((__m128i *)(void *)each, lanes);
    return each[0] + each[1] + each[2] + each[3];
}

static void count_row(const guint8 *pixels, guint width, Edges *edges)
{
    const __m128i colours = _mm_set1_epi32(0xffffff), soft = _mm_set1_epi8(SOFT), zero = _mm_setzero_si128();
    __m128i same = zero, not_hard = zero; /* how many, lane by lane */
    guint i = 0;

    for (; i + 5 <= width; i += 4) {
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(pixels + (gsize)i * 4));
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(pixels + (gsize)i * 4 + 4));
        __m128i apart = _mm_and_si128(_mm_or_si128(_mm_subs_epu8(a, b), _mm_subs_epu8(b, a)), colours);
        /* What is equal is all ones, which is one less. */
        same = _mm_sub_epi32(same, _mm_cmpeq_epi32(apart, zero));
        not_hard = _mm_sub_epi32(not_hard, _mm_cmpeq_epi32(_mm_subs_epu8(apart, soft), zero));
    }
    edges->differ += i - sum(same);
    edges->hard += i - sum(not_hard);
    count_plain(pixels, i, width - 1, edges);
}
#else
static void count_row(const guint8 *pixels, guint width, Edges *edges)
{
    count_plain(pixels, 0, width - 1, edges);
}
#endif

gboolean content_is_picture(const void *pixels, gsize stride, guint width, guint height)
{
    guint rows = MIN(ROWS, height);
    Edges edges = {0};

    if (width < 2 || height < 1)
        return FALSE;
    for (guint i = 0; i < rows; i++)
        count_row((const guint8 *)pixels + (2 * i + 1) * height / (2 * rows) * stride, width, &edges);
    guint all = rows * (width - 1);
    return (edges.differ - edges.hard) * 100 > all * SOFT_PERCENT || edges.hard * 100 > all * HARD_PERCENT;
}
