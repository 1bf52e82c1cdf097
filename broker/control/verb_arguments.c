/* Looking verbs up and checking what they are called with. */
#include "broker/control/verbs.h"

#include <string.h>

#define NAME_MAX_BYTES 63

const Verb *verb_find(const char *name)
{
    for (guint i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

VerbId verb_id(const Verb *verb)
{
    return (VerbId)(verb - verbs);
}

gboolean verb_is_name(const char *text)
{
    gsize length = strlen(text);
    return length > 0 && length <= NAME_MAX_BYTES && g_ascii_isalnum(*text) &&
           strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-") == length;
}

static gboolean is_plain(const char *text)
{
    if (!g_utf8_validate(text, -1, NULL))
        return FALSE;
    for (const char *p = text; *p; p = g_utf8_next_char(p))
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return FALSE;
    return TRUE;
}

static gboolean is_choice(const char *choices, const char *text)
{
    g_auto(GStrv) all = g_strsplit(choices, "|", -1);
    return g_strv_contains((const char *const *)all, text);
}

static char *check_text(const VerbArgument *argument, const char *text)
{
    const char *name = argument->name;
    gsize length = strlen(text);
    if (argument->type == ARGUMENT_NAME)
        return verb_is_name(text)
                   ? NULL
                   : g_strdup_printf("\"%s\" must be a name: 1 to 63 of A-Z a-z 0-9 . _ -, a letter or "
                                     "digit first.",
                                     name);
    if (argument->type == ARGUMENT_CHOICE)
        return is_choice(argument->choices, text)
                   ? NULL
                   : g_strdup_printf("\"%s\" must be one of %s.", name, argument->choices);
    if (argument->required && length == 0)
        return g_strdup_printf("\"%s\" is empty.", name);
    if (length > (gsize)argument->maximum)
        return g_strdup_printf("\"%s\" is longer than %" G_GINT64_FORMAT " bytes.", name, argument->maximum);
    if (argument->type == ARGUMENT_SECRET)
        return NULL;
    if (!is_plain(text))
        return g_strdup_printf("\"%s\" contains control characters or is no UTF-8.", name);
    if (argument->type == ARGUMENT_PATH && length > 0 && *text != '/')
        return g_strdup_printf("\"%s\" must be an absolute path.", name);
    return NULL;
}

static char *take_integer(const VerbArgument *argument, JsonNode *node, JsonObject *out)
{
    gint64 number = 0;
    gboolean good = FALSE;
    if (json_node_get_value_type(node) == G_TYPE_INT64) {
        number = json_node_get_int(node);
        good = TRUE;
    } else if (json_node_get_value_type(node) == G_TYPE_STRING) {
        good =
            g_ascii_string_to_signed(json_node_get_string(node), 10, G_MININT64, G_MAXINT64, &number, NULL);
    }
    if (!good || number < argument->minimum || number > argument->maximum)
        return g_strdup_printf("\"%s\" must be a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT ".",
                               argument->name, argument->minimum, argument->maximum);
    json_object_set_int_member(out, argument->name, number);
    return NULL;
}

static char *take(const VerbArgument *argument, JsonNode *node, JsonObject *out)
{
    if (!JSON_NODE_HOLDS_VALUE(node))
        return g_strdup_printf("\"%s\" has the wrong type.", argument->name);
    if (argument->type == ARGUMENT_INTEGER)
        return take_integer(argument, node, out);
    if (argument->type == ARGUMENT_BOOLEAN) {
        if (json_node_get_value_type(node) != G_TYPE_BOOLEAN)
            return g_strdup_printf("\"%s\" must be true or false.", argument->name);
        json_object_set_boolean_member(out, argument->name, json_node_get_boolean(node));
        return NULL;
    }
    if (json_node_get_value_type(node) != G_TYPE_STRING)
        return g_strdup_printf("\"%s\" must be text.", argument->name);
    const char *text = json_node_get_string(node);
    char *problem = check_text(argument, text);
    if (!problem)
        json_object_set_string_member(out, argument->name, text);
    return problem;
}

static void take_preset(const VerbArgument *argument, JsonObject *out)
{
    if (argument->type == ARGUMENT_INTEGER)
        json_object_set_int_member(out, argument->name, g_ascii_strtoll(argument->preset, NULL, 10));
    else if (argument->type == ARGUMENT_BOOLEAN)
        json_object_set_boolean_member(out, argument->name, strcmp(argument->preset, "true") == 0);
    else
        json_object_set_string_member(out, argument->name, argument->preset);
}

static char *find_unknown(const Verb *verb, JsonObject *given)
{
    g_autoptr(GList) members = json_object_get_members(given);
    for (GList *link = members; link; link = link->next) {
        gboolean known = FALSE;
        for (const VerbArgument *argument = verb->arguments; argument->name && !known; argument++)
            known = strcmp(argument->name, link->data) == 0;
        if (!known)
            return g_strdup_printf("%s takes no argument \"%.64s\".", verb->name, (const char *)link->data);
    }
    return NULL;
}

JsonObject *verb_arguments(const Verb *verb, JsonObject *given, char **problem)
{
    g_autoptr(JsonObject) out = json_object_new();
    *problem = given ? find_unknown(verb, given) : NULL;
    for (const VerbArgument *argument = verb->arguments; argument->name && !*problem; argument++) {
        JsonNode *node = given ? json_object_get_member(given, argument->name) : NULL;
        if (node && !JSON_NODE_HOLDS_NULL(node))
            *problem = take(argument, node, out);
        else if (argument->required)
            *problem = g_strdup_printf("\"%s\" is missing.", argument->name);
        else if (argument->preset)
            take_preset(argument, out);
    }
    return *problem ? NULL : g_steal_pointer(&out);
}
