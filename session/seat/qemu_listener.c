/* What QEMU says about its screen: pictures, damage and the pointer's shape. All of it on the display's
 * thread, each call answered at once. */
#include "base/log.h"
#include "encoder/notice.h"
#include "session/seat/qemu_display_private.h"

#include <gio/gunixfdlist.h>
#include <pixman.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NOTICE_WIDTH 800
#define NOTICE_HEIGHT 600
#define REFUSED_LOG_US (10 * G_USEC_PER_SEC)
#define LISTENER_PATH "/org/qemu/Display1/Listener"

static const char listener_xml[] =
    "<node><interface name='org.qemu.Display1.Listener'>"
    "<method name='Scanout'><arg type='u' name='width'/><arg type='u' name='height'/><arg type='u' "
    "name='stride'/>"
    "<arg type='u' name='pixman_format'/><arg type='ay' name='data'/></method>"
    "<method name='Update'><arg type='i' name='x'/><arg type='i' name='y'/><arg type='i' name='width'/>"
    "<arg type='i' name='height'/><arg type='u' name='stride'/><arg type='u' name='pixman_format'/>"
    "<arg type='ay' name='data'/></method>"
    "<method name='Disable'/>"
    "<method name='MouseSet'><arg type='i' name='x'/><arg type='i' name='y'/><arg type='i' "
    "name='on'/></method>"
    "<method name='CursorDefine'><arg type='i' name='width'/><arg type='i' name='height'/>"
    "<arg type='i' name='hot_x'/><arg type='i' name='hot_y'/><arg type='ay' name='data'/></method>"
    "<property name='Interfaces' type='as' access='read'/>"
    "</interface><interface name='org.qemu.Display1.Listener.Unix.Map'>"
    "<method name='ScanoutMap'><arg type='h' name='handle'/><arg type='u' name='offset'/>"
    "<arg type='u' name='width'/><arg type='u' name='height'/><arg type='u' name='stride'/>"
    "<arg type='u' name='pixman_format'/></method>"
    "<method name='UpdateMap'><arg type='i' name='x'/><arg type='i' name='y'/><arg type='i' name='width'/>"
    "<arg type='i' name='height'/></method>"
    "</interface></node>";

/* Under the lock. */
static void announce(QemuDisplay *display)
{
    if (display->announced)
        return;
    display->announced = TRUE;
    qemu_display_post(display, qemu_display_tell_changed, NULL, 0);
}

/* The picture is this one from now on, all of it damaged. Takes the reference over. */
static void show_surface(QemuDisplay *display, Surface *surface)
{
    g_mutex_lock(&display->lock);
    Surface *before = display->surface;
    if (!before || before->width != surface->width || before->height != surface->height) {
        g_clear_pointer(&display->damage, damage_free);
        display->damage = damage_new(surface->width, surface->height);
    }
    display->surface = surface;
    damage_add_all(display->damage);
    announce(display);
    g_mutex_unlock(&display->lock);
    if (before)
        surface_unref(before);
}

/* A mode that cannot be shown: told once, and seen instead of what was there before. A guest may ask for one
 * after the other without filling the log. */
static void refuse_picture(QemuDisplay *display, guint width, guint height, const char *why)
{
    gint64 now = g_get_monotonic_time();

    if (display->refused_width == width && display->refused_height == height)
        return;
    display->refused_width = width;
    display->refused_height = height;
    if (display->refused_us == 0 || now - display->refused_us >= REFUSED_LOG_US) {
        log_warning("display: %s", why);
        display->refused_us = now;
    }
    g_autofree char *text = g_strdup_printf("The screen mode %u x %u cannot be shown.", width, height);
    g_autofree guint8 *pixels = notice_paint(NOTICE_WIDTH, NOTICE_HEIGHT, text);
    Surface *surface = surface_new_own(NOTICE_WIDTH, NOTICE_HEIGHT);
    if (!surface)
        return;
    surface_put(surface, 0, 0, NOTICE_WIDTH, NOTICE_HEIGHT, NOTICE_WIDTH * 4, PIXMAN_x8r8g8b8, pixels,
                (gsize)NOTICE_WIDTH * NOTICE_HEIGHT * 4);
    show_surface(display, surface);
}

static void accept_picture(QemuDisplay *display)
{
    display->refused_width = display->refused_height = 0;
}

static gboolean is_refused(const QemuDisplay *display)
{
    return display->refused_width != 0;
}

static void add_damage(QemuDisplay *display, gint x, gint y, gint width, gint height)
{
    g_mutex_lock(&display->lock);
    if (display->damage) {
        damage_add(display->damage, x, y, width, height);
        if (!damage_is_empty(display->damage))
            announce(display);
    }
    g_mutex_unlock(&display->lock);
}

static const guint8 *bytes_of(GVariant *arguments, guint index, gsize *length)
{
    g_autoptr(GVariant) data = g_variant_get_child_value(arguments, index);
    return g_variant_get_fixed_array(data, length, 1);
}

static void take_scanout(QemuDisplay *display, GVariant *arguments)
{
    guint width, height, stride, format;
    gsize length;
    const guint8 *data = bytes_of(arguments, 4, &length);

    g_variant_get(arguments, "(uuuu@ay)", &width, &height, &stride, &format, NULL);
    /* Only this thread replaces the surface, so it may look at it without the lock. */
    Surface *now = display->surface;
    gboolean same = now && !now->shared && now->width == width && now->height == height;
    g_autoptr(Surface) surface = same ? surface_ref(now) : surface_new_own(width, height);
    if (!surface || !surface_put(surface, 0, 0, width, height, stride, format, data, length)) {
        g_autofree char *why =
            g_strdup_printf("a picture of %ux%u px, format 0x%x cannot be shown", width, height, format);
        refuse_picture(display, width, height, why);
        return;
    }
    accept_picture(display);
    show_surface(display, g_steal_pointer(&surface));
}

static void take_update(QemuDisplay *display, GVariant *arguments)
{
    gint x, y, width, height;
    guint stride, format;
    gsize length;
    const guint8 *data = bytes_of(arguments, 6, &length);

    g_variant_get(arguments, "(iiiiuu@ay)", &x, &y, &width, &height, &stride, &format, NULL);
    Surface *now = display->surface;
    if (now && !now->shared && !is_refused(display) &&
        surface_put(now, x, y, width, height, stride, format, data, length))
        add_damage(display, x, y, width, height);
}

static void take_map(QemuDisplay *display, GVariant *arguments, GDBusMessage *message)
{
    GUnixFDList *list = g_dbus_message_get_unix_fd_list(message);
    g_autoptr(GError) error = NULL;
    gint32 handle;
    guint offset, width, height, stride, format;
    gint count = 0;

    g_variant_get(arguments, "(huuuuu)", &handle, &offset, &width, &height, &stride, &format);
    const gint *descriptors = list ? g_unix_fd_list_peek_fds(list, &count) : NULL;
    if (handle < 0 || handle >= count) {
        log_warning("display: a shared picture without its memory");
        return;
    }
    Surface *surface =
        surface_cache_map(display->cache, descriptors[handle], offset, width, height, stride, format, &error);
    if (surface) {
        accept_picture(display);
        show_surface(display, surface);
    } else {
        refuse_picture(display, width, height, error->message);
    }
}

static void take_disable(QemuDisplay *display)
{
    Surface *now = display->surface;
    Surface *black = now ? surface_new_own(now->width, now->height) : NULL;
    if (black) {
        accept_picture(display);
        show_surface(display, black);
    }
}

static void take_cursor(QemuDisplay *display, GVariant *arguments)
{
    gint width, height, hot_x, hot_y;
    gsize length;
    const guint8 *data = bytes_of(arguments, 4, &length);

    g_variant_get(arguments, "(iiii@ay)", &width, &height, &hot_x, &hot_y, NULL);
    if (width < 1 || height < 1 || width > 1024 || height > 1024 || length != (gsize)width * height * 4)
        return;
    g_autofree guint8 *copy = g_memdup2(data, length);
    /* Guests send premultiplied colours; a colour above its alpha would be drawn as garbage. */
    for (gsize i = 0; i < length; i += 4)
        for (guint c = 0; c < 3; c++)
            copy[i + c] = MIN(copy[i + c], copy[i + 3]);
    g_mutex_lock(&display->lock);
    g_clear_pointer(&display->cursor, g_bytes_unref);
    display->cursor = g_bytes_new_take(g_steal_pointer(&copy), length);
    display->cursor_width = width;
    display->cursor_height = height;
    display->hot_x = CLAMP(hot_x, 0, width - 1);
    display->hot_y = CLAMP(hot_y, 0, height - 1);
    display->cursor_changed = TRUE;
    announce(display);
    g_mutex_unlock(&display->lock);
}

static void take_mouse(QemuDisplay *display, gboolean on)
{
    g_mutex_lock(&display->lock);
    if (display->cursor_visible != on) {
        display->cursor_visible = on;
        display->visibility_changed = TRUE;
        announce(display);
    }
    g_mutex_unlock(&display->lock);
}

static void method_called(GDBusConnection *connection, const char *sender, const char *path,
                          const char *interface, const char *method, GVariant *arguments,
                          GDBusMethodInvocation *invocation, gpointer data)
{
    QemuDisplay *display = data;
    gint x, y, width, height;

    if (strcmp(method, "UpdateMap") == 0) {
        g_variant_get(arguments, "(iiii)", &x, &y, &width, &height);
        add_damage(display, x, y, width, height);
    } else if (strcmp(method, "Update") == 0) {
        take_update(display, arguments);
    } else if (strcmp(method, "ScanoutMap") == 0) {
        take_map(display, arguments, g_dbus_method_invocation_get_message(invocation));
    } else if (strcmp(method, "Scanout") == 0) {
        take_scanout(display, arguments);
    } else if (strcmp(method, "MouseSet") == 0) {
        g_variant_get(arguments, "(iii)", &x, &y, &width);
        take_mouse(display, width != 0);
    } else if (strcmp(method, "CursorDefine") == 0) {
        take_cursor(display, arguments);
    } else if (strcmp(method, "Disable") == 0) {
        take_disable(display);
    }
    g_dbus_method_invocation_return_value(invocation, NULL);
}

static GVariant *property_read(GDBusConnection *connection, const char *sender, const char *path,
                               const char *interface, const char *property, GError **error, gpointer data)
{
    static const char *const interfaces[] = {"org.qemu.Display1.Listener.Unix.Map", NULL};
    return g_variant_new_strv(interfaces, -1);
}

static void listener_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    static const GDBusInterfaceVTable table = {.method_call = method_called, .get_property = property_read};
    QemuDisplay *display = data;
    g_autoptr(GError) error = NULL;
    GDBusConnection *listener = g_dbus_connection_new_finish(result, &error);

    if (!listener) {
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
            qemu_display_lose(display, error->message);
        return;
    }
    display->listener = listener;
    for (guint i = 0; display->node->interfaces[i]; i++)
        g_dbus_connection_register_object(listener, LISTENER_PATH, display->node->interfaces[i], &table,
                                          display, NULL, NULL);
    g_dbus_connection_start_message_processing(listener);
}

static void registered(GObject *source, GAsyncResult *result, gpointer data)
{
    QemuDisplay *display = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_with_unix_fd_list_finish(G_DBUS_CONNECTION(source), NULL, result, &error);
    if (!reply && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        qemu_display_lose(display, error->message);
}

void qemu_listener_register(QemuDisplay *display, GDBusConnection *connection)
{
    g_autoptr(GUnixFDList) list = g_unix_fd_list_new();
    g_autoptr(GSocketConnection) stream = NULL;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        qemu_display_lose(display, "no socket for the screen's listener");
        return;
    }
    display->node = g_dbus_node_info_new_for_xml(listener_xml, NULL);
    g_unix_fd_list_append(list, ends[1], NULL);
    close(ends[1]);
    stream = qemu_display_stream(ends[0]);
    g_dbus_connection_call_with_unix_fd_list(
        connection, NULL, CONSOLE_PATH, INTERFACE "Console", "RegisterListener", g_variant_new("(h)", 0),
        NULL, G_DBUS_CALL_FLAGS_NONE, CALL_MS, list, display->cancel, registered, display);
    if (stream)
        g_dbus_connection_new(G_IO_STREAM(stream), NULL,
                              G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                  G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
                              NULL, display->cancel, listener_ready, display);
}
