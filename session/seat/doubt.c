/* Rests of 1, 2, 4 .. 32 minutes; after ten minutes without a failure the next one is the first again. */
#include "session/seat/doubt.h"

#define REST_US (60 * G_USEC_PER_SEC)
#define REST_MAX_US (32 * REST_US)
#define PROVEN_US (10 * REST_US)

void doubt_works(Doubt *doubt, gboolean quickly, gint64 now)
{
    doubt->slow = !quickly;
    doubt->until_us = 0;
    if (!doubt->working_us)
        doubt->working_us = now;
}

void doubt_failed(Doubt *doubt, gint64 now)
{
    gboolean proven = doubt->working_us && now - doubt->working_us >= PROVEN_US;

    doubt->rest_us = doubt->rest_us == 0 || proven ? REST_US : MIN(2 * doubt->rest_us, REST_MAX_US);
    doubt->until_us = now + doubt->rest_us;
    doubt->working_us = 0;
}

gboolean doubt_none(const Doubt *doubt)
{
    return doubt->until_us == 0 && !doubt->slow;
}

gboolean doubt_allows(const Doubt *doubt, gint64 now)
{
    return now >= doubt->until_us;
}
