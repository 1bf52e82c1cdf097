/* H.264 on its way to the client: for the whole picture straight to the screen's surface; for a part of it,
 * to an unmapped surface of the part's size, from which its tiles are copied, because a decoder belongs to a
 * surface. */
#include "session/rdp/gfx_private.h"

#include <string.h>

void gfx_film_forget(Gfx *gfx)
{
    gfx->screen_keyed = FALSE;
    memset(gfx->regions, 0, sizeof gfx->regions);
}

void gfx_film_delete(Gfx *gfx)
{
    for (guint i = 0; i < GFX_REGIONS_MAX; i++)
        if (gfx->regions[i].used)
            gfx_pdu_delete_surface(&gfx->block, (guint16)(GFX_SURFACE_REGION + i));
    gfx_film_forget(gfx);
}

/* The unit onto a surface of the region's size; `rects`, px of the picture, are what it is to paint there. A
 * client that takes AVC444 is sent nothing else: its surfaces then have one decoder for all units. */
static gboolean append_unit(Gfx *gfx, guint16 surface, const ViewerUpdate *update, const ViewerRect *rects,
                            guint n)
{
    GfxView main = {update->unit, update->unit_length, rects, n};
    GfxView auxiliary = {update->auxiliary, update->auxiliary_length, update->auxiliary_rects,
                         update->n_auxiliary_rects};

    if (gfx->h264 != SEAT_H264_AVC444)
        gfx_pdu_avc420(&gfx->block, surface, &update->unit_region, &main);
    else
        gfx_pdu_avc444(&gfx->block, surface, &update->unit_region, &main,
                       update->auxiliary ? &auxiliary : NULL);
    return gfx_appended(gfx);
}

/* A unit that no decoder of ours can show: a key frame is asked for, and everything anew. */
static gboolean skip_unit(Gfx *gfx)
{
    bridge_need_keyframe(gfx->rdp->bridge);
    bridge_invalidate(gfx->rdp->bridge);
    return TRUE;
}

static gboolean append_whole(Gfx *gfx, const ViewerUpdate *update)
{
    if (!update->unit_key && !gfx->screen_keyed)
        return skip_unit(gfx);
    gfx->screen_keyed = TRUE;
    return append_unit(gfx, GFX_SURFACE_SCREEN, update, update->unit_rects, update->n_unit_rects);
}

static gboolean same_rect(const ViewerRect *a, const ViewerRect *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* The region's surface, made anew when the region is: then the unit must be a key frame. */
static gint region_surface(Gfx *gfx, const ViewerUpdate *update)
{
    guint oldest = 0;
    for (guint i = 0; i < GFX_REGIONS_MAX; i++) {
        if (gfx->regions[i].used && same_rect(&gfx->regions[i].region, &update->unit_region))
            return (gint)i;
        if (!gfx->regions[i].used || gfx->regions[i].frame < gfx->regions[oldest].frame)
            oldest = i;
    }
    if (!update->unit_key)
        return -1;
    GfxRegion *region = &gfx->regions[oldest];
    guint16 id = (guint16)(GFX_SURFACE_REGION + oldest);
    if (region->used)
        gfx_pdu_delete_surface(&gfx->block, id);
    gfx_pdu_create_surface(&gfx->block, id, update->unit_region.width, update->unit_region.height);
    *region = (GfxRegion){.used = TRUE, .region = update->unit_region};
    return (gint)oldest;
}

static gboolean append_region(Gfx *gfx, const ViewerUpdate *update)
{
    const ViewerRect *region = &update->unit_region;
    guint left = (guint)gfx->rdp->offset_x, top = (guint)gfx->rdp->offset_y;
    gint slot = region_surface(gfx, update);

    if (slot < 0)
        return skip_unit(gfx);
    gfx->regions[slot].frame = gfx->pace.sent;
    guint16 id = (guint16)(GFX_SURFACE_REGION + slot);
    if (!append_unit(gfx, id, update, region, 1))
        return FALSE;
    for (guint i = 0; i < update->n_unit_rects; i++) {
        const ViewerRect *r = &update->unit_rects[i];
        ViewerRect from = {r->x - region->x, r->y - region->y, r->width, r->height};
        gfx_pdu_surface_to_surface(&gfx->block, id, &from, GFX_SURFACE_SCREEN, r->x + left, r->y + top);
    }
    return gfx_appended(gfx);
}

/* Straight onto the screen's surface only when the unit, the picture and the surface are of one size. */
gboolean gfx_film_append(Gfx *gfx, const ViewerUpdate *update)
{
    const ViewerRect *r = &update->unit_region;
    gboolean whole =
        r->x == 0 && r->y == 0 && r->width >= gfx->rdp->output_width && r->height >= gfx->rdp->output_height;
    return whole ? append_whole(gfx, update) : append_region(gfx, update);
}
