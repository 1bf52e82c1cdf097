/* Bits and Exp-Golomb codes of H.264's syntax (ITU-T H.264, 7.2 and 9.1), without emulation prevention. */
#pragma once

#include <glib.h>

/* Reading past the end gives zeros and sets `bad`. */
typedef struct {
    const guint8 *bytes;
    gsize length, at; /* bytes; bits */
    gboolean bad;
} BitReader;

typedef struct {
    GByteArray *bytes;
    guint free; /* bits of the last byte that are not written yet, 0..7 */
} BitWriter;

/* `count` at most 32. */
guint32 bits_read(BitReader *reader, guint count);
guint32 bits_read_ue(BitReader *reader);
void bits_read_se(BitReader *reader);

void bits_write(BitWriter *writer, guint32 value, guint count);
void bits_write_ue(BitWriter *writer, guint32 value);
/* All that the reader has not read yet. */
void bits_copy_rest(BitWriter *writer, BitReader *reader);
/* The reader's bits from `from` to where it stands. */
void bits_copy_read(BitWriter *writer, const BitReader *reader, gsize from);
