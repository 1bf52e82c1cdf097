/* Counts and a token bucket for each source address. */
#include "broker/gate/sources.h"

#include "base/address.h"

#define SOURCES_MAX 32768 /* remembered at a time, about 2 MiB */

struct Source {
    guint64 key; /* address_source() */
    guint open;
    gdouble tokens;
    gint64 filled_us;
};

struct Sources {
    guint half_open, rate;
    GHashTable *table; /* key -> Source */
};

Sources *sources_new(guint half_open, guint rate)
{
    Sources *sources = g_new0(Sources, 1);
    sources->half_open = half_open;
    sources->rate = rate;
    sources->table = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    return sources;
}

void sources_free(Sources *sources)
{
    g_hash_table_unref(sources->table);
    g_free(sources);
}

static void refill(const Sources *sources, Source *source, gint64 now_us)
{
    gdouble minutes = (gdouble)(now_us - source->filled_us) / (60.0 * G_USEC_PER_SEC);
    source->tokens = MIN(source->tokens + minutes * sources->rate, sources->rate);
    source->filled_us = now_us;
}

/* Forgets who has nothing open and could come at its full rate again; if that is not enough, all who have
 * nothing open: the bound on memory comes before the bound on rates. */
static void make_room(Sources *sources, gint64 now_us)
{
    for (guint round = 0; round < 2 && g_hash_table_size(sources->table) >= SOURCES_MAX; round++) {
        GHashTableIter iter;
        Source *source;
        g_hash_table_iter_init(&iter, sources->table);
        while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&source)) {
            refill(sources, source, now_us);
            if (source->open == 0 && (round == 1 || source->tokens >= sources->rate))
                g_hash_table_iter_remove(&iter);
        }
    }
}

Source *sources_enter(Sources *sources, const struct sockaddr *address, gint64 now_us)
{
    guint64 key = address_source(address);
    Source *source = g_hash_table_lookup(sources->table, &key);
    if (!source) {
        make_room(sources, now_us);
        source = g_new0(Source, 1);
        source->key = key;
        source->tokens = sources->rate;
        source->filled_us = now_us;
        g_hash_table_insert(sources->table, &source->key, source);
    }
    refill(sources, source, now_us);
    if (source->open >= sources->half_open || source->tokens < 1)
        return NULL;
    source->tokens -= 1;
    source->open++;
    return source;
}

void sources_leave(Sources *sources, Source *source)
{
    g_assert(source->open > 0);
    source->open--;
}

guint source_open(const Source *source)
{
    return source->open;
}

guint sources_count(const Sources *sources)
{
    return g_hash_table_size(sources->table);
}
