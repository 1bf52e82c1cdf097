/* How much each source address may have open, and how often it may come. Pure: time comes in as an argument. */
#pragma once

#include <glib.h>
#include <sys/socket.h>

typedef struct Sources Sources;
typedef struct Source Source;

/* `half_open`: connections at a time from one source; `rate`: new ones a minute. */
Sources *sources_new(guint half_open, guint rate);
void sources_free(Sources *sources);

/* Counts a connection from `address` (an IPv4 address, or an IPv6 /64 network) at `now_us`. Returns the source, to be
 * given to sources_leave() once; NULL when it has reached a limit. */
Source *sources_enter(Sources *sources, const struct sockaddr *address, gint64 now_us);
void sources_leave(Sources *sources, Source *source);
/* Open connections of a source. */
guint source_open(const Source *source);
/* Sources that are remembered; for tests. */
guint sources_count(const Sources *sources);
