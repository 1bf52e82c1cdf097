/* From premultiplied ARGB to XOR and AND masks. */
#include "session/rdp/pointer.h"

/* Where to cut `size` px to at most `max` so that the hot spot stays inside. */
static guint cut(guint size, guint max, guint hot)
{
    if (size <= max)
        return 0;
    guint start = hot > max / 2 ? hot - max / 2 : 0;
    return MIN(start, size - max);
}

static void put_row(PointerShape *shape, const guint8 *row, gboolean alpha)
{
    gsize and_stride = (shape->width + 15) / 16 * 2, and_at = shape->and_mask->len;
    gsize xor_start = shape->xor_mask->len;

    g_byte_array_set_size(shape->and_mask, (guint)(and_at + and_stride));
    guint8 *and_row = shape->and_mask->data + and_at;
    for (gsize i = 0; i < and_stride; i++)
        and_row[i] = 0;
    for (guint x = 0; x < shape->width; x++) {
        const guint8 *p = row + x * 4;
        guint8 a = p[3];
        gboolean clear = alpha ? a == 0 : a < 128;
        guint8 out[4] = {p[0], p[1], p[2], a};
        if (clear) {
            and_row[x / 8] |= (guint8)(0x80 >> (x % 8));
            out[0] = out[1] = out[2] = out[3] = 0;
        } else {
            for (guint c = 0; c < 3; c++)
                out[c] = (guint8)MIN(255, p[c] * 255 / a);
        }
        g_byte_array_append(shape->xor_mask, out, alpha ? 4 : 3);
    }
    if ((shape->xor_mask->len - xor_start) % 2) /* rows are padded to 16 bits */
        g_byte_array_append(shape->xor_mask, (const guint8 *)"", 1);
}

void pointer_shape_encode(PointerShape *shape, const guint8 *argb, guint width, guint height, guint hot_x,
                          guint hot_y, guint max, gboolean alpha)
{
    guint left = cut(width, max, hot_x), top = cut(height, max, hot_y);

    shape->width = MIN(width, max);
    shape->height = MIN(height, max);
    shape->hot_x = MIN(hot_x - left, shape->width - 1);
    shape->hot_y = MIN(hot_y - top, shape->height - 1);
    shape->bpp = alpha ? 32 : 24;
    shape->xor_mask = g_byte_array_new();
    shape->and_mask = g_byte_array_new();
    for (guint y = shape->height; y-- > 0;)
        put_row(shape, argb + ((gsize)(top + y) * width + left) * 4, alpha);
}

void pointer_shape_clear(PointerShape *shape)
{
    g_clear_pointer(&shape->xor_mask, g_byte_array_unref);
    g_clear_pointer(&shape->and_mask, g_byte_array_unref);
}
