/* A sentence in the middle of a dark screen: instead of a picture that cannot be shown, or as a connection's
 * last words where the protocol has none. Pure. */
#pragma once

#include "base/proto/seat_link.h"

#include <glib.h>

/* Paints `text` (UTF-8; what is not ASCII becomes '?') word-wrapped and centred into width x height px of
 * XRGB8888, `width` * 4 bytes a row. Caller frees. */
guint8 *notice_paint(guint width, guint height, const char *text);
