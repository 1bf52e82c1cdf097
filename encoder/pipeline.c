/* Shared by the main thread, GStreamer's and the one that starts it: it lives until the last is done with it.
 */
#include "encoder/pipeline.h"

#include "encoder/gst_load.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <string.h>

/* An encoder that ends may hold the session that the next one needs. */
#define ENDING_MS 200

struct Pipeline {
    gatomicrefcount references;
    const PipelineEvents *events; /* NULL: freed. Main thread only, as all down to `starter` */
    gpointer data;
    gboolean started;
    char *property, *value; /* to be set as soon as there is an element */
    GThread *starter;
    /* The starter's until it has said what has become of it, then the main thread's. */
    EncoderCandidate candidate;
    GstCaps *caps;
    GstElement *pipeline, *source, *element;
    UploadOffer offer;
};

static Pipeline *pipeline_ref(Pipeline *pipeline)
{
    g_atomic_ref_count_inc(&pipeline->references);
    return pipeline;
}

static void pipeline_unref(Pipeline *pipeline)
{
    if (!g_atomic_ref_count_dec(&pipeline->references))
        return;
    g_free((char *)pipeline->candidate.element);
    g_free((char *)pipeline->candidate.plugin);
    g_free((char *)pipeline->candidate.settings);
    g_free((char *)pipeline->candidate.caps);
    g_free(pipeline->property);
    g_free(pipeline->value);
    gst_caps_unref(pipeline->caps);
    g_free(pipeline);
}

/* ---- to the main loop ---- */

typedef struct {
    Pipeline *pipeline;
    GstSample *sample; /* or */
    char *failure;     /* or neither: it has started */
} Message;

static void message_free(gpointer data)
{
    Message *message = data;
    if (message->sample)
        gst_sample_unref(message->sample);
    g_free(message->failure);
    pipeline_unref(message->pipeline);
    g_free(message);
}

static void apply_property(Pipeline *pipeline)
{
    if (pipeline->property &&
        g_object_class_find_property(G_OBJECT_GET_CLASS(pipeline->element), pipeline->property))
        gst_util_set_object_arg(G_OBJECT(pipeline->element), pipeline->property, pipeline->value);
}

static gboolean deliver(gpointer data)
{
    Message *message = data;
    Pipeline *pipeline = message->pipeline;

    if (!pipeline->events)
        return G_SOURCE_REMOVE;
    if (message->sample) {
        pipeline->events->sample(message->sample, pipeline->data);
    } else if (message->failure) {
        pipeline->events->failed(message->failure, pipeline->data);
    } else {
        pipeline->started = TRUE;
        apply_property(pipeline);
        pipeline->events->started(pipeline->data);
    }
    return G_SOURCE_REMOVE;
}

static void post(Pipeline *pipeline, GstSample *sample, const char *failure)
{
    Message *message = g_new0(Message, 1);
    message->pipeline = pipeline_ref(pipeline);
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

static GstElement *make_sink(Pipeline *pipeline)
{
    GstElement *sink = g_object_new(GST_TYPE_APP_SINK, "sync", FALSE, "async", FALSE, "max-buffers", 4,
                                    "drop", FALSE, "enable-last-sample", FALSE, NULL);
    const char *more = pipeline->candidate.caps;
    g_autofree char *text = g_strdup_printf("video/x-h264,stream-format=byte-stream,alignment=au%s%s",
                                            more ? "," : "", more ? more : "");
    g_autoptr(GstCaps) caps = gst_caps_from_string(text);
    GstAppSinkCallbacks callbacks = {.new_sample = new_sample};
    gst_app_sink_set_caps(GST_APP_SINK(sink), caps);
    gst_app_sink_set_callbacks(GST_APP_SINK(sink), &callbacks, pipeline_ref(pipeline),
                               (GDestroyNotify)pipeline_unref);
    return sink;
}

static gboolean put_together(Pipeline *pipeline, GError **error)
{
    const EncoderCandidate *candidate = &pipeline->candidate;

    pipeline->element = gst_load_element(candidate->plugin, candidate->element, error);
    if (!pipeline->element)
        return FALSE;
    apply_settings(pipeline->element, candidate->settings);
    pipeline->pipeline = gst_pipeline_new(NULL);
    pipeline->source =
        g_object_new(GST_TYPE_APP_SRC, "is-live", TRUE, "format", GST_FORMAT_TIME, "block", FALSE, NULL);
    gst_app_src_set_caps(GST_APP_SRC(pipeline->source), pipeline->caps);
    GstElement *sink = make_sink(pipeline);
    gst_bin_add_many(GST_BIN(pipeline->pipeline), pipeline->source, pipeline->element, sink, NULL);
    if (!gst_element_link_many(pipeline->source, pipeline->element, sink, NULL)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: does not take pictures of this kind",
                    candidate->element);
        return FALSE;
    }
    g_autoptr(GstBus) bus = gst_pipeline_get_bus(GST_PIPELINE(pipeline->pipeline));
    gst_bus_set_sync_handler(bus, bus_message, pipeline_ref(pipeline), (GDestroyNotify)pipeline_unref);
    return TRUE;
}

static gboolean cannot_start(const Pipeline *pipeline, GError **error)
{
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: does not start", pipeline->candidate.element);
    return FALSE;
}

/* appsrc would open a pool as well, which it never uses. */
static GstPadProbeReturn no_allocation(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    return GST_QUERY_TYPE(GST_PAD_PROBE_INFO_QUERY(info)) == GST_QUERY_ALLOCATION ? GST_PAD_PROBE_DROP
                                                                                  : GST_PAD_PROBE_OK;
}

/* Which buffers are to be had is known once the device is open, and before the first picture is called what
 * it is.
 */
static gboolean find_buffers(Pipeline *pipeline, GError **error)
{
    g_autoptr(GstPad) pad = gst_element_get_static_pad(pipeline->source, "src");

    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, no_allocation, NULL, NULL);
    if (gst_element_set_state(pipeline->pipeline, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE)
        return cannot_start(pipeline, error);
    upload_ask(pipeline->element, pipeline->caps, &pipeline->offer);
    if (pipeline->offer.caps)
        gst_app_src_set_caps(GST_APP_SRC(pipeline->source), pipeline->offer.caps);
    return TRUE;
}

static gboolean start(Pipeline *pipeline, GError **error)
{
    if (!put_together(pipeline, error))
        return FALSE;
    if (pipeline->candidate.hardware && !find_buffers(pipeline, error))
        return FALSE;
    if (gst_element_set_state(pipeline->pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
        return cannot_start(pipeline, error);
    return TRUE;
}

/* ---- hardware: starting and ending beside the main loop ---- */

static GMutex ending_lock;
static GCond ended;
static guint ending; /* encoders; under the lock */

static void count_ending(gint more)
{
    g_mutex_lock(&ending_lock);
    ending += (guint)more;
    g_cond_broadcast(&ended);
    g_mutex_unlock(&ending_lock);
}

static void let_others_end(void)
{
    gint64 until = g_get_monotonic_time() + ENDING_MS * 1000;

    g_mutex_lock(&ending_lock);
    while (ending > 0 && g_cond_wait_until(&ended, &ending_lock, until))
        ;
    g_mutex_unlock(&ending_lock);
}

static gpointer start_beside(gpointer data)
{
    Pipeline *pipeline = data;
    g_autoptr(GError) error = NULL;

    let_others_end();
    post(pipeline, NULL, start(pipeline, &error) ? NULL : error->message);
    pipeline_unref(pipeline);
    return NULL;
}

static gpointer tear_down(gpointer data)
{
    Pipeline *pipeline = data;

    if (pipeline->starter)
        g_thread_join(g_steal_pointer(&pipeline->starter));
    if (pipeline->pipeline) {
        gst_element_set_state(pipeline->pipeline, GST_STATE_NULL);
        gst_object_unref(pipeline->pipeline);
    }
    upload_offer_clear(&pipeline->offer);
    if (pipeline->candidate.hardware)
        count_ending(-1);
    pipeline_unref(pipeline);
    return NULL;
}

/* ---- for others ---- */

Pipeline *pipeline_new(const EncoderCandidate *candidate, GstCaps *caps, const PipelineEvents *events,
                       gpointer data, GError **error)
{
    Pipeline *pipeline = g_new0(Pipeline, 1);

    g_atomic_ref_count_init(&pipeline->references);
    pipeline->events = events;
    pipeline->data = data;
    pipeline->candidate = (EncoderCandidate){.element = g_strdup(candidate->element),
                                             .plugin = g_strdup(candidate->plugin),
                                             .settings = g_strdup(candidate->settings),
                                             .caps = g_strdup(candidate->caps),
                                             .hardware = candidate->hardware};
    pipeline->caps = gst_caps_ref(caps);
    if (candidate->hardware)
        pipeline->starter = g_thread_new("h264-start", start_beside, pipeline_ref(pipeline));
    else if (start(pipeline, error))
        pipeline->started = TRUE;
    else
        g_clear_pointer(&pipeline, pipeline_free);
    return pipeline;
}

void pipeline_free(Pipeline *pipeline)
{
    if (!pipeline)
        return;
    pipeline->events = NULL;
    if (pipeline->candidate.hardware)
        count_ending(1);
    g_thread_unref(g_thread_new("h264-end", tear_down, pipeline));
}

gboolean pipeline_started(const Pipeline *pipeline)
{
    return pipeline->started;
}

const UploadOffer *pipeline_offer(const Pipeline *pipeline, gboolean *only)
{
    *only = pipeline->offer.caps && !gst_caps_is_equal(pipeline->offer.caps, pipeline->caps);
    return pipeline->offer.pool ? &pipeline->offer : NULL;
}

gboolean pipeline_push(Pipeline *pipeline, GstBuffer *picture)
{
    return gst_app_src_push_buffer(GST_APP_SRC(pipeline->source), picture) == GST_FLOW_OK;
}

void pipeline_force_key(Pipeline *pipeline)
{
    gst_element_send_event(pipeline->element,
                           gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
}

void pipeline_set(Pipeline *pipeline, const char *property, const char *value)
{
    g_free(pipeline->property);
    g_free(pipeline->value);
    pipeline->property = g_strdup(property);
    pipeline->value = g_strdup(value);
    if (pipeline->started)
        apply_property(pipeline);
}
