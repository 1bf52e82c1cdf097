/* One attempt: throttle, the account's hash, Argon2id, then the store's word and its audit row. */
#include "broker/login/login.h"

#include "base/log.h"

#include <sodium.h>
#include <string.h>

#define THROTTLE_ENTRIES 16384
#define CHECKS_WAITING_MAX 64
#define BUSY_RETRY_MS 1000

struct Login {
    Store *store;
    PasswordHasher *hasher;
    Throttle *throttle;
    gint references; /* the owner's, and one an attempt; main thread */
    gboolean closed;
};

typedef struct {
    Login *login;
    char *user, *protocol, *address;
    char *password; /* sodium_malloc */
    StoreUser *account;
    gboolean outdated;  /* its hash was made under other settings */
    LoginResult result; /* for answers that wait for the main loop */
    guint retry_after_ms;
    LoginDone done;
    gpointer data;
} Attempt;

static gint64 now_ms(void)
{
    return g_get_monotonic_time() / 1000;
}

Login *login_new(Store *store, const Config *config, GError **error)
{
    PasswordHasher *hasher =
        password_hasher_new((guint)config_integer(config, "broker.argon2_parallel"), CHECKS_WAITING_MAX,
                            (guint)config_integer(config, "broker.argon2_memory_kib"),
                            (guint)config_integer(config, "broker.argon2_passes"), error);
    if (!hasher)
        return NULL;
    Login *login = g_new0(Login, 1);
    login->references = 1;
    login->store = store;
    login->hasher = hasher;
    login->throttle = throttle_new(THROTTLE_ENTRIES);
    return login;
}

static void login_unref(Login *login)
{
    if (--login->references == 0)
        g_free(login);
}

void login_free(Login *login)
{
    if (!login)
        return;
    login->closed = TRUE;
    g_clear_pointer(&login->hasher, password_hasher_free);
    g_clear_pointer(&login->throttle, throttle_free);
    login_unref(login);
}

PasswordHasher *login_hasher(Login *login)
{
    return login->hasher;
}

static void attempt_free(Attempt *attempt)
{
    g_free(attempt->user);
    g_free(attempt->protocol);
    g_free(attempt->address);
    if (attempt->password)
        sodium_free(attempt->password);
    store_user_free(attempt->account);
    login_unref(attempt->login);
    g_free(attempt);
}

/* ---- rehashing: settings that were changed reach an account at its next login ---- */

typedef struct {
    Store *store;
    gint64 user, serial;
} Rehash;

static void rehashed(const char *hash, gpointer data)
{
    Rehash *rehash = data;
    if (hash)
        store_user_rehash(rehash->store, rehash->user, rehash->serial, hash, NULL, NULL);
    g_free(rehash);
}

/* Nobody waits for it. When there is no room now, the next login does it. */
static void begin_rehash(Attempt *attempt)
{
    Rehash rehash = {attempt->login->store, attempt->account->id, attempt->account->serial};
    gpointer kept = g_memdup2(&rehash, sizeof rehash);
    if (!password_hash(attempt->login->hasher, attempt->password, rehashed, kept))
        g_free(kept);
}

/* ---- one attempt ---- */

static void answer(Attempt *attempt, LoginResult result, guint retry_after_ms)
{
    g_autofree char *text = NULL;
    if (result == LOGIN_DENIED)
        text = g_strdup("The name or the password is wrong.");
    else if (result == LOGIN_WAIT)
        text = g_strdup_printf("Too many attempts. Try again in %u s.", (retry_after_ms + 999) / 1000);
    else if (result == LOGIN_UNAVAILABLE)
        text = g_strdup("Logging in is not possible at the moment. Try again in a minute.");
    LoginOutcome outcome = {
        .result = result,
        .retry_after_ms = retry_after_ms,
        .user = result == LOGIN_OK ? attempt->account : NULL,
        .text = text ? text : "",
    };
    if (!attempt->login->closed)
        attempt->done(&outcome, attempt->data);
    attempt_free(attempt);
}

static void undecided(Attempt *attempt, LoginResult result)
{
    if (!attempt->login->closed)
        throttle_cancel(attempt->login->throttle, attempt->user, attempt->address, now_ms());
    answer(attempt, result, result == LOGIN_WAIT ? BUSY_RETRY_MS : 0);
}

static void recorded(StoreReply *reply, gpointer data)
{
    Attempt *attempt = data;
    if (reply->result == STORE_FAILED) {
        log_error("database: %s", reply->error->message);
        undecided(attempt, LOGIN_UNAVAILABLE);
        return;
    }
    if (attempt->result == LOGIN_OK && reply->result == STORE_OK) {
        store_user_free(attempt->account);
        attempt->account = g_steal_pointer(&reply->user);
        if (!attempt->login->closed)
            throttle_success(attempt->login->throttle, attempt->user, attempt->address, now_ms());
        if (!attempt->login->closed && attempt->outdated)
            begin_rehash(attempt);
        answer(attempt, LOGIN_OK, 0);
        return;
    }
    answer(attempt, LOGIN_DENIED, 0);
}

static void verified(gboolean right, gpointer data)
{
    Attempt *attempt = data;
    Login *login = attempt->login;
    /* A disabled account pays the same time and gets the same answer. */
    gboolean good = right && attempt->account && !attempt->account->disabled;
    attempt->outdated = good && !login->closed && password_is_outdated(login->hasher, attempt->account->hash);
    if (!attempt->outdated)
        sodium_memzero(attempt->password, strlen(attempt->password));
    attempt->result = good ? LOGIN_OK : LOGIN_DENIED;
    if (login->closed)
        attempt_free(attempt);
    else if (good)
        store_login_grant(login->store, attempt->account->id, attempt->account->serial, attempt->protocol,
                          attempt->address, recorded, attempt);
    else
        store_login_deny(login->store, attempt->user, "denied", attempt->protocol, attempt->address, recorded,
                         attempt);
}

static void found(StoreReply *reply, gpointer data)
{
    Attempt *attempt = data;
    if (attempt->login->closed) {
        attempt_free(attempt);
        return;
    }
    if (reply->result == STORE_FAILED) {
        log_error("database: %s", reply->error->message);
        undecided(attempt, LOGIN_UNAVAILABLE);
        return;
    }
    attempt->account = g_steal_pointer(&reply->user);
    PasswordHasher *hasher = attempt->login->hasher;
    gboolean begun =
        attempt->account
            ? password_verify(hasher, attempt->account->hash, attempt->password, verified, attempt)
            : password_verify_nobody(hasher, reply->parameters, attempt->password, verified, attempt);
    if (!begun)
        undecided(attempt, LOGIN_WAIT);
}

static gboolean refuse(gpointer data)
{
    Attempt *attempt = data;
    answer(attempt, attempt->result, attempt->retry_after_ms);
    return G_SOURCE_REMOVE;
}

static char *locked_copy(const char *password)
{
    gsize length = strnlen(password, PASSWORD_BYTES_MAX);
    char *copy = sodium_malloc(length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, password, length);
    copy[length] = 0;
    return copy;
}

void login_check(Login *login, const LoginAttempt *asked, LoginDone done, gpointer data)
{
    Attempt *attempt = g_new0(Attempt, 1);
    login->references++;
    attempt->login = login;
    attempt->user = g_strdup(asked->user);
    attempt->protocol = g_strdup(asked->protocol);
    attempt->address = g_strdup(asked->address);
    attempt->done = done;
    attempt->data = data;
    ThrottleAnswer answered = throttle_ask(login->throttle, attempt->user, attempt->address, now_ms());
    if (answered.wait_ms > 0) {
        if (answered.first)
            store_login_deny(login->store, attempt->user, "throttled", attempt->protocol, attempt->address,
                             NULL, NULL);
        attempt->result = LOGIN_WAIT;
        attempt->retry_after_ms = answered.wait_ms;
        g_idle_add(refuse, attempt);
        return;
    }
    attempt->password = locked_copy(asked->password);
    if (!attempt->password || strlen(asked->password) > PASSWORD_BYTES_MAX) {
        /* No password is that long: the dummy's time is paid all the same. */
        g_clear_pointer(&attempt->password, sodium_free);
        attempt->password = locked_copy("");
    }
    if (!attempt->password) {
        throttle_cancel(login->throttle, attempt->user, attempt->address, now_ms());
        attempt->result = LOGIN_UNAVAILABLE;
        g_idle_add(refuse, attempt);
        return;
    }
    store_user_secret(login->store, attempt->user, found, attempt);
}
