/* One arrival: its client on one side, the broker on the other, the form in between. */
#include "session/greeter/greeter.h"

#include "base/log.h"
#include "session/greeter/draw.h"
#include "session/greeter/keyboard.h"
#include "session/seat/host.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_WIDTH 1280
#define DEFAULT_HEIGHT 800
#define SPIN_MS 120
#define QUIET_MS 400   /* a login that succeeds sooner shows nothing of us */
#define PREFILL_MS 300 /* what a client brings along comes with its hello */
#define BROKER_QUEUE 16
#define ACTIVITY_US (1 * G_USEC_PER_SEC)
/* What the master adds for typing, and up to when (master_link.h). */
#define EXTEND_US (30 * G_USEC_PER_SEC)
#define EXTEND_MAX_US (600 * G_USEC_PER_SEC)
#define COUNTDOWN_S 15

/* Credentials on their way to the broker, kept until it answers: it may be restarted in between. */
typedef enum { PENDING_NOTHING, PENDING_LOGIN, PENDING_TICKET } Pending;

static struct {
    SeatHost *host;
    PacketLink *broker;
    Painter *painter;
    Keyboard *keyboard;
    Form form;
    Layout layout;
    cairo_surface_t *surface;
    ProcessId client;
    SeatSizeHint size;
    gboolean must_login, known, decided, drawn; /* decided: it is clear what to show */
    Pending pending;
    char ticket[SEAT_SECRET_MAX];
    char wanted[SEAT_NAME_MAX];
    guint buttons, draw_source, spin_source, spin;
    gint64 login_s, began_us, login_by_us, activity_us;
} greeter;

static void update(void);

/* ---- picture ---- */

static void damage(double x, double y, double width, double height)
{
    SeatRect rect = {(guint16)x, (guint16)y, (guint16)width, (guint16)height, SEAT_CLASS_TEXT, 0};
    seat_host_damage(greeter.host, &rect, 1, cairo_image_surface_get_data(greeter.surface),
                     (gsize)cairo_image_surface_get_stride(greeter.surface), 0);
}

static gboolean spin_on(gpointer data)
{
    greeter.spin++;
    if (!seat_host_wants(greeter.host) || greeter.layout.spinner.width <= 0)
        return G_SOURCE_CONTINUE;
    painter_spin(greeter.painter, greeter.surface, &greeter.layout, greeter.spin);
    damage(greeter.layout.spinner.x, greeter.layout.spinner.y, greeter.layout.spinner.width,
           greeter.layout.spinner.height);
    return G_SOURCE_CONTINUE;
}

static gboolean draw(gpointer data)
{
    const Form *form = &greeter.form;
    greeter.draw_source = 0;
    if (!greeter.surface || !greeter.decided || (greeter.must_login && !greeter.known))
        return G_SOURCE_REMOVE;
    gboolean moves = form->screen == SCREEN_WAIT || form->screen == SCREEN_PROGRESS;
    gint64 now = g_get_monotonic_time();
    layout_compute(&greeter.layout, form, greeter.layout.width, greeter.layout.height, greeter.size.scale,
                   now);
    painter_draw(greeter.painter, greeter.surface, &greeter.layout, form, greeter.spin, now);
    damage(0, 0, greeter.layout.width, greeter.layout.height);
    greeter.drawn = TRUE;
    if (moves && !greeter.spin_source)
        greeter.spin_source = g_timeout_add(SPIN_MS, spin_on, NULL);
    else if (!moves)
        g_clear_handle_id(&greeter.spin_source, g_source_remove);
    return G_SOURCE_REMOVE;
}

/* Who brings a password along waits a moment without a picture: drawing would take from the login's time. */
static guint quiet_ms(void)
{
    gint64 left = greeter.began_us + QUIET_MS * 1000 - g_get_monotonic_time();
    return greeter.drawn || greeter.form.screen != SCREEN_WAIT ? 0 : (guint)(MAX(left, 0) / 1000);
}

/* Draws once all that is there to be read has been read, so that no screen flashes by. */
static void update(void)
{
    greeter.form.caps_lock = keyboard_caps_lock(greeter.keyboard);
    g_strlcpy(greeter.form.keyboard, keyboard_name(greeter.keyboard), sizeof greeter.form.keyboard);
    g_clear_handle_id(&greeter.draw_source, g_source_remove);
    greeter.draw_source = g_timeout_add_full(G_PRIORITY_DEFAULT_IDLE, quiet_ms(), draw, NULL, NULL);
}

static void set_pointer(double scale)
{
    guint size;
    g_autofree guint32 *pixels = painter_cursor(scale, &size);
    seat_host_cursor(greeter.host, pixels, size, size, 1, 1);
}

static void resize(guint width, guint height)
{
    g_autoptr(GError) error = NULL;
    layout_clamp(&width, &height);
    if (greeter.surface && greeter.layout.width == width && greeter.layout.height == height) {
        update();
        return;
    }
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS ||
        !seat_host_resize(greeter.host, width, height, &error)) {
        log_error("no memory for a screen of %u x %u: %s", width, height, error ? error->message : "cairo");
        cairo_surface_destroy(surface);
        return;
    }
    g_clear_pointer(&greeter.surface, cairo_surface_destroy);
    greeter.surface = surface;
    layout_compute(&greeter.layout, &greeter.form, width, height, greeter.size.scale, g_get_monotonic_time());
    set_pointer(greeter.layout.scale);
    update();
}

/* ---- broker ---- */

static void tell_broker(void *packet, GreeterPacketType type, gsize size)
{
    GreeterHeader *header = packet;
    header->type = type;
    header->size = (guint16)size;
    if (greeter.broker)
        packet_link_send(greeter.broker, packet, size, NULL, 0);
}

static void send_pending(void)
{
    GreeterScreen screen = {.size = greeter.size};
    if (!greeter.broker || greeter.pending == PENDING_NOTHING)
        return;
    tell_broker(&screen, GREETER_SCREEN, sizeof screen);
    if (greeter.pending == PENDING_TICKET) {
        GreeterTicket ticket = {0};
        g_strlcpy(ticket.ticket, greeter.ticket, sizeof ticket.ticket);
        tell_broker(&ticket, GREETER_TICKET, sizeof ticket);
        explicit_bzero(&ticket, sizeof ticket);
        return;
    }
    GreeterLogin login = {0};
    g_strlcpy(login.user, greeter.form.user.text, sizeof login.user);
    g_strlcpy(login.password, greeter.form.password.text, sizeof login.password);
    g_strlcpy(login.desktop, greeter.wanted, sizeof login.desktop);
    tell_broker(&login, GREETER_LOGIN, sizeof login);
    explicit_bzero(&login, sizeof login);
}

static void sign_in(Pending how)
{
    greeter.pending = how;
    form_signing_in(&greeter.form);
    send_pending();
}

static void send_choice(FormAction action)
{
    GreeterChoose choose = {0};
    GreeterHeader cancel = {0};
    if (action == FORM_CANCEL) {
        tell_broker(&cancel, GREETER_CANCEL, sizeof cancel);
        return;
    }
    g_strlcpy(choose.desktop, greeter.form.desktop, sizeof choose.desktop);
    tell_broker(&choose, GREETER_CHOOSE, sizeof choose);
}

static void act(FormAction action)
{
    if (action == FORM_LOGIN)
        sign_in(PENDING_LOGIN);
    else if (action != FORM_NOTHING)
        send_choice(action);
    update();
}

static gboolean ends(const char *text, gsize size)
{
    return memchr(text, 0, size) != NULL;
}

static void take_result(const GreeterResult *result)
{
    if (greeter.pending == PENDING_NOTHING && result->header.type != GREETER_KNOWN)
        return;
    greeter.pending = PENDING_NOTHING;
    explicit_bzero(greeter.ticket, sizeof greeter.ticket);
    greeter.known = result->result == SEAT_LOGIN_OK;
    greeter.decided = TRUE;
    if (greeter.known)
        greeter.form.seconds_left = -1;
    form_result(&greeter.form, result, g_get_monotonic_time());
    seat_host_login(greeter.host, greeter.client, result->result, result->user, result->text);
}

static void broker_received(PacketLink *link, const void *packet, gsize length, int *descriptors, guint count,
                            gpointer data)
{
    const GreeterHeader *header = packet;
    const GreeterResult *result = packet;
    const GreeterProgress *progress = packet;
    if (length < sizeof *header || header->size != length)
        return;
    if ((header->type == GREETER_RESULT || header->type == GREETER_KNOWN) && length == sizeof *result &&
        ends(result->user, sizeof result->user) && ends(result->text, sizeof result->text)) {
        take_result(result);
    } else if (header->type == GREETER_DESKTOPS && form_desktops_fit(packet, length)) {
        form_desktops(&greeter.form, packet);
        greeter.decided = TRUE;
    } else if (header->type == GREETER_PROGRESS && length == sizeof *progress &&
               ends(progress->desktop, sizeof progress->desktop) &&
               ends(progress->text, sizeof progress->text)) {
        form_progress(&greeter.form, progress);
        greeter.decided = TRUE;
    } else {
        log_warning("a packet of the broker is not understood (%u, %zu bytes)", header->type, length);
    }
    update();
}

static void broker_closed(PacketLink *link, gboolean broken, gpointer data)
{
    g_clear_pointer(&greeter.broker, packet_link_free);
    form_broker(&greeter.form, FALSE);
    update();
}

void greeter_add_broker(int fd)
{
    packet_link_free(greeter.broker);
    greeter.broker =
        packet_link_new(fd, NULL, GREETER_PACKET_MAX, BROKER_QUEUE, broker_received, broker_closed, NULL);
    form_broker(&greeter.form, TRUE);
    send_pending();
    update();
}

/* ---- the client ---- */

/* Someone is there: the master gives him 30 s more, when the broker asks it to. */
static void note_activity(void)
{
    gint64 now = g_get_monotonic_time();
    GreeterHeader header = {0};
    if (greeter.known || now - greeter.activity_us < ACTIVITY_US)
        return;
    greeter.activity_us = now;
    tell_broker(&header, GREETER_ACTIVITY, sizeof header);
    if (greeter.broker)
        greeter.login_by_us =
            MAX(greeter.login_by_us, MIN(now + EXTEND_US, greeter.began_us + EXTEND_MAX_US));
}

static gboolean count_down(gpointer data)
{
    gint64 now = g_get_monotonic_time(), left = (greeter.login_by_us - now) / G_USEC_PER_SEC;
    gint shown = !greeter.known && greeter.login_by_us && left <= COUNTDOWN_S ? (gint)MAX(left, 0) : -1;
    guint retry = form_retry_seconds(&greeter.form, now);
    if (greeter.form.retry_at_us && !retry) {
        greeter.form.retry_at_us = 0;
        *greeter.form.text = '\0';
        update();
    }
    if (shown != greeter.form.seconds_left || retry) {
        greeter.form.seconds_left = shown;
        update();
    }
    return G_SOURCE_CONTINUE;
}

/* A client that brings nothing along, not even an empty prefill, gets the login form all the same. */
static gboolean decide(gpointer data)
{
    if (!greeter.decided) {
        greeter.decided = TRUE;
        form_prefill(&greeter.form, "");
        update();
    }
    return G_SOURCE_REMOVE;
}

static void on_hello(ProcessId peer, const SeatHello *hello, gpointer data)
{
    keyboard_set_layout(greeter.keyboard, hello->xkb_layout, hello->xkb_variant);
    g_timeout_add(PREFILL_MS, decide, NULL);
    if (hello->size.width == 0 || hello->size.height == 0)
        resize(DEFAULT_WIDTH, DEFAULT_HEIGHT);
}

static void on_prefill(ProcessId peer, const SeatPrefill *prefill, gpointer data)
{
    greeter.must_login = prefill->must_login != 0;
    g_strlcpy(greeter.wanted, prefill->desktop, sizeof greeter.wanted);
    if (greeter.known)
        return;
    greeter.decided = TRUE;
    if (*prefill->ticket) {
        g_strlcpy(greeter.ticket, prefill->ticket, sizeof greeter.ticket);
        sign_in(PENDING_TICKET);
    } else {
        form_prefill(&greeter.form, prefill->user);
        if (*prefill->user && *prefill->password) {
            g_strlcpy(greeter.form.password.text, prefill->password, sizeof greeter.form.password.text);
            greeter.form.screen = SCREEN_WAIT;
            sign_in(PENDING_LOGIN);
        } else if (greeter.must_login) {
            seat_host_login(greeter.host, peer, SEAT_LOGIN_DENIED, NULL,
                            "A user name and a password are needed.");
        }
    }
    update();
}

static void on_size(ProcessId peer, guint head, const SeatSizeHint *size, gpointer data)
{
    if (head != 0 || size->width == 0 || size->height == 0)
        return;
    greeter.size = *size;
    resize(size->width, size->height);
}

/* number: any that is the key's own */
static void on_meaning(guint32 number, gboolean pressed, gboolean meant, FormKey key, char *text)
{
    gint64 now = g_get_monotonic_time();
    gboolean repeat = keyboard_repeats(greeter.keyboard, number, pressed, now);
    note_activity();
    act(meant ? form_key(&greeter.form, key, text, repeat, now) : FORM_NOTHING);
    explicit_bzero(text, 16);
}

static void on_key(ProcessId peer, guint code, gboolean pressed, gpointer data)
{
    char text[16] = "";
    FormKey key = FORM_KEY_TEXT;
    gboolean meant = keyboard_code(greeter.keyboard, code, pressed, &key, text);
    on_meaning(code, pressed, meant, key, text);
}

static void on_keysym(ProcessId peer, guint32 keysym, gboolean pressed, gpointer data)
{
    char text[16] = "";
    FormKey key = FORM_KEY_TEXT;
    gboolean meant = keyboard_keysym(greeter.keyboard, keysym, pressed, &key, text);
    on_meaning(keysym | 1u << 31, pressed, meant, key, text);
}

static void on_locks(ProcessId peer, guint mask, gpointer data)
{
    keyboard_set_locks(greeter.keyboard, mask);
    update();
}

static void press_at(gint x, gint y)
{
    guint row;
    FormElement element = layout_hit(&greeter.layout, &greeter.form, x, y, &row);
    note_activity();
    act(form_press(&greeter.form, element, row, g_get_monotonic_time()));
}

static void on_pointer(ProcessId peer, const SeatPointer *pointer, gpointer data)
{
    gboolean pressed = (pointer->buttons & ~greeter.buttons & SEAT_BUTTON_LEFT) != 0;
    greeter.buttons = pointer->buttons;
    if (pressed)
        press_at(pointer->x, pointer->y);
    if (pointer->wheel_vertical && greeter.form.screen == SCREEN_CHOICE)
        act(form_key(&greeter.form, pointer->wheel_vertical > 0 ? FORM_KEY_UP : FORM_KEY_DOWN, NULL, FALSE,
                     0));
}

static void on_touch(ProcessId peer, const SeatTouch *touch, gpointer data)
{
    if (touch->phase == 0 && touch->contact == 0)
        press_at(touch->x, touch->y);
}

/* The client has gone on to its desktop, or for good: either way we are done. */
static void on_left(ProcessId peer, gpointer data)
{
    if (peer == greeter.client)
        greeter_end(END_DONE, NULL);
}

static const SeatHostEvents host_events = {.hello = on_hello,
                                           .prefill = on_prefill,
                                           .size = on_size,
                                           .key = on_key,
                                           .keysym = on_keysym,
                                           .locks = on_locks,
                                           .pointer = on_pointer,
                                           .touch = on_touch,
                                           .left = on_left};

void greeter_prepare(const Config *config)
{
    g_autoptr(GError) error = NULL;
    form_init(&greeter.form);
    greeter.login_s = config_integer(config, "limits.login_s");
    greeter.painter = painter_new();
    greeter.keyboard = keyboard_new();
    greeter.host = seat_host_new(TRUE, &host_events, NULL, &error);
    if (!greeter.host) {
        log_error("%s", error->message);
        exit(1);
    }
}

void greeter_add_client(const LifelineSeatLink *link, int fd)
{
    greeter.client = link->peer;
    greeter.began_us = g_get_monotonic_time();
    greeter.login_by_us = greeter.began_us + greeter.login_s * G_USEC_PER_SEC;
    if (*link->record.user)
        greeter_record(&link->record);
    seat_host_add_client(greeter.host, fd, link->peer, link->rights, &link->record);
    g_timeout_add_seconds(1, count_down, NULL);
}

void greeter_record(const ProcessRecord *record)
{
    if (!*record->user || greeter.known)
        return;
    greeter.known = TRUE;
    greeter.form.seconds_left = -1;
    if (!greeter.decided) { /* his desktop went off: the broker is about to say so */
        greeter.decided = TRUE;
        form_signing_in(&greeter.form);
    }
    update();
}

void greeter_remove_client(ProcessId peer)
{
    seat_host_remove_client(greeter.host, peer, END_REPLACED, NULL);
}

void greeter_end(EndReason reason, const char *text)
{
    form_clear(&greeter.form);
    explicit_bzero(greeter.ticket, sizeof greeter.ticket);
    exit(0);
}
