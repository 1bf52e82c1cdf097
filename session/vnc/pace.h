/* How many updates may be on their way to a client that answers fences, and whether it still answers. Pure:
 * times come from the caller (CLOCK_MONOTONIC, microseconds). */
#pragma once

#include <glib.h>

#define PACE_WINDOW_MIN 2
#define PACE_WINDOW_MAX 8

typedef struct {
    gboolean fences;                 /* the client answers fences */
    guint32 sent, echoed;            /* serials */
    gint64 sent_us[PACE_WINDOW_MAX]; /* by serial % PACE_WINDOW_MAX */
    gint64 round_trip_us;            /* smallest of the recent ones, 0 unknown */
} Pace;

/* TRUE: one more update may be sent. Without fences always: then requests or the socket pace. */
gboolean pace_may_send(const Pace *pace);

/* An update is being sent: the serial for its fence. */
guint32 pace_sent(Pace *pace, gint64 now_us);

/* The client has echoed a serial; ones that were never sent or go back are ignored. TRUE: the window has
 * opened. */
gboolean pace_echoed(Pace *pace, guint32 serial, gint64 now_us);

/* Since when the oldest unanswered fence waits, in us; 0: none does. */
gint64 pace_waiting_us(const Pace *pace, gint64 now_us);
