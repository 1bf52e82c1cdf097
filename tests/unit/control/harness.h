/* A whole control server over a temporary store; desktops and processes are played and count what is asked of
 * them. */
#pragma once

#include "broker/control/control.h"

#include <check.h>
#include <json-glib/json-glib.h>
#include <stdlib.h>

typedef struct {
    Config *config;
    Store *store;
    Login *login;
    Control *control;
    char *folder, *socket, *hello;
    int web; /* our end of the web's link */
    /* What the played desktops were asked. */
    guint added, removed, powered, revoked, assigned;
    ControlPower last_power;
    EndReason last_reason;
    char last_text[128], last_user[64];
    guint last_connections;
    /* What they answer. */
    ControlResult answer;
    gboolean silent; /* power is done when harness_finish_power() says so */
    DesktopState state;
} Harness;

extern Harness harness;

void harness_setup(void);
void harness_teardown(void);
void harness_finish_power(void);

/* Runs the command with these arguments (NULL ends), `input` on its stdin. */
typedef struct {
    int code;
    char *out, *err;
} CliRun;
CliRun *cli_run(const char *input, ...) G_GNUC_NULL_TERMINATED;
/* Runs it with --json, expects the exit code, returns stdout (0) or stderr (else) parsed; borrowed until the
 * next one. */
JsonNode *cli_json(int code, const char *input, ...) G_GNUC_NULL_TERMINATED;
JsonObject *cli_object(int code, const char *input, ...) G_GNUC_NULL_TERMINATED;

/* Sends a line over the web's link and returns the answer; borrowed until the next one. */
JsonObject *web_raw(const char *line);
/* A call; `args` is JSON text. Returns the result, or the error object when `code` is given (checked). */
JsonObject *web_call(const char *verb, const char *session, const char *args, const char *code);
/* Logs in over the web's link; the handle, caller frees. */
char *web_login(const char *user, const char *password);

/* Writes to a descriptor and reads one line, running the loop; NULL: it was closed. Caller frees. */
char *exchange_line(int fd, const char *text, gssize length);
int connect_admin(void);

void make_user(const char *name, const char *password, gboolean admin);
/* A pattern template "p" and a desktop. */
void make_desktop(const char *name);
