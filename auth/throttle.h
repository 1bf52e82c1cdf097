/* Slows guessing down, per account, per source and per pair of both, for every protocol with the same
 * instance. Delays grow, are capped and fade; nobody is locked out. Pure: the caller brings the time. */
#pragma once

#include <glib.h>

typedef struct Throttle Throttle;

/* `entries_max` bounds the memory of each of the three tables; the entries with the least to forget go first.
 */
Throttle *throttle_new(guint entries_max);
void throttle_free(Throttle *throttle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Throttle, throttle_free)

typedef struct {
    guint wait_ms;  /* 0: go on */
    gboolean first; /* with a wait: the first refusal since the last admitted attempt, worth an audit row */
} ThrottleAnswer;

/* Asks for one attempt on `account` (a claim, any text) from `source` (a numeric address, IPv6 counts by its
 * /64; or any other text, taken as it is). An admitted attempt counts as a failure at once, so that parallel
 * guesses gain nothing; throttle_success() takes it back. A refusal costs nothing. now_ms: a clock that never
 * goes back. A pair that has succeeded before is slowed by its own failures only, so that others cannot keep
 * the owner out; a first attempt on an account under attack waits once. */
ThrottleAnswer throttle_ask(Throttle *throttle, const char *account, const char *source, gint64 now_ms);
/* The admitted attempt was right: clears the pair, remembers it as good. */
void throttle_success(Throttle *throttle, const char *account, const char *source, gint64 now_ms);
/* The admitted attempt was not decided (queue full, database down): it does not count. */
void throttle_cancel(Throttle *throttle, const char *account, const char *source, gint64 now_ms);

/* The text by which a source counts: an IPv4 address (also IPv4-mapped), or an IPv6 address's first 64 bits.
 */
void throttle_source_key(const char *source, char key[64]);

/* Number of entries in all tables; for tests. */
guint throttle_size(const Throttle *throttle);
