/* The REST routes below /api/v1/, as the broker's verb table gives them. Pure. */
#pragma once

#include <json-glib/json-glib.h>

typedef struct Routes Routes;

typedef enum { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD } RouteResult;

/* From the result of `api.routes`, an array of {verb, method, path, query}: path is relative to /api/v1/ (a
 * leading one is taken off) and holds {captures}; query (may be missing) lists the arguments taken from a
 * GET's query string as {name, type}, type "string" or "integer". Entries that make no sense are left out; at
 * most 256. NULL with error when it is no array. */
Routes *routes_new(JsonNode *table, GError **error);
void routes_free(Routes *routes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Routes, routes_free)

guint routes_count(const Routes *routes);

/* Finds the verb for a method and a path relative to /api/v1/; captured values and query arguments are set as
 * members of args. *verb is borrowed. A path that is longer than 512 bytes, or a capture that is no name
 * ([A-Za-z0-9][A-Za-z0-9._-]{0,62}), matches nothing. */
RouteResult routes_match(const Routes *routes, const char *method, const char *path, const char *query,
                         JsonObject *args, const char **verb);
