/* The web server's certificate: loading, giving it to OpenSSL, its fingerprint. */
#pragma once

#include <gio/gio.h>
#include <openssl/ssl.h>

typedef struct TlsIdentity TlsIdentity;

/* Reads certificate chain, private key and the CA's certificate (all PEM, at most 256 KiB each) from
 * descriptors, which are closed. ca may be -1. An error when they cannot be parsed or key and certificate do
 * not belong together. */
TlsIdentity *tls_identity_load(int chain, int key, int ca, GError **error);
void tls_identity_free(TlsIdentity *identity);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsIdentity, tls_identity_free)

/* From now on each handshake takes the identity that is in the slot when the peer's ClientHello is complete;
 * sessions that exist keep theirs. TLS 1.2 is the oldest allowed. Once for a context; the slot is the
 * caller's and must outlive every SSL of the context. An error when OpenSSL refuses the identity. */
gboolean tls_identity_serve(TlsIdentity **slot, SSL_CTX *context, GError **error);
/* Puts another identity, which is taken over, into the slot and frees the one before. When OpenSSL refuses
 * it, an error, and the slot is left as it was. */
gboolean tls_identity_replace(TlsIdentity **slot, TlsIdentity *identity, SSL_CTX *context, GError **error);

/* SHA-256 of the leaf certificate, "AB:CD:..."; static in the identity. */
const char *tls_identity_fingerprint(const TlsIdentity *identity);
/* The same of the CA's certificate; NULL without tls_identity_ca(). */
const char *tls_identity_ca_fingerprint(const TlsIdentity *identity);
/* The CA's certificate as PEM when it is the one that signed ours, else NULL. Borrowed. */
GBytes *tls_identity_ca(const TlsIdentity *identity);
