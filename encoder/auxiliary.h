/* The auxiliary view of AVC444 v2 (MS-RDPEGFX 3.3.8.3.3): a second picture of 4:2:0 that carries the three
 * chroma samples of each 2x2 block that the main view (convert.h) has no place for. With W the planes' width:
 *   luma     row y:      left half U of the odd columns, right half V of them;
 *   u, v     row y / 2:  of odd rows, the columns 4k (in u) and 4k + 2 (in v); left half U, right half V. */
#pragma once

#include "encoder/convert.h"

#define AUXILIARY_TILE SEAT_TILE

/* Looks whether the main view is enough for the tile whose left upper corner is x, y (px, multiples of
 * AUXILIARY_TILE): that is so where neighbours hardly differ in colour, as in photographs and in black text.
 * Where it is not, the tile's part of `view` (planes as wide as the main view's, a multiple of 16) is made
 * from the source as in convert_rect() and TRUE is returned; else `view` stays as it is. NULL for `view`:
 * only looks. */
gboolean auxiliary_tile(const YuvPicture *view, guint x, guint y, const void *source, gsize stride,
                        guint width, guint height);

/* U and V of each of `count` pixels: the vectors' way and the plain one, which give the same. */
void auxiliary_row(guint8 *u, guint8 *v, const guint32 *source, guint count);
void auxiliary_row_plain(guint8 *u, guint8 *v, const guint32 *source, guint count);
