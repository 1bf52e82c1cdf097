/* Reads a recording (base/proto/recording.h) and draws its frames. The file is outside data: everything in it
 * is checked, and it is read, never mapped, so that cutting it short harms nobody. One thread at a time. */
#pragma once

#include "base/proto/recording.h"
#include "base/proto/seat_link.h"

#include <glib.h>

typedef struct Recording Recording;

/* Takes `fd` over, an ordinary file open for reading. Returns NULL with an error for people when it is no
 * sound recording. */
Recording *recording_new(int fd, GError **error);
void recording_free(Recording *recording); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Recording, recording_free)

/* Its size, rate and number of frames; borrowed. */
const RecordingHeader *recording_header(const Recording *recording);

/* Draws the picture that stands before frame 0. `pixels`: width * height, without gaps between rows. FALSE
 * with error set when the file cannot be read (any more). */
gboolean recording_first(const Recording *recording, guint32 *pixels, GError **error);

/* Draws frame `frame` over the one before it. rects[0..*count-1] get what it drew, *count may be 0. */
gboolean recording_draw(const Recording *recording, guint frame, guint32 *pixels,
                        SeatRect rects[RECORDING_OPS_MAX], guint *count, GError **error);
