/* The host's H.264 stream: the encoder that won the probe with the software one beside it. Made for a film,
 * freed when there has been none for some seconds. */
#pragma once

#include "session/seat/doubt.h"
#include "session/seat/stream.h"

/* So long a picture waits for a hardware encoder that says nothing before software takes over. Less than
 * after what time clients no longer wait for a picture of the film (host_stream.c), so that the next one
 * follows at once. */
#define STREAM_HARDWARE_MS 500

/* doubt: what is known of the hardware, shared by streams that use the same and borrowed for their lives;
 * NULL: the stream learns by itself. */
HostStream *stream_h264_new(Doubt *doubt);

/* Names of GStreamer elements (rows of encoder/encoders.h; others are ignored with a warning). "" or NULL for
 * `hardware`: software only; for `software`: the table's first software encoder. A running stream goes on. */
void stream_h264_encoders(HostStream *stream, const char *hardware, const char *software);
