/* Where a picture's planes are written: into buffers that the encoder lends, so that its driver need not copy
 * them again, or into a frame of our own. Either way only what has changed is converted. */
#pragma once

#include "encoder/convert.h"

#include <gst/video/video.h>

typedef struct Upload Upload;

/* What an encoder lends its input in. */
typedef struct {
    GstBufferPool *pool; /* active; NULL: it lends nothing */
    GstCaps *caps;       /* what its pictures are then to be called: other memory, else the same */
} UploadOffer;

/* Asks an encoder that has its device (PAUSED) for buffers for pictures of `caps`, in the memory that it
 * encodes from if it says so, and tries one. Any thread; may take its time. */
void upload_ask(GstElement *encoder, GstCaps *caps, UploadOffer *offer);
void upload_offer_clear(UploadOffer *offer);

/* For pictures of width x height px in planes as `caps` say. Begins with a frame of its own. */
Upload *upload_new(GstCaps *caps, guint width, guint height);
void upload_free(Upload *upload);
/* From the next picture on, as long as that works, buffers of the offer are written, which must outlive it.
 * `only`: the encoder takes no others. */
void upload_lend(Upload *upload, const UploadOffer *offer, gboolean only);

/* Converts what `rects` (px) changed since the last call from `pixels` (XRGB8888, `stride` bytes a row; the
 * first call takes all of it) and gives the picture for the encoder; the reference is the caller's. NULL:
 * there is no memory for it. */
GstBuffer *upload_picture(Upload *upload, const void *pixels, gsize stride, const SeatRect *rects,
                          guint count);

/* The same for who draws the planes himself, always into the frame of our own: as he has left them (at first:
 * undefined). */
typedef void (*UploadDraw)(const YuvPicture *picture, gpointer data);
gboolean upload_draw(Upload *upload, UploadDraw draw, gpointer data);
/* The frame of our own as a picture for the encoder. */
GstBuffer *upload_frame(Upload *upload);
