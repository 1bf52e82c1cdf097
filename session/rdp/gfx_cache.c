/* Tiles that the client has shown before come from its own cache ([MS-RDPEGFX] 2.2.2.6 to 2.2.2.8): what
 * tile_cache.c says becomes PDUs. */
#include "session/rdp/gfx_private.h"

#include "base/log.h"
#include "session/client/tiles.h"

#include <freerdp/channels/rdpgfx.h>

/* What [MS-RDPEGFX] 3.3.1.4 allows. */
#define SLOTS 25600
#define BYTES (100 * 1000 * 1000)
#define SMALL_SLOTS 4096
#define SMALL_BYTES (16 * 1000 * 1000)
/* Tiles that one frame has kept: 15 KB, which what is new waits for. */
#define KEEPS_MAX 512

static gboolean is_small(const GfxCaps *confirmed)
{
    return confirmed->version == RDPGFX_CAPVERSION_101 /* has no flags */ ||
           confirmed->version == RDPGFX_CAPVERSION_103 ||
           (confirmed->flags & (RDPGFX_CAPS_FLAG_THINCLIENT | RDPGFX_CAPS_FLAG_SMALL_CACHE)) != 0;
}

void gfx_cache_start(Gfx *gfx, const GfxCaps *confirmed)
{
    GfxCache *cache = &gfx->cache;

    if (!cache->tiles) {
        cache->tiles = tile_cache_new();
        cache->hashes = g_array_new(FALSE, FALSE, sizeof(TileHash));
        cache->rects = g_array_new(FALSE, FALSE, sizeof(ViewerRect));
        cache->lossy = g_array_new(FALSE, FALSE, sizeof(ViewerRect));
    }
    if (is_small(confirmed))
        tile_cache_start(cache->tiles, SMALL_SLOTS, SMALL_BYTES);
    else
        tile_cache_start(cache->tiles, SLOTS, BYTES);
}

void gfx_cache_clear(Gfx *gfx)
{
    GfxCache *cache = &gfx->cache;

    if (!cache->tiles)
        return;
    log_info("graphics pipeline: %" G_GUINT64_FORMAT " tiles kept by the client, %" G_GUINT64_FORMAT
             " shown again from there",
             cache->kept, cache->again);
    g_clear_pointer(&cache->tiles, tile_cache_free);
    g_array_unref(cache->hashes);
    g_array_unref(cache->rects);
    g_array_unref(cache->lossy);
}

void gfx_cache_empty(Gfx *gfx)
{
    guint slots = tile_cache_empty(gfx->cache.tiles);

    tile_cache_spoil_all(gfx->cache.tiles);
    for (guint slot = 1; slot <= slots; slot++)
        gfx_pdu_evict_cache_entry(&gfx->block, (guint16)slot);
}

/* ---- a frame ---- */

static TileHash hash_of(TileCache *tiles, const ViewerPicture *picture, const ViewerTile *tile)
{
    guint x = tile->column * SEAT_TILE, y = tile->row * SEAT_TILE;

    return tile_cache_hash(tiles, picture->pixels + (gsize)y * picture->stride + (gsize)x * 4,
                           picture->stride, MIN(SEAT_TILE, picture->width - x),
                           MIN(SEAT_TILE, picture->height - y));
}

/* What each tile is to show; what the client has of it is not thrown out in this frame. */
static void look_at_tiles(GfxCache *cache, const ViewerUpdate *update, guint32 now_ms)
{
    g_array_set_size(cache->hashes, update->n_tiles);
    for (guint i = 0; i < update->n_tiles; i++) {
        const ViewerTile *tile = &update->tiles[i];
        TileHash hash = {0};
        if (tile->whole && tile_cache_stirs(cache->tiles, tile->column, tile->row, now_ms))
            hash = hash_of(cache->tiles, &update->picture, tile);
        tile_cache_find(cache->tiles, hash);
        g_array_index(cache->hashes, TileHash, i) = hash;
    }
}

static void keep_tiles(Gfx *gfx, const ViewerUpdate *update, guint32 now_ms)
{
    GfxCache *cache = &gfx->cache;
    guint left = KEEPS_MAX;

    for (guint i = 0; i < update->n_tiles && left > 0; i++) {
        const ViewerTile *tile = &update->tiles[i];
        TileHash next = g_array_index(cache->hashes, TileHash, i);
        TileKeep keep;
        if (!tile->whole || !tile_cache_keep(cache->tiles, tile->column, tile->row, next, now_ms, &keep))
            continue;
        if (keep.evict)
            gfx_pdu_evict_cache_entry(&gfx->block, (guint16)keep.slot);
        keep.rect.x += (guint)gfx->rdp->offset_x;
        keep.rect.y += (guint)gfx->rdp->offset_y;
        gfx_pdu_surface_to_cache(&gfx->block, GFX_SURFACE_SCREEN, keep.key, (guint16)keep.slot, &keep.rect);
        cache->kept++;
        left--;
    }
}

/* The update's parts that are not its tiles. */
static void note_others(TileCache *tiles, const ViewerUpdate *update)
{
    for (guint i = 0; i < update->n_moves; i++)
        tile_cache_move(tiles, &update->moves[i]);
    for (guint u = 0; u < update->n_units; u++)
        for (guint i = 0; i < update->units[u].n_rects; i++)
            tile_cache_spoil(tiles, &update->units[u].rects[i]);
    for (guint i = 0; i < update->n_lossy_rects; i++)
        tile_cache_spoil(tiles, &update->lossy_rects[i]);
    for (guint i = 0; update->n_tiles == 0 && i < update->n_rects; i++)
        tile_cache_spoil(tiles, &update->rects[i]);
}

gboolean gfx_cache_learn(Gfx *gfx, const ViewerUpdate *update)
{
    TileCache *tiles = gfx->cache.tiles;
    guint32 now_ms = (guint32)(g_get_monotonic_time() / 1000);

    if (update->n_units || update->n_moves || update->n_rects || update->n_lossy_rects)
        return FALSE;
    tile_cache_fit(tiles, update->picture.width, update->picture.height);
    for (guint i = 0; i < update->n_tiles; i++) {
        const ViewerTile *tile = &update->tiles[i];
        if (tile->whole && tile->settled)
            tile_cache_shows(tiles, tile->column, tile->row, hash_of(tiles, &update->picture, tile), now_ms);
    }
    return TRUE;
}

void gfx_cache_begin(Gfx *gfx, const ViewerUpdate *update)
{
    TileCache *tiles = gfx->cache.tiles;
    guint32 now_ms = (guint32)(g_get_monotonic_time() / 1000);

    tile_cache_fit(tiles, update->picture.width, update->picture.height);
    look_at_tiles(&gfx->cache, update, now_ms);
    keep_tiles(gfx, update, now_ms);
    note_others(tiles, update);
}

/* Whether the client shows the tile from its cache. */
static gboolean show_again(Gfx *gfx, const ViewerTile *tile, TileHash hash)
{
    guint slot = tile_cache_find(gfx->cache.tiles, hash);

    if (slot == 0)
        return FALSE;
    gfx_pdu_cache_to_surface(&gfx->block, (guint16)slot, GFX_SURFACE_SCREEN,
                             tile->column * SEAT_TILE + (guint)gfx->rdp->offset_x,
                             tile->row * SEAT_TILE + (guint)gfx->rdp->offset_y);
    gfx->cache.again++;
    return TRUE;
}

static void join(TileJoiner *joiner, const ViewerTile *tile)
{
    const ViewerRect *lacking = &tile->lacking;
    guint x = lacking->x % SEAT_TILE, y = lacking->y % SEAT_TILE;
    TileBox box = {(guint8)x, (guint8)y, (guint8)(x + lacking->width), (guint8)(y + lacking->height)};
    tile_joiner_add(joiner, tile->column, tile->row, box);
}

void gfx_cache_append(Gfx *gfx, const ViewerUpdate *update, ViewerUpdate *rest)
{
    GfxCache *cache = &gfx->cache;
    guint32 now_ms = (guint32)(g_get_monotonic_time() / 1000);
    TileJoiner exact, lossy;
    guint again = 0;

    g_array_set_size(cache->rects, 0);
    g_array_set_size(cache->lossy, 0);
    tile_joiner_start(&exact, cache->rects);
    tile_joiner_start(&lossy, cache->lossy);
    for (guint i = 0; i < update->n_tiles; i++) {
        const ViewerTile *tile = &update->tiles[i];
        TileHash hash = g_array_index(cache->hashes, TileHash, i);
        gboolean from_cache = show_again(gfx, tile, hash);
        again += from_cache;
        if (!from_cache) {
            join(tile->lossy ? &lossy : &exact, tile);
            hash = tile->settled ? hash : (TileHash){0};
        }
        tile_cache_shows(cache->tiles, tile->column, tile->row, hash, now_ms);
    }
    tile_joiner_end(&exact);
    tile_joiner_end(&lossy);
    *rest = *update;
    if (again == 0)
        return;
    rest->rects = (const ViewerRect *)(void *)cache->rects->data;
    rest->n_rects = cache->rects->len;
    rest->lossy_rects = (const ViewerRect *)(void *)cache->lossy->data;
    rest->n_lossy_rects = cache->lossy->len;
}
