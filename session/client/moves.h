/* Moves on the client's side: whether what a frame record moves is on the client's screen as the seat
 * believes it to be. Pure bookkeeping, as tiles.h. */
#pragma once

#include "session/client/tiles.h"

/* Whether source and destination are inside a picture of that size, px. */
gboolean move_fits(const ViewerMove *move, guint width, guint height);

/* Folds a move (which fits) of a record that builds on the picture of pass `base` into the tiles. Where it is
 * worth it the move is appended to `moves` (of ViewerMove), to be made on the client's screen before any
 * rectangle is painted, and what comes out wrong by it is lacking; else the whole destination is. */
void moves_fold(Tiles *tiles, const ViewerMove *move, guint64 base, GArray *moves);
