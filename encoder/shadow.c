/* Shadow memory and its compare-and-copy. */
#include "encoder/shadow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct Shadow {
    SeatBuffer layout;
    int fd;
    guint8 *memory;
    _Atomic guint32 *versions;
    guint8 *pixels;
};

int sealed_memory_new(const char *name, gsize size, void **memory, GError **error)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    void *map = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, size) == 0)
        map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    /* FUTURE_WRITE leaves the mapping that we have just made writable, and nothing else. */
    if (map == MAP_FAILED ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                    "cannot make %" G_GSIZE_FORMAT " bytes of shared memory: %s", size, g_strerror(errno));
        if (map != MAP_FAILED)
            munmap(map, size);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    *memory = map;
    return fd;
}

static guint64 page_up(guint64 bytes)
{
    return (bytes + 4095) & ~(guint64)4095;
}

Shadow *shadow_new(guint width, guint height, guint32 generation, GError **error)
{
    g_return_val_if_fail(width >= 1 && width <= SEAT_WIDTH_MAX && height >= 1 && height <= SEAT_WIDTH_MAX,
                         NULL);
    g_autoptr(Shadow) shadow = g_new0(Shadow, 1);
    SeatBuffer *layout = &shadow->layout;
    void *memory = NULL;

    layout->header =
        (SeatHeader){.type = SEAT_BUFFER, .size = sizeof *layout, .head = 0, .generation = generation};
    layout->width = width;
    layout->height = height;
    layout->stride = (width * 4 + 63) & ~63u;
    layout->tiles_x = (width + SEAT_TILE - 1) / SEAT_TILE;
    layout->tiles_y = (height + SEAT_TILE - 1) / SEAT_TILE;
    layout->versions_offset = 64;
    layout->pixels_offset = page_up(64 + (guint64)layout->tiles_x * layout->tiles_y * sizeof(guint32));
    layout->memory = page_up(layout->pixels_offset + (guint64)layout->stride * height);
    shadow->fd = sealed_memory_new("fernwerk-shadow", layout->memory, &memory, error);
    if (shadow->fd < 0)
        return NULL;
    shadow->memory = memory;
    *(SeatShadowHeader *)memory = (SeatShadowHeader){SEAT_SHADOW_MAGIC, generation};
    shadow->versions = (_Atomic guint32 *)(void *)(shadow->memory + layout->versions_offset);
    shadow->pixels = shadow->memory + layout->pixels_offset;
    return g_steal_pointer(&shadow);
}

void shadow_free(Shadow *shadow)
{
    if (!shadow)
        return;
    if (shadow->memory)
        munmap(shadow->memory, shadow->layout.memory);
    if (shadow->fd >= 0)
        close(shadow->fd);
    g_free(shadow);
}

const SeatBuffer *shadow_layout(const Shadow *shadow)
{
    return &shadow->layout;
}

int shadow_fd(const Shadow *shadow)
{
    return shadow->fd;
}

const guint8 *shadow_pixels(const Shadow *shadow)
{
    return shadow->pixels;
}

/* Narrows *left and *right (px) to what differs in one row that is known to differ. */
static void row_difference(const guint8 *now, const guint8 *before, guint width, guint *left, guint *right)
{
    guint first = 0, last = width;
    while (first < *left && memcmp(now + first * 4, before + first * 4, 4) == 0)
        first++;
    while (last > *right && memcmp(now + last * 4 - 4, before + last * 4 - 4, 4) == 0)
        last--;
    *left = MIN(*left, first);
    *right = MAX(*right, last);
}

/* One tile's share of a rectangle. The version turns odd before the first byte is written and even after the
 * last. */
static void tile_update(Shadow *shadow, guint tile, SeatRect part, const guint8 *source, gsize stride,
                        Damage *changed)
{
    gsize bytes = part.width * 4u;
    gsize offset = part.x * 4u;
    guint first = G_MAXUINT, last = 0, left = part.width, right = 0;
    guint32 version = atomic_load_explicit(&shadow->versions[tile], memory_order_relaxed);

    for (guint y = part.y; y < (guint)part.y + part.height; y++) {
        const guint8 *now = source + y * stride + offset;
        guint8 *before = shadow->pixels + (gsize)y * shadow->layout.stride + offset;
        if (memcmp(now, before, bytes) == 0)
            continue;
        if (first == G_MAXUINT) {
            first = y;
            atomic_store_explicit(&shadow->versions[tile], version + 1, memory_order_relaxed);
            atomic_thread_fence(memory_order_release);
        }
        last = y;
        row_difference(now, before, part.width, &left, &right);
        memcpy(before, now, bytes);
    }
    if (first == G_MAXUINT)
        return;
    atomic_store_explicit(&shadow->versions[tile], version + 2, memory_order_release);
    /* A source that changed under our eyes may have hidden the difference again: then take the whole width.
     */
    if (left >= right) {
        left = 0;
        right = part.width;
    }
    damage_add(changed, part.x + left, first, right - left, last - first + 1);
}

void shadow_update(Shadow *shadow, const SeatRect *rect, const void *source, gsize stride, Damage *changed)
{
    const SeatBuffer *layout = &shadow->layout;
    guint right = MIN((guint)rect->x + rect->width, layout->width);
    guint bottom = MIN((guint)rect->y + rect->height, layout->height);

    if (rect->x >= right || rect->y >= bottom)
        return;
    for (guint ty = rect->y / SEAT_TILE; ty * SEAT_TILE < bottom; ty++) {
        guint top = MAX(ty * SEAT_TILE, rect->y), end = MIN((ty + 1) * SEAT_TILE, bottom);
        for (guint tx = rect->x / SEAT_TILE; tx * SEAT_TILE < right; tx++) {
            guint from = MAX(tx * SEAT_TILE, rect->x), to = MIN((tx + 1) * SEAT_TILE, right);
            tile_update(shadow, ty * layout->tiles_x + tx,
                        (SeatRect){.x = from, .y = top, .width = to - from, .height = end - top}, source,
                        stride, changed);
        }
    }
}
