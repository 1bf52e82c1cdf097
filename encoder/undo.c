/* Rows of tiles, kept before they are overwritten. */
#include "encoder/undo.h"

#include <string.h>
#include <sys/mman.h>

Undo *undo_new(guint width, guint height, gsize stride)
{
    g_return_val_if_fail(width >= 1 && width <= SEAT_WIDTH_MAX && height >= 1 && height <= SEAT_WIDTH_MAX &&
                             stride >= width * 4u,
                         NULL);
    gsize size = stride * height;
    void *pixels =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pixels == MAP_FAILED)
        return NULL;
    Undo *undo = g_new0(Undo, 1);
    undo->width = width;
    undo->height = height;
    undo->tiles_x = (width + SEAT_TILE - 1) / SEAT_TILE;
    undo->tiles_y = (height + SEAT_TILE - 1) / SEAT_TILE;
    undo->stride = stride;
    undo->size = size;
    undo->pixels = pixels;
    undo->kept = g_new0(guint64, (gsize)undo->tiles_x * undo->tiles_y);
    return undo;
}

void undo_free(Undo *undo)
{
    if (!undo)
        return;
    munmap(undo->pixels, undo->size);
    g_free(undo->kept);
    g_free(undo);
}

void undo_keep(Undo *undo, guint tile, guint y, const guint8 *picture)
{
    guint64 row = G_GUINT64_CONSTANT(1) << (y % SEAT_TILE);
    guint x = tile % undo->tiles_x * SEAT_TILE;
    gsize at = y * undo->stride + x * 4u;

    if (undo->kept[tile] & row)
        return;
    undo->kept[tile] |= row;
    memcpy(undo->pixels + at, picture + at, MIN(SEAT_TILE, undo->width - x) * 4u);
}

void undo_clear(Undo *undo)
{
    memset(undo->kept, 0, (gsize)undo->tiles_x * undo->tiles_y * sizeof *undo->kept);
}

void undo_rest(Undo *undo)
{
    undo_clear(undo);
    madvise(undo->pixels, undo->size, MADV_DONTNEED);
}
