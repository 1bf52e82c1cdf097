/* The client's socket in the main loop, plain or with TLS: bytes in as they come, bytes out from one queue
 * that its user keeps short by asking transport_ready() first. Never blocks. Beside tls_server.c the only
 * place that includes OpenSSL. */
#pragma once

#include <gio/gio.h>

/* The server's certificate and key, see tls_server.h. */
typedef struct TlsServer TlsServer;

typedef struct Transport Transport;

/* All from the main loop; none is called after transport_close(). */
typedef struct {
    /* Bytes have come. Returns how many were taken; what is left (16 KiB at most) comes again with more, or
     * after transport_resume(). */
    gsize (*received)(Transport *transport, const guint8 *bytes, gsize length, gpointer data);
    /* TLS is up. */
    void (*secured)(Transport *transport, gpointer data);
    /* The socket takes bytes again, after transport_ready() had said no. */
    void (*ready)(Transport *transport, gpointer data);
    /* The peer is gone, or TLS failed; why is a static text. Once. */
    void (*closed)(Transport *transport, const char *why, gpointer data);
} TransportEvents;

/* Takes `fd` over. */
Transport *transport_new(int fd, const TransportEvents *events, gpointer data);

/* From now on TLS (at least 1.2) as the server; what was queued before still goes out plain. `server` must
 * live as long as the transport. Called from within received(). */
void transport_start_tls(Transport *transport, TlsServer *server);

/* received() can take again what it left. */
void transport_resume(Transport *transport);

/* Queues bytes and sends what the socket takes at once. While more than 256 KiB written so wait, nothing is
 * read from the client: whoever does not read his answers gets to ask no more. */
void transport_write(Transport *transport, const guint8 *bytes, gsize length);

/* The same for a large array, which is taken over. */
void transport_take(Transport *transport, GByteArray *bytes);

/* TRUE: nothing waits here and the socket takes more: the moment to make a new picture. FALSE: ready() will
 * tell. */
gboolean transport_ready(Transport *transport);

/* Bytes that the peer's kernel has not taken yet (queue and SIOCOUTQ). */
gsize transport_unsent(const Transport *transport);

/* Flushes for at most `linger_ms`, says goodbye and closes; then `done` is called (from the main loop). */
void transport_close(Transport *transport, guint linger_ms, void (*done)(gpointer data), gpointer data);

/* A short name of the TLS version and cipher for the log, "plain" without; static. */
const char *transport_security(const Transport *transport);
