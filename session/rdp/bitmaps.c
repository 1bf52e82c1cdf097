/* Bitmap updates for clients without the graphics pipeline: lossless, planar in 32 bits, interleaved below
 * that. */
#include "session/rdp/interleave.h"
#include "session/rdp/planar.h"
#include "session/rdp/rdp.h"

#include <freerdp/settings.h>
#include <freerdp/update.h>
#include <string.h>

#define SIDE INTERLEAVE_SIDE_MAX /* px, the most that old clients take */
G_STATIC_ASSERT(SIDE <= PLANAR_ALPHA_WIDTH_MAX && SIDE <= PLANAR_HEIGHT_MAX);

struct Bitmaps {
    Rdp *rdp;
    guint8 pixels[SIDE * SIDE * 4];
    guint8 encoded[MAX(INTERLEAVE_SIZE_MAX, PLANAR_SIZE_MAX)];
};

Bitmaps *bitmaps_new(Rdp *rdp)
{
    Bitmaps *bitmaps = g_new0(Bitmaps, 1);
    bitmaps->rdp = rdp;
    return bitmaps;
}

void bitmaps_free(Bitmaps *bitmaps)
{
    g_free(bitmaps);
}

/* Bitmaps are multiples of 4 px wide; what is beyond the rectangle repeats its edge and is never shown. */
static void fill(Bitmaps *bitmaps, const ViewerPicture *picture, const ViewerRect *rect, guint width)
{
    for (guint y = 0; y < rect->height; y++) {
        const guint8 *from = picture->pixels + (gsize)(rect->y + y) * picture->stride + (gsize)rect->x * 4;
        guint32 *to = (guint32 *)(bitmaps->pixels + (gsize)y * width * 4);
        memcpy(to, from, (gsize)rect->width * 4);
        for (guint x = rect->width; x < width; x++)
            to[x] = to[rect->width - 1];
    }
}

static void encode(Bitmaps *bitmaps, BITMAP_DATA *bitmap, guint depth)
{
    gsize stride = bitmap->width * 4, length;
    guint bytes = (depth + 7) / 8;

    if (depth < 32) {
        length = interleave_encode(bitmaps->pixels, stride, bitmap->width, bitmap->height, depth,
                                   bitmaps->encoded);
    } else {
        gboolean skip_alpha =
            freerdp_settings_get_bool(bitmaps->rdp->context->base.settings, FreeRDP_DrawAllowSkipAlpha);
        length = planar_encode(bitmaps->pixels, stride, bitmap->width, bitmap->height,
                               PLANAR_BOTTOM_UP | (skip_alpha ? 0 : PLANAR_ALPHA), bitmaps->encoded);
    }
    bitmap->bitsPerPixel = depth;
    bitmap->cbScanWidth = bitmap->width * bytes;
    bitmap->cbUncompressedSize = bitmap->width * bitmap->height * bytes;
    bitmap->compressed = TRUE;
    bitmap->bitmapDataStream = bitmaps->encoded;
    bitmap->bitmapLength = (UINT32)length;
    bitmap->cbCompMainBodySize = (UINT32)length;
}

static gboolean send_part(Bitmaps *bitmaps, const ViewerPicture *picture, const ViewerRect *rect, guint left,
                          guint top, guint depth)
{
    rdpUpdate *update = bitmaps->rdp->context->base.update;
    guint width = (rect->width + 3) & ~3u;
    BITMAP_DATA bitmap = {.destLeft = left,
                          .destTop = top,
                          .destRight = left + rect->width - 1,
                          .destBottom = top + rect->height - 1,
                          .width = width,
                          .height = rect->height};
    BITMAP_UPDATE one = {.number = 1, .rectangles = &bitmap};

    fill(bitmaps, picture, rect, width);
    encode(bitmaps, &bitmap, depth);
    return update->BitmapUpdate(update->context, &one);
}

gboolean bitmaps_send(Bitmaps *bitmaps, const ViewerUpdate *update, guint left, guint top)
{
    guint depth = freerdp_settings_get_uint32(bitmaps->rdp->context->base.settings, FreeRDP_ColorDepth);
    guint right = bitmaps->rdp->output_width - left, bottom = bitmaps->rdp->output_height - top;

    for (guint i = 0; i < update->n_rects; i++) {
        ViewerRect whole = update->rects[i];
        for (guint y = whole.y; y < MIN(whole.y + whole.height, bottom); y += SIDE)
            for (guint x = whole.x; x < MIN(whole.x + whole.width, right); x += SIDE) {
                ViewerRect part = {x, y, MIN(SIDE, MIN(whole.x + whole.width, right) - x),
                                   MIN(SIDE, MIN(whole.y + whole.height, bottom) - y)};
                if (!send_part(bitmaps, &update->picture, &part, left + x, top + y, depth))
                    return FALSE;
            }
    }
    return TRUE;
}
