/* One desktop's seat: puts broker link, host, source, typer and stream together. Thread of the default main
 * context. */
#pragma once

#include "base/proto/seat_control.h"
#include "session/seat/host.h"

typedef struct Seat Seat;

/* NULL with error set when memory cannot be had. Nothing happens before the broker's SEAT_CONTROL_CONFIGURE.
 */
Seat *seat_new(GError **error);
/* Clients are told END_SHUTDOWN, or what seat_end() said. */
void seat_free(Seat *seat);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Seat, seat_free)

/* A link to the broker (taken over); the one before, if any, is closed. Display and clients stay. */
void seat_broker(Seat *seat, int fd);

/* From the lifeline: a client's link (fd taken over), and its end. */
void seat_client(Seat *seat, const LifelineSeatLink *link, int fd);
void seat_unlink(Seat *seat, ProcessId peer);

/* Tells every client this reason and closes their links. */
void seat_end(Seat *seat, EndReason reason, const char *text);
