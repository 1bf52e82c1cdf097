/* What the frame records said since the last update becomes what the client lacks, and moves. */
#include "session/client/viewer_internal.h"

/* Notes the frame's damage: inside the unit's region as the unit's work, around it as the shadow's. */
static void fold_rect(Tiles *tiles, ViewerRect rect, const ViewerRect *region)
{
    guint x1 = rect.x + rect.width, y1 = rect.y + rect.height;
    guint ix0 = 0, iy0 = 0, ix1 = 0, iy1 = 0;

    if (region) {
        ix0 = MAX(rect.x, region->x);
        iy0 = MAX(rect.y, region->y);
        ix1 = MIN(x1, region->x + region->width);
        iy1 = MIN(y1, region->y + region->height);
    }
    if (ix0 >= ix1 || iy0 >= iy1) {
        tiles_damage(tiles, &rect, FALSE, FALSE);
        return;
    }
    tiles_damage(tiles, &(ViewerRect){ix0, iy0, ix1 - ix0, iy1 - iy0}, TRUE, FALSE);
    const ViewerRect around[4] = {{rect.x, rect.y, rect.width, iy0 - rect.y},
                                  {rect.x, iy1, rect.width, y1 - iy1},
                                  {rect.x, iy0, ix0 - rect.x, iy1 - iy0},
                                  {ix1, iy0, x1 - ix1, iy1 - iy0}};
    for (guint i = 0; i < 4; i++)
        tiles_damage(tiles, &around[i], FALSE, FALSE);
}

static gboolean meets(const ViewerRect *region, guint x, guint y, guint width, guint height)
{
    return x < region->x + region->width && region->x < x + width && y < region->y + region->height &&
           region->y < y + height;
}

/* A move from or to the region of a unit, which shows the picture after it, is that unit's work like any
 * other damage. */
static void fold_move(Viewer *viewer, const FeedMove *noted, const ViewerRect *region)
{
    const ViewerMove *move = &noted->move;
    gboolean beside = !region || !(meets(region, move->x, move->y, move->width, move->height) ||
                                   meets(region, move->to_x, move->to_y, move->width, move->height));
    if (viewer->accept_moves && !viewer->keep && beside)
        moves_fold(&viewer->tiles, move, noted->base, viewer->moves);
    else
        fold_rect(&viewer->tiles, (ViewerRect){move->to_x, move->to_y, move->width, move->height}, region);
}

void viewer_fold(Viewer *viewer, const ViewerRect *region)
{
    Feed *feed = viewer->shown;

    if (feed->overflow)
        fold_rect(&viewer->tiles, (ViewerRect){0, 0, viewer->tiles.width, viewer->tiles.height}, region);
    for (guint i = 0, moved = 0; !feed->overflow && (i < feed->damage->len || moved < feed->moves->len);) {
        const FeedMove *move = moved < feed->moves->len ? &g_array_index(feed->moves, FeedMove, moved) : NULL;
        if (move && move->damage <= i) {
            fold_move(viewer, move, region);
            moved++;
        } else {
            fold_rect(&viewer->tiles, g_array_index(feed->damage, ViewerRect, i), region);
            i++;
        }
    }
    g_array_set_size(feed->damage, 0);
    g_array_set_size(feed->moves, 0);
    feed->overflow = FALSE;
}
