/* The connection: state of FreeRDP's peer and of what is shown over it. Everything here belongs to the peer's
 * thread, display control's callback excepted, which uses only the bridge and what its own lock covers. */
#pragma once

#include "session/client/scale.h"
#include "session/rdp/bridge.h"
#include "session/rdp/pointer.h"
#include "session/rdp/scancode.h"

#include <freerdp/freerdp.h>
#include <freerdp/peer.h>
#include <freerdp/server/disp.h>

typedef struct Rdp Rdp;
typedef struct Gfx Gfx;         /* gfx.c */
typedef struct Bitmaps Bitmaps; /* bitmaps.c */
typedef struct Cursors Cursors; /* cursors.c */
typedef struct Display Display; /* display.c */

/* FreeRDP allocates this as the peer's context. */
typedef struct {
    rdpContext base;
    Rdp *rdp;
    HANDLE vcm;
} RdpContext;

typedef enum {
    GRAPHICS_NONE,    /* not activated yet */
    GRAPHICS_WAITING, /* for the client's graphics pipeline to answer */
    GRAPHICS_GFX,
    GRAPHICS_BITMAPS,
} GraphicsMode;

struct Rdp {
    Bridge *bridge;
    freerdp_peer *peer;
    int socket; /* the peer's, for waiting and options only */
    RdpContext *context;
    char desktop[SEAT_NAME_MAX]; /* wanted, from the routing token */
    gboolean active;             /* between Activate and a deactivation */
    gboolean suppressed;         /* the client's window is minimised */
    gint64 began_us;             /* when the socket came */
    gboolean ended;
    gboolean farewell; /* the next PDU is the deactivation that nobody needs */
    wStream *gathered; /* PDUs that are still to be written */
    gboolean gathering;
    GraphicsMode mode;
    gint64 gfx_deadline_us; /* GRAPHICS_WAITING: then bitmaps */
    gboolean wanted;        /* an update was asked for */
    gboolean holding;       /* `update` waits to be sent */
    ViewerUpdate update;
    guint client_width, client_height; /* px of the client's window */
    guint output_width, output_height; /* px of what RDP calls the desktop */
    gint offset_x, offset_y;           /* px of the picture in it */
    guint shown_width, shown_height;   /* px that the picture takes there */
    guint picture_width, picture_height;
    Scaler *scaler;     /* the picture is larger than that */
    gboolean bars_due;  /* without surfaces: what stands around the picture is to become black */
    gboolean placed;    /* the client has a surface, or a desktop, of that size */
    gint64 relayout_us; /* when to follow the client's window without waiting for the desktop; 0: never */
    BridgeCursor cursor;
    guint32 leds;
    gboolean cursor_due, leds_due;
    guint32 buttons; /* SEAT_BUTTON_* */
    gint pointer_x, pointer_y;
    gboolean relative;
    ScancodeState scancodes;
    Gfx *gfx;
    Bitmaps *bitmaps;
    Cursors *cursors;
    Display *display;
};

/* settings.c: what this server offers; certificate and key as PEM text. Once per process; NULL with error
 * set. */
rdpSettings *rdp_settings_new(const char *certificate, const char *key, GError **error);
/* Loads and measures everything that the first client would otherwise wait for; also routes FreeRDP's log to
 * ours. */
void rdp_warm_up(const rdpSettings *settings);

/* place.c: makes room for a picture of that size in the client's window: letterboxed where it fits, else
 * smaller. Sets what Rdp has of it; tells the client. A held update that is of no use any more is dropped,
 * the whole picture asked for. FALSE: the connection is broken. */
gboolean rdp_place(Rdp *rdp, guint width, guint height);
/* Without surfaces: blackens what stands around the picture. */
gboolean rdp_place_bars(Rdp *rdp);
/* From a position in the client's window to one in the picture (maybe outside of it). */
void rdp_place_pointer(const Rdp *rdp, gint x, gint y, gint *picture_x, gint *picture_y);

/* transport.c: what passes between FreeRDP's parsers and its transport. */
gboolean rdp_transport_hook(Rdp *rdp);
void rdp_transport_unhook(Rdp *rdp);
/* From now on PDUs are gathered ... */
void rdp_transport_gather(Rdp *rdp);
/* ... and now they are written. FALSE: the connection is broken. */
gboolean rdp_transport_write(Rdp *rdp);

/* peer.c: runs the connection on a thread of its own. The socket is taken over. */
void rdp_start(Bridge *bridge, const rdpSettings *settings, int socket);

/* input.c */
void rdp_input_register(Rdp *rdp);

/* login.c: tells the viewer who has come, from the settings that the client filled. */
void rdp_greet(Rdp *rdp);
guint32 rdp_error_info(EndReason reason);

/* gfx.c: the graphics pipeline ([MS-RDPEGFX]). */
Gfx *gfx_new(Rdp *rdp);
void gfx_free(Gfx *gfx);
gboolean gfx_open(Gfx *gfx); /* once the dynamic channel's channel is ready */
/* The client has answered a dynamic channel's creation. */
void gfx_created(Gfx *gfx, guint32 channel_id, gboolean done);
HANDLE gfx_event(Gfx *gfx);            /* NULL: not open */
gboolean gfx_handle(Gfx *gfx);         /* what has come, if anything; FALSE: the connection is broken */
gboolean gfx_may_send(const Gfx *gfx); /* acknowledgements allow another frame */
/* Tells the seat what the client and its link can take; also after the picture has been placed anew. */
void gfx_subscribe(Gfx *gfx);
guint gfx_calm_tiles(const Gfx *gfx); /* see pace_calm_tiles() */
gboolean gfx_resize(Gfx *gfx);        /* output and surface as in Rdp, all black */
gboolean gfx_send(Gfx *gfx, const ViewerUpdate *update);
SeatH264 gfx_h264(const Gfx *gfx); /* what the client decodes */

/* bitmaps.c: for clients without it ([MS-RDPBCGR] 2.2.9.1.1.3.1.2). */
Bitmaps *bitmaps_new(Rdp *rdp);
void bitmaps_free(Bitmaps *bitmaps);
/* x, y: px of the update's picture in the client's window. */
gboolean bitmaps_send(Bitmaps *bitmaps, const ViewerUpdate *update, guint x, guint y);

/* cursors.c */
Cursors *cursors_new(Rdp *rdp);
void cursors_free(Cursors *cursors);
gboolean cursors_show(Cursors *cursors, const BridgeCursor *cursor);
/* Again what was shown last: after an activation. */
gboolean cursors_repeat(Cursors *cursors);

/* display.c: the client's window changes ([MS-RDPEDISP]). */
Display *display_new(Rdp *rdp);
void display_free(Display *display);
gboolean display_open(Display *display);
/* The client has answered a dynamic channel's creation. FALSE: the connection is broken. */
gboolean display_created(Display *display, guint32 channel_id, gboolean done);
/* Whether the client's window has got a new size since the last call; then it stands in Rdp. */
gboolean display_changed(Display *display);
