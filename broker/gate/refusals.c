/* The last words to a connection for which there is no room, and the wait until they are read. */
#include "broker/gate/refusals.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RFB_VERSION "RFB 003.008\n"
#define REASON "Too many connections at the moment. Try again in a minute."
#define LINGER_MS 2000
#define READ_MAX (16 * 1024) /* bytes: more than any client says before it reads */

typedef struct {
    Refusals *refusals;
    int fd;
    gsize read;
    guint watch, timer;
    GList link;
} Refusal;

struct Refusals {
    GQueue waiting; /* of Refusal, oldest first */
};

Refusals *refusals_new(void)
{
    Refusals *refusals = g_new0(Refusals, 1);
    g_queue_init(&refusals->waiting);
    return refusals;
}

gsize refusal_write(guint8 bytes[REFUSAL_MAX], ClientProtocol protocol, const char *version)
{
    static const guint8 disconnect[] = {3, 0, 0, 11, 6, 0x80, 0, 0, 0, 0, 1};
    gsize length = 0;
    if (protocol != CLIENT_VNC) {
        memcpy(bytes, disconnect, sizeof disconnect);
        return sizeof disconnect;
    }
    if (!version) {
        memcpy(bytes, RFB_VERSION, strlen(RFB_VERSION));
        length = strlen(RFB_VERSION);
    }
    gsize zeros =
        version && memcmp(version, "RFB 003.007", 11) < 0 ? 4 : 1; /* 3.3 has a word where later ones count */
    memset(bytes + length, 0, zeros + 3);
    length += zeros + 3;
    bytes[length++] = sizeof REASON - 1;
    memcpy(bytes + length, REASON, sizeof REASON - 1);
    return length + sizeof REASON - 1;
}

static void refusal_end(Refusal *refusal)
{
    g_clear_handle_id(&refusal->watch, g_source_remove);
    g_clear_handle_id(&refusal->timer, g_source_remove);
    g_queue_unlink(&refusal->refusals->waiting, &refusal->link);
    close(refusal->fd);
    g_free(refusal);
}

static gboolean refusal_readable(gint fd, GIOCondition condition, gpointer data)
{
    Refusal *refusal = data;
    char bytes[512];
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    refusal->read += n > 0 ? (gsize)n : 0;
    if (refusal->read <= READ_MAX && (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR))))
        return G_SOURCE_CONTINUE;
    refusal->watch = 0;
    refusal_end(refusal);
    return G_SOURCE_REMOVE;
}

static gboolean refusal_expired(gpointer data)
{
    Refusal *refusal = data;
    refusal->timer = 0;
    refusal_end(refusal);
    return G_SOURCE_REMOVE;
}

void refusals_take(Refusals *refusals, int fd, ClientProtocol protocol, const char *version)
{
    static const int one = 1;
    guint8 bytes[REFUSAL_MAX];
    gsize length = refusal_write(bytes, protocol, version);

    if (send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)length ||
        shutdown(fd, SHUT_WR) < 0) {
        close(fd);
        return;
    }
    if (g_queue_get_length(&refusals->waiting) >= REFUSALS_MAX)
        refusal_end(g_queue_peek_head(&refusals->waiting));
    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
    Refusal *refusal = g_new0(Refusal, 1);
    refusal->refusals = refusals;
    refusal->fd = fd;
    refusal->link.data = refusal;
    g_queue_push_tail_link(&refusals->waiting, &refusal->link);
    refusal->watch = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, refusal_readable, refusal);
    refusal->timer = g_timeout_add(LINGER_MS, refusal_expired, refusal);
}
