/* Connections that are told why they are refused. */
#pragma once

#include "base/proto/master_link.h"

#include <glib.h>

#define REFUSALS_MAX 64 /* that may still be reading their answer; a further one ends the oldest */

typedef struct Refusals Refusals;

Refusals *refusals_new(void);

/* Sends the refusal and no more, then waits until the peer has closed, at most 2 s and 16 KiB: a socket that
 * is closed with something unread in it is reset, and a reset destroys what the peer has not read yet. `fd`
 * is owned. `version`: the peer's 12 bytes of RFB version where they have come, else NULL (then ours is sent
 * too). */
void refusals_take(Refusals *refusals, int fd, ClientProtocol protocol, const char *version);

/* Writes what a peer of `protocol` is told into `bytes` and returns its length. VNC: RFC 6143 7.1.2, no
 * security type and the reason, for a peer of 3.3 in its form; without `version` preceded by ours. RDP:
 * X.224 13.5, disconnect request with the reason "congestion". */
#define REFUSAL_MAX 128
gsize refusal_write(guint8 bytes[REFUSAL_MAX], ClientProtocol protocol, const char *version);
