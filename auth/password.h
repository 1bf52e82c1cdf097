/* Passwords: Argon2id on worker threads, a bounded number at a time. Knows no users. */
#pragma once

#include <gio/gio.h>

typedef struct PasswordHasher PasswordHasher;

#define PASSWORD_BYTES_MAX 255 /* without the NUL; longer ones are refused */

/* `parallel` threads, each with memory_kib KiB and `passes` passes (Argon2id, one lane); at most queue_max
 * jobs wait. Makes the dummy hash against which unknown users are checked: takes as long as one check. */
PasswordHasher *password_hasher_new(guint parallel, guint queue_max, guint memory_kib, guint passes,
                                    GError **error);
/* Waits for the running jobs; callbacks of waiting ones do not come. NULL is allowed. */
void password_hasher_free(PasswordHasher *hasher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PasswordHasher, password_hasher_free)

/* On the main context that was the thread's default one at the call. `hash` is NULL when memory ran out. */
typedef void (*PasswordHashed)(const char *hash, gpointer data);
typedef void (*PasswordVerified)(gboolean right, gpointer data);

/* Hashes a password (copied to locked memory, scrubbed afterwards). FALSE: too many wait, or it is too long;
 * no callback follows. */
gboolean password_hash(PasswordHasher *hasher, const char *password, PasswordHashed done, gpointer data);
/* Checks a password against `hash`. FALSE: as above. */
gboolean password_verify(PasswordHasher *hasher, const char *hash, const char *password,
                         PasswordVerified done, gpointer data);
/* The same for a name that nobody has: never right, and takes as long as a check of a hash that begins with
 * `parameters` ("$argon2id$v=19$m=65536,t=2,p=1$"; NULL: as one made today). FALSE: as above. */
gboolean password_verify_nobody(PasswordHasher *hasher, const char *parameters, const char *password,
                                PasswordVerified done, gpointer data);
/* TRUE when that hash was made with other parameters than this hasher's. Any thread. */
gboolean password_is_outdated(const PasswordHasher *hasher, const char *hash);

#define PASSWORD_CHARACTERS_MIN 8

/* NULL, or why this cannot be a password (static sentence): empty, longer than PASSWORD_BYTES_MAX, not UTF-8,
 * control characters, and where somebody chooses his own, fewer than PASSWORD_CHARACTERS_MIN characters. Any
 * thread. */
const char *password_unfit(const char *password, gboolean own_choice);
