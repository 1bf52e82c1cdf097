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
        gboolean useless = tile->lossy != 0 || tile->ahead > base;
        const TileBox boxes[] = {useless ? whole : tile->exact, useless ? (TileBox){0} : tile->motion};
        for (guint i = 0; i < G_N_ELEMENTS(boxes); i++) {
            ViewerRect part;
            if (!part_of(boxes[i], column, row, move->x, move->y, move->width, move->height, &part))
                continue;
            part.x = part.x - move->x + move->to_x;
            part.y = part.y - move->y + move->to_y;
            area += (gsize)part.width * part.height;
            g_array_append_val(wrong, part);
        }
    }
    return area;
}

/* The tiles that the move writes no longer are what a version said. What they lacked is cured where the move
 * covers it. */
static void overwrite(Tiles *tiles, const ViewerMove *move)
{
    FOR_TILES_OF(tiles, move->to_x, move->to_y, move->width, move->height, column, row)
    {
        Tile *tile = &tiles->tiles[row * tiles->columns + column];
        guint left = column * SEAT_TILE, top = row * SEAT_TILE;
        guint right = move->to_x + move->width, bottom = move->to_y + move->height;
        gboolean begins = move->to_x <= left + tile->exact.x0 && move->to_y <= top + tile->exact.y0;

        tile->sent = 0;
        tile->told = FALSE;
        if (begins && right >= left + tile->exact.x1 && bottom >= top + tile->exact.y1)
            tile->exact = (TileBox){0};
        if (move->to_x <= left && move->to_y <= top && right >= MIN(left + SEAT_TILE, tiles->width) &&
            bottom >= MIN(top + SEAT_TILE, tiles->height)) {
            tile->ahead = 0;
            tile->lossy = 0;
        }
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
