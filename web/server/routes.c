/* Matching of methods and paths against the broker's table. */
#include "web/server/routes.h"

#include "web/server/headers.h"

#include <gio/gio.h>
#include <string.h>

#define ROUTES_MAX 256
#define PATH_MAX_BYTES 512
#define SEGMENTS_MAX 8
#define NAME_MAX_BYTES 63

typedef struct {
    char *name;
    gboolean integer;
} QueryArgument;

typedef struct {
    char *verb, *method;
    char **segments; /* "{name}" is a capture */
    GArray *query;   /* of QueryArgument */
} Route;

struct Routes {
    GPtrArray *routes;
};

static void query_argument_clear(gpointer data)
{
    g_free(((QueryArgument *)data)->name);
}

static void route_free(gpointer data)
{
    Route *route = data;
    g_free(route->verb);
    g_free(route->method);
    g_strfreev(route->segments);
    g_array_unref(route->query);
    g_free(route);
}

static const char *string_member(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

static void add_query(Route *route, JsonObject *entry)
{
    JsonNode *node = json_object_get_member(entry, "query");
    if (!node || !JSON_NODE_HOLDS_ARRAY(node))
        return;
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *item = json_array_get_element(array, i);
        const char *name =
            JSON_NODE_HOLDS_OBJECT(item) ? string_member(json_node_get_object(item), "name") : NULL;
        if (!name)
            continue;
        const char *type = string_member(json_node_get_object(item), "type");
        QueryArgument argument = {g_strdup(name), g_strcmp0(type, "integer") == 0};
        g_array_append_val(route->query, argument);
    }
}

static Route *route_new(JsonObject *entry)
{
    const char *verb = string_member(entry, "verb"), *method = string_member(entry, "method");
    const char *path = string_member(entry, "path");
    if (!verb || !method || !path)
        return NULL;
    if (g_str_has_prefix(path, "/api/v1/"))
        path += strlen("/api/v1/");
    while (*path == '/')
        path++;
    g_auto(GStrv) segments = g_strsplit(path, "/", SEGMENTS_MAX + 1);
    if (!*path || g_strv_length(segments) > SEGMENTS_MAX)
        return NULL;
    Route *route = g_new0(Route, 1);
    route->verb = g_strdup(verb);
    route->method = g_strdup(method);
    route->segments = g_steal_pointer(&segments);
    route->query = g_array_new(FALSE, FALSE, sizeof(QueryArgument));
    g_array_set_clear_func(route->query, query_argument_clear);
    add_query(route, entry);
    return route;
}

Routes *routes_new(JsonNode *table, GError **error)
{
    if (!table || !JSON_NODE_HOLDS_ARRAY(table)) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                            "the broker's table of routes is no array");
        return NULL;
    }
    JsonArray *array = json_node_get_array(table);
    Routes *routes = g_new0(Routes, 1);
    routes->routes = g_ptr_array_new_with_free_func(route_free);
    for (guint i = 0; i < json_array_get_length(array) && routes->routes->len < ROUTES_MAX; i++) {
        JsonNode *item = json_array_get_element(array, i);
        Route *route = JSON_NODE_HOLDS_OBJECT(item) ? route_new(json_node_get_object(item)) : NULL;
        if (route)
            g_ptr_array_add(routes->routes, route);
    }
    return routes;
}

void routes_free(Routes *routes)
{
    if (!routes)
        return;
    g_ptr_array_unref(routes->routes);
    g_free(routes);
}

guint routes_count(const Routes *routes)
{
    return routes->routes->len;
}

static gboolean is_name(const char *text)
{
    gsize length = strlen(text);
    if (length == 0 || length > NAME_MAX_BYTES || !g_ascii_isalnum(*text))
        return FALSE;
    for (const char *p = text; *p; p++)
        if (!g_ascii_isalnum(*p) && !strchr("._-", *p))
            return FALSE;
    return TRUE;
}

static gboolean is_capture(const char *segment)
{
    gsize length = strlen(segment);
    return length > 2 && segment[0] == '{' && segment[length - 1] == '}';
}

static gboolean path_fits(const Route *route, char **path)
{
    guint i;
    for (i = 0; route->segments[i] && path[i]; i++) {
        if (is_capture(route->segments[i]) ? !is_name(path[i]) : strcmp(route->segments[i], path[i]) != 0)
            return FALSE;
    }
    return !route->segments[i] && !path[i];
}

/* A literal segment wins over a capture, so "users/me" and "users/{name}" can both exist. */
static guint captures(const Route *route)
{
    guint n = 0;
    for (char **segment = route->segments; *segment; segment++)
        n += is_capture(*segment);
    return n;
}

static void set_captures(const Route *route, char **path, JsonObject *args)
{
    for (guint i = 0; route->segments[i]; i++) {
        if (!is_capture(route->segments[i]))
            continue;
        g_autofree char *name = g_strndup(route->segments[i] + 1, strlen(route->segments[i]) - 2);
        json_object_set_string_member(args, name, path[i]);
    }
}

static void set_query(const Route *route, const char *query, JsonObject *args)
{
    for (guint i = 0; i < route->query->len; i++) {
        const QueryArgument *argument = &g_array_index(route->query, QueryArgument, i);
        g_autofree char *value = query_value(query, argument->name);
        gint64 number;
        if (!value)
            continue;
        if (argument->integer && g_ascii_string_to_signed(value, 10, G_MININT64, G_MAXINT64, &number, NULL))
            json_object_set_int_member(args, argument->name, number);
        else
            json_object_set_string_member(args, argument->name, value);
    }
}

RouteResult routes_match(const Routes *routes, const char *method, const char *path, const char *query,
                         JsonObject *args, const char **verb)
{
    const Route *best = NULL;
    gboolean path_known = FALSE;

    if (strlen(path) > PATH_MAX_BYTES)
        return ROUTE_NO_PATH;
    g_auto(GStrv) segments = g_strsplit(path, "/", SEGMENTS_MAX + 1);
    for (guint i = 0; i < routes->routes->len; i++) {
        const Route *route = g_ptr_array_index(routes->routes, i);
        if (!path_fits(route, segments))
            continue;
        path_known = TRUE;
        if (strcmp(route->method, method) == 0 && (!best || captures(route) < captures(best)))
            best = route;
    }
    if (!best)
        return path_known ? ROUTE_NO_METHOD : ROUTE_NO_PATH;
    set_captures(best, segments, args);
    set_query(best, query, args);
    *verb = best->verb;
    return ROUTE_FOUND;
}
