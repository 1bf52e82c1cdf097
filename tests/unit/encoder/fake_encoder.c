/* The element: its two pads, and x264enc between two further pads of its own. */
#include "fake_encoder.h"

#include "encoder/encoders.h"
#include "encoder/gst_load.h"
#include "fake_pool.h"

#include <check.h>
#include <gst/video/video.h>

FakeScript fake_script;
FakeCounts fake_counts;

static GMutex hang_lock;
static GCond woken;
static gboolean awake; /* under the lock */

typedef struct {
    GstElement element;
    GstElement *coder;         /* x264enc */
    GstPad *sink, *source;     /* of the element */
    GstPad *to_coder, *answer; /* where pictures go in, and units come out */
    FakeScript script;
    guint pictures;
    GstCaps *caps; /* of the pictures */
    GQueue kept;   /* of GstBuffer: it works on them, so to speak */
} Fake;

typedef struct {
    GstElementClass parent;
} FakeClass;

GType fake_get_type(void); /* the macro declares none */
G_DEFINE_TYPE(Fake, fake, GST_TYPE_ELEMENT)

#define FORMATS "format=(string){NV12,I420},width=[1,8192],height=[1,8192]"

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS("video/x-raw," FORMATS ";video/x-raw(memory:VAMemory)," FORMATS
                                            ";video/x-raw(memory:DMABuf)," FORMATS));
static GstStaticPadTemplate source_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-h264"));

/* ---- pictures ---- */

static void sleep_ms(guint ms)
{
    g_usleep(ms * 1000ul);
}

static void hang(void)
{
    g_mutex_lock(&hang_lock);
    while (!awake)
        g_cond_wait(&woken, &hang_lock);
    g_mutex_unlock(&hang_lock);
}

static void keep(Fake *fake, GstBuffer *picture)
{
    g_queue_push_tail(&fake->kept, gst_buffer_ref(picture));
    while (fake->kept.length > fake->script.pool - 1)
        gst_buffer_unref(g_queue_pop_head(&fake->kept));
}

/* GST_FLOW_OK: it goes on to the coder. */
static GstFlowReturn act(Fake *fake)
{
    const FakeScript *script = &fake->script;

    if (fake->pictures++ != script->at)
        return GST_FLOW_OK;
    switch (script->fault) {
    case FAKE_ERROR:
        GST_ELEMENT_ERROR(fake, RESOURCE, NOT_FOUND, ("no session is free"), (NULL));
        return GST_FLOW_ERROR;
    case FAKE_FLOW:
        return GST_FLOW_ERROR;
    case FAKE_HANG:
        hang();
        return GST_FLOW_FLUSHING;
    case FAKE_LATE:
        sleep_ms(script->ms);
        return GST_FLOW_OK;
    default:
        return GST_FLOW_OK;
    }
}

static GstFlowReturn sink_chain(GstPad *pad, GstObject *parent, GstBuffer *picture)
{
    Fake *fake = (Fake *)parent;

    g_atomic_int_inc(&fake_counts.pictures);
    if (fake_pool_owns(picture))
        g_atomic_int_inc(&fake_counts.lent);
    GstFlowReturn result = act(fake);
    if (result != GST_FLOW_OK) {
        gst_buffer_unref(picture);
        return result;
    }
    if (fake->script.picture)
        fake->script.picture(picture, fake->caps, fake->script.data);
    if (fake->script.pool > 0 && fake_pool_owns(picture))
        keep(fake, picture);
    return gst_pad_push(fake->to_coder, picture);
}

static GstFlowReturn answer_chain(GstPad *pad, GstObject *parent, GstBuffer *unit)
{
    Fake *fake = gst_pad_get_element_private(pad);
    return gst_pad_push(fake->source, unit);
}

/* ---- events and queries ---- */

static GstEvent *plain_caps(Fake *fake, GstEvent *event)
{
    GstCaps *caps;

    gst_event_parse_caps(event, &caps);
    gst_caps_replace(&fake->caps, caps);
    g_autoptr(GstCaps) plain = gst_caps_copy(caps);
    gst_caps_set_features(plain, 0, NULL);
    gst_event_unref(event);
    return gst_event_new_caps(plain);
}

static gboolean sink_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    Fake *fake = (Fake *)parent;
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS)
        event = plain_caps(fake, event);
    return gst_pad_push_event(fake->to_coder, event);
}

static gboolean answer_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    Fake *fake = gst_pad_get_element_private(pad);
    return gst_pad_push_event(fake->source, event);
}

static gboolean source_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    return gst_pad_push_event(((Fake *)parent)->answer, event);
}

static gboolean propose(Fake *fake, GstQuery *query)
{
    const char *memory = fake->script.memory ? fake->script.memory : GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY;
    GstCaps *caps;

    gst_query_parse_allocation(query, &caps, NULL);
    if (fake->script.pool == 0 || !caps ||
        !gst_caps_features_contains(gst_caps_get_features(caps, 0), memory))
        return FALSE;
    g_autoptr(GstBufferPool) pool =
        fake_pool_new(fake->script.pool, fake->script.padding, fake->script.no_pool, fake->script.map_fails);
    gst_query_add_allocation_pool(query, pool, 0, 0, fake->script.pool);
    return TRUE;
}

static gboolean sink_query(GstPad *pad, GstObject *parent, GstQuery *query)
{
    if (GST_QUERY_TYPE(query) == GST_QUERY_ALLOCATION)
        return propose((Fake *)parent, query);
    return gst_pad_query_default(pad, parent, query);
}

static gboolean answer_query(GstPad *pad, GstObject *parent, GstQuery *query)
{
    Fake *fake = gst_pad_get_element_private(pad);
    if (GST_QUERY_TYPE(query) == GST_QUERY_ACCEPT_CAPS) {
        gst_query_set_accept_caps_result(query, TRUE);
        return TRUE;
    }
    return gst_pad_peer_query(fake->source, query);
}

static gboolean send_event(GstElement *element, GstEvent *event)
{
    return gst_element_send_event(((Fake *)element)->coder, event);
}

/* ---- states ---- */

static void activate(Fake *fake, gboolean active)
{
    gst_pad_set_active(fake->to_coder, active);
    gst_pad_set_active(fake->answer, active);
}

static GstStateChangeReturn change_state(GstElement *element, GstStateChange transition)
{
    Fake *fake = (Fake *)element;

    if (transition == GST_STATE_CHANGE_NULL_TO_READY) {
        if (fake->script.fault == FAKE_NO_DEVICE)
            return GST_STATE_CHANGE_FAILURE;
        if (fake->script.fault == FAKE_SLOW_START)
            sleep_ms(fake->script.ms);
        g_atomic_int_inc(&fake_counts.started);
    }
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
        activate(fake, TRUE);
    if (transition < GST_STATE_CHANGE_PLAYING_TO_PAUSED)
        gst_element_set_state(fake->coder, GST_STATE_TRANSITION_NEXT(transition));
    GstStateChangeReturn result = GST_ELEMENT_CLASS(fake_parent_class)->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
        activate(fake, FALSE);
        g_queue_clear_full(&fake->kept, (GDestroyNotify)gst_buffer_unref);
    }
    if (transition >= GST_STATE_CHANGE_PLAYING_TO_PAUSED)
        gst_element_set_state(fake->coder, GST_STATE_TRANSITION_NEXT(transition));
    return result;
}

/* ---- making it ---- */

static void set_coder(Fake *fake)
{
    g_auto(GStrv) words = g_strsplit(encoder_candidate("x264enc")->settings, " ", -1);

    for (guint i = 0; words[i]; i++) {
        char *equals = strchr(words[i], '=');
        *equals = '\0';
        gst_util_set_object_arg(G_OBJECT(fake->coder), words[i], equals + 1);
    }
    /* As a pair's views need it. */
    gst_util_set_object_arg(G_OBJECT(fake->coder), "option-string", "dpb-size=2");
    if (fake->script.slices) {
        gst_util_set_object_arg(G_OBJECT(fake->coder), "threads", "4");
        gst_util_set_object_arg(G_OBJECT(fake->coder), "sliced-threads", "true");
    }
}

static void take_script(Fake *fake)
{
    fake->script = fake_script;
    if (fake_script.fault == FAKE_WORKS)
        return;
    if (fake_script.times == 0)
        fake->script.fault = FAKE_WORKS;
    else
        fake_script.times--;
}

static GstPad *inner_pad(Fake *fake, const char *name, GstPadDirection direction, const char *coder_pad)
{
    GstPad *pad = gst_object_ref_sink(gst_pad_new(name, direction));
    g_autoptr(GstPad) other = gst_element_get_static_pad(fake->coder, coder_pad);

    gst_pad_set_element_private(pad, fake);
    if (direction == GST_PAD_SRC)
        gst_pad_link_full(pad, other, GST_PAD_LINK_CHECK_NOTHING);
    else
        gst_pad_link_full(other, pad, GST_PAD_LINK_CHECK_NOTHING);
    return pad;
}

static void fake_init(Fake *fake)
{
    g_atomic_int_inc(&fake_counts.made);
    take_script(fake);
    g_queue_init(&fake->kept);
    fake->coder = gst_object_ref_sink(gst_load_element("libgstx264", "x264enc", NULL));
    set_coder(fake);
    fake->to_coder = inner_pad(fake, "to-coder", GST_PAD_SRC, "sink");
    fake->answer = inner_pad(fake, "answer", GST_PAD_SINK, "src");
    gst_pad_set_chain_function(fake->answer, answer_chain);
    gst_pad_set_event_function(fake->answer, answer_event);
    gst_pad_set_query_function(fake->answer, answer_query);
    fake->sink = gst_pad_new_from_static_template(&sink_template, "sink");
    gst_pad_set_chain_function(fake->sink, sink_chain);
    gst_pad_set_event_function(fake->sink, sink_event);
    gst_pad_set_query_function(fake->sink, sink_query);
    gst_element_add_pad(&fake->element, fake->sink);
    fake->source = gst_pad_new_from_static_template(&source_template, "src");
    gst_pad_set_event_function(fake->source, source_event);
    gst_element_add_pad(&fake->element, fake->source);
}

static void finalize(GObject *object)
{
    Fake *fake = (Fake *)object;

    gst_element_set_state(fake->coder, GST_STATE_NULL);
    gst_object_unref(fake->coder);
    gst_object_unref(fake->to_coder);
    gst_object_unref(fake->answer);
    gst_clear_caps(&fake->caps);
    G_OBJECT_CLASS(fake_parent_class)->finalize(object);
}

static void fake_class_init(FakeClass *class)
{
    GstElementClass *element = GST_ELEMENT_CLASS(class);

    G_OBJECT_CLASS(class)->finalize = finalize;
    element->change_state = change_state;
    element->send_event = send_event;
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &source_template);
    gst_element_class_set_static_metadata(element, "Scripted encoder", "Codec/Encoder/Video", "For tests",
                                          "Fernwerk");
}

void fake_encoder_register(const char *element)
{
    ck_assert(gst_element_register(NULL, element, GST_RANK_NONE, fake_get_type()));
}

void fake_encoder_reset(void)
{
    fake_script = (FakeScript){.times = G_MAXUINT};
    fake_counts = (FakeCounts){0};
    awake = FALSE;
}

void fake_encoder_wake(void)
{
    g_mutex_lock(&hang_lock);
    awake = TRUE;
    g_cond_broadcast(&woken);
    g_mutex_unlock(&hang_lock);
}
