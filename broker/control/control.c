/* The server: the listener, its links, the web's stream. */
#include "broker/control/control_internal.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ADMIN_LINKS_MAX 64

Control *control_new(Store *store, Login *login, const Config *config, const ControlBackend *backend,
                     gpointer data)
{
    Control *control = g_new0(Control, 1);
    control->store = store;
    control->login = login;
    control->config = config;
    control->backend = backend;
    control->data = data;
    control->listener = -1;
    control->links = g_ptr_array_new();
    return control;
}

void control_free(Control *control)
{
    if (!control)
        return;
    g_clear_handle_id(&control->listener_source, g_source_remove);
    if (control->listener >= 0)
        close(control->listener);
    while (control->links->len > 0)
        control_link_close(control->links->pdata[0]);
    g_ptr_array_unref(control->links);
    g_free(control);
}

/* Said without a request, to somebody who may not ask. Best effort: the socket is new and its buffer empty.
 */
static void turn_away(int fd, const char *code, const char *message, const char *hint)
{
    g_autofree char *line = g_strdup_printf(
        "{\"id\":0,\"error\":{\"code\":\"%s\",\"message\":\"%s\",\"hint\":\"%s\"}}\n", code, message, hint);
    if (send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        log_debug("nobody waits for the refusal");
    close(fd);
}

static gboolean on_connection(gint listener, GIOCondition condition, gpointer data)
{
    Control *control = data;
    g_autofree char *actor = NULL;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            log_warning("admin socket: %s", g_strerror(errno));
        return G_SOURCE_CONTINUE;
    }
    if (!control_peer_check(fd, control->has_admin_group, control->admin_group, &actor)) {
        log_warning("admin socket: somebody who is neither root nor in the admin group was refused");
        turn_away(fd, "denied", "Only root and members of the admin group may do this.",
                  "Use sudo, or see admin_group in fernwerk.conf.");
        return G_SOURCE_CONTINUE;
    }
    if (control->links->len >= ADMIN_LINKS_MAX) {
        turn_away(fd, "unreachable", "Too many commands at a time.", "Try again in a moment.");
        return G_SOURCE_CONTINUE;
    }
    control_link_new(control, fd, FALSE, actor);
    return G_SOURCE_CONTINUE;
}

static gboolean find_group(Control *control, GError **error)
{
    const char *name = config_string(control->config, "fernwerk.admin_group");
    guint64 number;
    if (!*name)
        return TRUE;
    control->has_admin_group = TRUE;
    const struct group *found = getgrnam(name);
    if (found) {
        control->admin_group = found->gr_gid;
        return TRUE;
    }
    if (g_ascii_string_to_unsigned(name, 10, 0, G_MAXUINT32 - 1, &number, NULL)) {
        control->admin_group = (gid_t)number;
        return TRUE;
    }
    control->has_admin_group = FALSE;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "fernwerk.admin_group: there is no group %s", name);
    return FALSE;
}

gboolean control_listen(Control *control, int listener, GError **error)
{
    gboolean known = find_group(control, error);
    g_unix_set_fd_nonblocking(listener, TRUE, NULL);
    control->listener = listener;
    control->listener_source = g_unix_fd_add(listener, G_IO_IN, on_connection, control);
    return known;
}

void control_attach_web(Control *control, int fd)
{
    if (control->web)
        control_link_close(control->web);
    g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    control->web = control_link_new(control, fd, TRUE, "web");
}
