/* The tickets that this server has relayed to browsers and that nobody has used yet: hashes only, bounded,
 * short-lived. A first sieve in front of the broker, which alone decides. Nobody's tickets make another's be
 * forgotten while he has more of them himself. Pure: time comes from the caller. */
#pragma once

#include <glib.h>

typedef struct Tickets Tickets;

#define TICKETS_PER_OWNER 16

/* At most `capacity` are remembered, each for `life_ms`. When there are too many the oldest of whoever has
 * most gives way. */
Tickets *tickets_new(guint capacity, guint life_ms);
void tickets_free(Tickets *tickets);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tickets, tickets_free)

/* Remembers a ticket given to `owner` (his session handle; only its hash is kept), at most TICKETS_PER_OWNER
 * for each; now: monotonic time, us. */
void tickets_remember(Tickets *tickets, const char *owner, const char *ticket, gint64 now);
/* TRUE once for each remembered ticket within its life; it is forgotten. */
gboolean tickets_take(Tickets *tickets, const char *ticket, gint64 now);
