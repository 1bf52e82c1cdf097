/* The two threads' exchange. */
#include "session/rdp/bridge.h"

#include "base/log.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MESSAGES_MAX 512 /* on their way to the main thread; then the peer's thread waits */
#define END_LIMIT_MS 450 /* from the end's reason to the process's end, whatever the client does */

typedef enum {
    MESSAGE_HELLO,
    MESSAGE_SUBSCRIBE,
    MESSAGE_WANT,
    MESSAGE_KEEP,
    MESSAGE_MOVES,
    MESSAGE_LOSSES,
    MESSAGE_TILES,
    MESSAGE_INVALIDATE,
    MESSAGE_KEYFRAME,
    MESSAGE_KEY,
    MESSAGE_KEYSYM,
    MESSAGE_LOCKS,
    MESSAGE_POINTER,
    MESSAGE_MOTION,
    MESSAGE_SIZE,
    MESSAGE_RELEASE,
    MESSAGE_GONE,
} MessageKind;

typedef struct {
    Bridge *bridge;
    MessageKind kind;
    guint32 number; /* key, keysym, mask, flag */
    gboolean pressed;
    SeatH264 h264;
    gint x, y, vertical, horizontal;
    SeatSizeHint size;
    gboolean all; /* not only `rect` */
    ViewerRect rect;
    SeatHello *hello;
    SeatPrefill *prefill;
} Message;

struct Bridge {
    Viewer *viewer;
    GMainLoop *loop;
    void (*socket_came)(Bridge *bridge, const LifelineClient *client, int socket, gpointer data);
    gpointer data;
    gboolean dirty, wanted, lossless_only; /* main thread's */
    int wake;
    GMutex lock; /* over the rest */
    GCond drained;
    guint messages;
    BridgeNews news;
};

static void wake_peer(Bridge *bridge)
{
    guint64 one = 1;
    ssize_t ignored = write(bridge->wake, &one, sizeof one);
    (void)ignored;
}

/* ---- main thread ---- */

static void hand_over(Bridge *bridge)
{
    ViewerUpdate update;

    if (!bridge->wanted)
        return;
    gboolean dirty = bridge->dirty;
    bridge->dirty = FALSE;
    if (!dirty || !viewer_take(bridge->viewer, bridge->lossless_only, &update)) {
        viewer_ready(bridge->viewer);
        return;
    }
    bridge->wanted = FALSE;
    g_mutex_lock(&bridge->lock);
    bridge->news.update = update;
    bridge->news.update_fresh = TRUE;
    g_mutex_unlock(&bridge->lock);
    wake_peer(bridge);
}

static void on_switched(Viewer *viewer, guint width, guint height, const SeatWelcome *welcome, gpointer data)
{
    log_info("shows %s%s, %u x %u", welcome->greeter ? "a greeter" : "desktop ", welcome->desktop, width,
             height);
}

static void on_dirty(Viewer *viewer, gpointer data)
{
    Bridge *bridge = data;
    bridge->dirty = TRUE;
    hand_over(bridge);
}

static void on_cursor(Viewer *viewer, const guint8 *pixels, guint width, guint height, guint hot_x,
                      guint hot_y, gpointer data)
{
    Bridge *bridge = data;
    GBytes *bytes = pixels ? g_bytes_new(pixels, (gsize)width * height * 4) : NULL;

    g_mutex_lock(&bridge->lock);
    g_clear_pointer(&bridge->news.cursor.pixels, g_bytes_unref);
    bridge->news.cursor = (BridgeCursor){bytes, width, height, hot_x, hot_y};
    bridge->news.cursor_fresh = TRUE;
    g_mutex_unlock(&bridge->lock);
    wake_peer(bridge);
}

static void on_leds(Viewer *viewer, guint32 mask, gpointer data)
{
    Bridge *bridge = data;
    g_mutex_lock(&bridge->lock);
    bridge->news.leds = mask;
    bridge->news.leds_fresh = TRUE;
    g_mutex_unlock(&bridge->lock);
    wake_peer(bridge);
}

static void on_pointer_mode(Viewer *viewer, gboolean absolute, gpointer data)
{
    Bridge *bridge = data;
    g_mutex_lock(&bridge->lock);
    bridge->news.relative = !absolute;
    bridge->news.relative_fresh = TRUE;
    g_mutex_unlock(&bridge->lock);
    wake_peer(bridge);
}

static void on_login(Viewer *viewer, SeatLoginResult result, const char *user, const char *text,
                     gpointer data)
{
    /* The greeter draws it. */
}

static gboolean end_now(gpointer data)
{
    _exit(0);
}

static void on_ended(Viewer *viewer, EndReason reason, const char *text, gpointer data)
{
    Bridge *bridge = data;
    log_info("ends: %s", text);
    g_mutex_lock(&bridge->lock);
    bridge->news.ending = TRUE;
    bridge->news.reason = reason;
    g_mutex_unlock(&bridge->lock);
    wake_peer(bridge);
    g_timeout_add(END_LIMIT_MS, end_now, NULL);
}

static void on_client(Viewer *viewer, const LifelineClient *client, int socket, gpointer data)
{
    Bridge *bridge = data;
    bridge->socket_came(bridge, client, socket, bridge->data);
}

const ViewerEvents bridge_viewer_events = {.switched = on_switched,
                                           .dirty = on_dirty,
                                           .cursor = on_cursor,
                                           .leds = on_leds,
                                           .pointer_mode = on_pointer_mode,
                                           .login = on_login,
                                           .ended = on_ended,
                                           .client = on_client};

Bridge *bridge_new(void (*socket_came)(Bridge *bridge, const LifelineClient *client, int socket,
                                       gpointer data),
                   gpointer data)
{
    Bridge *bridge = g_new0(Bridge, 1);
    bridge->socket_came = socket_came;
    bridge->data = data;
    bridge->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    g_assert(bridge->wake >= 0);
    g_mutex_init(&bridge->lock);
    g_cond_init(&bridge->drained);
    return bridge;
}

void bridge_set_viewer(Bridge *bridge, Viewer *viewer)
{
    bridge->viewer = viewer;
    viewer_units_paint_all(viewer, FALSE);
}

void bridge_set_loop(Bridge *bridge, GMainLoop *loop)
{
    bridge->loop = loop;
}

static void log_figures(Bridge *bridge)
{
    ViewerCounters c = viewer_counters(bridge->viewer);
    log_info("over: %" G_GUINT64_FORMAT " updates, %" G_GUINT64_FORMAT " units of H.264, %" G_GUINT64_FORMAT
             " with an auxiliary view, %" G_GUINT64_FORMAT " lossless rectangles, %" G_GUINT64_FORMAT
             " lossy ones, %" G_GUINT64_FORMAT " moves, %" G_GUINT64_FORMAT " torn tiles",
             c.frames, c.units, c.auxiliaries, c.rects, c.lossy, c.moves, c.torn);
}

static void deliver_wish(Bridge *bridge, const Message *m)
{
    switch (m->kind) {
    case MESSAGE_HELLO:
        viewer_hello(bridge->viewer, m->hello, m->prefill);
        break;
    case MESSAGE_SUBSCRIBE:
        viewer_subscribe(bridge->viewer, m->h264, m->number);
        break;
    case MESSAGE_WANT:
        viewer_release(bridge->viewer);
        bridge->wanted = TRUE;
        bridge->lossless_only = m->pressed;
        viewer_refine(bridge->viewer, m->number);
        hand_over(bridge);
        break;
    case MESSAGE_KEEP:
        viewer_keep_picture(bridge->viewer, m->number != 0);
        break;
    case MESSAGE_MOVES:
        viewer_accept_moves(bridge->viewer, m->number != 0);
        break;
    case MESSAGE_LOSSES:
        viewer_accept_losses(bridge->viewer, m->number != 0);
        break;
    case MESSAGE_TILES:
        viewer_name_tiles(bridge->viewer, m->number != 0);
        break;
    case MESSAGE_INVALIDATE:
        viewer_invalidate(bridge->viewer, m->all ? NULL : &m->rect, 1);
        break;
    case MESSAGE_KEYFRAME:
        viewer_need_keyframe(bridge->viewer);
        break;
    default:
        log_figures(bridge);
        g_main_loop_quit(bridge->loop);
    }
}

static gboolean deliver(gpointer data)
{
    const Message *m = data;
    Viewer *viewer = m->bridge->viewer;

    switch (m->kind) {
    case MESSAGE_KEY:
        viewer_key(viewer, m->number, m->pressed);
        break;
    case MESSAGE_KEYSYM:
        viewer_keysym(viewer, m->number, m->pressed);
        break;
    case MESSAGE_LOCKS:
        viewer_locks(viewer, m->number);
        break;
    case MESSAGE_POINTER:
        viewer_pointer(viewer, m->x, m->y, m->number, m->vertical, m->horizontal);
        break;
    case MESSAGE_MOTION:
        viewer_motion(viewer, m->x, m->y, m->number, m->vertical, m->horizontal);
        break;
    case MESSAGE_SIZE:
        viewer_size(viewer, 0, &m->size);
        break;
    case MESSAGE_RELEASE:
        viewer_release_keys(viewer);
        break;
    default:
        deliver_wish(m->bridge, m);
    }
    return G_SOURCE_REMOVE;
}

static void message_free(gpointer data)
{
    Message *message = data;
    Bridge *bridge = message->bridge;

    if (message->prefill)
        explicit_bzero(message->prefill, sizeof *message->prefill);
    g_free(message->prefill);
    g_free(message->hello);
    g_free(message);
    g_mutex_lock(&bridge->lock);
    bridge->messages--;
    g_cond_signal(&bridge->drained);
    g_mutex_unlock(&bridge->lock);
}

/* ---- peer's thread ---- */

static void post(Bridge *bridge, const Message *message)
{
    Message *copy = g_memdup2(message, sizeof *message);

    copy->bridge = bridge;
    g_mutex_lock(&bridge->lock);
    while (bridge->messages >= MESSAGES_MAX)
        g_cond_wait(&bridge->drained, &bridge->lock);
    bridge->messages++;
    g_mutex_unlock(&bridge->lock);
    /* An idle source even where the context could be had from here: everything stays on the main thread. */
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, deliver, copy, message_free);
    g_source_attach(source, NULL);
}

int bridge_wake_fd(Bridge *bridge)
{
    return bridge->wake;
}

void bridge_poke(Bridge *bridge)
{
    wake_peer(bridge);
}

void bridge_look(Bridge *bridge, BridgeNews *news)
{
    guint64 count;
    ssize_t ignored = read(bridge->wake, &count, sizeof count);
    (void)ignored;
    g_mutex_lock(&bridge->lock);
    *news = bridge->news;
    bridge->news.update_fresh = bridge->news.cursor_fresh = bridge->news.leds_fresh =
        bridge->news.relative_fresh = FALSE;
    bridge->news.cursor.pixels = NULL;
    g_mutex_unlock(&bridge->lock);
}

void bridge_want(Bridge *bridge, gboolean lossless_only, guint calm_tiles)
{
    post(bridge, &(Message){.kind = MESSAGE_WANT, .pressed = lossless_only, .number = calm_tiles});
}

void bridge_hello(Bridge *bridge, const SeatHello *hello, const SeatPrefill *prefill)
{
    post(bridge, &(Message){.kind = MESSAGE_HELLO,
                            .hello = g_memdup2(hello, sizeof *hello),
                            .prefill = g_memdup2(prefill, sizeof *prefill)});
}

void bridge_subscribe(Bridge *bridge, SeatH264 h264, guint max_kbit_s)
{
    post(bridge, &(Message){.kind = MESSAGE_SUBSCRIBE, .h264 = h264, .number = max_kbit_s});
}

void bridge_keep_picture(Bridge *bridge, gboolean keep)
{
    post(bridge, &(Message){.kind = MESSAGE_KEEP, .number = keep});
}

void bridge_accept_moves(Bridge *bridge, gboolean accept)
{
    post(bridge, &(Message){.kind = MESSAGE_MOVES, .number = accept});
}

void bridge_accept_losses(Bridge *bridge, gboolean accept)
{
    post(bridge, &(Message){.kind = MESSAGE_LOSSES, .number = accept});
}

void bridge_name_tiles(Bridge *bridge, gboolean name)
{
    post(bridge, &(Message){.kind = MESSAGE_TILES, .number = name});
}

void bridge_invalidate(Bridge *bridge, const ViewerRect *rect)
{
    Message message = {.kind = MESSAGE_INVALIDATE, .all = rect == NULL};

    if (rect)
        message.rect = *rect;
    post(bridge, &message);
}

void bridge_need_keyframe(Bridge *bridge)
{
    post(bridge, &(Message){.kind = MESSAGE_KEYFRAME});
}

void bridge_key(Bridge *bridge, guint32 code, gboolean pressed)
{
    post(bridge, &(Message){.kind = MESSAGE_KEY, .number = code, .pressed = pressed});
}

void bridge_keysym(Bridge *bridge, guint32 keysym, gboolean pressed)
{
    post(bridge, &(Message){.kind = MESSAGE_KEYSYM, .number = keysym, .pressed = pressed});
}

void bridge_locks(Bridge *bridge, guint32 mask)
{
    post(bridge, &(Message){.kind = MESSAGE_LOCKS, .number = mask});
}

void bridge_pointer(Bridge *bridge, gint x, gint y, guint32 buttons, gint vertical, gint horizontal)
{
    post(bridge, &(Message){.kind = MESSAGE_POINTER,
                            .x = x,
                            .y = y,
                            .number = buttons,
                            .vertical = vertical,
                            .horizontal = horizontal});
}

void bridge_motion(Bridge *bridge, gint dx, gint dy, guint32 buttons, gint vertical, gint horizontal)
{
    post(bridge, &(Message){.kind = MESSAGE_MOTION,
                            .x = dx,
                            .y = dy,
                            .number = buttons,
                            .vertical = vertical,
                            .horizontal = horizontal});
}

void bridge_size(Bridge *bridge, const SeatSizeHint *size)
{
    post(bridge, &(Message){.kind = MESSAGE_SIZE, .size = *size});
}

void bridge_release_keys(Bridge *bridge)
{
    post(bridge, &(Message){.kind = MESSAGE_RELEASE});
}

void bridge_gone(Bridge *bridge)
{
    post(bridge, &(Message){.kind = MESSAGE_GONE});
}
