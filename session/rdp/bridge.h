/* Between the two threads of fernwerk-rdp: the main thread has the lifeline and the viewer and never blocks;
 * the peer's thread has FreeRDP, which blocks where it likes. Pictures, cursor and lamps go one way, newest
 * wins; input and wishes go the other way, in order and bounded. */
#pragma once

#include "session/client/viewer.h"

typedef struct Bridge Bridge;

typedef struct {
    GBytes *pixels; /* premultiplied ARGB, NULL: hidden */
    guint width, height, hot_x, hot_y;
} BridgeCursor;

/* What the peer's thread found when it looked; each thing once. */
typedef struct {
    gboolean update_fresh; /* `update` is to be sent; it is the peer's until bridge_want() */
    ViewerUpdate update;
    gboolean cursor_fresh;
    BridgeCursor cursor; /* owned by the receiver */
    gboolean leds_fresh;
    guint32 leds;
    gboolean relative_fresh, relative; /* the guest takes relative motion */
    gboolean ending;
    EndReason reason;
} BridgeNews;

/* ---- main thread ---- */

/* Starts without a viewer: events are the viewer's to call. socket_came: the accepted socket is there. */
Bridge *bridge_new(void (*socket_came)(Bridge *bridge, const LifelineClient *client, int socket,
                                       gpointer data),
                   gpointer data);
extern const ViewerEvents bridge_viewer_events; /* data: the Bridge */
void bridge_set_viewer(Bridge *bridge, Viewer *viewer);
void bridge_set_loop(Bridge *bridge, GMainLoop *loop); /* quit when the connection is over */

/* ---- peer's thread ---- */

int bridge_wake_fd(Bridge *bridge); /* readable when there is news */
void bridge_poke(Bridge *bridge);   /* makes it readable; any thread */
void bridge_look(Bridge *bridge, BridgeNews *news);

/* The last update is sent and another one may come. calm_tiles: see viewer_refine(). */
void bridge_want(Bridge *bridge, gboolean lossless_only, guint calm_tiles);
void bridge_hello(Bridge *bridge, const SeatHello *hello, const SeatPrefill *prefill);
void bridge_subscribe(Bridge *bridge, SeatH264 h264, guint max_kbit_s);
void bridge_keep_picture(Bridge *bridge, gboolean keep);
void bridge_accept_moves(Bridge *bridge, gboolean accept);
void bridge_accept_losses(Bridge *bridge, gboolean accept);
void bridge_name_tiles(Bridge *bridge, gboolean name);
/* The rectangle, px of the picture, is to be sent anew; NULL: everything. */
void bridge_invalidate(Bridge *bridge, const ViewerRect *rect);
void bridge_need_keyframe(Bridge *bridge);
void bridge_key(Bridge *bridge, guint32 code, gboolean pressed);
void bridge_keysym(Bridge *bridge, guint32 keysym, gboolean pressed);
void bridge_locks(Bridge *bridge, guint32 mask);
void bridge_pointer(Bridge *bridge, gint x, gint y, guint32 buttons, gint vertical, gint horizontal);
void bridge_motion(Bridge *bridge, gint dx, gint dy, guint32 buttons, gint vertical, gint horizontal);
void bridge_size(Bridge *bridge, const SeatSizeHint *size);
void bridge_release_keys(Bridge *bridge);
void bridge_gone(Bridge *bridge); /* the connection is over; the process ends */
