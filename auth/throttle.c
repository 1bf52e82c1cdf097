/* Three tables of fading failure counts: accounts, sources, pairs. */
#include "auth/throttle.h"

#include <arpa/inet.h>
#include <math.h>
#include <string.h>

#define HALF_LIFE_MS (10 * 60 * 1000) /* in which a count fades to its half */
#define FIRST_DELAY_MS 1000
#define PAIR_FREE 3
#define PAIR_DELAY_MAX_MS 60000
#define SOURCE_FREE 10
#define SOURCE_DELAY_MAX_MS 60000
#define ACCOUNT_FREE 10
#define ACCOUNT_DELAY_MAX_MS 15000
#define PATIENCE_MS                                                                                          \
    (5 * 60 * 1000)    /* whoever has waited so long for a busy source or account is admitted once */
#define GOOD_WORTH 5.0 /* failures that a remembered success outweighs when room is made */
#define EVICTION_SAMPLE 16
#define ACCOUNT_KEY_MAX 64

typedef struct {
    char *key;
    double count; /* at `updated` */
    gint64 updated, last, waiting_since;
    gboolean good, waiting;
    GList link; /* in order of use */
} Entry;

typedef struct {
    GHashTable *entries; /* key -> Entry; keys belong to the entries */
    GQueue order;
} Table;

struct Throttle {
    guint entries_max;
    Table accounts, sources, pairs;
};

static void entry_free(gpointer data)
{
    Entry *entry = data;
    g_free(entry->key);
    g_free(entry);
}

static void table_init(Table *table)
{
    table->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
    g_queue_init(&table->order);
}

Throttle *throttle_new(guint entries_max)
{
    g_assert(entries_max > 0);
    Throttle *throttle = g_new0(Throttle, 1);
    throttle->entries_max = entries_max;
    table_init(&throttle->accounts);
    table_init(&throttle->sources);
    table_init(&throttle->pairs);
    return throttle;
}

void throttle_free(Throttle *throttle)
{
    if (!throttle)
        return;
    g_hash_table_unref(throttle->accounts.entries);
    g_hash_table_unref(throttle->sources.entries);
    g_hash_table_unref(throttle->pairs.entries);
    g_free(throttle);
}

guint throttle_size(const Throttle *throttle)
{
    return g_hash_table_size(throttle->accounts.entries) + g_hash_table_size(throttle->sources.entries) +
           g_hash_table_size(throttle->pairs.entries);
}

void throttle_source_key(const char *source, char key[64])
{
    struct in6_addr address;
    if (inet_pton(AF_INET6, source, &address) != 1) {
        g_strlcpy(key, source, 64);
        return;
    }
    if (IN6_IS_ADDR_V4MAPPED(&address)) {
        inet_ntop(AF_INET, address.s6_addr + 12, key, 64);
        return;
    }
    memset(address.s6_addr + 8, 0, 8);
    inet_ntop(AF_INET6, &address, key, 64);
}

static double count_now(const Entry *entry, gint64 now)
{
    return entry ? entry->count * exp2(-(double)(now - entry->updated) / HALF_LIFE_MS) : 0;
}

static void count_add(Entry *entry, double amount, gint64 now)
{
    entry->count = MAX(0, count_now(entry, now) + amount);
    entry->updated = now;
}

/* ms between attempts once `count` failures are remembered. Fading must not turn the third failure into none.
 */
static gint64 delay_for(double count, guint allowance, gint64 most)
{
    if (count < allowance - 0.5)
        return 0;
    return (gint64)MIN((double)most, FIRST_DELAY_MS * exp2(MAX(0, count - allowance)));
}

static void make_room(Table *table, guint entries_max, gint64 now)
{
    while (g_hash_table_size(table->entries) >= entries_max) {
        Entry *least = NULL;
        double least_worth = 0;
        guint seen = 0;
        for (GList *link = table->order.head; link && seen < EVICTION_SAMPLE; link = link->next, seen++) {
            Entry *entry = link->data;
            double worth = count_now(entry, now) + (entry->good ? GOOD_WORTH : 0);
            if (!least || worth < least_worth) {
                least = entry;
                least_worth = worth;
            }
        }
        g_queue_unlink(&table->order, &least->link);
        g_hash_table_remove(table->entries, least->key);
    }
}

static Entry *entry_get(Throttle *throttle, Table *table, const char *key, gint64 now)
{
    Entry *entry = g_hash_table_lookup(table->entries, key);
    if (entry) {
        g_queue_unlink(&table->order, &entry->link);
    } else {
        make_room(table, throttle->entries_max, now);
        entry = g_new0(Entry, 1);
        entry->key = g_strdup(key);
        entry->updated = now;
        entry->link.data = entry;
        g_hash_table_insert(table->entries, entry->key, entry);
    }
    g_queue_push_tail_link(&table->order, &entry->link);
    return entry;
}

typedef struct {
    Entry *account, *source, *pair;
} Place;

static Place find_place(Throttle *throttle, const char *account, const char *source, gint64 now)
{
    char source_key[64];
    throttle_source_key(source, source_key);
    g_autofree char *cut = g_strndup(account, ACCOUNT_KEY_MAX);
    g_autofree char *account_key = g_ascii_strdown(cut, -1);
    g_autofree char *pair_key = g_strconcat(source_key, "\n", account_key, NULL);
    return (Place){
        .account = entry_get(throttle, &throttle->accounts, account_key, now),
        .source = entry_get(throttle, &throttle->sources, source_key, now),
        .pair = entry_get(throttle, &throttle->pairs, pair_key, now),
    };
}

static gint64 wait_at(const Place *place, gint64 now)
{
    const Entry *pair = place->pair;
    double own = count_now(pair, now);
    gint64 until = pair->last + delay_for(own, PAIR_FREE, PAIR_DELAY_MAX_MS);
    if (pair->good)
        return until - now;

    gint64 shared =
        place->source->last + delay_for(count_now(place->source, now), SOURCE_FREE, SOURCE_DELAY_MAX_MS);
    double others = count_now(place->account, now) - own;
    gint64 since = MAX(pair->last, pair->waiting ? pair->waiting_since : now);
    gint64 account_delay = delay_for(others, ACCOUNT_FREE, ACCOUNT_DELAY_MAX_MS);
    if (account_delay > 0)
        shared = MAX(shared, since + account_delay);
    if (pair->waiting)
        shared = MIN(shared, pair->waiting_since + PATIENCE_MS);
    return MAX(until, shared) - now;
}

ThrottleAnswer throttle_ask(Throttle *throttle, const char *account, const char *source, gint64 now_ms)
{
    Place place = find_place(throttle, account, source, now_ms);
    gint64 wait = wait_at(&place, now_ms);
    if (wait > 0) {
        gboolean first = !place.pair->waiting;
        if (first)
            place.pair->waiting_since = now_ms;
        place.pair->waiting = TRUE;
        return (ThrottleAnswer){.wait_ms = (guint)wait, .first = first};
    }
    Entry *entries[] = {place.account, place.source, place.pair};
    for (guint i = 0; i < G_N_ELEMENTS(entries); i++) {
        count_add(entries[i], 1, now_ms);
        entries[i]->last = now_ms;
    }
    place.pair->waiting = FALSE;
    return (ThrottleAnswer){0};
}

void throttle_success(Throttle *throttle, const char *account, const char *source, gint64 now_ms)
{
    Place place = find_place(throttle, account, source, now_ms);
    count_add(place.account, -count_now(place.pair, now_ms), now_ms);
    count_add(place.source, -count_now(place.pair, now_ms), now_ms);
    place.pair->count = 0;
    place.pair->good = TRUE;
}

void throttle_cancel(Throttle *throttle, const char *account, const char *source, gint64 now_ms)
{
    Place place = find_place(throttle, account, source, now_ms);
    count_add(place.account, -1, now_ms);
    count_add(place.source, -1, now_ms);
    count_add(place.pair, -1, now_ms);
}
