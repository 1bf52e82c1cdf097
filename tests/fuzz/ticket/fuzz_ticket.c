/* Whatever is taken for a token can be written in one way only, and never stands for the other kind. */
#include "auth/token.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    guint8 hash[TOKEN_HASH_SIZE], again[TOKEN_HASH_SIZE];
    const char *text = (const char *)data;
    gboolean ticket = token_parse(TOKEN_TICKET, text, size, hash);
    gboolean session = token_parse(TOKEN_SESSION, text, size, hash);
    g_assert(!ticket || !session);
    if (!ticket && !session)
        return 0;

    TokenKind kind = ticket ? TOKEN_TICKET : TOKEN_SESSION;
    char changed[TOKEN_TEXT_SIZE];
    g_assert(token_parse(kind, text, size, hash));
    memcpy(changed, text, size);
    for (gsize at = 0; at < size; at++) {
        changed[at] ^= 1;
        g_assert(!token_parse(kind, changed, size, again) || !token_equal(hash, again));
        changed[at] ^= 1;
    }
    return 0;
}
