/* Argon2id by libsodium on a small thread pool. Passwords live in locked pages until their job is done. */
#include "auth/password.h"

#include <sodium.h>
#include <string.h>

struct PasswordHasher {
    gint references; /* the owner's, and one a job */
    gint closed;
    gint waiting; /* jobs queued or running */
    guint limit;
    guint64 passes;
    gsize memory; /* bytes */
    char dummy[crypto_pwhash_STRBYTES];
    GThreadPool *pool;
};

typedef struct {
    PasswordHasher *hasher;
    GMainContext *context;
    char *password; /* sodium_malloc */
    char hash[crypto_pwhash_STRBYTES];
    gboolean check, known; /* known: `hash` is an account's, not the dummy */
    gboolean good;
    PasswordHashed hashed;
    PasswordVerified verified;
    gpointer data;
} Job;

static void hasher_unref(PasswordHasher *hasher)
{
    if (g_atomic_int_dec_and_test(&hasher->references))
        g_free(hasher);
}

static void job_free(gpointer data)
{
    Job *job = data;
    sodium_free(job->password);
    sodium_memzero(job->hash, sizeof job->hash);
    g_main_context_unref(job->context);
    hasher_unref(job->hasher);
    g_free(job);
}

static gboolean job_deliver(gpointer data)
{
    Job *job = data;
    if (g_atomic_int_get(&job->hasher->closed))
        return G_SOURCE_REMOVE;
    if (job->check)
        job->verified(job->good, job->data);
    else
        job->hashed(job->good ? job->hash : NULL, job->data);
    return G_SOURCE_REMOVE;
}

static void job_run(gpointer data, gpointer user_data)
{
    Job *job = data;
    PasswordHasher *hasher = job->hasher;
    if (!g_atomic_int_get(&hasher->closed)) {
        gsize length = strlen(job->password);
        if (job->check) {
            gboolean match = crypto_pwhash_str_verify(job->hash, job->password, length) == 0;
            job->good = match && job->known;
        } else {
            job->good = crypto_pwhash_str_alg(job->hash, job->password, length, hasher->passes,
                                              hasher->memory, crypto_pwhash_ALG_ARGON2ID13) == 0;
        }
    }
    sodium_memzero(job->password, strlen(job->password));
    g_atomic_int_dec_and_test(&hasher->waiting);
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, job_deliver, job, job_free);
    g_source_attach(source, job->context);
}

PasswordHasher *password_hasher_new(guint parallel, guint queue_max, guint memory_kib, guint passes,
                                    GError **error)
{
    if (sodium_init() < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "libsodium does not start");
        return NULL;
    }
    PasswordHasher *hasher = g_new0(PasswordHasher, 1);
    hasher->references = 1;
    hasher->limit = parallel + queue_max;
    hasher->passes = passes;
    hasher->memory = (gsize)memory_kib * 1024;
    char nobody[33];
    for (guint i = 0; i < sizeof nobody - 1; i++)
        nobody[i] = (char)('a' + randombytes_uniform(26));
    nobody[sizeof nobody - 1] = 0;
    if (crypto_pwhash_str_alg(hasher->dummy, nobody, strlen(nobody), hasher->passes, hasher->memory,
                              crypto_pwhash_ALG_ARGON2ID13) != 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                    "no memory for a password check of %u KiB (broker.argon2_memory_kib)", memory_kib);
        g_free(hasher);
        return NULL;
    }
    hasher->pool = g_thread_pool_new(job_run, NULL, (gint)parallel, FALSE, NULL);
    return hasher;
}

void password_hasher_free(PasswordHasher *hasher)
{
    if (!hasher)
        return;
    g_atomic_int_set(&hasher->closed, 1);
    g_thread_pool_free(hasher->pool, FALSE, TRUE);
    hasher_unref(hasher);
}

/* NULL: no room, or the password cannot be one. */
static Job *job_new(PasswordHasher *hasher, const char *password, gpointer data)
{
    gsize length = strnlen(password, PASSWORD_BYTES_MAX + 1);
    if (length > PASSWORD_BYTES_MAX)
        return NULL;
    if ((guint)g_atomic_int_add(&hasher->waiting, 1) >= hasher->limit) {
        g_atomic_int_dec_and_test(&hasher->waiting);
        return NULL;
    }
    Job *job = g_new0(Job, 1);
    job->password = sodium_malloc(length + 1);
    if (!job->password) {
        g_atomic_int_dec_and_test(&hasher->waiting);
        g_free(job);
        return NULL;
    }
    memcpy(job->password, password, length);
    job->password[length] = 0;
    g_atomic_int_inc(&hasher->references);
    job->hasher = hasher;
    job->context = g_main_context_ref_thread_default();
    job->data = data;
    return job;
}

gboolean password_hash(PasswordHasher *hasher, const char *password, PasswordHashed done, gpointer data)
{
    Job *job = job_new(hasher, password, data);
    if (!job)
        return FALSE;
    job->hashed = done;
    g_thread_pool_push(hasher->pool, job, NULL);
    return TRUE;
}

static gboolean verify(PasswordHasher *hasher, const char *hash, gboolean known, const char *password,
                       PasswordVerified done, gpointer data)
{
    Job *job = job_new(hasher, password, data);
    if (!job)
        return FALSE;
    job->check = TRUE;
    job->known = known;
    g_strlcpy(job->hash, hash, sizeof job->hash);
    job->verified = done;
    g_thread_pool_push(hasher->pool, job, NULL);
    return TRUE;
}

gboolean password_verify_nobody(PasswordHasher *hasher, const char *parameters, const char *password,
                                PasswordVerified done, gpointer data)
{
    char hash[crypto_pwhash_STRBYTES];
    const char *rest = strrchr(hasher->dummy, '$');
    while (rest > hasher->dummy && rest[-1] != '$')
        rest--;
    /* Salt and tag of another computation: the work is done, and nothing comes out equal. */
    gboolean fits = parameters && g_snprintf(hash, sizeof hash, "%s%s", parameters, rest) < (int)sizeof hash;
    return verify(hasher, fits ? hash : hasher->dummy, FALSE, password, done, data);
}

gboolean password_verify(PasswordHasher *hasher, const char *hash, const char *password,
                         PasswordVerified done, gpointer data)
{
    if (strlen(hash) >= crypto_pwhash_STRBYTES)
        return password_verify_nobody(hasher, NULL, password, done, data);
    return verify(hasher, hash, TRUE, password, done, data);
}

gboolean password_is_outdated(const PasswordHasher *hasher, const char *hash)
{
    return crypto_pwhash_str_needs_rehash(hash, hasher->passes, hasher->memory) != 0;
}

const char *password_unfit(const char *password, gboolean own_choice)
{
    gsize length = strnlen(password, PASSWORD_BYTES_MAX + 1);
    if (length == 0)
        return "The password is empty.";
    if (length > PASSWORD_BYTES_MAX)
        return "The password is longer than 255 bytes.";
    if (!g_utf8_validate(password, (gssize)length, NULL))
        return "The password is not UTF-8 text.";
    glong characters = 0;
    for (const char *p = password; *p; p = g_utf8_next_char(p), characters++)
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return "The password contains control characters.";
    if (own_choice && characters < PASSWORD_CHARACTERS_MIN)
        return "The password is too short: it needs at least 8 characters.";
    return NULL;
}
