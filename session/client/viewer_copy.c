/* What the client lacks is copied from the shadow, and parted into what goes exactly and what goes with
 * losses first. */
#include "session/client/losses.h"
#include "session/client/viewer_internal.h"

typedef struct {
    Viewer *viewer;
    ViewerPicture picture;
    Losses losses; /* only if the client accepts any */
    TileJoiner exact, lossy;
    gboolean any_lossy, torn;
} Copying;

static gboolean is_whole(const Tiles *tiles, guint column, guint row, TileBox box)
{
    return box.x0 == 0 && box.y0 == 0 && box.x1 >= MIN(SEAT_TILE, tiles->width - column * SEAT_TILE) &&
           box.y1 >= MIN(SEAT_TILE, tiles->height - row * SEAT_TILE);
}

/* The box of the tile is in the copy, in this version of the tile: it goes out. */
static void put_box(Copying *copying, guint column, guint row, TileBox box, guint32 version)
{
    Viewer *viewer = copying->viewer;
    Tiles *tiles = &viewer->tiles;
    Tile *tile = &tiles->tiles[row * tiles->columns + column];
    /* A pass that began after the record may be in the copy, or in part of it. */
    guint64 pass = shadow_map_passes(viewer->shown->shadow), ahead = pass > viewer->shown->pass ? pass : 0;
    gboolean whole = is_whole(tiles, column, row, box);

    tile->ahead = whole ? ahead : MAX(tile->ahead, ahead);
    viewer->copy.written += (gsize)(box.x1 - box.x0) * (box.y1 - box.y0) * 4;
    if (viewer->accept_losses && losses_allow(&copying->losses, column, row, box, &copying->picture)) {
        tile->sent = 0;
        tile->lossy = copying->losses.now_ms;
        copying->any_lossy = TRUE;
        tile_joiner_add(&copying->lossy, column, row, box);
        return;
    }
    tile->sent = whole ? version : 0;
    if (whole)
        tile->lossy = 0;
    tile_joiner_add(&copying->exact, column, row, box);
}

static void copy_tile(Copying *copying, guint column, guint row)
{
    Viewer *viewer = copying->viewer;
    Tile *tile = &viewer->tiles.tiles[row * viewer->tiles.columns + column];
    TileBox box = tile->exact;
    guint32 version;

    if (tile_box_empty(box))
        return;
    ShadowCopy result =
        shadow_map_copy(viewer->shown->shadow, column, row, box, tile->sent, viewer->copy.pixels, &version);
    if (result == SHADOW_TORN) {
        viewer->counters.torn++;
        copying->torn = TRUE;
        return;
    }
    tile->exact = (TileBox){0};
    if (result != SHADOW_KNOWN)
        put_box(copying, column, row, box, version);
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
        tiles_note_film(tiles, now_ms);
    return copying.torn;
}
