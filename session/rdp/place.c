/* Where the picture stands in the client's window, and how the client is told. A picture that is larger than
 * the window is made smaller here and not by the client: MAPSURFACETOSCALEDOUTPUT is announced by clients
 * that draw it wrongly (xfreerdp). */
#include "session/rdp/rdp.h"

#include "base/log.h"

#include <freerdp/settings.h>
#include <freerdp/update.h>

static void fit(Rdp *rdp, guint width, guint height)
{
    Fit place = fit_into(rdp->picture_width, rdp->picture_height, width, height);

    rdp->output_width = width;
    rdp->output_height = height;
    rdp->offset_x = (gint)place.x;
    rdp->offset_y = (gint)place.y;
    rdp->shown_width = place.width;
    rdp->shown_height = place.height;
}

/* Without surfaces the picture is the desktop, as long as the client's window is large enough for it. A
 * client that cannot be resized keeps its own size. */
static gboolean resize_desktop(Rdp *rdp, guint window_width, guint window_height)
{
    rdpSettings *settings = rdp->context->base.settings;
    guint now_width = freerdp_settings_get_uint32(settings, FreeRDP_DesktopWidth), width = now_width;
    guint now_height = freerdp_settings_get_uint32(settings, FreeRDP_DesktopHeight), height = now_height;

    if (freerdp_settings_get_bool(settings, FreeRDP_DesktopResize)) {
        gboolean fits = rdp->picture_width <= window_width && rdp->picture_height <= window_height;
        width = fits ? rdp->picture_width : window_width;
        height = fits ? rdp->picture_height : window_height;
    }
    fit(rdp, width, height);
    rdp->bars_due = rdp->shown_width != width || rdp->shown_height != height;
    if (width == now_width && height == now_height)
        return TRUE;
    rdp->active = FALSE; /* until the client has gone through activation again */
    return freerdp_settings_set_uint32(settings, FreeRDP_DesktopWidth, width) &&
           freerdp_settings_set_uint32(settings, FreeRDP_DesktopHeight, height) &&
           rdp->context->base.update->DesktopResize(&rdp->context->base);
}

/* What is scaled must be whole and exact: no units, and the private picture stays. */
static void scale(Rdp *rdp)
{
    gboolean was = rdp->scaler != NULL;
    gboolean smaller = rdp->shown_width != rdp->picture_width || rdp->shown_height != rdp->picture_height;

    g_clear_pointer(&rdp->scaler, scaler_free);
    if (smaller)
        rdp->scaler =
            scaler_new(rdp->picture_width, rdp->picture_height, rdp->shown_width, rdp->shown_height);
    if (smaller != was) {
        log_info("a picture of %u x %u px is shown as %u x %u", rdp->picture_width, rdp->picture_height,
                 rdp->shown_width, rdp->shown_height);
        bridge_keep_picture(rdp->bridge, smaller);
    }
    if (rdp->mode == GRAPHICS_GFX)
        gfx_subscribe(rdp->gfx);
    bridge_accept_moves(rdp->bridge, rdp->mode == GRAPHICS_GFX && !smaller);
    if (smaller || was) {
        rdp->holding = FALSE;
        bridge_invalidate(rdp->bridge, NULL);
    }
}

gboolean rdp_place(Rdp *rdp, guint width, guint height)
{
    gboolean known = rdp->client_width > 0 && rdp->client_height > 0;
    guint window_width = known ? rdp->client_width : width,
          window_height = known ? rdp->client_height : height;
    gboolean done;

    rdp->picture_width = width;
    rdp->picture_height = height;
    rdp->placed = TRUE;
    rdp->relayout_us = 0;
    if (rdp->mode == GRAPHICS_GFX) {
        fit(rdp, window_width, window_height);
        done = gfx_resize(rdp->gfx);
    } else {
        done = resize_desktop(rdp, window_width, window_height);
    }
    scale(rdp);
    return done;
}

gboolean rdp_place_bars(Rdp *rdp)
{
    guint left = (guint)rdp->offset_x, top = (guint)rdp->offset_y;
    guint right = left + rdp->shown_width, bottom = top + rdp->shown_height;
    guint width = rdp->output_width, height = rdp->output_height;
    const ViewerRect bars[] = {{0, 0, width, top},
                               {0, bottom, width, height - bottom},
                               {0, top, left, rdp->shown_height},
                               {right, top, width - right, rdp->shown_height}};
    g_autofree guint32 *row = g_new0(guint32, width); /* for every row: the stride is 0 */
    ViewerUpdate black = {
        .picture = {width, height, 0, 0, (const guint8 *)row}, .rects = bars, .n_rects = G_N_ELEMENTS(bars)};

    rdp->bars_due = FALSE;
    return bitmaps_send(rdp->bitmaps, &black, 0, 0);
}

void rdp_place_pointer(const Rdp *rdp, gint x, gint y, gint *picture_x, gint *picture_y)
{
    *picture_x = x - rdp->offset_x;
    *picture_y = y - rdp->offset_y;
    if (rdp->scaler) {
        /* The middle of what the client's pixel shows. */
        *picture_x = (2 * *picture_x + 1) * (gint)rdp->picture_width / (2 * (gint)rdp->shown_width);
        *picture_y = (2 * *picture_y + 1) * (gint)rdp->picture_height / (2 * (gint)rdp->shown_height);
    }
}
