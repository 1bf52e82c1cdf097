/* H.264 on its way to the client: for the whole picture straight to the screen's surface; for a part of it,
 * to an unmapped surface of the part's size, from which its tiles are copied, because a decoder belongs to a
 * surface. Each film has one such surface: that of another is never in its way. */
#include "session/rdp/gfx_private.h"

#include <string.h>

void gfx_film_forget(Gfx *gfx)
{
    gfx->screen_stream = 0;
    memset(gfx->films, 0, sizeof gfx->films);
}

static guint16 surface_of(const Gfx *gfx, const GfxFilm *film)
{
    return (guint16)(GFX_SURFACE_FILM + (film - gfx->films));
}

static void delete_surface(Gfx *gfx, GfxFilm *film)
{
    if (film->used)
        gfx_pdu_delete_surface(&gfx->block, surface_of(gfx, film));
    film->used = FALSE;
}

void gfx_film_delete(Gfx *gfx)
{
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        delete_surface(gfx, &gfx->films[i]);
    gfx_film_forget(gfx);
}

/* The unit onto a surface of the region's size; `rects`, px of the picture, are what it is to paint there. A
 * client that takes AVC444 is sent nothing else: its surfaces then have one decoder for all units. */
static gboolean append_unit(Gfx *gfx, guint16 surface, const ViewerUnit *unit, const ViewerRect *rects,
                            guint n)
{
    GfxView main = {unit->data, unit->length, rects, n};
    GfxView auxiliary = {unit->auxiliary, unit->auxiliary_length, unit->auxiliary_rects,
                         unit->n_auxiliary_rects};

    if (gfx->h264 != SEAT_H264_AVC444)
        gfx_pdu_avc420(&gfx->block, surface, &unit->region, &main);
    else
        gfx_pdu_avc444(&gfx->block, surface, &unit->region, &main, unit->auxiliary ? &auxiliary : NULL);
    return gfx_appended(gfx);
}

/* A unit that no decoder of ours can show: a key frame is asked for, and its region anew. */
static gboolean skip_unit(Gfx *gfx, const ViewerUnit *unit)
{
    bridge_need_keyframe(gfx->rdp->bridge);
    bridge_invalidate(gfx->rdp->bridge, &unit->region);
    return TRUE;
}

static gboolean append_whole(Gfx *gfx, const ViewerUnit *unit)
{
    if (!unit->key && gfx->screen_stream != unit->stream)
        return skip_unit(gfx, unit);
    gfx->screen_stream = unit->stream;
    return append_unit(gfx, GFX_SURFACE_SCREEN, unit, unit->rects, unit->n_rects);
}

static gboolean same_rect(const ViewerRect *a, const ViewerRect *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* The film's surface is made anew when its region is: then the unit must be a key frame. */
static gboolean fit_surface(Gfx *gfx, GfxFilm *film, const ViewerUnit *unit)
{
    if (film->used && same_rect(&film->region, &unit->region))
        return TRUE;
    if (!unit->key)
        return FALSE;
    delete_surface(gfx, film);
    gfx_pdu_create_surface(&gfx->block, surface_of(gfx, film), unit->region.width, unit->region.height);
    *film = (GfxFilm){.used = TRUE, .region = unit->region};
    return TRUE;
}

static gboolean append_region(Gfx *gfx, const ViewerUnit *unit)
{
    const ViewerRect *region = &unit->region;
    guint left = (guint)gfx->rdp->offset_x, top = (guint)gfx->rdp->offset_y;
    GfxFilm *film = &gfx->films[unit->film];
    guint16 id = surface_of(gfx, film);

    if (!fit_surface(gfx, film, unit))
        return skip_unit(gfx, unit);
    film->shown_us = g_get_monotonic_time();
    if (!append_unit(gfx, id, unit, region, 1))
        return FALSE;
    for (guint i = 0; i < unit->n_rects; i++) {
        const ViewerRect *r = &unit->rects[i];
        ViewerRect from = {r->x - region->x, r->y - region->y, r->width, r->height};
        gfx_pdu_surface_to_surface(&gfx->block, id, &from, GFX_SURFACE_SCREEN, r->x + left, r->y + top);
    }
    return gfx_appended(gfx);
}

static void delete_what_is_over(Gfx *gfx)
{
    gint64 now = g_get_monotonic_time();

    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        if (now - gfx->films[i].shown_us > VIEWER_FILM_OVER_US)
            delete_surface(gfx, &gfx->films[i]);
}

/* Straight onto the screen's surface only when the unit, the picture and the surface are of one size. */
static gboolean is_whole(const Gfx *gfx, const ViewerRect *r)
{
    return r->x == 0 && r->y == 0 && r->width >= gfx->rdp->output_width &&
           r->height >= gfx->rdp->output_height;
}

gboolean gfx_film_append(Gfx *gfx, const ViewerUpdate *update)
{
    for (guint i = 0; i < update->n_units; i++) {
        const ViewerUnit *unit = &update->units[i];
        if (!(is_whole(gfx, &unit->region) ? append_whole(gfx, unit) : append_region(gfx, unit)))
            return FALSE;
    }
    delete_what_is_over(gfx);
    return TRUE;
}
