/* Passwords are checked off the main loop, a bounded number at a time, in the same time for nobody and
 * somebody. */
#include "auth/password.h"
#include "tests/unit/suite.h"

#include <string.h>
#include <time.h>

#define MEMORY_KIB 8192
#define PASSES 2

static PasswordHasher *hasher;
static char *last_hash;
static gboolean last_right;
static guint answers;
static GThread *answered_on;

static void setup(void)
{
    hasher = password_hasher_new(2, 4, MEMORY_KIB, PASSES, NULL);
    ck_assert_ptr_nonnull(hasher);
    answers = 0;
}

static void teardown(void)
{
    password_hasher_free(hasher);
    g_clear_pointer(&last_hash, g_free);
}

static void hashed(const char *hash, gpointer data)
{
    g_free(last_hash);
    last_hash = g_strdup(hash);
    answers++;
}

static void verified(gboolean right, gpointer data)
{
    last_right = right;
    answered_on = g_thread_self();
    answers++;
}

static void wait_for(guint count)
{
    gint64 deadline = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    while (answers < count) {
        ck_assert_int_lt(g_get_monotonic_time(), deadline);
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(500);
    }
}

static gboolean check_password(const char *hash, const char *password)
{
    guint before = answers;
    ck_assert(hash ? password_verify(hasher, hash, password, verified, NULL)
                   : password_verify_nobody(hasher, NULL, password, verified, NULL));
    ck_assert_uint_eq(answers, before);
    wait_for(before + 1);
    return last_right;
}

START_TEST(the_right_password_is_right_and_every_other_is_wrong)
{
    ck_assert(password_hash(hasher, "correct horse ß", hashed, NULL));
    wait_for(1);
    ck_assert(g_str_has_prefix(last_hash, "$argon2id$v=19$m=8192,t=2,p=1$"));
    ck_assert(check_password(last_hash, "correct horse ß"));
    ck_assert(!check_password(last_hash, "correct horse s"));
    ck_assert(!check_password(last_hash, ""));
    ck_assert(answered_on == g_thread_self());
}
END_TEST

START_TEST(nobody_has_no_right_password)
{
    ck_assert(!check_password(NULL, ""));
    ck_assert(!check_password(NULL, "anything"));
}
END_TEST

START_TEST(a_broken_hash_is_never_right)
{
    ck_assert(!check_password("", ""));
    ck_assert(!check_password("$argon2id$nonsense", "x"));
}
END_TEST

/* Of the processor, so that a busy machine does not count. */
static gint64 time_of(const char *hash)
{
    gint64 best = G_MAXINT64;
    for (guint i = 0; i < 7; i++) {
        clock_t began = clock();
        check_password(hash, "guess");
        best = MIN(best, (gint64)(clock() - began));
    }
    return best;
}

START_TEST(an_unknown_user_costs_the_same_time)
{
    ck_assert(password_hash(hasher, "secret", hashed, NULL));
    wait_for(1);
    /* In turns, so that what else the machine does meets both alike. */
    gint64 known = G_MAXINT64, unknown = G_MAXINT64;
    for (guint i = 0; i < 2; i++) {
        known = MIN(known, time_of(last_hash));
        unknown = MIN(unknown, time_of(NULL));
    }
    ck_assert_msg(unknown > known / 2 && unknown < known * 2, "known %ld us, unknown %ld us", (long)known,
                  (long)unknown);
}
END_TEST

static clock_t work_of(const char *parameters)
{
    guint before = answers;
    clock_t began = clock();
    ck_assert(password_verify_nobody(hasher, parameters, "guess", verified, NULL));
    wait_for(before + 1);
    ck_assert(!last_right);
    return clock() - began;
}

START_TEST(an_unknown_user_costs_what_a_hash_of_older_settings_costs)
{
    clock_t cheap = work_of(NULL), dear = work_of("$argon2id$v=19$m=8192,t=200,p=1$");
    ck_assert_msg(dear > cheap * 3, "200 passes %ld us, 2 passes %ld us", (long)dear, (long)cheap);
}
END_TEST

START_TEST(a_hash_of_other_settings_is_outdated)
{
    PasswordHasher *newer = password_hasher_new(1, 4, MEMORY_KIB, PASSES + 1, NULL);
    ck_assert(password_hash(hasher, "secret", hashed, NULL));
    wait_for(1);
    ck_assert(!password_is_outdated(hasher, last_hash));
    ck_assert(password_is_outdated(newer, last_hash));
    password_hasher_free(newer);
}
END_TEST

START_TEST(more_than_may_wait_are_refused_at_once)
{
    guint admitted = 0;
    for (guint i = 0; i < 20; i++)
        admitted += password_verify_nobody(hasher, NULL, "x", verified, NULL);
    ck_assert_uint_ge(admitted, 6);
    ck_assert_uint_lt(admitted, 20);
    wait_for(admitted);
    ck_assert(password_verify_nobody(hasher, NULL, "x", verified, NULL));
    wait_for(admitted + 1);
}
END_TEST

START_TEST(a_password_longer_than_the_limit_is_refused)
{
    char text[PASSWORD_BYTES_MAX + 2];
    memset(text, 'x', sizeof text);
    text[PASSWORD_BYTES_MAX + 1] = 0;
    ck_assert(!password_hash(hasher, text, hashed, NULL));
    ck_assert(!password_verify_nobody(hasher, NULL, text, verified, NULL));
    text[PASSWORD_BYTES_MAX] = 0;
    ck_assert(password_verify_nobody(hasher, NULL, text, verified, NULL));
    wait_for(1);
}
END_TEST

START_TEST(freeing_while_checks_run_is_safe_and_silent)
{
    for (guint i = 0; i < 5; i++)
        password_verify_nobody(hasher, NULL, "x", verified, NULL);
    g_clear_pointer(&hasher, password_hasher_free);
    while (g_main_context_iteration(NULL, FALSE))
        continue;
    ck_assert_uint_eq(answers, 0);
}
END_TEST

START_TEST(unfit_passwords_are_told_apart)
{
    ck_assert_ptr_nonnull(password_unfit("", FALSE));
    ck_assert_ptr_null(password_unfit("x", FALSE));
    ck_assert_ptr_nonnull(password_unfit("sevench", TRUE));
    ck_assert_ptr_null(password_unfit("eightchr", TRUE));
    ck_assert_ptr_null(password_unfit("äöüßäöüß", TRUE));
    ck_assert_ptr_nonnull(password_unfit("line\nbreak", FALSE));
    ck_assert_ptr_nonnull(password_unfit("\xff\xfe\xfd", FALSE));
}
END_TEST

int main(void)
{
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, the_right_password_is_right_and_every_other_is_wrong);
    tcase_add_test(all, nobody_has_no_right_password);
    tcase_add_test(all, a_broken_hash_is_never_right);
    tcase_add_test(all, an_unknown_user_costs_the_same_time);
    tcase_add_test(all, an_unknown_user_costs_what_a_hash_of_older_settings_costs);
    tcase_add_test(all, a_hash_of_other_settings_is_outdated);
    tcase_add_test(all, more_than_may_wait_are_refused_at_once);
    tcase_add_test(all, a_password_longer_than_the_limit_is_refused);
    tcase_add_test(all, freeing_while_checks_run_is_safe_and_silent);
    tcase_add_test(all, unfit_passwords_are_told_apart);
    return suite_run("password", all);
}
