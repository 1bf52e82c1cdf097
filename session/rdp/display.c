/* Display control: the client's window has a new size. FreeRDP calls back on a thread of its own. */
#include "session/rdp/rdp.h"

#include <freerdp/channels/disp.h>

struct Display {
    Rdp *rdp;
    DispServerContext *channel;
    gboolean open;
    guint32 channel_id;
    GMutex lock;
    gboolean changed;
    guint width, height;
};

static guint32 within(guint32 value, guint32 low, guint32 high)
{
    return value >= low && value <= high ? value : 0;
}

static UINT on_layout(DispServerContext *channel, const DISPLAY_CONTROL_MONITOR_LAYOUT_PDU *layout)
{
    Display *display = channel->custom;
    const DISPLAY_CONTROL_MONITOR_LAYOUT *monitor = layout->Monitors;

    if (layout->NumMonitors == 0)
        return CHANNEL_RC_OK;
    for (guint i = 0; i < layout->NumMonitors; i++)
        if (layout->Monitors[i].Flags & DISPLAY_CONTROL_MONITOR_PRIMARY)
            monitor = &layout->Monitors[i];
    SeatSizeHint size = {.width = within(monitor->Width, SEAT_WIDTH_MIN, SEAT_WIDTH_MAX),
                         .height = within(monitor->Height, SEAT_WIDTH_MIN, SEAT_WIDTH_MAX),
                         .scale = within(monitor->DesktopScaleFactor, 100, 500),
                         .width_mm = within(monitor->PhysicalWidth, 10, 10000),
                         .height_mm = within(monitor->PhysicalHeight, 10, 10000)};
    if (size.width == 0 || size.height == 0)
        return CHANNEL_RC_OK;
    g_mutex_lock(&display->lock);
    display->changed = TRUE;
    display->width = size.width;
    display->height = size.height;
    g_mutex_unlock(&display->lock);
    bridge_size(display->rdp->bridge, &size);
    bridge_poke(display->rdp->bridge);
    return CHANNEL_RC_OK;
}

Display *display_new(Rdp *rdp)
{
    Display *display = g_new0(Display, 1);
    display->rdp = rdp;
    g_mutex_init(&display->lock);
    return display;
}

void display_free(Display *display)
{
    if (!display)
        return;
    if (display->channel) {
        if (display->open)
            display->channel->Close(display->channel);
        disp_server_context_free(display->channel);
    }
    g_mutex_clear(&display->lock);
    g_free(display);
}

static BOOL on_channel_id(DispServerContext *channel, UINT32 id)
{
    ((Display *)channel->custom)->channel_id = id;
    return TRUE;
}

gboolean display_created(Display *display, guint32 channel_id, gboolean done)
{
    if (!display->channel || display->channel_id != channel_id || !done)
        return TRUE;
    return display->channel->DisplayControlCaps(display->channel) == CHANNEL_RC_OK;
}

gboolean display_open(Display *display)
{
    if (display->channel)
        return TRUE;
    display->channel = disp_server_context_new(display->rdp->context->vcm);
    if (!display->channel)
        return FALSE;
    display->channel->rdpcontext = &display->rdp->context->base;
    display->channel->custom = display;
    display->channel->MaxNumMonitors = SEAT_HEADS_MAX;
    display->channel->MaxMonitorAreaFactorA = SEAT_WIDTH_MAX;
    display->channel->MaxMonitorAreaFactorB = SEAT_WIDTH_MAX;
    display->channel->ChannelIdAssigned = on_channel_id;
    display->channel->DispMonitorLayout = on_layout;
    display->open = display->channel->Open(display->channel) == CHANNEL_RC_OK;
    return TRUE;
}

gboolean display_changed(Display *display)
{
    g_mutex_lock(&display->lock);
    gboolean changed = display->changed;
    display->changed = FALSE;
    if (changed) {
        display->rdp->client_width = display->width;
        display->rdp->client_height = display->height;
    }
    g_mutex_unlock(&display->lock);
    return changed;
}
