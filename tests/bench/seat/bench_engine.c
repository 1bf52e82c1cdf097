/* bench_engine RECORDING...: what a frame costs in the seat and its client process besides codec and
 * conversion: comparing and copying, classes and moves, records and links, the client's copy. Plays each
 * recording (as scripts/bench makes them) at its own rate to one viewer with H.264, whose encoder is a fake
 * that takes no time. Prints figures, judges nothing. */
#include "base/packet.h"
#include "base/proto/master_link.h"
#include "session/client/viewer_internal.h"
#include "session/seat/host_private.h"
#include "session/seat/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SETTLED 60 /* frames, until classes and region are what they stay */
#define FRAMES 150 /* that are measured */

typedef enum { COMPARE, PUBLISH, LINKS, TAKE, PARTS } Part;

static const char *const names[PARTS] = {"compare", "classes, moves, records", "links", "client's copy"};

static struct {
    HostStream stream;
    const HostStreamEvents *events;
    gpointer host;
    gboolean encoding, keyframe;
} fake;

static SeatHost *host;
static Viewer *viewer;
static gboolean dirty;
static guint units, moves;

static void give_up(const char *what)
{
    fprintf(stderr, "bench_engine: %s\n", what);
    exit(1);
}

/* ---- the stream ---- */

static void fake_attach(HostStream *stream, const HostStreamEvents *events, gpointer data)
{
    fake.events = events;
    fake.host = data;
}

static gboolean fake_encode(HostStream *stream, const Shadow *shadow, const SeatRect *region,
                            const SeatRect *rects, guint count, gboolean keyframe)
{
    fake.encoding = TRUE;
    fake.keyframe = keyframe;
    return TRUE;
}

static void fake_cancel(HostStream *stream)
{
    fake.encoding = FALSE;
}

static void fake_demand(HostStream *stream, guint max_kbit_s, gboolean chroma)
{
}

static void fake_free(HostStream *stream)
{
}

static void deliver_unit(void)
{
    static const guint8 unit[20000] = {0, 0, 0, 1, 0x65};
    if (!fake.encoding)
        return;
    fake.encoding = FALSE;
    H264Units made = {.main = unit, .main_length = sizeof unit, .keyframe = fake.keyframe};
    fake.events->unit(&made, 1, fake.host);
}

/* ---- the viewer ---- */

static void on_switched(Viewer *which, guint width, guint height, const SeatWelcome *welcome, gpointer data)
{
}

static void on_dirty(Viewer *which, gpointer data)
{
    dirty = TRUE;
}

static void on_cursor(Viewer *which, const guint8 *pixels, guint width, guint height, guint hot_x,
                      guint hot_y, gpointer data)
{
}

static void on_leds(Viewer *which, guint32 mask, gpointer data)
{
}

static void on_mode(Viewer *which, gboolean absolute, gpointer data)
{
}

static void on_ended(Viewer *which, EndReason reason, const char *text, gpointer data)
{
    give_up(text);
}

static void turn(void)
{
    for (guint i = 0; i < 1000 && g_main_context_iteration(NULL, FALSE); i++)
        ;
}

static void begin(const RecordingHeader *header)
{
    static const HostStreamClass class = {fake_attach, fake_encode, fake_cancel, fake_demand, fake_free};
    static const SeatHostEvents host_events;
    static const ViewerEvents events = {.switched = on_switched,
                                        .dirty = on_dirty,
                                        .cursor = on_cursor,
                                        .leds = on_leds,
                                        .pointer_mode = on_mode,
                                        .ended = on_ended};
    const SeatHello hello = {.protocol = SEAT_PROTOCOL_RDP, .heads = 1};
    const ProcessRecord record = {0};
    int ends[2];

    host = seat_host_new(FALSE, &host_events, NULL, NULL);
    fake.stream.class = &class;
    fake.encoding = FALSE;
    seat_host_set_streams(host, 1, (HostStream *[]){&fake.stream}, NULL);
    if (!seat_host_resize(host, header->width, header->height, NULL) || !packet_pair(ends, NULL))
        give_up("no memory");
    viewer = viewer_new(&events, NULL);
    viewer_units_paint_all(viewer, TRUE);
    viewer_accept_moves(viewer, TRUE);
    viewer_subscribe(viewer, TRUE, 0);
    viewer_hello(viewer, &hello, NULL);
    seat_host_add_client(host, ends[0], 2, 0, &record);
    viewer_attach(viewer, ends[1], FALSE);
    turn();
    units = moves = 0;
}

static void end(void)
{
    viewer_free(viewer);
    seat_host_free(host);
    turn();
}

/* ---- the measure ---- */

static double used_ms(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

static void take(void)
{
    ViewerUpdate update;

    if (!dirty)
        return;
    dirty = FALSE;
    if (viewer_take(viewer, FALSE, &update)) {
        units += update.n_units;
        moves += update.n_moves;
        viewer_release(viewer);
    }
    viewer_ready(viewer);
}

/* Each part's ms of one frame. */
static void play(const SeatRect *rects, guint count, const guint32 *pixels, gsize stride, double parts[PARTS])
{
    double at[PARTS + 1];

    at[COMPARE] = used_ms();
    seat_host_copy(host, rects, count, pixels, stride, 0);
    at[PUBLISH] = used_ms();
    seat_host_publish(host);
    deliver_unit();
    at[LINKS] = used_ms();
    turn();
    at[TAKE] = used_ms();
    take();
    at[PARTS] = used_ms();
    for (guint part = 0; part < PARTS; part++)
        parts[part] = at[part + 1] - at[part];
    double before = used_ms();
    turn(); /* the credits */
    parts[LINKS] += used_ms() - before;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sort(double *values)
{
    qsort(values, FRAMES, sizeof *values, compare);
}

static void print(const char *path, double measured[PARTS + 1][FRAMES])
{
    g_autofree char *name = g_path_get_basename(path);
    double *all = measured[PARTS], mean = 0;

    for (guint i = 0; i < FRAMES; i++)
        mean += all[i] / FRAMES;
    for (guint part = 0; part <= PARTS; part++)
        sort(measured[part]);
    printf("%-16s %.3f ms of processor a frame (half of them under %.3f, worst %.3f):", name, mean,
           all[FRAMES / 2], all[FRAMES - 1]);
    for (guint part = 0; part < PARTS; part++)
        printf(" %s %.3f (worst %.3f)%s", names[part], measured[part][FRAMES / 2], measured[part][FRAMES - 1],
               part + 1 < PARTS ? "," : ";");
    printf(" %u units, %u moves in %u frames\n", units, moves, FRAMES);
}

static void figure(const char *path)
{
    static double measured[PARTS + 1][FRAMES];
    g_autoptr(GError) error = NULL;
    SeatRect rects[RECORDING_OPS_MAX];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    g_autoptr(Recording) recording = fd >= 0 ? recording_new(fd, &error) : NULL;

    if (!recording)
        give_up(error ? error->message : g_strerror(errno));
    const RecordingHeader *header = recording_header(recording);
    gsize stride = (gsize)header->width * 4;
    g_autofree guint32 *pixels = g_malloc(stride * header->height);
    const SeatRect all = {.width = header->width, .height = header->height};
    if (!recording_first(recording, pixels, &error))
        give_up(error->message);
    double parts[PARTS];
    begin(header);
    play(&all, 1, pixels, stride, parts);
    gint64 due = g_get_monotonic_time();
    for (guint i = 0; i < SETTLED + FRAMES; i++) {
        guint count;
        if (i == SETTLED)
            units = moves = 0;
        due += header->interval_us;
        g_usleep((gulong)MAX(due - g_get_monotonic_time(), 1));
        turn(); /* timers */
        if (!recording_draw(recording, i % header->frames, pixels, rects, &count, &error))
            give_up(error->message);
        play(rects, count, pixels, stride, parts);
        if (i < SETTLED)
            continue;
        measured[PARTS][i - SETTLED] = 0;
        for (guint part = 0; part < PARTS; part++) {
            measured[part][i - SETTLED] = parts[part];
            measured[PARTS][i - SETTLED] += parts[part];
        }
    }
    end();
    print(path, measured);
}

int main(int argc, char *argv[])
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 2)
        give_up("which recordings? scripts/bench leaves some in build/recordings");
    for (int i = 1; i < argc; i++)
        figure(argv[i]);
}
