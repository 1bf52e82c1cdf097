/* From a client's keys to what they mean in the greeter: XKB layout, modifiers, dead keys and compose
 * sequences. */
#pragma once

#include "session/greeter/form.h"

typedef struct Keyboard Keyboard;

/* Loads the compose table and the layout "us" (some 20 ms), so that it is done before a client comes. */
Keyboard *keyboard_new(void);
void keyboard_free(Keyboard *keyboard);

/* The client's layout, XKB names; one that does not exist leaves "us". */
void keyboard_set_layout(Keyboard *keyboard, const char *layout, const char *variant);
/* The layout's name for people, e.g. "German" (borrowed). */
const char *keyboard_name(const Keyboard *keyboard);

/* SEAT_LOCK_* of the client's keyboard. */
void keyboard_set_locks(Keyboard *keyboard, guint mask);
gboolean keyboard_caps_lock(const Keyboard *keyboard);

/* Notes that a key, by any number that is its own, goes down or up at now_us (monotonic). TRUE: it goes down
 * only because it is held; clients repeat it as presses, or as releases with presses that follow within
 * 30 ms, faster than anybody lets go and presses again. */
gboolean keyboard_repeats(Keyboard *keyboard, guint32 number, gboolean pressed, gint64 now_us);

/* A key (QEMU key number) or an X11 keysym goes down or up. TRUE: it means *key, with text (at most 16 bytes)
 * when that is FORM_KEY_TEXT. */
gboolean keyboard_code(Keyboard *keyboard, guint code, gboolean pressed, FormKey *key, char text[16]);
gboolean keyboard_keysym(Keyboard *keyboard, guint32 keysym, gboolean pressed, FormKey *key, char text[16]);
