/* The first packet of a connection, looked at while it is still in the socket: is it worth a process? Pure. */
#pragma once

#include <glib.h>

#define FIRST_PACKET_MAX 1024 /* bytes of an RDP connection request; real ones have 19 to 300 */
#define FIRST_PACKET_RFB 12   /* bytes of an RFB version */

typedef enum {
    FIRST_PACKET_GOOD,
    FIRST_PACKET_PARTIAL, /* fine so far: wait until *wanted bytes are there */
    FIRST_PACKET_BAD,
} FirstPacket;

/* An X.224 connection request in its TPKT header ([MS-RDPBCGR] 2.2.1.1, RFC 1006), with cookie or routing token and
 * negotiation request where present; every length is checked against the others. *wanted: bytes in all, once known. */
FirstPacket first_packet_rdp(const guint8 *bytes, gsize length, gsize *wanted);

/* "RFB 003.xxx\n" (RFC 6143, 7.1.1). */
FirstPacket first_packet_rfb(const guint8 *bytes, gsize length, gsize *wanted);
