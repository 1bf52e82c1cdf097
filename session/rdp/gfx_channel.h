/* The dynamic channel of the graphics pipeline ([MS-RDPEGFX] 2.1), on FreeRDP's channel manager. FreeRDP's
 * own server of it sends each PDU in a message and a TLS record of its own, uncompressed; this one sends
 * blocks of PDUs, with bulk compression (encoder/bulk.h). The peer's thread. */
#pragma once

#include "session/rdp/gfx_pdu.h"

#include <winpr/handle.h>

typedef struct GfxChannel GfxChannel;

/* Asks the client to create the channel; its answer comes as FreeRDP's DVC creation callback with the
 * channel's id. NULL: there are no dynamic channels. */
GfxChannel *gfx_channel_open(HANDLE channels);
void gfx_channel_free(GfxChannel *channel);
guint32 gfx_channel_id(const GfxChannel *channel);
HANDLE gfx_channel_event(const GfxChannel *channel); /* set when there is something to receive */

/* The next of the client's messages: PDUs, which live until the next call; *bytes is NULL when there is none.
 * FALSE: the client has closed the channel, or says more than any
 * message has. */
gboolean gfx_channel_receive(GfxChannel *channel, const guint8 **bytes, gsize *length);

/* Queues the block as one message and empties it. Returns the message's bytes; 0: the connection is
 * broken. */
gsize gfx_channel_send(GfxChannel *channel, GfxBlock *block);
