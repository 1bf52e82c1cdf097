/* Runs of a palette's colours ([MS-RDPEGFX] 2.2.4.1.1.3.1.1, CLEARCODEC_SUBCODEC_RLEX). Pure. */
#pragma once

#include <glib.h>

#define CLEAR_RLEX_COLOURS_MAX 127

/* Pixels of one colour that follow each other. */
typedef struct {
    guint16 length;
    guint8 colour;
} ClearRun;

/* Encodes width x height pixels (no more than 2^15), `stride` pixels a row, XRGB8888 with X = 0, into `out`.
 * Returns the number of bytes, or 0 where there are too many colours or it would take more than `limit`
 * bytes. `runs` is memory for width x height of them. */
gsize clear_rlex_encode(const guint32 *pixels, gsize stride, guint width, guint height, ClearRun *runs,
                        guint8 *out, gsize limit);
