/* The storages of a ClearCodec decoder as the encoder remembers them. */
#include "encoder/clear_store.h"

#include <string.h>

#define WAYS 4

void clear_store_init(ClearStore *store, guint size, guint capacity)
{
    guint buckets = 1;
    while (buckets < size)
        buckets *= 2;
    *store = (ClearStore){.size = size, .capacity = capacity, .buckets = buckets};
    /* Large and of zeros: memory that is not used yet takes none. */
    store->entries = g_new0(ClearEntry, size);
    store->words = g_new0(guint32, capacity);
    store->table = g_new0(guint16, buckets * WAYS);
}

void clear_store_clear(ClearStore *store)
{
    g_free(store->entries);
    g_free(store->words);
    g_free(store->table);
    *store = (ClearStore){0};
}

void clear_store_forget(ClearStore *store)
{
    if (store->added > 0) /* else it would take memory for nothing */
        memset(store->table, 0, (gsize)store->buckets * WAYS * sizeof *store->table);
    store->added = store->head = 0;
}

guint32 clear_hash(const guint32 *words, guint count)
{
    guint64 hash = count;
    guint i = 0;
    for (; i + 2 <= count; i += 2) {
        hash = (hash ^ words[i] ^ (guint64)words[i + 1] << 32) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 31;
    }
    if (i < count)
        hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15u;
    hash = (hash ^ hash >> 29) * 0xbf58476d1ce4e5b9u;
    return (guint32)(hash >> 32);
}

static guint16 *bucket(const ClearStore *store, guint32 hash)
{
    return store->table + (gsize)(hash & (store->buckets - 1)) * WAYS;
}

static gboolean is_alive(const ClearStore *store, const ClearEntry *entry, ClearSpare spare)
{
    return store->added + spare.entries <= entry->number + store->size &&
           store->head + spare.words <= entry->at + store->capacity;
}

const ClearEntry *clear_store_find(const ClearStore *store, const guint32 *words, guint count, guint shape,
                                   guint32 hash, ClearSpare spare)
{
    const guint16 *slots = bucket(store, hash);
    for (guint i = 0; i < WAYS; i++) {
        if (slots[i] == 0)
            continue;
        const ClearEntry *entry = &store->entries[slots[i] - 1];
        if (entry->hash == hash && entry->count == count && entry->shape == shape &&
            is_alive(store, entry, spare) &&
            memcmp(store->words + entry->at % store->capacity, words, count * sizeof *words) == 0)
            return entry;
    }
    return NULL;
}

/* Makes the entry one that is found, unless that would hide another that lives. */
static void enter(ClearStore *store, guint index, guint32 hash)
{
    static const ClearSpare none = {0, 0};
    guint16 *slots = bucket(store, hash);
    for (guint i = 0; i < WAYS; i++) {
        const ClearEntry *other = slots[i] ? &store->entries[slots[i] - 1] : NULL;
        if (!other || slots[i] - 1 == (gint)index || bucket(store, other->hash) != slots ||
            !is_alive(store, other, none)) {
            slots[i] = (guint16)(index + 1);
            return;
        }
    }
}

const ClearEntry *clear_store_add(ClearStore *store, const guint32 *words, guint count, guint shape,
                                  guint32 hash)
{
    guint index = (guint)(store->added % store->size);
    ClearEntry *entry = &store->entries[index];

    g_assert(count <= store->capacity && shape <= G_MAXUINT16);
    /* In one piece. */
    if (store->head % store->capacity + count > store->capacity)
        store->head += store->capacity - store->head % store->capacity;
    *entry = (ClearEntry){store->added, store->head, hash, (guint16)count, (guint16)shape};
    memcpy(store->words + store->head % store->capacity, words, count * sizeof *words);
    store->head += count;
    store->added++;
    enter(store, index, hash);
    return entry;
}
