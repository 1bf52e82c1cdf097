/* Access units on their way from the feed to the caller, and what of the picture is their work. */
#include "session/client/auxiliary_rects.h"
#include "session/client/viewer_internal.h"

void viewer_units_init(Viewer *viewer)
{
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        viewer->taken[i] = (ViewerTaken){.bytes = g_byte_array_new(),
                                         .rects = g_array_new(FALSE, FALSE, sizeof(ViewerRect)),
                                         .auxiliary_rects = g_array_new(FALSE, FALSE, sizeof(ViewerRect))};
}

void viewer_units_clear(Viewer *viewer)
{
    for (guint i = 0; i < SEAT_FILMS_MAX; i++) {
        g_byte_array_unref(viewer->taken[i].bytes);
        g_array_unref(viewer->taken[i].rects);
        g_array_unref(viewer->taken[i].auxiliary_rects);
    }
}

static ViewerRect region_of(const SeatAccessUnit *unit)
{
    return (ViewerRect){unit->region.x, unit->region.y, unit->region.width, unit->region.height};
}

/* What the unit paints. The decoder must see every unit, even one that changes nothing: it paints a few
 * pixels, which are noted as any others that it paints. */
static void paint(Viewer *viewer, const ViewerRect *region, guint32 now_ms, GArray *rects)
{
    g_array_set_size(rects, 0);
    tiles_take_motion(&viewer->tiles, region, viewer->paint_all, now_ms, rects);
    if (rects->len > 0)
        return;
    tiles_damage(&viewer->tiles, &(ViewerRect){region->x, region->y, 1, 1}, TRUE, FALSE);
    tiles_take_motion(&viewer->tiles, region, FALSE, now_ms, rects);
}

static void take_auxiliary(Viewer *viewer, const SeatAccessUnit *from, ViewerTaken *taken, ViewerUnit *unit)
{
    unit->auxiliary = unit->data + unit->length;
    unit->auxiliary_length = from->auxiliary;
    auxiliary_rects(&unit->region, unit->auxiliary + unit->auxiliary_length, from->tiles, taken->rects,
                    taken->auxiliary_rects);
    unit->auxiliary_rects = (const ViewerRect *)(void *)taken->auxiliary_rects->data;
    unit->n_auxiliary_rects = taken->auxiliary_rects->len;
    viewer->counters.auxiliaries++;
}

/* The unit's bytes change hands: the feed may receive the next one while this one is being sent. */
static void take_unit(Viewer *viewer, guint number, guint32 now_ms, ViewerUnit *unit)
{
    FeedFilm *film = &viewer->shown->films[number];
    ViewerTaken *taken = &viewer->taken[number];
    const SeatAccessUnit *from = &film->unit;
    GByteArray *bytes = film->bytes;

    film->bytes = taken->bytes;
    taken->bytes = bytes;
    *unit = (ViewerUnit){.film = number,
                         .data = bytes->data,
                         .length = bytes->len - from->auxiliary - from->tiles,
                         .region = region_of(from),
                         .key = from->keyframe != 0,
                         .stream = from->stream};
    tiles_note_film(&viewer->tiles, number, now_ms);
    paint(viewer, &unit->region, now_ms, taken->rects);
    unit->rects = (const ViewerRect *)(void *)taken->rects->data;
    unit->n_rects = taken->rects->len;
    if (from->auxiliary && viewer->h264 == SEAT_H264_AVC444)
        take_auxiliary(viewer, from, taken, unit);
    film->unit.length = 0;
    viewer->counters.units++;
}

void viewer_take_units(Viewer *viewer, guint32 now_ms, ViewerUpdate *update)
{
    const FeedFilm *films = viewer->shown->films;
    ViewerRect regions[SEAT_FILMS_MAX] = {{0}};
    guint count = 0;

    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        if (films[i].unit.length)
            regions[count++] = region_of(&films[i].unit);
    viewer_fold(viewer, regions, count);
    if (count == 0)
        return;
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        if (films[i].unit.length)
            take_unit(viewer, i, now_ms, &viewer->units[update->n_units++]);
    update->units = viewer->units;
}
