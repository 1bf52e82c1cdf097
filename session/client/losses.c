/* The choice of what may have losses. */
#include "session/client/losses.h"

#include "encoder/content.h"

#define SUDDEN_SHARE 6    /* of the screen, for "much at once" */
#define MOTION_GAP_MS 200 /* changes further apart than this are no motion */
#define SAME_CHANGE_MS 5  /* changes closer together than this are one, in several updates */

static void note_change(Tile *tile, guint32 now_ms)
{
    guint32 gap = now_ms - tile->changed;

    if (tile->changed == 0 || gap > MOTION_GAP_MS)
        tile->run = 0;
    else if (tile->run < TILES_MOTION_RUN && gap > SAME_CHANGE_MS)
        tile->run++;
    tile->changed = now_ms;
}

Losses losses_look(Tiles *tiles, const ViewerMove *moves, guint n_moves, guint32 now_ms)
{
    for (gsize i = 0; i < (gsize)tiles->columns * tiles->rows; i++)
        if (!tile_box_empty(tiles->tiles[i].exact))
            note_change(&tiles->tiles[i], now_ms);
    gsize whole = (gsize)tiles->width * tiles->height * 4;
    return (Losses){tiles, moves, n_moves, now_ms, tiles_lacking(tiles) * SUDDEN_SHARE >= whole};
}

/* What a move reads or writes may be moved on by the next update, so losses would travel; and what a scroll
 * brings in is a strip beside what is exact: a film has no such. */
static gboolean beside_a_move(const Losses *losses, const ViewerRect *rect)
{
    for (guint i = 0; i < losses->n_moves; i++) {
        const ViewerMove *move = &losses->moves[i];
        guint left = MIN(move->x, move->to_x), right = MAX(move->x, move->to_x) + move->width;
        guint top = MIN(move->y, move->to_y), bottom = MAX(move->y, move->to_y) + move->height;
        if (rect->x < right && rect->x + rect->width > left && rect->y < bottom &&
            rect->y + rect->height > top)
            return TRUE;
    }
    return FALSE;
}

gboolean losses_allow(const Losses *losses, guint column, guint row, TileBox box,
                      const ViewerPicture *picture)
{
    const Tile *tile = &losses->tiles->tiles[row * losses->tiles->columns + column];
    ViewerRect rect = {column * SEAT_TILE + box.x0, row * SEAT_TILE + box.y0, box.x1 - box.x0,
                       box.y1 - box.y0};

    if (tile->calm || (!losses->sudden && (tile->run < TILES_MOTION_RUN || beside_a_move(losses, &rect))))
        return FALSE;
    return content_is_picture(picture->pixels + (gsize)rect.y * picture->stride + (gsize)rect.x * 4,
                              picture->stride, rect.width, rect.height);
}
