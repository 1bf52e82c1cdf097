/* Interleaved run length encoding of bitmaps ([MS-RDPBCGR] 2.2.9.1.1.3.1.2.4) for clients with 15, 16 or 24
 * bits. Only the orders which every decoder agrees on are used: colour run, colour image, and background run
 * behind the first line. (FreeRDP's own encoder makes 24-bit pictures which rdesktop decodes wrongly.) Pure.
 */
#pragma once

#include <glib.h>

#define INTERLEAVE_SIDE_MAX 64 /* px each way */
/* Bytes that any bitmap of that size fits into. */
#define INTERLEAVE_SIZE_MAX (INTERLEAVE_SIDE_MAX * INTERLEAVE_SIDE_MAX * 3 + 4096)

/* Encodes width x height pixels (at most INTERLEAVE_SIDE_MAX each), XRGB8888, `stride` bytes a row, as bits
 * of `depth` (15, 16 or 24) into `out` (INTERLEAVE_SIZE_MAX bytes). Returns the number of bytes. */
gsize interleave_encode(const guint8 *pixels, gsize stride, guint width, guint height, guint depth,
                        guint8 *out);
