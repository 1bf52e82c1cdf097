/* RDP 6.0 planar bitmap compression ([MS-RDPEGDI] 2.2.2.5.1), lossless, three planes without alpha.
 * (FreeRDP's own encoder makes something its own client refuses of bitmaps a few pixels high or wide.) Pure.
 */
#pragma once

#include <glib.h>

#define PLANAR_WIDTH_MAX 512 /* px */
#define PLANAR_HEIGHT_MAX 64 /* px */
#define PLANAR_SIZE_MAX (PLANAR_WIDTH_MAX * PLANAR_HEIGHT_MAX * 3 + 2)

/* Encodes width x height pixels (within the limits above), XRGB8888, `stride` bytes a row, into `out`
 * (PLANAR_SIZE_MAX bytes); bottom_up: the last row first, as bitmap updates want it; the graphics pipeline
 * wants the first row first. Returns the number of bytes. */
gsize planar_encode(const guint8 *pixels, gsize stride, guint width, guint height, gboolean bottom_up,
                    guint8 *out);
