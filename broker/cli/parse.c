/* The command line against the verb table: words name the command and its arguments, --options the rest. */
#include "broker/cli/cli.h"

#include <string.h>

#define WORDS_MAX 8

typedef struct {
    CliCommand *command;
    CliError *error;
    char **next; /* tokens still to be read */
    const char *words[WORDS_MAX];
    guint count; /* of words that name the command */
} Parser;

static gboolean wrong(Parser *parser, const char *hint, const char *format, const char *what)
{
    g_autofree char *quoted = g_strdup_printf(format, what); /* format: literals of this file */
    cli_error_set(parser->error, "usage", hint, "%s", quoted);
    return FALSE;
}

static gboolean wrong_here(Parser *parser, const char *format, const char *what)
{
    g_autofree char *hint = parser->command->verb
                                ? g_strdup_printf("fernwerk %s --help", parser->command->verb->command)
                                : g_strdup("fernwerk --help");
    return wrong(parser, hint, format, what);
}

static const Verb *find_command(const char *const *words, guint count)
{
    g_autofree char *named = count == 1 ? g_strdup(words[0]) : g_strjoin(" ", words[0], words[1], NULL);
    for (const Verb *verb = verbs; verb < verbs + VERB_COUNT; verb++)
        if (verb->command && strcmp(verb->command, named) == 0)
            return verb;
    return NULL;
}

static gboolean is_group(const char *word)
{
    g_autofree char *prefix = g_strconcat(word, " ", NULL);
    for (const Verb *verb = verbs; verb < verbs + VERB_COUNT; verb++)
        if (verb->command && g_str_has_prefix(verb->command, prefix))
            return TRUE;
    return FALSE;
}

static gboolean take_command_word(Parser *parser, const char *word)
{
    CliCommand *command = parser->command;
    parser->words[parser->count++] = word;
    command->verb = find_command(parser->words, parser->count);
    if (command->verb)
        return TRUE;
    if (parser->count == 1 && is_group(word)) {
        command->group = g_strdup(word);
        return TRUE;
    }
    g_autofree char *hint = command->group ? g_strdup_printf("fernwerk %s --help", command->group) : NULL;
    g_autofree char *all = command->group ? g_strjoin(" ", command->group, word, NULL) : g_strdup(word);
    return wrong(parser, hint ? hint : "fernwerk --help", "There is no command \"%s\".", all);
}

static gboolean take_positional(Parser *parser, const char *word)
{
    for (const VerbArgument *argument = parser->command->verb->arguments; argument->name; argument++) {
        if (!argument->positional || json_object_has_member(parser->command->args, argument->name))
            continue;
        json_object_set_string_member(parser->command->args, argument->name, word);
        return TRUE;
    }
    return wrong_here(parser, "\"%s\" is one argument too many.", word);
}

static char *option_name(const VerbArgument *argument)
{
    return g_strdelimit(g_strdup(argument->name), "_", '-');
}

/* By its name or an unambiguous beginning of it, as getopt_long() does. */
static const VerbArgument *find_option(const Verb *verb, const char *name)
{
    const VerbArgument *found = NULL;
    guint matches = 0;
    for (const VerbArgument *argument = verb->arguments; argument->name; argument++) {
        g_autofree char *full = option_name(argument);
        if (argument->type == ARGUMENT_SECRET || !g_str_has_prefix(full, name))
            continue;
        if (strcmp(full, name) == 0)
            return argument;
        found = argument;
        matches++;
    }
    return matches == 1 ? found : NULL;
}

static gboolean take_option(Parser *parser, const char *option)
{
    const Verb *verb = parser->command->verb;
    const char *equals = strchr(option, '=');
    g_autofree char *name = equals ? g_strndup(option, (gsize)(equals - option)) : g_strdup(option);
    if (!verb)
        return wrong_here(parser, "There is no option --%s before the command.", name);
    if (strcmp(name, "password") == 0)
        return wrong_here(parser,
                          "Passwords do not go on the command line, where others can see them: use "
                          "--password-stdin%s.",
                          "");
    const VerbArgument *argument = *name ? find_option(verb, name) : NULL;
    if (!argument)
        return wrong_here(parser, "There is no option --%s here.", name);
    if (json_object_has_member(parser->command->args, argument->name))
        return wrong_here(parser, "\"%s\" is given twice.", argument->name);
    if (argument->type == ARGUMENT_BOOLEAN) {
        if (equals)
            return wrong_here(parser, "--%s takes no value.", name);
        json_object_set_boolean_member(parser->command->args, argument->name, TRUE);
        return TRUE;
    }
    const char *value = equals ? equals + 1 : *parser->next ? *parser->next++ : NULL;
    if (!value)
        return wrong_here(parser, "--%s needs a value.", name);
    json_object_set_string_member(parser->command->args, argument->name, value);
    return TRUE;
}

/* TRUE when the token was one of the options that go with every command; *good: whether it made sense. */
static gboolean take_global(Parser *parser, const char *token, gboolean *good)
{
    CliCommand *command = parser->command;
    *good = TRUE;
    if (strcmp(token, "--json") == 0) {
        command->json = TRUE;
    } else if (strcmp(token, "--help") == 0 || strcmp(token, "-h") == 0) {
        command->help = TRUE;
    } else if (strcmp(token, "--version") == 0) {
        command->version = TRUE;
    } else if (strcmp(token, "--password-stdin") == 0) {
        command->password_stdin = TRUE;
    } else if (g_str_has_prefix(token, "--socket=")) {
        command->socket = token + strlen("--socket=");
    } else if (strcmp(token, "--socket") == 0) {
        if (*parser->next)
            command->socket = *parser->next++;
        else
            *good = wrong_here(parser, "%s needs a path.", "--socket");
    } else {
        return FALSE;
    }
    return TRUE;
}

static gboolean take_word(Parser *parser, const char *word)
{
    if (!g_utf8_validate(word, -1, NULL))
        return wrong_here(parser, "An argument is no UTF-8 text%s.", "");
    return parser->command->verb ? take_positional(parser, word) : take_command_word(parser, word);
}

static gboolean take_tokens(Parser *parser)
{
    gboolean good = TRUE, words_only = FALSE;
    while (good && *parser->next) {
        const char *token = *parser->next++;
        if (words_only || token[0] != '-' || token[1] == 0)
            good = take_word(parser, token);
        else if (strcmp(token, "--") == 0)
            words_only = TRUE;
        else if (take_global(parser, token, &good))
            continue;
        else if (token[1] == '-' && g_utf8_validate(token, -1, NULL))
            good = take_option(parser, token + 2);
        else
            good =
                wrong_here(parser, "There is no option %s.", g_utf8_validate(token, -1, NULL) ? token : "-?");
    }
    return good;
}

gboolean cli_parse(int argc, char *argv[], CliCommand *command, CliError *error)
{
    Parser parser = {.command = command, .error = error, .next = argv + MIN(argc, 1)};
    command->args = json_object_new();
    /* Errors are JSON wherever --json stands. */
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        command->json = command->json || strcmp(argv[i], "--json") == 0;
    if (!take_tokens(&parser))
        return FALSE;
    if (command->verb || command->help || command->version)
        return TRUE;
    if (!command->group)
        return wrong(&parser, "fernwerk --help", "No command is given%s.", "");
    g_autofree char *hint = g_strdup_printf("fernwerk %s --help", command->group);
    return wrong(&parser, hint, "\"%s\" needs a second word.", command->group);
}

void cli_command_clear(CliCommand *command)
{
    /* Passwords among them are freed by GLib as they are: scrubbed here first. */
    for (const VerbArgument *argument = command->verb ? command->verb->arguments : NULL;
         argument && argument->name; argument++) {
        const char *text =
            argument->type == ARGUMENT_SECRET
                ? json_object_get_string_member_with_default(command->args, argument->name, NULL)
                : NULL;
        if (text)
            explicit_bzero((char *)text, strlen(text));
    }
    g_clear_pointer(&command->args, json_object_unref);
    g_clear_pointer(&command->group, g_free);
}
