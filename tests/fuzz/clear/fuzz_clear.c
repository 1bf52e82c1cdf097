/* Pictures made from arbitrary bytes, through our ClearCodec encoder and FreeRDP's decoder: each must come
 * back exactly. A picture is two bytes of size, one that says how the following ones become pixels, one that
 * says how many they are, and those; they are repeated until the picture is full. */
#include "encoder/clear.h"

#include <freerdp/codec/clear.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    LARGE = 1 << 0,    /* up to the largest, else up to 32 x 32 px */
    RUNS = 1 << 1,     /* each byte is a run of one of four colours, else a pixel */
    TRUE_RGB = 1 << 2, /* each byte makes a colour with the place in which it stands */
    PAPER = 1 << 3,    /* rows without ink between lines */
    DOWNWARDS = 1 << 4,
    UNSENT = 1 << 5,
    RESET = 1 << 6,
};

#define HEADER 4 /* bytes of a picture before its pixels */

typedef struct {
    Clear *clear;
    CLEAR_CONTEXT *decoder;
    guint width, height;
} Pair;

static guint32 picture[CLEAR_WIDTH_MAX * CLEAR_HEIGHT_MAX], back[CLEAR_WIDTH_MAX * CLEAR_HEIGHT_MAX];
static guint8 stream[CLEAR_SIZE_MAX(CLEAR_WIDTH_MAX, CLEAR_HEIGHT_MAX)];

static guint32 colour(guint8 byte, guint how, guint i)
{
    static const guint32 four[] = {0xffffff, 0x000000, 0x808080, 0x3584e4};
    if (how & RUNS)
        return four[byte & 3];
    return how & TRUE_RGB ? byte * 0x010203u ^ i / 7 * 0x010000u : byte * 0x010101u;
}

static void paint(const Pair *pair, guint how, const uint8_t *bytes, size_t n)
{
    guint area = pair->width * pair->height, at = 0, left = 0;
    guint32 now = 0xffffff;

    for (guint i = 0; i < area; i++) {
        guint x = how & DOWNWARDS ? i / pair->height : i % pair->width;
        guint y = how & DOWNWARDS ? i % pair->height : i / pair->width;
        if (left == 0 && n > 0) {
            guint8 byte = bytes[at++ % n];
            now = colour(byte, how, i);
            left = how & RUNS ? 1 + (byte >> 2) : 1;
        }
        left -= left > 0;
        picture[y * pair->width + x] = how & PAPER && y % 18 > 12 ? 0xffffff : now;
    }
}

static void round_trip(Pair *pair, guint how)
{
    guint width = pair->width, height = pair->height;

    if (how & RESET) {
        clear_reset(pair->clear);
        clear_context_reset(pair->decoder);
    }
    gsize most = clear_measure(pair->clear, (const guint8 *)picture, width * 4, width, height);
    g_assert(most <= CLEAR_SIZE_MAX(width, height));
    if (how & UNSENT)
        return;
    gsize length = clear_write(pair->clear, stream);
    g_assert(length <= most);
    g_assert(clear_decompress(pair->decoder, stream, (UINT32)length, width, height, (BYTE *)back,
                              PIXEL_FORMAT_BGRX32, width * 4, 0, 0, width, height, NULL) == 0);
    for (guint i = 0; i < width * height; i++)
        g_assert(((back[i] ^ picture[i]) & 0xffffff) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Pair pair;

    /* One pair for all: making one takes far longer than most pictures. Each input starts at a reset, behind
     * which nothing of those before may show. */
    if (!pair.clear)
        pair = (Pair){.clear = clear_new(), .decoder = clear_context_new(FALSE)};
    clear_reset(pair.clear);
    clear_context_reset(pair.decoder);
    while (size > HEADER) {
        guint how = data[2];
        size_t n = MIN(data[3], size - HEADER);
        pair.width = 1 + (how & LARGE ? data[0] * 2u : data[0] % 32u);
        pair.height = 1 + data[1] % (how & LARGE ? CLEAR_HEIGHT_MAX : 32u);
        paint(&pair, how, data + HEADER, n);
        round_trip(&pair, how);
        data += HEADER + n;
        size -= HEADER + n;
    }
    return 0;
}
