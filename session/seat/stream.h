/* What the host needs of an H.264 stream of a part of the screen: a small table of functions, so that a
 * greeter links no encoder. The real one is stream_h264.c; a test brings its own. Thread of the default main
 * context throughout. */
#pragma once

#include "encoder/h264_pair.h"
#include "encoder/shadow.h"

typedef struct HostStream HostStream;

typedef struct {
    /* The access unit, or units, of the picture that was given to encode(). `run` counts the stream's
     * decoders: a new number begins with a key frame. */
    void (*unit)(const H264Units *units, guint32 run, gpointer data);
    /* That picture is lost; another encoder may have taken over: the next picture must be a key frame. */
    void (*lost)(gpointer data);
} HostStreamEvents;

typedef struct {
    /* Called once by the host that takes the stream over. */
    void (*attach)(HostStream *stream, const HostStreamEvents *events, gpointer data);
    /* Copies what `rects` (px of the screen) changed since the last call out of the shadow and encodes the
     * region; exactly one event follows, from the main loop, unless cancel() comes first. The first call for
     * a region or generation takes all of it and gives a key frame. FALSE: no encoder works (for now);
     * nothing follows. */
    gboolean (*encode)(HostStream *stream, const Shadow *shadow, const SeatRect *region,
                       const SeatRect *rects, guint count, gboolean keyframe);
    void (*cancel)(HostStream *stream);
    /* This film's share of what the slowest of its clients can take, of those that do not only look on (0: no
     * limit). `chroma`: all of them take AVC444's auxiliary view. */
    void (*demand)(HostStream *stream, guint max_kbit_s, gboolean chroma);
    void (*free)(HostStream *stream);
} HostStreamClass;

struct HostStream {
    const HostStreamClass *class;
};
