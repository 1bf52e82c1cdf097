/* The .rdp file of a desktop, for mstsc and others. */
#include "broker/control/control_internal.h"

#include <string.h>

/* What does not depend on the desktop. NLA is off on this server; saying so here spares mstsc a failed
 * attempt. */
static const char fixed[] = "enablecredsspsupport:i:0\r\n"
                            "negotiate security layer:i:1\r\n"
                            "authentication level:i:2\r\n"
                            "prompt for credentials:i:1\r\n"
                            "promptcredentialonce:i:1\r\n"
                            "screen mode id:i:2\r\n"
                            "use multimon:i:0\r\n"
                            "dynamic resolution:i:1\r\n"
                            "smart sizing:i:0\r\n"
                            "session bpp:i:32\r\n"
                            "connection type:i:7\r\n"
                            "networkautodetect:i:1\r\n"
                            "bandwidthautodetect:i:1\r\n"
                            "compression:i:1\r\n"
                            "keyboardhook:i:2\r\n"
                            "audiomode:i:2\r\n"
                            "audiocapturemode:i:0\r\n"
                            "videoplaybackmode:i:1\r\n"
                            "redirectclipboard:i:1\r\n"
                            "redirectprinters:i:0\r\n"
                            "redirectcomports:i:0\r\n"
                            "redirectsmartcards:i:0\r\n"
                            "redirectposdevices:i:0\r\n"
                            "drivestoredirect:s:\r\n"
                            "displayconnectionbar:i:1\r\n"
                            "autoreconnection enabled:i:1\r\n"
                            "gatewayusagemethod:i:0\r\n"
                            "alternate shell:s:\r\n"
                            "shell working directory:s:\r\n"
                            "use redirection server name:i:1\r\n";

char *rdp_file_content(const char *host, guint16 port, const char *user, const char *desktop)
{
    gboolean bare_ipv6 = strchr(host, ':') && *host != '[';
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "full address:s:%s%s%s", bare_ipv6 ? "[" : "", host, bare_ipv6 ? "]" : "");
    if (port != 3389)
        g_string_append_printf(text, ":%u", port);
    g_string_append_printf(text, "\r\nusername:s:%s\r\nloadbalanceinfo:s:fernwerk.desktop=%s\r\n%s", user,
                           desktop, fixed);
    return g_string_free(text, FALSE);
}

char *rdp_file_name(const char *desktop)
{
    return g_strdup_printf("fernwerk-%s.rdp", desktop);
}
