/* appsrc ! encoder ! appsink. The encoder's work happens on GStreamer's threads, everything else here. */
#include "encoder/h264.h"

#include "base/log.h"
#include "encoder/annexb.h"
#include "encoder/gst_load.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <string.h>

#define DEFAULT_KBIT_S 20000
#define DEADLINE_MS 700
#define FIRST_DEADLINE_MS 3000 /* drivers take their time to start */
#define PARAMETERS_MAX 512     /* bytes of SPS and PPS together */

/* Shared with GStreamer's threads, outlives the encoder until the last of them is done with it. */
typedef struct {
    gatomicrefcount references;
    GMutex lock;
    H264Encoder *encoder; /* NULL: freed; under the lock and on the main thread only */
} Bridge;

struct H264Encoder {
    const EncoderCandidate *candidate;
    guint patience_ms;
    const H264Events *events;
    gpointer data;
    Bridge *bridge;
    GstElement *pipeline, *source, *element;
    GstVideoInfo info;
    GstBuffer *frame;    /* the picture as planes, kept up to date by damage */
    guint width, height; /* px, as shown */
    guint64 pictures;
    gboolean busy, failed, whole_due, no_memory;
    guint deadline;
    guint8 parameters[PARAMETERS_MAX];
    gsize parameters_length;
};

/* ---- from GStreamer's threads to the main loop ---- */

typedef struct {
    Bridge *bridge;
    GstSample *sample; /* or */
    char *failure;
} Message;

static void bridge_unref(Bridge *bridge)
{
    if (g_atomic_ref_count_dec(&bridge->references)) {
        g_mutex_clear(&bridge->lock);
        g_free(bridge);
    }
}

static Bridge *bridge_ref(Bridge *bridge)
{
    g_atomic_ref_count_inc(&bridge->references);
    return bridge;
}

static void message_free(gpointer data)
{
    Message *message = data;
    if (message->sample)
        gst_sample_unref(message->sample);
    g_free(message->failure);
    bridge_unref(message->bridge);
    g_free(message);
}

static void take_sample(H264Encoder *encoder, GstSample *sample);

static void fail(H264Encoder *encoder, const char *reason)
{
    if (encoder->failed)
        return;
    encoder->failed = TRUE;
    encoder->busy = FALSE;
    g_clear_handle_id(&encoder->deadline, g_source_remove);
    encoder->events->failed(reason, encoder->data);
}

static gboolean deliver(gpointer data)
{
    Message *message = data;
    H264Encoder *encoder = message->bridge->encoder;
    if (encoder && message->sample)
        take_sample(encoder, message->sample);
    else if (encoder)
        fail(encoder, message->failure);
    return G_SOURCE_REMOVE;
}

static void post(Bridge *bridge, GstSample *sample, const char *failure)
{
    Message *message = g_new0(Message, 1);
    message->bridge = bridge_ref(bridge);
    message->sample = sample;
    message->failure = g_strdup(failure);
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, deliver, message, message_free);
    g_source_attach(source, NULL);
}

static GstFlowReturn new_sample(GstAppSink *sink, gpointer data)
{
    GstSample *sample = gst_app_sink_pull_sample(sink);
    if (sample)
        post(data, sample, NULL);
    return GST_FLOW_OK;
}

static GstBusSyncReply bus_message(GstBus *bus, GstMessage *message, gpointer data)
{
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        g_autoptr(GError) error = NULL;
        gst_message_parse_error(message, &error, NULL);
        post(data, NULL, error->message);
    }
    gst_message_unref(message);
    return GST_BUS_DROP;
}

/* ---- units ---- */

static void remember_parameters(H264Encoder *encoder, const guint8 *unit, const AnnexB *look)
{
    if (!look->sps || !look->pps || look->sps_length + look->pps_length > PARAMETERS_MAX)
        return;
    memcpy(encoder->parameters, unit + look->sps_at, look->sps_length);
    memcpy(encoder->parameters + look->sps_length, unit + look->pps_at, look->pps_length);
    encoder->parameters_length = look->sps_length + look->pps_length;
}

static void hand_out(H264Encoder *encoder, const guint8 *unit, gsize length)
{
    AnnexB look = annexb_look(unit, length);

    remember_parameters(encoder, unit, &look);
    if (look.idr && !(look.sps && look.pps) && encoder->parameters_length > 0) {
        g_autofree guint8 *whole = g_malloc(encoder->parameters_length + length);
        memcpy(whole, encoder->parameters, encoder->parameters_length);
        memcpy(whole + encoder->parameters_length, unit, length);
        encoder->events->unit(whole, encoder->parameters_length + length, TRUE, encoder->data);
        return;
    }
    encoder->events->unit(unit, length, look.idr, encoder->data);
}

static void take_sample(H264Encoder *encoder, GstSample *sample)
{
    GstBuffer *buffer = gst_sample_get_buffer(sample);
    GstMapInfo map;

    if (!encoder->busy || encoder->failed)
        return;
    if (!buffer || !gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        fail(encoder, "its output cannot be read");
        return;
    }
    encoder->busy = FALSE;
    g_clear_handle_id(&encoder->deadline, g_source_remove);
    hand_out(encoder, map.data, map.size);
    gst_buffer_unmap(buffer, &map);
}

static gboolean deadline_over(gpointer data)
{
    H264Encoder *encoder = data;
    encoder->deadline = 0;
    fail(encoder, "no answer in time");
    return G_SOURCE_REMOVE;
}

/* ---- making it ---- */

static void apply_settings(GstElement *element, const char *settings)
{
    g_auto(GStrv) words = g_strsplit(settings, " ", -1);
    for (guint i = 0; words[i]; i++) {
        char *equals = strchr(words[i], '=');
        if (!equals)
            continue;
        *equals = '\0';
        if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), words[i]))
            gst_util_set_object_arg(G_OBJECT(element), words[i], equals + 1);
    }
}

static GstElement *make_source(H264Encoder *encoder, guint coded_width, guint coded_height)
{
    GstElement *source =
        g_object_new(GST_TYPE_APP_SRC, "is-live", TRUE, "format", GST_FORMAT_TIME, "block", FALSE, NULL);
    g_autoptr(GstCaps) caps = gst_caps_new_simple(
        "video/x-raw", "format", G_TYPE_STRING, encoder->candidate->format, "width", G_TYPE_INT, coded_width,
        "height", G_TYPE_INT, coded_height, "framerate", GST_TYPE_FRACTION, 30, 1, "interlace-mode",
        G_TYPE_STRING, "progressive", "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, "colorimetry",
        G_TYPE_STRING, "1:3:5:1", NULL);
    gst_app_src_set_caps(GST_APP_SRC(source), caps);
    gst_video_info_from_caps(&encoder->info, caps);
    return source;
}

static GstElement *make_sink(H264Encoder *encoder)
{
    GstElement *sink = g_object_new(GST_TYPE_APP_SINK, "sync", FALSE, "async", FALSE, "max-buffers", 4,
                                    "drop", FALSE, "enable-last-sample", FALSE, NULL);
    g_autofree char *text = g_strdup_printf("video/x-h264,stream-format=byte-stream,alignment=au%s%s",
                                            encoder->candidate->caps ? "," : "",
                                            encoder->candidate->caps ? encoder->candidate->caps : "");
    g_autoptr(GstCaps) caps = gst_caps_from_string(text);
    GstAppSinkCallbacks callbacks = {.new_sample = new_sample};
    gst_app_sink_set_caps(GST_APP_SINK(sink), caps);
    gst_app_sink_set_callbacks(GST_APP_SINK(sink), &callbacks, bridge_ref(encoder->bridge),
                               (GDestroyNotify)bridge_unref);
    return sink;
}

static gboolean start(H264Encoder *encoder, GError **error)
{
    guint coded_width = (encoder->width + 15) & ~15u, coded_height = (encoder->height + 15) & ~15u;

    encoder->element = gst_load_element(encoder->candidate->plugin, encoder->candidate->element, error);
    if (!encoder->element)
        return FALSE;
    apply_settings(encoder->element, encoder->candidate->settings);
    encoder->pipeline = gst_pipeline_new(NULL);
    encoder->source = make_source(encoder, coded_width, coded_height);
    GstElement *sink = make_sink(encoder);
    gst_bin_add_many(GST_BIN(encoder->pipeline), encoder->source, encoder->element, sink, NULL);
    if (!gst_element_link_many(encoder->source, encoder->element, sink, NULL)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: does not take %s pictures of this kind",
                    encoder->candidate->element, encoder->candidate->format);
        return FALSE;
    }
    g_autoptr(GstBus) bus = gst_pipeline_get_bus(GST_PIPELINE(encoder->pipeline));
    gst_bus_set_sync_handler(bus, bus_message, bridge_ref(encoder->bridge), (GDestroyNotify)bridge_unref);
    if (gst_element_set_state(encoder->pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: does not start", encoder->candidate->element);
        return FALSE;
    }
    encoder->frame = gst_buffer_new_allocate(NULL, encoder->info.size, NULL);
    return encoder->frame != NULL;
}

H264Encoder *h264_encoder_new(const EncoderCandidate *candidate, guint width, guint height,
                              const H264Events *events, gpointer data, GError **error)
{
    if (!h264_load(error))
        return NULL;
    H264Encoder *encoder = g_new0(H264Encoder, 1);
    encoder->candidate = candidate;
    encoder->events = events;
    encoder->data = data;
    encoder->width = width;
    encoder->height = height;
    encoder->whole_due = TRUE;
    encoder->bridge = g_new0(Bridge, 1);
    g_atomic_ref_count_init(&encoder->bridge->references);
    g_mutex_init(&encoder->bridge->lock);
    encoder->bridge->encoder = encoder;
    if (!start(encoder, error)) {
        h264_encoder_free(encoder);
        return NULL;
    }
    return encoder;
}

static gpointer tear_down(gpointer data)
{
    GstElement *pipeline = data;
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
    return NULL;
}

void h264_encoder_free(H264Encoder *encoder)
{
    if (!encoder)
        return;
    g_clear_handle_id(&encoder->deadline, g_source_remove);
    encoder->bridge->encoder = NULL;
    bridge_unref(encoder->bridge);
    if (encoder->pipeline)
        g_thread_unref(g_thread_new("h264-end", tear_down, encoder->pipeline));
    else if (encoder->element)
        gst_object_unref(encoder->element);
    if (encoder->frame)
        gst_buffer_unref(encoder->frame);
    g_free(encoder);
}

/* ---- pictures ---- */

/* The frame's memory may still be in the encoder's hands: then go on with a copy. */
static gboolean own_frame(H264Encoder *encoder)
{
    if (gst_buffer_is_writable(encoder->frame) && gst_buffer_is_all_memory_writable(encoder->frame))
        return TRUE;
    GstBuffer *copy = gst_buffer_copy_deep(encoder->frame);
    gst_buffer_unref(encoder->frame);
    encoder->frame = copy;
    return copy != NULL;
}

void h264_encoder_draw(H264Encoder *encoder, H264Draw draw, gpointer data)
{
    GstVideoFrame frame;

    if (!own_frame(encoder) ||
        !gst_video_frame_map(&frame, &encoder->info, encoder->frame, GST_MAP_READWRITE)) {
        encoder->no_memory = TRUE;
        return;
    }
    gboolean planar = GST_VIDEO_INFO_N_PLANES(&encoder->info) == 3;
    YuvPicture picture = {.y = GST_VIDEO_FRAME_COMP_DATA(&frame, 0),
                          .u = GST_VIDEO_FRAME_COMP_DATA(&frame, 1),
                          .v = GST_VIDEO_FRAME_COMP_DATA(&frame, 2),
                          .y_stride = GST_VIDEO_FRAME_COMP_STRIDE(&frame, 0),
                          .chroma_stride = GST_VIDEO_FRAME_COMP_STRIDE(&frame, 1),
                          .chroma_step = planar ? 1 : 2,
                          .width = GST_VIDEO_FRAME_WIDTH(&frame),
                          .height = GST_VIDEO_FRAME_HEIGHT(&frame)};
    draw(&picture, data);
    gst_video_frame_unmap(&frame);
}

/* What h264_encode() converts. */
typedef struct {
    H264Encoder *encoder;
    const void *pixels;
    gsize stride;
    const SeatRect *rects;
    guint count;
} Conversion;

static void convert(const YuvPicture *picture, gpointer data)
{
    const Conversion *what = data;
    H264Encoder *encoder = what->encoder;
    const SeatRect whole = {.width = encoder->width, .height = encoder->height};

    if (encoder->whole_due)
        convert_rect(picture, &whole, what->pixels, what->stride, encoder->width, encoder->height);
    for (guint i = 0; i < what->count && !encoder->whole_due; i++)
        convert_rect(picture, &what->rects[i], what->pixels, what->stride, encoder->width, encoder->height);
    encoder->whole_due = FALSE;
}

void h264_encoder_set_patience(H264Encoder *encoder, guint ms)
{
    encoder->patience_ms = ms;
}

static guint deadline_ms(const H264Encoder *encoder)
{
    guint usual = encoder->pictures == 0 ? FIRST_DEADLINE_MS : DEADLINE_MS;
    return MAX(usual, encoder->patience_ms);
}

void h264_encode_drawn(H264Encoder *encoder, gboolean keyframe)
{
    g_return_if_fail(!encoder->busy && !encoder->failed);
    encoder->busy = TRUE;
    encoder->deadline = g_timeout_add(deadline_ms(encoder), deadline_over, encoder);
    if (encoder->no_memory) {
        post(encoder->bridge, NULL, "no memory for a picture");
        return;
    }
    /* Time stamps only order the pictures: evenly spaced ones keep rate control calm. */
    GST_BUFFER_PTS(encoder->frame) = encoder->pictures * GST_SECOND / 30;
    GST_BUFFER_DURATION(encoder->frame) = GST_SECOND / 30;
    if (keyframe && encoder->pictures > 0)
        gst_element_send_event(encoder->element,
                               gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
    encoder->pictures++;
    if (gst_app_src_push_buffer(GST_APP_SRC(encoder->source), gst_buffer_ref(encoder->frame)) != GST_FLOW_OK)
        post(encoder->bridge, NULL, "takes no picture any more");
}

void h264_encode(H264Encoder *encoder, const void *pixels, gsize stride, const SeatRect *rects, guint count,
                 gboolean keyframe)
{
    Conversion what = {encoder, pixels, stride, rects, count};
    h264_encoder_draw(encoder, convert, &what);
    h264_encode_drawn(encoder, keyframe);
}

gboolean h264_encoder_busy(const H264Encoder *encoder)
{
    return encoder->busy;
}

void h264_encoder_set_bitrate(H264Encoder *encoder, guint kbit_s)
{
    const EncoderCandidate *candidate = encoder->candidate;
    g_autofree char *value = NULL;

    if (!candidate->bitrate ||
        !g_object_class_find_property(G_OBJECT_GET_CLASS(encoder->element), candidate->bitrate))
        return;
    guint kbit = CLAMP(kbit_s ? kbit_s : DEFAULT_KBIT_S, 200, 100000);
    value = g_strdup_printf("%" G_GUINT64_FORMAT, (guint64)kbit * 1000 / candidate->bitrate_unit);
    gst_util_set_object_arg(G_OBJECT(encoder->element), candidate->bitrate, value);
}
