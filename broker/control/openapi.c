/* The verb table as REST routes and as an OpenAPI 3.0 document. */
#include "broker/control/verbs.h"

#include <string.h>

static const char *role_name(VerbRole role)
{
    static const char *const names[] = {"any", "user", "admin"};
    return names[role];
}

static gboolean in_path(const Verb *verb, const VerbArgument *argument)
{
    g_autofree char *capture = g_strdup_printf("{%s}", argument->name);
    return verb->route && strstr(verb->route, capture) != NULL;
}

static gboolean in_query(const Verb *verb, const VerbArgument *argument)
{
    return strcmp(verb->method, "GET") == 0 && !in_path(verb, argument);
}

static const char *json_type(const VerbArgument *argument)
{
    return argument->type == ARGUMENT_INTEGER   ? "integer"
           : argument->type == ARGUMENT_BOOLEAN ? "boolean"
                                                : "string";
}

JsonNode *verb_routes(void)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_array(builder);
    for (const Verb *verb = verbs; verb < verbs + VERB_COUNT; verb++) {
        if (!verb->route)
            continue;
        json_builder_begin_object(builder);
        json_builder_set_member_name(builder, "verb");
        json_builder_add_string_value(builder, verb->name);
        json_builder_set_member_name(builder, "method");
        json_builder_add_string_value(builder, verb->method);
        json_builder_set_member_name(builder, "path");
        json_builder_add_string_value(builder, verb->route);
        json_builder_set_member_name(builder, "role");
        json_builder_add_string_value(builder, role_name(verb->role));
        json_builder_set_member_name(builder, "query");
        json_builder_begin_array(builder);
        for (const VerbArgument *argument = verb->arguments; argument->name; argument++) {
            if (!in_query(verb, argument))
                continue;
            json_builder_begin_object(builder);
            json_builder_set_member_name(builder, "name");
            json_builder_add_string_value(builder, argument->name);
            json_builder_set_member_name(builder, "type");
            json_builder_add_string_value(builder, json_type(argument));
            json_builder_end_object(builder);
        }
        json_builder_end_array(builder);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    return json_builder_get_root(builder);
}

/* ---- OpenAPI ---- */

static JsonObject *member_object(JsonObject *parent, const char *name)
{
    if (json_object_has_member(parent, name))
        return json_object_get_object_member(parent, name);
    JsonObject *child = json_object_new();
    json_object_set_object_member(parent, name, child);
    return child;
}

static JsonObject *reference(VerbObject object)
{
    JsonObject *schema = json_object_new();
    g_autofree char *target = g_strdup_printf("#/components/schemas/%s", verb_objects[object].name);
    json_object_set_string_member(schema, "$ref", target);
    return schema;
}

static JsonObject *argument_schema(const VerbArgument *argument)
{
    JsonObject *schema = json_object_new();
    json_object_set_string_member(schema, "type", json_type(argument));
    json_object_set_string_member(schema, "description", argument->text);
    if (argument->type == ARGUMENT_INTEGER) {
        json_object_set_int_member(schema, "minimum", argument->minimum);
        json_object_set_int_member(schema, "maximum", argument->maximum);
        if (argument->preset)
            json_object_set_int_member(schema, "default", g_ascii_strtoll(argument->preset, NULL, 10));
    } else if (argument->type == ARGUMENT_NAME) {
        json_object_set_string_member(schema, "pattern", "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$");
    } else if (argument->type == ARGUMENT_BOOLEAN) {
        if (argument->preset)
            json_object_set_boolean_member(schema, "default", strcmp(argument->preset, "true") == 0);
    } else {
        if (argument->type == ARGUMENT_SECRET)
            json_object_set_string_member(schema, "format", "password");
        if (argument->maximum > 0)
            json_object_set_int_member(schema, "maxLength", argument->maximum);
        if (argument->preset)
            json_object_set_string_member(schema, "default", argument->preset);
    }
    if (argument->choices) {
        JsonArray *values = json_array_new();
        g_auto(GStrv) choices = g_strsplit(argument->choices, "|", -1);
        for (char **choice = choices; *choice; choice++)
            json_array_add_string_element(values, *choice);
        json_object_set_array_member(schema, "enum", values);
    }
    return schema;
}

static void add_parameters(const Verb *verb, JsonObject *operation)
{
    JsonArray *parameters = json_array_new();
    for (const VerbArgument *argument = verb->arguments; argument->name; argument++) {
        gboolean path = in_path(verb, argument);
        if (!path && !in_query(verb, argument))
            continue;
        JsonObject *parameter = json_object_new();
        json_object_set_string_member(parameter, "name", argument->name);
        json_object_set_string_member(parameter, "in", path ? "path" : "query");
        json_object_set_boolean_member(parameter, "required", path || argument->required);
        json_object_set_object_member(parameter, "schema", argument_schema(argument));
        json_array_add_object_element(parameters, parameter);
    }
    json_object_set_array_member(operation, "parameters", parameters);
}

static void add_body(const Verb *verb, JsonObject *operation)
{
    g_autoptr(JsonObject) schema = json_object_new();
    JsonObject *properties = member_object(schema, "properties");
    g_autoptr(JsonArray) required = json_array_new();
    json_object_set_string_member(schema, "type", "object");
    for (const VerbArgument *argument = verb->arguments; argument->name; argument++) {
        if (in_path(verb, argument) || in_query(verb, argument))
            continue;
        json_object_set_object_member(properties, argument->name, argument_schema(argument));
        if (argument->required)
            json_array_add_string_element(required, argument->name);
    }
    if (json_object_get_size(properties) == 0)
        return;
    if (json_array_get_length(required) > 0)
        json_object_set_array_member(schema, "required", json_array_ref(required));
    JsonObject *body = member_object(operation, "requestBody");
    JsonObject *media = member_object(member_object(body, "content"), "application/json");
    json_object_set_object_member(media, "schema", json_object_ref(schema));
}

static const char *media_type(VerbObject object)
{
    return object == OBJECT_THUMBNAIL  ? "image/png"
           : object == OBJECT_RDP_FILE ? "application/x-rdp"
                                       : "application/json";
}

static void add_error_response(JsonObject *responses)
{
    JsonObject *bad = member_object(responses, "default");
    json_object_set_string_member(bad, "description", "An error: its code says which.");
    JsonObject *schema = json_object_new();
    json_object_set_string_member(schema, "$ref", "#/components/schemas/Error");
    json_object_set_object_member(member_object(member_object(bad, "content"), "application/json"), "schema",
                                  schema);
}

static void add_responses(const Verb *verb, JsonObject *operation)
{
    JsonObject *responses = member_object(operation, "responses");
    JsonObject *good = member_object(responses, "200");
    json_object_set_string_member(good, "description", "Done.");
    JsonObject *media = member_object(member_object(good, "content"), media_type(verb->object));
    if (strcmp(media_type(verb->object), "application/json") != 0) {
        JsonObject *schema = member_object(media, "schema");
        json_object_set_string_member(schema, "type", "string");
        json_object_set_string_member(schema, "format", "binary");
    } else if (verb->list) {
        JsonObject *schema = member_object(media, "schema");
        json_object_set_string_member(schema, "type", "array");
        json_object_set_object_member(schema, "items", reference(verb->object));
    } else {
        json_object_set_object_member(media, "schema", reference(verb->object));
    }
    add_error_response(responses);
}

static void add_operation(const Verb *verb, JsonObject *paths)
{
    g_autofree char *path = g_strconcat("/", verb->route, NULL);
    g_autofree char *method = g_ascii_strdown(verb->method, -1);
    JsonObject *operation = member_object(member_object(paths, path), method);
    json_object_set_string_member(operation, "operationId", verb->name);
    json_object_set_string_member(operation, "summary", verb->text);
    JsonArray *tags = json_array_new();
    json_array_add_string_element(tags, verb->role == ROLE_ADMIN ? "admin" : "portal");
    json_object_set_array_member(operation, "tags", tags);
    if (verb->role == ROLE_ANY)
        json_object_set_array_member(operation, "security", json_array_new());
    add_parameters(verb, operation);
    add_body(verb, operation);
    add_responses(verb, operation);
}

/* What fernwerk-web answers without asking the broker. */
static void add_web_operations(JsonObject *paths)
{
    static const struct {
        const char *path, *id, *text, *media, *schema;
    } operations[] = {
        {"/certificate", "web.certificate", "Tells the fingerprint of this server's certificate.",
         "application/json", "#/components/schemas/Certificate"},
        {"/ca.pem", "web.ca",
         "Gives the certificate of this server's own authority; 404 when it has a certificate of another.",
         "application/x-pem-file", NULL},
        {"/openapi.json", "web.openapi", "Gives this document.", "application/json", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(operations); i++) {
        JsonObject *operation = member_object(member_object(paths, operations[i].path), "get");
        json_object_set_string_member(operation, "operationId", operations[i].id);
        json_object_set_string_member(operation, "summary", operations[i].text);
        JsonArray *tags = json_array_new();
        json_array_add_string_element(tags, "web");
        json_object_set_array_member(operation, "tags", tags);
        json_object_set_array_member(operation, "security", json_array_new());
        json_object_set_array_member(operation, "parameters", json_array_new());
        JsonObject *responses = member_object(operation, "responses");
        JsonObject *good = member_object(responses, "200");
        json_object_set_string_member(good, "description", "Done.");
        JsonObject *schema =
            member_object(member_object(member_object(good, "content"), operations[i].media), "schema");
        if (operations[i].schema)
            json_object_set_string_member(schema, "$ref", operations[i].schema);
        else
            json_object_set_string_member(
                schema, "type", g_str_has_suffix(operations[i].media, "json") ? "object" : "string");
        add_error_response(responses);
    }
}

static JsonObject *object_schema(const VerbObjectTable *table)
{
    JsonObject *schema = json_object_new();
    json_object_set_string_member(schema, "type", "object");
    JsonObject *properties = member_object(schema, "properties");
    JsonArray *required = json_array_new();
    for (const VerbField *field = table->fields; field->name; field++) {
        static const char *const types[] = {"string", "string", "integer", "boolean", "array"};
        JsonObject *property = member_object(properties, field->name);
        json_object_set_string_member(property, "type", types[field->type]);
        if (field->type == FIELD_OPTIONAL_TEXT)
            json_object_set_boolean_member(property, "nullable", TRUE);
        if (field->type == FIELD_OBJECTS)
            json_object_set_string_member(member_object(property, "items"), "type", "object");
        json_array_add_string_element(required, field->name);
    }
    if (json_array_get_length(required) > 0)
        json_object_set_array_member(schema, "required", required);
    else
        json_array_unref(required);
    return schema;
}

static void add_components(JsonObject *document)
{
    JsonObject *components = member_object(document, "components");
    JsonObject *schemas = member_object(components, "schemas");
    for (guint i = 0; i < OBJECT_COUNT; i++)
        if (i != OBJECT_ROUTE && i != OBJECT_OPENAPI)
            json_object_set_object_member(schemas, verb_objects[i].name, object_schema(&verb_objects[i]));
    /* Only the portal's own list has these two. */
    JsonObject *desktop = member_object(json_object_get_object_member(schemas, "Desktop"), "properties");
    json_object_set_string_member(member_object(desktop, "connected"), "type", "boolean");
    JsonObject *connection = member_object(desktop, "connection");
    json_object_set_string_member(connection, "type", "object");
    json_object_set_boolean_member(connection, "nullable", TRUE);
    static const VerbObjectTable certificate = {"Certificate",
                                                {{"fingerprint_sha256", FIELD_TEXT, FALSE},
                                                 {"ca", FIELD_BOOLEAN, FALSE},
                                                 {"ca_fingerprint_sha256", FIELD_OPTIONAL_TEXT, FALSE}}};
    json_object_set_object_member(schemas, certificate.name, object_schema(&certificate));
    JsonObject *error = member_object(schemas, "Error");
    json_object_set_string_member(error, "type", "object");
    JsonObject *inner = member_object(member_object(error, "properties"), "error");
    json_object_set_string_member(inner, "type", "object");
    static const char *const members[] = {"code", "message", "hint"};
    for (guint i = 0; i < G_N_ELEMENTS(members); i++)
        json_object_set_string_member(member_object(member_object(inner, "properties"), members[i]), "type",
                                      "string");
    json_object_set_string_member(member_object(member_object(inner, "properties"), "retry_after_ms"), "type",
                                  "integer");
    JsonObject *cookie = member_object(member_object(components, "securitySchemes"), "session");
    json_object_set_string_member(cookie, "type", "apiKey");
    json_object_set_string_member(cookie, "in", "cookie");
    json_object_set_string_member(cookie, "name", "__Host-fernwerk");
}

JsonNode *verb_openapi(const char *version)
{
    JsonObject *document = json_object_new();
    json_object_set_string_member(document, "openapi", "3.0.3");
    JsonObject *info = member_object(document, "info");
    json_object_set_string_member(info, "title", "Fernwerk");
    json_object_set_string_member(info, "version", version);
    JsonArray *servers = json_array_new();
    JsonObject *server = json_object_new();
    json_object_set_string_member(server, "url", "/api/v1");
    json_array_add_object_element(servers, server);
    json_object_set_array_member(document, "servers", servers);
    JsonObject *paths = member_object(document, "paths");
    for (const Verb *verb = verbs; verb < verbs + VERB_COUNT; verb++)
        if (verb->route)
            add_operation(verb, paths);
    add_web_operations(paths);
    add_components(document);
    JsonArray *security = json_array_new();
    JsonObject *scheme = json_object_new();
    json_object_set_array_member(scheme, "session", json_array_new());
    json_array_add_object_element(security, scheme);
    json_object_set_array_member(document, "security", security);
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, document);
    return node;
}
