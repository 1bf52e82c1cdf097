/* Keys and pointer towards QEMU's D-Bus display. Bounded: when QEMU does not answer, only the newest pointer
 * position is kept and presses are dropped; releases always go out. Main thread. */
#pragma once

#include "session/seat/qemu_display.h"

typedef struct QemuInput QemuInput;

/* `display` is borrowed until qemu_input_free(). */
QemuInput *qemu_input_new(QemuDisplay *display);
void qemu_input_free(QemuInput *input);

/* Lets go of every key and button: whoever was at this desktop before may have died with keys down. */
void qemu_input_release_all(QemuInput *input);
/* Whether QEMU takes absolute positions now. */
void qemu_input_absolute(QemuInput *input, gboolean absolute);

void qemu_input_key(QemuInput *input, guint code, gboolean pressed);
void qemu_input_pointer(QemuInput *input, const SeatPointer *pointer);
void qemu_input_motion(QemuInput *input, const SeatMotion *motion);
void qemu_input_touch(QemuInput *input, const SeatTouch *touch);
