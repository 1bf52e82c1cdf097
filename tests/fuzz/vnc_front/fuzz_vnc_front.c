/* The RFB handshake on arbitrary bytes. The first byte chooses the kind of client, the verdict and how the
 * bytes are cut; what is said must not depend on the cuts. */
#include "session/vnc/front.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FrontStep drive(FrontKind kind, gboolean allowed, gsize piece, const uint8_t *data, size_t size,
                       GByteArray *out)
{
    g_autoptr(Front) front = front_new(kind, out);
    FrontStep step = FRONT_MORE;

    while (size > 0 && step != FRONT_FAILED && step != FRONT_FINISHED) {
        gsize n = MIN(piece, size), used;
        step = front_feed(front, data, n, &used);
        g_assert(used <= n && (used == n || step != FRONT_MORE));
        data += used;
        size -= used;
        if (step == FRONT_START_TLS)
            step = front_secured(front);
        if (step == FRONT_LOGIN) {
            g_assert(strlen(front_user(front)) < SEAT_NAME_MAX &&
                     strlen(front_password(front)) < SEAT_SECRET_MAX);
            front_verdict(front, allowed, "The name or the password is wrong.");
            step = allowed ? FRONT_MORE : FRONT_FAILED;
        }
    }
    g_assert((step == FRONT_FAILED) == (front_failure(front) != NULL));
    front_refuse(front, "The service is being stopped.");
    g_assert(out->len < 1024);
    return step;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    FrontKind kind = data[0] & 1 ? FRONT_WEB : FRONT_TCP;
    g_autoptr(GByteArray) whole = g_byte_array_new();
    g_autoptr(GByteArray) cut = g_byte_array_new();
    FrontStep one = drive(kind, (data[0] & 2) != 0, size, data + 1, size - 1, whole);
    FrontStep other = drive(kind, (data[0] & 2) != 0, 1 + (data[0] >> 2), data + 1, size - 1, cut);
    g_assert((one == FRONT_FINISHED) == (other == FRONT_FINISHED) &&
             (one == FRONT_FAILED) == (other == FRONT_FAILED));
    g_assert(whole->len == cut->len && (cut->len == 0 || memcmp(whole->data, cut->data, cut->len) == 0));
    return 0;
}
