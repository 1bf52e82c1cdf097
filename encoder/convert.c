/* Two rows at a time, written so that the compiler turns the inner loops into vector code. */
#include "encoder/convert.h"

#include <string.h>

/* Full range BT.709 with 15 fractional bits: the coefficients of ITU-R BT.709-6, chroma scaled to 0..255 around 128. */
#define Y_R 6966
#define Y_G 23436
#define Y_B 2366
#define U_R 3754
#define U_G 12630
#define U_B 16384
#define V_R 16384
#define V_G 14882
#define V_B 1502
#define HALF (1 << 14)

static void row_luma(guint8 *restrict y, const guint32 *restrict source, guint width)
{
    for (guint x = 0; x < width; x++) {
        guint32 p = source[x];
        guint32 r = p >> 16 & 255, g = p >> 8 & 255, b = p & 255;
        y[x] = (guint8)((Y_R * r + Y_G * g + Y_B * b + HALF) >> 15);
    }
}

/* One chroma row from two source rows; `pairs` samples. */
static void row_chroma(guint8 *restrict u, guint8 *restrict v, const guint32 *restrict above,
                       const guint32 *restrict below, guint pairs)
{
    for (guint i = 0; i < pairs; i++) {
        guint32 a = above[2 * i], b = above[2 * i + 1], c = below[2 * i], d = below[2 * i + 1];
        /* Red and blue sum up side by side in one word, green in another. */
        guint32 rb = (a & 0xff00ff) + (b & 0xff00ff) + (c & 0xff00ff) + (d & 0xff00ff);
        guint32 gg = (a >> 8 & 255) + (b >> 8 & 255) + (c >> 8 & 255) + (d >> 8 & 255);
        gint32 red = rb >> 16, green = gg, blue = rb & 0xffff;
        gint32 cb = (U_B * blue - U_R * red - U_G * green + (128 << 17) + (1 << 16)) >> 17;
        gint32 cr = (V_R * red - V_G * green - V_B * blue + (128 << 17) + (1 << 16)) >> 17;
        u[i] = (guint8)(cb > 255 ? 255 : cb);
        v[i] = (guint8)(cr > 255 ? 255 : cr);
    }
}

#define CHUNK 256 /* px a turn, even */

/* Fetches `count` pixels of a row from x on, repeating the last one past the source's edge. */
static const guint32 *fetch(guint32 *scratch, const guint8 *row, guint x, guint count, guint width)
{
    const guint32 *pixels = (const guint32 *)(const void *)row;
    if (x + count <= width)
        return pixels + x;
    for (guint i = 0; i < count; i++)
        scratch[i] = pixels[MIN(x + i, width - 1)];
    return scratch;
}

static void convert_pair(const YuvPicture *picture, guint y, guint left, guint right, const guint8 *source,
                         gsize stride, guint width, guint height)
{
    const guint8 *above_row = source + MIN(y, height - 1) * stride;
    const guint8 *below_row = source + MIN(y + 1, height - 1) * stride;
    guint32 scratch[2][CHUNK];
    guint8 u[CHUNK / 2], v[CHUNK / 2];

    for (guint x = left; x < right; x += CHUNK) {
        guint count = MIN(CHUNK, right - x);
        const guint32 *above = fetch(scratch[0], above_row, x, count, width);
        const guint32 *below = fetch(scratch[1], below_row, x, count, width);
        row_luma(picture->y + y * picture->y_stride + x, above, count);
        row_luma(picture->y + (y + 1) * picture->y_stride + x, below, count);
        gsize chroma = y / 2 * picture->chroma_stride + x / 2 * picture->chroma_step;
        if (picture->chroma_step == 1) {
            row_chroma(picture->u + chroma, picture->v + chroma, above, below, count / 2);
            continue;
        }
        row_chroma(u, v, above, below, count / 2);
        for (guint i = 0; i < count / 2; i++) {
            picture->u[chroma + 2 * i] = u[i];
            picture->u[chroma + 2 * i + 1] = v[i];
        }
    }
}

void convert_rect(const YuvPicture *picture, const SeatRect *rect, const void *source, gsize stride, guint width,
                  guint height)
{
    guint left = rect->x & ~1u, top = rect->y & ~1u;
    guint right = MIN(((guint)rect->x + rect->width + 1) & ~1u, picture->width);
    guint bottom = MIN(((guint)rect->y + rect->height + 1) & ~1u, picture->height);

    /* The padding belongs to whatever touches the source's edge. */
    if ((guint)rect->x + rect->width >= width)
        right = picture->width;
    if ((guint)rect->y + rect->height >= height)
        bottom = picture->height;
    for (guint y = top; y < bottom; y += 2)
        convert_pair(picture, y, left, right, source, stride, width, height);
}
