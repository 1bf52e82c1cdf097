/* Verifying an offset, and cutting rectangles out of what it holds for. The damaged tiles are compared row by
 * row; rows that agree in the same tile columns make bands, in which the largest rectangles are found; each
 * then grows as far as the picture around it has moved, too, damaged or not. */
#include "encoder/scroll_private.h"

#include <string.h>

#define RECTANGLES_MAX 8 /* of one offset */
#define BESIDE SEAT_TILE /* px: the next line may be a little longer than all of those before */
#define PROBE_EVERY 8    /* rows that are compared first */

/* How many of `width` px at x, y before stand in one plane. */
static guint plane_run(const Undo *undo, guint x, guint y, guint width)
{
    const guint64 *kept = &undo->kept[y / SEAT_TILE * undo->tiles_x + x / SEAT_TILE];
    guint64 bit = G_GUINT64_CONSTANT(1) << (y % SEAT_TILE);
    guint run = SEAT_TILE - x % SEAT_TILE;

    for (guint i = 1; run < width && !((kept[0] ^ kept[i]) & bit); i++)
        run += SEAT_TILE;
    return MIN(run, width);
}

gboolean scroll_same(const Scroll *scroll, guint x, guint y, guint width, guint from_x, guint from_y)
{
    while (width > 0) {
        guint part = plane_run(scroll->undo, from_x, from_y, width);
        if (memcmp(scroll_now(scroll, x, y), scroll_before(scroll, from_x, from_y), part * 4) != 0)
            return FALSE;
        x += part;
        from_x += part;
        width -= part;
    }
    return TRUE;
}

static gboolean row_moved(const Scroll *scroll, guint x0, guint x1, guint y, ScrollOffset offset)
{
    gint from_x = (gint)x0 - offset.dx, from_y = (gint)y - offset.dy;
    return from_x >= 0 && from_y >= 0 && from_x + (gint)(x1 - x0) <= (gint)scroll->width &&
           from_y < (gint)scroll->height && scroll_same(scroll, x0, y, x1 - x0, (guint)from_x, (guint)from_y);
}

/* ---- where nothing may be moved to ---- */

static guint obstacles(const Scroll *scroll)
{
    return scroll->n_moves + 2 * scroll->n_left_out;
}

/* What other moves write; and the parts that are left out, where they are and where the offset would bring
 * them. */
static ScrollBox obstacle(const Scroll *scroll, guint number, ScrollOffset offset)
{
    const ScrollMove *move = &scroll->moves[number];
    gint width = (gint)scroll->width, height = (gint)scroll->height;

    if (number < scroll->n_moves)
        return (ScrollBox){move->to_x, move->to_y, (guint16)(move->to_x + move->width),
                           (guint16)(move->to_y + move->height)};
    const SeatRect *part = &scroll->left_out[(number - scroll->n_moves) / 2];
    gboolean brought = (number - scroll->n_moves) % 2;
    gint x = part->x + (brought ? offset.dx : 0), y = part->y + (brought ? offset.dy : 0);
    return (ScrollBox){(guint16)CLAMP(x, 0, width), (guint16)CLAMP(y, 0, height),
                       (guint16)CLAMP(x + part->width, 0, width),
                       (guint16)CLAMP(y + part->height, 0, height)};
}

/* ---- cells: what of each tile is compared ---- */

/* A tile's damage, up to the tile's edge where the neighbour is looked at too, so that cells meet. */
static ScrollBox cell_of(const Scroll *scroll, guint tx, guint ty)
{
    const gboolean *tile = &scroll->examined[ty * scroll->tiles_x + tx];
    ScrollBox cell = scroll->left[ty * scroll->tiles_x + tx];
    guint16 x0 = (guint16)(tx * SEAT_TILE), x1 = (guint16)MIN(x0 + SEAT_TILE, scroll->width);
    guint16 y0 = (guint16)(ty * SEAT_TILE), y1 = (guint16)MIN(y0 + SEAT_TILE, scroll->height);

    if (scroll_box_empty(&cell))
        return (ScrollBox){x0, y0, x1, y1};
    if (tx > 0 && tile[-1])
        cell.x0 = x0;
    if (tx + 1 < scroll->tiles_x && tile[1])
        cell.x1 = x1;
    if (ty > 0 && tile[-(gint)scroll->tiles_x])
        cell.y0 = y0;
    if (ty + 1 < scroll->tiles_y && tile[scroll->tiles_x])
        cell.y1 = y1;
    return cell;
}

/* The rows of a cell, as bits from its tile's top, in which there is an obstacle. */
static guint64 rows_taken(const Scroll *scroll, const ScrollBox *cell, ScrollOffset offset)
{
    guint64 taken = 0;
    for (guint i = 0; i < obstacles(scroll); i++) {
        ScrollBox other = obstacle(scroll, i, offset);
        if (other.x0 >= cell->x1 || other.x1 <= cell->x0)
            continue;
        for (guint y = MAX(cell->y0, other.y0); y < MIN(cell->y1, other.y1); y++)
            taken |= G_GUINT64_CONSTANT(1) << (y % SEAT_TILE);
    }
    return taken;
}

static gboolean promises(const Scroll *scroll, const ScrollBox *cell, ScrollOffset offset)
{
    for (guint y = cell->y0; y < cell->y1; y += PROBE_EVERY)
        if (row_moved(scroll, cell->x0, cell->x1, y, offset))
            return TRUE;
    return FALSE;
}

/* Compares row y of neighbouring cells: all at once, and where that fails, which is rare, one by one. */
static void row_of_run(const Scroll *scroll, const ScrollBox *cells, guint count, guint y,
                       ScrollOffset offset, guint64 *moved)
{
    guint64 bit = G_GUINT64_CONSTANT(1) << (y % SEAT_TILE);
    gboolean all = count > 1 && row_moved(scroll, cells[0].x0, cells[count - 1].x1, y, offset);

    for (guint i = 0; i < count; i++)
        if (all || row_moved(scroll, cells[i].x0, cells[i].x1, y, offset))
            moved[i] |= bit;
}

/* The rows of each cell of a row of tiles, as bits from its tile's top, that have moved by the offset: row by
 * row over all of them, as memory likes it. `looked`: the cells that promise something. */
static void rows_moved(const Scroll *scroll, guint ty, const gboolean *looked, ScrollOffset offset,
                       guint64 *moved)
{
    const ScrollBox *cells = &scroll->cells[ty * scroll->tiles_x];
    guint end = MIN((ty + 1) * SEAT_TILE, scroll->height);

    for (guint y = ty * SEAT_TILE; y < end; y++)
        for (guint tx = 0, run; tx < scroll->tiles_x; tx += run) {
            for (run = 0; tx + run < scroll->tiles_x && looked[tx + run] && y >= cells[tx + run].y0 &&
                          y < cells[tx + run].y1 &&
                          (run == 0 || cells[tx + run].x0 == cells[tx + run - 1].x1);)
                run++;
            if (run > 0)
                row_of_run(scroll, &cells[tx], run, y, offset, &moved[tx]);
            else
                run = 1;
        }
}

/* ---- bands ---- */

static gboolean band_has(const ScrollBand *band, guint tx)
{
    return band->columns[tx / 64] >> (tx % 64) & 1;
}

/* Compares the tiles of one row of them. */
static void compare_tiles(Scroll *scroll, guint ty, ScrollOffset offset, guint64 *moved)
{
    gboolean looked[SEAT_WIDTH_MAX / SEAT_TILE] = {FALSE}, some = FALSE;

    for (guint tx = 0; tx < scroll->tiles_x; tx++) {
        guint tile = ty * scroll->tiles_x + tx;
        if (!scroll->examined[tile])
            continue;
        scroll->cells[tile] = cell_of(scroll, tx, ty);
        looked[tx] = promises(scroll, &scroll->cells[tile], offset);
        some |= looked[tx];
    }
    if (some)
        rows_moved(scroll, ty, looked, offset, moved);
}

/* The same from what has been noted while the tiles were copied. */
static void recall_tiles(Scroll *scroll, guint ty, guint64 *moved)
{
    const ScrollMove *move = &scroll->forecast->move;

    guint bottom = MIN((ty + 1) * SEAT_TILE, (guint)move->to_y + move->height);

    for (guint tx = 0; tx < scroll->tiles_x; tx++) {
        guint tile = ty * scroll->tiles_x + tx,
              right = MIN((tx + 1) * SEAT_TILE, (guint)move->to_x + move->width);
        moved[tx] = scroll->forecast->moved[tile];
        scroll->cells[tile] = (ScrollBox){.x0 = MAX((guint16)(tx * SEAT_TILE), move->to_x),
                                          .y0 = MAX((guint16)(ty * SEAT_TILE), move->to_y),
                                          .x1 = (guint16)right,
                                          .y1 = (guint16)bottom};
    }
}

/* Appends the bands of one row of tiles. */
static guint tile_row_bands(Scroll *scroll, guint ty, ScrollOffset offset, guint count)
{
    guint64 moved[SEAT_WIDTH_MAX / SEAT_TILE] = {0}, any = 0;

    if (scroll->forecast)
        recall_tiles(scroll, ty, moved);
    else
        compare_tiles(scroll, ty, offset, moved);
    for (guint tx = 0; tx < scroll->tiles_x; tx++) {
        if (moved[tx])
            moved[tx] &= ~rows_taken(scroll, &scroll->cells[ty * scroll->tiles_x + tx], offset);
        any |= moved[tx];
    }
    for (guint row = 0; any != 0 && row < MIN(SEAT_TILE, scroll->height - ty * SEAT_TILE); row++) {
        ScrollBand band = {.y = ty * SEAT_TILE + row, .rows = 1};
        for (guint tx = 0; tx < scroll->tiles_x; tx++)
            band.columns[tx / 64] |= (moved[tx] >> row & 1) << (tx % 64);
        ScrollBand *last = count > 0 ? &scroll->bands[count - 1] : NULL;
        if (last && last->y + last->rows == band.y &&
            memcmp(last->columns, band.columns, sizeof band.columns) == 0)
            last->rows++;
        else if (band.columns[0] | band.columns[1])
            scroll->bands[count++] = band;
    }
    return count;
}

typedef struct {
    guint tx0, tx1, y0, y1; /* tile columns and px, exclusive at their ends */
    guint area;             /* px, as if all tiles were whole */
} Rectangle;

/* The largest rectangle that ends with a band, given how high each tile column reaches up from its end. */
static void largest_below(const guint *heights, guint columns, guint bottom, Rectangle *best)
{
    guint open[SEAT_WIDTH_MAX / SEAT_TILE + 1], starts[SEAT_WIDTH_MAX / SEAT_TILE + 1], depth = 0;

    for (guint tx = 0; tx <= columns; tx++) {
        guint height = tx < columns ? heights[tx] : 0, from = tx;
        while (depth > 0 && open[depth - 1] >= height) {
            depth--;
            from = starts[depth];
            guint area = open[depth] * (tx - from) * SEAT_TILE;
            if (area > best->area)
                *best = (Rectangle){from, tx, bottom - open[depth], bottom, area};
        }
        open[depth] = height;
        starts[depth++] = from;
    }
}

static Rectangle largest(const Scroll *scroll, guint count)
{
    guint heights[SEAT_WIDTH_MAX / SEAT_TILE] = {0}, bottom = 0;
    Rectangle best = {0};

    for (guint i = 0; i < count; i++) {
        const ScrollBand *band = &scroll->bands[i];
        if (band->y != bottom)
            memset(heights, 0, sizeof heights);
        bottom = band->y + band->rows;
        for (guint tx = 0; tx < scroll->tiles_x; tx++)
            heights[tx] = band_has(band, tx) ? heights[tx] + band->rows : 0;
        largest_below(heights, scroll->tiles_x, bottom, &best);
    }
    return best;
}

static void bands_clear(Scroll *scroll, guint count, const Rectangle *rectangle)
{
    for (guint i = 0; i < count; i++) {
        ScrollBand *band = &scroll->bands[i];
        if (band->y < rectangle->y0 || band->y >= rectangle->y1)
            continue;
        for (guint tx = rectangle->tx0; tx < rectangle->tx1; tx++)
            band->columns[tx / 64] &= ~(G_GUINT64_CONSTANT(1) << (tx % 64));
    }
}

/* ---- rectangles ---- */

/* The pixels that all of the rectangle's cells have. */
static ScrollBox exact_box(const Scroll *scroll, const Rectangle *rectangle)
{
    ScrollBox box = {0, (guint16)rectangle->y0, G_MAXUINT16, (guint16)rectangle->y1};
    for (guint ty = rectangle->y0 / SEAT_TILE; ty * SEAT_TILE < rectangle->y1; ty++) {
        const ScrollBox *row = &scroll->cells[ty * scroll->tiles_x];
        box.x0 = MAX(box.x0, row[rectangle->tx0].x0);
        box.x1 = MIN(box.x1, row[rectangle->tx1 - 1].x1);
    }
    return box;
}

/* How far a rectangle may grow: to where the frame's damage ends, or a little beside it, where the source
 * leaves the picture, and where another move writes. Beside, below and above of what has moved much looks the
 * same in both pictures: what is not damaged may be moved, too, and one rectangle is less to send than many.
 */
static ScrollBox room(const Scroll *scroll, const ScrollBox *box, ScrollOffset offset)
{
    gint x0 = MAX(MAX(scroll->bounds.x0 - BESIDE, 0), offset.dx), y0 = MAX(scroll->bounds.y0, offset.dy);
    gint x1 = MIN(MIN(scroll->bounds.x1 + BESIDE, (gint)scroll->width), (gint)scroll->width + offset.dx);
    gint y1 = MIN(scroll->bounds.y1, (gint)scroll->height + offset.dy);

    return (ScrollBox){(guint16)MIN(x0, box->x0), (guint16)MIN(y0, box->y0), (guint16)MAX(x1, box->x1),
                       (guint16)MAX(y1, box->y1)};
}

/* Takes off `room` what obstacles are beside the box (across) or above and below it. */
static void keep_apart(const Scroll *scroll, const ScrollBox *box, gboolean across, ScrollOffset offset,
                       ScrollBox *room)
{
    for (guint i = 0; i < obstacles(scroll); i++) {
        ScrollBox other = obstacle(scroll, i, offset);
        if (across && (other.y0 >= box->y1 || other.y1 <= box->y0))
            continue;
        if (!across && (other.x0 >= box->x1 || other.x1 <= box->x0))
            continue;
        if (across && other.x1 <= box->x0)
            room->x0 = MAX(room->x0, other.x1);
        else if (across)
            room->x1 = MIN(room->x1, MAX(other.x0, box->x1));
        else if (other.y1 <= box->y0)
            room->y0 = MAX(room->y0, other.y1);
        else
            room->y1 = MIN(room->y1, MAX(other.y0, box->y1));
    }
}

/* How many of `wanted` columns to the left of the box, or to the right, have moved over all of its height. */
static guint columns_moved(const Scroll *scroll, const ScrollBox *box, gboolean left, guint wanted,
                           ScrollOffset offset)
{
    guint moved = wanted;

    for (guint y = box->y0; y < box->y1 && moved > 0; y++) {
        guint from_y = (guint)((gint)y - offset.dy), same = 0;
        guint start = left ? box->x0 - moved : box->x1;
        if (scroll_same(scroll, start, y, moved, (guint)((gint)start - offset.dx), from_y))
            continue;
        while (same < moved) {
            guint x = left ? box->x0 - same - 1 : box->x1 + same;
            if (memcmp(scroll_now(scroll, x, y), scroll_before(scroll, (guint)((gint)x - offset.dx), from_y),
                       4) != 0)
                break;
            same++;
        }
        moved = same;
    }
    return moved;
}

static void grow_across(const Scroll *scroll, ScrollBox *box, ScrollOffset offset)
{
    ScrollBox limit = room(scroll, box, offset);
    guint wanted, moved;

    keep_apart(scroll, box, TRUE, offset, &limit);
    do {
        wanted = MIN(SEAT_TILE, (guint)box->x0 - limit.x0);
        moved = columns_moved(scroll, box, TRUE, wanted, offset);
        box->x0 = (guint16)(box->x0 - moved);
    } while (wanted > 0 && moved == wanted);
    do {
        wanted = MIN(SEAT_TILE, (guint)limit.x1 - box->x1);
        moved = columns_moved(scroll, box, FALSE, wanted, offset);
        box->x1 = (guint16)(box->x1 + moved);
    } while (wanted > 0 && moved == wanted);
}

static void grow_along(const Scroll *scroll, ScrollBox *box, ScrollOffset offset)
{
    ScrollBox limit = room(scroll, box, offset);

    keep_apart(scroll, box, FALSE, offset, &limit);
    while (box->y0 > limit.y0 && row_moved(scroll, box->x0, box->x1, box->y0 - 1u, offset))
        box->y0--;
    while (box->y1 < limit.y1 && row_moved(scroll, box->x0, box->x1, box->y1, offset))
        box->y1++;
}

static guint box_area(const ScrollBox *box)
{
    return box->x1 > box->x0 && box->y1 > box->y0 ? (guint)(box->x1 - box->x0) * (box->y1 - box->y0) : 0;
}

/* Gives up what obstacles are in: an earlier rectangle may have grown into it. The largest side stays. */
static void trim(const Scroll *scroll, ScrollBox *box, ScrollOffset offset)
{
    for (guint i = 0; i < obstacles(scroll) && box_area(box) > 0; i++) {
        ScrollBox other = obstacle(scroll, i, offset), best = {0};
        if (other.x0 >= box->x1 || other.x1 <= box->x0 || other.y0 >= box->y1 || other.y1 <= box->y0)
            continue;
        const ScrollBox sides[] = {{box->x0, box->y0, box->x1, other.y0},
                                   {box->x0, other.y1, box->x1, box->y1},
                                   {box->x0, box->y0, other.x0, box->y1},
                                   {other.x1, box->y0, box->x1, box->y1}};
        for (guint side = 0; side < G_N_ELEMENTS(sides); side++)
            if (box_area(&sides[side]) > box_area(&best))
                best = sides[side];
        *box = best;
    }
}

/* Takes what the move writes off a tile's damage, as far as a box stays. */
static void cover(ScrollBox *damage, const ScrollBox *move)
{
    ScrollBox part = {MAX(damage->x0, move->x0), MAX(damage->y0, move->y0), MIN(damage->x1, move->x1),
                      MIN(damage->y1, move->y1)};

    if (part.x0 >= part.x1 || part.y0 >= part.y1)
        return;
    if (part.x0 == damage->x0 && part.x1 == damage->x1) {
        if (part.y0 == damage->y0)
            damage->y0 = part.y1;
        else if (part.y1 == damage->y1)
            damage->y1 = part.y0;
    } else if (part.y0 == damage->y0 && part.y1 == damage->y1) {
        if (part.x0 == damage->x0)
            damage->x0 = part.x1;
        else if (part.x1 == damage->x1)
            damage->x1 = part.x0;
    }
    if (damage->y0 == damage->y1)
        damage->x1 = damage->x0;
}

static void add(Scroll *scroll, const ScrollBox *box, ScrollOffset offset)
{
    scroll->moves[scroll->n_moves++] = (ScrollMove){.x = (guint16)(box->x0 - offset.dx),
                                                    .y = (guint16)(box->y0 - offset.dy),
                                                    .to_x = box->x0,
                                                    .to_y = box->y0,
                                                    .width = box->x1 - box->x0,
                                                    .height = box->y1 - box->y0};
    for (guint ty = box->y0 / SEAT_TILE; ty * SEAT_TILE < box->y1; ty++)
        for (guint tx = box->x0 / SEAT_TILE; tx * SEAT_TILE < box->x1; tx++) {
            guint tile = ty * scroll->tiles_x + tx;
            /* What two moves cover together may become a box only when the second is taken off. */
            for (guint i = scroll->n_moves; i-- > 0;) {
                const ScrollMove *move = &scroll->moves[i];
                cover(&scroll->left[tile],
                      &(ScrollBox){move->to_x, move->to_y, (guint16)(move->to_x + move->width),
                                   (guint16)(move->to_y + move->height)});
            }
            scroll->examined[tile] = scroll->examined[tile] && !scroll_box_empty(&scroll->left[tile]);
        }
}

void scroll_take(Scroll *scroll, ScrollOffset offset, guint64 least)
{
    guint count = 0;

    for (guint ty = 0; ty < scroll->tiles_y; ty++)
        count = tile_row_bands(scroll, ty, offset, count);
    for (guint i = 0; i < RECTANGLES_MAX && scroll->n_moves < SCROLL_MOVES_MAX; i++) {
        Rectangle rectangle = largest(scroll, count);
        if (rectangle.area < least)
            return;
        bands_clear(scroll, count, &rectangle);
        ScrollBox box = exact_box(scroll, &rectangle);
        trim(scroll, &box, offset);
        if (box_area(&box) == 0)
            continue;
        if (!scroll->forecast) {
            grow_across(scroll, &box, offset);
            grow_along(scroll, &box, offset);
        }
        if (box_area(&box) >= least)
            add(scroll, &box, offset);
    }
}
