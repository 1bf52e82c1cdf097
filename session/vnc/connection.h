/* One RFB connection from the accepted socket to its end: handshake, login, messages. The only one of its
 * process. */
#pragma once

#include "session/client/viewer.h"
#include "session/vnc/pixels.h"
#include "session/vnc/transport.h"

typedef struct Connection Connection;

/* What viewer_start() is given, with the Connection as data. */
extern const ViewerEvents connection_viewer_events;

/* `quit` is called from the main loop when all is over. */
Connection *connection_new(GMainLoop *loop);

/* The parts, once made; all are borrowed. Before the main loop runs. */
void connection_equip(Connection *connection, Viewer *viewer, TlsServer *tls, Pixels *pixels);
