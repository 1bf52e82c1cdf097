/* A small picture as PNG; the one place that includes libpng. */
#include "session/seat/thumbnail.h"

#include "encoder/shadow.h"
#include "encoder/shrink.h"

#include <png.h>
#include <string.h>
#include <sys/mman.h>

static guint8 *scale_down(const guint8 *pixels, guint width, guint height, gsize stride, guint out_width,
                          guint out_height)
{
    const SeatRect whole = {.width = (guint16)out_width, .height = (guint16)out_height};
    gsize count = (gsize)out_width * out_height;
    g_autoptr(Shrink) shrink = shrink_new(width, height, out_width, out_height);
    g_autofree guint32 *small = g_new(guint32, count);
    guint8 *out = g_malloc(count * 3), *next = out;

    shrink_part(shrink, &whole, pixels, stride, small);
    for (const guint8 *from = (const guint8 *)small; from < (const guint8 *)(small + count); from += 4) {
        *next++ = from[2];
        *next++ = from[1];
        *next++ = from[0];
    }
    return out;
}

static int to_memory(const void *bytes, gsize length, GError **error)
{
    void *memory = NULL;
    int fd = sealed_memory_new("fernwerk-thumbnail", length, &memory, error);
    if (fd >= 0) {
        memcpy(memory, bytes, length);
        munmap(memory, length);
    }
    return fd;
}

int thumbnail_new(const void *pixels, guint width, guint height, gsize stride, guint max_width,
                  guint max_height, guint *out_width, guint *out_height, gsize *length, GError **error)
{
    double scale = MIN(1.0, MIN((double)MIN(max_width, THUMBNAIL_MAX) / width,
                                (double)MIN(max_height, THUMBNAIL_MAX) / height));
    *out_width = CLAMP((guint)(width * scale), 1, width);
    *out_height = CLAMP((guint)(height * scale), 1, height);
    g_autofree guint8 *rgb = scale_down(pixels, width, height, stride, *out_width, *out_height);
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = *out_width,
                       .height = *out_height,
                       .format = PNG_FORMAT_RGB,
                       .flags = PNG_IMAGE_FLAG_FAST};
    png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
    g_autofree void *png = g_malloc(bytes);

    if (!png_image_write_to_memory(&image, png, &bytes, 0, rgb, 0, NULL)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "thumbnail: %s", image.message);
        png_image_free(&image);
        return -1;
    }
    *length = bytes;
    return to_memory(png, bytes, error);
}
