/* What went wrong, for people and for programs. */
#include "broker/cli/cli.h"

#include <stdio.h>
#include <string.h>

void cli_error_set(CliError *error, const char *code, const char *hint, const char *format, ...)
{
    cli_error_clear(error);
    error->code = "failed";
    for (const VerbError *known = verb_errors; known->code; known++)
        if (strcmp(known->code, code) == 0)
            error->code = known->code;
    va_list values;
    va_start(values, format);
    error->message = g_strdup_vprintf(format, values);
    va_end(values);
    error->hint = g_strdup(hint);
}

void cli_error_clear(CliError *error)
{
    g_clear_pointer(&error->message, g_free);
    g_clear_pointer(&error->hint, g_free);
}

static void report_json(const CliError *error)
{
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new(), *inner = json_object_new();
    json_object_set_string_member(inner, "code", error->code);
    json_object_set_string_member(inner, "message", error->message);
    json_object_set_string_member(inner, "hint", error->hint ? error->hint : "");
    json_object_set_object_member(object, "error", inner);
    json_node_take_object(root, object);
    g_autofree char *text = json_to_string(root, FALSE);
    fprintf(stderr, "%s\n", text);
}

int cli_error_report(const CliError *error, gboolean json)
{
    if (json) {
        report_json(error);
    } else {
        fprintf(stderr, "fernwerk: %s\n", error->message);
        if (error->hint)
            fprintf(stderr, "Hint: %s\n", error->hint);
    }
    for (const VerbError *known = verb_errors; known->code; known++)
        if (strcmp(known->code, error->code) == 0)
            return known->exit;
    return 1;
}
