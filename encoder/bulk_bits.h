/* The tokens of RDP 8.0 bulk compression ([MS-RDPEGFX] 3.1.9.1.2.1), one after another from the highest bit
 * on: single bytes, of which some are short, matches of bytes before, and runs of bytes as they are. Pure.
 */
#pragma once

#include <glib.h>

#define BULK_MATCH_MIN 3            /* bytes */
#define BULK_DISTANCE_MAX 2500000u  /* bytes that a decoder remembers */
#define BULK_RUN_MAX 0x7fffu        /* bytes of one run as they are */
#define BULK_RUN_BITS (10 + 15 + 7) /* that such a run takes at most besides its bytes */
#define BULK_BITS_SLACK 16          /* bytes behind what is written that may be touched */

typedef struct {
    guint8 *at;
    guint64 bits; /* the low `n_bits` (fewer than 32) are not yet at `at` */
    guint n_bits;
} BulkBits;

/* Bits of the token of one byte. */
#define BULK_BYTE_BITS_MIN 5
extern const guint8 bulk_byte_bits[256];

/* Bits of the token of a match. */
guint bulk_match_bits(guint length, guint distance);

void bulk_put_bytes(BulkBits *bits, const guint8 *bytes, gsize length);

/* `length` (BULK_MATCH_MIN to 65535) bytes that came `distance` (1 to BULK_DISTANCE_MAX) before. */
void bulk_put_match(BulkBits *bits, guint length, guint distance);

/* Any number of bytes as they are. */
void bulk_put_run(BulkBits *bits, const guint8 *bytes, gsize length);

/* Ends the segment; returns its end. */
guint8 *bulk_put_end(BulkBits *bits);
