/* What a client's SetEncodings says it can do. Pure. */
#pragma once

#include <glib.h>

typedef struct {
    gint32 pixels; /* RFB_ENCODING_TIGHT, _ZRLE, _HEXTILE or _RAW: the first of these in its list */
    gint compress; /* 0 .. 9, -1 not said */
    gint quality;  /* JPEG level 0 .. 9, -1: no JPEG */
    gint32 cursor; /* best of the three cursor encodings, 0 none */
    gint32 leds;   /* best of the two, 0 none */
    gboolean h264, copy_rect, last_rect, desktop_size, extended_size, desktop_name, fence, continuous,
        qemu_key, extended_mouse;
} Capabilities;

Capabilities capabilities_read(const gint32 *list, guint count);

/* What its quality level means for H.264: the ceiling in kbit/s, 0 none of its own. */
guint capabilities_max_kbit_s(const Capabilities *capabilities);
