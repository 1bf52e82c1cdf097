/* Tile row by tile row, neighbours in a row as one. */
#include "session/client/auxiliary_rects.h"

typedef struct {
    const ViewerRect *region;
    const guint8 *bits;
    gsize stride; /* bytes of a row of bits */
    GArray *rects;
} Marks;

static gboolean marked(const Marks *marks, guint column, guint row)
{
    return marks->bits[row * marks->stride + column / 8] >> column % 8 & 1;
}

/* `part`, px of the region, lies in one row of tiles. */
static void add_row(const Marks *marks, const ViewerRect *part, guint row)
{
    guint right = part->x + part->width, x = part->x;

    while (x < right) {
        guint from = x;
        while (x < right && marked(marks, x / SEAT_TILE, row))
            x = MIN(right, (x / SEAT_TILE + 1) * SEAT_TILE);
        if (x > from) {
            ViewerRect run = {marks->region->x + from, marks->region->y + part->y, x - from, part->height};
            g_array_append_val(marks->rects, run);
        } else {
            x = (x / SEAT_TILE + 1) * SEAT_TILE;
        }
    }
}

/* In px of the region, and only whole samples of the auxiliary view: they stand for up to 4 x 2 px, and a
 * decoder takes them for others in a rectangle that begins between two. */
static gboolean whole_samples(const ViewerRect *region, const ViewerRect *rect, ViewerRect *part)
{
    guint left = (rect->x - region->x + 3) & ~3u, top = (rect->y - region->y + 1) & ~1u;
    guint right = rect->x - region->x + rect->width, bottom = rect->y - region->y + rect->height;

    if (right < region->width)
        right &= ~3u;
    if (bottom < region->height)
        bottom &= ~1u;
    if (left >= right || top >= bottom)
        return FALSE;
    *part = (ViewerRect){left, top, right - left, bottom - top};
    return TRUE;
}

void auxiliary_rects(const ViewerRect *region, const guint8 *bits, gsize length, const GArray *unit_rects,
                     GArray *rects)
{
    Marks marks = {region, bits, (region->width + 8 * SEAT_TILE - 1) / (8 * SEAT_TILE), rects};
    ViewerRect part;

    g_array_set_size(rects, 0);
    if (length != marks.stride * ((region->height + SEAT_TILE - 1) / SEAT_TILE))
        return;
    for (guint i = 0; i < unit_rects->len; i++) {
        if (!whole_samples(region, &g_array_index(unit_rects, ViewerRect, i), &part))
            continue;
        guint bottom = part.y + part.height;
        for (guint row = part.y / SEAT_TILE; row * SEAT_TILE < bottom; row++) {
            guint y0 = MAX(part.y, row * SEAT_TILE), y1 = MIN(bottom, (row + 1) * SEAT_TILE);
            add_row(&marks, &(ViewerRect){part.x, y0, part.width, y1 - y0}, row);
        }
    }
}
