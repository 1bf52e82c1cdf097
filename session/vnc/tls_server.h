/* The server's certificate and key. */
#pragma once

#include <gio/gio.h>
#include <openssl/ssl.h>

typedef struct TlsServer TlsServer;
struct TlsServer {
    SSL_CTX *context;
};

/* Reads PEM (certificate chain, private key) from two descriptors (borrowed). NULL with error set. */
TlsServer *tls_server_new(int certificate, int key, GError **error);
/* Shakes hands with itself in memory, so that all that OpenSSL loads late is loaded. FALSE with error set. */
gboolean tls_server_rehearse(TlsServer *server, GError **error);
void tls_server_free(TlsServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsServer, tls_server_free)
