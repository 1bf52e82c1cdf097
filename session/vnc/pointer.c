/* RFB button mask to seat link. */
#include "session/vnc/pointer.h"

#include "base/proto/seat_link.h"

#define NOTCH 120

PointerState pointer_mask_take(PointerMask *mask, guint32 rfb)
{
    guint32 pressed = rfb & ~mask->last;
    PointerState state = {.buttons = rfb & (SEAT_BUTTON_LEFT | SEAT_BUTTON_MIDDLE | SEAT_BUTTON_RIGHT)};

    mask->last = rfb;
    if (rfb & 1u << 7)
        state.buttons |= SEAT_BUTTON_SIDE;
    if (rfb & 1u << 8)
        state.buttons |= SEAT_BUTTON_EXTRA;
    state.wheel_vertical = (pressed & 1u << 3 ? NOTCH : 0) - (pressed & 1u << 4 ? NOTCH : 0);
    state.wheel_horizontal = (pressed & 1u << 6 ? NOTCH : 0) - (pressed & 1u << 5 ? NOTCH : 0);
    return state;
}
