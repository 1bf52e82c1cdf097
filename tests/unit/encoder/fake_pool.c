/* The pool and its memory, which counts how often it is mapped for writing. */
#include "fake_pool.h"

#include <gst/video/video.h>

/* ---- memory ---- */

typedef struct {
    GstMemory memory;
    guint8 *bytes;
    guint *maps_left; /* of the pool's buffers; G_MAXUINT: any number */
} Lent;

typedef struct {
    GstAllocator parent;
} Lender;
typedef struct {
    GstAllocatorClass parent;
} LenderClass;
GType lender_get_type(void); /* the macro declares none */
G_DEFINE_TYPE(Lender, lender, GST_TYPE_ALLOCATOR)

static gpointer map(GstMemory *memory, gsize size, GstMapFlags flags)
{
    Lent *lent = (Lent *)memory;
    if (flags & GST_MAP_WRITE) {
        if (*lent->maps_left == 0)
            return NULL;
        if (*lent->maps_left != G_MAXUINT)
            --*lent->maps_left;
    }
    return lent->bytes;
}

static void unmap(GstMemory *memory)
{
}

static void free_memory(GstAllocator *allocator, GstMemory *memory)
{
    g_free(((Lent *)memory)->bytes);
    g_free(memory);
}

static void lender_init(Lender *lender)
{
    GstAllocator *allocator = GST_ALLOCATOR(lender);
    allocator->mem_type = "FakeSurface";
    allocator->mem_map = map;
    allocator->mem_unmap = unmap;
    GST_OBJECT_FLAG_SET(lender, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

static void lender_class_init(LenderClass *class)
{
    GST_ALLOCATOR_CLASS(class)->free = free_memory;
}

static GstMemory *lend(GstAllocator *allocator, gsize size, guint *maps_left)
{
    Lent *lent = g_new0(Lent, 1);
    gst_memory_init(&lent->memory, GST_MEMORY_FLAG_NO_SHARE, allocator, NULL, size, 63, 0, size);
    lent->bytes = g_malloc(size);
    memset(lent->bytes, 77, size); /* whoever reads what was never written is found out */
    lent->maps_left = maps_left;
    return &lent->memory;
}

/* ---- pool ---- */

typedef struct {
    GstBufferPool parent;
    GstAllocator *lender;
    GstVideoInfo info;
    guint buffers, padding, maps_left;
    gboolean refuses;
} Pool;
typedef struct {
    GstBufferPoolClass parent;
} PoolClass;
GType pool_get_type(void); /* the macro declares none */
G_DEFINE_TYPE(Pool, pool, GST_TYPE_BUFFER_POOL)

static gboolean set_config(GstBufferPool *base, GstStructure *config)
{
    Pool *pool = (Pool *)base;
    guint size, least, most;
    GstCaps *caps;

    if (!gst_buffer_pool_config_get_params(config, &caps, &size, &least, &most) || !caps ||
        !gst_video_info_from_caps(&pool->info, caps))
        return FALSE;
    for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES(&pool->info); plane++)
        pool->info.stride[plane] += (gint)pool->padding;
    pool->info.offset[1] = (gsize)pool->info.stride[0] * (gsize)pool->info.height + 64;
    pool->info.size = pool->info.offset[1] + (gsize)pool->info.stride[0] * (gsize)pool->info.height;
    gst_buffer_pool_config_set_params(config, caps, (guint)pool->info.size, MIN(least, pool->buffers),
                                      pool->buffers);
    return GST_BUFFER_POOL_CLASS(pool_parent_class)->set_config(base, config);
}

static gboolean start(GstBufferPool *base)
{
    return !((Pool *)base)->refuses && GST_BUFFER_POOL_CLASS(pool_parent_class)->start(base);
}

static GstFlowReturn alloc(GstBufferPool *base, GstBuffer **buffer, GstBufferPoolAcquireParams *params)
{
    Pool *pool = (Pool *)base;
    GstVideoInfo *info = &pool->info;

    *buffer = gst_buffer_new();
    gst_buffer_append_memory(*buffer, lend(pool->lender, info->size, &pool->maps_left));
    gst_buffer_add_video_meta_full(*buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(info),
                                   (guint)info->width, (guint)info->height, GST_VIDEO_INFO_N_PLANES(info),
                                   info->offset, info->stride);
    return GST_FLOW_OK;
}

static void finalize(GObject *object)
{
    gst_object_unref(((Pool *)object)->lender);
    G_OBJECT_CLASS(pool_parent_class)->finalize(object);
}

static void pool_init(Pool *pool)
{
    pool->lender = gst_object_ref_sink(g_object_new(lender_get_type(), NULL));
}

static void pool_class_init(PoolClass *class)
{
    GstBufferPoolClass *base = GST_BUFFER_POOL_CLASS(class);
    base->set_config = set_config;
    base->start = start;
    base->alloc_buffer = alloc;
    G_OBJECT_CLASS(class)->finalize = finalize;
}

GstBufferPool *fake_pool_new(guint buffers, guint padding, gboolean refuses, guint map_fails)
{
    Pool *pool = gst_object_ref_sink(g_object_new(pool_get_type(), NULL));
    pool->buffers = buffers;
    pool->padding = padding;
    pool->refuses = refuses;
    pool->maps_left = map_fails ? map_fails - 1 : G_MAXUINT;
    return GST_BUFFER_POOL(pool);
}

gboolean fake_pool_owns(const GstBuffer *buffer)
{
    GstMemory *memory = gst_buffer_peek_memory((GstBuffer *)buffer, 0);
    return memory && gst_memory_is_type(memory, "FakeSurface");
}
