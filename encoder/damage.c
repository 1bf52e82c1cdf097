/* The damage map. A bit a tile says which are damaged, so that what a frame costs follows its damage and not
 * the picture's size. */
#include "encoder/damage.h"

#include "encoder/rect.h"

#include <string.h>

typedef struct {
    guint8 x0, y0, x1, y1; /* px inside the tile, x1 and y1 exclusive */
} Tile;

struct Damage {
    guint width, height;
    guint tiles_x, count; /* tiles in a row, and in all */
    guint words;
    guint64 *dirty; /* a bit a tile */
    Tile tiles[];   /* of clean ones: anything */
};

/* Every damaged tile, in order. */
#define FOR_TILES(DAMAGE, TILE)                                                                              \
    for (guint word_ = 0; word_ < (DAMAGE)->words; word_++)                                                  \
        for (guint64 bits_ = (DAMAGE)->dirty[word_], TILE;                                                   \
             bits_ && (TILE = word_ * 64 + (guint)__builtin_ctzll(bits_), TRUE); bits_ &= bits_ - 1)

Damage *damage_new(guint width, guint height)
{
    g_return_val_if_fail(width >= 1 && width <= SEAT_WIDTH_MAX && height >= 1 && height <= SEAT_WIDTH_MAX,
                         NULL);
    guint tiles_x = (width + SEAT_TILE - 1) / SEAT_TILE, tiles_y = (height + SEAT_TILE - 1) / SEAT_TILE;
    Damage *damage = g_malloc0(sizeof *damage + (gsize)tiles_x * tiles_y * sizeof(Tile));
    damage->width = width;
    damage->height = height;
    damage->tiles_x = tiles_x;
    damage->count = tiles_x * tiles_y;
    damage->words = (damage->count + 63) / 64;
    damage->dirty = g_new0(guint64, damage->words);
    return damage;
}

void damage_free(Damage *damage)
{
    if (damage)
        g_free(damage->dirty);
    g_free(damage);
}

static void tile_add(Damage *damage, guint number, Tile part)
{
    guint64 bit = (guint64)1 << number % 64, *word = &damage->dirty[number / 64];
    Tile *tile = &damage->tiles[number];

    if (!(*word & bit)) {
        *tile = part;
        *word |= bit;
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
            tile_add(damage, ty * damage->tiles_x + tx, part);
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
    FOR_TILES(other, tile)
    {
        tile_add(damage, tile, other->tiles[tile]);
    }
}

static gboolean touches_any(const SeatRect *part, const SeatRect *rects, guint count)
{
    SeatRect common;
    for (guint i = 0; i < count; i++)
        if (rect_common(part, &rects[i], &common))
            return TRUE;
    return FALSE;
}

void damage_take_outside(Damage *damage, const SeatRect *rects, guint count, Damage *outside)
{
    g_return_if_fail(damage->width == outside->width && damage->height == outside->height);
    FOR_TILES(damage, tile)
    {
        SeatRect part = damage_tile_rect(damage, (guint)tile);
        if (touches_any(&part, rects, count))
            continue;
        tile_add(outside, (guint)tile, damage->tiles[tile]);
        damage->dirty[tile / 64] &= ~((guint64)1 << tile % 64);
    }
}

void damage_clear(Damage *damage)
{
    memset(damage->dirty, 0, damage->words * sizeof *damage->dirty);
}

gboolean damage_is_empty(const Damage *damage)
{
    return damage_next_tile(damage, 0) == damage->count;
}

guint64 damage_area(const Damage *damage)
{
    guint64 area = 0;
    FOR_TILES(damage, tile)
    {
        const Tile *part = &damage->tiles[tile];
        area += (guint64)(part->x1 - part->x0) * (part->y1 - part->y0);
    }
    return area;
}

guint damage_tiles(const Damage *damage)
{
    return damage->count;
}

guint damage_next_tile(const Damage *damage, guint from)
{
    guint word = from / 64;
    if (from >= damage->count)
        return damage->count;
    guint64 bits = damage->dirty[word] & G_MAXUINT64 << from % 64;
    while (bits == 0) {
        if (++word == damage->words)
            return damage->count;
        bits = damage->dirty[word];
    }
    return word * 64 + (guint)__builtin_ctzll(bits);
}

static SeatRect tile_rect(const Damage *damage, guint number, guint row)
{
    const Tile *tile = &damage->tiles[number];
    return (SeatRect){.x = (number - row * damage->tiles_x) * SEAT_TILE + tile->x0,
                      .y = row * SEAT_TILE + tile->y0,
                      .width = tile->x1 - tile->x0,
                      .height = tile->y1 - tile->y0};
}

SeatRect damage_tile_rect(const Damage *damage, guint tile)
{
    if (!(damage->dirty[tile / 64] >> tile % 64 & 1))
        return (SeatRect){0};
    return tile_rect(damage, tile, tile / damage->tiles_x);
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

static gboolean rects_exact(const Damage *damage, SeatRect *rects, guint *count)
{
    guint tile = damage_next_tile(damage, 0), row = 0, row_end = 0, above_end = 0;

    *count = 0;
    while (tile < damage->count) {
        if (tile >= row_end) {
            row = tile / damage->tiles_x;
            row_end = (row + 1) * damage->tiles_x;
            above_end = *count;
        }
        SeatRect rect = tile_rect(damage, tile, row);
        while ((tile = damage_next_tile(damage, tile + 1)) < row_end) {
            SeatRect next = tile_rect(damage, tile, row);
            if (next.x != rect.x + rect.width || next.y != rect.y || next.height != rect.height)
                break;
            rect.width += next.width;
        }
        if (!append(rects, count, 0, above_end, rect))
            return FALSE;
    }
    return TRUE;
}

/* One rectangle a row of tiles: SEAT_WIDTH_MAX / SEAT_TILE rows always fit. */
static void rects_coarse(const Damage *damage, SeatRect *rects, guint *count)
{
    G_STATIC_ASSERT(SEAT_WIDTH_MAX / SEAT_TILE <= SEAT_RECTS_MAX);
    guint tile = damage_next_tile(damage, 0);

    *count = 0;
    while (tile < damage->count) {
        guint row = tile / damage->tiles_x, row_end = (row + 1) * damage->tiles_x;
        guint left = G_MAXUINT, top = G_MAXUINT, right = 0, bottom = 0;
        for (; tile < row_end; tile = damage_next_tile(damage, tile + 1)) {
            SeatRect rect = tile_rect(damage, tile, row);
            left = MIN(left, rect.x);
            top = MIN(top, rect.y);
            right = MAX(right, (guint)rect.x + rect.width);
            bottom = MAX(bottom, (guint)rect.y + rect.height);
        }
        append(rects, count, *count ? *count - 1 : 0, *count,
               (SeatRect){.x = left, .y = top, .width = right - left, .height = bottom - top});
    }
}

guint damage_rects(const Damage *damage, SeatRect rects[SEAT_RECTS_MAX])
{
    guint count = 0;
    if (!rects_exact(damage, rects, &count))
        rects_coarse(damage, rects, &count);
    return count;
}
