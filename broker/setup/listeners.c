/* The sockets that outlive broker, gate and web: clients' listeners and the admin socket. */
#include "base/log.h"
#include "broker/setup/setup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 512

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} Address;

static socklen_t fill_address(Address *address, const char *host, guint16 port, gboolean v6)
{
    memset(address, 0, sizeof *address);
    if (v6) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons(port);
        inet_pton(AF_INET6, host, &address->v6.sin6_addr);
        return sizeof address->v6;
    }
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons(port);
    inet_pton(AF_INET, host, &address->v4.sin_addr);
    return sizeof address->v4;
}

static int open_socket(const Endpoint *endpoint)
{
    gboolean all = strcmp(endpoint->host, "*") == 0, v6 = all || strchr(endpoint->host, ':');
    int zero = 0, one = 1;
    Address address;
    int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 && all) { /* a kernel without IPv6 */
        v6 = FALSE;
        fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    if (fd < 0)
        return -1;
    socklen_t length =
        fill_address(&address, all ? (v6 ? "::" : "0.0.0.0") : endpoint->host, endpoint->port, v6);
    if (v6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, all ? &zero : &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, &address.any, length) < 0 || listen(fd, BACKLOG) < 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static guint port_of(int fd)
{
    Address address = {.any.sa_family = AF_UNSPEC};
    socklen_t length = sizeof address;
    getsockname(fd, &address.any, &length);
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* libvirt hands these out itself: VNC, SPICE and their WebSockets; migrations. */
static gboolean is_libvirts(guint port)
{
    return (port >= 5700 && port <= 5999) || (port >= 49152 && port <= 49215);
}

/* The kernel chooses a free port without knowing libvirt's: what it should not have chosen is held until it
 * finds another. */
static int open_one(const Endpoint *endpoint)
{
    int held[512], fd;
    guint count = 0;
    while ((fd = open_socket(endpoint)) >= 0 && endpoint->port == 0 && is_libvirts(port_of(fd)) &&
           count < G_N_ELEMENTS(held))
        held[count++] = fd;
    int saved = errno;
    while (count > 0)
        close(held[--count]);
    errno = saved;
    return fd;
}

/* Bounded by the descriptors that fit into the gate's and the web's first packet, as in the table of keys. */
static guint limit_of(ClientProtocol protocol)
{
    return protocol == CLIENT_WEB ? 1 : 4;
}

static guint count_of(const Setup *setup, ClientProtocol protocol)
{
    guint count = 0;
    for (guint i = 0; i < setup->node.listener_count; i++)
        count += setup->node.listeners[i].protocol == protocol;
    return count;
}

gboolean listeners_add(Setup *setup, ClientProtocol protocol, int fd, const char *host)
{
    if (count_of(setup, protocol) >= limit_of(protocol))
        return FALSE;
    guint index = setup->node.listener_count++;
    setup->node.listeners[index].protocol = protocol;
    g_snprintf(setup->node.listeners[index].name, sizeof setup->node.listeners[index].name,
               strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port_of(fd));
    setup->listeners[index] = fd;
    return TRUE;
}

static gboolean open_key(Setup *setup, const char *key, ClientProtocol protocol, GError **error)
{
    g_autoptr(GPtrArray) list = config_endpoints(config_string(setup->config, key), error);
    if (!list)
        return FALSE;
    if (count_of(setup, protocol) > 0) /* from a socket unit */
        return TRUE;
    for (guint i = 0; i < list->len; i++) {
        const Endpoint *endpoint = list->pdata[i];
        int fd = open_one(endpoint);
        if (fd < 0) {
            int code = errno;
            const char *advice =
                code == EADDRINUSE      ? ": another program listens there; stop it or change the key"
                : code == EADDRNOTAVAIL ? ": this machine has no such address; change the key"
                                        : "";
            g_set_error(error, G_IO_ERROR, g_io_error_from_errno(code),
                        "%s: cannot listen on %s port %u: %s%s", key, endpoint->host, endpoint->port,
                        g_strerror(code), advice);
            return FALSE;
        }
        listeners_add(setup, protocol, fd, endpoint->host);
    }
    return TRUE;
}

static gboolean admin_socket_is_alive(const struct sockaddr_un *address)
{
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    gboolean alive = connect(probe, (const struct sockaddr *)address, sizeof *address) == 0;
    close(probe);
    return alive;
}

static gboolean open_admin_socket(Setup *setup, GError **error)
{
    const char *path = config_string(setup->config, "fernwerk.admin_socket");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_autofree char *folder = g_path_get_dirname(path);

    g_strlcpy(address.sun_path, path, sizeof address.sun_path); /* the table bounds it */
    if (admin_socket_is_alive(&address)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "fernwerk.admin_socket: another instance answers at %s; give this one a path of its own",
                    path);
        return FALSE;
    }
    g_mkdir_with_parents(folder, 0755);
    unlink(path);
    setup->admin_listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t mask = umask(0177);
    int bound = bind(setup->admin_listener, (struct sockaddr *)&address, sizeof address);
    umask(mask);
    if (bound < 0 || chown(path, 0, setup->admin_gid) < 0 || chmod(path, 0660) < 0 ||
        listen(setup->admin_listener, 64) < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "cannot make the admin socket %s: %s",
                    path, g_strerror(errno));
        return FALSE;
    }
    g_strlcpy(setup->node.admin_socket, path, sizeof setup->node.admin_socket);
    return TRUE;
}

gboolean listeners_open(Setup *setup, GError **error)
{
    activation_take(setup);
    return open_key(setup, "listen.rdp", CLIENT_RDP, error) &&
           open_key(setup, "listen.vnc", CLIENT_VNC, error) &&
           open_key(setup, "listen.https", CLIENT_WEB, error) &&
           (setup->admin_listener >= 0 || open_admin_socket(setup, error));
}
