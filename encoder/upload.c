/* Each picture has a serial; a buffer remembers which one it holds, and what has changed since then is found
 * in the history of the last pictures. */
#include "encoder/upload.h"

#include "base/log.h"
#include "encoder/damage.h"

#include <string.h>

#define HISTORY 16 /* pictures; a buffer that is older is converted wholly */
#define BUFFERS_MIN 2

typedef struct {
    guint count;
    SeatRect rects[SEAT_RECTS_MAX];
} Change;

struct Upload {
    GstVideoInfo info;
    guint width, height; /* px, as shown */
    guint64 serial;      /* of the last picture, from 1 */
    GstBuffer *frame;    /* our own, NULL: not needed yet */
    guint64 frame_serial;
    GstBufferPool *pool; /* borrowed; NULL: only `frame` is used */
    gboolean only;
    Change *history; /* HISTORY of them, by serial; NULL as long as there is no pool */
    Damage *due;     /* scratch */
};

/* ---- asking ---- */

/* In the order of preference; NULL: memory that any CPU writes. */
static const char *const memories[] = {"memory:VAMemory", "memory:DMABuf", NULL};

static GstCaps *in_memory(GstCaps *caps, const char *memory)
{
    GstCaps *other = gst_caps_copy(caps);
    if (memory)
        gst_caps_set_features(other, 0, gst_caps_features_new(memory, NULL));
    return other;
}

/* The first pool that is the encoder's own kind: a plain one is just memory, which its driver would copy too.
 */
static GstBufferPool *proposed(GstPad *pad, GstCaps *caps)
{
    g_autoptr(GstQuery) query = gst_query_new_allocation(caps, TRUE);

    if (!gst_pad_query(pad, query))
        return NULL;
    for (guint i = 0; i < gst_query_get_n_allocation_pools(query); i++) {
        g_autoptr(GstBufferPool) pool = NULL;
        gst_query_parse_nth_allocation_pool(query, i, &pool, NULL, NULL, NULL);
        if (pool && G_OBJECT_TYPE(pool) != GST_TYPE_VIDEO_BUFFER_POOL &&
            G_OBJECT_TYPE(pool) != GST_TYPE_BUFFER_POOL)
            return g_steal_pointer(&pool);
    }
    return NULL;
}

static gboolean configure(GstBufferPool *pool, GstCaps *caps, gsize size)
{
    GstStructure *config = gst_buffer_pool_get_config(pool);
    guint usual = 0, min = 0, max = 0;

    gst_buffer_pool_config_get_params(config, NULL, &usual, &min, &max);
    min = MAX(min, max ? MIN(BUFFERS_MIN, max) : BUFFERS_MIN);
    gst_buffer_pool_config_set_params(config, caps, MAX(usual, (guint)size), min, max);
    if (gst_buffer_pool_has_option(pool, GST_BUFFER_POOL_OPTION_VIDEO_META))
        gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
    if (gst_buffer_pool_set_config(pool, config))
        return TRUE;
    /* It may have put right what it did not like. */
    config = gst_buffer_pool_get_config(pool);
    if (gst_buffer_pool_config_validate_params(config, caps, (guint)size, min, max))
        return gst_buffer_pool_set_config(pool, config);
    gst_structure_free(config);
    return FALSE;
}

static GstBuffer *acquire(GstBufferPool *pool)
{
    GstBufferPoolAcquireParams params = {.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT};
    GstBuffer *buffer = NULL;
    return gst_buffer_pool_acquire_buffer(pool, &buffer, &params) == GST_FLOW_OK ? buffer : NULL;
}

/* What cannot be mapped GStreamer silently replaces by a copy of another kind: that is no lent buffer. */
static gboolean map_lent(GstVideoFrame *frame, const GstVideoInfo *info, GstBuffer *buffer)
{
    const GstMemory *memory = gst_buffer_peek_memory(buffer, 0);

    if (!gst_video_frame_map(frame, info, buffer, GST_MAP_READWRITE))
        return FALSE;
    if (gst_buffer_peek_memory(buffer, 0) == memory)
        return TRUE;
    gst_video_frame_unmap(frame);
    return FALSE;
}

static gboolean can_be_written(GstBufferPool *pool, const GstVideoInfo *info)
{
    GstBuffer *buffer = acquire(pool);
    GstVideoFrame frame;
    gboolean mapped = buffer && map_lent(&frame, info, buffer);

    if (mapped)
        gst_video_frame_unmap(&frame);
    if (buffer)
        gst_buffer_unref(buffer);
    return mapped;
}

static gboolean try(GstPad *pad, GstCaps *caps, UploadOffer *offer)
{
    g_autoptr(GstBufferPool) pool = proposed(pad, caps);
    GstVideoInfo info;

    if (!pool || !gst_video_info_from_caps(&info, caps) || !configure(pool, caps, info.size))
        return FALSE;
    if (!gst_buffer_pool_set_active(pool, TRUE) || !can_be_written(pool, &info)) {
        gst_buffer_pool_set_active(pool, FALSE);
        return FALSE;
    }
    offer->pool = g_steal_pointer(&pool);
    offer->caps = gst_caps_ref(caps);
    return TRUE;
}

void upload_ask(GstElement *encoder, GstCaps *caps, UploadOffer *offer)
{
    g_autoptr(GstPad) pad = gst_element_get_static_pad(encoder, "sink");
    g_autoptr(GstCaps) taken = pad ? gst_pad_get_pad_template_caps(pad) : NULL;

    *offer = (UploadOffer){0};
    for (guint i = 0; taken && i < G_N_ELEMENTS(memories); i++) {
        g_autoptr(GstCaps) wanted = in_memory(caps, memories[i]);
        if (gst_caps_can_intersect(wanted, taken) && try(pad, wanted, offer))
            return;
    }
}

void upload_offer_clear(UploadOffer *offer)
{
    if (offer->pool)
        gst_buffer_pool_set_active(offer->pool, FALSE);
    gst_clear_object(&offer->pool);
    gst_clear_caps(&offer->caps);
}

/* ---- making it ---- */

Upload *upload_new(GstCaps *caps, guint width, guint height)
{
    Upload *upload = g_new0(Upload, 1);
    gst_video_info_from_caps(&upload->info, caps);
    upload->width = width;
    upload->height = height;
    return upload;
}

void upload_free(Upload *upload)
{
    if (!upload)
        return;
    gst_clear_buffer(&upload->frame);
    g_clear_pointer(&upload->due, damage_free);
    g_free(upload->history);
    g_free(upload);
}

void upload_lend(Upload *upload, const UploadOffer *offer, gboolean only)
{
    upload->pool = offer->pool;
    upload->only = only;
    upload->history = g_new(Change, HISTORY);
    upload->due = damage_new(upload->width, upload->height);
    /* What came before is not in the history. */
    for (guint i = 0; i < HISTORY; i++)
        upload->history[i] = (Change){
            .count = 1, .rects[0] = {.width = (guint16)upload->width, .height = (guint16)upload->height}};
}

/* ---- buffers ---- */

static GQuark serial_quark(void)
{
    return g_quark_from_static_string("fernwerk-serial");
}

static guint64 serial_of(const Upload *upload, GstBuffer *buffer)
{
    if (buffer == upload->frame)
        return upload->frame_serial;
    return GPOINTER_TO_SIZE(gst_mini_object_get_qdata(GST_MINI_OBJECT_CAST(buffer), serial_quark()));
}

static void set_serial(Upload *upload, GstBuffer *buffer)
{
    if (buffer == upload->frame)
        upload->frame_serial = upload->serial;
    else
        gst_mini_object_set_qdata(GST_MINI_OBJECT_CAST(buffer), serial_quark(),
                                  GSIZE_TO_POINTER(upload->serial), NULL);
}

/* Our own frame's memory may still be in the encoder's hands: then go on with a copy. */
static gboolean own_frame(Upload *upload)
{
    if (!upload->frame) {
        upload->frame = gst_buffer_new_allocate(NULL, upload->info.size, NULL);
        upload->frame_serial = 0;
    } else if (!gst_buffer_is_writable(upload->frame) || !gst_buffer_is_all_memory_writable(upload->frame)) {
        GstBuffer *copy = gst_buffer_copy_deep(upload->frame);
        gst_buffer_unref(upload->frame);
        upload->frame = copy;
    }
    return upload->frame != NULL;
}

static void give_up_pool(Upload *upload)
{
    log_info("encoder: its buffers cannot be written any more");
    upload->pool = NULL;
}

/* The buffer for the next picture, mapped; a new reference. */
static GstBuffer *map_buffer(Upload *upload, GstVideoFrame *frame)
{
    GstBuffer *buffer = upload->pool ? acquire(upload->pool) : NULL;

    if (buffer && map_lent(frame, &upload->info, buffer))
        return buffer;
    if (buffer) {
        give_up_pool(upload);
        gst_buffer_unref(buffer);
    }
    if (upload->only || !own_frame(upload) ||
        !gst_video_frame_map(frame, &upload->info, upload->frame, GST_MAP_READWRITE))
        return NULL;
    return gst_buffer_ref(upload->frame);
}

static YuvPicture planes_of(GstVideoFrame *frame)
{
    gboolean planar = GST_VIDEO_FRAME_N_PLANES(frame) == 3;
    return (YuvPicture){.y = GST_VIDEO_FRAME_COMP_DATA(frame, 0),
                        .u = GST_VIDEO_FRAME_COMP_DATA(frame, 1),
                        .v = GST_VIDEO_FRAME_COMP_DATA(frame, 2),
                        .y_stride = GST_VIDEO_FRAME_COMP_STRIDE(frame, 0),
                        .chroma_stride = GST_VIDEO_FRAME_COMP_STRIDE(frame, 1),
                        .chroma_step = planar ? 1 : 2,
                        .width = GST_VIDEO_FRAME_WIDTH(frame),
                        .height = GST_VIDEO_FRAME_HEIGHT(frame)};
}

/* ---- pictures ---- */

static void note(Upload *upload, const SeatRect *rects, guint count)
{
    upload->serial++;
    if (!upload->history)
        return;
    Change *change = &upload->history[upload->serial % HISTORY];
    change->count = count;
    memcpy(change->rects, rects, count * sizeof *rects);
}

/* What the buffer with picture `held` lacks of the newest one. */
static guint lacks(Upload *upload, guint64 held, SeatRect rects[SEAT_RECTS_MAX])
{
    damage_clear(upload->due);
    for (guint64 serial = held + 1; serial <= upload->serial; serial++) {
        const Change *change = &upload->history[serial % HISTORY];
        for (guint i = 0; i < change->count; i++)
            damage_add(upload->due, change->rects[i].x, change->rects[i].y, change->rects[i].width,
                       change->rects[i].height);
    }
    return damage_rects(upload->due, rects);
}

GstBuffer *upload_picture(Upload *upload, const void *pixels, gsize stride, const SeatRect *rects,
                          guint count)
{
    SeatRect due[SEAT_RECTS_MAX] = {{.width = (guint16)upload->width, .height = (guint16)upload->height}};
    GstVideoFrame frame;

    g_return_val_if_fail(count <= SEAT_RECTS_MAX, NULL);
    GstBuffer *buffer = map_buffer(upload, &frame);
    if (!buffer)
        return NULL;
    note(upload, rects, count);
    guint64 held = serial_of(upload, buffer), behind = upload->serial - held;
    if (held == 0 || behind > HISTORY || (behind > 1 && !upload->history)) {
        rects = due;
        count = 1;
    } else if (behind > 1) {
        count = lacks(upload, held, due);
        rects = due;
    }
    YuvPicture planes = planes_of(&frame);
    for (guint i = 0; i < count; i++)
        convert_rect(&planes, &rects[i], pixels, stride, upload->width, upload->height);
    gst_video_frame_unmap(&frame);
    set_serial(upload, buffer);
    if (buffer != upload->frame)
        gst_clear_buffer(&upload->frame);
    return buffer;
}

gboolean upload_draw(Upload *upload, UploadDraw draw, gpointer data)
{
    GstVideoFrame frame;

    if (!own_frame(upload) || !gst_video_frame_map(&frame, &upload->info, upload->frame, GST_MAP_READWRITE))
        return FALSE;
    YuvPicture planes = planes_of(&frame);
    draw(&planes, data);
    gst_video_frame_unmap(&frame);
    return TRUE;
}

GstBuffer *upload_frame(Upload *upload)
{
    GstVideoFrame from, to;

    if (!upload->frame)
        return NULL;
    if (!upload->only)
        return gst_buffer_ref(upload->frame);
    if (!gst_video_frame_map(&from, &upload->info, upload->frame, GST_MAP_READ))
        return NULL;
    GstBuffer *buffer = map_buffer(upload, &to);
    gboolean copied = buffer && gst_video_frame_copy(&to, &from);
    if (buffer)
        gst_video_frame_unmap(&to);
    gst_video_frame_unmap(&from);
    if (copied && upload->frame_serial == upload->serial)
        set_serial(upload, buffer);
    else if (buffer && !copied)
        gst_clear_buffer(&buffer);
    return buffer;
}
