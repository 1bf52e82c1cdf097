/* What RDP's keyboard and mouse events mean in the seat link's terms ([MS-RDPBCGR] 2.2.8.1.1.3.1.1). Pure. */
#pragma once

#include <glib.h>

typedef struct {
    gboolean pause;      /* the first half of Pause (E1 1D) has come */
    gunichar2 surrogate; /* the first half of a character beyond U+FFFF, 0: none */
} ScancodeState;

/* A scancode event. Returns FALSE when nothing is to be sent (yet); else the QEMU key number and whether it
 * goes down. */
gboolean scancode_key(ScancodeState *state, guint16 flags, guint8 code, guint32 *number, gboolean *pressed);

/* A Unicode event. Returns FALSE when nothing is to be sent (yet); else the keysym and whether it goes down.
 */
gboolean scancode_unicode(ScancodeState *state, guint16 flags, guint16 unit, guint32 *keysym,
                          gboolean *pressed);

/* The rotation of a wheel event, 120 a notch; up and right are positive. */
gint scancode_wheel(guint16 flags);
