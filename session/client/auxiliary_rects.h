/* Which parts of a unit's rectangles are to be shown with AVC444's auxiliary view. */
#pragma once

#include "session/client/viewer.h"

/* Puts into the emptied `rects` those parts of `unit_rects` (both of ViewerRect) whose tiles are set in the
 * bits that came with the unit for `region` (SeatAccessUnit); none when there are not as many bits as the
 * region has tiles. */
void auxiliary_rects(const ViewerRect *region, const guint8 *bits, gsize length, const GArray *unit_rects,
                     GArray *rects);
