/* A picture that is larger than the client's window, made smaller. Pure but for its memory; any one thread.
 */
#pragma once

#include "session/client/viewer.h"

/* Where a picture of width x height px stands in a window: as it is where it fits, else smaller in the same
 * shape; in the window's middle. */
typedef struct {
    guint x, y, width, height; /* px */
} Fit;
Fit fit_into(guint width, guint height, guint window_width, guint window_height);

typedef struct Scaler Scaler;

/* Makes pictures of width x height px, at most as large as the pictures of source_width x source_height px
 * from which they are made. */
Scaler *scaler_new(guint source_width, guint source_height, guint width, guint height);
void scaler_free(Scaler *scaler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scaler, scaler_free)

/* Scales what `update` changes and describes the result in `scaled`, whose memory is the scaler's until the
 * next call. `update->picture` has the source's size, and all of it must hold pixels, not only its
 * rectangles; a unit is left out. */
void scaler_take(Scaler *scaler, const ViewerUpdate *update, ViewerUpdate *scaled);
