/* Repairs of single PDUs before FreeRDP parses them. */
#include "session/rdp/repair.h"

#include "session/rdp/x224.h"

#include <string.h>

#define TOKEN_AT 11 /* behind the headers of TPKT and X.224 */

static gsize drop_bare_token(guint8 *pdu, gsize length)
{
    static const char key[] = "fernwerk.desktop=";
    gsize wanted;

    if (x224_check(pdu, length, &wanted) != X224_COMPLETE || wanted != length ||
        length < TOKEN_AT + sizeof key - 1 || memcmp(pdu + TOKEN_AT, key, sizeof key - 1) != 0)
        return length;
    guint8 *end = memmem(pdu + TOKEN_AT, length - TOKEN_AT, "\r\n", 2);
    if (!end)
        return length;
    gsize rest = (gsize)(pdu + length - (end + 2));
    memmove(pdu + TOKEN_AT, end + 2, rest);
    length = TOKEN_AT + rest;
    pdu[2] = (guint8)(length >> 8);
    pdu[3] = (guint8)length;
    pdu[4] = (guint8)(length - 5);
    return length;
}

gsize repair_pdu(guint8 *pdu, gsize length)
{
    static const guint8 rdesktop[] = {3, 0, 0, 12, 2, 0xf0, 0x80, 4, 0, 1, 0, 1};
    static const guint8 repaired[] = {3, 0, 0, 12, 2, 0xf0, 0x80, 4, 1, 0, 1, 0};

    if (length == sizeof rdesktop && memcmp(pdu, rdesktop, sizeof rdesktop) == 0) {
        memcpy(pdu, repaired, sizeof repaired);
        return length;
    }
    return drop_bare_token(pdu, length);
}
