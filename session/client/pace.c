/* The window of updates in flight, and the estimate of the link behind it. */
#include "session/client/pace.h"

#define FRAME_US 16667
#define SLACK_US 20000 /* of the link's time that may wait in front of it */
/* And a fourth of the round trip, which may be wrong by that: what takes less says only that the link is at
 * least so fast. */
#define TELLING_US 5000
#define OVERDUE_US 50000
#define BUSY_MAX_US 300000    /* a longer look back would not notice that the link has changed */
#define BUSY_NEXT_US 150000   /* what follows such a look is told of as late: links deliver in bursts */
#define RATE_WINDOW_US 500000 /* the best rate of one to two of these counts: delays have many causes */
#define FILM_SHARE 0.66 /* of the link; the rest is for what is sharp, and for an estimate that is late */
#define FILM_KBIT_MAX 20000
#define FILM_KBIT_MIN 200
#define CALM_US 30000
#define CALM_TILE_BYTES 8000 /* a picture-like tile without loss */
#define CALM_TILES_MIN 1
#define CALM_TILES_MAX 256
#define CALM_TILES_NEAR 64 /* while the rate is unknown */
#define CALM_TILES_FAR 8
#define NEAR_US 10000

static const PaceSent *frame(const Pace *pace, guint32 serial)
{
    return &pace->frames[serial % PACE_WINDOW_MAX];
}

static gsize bytes_between(const Pace *pace, guint32 after, guint32 last)
{
    gsize bytes = 0;
    for (guint32 serial = last; serial != after && last - serial < PACE_WINDOW_MAX; serial--)
        bytes += frame(pace, serial)->bytes;
    return bytes;
}

gboolean pace_may_send(const Pace *pace, gint64 now_us)
{
    guint32 flying = pace->sent - pace->echoed;
    if (!pace->answers || flying < PACE_WINDOW_MIN)
        return TRUE;
    /* As many frames as fit into a round trip, and one in work on either side. */
    if (flying >= MIN(PACE_WINDOW_MIN + pace->round_trip_us / FRAME_US, PACE_WINDOW_MAX))
        return FALSE;
    if (now_us - frame(pace, pace->echoed + 1)->us > pace->round_trip_us * 5 / 4 + OVERDUE_US)
        return FALSE;
    return bytes_between(pace, pace->echoed, pace->sent) < pace_bytes(pace, pace->round_trip_us + SLACK_US);
}

guint32 pace_sent(Pace *pace, gsize bytes, gint64 now_us)
{
    pace->sent++;
    pace->frames[pace->sent % PACE_WINDOW_MAX] = (PaceSent){now_us, bytes, pace->sent - pace->echoed == 1};
    return pace->sent;
}

static void take_sample(Pace *pace, double sample, gint64 now_us)
{
    if (now_us - pace->best_us > RATE_WINDOW_US) {
        pace->best_before = now_us - pace->best_us > 2 * RATE_WINDOW_US ? 0 : pace->best;
        pace->best = 0;
        pace->best_us = now_us;
    }
    pace->best = MAX(pace->best, sample);
    pace->rate = MAX(pace->best, pace->best_before);
}

/* The link was busy with these bytes from when they were sent, or when it had done with the ones before,
 * until half a round trip before the answer; seen from here all of this is a round trip later. Answers that
 * come together are no faster link: a stretch without a pause is looked at as a whole. */
static void learn_rate(Pace *pace, guint32 serial, gint64 now_us)
{
    gsize bytes = bytes_between(pace, pace->echoed, serial);
    gint64 sent_us = frame(pace, pace->echoed + 1)->us, free_us = pace->echoed_us - pace->round_trip_us;
    gint64 done_us = now_us - pace->round_trip_us, telling_us = TELLING_US + pace->round_trip_us / 4;
    gboolean paused = sent_us >= free_us || pace->busy_us == 0;

    if (paused || done_us - pace->busy_us > BUSY_MAX_US) {
        pace->busy_us = MAX(sent_us, free_us);
        pace->busy_bytes = 0;
        pace->busy_on = !paused;
    }
    if (pace->busy_on)
        telling_us = MAX(telling_us, BUSY_NEXT_US);
    pace->busy_bytes += bytes;
    if (done_us - pace->busy_us >= telling_us)
        take_sample(pace, (double)pace->busy_bytes / (double)(done_us - pace->busy_us), now_us);
    else if (pace->rate > 0 && (double)pace->busy_bytes / (double)telling_us > pace->rate)
        take_sample(pace, (double)pace->busy_bytes / (double)telling_us, now_us);
}

/* The smallest counts, since the decoder's work is in it too. It grows again, slowly, with what had the link
 * for itself: what has waited for others would only make them more. */
static void learn_round_trip(Pace *pace, const PaceSent *sent, gint64 now_us)
{
    gint64 took = now_us - sent->us;

    if (pace->round_trip_us == 0 || took < pace->round_trip_us) {
        pace->round_trip_us = took;
        return;
    }
    if (pace->rate > 0)
        took -= (gint64)((double)sent->bytes / pace->rate);
    if (sent->alone && took > pace->round_trip_us)
        pace->round_trip_us += (took - pace->round_trip_us) / 64;
}

gboolean pace_echoed(Pace *pace, guint32 serial, gint64 now_us)
{
    if (serial - pace->echoed - 1 >= pace->sent - pace->echoed)
        return FALSE;
    if (pace->sent - pace->echoed <= PACE_WINDOW_MAX) {
        if (pace->round_trip_us > 0)
            learn_rate(pace, serial, now_us);
        learn_round_trip(pace, frame(pace, serial), now_us);
    }
    pace->answers = TRUE;
    pace->echoed = serial;
    pace->echoed_us = now_us;
    return TRUE;
}

gint64 pace_waiting_us(const Pace *pace, gint64 now_us)
{
    if (!pace->answers || pace->sent == pace->echoed || pace->sent - pace->echoed > PACE_WINDOW_MAX)
        return 0;
    return now_us - frame(pace, pace->echoed + 1)->us;
}

guint32 pace_bytes(const Pace *pace, gint64 us)
{
    double bytes = pace->rate * (double)us;
    return pace->rate <= 0 || bytes >= (double)G_MAXUINT32 ? G_MAXUINT32 : (guint32)bytes;
}

guint pace_film_kbit_s(const Pace *pace)
{
    double wanted = pace->rate * 8000 * FILM_SHARE;
    guint step = FILM_KBIT_MIN;

    if (pace->rate <= 0 || wanted >= FILM_KBIT_MAX)
        return 0;
    while (step * 5 / 4 <= wanted)
        step = step * 5 / 4;
    return step;
}

guint pace_calm_tiles(const Pace *pace)
{
    guint32 bytes = pace_bytes(pace, CALM_US);
    if (pace->rate <= 0)
        return pace->round_trip_us < NEAR_US ? CALM_TILES_NEAR : CALM_TILES_FAR;
    return CLAMP(bytes / CALM_TILE_BYTES, CALM_TILES_MIN, CALM_TILES_MAX);
}
