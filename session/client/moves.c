/* What a move takes along: pixels that are right, and such as the client lacks, has with losses, or has of a
 * later picture already. */
#include "session/client/moves.h"

/* A move that leaves more than half of its destination to be sent is not worth its bytes. */
#define WRONG_SHARE 2

gboolean move_fits(const ViewerMove *move, guint width, guint height)
{
    guint right = MAX(move->x, move->to_x), bottom = MAX(move->y, move->to_y);
    return move->width > 0 && move->height > 0 && right < width && bottom < height &&
           move->width <= width - right && move->height <= height - bottom;
}

/* Calls for the part of the rectangle that lies in the tile at column, row. */
#define FOR_TILES_OF(TILES, X, Y, WIDTH, HEIGHT, COLUMN, ROW)                                                \
    for (guint ROW = (Y) / SEAT_TILE; ROW * SEAT_TILE < (Y) + (HEIGHT); ROW++)                               \
        for (guint COLUMN = (X) / SEAT_TILE; COLUMN * SEAT_TILE < (X) + (WIDTH); COLUMN++)

/* What of `box` of the tile lies in the rectangle at x, y; FALSE: nothing. */
static gboolean part_of(TileBox box, guint column, guint row, guint x, guint y, guint width, guint height,
                        ViewerRect *part)
{
    guint x0 = MAX(column * SEAT_TILE + box.x0, x), x1 = MIN(column * SEAT_TILE + box.x1, x + width);
    guint y0 = MAX(row * SEAT_TILE + box.y0, y), y1 = MIN(row * SEAT_TILE + box.y1, y + height);
    if (tile_box_empty(box) || x0 >= x1 || y0 >= y1)
        return FALSE;
    *part = (ViewerRect){x0, y0, x1 - x0, y1 - y0};
    return TRUE;
}

/* What is wrong of the source, as rectangles where it arrives; returns its area in px. Overlaps count twice.
 */
static gsize wrong_at_arrival(const Tiles *tiles, const ViewerMove *move, guint64 base, GArray *wrong)
{
    static const TileBox whole = {0, 0, SEAT_TILE, SEAT_TILE};
    gsize area = 0;

    FOR_TILES_OF(tiles, move->x, move->y, move->width, move->height, column, row)
    {
        const Tile *tile = &tiles->tiles[row * tiles->columns + column];
        const TileBox boxes[] = {tile->exact, tile->motion, tile->losses}, *box = boxes;
        guint n_boxes = tile->lossy ? 3 : 2;
        if (tile->ahead > base) {
            box = &whole;
            n_boxes = 1;
        }
        for (guint i = 0; i < n_boxes; i++) {
            ViewerRect part;
            if (!part_of(box[i], column, row, move->x, move->y, move->width, move->height, &part))
                continue;
            part.x = part.x - move->x + move->to_x;
            part.y = part.y - move->y + move->to_y;
            area += (gsize)part.width * part.height;
            g_array_append_val(wrong, part);
        }
    }
    return area;
}

/* Whether the move writes all of the tile's box. */
static gboolean covers(const ViewerMove *move, guint column, guint row, TileBox box)
{
    guint left = column * SEAT_TILE, top = row * SEAT_TILE;
    return move->to_x <= left + box.x0 && move->to_y <= top + box.y0 &&
           move->to_x + move->width >= left + box.x1 && move->to_y + move->height >= top + box.y1;
}

/* The tiles that the move writes no longer are what a version said. What they lacked, and losses, are cured
 * where the move covers them. */
static void overwrite(Tiles *tiles, const ViewerMove *move)
{
    FOR_TILES_OF(tiles, move->to_x, move->to_y, move->width, move->height, column, row)
    {
        Tile *tile = &tiles->tiles[row * tiles->columns + column];
        const TileBox whole = {0, 0, (guint8)MIN(SEAT_TILE, tiles->width - column * SEAT_TILE),
                               (guint8)MIN(SEAT_TILE, tiles->height - row * SEAT_TILE)};

        tile->sent = 0;
        tile->told = FALSE;
        if (covers(move, column, row, tile->exact))
            tile->exact = (TileBox){0};
        if (tile->lossy && covers(move, column, row, tile->losses))
            tile->lossy = 0;
        if (covers(move, column, row, whole))
            tile->ahead = 0;
    }
}

void moves_fold(Tiles *tiles, const ViewerMove *move, guint64 base, GArray *moves)
{
    g_return_if_fail(move_fits(move, tiles->width, tiles->height));
    g_autoptr(GArray) wrong = g_array_new(FALSE, FALSE, sizeof(ViewerRect));

    if (wrong_at_arrival(tiles, move, base, wrong) > (gsize)move->width * move->height / WRONG_SHARE) {
        tiles_damage(tiles, &(ViewerRect){move->to_x, move->to_y, move->width, move->height}, FALSE, FALSE);
        return;
    }
    overwrite(tiles, move);
    for (guint i = 0; i < wrong->len; i++)
        tiles_damage(tiles, &g_array_index(wrong, ViewerRect, i), FALSE, FALSE);
    g_array_append_vals(moves, move, 1);
}
