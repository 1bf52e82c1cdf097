#include "encoder/bulk_bits.h"

#include <string.h>

typedef struct {
    guint base;            /* the least distance */
    guint8 prefix, length; /* bits, and how many */
    guint8 value;          /* bits that follow */
} Distance;

/* The bytes of which a table says more than nine bits; all others are a zero bit and themselves. */
#define SHORT_BYTES(X)                                                                                       \
    X(0x00, 24, 5)                                                                                           \
    X(0x01, 25, 5)                                                                                           \
    X(0x02, 52, 6)                                                                                           \
    X(0x03, 53, 6)                                                                                           \
    X(0xff, 54, 6)                                                                                           \
    X(0x04, 110, 7)                                                                                          \
    X(0x05, 111, 7)                                                                                          \
    X(0x06, 112, 7)                                                                                          \
    X(0x07, 113, 7)                                                                                          \
    X(0x08, 114, 7)                                                                                          \
    X(0x09, 115, 7)                                                                                          \
    X(0x0a, 116, 7)                                                                                          \
    X(0x0b, 117, 7)                                                                                          \
    X(0x3a, 118, 7)                                                                                          \
    X(0x3b, 119, 7)                                                                                          \
    X(0x3c, 120, 7)                                                                                          \
    X(0x3d, 121, 7)                                                                                          \
    X(0x3e, 122, 7)                                                                                          \
    X(0x3f, 123, 7)                                                                                          \
    X(0x40, 124, 7)                                                                                          \
    X(0x80, 125, 7)                                                                                          \
    X(0x0c, 252, 8)                                                                                          \
    X(0x38, 253, 8)                                                                                          \
    X(0x39, 254, 8)                                                                                          \
    X(0x66, 255, 8)

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"

const guint8 bulk_byte_bits[256] = {[0 ... 255] = 9,
#define LENGTH(byte, code, length) [byte] = (length),
                                    SHORT_BYTES(LENGTH)
#undef LENGTH
};

/* 0: a zero bit and the byte itself. */
static const guint8 short_codes[256] = {
#define CODE(byte, code, length) [byte] = (code),
    SHORT_BYTES(CODE)
#undef CODE
};

#pragma GCC diagnostic pop

static const Distance distances[] = {{0, 0x11, 5, 5},        {32, 0x12, 5, 7},      {160, 0x13, 5, 9},
                                     {672, 0x14, 5, 10},     {1696, 0x15, 5, 12},   {5792, 0x2c, 6, 14},
                                     {22176, 0x2d, 6, 15},   {54944, 0x5c, 7, 18},  {317088, 0x5d, 7, 20},
                                     {1365664, 0xbc, 8, 20}, {2414240, 0xbd, 8, 21}};

#define NEAR_MAX 0xffffu

/* Which of them, by the distance / 32: all of them begin at a multiple of it. */
static const guint8 near_distances[] = {
    [0] = 0,          [1 ... 4] = 1,     [5 ... 20] = 2,     [21 ... 52] = 3,
    [53 ... 180] = 4, [181 ... 692] = 5, [693 ... 1716] = 6, [1717 ... NEAR_MAX / 32] = 7};

static const Distance *find_distance(guint distance)
{
    if (distance <= NEAR_MAX)
        return &distances[near_distances[distance / 32]];
    const Distance *found = &distances[near_distances[NEAR_MAX / 32]];
    while (found + 1 < distances + G_N_ELEMENTS(distances) && found[1].base <= distance)
        found++;
    return found;
}

static guint log2_of(guint value)
{
    return 31 - (guint)__builtin_clz(value);
}

guint bulk_match_bits(guint length, guint distance)
{
    const Distance *code = find_distance(distance);
    return code->length + code->value + (length == BULK_MATCH_MIN ? 1 : 2 * log2_of(length));
}

static inline void put(BulkBits *bits, guint value, guint n)
{
    bits->bits = bits->bits << n | value;
    bits->n_bits += n;
}

/* Writes all but fewer than 32 bits; at most 64 may be there. */
static inline void settle(BulkBits *bits)
{
    if (bits->n_bits < 32)
        return;
    bits->n_bits -= 32;
    guint32 word = GUINT32_TO_BE((guint32)(bits->bits >> bits->n_bits));
    memcpy(bits->at, &word, sizeof word);
    bits->at += sizeof word;
}

static inline void put_byte(BulkBits *bits, guint8 byte)
{
    guint code = short_codes[byte];
    put(bits, code ? code : byte, bulk_byte_bits[byte]);
}

void bulk_put_bytes(BulkBits *bits, const guint8 *bytes, gsize length)
{
    BulkBits now = *bits; /* which the compiler can keep in registers */
    gsize i = 0;
    for (; i + 3 <= length; i += 3) {
        put_byte(&now, bytes[i]);
        put_byte(&now, bytes[i + 1]);
        put_byte(&now, bytes[i + 2]);
        settle(&now);
    }
    for (; i < length; i++) {
        put_byte(&now, bytes[i]);
        settle(&now);
    }
    *bits = now;
}

void bulk_put_match(BulkBits *bits, guint length, guint distance)
{
    const Distance *code = find_distance(distance);

    put(bits, code->prefix, code->length);
    put(bits, distance - code->base, code->value);
    settle(bits);
    if (length == BULK_MATCH_MIN) {
        put(bits, 0, 1);
    } else {
        guint n = log2_of(length);
        put(bits, (1u << n) - 2, n); /* all ones but the last */
        put(bits, length - (1u << n), n);
    }
    settle(bits);
}

/* Zeros up to the next byte. Returns how many. */
static guint align(BulkBits *bits)
{
    guint unused = -bits->n_bits & 7;
    put(bits, 0, unused);
    for (; bits->n_bits >= 8; bits->n_bits -= 8)
        *bits->at++ = (guint8)(bits->bits >> (bits->n_bits - 8));
    return unused;
}

void bulk_put_run(BulkBits *bits, const guint8 *bytes, gsize length)
{
    while (length > 0) {
        guint here = (guint)MIN(length, BULK_RUN_MAX);
        put(bits, 0x11u << 5, 10); /* a match of distance 0 */
        put(bits, here, 15);
        align(bits);
        memcpy(bits->at, bytes, here);
        bits->at += here;
        bytes += here;
        length -= here;
    }
}

guint8 *bulk_put_end(BulkBits *bits)
{
    guint8 unused = (guint8)align(bits);
    *bits->at++ = unused;
    return bits->at;
}
