/* Shadow memory, brought up to date tile by tile. */
#include "encoder/shadow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

struct Shadow {
    SeatBuffer layout;
    int fd;
    guint8 *memory;
    _Atomic guint32 *versions;
    guint8 *pixels;
    CompareTile *compare;
    Undo *undo;         /* borrowed; may be NULL, */
    Forecast *forecast; /* and so may this one */
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
    shadow->compare = compare_best();
    *(SeatShadowHeader *)memory = (SeatShadowHeader){SEAT_SHADOW_MAGIC, generation, 0};
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

guint64 shadow_begin_pass(Shadow *shadow)
{
    SeatShadowHeader *header = (SeatShadowHeader *)(void *)shadow->memory;
    guint64 pass = header->passes + 1;

    /* Every version that this pass writes is released after it: who finds such a version finds this, too. */
    __atomic_store_n(&header->passes, pass, __ATOMIC_RELEASE);
    return pass;
}

guint64 shadow_passes(const Shadow *shadow)
{
    return ((const SeatShadowHeader *)(const void *)shadow->memory)->passes;
}

void shadow_keep_in(Shadow *shadow, Undo *undo)
{
    g_return_if_fail(!undo || (undo->width == shadow->layout.width && undo->height == shadow->layout.height &&
                               undo->stride == shadow->layout.stride));
    shadow->undo = undo;
}

void shadow_watch(Shadow *shadow, Forecast *forecast)
{
    shadow->forecast = forecast;
}

void shadow_compare_with(Shadow *shadow, CompareTile *compare)
{
    shadow->compare = compare;
}

/* What of the part the expected move writes. */
static void watch(const Forecast *forecast, guint tile, const SeatRect *at, ComparePart *part)
{
    const ScrollMove *move = &forecast->move;
    gint left = MAX(move->to_x, at->x), right = MIN(move->to_x + move->width, at->x + at->width);
    gint top = MAX(move->to_y, at->y), bottom = MIN(move->to_y + move->height, at->y + at->height);

    part->moved = &forecast->moved[tile];
    if (!forecast->open || left >= right || top >= bottom)
        return;
    part->shift = (gsize)(move->y - move->to_y) * forecast->stride;
    part->watch_left = (guint)(left - at->x);
    part->watch_right = (guint)(right - at->x);
    part->watch_top = (guint)(top - at->y);
    part->watch_bottom = (guint)(bottom - at->y);
}

/* One tile's share of a rectangle; `more`: the tile to the right comes next. */
static void tile_update(Shadow *shadow, guint tile, SeatRect part, const guint8 *source, gsize stride,
                        gboolean more, Damage *changed)
{
    ComparePart pixels = {
        .target = shadow->pixels + (gsize)part.y * shadow->layout.stride + part.x * 4u,
        .target_stride = shadow->layout.stride,
        .source = source + part.y * stride + part.x * 4u,
        .source_stride = stride,
        .width = part.width,
        .height = part.height,
        .more = more,
        .undo = shadow->undo,
        .picture = shadow->pixels,
        .tile = tile,
        .row = part.y,
    };
    if (shadow->forecast)
        watch(shadow->forecast, tile, &part, &pixels);
    CompareBounds found = shadow->compare(&pixels, &shadow->versions[tile]);

    if (found.right != 0)
        damage_add(changed, part.x + found.left, part.y + found.top, found.right - found.left,
                   found.bottom - found.top);
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
                        stride, to < right, changed);
        }
    }
}
