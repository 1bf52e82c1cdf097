/* The tiles of a client's screen, the slots of its cache, and what is worth being kept. */
#include "session/rdp/tile_cache.h"

#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

#define SECRET_SIZE 192
#define TILE_BYTES (SEAT_TILE * SEAT_TILE * 4)

/* Runs of one colour that a tile must have: each takes some bytes to send. To keep it takes 30, to show it
 * again 20, and many are never seen again. */
#define RUNS_MIN 96
/* What stood for less is on its way to something else: a film, a scroll, a window being dragged. */
#define STOOD_MS 400
/* So many changes, each so soon after the one before, are no longer worth a look. */
#define RESTLESS_RUN 3
#define RESTLESS_MS 250

/* What the client shows in a tile. */
typedef struct {
    TileHash hash;
    guint32 since_ms;   /* that it does */
    guint32 stirred_ms; /* when it changed last */
    guint8 run;         /* of changes that came quickly */
} Shown;

/* What the client has in a slot; all of them are in the order of their last use. */
typedef struct {
    TileHash hash;
    guint newer, older; /* slots, 0: none */
} Slot;

struct TileCache {
    guint8 secret[SECRET_SIZE];
    guint8 scratch[TILE_BYTES] __attribute__((aligned(64))); /* a tile without gaps */
    guint width, height;                                     /* px */
    guint columns, rows;
    Shown *shown;         /* row by row */
    GArray *slots;        /* of Slot; the first stands for none */
    guint slots_max;      /* 0: the client has no cache */
    guint newest, oldest; /* slots */
    GHashTable *by_hash;  /* TileHash -> slot */
};

static guint hash_of_key(gconstpointer key)
{
    return (guint)((const TileHash *)key)->low;
}

static gboolean same(TileHash a, TileHash b)
{
    return a.low == b.low && a.high == b.high;
}

static gboolean same_key(gconstpointer a, gconstpointer b)
{
    return same(*(const TileHash *)a, *(const TileHash *)b);
}

TileCache *tile_cache_new(void)
{
    TileCache *cache = g_new0(TileCache, 1);
    gssize got = getrandom(cache->secret, SECRET_SIZE, 0);

    g_assert(got == SECRET_SIZE);
    cache->slots = g_array_new(FALSE, TRUE, sizeof(Slot));
    cache->by_hash = g_hash_table_new_full(hash_of_key, same_key, g_free, NULL);
    tile_cache_start(cache, 0, 0);
    return cache;
}

void tile_cache_free(TileCache *cache)
{
    if (!cache)
        return;
    g_hash_table_unref(cache->by_hash);
    g_array_unref(cache->slots);
    g_free(cache->shown);
    g_free(cache);
}

/* ---- slots ---- */

static Slot *slot_at(TileCache *cache, guint slot)
{
    return &g_array_index(cache->slots, Slot, slot);
}

static void unlink_slot(TileCache *cache, guint number)
{
    const Slot *slot = slot_at(cache, number);

    if (slot->newer)
        slot_at(cache, slot->newer)->older = slot->older;
    else
        cache->newest = slot->older;
    if (slot->older)
        slot_at(cache, slot->older)->newer = slot->newer;
    else
        cache->oldest = slot->newer;
}

static void link_newest(TileCache *cache, guint number)
{
    Slot *slot = slot_at(cache, number);

    slot->newer = 0;
    slot->older = cache->newest;
    if (cache->newest)
        slot_at(cache, cache->newest)->newer = number;
    else
        cache->oldest = number;
    cache->newest = number;
}

void tile_cache_start(TileCache *cache, guint slots, gsize bytes)
{
    tile_cache_empty(cache);
    tile_cache_spoil_all(cache);
    /* A tile that is cut counts as a whole one: then one that goes always makes room for another. */
    cache->slots_max = (guint)MIN(slots, bytes / TILE_BYTES);
}

guint tile_cache_empty(TileCache *cache)
{
    guint had = cache->slots->len ? cache->slots->len - 1 : 0;

    g_hash_table_remove_all(cache->by_hash);
    g_array_set_size(cache->slots, 0);
    g_array_set_size(cache->slots, 1);
    cache->newest = cache->oldest = 0;
    return had;
}

guint tile_cache_find(TileCache *cache, TileHash hash)
{
    guint slot = tile_hash_known(hash) ? GPOINTER_TO_UINT(g_hash_table_lookup(cache->by_hash, &hash)) : 0;

    if (slot) {
        unlink_slot(cache, slot);
        link_newest(cache, slot);
    }
    return slot;
}

/* A slot for another tile; *evict: the one that was not used for longest, with what it has. */
static guint take_slot(TileCache *cache, gboolean *evict)
{
    guint slot = cache->slots->len;

    *evict = slot > cache->slots_max;
    if (*evict) {
        slot = cache->oldest;
        unlink_slot(cache, slot);
        g_hash_table_remove(cache->by_hash, &slot_at(cache, slot)->hash);
    } else {
        g_array_set_size(cache->slots, slot + 1);
    }
    return slot;
}

/* ---- hashes ---- */

static gboolean is_plain(const guint8 *bytes, guint count)
{
    const guint32 *pixels = (const guint32 *)(const void *)bytes;
    guint runs = 1;

    for (guint i = 1; i < count; i++)
        runs += pixels[i] != pixels[i - 1];
    return runs < RUNS_MIN;
}

TileHash tile_cache_hash(TileCache *cache, const guint8 *pixels, gsize stride, guint width, guint height)
{
    gsize row = (gsize)width * 4;

    g_assert(width > 0 && width <= SEAT_TILE && height > 0 && height <= SEAT_TILE);
    for (guint y = 0; y < height; y++)
        memcpy(cache->scratch + y * row, pixels + y * stride, row);
    if (is_plain(cache->scratch, width * height))
        return (TileHash){0};
    XXH128_hash_t hash = XXH3_128bits_withSecret(cache->scratch, row * height, cache->secret, SECRET_SIZE);
    /* The same pixels in another shape are another picture. */
    return (TileHash){hash.low64, hash.high64 ^ width};
}

/* ---- the screen ---- */

void tile_cache_spoil_all(TileCache *cache)
{
    if (cache->shown)
        memset(cache->shown, 0, sizeof *cache->shown * cache->columns * cache->rows);
}

void tile_cache_fit(TileCache *cache, guint width, guint height)
{
    if (cache->width == width && cache->height == height)
        return;
    cache->width = width;
    cache->height = height;
    cache->columns = (width + SEAT_TILE - 1) / SEAT_TILE;
    cache->rows = (height + SEAT_TILE - 1) / SEAT_TILE;
    g_free(cache->shown);
    cache->shown = g_new0(Shown, (gsize)cache->columns * cache->rows);
}

static Shown *shown_at(TileCache *cache, guint column, guint row)
{
    g_assert(column < cache->columns && row < cache->rows);
    return &cache->shown[row * cache->columns + column];
}

static ViewerRect tile_rect(const TileCache *cache, guint column, guint row)
{
    guint x = column * SEAT_TILE, y = row * SEAT_TILE;
    return (ViewerRect){x, y, MIN(SEAT_TILE, cache->width - x), MIN(SEAT_TILE, cache->height - y)};
}

gboolean tile_cache_stirs(TileCache *cache, guint column, guint row, guint32 now_ms)
{
    Shown *shown = shown_at(cache, column, row);

    if (now_ms - shown->stirred_ms >= RESTLESS_MS)
        shown->run = 0;
    else if (shown->run < RESTLESS_RUN)
        shown->run++;
    shown->stirred_ms = now_ms;
    return cache->slots_max > 0 && shown->run < RESTLESS_RUN;
}

gboolean tile_cache_keep(TileCache *cache, guint column, guint row, TileHash next, guint32 now_ms,
                         TileKeep *keep)
{
    const Shown *shown = shown_at(cache, column, row);

    if (cache->slots_max == 0 || !tile_hash_known(shown->hash) || same(shown->hash, next) ||
        now_ms - shown->since_ms < STOOD_MS || tile_cache_find(cache, shown->hash))
        return FALSE;
    keep->slot = take_slot(cache, &keep->evict);
    *slot_at(cache, keep->slot) = (Slot){.hash = shown->hash};
    link_newest(cache, keep->slot);
    g_hash_table_insert(cache->by_hash, g_memdup2(&shown->hash, sizeof shown->hash),
                        GUINT_TO_POINTER(keep->slot));
    keep->key = shown->hash.low;
    keep->rect = tile_rect(cache, column, row);
    return TRUE;
}

void tile_cache_shows(TileCache *cache, guint column, guint row, TileHash hash, guint32 now_ms)
{
    Shown *shown = shown_at(cache, column, row);

    if (!same(shown->hash, hash))
        shown->since_ms = now_ms;
    shown->hash = hash;
}

/* Calls for the tiles that a rectangle touches; what of it lies outside the picture is left out. */
#define FOR_TILES_OF(CACHE, RECT, COLUMN, ROW)                                                               \
    for (guint ROW = (RECT)->y / SEAT_TILE;                                                                  \
         ROW < (CACHE)->rows && ROW * SEAT_TILE < (RECT)->y + (RECT)->height; ROW++)                         \
        for (guint COLUMN = (RECT)->x / SEAT_TILE;                                                           \
             COLUMN < (CACHE)->columns && COLUMN * SEAT_TILE < (RECT)->x + (RECT)->width; COLUMN++)

void tile_cache_spoil(TileCache *cache, const ViewerRect *rect)
{
    FOR_TILES_OF(cache, rect, column, row)
    {
        shown_at(cache, column, row)->hash = (TileHash){0};
    }
}

static gboolean has_all(const ViewerRect *outer, const ViewerRect *inner)
{
    return inner->x >= outer->x && inner->y >= outer->y &&
           inner->x + inner->width <= outer->x + outer->width &&
           inner->y + inner->height <= outer->y + outer->height;
}

void tile_cache_move(TileCache *cache, const ViewerMove *move)
{
    ViewerRect to = {move->to_x, move->to_y, move->width, move->height};

    if ((move->to_x - move->x) % SEAT_TILE || (move->to_y - move->y) % SEAT_TILE) {
        tile_cache_spoil(cache, &to);
        return;
    }
    g_autofree Shown *before = g_memdup2(cache->shown, sizeof *before * cache->columns * cache->rows);
    FOR_TILES_OF(cache, &to, column, row)
    {
        ViewerRect tile = tile_rect(cache, column, row);
        Shown *shown = shown_at(cache, column, row);
        shown->hash = (TileHash){0};
        if (!has_all(&to, &tile))
            continue;
        guint from_column = (tile.x - move->to_x + move->x) / SEAT_TILE;
        guint from_row = (tile.y - move->to_y + move->y) / SEAT_TILE;
        ViewerRect from = tile_rect(cache, from_column, from_row);
        if (from.width == tile.width && from.height == tile.height)
            *shown = before[from_row * cache->columns + from_column];
    }
}
