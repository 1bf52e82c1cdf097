/* Packets with descriptors over SOCK_SEQPACKET; the queue for slow peers. What the packets mean stands in proto/. */
#include "base/packet.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 16

gboolean packet_pair(int ends[2], GError **error)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "cannot make a socket pair: %s",
                    g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}

PacketResult packet_send(int fd, const void *packet, gsize length, const int *descriptors, guint count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)];
    } control;
    struct iovec iov = {.iov_base = (void *)packet, .iov_len = length};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

    g_return_val_if_fail(length > 0 && count <= DESCRIPTORS_MAX, PACKET_BROKEN);
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * count);
    }
    for (;;) {
        if (sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return PACKET_OK;
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ETOOMANYREFS)
            return PACKET_AGAIN;
        return errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN ? PACKET_CLOSED : PACKET_BROKEN;
    }
}

static guint take_descriptors(struct msghdr *message, int *descriptors, guint max, gboolean *surplus)
{
    guint taken = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        guint n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (guint i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
            if (taken < max) {
                descriptors[taken++] = fd;
            } else {
                close(fd);
                *surplus = TRUE;
            }
        }
    }
    return taken;
}

PacketResult packet_receive(int fd, void *buffer, gsize capacity, gsize *length, int *descriptors, guint max,
                            guint *count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)];
    } control;
    struct iovec iov = {.iov_base = buffer, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    gboolean surplus = FALSE, reset = FALSE;
    ssize_t n;

    *length = 0;
    *count = 0;
    /* A peer that closes before it has read everything leaves one ECONNRESET in front of its own last packets. */
    do {
        n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (n < 0 && (errno == EINTR || (errno == ECONNRESET && !reset && (reset = TRUE))));
    if (n < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return PACKET_AGAIN;
        return errno == ECONNRESET ? PACKET_CLOSED : PACKET_BROKEN;
    }
    *count = take_descriptors(&message, descriptors, max, &surplus);
    if (n == 0 && *count == 0)
        return PACKET_CLOSED;
    if (surplus || n == 0 || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
        for (guint i = 0; i < *count; i++)
            close(descriptors[i]);
        *count = 0;
        return PACKET_BROKEN;
    }
    *length = (gsize)n;
    return PACKET_OK;
}

typedef struct {
    GBytes *bytes;
    int descriptors[DESCRIPTORS_MAX];
    guint count;
} Waiting;

struct PacketLink {
    int fd;
    GMainContext *context;
    gsize packet_max;
    guint queue_max;
    GQueue queue; /* of Waiting */
    GSource *source;
    GIOCondition watched;
    gboolean dead;       /* closed is due or has been called */
    gboolean dispatching;
    gboolean freed;      /* free was asked for while dispatching */
    PacketLinkReceived received;
    PacketLinkClosed closed;
    gpointer data;
};

static void waiting_free(Waiting *waiting)
{
    for (guint i = 0; i < waiting->count; i++)
        close(waiting->descriptors[i]);
    g_bytes_unref(waiting->bytes);
    g_free(waiting);
}

static gboolean link_ready(gint fd, GIOCondition condition, gpointer data);

static void link_watch(PacketLink *link, GIOCondition wanted)
{
    if (link->source && link->watched == wanted)
        return;
    if (link->source) {
        g_source_destroy(link->source);
        g_source_unref(link->source);
    }
    link->watched = wanted;
    link->source = g_unix_fd_source_new(link->fd, wanted);
    g_source_set_callback(link->source, G_SOURCE_FUNC(link_ready), link, NULL);
    /* Nobody iterates inside of it; else GLib takes the descriptor out for each call and wakes itself twice. */
    g_source_set_can_recurse(link->source, TRUE);
    g_source_attach(link->source, link->context);
}

static void link_unwatch(PacketLink *link)
{
    if (link->source) {
        g_source_destroy(link->source);
        g_clear_pointer(&link->source, g_source_unref);
    }
}

static void link_destroy(PacketLink *link)
{
    link_unwatch(link);
    g_queue_clear_full(&link->queue, (GDestroyNotify)waiting_free);
    if (link->fd >= 0)
        close(link->fd);
    g_main_context_unref(link->context);
    g_free(link);
}

static void link_report_closed(PacketLink *link, gboolean broken)
{
    link_unwatch(link);
    link->dead = TRUE;
    link->closed(link, broken, link->data);
}

static PacketResult link_flush(PacketLink *link)
{
    while (!g_queue_is_empty(&link->queue)) {
        Waiting *waiting = g_queue_peek_head(&link->queue);
        gsize length;
        const void *bytes = g_bytes_get_data(waiting->bytes, &length);
        PacketResult result = packet_send(link->fd, bytes, length, waiting->descriptors, waiting->count);
        if (result != PACKET_OK)
            return result;
        waiting_free(g_queue_pop_head(&link->queue));
    }
    return PACKET_OK;
}

/* Bounded, so that a chatty peer cannot keep the main loop to itself. */
#define PACKETS_A_TURN 64

static PacketResult link_read(PacketLink *link)
{
    g_autofree char *buffer = g_malloc(link->packet_max);
    /* Also when sending has failed already: the peer's last words tell why. */
    for (guint turn = 0; turn < PACKETS_A_TURN && !link->freed; turn++) {
        int descriptors[DESCRIPTORS_MAX];
        guint count;
        gsize length;
        PacketResult result =
            packet_receive(link->fd, buffer, link->packet_max, &length, descriptors, DESCRIPTORS_MAX, &count);
        if (result != PACKET_OK)
            return result;
        link->received(link, buffer, length, descriptors, count, link->data);
        explicit_bzero(buffer, length); /* it may have held a password */
        for (guint i = 0; i < count; i++)
            if (descriptors[i] >= 0)
                close(descriptors[i]);
    }
    return PACKET_OK;
}

static gboolean link_ready(gint fd, GIOCondition condition, gpointer data)
{
    PacketLink *link = data;
    PacketResult result = PACKET_OK;

    link->dispatching = TRUE;
    if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR)) {
        result = link_read(link);
    }
    if (!link->freed && !link->dead && (result == PACKET_OK || result == PACKET_AGAIN)) {
        result = link_flush(link);
        if (result == PACKET_OK || result == PACKET_AGAIN)
            link_watch(link, G_IO_IN | (g_queue_is_empty(&link->queue) ? 0 : G_IO_OUT));
    }
    if (!link->freed && (link->dead || result == PACKET_CLOSED || result == PACKET_BROKEN))
        link_report_closed(link, link->dead || result == PACKET_BROKEN);
    link->dispatching = FALSE;
    if (link->freed)
        link_destroy(link);
    return G_SOURCE_CONTINUE;
}

PacketLink *packet_link_new(int fd, GMainContext *context, gsize packet_max, guint queue_max,
                            PacketLinkReceived received, PacketLinkClosed closed, gpointer data)
{
    PacketLink *link = g_new0(PacketLink, 1);
    link->fd = fd;
    link->context = g_main_context_ref(context ? context : g_main_context_default());
    link->packet_max = packet_max;
    link->queue_max = queue_max;
    link->received = received;
    link->closed = closed;
    link->data = data;
    g_queue_init(&link->queue);
    link_watch(link, G_IO_IN);
    return link;
}

static void link_fail_later(PacketLink *link)
{
    link->dead = TRUE;
    /* A writable socket wakes the loop at once; a full one is readable-or-hung-up soon enough only if the peer acts,
     * so shut it down: that makes it readable here and tells the peer. */
    shutdown(link->fd, SHUT_RDWR);
    link_watch(link, G_IO_IN | G_IO_OUT);
}

gboolean packet_link_send(PacketLink *link, const void *packet, gsize length, const int *descriptors, guint count)
{
    if (link->dead || link->freed)
        return FALSE;
    if (g_queue_is_empty(&link->queue)) {
        PacketResult result = packet_send(link->fd, packet, length, descriptors, count);
        if (result == PACKET_OK)
            return TRUE;
        if (result != PACKET_AGAIN) {
            link_fail_later(link);
            return FALSE;
        }
    }
    if (g_queue_get_length(&link->queue) >= link->queue_max) {
        link_fail_later(link);
        return FALSE;
    }
    Waiting *waiting = g_new0(Waiting, 1);
    waiting->bytes = g_bytes_new(packet, length);
    for (guint i = 0; i < count; i++)
        waiting->descriptors[waiting->count++] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, 0);
    g_queue_push_tail(&link->queue, waiting);
    link_watch(link, G_IO_IN | G_IO_OUT);
    return TRUE;
}

guint packet_link_queued(PacketLink *link)
{
    return g_queue_get_length(&link->queue);
}

void packet_link_free(PacketLink *link)
{
    if (!link)
        return;
    if (link->dispatching) {
        link->freed = TRUE;
        link_unwatch(link);
        return;
    }
    link_destroy(link);
}
