/* zrle_bytes WIDTH HEIGHT < PIXELS: how many bytes ZRLE takes for that picture (B, G, R and one that counts
 * for nothing, row after row), by the encoder that fernwerk-vnc uses: libvncserver's. */
#include "session/vnc/pixels.h"
#include "session/vnc/rfb.h"

#include <stdio.h>
#include <stdlib.h>

#define SIDE_MAX 8192u

int main(int argc, char *argv[])
{
    g_autoptr(GError) error = NULL;
    guint width = argc == 3 ? (guint)atoi(argv[1]) : 0, height = argc == 3 ? (guint)atoi(argv[2]) : 0,
          rects = 0;

    if (width < 1 || width > SIDE_MAX || height < 1 || height > SIDE_MAX) {
        fputs("usage: zrle_bytes WIDTH HEIGHT < PIXELS\n", stderr);
        return 2;
    }
    gsize size = (gsize)width * height * 4;
    g_autofree guint8 *bytes = g_malloc(size);
    if (fread(bytes, 1, size, stdin) != size) {
        fputs("zrle_bytes: the picture ends too early\n", stderr);
        return 1;
    }
    g_autoptr(Pixels) pixels = pixels_new(NULL, &error);
    g_autoptr(GByteArray) out = g_byte_array_new();
    const ViewerPicture picture = {.width = width, .height = height, .stride = width * 4, .pixels = bytes};
    const ViewerRect whole = {0, 0, width, height};
    if (!pixels || !pixels_set_encoding(pixels, RFB_ENCODING_ZRLE, -1, -1, FALSE) ||
        !pixels_encode(pixels, &picture, &whole, FALSE, out, &rects)) {
        fprintf(stderr, "zrle_bytes: %s\n", error ? error->message : "the encoder failed");
        return 1;
    }
    printf("%u\n", out->len);
    return 0;
}
