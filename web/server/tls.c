/* Certificate and key in OpenSSL's terms. */
#include "web/server/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <unistd.h>

#define PEM_BYTES_MAX (256 * 1024)
#define CHAIN_MAX 8

struct TlsIdentity {
    X509 *leaf;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
    GBytes *ca; /* NULL: the certificate was not signed by it */
    char fingerprint[EVP_MAX_MD_SIZE * 3], ca_fingerprint[EVP_MAX_MD_SIZE * 3];
};

static gboolean fail(GError **error, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s%s%s", what, reason ? ": " : "",
                reason ? reason : "");
    ERR_clear_error();
    return FALSE;
}

/* A memory BIO with the descriptor's whole content; NULL when it cannot be read or is too long. */
static BIO *read_all(int fd)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    guint8 buffer[4096];
    gsize total = 0;
    off_t offset = 0;
    ssize_t n;
    /* pread: the master's descriptor may be shared, its position is nobody's. */
    while ((n = pread(fd, buffer, sizeof buffer, offset)) > 0 && (total += (gsize)n) <= PEM_BYTES_MAX) {
        BIO_write(bio, buffer, (int)n);
        offset += n;
    }
    explicit_bzero(buffer, sizeof buffer);
    close(fd);
    if (n != 0 || total == 0)
        g_clear_pointer(&bio, BIO_free);
    return bio;
}

static gboolean load_chain(TlsIdentity *identity, BIO *bio, GError **error)
{
    X509 *certificate;
    if (!bio || !(identity->leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
        return fail(error, "the web certificate is no PEM certificate");
    identity->chain = sk_X509_new_null();
    while (sk_X509_num(identity->chain) < CHAIN_MAX &&
           (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
        sk_X509_push(identity->chain, certificate);
    ERR_clear_error();
    return TRUE;
}

/* text: at least EVP_MAX_MD_SIZE * 3 bytes. */
static void print_fingerprint(const X509 *certificate, char *text)
{
    guint8 digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    X509_digest(certificate, EVP_sha256(), digest, &length);
    for (unsigned int i = 0; i < length; i++)
        g_snprintf(text + 3 * i, 4, i + 1 < length ? "%02X:" : "%02X", digest[i]);
}

static void load_ca(TlsIdentity *identity, BIO *bio)
{
    X509 *ca = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = ca ? X509_get0_pubkey(ca) : NULL;
    if (key && X509_verify(identity->leaf, key) == 1) {
        BIO *pem = BIO_new(BIO_s_mem());
        char *text;
        PEM_write_bio_X509(pem, ca);
        long length = BIO_get_mem_data(pem, &text);
        identity->ca = g_bytes_new(text, (gsize)length);
        BIO_free(pem);
        print_fingerprint(ca, identity->ca_fingerprint);
    }
    X509_free(ca);
    ERR_clear_error();
}

TlsIdentity *tls_identity_load(int chain_fd, int key_fd, int ca_fd, GError **error)
{
    g_autoptr(TlsIdentity) identity = g_new0(TlsIdentity, 1);
    BIO *chain = read_all(chain_fd), *key = read_all(key_fd), *ca = ca_fd >= 0 ? read_all(ca_fd) : NULL;
    gboolean sound = load_chain(identity, chain, error);

    if (sound) {
        identity->key = key ? PEM_read_bio_PrivateKey(key, NULL, NULL, NULL) : NULL;
        if (!identity->key)
            sound = fail(error, "the web server's private key is no PEM key without a passphrase");
        else if (X509_check_private_key(identity->leaf, identity->key) != 1)
            sound = fail(error, "the web server's private key does not belong to its certificate");
    }
    if (sound) {
        load_ca(identity, ca);
        print_fingerprint(identity->leaf, identity->fingerprint);
    }
    BIO_free(chain);
    BIO_free(key);
    BIO_free(ca);
    return sound ? g_steal_pointer(&identity) : NULL;
}

void tls_identity_free(TlsIdentity *identity)
{
    if (!identity)
        return;
    X509_free(identity->leaf);
    sk_X509_pop_free(identity->chain, X509_free);
    EVP_PKEY_free(identity->key);
    g_clear_pointer(&identity->ca, g_bytes_unref);
    g_free(identity);
}

static gboolean give(SSL *ssl, const TlsIdentity *identity)
{
    SSL_certs_clear(ssl);
    return SSL_use_cert_and_key(ssl, identity->leaf, identity->key, identity->chain, 1) == 1;
}

static int choose(SSL *ssl, void *data)
{
    return give(ssl, *(TlsIdentity **)data) ? 1 : 0;
}

static gboolean try_out(const TlsIdentity *identity, SSL_CTX *context, GError **error)
{
    SSL *trial = SSL_new(context);
    gboolean taken = trial && give(trial, identity);
    SSL_free(trial);
    return taken || fail(error, "OpenSSL refuses the web certificate");
}

gboolean tls_identity_serve(TlsIdentity **slot, SSL_CTX *context, GError **error)
{
    if (!try_out(*slot, context, error))
        return FALSE;
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
        return fail(error, "OpenSSL refuses TLS 1.2");
    /* For each handshake anew: a context keeps one certificate for each type of key, and after a change of
     * type it would go on serving the old one beside the new. Each SSL copies the callback's argument when it
     * is made: it must hold for handshakes that began before a change. */
    SSL_CTX_set_cert_cb(context, choose, slot);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    return TRUE;
}

gboolean tls_identity_replace(TlsIdentity **slot, TlsIdentity *identity, SSL_CTX *context, GError **error)
{
    if (!try_out(identity, context, error)) {
        tls_identity_free(identity);
        return FALSE;
    }
    tls_identity_free(*slot);
    *slot = identity;
    return TRUE;
}

const char *tls_identity_fingerprint(const TlsIdentity *identity)
{
    return identity->fingerprint;
}

const char *tls_identity_ca_fingerprint(const TlsIdentity *identity)
{
    return identity->ca ? identity->ca_fingerprint : NULL;
}

GBytes *tls_identity_ca(const TlsIdentity *identity)
{
    return identity->ca;
}
