/* What the shadow's tiles held before the frame that is being copied: the other half of what the search for
 * scrolls and drags compares. Kept row by row of a tile, so that only what changes is copied. */
#pragma once

#include "base/proto/seat_link.h"

typedef struct {
    guint width, height; /* px */
    guint tiles_x, tiles_y;
    gsize stride;   /* bytes, the shadow's */
    gsize size;     /* bytes of pixels */
    guint8 *pixels; /* the picture's geometry; untouched pages cost nothing */
    guint64 *kept;  /* of each tile: bit y % SEAT_TILE says that its row y stands in `pixels` */
} Undo;

/* An empty one for a picture of width x height px (1 .. SEAT_WIDTH_MAX) with `stride` bytes a row. NULL: no
 * memory. One thread at a time, here and below. */
Undo *undo_new(guint width, guint height, gsize stride);
void undo_free(Undo *undo);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Undo, undo_free)

/* Keeps the part of row y (px) that lies in the tile, before any of it is overwritten. `picture` is the
 * picture's first pixel. A row that is kept already stays as it was first. */
void undo_keep(Undo *undo, guint tile, guint y, const guint8 *picture);

/* Forgets what is kept: a new frame begins. */
void undo_clear(Undo *undo);
/* Forgets it and gives the memory back. */
void undo_rest(Undo *undo);

/* Pixel x, y as it was; valid up to the right edge of its tile. `picture` as it is now. */
static inline const guint8 *undo_before(const Undo *undo, const guint8 *picture, guint x, guint y)
{
    guint tile = y / SEAT_TILE * undo->tiles_x + x / SEAT_TILE;
    const guint8 *plane = undo->kept[tile] >> (y % SEAT_TILE) & 1 ? undo->pixels : picture;
    return plane + y * undo->stride + x * 4u;
}
