/* The connection's life as one state machine; the handshake's own steps are in front.c, the pictures in
 * screen.c. */
#include "session/vnc/connection.h"

#include "base/log.h"
#include "session/vnc/front.h"
#include "session/vnc/keys.h"
#include "session/vnc/pointer.h"
#include "session/vnc/rfb.h"
#include "session/vnc/screen.h"

#include <string.h>

#define LINGER_MS 400 /* for the last words; the master kills after 500 */
#define SEAT_WAIT_MS                                                                                         \
    1500              /* who logged in in the handshake sees a greeter only when the desktop takes longer */
#define NOTICE_MS 420 /* how long the last picture stays on the client's screen */

typedef enum {
    STATE_IDLE,      /* warm: no client yet */
    STATE_PREAMBLE,  /* fernwerk-web's first block */
    STATE_HANDSHAKE, /* versions, security, TLS, credentials, ClientInit */
    STATE_OPENING,   /* let in; the first picture is awaited */
    STATE_RUNNING,
    STATE_ENDING,
} State;

struct Connection {
    GMainLoop *loop;
    State state;
    Viewer *viewer;
    TlsServer *tls;
    Pixels *pixels;
    Transport *transport;
    Front *front;
    GByteArray *front_out;
    Messages *messages;
    Screen *screen;
    gboolean web, view_only, asked;
    gboolean at_greeter;
    guint seat_wait; /* timer: the desktop may still come first */
    WebPreamble preamble;
    PointerMask mask;
    KeyForms keys;
    gboolean pointer_absolute;
    gint pointer_x, pointer_y;
};

/* Makes every move. */
static void move_to(Connection *c, State state)
{
    static const guint8 allowed[] = {
        [STATE_IDLE] = 1 << STATE_PREAMBLE | 1 << STATE_HANDSHAKE | 1 << STATE_ENDING,
        [STATE_PREAMBLE] = 1 << STATE_HANDSHAKE | 1 << STATE_ENDING,
        [STATE_HANDSHAKE] = 1 << STATE_OPENING | 1 << STATE_ENDING,
        [STATE_OPENING] = 1 << STATE_RUNNING | 1 << STATE_ENDING,
        [STATE_RUNNING] = 1 << STATE_ENDING,
        [STATE_ENDING] = 0,
    };
    g_assert(allowed[c->state] & 1 << state);
    c->state = state;
}

static void quit(gpointer data)
{
    Connection *c = data;
    g_main_loop_quit(c->loop);
}

static gboolean close_transport(gpointer data)
{
    Connection *c = data;
    transport_close(c->transport, LINGER_MS, quit, c);
    return G_SOURCE_REMOVE;
}

/* What was written before goes out, then the process ends. after_ms: the client sees its last picture for so
 * long. */
static void end_after(Connection *c, const char *why, guint after_ms)
{
    if (c->state == STATE_ENDING)
        return;
    if (c->state == STATE_RUNNING)
        screen_log(c->screen);
    log_info("the connection ends: %s", why);
    move_to(c, STATE_ENDING);
    if (!c->transport)
        quit(c);
    else if (after_ms > 0)
        g_timeout_add(after_ms, close_transport, c);
    else
        close_transport(c);
}

static void end(Connection *c, const char *why)
{
    end_after(c, why, 0);
}

static void flush_front(Connection *c)
{
    transport_write(c->transport, c->front_out->data, c->front_out->len);
    g_byte_array_set_size(c->front_out, 0);
}

/* Greets the greeter, which asks where the prefill is empty. */
static void say_hello(Connection *c, const SeatPrefill *prefill)
{
    SeatHello hello = {.protocol = c->web ? SEAT_PROTOCOL_WEB : SEAT_PROTOCOL_VNC, .heads = 1};

    hello.header.size = sizeof hello;
    if (c->web) {
        hello.size.width = c->preamble.width;
        hello.size.height = c->preamble.height;
        hello.size.scale = c->preamble.scale;
        g_strlcpy(hello.xkb_layout, c->preamble.xkb_layout, sizeof hello.xkb_layout);
    }
    c->asked = prefill->must_login != 0;
    viewer_hello(c->viewer, &hello, prefill);
}

static void log_in(Connection *c)
{
    SeatPrefill prefill = {.must_login = 1};

    if (c->web) {
        memcpy(prefill.ticket, c->preamble.ticket, sizeof prefill.ticket);
        explicit_bzero(c->preamble.ticket, sizeof c->preamble.ticket);
    } else {
        g_strlcpy(prefill.user, front_user(c->front), sizeof prefill.user);
        g_strlcpy(prefill.password, front_password(c->front), sizeof prefill.password);
    }
    say_hello(c, &prefill);
    explicit_bzero(&prefill, sizeof prefill);
}

/* Both have come: ClientInit and a first picture that is worth showing. */
static void open_if_ready(Connection *c)
{
    if (c->state != STATE_OPENING || !screen_known(c->screen) || (c->at_greeter && c->seat_wait))
        return;
    g_clear_handle_id(&c->seat_wait, g_source_remove);
    move_to(c, STATE_RUNNING);
    screen_start(c->screen, c->transport);
    transport_resume(c->transport);
}

static gboolean seat_waited(gpointer data)
{
    Connection *c = data;
    c->seat_wait = 0;
    open_if_ready(c);
    return G_SOURCE_REMOVE;
}

static void take_step(Connection *c, FrontStep step)
{
    flush_front(c);
    switch (step) {
    case FRONT_MORE:
        break;
    case FRONT_START_TLS:
        transport_start_tls(c->transport, c->tls);
        break;
    case FRONT_LOGIN:
        log_in(c);
        break;
    case FRONT_OPEN:
        say_hello(c, &(SeatPrefill){0});
        break;
    case FRONT_FINISHED:
        move_to(c, STATE_OPENING);
        open_if_ready(c);
        break;
    case FRONT_FAILED:
        end(c, front_failure(c->front));
        break;
    }
}

static gsize take_preamble(Connection *c, const guint8 *bytes, gsize length)
{
    WebPreamble *p = &c->preamble;
    if (length < sizeof *p)
        return 0;
    memcpy(p, bytes, sizeof *p);
    if (p->magic != WEB_PREAMBLE_MAGIC || !memchr(p->ticket, 0, sizeof p->ticket) ||
        !memchr(p->address, 0, sizeof p->address) || !memchr(p->xkb_layout, 0, sizeof p->xkb_layout) ||
        p->width > SEAT_WIDTH_MAX || p->height > SEAT_WIDTH_MAX || p->scale > 1000) {
        end(c, "fernwerk-web sent no valid preamble");
        return length;
    }
    log_info("a page from %s", p->address);
    c->view_only = p->view_only_wish != 0;
    c->front = front_new(FRONT_WEB, c->front_out);
    move_to(c, STATE_HANDSHAKE);
    flush_front(c);
    return sizeof *p;
}

static gsize received(Transport *transport, const guint8 *bytes, gsize length, gpointer data)
{
    Connection *c = data;
    const char *wrong;
    gsize used;

    switch (c->state) {
    case STATE_PREAMBLE:
        return take_preamble(c, bytes, length);
    case STATE_HANDSHAKE:
        take_step(c, front_feed(c->front, bytes, length, &used));
        return used;
    case STATE_RUNNING:
        wrong = messages_feed(c->messages, bytes, length);
        if (wrong)
            end(c, wrong);
        return length;
    case STATE_ENDING:
        return length;
    case STATE_IDLE:
    case STATE_OPENING:
        break;
    }
    return 0;
}

static void secured(Transport *transport, gpointer data)
{
    Connection *c = data;
    log_info("%s", transport_security(transport));
    if (c->state == STATE_HANDSHAKE)
        take_step(c, front_secured(c->front));
}

static void ready(Transport *transport, gpointer data)
{
    Connection *c = data;
    if (c->state == STATE_RUNNING)
        screen_ready(c->screen);
}

static void closed(Transport *transport, const char *why, gpointer data)
{
    Connection *c = data;
    if (c->state == STATE_ENDING)
        close_transport(c);
    else
        end(c, why);
}

static const TransportEvents transport_events = {
    .received = received, .secured = secured, .ready = ready, .closed = closed};

static void take_pointer(Connection *c, guint32 rfb_mask, gint x, gint y)
{
    PointerState state = pointer_mask_take(&c->mask, rfb_mask);
    if (c->pointer_absolute)
        viewer_pointer(c->viewer, x, y, state.buttons, state.wheel_vertical, state.wheel_horizontal);
    else
        viewer_motion(c->viewer, x - c->pointer_x, y - c->pointer_y, state.buttons, state.wheel_vertical,
                      state.wheel_horizontal);
    c->pointer_x = x;
    c->pointer_y = y;
}

/* A desktop has a layout of its own and wants keys. The greeter wants what the person's keyboard says, and
 * RFB does not tell its layout. */
static void take_key(Connection *c, guint32 code, guint32 keysym, gboolean pressed)
{
    switch (keys_choose(&c->keys, c->at_greeter, code, &keysym, pressed)) {
    case KEY_AS_CODE:
        viewer_key(c->viewer, code, pressed);
        break;
    case KEY_AS_KEYSYM:
        viewer_keysym(c->viewer, keysym, pressed);
        break;
    case KEY_IGNORED:
        break;
    }
}

static void message(const RfbMessage *m, gpointer data)
{
    Connection *c = data;

    if (c->state != STATE_RUNNING)
        return;
    switch (m->type) {
    case RFB_SET_PIXEL_FORMAT:
        screen_take_format(c->screen, &m->format);
        break;
    case RFB_SET_ENCODINGS:
        if (screen_take_encodings(c->screen, m->encodings.list, m->encodings.count))
            messages_extend_pointer(c->messages);
        break;
    case RFB_UPDATE_REQUEST:
        screen_take_request(c->screen, m->request.incremental, m->request.x, m->request.y, m->request.width,
                            m->request.height);
        break;
    case RFB_ENABLE_CONTINUOUS:
        screen_take_continuous(c->screen, m->continuous.enable);
        break;
    case RFB_FENCE:
        screen_take_fence(c->screen, m->fence.flags, m->fence.payload, m->fence.length);
        break;
    case RFB_SET_DESKTOP_SIZE:
        screen_take_size(c->screen, m->size.width, m->size.height, m->size.screens);
        break;
    case RFB_KEY:
        if (!c->view_only)
            take_key(c, m->key.code, m->key.keysym, m->key.pressed);
        break;
    case RFB_POINTER:
        if (!c->view_only)
            take_pointer(c, m->pointer.mask, (gint)m->pointer.x, (gint)m->pointer.y);
        break;
    default:
        break;
    }
}

static void screen_failed(const char *why, gpointer data)
{
    end(data, why);
}

static void on_client(Viewer *viewer, const LifelineClient *client, int socket, gpointer data)
{
    Connection *c = data;

    g_assert(c->state == STATE_IDLE);
    c->web = client->protocol == CLIENT_WEB;
    screen_set_web(c->screen, c->web);
    if (!c->web) {
        log_info("a viewer from %s", client->address);
        c->front = front_new(FRONT_TCP, c->front_out);
    }
    move_to(c, c->web ? STATE_PREAMBLE : STATE_HANDSHAKE);
    c->transport = transport_new(socket, &transport_events, c);
}

/* What is said when the greeter gave no sentence. */
static const char *refusal(SeatLoginResult result)
{
    switch (result) {
    case SEAT_LOGIN_WAIT:
        return "Too many failed attempts. Try again in a minute.";
    case SEAT_LOGIN_UNAVAILABLE:
        return "The service is not ready. Try again in a moment.";
    case SEAT_LOGIN_OK:
    case SEAT_LOGIN_DENIED:
        break;
    }
    return "The name or the password is wrong.";
}

static void answer_login(Connection *c, SeatLoginResult result, const char *text)
{
    if (c->state != STATE_HANDSHAKE || !c->asked)
        return;
    c->asked = FALSE;
    if (result == SEAT_LOGIN_OK)
        c->seat_wait = g_timeout_add(SEAT_WAIT_MS, seat_waited, c);
    front_verdict(c->front, result == SEAT_LOGIN_OK, *text ? text : refusal(result));
    flush_front(c);
    if (result != SEAT_LOGIN_OK)
        end(c, "not let in");
    else
        transport_resume(c->transport);
}

static void on_login(Viewer *viewer, SeatLoginResult result, const char *user, const char *text,
                     gpointer data)
{
    answer_login(data, result, text);
}

static void on_ended(Viewer *viewer, EndReason reason, const char *text, gpointer data)
{
    Connection *c = data;

    if (c->state == STATE_RUNNING && reason != END_DONE) {
        screen_notice(c->screen, reason, text);
        end_after(c, text, NOTICE_MS);
        return;
    }
    if (c->state == STATE_HANDSHAKE) {
        front_refuse(c->front, text);
        flush_front(c);
    }
    end(c, text);
}

static void on_switched(Viewer *viewer, guint width, guint height, const SeatWelcome *welcome, gpointer data)
{
    Connection *c = data;
    c->at_greeter = welcome->greeter != 0;
    /* Only who has logged in is introduced to a desktop; its picture may overtake the greeter's word. */
    if (!c->at_greeter)
        answer_login(c, SEAT_LOGIN_OK, "");
    screen_switched(c->screen, width, height, welcome);
    open_if_ready(c);
}

static void on_dirty(Viewer *viewer, gpointer data)
{
    screen_dirty(((Connection *)data)->screen);
}

static void on_cursor(Viewer *viewer, const guint8 *pixels, guint width, guint height, guint hot_x,
                      guint hot_y, gpointer data)
{
    screen_cursor(((Connection *)data)->screen, pixels, width, height, hot_x, hot_y);
}

static void on_leds(Viewer *viewer, guint32 mask, gpointer data)
{
    screen_leds(((Connection *)data)->screen, mask);
}

static void on_pointer_mode(Viewer *viewer, gboolean absolute, gpointer data)
{
    ((Connection *)data)->pointer_absolute = absolute;
}

const ViewerEvents connection_viewer_events = {
    .switched = on_switched,
    .dirty = on_dirty,
    .cursor = on_cursor,
    .leds = on_leds,
    .pointer_mode = on_pointer_mode,
    .login = on_login,
    .ended = on_ended,
    .client = on_client,
};

Connection *connection_new(GMainLoop *loop)
{
    Connection *c = g_new0(Connection, 1);
    c->loop = loop;
    c->front_out = g_byte_array_new();
    c->messages = messages_new(message, c);
    c->pointer_absolute = TRUE;
    return c;
}

void connection_equip(Connection *c, Viewer *viewer, TlsServer *tls, Pixels *pixels)
{
    c->viewer = viewer;
    c->tls = tls;
    c->pixels = pixels;
    c->screen = screen_new(viewer, pixels, screen_failed, c);
}
