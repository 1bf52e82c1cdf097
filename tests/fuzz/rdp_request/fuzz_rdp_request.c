/* What fernwerk-rdp itself reads of a client's first packets: the wanted desktop, and PDUs that need repair.
 */
#include "session/rdp/repair.h"
#include "session/rdp/x224.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree guint8 *exact = g_memdup2(data, size); /* its end is where the sanitizer looks */
    char desktop[64];
    gsize wanted;
    X224Result before = x224_check(exact, size, &wanted);

    x224_desktop(exact, size, desktop, sizeof desktop);
    g_assert(strlen(desktop) < sizeof desktop);
    g_assert(before == X224_COMPLETE || *desktop == '\0');
    if (size == 0)
        return 0;
    gsize length = repair_pdu(exact, size);
    g_assert(length <= size);
    g_assert(length == size || x224_check(exact, length, &wanted) == X224_COMPLETE);
    return 0;
}
