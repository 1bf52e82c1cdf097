/* What a decoder keeps in one of its storages, as the encoder remembers it: a ring of entries, each a
 * sequence of words (pixels), found again by their content. Words of entries long ago may be forgotten sooner
 * than the decoder does; an entry that is found is always what the decoder has. Any one thread.
 */
#pragma once

#include <glib.h>

typedef struct {
    guint64 number; /* entries added before it */
    guint64 at;     /* where its words begin, in words ever kept */
    guint32 hash;
    guint16 count, shape; /* words; what else must be equal */
} ClearEntry;

typedef struct {
    guint size;     /* entries of the decoder's storage */
    guint capacity; /* words remembered */
    guint64 added;  /* entries */
    guint64 head;   /* words ever kept */
    ClearEntry *entries;
    guint32 *words;
    guint buckets;  /* of `table`, a power of two */
    guint16 *table; /* entries by hash, counted from 1 */
} ClearStore;

/* What is to be added before an entry is used. */
typedef struct {
    guint entries, words;
} ClearSpare;

void clear_store_init(ClearStore *store, guint size, guint capacity);
void clear_store_clear(ClearStore *store);

/* Forgets all entries; the next one is the storage's first. */
void clear_store_forget(ClearStore *store);

guint32 clear_hash(const guint32 *words, guint count);

/* The entry with these words, or NULL. It stays until more than `spare` has been added. */
const ClearEntry *clear_store_find(const ClearStore *store, const guint32 *words, guint count, guint shape,
                                   guint32 hash, ClearSpare spare);

/* Adds what clear_store_find() does not find; an entry that was found earlier, and still is alive, is found
 * afterwards too. Returns the new entry. */
const ClearEntry *clear_store_add(ClearStore *store, const guint32 *words, guint count, guint shape,
                                  guint32 hash);

/* The entry's place in the decoder's storage. */
static inline guint clear_store_index(const ClearStore *store, const ClearEntry *entry)
{
    return (guint)(entry->number % store->size);
}
