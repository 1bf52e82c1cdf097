/* Pixels to RFB rectangles through libvncserver's encoders (Tight, ZRLE, Hextile, Raw), and to nothing else:
 * its protocol code sees one socketpair with messages that we wrote ourselves, never a byte of the client.
 * This is the one place that includes libvncserver. Main thread. */
#pragma once

#include "session/client/viewer.h"
#include "session/vnc/messages.h"

typedef struct Pixels Pixels;

/* Makes the encoder with all that needs a socket, before the sandbox. `beat` (or NULL) is called a few times
 * a second during long work. NULL with error set when it cannot be. */
Pixels *pixels_new(void (*beat)(void), GError **error);
void pixels_free(Pixels *pixels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pixels, pixels_free)

/* The client's pixel format (checked by messages.c). Appends SetColourMapEntries to `out` where the format
 * has one. */
gboolean pixels_set_format(Pixels *pixels, const RfbPixelFormat *format, GByteArray *out);

/* What the client takes. encoding: RFB_ENCODING_TIGHT, _ZRLE, _HEXTILE or _RAW; compress: 0 .. 9 or -1;
 * quality: the JPEG level 0 .. 9, -1 when the client did not ask for JPEG; last_rect: it knows LastRect. */
gboolean pixels_set_encoding(Pixels *pixels, gint32 encoding, gint compress, gint quality,
                             gboolean last_rect);

/* Appends `rect` of `picture` as rectangles and adds their number to *rects. lossy: JPEG may be used where
 * the client asked for it. FALSE: the encoder failed, the connection must end. */
gboolean pixels_encode(Pixels *pixels, const ViewerPicture *picture, const ViewerRect *rect, gboolean lossy,
                       GByteArray *out, guint *rects);
