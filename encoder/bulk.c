/* Messages to segments, segments to stretches that are searched and stretches that are dense. What matches
 * where is for bulk_past.c to find, what a token looks like for bulk_bits.c. */
#include "encoder/bulk.h"

#include "encoder/bulk_bits.h"
#include "encoder/bulk_past.h"

#include <string.h>

#define SINGLE 0xe0
#define MULTIPART 0xe1
#define COMPRESSED 0x20
#define TYPE_RDP8 0x04
#define SEGMENT_MAX 0xffffu /* bytes before compression */
#define MULTIPART_HEADER 7  /* bytes */
#define SEGMENT_HEADER 5    /* bytes of a multipart's */
#define BYTES_MAX 1024u     /* of those without a match, for which one form is chosen */
#define THOROUGH_MAX 32768  /* bytes of a message worth to be searched for the best matches */
#define SEEN 4              /* bytes by which a match is found */
#define PATIENCE 5          /* after 2^5 bytes without a match every second one is tried, and so on */
#define STEP_MAX 32         /* bytes */
#define GOOD_LENGTH 32      /* bytes of a match for which no better one is looked for */
#define NOTED_MAX 16        /* bytes of a match that may begin another */
#define GAP_MIN 1024        /* dense bytes that are not worth to be remembered */

struct Bulk {
    BulkPast past;
};

/* The dense ranges that are still to come. */
typedef struct {
    const BulkRange *next, *end;
} Dense;

/* A segment in the making. */
typedef struct {
    BulkPast *past;
    BulkBits bits;
    const guint8 *limit; /* from which on the bytes as they are are shorter */
    gboolean given_up;
    gboolean quick; /* looks for matches, not for the best ones */
    /* Bytes that are not written yet: without a match so far. */
    guint from, to; /* indices into the past's bytes */
    guint alone;    /* bits of their tokens */
} Segment;

Bulk *bulk_new(void)
{
    Bulk *bulk = g_new0(Bulk, 1);
    bulk_past_init(&bulk->past);
    return bulk;
}

void bulk_free(Bulk *bulk)
{
    if (!bulk)
        return;
    bulk_past_clear(&bulk->past);
    g_free(bulk);
}

gsize bulk_size_max(gsize length)
{
    return length + MULTIPART_HEADER + (length / SEGMENT_MAX + 1) * SEGMENT_HEADER + BULK_BITS_SLACK;
}

/* FALSE, from now on, when so many bits more make it no shorter. */
static gboolean has_room(Segment *segment, gsize bits)
{
    const BulkBits *so_far = &segment->bits;
    segment->given_up = segment->given_up || (gsize)(segment->limit - so_far->at) * 8 < so_far->n_bits + bits;
    return !segment->given_up;
}

/* Whether the bytes without a match are shorter in a run as they are. */
static gboolean prefers_run(const Segment *segment)
{
    return segment->alone > 8 * (segment->to - segment->from) + BULK_RUN_BITS;
}

static void flush(Segment *segment)
{
    guint length = segment->to - segment->from;
    const guint8 *bytes = segment->past->bytes + segment->from;
    gboolean run = prefers_run(segment);

    if (has_room(segment, run ? 8 * length + BULK_RUN_BITS : segment->alone)) {
        if (run)
            bulk_put_run(&segment->bits, bytes, length);
        else
            bulk_put_bytes(&segment->bits, bytes, length);
    }
    segment->from = segment->to;
    segment->alone = 0;
}

/* Bytes without a match, up to `to`. */
static void pass(Segment *segment, guint to)
{
    const guint8 *bytes = segment->past->bytes;
    guint alone = segment->alone;
    for (guint i = segment->to; i < to; i++)
        alone += bulk_byte_bits[bytes[i]];
    segment->alone = alone;
    segment->to = to;
    if (segment->to - segment->from >= BYTES_MAX)
        flush(segment);
}

/* Whether the match makes it shorter. Amid a run it ends that, and most likely another one follows. */
static gboolean is_worth_it(const Segment *segment, const BulkMatch *match)
{
    if (match->saving <= 0)
        return FALSE;
    return !prefers_run(segment) || 8 * match->length > match->bits + BULK_RUN_BITS;
}

/* `noted`: the first byte of it that is not yet known as one where a match may begin. */
static void put_match(Segment *segment, const BulkMatch *match, guint noted, guint end)
{
    flush(segment);
    guint at = segment->to, to = at + match->length;
    if (has_room(segment, match->bits))
        bulk_put_match(&segment->bits, match->length, match->distance);
    segment->from = segment->to = to;
    /* Of a long one its beginning will do. */
    for (; noted < MIN(to, at + NOTED_MAX) && noted + SEEN <= end; noted++)
        bulk_past_note(segment->past, noted);
}

/* Bytes before the match belong to it, if some were passed without a look. */
static void begin_sooner(Segment *segment, BulkMatch *match)
{
    guint more = bulk_past_extend(segment->past, match, segment->to, segment->to - segment->from);
    for (guint i = 0; i < more; i++)
        segment->alone -= bulk_byte_bits[segment->past->bytes[--segment->to]];
    match->length += more;
    match->bits = bulk_match_bits(match->length, match->distance);
}

/* The bytes from `from` to `to`, indices into the past's. */
static void search(Segment *segment, guint from, guint to)
{
    guint misses = 0, places = segment->quick ? 1 : BULK_PLACES_MAX;

    segment->from = segment->to = from;
    while (segment->to + SEEN <= to && !segment->given_up) {
        BulkMatch match = bulk_past_find(segment->past, segment->to, to, places);
        guint noted = segment->to + 1;
        if (!is_worth_it(segment, &match)) {
            guint step = 1 + (misses >> PATIENCE);
            misses += step < STEP_MAX;
            pass(segment, MIN(segment->to + step, to));
            continue;
        }
        if (misses >> PATIENCE)
            begin_sooner(segment, &match);
        misses = 0;
        /* One that begins a byte later may be better. */
        while (!segment->quick && match.length < GOOD_LENGTH && segment->to + 1 == noted &&
               noted + SEEN <= to) {
            BulkMatch later = bulk_past_find(segment->past, noted++, to, places);
            if (later.saving <= match.saving)
                break;
            pass(segment, segment->to + 1);
            match = later;
        }
        put_match(segment, &match, noted, to);
    }
    if (segment->given_up)
        return;
    pass(segment, to);
    flush(segment);
}

static void put_dense(Segment *segment, const guint8 *bytes, gsize length)
{
    if (has_room(segment, 8 * length + (length / BULK_RUN_MAX + 1) * BULK_RUN_BITS))
        bulk_put_run(&segment->bits, bytes, length);
    if (length < GAP_MIN)
        bulk_past_add(segment->past, bytes, (guint)length);
    else
        bulk_past_skip(segment->past, length);
}

/* How many of the bytes from `at` to `to` are of one kind. */
static gsize stretch(Dense *dense, gsize at, gsize to, gboolean *is_dense)
{
    while (dense->next < dense->end && dense->next->at + dense->next->length <= at)
        dense->next++;
    const BulkRange *range = dense->next;
    *is_dense = range < dense->end && range->at <= at;
    if (*is_dense)
        return MIN(range->at + range->length, to) - at;
    return (range < dense->end ? MIN(range->at, to) : to) - at;
}

/* Encodes the bytes from `at` to `to` as one RDP8_BULK_ENCODED_DATA (2.2.5.3). Returns its end. */
static guint8 *put_segment(Bulk *bulk, const guint8 *data, gsize at, gsize to, Dense *dense, gboolean quick,
                           guint8 *out)
{
    const guint8 *bytes = data + at;
    gsize length = to - at;
    /* Of the bytes as they are there is one fewer: that which counts the bits unused. */
    Segment segment = {
        .past = &bulk->past, .bits = {.at = out + 1}, .limit = out + 1 + MAX(length, 1) - 1, .quick = quick};

    while (at < to) {
        gboolean is_dense;
        gsize here = stretch(dense, at, to, &is_dense);
        if (is_dense) {
            put_dense(&segment, data + at, here);
        } else {
            guint from = bulk_past_add(&bulk->past, data + at, (guint)here);
            search(&segment, from, from + (guint)here);
        }
        at += here;
    }
    if (!segment.given_up) {
        *out = TYPE_RDP8 | COMPRESSED;
        return bulk_put_end(&segment.bits);
    }
    *out++ = TYPE_RDP8;
    memcpy(out, bytes, length);
    return out + length;
}

static guint8 *put_number(guint8 *out, gsize value, guint bytes)
{
    for (guint i = 0; i < bytes; i++)
        *out++ = (guint8)(value >> 8 * i);
    return out;
}

gsize bulk_encode(Bulk *bulk, const guint8 *data, gsize length, const BulkRange *dense, guint n_dense,
                  guint8 *out)
{
    Dense to_come = {dense, dense + n_dense};
    guint8 *at = out;

    g_assert(length <= G_MAXUINT32);
    for (guint i = 0; i < n_dense; i++)
        g_assert(dense[i].at <= length && dense[i].length <= length - dense[i].at &&
                 (i == 0 || dense[i].at >= dense[i - 1].at + dense[i - 1].length));
    if (length <= SEGMENT_MAX) {
        *at++ = SINGLE;
        return (gsize)(put_segment(bulk, data, 0, length, &to_come, length > THOROUGH_MAX, at) - out);
    }
    *at++ = MULTIPART;
    at = put_number(at, (length + SEGMENT_MAX - 1) / SEGMENT_MAX, 2);
    at = put_number(at, length, 4);
    for (gsize begin = 0; begin < length; begin += SEGMENT_MAX) {
        guint8 *body = at + 4;
        guint8 *end = put_segment(bulk, data, begin, MIN(length, begin + SEGMENT_MAX), &to_come, TRUE, body);
        put_number(at, (gsize)(end - body), 4);
        at = end;
    }
    return (gsize)(at - out);
}
