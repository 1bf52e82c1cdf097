/* The connection to QEMU's D-Bus display. A thread of its own answers QEMU at once, keeps the newest picture
 * and merges damage; it never waits for anyone, since QEMU waits for it. Everything else is the main
 * thread's. */
#pragma once

#include "session/seat/surface.h"

#include "base/proto/seat_link.h"

typedef struct QemuDisplay QemuDisplay;

/* Called from the default main context. */
typedef struct {
    void (*connected)(gpointer data); /* calls may be made now */
    void (*changed)(gpointer data);   /* qemu_display_take() has something; not again before it was called */
    void (*lost)(const char *text, gpointer data); /* last event */
    void (*leds)(guint mask, gpointer data);       /* SEAT_LOCK_* */
    void (*absolute)(gboolean absolute, gpointer data);
} QemuDisplayEvents;

/* Takes `fd` over and connects in the background. `events` borrowed. */
QemuDisplay *qemu_display_new(int fd, const QemuDisplayEvents *events, gpointer data);
/* No event follows. Waits for the thread, which never blocks. */
void qemu_display_free(QemuDisplay *display);

typedef struct {
    Surface *surface; /* owned by the taker; NULL: no picture yet */
    guint rect_count;
    SeatRect rects[SEAT_RECTS_MAX]; /* what has changed since the last take */
    gboolean cursor_changed, visibility_changed;
    GBytes *cursor; /* premultiplied ARGB8888; owned by the taker; NULL unless cursor_changed */
    guint cursor_width, cursor_height, hot_x, hot_y; /* px */
    gboolean cursor_visible;
} QemuPicture;

/* The newest picture, its merged damage and the pointer's changes. Clear with qemu_picture_clear(). */
void qemu_display_take(QemuDisplay *display, QemuPicture *picture);
void qemu_picture_clear(QemuPicture *picture);
/* The size of the newest picture, 0 x 0: none. Takes nothing. */
void qemu_display_size(QemuDisplay *display, guint *width, guint *height);

/* Calls a method of the console object's `interface` ("Keyboard", "Mouse", "Console"); takes over a floating
 * `arguments`. `done` (may be NULL) is called on the main thread once QEMU has answered or cannot any more.
 * FALSE: there is no connection, `done` is not called. */
gboolean qemu_display_call(QemuDisplay *display, const char *interface, const char *method,
                           GVariant *arguments, void (*done)(gpointer data), gpointer data);
