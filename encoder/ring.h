/* The access unit ring's writer: shared memory that clients only read. Layout: SeatRingHeader in
 * base/proto/seat_link.h. */
#pragma once

#include "base/proto/seat_link.h"

#include <gio/gio.h>

typedef struct Ring Ring;

/* NULL with error set when memory cannot be had. Its pages are taken only as units are written. */
Ring *ring_new(GError **error);
void ring_free(Ring *ring);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ring, ring_free)

/* To be sent to clients, sealed; stays owned by the ring. */
int ring_fd(const Ring *ring);

/* Puts one unit in, over the oldest ones; *position is where it stands (SeatAccessUnit.position). FALSE:
 * longer than a quarter of the ring, nothing was written. */
gboolean ring_put(Ring *ring, const void *unit, gsize length, guint64 *position);
