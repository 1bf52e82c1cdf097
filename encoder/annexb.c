/* Start codes and NAL unit types (H.264, 7.4.1 and Annex B). */
#include "encoder/annexb.h"

#include <string.h>

/* Where the next 00 00 01 begins at or after `from`; `length` when there is none. */
static gsize next_start(const guint8 *unit, gsize length, gsize from)
{
    for (gsize i = from; i + 3 <= length; i++) {
        const guint8 *one = memchr(unit + i + 2, 1, length - i - 2);
        if (!one)
            break;
        i = one - unit - 2;
        if (unit[i] == 0 && unit[i + 1] == 0)
            return i;
    }
    return length;
}

gsize annexb_next(const guint8 *unit, gsize length, gsize *at)
{
    gsize start = next_start(unit, length, *at);
    if (start + 3 >= length)
        return 0;
    gsize end = next_start(unit, length, start + 3);
    *at = start + 3;
    /* Zeros at the end belong to the next start code or to nobody. */
    while (end > *at && unit[end - 1] == 0)
        end--;
    return end - *at;
}

AnnexB annexb_look(const guint8 *unit, gsize length)
{
    AnnexB found = {0};
    gsize start = next_start(unit, length, 0);

    while (start + 3 < length) {
        gsize next = next_start(unit, length, start + 3);
        /* A fourth zero belongs to the start code that follows. */
        gsize end = next < length && unit[next - 1] == 0 ? next - 1 : next;
        switch (unit[start + 3] & 0x1f) {
        case 1:
            found.slices++;
            break;
        case 5:
            found.slices++;
            found.idr = TRUE;
            break;
        case 7:
            found.sps = TRUE;
            found.sps_at = start;
            found.sps_length = end - start;
            break;
        case 8:
            found.pps = TRUE;
            found.pps_at = start;
            found.pps_length = end - start;
            break;
        default:
            break;
        }
        start = next;
    }
    return found;
}
