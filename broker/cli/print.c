/* Answers: one JSON document for programs, aligned tables for people. */
#include "broker/cli/cli.h"

#include <stdio.h>
#include <string.h>

/* What others chose must not steer the terminal. */
static char *harmless(const char *text)
{
    GString *out = g_string_new(NULL);
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        g_string_append_unichar(out, g_unichar_isprint(c) ? c : '?');
    }
    return g_string_free(out, FALSE);
}

static char *cell(JsonNode *node)
{
    if (!node || JSON_NODE_HOLDS_NULL(node))
        return g_strdup("-");
    if (!JSON_NODE_HOLDS_VALUE(node))
        return json_to_string(node, FALSE);
    if (json_node_get_value_type(node) == G_TYPE_BOOLEAN)
        return g_strdup(json_node_get_boolean(node) ? "yes" : "no");
    if (json_node_get_value_type(node) == G_TYPE_STRING) {
        const char *text = json_node_get_string(node);
        return *text ? harmless(text) : g_strdup("-");
    }
    return json_to_string(node, FALSE);
}

static void pad(const char *text, glong width)
{
    fputs(text, stdout);
    for (glong used = g_utf8_strlen(text, -1); used < width; used++)
        putchar(' ');
}

/* Names in the first row; the last column is not padded. */
static void print_table(const char *const *names, guint columns, JsonArray *rows)
{
    guint count = json_array_get_length(rows);
    g_autofree glong *widths = g_new0(glong, columns);
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
    for (guint column = 0; column < columns; column++)
        g_ptr_array_add(cells, g_ascii_strup(names[column], -1));
    for (guint row = 0; row < count; row++)
        for (guint column = 0; column < columns; column++)
            g_ptr_array_add(
                cells, cell(json_object_get_member(json_array_get_object_element(rows, row), names[column])));
    for (guint i = 0; i < cells->len; i++)
        widths[i % columns] = MAX(widths[i % columns], g_utf8_strlen(cells->pdata[i], -1));
    for (guint i = 0; i < cells->len; i++) {
        gboolean last = i % columns == columns - 1;
        pad(cells->pdata[i], last ? 0 : widths[i % columns] + 2);
        if (last)
            putchar('\n');
    }
}

static void print_list(const VerbObjectTable *table, JsonArray *rows)
{
    const char *names[VERB_FIELDS_MAX];
    guint columns = 0;
    for (const VerbField *field = table->fields; field->name; field++)
        if (field->column)
            names[columns++] = field->name;
    print_table(names, columns, rows);
}

static void print_object(const VerbObjectTable *table, JsonObject *object)
{
    glong width = 0;
    for (const VerbField *field = table->fields; field->name; field++)
        width = MAX(width, (glong)strlen(field->name));
    for (const VerbField *field = table->fields; field->name; field++) {
        JsonNode *node = json_object_get_member(object, field->name);
        if (field->type == FIELD_OBJECTS)
            continue;
        g_autofree char *value = cell(node);
        pad(field->name, width + 2);
        printf("%s\n", value);
    }
}

static void print_status(const VerbObjectTable *table, JsonObject *object)
{
    static const char *const columns[] = {"kind", "id", "pid", "user", "desktop"};
    print_object(table, object);
    JsonNode *processes = json_object_get_member(object, "processes");
    if (processes && JSON_NODE_HOLDS_ARRAY(processes)) {
        putchar('\n');
        print_table(columns, G_N_ELEMENTS(columns), json_node_get_array(processes));
    }
}

void cli_print(const Verb *verb, JsonNode *result, gboolean json)
{
    const VerbObjectTable *table = &verb_objects[verb->object];
    if (json) {
        g_autofree char *text = json_to_string(result, FALSE);
        printf("%s\n", text);
    } else if (JSON_NODE_HOLDS_ARRAY(result)) {
        print_list(table, json_node_get_array(result));
    } else if (JSON_NODE_HOLDS_OBJECT(result) && verb->object == OBJECT_STATUS) {
        print_status(table, json_node_get_object(result));
    } else if (JSON_NODE_HOLDS_OBJECT(result)) {
        print_object(table, json_node_get_object(result));
    }
}
