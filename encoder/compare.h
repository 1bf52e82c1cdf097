/* Compare-and-copy of a tile: each pixel of the source is read once, and what is compared is what is copied,
 * since the source may change meanwhile, on purpose too. A plain implementation and some for the vectors of a
 * kind of processor; all give the same result. */
#pragma once

#include "encoder/undo.h"

/* Part of a tile. Pixels are 4 bytes, all of which count; neither side needs any alignment. */
typedef struct {
    guint8 *target;
    const guint8 *source;
    gsize target_stride, source_stride; /* bytes */
    guint width, height;                /* px, 1 .. SEAT_TILE */
    gboolean more;                      /* the tile to the right comes next: have it fetched */
    Undo *undo;            /* each row of the tile goes there before it is written; may be NULL */
    const guint8 *picture; /* for `undo`: the target's first pixel */
    guint tile, row;       /* which tile, px of the part's first row in the picture */

    /* Rows watch_top .. watch_bottom (exclusive, px of the part) are compared, between watch_left and
     * watch_right, with the target's rows `shift` bytes further on, which nothing has written yet: where they
     * are the same the tile's bit of the row is set in *moved. A row that differs from the source loses its
     * bit first. */
    guint64 *moved; /* NULL: nothing is watched */
    gsize shift;
    guint watch_left, watch_right, watch_top, watch_bottom;
} ComparePart;

/* The smallest rectangle with all that differed, in px of the part, right and bottom exclusive. right is 0
 * where nothing did. */
typedef struct {
    guint left, top, right, bottom;
} CompareBounds;

/* Makes the target like the source. *version turns odd before the first byte is written and even after the
 * last, and stays as it is where nothing differs: a reader that found it even and finds it unchanged after
 * its copy has the tile of one moment. One writer at a time. */
typedef CompareBounds CompareTile(const ComparePart *part, _Atomic guint32 *version);

typedef enum { COMPARE_PLAIN, COMPARE_SSE2, COMPARE_AVX2, COMPARE_VARIANTS } CompareVariant;

/* NULL: this machine does not have it. COMPARE_PLAIN is everywhere. */
CompareTile *compare_variant(CompareVariant variant);
/* What suits this machine best. */
CompareTile *compare_best(void);
const char *compare_name(CompareVariant variant);
