/* What a tile shows over time: text that must be exact, a picture, or motion that is worth a video stream. */
#pragma once

#include "encoder/damage.h"

typedef struct Classifier Classifier;

/* For a picture of width x height px. One thread at a time. */
Classifier *classifier_new(guint width, guint height);
void classifier_free(Classifier *classifier);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Classifier, classifier_free)

/* Learns that these tiles changed at `now_us` (monotonic) into what `pixels` (the picture's first, XRGB8888,
 * `stride` bytes a row) show. */
void classifier_changed(Classifier *classifier, const Damage *changed, const void *pixels, gsize stride,
                        gint64 now_us);

SeatClass classifier_tile(const Classifier *classifier, guint tile, gint64 now_us);

/* Whether the tile looked like a picture when it changed last. */
gboolean classifier_is_picture(const Classifier *classifier, guint tile);

/* Whether the tile changes again and again, not yet long enough to be in motion; it may be beside motion. */
gboolean classifier_stirs(const Classifier *classifier, guint tile, gint64 now_us);
/* What of the tile (px of the picture) has changed since it began to. */
SeatRect classifier_stirred(const Classifier *classifier, guint tile);

/* Size of the picture in px. */
void classifier_size(const Classifier *classifier, guint *width, guint *height);

/* Fills in the class of each rectangle: the liveliest of its tiles. */
void classifier_mark(const Classifier *classifier, SeatRect *rects, guint count, gint64 now_us);
