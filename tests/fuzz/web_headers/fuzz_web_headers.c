/* Everything that reads a browser's headers and query: the first byte chooses the reader, the rest is the
 * text. */
#include "web/server/headers.h"
#include "web/server/preamble.h"
#include "web/server/tickets.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_cookie(const char *text)
{
    char handle[HANDLE_MAX + 1];
    char parsed[HANDLE_MAX + 1];
    if (!cookie_find(text, handle))
        return;
    g_autofree char *again = cookie_format(handle);
    g_assert(cookie_find(again, parsed) && strcmp(handle, parsed) == 0);
}

/* What is called our own must really name one of the two hosts. */
static void read_origin(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "\n", 3);
    if (g_strv_length(parts) < 3)
        return;
    OriginClaim claim = {.host = parts[0],
                         .origin = parts[1],
                         .fetch_site = *parts[2] ? parts[2] : NULL,
                         .public_host = "desk.example"};
    if (origin_matches(&claim))
        g_assert(g_str_has_prefix(claim.origin, "https://") &&
                 host_is_plain(claim.origin + strlen("https://")));
    if (origin_is_own(&claim))
        g_assert(origin_matches(&claim));
}

static void read_query(const char *text)
{
    WebPreamble preamble;
    preamble_fill(&preamble, "ticket", "192.0.2.1", text);
    g_assert(preamble.width <= SEAT_WIDTH_MAX && preamble.height <= SEAT_WIDTH_MAX && preamble.scale <= 500);
    g_assert(memchr(preamble.xkb_layout, 0, sizeof preamble.xkb_layout));
    g_autofree char *value = query_value(text, "a");
    g_assert(!value || g_utf8_validate(value, -1, NULL));
}

static void read_ticket(const char *text)
{
    g_autofree char *ticket = subprotocol_ticket(text);
    g_autoptr(Tickets) tickets = tickets_new(2, 1000);
    if (!ticket)
        return;
    g_assert(ticket_is_plain(ticket));
    tickets_remember(tickets, "owner", ticket, 0);
    g_assert(tickets_take(tickets, ticket, 1) && !tickets_take(tickets, ticket, 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    g_autofree char *text = g_strndup((const char *)data + 1, size - 1);
    switch (data[0] % 5) {
    case 0:
        read_cookie(text);
        break;
    case 1:
        read_origin(text);
        break;
    case 2:
        read_query(text);
        break;
    case 3:
        read_ticket(text);
        break;
    case 4:
        g_assert(content_length_parse(text, 1000) <= 1000);
        accepts_gzip(text);
        content_type_is_json(text);
        json_is_shallow(text, strlen(text), 8);
        break;
    }
    return 0;
}
