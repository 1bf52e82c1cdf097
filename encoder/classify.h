/* What a tile shows over time: text that must be exact, or motion that is worth a video stream. */
#pragma once

#include "encoder/damage.h"

typedef struct Classifier Classifier;

/* For a picture of width x height px. One thread at a time. */
Classifier *classifier_new(guint width, guint height);
void classifier_free(Classifier *classifier);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Classifier, classifier_free)

/* Learns that these tiles changed at `now_us` (monotonic). */
void classifier_changed(Classifier *classifier, const Damage *changed, gint64 now_us);

SeatClass classifier_tile(const Classifier *classifier, guint tile, gint64 now_us);

/* Whether this damage is better shown by the video stream than tile by tile: a tile of it is in motion, or it
 * covers a large part of the picture. */
gboolean classifier_wants_video(const Classifier *classifier, const Damage *damage, gint64 now_us);

/* Fills in the class of each rectangle: the liveliest of its tiles. */
void classifier_mark(const Classifier *classifier, SeatRect *rects, guint count, gint64 now_us);
