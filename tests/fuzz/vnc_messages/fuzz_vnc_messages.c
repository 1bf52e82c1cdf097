/* A client's RFB messages on arbitrary bytes. The first byte chooses how they are cut; what is understood
 * must not depend on it, and nothing out of range may come through. */
#include "session/vnc/capabilities.h"
#include "session/vnc/messages.h"
#include "session/vnc/pointer.h"
#include "session/vnc/rfb.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    Messages *messages;
    PointerMask mask;
    guint64 hash;
} Seen;

static void mix(Seen *seen, guint64 value)
{
    seen->hash = (seen->hash ^ value) * 1099511628211u;
}

static void received(const RfbMessage *m, gpointer data)
{
    Seen *seen = data;
    mix(seen, m->type);
    switch (m->type) {
    case RFB_SET_PIXEL_FORMAT:
        g_assert(m->format.bits_per_pixel <= 32 && m->format.depth <= m->format.bits_per_pixel);
        mix(seen, m->format.red_max);
        break;
    case RFB_SET_ENCODINGS: {
        g_assert(m->encodings.count <= RFB_ENCODINGS_MAX);
        Capabilities c = capabilities_read(m->encodings.list, m->encodings.count);
        g_assert(c.quality >= -1 && c.quality <= 9 && c.compress >= -1 && c.compress <= 9);
        if (c.extended_mouse)
            messages_extend_pointer(seen->messages);
        mix(seen, (guint64)c.pixels);
        break;
    }
    case RFB_POINTER:
        g_assert(m->pointer.mask < 512);
        mix(seen, pointer_mask_take(&seen->mask, m->pointer.mask).buttons);
        break;
    case RFB_FENCE:
        g_assert(m->fence.length <= RFB_FENCE_PAYLOAD_MAX);
        for (guint i = 0; i < m->fence.length; i++)
            mix(seen, m->fence.payload[i]);
        break;
    case RFB_KEY:
        mix(seen, m->key.keysym);
        break;
    default:
        break;
    }
}

static guint64 drive(const uint8_t *data, size_t size, gsize piece, gboolean *wrong)
{
    Seen seen = {0};
    g_autoptr(Messages) messages = messages_new(received, &seen);
    seen.messages = messages;
    *wrong = FALSE;
    while (size > 0 && !*wrong) {
        gsize n = MIN(piece, size);
        *wrong = messages_feed(messages, data, n) != NULL;
        data += n;
        size -= n;
    }
    return seen.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gboolean one_wrong, other_wrong;
    if (size < 1)
        return 0;
    guint64 one = drive(data + 1, size - 1, size, &one_wrong);
    guint64 other = drive(data + 1, size - 1, 1 + data[0], &other_wrong);
    g_assert(one == other && one_wrong == other_wrong);
    return 0;
}
