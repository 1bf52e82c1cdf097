/* Per tile: when it changed, how often lately, and whether the client has it with loss. */
#include "session/vnc/refine.h"

#include <string.h>

#define MOTION_GAP_US (200 * 1000) /* changes further apart than this are no motion */
#define SAME_CHANGE_US 5000        /* changes closer together than this are one, in several rectangles */
#define MOTION_COUNT 4             /* changes in a row before a tile counts as moving */

typedef struct {
    gint64 changed_us;
    guint8 run; /* changes in a row, at most MOTION_COUNT */
    gboolean lossy;
} Tile;

struct Refine {
    guint width, height, columns, rows;
    guint lossy;
    Tile *tiles;
};

Refine *refine_new(void)
{
    return g_new0(Refine, 1);
}

void refine_free(Refine *refine)
{
    if (refine)
        g_free(refine->tiles);
    g_free(refine);
}

void refine_resize(Refine *refine, guint width, guint height)
{
    g_free(refine->tiles);
    refine->width = width;
    refine->height = height;
    refine->columns = (width + SEAT_TILE - 1) / SEAT_TILE;
    refine->rows = (height + SEAT_TILE - 1) / SEAT_TILE;
    refine->lossy = 0;
    refine->tiles = g_new0(Tile, (gsize)refine->columns * refine->rows);
}

typedef void (*TileVisit)(Refine *refine, Tile *tile, gboolean whole, gint64 now_us, gpointer data);

static void visit(Refine *refine, const ViewerRect *rect, gint64 now_us, TileVisit visitor, gpointer data)
{
    guint right = MIN(rect->x + rect->width, refine->width),
          bottom = MIN(rect->y + rect->height, refine->height);
    if (rect->x >= right || rect->y >= bottom)
        return;
    for (guint row = rect->y / SEAT_TILE; row * SEAT_TILE < bottom; row++)
        for (guint column = rect->x / SEAT_TILE; column * SEAT_TILE < right; column++) {
            gboolean whole = rect->x <= column * SEAT_TILE && rect->y <= row * SEAT_TILE &&
                             right >= MIN((column + 1) * SEAT_TILE, refine->width) &&
                             bottom >= MIN((row + 1) * SEAT_TILE, refine->height);
            visitor(refine, &refine->tiles[(gsize)row * refine->columns + column], whole, now_us, data);
        }
}

typedef struct {
    guint tiles, moving;
} Motion;

static void count_change(Refine *refine, Tile *tile, gboolean whole, gint64 now_us, gpointer data)
{
    Motion *motion = data;
    if (now_us - tile->changed_us > MOTION_GAP_US)
        tile->run = 0;
    else if (tile->run < MOTION_COUNT && now_us - tile->changed_us > SAME_CHANGE_US)
        tile->run++;
    tile->changed_us = now_us;
    motion->tiles++;
    motion->moving += tile->run >= MOTION_COUNT;
}

gboolean refine_moves(Refine *refine, const ViewerRect *rect, gint64 now_us)
{
    Motion motion = {0};
    visit(refine, rect, now_us, count_change, &motion);
    return motion.tiles > 0 && motion.moving * 2 > motion.tiles;
}

static void mark(Refine *refine, Tile *tile, gboolean whole, gint64 now_us, gpointer data)
{
    gboolean lossy = *(const gboolean *)data;
    tile->changed_us = now_us;
    if (lossy && !tile->lossy) {
        tile->lossy = TRUE;
        refine->lossy++;
    } else if (!lossy && whole && tile->lossy) {
        tile->lossy = FALSE;
        refine->lossy--;
    }
}

void refine_sent(Refine *refine, const ViewerRect *rect, gboolean lossy, gint64 now_us)
{
    visit(refine, rect, now_us, mark, &lossy);
}

/* A lossy tile's share of a move's source. The tiles come row by row. */
static void moved_losses(Refine *refine, const ViewerMove *move, GArray *arrived)
{
    guint right = MIN(move->x + move->width, refine->width),
          bottom = MIN(move->y + move->height, refine->height);
    for (guint row = move->y / SEAT_TILE; row * SEAT_TILE < bottom; row++)
        for (guint column = move->x / SEAT_TILE; column * SEAT_TILE < right; column++) {
            if (!refine->tiles[(gsize)row * refine->columns + column].lossy)
                continue;
            guint x0 = MAX(column * SEAT_TILE, move->x), x1 = MIN((column + 1) * SEAT_TILE, right);
            guint y0 = MAX(row * SEAT_TILE, move->y), y1 = MIN((row + 1) * SEAT_TILE, bottom);
            ViewerRect part = {x0 - move->x + move->to_x, y0 - move->y + move->to_y, x1 - x0, y1 - y0};
            g_array_append_val(arrived, part);
        }
}

void refine_moved(Refine *refine, const ViewerMove *move, gint64 now_us)
{
    if (refine->lossy == 0)
        return;
    g_autoptr(GArray) arrived = g_array_new(FALSE, FALSE, sizeof(ViewerRect));
    moved_losses(refine, move, arrived);
    for (guint i = 0; i < arrived->len; i++)
        refine_sent(refine, &g_array_index(arrived, ViewerRect, i), TRUE, now_us);
}

static gboolean is_due(const Tile *tile, gint64 now_us)
{
    return tile->lossy && now_us - tile->changed_us >= REFINE_CALM_US;
}

gboolean refine_due(Refine *refine, guint limit, gint64 now_us, ViewerRect *rect)
{
    if (refine->lossy == 0)
        return FALSE;
    for (guint row = 0; row < refine->rows; row++)
        for (guint column = 0; column < refine->columns; column++) {
            Tile *tiles = &refine->tiles[(gsize)row * refine->columns];
            if (!is_due(&tiles[column], now_us))
                continue;
            guint first = column;
            for (; column < refine->columns && column - first < limit && is_due(&tiles[column], now_us);
                 column++) {
                tiles[column].changed_us = now_us;
                tiles[column].run = 0;
            }
            *rect = (ViewerRect){first * SEAT_TILE, row * SEAT_TILE,
                                 MIN(column * SEAT_TILE, refine->width) - first * SEAT_TILE,
                                 MIN((row + 1) * SEAT_TILE, refine->height) - row * SEAT_TILE};
            return TRUE;
        }
    return FALSE;
}

gint64 refine_next_us(const Refine *refine)
{
    gint64 next = 0;
    if (refine->lossy == 0)
        return 0;
    for (gsize i = 0; i < (gsize)refine->columns * refine->rows; i++)
        if (refine->tiles[i].lossy && (next == 0 || refine->tiles[i].changed_us + REFINE_CALM_US < next))
            next = refine->tiles[i].changed_us + REFINE_CALM_US;
    return next;
}
