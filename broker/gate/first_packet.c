/* Length checks on the first packet of RDP and RFB connections. */
#include "broker/gate/first_packet.h"

#include <string.h>

#define TPKT_HEADER 4
#define X224_FIXED 7 /* length indicator, code, two references, class */
#define NEGOTIATION 8
#define CORRELATION 36

static gboolean is_negotiation(const guint8 *bytes, gsize length)
{
    if (length == 0)
        return TRUE;
    if (length != NEGOTIATION && length != NEGOTIATION + CORRELATION)
        return FALSE;
    if (bytes[0] != 1 || bytes[2] != NEGOTIATION || bytes[3] != 0)
        return FALSE;
    return length == NEGOTIATION || (bytes[8] == 6 && bytes[10] == CORRELATION && bytes[11] == 0);
}

/* Cookie or routing token up to CR LF, then perhaps a negotiation request. */
static gboolean is_variable_part(const guint8 *bytes, gsize length)
{
    if (is_negotiation(bytes, length))
        return TRUE;
    const guint8 *end = memmem(bytes, length, "\r\n", 2);
    if (!end)
        return FALSE;
    for (const guint8 *p = bytes; p < end; p++)
        if (*p < 0x20 || *p > 0x7e)
            return FALSE;
    return is_negotiation(end + 2, length - (gsize)(end + 2 - bytes));
}

FirstPacket first_packet_rdp(const guint8 *bytes, gsize length, gsize *wanted)
{
    *wanted = TPKT_HEADER;
    if ((length >= 1 && bytes[0] != 3) || (length >= 2 && bytes[1] != 0))
        return FIRST_PACKET_BAD;
    if (length < TPKT_HEADER)
        return FIRST_PACKET_PARTIAL;
    gsize total = (gsize)bytes[2] << 8 | bytes[3];
    if (total < TPKT_HEADER + X224_FIXED || total > FIRST_PACKET_MAX)
        return FIRST_PACKET_BAD;
    *wanted = total;
    const guint8 *request = bytes + TPKT_HEADER;
    if ((length > 4 && (request[0] == 0xff || request[0] != total - TPKT_HEADER - 1)) ||
        (length > 5 && request[1] != 0xe0) || (length > 10 && request[6] != 0))
        return FIRST_PACKET_BAD;
    if (length < total)
        return FIRST_PACKET_PARTIAL;
    if (request[2] != 0 || request[3] != 0)
        return FIRST_PACKET_BAD;
    return is_variable_part(request + X224_FIXED, total - TPKT_HEADER - X224_FIXED) ? FIRST_PACKET_GOOD
                                                                                    : FIRST_PACKET_BAD;
}

FirstPacket first_packet_rfb(const guint8 *bytes, gsize length, gsize *wanted)
{
    static const char shape[] = "RFB 003.ddd\n";
    *wanted = FIRST_PACKET_RFB;
    for (gsize i = 0; i < MIN(length, FIRST_PACKET_RFB); i++)
        if (shape[i] == 'd' ? !g_ascii_isdigit(bytes[i]) : bytes[i] != (guint8)shape[i])
            return FIRST_PACKET_BAD;
    return length >= FIRST_PACKET_RFB ? FIRST_PACKET_GOOD : FIRST_PACKET_PARTIAL;
}
