/* What a client of RDP is told of its screen: surfaces, decoders, places. The channel is replaced by a client
 * that reads what it is sent, counts and shows it; the files under test are compiled in, since nobody else
 * sees their insides. */
#include "session/rdp/gfx.c"
#include "session/rdp/gfx_cache.c"
#include "session/rdp/gfx_film.c"
#include "session/rdp/place.c"
#include "session/rdp/remotefx.c"
#include "tests/unit/suite.h"

#include <freerdp/codec/clear.h>
#include <freerdp/codec/planar.h>
#include <freerdp/codec/region.h>
#include <freerdp/codec/rfx.h>
#include <stdlib.h>

static Rdp rdp;
static RdpContext context;
static rdpUpdate update;
static struct {
    guint units, commands, copies, created, deleted, resets, filled, keyframes, invalidated, black, resized;
    guint clear, planar, remotefx;
    gboolean kept, moves, losses, names;
    guint messages;
    ViewerRect copied; /* of the last copy */
    guint copied_from, copied_onto, copied_x, copied_y;
    SeatH264 h264;
    UINT32 lc, lengths[2], rects[2]; /* of the last AVC444 command; per view */
    UINT16 codec;
} saw;

/* What the client shows, in the codecs that it decodes here. */
#define SHOWN_WIDTH 800
#define SHOWN_HEIGHT 600
static struct {
    CLEAR_CONTEXT *clear;
    BITMAP_PLANAR_CONTEXT *planar;
    RFX_CONTEXT *remotefx;
    guint32 pixels[SHOWN_WIDTH * SHOWN_HEIGHT];
} client;

void bridge_need_keyframe(Bridge *bridge)
{
    saw.keyframes++;
}

void bridge_invalidate(Bridge *bridge, const ViewerRect *rect)
{
    saw.invalidated++;
}

void bridge_subscribe(Bridge *bridge, SeatH264 h264, guint max_kbit_s)
{
    saw.h264 = h264;
}

void bridge_keep_picture(Bridge *bridge, gboolean keep)
{
    saw.kept = keep;
}

void bridge_accept_moves(Bridge *bridge, gboolean accept)
{
    saw.moves = accept;
}

void bridge_name_tiles(Bridge *bridge, gboolean name)
{
    saw.names = name;
}

void bridge_accept_losses(Bridge *bridge, gboolean accept)
{
    saw.losses = accept;
}

gboolean bitmaps_send(Bitmaps *bitmaps, const ViewerUpdate *black, guint x, guint y)
{
    for (guint i = 0; i < black->n_rects; i++)
        saw.black += black->rects[i].width * black->rects[i].height;
    return TRUE;
}

static guint get16(const guint8 *bytes)
{
    return bytes[0] | (guint)bytes[1] << 8;
}

static guint32 get32(const guint8 *bytes)
{
    return get16(bytes) | (guint32)get16(bytes + 2) << 16;
}

static ViewerRect get_rect(const guint8 *bytes)
{
    guint left = get16(bytes), top = get16(bytes + 2), right = get16(bytes + 4), bottom = get16(bytes + 6);
    ck_assert_uint_lt(left, right);
    ck_assert_uint_lt(top, bottom);
    return (ViewerRect){left, top, right - left, bottom - top};
}

static void see_copy(const guint8 *body)
{
    saw.copies++;
    saw.copied_from = get16(body);
    saw.copied_onto = get16(body + 2);
    saw.copied = get_rect(body + 4);
    ck_assert_uint_eq(get16(body + 12), 1);
    saw.copied_x = get16(body + 14);
    saw.copied_y = get16(body + 16);
}

/* A view of `length` bytes at most; what is behind its rectangles is taken as the unit. */
static void see_view(const guint8 *data, gsize length, guint view)
{
    saw.rects[view] = get32(data);
    ck_assert_uint_ge(length, 4 + (gsize)saw.rects[view] * 10);
    for (guint i = 0; i < saw.rects[view]; i++)
        get_rect(data + 4 + (gsize)i * 8);
    saw.lengths[view] = (UINT32)(length - 4 - (gsize)saw.rects[view] * 10);
}

static void see_avc444(const guint8 *data, gsize length)
{
    gsize first = get32(data) & 0x3fffffff;
    saw.lc = get32(data) >> 30;
    ck_assert_uint_le(first, length - 4);
    see_view(data + 4, first, 0);
    saw.rects[1] = saw.lengths[1] = 0;
    if (saw.lc == 0)
        see_view(data + 4 + first, length - 4 - first, 1);
    else
        ck_assert_uint_eq(first, length - 4);
}

static void see_pixels(UINT16 codec, const ViewerRect *r, const guint8 *data, UINT32 length)
{
    BYTE *shown = (BYTE *)client.pixels;

    if (codec == RDPGFX_CODECID_CLEARCODEC) {
        saw.clear++;
        ck_assert_int_eq(clear_decompress(client.clear, data, length, r->width, r->height, shown,
                                          PIXEL_FORMAT_BGRX32, SHOWN_WIDTH * 4, r->x, r->y, SHOWN_WIDTH,
                                          SHOWN_HEIGHT, NULL),
                         0);
    } else if (codec == RDPGFX_CODECID_PLANAR) {
        saw.planar++;
        ck_assert(planar_decompress(client.planar, data, length, r->width, r->height, shown,
                                    PIXEL_FORMAT_BGRX32, SHOWN_WIDTH * 4, r->x, r->y, r->width, r->height,
                                    FALSE));
    } else if (codec == RDPGFX_CODECID_CAVIDEO) {
        REGION16 painted;
        saw.remotefx++;
        region16_init(&painted);
        ck_assert(rfx_process_message(client.remotefx, data, length, r->x, r->y, shown, PIXEL_FORMAT_BGRX32,
                                      SHOWN_WIDTH * 4, SHOWN_HEIGHT, &painted));
        region16_uninit(&painted);
    }
}

static void see_bitmap(const guint8 *body, gsize size)
{
    UINT16 codec = (UINT16)get16(body + 2);
    ViewerRect rect = get_rect(body + 5);
    gsize length = get32(body + 13);
    const guint8 *data = body + 17;

    saw.commands++;
    ck_assert_uint_eq(17 + length, size);
    if (codec == RDPGFX_CODECID_AVC420 || codec == RDPGFX_CODECID_AVC444v2) {
        saw.units++;
        saw.codec = codec;
    }
    if (codec == RDPGFX_CODECID_AVC420)
        see_view(data, length, 0);
    if (codec == RDPGFX_CODECID_AVC444v2)
        see_avc444(data, length);
    see_pixels(codec, &rect, data, (UINT32)length);
}

static void see_pdu(guint command, const guint8 *body, gsize size)
{
    switch (command) {
    case RDPGFX_CMDID_CREATESURFACE:
        saw.created++;
        break;
    case RDPGFX_CMDID_DELETESURFACE:
        saw.deleted++;
        break;
    case RDPGFX_CMDID_RESETGRAPHICS:
        ck_assert_uint_eq(size, 340 - 8);
        saw.resets++;
        break;
    case RDPGFX_CMDID_SOLIDFILL:
        saw.filled++;
        break;
    case RDPGFX_CMDID_SURFACETOSURFACE:
        see_copy(body);
        break;
    case RDPGFX_CMDID_WIRETOSURFACE_1:
        see_bitmap(body, size);
        break;
    default:
        break;
    }
}

gsize gfx_channel_send(GfxChannel *channel, GfxBlock *block)
{
    gsize length = block->bytes->len;

    saw.messages++;
    for (gsize at = 0, size; at < length; at += size) {
        const guint8 *pdu = block->bytes->data + at;
        ck_assert_uint_ge(length - at, 8);
        size = get32(pdu + 4);
        ck_assert(size >= 8 && size <= length - at);
        see_pdu(get16(pdu), pdu + 8, size - 8);
    }
    gfx_block_empty(block);
    return length;
}

GfxChannel *gfx_channel_open(HANDLE channels)
{
    return NULL;
}

void gfx_channel_free(GfxChannel *channel)
{
}

guint32 gfx_channel_id(const GfxChannel *channel)
{
    return 0;
}

HANDLE gfx_channel_event(const GfxChannel *channel)
{
    return NULL;
}

gboolean gfx_channel_receive(GfxChannel *channel, const guint8 **bytes, gsize *length)
{
    return FALSE;
}

static BOOL desktop_resize(rdpContext *c)
{
    saw.resized++;
    return TRUE;
}

static void advertise_as(UINT32 version, UINT32 flags)
{
    GfxPdu pdu = {.kind = GFX_PDU_CAPS_ADVERTISE,
                  .n_caps = 1,
                  .caps = {{.version = version, .flags = flags, .length = 4}}};
    ck_assert(handle_pdu(rdp.gfx, &pdu));
}

static void advertise(void)
{
    advertise_as(RDPGFX_CAPVERSION_107, 0);
}

static void setup(void)
{
    memset(&saw, 0, sizeof saw);
    context.base.settings = freerdp_settings_new(FREERDP_SETTINGS_SERVER_MODE);
    context.base.update = &update;
    update.DesktopResize = desktop_resize;
    rdp = (Rdp){.context = &context,
                .client_width = 800,
                .client_height = 600,
                .output_width = 800,
                .output_height = 600,
                .active = TRUE};
    rdp.gfx = gfx_new(&rdp);
    client.clear = clear_context_new(FALSE);
    client.planar = freerdp_bitmap_planar_context_new(0, SHOWN_WIDTH, SHOWN_HEIGHT);
    client.remotefx = rfx_context_new(FALSE);
    rfx_context_set_pixel_format(client.remotefx, PIXEL_FORMAT_BGRX32);
    ck_assert(rfx_context_reset(client.remotefx, SHOWN_WIDTH, SHOWN_HEIGHT));
    advertise();
    saw.invalidated = 0;
}

static void teardown(void)
{
    gfx_free(rdp.gfx);
    clear_context_free(client.clear);
    freerdp_bitmap_planar_context_free(client.planar);
    rfx_context_free(client.remotefx);
    scaler_free(rdp.scaler);
    freerdp_settings_free(context.base.settings);
}

static void send_unit_of(guint width, guint height, gboolean key)
{
    static const guint8 bytes[8];
    ViewerRect rect = {0, 0, 64, 64};
    ViewerUnit unit = {.data = bytes,
                       .length = sizeof bytes,
                       .region = {0, 0, width, height},
                       .key = key,
                       .stream = 1,
                       .rects = &rect,
                       .n_rects = 1};
    ViewerUpdate one = {.picture = {.width = width, .height = height}, .units = &unit, .n_units = 1};
    ck_assert(gfx_send(rdp.gfx, &one));
}

/* Sends something like text in some colours, or noise (0); the client must show it. */
static void send_exact_frame(GRand *random, guint colours)
{
    static guint32 pixels[SHOWN_WIDTH * SHOWN_HEIGHT];
    ViewerRect rects[] = {{0, 0, SHOWN_WIDTH, 200}, {37, 210, 91, 17}, {500, 300, 8, 16}, {3, 400, 530, 130}};
    ViewerUpdate frame = {.picture = {SHOWN_WIDTH, SHOWN_HEIGHT, SHOWN_WIDTH * 4, 1, (const guint8 *)pixels},
                          .rects = rects,
                          .n_rects = G_N_ELEMENTS(rects)};

    for (guint i = 0; i < SHOWN_WIDTH * SHOWN_HEIGHT; i++) {
        gboolean ink = i / SHOWN_WIDTH % 17 < 11 && i % 8 > 1 && g_rand_int(random) % 3 == 0;
        pixels[i] = !colours ? g_rand_int(random) : ink ? g_rand_int(random) % colours * 0x1f3b07 : 0xffffff;
    }
    ck_assert(gfx_send(rdp.gfx, &frame));
    for (guint r = 0; r < frame.n_rects; r++)
        for (guint y = rects[r].y; y < rects[r].y + rects[r].height; y++)
            for (guint x = rects[r].x; x < rects[r].x + rects[r].width; x++) {
                guint at = y * SHOWN_WIDTH + x;
                ck_assert_uint_eq(client.pixels[at] & 0xffffff, pixels[at] & 0xffffff);
            }
}

START_TEST(exact_pixels_come_in_the_codec_that_takes_fewer_bytes)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    ck_assert(rdp_place(&rdp, SHOWN_WIDTH, SHOWN_HEIGHT));
    send_exact_frame(random, 9);
    ck_assert_uint_gt(saw.clear, 10);
    ck_assert_uint_eq(saw.planar, 0);
    send_exact_frame(random, 0);
    ck_assert_uint_gt(saw.planar, 10);
    send_exact_frame(random, 11);
}
END_TEST

START_TEST(exact_pixels_stay_exact_when_the_pipeline_opens_again_or_the_output_changes)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(2);
    ck_assert(rdp_place(&rdp, SHOWN_WIDTH, SHOWN_HEIGHT));
    for (guint i = 0; i < 9; i++) {
        send_exact_frame(random, 3 + i * 5 % 7);
        if (i % 3 == 1) { /* FreeRDP keeps the storages, and forgets the sequence at its next output */
            advertise();
            ck_assert(clear_context_reset(client.clear));
            ck_assert(rdp_place(&rdp, SHOWN_WIDTH, SHOWN_HEIGHT));
        } else if (i % 3 == 2) {
            clear_context_free(client.clear); /* another client forgets all */
            client.clear = clear_context_new(FALSE);
            advertise();
            ck_assert(rdp_place(&rdp, SHOWN_WIDTH, SHOWN_HEIGHT));
        } else {
            ck_assert(clear_context_reset(client.clear)); /* a new output alone */
        }
    }
    ck_assert_uint_gt(saw.clear, 90);
}
END_TEST

/* Two rectangles of a photograph, that begin and end anywhere; what is around them stays. */
START_TEST(a_picture_with_losses_is_close_and_stays_inside_of_its_rectangles)
{
    static guint32 pixels[SHOWN_WIDTH * SHOWN_HEIGHT];
    ViewerRect rects[] = {{64, 64, 300, 130}, {401, 203, 77, 64}};
    ViewerUpdate frame = {.picture = {SHOWN_WIDTH, SHOWN_HEIGHT, SHOWN_WIDTH * 4, 1, (const guint8 *)pixels},
                          .lossy_rects = rects,
                          .n_lossy_rects = G_N_ELEMENTS(rects)};
    guint most = 0;

    for (guint i = 0; i < SHOWN_WIDTH * SHOWN_HEIGHT; i++) {
        guint x = i % SHOWN_WIDTH, y = i / SHOWN_WIDTH;
        pixels[i] = (x * 255 / SHOWN_WIDTH) << 16 | (y * 255 / SHOWN_HEIGHT) << 8 | ((x + y) / 3 % 256);
        client.pixels[i] = 0x123456;
    }
    ck_assert(rdp_place(&rdp, SHOWN_WIDTH, SHOWN_HEIGHT));
    for (guint repeat = 0; repeat < 2; repeat++)
        ck_assert(gfx_send(rdp.gfx, &frame));
    ck_assert_uint_eq(saw.remotefx, 8);
    for (guint i = 0; i < SHOWN_WIDTH * SHOWN_HEIGHT; i++) {
        guint x = i % SHOWN_WIDTH, y = i / SHOWN_WIDTH, inside = 0;
        for (guint r = 0; r < 2; r++)
            inside += x >= rects[r].x && y >= rects[r].y && x < rects[r].x + rects[r].width &&
                      y < rects[r].y + rects[r].height;
        for (guint shift = 0; shift < 24 && inside; shift += 8)
            most = MAX(
                most, (guint)ABS((gint)(client.pixels[i] >> shift & 255) - (gint)(pixels[i] >> shift & 255)));
        if (!inside)
            ck_assert_uint_eq(client.pixels[i], 0x123456);
    }
    ck_assert_uint_gt(most, 0);
    ck_assert_uint_lt(most, 24);
}
END_TEST

START_TEST(only_a_client_without_h_264_gets_losses_in_remotefx)
{
    ck_assert(!saw.losses);
    advertise_as(RDPGFX_CAPVERSION_10, RDPGFX_CAPS_FLAG_AVC_DISABLED);
    ck_assert(saw.losses);
    advertise();
    ck_assert(!saw.losses);
}
END_TEST

/* One message is one TLS record and one wakeup of the client. */
START_TEST(a_small_frame_is_one_message_and_a_large_one_several)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(3);
    static guint32 pixels[SHOWN_WIDTH * SHOWN_HEIGHT];
    ViewerRect rects[] = {{37, 210, 91, 17}, {500, 300, 8, 16}};
    ViewerMove move = {10, 120, 300, 200, 10, 103};
    ViewerUpdate frame = {.picture = {SHOWN_WIDTH, SHOWN_HEIGHT, SHOWN_WIDTH * 4, 1, (const guint8 *)pixels},
                          .moves = &move,
                          .n_moves = 1,
                          .rects = rects,
                          .n_rects = G_N_ELEMENTS(rects)};
    ck_assert(rdp_place(&rdp, SHOWN_WIDTH, SHOWN_HEIGHT));
    saw.messages = 0;
    ck_assert(gfx_send(rdp.gfx, &frame));
    ck_assert_uint_eq(saw.messages, 1);
    ck_assert_uint_eq(saw.copies, 1);
    ck_assert_uint_eq(saw.commands, 2);
    saw.messages = 0;
    send_exact_frame(random, 0);
    ck_assert_uint_gt(saw.messages, 5);
}
END_TEST

START_TEST(a_client_that_speaks_before_its_capabilities_is_refused)
{
    GfxPdu pdu = {.kind = GFX_PDU_FRAME_ACKNOWLEDGE, .frame = 1};
    ck_assert(handle_pdu(rdp.gfx, &pdu));
    rdp.gfx->ready = FALSE;
    ck_assert(!handle_pdu(rdp.gfx, &pdu));
}
END_TEST

START_TEST(a_move_stays_on_the_screens_surface_and_beside_the_bars)
{
    ViewerMove move = {10, 120, 300, 200, 10, 103};
    ViewerUpdate moved = {.picture = {.width = 640, .height = 480}, .moves = &move, .n_moves = 1};
    ck_assert(rdp_place(&rdp, 640, 480));
    ck_assert(saw.moves);
    ck_assert(gfx_send(rdp.gfx, &moved));
    ck_assert_uint_eq(saw.copies, 1);
    ck_assert_uint_eq(saw.copied_from, GFX_SURFACE_SCREEN);
    ck_assert_uint_eq(saw.copied_onto, GFX_SURFACE_SCREEN);
    ck_assert_uint_eq(saw.copied.x, 80 + 10);
    ck_assert_uint_eq(saw.copied.y, 60 + 120);
    ck_assert_uint_eq(saw.copied.width, 300);
    ck_assert_uint_eq(saw.copied.height, 200);
    ck_assert_uint_eq(saw.copied_x, 80 + 10);
    ck_assert_uint_eq(saw.copied_y, 60 + 103);
    ck_assert(rdp_place(&rdp, 1024, 768));
    ck_assert(!saw.moves); /* what is scaled is not moved by whole pixels */
}
END_TEST

START_TEST(a_client_is_sent_the_h_264_that_its_version_allows)
{
    static const struct {
        UINT32 version, flags;
        SeatH264 allowed;
    } cases[] = {{RDPGFX_CAPVERSION_8, 0, SEAT_H264_NONE},
                 {RDPGFX_CAPVERSION_81, 0, SEAT_H264_NONE},
                 {RDPGFX_CAPVERSION_81, RDPGFX_CAPS_FLAG_AVC420_ENABLED, SEAT_H264_AVC420},
                 {RDPGFX_CAPVERSION_10, 0, SEAT_H264_AVC420},
                 {RDPGFX_CAPVERSION_10, RDPGFX_CAPS_FLAG_AVC_DISABLED, SEAT_H264_NONE},
                 {RDPGFX_CAPVERSION_101, 0, SEAT_H264_AVC444},
                 {RDPGFX_CAPVERSION_106, RDPGFX_CAPS_FLAG_AVC_DISABLED, SEAT_H264_NONE},
                 {RDPGFX_CAPVERSION_107, 0, SEAT_H264_AVC444}};
    advertise_as(cases[_i].version, cases[_i].flags);
    ck_assert_int_eq(saw.h264, cases[_i].allowed);
}
END_TEST

START_TEST(both_views_of_a_unit_go_in_one_command)
{
    static const guint8 bytes[20];
    ViewerRect rects[] = {{64, 64, 64, 64}, {128, 0, 64, 64}};
    ViewerUnit unit = {.data = bytes,
                       .length = 12,
                       .region = {64, 0, 256, 192},
                       .key = TRUE,
                       .stream = 1,
                       .rects = rects,
                       .n_rects = 2,
                       .auxiliary = bytes + 12,
                       .auxiliary_length = 8,
                       .auxiliary_rects = rects + 1,
                       .n_auxiliary_rects = 1};
    ViewerUpdate one = {.picture = {.width = 640, .height = 480}, .units = &unit, .n_units = 1};
    ck_assert(rdp_place(&rdp, 640, 480));
    ck_assert(gfx_send(rdp.gfx, &one));
    ck_assert_uint_eq(saw.codec, RDPGFX_CODECID_AVC444v2);
    ck_assert_uint_eq(saw.lc, 0);
    ck_assert_uint_eq(saw.lengths[0], 12);
    ck_assert_uint_eq(saw.lengths[1], 8);
    ck_assert_uint_eq(saw.rects[0], 1); /* the region's own surface, as a whole */
    ck_assert_uint_eq(saw.rects[1], 1);
    ck_assert_uint_eq(saw.copies, 2);
    unit.auxiliary = NULL;
    unit.n_auxiliary_rects = 0;
    ck_assert(gfx_send(rdp.gfx, &one));
    ck_assert_uint_eq(saw.codec, RDPGFX_CODECID_AVC444v2);
    ck_assert_uint_eq(saw.lc, 1);
    advertise_as(RDPGFX_CAPVERSION_81, RDPGFX_CAPS_FLAG_AVC420_ENABLED);
    ck_assert(rdp_place(&rdp, 640, 480));
    ck_assert(gfx_send(rdp.gfx, &one));
    ck_assert_uint_eq(saw.codec, RDPGFX_CODECID_AVC420);
}
END_TEST

START_TEST(a_new_surface_shows_nothing_before_a_key_frame)
{
    ck_assert(rdp_place(&rdp, 800, 600));
    send_unit_of(800, 600, TRUE);
    send_unit_of(800, 600, FALSE);
    ck_assert_uint_eq(saw.units, 2);
    rdp.client_width = 900;
    ck_assert(rdp_place(&rdp, 800, 600));
    rdp.client_width = 800;
    ck_assert(rdp_place(&rdp, 800, 600));
    send_unit_of(800, 600, FALSE);
    ck_assert_uint_eq(saw.units, 2);
    ck_assert_uint_eq(saw.keyframes, 1);
    ck_assert_uint_eq(saw.invalidated, 1);
    send_unit_of(800, 600, TRUE);
    ck_assert_uint_eq(saw.units, 3);
}
END_TEST

START_TEST(the_client_s_output_is_made_at_once_and_again_only_when_its_size_changes)
{
    ck_assert_uint_eq(saw.resets, 1); /* no picture has come yet */
    ck_assert_uint_eq(saw.created, 1);
    ck_assert(rdp_place(&rdp, 640, 480));
    send_unit_of(640, 480, TRUE);
    ck_assert(rdp_place(&rdp, 800, 600));
    ck_assert_uint_eq(saw.resets, 1);
    ck_assert_uint_eq(saw.filled, 3);
    ck_assert_uint_eq(saw.deleted, 1); /* the region of the picture before */
    send_unit_of(800, 600, FALSE);
    ck_assert_uint_eq(saw.keyframes, 1); /* the surface's decoder knows nothing of this stream */
    rdp.client_height = 700;
    ck_assert(rdp_place(&rdp, 800, 600));
    ck_assert_uint_eq(saw.resets, 2);
    ck_assert_uint_eq(saw.deleted, 2);
}
END_TEST

START_TEST(a_client_that_opens_its_pipeline_again_has_no_surfaces)
{
    ck_assert(rdp_place(&rdp, 640, 480));
    send_unit_of(640, 480, TRUE);
    ck_assert_uint_eq(saw.created, 2); /* the screen and the region */
    ck_assert_uint_eq(saw.copies, 1);
    advertise();
    ck_assert(!rdp.placed);
    ck_assert(rdp_place(&rdp, 640, 480));
    ck_assert_uint_eq(saw.deleted, 0);
    send_unit_of(640, 480, FALSE);
    ck_assert_uint_eq(saw.units, 1);
    send_unit_of(640, 480, TRUE);
    ck_assert_uint_eq(saw.created, 4);
    ck_assert_uint_eq(saw.units, 2);
}
END_TEST

START_TEST(a_larger_picture_is_made_smaller_and_exact)
{
    gint x, y;
    rdp.holding = TRUE;
    ck_assert(rdp_place(&rdp, 1024, 768));
    ck_assert_uint_eq(rdp.output_width, 800);
    ck_assert_uint_eq(rdp.shown_width, 800);
    ck_assert_ptr_nonnull(rdp.scaler);
    ck_assert(saw.kept && !saw.h264 && !rdp.holding);
    rdp_place_pointer(&rdp, 0, 0, &x, &y);
    ck_assert_int_eq(x, 0);
    ck_assert_int_eq(y, 0);
    rdp_place_pointer(&rdp, 799, 599, &x, &y);
    ck_assert_int_eq(x, 1023);
    ck_assert_int_eq(y, 767);
    ck_assert(rdp_place(&rdp, 640, 480));
    ck_assert_ptr_null(rdp.scaler);
    ck_assert(!saw.kept && saw.h264);
    rdp_place_pointer(&rdp, 80, 60, &x, &y);
    ck_assert_int_eq(x, 0);
}
END_TEST

START_TEST(without_surfaces_the_desktop_grows_no_larger_than_the_window)
{
    rdp.mode = GRAPHICS_BITMAPS;
    freerdp_settings_set_uint32(context.base.settings, FreeRDP_DesktopWidth, 800);
    freerdp_settings_set_uint32(context.base.settings, FreeRDP_DesktopHeight, 600);
    freerdp_settings_set_bool(context.base.settings, FreeRDP_DesktopResize, TRUE);
    ck_assert(rdp_place(&rdp, 1600, 600));
    ck_assert_uint_eq(saw.resized, 0);
    ck_assert_uint_eq(rdp.shown_height, 300);
    ck_assert(rdp.bars_due);
    ck_assert(rdp_place_bars(&rdp));
    ck_assert_uint_eq(saw.black, 800 * 300);
    ck_assert(rdp_place(&rdp, 640, 480));
    ck_assert_uint_eq(saw.resized, 1);
    ck_assert(!rdp.active && !rdp.bars_due);
}
END_TEST

START_TEST(a_client_that_cannot_be_resized_gets_bars)
{
    rdp.mode = GRAPHICS_BITMAPS;
    freerdp_settings_set_uint32(context.base.settings, FreeRDP_DesktopWidth, 800);
    freerdp_settings_set_uint32(context.base.settings, FreeRDP_DesktopHeight, 600);
    freerdp_settings_set_bool(context.base.settings, FreeRDP_DesktopResize, FALSE);
    ck_assert(rdp_place(&rdp, 640, 480));
    ck_assert_uint_eq(saw.resized, 0);
    ck_assert_int_eq(rdp.offset_x, 80);
    ck_assert(rdp_place_bars(&rdp));
    ck_assert_uint_eq(saw.black, 800 * 600 - 640 * 480);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("rdp screen");
    tcase_set_timeout(tcase, 60); /* slow machines */
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_picture_with_losses_is_close_and_stays_inside_of_its_rectangles);
    tcase_add_test(tcase, only_a_client_without_h_264_gets_losses_in_remotefx);
    tcase_add_test(tcase, exact_pixels_come_in_the_codec_that_takes_fewer_bytes);
    tcase_add_test(tcase, exact_pixels_stay_exact_when_the_pipeline_opens_again_or_the_output_changes);
    tcase_add_test(tcase, a_small_frame_is_one_message_and_a_large_one_several);
    tcase_add_test(tcase, a_client_that_speaks_before_its_capabilities_is_refused);
    tcase_add_test(tcase, a_move_stays_on_the_screens_surface_and_beside_the_bars);
    tcase_add_loop_test(tcase, a_client_is_sent_the_h_264_that_its_version_allows, 0, 8);
    tcase_add_test(tcase, both_views_of_a_unit_go_in_one_command);
    tcase_add_test(tcase, a_new_surface_shows_nothing_before_a_key_frame);
    tcase_add_test(tcase, the_client_s_output_is_made_at_once_and_again_only_when_its_size_changes);
    tcase_add_test(tcase, a_client_that_opens_its_pipeline_again_has_no_surfaces);
    tcase_add_test(tcase, a_larger_picture_is_made_smaller_and_exact);
    tcase_add_test(tcase, without_surfaces_the_desktop_grows_no_larger_than_the_window);
    tcase_add_test(tcase, a_client_that_cannot_be_resized_gets_bars);
    return suite_run("rdp screen", tcase);
}
