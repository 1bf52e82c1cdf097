/* First packets of RDP and RFB, as they come in: every prefix is looked at. */
#include "broker/gate/first_packet.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef FirstPacket (*Check)(const guint8 *bytes, gsize length, gsize *wanted);

/* What is partial must want more than it has; once bad, always bad; once good, longer input changes nothing. */
static void walk(Check check, const uint8_t *data, size_t size)
{
    FirstPacket before = FIRST_PACKET_PARTIAL;
    for (size_t length = 0; length <= size && length <= FIRST_PACKET_MAX; length++) {
        g_autofree guint8 *exact = g_memdup2(data, length); /* its end is where the sanitizer looks */
        gsize wanted = 0;
        FirstPacket verdict = check(exact, length, &wanted);
        g_assert(before == FIRST_PACKET_PARTIAL || verdict == before);
        g_assert(verdict != FIRST_PACKET_PARTIAL || (wanted > length && wanted <= FIRST_PACKET_MAX));
        before = verdict;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    walk(first_packet_rdp, data, size);
    walk(first_packet_rfb, data, size);
    return 0;
}
