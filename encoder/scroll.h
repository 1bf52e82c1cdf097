/* Finds what a frame has only moved: scrolled text, panned pictures, dragged windows. Pure: no clock, no
 * protocol.
 *
 * The last frame's offset is tried first; else one is guessed (vertical, then horizontal, then both at once).
 * All are verified pixel by pixel: a wrong guess costs time and never a pixel. The work a frame is bounded,
 * whatever the picture shows:
 *  - guessing reads at most SCROLL_STRIPS strips of 16 px in each direction, before and now, and
 *    SCROLL_POINTS squares of 2 * SCROLL_REACH px;
 *  - at most SCROLL_OFFSETS guesses in each of the three ways are verified, each over the damaged tiles that
 *    are left at most twice, and at first in every eighth row only;
 *  - after some frames in a row in which nothing has moved only every twelfth is searched, until one is found
 *    again: a film costs little. */
#pragma once

#include "encoder/damage.h"
#include "encoder/undo.h"

#define SCROLL_MOVES_MAX 16
#define SCROLL_STRIPS 8
#define SCROLL_POINTS 6
#define SCROLL_REACH 256 /* px that a window may be dragged in one frame, each way */
#define SCROLL_OFFSETS 3

/* The rectangle width x height px at x, y of the picture before stands at to_x, to_y now. */
typedef struct {
    guint16 x, y, to_x, to_y, width, height;
} ScrollMove;

typedef struct Scroll Scroll;
typedef struct Forecast Forecast;

/* For a picture of width x height px (1 .. SEAT_WIDTH_MAX). One thread at a time. */
Scroll *scroll_new(guint width, guint height);
void scroll_free(Scroll *scroll);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scroll, scroll_free)

/* Whether a frame with damage would be searched now; scroll_skip() instead of a search that is not: then
 * nobody need have kept what that frame overwrites. */
gboolean scroll_ready(const Scroll *scroll);
void scroll_skip(Scroll *scroll);

/* What the last search has found is of no use: it counts as one that has found nothing. */
void scroll_in_vain(Scroll *scroll);

/* Something else is on the screen: each frame is searched again. */
void scroll_wake(Scroll *scroll);

/* From and to these parts of the picture (SCROLL_PARTS_MAX at most, empty ones are allowed) nothing moves
 * from now on: nobody need have kept what is overwritten in them. */
#define SCROLL_PARTS_MAX 2
void scroll_leave_out(Scroll *scroll, const SeatRect *parts, guint count);

/* Looks for moves in a frame. `now`: the picture's first pixel, XRGB8888, with the stride of `undo`, which
 * has kept every row that the frame has changed. `damage` covers all of these changes but those in the parts
 * that are left out. Writes the moves and replaces `left` (the same size as `damage`) by what they leave to
 * be sent as pixels. Returns how many. Moves may write what is not damaged, where that looks the same after
 * them, but nothing outside of the damage's bounds.
 *
 * Whoever has the picture before, makes the moves one after the other in their order (each reads its source
 * before it writes, they may overlap), and then takes the pixels of `left`, has the picture as it is now. No
 * two moves write the same pixel, and none reads what an earlier one has written. */
guint scroll_find(Scroll *scroll, const guint8 *now, const Undo *undo, const Damage *damage, Damage *left,
                  ScrollMove moves[SCROLL_MOVES_MAX]);

/* The move that the next frame is expected to make again, as the last one did; NULL: none is, a frame is to
 * be searched. */
const ScrollMove *scroll_expected(const Scroll *scroll);

/* Like scroll_find(), of a frame that has been copied under a forecast. */
guint scroll_confirm(Scroll *scroll, const Forecast *forecast, const Damage *damage, Damage *left,
                     ScrollMove moves[SCROLL_MOVES_MAX]);
