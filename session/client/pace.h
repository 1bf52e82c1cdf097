/* How much may be on its way to a client that acknowledges what it gets (RDPGFX frame acknowledgements, RFB
 * fences), and what its link carries. Pure: times come from the caller (CLOCK_MONOTONIC, microseconds). */
#pragma once

#include <glib.h>

#define PACE_WINDOW_MIN 2
#define PACE_WINDOW_MAX 16

typedef struct {
    gint64 us;
    gsize bytes;
    gboolean alone; /* nothing else was on its way */
} PaceSent;

typedef struct {
    gboolean answers;                 /* the client acknowledges */
    guint32 sent, echoed;             /* serials */
    PaceSent frames[PACE_WINDOW_MAX]; /* by serial % PACE_WINDOW_MAX */
    gint64 round_trip_us;             /* smallest of the recent ones, 0 unknown */
    gint64 echoed_us;                 /* when the last answer came */
    gint64 busy_us;           /* since when the link has been busy without a pause, as seen from here */
    gsize busy_bytes;         /* that it has carried since */
    gboolean busy_on;         /* nor was there one before, only enough to look at */
    double best, best_before; /* bytes per us, of this and of the last RATE_WINDOW; 0 unknown */
    gint64 best_us;           /* when this one began */
    double rate;              /* bytes per us, 0 unknown */
} Pace;

/* TRUE: one more update may be sent: as many as fit into a round trip, no more bytes than the link carries
 * meanwhile, and beyond PACE_WINDOW_MIN none while an answer is overdue. Before the first answer always: then
 * requests or the socket pace. */
gboolean pace_may_send(const Pace *pace, gint64 now_us);

/* An update of so many bytes is being sent: returns its serial. What is sent before the last answer's
 * PACE_WINDOW_MAX successors is forgotten. */
guint32 pace_sent(Pace *pace, gsize bytes, gint64 now_us);

/* The client has answered a serial, and with it all before; ones that were never sent or go back are ignored.
 * TRUE: the window has opened. */
gboolean pace_echoed(Pace *pace, guint32 serial, gint64 now_us);

/* Since when the oldest unanswered update waits, in us; 0: none does. */
gint64 pace_waiting_us(const Pace *pace, gint64 now_us);

/* What the link carries in so many us, in bytes; G_MAXUINT32: unknown or more. */
guint32 pace_bytes(const Pace *pace, gint64 us);

/* What a film may take of the link, kbit/s; 0: as much as it likes. Steps are coarse, so that it changes when
 * the link does and not with each answer. */
guint pace_film_kbit_s(const Pace *pace);

/* How many tiles may become exact in one update, so that it is gone in little time. */
guint pace_calm_tiles(const Pace *pace);
