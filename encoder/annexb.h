/* What stands in an H.264 access unit in byte-stream format (Annex B): its kinds of NAL units. Nothing is
 * decoded. */
#pragma once

#include <glib.h>

typedef struct {
    guint slices; /* coded slices in all */
    gboolean idr; /* at least one of an IDR picture */
    gboolean sps, pps;
    gsize sps_at, sps_length; /* bytes, with start code; the parameter sets' place, for repeating them */
    gsize pps_at, pps_length;
} AnnexB;

/* Looks through `length` bytes. Any thread, never fails: what is no NAL unit is not counted. */
AnnexB annexb_look(const guint8 *unit, gsize length);

/* The next NAL unit at or after *at: its length, without start code, and *at then is where it begins. 0:
 * there is none any more. */
gsize annexb_next(const guint8 *unit, gsize length, gsize *at);
