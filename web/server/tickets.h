/* The tickets that this server has relayed to browsers and that nobody has used yet: hashes only, bounded,
 * short-lived. A first sieve in front of the broker, which alone decides. Pure: time comes from the caller.
 */
#pragma once

#include <glib.h>

typedef struct Tickets Tickets;

/* At most `capacity` are remembered (the oldest gives way), each for `life_ms`. */
Tickets *tickets_new(guint capacity, guint life_ms);
void tickets_free(Tickets *tickets);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tickets, tickets_free)

/* Remembers a ticket; now: monotonic time, us. */
void tickets_remember(Tickets *tickets, const char *ticket, gint64 now);
/* TRUE once for each remembered ticket within its life; it is forgotten. */
gboolean tickets_take(Tickets *tickets, const char *ticket, gint64 now);
