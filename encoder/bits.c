/* Bit by bit, but for what follows a header: that is many bytes. */
#include "encoder/bits.h"

guint32 bits_read(BitReader *reader, guint count)
{
    guint32 value = 0;
    for (guint i = 0; i < count; i++, reader->at++) {
        gsize byte = reader->at / 8;
        guint bit = 0;
        if (byte < reader->length)
            bit = reader->bytes[byte] >> (7 - reader->at % 8) & 1;
        else
            reader->bad = TRUE;
        value = value << 1 | bit;
    }
    return value;
}

guint32 bits_read_ue(BitReader *reader)
{
    guint zeros = 0;
    while (zeros < 32 && !reader->bad && bits_read(reader, 1) == 0)
        zeros++;
    if (zeros >= 32) {
        reader->bad = TRUE;
        return 0;
    }
    return (1u << zeros) - 1 + bits_read(reader, zeros);
}

void bits_read_se(BitReader *reader)
{
    (void)bits_read_ue(reader);
}

void bits_write(BitWriter *writer, guint32 value, guint count)
{
    for (guint i = count; i-- > 0;) {
        if (writer->free == 0) {
            g_byte_array_append(writer->bytes, (const guint8[]){0}, 1);
            writer->free = 8;
        }
        writer->free--;
        writer->bytes->data[writer->bytes->len - 1] |= (guint8)((value >> i & 1) << writer->free);
    }
}

void bits_write_ue(BitWriter *writer, guint32 value)
{
    guint length = g_bit_storage((gulong)value + 1);
    bits_write(writer, 0, length - 1);
    bits_write(writer, value + 1, length);
}

void bits_copy_read(BitWriter *writer, const BitReader *reader, gsize from)
{
    BitReader again = *reader;
    again.at = from;
    while (again.at < reader->at)
        bits_write(writer, bits_read(&again, 1), 1);
}

void bits_copy_rest(BitWriter *writer, BitReader *reader)
{
    guint ahead = reader->at % 8, shift;

    if (ahead)
        bits_write(writer, bits_read(reader, 8 - ahead), 8 - ahead);
    gsize left = reader->at / 8 < reader->length ? reader->length - reader->at / 8 : 0;
    const guint8 *from = reader->bytes + reader->at / 8;
    reader->at += left * 8;
    shift = writer->free;
    if (shift == 0 || left == 0) {
        g_byte_array_append(writer->bytes, from, (guint)left);
        return;
    }
    gsize last = writer->bytes->len - 1;
    g_byte_array_set_size(writer->bytes, (guint)(last + 1 + left));
    guint8 *to = writer->bytes->data + last;
    for (gsize i = 0; i < left; i++) {
        to[i] |= (guint8)(from[i] >> (8 - shift));
        to[i + 1] = (guint8)(from[i] << shift);
    }
}
