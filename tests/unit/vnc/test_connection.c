/* The order in which a login's parts come: verdict, the desktop's picture, ClientInit. Transport, screen and
 * viewer are replaced by ones that note what they are told; the file under test is compiled in. */
#include "session/vnc/connection.c"
#include "tests/unit/suite.h"

#define HANDSHAKE                                                                                            \
    "RFB 003.008\n"                                                                                          \
    "\023\000\002\000\000\001\006"
#define CREDENTIALS "\000\000\000\001\000\000\000\001ab"
#define LET_IN "\000\000\000\000"

static Connection *connection;
static struct {
    GByteArray *out;
    guint hellos, started, resumed;
    gboolean closing, known, must_login;
} saw;

/* ---- the parts around it ---- */

Transport *transport_new(int fd, const TransportEvents *events, gpointer data)
{
    return (Transport *)&saw;
}

void transport_start_tls(Transport *transport, TlsServer *server)
{
}

void transport_resume(Transport *transport)
{
    saw.resumed++;
}

void transport_write(Transport *transport, const guint8 *bytes, gsize length)
{
    g_byte_array_append(saw.out, bytes, (guint)length);
}

void transport_close(Transport *transport, guint linger_ms, void (*done)(gpointer data), gpointer data)
{
    saw.closing = TRUE;
}

const char *transport_security(const Transport *transport)
{
    return "TLS";
}

void viewer_hello(Viewer *viewer, const SeatHello *hello, const SeatPrefill *prefill)
{
    saw.hellos++;
    saw.must_login = prefill->must_login != 0;
}

void viewer_key(Viewer *viewer, guint32 code, gboolean pressed)
{
}

void viewer_keysym(Viewer *viewer, guint32 keysym, gboolean pressed)
{
}

void viewer_pointer(Viewer *viewer, gint x, gint y, guint32 buttons, gint vertical, gint horizontal)
{
}

void viewer_motion(Viewer *viewer, gint dx, gint dy, guint32 buttons, gint vertical, gint horizontal)
{
}

Screen *screen_new(Viewer *viewer, Pixels *pixels, ScreenFailed failed, gpointer data)
{
    return NULL;
}

gboolean screen_known(const Screen *screen)
{
    return saw.known;
}

void screen_switched(Screen *screen, guint width, guint height, const SeatWelcome *welcome)
{
    saw.known = TRUE;
}

void screen_start(Screen *screen, Transport *transport)
{
    saw.started++;
}

gboolean screen_take_encodings(Screen *screen, const gint32 *list, guint count)
{
    return FALSE;
}

#define DOES_NOTHING(NAME, ...)                                                                              \
    void NAME(Screen *screen, ##__VA_ARGS__)                                                                 \
    {                                                                                                        \
    }
DOES_NOTHING(screen_set_web, gboolean web)
DOES_NOTHING(screen_dirty)
DOES_NOTHING(screen_cursor, const guint8 *pixels, guint width, guint height, guint hot_x, guint hot_y)
DOES_NOTHING(screen_leds, guint32 mask)
DOES_NOTHING(screen_take_format, const RfbPixelFormat *format)
DOES_NOTHING(screen_take_request, gboolean incremental, guint x, guint y, guint width, guint height)
DOES_NOTHING(screen_take_continuous, gboolean enable)
DOES_NOTHING(screen_take_fence, guint32 flags, const guint8 *payload, guint length)
DOES_NOTHING(screen_take_size, guint width, guint height, guint screens)
DOES_NOTHING(screen_ready)
DOES_NOTHING(screen_notice, EndReason reason, const char *text)

void screen_log(const Screen *screen)
{
}

/* ---- the test ---- */

static void setup(void)
{
    LifelineClient client = {.protocol = CLIENT_VNC, .address = "192.0.2.1"};
    memset(&saw, 0, sizeof saw);
    saw.out = g_byte_array_new();
    connection = connection_new(NULL);
    on_client(NULL, &client, -1, connection);
}

static void teardown(void)
{
    g_clear_handle_id(&connection->seat_wait, g_source_remove);
    front_free(connection->front);
    messages_free(connection->messages);
    g_byte_array_unref(connection->front_out);
    g_byte_array_unref(saw.out);
    g_free(connection);
}

static void feed(const char *bytes, gsize length)
{
    while (length > 0) {
        gsize used = received(NULL, (const guint8 *)bytes, length, connection);
        ck_assert_uint_gt(used, 0);
        bytes += used;
        length -= used;
    }
}
#define FEED(TEXT) feed(TEXT, sizeof(TEXT) - 1)

static void ask_to_log_in(void)
{
    FEED(HANDSHAKE);
    secured(NULL, connection);
    FEED(CREDENTIALS);
    ck_assert_uint_eq(saw.hellos, 1);
    ck_assert(saw.must_login);
    g_byte_array_set_size(saw.out, 0);
}

static void shows(gboolean greeter)
{
    SeatWelcome welcome = {.greeter = greeter};
    on_switched(NULL, 800, 600, &welcome, connection);
}

static void let_in_once(void)
{
    ck_assert_uint_eq(saw.out->len, sizeof LET_IN - 1);
    ck_assert_mem_eq(saw.out->data, LET_IN, saw.out->len);
}

START_TEST(the_desktop_s_picture_lets_in_whoever_it_comes_for)
{
    ask_to_log_in();
    shows(FALSE);
    let_in_once();
    on_login(NULL, SEAT_LOGIN_OK, "a", "", connection);
    let_in_once();
    ck_assert_uint_eq(saw.started, 0);
    FEED("\001");
    ck_assert_uint_eq(saw.started, 1);
}
END_TEST

START_TEST(the_greeter_s_picture_lets_nobody_in)
{
    ask_to_log_in();
    shows(TRUE);
    ck_assert_uint_eq(saw.out->len, 0);
    on_login(NULL, SEAT_LOGIN_DENIED, "", "", connection);
    ck_assert_uint_gt(saw.out->len, 8);
    ck_assert_mem_eq(saw.out->data, "\000\000\000\001", 4);
    ck_assert(saw.closing);
    shows(FALSE);
    ck_assert_uint_eq(saw.started, 0);
}
END_TEST

START_TEST(who_is_let_in_sees_no_greeter_while_the_desktop_may_still_come)
{
    ask_to_log_in();
    shows(TRUE);
    on_login(NULL, SEAT_LOGIN_OK, "a", "", connection);
    let_in_once();
    FEED("\001");
    ck_assert_uint_eq(saw.started, 0);
    shows(FALSE);
    ck_assert_uint_eq(saw.started, 1);
    ck_assert_uint_eq(connection->seat_wait, 0);
}
END_TEST

START_TEST(a_desktop_that_takes_its_time_is_awaited_at_the_greeter)
{
    ask_to_log_in();
    shows(TRUE);
    on_login(NULL, SEAT_LOGIN_OK, "a", "", connection);
    FEED("\001");
    ck_assert_uint_ne(connection->seat_wait, 0);
    while (saw.started == 0)
        g_main_context_iteration(NULL, TRUE);
    ck_assert_uint_eq(saw.started, 1);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("vnc connection");
    tcase_set_timeout(tcase, 60); /* slow machines */
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_desktop_s_picture_lets_in_whoever_it_comes_for);
    tcase_add_test(tcase, the_greeter_s_picture_lets_nobody_in);
    tcase_add_test(tcase, who_is_let_in_sees_no_greeter_while_the_desktop_may_still_come);
    tcase_add_test(tcase, a_desktop_that_takes_its_time_is_awaited_at_the_greeter);
    return suite_run("vnc connection", tcase);
}
