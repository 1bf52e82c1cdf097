/* The client's socket against a peer that does not read. */
#include "session/vnc/transport.h"
#include "tests/unit/suite.h"

#include <sys/socket.h>
#include <unistd.h>

#define ANSWER 1542 /* bytes for each byte that was asked: a colour map */

static Transport *transport;
static int peer;
static gsize taken;
static const char *over;

static gsize received(Transport *t, const guint8 *bytes, gsize length, gpointer data)
{
    static const guint8 answer[ANSWER];
    for (gsize i = 0; i < length; i++)
        transport_write(t, answer, sizeof answer);
    taken += length;
    return length;
}

static void secured(Transport *t, gpointer data)
{
}

static void ready(Transport *t, gpointer data)
{
}

static void closed(Transport *t, const char *why, gpointer data)
{
    over = why;
}

static const TransportEvents events = {
    .received = received, .secured = secured, .ready = ready, .closed = closed};

static void turn(void)
{
    for (guint i = 0; i < 100 && g_main_context_iteration(NULL, FALSE); i++)
        ;
}

static void setup(void)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    peer = ends[1];
    taken = 0;
    over = NULL;
    transport = transport_new(ends[0], &events, NULL);
}

static void gone(gpointer data)
{
    *(gboolean *)data = TRUE;
}

static void teardown(void)
{
    gboolean done = FALSE;
    close(peer);
    transport_close(transport, 0, gone, &done);
    while (!done)
        g_main_context_iteration(NULL, TRUE);
}

/* Asks `count` times, a byte each. */
static void ask(gsize count)
{
    static const guint8 questions[1024];
    while (count > 0) {
        ssize_t n = send(peer, questions, MIN(count, sizeof questions), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n <= 0)
            return;
        count -= (gsize)n;
        turn();
    }
}

START_TEST(a_client_that_does_not_read_is_not_read_any_longer)
{
    ask(1 << 20);
    ck_assert_uint_lt(taken, 4096);
    ck_assert_uint_lt(transport_unsent(transport), 4 << 20);
    ck_assert_ptr_null(over);
}
END_TEST

START_TEST(once_it_reads_again_everything_is_answered)
{
    static guint8 bytes[65536];
    gsize got = 0, asked = 2000;
    ask(asked);
    ck_assert_uint_lt(taken, asked);
    for (guint idle = 0; idle < 1000 && got < asked * ANSWER; idle++) {
        ssize_t n = recv(peer, bytes, sizeof bytes, MSG_DONTWAIT);
        if (n > 0) {
            got += (gsize)n;
            idle = 0;
        }
        turn();
    }
    ck_assert_uint_eq(taken, asked);
    ck_assert_uint_eq(got, asked * ANSWER);
}
END_TEST

START_TEST(a_large_picture_that_waits_keeps_no_input_out)
{
    GByteArray *picture = g_byte_array_new();
    g_byte_array_set_size(picture, 8 << 20);
    transport_take(transport, picture);
    ask(10);
    ck_assert_uint_eq(taken, 10);
}
END_TEST

START_TEST(a_client_that_goes_while_nothing_is_read_is_noticed)
{
    ask(1 << 20);
    close(peer);
    turn();
    ck_assert_ptr_nonnull(over);
    peer = -1;
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("vnc transport");
    tcase_set_timeout(cases, 60); /* slow machines */
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_client_that_does_not_read_is_not_read_any_longer);
    tcase_add_test(cases, once_it_reads_again_everything_is_answered);
    tcase_add_test(cases, a_large_picture_that_waits_keeps_no_input_out);
    tcase_add_test(cases, a_client_that_goes_while_nothing_is_read_is_noticed);
    return suite_run("vnc transport", cases);
}
