/* Where the picture stands in the client's window, and how the client is told. */
#include "session/rdp/rdp.h"

#include <freerdp/settings.h>
#include <freerdp/update.h>

static void letterbox(Rdp *rdp)
{
    guint width = rdp->picture_width, height = rdp->picture_height;
    gboolean fits = width <= rdp->client_width && height <= rdp->client_height;

    rdp->output_width = fits ? rdp->client_width : width;
    rdp->output_height = fits ? rdp->client_height : height;
    rdp->offset_x = (gint)(rdp->output_width - width) / 2;
    rdp->offset_y = (gint)(rdp->output_height - height) / 2;
}

/* Without surfaces the picture is the desktop. A client that cannot be resized keeps its own size and sees a
 * part. */
static gboolean resize_desktop(Rdp *rdp)
{
    rdpSettings *settings = rdp->context->base.settings;

    rdp->offset_x = rdp->offset_y = 0;
    if (freerdp_settings_get_uint32(settings, FreeRDP_DesktopWidth) == rdp->picture_width &&
        freerdp_settings_get_uint32(settings, FreeRDP_DesktopHeight) == rdp->picture_height) {
        rdp->output_width = rdp->picture_width;
        rdp->output_height = rdp->picture_height;
        return TRUE;
    }
    if (!freerdp_settings_get_bool(settings, FreeRDP_DesktopResize)) {
        rdp->output_width = freerdp_settings_get_uint32(settings, FreeRDP_DesktopWidth);
        rdp->output_height = freerdp_settings_get_uint32(settings, FreeRDP_DesktopHeight);
        return TRUE;
    }
    rdp->output_width = rdp->picture_width;
    rdp->output_height = rdp->picture_height;
    rdp->active = FALSE; /* until the client has gone through activation again */
    return freerdp_settings_set_uint32(settings, FreeRDP_DesktopWidth, rdp->picture_width) &&
           freerdp_settings_set_uint32(settings, FreeRDP_DesktopHeight, rdp->picture_height) &&
           rdp->context->base.update->DesktopResize(&rdp->context->base);
}

gboolean rdp_place(Rdp *rdp, guint width, guint height)
{
    rdp->picture_width = width;
    rdp->picture_height = height;
    rdp->placed = TRUE;
    rdp->relayout_us = 0;
    if (rdp->mode != GRAPHICS_GFX)
        return resize_desktop(rdp);
    letterbox(rdp);
    return gfx_resize(rdp->gfx);
}
