/* Packets with descriptors over SOCK_SEQPACKET: the one way in which Fernwerk's processes talk. */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Makes a connected, non-blocking, close-on-exec SOCK_SEQPACKET pair in ends[0..1]. Returns FALSE with error set. */
gboolean packet_pair(int ends[2], GError **error);

typedef enum {
    PACKET_OK,
    PACKET_AGAIN,  /* would block: nothing was sent or nothing is there */
    PACKET_CLOSED, /* the peer has closed or reset the link */
    PACKET_BROKEN, /* larger than `capacity`, too many descriptors, or another error: give the link up */
} PacketResult;

/* Sends one packet of `length` bytes with `count` descriptors (borrowed). Never blocks, never raises SIGPIPE. */
PacketResult packet_send(int fd, const void *packet, gsize length, const int *descriptors, guint count);

/* Receives one packet into `buffer` of `capacity` bytes; *length gets its size. Up to `max` descriptors go to
 * `descriptors` (close-on-exec, owned by the caller), *count gets their number; surplus ones are closed and the packet
 * counts as broken. Never blocks. */
PacketResult packet_receive(int fd, void *buffer, gsize capacity, gsize *length, int *descriptors, guint max,
                            guint *count);

/* A link in a main loop: owns its descriptor, reads packets, keeps a bounded queue of what could not be sent yet. */
typedef struct PacketLink PacketLink;

/* One packet has come. `descriptors` are borrowed: dup or steal them by setting the slot to -1; the rest are closed.
 * The link may be freed in here. */
typedef void (*PacketLinkReceived)(PacketLink *link, const void *packet, gsize length, int *descriptors, guint count,
                                   gpointer data);
/* The peer is gone, sent garbage (broken TRUE) or did not read for so long that the queue is full. Called once. */
typedef void (*PacketLinkClosed)(PacketLink *link, gboolean broken, gpointer data);

/* Takes `fd` over and watches it in `context` (NULL: the default one). Packets of up to `packet_max` bytes;
 * `queue_max` packets may wait for a slow peer. */
PacketLink *packet_link_new(int fd, GMainContext *context, gsize packet_max, guint queue_max,
                            PacketLinkReceived received, PacketLinkClosed closed, gpointer data);

/* Sends or queues; descriptors are duplicated when queued. FALSE: the link is closed or its queue is full (then the
 * closed callback follows from the main loop). Thread of the link's context only. */
gboolean packet_link_send(PacketLink *link, const void *packet, gsize length, const int *descriptors, guint count);

/* Packets that wait in the queue. */
guint packet_link_queued(PacketLink *link);

/* Closes the descriptor, frees. No callback follows. NULL is allowed. */
void packet_link_free(PacketLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PacketLink, packet_link_free)
