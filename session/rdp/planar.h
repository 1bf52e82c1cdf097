/* RDP 6.0 planar bitmap compression ([MS-RDPEGDI] 2.2.2.5.1), lossless.
 * (FreeRDP's own encoder makes something its own client refuses of bitmaps a few pixels high or wide.) Pure.
 */
#pragma once

#include <glib.h>

#define PLANAR_WIDTH_MAX 512 /* px */
#define PLANAR_HEIGHT_MAX 64 /* px */
/* One byte more for each 15 of a row, with PLANAR_FOR_BULK. */
#define PLANAR_SIZE_MAX ((PLANAR_WIDTH_MAX + PLANAR_WIDTH_MAX / 15 + 2) * PLANAR_HEIGHT_MAX * 3 + 2)

#define PLANAR_ALPHA_WIDTH_MAX 64 /* px, with PLANAR_ALPHA */

typedef enum {
    PLANAR_PLAIN = 0,
    /* The last row first, as bitmap updates want it; the graphics pipeline wants the first. */
    PLANAR_BOTTOM_UP = 1 << 0,
    /* With an opaque alpha plane and in runs whatever they cost, for clients that do not say that alpha may
     * be left out (DRAW_ALLOW_SKIP_ALPHA, [MS-RDPBCGR] 2.2.7.1.2): rdesktop knows no other form. */
    PLANAR_ALPHA = 1 << 1,
    /* For bulk compression behind it, which finds short runs itself and makes small differences smaller:
     * always as differences, even where the pixels themselves are no longer. */
    PLANAR_FOR_BULK = 1 << 2,
} PlanarFlags;

/* Encodes width x height pixels (within the limits above), XRGB8888, `stride` bytes a row, into `out`
 * (PLANAR_SIZE_MAX bytes). Returns the number of bytes. */
gsize planar_encode(const guint8 *pixels, gsize stride, guint width, guint height, PlanarFlags flags,
                    guint8 *out);
