/* Methods, paths and query strings against a table of routes: "METHOD path?query". */
#include "web/server/routes.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char table[] = "[{\"verb\":\"a\",\"method\":\"GET\",\"path\":\"users\"},"
                            "{\"verb\":\"b\",\"method\":\"DELETE\",\"path\":\"users/{name}\"},"
                            "{\"verb\":\"c\",\"method\":\"PUT\",\"path\":\"desktops/{desktop}/assignment\"},"
                            "{\"verb\":\"d\",\"method\":\"GET\",\"path\":\"audit\",\"query\":[{\"name\":"
                            "\"limit\",\"type\":\"integer\"}]}]";

static void check_capture(JsonObject *args, const char *name, JsonNode *node, gpointer data)
{
    const char *text = json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : "1";
    if (strcmp(name, "limit") != 0)
        g_assert(*text && strlen(text) <= 63 && !strpbrk(text, "/ \"\\"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Routes *routes;
    if (!routes) {
        g_autoptr(JsonNode) node = json_from_string(table, NULL);
        routes = routes_new(node, NULL);
    }
    g_autofree char *text = g_strndup((const char *)data, size);
    char *path = strchr(text, ' ');
    if (!path)
        return 0;
    *path++ = '\0';
    char *query = strchr(path, '?');
    if (query)
        *query++ = '\0';
    g_autoptr(JsonObject) args = json_object_new();
    const char *verb = NULL;
    if (routes_match(routes, text, path, query, args, &verb) == ROUTE_FOUND) {
        g_assert(verb);
        json_object_foreach_member(args, check_capture, NULL);
    }
    return 0;
}
