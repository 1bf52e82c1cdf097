/* One-time tickets and web session handles: 256 random bits as text, kept only as a hash. How long they are
 * good and for what is the store's business. */
#pragma once

#include <glib.h>

typedef enum {
    TOKEN_TICKET,  /* "fw1." and 43 characters of base64url */
    TOKEN_SESSION, /* "fws1_" and 43 characters of base64url */
} TokenKind;

#define TOKEN_TEXT_SIZE 64 /* bytes that hold any token's text with its NUL */
#define TOKEN_HASH_SIZE 32

/* Makes a token: its text, which is a secret (scrub it after use), and the hash to be stored. Any thread. */
void token_make(TokenKind kind, char text[TOKEN_TEXT_SIZE], guint8 hash[TOKEN_HASH_SIZE]);

/* Reads what somebody claims to be a token: exact length, prefix and canonical base64url (RFC 4648, section
 * 5, no padding), else FALSE. `length` bytes, no NUL needed. hash gets what the store knows it by. Any
 * thread. */
gboolean token_parse(TokenKind kind, const char *text, gsize length, guint8 hash[TOKEN_HASH_SIZE]);

/* Compares two hashes in constant time. */
gboolean token_equal(const guint8 a[TOKEN_HASH_SIZE], const guint8 b[TOKEN_HASH_SIZE]);
