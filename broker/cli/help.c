/* Help, from the verb table. */
#include "broker/cli/cli.h"

#include <stdio.h>
#include <string.h>

static char *usage(const Verb *verb)
{
    GString *text = g_string_new(verb->command);
    gboolean options = FALSE;
    for (const VerbArgument *argument = verb->arguments; argument->name; argument++) {
        if (argument->positional) {
            g_autofree char *name = g_ascii_strup(argument->name, -1);
            g_string_append_printf(text, " %s", name);
        } else {
            options = TRUE;
        }
    }
    if (options)
        g_string_append(text, " [OPTION...]");
    return g_string_free(text, FALSE);
}

static void print_commands(const char *group)
{
    g_autofree char *prefix = group ? g_strconcat(group, " ", NULL) : g_strdup("");
    for (const Verb *verb = verbs; verb < verbs + VERB_COUNT; verb++) {
        if (!verb->command || !g_str_has_prefix(verb->command, prefix))
            continue;
        g_autofree char *line = usage(verb);
        printf("  %-38s %s\n", line, verb->text);
    }
}

static void print_general(const char *group)
{
    printf("Usage: fernwerk [--socket PATH] [--json] COMMAND\n\n");
    print_commands(group);
    printf("\nOptions of every command:\n"
           "  --socket PATH      the broker's admin socket (also: FERNWERK_SOCKET)\n"
           "  --json             print one JSON document; errors as JSON on stderr\n"
           "  --help             help on this command\n"
           "  --version          print the version\n"
           "\nExit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 denied, 6 broker not "
           "reachable.\n");
}

static void print_option(const VerbArgument *argument)
{
    g_autofree char *name = g_strdelimit(g_strdup(argument->name), "_", '-');
    g_autofree char *shown = NULL;
    if (argument->positional)
        shown = g_ascii_strup(argument->name, -1);
    else if (argument->type == ARGUMENT_SECRET)
        shown = g_strdup("--password-stdin");
    else if (argument->type == ARGUMENT_BOOLEAN)
        shown = g_strdup_printf("--%s", name);
    else
        shown = g_strdup_printf("--%s %s", name,
                                argument->type == ARGUMENT_INTEGER ? "N"
                                : argument->type == ARGUMENT_PATH  ? "PATH"
                                : argument->choices                ? argument->choices
                                                                   : "TEXT");
    if (argument->type == ARGUMENT_SECRET)
        printf("  %-28s Read the password from a line of stdin instead of asking for it twice.\n", shown);
    else if (argument->preset && *argument->preset && argument->type != ARGUMENT_BOOLEAN)
        printf("  %-28s %s Default: %s.\n", shown, argument->text, argument->preset);
    else
        printf("  %-28s %s\n", shown, argument->text);
}

void cli_help(const CliCommand *command)
{
    if (!command->verb) {
        print_general(command->group);
        return;
    }
    g_autofree char *line = usage(command->verb);
    printf("Usage: fernwerk [--socket PATH] [--json] %s\n\n%s\n", line, command->verb->text);
    if (command->verb->arguments[0].name)
        putchar('\n');
    for (const VerbArgument *argument = command->verb->arguments; argument->name; argument++)
        print_option(argument);
}
