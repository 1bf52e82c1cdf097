/* The one table of H.264 encoders that Fernwerk tries, and how each must be set. */
#pragma once

#include <glib.h>

typedef struct {
    const char *element; /* GStreamer factory */
    const char *plugin;  /* file name of its plugin, without ".so" */
    gboolean hardware;
    const char *format;   /* raw format it is fed: "I420" or "NV12" */
    const char *settings; /* "property=value ...", those that the installed version knows are set */
    const char *bitrate;  /* property of the live bitrate, NULL: none */
    guint bitrate_unit;   /* bit/s per unit of that property */
    const char *pair;     /* further settings for two of them whose streams are spliced, NULL: cannot be */
    const char *caps;     /* output caps after video/x-h264,stream-format=byte-stream,alignment=au */
} EncoderCandidate;

/* Ordered by preference, hardware first. NULL-terminated by an entry without element. */
extern const EncoderCandidate encoder_candidates[];

/* The entry of that name, NULL: there is none. */
const EncoderCandidate *encoder_candidate(const char *element);

/* What of the machine the verdicts depend on: GStreamer's version, GPU drivers, kernel. Caller frees. */
char *encoder_cache_key(void);
