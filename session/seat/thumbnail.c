/* Box-filtered scaling and the one place that includes libpng. */
#include "session/seat/thumbnail.h"

#include "encoder/shadow.h"

#include <png.h>
#include <string.h>
#include <sys/mman.h>

/* Each target pixel is the mean of the source pixels under it. */
static guint8 *scale_down(const guint8 *pixels, guint width, guint height, gsize stride, guint out_width,
                          guint out_height)
{
    guint8 *out = g_malloc((gsize)out_width * out_height * 3), *next = out;
    for (guint y = 0; y < out_height; y++) {
        guint top = (guint64)y * height / out_height, bottom = (guint64)(y + 1) * height / out_height;
        for (guint x = 0; x < out_width; x++) {
            guint left = (guint64)x * width / out_width, right = (guint64)(x + 1) * width / out_width;
            guint64 sum[3] = {0}, n = (guint64)(right - left) * (bottom - top);
            for (guint sy = top; sy < bottom; sy++) {
                const guint8 *source = pixels + sy * stride + left * 4;
                for (guint sx = left; sx < right; sx++, source += 4) {
                    sum[0] += source[2];
                    sum[1] += source[1];
                    sum[2] += source[0];
                }
            }
            for (guint c = 0; c < 3; c++)
                *next++ = sum[c] / n;
        }
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
