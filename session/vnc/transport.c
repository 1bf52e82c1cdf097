/* Socket, TLS and output queue. */
#include "session/vnc/transport.h"

#include "session/vnc/tls_server.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE 16384
#define READS_A_TURN 8             /* so that a chatty client cannot keep the loop to itself */
#define UNTAKEN_MAX READ_SIZE      /* bytes that received() may leave */
#define TCP_UNSENT_LOW (32 * 1024) /* bytes that may wait in the kernel before the socket counts as full */
/* Answers to a client that does not read: beyond the first nothing more is read from it, beyond the second it
 * is given up. Pictures do not count: one at most waits, and while it does input must be read. */
#define ANSWERS_MAX (256 * 1024)
#define ANSWERS_LIMIT (16 * 1024 * 1024)

struct Transport {
    int fd;
    const TransportEvents *events;
    gpointer data;
    SSL *ssl;
    gboolean secured;
    gboolean tls_wants_write; /* the handshake or a read waits for room */
    GByteArray *in;           /* what received() did not take */
    GByteArray *out;          /* what the socket did not take */
    gsize out_sent;
    gsize answers; /* bytes of transport_write() since the queue was empty last */
    gboolean ready_wanted, reported, closing, said_goodbye, delivering;
    GSource *source;
    GIOCondition watched;
    guint linger;
    void (*done)(gpointer data);
    gpointer done_data;
};

static gboolean on_socket(gint fd, GIOCondition condition, gpointer data);

static gboolean answers_wait(const Transport *t)
{
    return t->answers > ANSWERS_MAX && !t->closing;
}

static void watch(Transport *t)
{
    GIOCondition wanted = 0;
    if (t->fd >= 0 && !t->reported) {
        gboolean waiting = t->out->len > t->out_sent || t->tls_wants_write || t->ready_wanted;
        wanted = (answers_wait(t) ? 0 : G_IO_IN) | (waiting ? G_IO_OUT : 0);
    }
    if (t->source && wanted == t->watched)
        return;
    if (t->source) {
        g_source_destroy(t->source);
        g_clear_pointer(&t->source, g_source_unref);
    }
    t->watched = wanted;
    if (wanted == 0)
        return;
    t->source = g_unix_fd_source_new(t->fd, wanted);
    g_source_set_callback(t->source, G_SOURCE_FUNC(on_socket), t, NULL);
    g_source_set_can_recurse(t->source, TRUE); /* as in base/packet.c */
    g_source_attach(t->source, NULL);
}

static void finish(Transport *t)
{
    if (t->linger)
        g_clear_handle_id(&t->linger, g_source_remove);
    g_clear_pointer(&t->ssl, SSL_free);
    if (t->fd >= 0) {
        close(t->fd);
        t->fd = -1;
    }
    watch(t);
    if (t->done) {
        void (*done)(gpointer) = t->done;
        t->done = NULL;
        done(t->done_data);
    }
}

static void fail(Transport *t, const char *why)
{
    if (t->reported)
        return;
    t->reported = TRUE;
    watch(t);
    if (t->closing)
        finish(t);
    else
        t->events->closed(t, why, t->data);
}

Transport *transport_new(int fd, const TransportEvents *events, gpointer data)
{
    Transport *t = g_new0(Transport, 1);
    int one = 1, low = TCP_UNSENT_LOW;

    t->fd = fd;
    t->events = events;
    t->data = data;
    t->in = g_byte_array_new();
    t->out = g_byte_array_new();
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    /* Both fail on fernwerk-web's socketpair, which needs neither. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low, sizeof low);
    watch(t);
    return t;
}

/* Sends some bytes: > 0 sent, 0 would block, < 0 broken. */
static gssize send_some(Transport *t, const guint8 *bytes, gsize length)
{
    if (!t->ssl) {
        ssize_t n;
        do {
            n = send(t->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        } while (n < 0 && errno == EINTR);
        return n > 0 ? n : n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : -1;
    }
    if (!t->secured)
        return 0;
    size_t sent = 0;
    ERR_clear_error();
    if (SSL_write_ex(t->ssl, bytes, length, &sent) == 1)
        return (gssize)sent;
    int error = SSL_get_error(t->ssl, 0);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static gboolean flush(Transport *t)
{
    while (t->out->len > t->out_sent) {
        gssize n = send_some(t, t->out->data + t->out_sent, t->out->len - t->out_sent);
        if (n < 0)
            return FALSE;
        if (n == 0)
            return TRUE;
        t->out_sent += (gsize)n;
    }
    if (t->out_sent > 0) {
        /* A large picture's memory is given back. */
        g_byte_array_unref(t->out);
        t->out = g_byte_array_new();
        t->out_sent = 0;
        t->answers = 0;
    }
    return TRUE;
}

/* Receives some bytes: > 0 got, 0 would block, < 0 end or broken. */
static gssize receive_some(Transport *t, guint8 *bytes, gsize capacity)
{
    if (!t->ssl) {
        ssize_t n;
        do {
            n = recv(t->fd, bytes, capacity, MSG_DONTWAIT);
        } while (n < 0 && errno == EINTR);
        return n > 0 ? n : n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : -1;
    }
    size_t got = 0;
    ERR_clear_error();
    if (SSL_read_ex(t->ssl, bytes, capacity, &got) == 1)
        return (gssize)got;
    int error = SSL_get_error(t->ssl, 0);
    t->tls_wants_write = error == SSL_ERROR_WANT_WRITE;
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

/* Gives what has come to the user; FALSE: too much was left. */
static gboolean deliver(Transport *t)
{
    if (t->delivering)
        return TRUE;
    t->delivering = TRUE;
    while (t->in->len > 0 && !t->closing) {
        SSL *before = t->ssl;
        gsize taken = t->events->received(t, t->in->data, t->in->len, t->data);
        if (taken > 0)
            g_byte_array_remove_range(t->in, 0, (guint)taken);
        if (taken == 0 || t->ssl != before)
            break;
    }
    t->delivering = FALSE;
    return t->in->len <= UNTAKEN_MAX;
}

static const char *read_all(Transport *t)
{
    guint8 bytes[READ_SIZE];
    for (guint turn = 0; turn < READS_A_TURN && !t->closing && !answers_wait(t); turn++) {
        gboolean plain = !t->ssl;
        gssize n = receive_some(t, bytes, sizeof bytes);
        if (n < 0)
            return "the client has closed the connection";
        if (n == 0)
            return NULL;
        g_byte_array_append(t->in, bytes, (guint)n);
        if (!deliver(t))
            return "the client sends more than it may";
        if (t->answers > ANSWERS_LIMIT)
            return "the client does not read its answers";
        /* What came ahead of TLS was not protected, so it must not count as if it were. */
        if (plain && t->ssl)
            return t->in->len > 0 ? "the client sent bytes ahead of TLS" : NULL;
    }
    return NULL;
}

static const char *shake_hands(Transport *t)
{
    ERR_clear_error();
    int result = SSL_accept(t->ssl);
    t->tls_wants_write = FALSE;
    if (result == 1) {
        t->secured = TRUE;
        t->events->secured(t, t->data);
        return NULL;
    }
    int error = SSL_get_error(t->ssl, result);
    t->tls_wants_write = error == SSL_ERROR_WANT_WRITE;
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return NULL;
    return "the TLS handshake failed";
}

/* Everything was written: says so, then waits for the peer's end, lest unread input turn the close into a
 * reset that overtakes the last words. */
static void close_politely(Transport *t)
{
    guint8 trash[4096];
    ssize_t n;

    if (t->out->len > t->out_sent)
        return;
    if (!t->said_goodbye) {
        t->said_goodbye = TRUE;
        if (t->ssl && t->secured)
            SSL_shutdown(t->ssl);
        shutdown(t->fd, SHUT_WR);
    }
    n = recv(t->fd, trash, sizeof trash, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        finish(t);
}

static gboolean on_socket(gint fd, GIOCondition condition, gpointer data)
{
    Transport *t = data;
    const char *why = NULL;

    if (t->closing) {
        if (flush(t))
            close_politely(t);
        else
            finish(t);
        watch(t);
        return G_SOURCE_CONTINUE;
    }
    if (!flush(t))
        why = "the connection broke";
    if (!why && t->ssl && !t->secured)
        why = shake_hands(t);
    if (!why && (!t->ssl || t->secured) && !t->closing)
        why = read_all(t);
    if (!why && !flush(t))
        why = "the connection broke";
    if (why) {
        fail(t, why);
        return G_SOURCE_CONTINUE;
    }
    if (t->ready_wanted && (condition & G_IO_OUT) && t->out->len == t->out_sent && !t->closing) {
        t->ready_wanted = FALSE;
        t->events->ready(t, t->data);
    }
    watch(t);
    return G_SOURCE_CONTINUE;
}

void transport_start_tls(Transport *t, TlsServer *server)
{
    g_return_if_fail(!t->ssl);
    if (!flush(t) || t->out->len > t->out_sent)
        return; /* a few bytes that a fresh socket does not take: it is broken, reading will tell */
    t->ssl = SSL_new(server->context);
    SSL_set_fd(t->ssl, t->fd);
    SSL_set_accept_state(t->ssl);
}

void transport_resume(Transport *t)
{
    if (!t->closing && !t->reported && !deliver(t))
        fail(t, "the client sends more than it may");
}

void transport_write(Transport *t, const guint8 *bytes, gsize length)
{
    if (t->fd < 0 || t->reported || length == 0)
        return;
    gsize sent = 0;
    while (t->out->len == t->out_sent && sent < length) {
        gssize n = send_some(t, bytes + sent, length - sent);
        if (n <= 0)
            break; /* broken: the loop will see it too, and tell */
        sent += (gsize)n;
    }
    g_byte_array_append(t->out, bytes + sent, (guint)(length - sent));
    t->answers = t->out->len > t->out_sent ? t->answers + length - sent : 0;
    watch(t);
}

void transport_take(Transport *t, GByteArray *bytes)
{
    if (t->fd < 0 || t->reported || t->out->len > t->out_sent) {
        transport_write(t, bytes->data, bytes->len);
        g_byte_array_unref(bytes);
        return;
    }
    g_byte_array_unref(t->out);
    t->out = bytes;
    t->out_sent = 0;
    flush(t); /* broken: the loop will see it too, and tell */
    watch(t);
}

gboolean transport_ready(Transport *t)
{
    struct pollfd poll_fd = {.fd = t->fd, .events = POLLOUT};
    if (t->fd < 0 || t->reported || t->closing)
        return FALSE;
    if (t->out->len == t->out_sent && poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLOUT))
        return TRUE;
    t->ready_wanted = TRUE;
    watch(t);
    return FALSE;
}

gsize transport_unsent(const Transport *t)
{
    int queued = 0;
    if (t->fd >= 0)
        ioctl(t->fd, SIOCOUTQ, &queued);
    return t->out->len - t->out_sent + (gsize)queued;
}

static gboolean close_soon(gpointer data)
{
    Transport *t = data;
    if (t->fd >= 0) {
        close_politely(t);
        watch(t);
    }
    return G_SOURCE_REMOVE;
}

static gboolean lingered(gpointer data)
{
    Transport *t = data;
    t->linger = 0;
    finish(t);
    return G_SOURCE_REMOVE;
}

void transport_close(Transport *t, guint linger_ms, void (*done)(gpointer data), gpointer data)
{
    if (t->closing)
        return;
    t->closing = TRUE;
    t->done = done;
    t->done_data = data;
    t->ready_wanted = FALSE;
    /* Always later: the caller may stand inside one of our callbacks. */
    t->linger = g_timeout_add(t->reported ? 0 : linger_ms, lingered, t);
    if (!t->reported && flush(t))
        g_idle_add(close_soon, t);
    watch(t);
}

const char *transport_security(const Transport *t)
{
    static char text[96];
    if (!t->ssl || !t->secured)
        return "plain";
    g_snprintf(text, sizeof text, "%s %s", SSL_get_version(t->ssl), SSL_get_cipher_name(t->ssl));
    return text;
}
