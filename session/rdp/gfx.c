/* The graphics pipeline: capabilities, surfaces, frames and their acknowledgements. H.264 for the whole
 * picture goes straight to the screen's surface; for a part of it, to an unmapped surface of the part's size,
 * from which its tiles are copied, because a decoder belongs to a surface. */
#include "session/rdp/rdp.h"

#include "base/log.h"
#include "encoder/clear.h"
#include "session/client/pace.h"
#include "session/rdp/planar.h"
#include "session/rdp/remotefx.h"

#include <freerdp/channels/rdpgfx.h>
#include <freerdp/settings.h>
#include <string.h>
#include <winpr/wtsapi.h>

#define SURFACE_SCREEN 1
#define SURFACE_REGION 2 /* and following */
#define REGIONS_MAX 2
#define ACK_LOST_US                                                                                          \
    (5 * G_USEC_PER_SEC) /* a client that acknowledges nothing for so long does not do it at all */
/* Pixels for each byte of ClearCodec from which on planar is not worth a try. */
#define CLEAR_SURE 3

G_STATIC_ASSERT(CLEAR_WIDTH_MAX == PLANAR_WIDTH_MAX && CLEAR_HEIGHT_MAX == PLANAR_HEIGHT_MAX);
#define ENCODED_MAX MAX(PLANAR_SIZE_MAX, CLEAR_SIZE_MAX(CLEAR_WIDTH_MAX, CLEAR_HEIGHT_MAX))

typedef struct {
    gboolean used;
    ViewerRect region;
    guint64 frame; /* of the last unit */
} Region;

struct Gfx {
    Rdp *rdp;
    RdpgfxServerContext *channel;
    gboolean open, ready;
    SeatH264 h264;         /* what the client decodes */
    guint width, height;   /* px of the client's output and of the screen's surface; 0: none */
    gboolean screen_keyed; /* the screen's decoder has seen a key frame */
    guint32 channel_id;
    Clear *clear; /* what the client's decoder remembers; from the first capabilities on */
    guint8 encoded[ENCODED_MAX];
    RemoteFx *fx; /* for what may have losses; made when it is needed */
    Region regions[REGIONS_MAX];
    Pace pace; /* serials are frame ids */
    gsize frame_bytes;
    guint film_kbit_s; /* that the link allows, as the seat was last told; 0: any */
    gboolean acks_suspended;
};

/* ---- capabilities ---- */

static SeatH264 allowed_h264(const RDPGFX_CAPSET *set)
{
    if (set->version == RDPGFX_CAPVERSION_101)
        return SEAT_H264_AVC444;
    if (set->version >= RDPGFX_CAPVERSION_10 && set->flags & RDPGFX_CAPS_FLAG_AVC_DISABLED)
        return SEAT_H264_NONE;
    /* Of AVC444 the first version knows only the first. */
    if (set->version == RDPGFX_CAPVERSION_10)
        return SEAT_H264_AVC420;
    if (set->version > RDPGFX_CAPVERSION_101)
        return SEAT_H264_AVC444;
    return set->version == RDPGFX_CAPVERSION_81 && set->flags & RDPGFX_CAPS_FLAG_AVC420_ENABLED
               ? SEAT_H264_AVC420
               : SEAT_H264_NONE;
}

static gboolean known_version(guint32 version)
{
    static const guint32 versions[] = {RDPGFX_CAPVERSION_8,   RDPGFX_CAPVERSION_81,  RDPGFX_CAPVERSION_10,
                                       RDPGFX_CAPVERSION_101, RDPGFX_CAPVERSION_102, RDPGFX_CAPVERSION_103,
                                       RDPGFX_CAPVERSION_104, RDPGFX_CAPVERSION_105, RDPGFX_CAPVERSION_106,
                                       RDPGFX_CAPVERSION_107};
    for (guint i = 0; i < G_N_ELEMENTS(versions); i++)
        if (versions[i] == version)
            return TRUE;
    return FALSE;
}

void gfx_subscribe(Gfx *gfx)
{
    bridge_subscribe(gfx->rdp->bridge, gfx->rdp->scaler ? SEAT_H264_NONE : gfx->h264, gfx->film_kbit_s);
    bridge_accept_losses(gfx->rdp->bridge, !gfx->rdp->scaler && gfx->h264 == SEAT_H264_NONE);
}

static UINT on_caps_advertise(RdpgfxServerContext *channel, const RDPGFX_CAPS_ADVERTISE_PDU *advertised)
{
    static const char *const names[] = {"no", "AVC420", "AVC444"};
    Gfx *gfx = channel->custom;
    Rdp *rdp = gfx->rdp;
    RDPGFX_CAPSET chosen = {0};
    RDPGFX_CAPS_CONFIRM_PDU confirm = {.capsSet = &chosen};

    for (guint i = 0; i < advertised->capsSetCount; i++)
        if (known_version(advertised->capsSets[i].version) &&
            advertised->capsSets[i].version > chosen.version)
            chosen = advertised->capsSets[i];
    if (chosen.version == 0)
        return CHANNEL_RC_UNSUPPORTED_VERSION;
    UINT result = channel->CapsConfirm(channel, &confirm);
    if (result != CHANNEL_RC_OK)
        return result;
    gfx->h264 = allowed_h264(&chosen);
    gfx->ready = TRUE;
    /* Whatever the client had is gone. */
    gfx->width = gfx->height = 0;
    gfx->screen_keyed = FALSE;
    memset(gfx->regions, 0, sizeof gfx->regions);
    if (gfx->clear)
        clear_reset(gfx->clear);
    else
        gfx->clear = clear_new();
    gfx->pace = (Pace){.sent = gfx->pace.sent, .echoed = gfx->pace.sent};
    rdp->mode = GRAPHICS_GFX;
    log_info("graphics pipeline version %x, H.264 %s", chosen.version, names[gfx->h264]);
    gfx->film_kbit_s = 0;
    gfx_subscribe(gfx);
    rdp->placed = FALSE;
    bridge_invalidate(rdp->bridge);
    /* Without waiting for a picture: FreeRDP's clients are busy with a new output for some hundred
     * milliseconds. */
    return gfx_resize(gfx) ? CHANNEL_RC_OK : ERROR_INTERNAL_ERROR;
}

/* ---- acknowledgements ---- */

/* The link has shown what it carries. */
static void follow_link(Gfx *gfx)
{
    guint kbit_s = pace_film_kbit_s(&gfx->pace);
    if (kbit_s == gfx->film_kbit_s)
        return;
    gfx->film_kbit_s = kbit_s;
    gfx_subscribe(gfx);
}

static UINT on_acknowledge(RdpgfxServerContext *channel, const RDPGFX_FRAME_ACKNOWLEDGE_PDU *ack)
{
    Gfx *gfx = channel->custom;
    gint64 now = g_get_monotonic_time();
    gboolean first = !gfx->pace.answers;

    gfx->acks_suspended = ack->queueDepth == SUSPEND_FRAME_ACKNOWLEDGEMENT;
    if (!pace_echoed(&gfx->pace, ack->frameId, now))
        return CHANNEL_RC_OK; /* old, or of a frame never sent */
    if (first)
        log_info("first picture acknowledged %" G_GINT64_FORMAT " ms after the connection",
                 (now - gfx->rdp->began_us) / 1000);
    follow_link(gfx);
    return CHANNEL_RC_OK;
}

gboolean gfx_may_send(const Gfx *gfx)
{
    const Pace *pace = &gfx->pace;
    gint64 now = g_get_monotonic_time();

    if (!gfx->ready)
        return FALSE;
    if (gfx->acks_suspended)
        return TRUE;
    /* Before its first answer a client has an output to make: it is not given more than that. */
    if (pace->answers ? pace_may_send(pace, now) : pace->sent - pace->echoed < PACE_WINDOW_MIN)
        return TRUE;
    return now - pace->frames[pace->sent % PACE_WINDOW_MAX].us > ACK_LOST_US;
}

guint gfx_calm_tiles(const Gfx *gfx)
{
    return pace_calm_tiles(&gfx->pace);
}

/* ---- the channel ---- */

Gfx *gfx_new(Rdp *rdp)
{
    Gfx *gfx = g_new0(Gfx, 1);
    gfx->rdp = rdp;
    return gfx;
}

void gfx_free(Gfx *gfx)
{
    if (!gfx)
        return;
    if (gfx->channel)
        rdpgfx_server_context_free(gfx->channel);
    clear_free(gfx->clear);
    remotefx_free(gfx->fx);
    g_free(gfx);
}

static BOOL on_channel_id(RdpgfxServerContext *channel, UINT32 id)
{
    ((Gfx *)channel->custom)->channel_id = id;
    return TRUE;
}

void gfx_created(Gfx *gfx, guint32 channel_id, gboolean done)
{
    if (gfx->channel && gfx->channel_id == channel_id && !done)
        gfx->rdp->gfx_deadline_us = 1; /* refused: bitmaps at once */
}

gboolean gfx_open(Gfx *gfx)
{
    if (gfx->channel)
        return gfx->open;
    gfx->channel = rdpgfx_server_context_new(gfx->rdp->context->vcm);
    if (!gfx->channel)
        return FALSE;
    gfx->channel->rdpcontext = &gfx->rdp->context->base;
    gfx->channel->custom = gfx;
    gfx->channel->ChannelIdAssigned = on_channel_id;
    gfx->channel->CapsAdvertise = on_caps_advertise;
    gfx->channel->FrameAcknowledge = on_acknowledge;
    gfx->open = gfx->channel->Initialize(gfx->channel, TRUE) && gfx->channel->Open(gfx->channel);
    return gfx->open;
}

HANDLE gfx_event(Gfx *gfx)
{
    return gfx->open ? rdpgfx_server_get_event_handle(gfx->channel) : NULL;
}

gboolean gfx_handle(Gfx *gfx)
{
    UINT result = rdpgfx_server_handle_messages(gfx->channel);
    return result == CHANNEL_RC_OK || result == ERROR_NO_DATA;
}

SeatH264 gfx_h264(const Gfx *gfx)
{
    return gfx->h264;
}

/* ---- surfaces ---- */

static gboolean surface_create(Gfx *gfx, guint16 id, guint width, guint height)
{
    RDPGFX_CREATE_SURFACE_PDU create = {.surfaceId = id,
                                        .width = (UINT16)width,
                                        .height = (UINT16)height,
                                        .pixelFormat = GFX_PIXEL_FORMAT_XRGB_8888};
    return gfx->channel->CreateSurface(gfx->channel, &create) == CHANNEL_RC_OK;
}

static gboolean surface_delete(Gfx *gfx, guint16 id)
{
    RDPGFX_DELETE_SURFACE_PDU gone = {.surfaceId = id};
    return gfx->channel->DeleteSurface(gfx->channel, &gone) == CHANNEL_RC_OK;
}

static gboolean drop_regions(Gfx *gfx)
{
    gboolean done = TRUE;
    for (guint i = 0; i < REGIONS_MAX; i++) {
        if (gfx->regions[i].used)
            done = done && surface_delete(gfx, (guint16)(SURFACE_REGION + i));
        gfx->regions[i] = (Region){0};
    }
    return done;
}

/* The client's output anew, and a surface that fills it. */
static gboolean make_screen(Gfx *gfx, guint width, guint height)
{
    MONITOR_DEF monitor = {0, 0, (INT32)width - 1, (INT32)height - 1, MONITOR_PRIMARY};
    RDPGFX_RESET_GRAPHICS_PDU reset = {width, height, 1, &monitor};
    RDPGFX_MAP_SURFACE_TO_OUTPUT_PDU map = {.surfaceId = SURFACE_SCREEN};

    if ((gfx->width && !surface_delete(gfx, SURFACE_SCREEN)) ||
        gfx->channel->ResetGraphics(gfx->channel, &reset) != CHANNEL_RC_OK ||
        !surface_create(gfx, SURFACE_SCREEN, width, height) ||
        gfx->channel->MapSurfaceToOutput(gfx->channel, &map) != CHANNEL_RC_OK)
        return FALSE;
    gfx->width = width;
    gfx->height = height;
    return TRUE;
}

/* The bars around a picture that is smaller than the client's window. */
static gboolean blacken(Gfx *gfx)
{
    RECTANGLE_16 all = {0, 0, (UINT16)gfx->rdp->output_width, (UINT16)gfx->rdp->output_height};
    RDPGFX_SOLID_FILL_PDU fill = {
        .surfaceId = SURFACE_SCREEN, .fillPixel = {.XA = 0xff}, .fillRectCount = 1, .fillRects = &all};
    return gfx->channel->SolidFill(gfx->channel, &fill) == CHANNEL_RC_OK;
}

gboolean gfx_resize(Gfx *gfx)
{
    guint width = gfx->rdp->output_width, height = gfx->rdp->output_height;
    gboolean other = width != gfx->width || height != gfx->height;

    gfx->screen_keyed = FALSE;
    return drop_regions(gfx) && (!other || make_screen(gfx, width, height)) && blacken(gfx);
}

/* ---- frames ---- */

/* Encodes the pixels, without loss, in the codec that takes fewer bytes, which *codec then is: nearly always
 * ClearCodec, which does not know photographs. */
static gsize encode_exact(Gfx *gfx, const guint8 *pixels, gsize stride, const ViewerRect *rect, UINT16 *codec)
{
    gsize most = clear_measure(gfx->clear, pixels, stride, rect->width, rect->height);

    if (most > (gsize)rect->width * rect->height / CLEAR_SURE) {
        gsize planar = planar_encode(pixels, stride, rect->width, rect->height, PLANAR_PLAIN, gfx->encoded);
        *codec = RDPGFX_CODECID_PLANAR;
        if (planar <= most)
            return planar;
    }
    *codec = RDPGFX_CODECID_CLEARCODEC;
    return clear_write(gfx->clear, gfx->encoded);
}

static gboolean send_pixels(Gfx *gfx, const ViewerRect *rect, UINT16 codec, const guint8 *data, gsize length)
{
    UINT32 left = rect->x + (guint)gfx->rdp->offset_x, top = rect->y + (guint)gfx->rdp->offset_y;
    RDPGFX_SURFACE_COMMAND command = {.surfaceId = SURFACE_SCREEN,
                                      .codecId = codec,
                                      .format = PIXEL_FORMAT_BGRX32,
                                      .left = left,
                                      .top = top,
                                      .right = left + rect->width,
                                      .bottom = top + rect->height,
                                      .width = rect->width,
                                      .height = rect->height,
                                      .length = (UINT32)length,
                                      .data = (BYTE *)data};

    gfx->frame_bytes += length;
    return gfx->channel->SurfaceCommand(gfx->channel, &command) == CHANNEL_RC_OK;
}

static const guint8 *pixels_of(const ViewerPicture *picture, const ViewerRect *rect)
{
    return picture->pixels + (gsize)rect->y * picture->stride + (gsize)rect->x * 4;
}

static gboolean send_part(Gfx *gfx, const ViewerPicture *picture, const ViewerRect *part)
{
    UINT16 codec;
    gsize length = encode_exact(gfx, pixels_of(picture, part), picture->stride, part, &codec);
    return send_pixels(gfx, part, codec, gfx->encoded, length);
}

static gboolean send_exact(Gfx *gfx, const ViewerPicture *picture, const ViewerRect *whole)
{
    for (guint y = 0; y < whole->height; y += PLANAR_HEIGHT_MAX)
        for (guint x = 0; x < whole->width; x += PLANAR_WIDTH_MAX) {
            ViewerRect part = {whole->x + x, whole->y + y, MIN(PLANAR_WIDTH_MAX, whole->width - x),
                               MIN(PLANAR_HEIGHT_MAX, whole->height - y)};
            if (!send_part(gfx, picture, &part))
                return FALSE;
        }
    return TRUE;
}

/* A row of tiles at a time: the encoder keeps memory for each tile of a message. */
static gboolean send_lossy(Gfx *gfx, const ViewerPicture *picture, const ViewerRect *whole)
{
    if (!gfx->fx)
        gfx->fx = remotefx_new();
    for (guint y = 0; y < whole->height; y += REMOTEFX_TILE) {
        ViewerRect row = {whole->x, whole->y + y, whole->width, MIN(REMOTEFX_TILE, whole->height - y)};
        gsize length;
        const guint8 *message = gfx->fx ? remotefx_encode(gfx->fx, pixels_of(picture, &row), picture->stride,
                                                          row.width, row.height, &length)
                                        : NULL;
        if (!(message ? send_pixels(gfx, &row, RDPGFX_CODECID_CAVIDEO, message, length)
                      : send_exact(gfx, picture, &row)))
            return FALSE;
    }
    return TRUE;
}

static gboolean send_rects(Gfx *gfx, const ViewerUpdate *update)
{
    for (guint i = 0; i < update->n_rects; i++)
        if (!send_exact(gfx, &update->picture, &update->rects[i]))
            return FALSE;
    for (guint i = 0; i < update->n_lossy_rects; i++)
        if (!send_lossy(gfx, &update->picture, &update->lossy_rects[i]))
            return FALSE;
    return TRUE;
}

/* A client that copies within one surface reads all of the source before it writes (FreeRDP's do, too). */
static gboolean send_moves(Gfx *gfx, const ViewerUpdate *update)
{
    guint left = (guint)gfx->rdp->offset_x, top = (guint)gfx->rdp->offset_y;
    for (guint i = 0; i < update->n_moves; i++) {
        const ViewerMove *move = &update->moves[i];
        guint x = left + move->x, y = top + move->y;
        RDPGFX_POINT16 to = {(UINT16)(left + move->to_x), (UINT16)(top + move->to_y)};
        RDPGFX_SURFACE_TO_SURFACE_PDU copy = {
            .surfaceIdSrc = SURFACE_SCREEN,
            .surfaceIdDest = SURFACE_SCREEN,
            .rectSrc = {(UINT16)x, (UINT16)y, (UINT16)(x + move->width), (UINT16)(y + move->height)},
            .destPtsCount = 1,
            .destPts = &to};
        if (gfx->channel->SurfaceToSurface(gfx->channel, &copy) != CHANNEL_RC_OK)
            return FALSE;
    }
    return TRUE;
}

/* A view's rectangles as the wire has them; `data` is borrowed, the rest is the caller's to free. */
static RDPGFX_AVC420_BITMAP_STREAM view_stream(const guint8 *data, gsize length, const ViewerRect *rects,
                                               guint n, const ViewerRect *origin)
{
    RDPGFX_AVC420_BITMAP_STREAM stream = {
        .meta = {n, g_new(RECTANGLE_16, MAX(n, 1)), g_new0(RDPGFX_H264_QUANT_QUALITY, MAX(n, 1))},
        .length = (UINT32)length,
        .data = (BYTE *)data};
    for (guint i = 0; i < n; i++) {
        guint x = rects[i].x - origin->x, y = rects[i].y - origin->y;
        stream.meta.regionRects[i] =
            (RECTANGLE_16){(UINT16)x, (UINT16)y, (UINT16)(x + rects[i].width), (UINT16)(y + rects[i].height)};
        stream.meta.quantQualityVals[i] = (RDPGFX_H264_QUANT_QUALITY){.qp = 23, .qualityVal = 100};
    }
    return stream;
}

static void free_view_stream(RDPGFX_AVC420_BITMAP_STREAM *stream)
{
    g_free(stream->meta.regionRects);
    g_free(stream->meta.quantQualityVals);
}

/* Bytes of it (MS-RDPEGFX 2.2.4.4). */
static UINT32 view_size(const RDPGFX_AVC420_BITMAP_STREAM *stream)
{
    return 4 + stream->meta.numRegionRects * 10 + stream->length;
}

/* The unit onto a surface of the region's size; `rects`, px of the picture, are what it is to paint there. A
 * client that takes AVC444 is sent nothing else: its surfaces then have one decoder for all units. */
static gboolean send_avc(Gfx *gfx, guint16 surface, const ViewerUpdate *update, const ViewerRect *rects,
                         guint n)
{
    const ViewerRect *region = &update->unit_region;
    RDPGFX_AVC444_BITMAP_STREAM both = {.LC = update->auxiliary ? 0 : 1};
    RDPGFX_AVC420_BITMAP_STREAM *main = &both.bitstream[0], *auxiliary = &both.bitstream[1];
    gboolean avc444 = gfx->h264 == SEAT_H264_AVC444;

    *main = view_stream(update->unit, update->unit_length, rects, n, region);
    if (avc444 && update->auxiliary)
        *auxiliary = view_stream(update->auxiliary, update->auxiliary_length, update->auxiliary_rects,
                                 update->n_auxiliary_rects, region);
    both.cbAvc420EncodedBitstream1 = view_size(main);
    RDPGFX_SURFACE_COMMAND command = {.surfaceId = surface,
                                      .codecId = avc444 ? RDPGFX_CODECID_AVC444v2 : RDPGFX_CODECID_AVC420,
                                      .format = PIXEL_FORMAT_BGRX32,
                                      .right = region->width,
                                      .bottom = region->height,
                                      .width = region->width,
                                      .height = region->height,
                                      .length = 4 + view_size(main) + view_size(auxiliary),
                                      .extra = avc444 ? (void *)&both : (void *)main};
    gboolean done = gfx->channel->SurfaceCommand(gfx->channel, &command) == CHANNEL_RC_OK;
    gfx->frame_bytes += update->unit_length + both.bitstream[1].length;
    free_view_stream(main);
    free_view_stream(auxiliary);
    return done;
}

/* A unit that no decoder of ours can show: a key frame is asked for, and everything anew. */
static gboolean skip_unit(Gfx *gfx)
{
    bridge_need_keyframe(gfx->rdp->bridge);
    bridge_invalidate(gfx->rdp->bridge);
    return TRUE;
}

static gboolean send_unit_whole(Gfx *gfx, const ViewerUpdate *update)
{
    if (!update->unit_key && !gfx->screen_keyed)
        return skip_unit(gfx);
    gfx->screen_keyed = TRUE;
    return send_avc(gfx, SURFACE_SCREEN, update, update->unit_rects, update->n_unit_rects);
}

static gboolean same_rect(const ViewerRect *a, const ViewerRect *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* The region's surface, made anew when the region is: then the unit must be a key frame. */
static gint region_surface(Gfx *gfx, const ViewerUpdate *update)
{
    guint oldest = 0;
    for (guint i = 0; i < REGIONS_MAX; i++) {
        if (gfx->regions[i].used && same_rect(&gfx->regions[i].region, &update->unit_region))
            return (gint)i;
        if (!gfx->regions[i].used || gfx->regions[i].frame < gfx->regions[oldest].frame)
            oldest = i;
    }
    Region *region = &gfx->regions[oldest];
    guint16 id = (guint16)(SURFACE_REGION + oldest);
    if (!update->unit_key || (region->used && !surface_delete(gfx, id)) ||
        !surface_create(gfx, id, update->unit_region.width, update->unit_region.height))
        return -1;
    *region = (Region){.used = TRUE, .region = update->unit_region};
    return (gint)oldest;
}

static gboolean send_unit_region(Gfx *gfx, const ViewerUpdate *update)
{
    const ViewerRect *region = &update->unit_region;
    gint slot = region_surface(gfx, update);

    if (slot < 0)
        return skip_unit(gfx);
    gfx->regions[slot].frame = gfx->pace.sent;
    guint16 id = (guint16)(SURFACE_REGION + slot);
    if (!send_avc(gfx, id, update, region, 1))
        return FALSE;
    for (guint i = 0; i < update->n_unit_rects; i++) {
        const ViewerRect *r = &update->unit_rects[i];
        guint x = r->x - region->x, y = r->y - region->y;
        RDPGFX_POINT16 at = {(UINT16)(r->x + (guint)gfx->rdp->offset_x),
                             (UINT16)(r->y + (guint)gfx->rdp->offset_y)};
        RDPGFX_SURFACE_TO_SURFACE_PDU copy = {
            .surfaceIdSrc = id,
            .surfaceIdDest = SURFACE_SCREEN,
            .rectSrc = {(UINT16)x, (UINT16)y, (UINT16)(x + r->width), (UINT16)(y + r->height)},
            .destPtsCount = 1,
            .destPts = &at};
        if (gfx->channel->SurfaceToSurface(gfx->channel, &copy) != CHANNEL_RC_OK)
            return FALSE;
    }
    return TRUE;
}

/* Straight onto the screen's surface only when the unit, the picture and the surface are of one size. */
static gboolean send_unit(Gfx *gfx, const ViewerUpdate *update)
{
    const ViewerRect *r = &update->unit_region;
    gboolean whole =
        r->x == 0 && r->y == 0 && r->width >= gfx->rdp->output_width && r->height >= gfx->rdp->output_height;
    return whole ? send_unit_whole(gfx, update) : send_unit_region(gfx, update);
}

gboolean gfx_send(Gfx *gfx, const ViewerUpdate *update)
{
    gint64 began = g_get_monotonic_time();
    guint32 id = gfx->pace.sent + 1;
    RDPGFX_START_FRAME_PDU start = {.timestamp = (UINT32)(began / 1000), .frameId = id};
    RDPGFX_END_FRAME_PDU end = {.frameId = id};

    gfx->frame_bytes = 0;
    gboolean done = gfx->channel->StartFrame(gfx->channel, &start) == CHANNEL_RC_OK &&
                    send_moves(gfx, update) && (!update->unit || send_unit(gfx, update)) &&
                    send_rects(gfx, update) && gfx->channel->EndFrame(gfx->channel, &end) == CHANNEL_RC_OK;
    pace_sent(&gfx->pace, gfx->frame_bytes, began);
    return done;
}
