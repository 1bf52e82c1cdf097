/* What the server says in RFB, appended to byte arrays: messages and the rectangles that are not pixels.
 * Pixels come from pixels.c (libvncserver). Pure. */
#pragma once

#include "base/proto/seat_link.h"
#include "session/vnc/messages.h"

/* ServerInit in the native format. */
void write_server_init(GByteArray *out, guint width, guint height, const char *name);

/* A FramebufferUpdate's head with `rects` rectangles (65535: a LastRect ends it). */
void write_update_head(GByteArray *out, guint rects);
void write_rect_head(GByteArray *out, guint x, guint y, guint width, guint height, gint32 encoding);
void write_last_rect(GByteArray *out);

/* Rectangles that tell something; each is one rectangle. */
void write_desktop_size(GByteArray *out, guint width, guint height);
void write_extended_size(GByteArray *out, guint cause, guint status, guint width, guint height);
void write_desktop_name(GByteArray *out, const char *name);
void write_leds(GByteArray *out, gint32 encoding,
                guint32 mask); /* SEAT_LOCK_* bits; encoding: which of the two */

/* What stands at from_x, from_y, as the rectangles before have left it, also stands at x, y. */
void write_copy(GByteArray *out, guint x, guint y, guint width, guint height, guint from_x, guint from_y);

/* An Open H.264 rectangle. reset: the decoder of this rectangle starts anew; reset_all: every one. */
void write_h264(GByteArray *out, guint x, guint y, guint width, guint height, gboolean reset,
                gboolean reset_all, const guint8 *unit, gsize length);

/* A cursor shape in one of the three encodings that clients know, as a rectangle. pixels: premultiplied ARGB
 * (B,G,R,A), width * height; 0 x 0 hides it. `format` matters for RFB_ENCODING_CURSOR. */
void write_cursor(GByteArray *out, gint32 encoding, const RfbPixelFormat *format, const guint8 *pixels,
                  guint width, guint height, guint hot_x, guint hot_y);

/* Messages of their own. */
void write_fence(GByteArray *out, guint32 flags, const guint8 *payload, guint length);
void write_end_of_continuous(GByteArray *out);
void write_bell(GByteArray *out);

/* The DesktopName by which a page of the browser learns why its connection ends: "fernwerk:end=REASON:text".
 * Caller frees. */
char *writer_end_name(EndReason reason, const char *text);
