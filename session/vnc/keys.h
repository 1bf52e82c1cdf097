/* Clients that send a key number together with its keysym (QEMU extended key events): which of the two is
 * passed on. Pure. */
#pragma once

#include <glib.h>

#define KEYS_CODES 256

typedef struct {
    guint32 keysyms[KEYS_CODES]; /* by key number: the keysym as which it was pressed, 0: not so */
} KeyForms;

typedef enum { KEY_IGNORED, KEY_AS_CODE, KEY_AS_KEYSYM } KeyForm;

/* How the event is to be passed on; *keysym may be replaced by the one that the key was pressed with. A
 * desktop has a keymap of its own and takes numbers; a greeter, which knows no layout of a client of RFB,
 * takes keysyms (prefer_keysym). A key is let go in the form in which it was pressed. code and keysym: 0
 * none. */
KeyForm keys_choose(KeyForms *forms, gboolean prefer_keysym, guint32 code, guint32 *keysym, gboolean pressed);
