/* What the files of the display share. Not for others. */
#pragma once

#include "encoder/damage.h"
#include "session/seat/qemu_display.h"

#define CONSOLE_PATH "/org/qemu/Display1/Console_0"
#define INTERFACE "org.qemu.Display1."
#define CALL_MS 10000

struct QemuDisplay {
    gatomicrefcount references;
    const QemuDisplayEvents *events; /* NULL: freed; main thread only */
    gpointer data;
    int fd;
    GThread *thread;
    GMainContext *context;
    GMainLoop *loop;

    /* the thread's own */
    GCancellable *cancel;
    GDBusConnection *listener;
    GDBusNodeInfo *node;
    SurfaceCache *cache;
    gboolean lost, lights_known;
    guint refused_width, refused_height; /* px, of the mode that cannot be shown; 0: it can */
    gint64 refused_us;                   /* when one was logged last */

    GMutex lock; /* guards the rest */
    GDBusConnection *connection;
    Surface *surface;
    Damage *damage;     /* of the surface's size */
    gboolean announced; /* `changed` is due or was called, and nothing has been taken since */
    GBytes *cursor;
    guint cursor_width, cursor_height, hot_x, hot_y;
    gboolean cursor_changed, visibility_changed, cursor_visible;
};

/* qemu_display.c: to the main thread, from the display's. */
void qemu_display_post(QemuDisplay *display, void (*function)(QemuDisplay *, const char *, guint),
                       const char *text, guint number);
void qemu_display_tell_changed(QemuDisplay *display, const char *text, guint number);
/* The display is lost for this reason; display's thread. */
void qemu_display_lose(QemuDisplay *display, const char *text);
GSocketConnection *qemu_display_stream(int fd);

/* qemu_listener.c: asks QEMU for its pictures over this connection. Display's thread. */
void qemu_listener_register(QemuDisplay *display, GDBusConnection *connection);
