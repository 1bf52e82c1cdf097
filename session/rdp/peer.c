/* The connection's own thread: FreeRDP's peer from the first packet to the last, and the loop that sends
 * pictures. */
#include "session/rdp/rdp.h"

#include "base/log.h"
#include "session/rdp/x224.h"

#include <errno.h>
#include <freerdp/channels/channels.h>
#include <freerdp/channels/drdynvc.h>
#include <freerdp/channels/wtsvc.h>
#include <freerdp/error.h>
#include <freerdp/settings.h>
#include <freerdp/update.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <winpr/synch.h>
#include <winpr/wtsapi.h>

#define FIRST_PACKET_MS 10000
#define GFX_ANSWER_US                                                                                        \
    (4 * G_USEC_PER_SEC)         /* for a client that announced the graphics pipeline to open it             \
                                  */
#define RELAYOUT_US (700 * 1000) /* for the desktop to follow the client's window */
#define ACK_TIMEOUT_MS 15000
#define NOT_SENT_MAX                                                                                         \
    65536 /* bytes that may wait in the kernel: more would be old pictures in a slow pipe                    \
           */
#define FAREWELL_MS 300
#define HANDLES_MAX 16
#define DEPTH_MIN 15u /* bits of colour in bitmap updates */

typedef struct {
    Bridge *bridge;
    const rdpSettings *settings;
    int socket;
} Start;

/* ---- the socket ---- */

static void tune_socket(int fd)
{
    const int on = 1, not_sent = NOT_SENT_MAX, dead = ACK_TIMEOUT_MS;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &not_sent, sizeof not_sent);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead, sizeof dead);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

/* Waits for the whole connection request, which stays in the socket. A partial one would wake poll() without
 * end: SO_RCVLOWAT makes it wait for the rest. */
static gboolean peek_request(int fd, char *desktop, gsize size, gboolean *tls)
{
    gint64 deadline = g_get_monotonic_time() + FIRST_PACKET_MS * 1000;
    guint8 bytes[X224_REQUEST_MAX];
    X224Result result = X224_PARTIAL;
    gsize wanted = 4;

    while (result == X224_PARTIAL) {
        int low = (int)wanted, left = (int)((deadline - g_get_monotonic_time()) / 1000);
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low);
        if (left <= 0 || poll(&poll_fd, 1, left) <= 0)
            return FALSE;
        ssize_t n = recv(fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || (poll_fd.revents & (POLLERR | POLLHUP)))
            return FALSE;
        gsize had = wanted;
        result = x224_check(bytes, n > 0 ? (gsize)n : 0, &wanted);
        if (result == X224_COMPLETE) {
            x224_desktop(bytes, (gsize)n, desktop, size);
            *tls = x224_offers_tls(bytes, (gsize)n);
        } else if (result == X224_PARTIAL && wanted == had && n >= (ssize_t)had) {
            return FALSE;
        }
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &(int){1}, sizeof(int));
    return result == X224_COMPLETE;
}

/* FreeRDP would say so too, but then waits for a TLS handshake all the same. The request is read first:
 * closing with it unread would be a reset that overtakes the answer. */
static void require_tls(int fd)
{
    static const guint8 failure[] = {3, 0, 0, 19, 14, 0xd0, 0, 0, 0, 0, 0, 3, 0, 8, 0, 1, 0, 0, 0};
    guint8 request[X224_REQUEST_MAX];

    log_info("the client offers no TLS: refused");
    if (recv(fd, request, sizeof request, MSG_DONTWAIT) > 0)
        send(fd, failure, sizeof failure, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(fd, SHUT_RDWR);
}

static gboolean socket_ready(Rdp *rdp)
{
    struct pollfd poll_fd = {.fd = rdp->socket, .events = POLLOUT};
    if (rdp->peer->IsWriteBlocked(rdp->peer) && rdp->peer->DrainOutputBuffer(rdp->peer) != 0)
        return FALSE;
    return poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLOUT);
}

/* ---- FreeRDP's callbacks ---- */

static BOOL on_context_new(freerdp_peer *peer, rdpContext *context)
{
    RdpContext *own = (RdpContext *)context;
    own->vcm = WTSOpenServerA((LPSTR)context);
    return own->vcm && own->vcm != INVALID_HANDLE_VALUE;
}

static void on_context_free(freerdp_peer *peer, rdpContext *context)
{
    RdpContext *own = (RdpContext *)context;
    if (own->vcm && own->vcm != INVALID_HANDLE_VALUE)
        WTSCloseServer(own->vcm);
    own->vcm = NULL;
}

static Rdp *of(freerdp_peer *peer)
{
    return ((RdpContext *)peer->context)->rdp;
}

static BOOL on_post_connect(freerdp_peer *peer)
{
    rdp_greet(of(peer));
    return TRUE;
}

static BOOL on_logon(freerdp_peer *peer, const SEC_WINNT_AUTH_IDENTITY *identity, BOOL automatic)
{
    return TRUE; /* the greeter decides */
}

static void refuse(Rdp *rdp, guint32 error_info)
{
    if (rdp->ended)
        return;
    rdp->ended = TRUE;
    freerdp_set_error_info(rdp->context->base.rdp, error_info);
}

static void use_bitmaps(Rdp *rdp)
{
    guint depth = freerdp_settings_get_uint32(rdp->context->base.settings, FreeRDP_ColorDepth);

    rdp->mode = GRAPHICS_BITMAPS;
    if (depth >= DEPTH_MIN)
        return;
    log_info("the client wants %u bits of colour, %u are the least: refused", depth, DEPTH_MIN);
    refuse(rdp, ERRINFO_SERVER_DENIED_CONNECTION);
}

static BOOL on_activate(freerdp_peer *peer)
{
    Rdp *rdp = of(peer);
    const rdpSettings *settings = rdp->context->base.settings;

    rdp->active = TRUE;
    if (rdp->mode == GRAPHICS_NONE) {
        gboolean gfx = freerdp_settings_get_bool(settings, FreeRDP_SupportGraphicsPipeline) &&
                       WTSVirtualChannelManagerIsChannelJoined(rdp->context->vcm, DRDYNVC_SVC_CHANNEL_NAME);
        rdp->mode = GRAPHICS_WAITING;
        rdp->gfx_deadline_us = g_get_monotonic_time() + GFX_ANSWER_US;
        log_info("client %u x %u, %u bits, %s", rdp->client_width, rdp->client_height,
                 freerdp_settings_get_uint32(settings, FreeRDP_ColorDepth),
                 gfx ? "announces the graphics pipeline" : "bitmap updates");
        if (!gfx)
            use_bitmaps(rdp);
    } else {
        bridge_invalidate(rdp->bridge, NULL);
        rdp->bars_due |= rdp->mode == GRAPHICS_BITMAPS && rdp->placed;
    }
    return cursors_repeat(rdp->cursors);
}

static BOOL on_refresh(rdpContext *context, BYTE count, const RECTANGLE_16 *areas)
{
    bridge_invalidate(((RdpContext *)context)->rdp->bridge, NULL);
    return TRUE;
}

static BOOL on_suppress(rdpContext *context, BYTE allow, const RECTANGLE_16 *area)
{
    Rdp *rdp = ((RdpContext *)context)->rdp;
    if (!allow)
        bridge_release_keys(rdp->bridge);
    rdp->suppressed = !allow;
    return TRUE;
}

static BOOL on_channel_created(void *data, UINT32 channel, INT32 status)
{
    Rdp *rdp = data;
    gfx_created(rdp->gfx, channel, status >= 0);
    return display_created(rdp->display, channel, status >= 0);
}

/* ---- sending ---- */

static gboolean graphics_ready(const Rdp *rdp)
{
    return rdp->active && !rdp->suppressed && (rdp->mode == GRAPHICS_GFX || rdp->mode == GRAPHICS_BITMAPS);
}

static gboolean send_update(Rdp *rdp)
{
    const ViewerUpdate *update = &rdp->update;
    ViewerUpdate scaled;

    if (rdp->scaler) {
        scaler_take(rdp->scaler, update, &scaled);
        update = &scaled;
    }
    if (rdp->mode == GRAPHICS_GFX)
        return gfx_send(rdp->gfx, update);
    return (!rdp->bars_due || rdp_place_bars(rdp)) &&
           bitmaps_send(rdp->bitmaps, update, (guint)rdp->offset_x, (guint)rdp->offset_y);
}

static gboolean send_held(Rdp *rdp)
{
    const ViewerPicture *picture = &rdp->update.picture;

    if (!rdp->holding || !graphics_ready(rdp))
        return TRUE;
    if (!rdp->placed || picture->width != rdp->picture_width || picture->height != rdp->picture_height) {
        gboolean partial = !rdp->placed && !viewer_update_is_whole(&rdp->update);
        if (!rdp_place(rdp, picture->width, picture->height))
            return FALSE;
        if (partial)
            bridge_invalidate(rdp->bridge, NULL);
        if (!rdp->active || !rdp->holding)
            return TRUE; /* kept until the client is active again */
    }
    rdp->holding = FALSE;
    return send_update(rdp);
}

/* Asks for the next update when it could be sent at once. Returns whether only the socket is not ready for
 * it. */
static gboolean ask_for_update(Rdp *rdp)
{
    if (rdp->wanted || rdp->holding || !graphics_ready(rdp) ||
        (rdp->mode == GRAPHICS_GFX && !gfx_may_send(rdp->gfx)))
        return FALSE;
    if (!socket_ready(rdp))
        return TRUE;
    rdp->wanted = TRUE;
    gboolean gfx = rdp->mode == GRAPHICS_GFX;
    bridge_want(rdp->bridge, !gfx || gfx_h264(rdp->gfx) == SEAT_H264_NONE || rdp->scaler,
                gfx ? gfx_calm_tiles(rdp->gfx) : 0);
    return FALSE;
}

/* The client's window has changed: the desktop gets some time to follow before bars are drawn around it. */
static gboolean follow_window(Rdp *rdp)
{
    gint64 now = g_get_monotonic_time();

    if (display_changed(rdp->display))
        rdp->relayout_us = now + RELAYOUT_US;
    if (rdp->relayout_us == 0 || now < rdp->relayout_us)
        return TRUE;
    rdp->relayout_us = 0;
    if (!rdp->placed || rdp->mode != GRAPHICS_GFX ||
        (rdp->output_width == rdp->client_width && rdp->output_height == rdp->client_height))
        return TRUE;
    bridge_invalidate(rdp->bridge, NULL);
    return rdp_place(rdp, rdp->picture_width, rdp->picture_height);
}

static void look(Rdp *rdp)
{
    BridgeNews news;

    bridge_look(rdp->bridge, &news);
    if (news.ending)
        refuse(rdp, rdp_error_info(news.reason));
    if (news.update_fresh) {
        rdp->update = news.update;
        rdp->holding = TRUE;
        rdp->wanted = FALSE;
    }
    if (news.relative_fresh)
        rdp->relative = news.relative;
    if (news.leds_fresh) {
        rdp->leds = news.leds;
        rdp->leds_due = TRUE;
    }
    if (news.cursor_fresh) {
        g_clear_pointer(&rdp->cursor.pixels, g_bytes_unref);
        rdp->cursor = news.cursor;
        rdp->cursor_due = TRUE;
    }
}

static gboolean signs_wait(const Rdp *rdp)
{
    return rdp->active && (rdp->cursor_due || rdp->leds_due);
}

/* Cursor and lights: only when the socket takes them, the newest of each, so that a guest which changes them
 * all the time fills no queue. */
static gboolean send_signs(Rdp *rdp)
{
    rdpUpdate *update = rdp->context->base.update;

    if (!signs_wait(rdp) || !socket_ready(rdp))
        return TRUE;
    if (rdp->leds_due && update->SetKeyboardIndicators)
        update->SetKeyboardIndicators(update->context, (UINT16)rdp->leds);
    rdp->leds_due = FALSE;
    if (!rdp->cursor_due)
        return TRUE;
    BridgeCursor cursor = rdp->cursor;
    rdp->cursor.pixels = NULL;
    rdp->cursor_due = FALSE;
    return cursors_show(rdp->cursors, &cursor);
}

/* ---- the loop ---- */

static gboolean handle_channels(Rdp *rdp)
{
    HANDLE vcm = rdp->context->vcm;

    /* Without the reset an idle client burns a core. */
    ResetEvent(WTSVirtualChannelManagerGetEventHandle(vcm));
    if (!WTSVirtualChannelManagerCheckFileDescriptorEx(vcm, rdp->active))
        return FALSE;
    if (rdp->active && WTSVirtualChannelManagerGetDrdynvcState(vcm) == DRDYNVC_STATE_READY) {
        if (rdp->mode == GRAPHICS_WAITING && !gfx_open(rdp->gfx))
            use_bitmaps(rdp);
        if (!display_open(rdp->display))
            return FALSE;
    }
    if (!gfx_handle(rdp->gfx))
        return FALSE;
    if (rdp->mode == GRAPHICS_WAITING && g_get_monotonic_time() > rdp->gfx_deadline_us) {
        log_info("the client does not open its graphics pipeline: bitmap updates");
        use_bitmaps(rdp);
    }
    return TRUE;
}

static int patience_ms(const Rdp *rdp)
{
    gint64 next = rdp->relayout_us;
    if (rdp->mode == GRAPHICS_WAITING && (next == 0 || rdp->gfx_deadline_us < next))
        next = rdp->gfx_deadline_us;
    if (next == 0)
        return -1;
    gint64 left = (next - g_get_monotonic_time()) / 1000 + 1;
    return (int)CLAMP(left, 0, 10000);
}

static gboolean wait_for_something(Rdp *rdp, gboolean for_socket)
{
    HANDLE handles[HANDLES_MAX] = {0};
    struct pollfd fds[HANDLES_MAX + 4];
    nfds_t n = 0;
    DWORD count = rdp->peer->GetEventHandles(rdp->peer, handles, HANDLES_MAX - 2);

    if (count == 0)
        return FALSE;
    handles[count++] = WTSVirtualChannelManagerGetEventHandle(rdp->context->vcm);
    HANDLE gfx = gfx_event(rdp->gfx);
    if (gfx)
        handles[count++] = gfx;
    for (DWORD i = 0; i < count; i++)
        fds[n++] = (struct pollfd){.fd = GetEventFileDescriptor(handles[i]), .events = POLLIN};
    fds[n++] = (struct pollfd){.fd = bridge_wake_fd(rdp->bridge), .events = POLLIN};
    if (for_socket || rdp->peer->IsWriteBlocked(rdp->peer))
        fds[n++] = (struct pollfd){.fd = rdp->socket, .events = POLLOUT};
    return poll(fds, n, patience_ms(rdp)) >= 0 || errno == EINTR;
}

static void farewell(Rdp *rdp)
{
    gint64 deadline = g_get_monotonic_time() + FAREWELL_MS * 1000;
    int waiting = 1;

    /* xfreerdp 3.10 understands the reason but does not announce it; whoever does not, loses nothing at the
     * end. */
    freerdp_settings_set_bool(rdp->context->base.settings, FreeRDP_SupportErrorInfoPdu, TRUE);
    rdp->farewell = rdp->active;
    rdp->peer->Close(rdp->peer);
    rdp->farewell = FALSE;
    while (g_get_monotonic_time() < deadline && waiting > 0) {
        struct pollfd poll_fd = {.fd = rdp->socket, .events = POLLOUT};
        if (rdp->peer->IsWriteBlocked(rdp->peer)) {
            poll(&poll_fd, 1, 50);
            rdp->peer->DrainOutputBuffer(rdp->peer);
        } else if (ioctl(rdp->socket, SIOCOUTQ, &waiting) < 0) {
            waiting = 0;
        } else if (waiting > 0) {
            g_usleep(10000);
        }
    }
    g_usleep(100000); /* the client reads the reason before it sees the end */
}

/* What there is to send, in as few records as it needs. */
static gboolean send_all(Rdp *rdp)
{
    HANDLE channels = rdp->context->vcm;

    rdp_transport_gather(rdp);
    gboolean done = send_signs(rdp) && send_held(rdp);
    /* Its own queue has set it. */
    ResetEvent(WTSVirtualChannelManagerGetEventHandle(channels));
    done = done && WTSVirtualChannelManagerCheckFileDescriptorEx(channels, FALSE);
    return rdp_transport_write(rdp) && done;
}

static void run(Rdp *rdp)
{
    gboolean for_socket = FALSE;

    while (!rdp->ended) {
        if (!wait_for_something(rdp, for_socket))
            break;
        look(rdp);
        if (rdp->ended)
            break;
        if (rdp->peer->IsWriteBlocked(rdp->peer))
            rdp->peer->DrainOutputBuffer(rdp->peer);
        if (!rdp->peer->CheckFileDescriptor(rdp->peer) || !handle_channels(rdp) || !follow_window(rdp) ||
            !send_all(rdp))
            break;
        for_socket = ask_for_update(rdp) || signs_wait(rdp);
    }
    if (rdp->ended)
        farewell(rdp);
}

static gboolean peer_open(Rdp *rdp, const rdpSettings *settings, int socket)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;

    rdp->peer = freerdp_peer_new(socket);
    if (!rdp->peer)
        return FALSE;
    getpeername(socket, (struct sockaddr *)&address, &length);
    freerdp_peer_set_local_and_hostname(rdp->peer, &address);
    rdp->peer->ContextSize = sizeof(RdpContext);
    rdp->peer->ContextNew = on_context_new;
    rdp->peer->ContextFree = on_context_free;
    if (!freerdp_peer_context_new_ex(rdp->peer, settings))
        return FALSE;
    rdp->context = (RdpContext *)rdp->peer->context;
    rdp->context->rdp = rdp;
    rdp->peer->PostConnect = on_post_connect;
    rdp->peer->Activate = on_activate;
    rdp->peer->Logon = on_logon;
    rdp_input_register(rdp);
    rdp->context->base.update->RefreshRect = on_refresh;
    rdp->context->base.update->SuppressOutput = on_suppress;
    WTSVirtualChannelManagerSetDVCCreationCallback(rdp->context->vcm, on_channel_created, rdp);
    return rdp_transport_hook(rdp) && rdp->peer->Initialize(rdp->peer);
}

static void *thread_main(gpointer data)
{
    g_autofree Start *start = data;
    g_autofree Rdp *rdp = g_new0(Rdp, 1);
    gboolean tls = FALSE;

    rdp->bridge = start->bridge;
    rdp->socket = start->socket;
    rdp->began_us = g_get_monotonic_time();
    tune_socket(start->socket);
    gboolean requested = peek_request(start->socket, rdp->desktop, sizeof rdp->desktop, &tls);
    if (requested && !tls) {
        require_tls(start->socket);
    } else if (requested && peer_open(rdp, start->settings, start->socket)) {
        rdp->gfx = gfx_new(rdp);
        rdp->bitmaps = bitmaps_new(rdp);
        rdp->cursors = cursors_new(rdp);
        rdp->display = display_new(rdp);
        run(rdp);
        shutdown(start->socket, SHUT_RDWR);
        display_free(rdp->display);
        gfx_free(rdp->gfx);
        bitmaps_free(rdp->bitmaps);
        cursors_free(rdp->cursors);
        scaler_free(rdp->scaler);
        g_clear_pointer(&rdp->cursor.pixels, g_bytes_unref);
        rdp->peer->Disconnect(rdp->peer);
        freerdp_peer_context_free(rdp->peer);
        freerdp_peer_free(rdp->peer);
        rdp_transport_unhook(rdp);
    } else {
        log_info("no RDP client: the first packet is missing or wrong");
        shutdown(start->socket, SHUT_RDWR);
    }
    bridge_gone(start->bridge);
    return NULL;
}

void rdp_start(Bridge *bridge, const rdpSettings *settings, int socket)
{
    Start *start = g_new0(Start, 1);
    start->bridge = bridge;
    start->settings = settings;
    start->socket = socket;
    g_thread_unref(g_thread_new("peer", thread_main, start));
}
