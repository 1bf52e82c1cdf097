/* What the client said of itself, on its way to seat and greeter; and the reasons for an end in RDP's terms.
 */
#include "session/rdp/rdp.h"

#include "session/rdp/layout.h"

#include <freerdp/error.h>
#include <freerdp/settings.h>
#include <string.h>

static void copy(char *target, gsize size, const char *source)
{
    if (source && strlen(source) < size && g_utf8_validate(source, -1, NULL))
        g_strlcpy(target, source, size);
}

static guint32 number(const rdpSettings *settings, FreeRDP_Settings_Keys_UInt32 key, guint32 low,
                      guint32 high)
{
    guint32 value = freerdp_settings_get_uint32(settings, key);
    return value >= low && value <= high ? value : 0;
}

/* A name without its domain: DOMAIN\name is what Windows clients make of it. */
static const char *plain_name(const char *name)
{
    const char *backslash = name ? strrchr(name, '\\') : NULL;
    return backslash ? backslash + 1 : name;
}

void rdp_greet(Rdp *rdp)
{
    rdpSettings *settings = rdp->context->base.settings;
    SeatHello hello = {.protocol = SEAT_PROTOCOL_RDP, .heads = 1};
    SeatPrefill prefill = {0};
    const char *layout, *variant;

    rdp->client_width = number(settings, FreeRDP_DesktopWidth, SEAT_WIDTH_MIN, SEAT_WIDTH_MAX);
    rdp->client_height = number(settings, FreeRDP_DesktopHeight, SEAT_WIDTH_MIN, SEAT_WIDTH_MAX);
    rdp->output_width = rdp->client_width;
    rdp->output_height = rdp->client_height;
    hello.size = (SeatSizeHint){.width = rdp->client_width,
                                .height = rdp->client_height,
                                .scale = number(settings, FreeRDP_DesktopScaleFactor, 100, 500),
                                .width_mm = number(settings, FreeRDP_DesktopPhysicalWidth, 10, 10000),
                                .height_mm = number(settings, FreeRDP_DesktopPhysicalHeight, 10, 10000)};
    layout_from_klid(freerdp_settings_get_uint32(settings, FreeRDP_KeyboardLayout), &layout, &variant);
    g_strlcpy(hello.xkb_layout, layout, sizeof hello.xkb_layout);
    g_strlcpy(hello.xkb_variant, variant, sizeof hello.xkb_variant);

    copy(prefill.user, sizeof prefill.user,
         plain_name(freerdp_settings_get_string(settings, FreeRDP_Username)));
    copy(prefill.password, sizeof prefill.password, freerdp_settings_get_string(settings, FreeRDP_Password));
    copy(prefill.desktop, sizeof prefill.desktop, rdp->desktop);
    bridge_hello(rdp->bridge, &hello, &prefill);
    explicit_bzero(&prefill, sizeof prefill);
    char *password = freerdp_settings_get_string_writable(settings, FreeRDP_Password);
    if (password)
        explicit_bzero(password, strlen(password));
}

guint32 rdp_error_info(EndReason reason)
{
    switch (reason) {
    case END_TAKEN_OVER:
        return ERRINFO_DISCONNECTED_BY_OTHER_CONNECTION;
    case END_REVOKED:
        return ERRINFO_SERVER_INSUFFICIENT_PRIVILEGES;
    case END_KILLED:
        return ERRINFO_RPC_INITIATED_DISCONNECT;
    case END_TIMEOUT:
        return ERRINFO_LOGON_TIMEOUT;
    case END_LIMIT:
        return ERRINFO_SERVER_DENIED_CONNECTION;
    case END_FAULT:
        return ERRINFO_CLOSE_STACK_ON_DRIVER_FAILURE;
    case END_SHUTDOWN:
        return ERRINFO_RPC_INITIATED_DISCONNECT;
    case END_DESKTOP_OFF:
    case END_DONE:
    case END_REPLACED:
        return ERRINFO_LOGOFF_BY_USER;
    }
    return ERRINFO_LOGOFF_BY_USER;
}
