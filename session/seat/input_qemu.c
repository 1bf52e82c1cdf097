/* Input as D-Bus calls, with a limit on what waits for an answer. */
#include "session/seat/input_qemu.h"

#define MOVES_WAITING 16    /* unanswered calls above which positions merge */
#define PRESSES_WAITING 512 /* above which presses are dropped */
#define NOTCH 120
#define NOTCHES_MAX 20 /* in one packet */

/* QEMU's InputButton */
enum {
    LEFT = 0,
    MIDDLE = 1,
    RIGHT = 2,
    WHEEL_UP = 3,
    WHEEL_DOWN = 4,
    SIDE = 5,
    EXTRA = 6,
    WHEEL_LEFT = 7,
    WHEEL_RIGHT = 8
};

struct QemuInput {
    QemuDisplay *display; /* NULL: freed, only answers are awaited */
    guint waiting;        /* calls without an answer */
    guint buttons;        /* SEAT_BUTTON_* that are down */
    gboolean absolute;
    gboolean move_due;
    gint x, y;                 /* px, newest position */
    gint dx, dy;               /* px, merged relative movement */
    gint vertical, horizontal; /* 1/120 notches left over */
};

static void send_moves(QemuInput *input);

static void answered(gpointer data)
{
    QemuInput *input = data;
    input->waiting--;
    if (input->display)
        send_moves(input);
    g_rc_box_release(input);
}

static void call(QemuInput *input, const char *interface, const char *method, GVariant *arguments)
{
    if (!qemu_display_call(input->display, interface, method, arguments, answered, input))
        return;
    g_rc_box_acquire(input);
    input->waiting++;
}

QemuInput *qemu_input_new(QemuDisplay *display)
{
    QemuInput *input = g_rc_box_new0(QemuInput);
    input->display = display;
    input->absolute = TRUE;
    return input;
}

void qemu_input_free(QemuInput *input)
{
    if (!input)
        return;
    input->display = NULL;
    g_rc_box_release(input);
}

void qemu_input_key(QemuInput *input, guint code, gboolean pressed)
{
    if (pressed && input->waiting > PRESSES_WAITING)
        return;
    call(input, "Keyboard", pressed ? "Press" : "Release", g_variant_new("(u)", code));
}

static void send_moves_now(QemuInput *input)
{
    if (input->absolute && input->move_due)
        call(input, "Mouse", "SetAbsPosition", g_variant_new("(uu)", (guint)input->x, (guint)input->y));
    if (!input->absolute && (input->dx || input->dy))
        call(input, "Mouse", "RelMotion", g_variant_new("(ii)", input->dx, input->dy));
    input->move_due = FALSE;
    input->dx = input->dy = 0;
}

static void button(QemuInput *input, guint number, gboolean pressed)
{
    if (pressed && input->waiting > PRESSES_WAITING)
        return;
    send_moves_now(input); /* it happens where the pointer is by now */
    call(input, "Mouse", pressed ? "Press" : "Release", g_variant_new("(u)", number));
}

void qemu_input_release_all(QemuInput *input)
{
    for (guint code = 1; code < 256; code++)
        qemu_input_key(input, code, FALSE);
    for (guint number = LEFT; number <= RIGHT; number++)
        button(input, number, FALSE);
    button(input, SIDE, FALSE);
    button(input, EXTRA, FALSE);
    input->buttons = 0;
}

void qemu_input_absolute(QemuInput *input, gboolean absolute)
{
    input->absolute = absolute;
    input->move_due = FALSE;
    input->dx = input->dy = 0;
}

static void send_moves(QemuInput *input)
{
    if (input->waiting <= MOVES_WAITING)
        send_moves_now(input);
}

static void set_buttons(QemuInput *input, guint buttons)
{
    static const guint8 numbers[] = {LEFT, MIDDLE, RIGHT, SIDE, EXTRA};
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        if ((buttons ^ input->buttons) & (1u << i))
            button(input, numbers[i], (buttons >> i) & 1);
    input->buttons = buttons;
}

/* Whole notches become button strokes, the rest waits for the next packet. */
static void turn(QemuInput *input, gint *left_over, gint amount, guint forward, guint back)
{
    if (amount != 0 && (*left_over ^ amount) < 0)
        *left_over = 0;
    *left_over = CLAMP(*left_over + amount, -NOTCHES_MAX * NOTCH, NOTCHES_MAX * NOTCH);
    for (; ABS(*left_over) >= NOTCH; *left_over -= *left_over > 0 ? NOTCH : -NOTCH) {
        guint number = *left_over > 0 ? forward : back;
        button(input, number, TRUE);
        button(input, number, FALSE);
    }
}

static void wheels(QemuInput *input, gint vertical, gint horizontal)
{
    turn(input, &input->vertical, vertical, WHEEL_UP, WHEEL_DOWN);
    turn(input, &input->horizontal, horizontal, WHEEL_RIGHT, WHEEL_LEFT);
}

static void move_to(QemuInput *input, gint x, gint y)
{
    if (input->absolute) {
        input->move_due |= x != input->x || y != input->y;
    } else {
        input->dx += x - input->x;
        input->dy += y - input->y;
    }
    input->x = x;
    input->y = y;
    send_moves(input);
}

void qemu_input_pointer(QemuInput *input, const SeatPointer *pointer)
{
    move_to(input, pointer->x, pointer->y);
    set_buttons(input, pointer->buttons);
    wheels(input, pointer->wheel_vertical, pointer->wheel_horizontal);
}

void qemu_input_motion(QemuInput *input, const SeatMotion *motion)
{
    if (!input->absolute) {
        input->dx = CLAMP(input->dx + motion->dx, -65535, 65535);
        input->dy = CLAMP(input->dy + motion->dy, -65535, 65535);
        send_moves(input);
    }
    set_buttons(input, motion->buttons);
    wheels(input, motion->wheel_vertical, motion->wheel_horizontal);
}

/* Without a touch screen in the guest the first finger is the pointer. */
void qemu_input_touch(QemuInput *input, const SeatTouch *touch)
{
    if (touch->contact != 0)
        return;
    if (touch->phase < 2)
        move_to(input, touch->x, touch->y);
    set_buttons(input, touch->phase < 2 ? SEAT_BUTTON_LEFT : 0);
}
