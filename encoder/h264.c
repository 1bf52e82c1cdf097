/* The encoder: pictures in, access units out, and when it counts as failed. */
#include "encoder/h264.h"

#include "encoder/annexb.h"
#include "encoder/pipeline.h"
#include "encoder/upload.h"

#include <string.h>

#define DEFAULT_KBIT_S 20000
#define DEADLINE_MS 700
#define FIRST_DEADLINE_MS 4000 /* drivers take their time to start */
#define PARAMETERS_MAX 512     /* bytes of SPS and PPS together */

struct H264Encoder {
    const EncoderCandidate *candidate;
    guint patience_ms;
    const H264Events *events;
    gpointer data;
    Pipeline *pipeline;
    Upload *upload;
    guint64 pictures;
    gboolean busy, failed;
    gboolean waits; /* for the encoder to start: the first picture stands in `upload` */
    guint deadline;
    guint8 parameters[PARAMETERS_MAX];
    gsize parameters_length;
};

static void fail(const char *reason, gpointer data)
{
    H264Encoder *encoder = data;

    if (encoder->failed)
        return;
    encoder->failed = TRUE;
    encoder->busy = FALSE;
    g_clear_handle_id(&encoder->deadline, g_source_remove);
    encoder->events->failed(reason, encoder->data);
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

static void take_sample(GstSample *sample, gpointer data)
{
    H264Encoder *encoder = data;
    GstBuffer *buffer = gst_sample_get_buffer(sample);
    GstMapInfo map;

    if (!encoder->busy || encoder->failed)
        return;
    if (!buffer || !gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        fail("its output cannot be read", encoder);
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
    fail("no answer in time", encoder);
    return G_SOURCE_REMOVE;
}

/* ---- pictures ---- */

void h264_encoder_set_patience(H264Encoder *encoder, guint ms)
{
    encoder->patience_ms = ms;
}

static guint deadline_ms(const H264Encoder *encoder)
{
    if (encoder->patience_ms)
        return encoder->patience_ms;
    return encoder->pictures == 0 ? FIRST_DEADLINE_MS : DEADLINE_MS;
}

static gboolean not_taken(gpointer data)
{
    H264Encoder *encoder = data;
    encoder->deadline = 0;
    fail("takes no picture any more", encoder);
    return G_SOURCE_REMOVE;
}

/* `picture`: taken over; NULL: there is no memory for one. */
static void push(H264Encoder *encoder, GstBuffer *picture, gboolean keyframe)
{
    if (picture) {
        /* Time stamps only order the pictures: evenly spaced ones keep rate control calm. */
        GST_BUFFER_PTS(picture) = encoder->pictures * GST_SECOND / 30;
        GST_BUFFER_DURATION(picture) = GST_SECOND / 30;
        if (keyframe && encoder->pictures > 0)
            pipeline_force_key(encoder->pipeline);
        encoder->pictures++;
        if (pipeline_push(encoder->pipeline, picture))
            return;
    }
    /* Not within the caller's call. */
    g_clear_handle_id(&encoder->deadline, g_source_remove);
    encoder->deadline = g_idle_add_full(G_PRIORITY_DEFAULT, not_taken, encoder, NULL);
}

static void started(gpointer data)
{
    H264Encoder *encoder = data;
    gboolean only;
    const UploadOffer *offer = pipeline_offer(encoder->pipeline, &only);

    if (offer)
        upload_lend(encoder->upload, offer, only);
    if (encoder->waits && !encoder->failed)
        push(encoder, upload_frame(encoder->upload), TRUE);
    encoder->waits = FALSE;
}

/* What is ready first must count first, however late the main loop looks: hence the priority. */
static void begin(H264Encoder *encoder)
{
    encoder->busy = TRUE;
    encoder->deadline =
        g_timeout_add_full(G_PRIORITY_DEFAULT + 1, deadline_ms(encoder), deadline_over, encoder, NULL);
    encoder->waits = !pipeline_started(encoder->pipeline);
}

void h264_encoder_draw(H264Encoder *encoder, H264Draw draw, gpointer data)
{
    upload_draw(encoder->upload, draw, data);
}

void h264_encode_drawn(H264Encoder *encoder, gboolean keyframe)
{
    g_return_if_fail(!encoder->busy && !encoder->failed);
    begin(encoder);
    if (!encoder->waits)
        push(encoder, upload_frame(encoder->upload), keyframe);
}

void h264_encode(H264Encoder *encoder, const void *pixels, gsize stride, const SeatRect *rects, guint count,
                 gboolean keyframe)
{
    g_return_if_fail(!encoder->busy && !encoder->failed);
    begin(encoder);
    GstBuffer *picture = upload_picture(encoder->upload, pixels, stride, rects, count);
    if (!encoder->waits)
        push(encoder, picture, keyframe);
    else
        gst_clear_buffer(&picture);
}

/* ---- making it ---- */

static GstCaps *picture_caps(const EncoderCandidate *candidate, guint width, guint height)
{
    return gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, candidate->format, "width", G_TYPE_INT,
                               width, "height", G_TYPE_INT, height, "framerate", GST_TYPE_FRACTION, 30, 1,
                               "interlace-mode", G_TYPE_STRING, "progressive", "pixel-aspect-ratio",
                               GST_TYPE_FRACTION, 1, 1, "colorimetry", G_TYPE_STRING, "1:3:5:1", NULL);
}

H264Encoder *h264_encoder_new(const EncoderCandidate *candidate, guint width, guint height,
                              const H264Events *events, gpointer data, GError **error)
{
    static const PipelineEvents pipeline_events = {.started = started, .sample = take_sample, .failed = fail};

    if (!h264_load(error))
        return NULL;
    H264Encoder *encoder = g_new0(H264Encoder, 1);
    g_autoptr(GstCaps) caps = picture_caps(candidate, (width + 15) & ~15u, (height + 15) & ~15u);
    encoder->candidate = candidate;
    encoder->events = events;
    encoder->data = data;
    encoder->upload = upload_new(caps, width, height);
    encoder->pipeline = pipeline_new(candidate, caps, &pipeline_events, encoder, error);
    if (!encoder->pipeline)
        g_clear_pointer(&encoder, h264_encoder_free);
    return encoder;
}

void h264_encoder_free(H264Encoder *encoder)
{
    if (!encoder)
        return;
    g_clear_handle_id(&encoder->deadline, g_source_remove);
    upload_free(encoder->upload);
    pipeline_free(encoder->pipeline);
    g_free(encoder);
}

gboolean h264_encoder_busy(const H264Encoder *encoder)
{
    return encoder->busy;
}

void h264_encoder_set_bitrate(H264Encoder *encoder, guint kbit_s)
{
    const EncoderCandidate *candidate = encoder->candidate;
    g_autofree char *value = NULL;

    if (!candidate->bitrate)
        return;
    guint kbit = CLAMP(kbit_s ? kbit_s : DEFAULT_KBIT_S, 200, 100000);
    value = g_strdup_printf("%" G_GUINT64_FORMAT, (guint64)kbit * 1000 / candidate->bitrate_unit);
    pipeline_set(encoder->pipeline, candidate->bitrate, value);
}
