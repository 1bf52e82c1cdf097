/* The server's certificate and key for OpenSSL, read from descriptors. */
#include "session/vnc/tls_server.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <unistd.h>

#define PEM_MAX (64 * 1024)
#define REHEARSAL_STEPS 8

static gboolean set_tls_error(GError **error, const char *what)
{
    char text[160] = "";
    unsigned long code = ERR_get_error();
    if (code)
        ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", what, *text ? text : "no reason given");
    return FALSE;
}

/* The PEM text behind a descriptor, whatever its offset is. */
static BIO *read_pem(int fd, char *buffer)
{
    gsize length = 0;
    while (length < PEM_MAX) {
        ssize_t n = pread(fd, buffer + length, PEM_MAX - length, (off_t)length);
        if (n <= 0)
            break;
        length += (gsize)n;
    }
    return BIO_new_mem_buf(buffer, (int)length);
}

static gboolean load_certificate(SSL_CTX *context, BIO *pem, GError **error)
{
    X509 *leaf = PEM_read_bio_X509(pem, NULL, NULL, NULL);
    if (!leaf || SSL_CTX_use_certificate(context, leaf) != 1) {
        X509_free(leaf);
        return set_tls_error(error, "the certificate cannot be used");
    }
    X509_free(leaf);
    for (;;) {
        X509 *next = PEM_read_bio_X509(pem, NULL, NULL, NULL);
        if (!next)
            break;
        if (SSL_CTX_add0_chain_cert(context, next) != 1) {
            X509_free(next);
            return set_tls_error(error, "the certificate chain cannot be used");
        }
    }
    ERR_clear_error(); /* the end of the PEM text is reported as an error */
    return TRUE;
}

static gboolean load_key(SSL_CTX *context, BIO *pem, GError **error)
{
    EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, NULL, NULL);
    gboolean ok = key && SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;
    EVP_PKEY_free(key);
    return ok || set_tls_error(error, "the private key cannot be used");
}

TlsServer *tls_server_new(int certificate, int key, GError **error)
{
    g_autoptr(TlsServer) server = g_new0(TlsServer, 1);
    g_autofree char *buffer = g_malloc(PEM_MAX);

    server->context = SSL_CTX_new(TLS_server_method());
    if (!server->context) {
        set_tls_error(error, "no TLS context");
        return NULL;
    }
    SSL_CTX_set_min_proto_version(server->context, TLS1_2_VERSION);
    SSL_CTX_set_options(server->context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                             SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(server->context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(server->context, 0);
    SSL_CTX_set_mode(server->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                          SSL_MODE_RELEASE_BUFFERS);
    BIO *pem = read_pem(certificate, buffer);
    gboolean ok = load_certificate(server->context, pem, error);
    BIO_free(pem);
    if (!ok)
        return NULL;
    pem = read_pem(key, buffer);
    ok = load_key(server->context, pem, error);
    BIO_free(pem);
    explicit_bzero(buffer, PEM_MAX);
    return ok ? g_steal_pointer(&server) : NULL;
}

void tls_server_free(TlsServer *server)
{
    if (server)
        SSL_CTX_free(server->context);
    g_free(server);
}

/* One step of a handshake in memory; TRUE when that side has finished. */
static gboolean rehearse_step(SSL *ssl)
{
    int result = SSL_do_handshake(ssl);
    ERR_clear_error();
    return result == 1;
}

gboolean tls_server_rehearse(TlsServer *server, GError **error)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *us = SSL_new(server->context), *them = SSL_new(context);
    BIO *one = NULL, *other = NULL;
    gboolean done = FALSE;

    if (us && them && BIO_new_bio_pair(&one, 0, &other, 0) == 1) {
        SSL_set_bio(us, one, one);
        SSL_set_bio(them, other, other);
        SSL_set_accept_state(us);
        SSL_set_connect_state(them);
        for (guint step = 0; step < REHEARSAL_STEPS && !done; step++) {
            gboolean they_are = rehearse_step(them);
            done = rehearse_step(us) && they_are;
        }
    }
    SSL_free(us);
    SSL_free(them);
    SSL_CTX_free(context);
    return done || set_tls_error(error, "the handshake with itself did not end");
}
