/* One stream of the control link: lines in, lines out, both bounded. Closes on a peer that sends too much, or
 * does not read what it asked for. */
#include "broker/control/control_internal.h"

#include "base/log.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_CHUNK 16384
#define OUTGOING_MAX (2 * CONTROL_ANSWER_MAX)
#define ADMIN_OUTSTANDING_MAX 16
#define WEB_OUTSTANDING_MAX 256
#define STALL_S 30

struct ControlLink {
    gint references;
    Control *control;
    int fd; /* -1: closed */
    gboolean web;
    char *actor;
    GByteArray *in, *out;
    gsize scanned;
    guint readable, writable, stall;
    guint outstanding;
    gboolean reading; /* inside of on_readable() */
};

static void scrub(GByteArray *bytes)
{
    if (bytes->len)
        explicit_bzero(bytes->data, bytes->len);
    g_byte_array_set_size(bytes, 0);
}

ControlLink *control_link_ref(ControlLink *link)
{
    link->references++;
    return link;
}

void control_link_unref(ControlLink *link)
{
    if (--link->references > 0)
        return;
    scrub(link->in);
    scrub(link->out);
    g_byte_array_unref(link->in);
    g_byte_array_unref(link->out);
    g_free(link->actor);
    g_free(link);
}

gboolean control_link_is_web(const ControlLink *link)
{
    return link->web;
}

const char *control_link_actor(const ControlLink *link)
{
    return link->actor;
}

void control_link_close(ControlLink *link)
{
    if (link->fd < 0)
        return;
    g_clear_handle_id(&link->readable, g_source_remove);
    g_clear_handle_id(&link->writable, g_source_remove);
    g_clear_handle_id(&link->stall, g_source_remove);
    close(link->fd);
    link->fd = -1;
    scrub(link->in);
    scrub(link->out);
    if (link->control->web == link)
        link->control->web = NULL;
    g_ptr_array_remove_fast(link->control->links, link);
    control_link_unref(link);
}

static void give_up(ControlLink *link, const char *why)
{
    log_warning("control link of %s: %s", link->actor, why);
    control_link_close(link);
}

static gboolean stalled(gpointer data)
{
    ControlLink *link = data;
    link->stall = 0;
    give_up(link, link->out->len > 0 ? "it does not read its answers" : "its request stays incomplete");
    return G_SOURCE_REMOVE;
}

/* Something must move within the time as long as a line is half sent or half received. */
static void watch_for_stall(ControlLink *link)
{
    g_clear_handle_id(&link->stall, g_source_remove);
    if (link->fd >= 0 && (link->out->len > 0 || link->in->len > 0))
        link->stall = g_timeout_add_seconds(STALL_S, stalled, link);
}

/* FALSE: the link is closed. */
static gboolean flush(ControlLink *link)
{
    while (link->out->len > 0) {
        ssize_t sent = send(link->fd, link->out->data, link->out->len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            return TRUE;
        if (sent < 0) {
            control_link_close(link);
            return FALSE;
        }
        explicit_bzero(link->out->data, (gsize)sent);
        g_byte_array_remove_range(link->out, 0, (guint)sent);
        watch_for_stall(link);
    }
    return TRUE;
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer data)
{
    ControlLink *link = data;
    if (!flush(link))
        return G_SOURCE_REMOVE;
    if (link->out->len > 0)
        return G_SOURCE_CONTINUE;
    link->writable = 0;
    return G_SOURCE_REMOVE;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data);

/* A peer with enough requests under way is not read until one is answered. */
static void update_reading(ControlLink *link)
{
    guint most = link->web ? WEB_OUTSTANDING_MAX : ADMIN_OUTSTANDING_MAX;
    gboolean wanted = link->fd >= 0 && link->outstanding < most;
    if (wanted && !link->readable)
        link->readable = g_unix_fd_add(link->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, link);
    else if (!wanted && link->readable)
        g_clear_handle_id(&link->readable, g_source_remove);
}

static void take_lines(ControlLink *link)
{
    guint most = link->web ? WEB_OUTSTANDING_MAX : ADMIN_OUTSTANDING_MAX;
    while (link->fd >= 0 && link->outstanding < most && link->in->len > 0) {
        guint8 *end = memchr(link->in->data + link->scanned, '\n', link->in->len - link->scanned);
        if (!end) {
            link->scanned = link->in->len;
            if (link->in->len > CONTROL_REQUEST_MAX)
                give_up(link, "its request is too long");
            return;
        }
        gsize length = (gsize)(end - link->in->data);
        if (length > CONTROL_REQUEST_MAX) {
            give_up(link, "its request is too long");
            return;
        }
        g_autofree char *line = g_strndup((const char *)link->in->data, length);
        explicit_bzero(link->in->data, length);
        g_byte_array_remove_range(link->in, 0, (guint)length + 1);
        link->scanned = 0;
        if (length > 0) {
            link->outstanding++;
            control_dispatch(link, link->control, line, length);
        }
        explicit_bzero(line, length);
    }
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    ControlLink *link = control_link_ref(data);
    guint had = link->in->len;
    g_byte_array_set_size(link->in, had + READ_CHUNK);
    ssize_t got = recv(fd, link->in->data + had, READ_CHUNK, MSG_DONTWAIT);
    int problem = errno;
    g_byte_array_set_size(link->in, had + (got > 0 ? (guint)got : 0));
    if (got > 0) {
        link->reading = TRUE;
        take_lines(link);
        link->reading = FALSE;
        update_reading(link);
        watch_for_stall(link);
    } else if (got == 0 || (problem != EAGAIN && problem != EINTR)) {
        control_link_close(link);
    }
    gboolean goes_on = link->readable != 0;
    control_link_unref(link);
    return goes_on ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void greet(ControlLink *link)
{
    static const char line[] = "{\"id\":0,\"hello\":{\"version\":\"" FERNWERK_VERSION "\"}}\n";
    if (send(link->fd, line, sizeof line - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        log_debug("control link of %s: it has gone already", link->actor);
}

ControlLink *control_link_new(Control *control, int fd, gboolean web, const char *actor)
{
    ControlLink *link = g_new0(ControlLink, 1);
    link->references = 1;
    link->control = control;
    link->fd = fd;
    link->web = web;
    link->actor = g_strdup(actor);
    link->in = g_byte_array_new();
    link->out = g_byte_array_new();
    g_ptr_array_add(control->links, link);
    update_reading(link);
    if (!web) /* the master listens for us: only this tells that we are there */
        greet(link);
    return link;
}

static char *render(gint64 id, const char *member, JsonNode *body, gsize *length)
{
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    json_object_set_int_member(object, "id", id);
    json_object_set_member(object, member, body);
    json_node_take_object(root, object);
    g_autoptr(JsonGenerator) generator = json_generator_new();
    json_generator_set_root(generator, root);
    return json_generator_to_data(generator, length);
}

/* What waited while too many requests were under way; from the loop, so that answers do not nest. */
static gboolean take_rest(gpointer data)
{
    ControlLink *link = data;
    if (link->fd >= 0) {
        take_lines(link);
        update_reading(link);
    }
    control_link_unref(link);
    return G_SOURCE_REMOVE;
}

void control_link_send(ControlLink *link, gint64 id, const char *member, JsonNode *body, gboolean done)
{
    gsize length;
    if (done && link->outstanding > 0)
        link->outstanding--;
    if (link->fd < 0) {
        json_node_unref(body);
        return;
    }
    g_autofree char *line = render(id, member, body, &length);
    if (length > CONTROL_ANSWER_MAX || link->out->len + length + 1 > OUTGOING_MAX) {
        give_up(link, "it does not read its answers");
    } else {
        g_byte_array_append(link->out, (const guint8 *)line, (guint)length);
        g_byte_array_append(link->out, (const guint8 *)"\n", 1);
        if (flush(link) && link->out->len > 0) {
            if (!link->writable)
                link->writable = g_unix_fd_add(link->fd, G_IO_OUT, on_writable, link);
            if (!link->stall)
                watch_for_stall(link);
        }
    }
    explicit_bzero(line, length);
    if (link->fd >= 0 && !link->reading && !link->readable)
        g_idle_add(take_rest, control_link_ref(link));
}
