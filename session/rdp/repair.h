/* PDUs of real clients that FreeRDP's server refuses although they are understandable. Pure. */
#pragma once

#include <glib.h>

/* Repairs a whole PDU in place and returns its new length, which is never larger:
 *  - rdesktop's erect domain request has integers whose length bytes are zero;
 *  - a connection request whose routing token is a bare `fernwerk.desktop=NAME` loses the token (see x224.h).
 */
gsize repair_pdu(guint8 *pdu, gsize length);
