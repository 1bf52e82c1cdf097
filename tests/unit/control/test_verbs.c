/* The verb table is consistent, and what is made from it too. */
#include "broker/control/verbs.h"
#include "tests/unit/suite.h"

#include <string.h>

START_TEST(every_verb_has_what_it_needs)
{
    for (const Verb *verb = verbs; verb < verbs + VERB_COUNT; verb++) {
        ck_assert_ptr_nonnull(verb->name);
        ck_assert_ptr_nonnull(verb->text);
        ck_assert_ptr_eq(verb_find(verb->name), verb);
        ck_assert(!verb->route == !verb->method);
        ck_assert_msg(!verb->command || verb->role == ROLE_ADMIN, "%s", verb->name);
        if (verb->method && strcmp(verb->method, "GET") == 0)
            ck_assert_msg(!verb->changes, "%s changes by GET", verb->name);
        else if (verb->method)
            ck_assert_msg(verb->changes, "%s", verb->name);
        ck_assert_ptr_nonnull(verb_objects[verb->object].name);
    }
}
END_TEST

START_TEST(no_two_verbs_share_a_route)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (const Verb *verb = verbs; verb < verbs + VERB_COUNT; verb++)
        if (verb->route)
            ck_assert_msg(g_hash_table_add(seen, g_strconcat(verb->method, " ", verb->route, NULL)), "%s",
                          verb->route);
}
END_TEST

START_TEST(presets_pass_their_own_checks)
{
    for (const Verb *verb = verbs; verb < verbs + VERB_COUNT; verb++) {
        g_autoptr(JsonObject) given = json_object_new();
        g_autofree char *problem = NULL;
        for (const VerbArgument *argument = verb->arguments; argument->name; argument++) {
            if (argument->preset)
                continue;
            ck_assert_msg(argument->required, "%s of %s is neither required nor preset", argument->name,
                          verb->name);
            if (argument->type == ARGUMENT_CHOICE)
                json_object_set_string_member(given, argument->name, "start");
            else if (argument->type == ARGUMENT_INTEGER)
                json_object_set_int_member(given, argument->name, argument->minimum);
            else
                json_object_set_string_member(given, argument->name, "x");
        }
        g_autoptr(JsonObject) once = verb_arguments(verb, given, &problem);
        ck_assert_msg(once != NULL, "%s: %s", verb->name, problem);
        g_autoptr(JsonObject) twice = verb_arguments(verb, once, &problem);
        ck_assert_msg(twice != NULL, "%s: %s", verb->name, problem);
    }
}
END_TEST

static gboolean accepts(const char *verb, const char *json)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autofree char *problem = NULL;
    ck_assert(json_parser_load_from_data(parser, json, -1, NULL));
    g_autoptr(JsonObject) checked =
        verb_arguments(verb_find(verb), json_node_get_object(json_parser_get_root(parser)), &problem);
    ck_assert((checked != NULL) == (problem == NULL));
    return checked != NULL;
}

START_TEST(arguments_are_checked_by_type_and_limit)
{
    ck_assert(accepts("session.kill", "{\"id\":1}"));
    ck_assert(accepts("session.kill", "{\"id\":\"17\"}"));
    ck_assert(!accepts("session.kill", "{\"id\":0}"));
    ck_assert(!accepts("session.kill", "{\"id\":1.5}"));
    ck_assert(!accepts("session.kill", "{\"id\":\"1x\"}"));
    ck_assert(!accepts("session.kill", "{\"id\":\"99999999999999999999\"}"));
    ck_assert(!accepts("session.kill", "{\"id\":null}"));
    ck_assert(accepts("audit", "{\"limit\":1000}"));
    ck_assert(!accepts("audit", "{\"limit\":1001}"));
    ck_assert(!accepts("user.add", "{\"name\":\"a\",\"password\":\"x\",\"admin\":\"yes\"}"));
    ck_assert(!accepts("user.add", "{\"name\":\"a\",\"password\":\"\"}"));
    ck_assert(!accepts("template.add", "{\"name\":\"t\",\"image\":\"relative\"}"));
    ck_assert(!accepts("template.add", "{\"name\":\"t\",\"image\":\"/a\\nb\"}"));
    ck_assert(!accepts("template.add", "{\"name\":\"t\",\"video\":\"virtio|vga\"}"));
}
END_TEST

START_TEST(names_have_their_form)
{
    static const char *const good[] = {"a", "A9", "a.b-c_d", "0"};
    static const char *const bad[] = {"", ".a", "-a", "_a", "a b", "a/b", "ä", "a\n"};
    g_autofree char *longest = g_strnfill(63, 'a'), *too_long = g_strnfill(64, 'a');
    for (guint i = 0; i < G_N_ELEMENTS(good); i++)
        ck_assert(verb_is_name(good[i]));
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        ck_assert(!verb_is_name(bad[i]));
    ck_assert(verb_is_name(longest));
    ck_assert(!verb_is_name(too_long));
}
END_TEST

START_TEST(routes_name_every_rest_verb_with_its_query_arguments)
{
    g_autoptr(JsonNode) routes = verb_routes();
    JsonArray *array = json_node_get_array(routes);
    guint expected = 0, audits = 0;
    for (const Verb *verb = verbs; verb < verbs + VERB_COUNT; verb++)
        expected += verb->route != NULL;
    ck_assert_uint_eq(json_array_get_length(array), expected);
    for (guint i = 0; i < expected; i++) {
        JsonObject *route = json_array_get_object_element(array, i);
        if (strcmp(json_object_get_string_member(route, "verb"), "audit") == 0)
            audits = json_array_get_length(json_object_get_array_member(route, "query"));
    }
    ck_assert_uint_eq(audits, 2);
}
END_TEST

START_TEST(the_openapi_document_describes_every_operation_and_has_no_dangling_reference)
{
    g_autoptr(JsonNode) node = verb_openapi("1.2.3");
    JsonObject *document = json_node_get_object(node),
               *paths = json_object_get_object_member(document, "paths");
    JsonObject *schemas =
        json_object_get_object_member(json_object_get_object_member(document, "components"), "schemas");
    for (const Verb *verb = verbs; verb < verbs + VERB_COUNT; verb++) {
        if (!verb->route)
            continue;
        g_autofree char *path = g_strconcat("/", verb->route, NULL),
                        *method = g_ascii_strdown(verb->method, -1);
        JsonObject *operation =
            json_object_get_object_member(json_object_get_object_member(paths, path), method);
        ck_assert_str_eq(json_object_get_string_member(operation, "operationId"), verb->name);
    }
    static const char *const of_the_web[] = {"/certificate", "/ca.pem", "/openapi.json"};
    for (guint i = 0; i < G_N_ELEMENTS(of_the_web); i++) {
        ck_assert_msg(json_object_has_member(paths, of_the_web[i]), "%s", of_the_web[i]);
        ck_assert(json_object_has_member(json_object_get_object_member(paths, of_the_web[i]), "get"));
    }
    g_autofree char *text = json_to_string(node, FALSE);
    for (const char *at = strstr(text, "#/components/schemas/"); at;
         at = strstr(at + 1, "#/components/schemas/")) {
        const char *name = at + strlen("#/components/schemas/");
        g_autofree char *schema = g_strndup(name, strcspn(name, "\""));
        ck_assert_msg(json_object_has_member(schemas, schema), "%s", schema);
    }
}
END_TEST

START_TEST(the_manual_describes_every_command)
{
    g_autofree char *manual = NULL;
    ck_assert(g_file_get_contents(DOCUMENTATION, &manual, NULL, NULL));
    for (const Verb *verb = verbs; verb < verbs + VERB_COUNT; verb++) {
        g_autofree char *heading = verb->command ? g_strdup_printf("`fernwerk %s", verb->command) : NULL;
        ck_assert_msg(!heading || strstr(manual, heading), "docs/cli.md does not describe %s", verb->command);
    }
}
END_TEST

int main(void)
{
    TCase *all = tcase_create("all");
    tcase_add_test(all, every_verb_has_what_it_needs);
    tcase_add_test(all, no_two_verbs_share_a_route);
    tcase_add_test(all, presets_pass_their_own_checks);
    tcase_add_test(all, arguments_are_checked_by_type_and_limit);
    tcase_add_test(all, names_have_their_form);
    tcase_add_test(all, routes_name_every_rest_verb_with_its_query_arguments);
    tcase_add_test(all, the_openapi_document_describes_every_operation_and_has_no_dangling_reference);
    tcase_add_test(all, the_manual_describes_every_command);
    return suite_run("verbs", all);
}
