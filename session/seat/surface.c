/* Mappings of QEMU's memory, and pixel formats by pixman. */
#include "session/seat/surface.h"

#include "base/proto/seat_link.h"

#include <errno.h>
#include <pixman.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define CACHE_MAX 4
#define GUARDED_MAX 64
#define FILE_MAX (1ull << 30) /* bytes */

/* ---- mappings that may lose their memory ---- */

typedef struct {
    gatomicrefcount references;
    guint8 *address;
    gsize length;
    dev_t device;
    ino_t inode;
    guint slot;
} Mapping;

/* Read by the signal handler. A slot is free while its length is 0. */
static struct {
    _Atomic(guint8 *) address;
    _Atomic gsize length;
} guarded[GUARDED_MAX];

/* QEMU's file has become shorter under us: put zero pages where the mapping was and go on. */
static void on_sigbus(int number, siginfo_t *info, void *context)
{
    guint8 *fault = info->si_addr;
    for (guint i = 0; i < GUARDED_MAX; i++) {
        gsize length = atomic_load(&guarded[i].length);
        guint8 *address = atomic_load(&guarded[i].address);
        if (length == 0 || fault < address || fault >= address + length)
            continue;
        if (mmap(address, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == address)
            return;
    }
    signal(SIGBUS, SIG_DFL);
}

static gboolean guard(Mapping *mapping)
{
    static gsize once;
    if (g_once_init_enter(&once)) {
        struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};
        sigaction(SIGBUS, &action, NULL);
        g_once_init_leave(&once, 1);
    }
    for (guint i = 0; i < GUARDED_MAX; i++) {
        guint8 *nobody = NULL;
        if (!atomic_compare_exchange_strong(&guarded[i].address, &nobody, mapping->address))
            continue;
        atomic_store(&guarded[i].length, mapping->length);
        mapping->slot = i;
        return TRUE;
    }
    return FALSE;
}

static void mapping_unref(gpointer data)
{
    Mapping *mapping = data;
    if (!g_atomic_ref_count_dec(&mapping->references))
        return;
    atomic_store(&guarded[mapping->slot].length, 0);
    munmap(mapping->address, mapping->length);
    atomic_store(&guarded[mapping->slot].address, NULL);
    g_free(mapping);
}

static Mapping *mapping_new(int fd, const struct stat *status, GError **error)
{
    void *address = mmap(NULL, status->st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (address == MAP_FAILED) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "cannot map the screen: %s",
                    g_strerror(errno));
        return NULL;
    }
    Mapping *mapping = g_new0(Mapping, 1);
    g_atomic_ref_count_init(&mapping->references);
    mapping->address = address;
    mapping->length = status->st_size;
    mapping->device = status->st_dev;
    mapping->inode = status->st_ino;
    if (!guard(mapping)) {
        munmap(address, mapping->length);
        g_free(mapping);
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "too many screens are mapped");
        return NULL;
    }
    return mapping;
}

/* ---- surfaces ---- */

Surface *surface_ref(Surface *surface)
{
    return g_atomic_rc_box_acquire(surface);
}

static void surface_clear(gpointer data)
{
    Surface *surface = data;
    if (surface->shared)
        mapping_unref(surface->memory);
    else
        g_free(surface->memory);
    g_mutex_clear(&surface->lock);
}

void surface_unref(Surface *surface)
{
    g_atomic_rc_box_release_full(surface, surface_clear);
}

static gboolean size_fits(guint width, guint height)
{
    return width >= 1 && height >= 1 && width <= SEAT_WIDTH_MAX && height <= SEAT_WIDTH_MAX;
}

/* TRUE: a picture of these numbers lies inside `length` bytes. */
static gboolean layout_fits(guint width, guint height, guint stride, guint format, guint64 length)
{
    guint64 row = ((guint64)width * PIXMAN_FORMAT_BPP(format) + 7) / 8;
    return size_fits(width, height) && pixman_format_supported_source(format) &&
           PIXMAN_FORMAT_BPP(format) >= 8 && stride % 4 == 0 && row <= stride &&
           stride <= SEAT_WIDTH_MAX * 16 && (guint64)stride * (height - 1) + row <= length;
}

Surface *surface_new_own(guint width, guint height)
{
    gpointer memory = size_fits(width, height) ? g_try_malloc0((gsize)width * height * 4) : NULL;
    if (!memory)
        return NULL;
    Surface *surface = g_atomic_rc_box_new0(Surface);
    g_mutex_init(&surface->lock);
    surface->width = width;
    surface->height = height;
    surface->format = PIXMAN_x8r8g8b8;
    surface->stride = (gsize)width * 4;
    surface->pixels = surface->memory = memory;
    return surface;
}

gboolean surface_format_is_native(guint format)
{
    return format == PIXMAN_x8r8g8b8 || format == PIXMAN_a8r8g8b8;
}

static void convert(guint format, const void *source, gsize source_stride, guint x, guint y, guint width,
                    guint height, void *target, gsize target_stride, guint to_x, guint to_y)
{
    pixman_image_t *from =
        pixman_image_create_bits_no_clear(format, x + width, y + height, (uint32_t *)source, source_stride);
    pixman_image_t *to = pixman_image_create_bits_no_clear(PIXMAN_x8r8g8b8, to_x + width, to_y + height,
                                                           target, target_stride);
    if (from && to)
        pixman_image_composite32(PIXMAN_OP_SRC, from, NULL, to, x, y, 0, 0, to_x, to_y, width, height);
    if (from)
        pixman_image_unref(from);
    if (to)
        pixman_image_unref(to);
}

gboolean surface_put(Surface *surface, gint x, gint y, gint w, gint h, guint stride, guint format,
                     const guint8 *data, gsize length)
{
    g_return_val_if_fail(!surface->shared, FALSE);
    if (x < 0 || y < 0 || w < 1 || h < 1 || (gint64)x + w > surface->width ||
        (gint64)y + h > surface->height || !layout_fits(w, h, stride, format, length))
        return FALSE;
    g_mutex_lock(&surface->lock);
    if (surface_format_is_native(format)) {
        for (gint row = 0; row < h; row++)
            memcpy((guint8 *)surface->memory + (gsize)(y + row) * surface->stride + x * 4,
                   data + (gsize)row * stride, (gsize)w * 4);
    } else if ((guintptr)data % 4 == 0) {
        convert(format, data, stride, 0, 0, w, h, surface->memory, surface->stride, x, y);
    } else {
        g_autofree void *aligned = g_memdup2(data, length);
        convert(format, aligned, stride, 0, 0, w, h, surface->memory, surface->stride, x, y);
    }
    g_mutex_unlock(&surface->lock);
    return TRUE;
}

void surface_convert(const Surface *surface, guint x, guint y, guint width, guint height, void *target,
                     gsize target_stride)
{
    convert(surface->format, surface->pixels, surface->stride, x, y, width, height, target, target_stride, x,
            y);
}

/* ---- the cache ---- */

struct SurfaceCache {
    Mapping *mappings[CACHE_MAX]; /* newest first, NULL at the end */
    guint width, height;          /* px of the newest picture */
};

SurfaceCache *surface_cache_new(void)
{
    return g_new0(SurfaceCache, 1);
}

void surface_cache_free(SurfaceCache *cache)
{
    for (guint i = 0; i < CACHE_MAX; i++)
        g_clear_pointer(&cache->mappings[i], mapping_unref);
    g_free(cache);
}

/* The file's mapping, now the newest; an older one of another length is replaced. */
static Mapping *cache_find(SurfaceCache *cache, int fd, const struct stat *status, GError **error)
{
    Mapping *found = NULL;
    guint place = CACHE_MAX - 1;

    for (guint i = 0; i < CACHE_MAX; i++) {
        Mapping *mapping = cache->mappings[i];
        if (mapping && mapping->inode == status->st_ino && mapping->device == status->st_dev) {
            place = i;
            if (mapping->length == (gsize)status->st_size)
                found = mapping;
            break;
        }
    }
    if (!found) {
        found = mapping_new(fd, status, error);
        if (!found)
            return NULL;
        g_clear_pointer(&cache->mappings[place], mapping_unref);
    }
    memmove(&cache->mappings[1], &cache->mappings[0], place * sizeof cache->mappings[0]);
    cache->mappings[0] = found;
    return found;
}

/* The guest comes back to none of the files of another mode, and QEMU may have let go of them: then they are
 * kept in memory by us alone. */
static void cache_follow_mode(SurfaceCache *cache, guint width, guint height)
{
    if (cache->width == width && cache->height == height)
        return;
    cache->width = width;
    cache->height = height;
    for (guint i = 1; i < CACHE_MAX; i++)
        g_clear_pointer(&cache->mappings[i], mapping_unref);
}

Surface *surface_cache_map(SurfaceCache *cache, int fd, guint64 offset, guint width, guint height,
                           guint stride, guint format, GError **error)
{
    struct stat status;

    if (fstat(fd, &status) < 0 || status.st_size <= 0 || (guint64)status.st_size > FILE_MAX ||
        offset % 4 != 0 || offset >= (guint64)status.st_size ||
        !layout_fits(width, height, stride, format, status.st_size - offset)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "a screen of %ux%u px, stride %u, format 0x%x does not fit its memory", width, height,
                    stride, format);
        return NULL;
    }
    Mapping *mapping = cache_find(cache, fd, &status, error);
    if (!mapping)
        return NULL;
    cache_follow_mode(cache, width, height);
    Surface *surface = g_atomic_rc_box_new0(Surface);
    g_mutex_init(&surface->lock);
    g_atomic_ref_count_inc(&mapping->references);
    surface->shared = TRUE;
    surface->memory = mapping;
    surface->width = width;
    surface->height = height;
    surface->format = format;
    surface->stride = stride;
    surface->pixels = mapping->address + offset;
    return surface;
}
