/* Mapping the shadow and copying from it under its sequence locks. */
#include "session/client/shadow_map.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define RING_SIZE (sizeof(SeatRingHeader) + SEAT_AU_RING)

static const char *geometry_wrong(const SeatBuffer *b)
{
    if (b->width < 1 || b->height < 1 || b->width > SEAT_WIDTH_MAX || b->height > SEAT_WIDTH_MAX)
        return "a shadow of an impossible size";
    if (b->stride < b->width * 4 || b->stride > SEAT_WIDTH_MAX * 4 * 2 || b->stride % 4)
        return "a shadow with an impossible stride";
    if (b->tiles_x != (b->width + SEAT_TILE - 1) / SEAT_TILE ||
        b->tiles_y != (b->height + SEAT_TILE - 1) / SEAT_TILE)
        return "a shadow with a wrong number of tiles";
    if (b->memory > G_MAXINT32 || b->versions_offset % 4 || b->versions_offset < sizeof(SeatShadowHeader) ||
        b->pixels_offset % 4 || b->versions_offset > b->memory || b->pixels_offset > b->memory ||
        b->memory - b->versions_offset < (guint64)b->tiles_x * b->tiles_y * 4 ||
        b->memory - b->pixels_offset < (guint64)b->stride * b->height)
        return "a shadow whose parts do not fit into its memory";
    return NULL;
}

static const guint8 *map_readonly(int fd, gsize size)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (guint64)st.st_size < size)
        return NULL;
    void *memory = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

ShadowMap *shadow_map_open(const SeatBuffer *buffer, const int descriptors[2], const char **wrong)
{
    g_autoptr(ShadowMap) map = g_new0(ShadowMap, 1);

    *wrong = geometry_wrong(buffer);
    if (*wrong)
        return NULL;
    map->memory_size = buffer->memory;
    map->memory = map_readonly(descriptors[0], map->memory_size);
    map->ring = map_readonly(descriptors[1], RING_SIZE);
    if (!map->memory || !map->ring) {
        *wrong = "a shadow that cannot be mapped";
        return NULL;
    }
    if (((const SeatShadowHeader *)map->memory)->magic != SEAT_SHADOW_MAGIC) {
        *wrong = "a shadow without its mark";
        return NULL;
    }
    map->width = buffer->width;
    map->height = buffer->height;
    map->stride = buffer->stride;
    map->columns = buffer->tiles_x;
    map->rows = buffer->tiles_y;
    map->generation = buffer->header.generation;
    map->versions = (const guint32 *)(map->memory + buffer->versions_offset);
    map->pixels = map->memory + buffer->pixels_offset;
    return g_steal_pointer(&map);
}

void shadow_map_free(ShadowMap *map)
{
    if (!map)
        return;
    if (map->memory)
        munmap((void *)map->memory, map->memory_size);
    if (map->ring)
        munmap((void *)map->ring, RING_SIZE);
    g_free(map);
}

ShadowCopy shadow_map_copy(const ShadowMap *map, guint column, guint row, TileBox box, guint32 known,
                           guint8 *target, guint32 *version)
{
    const guint32 *lock = &map->versions[row * map->columns + column];
    gsize at = (gsize)(row * SEAT_TILE + box.y0) * map->stride + (gsize)(column * SEAT_TILE + box.x0) * 4;
    guint32 before = __atomic_load_n(lock, __ATOMIC_ACQUIRE);

    *version = before;
    if (before & 1)
        return SHADOW_TORN;
    if (before == known && known != 0)
        return SHADOW_KNOWN;
    for (guint y = box.y0; y < box.y1; y++, at += map->stride)
        memcpy(target + at, map->pixels + at, (gsize)(box.x1 - box.x0) * 4);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(lock, __ATOMIC_RELAXED) == before ? SHADOW_COPIED : SHADOW_TORN;
}

guint64 shadow_map_passes(const ShadowMap *map)
{
    return __atomic_load_n(&((const SeatShadowHeader *)(const void *)map->memory)->passes, __ATOMIC_ACQUIRE);
}

static guint64 ring_written(const ShadowMap *map)
{
    return __atomic_load_n(&((const SeatRingHeader *)map->ring)->written, __ATOMIC_ACQUIRE);
}

gboolean shadow_map_unit(const ShadowMap *map, const SeatAccessUnit *unit, GByteArray *bytes)
{
    gsize at = unit->position % SEAT_AU_RING;
    guint64 written = ring_written(map);

    g_byte_array_set_size(bytes, 0);
    if (unit->length == 0 || unit->length > SEAT_AU_RING - at || unit->position > written ||
        written - unit->position > SEAT_AU_RING || written - unit->position < unit->length)
        return FALSE;
    g_byte_array_append(bytes, map->ring + sizeof(SeatRingHeader) + at, unit->length);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return ring_written(map) - unit->position <= SEAT_AU_RING;
}

void shadow_map_rest(const ShadowMap *map)
{
    madvise((void *)map->memory, map->memory_size, MADV_DONTNEED);
    madvise((void *)map->ring, RING_SIZE, MADV_DONTNEED);
}
