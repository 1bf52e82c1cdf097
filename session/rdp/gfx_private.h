/* What the graphics pipeline's files share. Not for others. */
#pragma once

#include "encoder/clear.h"
#include "session/client/pace.h"
#include "session/rdp/gfx_channel.h"
#include "session/rdp/planar.h"
#include "session/rdp/rdp.h"
#include "session/rdp/remotefx.h"
#include "session/rdp/tile_cache.h"

#define GFX_SURFACE_SCREEN 1
#define GFX_SURFACE_FILM 2 /* and following: each film has one */

G_STATIC_ASSERT(CLEAR_WIDTH_MAX == PLANAR_WIDTH_MAX && CLEAR_HEIGHT_MAX == PLANAR_HEIGHT_MAX);
#define GFX_ENCODED_MAX MAX(PLANAR_SIZE_MAX, CLEAR_SIZE_MAX(CLEAR_WIDTH_MAX, CLEAR_HEIGHT_MAX))

/* A film's surface. */
typedef struct {
    gboolean used;
    ViewerRect region;
    gint64 shown_us; /* when its last unit was */
} GfxFilm;

/* What the client keeps of tiles that it has shown. */
typedef struct {
    TileCache *tiles;      /* from the first capabilities on */
    GArray *hashes;        /* of TileHash: what the update's tiles are to show */
    GArray *rects, *lossy; /* of ViewerRect: what of the update the client has to be sent */
    guint64 kept, again;
} GfxCache;

struct Gfx {
    Rdp *rdp;
    GfxChannel *channel; /* NULL: not asked for, or impossible */
    gboolean asked, ready;
    GfxBlock block;        /* what is to be sent next */
    SeatH264 h264;         /* what the client decodes */
    guint width, height;   /* px of the client's output and of the screen's surface; 0: none */
    guint32 screen_stream; /* that the screen's decoder has begun last, of whichever film; 0: none */
    Clear *clear;          /* what the client's decoder remembers; from the first capabilities on */
    guint8 encoded[GFX_ENCODED_MAX];
    RemoteFx *fx; /* for what may have losses; made when it is needed */
    GfxFilm films[SEAT_FILMS_MAX];
    GfxCache cache;
    Pace pace;         /* serials are frame ids */
    gsize frame_bytes; /* of this frame's messages so far */
    guint film_kbit_s; /* that the link allows, as the seat was last told; 0: any */
    gboolean acks_suspended;
};

/* gfx.c: a PDU has been appended to the block: when that is large it is sent. FALSE: the connection is
 * broken. */
gboolean gfx_appended(Gfx *gfx);
/* Sends what the block has. */
gboolean gfx_flush(Gfx *gfx);

/* gfx_cache.c: the client has confirmed these capabilities, and keeps nothing yet. */
void gfx_cache_start(Gfx *gfx, const GfxCaps *confirmed);
void gfx_cache_clear(Gfx *gfx); /* at the end */
/* Has the client throw out all that it keeps: before ResetGraphics, of which the specification does not say
 * what remains. */
void gfx_cache_empty(Gfx *gfx);
/* An update that changes nothing tells what stands in tiles. FALSE: it is none such. */
gboolean gfx_cache_learn(Gfx *gfx, const ViewerUpdate *update);
/* Before anything else of a frame: has those tiles kept that it overwrites and that may come again. */
void gfx_cache_begin(Gfx *gfx, const ViewerUpdate *update);
/* After moves and units: has those of the update's tiles shown that the client keeps. *rest has the others as
 * rects and lossy_rects; it lives as long as the update, or until the next call. */
void gfx_cache_append(Gfx *gfx, const ViewerUpdate *update, ViewerUpdate *rest);

/* gfx_film.c: appends the update's units, and their tiles' way to the screen; has surfaces deleted whose film
 * is over. FALSE: the connection is broken. */
gboolean gfx_film_append(Gfx *gfx, const ViewerUpdate *update);
/* The client has no surfaces any more. */
void gfx_film_forget(Gfx *gfx);
/* Has the films' surfaces deleted; the screen's decoder knows no stream. */
void gfx_film_delete(Gfx *gfx);
