/* libwebsockets at work: context, accepting, events of connections. */
#pragma once

#include "web/server/server.h"

/* Makes the lws context on the default main context; identity, admission and the rest of the server are there
 * already. Call before the sandbox: the event loop's plugin is loaded. */
gboolean service_start(Server *server, GMainLoop *loop, GError **error);
/* Accepts from a listening socket, which is taken over. */
void service_listen(Server *server, int listener);
/* Takes a new certificate for coming handshakes; descriptors are taken over. */
gboolean service_reload(Server *server, int chain, int key, int ca, GError **error);
