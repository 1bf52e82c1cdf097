/* One datagram to the service manager, and two variables from it. */
#include "base/notify.h"

#include "base/log.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify_service_manager(const char *state)
{
    const char *path = g_getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof address.sun_path)
        return;
    strcpy(address.sun_path, path);
    if (*path == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
                         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) < 0)
        log_warning("cannot tell the service manager \"%s\": %s", state, g_strerror(errno));
    if (fd >= 0)
        close(fd);
}

guint notify_passed(pid_t pid)
{
    const char *whose = g_getenv("LISTEN_PID"), *count = g_getenv("LISTEN_FDS");
    guint64 meant, descriptors;
    if (!whose || !count || !g_ascii_string_to_unsigned(whose, 10, 1, G_MAXUINT32, &meant, NULL) ||
        meant != (guint64)pid ||
        !g_ascii_string_to_unsigned(count, 10, 1, NOTIFY_PASSED_MAX, &descriptors, NULL))
        return 0;
    return (guint)descriptors;
}
