/* The viewer's insides, for viewer.c and viewer_*.c only. */
#pragma once

#include "session/client/feed.h"
#include "session/client/held.h"
#include "session/client/picture_copy.h"
#include "session/client/viewer_private.h"

/* What belongs to a unit that was taken. */
typedef struct {
    GByteArray *bytes;
    GArray *rects, *auxiliary_rects; /* of ViewerRect */
} ViewerTaken;

struct Viewer {
    const ViewerEvents *events;
    gpointer data;
    Feed *shown;    /* what the person sees; its link may be closed */
    Feed *pending;  /* at most one: shown from its first complete frame on */
    int waiting_fd; /* a link that came before the hello, -1 none */
    SeatHello hello;
    SeatPrefill prefill;
    gboolean has_hello, has_prefill;
    SeatH264 h264;
    gboolean paint_all, keep, accept_moves, accept_losses, name_tiles;
    guint max_kbit_s, calm_tiles;
    gboolean announced; /* dirty was called, nothing taken since */
    gboolean ended;
    guint wake_source, done_source;
    gint64 changed_us; /* when something was taken last that changes the client's screen */
    gint64 full_us;    /* since when the seat has no credit left, 0: it has */
    gint64 stood_us;   /* for so long in all it has had none */
    Tiles tiles;
    Held held;
    guint32 locks; /* SEAT_LOCK_* of the client's keyboard, as far as we know */
    gboolean has_locks;
    PictureCopy copy;
    guint32 copy_generation;
    gboolean lent;                    /* the caller reads the copy */
    guint rest_source;                /* lets its pages go */
    GArray *rects, *lossy_rects;      /* of ViewerRect, of the update that was taken last */
    GArray *moves;                    /* of ViewerMove, likewise */
    GArray *named;                    /* of ViewerTile, likewise */
    ViewerUnit units[SEAT_FILMS_MAX]; /* likewise; taken: film by film */
    ViewerTaken taken[SEAT_FILMS_MAX];
    ViewerCounters counters;
};

/* viewer_fold.c: notes the shown feed's damage and moves in the tiles; access units for these regions are
 * being taken. */
void viewer_fold(Viewer *viewer, const ViewerRect *regions, guint count);

/* viewer_units.c: folds, and takes the units that wait. */
void viewer_take_units(Viewer *viewer, guint32 now_ms, ViewerUpdate *update);
void viewer_units_init(Viewer *viewer);
void viewer_units_clear(Viewer *viewer);

/* viewer_copy.c: copies what tiles lack and, of those that have become calm, so many more; fills rects,
 * lossy_rects and, where it is wanted, named. What is torn stays lacking; returns whether something was. */
gboolean viewer_copy(Viewer *viewer, guint32 now_ms, guint calm_tiles);

/* viewer_copy.c: names up to `limit` of those tiles that have not been since they changed last. Returns
 * whether more are left. */
gboolean viewer_copy_untold(Viewer *viewer, guint limit);

/* viewer_input.c: tells the shown screen what the client last said of its lock keys; nothing when it has not.
 */
void viewer_send_locks(Viewer *viewer);
