/* appsrc ! encoder ! appsink: made, started and ended. Software starts at once; hardware on a thread of its
 * own, since drivers take their time and may hang. Thread of the default main context throughout. */
#pragma once

#include "encoder/encoders.h"
#include "encoder/upload.h"

#include <gio/gio.h>

typedef struct Pipeline Pipeline;

/* From the main loop. */
typedef struct {
    /* It takes pictures now. Not called when it does so as soon as pipeline_new() returns. */
    void (*started)(gpointer data);
    void (*sample)(GstSample *sample, gpointer data);
    /* Nothing more will come. */
    void (*failed)(const char *reason, gpointer data);
} PipelineEvents;

/* For pictures of `caps`. `candidate` is copied, `events` borrowed. NULL with error set: software does not
 * start. */
Pipeline *pipeline_new(const EncoderCandidate *candidate, GstCaps *caps, const PipelineEvents *events,
                       gpointer data, GError **error);
/* No event follows. Ends on a thread of its own. NULL is allowed. */
void pipeline_free(Pipeline *pipeline);

gboolean pipeline_started(const Pipeline *pipeline);
/* Only once it has started: */
/* The buffers that its pictures are best written in; NULL: none. `only`: it takes no others. */
const UploadOffer *pipeline_offer(const Pipeline *pipeline, gboolean *only);
/* Takes `picture` over. FALSE: it takes none any more. */
gboolean pipeline_push(Pipeline *pipeline, GstBuffer *picture);
void pipeline_force_key(Pipeline *pipeline);

/* Sets the encoder's property, as soon as it is there; nothing happens where it has none of that name. */
void pipeline_set(Pipeline *pipeline, const char *property, const char *value);
