/* Hashes of relayed tickets in the order of their age. */
#include "web/server/tickets.h"

#include <string.h>

typedef struct {
    char *hash, *owner; /* SHA-256, hexadecimal */
    gint64 expires;
} Entry;

struct Tickets {
    GQueue entries; /* oldest first */
    guint capacity;
    gint64 life_us;
};

static void entry_free(gpointer data)
{
    Entry *entry = data;
    g_free(entry->hash);
    g_free(entry->owner);
    g_free(entry);
}

Tickets *tickets_new(guint capacity, guint life_ms)
{
    Tickets *tickets = g_new0(Tickets, 1);
    g_queue_init(&tickets->entries);
    tickets->capacity = capacity;
    tickets->life_us = (gint64)life_ms * 1000;
    return tickets;
}

void tickets_free(Tickets *tickets)
{
    if (!tickets)
        return;
    g_queue_clear_full(&tickets->entries, entry_free);
    g_free(tickets);
}

static void expire(Tickets *tickets, gint64 now)
{
    const Entry *oldest;
    while ((oldest = g_queue_peek_head(&tickets->entries)) && oldest->expires <= now)
        entry_free(g_queue_pop_head(&tickets->entries));
}

static guint count(const Tickets *tickets, const char *owner)
{
    guint n = 0;
    for (const GList *link = tickets->entries.head; link; link = link->next)
        n += strcmp(((const Entry *)link->data)->owner, owner) == 0;
    return n;
}

static void forget_oldest(Tickets *tickets, const char *owner)
{
    for (GList *link = tickets->entries.head; link; link = link->next) {
        Entry *entry = link->data;
        if (strcmp(entry->owner, owner) != 0)
            continue;
        entry_free(entry);
        g_queue_delete_link(&tickets->entries, link);
        return;
    }
}

/* Whose ticket gives way when all places are taken: a copy of the owner with most of them. */
static char *find_richest(const Tickets *tickets)
{
    g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
    const char *richest = "";
    guint most = 0;
    for (const GList *link = tickets->entries.head; link; link = link->next) {
        char *owner = ((const Entry *)link->data)->owner;
        guint n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, owner)) + 1;
        g_hash_table_insert(counts, owner, GUINT_TO_POINTER(n));
        if (n > most) {
            most = n;
            richest = owner;
        }
    }
    return g_strdup(richest);
}

void tickets_remember(Tickets *tickets, const char *owner, const char *ticket, gint64 now)
{
    Entry *entry = g_new0(Entry, 1);
    entry->owner = g_compute_checksum_for_string(G_CHECKSUM_SHA256, owner, -1);
    expire(tickets, now);
    if (count(tickets, entry->owner) >= TICKETS_PER_OWNER)
        forget_oldest(tickets, entry->owner);
    if (g_queue_get_length(&tickets->entries) >= tickets->capacity) {
        g_autofree char *richest = find_richest(tickets);
        forget_oldest(tickets, richest);
    }
    entry->hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, ticket, -1);
    entry->expires = now + tickets->life_us;
    g_queue_push_tail(&tickets->entries, entry);
}

gboolean tickets_take(Tickets *tickets, const char *ticket, gint64 now)
{
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, ticket, -1);
    expire(tickets, now);
    for (GList *link = tickets->entries.head; link; link = link->next) {
        if (strcmp(((Entry *)link->data)->hash, hash) != 0)
            continue;
        entry_free(link->data);
        g_queue_delete_link(&tickets->entries, link);
        return TRUE;
    }
    return FALSE;
}
