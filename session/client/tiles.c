/* The state of a client's tiles and the joining of tile boxes into rectangles. */
#include "session/client/tiles.h"

void tiles_clear(Tiles *tiles)
{
    g_free(tiles->tiles);
    *tiles = (Tiles){0};
}

void tiles_reset(Tiles *tiles, guint width, guint height)
{
    tiles_clear(tiles);
    tiles->width = width;
    tiles->height = height;
    tiles->columns = (width + SEAT_TILE - 1) / SEAT_TILE;
    tiles->rows = (height + SEAT_TILE - 1) / SEAT_TILE;
    tiles->tiles = g_new0(Tile, (gsize)tiles->columns * tiles->rows);
    tiles_damage(tiles, &(ViewerRect){0, 0, width, height}, FALSE, TRUE);
}

static TileBox box_union(TileBox a, TileBox b)
{
    if (tile_box_empty(a))
        return b;
    if (tile_box_empty(b))
        return a;
    return (TileBox){MIN(a.x0, b.x0), MIN(a.y0, b.y0), MAX(a.x1, b.x1), MAX(a.y1, b.y1)};
}

static gboolean clip(const Tiles *tiles, const ViewerRect *rect, ViewerRect *clipped)
{
    if (rect->x >= tiles->width || rect->y >= tiles->height)
        return FALSE;
    *clipped = *rect;
    clipped->width = MIN(rect->width, tiles->width - rect->x);
    clipped->height = MIN(rect->height, tiles->height - rect->y);
    return clipped->width > 0 && clipped->height > 0;
}

/* The part of `rect` (inside the screen) that lies in the tile. */
static TileBox box_in_tile(const ViewerRect *rect, guint column, guint row)
{
    guint left = column * SEAT_TILE, top = row * SEAT_TILE;
    guint x0 = MAX(rect->x, left), y0 = MAX(rect->y, top);
    guint x1 = MIN(rect->x + rect->width, left + SEAT_TILE),
          y1 = MIN(rect->y + rect->height, top + SEAT_TILE);
    return (TileBox){(guint8)(x0 - left), (guint8)(y0 - top), (guint8)(x1 - left), (guint8)(y1 - top)};
}

void tiles_damage(Tiles *tiles, const ViewerRect *rect, gboolean motion, gboolean forget)
{
    ViewerRect r;
    if (!clip(tiles, rect, &r))
        return;
    for (guint row = r.y / SEAT_TILE; row <= (r.y + r.height - 1) / SEAT_TILE; row++)
        for (guint column = r.x / SEAT_TILE; column <= (r.x + r.width - 1) / SEAT_TILE; column++) {
            Tile *tile = &tiles->tiles[row * tiles->columns + column];
            TileBox *box = motion ? &tile->motion : &tile->exact;
            *box = box_union(*box, box_in_tile(&r, column, row));
            if (forget)
                tile->sent = 0;
        }
}

void tile_note_losses(Tile *tile, TileBox box, guint32 now_ms)
{
    tile->losses = tile->lossy ? box_union(tile->losses, box) : box;
    tile->lossy = now_ms;
}

static gboolean tile_inside(const Tiles *tiles, const ViewerRect *region, guint column, guint row)
{
    guint left = column * SEAT_TILE, top = row * SEAT_TILE;
    guint right = MIN(left + SEAT_TILE, tiles->width), bottom = MIN(top + SEAT_TILE, tiles->height);
    return left >= region->x && top >= region->y && right <= region->x + region->width &&
           bottom <= region->y + region->height;
}

/* H.264's samples of colour stand for 2 x 2 px, and decoders shift them in rectangles that begin between two.
 */
static TileBox even_box(TileBox box, TileBox whole)
{
    return (TileBox){MAX(whole.x0, box.x0 & ~1), MAX(whole.y0, box.y0 & ~1),
                     (guint8)MIN(whole.x1, (box.x1 + 1) & ~1), (guint8)MIN(whole.y1, (box.y1 + 1) & ~1)};
}

/* A film that comes slowly, over a slow link or from a slow machine, is not over between two of its pictures;
 * nor is it because another one comes quickly. */
static guint32 calm_ms(const Tiles *tiles, guint32 now_ms)
{
    guint slowest = 0;

    for (guint i = 0; i < TILES_PACES; i++) {
        const TilesPace *pace = &tiles->paces[i];
        if (pace->ms != 0 && now_ms - pace->ms <= TILES_CALM_MAX_MS)
            slowest = MAX(slowest, pace->every_ms);
    }
    return CLAMP(3 * slowest, TILES_CALM_MS, TILES_CALM_MAX_MS);
}

void tiles_note_film(Tiles *tiles, guint film, guint32 now_ms)
{
    TilesPace *pace = &tiles->paces[film];
    guint32 gap = now_ms - pace->ms;

    if (pace->ms == 0 || gap > TILES_CALM_MAX_MS)
        pace->every_ms = 0; /* another one */
    else
        pace->every_ms = pace->every_ms ? (3 * pace->every_ms + gap) / 4 : gap;
    pace->ms = now_ms;
}

void tiles_take_motion(Tiles *tiles, const ViewerRect *region, gboolean paints_all, guint32 now_ms,
                       GArray *rects)
{
    TileJoiner joiner;
    ViewerRect r;

    if (!clip(tiles, region, &r))
        return;
    tile_joiner_start(&joiner, rects);
    for (guint row = r.y / SEAT_TILE; row <= (r.y + r.height - 1) / SEAT_TILE; row++)
        for (guint column = r.x / SEAT_TILE; column <= (r.x + r.width - 1) / SEAT_TILE; column++) {
            Tile *tile = &tiles->tiles[row * tiles->columns + column];
            TileBox box = tile->motion;
            tile->motion = (TileBox){0};
            if (tile_inside(tiles, &r, column, row)) {
                box = paints_all ? box_in_tile(&r, column, row) : box_union(box, tile->exact);
                tile->exact = (TileBox){0};
            } else if (paints_all) {
                box = box_in_tile(&r, column, row);
            }
            if (tile_box_empty(box))
                continue;
            box = even_box(box, box_in_tile(&r, column, row));
            tile_note_losses(tile, box, now_ms);
            tile->sent = 0;
            tile->told = FALSE;
            tile_joiner_add(&joiner, column, row, box);
        }
    tile_joiner_end(&joiner);
}

guint tiles_take_calm(Tiles *tiles, guint32 now_ms, guint limit)
{
    guint32 calm = calm_ms(tiles, now_ms);
    guint taken = 0;
    for (guint row = 0; row < tiles->rows; row++)
        for (guint column = 0; column < tiles->columns && taken < limit; column++) {
            Tile *tile = &tiles->tiles[row * tiles->columns + column];
            gboolean moves_on = tile->run >= TILES_MOTION_RUN && !tile_box_empty(tile->exact);
            if (tile->lossy == 0 || now_ms - tile->lossy < calm || moves_on)
                continue;
            ViewerRect all = {0, 0, tiles->width, tiles->height};
            tile->exact = box_in_tile(&all, column, row);
            tile->lossy = 0;
            tile->sent = 0;
            tile->calm = TRUE;
            taken++;
        }
    return taken;
}

gint tiles_calm_due(const Tiles *tiles, guint32 now_ms)
{
    guint32 calm = calm_ms(tiles, now_ms);
    gint due = -1;
    for (gsize i = 0; i < (gsize)tiles->columns * tiles->rows; i++) {
        const Tile *tile = &tiles->tiles[i];
        if (tile->lossy == 0)
            continue;
        guint32 age = now_ms - tile->lossy;
        gint left = age >= calm ? 0 : (gint)(calm - age);
        if (due < 0 || left < due)
            due = left;
    }
    return due;
}

gsize tiles_lacking(const Tiles *tiles)
{
    gsize bytes = 0;
    for (gsize i = 0; i < (gsize)tiles->columns * tiles->rows; i++) {
        TileBox box = tiles->tiles[i].exact;
        bytes += (gsize)(box.x1 - box.x0) * (box.y1 - box.y0) * 4;
    }
    return bytes;
}

/* ---- levelling ---- */

#define GAP_MAX 16 /* px between two boxes that are joined */

/* Boxes of neighbouring tiles, as px of the screen, and what they have in common. */
typedef struct {
    guint first, count; /* tile columns */
    ViewerRect all;     /* around them */
    guint area;         /* px of the boxes themselves */
} Run;

static gboolean may_grow(const Tile *tile)
{
    return !tile_box_empty(tile->exact) && tile_box_empty(tile->motion) && tile->lossy == 0;
}

static ViewerRect rect_of(TileBox box, guint column, guint row)
{
    return (ViewerRect){column * SEAT_TILE + box.x0, row * SEAT_TILE + box.y0, box.x1 - box.x0,
                        box.y1 - box.y0};
}

/* Whether the box becomes part of the run: at most a third of the joint rectangle would be sent in vain. */
static gboolean run_takes(Run *run, const ViewerRect *box)
{
    guint y0 = MIN(run->all.y, box->y), y1 = MAX(run->all.y + run->all.height, box->y + box->height);
    ViewerRect all = {run->all.x, y0, box->x + box->width - run->all.x, y1 - y0};
    guint area = run->area + box->width * box->height;

    if (run->count == 0 || box->x - (run->all.x + run->all.width) > GAP_MAX ||
        2 * all.width * all.height > 3 * area)
        return FALSE;
    *run = (Run){run->first, run->count + 1, all, area};
    return TRUE;
}

static void run_end(Tiles *tiles, const Run *run, guint row)
{
    for (guint i = 0; i < run->count; i++) {
        guint column = run->first + i;
        tiles->tiles[row * tiles->columns + column].exact = box_in_tile(&run->all, column, row);
    }
}

void tiles_level(Tiles *tiles)
{
    for (guint row = 0; row < tiles->rows; row++) {
        Run run = {0};
        for (guint column = 0; column < tiles->columns; column++) {
            const Tile *tile = &tiles->tiles[row * tiles->columns + column];
            ViewerRect box = rect_of(tile->exact, column, row);
            if (may_grow(tile) && run_takes(&run, &box))
                continue;
            run_end(tiles, &run, row);
            run = may_grow(tile) ? (Run){column, 1, box, box.width * box.height} : (Run){0};
        }
        run_end(tiles, &run, row);
    }
}

/* ---- joining ---- */

void tile_joiner_start(TileJoiner *joiner, GArray *rects)
{
    *joiner =
        (TileJoiner){.rects = rects, .row = G_MAXUINT, .row_start = rects->len, .previous_start = rects->len};
}

/* Grows rectangles of the row above by those of the finished row that continue them exactly. */
static void join_rows(TileJoiner *joiner)
{
    GArray *rects = joiner->rects;
    guint end = joiner->row_start, kept = end, first = G_MAXUINT;

    for (guint i = end; i < rects->len; i++) {
        ViewerRect rect = g_array_index(rects, ViewerRect, i);
        guint j = joiner->previous_start;
        for (; j < end; j++) {
            ViewerRect *above = &g_array_index(rects, ViewerRect, j);
            if (above->x == rect.x && above->width == rect.width && above->y + above->height == rect.y) {
                above->height += rect.height;
                break;
            }
        }
        if (j == end) {
            j = kept;
            g_array_index(rects, ViewerRect, kept++) = rect;
        }
        first = MIN(first, j);
    }
    g_array_set_size(rects, kept);
    joiner->previous_start = MIN(first, kept);
    joiner->row_start = kept;
}

void tile_joiner_add(TileJoiner *joiner, guint column, guint row, TileBox box)
{
    ViewerRect rect = rect_of(box, column, row);

    if (row != joiner->row) {
        join_rows(joiner);
        joiner->row = row;
    }
    if (joiner->rects->len > joiner->row_start) {
        ViewerRect *last = &g_array_index(joiner->rects, ViewerRect, joiner->rects->len - 1);
        if (last->x + last->width == rect.x && last->y == rect.y && last->height == rect.height) {
            last->width += rect.width;
            return;
        }
    }
    g_array_append_val(joiner->rects, rect);
}

void tile_joiner_end(TileJoiner *joiner)
{
    join_rows(joiner);
}
