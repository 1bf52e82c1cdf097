/* What the server offers to every client, the warm start, and FreeRDP's log. */
#include "session/rdp/rdp.h"

#include "base/log.h"

#include <freerdp/channels/channels.h>
#include <freerdp/channels/wtsvc.h>
#include <freerdp/crypto/certificate.h>
#include <freerdp/crypto/privatekey.h>
#include <freerdp/primitives.h>
#include <freerdp/settings.h>
#include <gio/gio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <winpr/ssl.h>
#include <winpr/winsock.h>
#include <winpr/wlog.h>
#include <winpr/wtsapi.h>

#define TLS_1_2 0x0303
#define ACK_TIMEOUT_MS 15000 /* a peer that acknowledges nothing for so long is dead */

typedef struct {
    FreeRDP_Settings_Keys_Bool key;
    BOOL value;
} Switch;

/* RDSTLS lets a client in without credentials in FreeRDP 3.10; RDP's own security is broken by design; NLA
 * needs password-equivalent hashes and is a matter of its own. */
static const Switch switches[] = {
    {FreeRDP_RdpSecurity, FALSE},
    {FreeRDP_UseRdpSecurityLayer, FALSE},
    {FreeRDP_NlaSecurity, FALSE},
    {FreeRDP_ExtSecurity, FALSE},
    {FreeRDP_RdstlsSecurity, FALSE},
    {FreeRDP_AadSecurity, FALSE},
    {FreeRDP_TlsSecurity, TRUE},
    {FreeRDP_SupportMultitransport, FALSE},
    {FreeRDP_SupportGraphicsPipeline, TRUE},
    {FreeRDP_SupportDisplayControl, TRUE},
    {FreeRDP_DynamicResolutionUpdate, TRUE},
    {FreeRDP_GfxH264, TRUE},
    {FreeRDP_RemoteFxCodec, FALSE},
    {FreeRDP_NSCodec, FALSE},
    {FreeRDP_UnicodeInput, TRUE},
    {FreeRDP_HasExtendedMouseEvent, TRUE},
    {FreeRDP_HasHorizontalWheel, TRUE},
    {FreeRDP_HasRelativeMouseEvent, TRUE},
    {FreeRDP_SupportMonitorLayoutPdu, TRUE},
    {FreeRDP_RefreshRect, TRUE},
    {FreeRDP_SuppressOutput, TRUE},
    {FreeRDP_FastPathOutput, TRUE},
    {FreeRDP_DrawAllowSkipAlpha, TRUE},
    {FreeRDP_DesktopResize, TRUE},
    {FreeRDP_NetworkAutoDetect, FALSE},
    {FreeRDP_SupportErrorInfoPdu, TRUE},
    {FreeRDP_CompressionEnabled, FALSE},
    {FreeRDP_WaitForOutputBufferFlush, FALSE},
};

static gboolean set_all(rdpSettings *settings)
{
    for (guint i = 0; i < G_N_ELEMENTS(switches); i++)
        if (!freerdp_settings_set_bool(settings, switches[i].key, switches[i].value))
            return FALSE;
    return freerdp_settings_set_uint32(settings, FreeRDP_ColorDepth, 32) &&
           freerdp_settings_set_uint32(settings, FreeRDP_MultifragMaxRequestSize, 0xffffff) &&
           freerdp_settings_set_uint16(settings, FreeRDP_TLSMinVersion, TLS_1_2) &&
           freerdp_settings_set_uint32(settings, FreeRDP_TlsSecLevel, 2) &&
           freerdp_settings_set_uint32(settings, FreeRDP_TcpAckTimeout, ACK_TIMEOUT_MS) &&
           freerdp_settings_set_uint32(settings, FreeRDP_PointerCacheSize, 25) &&
           freerdp_settings_set_uint32(settings, FreeRDP_ColorPointerCacheSize, 25) &&
           freerdp_settings_set_uint32(settings, FreeRDP_LargePointerFlag,
                                       LARGE_POINTER_FLAG_96x96 | LARGE_POINTER_FLAG_384x384);
}

rdpSettings *rdp_settings_new(const char *certificate, const char *key, GError **error)
{
    rdpSettings *settings = freerdp_settings_new(FREERDP_SETTINGS_SERVER_MODE);
    rdpCertificate *cert = freerdp_certificate_new_from_pem(certificate);
    rdpPrivateKey *private_key = freerdp_key_new_from_pem(key);

    if (!cert || !private_key) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                    "the RDP %s is not PEM that FreeRDP can read (RSA or P-256)",
                    cert ? "key" : "certificate");
        freerdp_certificate_free(cert);
        freerdp_key_free(private_key);
        freerdp_settings_free(settings);
        return NULL;
    }
    if (!settings || !set_all(settings) ||
        !freerdp_settings_set_pointer_len(settings, FreeRDP_RdpServerCertificate, cert, 1) ||
        !freerdp_settings_set_pointer_len(settings, FreeRDP_RdpServerRsaKey, private_key, 1)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "FreeRDP does not take its settings");
        freerdp_settings_free(settings);
        return NULL;
    }
    return settings;
}

/* FreeRDP's errors speak of what a client sent: a client must not be able to fill the log. */
static BOOL log_message(const wLogMessage *message)
{
    static gint left = 50;
    if (g_atomic_int_add(&left, -1) > 0)
        log_debug("FreeRDP: %s: %s", message->PrefixString, message->TextString);
    return TRUE;
}

static void route_log(void)
{
    static wLogCallbacks callbacks = {.message = log_message};
    wLog *root = WLog_GetRoot();

    WLog_SetLogLevel(root, WLOG_WARN);
    if (WLog_SetLogAppenderType(root, WLOG_APPENDER_CALLBACK))
        WLog_ConfigureAppender(WLog_GetLogAppender(root), "callbacks", &callbacks);
}

/* A peer that never speaks: makes every lazy initialisation of the libraries happen now. */
static void rehearse(const rdpSettings *settings)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return;
    freerdp_peer *peer = freerdp_peer_new(ends[0]);
    if (peer) {
        peer->ContextSize = sizeof(RdpContext);
        if (freerdp_peer_context_new_ex(peer, settings)) {
            peer->Initialize(peer);
            freerdp_peer_context_free(peer);
        }
        freerdp_peer_free(peer);
    } else {
        close(ends[0]);
    }
    close(ends[1]);
}

void rdp_warm_up(const rdpSettings *settings)
{
    WSADATA wsa;

    route_log();
    WSAStartup(MAKEWORD(2, 2), &wsa);
    winpr_InitializeSSL(WINPR_SSL_INIT_DEFAULT);
    WTSRegisterWtsApiFunctionTable(FreeRDP_InitWtsApi());
    lifeline_beat();
    /* Not the fastest by trial, which takes 0.2 s of processor time from whoever is connecting just now. */
    primitives_set_hints(PRIMITIVES_ONLY_CPU);
    primitives_get();
    lifeline_beat();
    if (settings)
        rehearse(settings);
}
