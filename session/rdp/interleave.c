/* The run length encoder. Rows go bottom up, as bitmaps do in RDP; "the line before" is the one below. */
#include "session/rdp/interleave.h"

#include <string.h>

#define ORDER_BACKGROUND 0x00
#define ORDER_COLOUR_RUN 0x60
#define ORDER_COLOUR_IMAGE 0x80
#define MEGA_BACKGROUND 0xf0
#define MEGA_COLOUR_RUN 0xf3
#define MEGA_COLOUR_IMAGE 0xf4

typedef struct {
    guint8 *at;
    guint bytes; /* of a pixel */
} Output;

static guint32 convert(const guint8 *p, guint depth)
{
    switch (depth) {
    case 15:
        return (guint32)(p[2] >> 3) << 10 | (guint32)(p[1] >> 3) << 5 | p[0] >> 3;
    case 16:
        return (guint32)(p[2] >> 3) << 11 | (guint32)(p[1] >> 2) << 5 | p[0] >> 3;
    default:
        return (guint32)p[2] << 16 | (guint32)p[1] << 8 | p[0];
    }
}

static void put_order(Output *out, guint8 order, guint8 mega, guint length)
{
    if (length < 32) {
        *out->at++ = (guint8)(order | length);
    } else if (length < 32 + 256) {
        *out->at++ = order;
        *out->at++ = (guint8)(length - 32);
    } else {
        *out->at++ = mega;
        *out->at++ = (guint8)length;
        *out->at++ = (guint8)(length >> 8);
    }
}

static void put_pixel(Output *out, guint32 pixel)
{
    for (guint i = 0; i < out->bytes; i++)
        *out->at++ = (guint8)(pixel >> (8 * i));
}

static void put_image(Output *out, const guint32 *pixels, guint length)
{
    if (length == 0)
        return;
    put_order(out, ORDER_COLOUR_IMAGE, MEGA_COLOUR_IMAGE, length);
    for (guint i = 0; i < length; i++)
        put_pixel(out, pixels[i]);
}

static guint same_colour(const guint32 *pixels, guint left)
{
    guint n = 1;
    while (n < left && pixels[n] == pixels[0])
        n++;
    return n;
}

static guint same_as_below(const guint32 *pixels, guint left, guint width)
{
    guint n = 0;
    while (n < left && pixels[n] == pixels[(gssize)n - (gssize)width])
        n++;
    return n;
}

gsize interleave_encode(const guint8 *pixels, gsize stride, guint width, guint height, guint depth,
                        guint8 *out)
{
    guint32 line_up[INTERLEAVE_SIDE_MAX * INTERLEAVE_SIDE_MAX];
    Output output = {out, depth == 24 ? 3 : 2};
    guint total = width * height, image = 0, i = 0;
    gboolean after_background = FALSE; /* two in a row would mean a foreground pixel between them */

    for (guint y = 0; y < height; y++)
        for (guint x = 0; x < width; x++)
            line_up[(height - 1 - y) * width + x] = convert(pixels + y * stride + x * 4, depth);
    while (i < total) {
        guint background = i >= width && !(after_background && image == i)
                               ? same_as_below(line_up + i, total - i, width)
                               : 0;
        /* The first line ends a run: decoders differ in what a run across its end means. */
        guint run = same_colour(line_up + i, (i < width ? width : total) - i);
        if (background >= 2 && background >= run) {
            put_image(&output, line_up + image, i - image);
            put_order(&output, ORDER_BACKGROUND, MEGA_BACKGROUND, background);
            i += background;
            image = i;
            after_background = TRUE;
        } else if (run >= 3) {
            put_image(&output, line_up + image, i - image);
            put_order(&output, ORDER_COLOUR_RUN, MEGA_COLOUR_RUN, run);
            put_pixel(&output, line_up[i]);
            i += run;
            image = i;
            after_background = FALSE;
        } else {
            if (image == i)
                after_background = FALSE;
            i++;
        }
    }
    put_image(&output, line_up + image, i - image);
    return (gsize)(output.at - out);
}
