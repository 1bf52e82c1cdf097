/* Held keys: an Enter pressed at the greeter must not be typed on the desktop that comes up under it. */
#include "session/client/held.h"

static gboolean move(guint8 *state, gboolean pressed)
{
    if (*state == HELD_STALE) {
        if (!pressed)
            *state = HELD_UP;
        return FALSE;
    }
    if (!pressed && *state == HELD_UP)
        return FALSE;
    *state = pressed ? HELD_DOWN : HELD_UP;
    return TRUE;
}

gboolean held_key(Held *held, guint32 code, gboolean pressed)
{
    return code < HELD_CODES && move(&held->codes[code], pressed);
}

gboolean held_has_key(const Held *held, guint32 code)
{
    return code < HELD_CODES && held->codes[code] != HELD_UP;
}

gboolean held_keysym(Held *held, guint32 keysym, gboolean pressed)
{
    guint free_slot = HELD_KEYSYMS_MAX;

    for (guint i = 0; i < HELD_KEYSYMS_MAX; i++) {
        if (held->keysyms[i].state != HELD_UP && held->keysyms[i].keysym == keysym)
            return move(&held->keysyms[i].state, pressed);
        if (held->keysyms[i].state == HELD_UP)
            free_slot = i;
    }
    if (!pressed)
        return FALSE;
    if (free_slot < HELD_KEYSYMS_MAX) {
        held->keysyms[free_slot].keysym = keysym;
        held->keysyms[free_slot].state = HELD_DOWN;
    }
    return TRUE;
}

guint32 held_buttons(Held *held, guint32 buttons)
{
    held->buttons = buttons;
    held->stale_buttons &= buttons;
    return buttons & ~held->stale_buttons;
}

void held_switched(Held *held)
{
    for (guint i = 0; i < HELD_CODES; i++)
        if (held->codes[i] == HELD_DOWN)
            held->codes[i] = HELD_STALE;
    for (guint i = 0; i < HELD_KEYSYMS_MAX; i++)
        if (held->keysyms[i].state == HELD_DOWN)
            held->keysyms[i].state = HELD_STALE;
    held->stale_buttons = held->buttons;
}

void held_clear(Held *held)
{
    *held = (Held){0};
}
