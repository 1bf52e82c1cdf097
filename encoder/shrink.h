/* A picture made smaller by the mean of all pixels that a new one covers, so that nothing which is one pixel
 * thin gets lost. A part comes out as it would in the whole. */
#pragma once

#include "base/proto/seat_link.h"

typedef struct Shrink Shrink;

/* From source_width x source_height px to width x height px, each at least 1 and at most the source's. One
 * thread at a time. */
Shrink *shrink_new(guint source_width, guint source_height, guint width, guint height);
void shrink_free(Shrink *shrink);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Shrink, shrink_free)

/* What of the result depends on that part of the source, which lies inside of it. */
SeatRect shrink_reach(const Shrink *shrink, const SeatRect *source_part);

/* Computes that part of the result (px of the result) from `source`, XRGB8888, the whole picture's first
 * byte, `stride` bytes a row, into `result`, width * 4 bytes a row; its fourth byte becomes 255. All of the
 * source under the part is read. */
void shrink_part(Shrink *shrink, const SeatRect *part, const void *source, gsize stride, guint32 *result);
