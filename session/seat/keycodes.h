/* QEMU key numbers (XT scan codes, 0x80 set for the 0xe0-prefixed ones) and evdev codes. */
#pragma once

#include <glib.h>

/* 0: there is none. */
guint keycode_from_evdev(guint evdev);
guint keycode_to_evdev(guint code);
