/* RemoteFX ([MS-RDPRFX]) of one rectangle: with losses, for clients of the graphics pipeline without H.264.
 * FreeRDP's encoder, without threads. */
#pragma once

#include <glib.h>

#define REMOTEFX_TILE 64 /* px, each way */

typedef struct RemoteFx RemoteFx;

RemoteFx *remotefx_new(void); /* NULL: FreeRDP has none */
void remotefx_free(RemoteFx *fx);

/* Encodes width x height px (XRGB8888, `stride` bytes a row) as a message that needs none before it;
 * `*length` bytes, which live until the next call. NULL: it could not be encoded. */
const guint8 *remotefx_encode(RemoteFx *fx, const guint8 *pixels, gsize stride, guint width, guint height,
                              gsize *length);
