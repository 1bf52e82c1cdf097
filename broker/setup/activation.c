/* Listeners that systemd's socket units opened for the master (sd_listen_fds(3)), told apart by their names.
 */
#include "base/log.h"
#include "base/notify.h"
#include "broker/setup/setup.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_FD 3

static void take(Setup *setup, int fd, const char *name)
{
    static const char *const names[] = {[CLIENT_RDP] = "rdp", [CLIENT_VNC] = "vnc", [CLIENT_WEB] = "https"};
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (strcmp(name, "control") == 0 && setup->admin_listener < 0) {
        setup->admin_listener = fd;
        return;
    }
    for (ClientProtocol protocol = CLIENT_RDP; protocol <= CLIENT_WEB; protocol++) {
        if (strcmp(name, names[protocol]) == 0 && listeners_add(setup, protocol, fd, "*"))
            return;
    }
    log_warning(
        "the socket unit's descriptor \"%s\" is of no use here: rdp, vnc, https and control are known", name);
    close(fd);
}

void activation_take(Setup *setup)
{
    const char *names = g_getenv("LISTEN_FDNAMES");
    guint passed = names ? notify_passed(getppid()) : 0;

    if (!passed)
        return;
    g_auto(GStrv) list = g_strsplit(names, ":", -1);
    for (guint i = 0; i < passed && i < g_strv_length(list); i++)
        take(setup, FIRST_FD + (int)i, list[i]);
}
