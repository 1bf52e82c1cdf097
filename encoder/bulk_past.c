#include "encoder/bulk_past.h"

#include "encoder/bulk_bits.h"

#include <string.h>

#define KEPT 0xffffu /* bytes in which matches are looked for: places are told apart modulo 64 Ki */
#define SIZE (KEPT + BULK_ADD_MAX)
#define SLACK 8 /* bytes: words are read beyond the end */
#define FOURS_BITS 12
#define THREES_BITS 12
#define LOOKED_AT 12 /* bytes of a match */

void bulk_past_init(BulkPast *past)
{
    *past = (BulkPast){0};
    /* Large and of zeros: memory that is not used yet takes none. */
    past->bytes = g_malloc0(SIZE + SLACK);
    past->fours = g_new0(guint64, 1 << FOURS_BITS);
    past->threes = g_new0(guint16, 1 << THREES_BITS);
}

void bulk_past_clear(BulkPast *past)
{
    g_free(past->bytes);
    g_free(past->fours);
    g_free(past->threes);
    *past = (BulkPast){0};
}

static void drop_gaps(BulkPast *past, guint n)
{
    past->n_gaps -= n;
    memmove(past->gaps, past->gaps + n, past->n_gaps * sizeof *past->gaps);
}

/* Room for so many: what is too old to be found goes. */
static void make_room(BulkPast *past, guint length)
{
    if (past->end + length <= SIZE)
        return;
    guint by = past->end - MIN(past->end, KEPT), old = 0;
    memmove(past->bytes, past->bytes + by, past->end - by);
    past->start -= MIN(past->start, by);
    past->end -= by;
    past->moved = (guint16)(past->moved + by);
    while (old < past->n_gaps && past->gaps[old].at <= by)
        old++;
    drop_gaps(past, old);
    for (guint i = 0; i < past->n_gaps; i++)
        past->gaps[i].at -= by;
}

guint bulk_past_add(BulkPast *past, const guint8 *bytes, guint length)
{
    g_assert(length <= BULK_ADD_MAX);
    make_room(past, length);
    guint at = past->end;
    memcpy(past->bytes + at, bytes, length);
    past->end += length;
    return at;
}

void bulk_past_skip(BulkPast *past, gsize length)
{
    guint reach = (guint)MIN(length, BULK_DISTANCE_MAX);
    BulkGap *last = past->n_gaps ? &past->gaps[past->n_gaps - 1] : NULL;

    if (last && last->at == past->end) {
        last->length = MIN(last->length + reach, BULK_DISTANCE_MAX);
        return;
    }
    if (past->n_gaps == BULK_GAPS_MAX) {
        past->start = past->gaps[0].at;
        drop_gaps(past, 1);
    }
    past->gaps[past->n_gaps++] = (BulkGap){past->end, reach};
}

static guint32 word_at(const guint8 *bytes)
{
    guint32 word;
    memcpy(&word, bytes, sizeof word);
    return GUINT32_FROM_LE(word);
}

static guint64 *fours_of(const BulkPast *past, guint32 word)
{
    return &past->fours[word * 2654435761u >> (32 - FOURS_BITS)];
}

static guint16 *threes_of(const BulkPast *past, guint32 word)
{
    return &past->threes[(word << 8) * 2654435761u >> (32 - THREES_BITS)];
}

static guint16 place_of(const BulkPast *past, guint at)
{
    return (guint16)(at + past->moved);
}

static void note(guint64 *fours, guint16 *threes, guint16 place)
{
    *fours = *fours << 16 | place;
    *threes = place;
}

void bulk_past_note(BulkPast *past, guint at)
{
    guint32 word = word_at(past->bytes + at);
    note(fours_of(past, word), threes_of(past, word), place_of(past, at));
}

static guint common_length(const guint8 *a, const guint8 *b, guint limit)
{
    guint length = 0;
    while (length + 8 <= limit) {
        guint64 x, y;
        memcpy(&x, a + length, sizeof x);
        memcpy(&y, b + length, sizeof y);
        if (x != y)
            return length + ((guint)__builtin_ctzll(GUINT64_FROM_LE(x ^ y)) >> 3);
        length += 8;
    }
    while (length < limit && a[length] == b[length])
        length++;
    return length;
}

/* The decoder's bytes that lie in gaps between `from` and the end; *limit becomes less when a gap comes
 * sooner behind `from`. */
static guint gaps_behind(const BulkPast *past, guint from, guint *limit)
{
    guint skipped = 0;
    for (guint i = past->n_gaps; i > 0 && past->gaps[i - 1].at > from; i--) {
        skipped = MIN(skipped + past->gaps[i - 1].length, BULK_DISTANCE_MAX);
        *limit = MIN(*limit, past->gaps[i - 1].at - from);
    }
    return skipped;
}

/* What so many bytes take at least when they are no match: of a long match it is not worth to look at each.
 */
static gint bits_alone(const guint8 *bytes, guint length)
{
    guint looked = MIN(length, LOOKED_AT);
    gint bits = (gint)(length - looked) * BULK_BYTE_BITS_MIN;
    for (guint i = 0; i < looked; i++)
        bits += bulk_byte_bits[bytes[i]];
    return bits;
}

/* Takes the bytes `back` before, which begin as those at `at` do, if they make a better match. */
static void consider(const BulkPast *past, guint at, guint limit, guint back, BulkMatch *best)
{
    const guint8 *now = past->bytes + at;
    guint distance = back + gaps_behind(past, at - back, &limit);

    if (limit <= best->length || limit < BULK_MATCH_MIN || distance > BULK_DISTANCE_MAX)
        return;
    guint length = BULK_MATCH_MIN +
                   common_length(now + BULK_MATCH_MIN, now - back + BULK_MATCH_MIN, limit - BULK_MATCH_MIN);
    if (length <= best->length)
        return; /* those seen before are nearer, mostly */
    guint bits = bulk_match_bits(length, distance);
    gint saving = bits_alone(now, length) - (gint)bits;
    if (saving > best->saving)
        *best = (BulkMatch){length, distance, at - back, bits, saving};
}

BulkMatch bulk_past_find(BulkPast *past, guint at, guint end, guint places)
{
    BulkMatch best = {0};
    const guint8 *now = past->bytes + at;
    guint32 word = word_at(now);
    guint64 *fours = fours_of(past, word);
    guint16 *threes = threes_of(past, word), place = place_of(past, at);
    guint64 earlier = *fours;
    guint known = at - past->start;

    /* 0 back, which is none, is more than any other then. */
    for (guint i = 0; i < places; i++, earlier >>= 16) {
        guint back = (guint16)(place - (guint16)earlier);
        if (back - 1 < known && word_at(now - back) == word)
            consider(past, at, end - at, back, &best);
    }
    guint back = (guint16)(place - *threes);
    if (best.length == 0 && back - 1 < known && (word_at(now - back) ^ word) << 8 == 0)
        consider(past, at, end - at, back, &best);
    note(fours, threes, place);
    return best;
}

guint bulk_past_extend(const BulkPast *past, const BulkMatch *match, guint at, guint most)
{
    guint first = past->start, length = 0, gap = past->n_gaps;
    while (gap > 0 && past->gaps[gap - 1].at > match->from)
        gap--;
    if (gap > 0)
        first = past->gaps[gap - 1].at;
    while (length < most && match->from - length > first &&
           past->bytes[match->from - length - 1] == past->bytes[at - length - 1])
        length++;
    return length;
}
