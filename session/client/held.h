/* Which keys and buttons a person holds down, as far as the current screen was told. Pure. */
#pragma once

#include <glib.h>

#define HELD_CODES 256
#define HELD_KEYSYMS_MAX 32 /* more at once than hands can hold: further ones pass unnoted */

typedef enum { HELD_UP = 0, HELD_DOWN, HELD_STALE } HeldState;

typedef struct {
    guint8 codes[HELD_CODES]; /* HeldState by key number */
    struct {
        guint32 keysym;
        guint8 state; /* HeldState */
    } keysyms[HELD_KEYSYMS_MAX];
    guint32 buttons;       /* down as the client says */
    guint32 stale_buttons; /* of those, pressed before the screen was switched */
} Held;

/* Notes the event; returns whether it is to be passed on. A key that was pressed on another screen stays
 * unknown to this one until it was released; releases of keys that are not down are dropped. Codes over 255
 * are dropped. */
gboolean held_key(Held *held, guint32 code, gboolean pressed);
gboolean held_keysym(Held *held, guint32 keysym, gboolean pressed);

/* Whether the key is down, on this screen or since an earlier one. */
gboolean held_has_key(const Held *held, guint32 code);

/* The buttons to pass on when the client says that `buttons` are down. */
guint32 held_buttons(Held *held, guint32 buttons);

/* Another screen is shown from now on: what is down is stale. */
void held_switched(Held *held);

/* All was released (focus lost). */
void held_clear(Held *held);
