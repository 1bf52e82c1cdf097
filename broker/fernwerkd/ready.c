/* Telling the outside that all is up, and taking it back at the end. */
#include "base/log.h"
#include "base/notify.h"
#include "broker/fernwerkd/master.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <unistd.h>

void ready_publish(const Master *m)
{
    static const char *const names[] = {[CLIENT_RDP] = "rdp", [CLIENT_VNC] = "vnc", [CLIENT_WEB] = "https"};
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    g_string_append_printf(text, "pid=%d\n", (int)getpid());
    for (guint i = 0; i < m->node.listener_count; i++) {
        g_string_append_printf(text, "%s=%s\n", names[m->node.listeners[i].protocol],
                               m->node.listeners[i].name);
        log_info("ready on %s", m->node.listeners[i].name);
    }
    if (!g_file_set_contents_full(m->node.ready_path, text->str, (gssize)text->len,
                                  G_FILE_SET_CONTENTS_CONSISTENT, 0644, &error))
        log_error("%s", error->message);
    notify_service_manager("READY=1");
}

void ready_withdraw(const Master *m)
{
    g_unlink(m->node.ready_path);
    if (*m->node.admin_socket)
        g_unlink(m->node.admin_socket);
}
