/* Reading the X.224 connection request. Every read is checked against the packet's length. */
#include "session/rdp/x224.h"

#include <string.h>

#define TPKT_HEADER 4
#define X224_HEADER 7 /* length indicator, code, destination, source, class */
#define X224_CONNECTION_REQUEST 0xe0
#define NEGOTIATION 8 /* bytes: type, flags, length, protocols */
#define NEGOTIATION_REQUEST 1
#define PROTOCOL_TLS 1

X224Result x224_check(const guint8 *bytes, gsize length, gsize *wanted)
{
    *wanted = TPKT_HEADER;
    if (length >= 1 && bytes[0] != 3)
        return X224_WRONG;
    if (length < TPKT_HEADER)
        return X224_PARTIAL;
    gsize size = (gsize)bytes[2] << 8 | bytes[3];
    if (bytes[1] != 0 || size < TPKT_HEADER + X224_HEADER || size > X224_REQUEST_MAX)
        return X224_WRONG;
    *wanted = size;
    if (length >= 6 && (bytes[4] != size - TPKT_HEADER - 1 || (bytes[5] & 0xf0) != X224_CONNECTION_REQUEST))
        return X224_WRONG;
    return length < size ? X224_PARTIAL : X224_COMPLETE;
}

static const char *skip_prefix(const char *text, gsize *length)
{
    static const char *const prefixes[] = {"Cookie: msts=", "tsv://", "mth://"};
    for (guint i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        gsize n = strlen(prefixes[i]);
        if (*length >= n && memcmp(text, prefixes[i], n) == 0) {
            *length -= n;
            return text + n;
        }
    }
    return text;
}

void x224_desktop(const guint8 *bytes, gsize length, char *desktop, gsize size)
{
    static const char key[] = "fernwerk.desktop=";
    const gsize key_length = sizeof key - 1;
    gsize wanted;

    desktop[0] = '\0';
    if (x224_check(bytes, length, &wanted) != X224_COMPLETE)
        return;
    const char *token = (const char *)bytes + TPKT_HEADER + X224_HEADER;
    gsize left = wanted - TPKT_HEADER - X224_HEADER;
    const char *end = memmem(token, left, "\r\n", 2);
    if (!end)
        return;
    left = (gsize)(end - token);
    token = skip_prefix(token, &left);
    if (left <= key_length || memcmp(token, key, key_length) != 0)
        return;
    token += key_length;
    left -= key_length;
    if (left >= size)
        return;
    for (gsize i = 0; i < left; i++)
        if (!g_ascii_isalnum(token[i]) && !strchr("._-", token[i]))
            return;
    memcpy(desktop, token, left);
    desktop[left] = '\0';
}

gboolean x224_offers_tls(const guint8 *bytes, gsize length)
{
    gsize wanted, at = TPKT_HEADER + X224_HEADER;

    if (x224_check(bytes, length, &wanted) != X224_COMPLETE)
        return FALSE;
    const guint8 *end =
        memmem(bytes + at, wanted - at, "\r\n", 2); /* of cookie or token, where there is one */
    if (end)
        at = (gsize)(end - bytes) + 2;
    return wanted - at >= NEGOTIATION && bytes[at] == NEGOTIATION_REQUEST && (bytes[at + 4] & PROTOCOL_TLS);
}
