/* A store in a temporary folder, with calls that wait for their answer and a clock that the test moves. */
#pragma once

#include "broker/store/store.h"

#include <check.h>
#include <stdlib.h>

extern Store *store;
extern char *store_path;
extern gint64 store_clock; /* ms */

void harness_open(void);  /* fresh folder, fresh store */
void harness_close(void); /* closes and deletes */
void harness_reopen(void);

/* Give as `done` and `data` to a store call, then take the answer (owned by the harness, until the next one).
 */
void harness_done(StoreReply *reply, gpointer data);
StoreReply *harness_wait(void);
#define CALL(function, ...) (function(store, ##__VA_ARGS__, harness_done, NULL), harness_wait())
#define RESULT(function, ...) (CALL(function, ##__VA_ARGS__)->result)

/* A user, a pattern template "t", desktops; all must work. */
gint64 make_user(const char *name); /* returns the id */
void make_template(const char *name);
void make_desktop(const char *name);
gint64 serial_of(const char *user);
StoreReply *grant(const char *user, const char *desktop);
/* Rows of the audit with that action and result. */
guint audited(const char *action, const char *result);
