/* What the client lacks is copied from the shadow, and parted into what goes exactly and what goes with
 * losses first. */
#include "session/client/losses.h"
#include "session/client/viewer_internal.h"

#define NAMED_SHARE 2 /* of a tile must have changed that it is copied whole */

typedef struct {
    Viewer *viewer;
    ViewerPicture picture;
    Losses losses; /* only if the client accepts any */
    TileJoiner exact, lossy;
    gboolean any_lossy, torn;
} Copying;

static TileBox whole_tile(const Tiles *tiles, guint column, guint row)
{
    return (TileBox){0, 0, (guint8)MIN(SEAT_TILE, tiles->width - column * SEAT_TILE),
                     (guint8)MIN(SEAT_TILE, tiles->height - row * SEAT_TILE)};
}

static gboolean is_whole(const Tiles *tiles, guint column, guint row, TileBox box)
{
    TileBox all = whole_tile(tiles, column, row);
    return box.x0 == 0 && box.y0 == 0 && box.x1 >= all.x1 && box.y1 >= all.y1;
}

static guint box_area(TileBox box)
{
    return (guint)(box.x1 - box.x0) * (box.y1 - box.y0);
}

/* What of the tile is copied: all where much of it has changed and the caller wants to know such tiles again.
 */
static TileBox box_to_copy(const Viewer *viewer, guint column, guint row, TileBox box)
{
    const Tiles *tiles = &viewer->tiles;
    TileBox all = whole_tile(tiles, column, row);

    return viewer->name_tiles && box_area(box) * NAMED_SHARE >= box_area(all) ? all : box;
}

/* The tile, whose box goes out, by its name. */
static void name_tile(Viewer *viewer, guint column, guint row, TileBox box, TileBox copied, gboolean lossy)
{
    const Tiles *tiles = &viewer->tiles;
    Tile *tile = &tiles->tiles[row * tiles->columns + column];
    gboolean exact = tile->ahead <= viewer->shown->pass && tile->lossy == 0 && tile_box_empty(tile->motion);
    ViewerTile named = {
        .column = column,
        .row = row,
        .lacking = {column * SEAT_TILE + box.x0, row * SEAT_TILE + box.y0, box.x1 - box.x0, box.y1 - box.y0},
        .lossy = lossy,
        .whole = is_whole(tiles, column, row, copied),
        .settled = !lossy && (exact || is_whole(tiles, column, row, box))};

    tile->told = named.whole && named.settled;
    if (viewer->name_tiles)
        g_array_append_val(viewer->named, named);
}

/* The box of the tile is in the copy, in this version of the tile: it goes out. */
static void put_box(Copying *copying, guint column, guint row, TileBox box, TileBox copied, guint32 version)
{
    Viewer *viewer = copying->viewer;
    Tiles *tiles = &viewer->tiles;
    Tile *tile = &tiles->tiles[row * tiles->columns + column];
    /* A pass that began after the record may be in the copy, or in part of it. */
    guint64 pass = shadow_map_passes(viewer->shown->shadow), ahead = pass > viewer->shown->pass ? pass : 0;
    gboolean whole = is_whole(tiles, column, row, box);

    tile->ahead = whole ? ahead : MAX(tile->ahead, ahead);
    viewer->copy.written += (gsize)box_area(copied) * 4;
    if (viewer->accept_losses && losses_allow(&copying->losses, column, row, box, &copying->picture)) {
        tile->sent = 0;
        tile_note_losses(tile, box, copying->losses.now_ms);
        copying->any_lossy = TRUE;
        tile_joiner_add(&copying->lossy, column, row, box);
        name_tile(viewer, column, row, box, copied, TRUE);
        return;
    }
    tile->sent = whole ? version : 0;
    if (whole)
        tile->lossy = 0;
    tile_joiner_add(&copying->exact, column, row, box);
    name_tile(viewer, column, row, box, copied, FALSE);
}

static void copy_tile(Copying *copying, guint column, guint row)
{
    Viewer *viewer = copying->viewer;
    Tile *tile = &viewer->tiles.tiles[row * viewer->tiles.columns + column];
    TileBox box = tile->exact;
    guint32 version;

    if (tile_box_empty(box))
        return;
    TileBox copied = box_to_copy(viewer, column, row, box);
    ShadowCopy result = shadow_map_copy(viewer->shown->shadow, column, row, copied, tile->sent,
                                        viewer->copy.pixels, &version);
    if (result == SHADOW_TORN) {
        viewer->counters.torn++;
        copying->torn = TRUE;
        return;
    }
    tile->exact = (TileBox){0};
    if (result != SHADOW_KNOWN)
        put_box(copying, column, row, box, copied, version);
    tile->calm = FALSE;
}

gboolean viewer_copy(Viewer *viewer, guint32 now_ms, guint calm_tiles)
{
    Tiles *tiles = &viewer->tiles;
    Copying copying = {.viewer = viewer,
                       .picture = {tiles->width, tiles->height, viewer->shown->shadow->stride,
                                   viewer->copy_generation, viewer->copy.pixels}};

    if (viewer->accept_losses)
        copying.losses =
            losses_look(tiles, (const ViewerMove *)(void *)viewer->moves->data, viewer->moves->len, now_ms);
    tiles_take_calm(tiles, now_ms, calm_tiles);
    tiles_level(tiles);
    picture_copy_expect(&viewer->copy, tiles_lacking(tiles));
    tile_joiner_start(&copying.exact, viewer->rects);
    tile_joiner_start(&copying.lossy, viewer->lossy_rects);
    for (guint row = 0; row < tiles->rows; row++)
        for (guint column = 0; column < tiles->columns; column++)
            copy_tile(&copying, column, row);
    tile_joiner_end(&copying.exact);
    tile_joiner_end(&copying.lossy);
    if (copying.any_lossy)
        tiles_note_film(tiles, TILES_PACE_LOSSES, now_ms);
    return copying.torn;
}

/* Nothing of the tile is on its way to the client, and what it has is exact. */
static gboolean is_at_rest(const Viewer *viewer, const Tile *tile)
{
    return tile_box_empty(tile->exact) && tile_box_empty(tile->motion) && tile->lossy == 0 &&
           tile->ahead <= viewer->shown->pass;
}

static void copy_untold(Viewer *viewer, guint column, guint row)
{
    const Tiles *tiles = &viewer->tiles;
    ViewerTile named = {.column = column, .row = row, .whole = TRUE, .settled = TRUE};
    TileBox all = whole_tile(tiles, column, row);
    guint32 version;

    /* What the seat has begun to draw may be in the copy. */
    if (shadow_map_copy(viewer->shown->shadow, column, row, all, 0, viewer->copy.pixels, &version) !=
            SHADOW_COPIED ||
        shadow_map_passes(viewer->shown->shadow) > viewer->shown->pass)
        return;
    viewer->copy.written += (gsize)box_area(all) * 4;
    tiles->tiles[row * tiles->columns + column].told = TRUE;
    g_array_append_val(viewer->named, named);
}

gboolean viewer_copy_untold(Viewer *viewer, guint limit)
{
    const Tiles *tiles = &viewer->tiles;

    for (guint row = 0; row < tiles->rows; row++)
        for (guint column = 0; column < tiles->columns; column++) {
            const Tile *tile = &tiles->tiles[row * tiles->columns + column];
            if (tile->told || !is_at_rest(viewer, tile))
                continue;
            if (viewer->named->len >= limit)
                return TRUE;
            copy_untold(viewer, column, row);
        }
    return FALSE;
}
