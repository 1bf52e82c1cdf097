/* Reading what a browser says in its request headers and query. Pure functions over untrusted text. */
#pragma once

#include <glib.h>

#define COOKIE_NAME "__Host-fernwerk"
#define HANDLE_MAX 128 /* bytes of a session handle, at most */

/* Finds the session handle in a Cookie header (NULL: none). TRUE and handle (size HANDLE_MAX + 1) filled when
 * exactly one cookie of that name is there and its value is base64url text; several are an attack and count
 * as none. */
gboolean cookie_find(const char *header, char *handle);
/* The Set-Cookie value for a handle; NULL or "" makes the browser forget it. Caller frees. */
char *cookie_format(const char *handle);

/* What the checks of a page's origin need; NULL: the header is missing. */
typedef struct {
    const char *host;        /* Host */
    const char *origin;      /* Origin */
    const char *fetch_site;  /* Sec-Fetch-Site */
    const char *public_host; /* configured host[:port] that is as good as Host, or "" */
} OriginClaim;

/* TRUE: the request comes from our own page: Origin is https://Host (or the public host) or, without an
 * Origin, Sec-Fetch-Site says same-origin. A request with neither is refused: every browser sends one with a
 * mutation. */
gboolean origin_is_own(const OriginClaim *claim);
/* The same for a WebSocket handshake, where Origin is always there: it must match. */
gboolean origin_matches(const OriginClaim *claim);

/* TRUE: a Host header of a plain form (name, IPv4 or [IPv6], optional port) of at most 255 bytes. */
gboolean host_is_plain(const char *host);

/* TRUE: Content-Type is application/json, with or without parameters. */
gboolean content_type_is_json(const char *value);

/* Parses Content-Length: digits only, at most `maximum`. -1: not a number; -2: too large. */
gint64 content_length_parse(const char *value, gint64 maximum);

/* TRUE: Accept-Encoding allows gzip. */
gboolean accepts_gzip(const char *value);

/* The value of `name` in a query string "a=b&c=d", percent-decoded, or NULL (also when it is no UTF-8, holds
 * a NUL or is longer than 512 bytes). Caller frees. */
char *query_value(const char *query, const char *name);

/* The ticket among the subprotocols of Sec-WebSocket-Protocol, the one that begins with "ticket."; NULL: none
 * or not of base64url and dots, or too long for a WebPreamble. Caller frees and scrubs. */
char *subprotocol_ticket(const char *header);
/* TRUE: text is a ticket's: 1 to SEAT_SECRET_MAX - 1 bytes of base64url and dots. */
gboolean ticket_is_plain(const char *text);

/* TRUE: JSON text does not nest deeper than `depth`, outside of strings. */
gboolean json_is_shallow(const char *text, gsize length, guint depth);
