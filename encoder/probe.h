/* Proves an encoder by using it: registration says nothing (FACTS: some are registered and dead). */
#pragma once

#include "encoder/encoders.h"

typedef struct {
    gboolean usable;
    guint fps;        /* pictures a second of 320x192 px, 0 unknown */
    char reason[256]; /* the verdict in words */
} ProbeVerdict;

#define PROBE_DEADLINE_MS 5000

/* Encodes six moving pictures in a child process that has PROBE_DEADLINE_MS, and looks at what comes out: one
 * unit a picture within 700 ms, SPS, PPS and IDR first, one slice a unit, a forced key frame obeyed, the
 * decoded picture close to the source. Blocks. The caller must not have started threads or GStreamer; `beat`
 * (may be NULL) is called about every 100 ms. The child closes all descriptors above standard error. */
void encoder_probe(const EncoderCandidate *candidate, void (*beat)(void), ProbeVerdict *verdict);

/* The whole of it in this process, for the child and for tests. */
void encoder_probe_here(const EncoderCandidate *candidate, ProbeVerdict *verdict);
