/* What the host's files share. Not for others. */
#pragma once

#include "base/packet.h"
#include "encoder/region.h"
#include "encoder/ring.h"
#include "encoder/scroll.h"
#include "encoder/shadow.h"
#include "session/seat/host.h"
#include "session/seat/stream.h"

#define HOST_KEYSYMS_HELD 16
#define HOST_CREDITS_MAX 8

typedef struct {
    SeatHost *host;
    PacketLink *link; /* NULL once it has left */
    ProcessId peer;
    gboolean view_only;
    ProcessRecord record;
    SeatHello hello;
    gboolean greeted, prefilled;

    /* input that it holds down, and its budget */
    guint8 keys[256 / 8];
    guint32 keysyms[HOST_KEYSYMS_HELD];
    guint buttons;
    gint x, y; /* px, last absolute position */
    gboolean relative;
    guint contacts; /* bit per touch contact */
    double budget;  /* packets */
    gint64 budget_us;

    /* picture */
    guint credits;
    gint64 starved_us; /* monotonic time since when it has had no credit, 0: it has */
    gboolean complete_due;
    guint64 serial;
    guint64 pass;                     /* that the last record led to */
    Damage *pending;                  /* changed and not sent */
    ScrollMove moves[SEAT_MOVES_MAX]; /* to be made before it, in order */
    guint n_moves;
    Damage *encoding; /* sent as soon as the unit is there; empty when it takes no part */
    guint64 encoding_pass;
    gboolean takes_part, encoding_complete;
    gboolean wants_moves, wants_h264, takes_chroma;
    gboolean synced; /* its decoder follows the stream */
    guint max_kbit_s;
    gboolean cursor_due, shape_due, leds_due, mode_due;
} HostClient;

typedef struct {
    Undo *undo; /* what the pass overwrites; NULL: no memory for it, nothing is searched */
    Scroll *scroll;
    Damage *left, *shifted; /* scratch */
    gboolean kept;          /* `undo` has the current pass */
    guint64 published;      /* pass */
    guint rest_timer;
    gboolean used; /* since it ran last */
} HostMoves;

struct SeatHost {
    gboolean greeter;
    const SeatHostEvents *events;
    gpointer data;
    GPtrArray *clients; /* of HostClient */
    Shadow *shadow;
    gboolean filled; /* something has been drawn into it */
    guint32 generation;
    Ring *ring;
    Damage *changed; /* scratch */
    HostMoves moves;
    Classifier *classifier;
    gint64 changed_us;
    gboolean wanted; /* what seat_host_wants() said last */

    HostStream *stream;
    gboolean encoding;
    Region region;
    Damage *unencoded; /* changed since the encoder's last picture */
    Damage *due;       /* scratch: what is to be sent */
    gint64 keyframe_us;
    guint starve_timer, late_timer;

    int cursor_fd; /* sealed memory with the shape, or -1 */
    SeatCursor cursor;
    guint leds;
    gboolean leds_known, absolute;
};

#define FOR_CLIENTS(HOST, CLIENT)                                                                            \
    for (guint index_ = 0; index_ < (HOST)->clients->len; index_++)                                          \
        for (HostClient *CLIENT = g_ptr_array_index((HOST)->clients, index_), *once_ = CLIENT; once_;        \
             once_ = NULL)

/* host.c */
HostClient *host_client_find(const SeatHost *host, ProcessId peer);
/* Drops it: releases what it holds, tells it the reason, calls `left`. The memory lives until the caller's
 * reference (host_client_ref) is gone. */
void host_client_leave(HostClient *client, EndReason reason, const char *text);
HostClient *host_client_ref(HostClient *client);
void host_client_unref(HostClient *client);
/* Sends what is due of cursor, lights and pointer mode, when nothing else waits on the link. */
void host_client_send_signs(HostClient *client);

/* host_input.c */
void host_input_received(PacketLink *link, const void *packet, gsize length, int *descriptors, guint count,
                         gpointer client);
void host_input_release(HostClient *client);

/* host_frames.c */
void host_frames_announce(HostClient *client); /* sends SEAT_BUFFER and owes it a complete frame */
void host_frames_resized(SeatHost *host);
void host_frames_pump(SeatHost *host);
void host_frames_client_clear(HostClient *client);
gboolean host_frames_can_send(const HostClient *client);
/* Sends a frame record that leads to the picture after `pass`; the credit is the caller's matter. unit may be
 * NULL; with one the client has no moves. */
void host_frames_send(HostClient *client, Damage *damage, guint64 pass, gboolean complete,
                      const SeatAccessUnit *unit);

/* host_moves.c */
void host_moves_resized(SeatHost *host);
void host_moves_clear(SeatHost *host);
/* Before a picture is copied, and before anything of it is told: finds the moves in what has changed, gives
 * each client its share of moves and damage, and returns what really is new in it. */
void host_moves_begin(SeatHost *host);
const Damage *host_moves_publish(SeatHost *host);
/* Instead, when nothing has changed. */
void host_moves_nothing(SeatHost *host);
/* The client's moves are not going to be made. */
void host_moves_become_damage(HostClient *client);

/* host_stream.c */
void host_stream_attach(SeatHost *host);
void host_stream_demand(SeatHost *host); /* subscriptions have changed */
gboolean host_stream_follows(const HostClient *client);
/* Starts encoding when it is time to; TRUE: clients that follow the stream wait for it. */
gboolean host_stream_encode(SeatHost *host, gint64 now);
/* The picture that is being encoded is of a size that has gone. */
void host_stream_cancel(SeatHost *host);
