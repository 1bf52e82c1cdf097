/* The client's keyboard and mouse. */
#include "session/rdp/rdp.h"

#include <freerdp/input.h>

static Rdp *of(rdpInput *input)
{
    return ((RdpContext *)input->context)->rdp;
}

/* Sent when the client's window gets the focus: whatever was held before is up now. */
static BOOL on_synchronize(rdpInput *input, UINT32 flags)
{
    Rdp *rdp = of(input);
    rdp->scancodes = (ScancodeState){0};
    rdp->buttons = 0;
    bridge_release_keys(rdp->bridge);
    bridge_locks(rdp->bridge, flags & (SEAT_LOCK_SCROLL | SEAT_LOCK_NUM | SEAT_LOCK_CAPS));
    return TRUE;
}

static BOOL on_focus_in(rdpInput *input, UINT16 locks)
{
    return on_synchronize(input, locks);
}

static BOOL on_key(rdpInput *input, UINT16 flags, UINT8 code)
{
    Rdp *rdp = of(input);
    guint32 number;
    gboolean pressed;
    if (scancode_key(&rdp->scancodes, flags, code, &number, &pressed))
        bridge_key(rdp->bridge, number, pressed);
    return TRUE;
}

static BOOL on_unicode(rdpInput *input, UINT16 flags, UINT16 unit)
{
    Rdp *rdp = of(input);
    guint32 keysym;
    gboolean pressed;
    if (scancode_unicode(&rdp->scancodes, flags, unit, &keysym, &pressed))
        bridge_keysym(rdp->bridge, keysym, pressed);
    return TRUE;
}

static void set_button(Rdp *rdp, guint32 button, gboolean down)
{
    if (down)
        rdp->buttons |= button;
    else
        rdp->buttons &= ~button;
}

static void move_to(Rdp *rdp, guint16 x, guint16 y)
{
    rdp_place_pointer(rdp, x, y, &rdp->pointer_x, &rdp->pointer_y);
}

static void send_pointer(Rdp *rdp, gint dx, gint dy, gint vertical, gint horizontal)
{
    if (rdp->relative)
        bridge_motion(rdp->bridge, dx, dy, rdp->buttons, vertical, horizontal);
    else
        bridge_pointer(rdp->bridge, rdp->pointer_x, rdp->pointer_y, rdp->buttons, vertical, horizontal);
}

static void take_buttons(Rdp *rdp, guint16 flags)
{
    gboolean down = (flags & PTR_FLAGS_DOWN) != 0;
    if (flags & PTR_FLAGS_BUTTON1)
        set_button(rdp, SEAT_BUTTON_LEFT, down);
    if (flags & PTR_FLAGS_BUTTON2)
        set_button(rdp, SEAT_BUTTON_RIGHT, down);
    if (flags & PTR_FLAGS_BUTTON3)
        set_button(rdp, SEAT_BUTTON_MIDDLE, down);
}

static BOOL on_mouse(rdpInput *input, UINT16 flags, UINT16 x, UINT16 y)
{
    Rdp *rdp = of(input);

    /* Wheel events carry no position. */
    if (flags & PTR_FLAGS_WHEEL) {
        send_pointer(rdp, 0, 0, scancode_wheel(flags), 0);
    } else if (flags & PTR_FLAGS_HWHEEL) {
        send_pointer(rdp, 0, 0, 0, scancode_wheel(flags));
    } else {
        gint old_x = rdp->pointer_x, old_y = rdp->pointer_y;
        move_to(rdp, x, y);
        take_buttons(rdp, flags);
        send_pointer(rdp, rdp->pointer_x - old_x, rdp->pointer_y - old_y, 0, 0);
    }
    return TRUE;
}

static BOOL on_extended_mouse(rdpInput *input, UINT16 flags, UINT16 x, UINT16 y)
{
    Rdp *rdp = of(input);
    gboolean down = (flags & PTR_XFLAGS_DOWN) != 0;

    move_to(rdp, x, y);
    if (flags & PTR_XFLAGS_BUTTON1)
        set_button(rdp, SEAT_BUTTON_SIDE, down);
    if (flags & PTR_XFLAGS_BUTTON2)
        set_button(rdp, SEAT_BUTTON_EXTRA, down);
    send_pointer(rdp, 0, 0, 0, 0);
    return TRUE;
}

static BOOL on_relative_mouse(rdpInput *input, UINT16 flags, INT16 dx, INT16 dy)
{
    Rdp *rdp = of(input);

    take_buttons(rdp, flags);
    if (!rdp->relative) {
        rdp->pointer_x = CLAMP(rdp->pointer_x + dx, 0, (gint)MAX(rdp->picture_width, 1) - 1);
        rdp->pointer_y = CLAMP(rdp->pointer_y + dy, 0, (gint)MAX(rdp->picture_height, 1) - 1);
    }
    send_pointer(rdp, dx, dy, 0, 0);
    return TRUE;
}

void rdp_input_register(Rdp *rdp)
{
    rdpInput *input = rdp->context->base.input;
    input->SynchronizeEvent = on_synchronize;
    input->FocusInEvent = on_focus_in;
    input->KeyboardEvent = on_key;
    input->UnicodeKeyboardEvent = on_unicode;
    input->MouseEvent = on_mouse;
    input->ExtendedMouseEvent = on_extended_mouse;
    input->RelMouseEvent = on_relative_mouse;
}
