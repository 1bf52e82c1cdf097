/* The replay source: a recording in a VM's place, at the recording's own rate. As with QEMU, damage that
 * nobody can see waits and merges. Says in the log when each frame appeared, so that a bench can tell how
 * late a client shows it.
 */
#include "base/log.h"
#include "encoder/damage.h"
#include "session/seat/recording.h"
#include "session/seat/source.h"

#include <time.h>

#define LOGGED_FRAMES 32 /* in one line */

typedef struct {
    Source source;
    SeatHost *host;
    const SourceEvents *events;
    gpointer data;
    Recording *recording;
    guint32 *pixels;
    Damage *pending;
    gboolean exact; /* hints are the recording's rectangles, else the whole picture */
    gboolean in_take;
    guint clients;
    GSource *clock;     /* NULL: stands still */
    gint64 due_us;      /* of the next frame */
    guint64 played;     /* frames since the seat began */
    gint64 appeared_us; /* of the last frame */
    guint logged;       /* frames in `times` */
    gint64 first_us;    /* appearance of the first of them */
    gint64 drawing_ns;  /* processor time of drawing them */
    GString *times;
} Replay;

static gint64 processor_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * G_GINT64_CONSTANT(1000000000) + now.tv_nsec;
}

/* ---- the log ---- */

static void write_log(Replay *replay)
{
    if (replay->logged == 0)
        return;
    log_info("replay: %u frames from %" G_GUINT64_FORMAT " on, drawn in %" G_GINT64_FORMAT
             " us, appeared at %" G_GINT64_FORMAT " us%s",
             replay->logged, replay->played - replay->logged, replay->drawing_ns / 1000, replay->first_us,
             replay->times->str);
    g_string_truncate(replay->times, 0);
    replay->logged = 0;
    replay->drawing_ns = 0;
}

static void note(Replay *replay, gint64 drawing_ns)
{
    if (replay->logged++ == 0)
        replay->first_us = replay->appeared_us;
    else
        g_string_append_printf(replay->times, " +%" G_GINT64_FORMAT, replay->appeared_us - replay->first_us);
    replay->drawing_ns += drawing_ns;
    replay->played++;
    if (replay->logged == LOGGED_FRAMES)
        write_log(replay);
}

/* ---- picture ---- */

/* seat_host_damage() may say `wants` while it runs. */
static void take(Replay *replay)
{
    SeatRect rects[SEAT_RECTS_MAX];
    if (replay->in_take || damage_is_empty(replay->pending))
        return;
    replay->in_take = TRUE;
    guint count = damage_rects(replay->pending, rects);
    damage_clear(replay->pending);
    seat_host_damage(replay->host, rects, count, replay->pixels,
                     recording_header(replay->recording)->width * 4, replay->appeared_us);
    replay->in_take = FALSE;
}

static void stop_clock(Replay *replay)
{
    if (replay->clock) {
        g_source_destroy(replay->clock);
        g_clear_pointer(&replay->clock, g_source_unref);
    }
    write_log(replay);
}

static gboolean draw(Replay *replay, GError **error)
{
    const RecordingHeader *header = recording_header(replay->recording);
    SeatRect rects[RECORDING_OPS_MAX];
    gint64 begin = processor_ns();
    guint count;

    if (!recording_draw(replay->recording, replay->played % header->frames, replay->pixels, rects, &count,
                        error))
        return FALSE;
    if (count > 0 && !replay->exact)
        damage_add_all(replay->pending);
    for (guint i = 0; i < count && replay->exact; i++)
        damage_add(replay->pending, rects[i].x, rects[i].y, (gint)rects[i].width, (gint)rects[i].height);
    replay->appeared_us = g_get_monotonic_time();
    note(replay, processor_ns() - begin);
    return TRUE;
}

/* Frames that are late follow at the same pace: none is left out, none is made up for. */
static gboolean next_frame(gpointer data)
{
    Replay *replay = data;
    g_autoptr(GError) error = NULL;

    if (!draw(replay, &error)) {
        stop_clock(replay);
        replay->events->lost(error->message, replay->data);
        return G_SOURCE_REMOVE;
    }
    replay->due_us =
        MAX(replay->due_us, g_get_monotonic_time() - recording_header(replay->recording)->interval_us) +
        recording_header(replay->recording)->interval_us;
    g_source_set_ready_time(replay->clock, replay->due_us);
    if (seat_host_wants(replay->host))
        take(replay);
    return G_SOURCE_CONTINUE;
}

static gboolean clock_dispatch(GSource *clock, GSourceFunc callback, gpointer data)
{
    return callback(data);
}

/* Runs only while somebody could see it move. */
static void set_clock(Replay *replay)
{
    static GSourceFuncs functions = {.dispatch = clock_dispatch};
    if (replay->clients == 0) {
        stop_clock(replay);
    } else if (!replay->clock) {
        replay->clock = g_source_new(&functions, sizeof(GSource));
        g_source_set_callback(replay->clock, next_frame, replay, NULL);
        replay->due_us = g_get_monotonic_time() + recording_header(replay->recording)->interval_us;
        g_source_set_ready_time(replay->clock, replay->due_us);
        g_source_attach(replay->clock, NULL);
    }
}

/* ---- the source's class ---- */

static void replay_key(Source *source, guint code, gboolean pressed)
{
}

static void replay_pointer(Source *source, const SeatPointer *pointer)
{
}

static void replay_motion(Source *source, const SeatMotion *motion)
{
}

static void replay_touch(Source *source, const SeatTouch *touch)
{
}

static void replay_size(Source *source, const SeatSizeHint *size)
{
}

static void replay_wants(Source *source)
{
    take((Replay *)source);
}

static void replay_clients(Source *source, guint count)
{
    ((Replay *)source)->clients = count;
    set_clock((Replay *)source);
}

static void replay_free(Source *source)
{
    Replay *replay = (Replay *)source;
    stop_clock(replay);
    recording_free(replay->recording);
    g_clear_pointer(&replay->pending, damage_free);
    g_string_free(replay->times, TRUE);
    g_free(replay->pixels);
    g_free(replay);
}

static gboolean begin(Replay *replay, int fd, GError **error)
{
    replay->recording = recording_new(fd, error);
    if (!replay->recording)
        return FALSE;
    const RecordingHeader *header = recording_header(replay->recording);
    replay->pixels = g_try_new0(guint32, (gsize)header->width * header->height);
    if (!replay->pixels) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM,
                    "There is not enough memory for the recording's picture.");
        return FALSE;
    }
    if (!recording_first(replay->recording, replay->pixels, error) ||
        !seat_host_resize(replay->host, header->width, header->height, error))
        return FALSE;
    replay->pending = damage_new(header->width, header->height);
    damage_add_all(replay->pending);
    replay->appeared_us = g_get_monotonic_time();
    take(replay);
    replay->events->picture(header->width, header->height, replay->data);
    return TRUE;
}

Source *source_replay_new(SeatHost *host, int fd, gboolean exact, const SourceEvents *events, gpointer data,
                          GError **error)
{
    static const SourceClass class = {
        .key = replay_key,
        .pointer = replay_pointer,
        .motion = replay_motion,
        .touch = replay_touch,
        .size = replay_size,
        .wants = replay_wants,
        .clients = replay_clients,
        .free = replay_free,
    };
    Replay *replay = g_new0(Replay, 1);
    replay->source.class = &class;
    replay->host = host;
    replay->events = events;
    replay->data = data;
    replay->exact = exact;
    replay->times = g_string_new(NULL);
    if (begin(replay, fd, error))
        return &replay->source;
    replay_free(&replay->source);
    return NULL;
}
