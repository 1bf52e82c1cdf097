/* From a query string to a WebPreamble. */
#include "web/server/preamble.h"

#include "web/server/headers.h"

#include <string.h>

#define SCALE_MIN 25
#define SCALE_MAX 500

static guint32 query_number(const char *query, const char *name, guint32 minimum, guint32 maximum,
                            guint32 otherwise)
{
    g_autofree char *value = query_value(query, name);
    guint64 number;
    if (!value || !g_ascii_string_to_unsigned(value, 10, minimum, maximum, &number, NULL))
        return otherwise;
    return (guint32)number;
}

static void copy_layout(char *target, gsize size, const char *query)
{
    g_autofree char *layout = query_value(query, "layout");
    if (!layout || strlen(layout) >= size)
        return;
    for (const char *p = layout; *p; p++)
        if (!g_ascii_isalnum(*p) && *p != '_' && *p != '-')
            return;
    g_strlcpy(target, layout, size);
}

void preamble_fill(WebPreamble *preamble, const char *ticket, const char *address, const char *query)
{
    memset(preamble, 0, sizeof *preamble);
    preamble->magic = WEB_PREAMBLE_MAGIC;
    g_strlcpy(preamble->ticket, ticket, sizeof preamble->ticket);
    g_strlcpy(preamble->address, address, sizeof preamble->address);
    preamble->view_only_wish = query_number(query, "view", 0, 1, 0);
    preamble->width = query_number(query, "width", 1, SEAT_WIDTH_MAX, 0);
    preamble->height = query_number(query, "height", 1, SEAT_WIDTH_MAX, 0);
    if (!preamble->width || !preamble->height)
        preamble->width = preamble->height = 0;
    preamble->scale = query_number(query, "scale", SCALE_MIN, SCALE_MAX, 100);
    copy_layout(preamble->xkb_layout, sizeof preamble->xkb_layout, query);
}
