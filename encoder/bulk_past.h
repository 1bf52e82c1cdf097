/* The bytes that a decoder of bulk compression remembers, as far as it is worth to search in them: the last
 * 64 KiB or so of those that were given here. Others, which only count, lie as gaps between them. */
#pragma once

#include <glib.h>

#define BULK_ADD_MAX 0xffffu /* bytes at once */
#define BULK_GAPS_MAX 32
#define BULK_PLACES_MAX 4

typedef struct {
    guint at;     /* the byte behind it, index into `bytes` */
    guint length; /* bytes; saturated beyond what any distance reaches */
} BulkGap;

typedef struct {
    guint8 *bytes;
    guint start, end; /* of those that are known, indices into `bytes` */
    guint16 moved;    /* how far the bytes were moved towards the front since ever */
    BulkGap gaps[BULK_GAPS_MAX];
    guint n_gaps;
    /* Where bytes of the same hash were lately: places in the stream, modulo 64 Ki; the newest lowest. */
    guint64 *fours;  /* by four bytes */
    guint16 *threes; /* by three */
} BulkPast;

/* Bytes that are there a second time. */
typedef struct {
    guint length; /* 0: none */
    guint distance;
    guint from;  /* where they are, index into the past's */
    guint bits;  /* of its token */
    gint saving; /* bits less than its bytes alone take; more than 0 where there is one */
} BulkMatch;

void bulk_past_init(BulkPast *past);
void bulk_past_clear(BulkPast *past);

/* `length` (up to BULK_ADD_MAX) bytes more. Returns the index of the first, until the next ones come. */
guint bulk_past_add(BulkPast *past, const guint8 *bytes, guint length);

/* Bytes that only the decoder remembers. */
void bulk_past_skip(BulkPast *past, gsize length);

/* Enters the byte at `at` as one where a match may begin; four bytes are known from there. */
void bulk_past_note(BulkPast *past, guint at);

/* The best match of the bytes from `at`, at least four before `end`, and notes them. `places` of one hash are
 * tried, up to BULK_PLACES_MAX. */
BulkMatch bulk_past_find(BulkPast *past, guint at, guint end, guint places);

/* How many bytes before `at` (`most` at most) belong to the match of those from there, too. */
guint bulk_past_extend(const BulkPast *past, const BulkMatch *match, guint at, guint most);
