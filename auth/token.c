/* Tokens: random bits, a prefix for each kind, BLAKE2b for storage. */
#include "auth/token.h"

#include <sodium.h>
#include <string.h>

#define SECRET_SIZE 32
#define SECRET_TEXT 43 /* characters of base64url for 32 bytes, unpadded */

static const char *prefix_of(TokenKind kind)
{
    return kind == TOKEN_TICKET ? "fw1." : "fws1_";
}

/* The kind is part of what is hashed, so that one can never stand for the other. */
static void hash_secret(TokenKind kind, const guint8 secret[SECRET_SIZE], guint8 hash[TOKEN_HASH_SIZE])
{
    const char *context = kind == TOKEN_TICKET ? "fernwerk ticket v1" : "fernwerk session v1";
    crypto_generichash(hash, TOKEN_HASH_SIZE, secret, SECRET_SIZE, (const guint8 *)context, strlen(context));
}

void token_make(TokenKind kind, char text[TOKEN_TEXT_SIZE], guint8 hash[TOKEN_HASH_SIZE])
{
    guint8 secret[SECRET_SIZE];
    g_assert(sodium_init() >= 0);
    randombytes_buf(secret, sizeof secret);
    gsize used = g_strlcpy(text, prefix_of(kind), TOKEN_TEXT_SIZE);
    g_assert(sodium_bin2base64(text + used, TOKEN_TEXT_SIZE - used, secret, sizeof secret,
                               sodium_base64_VARIANT_URLSAFE_NO_PADDING));
    hash_secret(kind, secret, hash);
    sodium_memzero(secret, sizeof secret);
}

gboolean token_parse(TokenKind kind, const char *text, gsize length, guint8 hash[TOKEN_HASH_SIZE])
{
    const char *prefix = prefix_of(kind);
    gsize prefix_length = strlen(prefix);
    if (length != prefix_length + SECRET_TEXT || memcmp(text, prefix, prefix_length) != 0)
        return FALSE;

    guint8 secret[SECRET_SIZE];
    char canonical[SECRET_TEXT + 1];
    gsize decoded = 0;
    const char *end = NULL;
    const char *body = text + prefix_length;
    gboolean good = sodium_base642bin(secret, sizeof secret, body, SECRET_TEXT, NULL, &decoded, &end,
                                      sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
                    decoded == SECRET_SIZE && end == body + SECRET_TEXT;
    if (good) {
        /* The last character carries two bits too many: only one spelling of a token may be a token. */
        sodium_bin2base64(canonical, sizeof canonical, secret, sizeof secret,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        good = sodium_memcmp(canonical, body, SECRET_TEXT) == 0;
    }
    if (good)
        hash_secret(kind, secret, hash);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(canonical, sizeof canonical);
    return good;
}

gboolean token_equal(const guint8 a[TOKEN_HASH_SIZE], const guint8 b[TOKEN_HASH_SIZE])
{
    return sodium_memcmp(a, b, TOKEN_HASH_SIZE) == 0;
}
