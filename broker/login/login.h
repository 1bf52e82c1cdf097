/* The one way in by name and password, for RDP, VNC, greeter and web alike: throttle, Argon2id, account
 * state, audit. */
#pragma once

#include "auth/password.h"
#include "auth/throttle.h"
#include "base/config.h"
#include "broker/store/store.h"

typedef struct Login Login;

/* Borrows the store. Reads the argon2_* keys. Blocks for one password check. */
Login *login_new(Store *store, const Config *config, GError **error);
void login_free(Login *login);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Login, login_free)

/* For verbs that set passwords. */
PasswordHasher *login_hasher(Login *login);

typedef struct {
    const char *user, *password;
    const char *protocol; /* "rdp", "vnc", "web" */
    const char *address;  /* numeric source address */
} LoginAttempt;

typedef enum {
    LOGIN_OK,
    LOGIN_DENIED,      /* wrong name, wrong password, disabled: one answer, same time */
    LOGIN_WAIT,        /* throttled or too many at once: retry_after_ms */
    LOGIN_UNAVAILABLE, /* database */
} LoginResult;

typedef struct {
    LoginResult result;
    guint retry_after_ms;
    const StoreUser
        *user; /* LOGIN_OK: the account, its name as it was made, its serial for StoreGrant; borrowed */
    const char *text; /* sentence for the person, "" when OK; borrowed */
} LoginOutcome;

typedef void (*LoginDone)(const LoginOutcome *outcome, gpointer data);

/* Checks one attempt; all strings are copied, the password into locked memory. The answer comes from the main
 * loop, never from inside the call. It is in the audit by then. Main thread. */
void login_check(Login *login, const LoginAttempt *attempt, LoginDone done, gpointer data);
