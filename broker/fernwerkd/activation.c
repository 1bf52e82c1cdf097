/* Listeners that systemd's socket units opened (sd_listen_fds(3)), told apart by their names. */
#include "base/log.h"
#include "broker/fernwerkd/master.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_FD 3
#define DESCRIPTORS_MAX 16

static void take(Master *m, int fd, const char *name)
{
    static const char *const names[] = {[CLIENT_RDP] = "rdp", [CLIENT_VNC] = "vnc", [CLIENT_WEB] = "https"};
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (strcmp(name, "control") == 0 && m->admin_listener < 0) {
        m->admin_listener = fd;
        m->admin_inherited = TRUE;
        return;
    }
    for (ClientProtocol protocol = CLIENT_RDP; protocol <= CLIENT_WEB; protocol++) {
        if (strcmp(name, names[protocol]) == 0 && listeners_add(m, protocol, fd, "*"))
            return;
    }
    log_warning("the socket unit's descriptor \"%s\" is of no use here: rdp, vnc, https and control are known", name);
    close(fd);
}

void activation_take(Master *m)
{
    const char *pid = g_getenv("LISTEN_PID"), *count = g_getenv("LISTEN_FDS"), *names = g_getenv("LISTEN_FDNAMES");
    guint64 own, descriptors;

    if (!pid || !count || !names || !g_ascii_string_to_unsigned(pid, 10, 1, G_MAXUINT32, &own, NULL) ||
        own != (guint64)getpid() || !g_ascii_string_to_unsigned(count, 10, 1, DESCRIPTORS_MAX, &descriptors, NULL))
        return;
    g_auto(GStrv) list = g_strsplit(names, ":", -1);
    for (guint i = 0; i < descriptors && i < g_strv_length(list); i++)
        take(m, FIRST_FD + (int)i, list[i]);
}
