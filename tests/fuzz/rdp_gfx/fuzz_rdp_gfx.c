/* What fernwerk-rdp itself reads of a client's graphics pipeline: a message of PDUs. */
#include "session/rdp/gfx_pdu.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree guint8 *exact = g_memdup2(data, size); /* its end is where the sanitizer looks */
    GfxBlock block;

    gfx_block_init(&block);
    for (gsize at = 0, read; at < size; at += read) {
        GfxPdu pdu;
        read = gfx_pdu_read(exact + at, size - at, &pdu);
        if (read == 0)
            break;
        g_assert(read <= size - at && pdu.n_caps <= GFX_CAPS_MAX);
        for (guint i = 0; i < pdu.n_caps; i++) {
            g_assert(pdu.caps[i].length <= size);
            gfx_pdu_caps_confirm(&block, &pdu.caps[i]);
        }
        gfx_block_empty(&block);
    }
    gfx_block_clear(&block);
    return 0;
}
