/* The fixed block that opens the socket which a client process gets for a browser. Pure. */
#pragma once

#include "base/proto/master_link.h"

/* Fills *preamble from a ticket (ticket_is_plain()), the browser's numeric address and the query of the
 * WebSocket's URL: width and height in px, scale in percent, layout (XKB name), view (1: look on). What is
 * missing or out of range becomes 0, 100 or "". The caller scrubs the preamble. */
void preamble_fill(WebPreamble *preamble, const char *ticket, const char *address, const char *query);
