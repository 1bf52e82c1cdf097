/* Whether a hardware encoder that has failed, or was slow to start, may be used: at first without doubt; then
 * after a rest that grows with each failure, and beside another encoder. Pure arithmetic; times are
 * monotonic, in us. */
#pragma once

#include <glib.h>

typedef struct {
    gboolean slow;     /* it takes its time to start: let another one begin */
    gint64 rest_us;    /* after the last failure, 0: there was none */
    gint64 until_us;   /* no use before then, 0: it has worked since it failed last */
    gint64 working_us; /* since when it has worked, 0: it does not */
} Doubt;

/* It has given its first unit; `quickly`: in no more time than one may be kept waiting. */
void doubt_works(Doubt *doubt, gboolean quickly, gint64 now);
void doubt_failed(Doubt *doubt, gint64 now);

/* A stream may begin with it. */
gboolean doubt_none(const Doubt *doubt);
/* It may be tried beside another one. */
gboolean doubt_allows(const Doubt *doubt, gint64 now);
