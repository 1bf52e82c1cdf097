/* Which tiles of an update may reach the client with losses first (JPEG, RemoteFX), to follow exactly once
 * they are calm: those that look like a picture, and move, or are part of so much at once that the link would
 * be busy with them for long. Text never. Pure: times from the caller, ms of viewer_clock_us(). */
#pragma once

#include "session/client/tiles.h"

typedef struct {
    const Tiles *tiles;
    const ViewerMove *moves; /* of the update */
    guint n_moves;
    guint32 now_ms; /* never 0 */
    gboolean sudden;
} Losses;

/* Looks at what tiles lack, before those that are calm are among them, and notes that they have changed. */
Losses losses_look(Tiles *tiles, const ViewerMove *moves, guint n_moves, guint32 now_ms);

/* Whether `box` of the tile at column, row may go with losses; `picture` has its pixels. */
gboolean losses_allow(const Losses *losses, guint column, guint row, TileBox box,
                      const ViewerPicture *picture);
