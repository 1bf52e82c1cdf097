/* The damage map. A tile is clean when its right edge is 0. */
#include "encoder/damage.h"

#include <string.h>

typedef struct {
    guint8 x0, y0, x1, y1; /* px inside the tile, x1 and y1 exclusive */
} Tile;

struct Damage {
    guint width, height;
    guint tiles_x, tiles_y;
    guint dirty; /* tiles */
    Tile tiles[];
};

Damage *damage_new(guint width, guint height)
{
    g_return_val_if_fail(width >= 1 && width <= SEAT_WIDTH_MAX && height >= 1 && height <= SEAT_WIDTH_MAX,
                         NULL);
    guint tiles_x = (width + SEAT_TILE - 1) / SEAT_TILE, tiles_y = (height + SEAT_TILE - 1) / SEAT_TILE;
    Damage *damage = g_malloc0(sizeof *damage + (gsize)tiles_x * tiles_y * sizeof(Tile));
    damage->width = width;
    damage->height = height;
    damage->tiles_x = tiles_x;
    damage->tiles_y = tiles_y;
    return damage;
}

void damage_free(Damage *damage)
{
    g_free(damage);
}

static void tile_add(Damage *damage, Tile *tile, Tile part)
{
    if (tile->x1 == 0) {
        *tile = part;
        damage->dirty++;
        return;
    }
    tile->x0 = MIN(tile->x0, part.x0);
    tile->y0 = MIN(tile->y0, part.y0);
    tile->x1 = MAX(tile->x1, part.x1);
    tile->y1 = MAX(tile->y1, part.y1);
}

void damage_add(Damage *damage, gint x, gint y, gint width, gint height)
{
    gint64 left = MAX(x, 0), top = MAX(y, 0);
    gint64 right = MIN((gint64)x + width, (gint64)damage->width);
    gint64 bottom = MIN((gint64)y + height, (gint64)damage->height);

    if (width <= 0 || height <= 0 || left >= right || top >= bottom)
        return;
    for (gint64 ty = top / SEAT_TILE; ty * SEAT_TILE < bottom; ty++) {
        for (gint64 tx = left / SEAT_TILE; tx * SEAT_TILE < right; tx++) {
            Tile part = {MAX(left - tx * SEAT_TILE, 0), MAX(top - ty * SEAT_TILE, 0),
                         MIN(right - tx * SEAT_TILE, SEAT_TILE), MIN(bottom - ty * SEAT_TILE, SEAT_TILE)};
            tile_add(damage, &damage->tiles[ty * damage->tiles_x + tx], part);
        }
    }
}

void damage_add_all(Damage *damage)
{
    damage_add(damage, 0, 0, damage->width, damage->height);
}

void damage_add_map(Damage *damage, const Damage *other)
{
    g_return_if_fail(damage->width == other->width && damage->height == other->height);
    if (other->dirty == 0)
        return;
    for (guint i = 0; i < damage->tiles_x * damage->tiles_y; i++)
        if (other->tiles[i].x1 != 0)
            tile_add(damage, &damage->tiles[i], other->tiles[i]);
}

void damage_clear(Damage *damage)
{
    if (damage->dirty == 0)
        return;
    memset(damage->tiles, 0, (gsize)damage->tiles_x * damage->tiles_y * sizeof(Tile));
    damage->dirty = 0;
}

gboolean damage_is_empty(const Damage *damage)
{
    return damage->dirty == 0;
}

guint64 damage_area(const Damage *damage)
{
    guint64 area = 0;
    if (damage->dirty == 0)
        return 0;
    for (guint i = 0; i < damage->tiles_x * damage->tiles_y; i++) {
        const Tile *tile = &damage->tiles[i];
        area += (guint64)(tile->x1 - tile->x0) * (tile->y1 - tile->y0);
    }
    return area;
}

guint damage_tiles(const Damage *damage)
{
    return damage->tiles_x * damage->tiles_y;
}

gboolean damage_has_tile(const Damage *damage, guint tile)
{
    return damage->tiles[tile].x1 != 0;
}

/* Appends a rectangle or grows one of the row above to it; FALSE: no room. `above` is where that row begins.
 */
static gboolean append(SeatRect *rects, guint *count, guint above, guint above_end, SeatRect rect)
{
    for (guint i = above; i < above_end; i++) {
        if (rects[i].x == rect.x && rects[i].width == rect.width && rects[i].y + rects[i].height == rect.y) {
            rects[i].height += rect.height;
            return TRUE;
        }
    }
    if (*count == SEAT_RECTS_MAX)
        return FALSE;
    rects[(*count)++] = rect;
    return TRUE;
}

static SeatRect tile_rect(const Damage *damage, guint tx, guint ty)
{
    const Tile *tile = &damage->tiles[ty * damage->tiles_x + tx];
    return (SeatRect){.x = tx * SEAT_TILE + tile->x0,
                      .y = ty * SEAT_TILE + tile->y0,
                      .width = tile->x1 - tile->x0,
                      .height = tile->y1 - tile->y0};
}

static gboolean rects_exact(const Damage *damage, SeatRect *rects, guint *count)
{
    *count = 0;
    for (guint ty = 0; ty < damage->tiles_y; ty++) {
        guint above_end = *count;
        for (guint tx = 0; tx < damage->tiles_x; tx++) {
            if (damage->tiles[ty * damage->tiles_x + tx].x1 == 0)
                continue;
            SeatRect rect = tile_rect(damage, tx, ty);
            while (tx + 1 < damage->tiles_x && damage->tiles[ty * damage->tiles_x + tx + 1].x1 != 0) {
                SeatRect next = tile_rect(damage, tx + 1, ty);
                if (next.x != rect.x + rect.width || next.y != rect.y || next.height != rect.height)
                    break;
                rect.width += next.width;
                tx++;
            }
            if (!append(rects, count, 0, above_end, rect))
                return FALSE;
        }
    }
    return TRUE;
}

/* One rectangle a row of tiles: SEAT_WIDTH_MAX / SEAT_TILE rows always fit. */
static void rects_coarse(const Damage *damage, SeatRect *rects, guint *count)
{
    G_STATIC_ASSERT(SEAT_WIDTH_MAX / SEAT_TILE <= SEAT_RECTS_MAX);
    *count = 0;
    for (guint ty = 0; ty < damage->tiles_y; ty++) {
        guint left = G_MAXUINT, top = G_MAXUINT, right = 0, bottom = 0;
        for (guint tx = 0; tx < damage->tiles_x; tx++) {
            SeatRect rect = tile_rect(damage, tx, ty);
            if (rect.width == 0)
                continue;
            left = MIN(left, rect.x);
            top = MIN(top, rect.y);
            right = MAX(right, (guint)rect.x + rect.width);
            bottom = MAX(bottom, (guint)rect.y + rect.height);
        }
        if (right > 0)
            append(rects, count, *count ? *count - 1 : 0, *count,
                   (SeatRect){.x = left, .y = top, .width = right - left, .height = bottom - top});
    }
}

guint damage_rects(const Damage *damage, SeatRect rects[SEAT_RECTS_MAX])
{
    guint count = 0;
    if (damage->dirty > 0 && !rects_exact(damage, rects, &count))
        rects_coarse(damage, rects, &count);
    return count;
}
