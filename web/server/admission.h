/* Who may hold how many connections: caps for silent, anonymous and all connections, in all and per source.
 * Pure: time comes from the caller. A source is the number that address_source() gives. */
#pragma once

#include <glib.h>

typedef struct {
    guint half_open_total; /* connections without a complete first request */
    guint half_open_per_source;
    guint anonymous_per_source; /* connections that nobody has logged in on, half-open ones included */
    guint anonymous_total;
    guint connections_total;
    guint rate_per_source; /* new connections a minute */
} AdmissionLimits;

/* Each connection is in exactly one; moves go only downwards in this list. */
typedef enum { STANDING_NONE, STANDING_HALF_OPEN, STANDING_ANONYMOUS, STANDING_KNOWN } Standing;

typedef struct Admission Admission;

Admission *admission_new(const AdmissionLimits *limits);
void admission_free(Admission *admission);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Admission, admission_free)

/* Counts a new, half-open connection in; FALSE: a limit is reached, nothing is counted. now: monotonic, us.
 */
gboolean admission_enter(Admission *admission, guint64 source, gint64 now);
/* Moves a connection on. */
void admission_move(Admission *admission, guint64 source, Standing from, Standing to);
/* Counts a connection out. */
void admission_leave(Admission *admission, guint64 source, Standing from);
/* Connections in that standing, in all. */
guint admission_count(const Admission *admission, Standing standing);
