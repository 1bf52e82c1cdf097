/* RFB's button mask, in which the wheel is buttons, as the seat link's buttons and wheel. Pure. */
#pragma once

#include <glib.h>

typedef struct {
    guint32 last; /* RFB mask of the last event */
} PointerMask;

typedef struct {
    guint32 buttons;                       /* SEAT_BUTTON_* */
    gint wheel_vertical, wheel_horizontal; /* 1/120 notches, up and right positive */
} PointerState;

/* Takes the next RFB mask (bit 0 left, 1 middle, 2 right, 3 up, 4 down, 5 left, 6 right, 7 side, 8 extra). A
 * wheel notch counts when its bit goes down. */
PointerState pointer_mask_take(PointerMask *mask, guint32 rfb);
