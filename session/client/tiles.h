/* What one client has of a screen, tile by tile: what it still lacks, what it has with losses, which version
 * it has. Pure bookkeeping: no pixels, no descriptors, no clock of its own (viewer_clock_us()). */
#pragma once

#include "session/client/viewer.h"

#define TILES_CALM_MS 120     /* a lossy tile without damage for so long is due to be sent exactly, */
#define TILES_CALM_MAX_MS 400 /* where the film comes slowly for so long */
#define TILES_MOTION_RUN 4    /* changes in a row before a tile counts as moving */

/* A box inside a tile, px from the tile's corner; x1 == 0: empty. */
typedef struct {
    guint8 x0, y0, x1, y1;
} TileBox;

typedef struct {
    TileBox exact;   /* lacks this, to be sent from the shadow */
    TileBox motion;  /* lacks this, the access unit that is being taken shows it */
    TileBox losses;  /* has losses in this, unless `lossy` is 0 */
    guint64 ahead;   /* it may have something of this pass of the seat already; 0: of none after its record */
    guint32 sent;    /* version that the client has completely and exactly; 0: none */
    guint32 lossy;   /* ms of the last lossy painting, 0: has no losses */
    guint32 changed; /* ms of the last change that was noted for losses.h */
    guint8 run;      /* such changes in a row, TILES_MOTION_RUN at most */
    gboolean calm;   /* what it lacks is to become exact */
    gboolean told;   /* what it has was named in an update, whole and settled */
} Tile;

/* How something that moves comes: each film of the seat, and what is painted with losses without one. */
typedef struct {
    guint32 ms;     /* when it was painted last, 0: never */
    guint every_ms; /* about so long after the time before */
} TilesPace;
#define TILES_PACES (SEAT_FILMS_MAX + 1)
#define TILES_PACE_LOSSES SEAT_FILMS_MAX

typedef struct {
    guint width, height; /* px */
    guint columns, rows;
    Tile *tiles; /* row by row */
    TilesPace paces[TILES_PACES];
} Tiles;

/* Makes (or remakes) the state for a screen; everything is lacking. Free with tiles_clear(). */
void tiles_reset(Tiles *tiles, guint width, guint height);
void tiles_clear(Tiles *tiles);

/* Notes that a rectangle (clipped here) has changed; with `motion` the access unit that is being taken shows
 * it, else it is to be sent from the shadow. `forget`: the client must get it even where it has the version
 * already. */
void tiles_damage(Tiles *tiles, const ViewerRect *rect, gboolean motion, gboolean forget);

/* The box of the tile is painted with losses at now_ms (never 0). */
void tile_note_losses(Tile *tile, TileBox box, guint32 now_ms);

/* An access unit for `region` is being taken at now_ms (never 0): appends to `rects` what it must paint, and
 * marks that, or with paints_all the whole region, as lossy. What the tiles of the region lack is covered by
 * it too. The caller notes the film, once for all units of an update. */
void tiles_take_motion(Tiles *tiles, const ViewerRect *region, gboolean paints_all, guint32 now_ms,
                       GArray *rects);

/* Something that moves (a film's number, or TILES_PACE_LOSSES) was painted with losses at now_ms: what is
 * calm is judged by how often the slowest of what goes on comes. */
void tiles_note_film(Tiles *tiles, guint film, guint32 now_ms);

/* Turns up to `limit` lossy tiles that have been calm for long enough into lacking ones; returns how many.
 */
guint tiles_take_calm(Tiles *tiles, guint32 now_ms, guint limit);

/* In how many ms the next lossy tile is due: 0 now, -1 none is lossy. */
gint tiles_calm_due(const Tiles *tiles, guint32 now_ms);

/* Makes boxes of what neighbouring tiles of each row lack a little larger where they then join into one
 * rectangle: a line of text is one, not one for every letter's height. Leaves lossy tiles alone. */
void tiles_level(Tiles *tiles);

/* How many bytes tiles lack. */
gsize tiles_lacking(const Tiles *tiles);

static inline gboolean tile_box_empty(TileBox box)
{
    return box.x1 == 0;
}

/* A collector of tile boxes in row order that joins neighbours into few rectangles, which never overlap. */
typedef struct {
    GArray *rects;        /* of ViewerRect */
    guint row;            /* tile row being collected */
    guint row_start;      /* index of the first rectangle of that row */
    guint previous_start; /* from here to row_start are those which the row may continue */
} TileJoiner;

void tile_joiner_start(TileJoiner *joiner, GArray *rects);
/* Adds the box of the tile at column, row; tiles come row by row, left to right. */
void tile_joiner_add(TileJoiner *joiner, guint column, guint row, TileBox box);
/* Joins the last row; call once at the end. */
void tile_joiner_end(TileJoiner *joiner);
