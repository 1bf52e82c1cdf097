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
 * Sets *length to the number of bytes, to 0 where it would take more than `limit` of them; returns FALSE, and
 * sets it to 0, where there are too many colours. `runs` is memory for width x height of them. */
gboolean clear_rlex_encode(const guint32 *pixels, gsize stride, guint width, guint height, ClearRun *runs,
                           guint8 *out, gsize limit, gsize *length);
