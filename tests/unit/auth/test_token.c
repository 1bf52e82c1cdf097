/* Tokens are told apart, read strictly, and never kept. */
#include "auth/token.h"
#include "tests/unit/suite.h"

#include <string.h>

static gboolean parses(TokenKind kind, const char *text)
{
    guint8 hash[TOKEN_HASH_SIZE];
    return token_parse(kind, text, strlen(text), hash);
}

START_TEST(a_made_token_parses_to_the_hash_it_was_made_with)
{
    for (TokenKind kind = TOKEN_TICKET; kind <= TOKEN_SESSION; kind++) {
        char text[TOKEN_TEXT_SIZE];
        guint8 made[TOKEN_HASH_SIZE], read[TOKEN_HASH_SIZE];
        token_make(kind, text, made);
        ck_assert(token_parse(kind, text, strlen(text), read));
        ck_assert(token_equal(made, read));
    }
}
END_TEST

START_TEST(two_tokens_are_never_the_same)
{
    char first[TOKEN_TEXT_SIZE], second[TOKEN_TEXT_SIZE];
    guint8 a[TOKEN_HASH_SIZE], b[TOKEN_HASH_SIZE];
    token_make(TOKEN_TICKET, first, a);
    token_make(TOKEN_TICKET, second, b);
    ck_assert_str_ne(first, second);
    ck_assert(!token_equal(a, b));
}
END_TEST

START_TEST(a_ticket_is_no_session_handle_even_with_the_other_prefix)
{
    char text[TOKEN_TEXT_SIZE];
    guint8 ticket[TOKEN_HASH_SIZE], session[TOKEN_HASH_SIZE];
    token_make(TOKEN_TICKET, text, ticket);
    ck_assert(!parses(TOKEN_SESSION, text));
    g_autofree char *forged = g_strconcat("fws1_", text + 4, NULL);
    ck_assert(token_parse(TOKEN_SESSION, forged, strlen(forged), session));
    ck_assert(!token_equal(ticket, session));
}
END_TEST

START_TEST(every_other_length_is_refused)
{
    char text[TOKEN_TEXT_SIZE];
    guint8 hash[TOKEN_HASH_SIZE];
    token_make(TOKEN_TICKET, text, hash);
    gsize right = strlen(text);
    g_autofree char *longer = g_strconcat(text, "A", NULL);
    for (gsize length = 0; length <= right + 1; length++)
        ck_assert_int_eq(token_parse(TOKEN_TICKET, longer, length, hash), length == right);
}
END_TEST

START_TEST(a_second_spelling_of_the_same_bits_is_refused)
{
    char text[TOKEN_TEXT_SIZE];
    guint8 hash[TOKEN_HASH_SIZE];
    token_make(TOKEN_TICKET, text, hash);
    const char *alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *last = text + strlen(text) - 1;
    guint value = (guint)(strchr(alphabet, *last) - alphabet);
    for (guint other = 1; other < 4; other++) {
        *last = alphabet[(value & ~3u) | other];
        ck_assert(!parses(TOKEN_TICKET, text));
    }
}
END_TEST

START_TEST(foreign_characters_are_refused_wherever_they_stand)
{
    char text[TOKEN_TEXT_SIZE];
    guint8 hash[TOKEN_HASH_SIZE];
    token_make(TOKEN_TICKET, text, hash);
    static const char foreign[] = {'+', '/', '=', ' ', '\n', '\t', '.', '%', (char)0x80, 0};
    for (gsize at = 0; at < strlen(text); at++) {
        char kept = text[at];
        for (guint i = 0; i < sizeof foreign; i++) {
            if (foreign[i] == kept)
                continue;
            text[at] = foreign[i];
            ck_assert(!token_parse(TOKEN_TICKET, text, 47, hash));
        }
        text[at] = kept;
    }
    ck_assert(token_parse(TOKEN_TICKET, text, 47, hash));
}
END_TEST

int main(void)
{
    TCase *all = tcase_create("all");
    tcase_add_test(all, a_made_token_parses_to_the_hash_it_was_made_with);
    tcase_add_test(all, two_tokens_are_never_the_same);
    tcase_add_test(all, a_ticket_is_no_session_handle_even_with_the_other_prefix);
    tcase_add_test(all, every_other_length_is_refused);
    tcase_add_test(all, a_second_spelling_of_the_same_bits_is_refused);
    tcase_add_test(all, foreign_characters_are_refused_wherever_they_stand);
    return suite_run("token", all);
}
