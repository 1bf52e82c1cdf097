/* The probe: six pictures through the encoder, then through a decoder. */
#include "encoder/probe.h"

#include "encoder/annexb.h"
#include "encoder/convert.h"
#include "encoder/gst_load.h"
#include "encoder/h264.h"

#include <errno.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WIDTH 320
#define HEIGHT 192
#define PICTURES 6
#define KEY_AT 4 /* the picture for which a key frame is forced */
#define PSNR_MIN 28.0

typedef struct {
    GMainLoop *loop;
    GByteArray *unit;
    gboolean keyframe;
    char *failure;
} Answer;

/* A gradient with a block that moves: something that an encoder must really follow. */
static void draw(guint32 *pixels, guint number)
{
    for (guint y = 0; y < HEIGHT; y++)
        for (guint x = 0; x < WIDTH; x++) {
            gboolean block = x / 48 == number % 6 && y >= 48 && y < 112;
            pixels[y * WIDTH + x] = block ? 0xe02040 : (x * 255 / WIDTH) << 8 | (y * 255 / HEIGHT);
        }
}

static void take_unit(const guint8 *unit, gsize length, gboolean keyframe, gpointer data)
{
    Answer *answer = data;
    g_byte_array_set_size(answer->unit, 0);
    g_byte_array_append(answer->unit, unit, length);
    answer->keyframe = keyframe;
    g_main_loop_quit(answer->loop);
}

static void take_failure(const char *reason, gpointer data)
{
    Answer *answer = data;
    answer->failure = g_strdup(reason);
    g_main_loop_quit(answer->loop);
}

/* What is wrong with one unit; NULL: nothing. */
static const char *judge_unit(const GByteArray *unit, guint number)
{
    AnnexB look = annexb_look(unit->data, unit->len);
    if (number == 0 && !(look.idr && look.sps && look.pps))
        return "its first unit is no key frame with SPS and PPS";
    if (look.slices != 1)
        return "it cuts pictures into several slices, which browsers cannot take";
    if (number == KEY_AT && !look.idr)
        return "it does not obey when a key frame is asked for";
    if (number != 0 && number != KEY_AT && look.idr)
        return "it makes key frames that nobody asked for";
    return NULL;
}

/* ---- decoding ---- */

static GstElement *make_decoder(void)
{
    GstElement *decoder = gst_load_element("libgstlibav", "avdec_h264", NULL);
    return decoder ? decoder : gst_load_element("libgstopenh264", "openh264dec", NULL);
}

/* Feeds all units, returns the last picture that comes out; NULL: none. */
static GstSample *decode(GstElement *decoder, GPtrArray *units)
{
    GstElement *pipeline = gst_pipeline_new(NULL);
    GstElement *source = g_object_new(GST_TYPE_APP_SRC, "format", GST_FORMAT_TIME, NULL);
    GstElement *sink = g_object_new(GST_TYPE_APP_SINK, "sync", FALSE, "async", FALSE, NULL);
    g_autoptr(GstCaps) in =
        gst_caps_from_string("video/x-h264,stream-format=byte-stream,alignment=au,width=320,"
                             "height=192,framerate=30/1");
    g_autoptr(GstCaps) out = gst_caps_from_string("video/x-raw,format=I420");
    GstSample *last = NULL, *sample;

    gst_app_src_set_caps(GST_APP_SRC(source), in);
    gst_app_sink_set_caps(GST_APP_SINK(sink), out);
    gst_bin_add_many(GST_BIN(pipeline), source, decoder, sink, NULL);
    if (gst_element_link_many(source, decoder, sink, NULL) &&
        gst_element_set_state(pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE) {
        for (guint i = 0; i < units->len; i++) {
            GByteArray *unit = g_ptr_array_index(units, i);
            GstBuffer *buffer = gst_buffer_new_memdup(unit->data, unit->len);
            GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = i * GST_SECOND / 30;
            gst_app_src_push_buffer(GST_APP_SRC(source), buffer);
        }
        gst_app_src_end_of_stream(GST_APP_SRC(source));
        for (guint i = 0; i < units->len; i++) {
            sample = gst_app_sink_try_pull_sample(GST_APP_SINK(sink), GST_SECOND);
            if (!sample)
                break;
            g_clear_pointer(&last, gst_sample_unref);
            last = sample;
        }
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
    return last;
}

static double psnr_of(GstSample *sample, const guint32 *pixels)
{
    const SeatRect whole = {.width = WIDTH, .height = HEIGHT};
    g_autofree guint8 *planes = g_malloc(WIDTH * HEIGHT * 3 / 2);
    YuvPicture want = {
        planes, planes + WIDTH * HEIGHT, planes + WIDTH * HEIGHT * 5 / 4, WIDTH, WIDTH / 2, 1, WIDTH, HEIGHT};
    GstVideoInfo info;
    GstVideoFrame frame;
    guint64 error = 0;

    convert_rect(&want, &whole, pixels, WIDTH * 4, WIDTH, HEIGHT);
    if (!gst_video_info_from_caps(&info, gst_sample_get_caps(sample)) ||
        GST_VIDEO_INFO_WIDTH(&info) < WIDTH || GST_VIDEO_INFO_HEIGHT(&info) < HEIGHT ||
        !gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ))
        return 0;
    for (guint plane = 0; plane < 3; plane++) {
        guint width = plane ? WIDTH / 2 : WIDTH, height = plane ? HEIGHT / 2 : HEIGHT;
        const guint8 *wanted = plane == 0 ? want.y : plane == 1 ? want.u : want.v;
        for (guint y = 0; y < height; y++) {
            const guint8 *got = (const guint8 *)GST_VIDEO_FRAME_COMP_DATA(&frame, plane) +
                                y * GST_VIDEO_FRAME_COMP_STRIDE(&frame, plane);
            for (guint x = 0; x < width; x++) {
                gint difference = got[x] - wanted[y * width + x];
                error += difference * difference;
            }
        }
    }
    gst_video_frame_unmap(&frame);
    return error == 0 ? 99 : 10 * log10(255.0 * 255 * WIDTH * HEIGHT * 1.5 / error);
}

static void judge_picture(GPtrArray *units, const guint32 *pixels, ProbeVerdict *verdict)
{
    GstElement *decoder = make_decoder();
    if (!decoder) {
        verdict->usable = TRUE;
        g_strlcpy(verdict->reason, "works; no decoder is installed to look at its pictures",
                  sizeof verdict->reason);
        return;
    }
    g_autoptr(GstSample) sample = decode(decoder, units);
    double psnr = sample ? psnr_of(sample, pixels) : 0;
    verdict->usable = psnr >= PSNR_MIN;
    if (!sample)
        g_strlcpy(verdict->reason, "what it encodes cannot be decoded", sizeof verdict->reason);
    else if (!verdict->usable)
        g_snprintf(verdict->reason, sizeof verdict->reason, "its picture is not the source's (%.0f dB)",
                   psnr);
    else
        g_snprintf(verdict->reason, sizeof verdict->reason,
                   "works: %u pictures, one slice each, key frames on demand,"
                   " %.0f dB",
                   PICTURES, psnr);
}

/* ---- the run ---- */

static gboolean run(H264Encoder *encoder, Answer *answer, GPtrArray *units, guint32 *pixels,
                    ProbeVerdict *verdict)
{
    const SeatRect whole = {.width = WIDTH, .height = HEIGHT};
    gint64 started = 0;

    for (guint i = 0; i < PICTURES; i++) {
        draw(pixels, i);
        h264_encode(encoder, pixels, WIDTH * 4, &whole, 1, i == KEY_AT);
        g_main_loop_run(answer->loop);
        const char *fault = answer->failure ? answer->failure : judge_unit(answer->unit, i);
        if (fault && fault == answer->failure && i == 0) { /* it may not even have started */
            g_strlcpy(verdict->reason, fault, sizeof verdict->reason);
            return FALSE;
        }
        if (fault) {
            g_snprintf(verdict->reason, sizeof verdict->reason, "picture %u: %s", i + 1, fault);
            return FALSE;
        }
        GByteArray *copy = g_byte_array_new();
        g_byte_array_append(copy, answer->unit->data, answer->unit->len);
        g_ptr_array_add(units, copy);
        if (i == 0)
            started = g_get_monotonic_time();
    }
    gint64 elapsed = MAX(g_get_monotonic_time() - started, 1);
    verdict->fps = MIN((PICTURES - 1) * (gint64)G_USEC_PER_SEC / elapsed, 9999);
    return TRUE;
}

void encoder_probe_here(const EncoderCandidate *candidate, ProbeVerdict *verdict)
{
    static const H264Events events = {.unit = take_unit, .failed = take_failure};
    g_autoptr(GError) error = NULL;
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(GByteArray) unit = g_byte_array_new();
    g_autoptr(GPtrArray) units = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    g_autofree guint32 *pixels = g_new(guint32, WIDTH * HEIGHT);
    Answer answer = {.loop = loop, .unit = unit};

    *verdict = (ProbeVerdict){0};
    H264Encoder *encoder = h264_encoder_new(candidate, WIDTH, HEIGHT, &events, &answer, &error);
    if (!encoder) {
        g_strlcpy(verdict->reason, error->message, sizeof verdict->reason);
        return;
    }
    if (run(encoder, &answer, units, pixels, verdict))
        judge_picture(units, pixels, verdict);
    h264_encoder_free(encoder);
    g_free(answer.failure);
}

G_NORETURN static void child(const EncoderCandidate *candidate, int out, pid_t parent)
{
    ProbeVerdict verdict;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    dup2(out, STDERR_FILENO + 1);
    close_range(STDERR_FILENO + 2, ~0u, 0);
    encoder_probe_here(candidate, &verdict);
    ssize_t written = write(STDERR_FILENO + 1, &verdict, sizeof verdict);
    _exit(written == sizeof verdict ? 0 : 1);
}

/* Waits for the child's word, its end or the deadline. */
static gboolean await(int in, void (*beat)(void), ProbeVerdict *verdict)
{
    gint64 deadline = g_get_monotonic_time() + PROBE_DEADLINE_MS * 1000;
    struct pollfd poll_fd = {.fd = in, .events = POLLIN};

    while (g_get_monotonic_time() < deadline) {
        if (beat)
            beat();
        if (poll(&poll_fd, 1, 100) > 0)
            return read(in, verdict, sizeof *verdict) == sizeof *verdict;
    }
    g_snprintf(verdict->reason, sizeof verdict->reason, "no verdict within %d s", PROBE_DEADLINE_MS / 1000);
    return FALSE;
}

void encoder_probe(const EncoderCandidate *candidate, void (*beat)(void), ProbeVerdict *verdict)
{
    pid_t parent = getpid(), pid;
    int ends[2], status = 0;

    *verdict = (ProbeVerdict){0};
    if (pipe(ends) < 0) {
        g_snprintf(verdict->reason, sizeof verdict->reason, "cannot be tried: %s", g_strerror(errno));
        return;
    }
    pid = fork();
    if (pid == 0)
        child(candidate, ends[1], parent);
    close(ends[1]);
    if (pid < 0) {
        g_snprintf(verdict->reason, sizeof verdict->reason, "cannot be tried: %s", g_strerror(errno));
    } else {
        gboolean spoke = await(ends[0], beat, verdict);
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        if (!spoke && *verdict->reason == '\0')
            g_snprintf(verdict->reason, sizeof verdict->reason, "its driver crashes (status 0x%x)", status);
    }
    verdict->reason[sizeof verdict->reason - 1] = '\0';
    close(ends[0]);
}
