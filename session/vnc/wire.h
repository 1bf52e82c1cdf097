/* Big-endian numbers in byte arrays: how RFB writes them. */
#pragma once

#include <glib.h>

static inline guint16 wire_get16(const guint8 *p)
{
    return (guint16)(p[0] << 8 | p[1]);
}

static inline guint32 wire_get32(const guint8 *p)
{
    return (guint32)p[0] << 24 | (guint32)p[1] << 16 | (guint32)p[2] << 8 | p[3];
}

static inline void wire_put8(GByteArray *out, guint value)
{
    guint8 byte = (guint8)value;
    g_byte_array_append(out, &byte, 1);
}

static inline void wire_put16(GByteArray *out, guint value)
{
    guint8 bytes[2] = {(guint8)(value >> 8), (guint8)value};
    g_byte_array_append(out, bytes, 2);
}

static inline void wire_put32(GByteArray *out, guint32 value)
{
    guint8 bytes[4] = {(guint8)(value >> 24), (guint8)(value >> 16), (guint8)(value >> 8), (guint8)value};
    g_byte_array_append(out, bytes, 4);
}
