/* The graphics pipeline's PDUs, little-endian. */
#include "session/rdp/gfx_pdu.h"

#include "encoder/bulk.h"

#include <string.h>

#define HEADER 8
#define PIXEL_FORMAT_XRGB 0x20
#define RESET_GRAPHICS_SIZE 340 /* whatever the number of monitors */
#define MONITOR_PRIMARY 1
#define BYTES_KEPT (128 * 1024)
#define QP 23 /* not used by decoders */
#define QUALITY 100

typedef enum {
    COMMAND_WIRE_TO_SURFACE_1 = 0x1,
    COMMAND_SOLID_FILL = 0x4,
    COMMAND_SURFACE_TO_SURFACE = 0x5,
    COMMAND_SURFACE_TO_CACHE = 0x6,
    COMMAND_CACHE_TO_SURFACE = 0x7,
    COMMAND_EVICT_CACHE_ENTRY = 0x8,
    COMMAND_CREATE_SURFACE = 0x9,
    COMMAND_DELETE_SURFACE = 0xa,
    COMMAND_START_FRAME = 0xb,
    COMMAND_END_FRAME = 0xc,
    COMMAND_FRAME_ACKNOWLEDGE = 0xd,
    COMMAND_RESET_GRAPHICS = 0xe,
    COMMAND_MAP_SURFACE_TO_OUTPUT = 0xf,
    COMMAND_CACHE_IMPORT_OFFER = 0x10,
    COMMAND_CACHE_IMPORT_REPLY = 0x11,
    COMMAND_CAPS_ADVERTISE = 0x12,
    COMMAND_CAPS_CONFIRM = 0x13,
} Command;

/* ---- a block ---- */

void gfx_block_init(GfxBlock *block)
{
    block->bytes = g_byte_array_new();
    block->packed = g_array_new(FALSE, FALSE, sizeof(BulkRange));
}

void gfx_block_clear(GfxBlock *block)
{
    g_clear_pointer(&block->bytes, g_byte_array_unref);
    g_clear_pointer(&block->packed, g_array_unref);
}

void gfx_block_empty(GfxBlock *block)
{
    if (block->bytes->len > BYTES_KEPT) {
        gfx_block_clear(block);
        gfx_block_init(block);
        return;
    }
    g_byte_array_set_size(block->bytes, 0);
    g_array_set_size(block->packed, 0);
}

static void put16(GfxBlock *block, guint value)
{
    const guint8 bytes[] = {(guint8)value, (guint8)(value >> 8)};
    g_byte_array_append(block->bytes, bytes, sizeof bytes);
}

static void put32(GfxBlock *block, guint32 value)
{
    put16(block, value & 0xffff);
    put16(block, value >> 16);
}

static void set32(GfxBlock *block, guint at, guint32 value)
{
    value = GUINT32_TO_LE(value);
    memcpy(block->bytes->data + at, &value, sizeof value);
}

static void put_rect(GfxBlock *block, guint x, guint y, const ViewerRect *size)
{
    put16(block, x);
    put16(block, y);
    put16(block, x + size->width);
    put16(block, y + size->height);
}

static void put_packed(GfxBlock *block, const guint8 *data, gsize length)
{
    BulkRange range = {block->bytes->len, length};
    g_array_append_val(block->packed, range);
    g_byte_array_append(block->bytes, data, (guint)length);
}

/* Returns where the PDU begins, for finish(). */
static guint begin(GfxBlock *block, Command command)
{
    guint at = block->bytes->len;
    put16(block, command);
    put16(block, 0);
    put32(block, 0);
    return at;
}

static void finish(GfxBlock *block, guint at)
{
    set32(block, at + 4, block->bytes->len - at);
}

/* ---- reading ---- */

static guint32 get16(const guint8 *bytes)
{
    return bytes[0] | (guint32)bytes[1] << 8;
}

static guint32 get32(const guint8 *bytes)
{
    return get16(bytes) | get16(bytes + 2) << 16;
}

static gboolean read_caps(const guint8 *body, gsize length, GfxPdu *pdu)
{
    if (length < 2)
        return FALSE;
    guint count = get16(body);
    gsize at = 2;
    for (guint i = 0; i < count; i++) {
        if (length - at < 8)
            return FALSE;
        GfxCaps caps = {.version = get32(body + at), .length = get32(body + at + 4)};
        at += 8;
        if (caps.length > length - at)
            return FALSE;
        caps.flags = caps.length >= 4 ? get32(body + at) : 0;
        at += caps.length;
        if (pdu->n_caps < GFX_CAPS_MAX)
            pdu->caps[pdu->n_caps++] = caps;
    }
    return TRUE;
}

static gboolean read_acknowledge(const guint8 *body, gsize length, GfxPdu *pdu)
{
    if (length < 12)
        return FALSE;
    pdu->queue_depth = get32(body);
    pdu->frame = get32(body + 4);
    return TRUE;
}

gsize gfx_pdu_read(const guint8 *bytes, gsize length, GfxPdu *pdu)
{
    gboolean well = TRUE;

    pdu->kind = GFX_PDU_OTHER;
    pdu->n_caps = 0;
    if (length < HEADER)
        return 0;
    gsize size = get32(bytes + 4);
    if (size < HEADER || size > length)
        return 0;
    switch (get16(bytes)) {
    case COMMAND_CAPS_ADVERTISE:
        pdu->kind = GFX_PDU_CAPS_ADVERTISE;
        well = read_caps(bytes + HEADER, size - HEADER, pdu);
        break;
    case COMMAND_FRAME_ACKNOWLEDGE:
        pdu->kind = GFX_PDU_FRAME_ACKNOWLEDGE;
        well = read_acknowledge(bytes + HEADER, size - HEADER, pdu);
        break;
    case COMMAND_CACHE_IMPORT_OFFER:
        pdu->kind = GFX_PDU_CACHE_IMPORT_OFFER;
        break;
    default:
        break;
    }
    return well ? size : 0;
}

/* ---- capabilities and surfaces ---- */

void gfx_pdu_caps_confirm(GfxBlock *block, const GfxCaps *caps)
{
    guint at = begin(block, COMMAND_CAPS_CONFIRM);
    put32(block, caps->version);
    put32(block, caps->length);
    guint data = block->bytes->len;
    g_byte_array_set_size(block->bytes, data + caps->length);
    memset(block->bytes->data + data, 0, caps->length);
    if (caps->length >= 4)
        set32(block, data, caps->flags);
    finish(block, at);
}

void gfx_pdu_reset_graphics(GfxBlock *block, guint width, guint height)
{
    guint at = begin(block, COMMAND_RESET_GRAPHICS);
    put32(block, width);
    put32(block, height);
    put32(block, 1);
    put32(block, 0);
    put32(block, 0);
    put32(block, width - 1);
    put32(block, height - 1);
    put32(block, MONITOR_PRIMARY);
    guint end = block->bytes->len;
    g_byte_array_set_size(block->bytes, at + RESET_GRAPHICS_SIZE);
    memset(block->bytes->data + end, 0, at + RESET_GRAPHICS_SIZE - end);
    finish(block, at);
}

void gfx_pdu_create_surface(GfxBlock *block, guint16 surface, guint width, guint height)
{
    const guint8 format = PIXEL_FORMAT_XRGB;
    guint at = begin(block, COMMAND_CREATE_SURFACE);
    put16(block, surface);
    put16(block, width);
    put16(block, height);
    g_byte_array_append(block->bytes, &format, 1);
    finish(block, at);
}

void gfx_pdu_delete_surface(GfxBlock *block, guint16 surface)
{
    guint at = begin(block, COMMAND_DELETE_SURFACE);
    put16(block, surface);
    finish(block, at);
}

void gfx_pdu_map_surface_to_output(GfxBlock *block, guint16 surface)
{
    guint at = begin(block, COMMAND_MAP_SURFACE_TO_OUTPUT);
    put16(block, surface);
    put16(block, 0);
    put32(block, 0);
    put32(block, 0);
    finish(block, at);
}

/* ---- frames ---- */

void gfx_pdu_start_frame(GfxBlock *block, guint32 frame, guint32 timestamp)
{
    guint at = begin(block, COMMAND_START_FRAME);
    put32(block, timestamp);
    put32(block, frame);
    finish(block, at);
}

void gfx_pdu_end_frame(GfxBlock *block, guint32 frame)
{
    guint at = begin(block, COMMAND_END_FRAME);
    put32(block, frame);
    finish(block, at);
}

void gfx_pdu_solid_fill(GfxBlock *block, guint16 surface, guint32 xrgb, const ViewerRect *rect)
{
    guint at = begin(block, COMMAND_SOLID_FILL);
    put16(block, surface);
    put32(block, xrgb | 0xff000000u);
    put16(block, 1);
    put_rect(block, rect->x, rect->y, rect);
    finish(block, at);
}

void gfx_pdu_surface_to_surface(GfxBlock *block, guint16 from, const ViewerRect *rect, guint16 to, guint x,
                                guint y)
{
    guint at = begin(block, COMMAND_SURFACE_TO_SURFACE);
    put16(block, from);
    put16(block, to);
    put_rect(block, rect->x, rect->y, rect);
    put16(block, 1);
    put16(block, x);
    put16(block, y);
    finish(block, at);
}

void gfx_pdu_surface_to_cache(GfxBlock *block, guint16 surface, guint64 key, guint16 slot,
                              const ViewerRect *rect)
{
    guint at = begin(block, COMMAND_SURFACE_TO_CACHE);
    put16(block, surface);
    put32(block, (guint32)key);
    put32(block, (guint32)(key >> 32));
    put16(block, slot);
    put_rect(block, rect->x, rect->y, rect);
    finish(block, at);
}

void gfx_pdu_cache_to_surface(GfxBlock *block, guint16 slot, guint16 surface, guint x, guint y)
{
    guint at = begin(block, COMMAND_CACHE_TO_SURFACE);
    put16(block, slot);
    put16(block, surface);
    put16(block, 1);
    put16(block, x);
    put16(block, y);
    finish(block, at);
}

void gfx_pdu_evict_cache_entry(GfxBlock *block, guint16 slot)
{
    guint at = begin(block, COMMAND_EVICT_CACHE_ENTRY);
    put16(block, slot);
    finish(block, at);
}

void gfx_pdu_cache_import_reply(GfxBlock *block)
{
    guint at = begin(block, COMMAND_CACHE_IMPORT_REPLY);
    put16(block, 0);
    finish(block, at);
}

/* ---- bitmaps ---- */

/* Returns where the bitmap's bytes begin, for finish_bitmap(). */
static guint begin_bitmap(GfxBlock *block, guint16 surface, GfxCodec codec, const ViewerRect *rect)
{
    const guint8 format = PIXEL_FORMAT_XRGB;
    begin(block, COMMAND_WIRE_TO_SURFACE_1);
    put16(block, surface);
    put16(block, codec);
    g_byte_array_append(block->bytes, &format, 1);
    put_rect(block, rect->x, rect->y, rect);
    put32(block, 0);
    return block->bytes->len;
}

#define BITMAP_HEADER (HEADER + 17)

static void finish_bitmap(GfxBlock *block, guint data)
{
    set32(block, data - 4, block->bytes->len - data);
    finish(block, data - BITMAP_HEADER);
}

void gfx_pdu_bitmap(GfxBlock *block, guint16 surface, GfxCodec codec, const ViewerRect *rect,
                    const guint8 *data, gsize length)
{
    guint at = begin_bitmap(block, surface, codec, rect);
    if (codec == GFX_CODEC_REMOTEFX)
        put_packed(block, data, length);
    else
        g_byte_array_append(block->bytes, data, (guint)length);
    finish_bitmap(block, at);
}

/* RFX_AVC420_METABLOCK and the unit (2.2.4.4). */
static void put_view(GfxBlock *block, const ViewerRect *region, const GfxView *view)
{
    const guint8 quality[] = {QP, QUALITY};

    put32(block, view->n_rects);
    for (guint i = 0; i < view->n_rects; i++) {
        const ViewerRect *rect = &view->rects[i];
        put_rect(block, rect->x - region->x, rect->y - region->y, rect);
    }
    for (guint i = 0; i < view->n_rects; i++)
        g_byte_array_append(block->bytes, quality, sizeof quality);
    put_packed(block, view->data, view->length);
}

static ViewerRect whole(const ViewerRect *region)
{
    return (ViewerRect){0, 0, region->width, region->height};
}

void gfx_pdu_avc420(GfxBlock *block, guint16 surface, const ViewerRect *region, const GfxView *main)
{
    ViewerRect all = whole(region);
    guint at = begin_bitmap(block, surface, GFX_CODEC_AVC420, &all);
    put_view(block, region, main);
    finish_bitmap(block, at);
}

/* 2.2.4.6: which views there are, and bytes of the first. */
void gfx_pdu_avc444(GfxBlock *block, guint16 surface, const ViewerRect *region, const GfxView *main,
                    const GfxView *auxiliary)
{
    const guint32 main_only = 1u << 30;
    ViewerRect all = whole(region);
    guint at = begin_bitmap(block, surface, GFX_CODEC_AVC444V2, &all);

    put32(block, 0);
    put_view(block, region, main);
    set32(block, at, (block->bytes->len - at - 4) | (auxiliary ? 0 : main_only));
    if (auxiliary)
        put_view(block, region, auxiliary);
    finish_bitmap(block, at);
}
