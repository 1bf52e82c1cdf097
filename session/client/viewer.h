/* What fernwerk-rdp and fernwerk-vnc share: the client's side of the seat link. A viewer holds one current
 * link and at most one pending one, switches at the pending link's first complete frame, copies chosen tiles
 * into a private framebuffer, and carries input. It knows no RDP and no RFB. Everything runs on the default
 * main context. */
#pragma once

#include "base/lifeline.h"
#include "base/proto/seat_link.h"

typedef struct Viewer Viewer;

/* A film that has shown nothing for so long is over: the seat gives up an encoder 5 to 10 s after its last
 * use, so that its stream does not go on. */
#define VIEWER_FILM_OVER_US (15 * G_USEC_PER_SEC)

/* The private framebuffer: XRGB8888 (bytes B,G,R,X). */
typedef struct {
    guint width, height; /* px */
    guint stride;        /* bytes */
    guint32 generation;
    const guint8 *pixels;
} ViewerPicture;

typedef struct {
    guint x, y, width, height; /* px */
} ViewerRect;

/* What is at x, y is to be at to_x, to_y; the two may overlap. px */
typedef struct {
    guint x, y, width, height, to_x, to_y;
} ViewerMove;

/* A tile of which something is to be sent. */
typedef struct {
    guint column, row;
    ViewerRect lacking; /* px of the picture: that */
    gboolean lossy;     /* it is among the update's lossy_rects, not its rects */
    gboolean whole;     /* the update's picture has all of the tile, exactly */
    gboolean settled;   /* then the client's screen will show that all over the tile, when rects are shown */
} ViewerTile;

/* What a film shows now. */
typedef struct {
    guint film;         /* which, below SEAT_FILMS_MAX: it has one region, and one decoder, at a time */
    const guint8 *data; /* (the main view's) H.264 access unit */
    gsize length;
    ViewerRect region; /* of the film; it has no tile in common with another unit's */
    gboolean key;
    guint32 stream; /* new number: fresh decoder */
    const ViewerRect
        *rects; /* what the unit changes, inside region, disjoint; see viewer_units_paint_all() */
    guint n_rects;
    const guint8 *auxiliary; /* AVC444: the auxiliary view's unit, to be decoded after `data`, or NULL */
    gsize auxiliary_length;
    const ViewerRect *auxiliary_rects; /* parts of rects that are to be shown with both */
    guint n_auxiliary_rects;
} ViewerUnit;

/* One update that was taken with viewer_take(). All memory belongs to the viewer and lives until the next
 * call of viewer_take() or viewer_release(). */
typedef struct {
    guint64 serial;
    guint64 time_us; /* CLOCK_MONOTONIC of the oldest change in it */
    ViewerPicture picture;
    const ViewerMove
        *moves;    /* to be made first, in order, on what the client's screen shows (not `picture`) */
    guint n_moves; /* 0 without viewer_accept_moves(); never from or to a unit's region */
    const ViewerRect *rects; /* to be sent from `picture` without loss */
    guint n_rects;
    const ViewerRect *lossy_rects; /* likewise, or with losses: they follow exactly in a later update */
    guint n_lossy_rects;           /* 0 without viewer_accept_losses() */
    const ViewerTile *tiles;       /* what rects and lossy_rects were joined of, row by row, left to right */
    guint n_tiles;                 /* 0 without viewer_name_tiles() */
    const ViewerUnit *units;       /* what films show; their regions need no rects */
    guint n_units;                 /* SEAT_FILMS_MAX at most; 0 without viewer_subscribe() */
} ViewerUpdate;

typedef struct {
    /* The picture has a new size, or another link became the current one: everything must be sent anew.
     * `welcome` describes the current link (greeter or desktop). */
    void (*switched)(Viewer *viewer, guint width, guint height, const SeatWelcome *welcome, gpointer data);
    /* Something may be taken with viewer_take(): called once until it was taken. */
    void (*dirty)(Viewer *viewer, gpointer data);
    /* pixels: premultiplied ARGB, width * height * 4 bytes, borrowed; NULL: no cursor */
    void (*cursor)(Viewer *viewer, const guint8 *pixels, guint width, guint height, guint hot_x, guint hot_y,
                   gpointer data);
    void (*leds)(Viewer *viewer, guint32 mask, gpointer data);
    void (*pointer_mode)(Viewer *viewer, gboolean absolute, gpointer data);
    /* The greeter's answer to the prefill. */
    void (*login)(Viewer *viewer, SeatLoginResult result, const char *user, const char *text, gpointer data);
    /* The connection is over for good: show the text if the protocol can, then close within 500 ms. */
    void (*ended)(Viewer *viewer, EndReason reason, const char *text, gpointer data);
    /* The accepted socket has come (from a warm start): begin the protocol. */
    void (*client)(Viewer *viewer, const LifelineClient *client, int socket, gpointer data);
} ViewerEvents;

/* Hooks itself into the lifeline (call instead of lifeline_start()). descriptors/count as there. */
Viewer *viewer_start(int argc, char *argv[], char *envp[], ProcessKind kind, const ViewerEvents *events,
                     gpointer data, LifelineStart *start, int *descriptors, guint *count);

/* What every further link is greeted with. Until this is called, links wait. prefill may be NULL; it is sent
 * to the first greeter only and scrubbed here at once. */
void viewer_hello(Viewer *viewer, const SeatHello *hello, const SeatPrefill *prefill);

/* Wants H.264 access units from the current and every later link, or no longer. */
void viewer_subscribe(Viewer *viewer, SeatH264 h264, guint max_kbit_s);

/* Whether the client paints a unit's whole region with it (the default; Open H.264 in VNC), or only
 * its rects (AVC420 in RDP), so that what is exact around them stays exact. */
void viewer_units_paint_all(Viewer *viewer, gboolean paint_all);

/* Whether updates may have moves; the default is not, then what has moved comes as rects. Whoever keeps the
 * picture must not. */
void viewer_accept_moves(Viewer *viewer, gboolean accept);

/* Whether what looks like a picture and moves may be sent with losses (JPEG, RemoteFX), to follow exactly
 * when it is calm; the default is not. For clients without H.264. */
void viewer_accept_losses(Viewer *viewer, gboolean accept);

/* Whether updates name their tiles; the default is not. Tiles that have changed for a good part are then
 * copied whole, and when nothing changes for a while an update that changes nothing names, whole, those which
 * have not been so: nothing of them is lacking. For clients that may see them again. */
void viewer_name_tiles(Viewer *viewer, gboolean name);

/* Takes what is dirty: copies the tiles from the shadow and rechecks their versions.
 * With H.264 subscribed, changed areas come as an access unit, and as exact rects once they have been calm
 * for 120 ms or when no unit is to be had. FALSE: nothing to send. `lossless_only`: the caller cannot take a
 * unit now. */
gboolean viewer_take(Viewer *viewer, gboolean lossless_only, ViewerUpdate *update);

/* One more update could be sent at once: gives the credits of the frames that were taken back. Not before:
 * the picture would be chosen, and encoded, long before its turn. */
void viewer_ready(Viewer *viewer);

/* CLOCK_MONOTONIC in microseconds without the time in which the seat had no credit, so could not say what
 * changes: by this clock things become calm. */
gint64 viewer_clock_us(const Viewer *viewer);

/* Whether the update paints the whole picture, losslessly or by its unit. */
gboolean viewer_update_is_whole(const ViewerUpdate *update);

/* The update taken last is not needed any longer (after sending): its pixels may go. */
void viewer_release(Viewer *viewer);

/* Whether the private picture stays whole: viewer_release() lets nothing go. Whole it is after the next full
 * refresh. */
void viewer_keep_picture(Viewer *viewer, gboolean keep);

/* These rectangles are dirty again; NULL: everything is (a client asked for a full refresh). */
void viewer_invalidate(Viewer *viewer, const ViewerRect *rects, guint count);

/* How many tiles that a unit left inexact may follow in one update, so that newer ones never wait long behind
 * them; 64 until somebody knows better. Fewer go beside a unit. */
void viewer_refine(Viewer *viewer, guint tiles);

/* The client's decoder lost its state: the next unit will be a key frame. */
void viewer_need_keyframe(Viewer *viewer);

/* The whole current picture's geometry; width 0: none yet. */
void viewer_geometry(Viewer *viewer, guint *width, guint *height);

/* Input, forwarded to the current link; coordinates in px of the current picture. */
void viewer_key(Viewer *viewer, guint32 code, gboolean pressed);
void viewer_keysym(Viewer *viewer, guint32 keysym, gboolean pressed);
/* How the client's lock keys stand (SEAT_LOCK_*): told to the current link, and to each that becomes it. */
void viewer_locks(Viewer *viewer, guint32 mask);
void viewer_pointer(Viewer *viewer, gint x, gint y, guint32 buttons, gint wheel_vertical,
                    gint wheel_horizontal);
void viewer_motion(Viewer *viewer, gint dx, gint dy, guint32 buttons, gint wheel_vertical,
                   gint wheel_horizontal);
void viewer_touch(Viewer *viewer, guint contact, guint phase, gint x, gint y);
void viewer_size(Viewer *viewer, guint head, const SeatSizeHint *size);
void viewer_release_keys(Viewer *viewer);

/* Figures for the log and for tests. */
typedef struct {
    guint64 frames, units, auxiliaries, rects, lossy, moves, torn;
} ViewerCounters;
ViewerCounters viewer_counters(const Viewer *viewer);
