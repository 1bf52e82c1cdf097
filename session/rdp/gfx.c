/* The graphics pipeline: capabilities, the client's output, frames and their acknowledgements. */
#include "session/rdp/gfx_private.h"

#include "base/log.h"

#include <freerdp/channels/rdpgfx.h>
#include <freerdp/channels/wtsvc.h>
#include <string.h>

#define ACK_LOST_US                                                                                          \
    (5 * G_USEC_PER_SEC) /* a client that acknowledges nothing for so long does not do it at all */
/* Pixels for each byte of ClearCodec from which on planar is not worth a try. */
#define CLEAR_SURE 3
#define PHOTOGRAPH 2         /* bytes a pixel that neither ClearCodec nor planar is below */
#define PHOTOGRAPH_AREA 1024 /* px; of less the headers count */
#define CAPS_LENGTH_MAX 16   /* bytes of the largest set there is */
#define BLOCK_FULL 32768     /* bytes: a client decodes the first while the next are on their way */

/* ---- the block ---- */

gboolean gfx_flush(Gfx *gfx)
{
    if (gfx->block.bytes->len == 0)
        return TRUE;
    gsize sent = gfx_channel_send(gfx->channel, &gfx->block);
    gfx->frame_bytes += sent;
    return sent > 0;
}

gboolean gfx_appended(Gfx *gfx)
{
    return gfx->block.bytes->len < BLOCK_FULL || gfx_flush(gfx);
}

/* ---- capabilities ---- */

static SeatH264 allowed_h264(const GfxCaps *caps)
{
    if (caps->version == RDPGFX_CAPVERSION_101)
        return SEAT_H264_AVC444;
    if (caps->version >= RDPGFX_CAPVERSION_10 && caps->flags & RDPGFX_CAPS_FLAG_AVC_DISABLED)
        return SEAT_H264_NONE;
    /* Of AVC444 the first version knows only the first. */
    if (caps->version == RDPGFX_CAPVERSION_10)
        return SEAT_H264_AVC420;
    if (caps->version > RDPGFX_CAPVERSION_101)
        return SEAT_H264_AVC444;
    return caps->version == RDPGFX_CAPVERSION_81 && caps->flags & RDPGFX_CAPS_FLAG_AVC420_ENABLED
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
    bridge_name_tiles(gfx->rdp->bridge, !gfx->rdp->scaler);
}

static gboolean on_caps_advertise(Gfx *gfx, const GfxPdu *pdu)
{
    static const char *const names[] = {"no", "AVC420", "AVC444"};
    Rdp *rdp = gfx->rdp;
    GfxCaps chosen = {0};

    for (guint i = 0; i < pdu->n_caps; i++)
        if (known_version(pdu->caps[i].version) && pdu->caps[i].version > chosen.version)
            chosen = pdu->caps[i];
    if (chosen.version == 0) {
        log_info("graphics pipeline: the client has no version of it that is known here");
        return FALSE;
    }
    chosen.length = MIN(chosen.length, CAPS_LENGTH_MAX);
    gfx_block_empty(&gfx->block);
    gfx_pdu_caps_confirm(&gfx->block, &chosen);
    gfx->h264 = allowed_h264(&chosen);
    gfx->ready = TRUE;
    /* Whatever the client had is gone. */
    gfx->width = gfx->height = 0;
    gfx_film_forget(gfx);
    gfx_cache_start(gfx, &chosen);
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
    bridge_invalidate(rdp->bridge, NULL);
    /* Without waiting for a picture: FreeRDP's clients are busy with a new output for some hundred
     * milliseconds. */
    return gfx_resize(gfx);
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

static void on_acknowledge(Gfx *gfx, const GfxPdu *ack)
{
    gint64 now = g_get_monotonic_time();
    gboolean first = !gfx->pace.answers;

    gfx->acks_suspended = ack->queue_depth == GFX_ACKNOWLEDGE_SUSPEND;
    if (!pace_echoed(&gfx->pace, ack->frame, now))
        return; /* old, or of a frame never sent */
    if (first)
        log_info("first picture acknowledged %" G_GINT64_FORMAT " ms after the connection",
                 (now - gfx->rdp->began_us) / 1000);
    follow_link(gfx);
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
    gfx_block_init(&gfx->block);
    return gfx;
}

void gfx_free(Gfx *gfx)
{
    if (!gfx)
        return;
    gfx_channel_free(gfx->channel);
    gfx_block_clear(&gfx->block);
    clear_free(gfx->clear);
    remotefx_free(gfx->fx);
    gfx_cache_clear(gfx);
    g_free(gfx);
}

void gfx_created(Gfx *gfx, guint32 channel_id, gboolean done)
{
    if (gfx->channel && gfx_channel_id(gfx->channel) == channel_id && !done)
        gfx->rdp->gfx_deadline_us = 1; /* refused: bitmaps at once */
}

gboolean gfx_open(Gfx *gfx)
{
    if (!gfx->asked)
        gfx->channel = gfx_channel_open(gfx->rdp->context->vcm);
    gfx->asked = TRUE;
    return gfx->channel != NULL;
}

HANDLE gfx_event(Gfx *gfx)
{
    return gfx->channel ? gfx_channel_event(gfx->channel) : NULL;
}

static gboolean handle_pdu(Gfx *gfx, const GfxPdu *pdu)
{
    if (pdu->kind == GFX_PDU_CAPS_ADVERTISE)
        return on_caps_advertise(gfx, pdu);
    if (!gfx->ready)
        return FALSE; /* it speaks before it has said what it understands */
    if (pdu->kind == GFX_PDU_FRAME_ACKNOWLEDGE)
        on_acknowledge(gfx, pdu);
    if (pdu->kind == GFX_PDU_CACHE_IMPORT_OFFER)
        gfx_pdu_cache_import_reply(&gfx->block);
    return gfx_flush(gfx);
}

static gboolean handle_message(Gfx *gfx, const guint8 *bytes, gsize length)
{
    for (gsize at = 0, size; at < length; at += size) {
        GfxPdu pdu;
        size = gfx_pdu_read(bytes + at, length - at, &pdu);
        if (size == 0 || !handle_pdu(gfx, &pdu)) {
            log_info("graphics pipeline: what the client says cannot be understood");
            return FALSE;
        }
    }
    return TRUE;
}

gboolean gfx_handle(Gfx *gfx)
{
    const guint8 *bytes = NULL;
    gsize length;

    if (!gfx->channel)
        return TRUE;
    while (gfx_channel_receive(gfx->channel, &bytes, &length))
        if (!bytes)
            return TRUE;
        else if (!handle_message(gfx, bytes, length))
            return FALSE;
    log_info("graphics pipeline: closed by the client, or a message that is too long");
    return FALSE;
}

SeatH264 gfx_h264(const Gfx *gfx)
{
    return gfx->h264;
}

/* ---- the client's output ---- */

/* Anew, and a surface that fills it. */
static void make_screen(Gfx *gfx, guint width, guint height)
{
    gfx_cache_empty(gfx);
    if (gfx->width)
        gfx_pdu_delete_surface(&gfx->block, GFX_SURFACE_SCREEN);
    gfx_pdu_reset_graphics(&gfx->block, width, height);
    gfx_pdu_create_surface(&gfx->block, GFX_SURFACE_SCREEN, width, height);
    gfx_pdu_map_surface_to_output(&gfx->block, GFX_SURFACE_SCREEN);
    gfx->width = width;
    gfx->height = height;
}

gboolean gfx_resize(Gfx *gfx)
{
    ViewerRect all = {0, 0, gfx->rdp->output_width, gfx->rdp->output_height};

    gfx_film_delete(gfx);
    if (all.width != gfx->width || all.height != gfx->height)
        make_screen(gfx, all.width, all.height);
    tile_cache_spoil_all(gfx->cache.tiles);
    /* The bars around a picture that is smaller than the client's window. */
    gfx_pdu_solid_fill(&gfx->block, GFX_SURFACE_SCREEN, 0, &all);
    return gfx_flush(gfx);
}

/* ---- frames ---- */

/* Encodes the pixels, without loss, in the codec that takes fewer bytes, which *codec then is: nearly always
 * ClearCodec, which does not know photographs. Of these bulk compression makes most when they are
 * differences. */
static gsize encode_exact(Gfx *gfx, const guint8 *pixels, gsize stride, const ViewerRect *rect,
                          GfxCodec *codec)
{
    gsize most = clear_measure(gfx->clear, pixels, stride, rect->width, rect->height);
    gsize area = (gsize)rect->width * rect->height, planar;

    *codec = GFX_CODEC_PLANAR;
    if (area >= PHOTOGRAPH_AREA && most > area * PHOTOGRAPH) {
        planar = planar_encode(pixels, stride, rect->width, rect->height, PLANAR_FOR_BULK, gfx->encoded);
        if (planar > area * PHOTOGRAPH)
            return planar;
    }
    if (most > area / CLEAR_SURE) {
        planar = planar_encode(pixels, stride, rect->width, rect->height, PLANAR_PLAIN, gfx->encoded);
        if (planar <= most)
            return planar;
    }
    *codec = GFX_CODEC_CLEARCODEC;
    return clear_write(gfx->clear, gfx->encoded);
}

static gboolean append_pixels(Gfx *gfx, const ViewerRect *rect, GfxCodec codec, const guint8 *data,
                              gsize length)
{
    ViewerRect place = {rect->x + (guint)gfx->rdp->offset_x, rect->y + (guint)gfx->rdp->offset_y, rect->width,
                        rect->height};

    gfx_pdu_bitmap(&gfx->block, GFX_SURFACE_SCREEN, codec, &place, data, length);
    return gfx_appended(gfx);
}

static const guint8 *pixels_of(const ViewerPicture *picture, const ViewerRect *rect)
{
    return picture->pixels + (gsize)rect->y * picture->stride + (gsize)rect->x * 4;
}

static gboolean append_part(Gfx *gfx, const ViewerPicture *picture, const ViewerRect *part)
{
    GfxCodec codec;
    gsize length = encode_exact(gfx, pixels_of(picture, part), picture->stride, part, &codec);
    return append_pixels(gfx, part, codec, gfx->encoded, length);
}

static gboolean append_exact(Gfx *gfx, const ViewerPicture *picture, const ViewerRect *whole)
{
    for (guint y = 0; y < whole->height; y += PLANAR_HEIGHT_MAX)
        for (guint x = 0; x < whole->width; x += PLANAR_WIDTH_MAX) {
            ViewerRect part = {whole->x + x, whole->y + y, MIN(PLANAR_WIDTH_MAX, whole->width - x),
                               MIN(PLANAR_HEIGHT_MAX, whole->height - y)};
            if (!append_part(gfx, picture, &part))
                return FALSE;
        }
    return TRUE;
}

/* A row of tiles at a time: the encoder keeps memory for each tile of a message. */
static gboolean append_lossy(Gfx *gfx, const ViewerPicture *picture, const ViewerRect *whole)
{
    if (!gfx->fx)
        gfx->fx = remotefx_new();
    for (guint y = 0; y < whole->height; y += REMOTEFX_TILE) {
        ViewerRect row = {whole->x, whole->y + y, whole->width, MIN(REMOTEFX_TILE, whole->height - y)};
        gsize length;
        const guint8 *message = gfx->fx ? remotefx_encode(gfx->fx, pixels_of(picture, &row), picture->stride,
                                                          row.width, row.height, &length)
                                        : NULL;
        if (!(message ? append_pixels(gfx, &row, GFX_CODEC_REMOTEFX, message, length)
                      : append_exact(gfx, picture, &row)))
            return FALSE;
    }
    return TRUE;
}

static gboolean append_rects(Gfx *gfx, const ViewerUpdate *update)
{
    for (guint i = 0; i < update->n_rects; i++)
        if (!append_exact(gfx, &update->picture, &update->rects[i]))
            return FALSE;
    for (guint i = 0; i < update->n_lossy_rects; i++)
        if (!append_lossy(gfx, &update->picture, &update->lossy_rects[i]))
            return FALSE;
    return TRUE;
}

/* A client that copies within one surface reads all of the source before it writes (FreeRDP's do, too). */
static void append_moves(Gfx *gfx, const ViewerUpdate *update)
{
    guint left = (guint)gfx->rdp->offset_x, top = (guint)gfx->rdp->offset_y;
    for (guint i = 0; i < update->n_moves; i++) {
        const ViewerMove *move = &update->moves[i];
        ViewerRect from = {left + move->x, top + move->y, move->width, move->height};
        gfx_pdu_surface_to_surface(&gfx->block, GFX_SURFACE_SCREEN, &from, GFX_SURFACE_SCREEN,
                                   left + move->to_x, top + move->to_y);
    }
}

gboolean gfx_send(Gfx *gfx, const ViewerUpdate *update)
{
    gint64 began = g_get_monotonic_time();
    guint32 id = gfx->pace.sent + 1;
    ViewerUpdate rest;

    if (gfx_cache_learn(gfx, update))
        return TRUE;
    gfx->frame_bytes = 0;
    gfx_pdu_start_frame(&gfx->block, id, (guint32)(began / 1000));
    gfx_cache_begin(gfx, update);
    append_moves(gfx, update);
    gboolean done = gfx_film_append(gfx, update);
    gfx_cache_append(gfx, update, &rest);
    done = done && append_rects(gfx, &rest);
    gfx_pdu_end_frame(&gfx->block, id);
    done = done && gfx_flush(gfx);
    pace_sent(&gfx->pace, gfx->frame_bytes, began);
    return done;
}
