/* fernwerk, the admin's command: what its files share. One command is one request over the control link. */
#pragma once

#include "broker/control/verbs.h"

/* What the command line asks for. */
typedef struct {
    const char *socket; /* borrowed */
    gboolean json, help, version, password_stdin;
    const Verb *verb; /* NULL: none named */
    char *group;      /* "user" when only that was named */
    JsonObject *args;
} CliCommand;

typedef struct {
    const char *code; /* of verb_errors */
    char *message, *hint;
} CliError;

void cli_error_set(CliError *error, const char *code, const char *hint, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
void cli_error_clear(CliError *error);
/* Prints to stderr (JSON when asked for), returns the exit code. */
int cli_error_report(const CliError *error, gboolean json);

/* FALSE with error: the command line makes no sense. */
gboolean cli_parse(int argc, char *argv[], CliCommand *command, CliError *error);
void cli_command_clear(CliCommand *command);

/* To stdout. */
void cli_help(const CliCommand *command);

/* A password from the terminal, asked twice, or a line of stdin; NULL with error. Caller scrubs and frees. */
char *cli_password(gboolean from_stdin, const char *user, CliError *error);

/* The result, or NULL with the error of the broker or of the way to it. */
JsonNode *cli_call(const char *socket, const Verb *verb, JsonObject *args, CliError *error);

/* To stdout: one JSON document, or tables for people. */
void cli_print(const Verb *verb, JsonNode *result, gboolean json);
