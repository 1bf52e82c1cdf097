/* A ClearCodec encoder ([MS-RDPEGFX] 2.2.4.1): lossless, with what the client's decoder remembers of text and
 * of small pictures. It knows no protocol; whoever sends its streams sends all of them, in their order. One
 * for each connection, on any one thread. It allocates only when it is made.
 */
#pragma once

#include "encoder/clear_pieces.h"

/* Bytes of any stream for width x height pixels: nothing takes more than the pixels themselves do. */
#define CLEAR_SIZE_MAX(width, height) (29 + 3 * (gsize)(width) * (height))

typedef struct Clear Clear;

Clear *clear_new(void);
void clear_free(Clear *clear);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Clear, clear_free)

/* For a decoder that starts anew: nothing sent so far is assumed, the sequence begins at 0 and the first
 * stream resets the decoder's storages. A new encoder is in this state. */
void clear_reset(Clear *clear);

/* Reads width x height pixels (at least 1, within the limits of clear_pieces.h), XRGB8888, `stride` bytes a
 * row, and decides how to send them. Returns how many bytes clear_write() takes at most, never more than
 * CLEAR_SIZE_MAX(). What the decoder is assumed to hold does not change: the stream may be left unwritten. */
gsize clear_measure(Clear *clear, const guint8 *pixels, gsize stride, guint width, guint height);

/* Writes the stream of the pixels measured last, once, into `out` (as many bytes as clear_measure() said). It
 * must reach the decoder. Returns the number of bytes. */
gsize clear_write(Clear *clear, guint8 *out);
