/* Messages made from arbitrary bytes, through our bulk compression and FreeRDP's decoder: each must come back
 * exactly. A message is two bytes of size, one that says how the following ones become the message, one that
 * says how many they are, and those; they are repeated until the message is full. */
#include "encoder/bulk.h"

#include <freerdp/codec/zgfx.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    LARGE = 1 << 0,      /* 4 times the size */
    NOISE = 1 << 1,      /* each byte with one by chance */
    DRIFT = 1 << 2,      /* each repetition with a difference to the one before */
    DENSE_HEAD = 1 << 3, /* the first quarter is dense */
    DENSE_TAIL = 1 << 4, /* so is the last */
    DENSE_BITS = 1 << 5, /* and, of every 100 bytes, some in the middle */
};

#define HEADER 4 /* bytes of a message before its bytes */
#define MESSAGE_MAX (4 * 0x10000)
#define ALL_MAX (4 * MESSAGE_MAX) /* bytes of one input's messages: it may not take long */
#define RANGES_MAX (MESSAGE_MAX / 100 + 2)

static guint8 message[MESSAGE_MAX], stream[MESSAGE_MAX * 2];

static void fill(gsize length, guint how, const uint8_t *bytes, size_t n)
{
    guint32 chance = (guint32)length;
    for (gsize i = 0; i < length; i++) {
        chance = chance * 1664525 + 1013904223;
        message[i] = (guint8)((n ? bytes[i % n] : 0) + (how & DRIFT && n ? i / n : 0));
        if (how & NOISE)
            message[i] ^= (guint8)(chance >> 24);
    }
}

static guint choose_ranges(gsize length, guint how, BulkRange *ranges)
{
    gsize from = 0, to = length;
    guint n = 0;

    if (how & DENSE_HEAD) {
        ranges[n++] = (BulkRange){0, length / 4};
        from = length / 4;
    }
    if (how & DENSE_TAIL)
        to = length - length / 4;
    if (how & DENSE_BITS)
        for (gsize at = from; at + 100 < to; at += 100)
            ranges[n++] = (BulkRange){at + at % 7, at % 60};
    if (how & DENSE_TAIL)
        ranges[n++] = (BulkRange){to, length - to};
    return n;
}

static void round_trip(Bulk *bulk, ZGFX_CONTEXT *decoder, gsize length, guint how)
{
    static BulkRange ranges[RANGES_MAX];
    guint n = choose_ranges(length, how, ranges);
    BYTE *back = NULL;
    UINT32 back_length = 0;

    gsize size = bulk_encode(bulk, message, length, ranges, n, stream);
    g_assert(size <= bulk_size_max(length));
    g_assert(size <= MAX(length, 1) + (length <= 0xffff ? 2 : 7 + 5 * ((length + 0xfffe) / 0xffff)));
    g_assert(zgfx_decompress(decoder, stream, (UINT32)size, &back, &back_length, 0) >= 0);
    g_assert(back_length == length && (length == 0 || memcmp(back, message, length) == 0));
    free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ZGFX_CONTEXT *decoder;
    g_autoptr(Bulk) bulk = bulk_new();
    gsize all = 0;

    /* One decoder for all: what it remembers of inputs before may not matter to a new encoder. */
    if (!decoder)
        decoder = zgfx_context_new(FALSE);
    while (size > HEADER && all < ALL_MAX) {
        guint how = data[2];
        gsize length = ((gsize)data[0] | (gsize)data[1] << 8) * (how & LARGE ? 4 : 1);
        size_t n = MIN(data[3], size - HEADER);
        fill(length, how, data + HEADER, n);
        round_trip(bulk, decoder, length, how);
        all += length;
        data += HEADER + n;
        size -= HEADER + n;
    }
    return 0;
}
