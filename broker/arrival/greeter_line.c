/* Packets of greeter_link.h. */
#include "broker/arrival/greeter_line.h"

#include "base/log.h"
#include "base/packet.h"

#include <string.h>

#define QUEUE_MAX 64
#define PER_PACKET                                                                                           \
    (MIN(GREETER_DESKTOPS_MAX, (GREETER_PACKET_MAX - sizeof(GreeterDesktops)) / sizeof(GreeterDesktop)))

struct GreeterLine {
    PacketLink *link;
    GreeterLineEvents events;
    gpointer data;
    GreeterProgress shown;
};

#define ENDS(FIELD) (memchr((FIELD), 0, sizeof(FIELD)) != NULL)

static gboolean take_secret(GreeterLine *self, const void *packet, guint type, gsize length)
{
    /* Copied, because the link's buffer is not ours to scrub and is used again at once. */
    if (type == GREETER_LOGIN && length == sizeof(GreeterLogin)) {
        GreeterLogin login = *(const GreeterLogin *)packet;
        gboolean fit = ENDS(login.user) && ENDS(login.password) && ENDS(login.desktop);
        if (fit)
            self->events.login(self, &login, self->data);
        explicit_bzero(&login, sizeof login);
        return fit;
    }
    if (type == GREETER_TICKET && length == sizeof(GreeterTicket)) {
        GreeterTicket ticket = *(const GreeterTicket *)packet;
        gboolean fit = ENDS(ticket.ticket);
        if (fit)
            self->events.ticket(self, &ticket, self->data);
        explicit_bzero(&ticket, sizeof ticket);
        return fit;
    }
    return FALSE;
}

/* The greeter has gone to another page by itself. */
static void forget_shown(GreeterLine *self)
{
    memset(&self->shown, 0, sizeof self->shown);
}

static gboolean take(GreeterLine *self, const void *packet, gsize length)
{
    const GreeterHeader *header = packet;

    if (length < sizeof *header || header->size != length)
        return FALSE;
    if (header->type == GREETER_CHOOSE && length == sizeof(GreeterChoose)) {
        const GreeterChoose *choose = packet;
        if (!ENDS(choose->desktop))
            return FALSE;
        forget_shown(self);
        self->events.choose(self, choose->desktop, self->data);
    } else if (header->type == GREETER_ACTIVITY && length == sizeof *header) {
        self->events.activity(self, self->data);
    } else if (header->type == GREETER_SCREEN && length == sizeof(GreeterScreen)) {
        self->events.screen(self, &((const GreeterScreen *)packet)->size, self->data);
    } else if (header->type == GREETER_CANCEL && length == sizeof *header) {
        forget_shown(self);
        self->events.cancel(self, self->data);
    } else {
        return take_secret(self, packet, header->type, length);
    }
    return TRUE;
}

static void received(PacketLink *link, const void *packet, gsize length, int *descriptors, guint count,
                     gpointer data)
{
    GreeterLine *self = data;

    if (!take(self, packet, length)) {
        log_warning("a greeter sent a packet that is none; its link is closed");
        self->events.closed(self, self->data);
    }
}

static void closed(PacketLink *link, gboolean broken, gpointer data)
{
    GreeterLine *self = data;
    self->events.closed(self, self->data);
}

GreeterLine *greeter_line_new(int fd, const GreeterLineEvents *events, gpointer data)
{
    GreeterLine *self = g_new0(GreeterLine, 1);
    self->events = *events;
    self->data = data;
    self->link = packet_link_new(fd, NULL, GREETER_PACKET_MAX, QUEUE_MAX, received, closed, self);
    return self;
}

void greeter_line_free(GreeterLine *self)
{
    if (!self)
        return;
    packet_link_free(self->link);
    g_free(self);
}

void greeter_line_result(GreeterLine *self, GreeterPacketType type, SeatLoginResult result,
                         guint retry_after_ms, const char *user, const char *text)
{
    GreeterResult packet = {
        .header = {.type = type, .size = sizeof packet}, .result = result, .retry_after_ms = retry_after_ms};
    g_strlcpy(packet.user, user ? user : "", sizeof packet.user);
    g_strlcpy(packet.text, text ? text : "", sizeof packet.text);
    packet_link_send(self->link, &packet, sizeof packet, NULL, 0);
}

void greeter_line_desktops(GreeterLine *self, const GreeterDesktop *desktops, guint count)
{
    union {
        GreeterDesktops packet;
        char bytes[GREETER_PACKET_MAX];
    } out;

    for (guint first = 0; first == 0 || first < count;) {
        guint n = MIN((guint)PER_PACKET, count - first);
        memset(&out, 0, sizeof out);
        out.packet.header.type = GREETER_DESKTOPS;
        out.packet.header.size = (uint16_t)(sizeof out.packet + n * sizeof *desktops);
        out.packet.count = n;
        out.packet.total = count;
        out.packet.first = first;
        if (n > 0)
            memcpy(out.packet.desktops, desktops + first, n * sizeof *desktops);
        packet_link_send(self->link, &out, out.packet.header.size, NULL, 0);
        first += n;
        if (n == 0)
            break;
    }
}

void greeter_line_progress(GreeterLine *self, GreeterPhase phase, const char *desktop, const char *text)
{
    GreeterProgress packet = {.header = {.type = GREETER_PROGRESS, .size = sizeof packet}, .phase = phase};

    g_strlcpy(packet.desktop, desktop ? desktop : "", sizeof packet.desktop);
    g_strlcpy(packet.text, text ? text : "", sizeof packet.text);
    if (memcmp(&packet, &self->shown, sizeof packet) == 0)
        return;
    self->shown = packet;
    packet_link_send(self->link, &packet, sizeof packet, NULL, 0);
}
