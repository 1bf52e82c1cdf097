/* The stream: which encoder runs, from when to when, and what takes over when it fails. */
#include "session/seat/stream_h264.h"

#include "base/log.h"
#include "encoder/h264_pair.h"
#include "encoder/rect.h"

#define IDLE_S 5 /* an encoder is tens of MiB; a film that goes on still finds it */
/* Software is late because the machine is busy, and nothing better would take over: only a hang is a failure.
 */
#define SOFTWARE_PATIENCE_MS 10000
#define RETRY_US (30 * G_USEC_PER_SEC) /* after every encoder has failed */

typedef struct {
    HostStream stream;
    const HostStreamEvents *events;
    gpointer data;                               /* of the events */
    const EncoderCandidate *hardware, *software; /* hardware: NULL when there is none (any more) */
    H264Pair *encoder;
    H264Pair *spare;    /* the software encoder, loaded beside a hardware one */
    SeatRect region;    /* px, that encoder and spare were made for or have moved to */
    guint32 generation; /* of the shadow that the encoder has seen, 0: of none */
    guint32 run;        /* number of the encoder, and place, that runs */
    guint max_kbit_s;
    gboolean chroma; /* the subscribers take AVC444's auxiliary view */
    guint idle_timer;
    gint64 used_us;   /* when it was given the last picture */
    gint64 broken_us; /* when the last encoder failed, 0: none has */
} Stream;

static const EncoderCandidate *first_software(void)
{
    for (const EncoderCandidate *candidate = encoder_candidates; candidate->element; candidate++)
        if (!candidate->hardware)
            return candidate;
    return NULL;
}

static void drop_encoders(Stream *self)
{
    g_clear_pointer(&self->encoder, h264_pair_free);
    g_clear_pointer(&self->spare, h264_pair_free);
}

static void take_units(const H264Units *units, gpointer data)
{
    Stream *self = data;
    self->events->unit(units, self->run, self->data);
}

static void take_failure(const char *reason, gpointer data);
static const H264PairEvents encoder_events = {.units = take_units, .failed = take_failure};

static H264Pair *make_encoder(Stream *self, const EncoderCandidate *candidate)
{
    g_autoptr(GError) error = NULL;
    H264Pair *encoder = h264_pair_new(candidate, self->region.width, self->region.height, self->chroma,
                                      &encoder_events, self, &error);
    if (!encoder) {
        log_warning("encoder %s: %s", candidate->element, error->message);
        return NULL;
    }
    h264_pair_set_bitrate(encoder, self->max_kbit_s);
    if (!candidate->hardware)
        h264_pair_set_patience(encoder, SOFTWARE_PATIENCE_MS);
    return encoder;
}

static gboolean idle_over(gpointer data)
{
    Stream *self = data;
    if (self->encoder &&
        (h264_pair_busy(self->encoder) || g_get_monotonic_time() - self->used_us < IDLE_S * G_USEC_PER_SEC))
        return G_SOURCE_CONTINUE;
    self->idle_timer = 0;
    drop_encoders(self);
    return G_SOURCE_REMOVE;
}

static void next_encoder(Stream *self)
{
    self->run++;
    if (self->hardware) {
        self->encoder = make_encoder(self, self->hardware);
        if (self->encoder && self->software && !self->spare)
            self->spare = make_encoder(self, self->software);
        if (!self->encoder)
            self->hardware = NULL;
    }
    if (!self->encoder && self->spare)
        self->encoder = g_steal_pointer(&self->spare);
    if (!self->encoder && self->software)
        self->encoder = make_encoder(self, self->software);
    if (!self->encoder) {
        self->broken_us = g_get_monotonic_time();
        log_error("no H.264 encoder works: pictures go lossless");
    }
}

static void take_failure(const char *reason, gpointer data)
{
    Stream *self = data;
    gboolean was_hardware = self->hardware != NULL;

    log_warning("encoder %s: %s%s", (was_hardware ? self->hardware : self->software)->element, reason,
                was_hardware ? ": software takes over" : "");
    g_clear_pointer(&self->encoder, h264_pair_free);
    self->hardware = NULL;
    self->generation = 0;
    if (!was_hardware)
        self->broken_us = g_get_monotonic_time();
    self->events->lost(self->data);
}

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

static gboolean stream_encode(HostStream *stream, const Shadow *shadow, const SeatRect *region,
                              const SeatRect *rects, guint count, gboolean keyframe)
{
    Stream *self = (Stream *)stream;
    const SeatBuffer *layout = shadow_layout(shadow);
    gboolean elsewhere = region->x != self->region.x || region->y != self->region.y;
    SeatRect parts[SEAT_RECTS_MAX];

    g_return_val_if_fail(count <= SEAT_RECTS_MAX, FALSE);
    if (self->broken_us && g_get_monotonic_time() - self->broken_us < RETRY_US)
        return FALSE;
    self->broken_us = 0;
    if (self->region.width != region->width || self->region.height != region->height)
        drop_encoders(self);
    self->region = *region;
    if (self->encoder && !h264_pair_set_chroma(self->encoder, self->chroma))
        drop_encoders(self);
    if (!self->encoder)
        next_encoder(self);
    else if (elsewhere)
        self->run++;
    if (!self->encoder)
        return FALSE;
    self->used_us = g_get_monotonic_time();
    if (self->idle_timer == 0)
        self->idle_timer = g_timeout_add_seconds(IDLE_S, idle_over, self);
    count = inside(region, rects, count, parts);
    if (elsewhere || self->generation != layout->header.generation) {
        /* Same size, other pixels: its decoder starts with a key frame. */
        self->generation = layout->header.generation;
        parts[0] = (SeatRect){.width = region->width, .height = region->height};
        count = 1;
        keyframe = TRUE;
    }
    h264_pair_encode(self->encoder,
                     shadow_pixels(shadow) + (gsize)region->y * layout->stride + (gsize)region->x * 4,
                     layout->stride, parts, count, keyframe);
    return TRUE;
}

static void stream_cancel(HostStream *stream)
{
    Stream *self = (Stream *)stream;
    /* An encoder cannot be stopped in mid-picture: a fresh one is cheaper than waiting. */
    if (self->encoder && h264_pair_busy(self->encoder))
        g_clear_pointer(&self->encoder, h264_pair_free);
}

static void stream_demand(HostStream *stream, guint max_kbit_s, gboolean chroma)
{
    Stream *self = (Stream *)stream;

    if (self->max_kbit_s != max_kbit_s) {
        self->max_kbit_s = max_kbit_s;
        if (self->encoder)
            h264_pair_set_bitrate(self->encoder, max_kbit_s);
        if (self->spare)
            h264_pair_set_bitrate(self->spare, max_kbit_s);
    }
    self->chroma = chroma;
}

static void stream_free(HostStream *stream)
{
    Stream *self = (Stream *)stream;
    drop_encoders(self);
    g_clear_handle_id(&self->idle_timer, g_source_remove);
    g_free(self);
}

HostStream *stream_h264_new(void)
{
    static const HostStreamClass class = {.attach = stream_attach,
                                          .encode = stream_encode,
                                          .cancel = stream_cancel,
                                          .demand = stream_demand,
                                          .free = stream_free};
    Stream *self = g_new0(Stream, 1);
    self->stream.class = &class;
    self->software = first_software();
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
    self->hardware = first && first->hardware ? first : NULL;
    if (first && !first->hardware)
        self->software = first;
}
