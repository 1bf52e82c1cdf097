/* Which tiles of the picture the client has shown before and keeps ([MS-RDPEGFX] 3.2.1.1, the server's Bitmap
 * Cache Map): what exactly stands in each tile of its screen, as far as that is known, and what in each slot
 * of its cache. Pure bookkeeping, without clock and wire: the caller has the client do what is said here, in
 * that order. Tiles are SEAT_TILE px wide and high from the picture's corner on, cut at its right and bottom
 * edge. */
#pragma once

#include "session/client/viewer.h"

/* Of a tile's pixels and size, under a secret of this process: what a guest draws is chosen by others, who
 * might look for two pictures that are taken for one. Both 0: not known, or too plain to matter. */
typedef struct {
    guint64 low, high;
} TileHash;

static inline gboolean tile_hash_known(TileHash hash)
{
    return (hash.low | hash.high) != 0;
}

/* A client is asked to keep what a tile shows. */
typedef struct {
    guint slot;      /* from 1 on */
    gboolean evict;  /* the slot has something else, which is to go first */
    guint64 key;     /* for [MS-RDPEGFX] 2.2.2.6 */
    ViewerRect rect; /* px of the picture */
} TileKeep;

typedef struct TileCache TileCache;

/* Without slots and without tiles. */
TileCache *tile_cache_new(void);
void tile_cache_free(TileCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TileCache, tile_cache_free)

/* The client's cache is empty and may have so many bytes in so many slots; its screen shows nothing that is
 * known. */
void tile_cache_start(TileCache *cache, guint slots, gsize bytes);

/* The slots from 1 to the returned number have something; they are empty from now on, in the caller's care.
 */
guint tile_cache_empty(TileCache *cache);

/* The picture is of this size, px: where it is another one than before, nothing that it shows is known. */
void tile_cache_fit(TileCache *cache, guint width, guint height);
/* Nothing is known of what the client shows. */
void tile_cache_spoil_all(TileCache *cache);

/* The tile of width x height px at `pixels` (XRGB8888, stride in bytes). Of what takes hardly more bytes to
 * send than to be found again nothing is known. */
TileHash tile_cache_hash(TileCache *cache, const guint8 *pixels, gsize stride, guint width, guint height);

/* The slot that has these pixels, 0: none. It is among those that are thrown out last. */
guint tile_cache_find(TileCache *cache, TileHash hash);

/* The tile is about to change, at now_ms. FALSE: it does so all the time, and is not worth being hashed. */
gboolean tile_cache_stirs(TileCache *cache, guint column, guint row, guint32 now_ms);

/* What the tile shows is about to be overwritten with `next`: whether it is worth being kept, for which *keep
 * then says what the client has to do first. It has stood for a while and is not in the cache yet. */
gboolean tile_cache_keep(TileCache *cache, guint column, guint row, TileHash next, guint32 now_ms,
                         TileKeep *keep);

/* From now_ms on the tile shows what has this hash; not known: it may be anything. */
void tile_cache_shows(TileCache *cache, guint column, guint row, TileHash hash, guint32 now_ms);

/* The tiles that the rectangle touches show what is not known. */
void tile_cache_spoil(TileCache *cache, const ViewerRect *rect);
/* The client copies within its screen. */
void tile_cache_move(TileCache *cache, const ViewerMove *move);
