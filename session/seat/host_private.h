/* What the host's files share. Not for others. */
#pragma once

#include "base/packet.h"
#include "encoder/films.h"
#include "encoder/ring.h"
#include "encoder/scroll.h"
#include "encoder/shadow.h"
#include "session/seat/host.h"
#include "session/seat/stream.h"

#define HOST_KEYSYMS_HELD 16
#define HOST_CREDITS_MAX 8

typedef struct HostTier HostTier;

/* One film in one of the two tiers. */
typedef struct {
    HostTier *tier;
    guint index;
    HostStream *stream; /* NULL: there is none */
    gboolean encoding;
    gboolean late;       /* nobody waits any longer for what it encodes */
    guint max_kbit_s;    /* that it was last told */
    SeatRect region;     /* px, of the picture that was encoded last */
    Damage *unencoded;   /* changed since then */
    SeatAccessUnit unit; /* of the tier's current picture; length 0: not there, or the film is not in it */
} HostFilm;

/* Who shares encoders. Its films are encoded in step: a picture has those in which something has changed, and
 * goes out when all of their units are there. */
struct HostTier {
    SeatHost *host;
    guint index;
    HostFilm films[SEAT_FILMS_MAX];
    gboolean encoding;  /* one of them is, and is waited for */
    gboolean has_it;    /* what is damaged goes as film: who follows waits for a unit */
    FilmRects rects;    /* where that is, of the current picture */
    gint64 began_us;    /* to encode it */
    gint64 keyframe_us; /* when all in it were key frames */
    guint late_timer, patience_timer;
};
#define HOST_TIERS 2

/* Time for which somebody has been waited for, of which some is forgiven as time goes by. */
typedef struct {
    gint64 since_us; /* monotonic, as all here; 0: nobody waits now */
    gint64 sum_us, summed_us;
} Lateness;

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
    gint64 sent_us;     /* monotonic time of the last record */
    guint untaken;      /* records whose credit has not come back */
    guint unit_untaken; /* of them up to the last one with a unit */
    gboolean complete_due;
    guint64 serial;
    guint64 pass;                     /* that the last record led to: all of that picture has been sent */
    guint64 base;                     /* when the last record was sent: later moves build on it */
    Damage *pending;                  /* changed and not sent */
    ScrollMove moves[SEAT_MOVES_MAX]; /* to be made before it, in order */
    guint n_moves;
    Damage *encoding; /* sent as soon as the unit is there; empty when it takes no part */
    guint64 encoding_pass;
    gboolean encoding_complete;
    gboolean wants_moves, wants_h264, takes_chroma;
    guint max_kbit_s;

    /* film; each NULL: none */
    HostTier *member;     /* where it belongs */
    HostTier *follows;    /* whose units its decoder can take: the other one until a key frame of its own */
    HostTier *takes_part; /* that encodes what is in `encoding` */
    guint keyed;          /* bit by film: of the tier that it follows it has been given a key frame */
    Lateness waited;      /* for it, by those with whom it follows */
    Lateness behind;      /* the fast tier, while it belongs to the slow one */
    gboolean weak;        /* belongs where it is because of its link */
    gint64 moved_us, behind_us;
    gint64 joined_us;  /* the first stream that it has followed, 0: none yet */
    gboolean pardoned; /* has been late soon after */
    gint64 below_us;   /* since when the link has been too slow for the fast tier, 0: it is not */
    gint64 rest_us;    /* so long it must not have been behind before it is tried again */
    gboolean cursor_due, shape_due, leds_due, mode_due;
} HostClient;

typedef struct {
    Undo *undo; /* what the pass overwrites; NULL: no memory for it, nothing is searched */
    Forecast *forecast;
    Scroll *whole, *beside;  /* searches of whole pictures, and of what is beside a film */
    Scroll *search;          /* the one of the two that the current pass is for */
    FilmRects films;         /* that it leaves out */
    Damage *within, *around; /* what the pass has changed in them, and beside them */
    Damage *left, *shifted;  /* scratch */
    gboolean kept;           /* `undo` has the current pass, */
    gboolean expected;       /* or `forecast` has */
    guint64 published;       /* pass */
    /* Of the last picture, if all of it was searched: px that its moves take along, and boxes of what each of
     * them has left and reached. */
    guint64 area;
    SeatRect sweeps[SCROLL_MOVES_MAX];
    guint n_sweeps;
    guint rest_timer;
    gboolean used;  /* since it ran last */
    guint foreseen; /* passes in a row that needed no `undo` */
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

    HostTier tiers[HOST_TIERS], *fast, *slow;
    Films films; /* of both tiers' next pictures */
    Damage *due; /* scratch: what is to be sent */

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
/* Sends a frame record with the client's moves that leads to the picture after `pass`; the credit is the
 * caller's matter. units: SEAT_FILMS_MAX, or NULL. */
void host_frames_send(HostClient *client, Damage *damage, guint64 pass, gboolean complete,
                      const SeatAccessUnit *units);

/* Sends what lies beside the films, which needs not wait for their encoders, when there is a credit more than
 * the units take. */
void host_frames_send_beside(HostClient *client, const FilmRects *films);
/* Or moves that damage into `damage`, to go with the units; of the client's moves those that touch a film
 * become damage in any case. */
void host_frames_take_beside(HostClient *client, const FilmRects *films, Damage *damage);

/* host_moves.c */
void host_moves_resized(SeatHost *host);
void host_moves_clear(SeatHost *host);
/* Copies what of a picture may have changed. */
void host_moves_copy(SeatHost *host, const SeatRect *rects, guint count, const void *pixels, gsize stride);
/* Then, before anything of it is told: finds the moves in what has changed, gives each client its share of
 * moves and damage, and returns what really is new in it. */
const Damage *host_moves_publish(SeatHost *host);
/* Whether the last picture has mostly moved, and `left`, what is still to be sent, is little more than what
 * the moves have uncovered: it is no film, however picture-like. */
gboolean host_moves_explain(const SeatHost *host, const Damage *left);
/* Instead, when nothing has changed. */
void host_moves_nothing(SeatHost *host);
/* The client's moves are not going to be made. */
void host_moves_become_damage(HostClient *client);
/* Those of them that touch a film are not. */
void host_moves_stay_beside(HostClient *client, const FilmRects *films);

/* host_stream.c */
void host_stream_init(HostTier *tier, SeatHost *host, guint index);
void host_stream_attach(HostTier *tier, HostStream *const streams[], guint films);
void host_stream_detach(HostTier *tier);
/* There are encoders for it. */
static inline gboolean host_tier_works(const HostTier *tier)
{
    return tier->films[0].stream != NULL;
}
/* host->changed is what has changed. */
void host_stream_changed(HostTier *tier);
/* Starts encoding when it is time to, and says in has_it whether who follows the tier waits for it. */
void host_stream_encode(HostTier *tier, gint64 now);
/* What is being encoded goes to the client without loss, and so does all until the next key frame of the tier
 * it belongs to. */
void host_stream_leave(HostClient *client);
/* The client could be sent a unit: it has taken the last one. */
gboolean host_stream_may_send(const HostClient *client);
/* The client waits for the tier's next key frame, which may be made now. */
gboolean host_stream_joins(const HostTier *tier, const HostClient *client, gint64 now);
/* The tier by which what the client lacks is on its way as film, or will be; NULL: it is not. */
const HostTier *host_stream_awaited(const HostClient *client, gint64 now);
/* There is another shadow: the picture that is being encoded is of a size that has gone. */
void host_stream_resized(HostTier *tier);

/* host_tiers.c */
void host_tiers_init(SeatHost *host);
/* Subscriptions have changed, or the clients. */
void host_tiers_changed(SeatHost *host);
/* Moves clients for which it is time. */
void host_tiers_settle(SeatHost *host, gint64 now);
void host_tiers_credited(HostClient *client);
/* Whether all who follow the tier have a credit. Who has let the others wait for too long no longer follows
 * it, as of this call. */
gboolean host_tier_ready(HostTier *tier, gint64 now);
/* The fast tier begins with a picture: who belongs to the slow one may be behind. */
void host_tiers_picture(SeatHost *host, gint64 now);
