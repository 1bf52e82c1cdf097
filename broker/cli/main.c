/* fernwerk [--socket PATH] [--json] COMMAND. */
#include "broker/cli/cli.h"

#include "base/config.h"
#include "base/config_table.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#define CONFIG_FILE FERNWERK_SYSCONFDIR "/fernwerk/fernwerk.conf"

static const char *preset_socket(void)
{
    for (const ConfigKey *key = config_keys; key->section; key++)
        if (strcmp(key->section, "fernwerk") == 0 && strcmp(key->key, "admin_socket") == 0)
            return key->value;
    g_assert_not_reached();
}

/* The environment, then the configuration where it can be read, then its default. */
static char *find_socket(const CliCommand *command)
{
    const char *environment = g_getenv("FERNWERK_SOCKET");
    if (command->socket)
        return g_strdup(command->socket);
    if (environment && *environment)
        return g_strdup(environment);
    g_autoptr(Config) config = config_load(CONFIG_FILE, NULL);
    return g_strdup(config ? config_string(config, "fernwerk.admin_socket") : preset_socket());
}

static const VerbArgument *secret_of(const Verb *verb)
{
    for (const VerbArgument *argument = verb->arguments; argument->name; argument++)
        if (argument->type == ARGUMENT_SECRET)
            return argument;
    return NULL;
}

/* Checks everything else before anybody has to type a password. */
static gboolean add_password(CliCommand *command, const VerbArgument *secret, CliError *error)
{
    g_autofree char *problem = NULL;
    const char *user = json_object_get_string_member_with_default(command->args, "name", "");
    json_object_set_string_member(command->args, secret->name, "x");
    JsonObject *checked = verb_arguments(command->verb, command->args, &problem);
    g_clear_pointer(&checked, json_object_unref);
    char *password = problem ? NULL : cli_password(command->password_stdin, user, error);
    if (password) {
        json_object_set_string_member(command->args, secret->name, password);
        explicit_bzero(password, strlen(password));
        g_free(password);
        return TRUE;
    }
    if (problem)
        cli_error_set(error, "usage", NULL, "%s", problem);
    return FALSE;
}

static gboolean check(CliCommand *command, CliError *error)
{
    g_autofree char *problem = NULL;
    g_autofree char *hint = g_strdup_printf("fernwerk %s --help", command->verb->command);
    const VerbArgument *secret = secret_of(command->verb);
    if (secret) {
        if (!add_password(command, secret, error)) {
            if (strcmp(error->code, "usage") == 0 && !error->hint)
                error->hint = g_steal_pointer(&hint);
            return FALSE;
        }
    } else if (command->password_stdin) {
        cli_error_set(error, "usage", hint, "This command takes no password.");
        return FALSE;
    }
    JsonObject *checked = verb_arguments(command->verb, command->args, &problem);
    if (!checked) {
        cli_error_set(error, "usage", hint, "%s", problem);
        return FALSE;
    }
    json_object_unref(command->args);
    command->args = checked;
    return TRUE;
}

static gboolean run(CliCommand *command, CliError *error)
{
    if (command->version) {
        printf("fernwerk %s\n", FERNWERK_VERSION);
        return TRUE;
    }
    if (command->help) {
        cli_help(command);
        return TRUE;
    }
    if (!check(command, error))
        return FALSE;
    g_autofree char *socket = find_socket(command);
    g_autoptr(JsonNode) result = cli_call(socket, command->verb, command->args, error);
    if (result)
        cli_print(command->verb, result, command->json);
    return result != NULL;
}

int main(int argc, char *argv[])
{
    CliCommand command = {0};
    CliError error = {0};
    setlocale(LC_ALL, "");
    gboolean good = cli_parse(argc, argv, &command, &error) && run(&command, &error);
    int code = good ? 0 : cli_error_report(&error, command.json);
    if (fflush(stdout) != 0 && code == 0)
        code = 1;
    cli_command_clear(&command);
    cli_error_clear(&error);
    return code;
}
