/* The display's connection and thread, and the main thread's side of it. What QEMU shows is in
 * qemu_listener.c. */
#include "base/log.h"
#include "session/seat/qemu_display_private.h"

#include <string.h>
#include <unistd.h>

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

void qemu_display_post(QemuDisplay *display, void (*function)(QemuDisplay *, const char *, guint),
                       const char *text, guint number)
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

void qemu_display_tell_changed(QemuDisplay *display, const char *text, guint number)
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

void qemu_display_lose(QemuDisplay *display, const char *text)
{
    if (display->lost)
        return;
    display->lost = TRUE;
    g_mutex_lock(&display->lock);
    g_clear_object(&display->connection);
    g_mutex_unlock(&display->lock);
    qemu_display_post(display, tell_lost, text, 0);
}

/* ---- properties ---- */

/* 0 is also what QEMU says before the guest has ever set its lights: told on, it would switch the client's
 * lock keys off. */
static void take_modifiers(QemuDisplay *display, guint mask)
{
    if (mask == 0 && !display->lights_known)
        return;
    display->lights_known = TRUE;
    qemu_display_post(display, tell_leds, NULL, mask);
}

static void take_property(QemuDisplay *display, const char *name, GVariant *value)
{
    if (strcmp(name, "Modifiers") == 0 && g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32))
        take_modifiers(display, g_variant_get_uint32(value) & 7);
    else if (strcmp(name, "IsAbsolute") == 0 && g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
        qemu_display_post(display, tell_absolute, NULL, g_variant_get_boolean(value));
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

    g_dbus_connection_signal_subscribe(connection, NULL, "org.freedesktop.DBus.Properties",
                                       "PropertiesChanged", CONSOLE_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
                                       properties_changed, display, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(interfaces); i++)
        g_dbus_connection_call(connection, NULL, CONSOLE_PATH, "org.freedesktop.DBus.Properties", "GetAll",
                               g_variant_new("(s)", interfaces[i]), G_VARIANT_TYPE("(a{sv})"),
                               G_DBUS_CALL_FLAGS_NONE, CALL_MS, display->cancel, properties_read, display);
}

/* ---- connecting ---- */

GSocketConnection *qemu_display_stream(int fd)
{
    g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, NULL);
    if (!socket) {
        close(fd);
        return NULL;
    }
    return g_socket_connection_factory_create_connection(socket);
}

static void connection_closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer data)
{
    qemu_display_lose(data, "the virtual machine's display has closed");
}

static void connected(GObject *source, GAsyncResult *result, gpointer data)
{
    QemuDisplay *display = data;
    g_autoptr(GError) error = NULL;
    GDBusConnection *connection = g_dbus_connection_new_finish(result, &error);

    if (!connection) {
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
            qemu_display_lose(display, error->message);
        return;
    }
    g_signal_connect(connection, "closed", G_CALLBACK(connection_closed), display);
    g_mutex_lock(&display->lock);
    display->connection = connection;
    g_mutex_unlock(&display->lock);
    follow_properties(display, connection);
    qemu_listener_register(display, connection);
    qemu_display_post(display, tell_connected, NULL, 0);
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
    stream = qemu_display_stream(display->fd);
    if (stream)
        g_dbus_connection_new(G_IO_STREAM(stream), NULL, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL,
                              display->cancel, connected, display);
    else
        qemu_display_lose(display, "the display's socket cannot be used");
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
    g_clear_pointer(&display->node, g_dbus_node_info_unref);
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

gboolean qemu_display_call(QemuDisplay *display, const char *interface, const char *method,
                           GVariant *arguments, void (*done)(gpointer data), gpointer data)
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
    g_dbus_connection_call(connection, NULL, CONSOLE_PATH, name, method, held, NULL, G_DBUS_CALL_FLAGS_NONE,
                           CALL_MS, NULL, call_answered, call);
    return TRUE;
}
