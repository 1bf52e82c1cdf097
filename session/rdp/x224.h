/* The first packet of an RDP client, the X.224 connection request ([MS-RDPBCGR] 2.2.1.1), as far as it names
 * a wanted desktop. Pure; FreeRDP parses the packet again on its own. */
#pragma once

#include <glib.h>

#define X224_REQUEST_MAX 1024 /* bytes; more than any client sends */

typedef enum {
    X224_COMPLETE, /* the request is there as a whole */
    X224_PARTIAL,  /* more bytes are needed: *wanted says how many in all */
    X224_WRONG,    /* no connection request */
} X224Result;

/* Looks at the first `length` bytes that a client sent. */
X224Result x224_check(const guint8 *bytes, gsize length, gsize *wanted);

/* Finds the wanted desktop in a complete request's routing token: `fernwerk.desktop=NAME`, alone or after
 * "Cookie: msts=", "tsv://" or "mth://" (the forms that FreeRDP knows; it would refuse the bare one, see
 * repair.h). Writes NAME to `desktop` (of `size` bytes), "" where there is none or it is not a name that a
 * desktop can have (letters, digits, '.', '_', '-'). */
void x224_desktop(const guint8 *bytes, gsize length, char *desktop, gsize size);

/* Whether a complete request offers TLS (PROTOCOL_SSL of RDP_NEG_REQ, 2.2.1.1.1); without one it does not. */
gboolean x224_offers_tls(const guint8 *bytes, gsize length);
