/* The graphics pipeline's PDUs ([MS-RDPEGFX] 2.2.2) as bytes: those that a server sends are appended to a
 * block, those that a client sends are read. Pure. Rectangles are px of the surface and within 0..65535. */
#pragma once

#include "session/client/viewer.h"

typedef enum {
    GFX_CODEC_REMOTEFX = 0x3,
    GFX_CODEC_CLEARCODEC = 0x8,
    GFX_CODEC_PLANAR = 0xa,
    GFX_CODEC_AVC420 = 0xb,
    GFX_CODEC_AVC444V2 = 0xf,
} GfxCodec;

/* PDUs one after the other. */
typedef struct {
    GByteArray *bytes;
    GArray *packed; /* of BulkRange: what a codec of its own has packed already, in order */
} GfxBlock;

void gfx_block_init(GfxBlock *block);
void gfx_block_empty(GfxBlock *block); /* keeps its memory, unless it is much */
void gfx_block_clear(GfxBlock *block);

/* ---- client -> server ---- */

#define GFX_CAPS_MAX 32

typedef struct {
    guint32 version, flags;
    guint32 length; /* bytes that its data has; flags: the first four */
} GfxCaps;

typedef enum {
    GFX_PDU_CAPS_ADVERTISE,     /* caps; sets after the first GFX_CAPS_MAX are left out */
    GFX_PDU_FRAME_ACKNOWLEDGE,  /* frame, queue_depth */
    GFX_PDU_CACHE_IMPORT_OFFER, /* its entries are not read */
    GFX_PDU_OTHER,
} GfxPduKind;

#define GFX_ACKNOWLEDGE_SUSPEND 0xffffffffu /* a queue_depth: the client will acknowledge no more */

typedef struct {
    GfxPduKind kind;
    guint n_caps;
    GfxCaps caps[GFX_CAPS_MAX];
    guint32 frame, queue_depth;
} GfxPdu;

/* Reads the first of the PDUs in `length` bytes. Returns how many it takes; 0: they are not one. */
gsize gfx_pdu_read(const guint8 *bytes, gsize length, GfxPdu *pdu);

/* ---- server -> client ---- */

void gfx_pdu_caps_confirm(GfxBlock *block, const GfxCaps *caps);
/* One monitor of that size. */
void gfx_pdu_reset_graphics(GfxBlock *block, guint width, guint height);
void gfx_pdu_create_surface(GfxBlock *block, guint16 surface, guint width, guint height); /* XRGB8888 */
void gfx_pdu_delete_surface(GfxBlock *block, guint16 surface);
void gfx_pdu_map_surface_to_output(GfxBlock *block, guint16 surface); /* at 0, 0 */
void gfx_pdu_solid_fill(GfxBlock *block, guint16 surface, guint32 xrgb, const ViewerRect *rect);
void gfx_pdu_start_frame(GfxBlock *block, guint32 frame, guint32 timestamp);
void gfx_pdu_end_frame(GfxBlock *block, guint32 frame);
void gfx_pdu_surface_to_surface(GfxBlock *block, guint16 from, const ViewerRect *rect, guint16 to, guint x,
                                guint y);
/* slot: from 1 on. */
void gfx_pdu_surface_to_cache(GfxBlock *block, guint16 surface, guint64 key, guint16 slot,
                              const ViewerRect *rect);
void gfx_pdu_cache_to_surface(GfxBlock *block, guint16 slot, guint16 surface, guint x, guint y);
void gfx_pdu_evict_cache_entry(GfxBlock *block, guint16 slot);
void gfx_pdu_cache_import_reply(GfxBlock *block); /* none is wanted */

/* WireToSurface1: the codec's bytes for that rectangle. */
void gfx_pdu_bitmap(GfxBlock *block, guint16 surface, GfxCodec codec, const ViewerRect *rect,
                    const guint8 *data, gsize length);

/* One view of an H.264 unit: the rectangles that it paints, px of the picture that begins at `origin`. */
typedef struct {
    const guint8 *data;
    gsize length;
    const ViewerRect *rects;
    guint n_rects;
} GfxView;

/* WireToSurface1 onto the whole of a surface of that size: main view alone (AVC420), or with the auxiliary
 * one or without (AVC444 v2; auxiliary may be NULL). */
void gfx_pdu_avc420(GfxBlock *block, guint16 surface, const ViewerRect *region, const GfxView *main);
void gfx_pdu_avc444(GfxBlock *block, guint16 surface, const ViewerRect *region, const GfxView *main,
                    const GfxView *auxiliary);
