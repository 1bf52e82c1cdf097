/* An H.264 encoder of whole pictures: GStreamer behind our own conversion, one picture at a time in it. The
 * only files that know GStreamer's elements are pipeline.c, upload.c, encoders.c and probe.c. */
#pragma once

#include "encoder/convert.h"
#include "encoder/encoders.h"
#include "encoder/shadow.h"

typedef struct H264Encoder H264Encoder;

typedef struct {
    /* The access unit of the picture given to h264_encode(): one slice, SPS and PPS before each key frame. */
    void (*unit)(const guint8 *unit, gsize length, gboolean keyframe, gpointer data);
    /* The encoder has failed or has not answered in time, or hardware has not even started; it gives nothing
     * any more. Free it. */
    void (*failed)(const char *reason, gpointer data);
} H264Events;

/* Loads GStreamer (once a process; no registry, no scan, only the plugin needed) and starts an encoder for
 * width x height px, coded at the next multiples of 16, full range BT.709. Events come from the default main
 * context, whose thread must make all calls. `candidate` and `events` are borrowed. Hardware starts on a
 * thread of its own, and the first picture waits for it. NULL with error set when software does not start. */
H264Encoder *h264_encoder_new(const EncoderCandidate *candidate, guint width, guint height,
                              const H264Events *events, gpointer data, GError **error);
/* A picture may take this long before the encoder counts as failed; 0, the default: the first one 4 s,
 * starting included, all others 700 ms. From the next picture on. */
void h264_encoder_set_patience(H264Encoder *encoder, guint ms);
/* No event follows. Tears down on a thread of its own, since a driver may hang. NULL is allowed. */
void h264_encoder_free(H264Encoder *encoder);

/* Converts what `rects` (px) changed from `pixels` (XRGB8888, `stride` bytes a row) and encodes the whole
 * picture; the first call takes all of it and gives a key frame. Exactly one event follows. Not before the
 * last unit has come. */
void h264_encode(H264Encoder *encoder, const void *pixels, gsize stride, const SeatRect *rects, guint count,
                 gboolean keyframe);

/* The same in two steps for a picture that the caller makes himself: `draw` gets, within the call, the planes
 * as he has left them last time (at first: undefined); then they are encoded. An encoder gets all of its
 * pictures one way or the other. */
typedef void (*H264Draw)(const YuvPicture *picture, gpointer data);
void h264_encoder_draw(H264Encoder *encoder, H264Draw draw, gpointer data);
void h264_encode_drawn(H264Encoder *encoder, gboolean keyframe);

gboolean h264_encoder_busy(const H264Encoder *encoder);

/* The ceiling in kbit/s from the next picture on, where the encoder can (0: the default, 20,000). */
void h264_encoder_set_bitrate(H264Encoder *encoder, guint kbit_s);

/* gst_init without registry and without forking; FALSE with error set when GStreamer does not start. */
gboolean h264_load(GError **error);
