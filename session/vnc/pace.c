/* The window of updates in flight. */
#include "session/vnc/pace.h"

#define FRAME_US 16667

static guint window(const Pace *pace)
{
    /* As many frames as fit into a round trip, and one in work on either side. */
    gint64 frames = PACE_WINDOW_MIN + pace->round_trip_us / FRAME_US;
    return (guint)MIN(frames, PACE_WINDOW_MAX);
}

gboolean pace_may_send(const Pace *pace)
{
    return !pace->fences || pace->sent - pace->echoed < window(pace);
}

guint32 pace_sent(Pace *pace, gint64 now_us)
{
    pace->sent++;
    pace->sent_us[pace->sent % PACE_WINDOW_MAX] = now_us;
    return pace->sent;
}

gboolean pace_echoed(Pace *pace, guint32 serial, gint64 now_us)
{
    if (serial - pace->echoed - 1 >= pace->sent - pace->echoed)
        return FALSE;
    pace->fences = TRUE;
    gint64 round_trip = now_us - pace->sent_us[serial % PACE_WINDOW_MAX];
    /* The decoder's work is in it too, so the smallest counts, and that is forgotten slowly. */
    if (pace->round_trip_us == 0 || round_trip < pace->round_trip_us)
        pace->round_trip_us = round_trip;
    else
        pace->round_trip_us += (round_trip - pace->round_trip_us) / 64;
    pace->echoed = serial;
    return TRUE;
}

gint64 pace_waiting_us(const Pace *pace, gint64 now_us)
{
    if (!pace->fences || pace->sent == pace->echoed)
        return 0;
    return now_us - pace->sent_us[(pace->echoed + 1) % PACE_WINDOW_MAX];
}
