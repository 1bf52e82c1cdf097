/* What the frame records said since the last update becomes what the client lacks, and moves. */
#include "session/client/viewer_internal.h"

/* Notes the frame's damage: inside of units' regions as those units' work, around them as the shadow's. */
static void fold_rect(Tiles *tiles, ViewerRect rect, const ViewerRect *regions, guint count)
{
    guint x1 = rect.x + rect.width, y1 = rect.y + rect.height;

    if (rect.width == 0 || rect.height == 0)
        return;
    if (count == 0) {
        tiles_damage(tiles, &rect, FALSE, FALSE);
        return;
    }
    guint ix0 = MAX(rect.x, regions->x), ix1 = MIN(x1, regions->x + regions->width);
    guint iy0 = MAX(rect.y, regions->y), iy1 = MIN(y1, regions->y + regions->height);
    if (ix0 >= ix1 || iy0 >= iy1) {
        fold_rect(tiles, rect, regions + 1, count - 1);
        return;
    }
    tiles_damage(tiles, &(ViewerRect){ix0, iy0, ix1 - ix0, iy1 - iy0}, TRUE, FALSE);
    const ViewerRect around[4] = {{rect.x, rect.y, rect.width, iy0 - rect.y},
                                  {rect.x, iy1, rect.width, y1 - iy1},
                                  {rect.x, iy0, ix0 - rect.x, iy1 - iy0},
                                  {ix1, iy0, x1 - ix1, iy1 - iy0}};
    for (guint i = 0; i < 4; i++)
        fold_rect(tiles, around[i], regions + 1, count - 1);
}

static gboolean meets(const ViewerRect *region, guint x, guint y, guint width, guint height)
{
    return x < region->x + region->width && region->x < x + width && y < region->y + region->height &&
           region->y < y + height;
}

/* A move from or to the region of a unit, which shows the picture after it, is that unit's work like any
 * other damage. */
static void fold_move(Viewer *viewer, const FeedMove *noted, const ViewerRect *regions, guint count)
{
    const ViewerMove *move = &noted->move;
    gboolean beside = TRUE;

    for (guint i = 0; i < count; i++)
        beside &= !meets(&regions[i], move->x, move->y, move->width, move->height) &&
                  !meets(&regions[i], move->to_x, move->to_y, move->width, move->height);
    if (viewer->accept_moves && !viewer->keep && beside)
        moves_fold(&viewer->tiles, move, noted->base, viewer->moves);
    else
        fold_rect(&viewer->tiles, (ViewerRect){move->to_x, move->to_y, move->width, move->height}, regions,
                  count);
}

void viewer_fold(Viewer *viewer, const ViewerRect *regions, guint count)
{
    Feed *feed = viewer->shown;

    if (feed->overflow)
        fold_rect(&viewer->tiles, (ViewerRect){0, 0, viewer->tiles.width, viewer->tiles.height}, regions,
                  count);
    for (guint i = 0, moved = 0; !feed->overflow && (i < feed->damage->len || moved < feed->moves->len);) {
        const FeedMove *move = moved < feed->moves->len ? &g_array_index(feed->moves, FeedMove, moved) : NULL;
        if (move && move->damage <= i) {
            fold_move(viewer, move, regions, count);
            moved++;
        } else {
            fold_rect(&viewer->tiles, g_array_index(feed->damage, ViewerRect, i), regions, count);
            i++;
        }
    }
    g_array_set_size(feed->damage, 0);
    g_array_set_size(feed->moves, 0);
    feed->overflow = FALSE;
}
