/* The display's thread: main connection, listener, and the state that it shares with the main thread. */
#include "session/seat/qemu_display.h"

#include "base/log.h"
#include "encoder/damage.h"

#include <gio/gunixfdlist.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONSOLE_PATH "/org/qemu/Display1/Console_0"
#define LISTENER_PATH "/org/qemu/Display1/Listener"
#define INTERFACE "org.qemu.Display1."
#define CALL_MS 10000

static const char listener_xml[] =
    "<node><interface name='org.qemu.Display1.Listener'>"
    "<method name='Scanout'><arg type='u' name='width'/><arg type='u' name='height'/><arg type='u' name='stride'/>"
    "<arg type='u' name='pixman_format'/><arg type='ay' name='data'/></method>"
    "<method name='Update'><arg type='i' name='x'/><arg type='i' name='y'/><arg type='i' name='width'/>"
    "<arg type='i' name='height'/><arg type='u' name='stride'/><arg type='u' name='pixman_format'/>"
    "<arg type='ay' name='data'/></method>"
    "<method name='Disable'/>"
    "<method name='MouseSet'><arg type='i' name='x'/><arg type='i' name='y'/><arg type='i' name='on'/></method>"
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
    gboolean lost;

    GMutex lock; /* guards the rest */
    GDBusConnection *connection;
    Surface *surface;
    Damage *damage;    /* of the surface's size */
    gboolean announced; /* `changed` is due or was called, and nothing has been taken since */
    GBytes *cursor;
    guint cursor_width, cursor_height, hot_x, hot_y;
    gboolean cursor_changed, visibility_changed, cursor_visible;
};

static void display_unref(gpointer data)
{
    QemuDisplay *display = data;
    if (!g_atomic_ref_count_dec(&display->references))
        return;
    g_clear_pointer(&display->surface, surface_unref);
    g_clear_pointer(&display->damage, damage_free);
    g_clear_pointer(&display->cursor, g_bytes_unref);
    g_main_loop_unref(display->loop);
    g_main_context_unref(display->context);
    g_mutex_clear(&display->lock);
    g_free(display);
}

static QemuDisplay *display_ref(QemuDisplay *display)
{
    g_atomic_ref_count_inc(&display->references);
    return display;
}

/* ---- to the main thread ---- */

typedef struct {
    QemuDisplay *display;
    void (*function)(QemuDisplay *display, const char *text, guint number);
    char *text;
    guint number;
} Note;

static gboolean note_deliver(gpointer data)
{
    Note *note = data;
    if (note->display->events)
        note->function(note->display, note->text, note->number);
    return G_SOURCE_REMOVE;
}

static void note_free(gpointer data)
{
    Note *note = data;
    display_unref(note->display);
    g_free(note->text);
    g_free(note);
}

static void post(QemuDisplay *display, void (*function)(QemuDisplay *, const char *, guint), const char *text,
                 guint number)
{
    Note *note = g_new0(Note, 1);
    note->display = display_ref(display);
    note->function = function;
    note->text = g_strdup(text);
    note->number = number;
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, note_deliver, note, note_free);
    g_source_attach(source, NULL);
}

static void tell_connected(QemuDisplay *display, const char *text, guint number)
{
    display->events->connected(display->data);
}

static void tell_changed(QemuDisplay *display, const char *text, guint number)
{
    display->events->changed(display->data);
}

static void tell_lost(QemuDisplay *display, const char *text, guint number)
{
    display->events->lost(text, display->data);
}

static void tell_leds(QemuDisplay *display, const char *text, guint number)
{
    display->events->leds(number, display->data);
}

static void tell_absolute(QemuDisplay *display, const char *text, guint number)
{
    display->events->absolute(number != 0, display->data);
}

/* Under the lock. */
static void announce(QemuDisplay *display)
{
    if (display->announced)
        return;
    display->announced = TRUE;
    post(display, tell_changed, NULL, 0);
}

static void lose(QemuDisplay *display, const char *text)
{
    if (display->lost)
        return;
    display->lost = TRUE;
    g_mutex_lock(&display->lock);
    g_clear_object(&display->connection);
    g_mutex_unlock(&display->lock);
    post(display, tell_lost, text, 0);
}

/* ---- what QEMU says ---- */

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
        log_warning("display: a picture of %ux%u px, format 0x%x cannot be shown", width, height, format);
        return;
    }
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
    if (now && !now->shared && surface_put(now, x, y, width, height, stride, format, data, length))
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
    Surface *surface = surface_cache_map(display->cache, descriptors[handle], offset, width, height, stride, format,
                                         &error);
    if (surface)
        show_surface(display, surface);
    else
        log_warning("display: %s", error->message);
}

static void take_disable(QemuDisplay *display)
{
    Surface *now = display->surface;
    Surface *black = now ? surface_new_own(now->width, now->height) : NULL;
    if (black)
        show_surface(display, black);
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

static void method_called(GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                          const char *method, GVariant *arguments, GDBusMethodInvocation *invocation, gpointer data)
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
            lose(display, error->message);
        return;
    }
    display->listener = listener;
    for (guint i = 0; display->node->interfaces[i]; i++)
        g_dbus_connection_register_object(listener, LISTENER_PATH, display->node->interfaces[i], &table, display, NULL,
                                          NULL);
    g_dbus_connection_start_message_processing(listener);
}

static void registered(GObject *source, GAsyncResult *result, gpointer data)
{
    QemuDisplay *display = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_with_unix_fd_list_finish(G_DBUS_CONNECTION(source), NULL, result, &error);
    if (!reply && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        lose(display, error->message);
}

static GSocketConnection *stream_of(int fd)
{
    g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, NULL);
    if (!socket) {
        close(fd);
        return NULL;
    }
    return g_socket_connection_factory_create_connection(socket);
}

static void register_listener(QemuDisplay *display, GDBusConnection *connection)
{
    g_autoptr(GUnixFDList) list = g_unix_fd_list_new();
    g_autoptr(GSocketConnection) stream = NULL;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        lose(display, "no socket for the screen's listener");
        return;
    }
    g_unix_fd_list_append(list, ends[1], NULL);
    close(ends[1]);
    stream = stream_of(ends[0]);
    g_dbus_connection_call_with_unix_fd_list(connection, NULL, CONSOLE_PATH, INTERFACE "Console", "RegisterListener",
                                             g_variant_new("(h)", 0), NULL, G_DBUS_CALL_FLAGS_NONE, CALL_MS, list,
                                             display->cancel, registered, display);
    if (stream)
        g_dbus_connection_new(G_IO_STREAM(stream), NULL,
                              G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                  G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
                              NULL, display->cancel, listener_ready, display);
}

/* ---- properties ---- */

static void take_property(QemuDisplay *display, const char *name, GVariant *value)
{
    if (strcmp(name, "Modifiers") == 0 && g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32))
        post(display, tell_leds, NULL, g_variant_get_uint32(value) & 7);
    else if (strcmp(name, "IsAbsolute") == 0 && g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
        post(display, tell_absolute, NULL, g_variant_get_boolean(value));
}

static void take_properties(QemuDisplay *display, GVariant *dictionary)
{
    GVariantIter iterator;
    const char *name;
    GVariant *value;

    g_variant_iter_init(&iterator, dictionary);
    while (g_variant_iter_loop(&iterator, "{&sv}", &name, &value))
        take_property(display, name, value);
}

static void properties_read(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GVariant) reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);
    if (reply) {
        g_autoptr(GVariant) dictionary = g_variant_get_child_value(reply, 0);
        take_properties(data, dictionary);
    }
}

static void properties_changed(GDBusConnection *connection, const char *sender, const char *path,
                               const char *interface, const char *name, GVariant *arguments, gpointer data)
{
    if (!g_variant_is_of_type(arguments, G_VARIANT_TYPE("(sa{sv}as)")))
        return;
    g_autoptr(GVariant) dictionary = g_variant_get_child_value(arguments, 1);
    take_properties(data, dictionary);
}

static void follow_properties(QemuDisplay *display, GDBusConnection *connection)
{
    static const char *const interfaces[] = {INTERFACE "Keyboard", INTERFACE "Mouse"};

    g_dbus_connection_signal_subscribe(connection, NULL, "org.freedesktop.DBus.Properties", "PropertiesChanged",
                                       CONSOLE_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE, properties_changed, display,
                                       NULL);
    for (guint i = 0; i < G_N_ELEMENTS(interfaces); i++)
        g_dbus_connection_call(connection, NULL, CONSOLE_PATH, "org.freedesktop.DBus.Properties", "GetAll",
                               g_variant_new("(s)", interfaces[i]), G_VARIANT_TYPE("(a{sv})"), G_DBUS_CALL_FLAGS_NONE,
                               CALL_MS, display->cancel, properties_read, display);
}

/* ---- connecting ---- */

static void connection_closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer data)
{
    lose(data, "the virtual machine's display has closed");
}

static void connected(GObject *source, GAsyncResult *result, gpointer data)
{
    QemuDisplay *display = data;
    g_autoptr(GError) error = NULL;
    GDBusConnection *connection = g_dbus_connection_new_finish(result, &error);

    if (!connection) {
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
            lose(display, error->message);
        return;
    }
    g_signal_connect(connection, "closed", G_CALLBACK(connection_closed), display);
    g_mutex_lock(&display->lock);
    display->connection = connection;
    g_mutex_unlock(&display->lock);
    follow_properties(display, connection);
    register_listener(display, connection);
    post(display, tell_connected, NULL, 0);
}

static void end_connection(GDBusConnection *connection, QemuDisplay *display)
{
    g_signal_handlers_disconnect_by_data(connection, display);
    g_dbus_connection_close(connection, NULL, NULL, NULL);
    g_object_unref(connection);
}

static gpointer display_thread(gpointer data)
{
    QemuDisplay *display = data;
    GSocketConnection *stream;

    g_main_context_push_thread_default(display->context);
    display->cancel = g_cancellable_new();
    display->cache = surface_cache_new();
    display->node = g_dbus_node_info_new_for_xml(listener_xml, NULL);
    stream = stream_of(display->fd);
    if (stream)
        g_dbus_connection_new(G_IO_STREAM(stream), NULL, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL,
                              display->cancel, connected, display);
    else
        lose(display, "the display's socket cannot be used");
    g_clear_object(&stream);
    g_main_loop_run(display->loop);

    g_cancellable_cancel(display->cancel);
    if (display->listener)
        end_connection(g_steal_pointer(&display->listener), display);
    g_mutex_lock(&display->lock);
    GDBusConnection *connection = g_steal_pointer(&display->connection);
    g_mutex_unlock(&display->lock);
    if (connection)
        end_connection(connection, display);
    /* What was cancelled says so from here, while its data still lives. */
    while (g_main_context_iteration(display->context, FALSE))
        ;
    g_clear_object(&display->cancel);
    surface_cache_free(display->cache);
    g_dbus_node_info_unref(display->node);
    g_main_context_pop_thread_default(display->context);
    display_unref(display);
    return NULL;
}

QemuDisplay *qemu_display_new(int fd, const QemuDisplayEvents *events, gpointer data)
{
    QemuDisplay *display = g_new0(QemuDisplay, 1);
    g_atomic_ref_count_init(&display->references);
    g_mutex_init(&display->lock);
    display->events = events;
    display->data = data;
    display->fd = fd;
    display->context = g_main_context_new();
    display->loop = g_main_loop_new(display->context, FALSE);
    display->thread = g_thread_new("display", display_thread, display_ref(display));
    return display;
}

static gboolean quit(gpointer data)
{
    g_main_loop_quit(data);
    return G_SOURCE_REMOVE;
}

void qemu_display_free(QemuDisplay *display)
{
    if (!display)
        return;
    display->events = NULL;
    /* As a source, so that a thread that has not reached its loop yet ends too. */
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_callback(source, quit, display->loop, NULL);
    g_source_attach(source, display->context);
    g_thread_join(display->thread);
    display_unref(display);
}

/* ---- the main thread's side ---- */

void qemu_display_take(QemuDisplay *display, QemuPicture *picture)
{
    memset(picture, 0, sizeof *picture);
    g_mutex_lock(&display->lock);
    display->announced = FALSE;
    if (display->surface) {
        picture->surface = surface_ref(display->surface);
        picture->rect_count = damage_rects(display->damage, picture->rects);
        damage_clear(display->damage);
    }
    picture->cursor_changed = display->cursor_changed;
    if (display->cursor_changed)
        picture->cursor = g_bytes_ref(display->cursor);
    picture->cursor_width = display->cursor_width;
    picture->cursor_height = display->cursor_height;
    picture->hot_x = display->hot_x;
    picture->hot_y = display->hot_y;
    picture->visibility_changed = display->visibility_changed;
    picture->cursor_visible = display->cursor_visible;
    display->cursor_changed = display->visibility_changed = FALSE;
    g_mutex_unlock(&display->lock);
}

void qemu_picture_clear(QemuPicture *picture)
{
    g_clear_pointer(&picture->surface, surface_unref);
    g_clear_pointer(&picture->cursor, g_bytes_unref);
}

void qemu_display_size(QemuDisplay *display, guint *width, guint *height)
{
    g_mutex_lock(&display->lock);
    *width = display->surface ? display->surface->width : 0;
    *height = display->surface ? display->surface->height : 0;
    g_mutex_unlock(&display->lock);
}

typedef struct {
    void (*done)(gpointer data);
    gpointer data;
} Call;

static void call_answered(GObject *source, GAsyncResult *result, gpointer data)
{
    Call *call = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    if (!reply)
        log_debug("display: %s", error->message);
    if (call->done)
        call->done(call->data);
    g_free(call);
}

gboolean qemu_display_call(QemuDisplay *display, const char *interface, const char *method, GVariant *arguments,
                           void (*done)(gpointer data), gpointer data)
{
    g_autoptr(GVariant) held = g_variant_ref_sink(arguments);
    g_autofree char *name = g_strconcat(INTERFACE, interface, NULL);

    g_mutex_lock(&display->lock);
    g_autoptr(GDBusConnection) connection = display->connection ? g_object_ref(display->connection) : NULL;
    g_mutex_unlock(&display->lock);
    if (!connection)
        return FALSE;
    Call *call = g_new0(Call, 1);
    call->done = done;
    call->data = data;
    g_dbus_connection_call(connection, NULL, CONSOLE_PATH, name, method, held, NULL, G_DBUS_CALL_FLAGS_NONE, CALL_MS,
                           NULL, call_answered, call);
    return TRUE;
}
