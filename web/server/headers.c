/* Cookies, origins, queries: see the header. Nothing here keeps state. */
#include "web/server/headers.h"

#include "base/proto/seat_link.h"

#include <string.h>

#define QUERY_VALUE_MAX 512
#define HOST_MAX 255

static gboolean is_base64url(char c)
{
    return g_ascii_isalnum(c) || c == '-' || c == '_';
}

static gboolean take_handle(const char *value, gsize length, char *handle)
{
    if (length == 0 || length > HANDLE_MAX)
        return FALSE;
    for (gsize i = 0; i < length; i++)
        if (!is_base64url(value[i]))
            return FALSE;
    memcpy(handle, value, length);
    handle[length] = '\0';
    return TRUE;
}

gboolean cookie_find(const char *header, char *handle)
{
    const gsize name_length = strlen(COOKIE_NAME);
    gboolean found = FALSE;

    while (header && *header) {
        while (*header == ' ' || *header == '\t' || *header == ';')
            header++;
        gsize length = strcspn(header, ";");
        gsize trimmed = length;
        while (trimmed && (header[trimmed - 1] == ' ' || header[trimmed - 1] == '\t'))
            trimmed--;
        if (trimmed > name_length && memcmp(header, COOKIE_NAME, name_length) == 0 &&
            header[name_length] == '=') {
            if (found || !take_handle(header + name_length + 1, trimmed - name_length - 1, handle))
                return FALSE;
            found = TRUE;
        }
        header += length;
    }
    return found;
}

char *cookie_format(const char *handle)
{
    gboolean forget = !handle || !*handle;
    return g_strdup_printf("%s=%s; Path=/; Secure; HttpOnly; SameSite=Strict%s", COOKIE_NAME,
                           forget ? "" : handle, forget ? "; Max-Age=0" : "");
}

gboolean host_is_plain(const char *host)
{
    gsize length = host ? strlen(host) : 0;
    if (length == 0 || length > HOST_MAX)
        return FALSE;
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isalnum(host[i]) && !strchr(".-:[]_", host[i]))
            return FALSE;
    return TRUE;
}

/* "host:443" and "host" are one origin for https. */
static gsize without_default_port(const char *host)
{
    gsize length = strlen(host);
    return length > 4 && strcmp(host + length - 4, ":443") == 0 ? length - 4 : length;
}

static gboolean hosts_equal(const char *a, const char *b)
{
    gsize length = without_default_port(a);
    return length > 0 && length == without_default_port(b) && g_ascii_strncasecmp(a, b, length) == 0;
}

gboolean origin_matches(const OriginClaim *claim)
{
    if (!claim->origin || !g_str_has_prefix(claim->origin, "https://"))
        return FALSE;
    const char *authority = claim->origin + strlen("https://");
    if (!host_is_plain(authority))
        return FALSE;
    return (host_is_plain(claim->host) && hosts_equal(authority, claim->host)) ||
           (claim->public_host && *claim->public_host && hosts_equal(authority, claim->public_host));
}

gboolean origin_is_own(const OriginClaim *claim)
{
    if (claim->fetch_site && strcmp(claim->fetch_site, "same-origin") != 0)
        return FALSE;
    if (claim->origin)
        return origin_matches(claim);
    return claim->fetch_site != NULL;
}

gboolean content_type_is_json(const char *value)
{
    static const char json[] = "application/json";
    if (!value || g_ascii_strncasecmp(value, json, strlen(json)) != 0)
        return FALSE;
    char next = value[strlen(json)];
    return next == '\0' || next == ';' || next == ' ';
}

gint64 content_length_parse(const char *value, gint64 maximum)
{
    gint64 length = 0;
    if (!value || !*value)
        return -1;
    for (const char *p = value; *p; p++) {
        if (!g_ascii_isdigit(*p))
            return -1;
        if (length <= maximum)
            length = length * 10 + (*p - '0');
    }
    return length > maximum ? -2 : length;
}

gboolean accepts_gzip(const char *value)
{
    g_auto(GStrv) codings = value ? g_strsplit(value, ",", 16) : NULL;
    for (guint i = 0; codings && codings[i]; i++) {
        g_auto(GStrv) parts = g_strsplit(codings[i], ";", 2);
        if (!parts[0] || g_ascii_strcasecmp(g_strstrip(parts[0]), "gzip") != 0)
            continue;
        const char *weight = parts[1] ? strstr(parts[1], "q=") : NULL;
        return !weight || g_ascii_strtod(weight + 2, NULL) > 0;
    }
    return FALSE;
}

static char *decode(const char *text, gsize length)
{
    g_autoptr(GString) out = g_string_sized_new(length);
    for (gsize i = 0; i < length; i++) {
        if (text[i] == '%' && i + 2 < length && g_ascii_isxdigit(text[i + 1]) &&
            g_ascii_isxdigit(text[i + 2])) {
            g_string_append_c(
                out, (char)(g_ascii_xdigit_value(text[i + 1]) * 16 + g_ascii_xdigit_value(text[i + 2])));
            i += 2;
        } else {
            g_string_append_c(out, text[i] == '+' ? ' ' : text[i]);
        }
    }
    if (memchr(out->str, 0, out->len) || !g_utf8_validate(out->str, (gssize)out->len, NULL))
        return NULL;
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *query_value(const char *query, const char *name)
{
    gsize name_length = strlen(name);
    while (query && *query) {
        gsize length = strcspn(query, "&");
        if (length > name_length && strncmp(query, name, name_length) == 0 && query[name_length] == '=') {
            gsize value_length = length - name_length - 1;
            return value_length <= QUERY_VALUE_MAX ? decode(query + name_length + 1, value_length) : NULL;
        }
        query += length;
        query += *query == '&';
    }
    return NULL;
}

gboolean ticket_is_plain(const char *text)
{
    gsize length = text ? strlen(text) : 0;
    if (length == 0 || length >= SEAT_SECRET_MAX)
        return FALSE;
    for (gsize i = 0; i < length; i++)
        if (!is_base64url(text[i]) && text[i] != '.')
            return FALSE;
    return TRUE;
}

char *subprotocol_ticket(const char *header)
{
    static const char prefix[] = "ticket.";
    g_auto(GStrv) protocols = header ? g_strsplit(header, ",", 8) : NULL;
    char *ticket = NULL;

    for (guint i = 0; protocols && protocols[i]; i++) {
        char *protocol = g_strstrip(protocols[i]);
        if (!ticket && g_str_has_prefix(protocol, prefix) && ticket_is_plain(protocol + strlen(prefix)))
            ticket = g_strdup(protocol + strlen(prefix));
        explicit_bzero(protocol, strlen(protocol));
    }
    return ticket;
}

gboolean json_is_shallow(const char *text, gsize length, guint depth)
{
    guint level = 0;
    gboolean quoted = FALSE;
    for (gsize i = 0; i < length; i++) {
        char c = text[i];
        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = FALSE;
        } else if (c == '"') {
            quoted = TRUE;
        } else if (c == '{' || c == '[') {
            if (++level > depth)
                return FALSE;
        } else if ((c == '}' || c == ']') && level > 0) {
            level--;
        }
    }
    return TRUE;
}
