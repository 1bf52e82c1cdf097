/* A browser's WebSocket on one side, a client process's socket on the other. */
#pragma once

#include "web/server/server.h"

/* The handshake: TRUE when path, Origin, subprotocol and ticket are right and there is room; the bridge is
 * then made. */
gboolean bridge_admit(Connection *connection, struct lws *wsi);
/* The handshake is done: makes the socket pair, sends the preamble, hands one end to the master. 0 or -1
 * (close). */
int bridge_open(Bridge *bridge);
/* Bytes from the browser; what the client process does not take at once is kept, and the browser slowed. */
int bridge_receive(Bridge *bridge, const void *bytes, gsize length);
/* The browser's side can take bytes. */
int bridge_writable(Bridge *bridge);
void bridge_free(Bridge *bridge);
/* The master's answer to a handover. */
void bridge_handed_over(Server *server, const MasterReply *reply);
