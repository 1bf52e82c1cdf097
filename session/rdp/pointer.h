/* Cursor shapes in RDP's form ([MS-RDPBCGR] 2.2.9.1.1.4). Pure. */
#pragma once

#include <glib.h>

typedef struct {
    guint width, height; /* px */
    guint hot_x, hot_y;
    guint bpp;                       /* of the XOR mask: 32 with alpha, else 24 */
    GByteArray *xor_mask, *and_mask; /* bottom row first */
} PointerShape;

/* Encodes premultiplied ARGB (width * height * 4 bytes), cut to `max` px each way around the hot spot. Free
 * with pointer_shape_clear(). */
void pointer_shape_encode(PointerShape *shape, const guint8 *argb, guint width, guint height, guint hot_x,
                          guint hot_y, guint max, gboolean alpha);
void pointer_shape_clear(PointerShape *shape);
