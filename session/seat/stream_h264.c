/* The stream: which encoder runs, from when to when, and what takes over when it fails:
 *  - hardware begins, with a software encoder loaded beside it. Whatever goes wrong with it, the next picture
 * is software's: at once when it says so itself, after STREAM_HARDWARE_MS when it says nothing;
 *  - hardware that has only been slow to start may go on starting, and joins when it has given its first
 * unit. So does hardware that has failed before (doubt.h): software begins, it comes after. */
#include "session/seat/stream_h264.h"

#include "base/log.h"
#include "encoder/h264_pair.h"
#include "encoder/rect.h"
#include "session/seat/doubt.h"

#define IDLE_S 5 /* an encoder is tens of MiB; a film that goes on still finds it */
/* Software is late because the machine is busy, and nothing better would take over: only a hang is a failure.
 */
#define SOFTWARE_PATIENCE_MS 10000
#define START_PATIENCE_MS 10000        /* for hardware whose pictures nobody waits for */
#define RETRY_US (30 * G_USEC_PER_SEC) /* after every encoder has failed */

typedef struct Stream Stream;

typedef struct {
    Stream *stream;
    const EncoderCandidate *candidate;
    H264Pair *pair;
    gint64 asked_us; /* for its first unit, 0: not yet */
    gboolean answered;
} Runner;

struct Stream {
    HostStream stream;
    const HostStreamEvents *events;
    gpointer data;                               /* of the events */
    const EncoderCandidate *hardware, *software; /* hardware: NULL when there is none */
    Doubt *doubt, own;                           /* about the hardware, what is known of it by all streams */
    Runner *encoder;
    Runner *spare;      /* the software encoder, loaded beside a hardware one */
    Runner *joiner;     /* the hardware encoder, beside the software one that runs: to give its first unit */
    SeatRect region;    /* px, that encoder and spare were made for or have moved to */
    guint32 generation; /* of the shadow that the encoder has seen, 0: of none */
    guint32 run;        /* number of the encoder, and place, that runs */
    guint max_kbit_s;
    gboolean chroma; /* the subscribers take AVC444's auxiliary view */
    guint idle_timer, start_timer;
    gint64 used_us;   /* when it was given the last picture */
    gint64 broken_us; /* when the last encoder failed, 0: none has */
};

static const EncoderCandidate *first_software(void)
{
    for (const EncoderCandidate *candidate = encoder_candidates; candidate->element; candidate++)
        if (!candidate->hardware)
            return candidate;
    return NULL;
}

/* ---- runners ---- */

static void runner_free(Runner *runner)
{
    h264_pair_free(runner->pair);
    g_free(runner);
}

static void drop_encoder(Stream *self)
{
    g_clear_handle_id(&self->start_timer, g_source_remove);
    g_clear_pointer(&self->encoder, runner_free);
}

static void drop_encoders(Stream *self)
{
    drop_encoder(self);
    g_clear_pointer(&self->spare, runner_free);
    g_clear_pointer(&self->joiner, runner_free);
}

/* The next picture is to be another encoder's. */
static void lose(Stream *self)
{
    self->generation = 0;
    self->events->lost(self->data);
}

static void first_answer(Runner *runner)
{
    Stream *self = runner->stream;
    gint64 now = g_get_monotonic_time();

    runner->answered = TRUE;
    if (!runner->candidate->hardware)
        return;
    doubt_works(self->doubt, now - runner->asked_us <= STREAM_HARDWARE_MS * 1000, now);
    h264_pair_set_patience(runner->pair, self->spare || runner == self->joiner ? STREAM_HARDWARE_MS : 0);
    if (runner == self->encoder)
        g_clear_handle_id(&self->start_timer, g_source_remove);
}

static void take_units(const H264Units *units, gpointer data)
{
    Runner *runner = data;
    Stream *self = runner->stream;

    if (!runner->answered)
        first_answer(runner);
    if (runner == self->encoder)
        self->events->unit(units, self->run, self->data);
}

static void take_failure(const char *reason, gpointer data)
{
    Runner *runner = data;
    Stream *self = runner->stream;
    const EncoderCandidate *candidate = runner->candidate;
    gboolean ran = runner == self->encoder;

    log_warning("encoder %s: %s%s", candidate->element, reason,
                ran && candidate->hardware ? ": software takes over" : "");
    if (candidate->hardware)
        doubt_failed(self->doubt, g_get_monotonic_time());
    else if (ran)
        self->broken_us = g_get_monotonic_time();
    if (runner == self->joiner)
        g_clear_pointer(&self->joiner, runner_free);
    else if (runner == self->spare)
        g_clear_pointer(&self->spare, runner_free);
    if (!ran)
        return;
    drop_encoder(self);
    lose(self);
}

static Runner *make_runner(Stream *self, const EncoderCandidate *candidate)
{
    static const H264PairEvents events = {.units = take_units, .failed = take_failure};
    g_autoptr(GError) error = NULL;
    Runner *runner = g_new0(Runner, 1);

    runner->stream = self;
    runner->candidate = candidate;
    runner->pair = h264_pair_new(candidate, self->region.width, self->region.height, self->chroma, &events,
                                 runner, &error);
    if (!runner->pair) {
        log_warning("encoder %s: %s", candidate->element, error->message);
        if (candidate->hardware)
            doubt_failed(self->doubt, g_get_monotonic_time());
        g_free(runner);
        return NULL;
    }
    h264_pair_set_bitrate(runner->pair, self->max_kbit_s);
    if (!candidate->hardware)
        h264_pair_set_patience(runner->pair, SOFTWARE_PATIENCE_MS);
    return runner;
}

static void encode(Runner *runner, const Shadow *shadow, const SeatRect *rects, guint count,
                   gboolean keyframe)
{
    Stream *self = runner->stream;
    const SeatBuffer *layout = shadow_layout(shadow);

    self->used_us = g_get_monotonic_time();
    if (!runner->asked_us)
        runner->asked_us = self->used_us;
    h264_pair_encode(runner->pair,
                     shadow_pixels(shadow) + (gsize)self->region.y * layout->stride +
                         (gsize)self->region.x * 4,
                     layout->stride, rects, count, keyframe);
}

/* ---- who runs ---- */

static gboolean start_over(gpointer data)
{
    Stream *self = data;

    self->start_timer = 0;
    log_info("encoder %s: starts slowly: software goes ahead", self->encoder->candidate->element);
    self->doubt->slow = TRUE;
    self->joiner = g_steal_pointer(&self->encoder);
    lose(self);
    return G_SOURCE_REMOVE;
}

static void make_spare(Stream *self)
{
    if (self->software && !self->spare)
        self->spare = make_runner(self, self->software);
}

/* The spare is loaded first: then it needs not wait for what a driver does while it is. */
static void begin_with_hardware(Stream *self)
{
    make_spare(self);
    self->encoder = make_runner(self, self->hardware);
    if (!self->encoder || !self->spare)
        return;
    h264_pair_set_patience(self->encoder->pair, START_PATIENCE_MS);
    self->start_timer =
        g_timeout_add_full(G_PRIORITY_DEFAULT + 1, STREAM_HARDWARE_MS, start_over, self, NULL);
}

static void begin_with_joiner(Stream *self)
{
    make_spare(self);
    self->encoder = g_steal_pointer(&self->joiner);
}

static void begin_with_software(Stream *self)
{
    self->encoder = g_steal_pointer(&self->spare);
    if (self->encoder && !h264_pair_set_chroma(self->encoder->pair, self->chroma))
        drop_encoder(self);
    if (!self->encoder && self->software)
        self->encoder = make_runner(self, self->software);
}

static void next_encoder(Stream *self)
{
    self->run++;
    if (self->joiner && self->joiner->answered)
        begin_with_joiner(self);
    else if (self->hardware && !self->joiner && doubt_none(self->doubt))
        begin_with_hardware(self);
    if (!self->encoder)
        begin_with_software(self);
    if (!self->encoder && self->hardware && doubt_allows(self->doubt, g_get_monotonic_time()))
        self->encoder = make_runner(self, self->hardware);
    if (!self->encoder) {
        self->broken_us = g_get_monotonic_time();
        log_error("no H.264 encoder works: pictures go lossless");
    }
}

/* Hardware in doubt starts beside the software that runs, with a picture that nobody waits for. */
static void start_joiner(Stream *self, const Shadow *shadow)
{
    const SeatRect whole = {.width = self->region.width, .height = self->region.height};

    if (!self->hardware || self->joiner || self->encoder->candidate->hardware ||
        !doubt_allows(self->doubt, g_get_monotonic_time()))
        return;
    self->joiner = make_runner(self, self->hardware);
    if (!self->joiner)
        return;
    h264_pair_set_patience(self->joiner->pair, START_PATIENCE_MS);
    encode(self->joiner, shadow, &whole, 1, TRUE);
}

static void join(Stream *self)
{
    g_clear_pointer(&self->spare, runner_free);
    self->spare = g_steal_pointer(&self->encoder);
    self->encoder = g_steal_pointer(&self->joiner);
    self->generation = 0;
    self->run++;
}

static gboolean idle_over(gpointer data)
{
    Stream *self = data;
    if (self->encoder && (h264_pair_busy(self->encoder->pair) ||
                          g_get_monotonic_time() - self->used_us < IDLE_S * G_USEC_PER_SEC))
        return G_SOURCE_CONTINUE;
    self->idle_timer = 0;
    drop_encoders(self);
    return G_SOURCE_REMOVE;
}

/* ---- for the host ---- */

static void stream_attach(HostStream *stream, const HostStreamEvents *events, gpointer data)
{
    Stream *self = (Stream *)stream;
    self->events = events;
    self->data = data;
}

/* What lies inside the region, in px of it. */
static guint inside(const SeatRect *region, const SeatRect *rects, guint count, SeatRect *parts)
{
    guint kept = 0;
    for (guint i = 0; i < count; i++) {
        if (!rect_common(&rects[i], region, &parts[kept]))
            continue;
        parts[kept].x -= region->x;
        parts[kept].y -= region->y;
        kept++;
    }
    return kept;
}

/* The encoder for the next picture of the region. FALSE: none works. */
static gboolean choose_encoder(Stream *self, const SeatRect *region, const Shadow *shadow)
{
    gboolean elsewhere = region->x != self->region.x || region->y != self->region.y;

    if (self->region.width != region->width || self->region.height != region->height)
        drop_encoders(self);
    self->region = *region;
    if (self->encoder && !h264_pair_set_chroma(self->encoder->pair, self->chroma))
        drop_encoders(self);
    if (elsewhere)
        self->generation = 0;
    if (!self->encoder)
        next_encoder(self);
    else if (self->joiner && self->joiner->answered)
        join(self);
    else if (elsewhere)
        self->run++;
    if (self->encoder)
        start_joiner(self, shadow);
    return self->encoder != NULL;
}

static gboolean stream_encode(HostStream *stream, const Shadow *shadow, const SeatRect *region,
                              const SeatRect *rects, guint count, gboolean keyframe)
{
    Stream *self = (Stream *)stream;
    const SeatBuffer *layout = shadow_layout(shadow);
    SeatRect parts[SEAT_RECTS_MAX];

    g_return_val_if_fail(count <= SEAT_RECTS_MAX, FALSE);
    if (self->broken_us && g_get_monotonic_time() - self->broken_us < RETRY_US)
        return FALSE;
    self->broken_us = 0;
    if (!choose_encoder(self, region, shadow))
        return FALSE;
    if (self->idle_timer == 0)
        self->idle_timer = g_timeout_add_seconds(IDLE_S, idle_over, self);
    count = inside(region, rects, count, parts);
    if (self->generation != layout->header.generation) {
        /* Same size, other pixels: its decoder starts with a key frame. */
        self->generation = layout->header.generation;
        parts[0] = (SeatRect){.width = region->width, .height = region->height};
        count = 1;
        keyframe = TRUE;
    }
    encode(self->encoder, shadow, parts, count, keyframe);
    return TRUE;
}

static void stream_cancel(HostStream *stream)
{
    Stream *self = (Stream *)stream;
    /* An encoder cannot be stopped in mid-picture: a fresh one is cheaper than waiting. */
    if (self->encoder && h264_pair_busy(self->encoder->pair))
        drop_encoder(self);
}

static void stream_demand(HostStream *stream, guint max_kbit_s, gboolean chroma)
{
    Stream *self = (Stream *)stream;
    Runner *const runners[] = {self->encoder, self->spare, self->joiner};

    self->chroma = chroma;
    if (self->max_kbit_s == max_kbit_s)
        return;
    self->max_kbit_s = max_kbit_s;
    for (guint i = 0; i < G_N_ELEMENTS(runners); i++)
        if (runners[i])
            h264_pair_set_bitrate(runners[i]->pair, max_kbit_s);
}

static void stream_free(HostStream *stream)
{
    Stream *self = (Stream *)stream;
    drop_encoders(self);
    g_clear_handle_id(&self->idle_timer, g_source_remove);
    g_free(self);
}

HostStream *stream_h264_new(Doubt *doubt)
{
    static const HostStreamClass class = {.attach = stream_attach,
                                          .encode = stream_encode,
                                          .cancel = stream_cancel,
                                          .demand = stream_demand,
                                          .free = stream_free};
    Stream *self = g_new0(Stream, 1);
    self->stream.class = &class;
    self->software = first_software();
    self->doubt = doubt ? doubt : &self->own;
    return &self->stream;
}

void stream_h264_encoders(HostStream *stream, const char *hardware, const char *software)
{
    Stream *self = (Stream *)stream;
    const EncoderCandidate *first = hardware && *hardware ? encoder_candidate(hardware) : NULL;
    const EncoderCandidate *second = software && *software ? encoder_candidate(software) : NULL;

    if (hardware && *hardware && !first)
        log_warning("encoder %s is not in the table and is not used", hardware);
    if (second)
        self->software = second;
    if (first && !first->hardware)
        self->software = first;
    if (first && !first->hardware)
        first = NULL;
    if (first != self->hardware)
        *self->doubt = (Doubt){0};
    self->hardware = first;
}
