/* Which tiles of a client's picture went out as JPEG and are to follow without loss once they are calm. A
 * tile is lossy only while it moves (changed again and again within half a second) and only for a client that
 * asked for JPEG by a quality level. Pure: times from the caller, in microseconds of viewer_clock_us(). */
#pragma once

#include "session/client/viewer.h"

typedef struct Refine Refine;

#define REFINE_CALM_US (120 * 1000) /* a lossy tile that long without change is sent again */

Refine *refine_new(void);
void refine_free(Refine *refine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Refine, refine_free)

/* The picture has a new size (px): nothing is lossy. */
void refine_resize(Refine *refine, guint width, guint height);

/* A rectangle is about to be sent: counts the change; TRUE: it moves, so it may be sent lossy. */
gboolean refine_moves(Refine *refine, const ViewerRect *rect, gint64 now_us);

/* It was sent, lossy or not. */
void refine_sent(Refine *refine, const ViewerRect *rect, gboolean lossy, gint64 now_us);

/* The client copies what it has from one place to another: losses go along. */
void refine_moved(Refine *refine, const ViewerMove *move, gint64 now_us);

/* Takes one rectangle (a row of at most `limit` calm lossy tiles) that is due; FALSE: none is due at
 * `now_us`. What is taken counts as still lossy until refine_sent() says otherwise, but is not due again
 * before REFINE_CALM_US. */
gboolean refine_due(Refine *refine, guint limit, gint64 now_us, ViewerRect *rect);

/* When the next tile becomes due (us on the clock), 0: none is lossy. */
gint64 refine_next_us(const Refine *refine);
