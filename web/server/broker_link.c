/* Calls to the broker over one JSON line stream. */
#include "web/server/broker_link.h"

#include "base/log.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALL_TIMEOUT_MS 10000
#define CALLS_MAX 512
#define REQUEST_MAX 65536
#define ANSWER_MAX (4 * 1024 * 1024)
#define OUTGOING_MAX (1024 * 1024)
#define READ_CHUNK 65536

typedef struct {
    BrokerLink *link;
    guint64 id;
    BrokerDone done;
    gpointer data;
    guint timer;
    const char *failure; /* set: answered from the main loop as unreachable, static */
} Call;

struct BrokerLink {
    int fd;
    guint readable, writable;
    GByteArray *incoming, *outgoing;
    gsize scanned; /* bytes of incoming without a line's end */
    GHashTable *calls;
    guint64 next_id;
    void (*up)(gpointer data);
    gpointer data;
};

static void call_free(gpointer data)
{
    Call *call = data;
    if (call->timer)
        g_source_remove(call->timer);
    g_free(call);
}

BrokerLink *broker_link_new(void (*up)(gpointer data), gpointer data)
{
    BrokerLink *link = g_new0(BrokerLink, 1);
    link->fd = -1;
    link->incoming = g_byte_array_new();
    link->outgoing = g_byte_array_new();
    link->calls = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, call_free);
    link->up = up;
    link->data = data;
    return link;
}

static void scrub(GByteArray *bytes)
{
    if (bytes->len)
        explicit_bzero(bytes->data, bytes->len);
    g_byte_array_set_size(bytes, 0);
}

static void close_stream(BrokerLink *link)
{
    g_clear_handle_id(&link->readable, g_source_remove);
    g_clear_handle_id(&link->writable, g_source_remove);
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
    link->scanned = 0;
    scrub(link->incoming);
    scrub(link->outgoing);
}

void broker_link_free(BrokerLink *link)
{
    if (!link)
        return;
    close_stream(link);
    g_hash_table_unref(link->calls);
    g_byte_array_unref(link->incoming);
    g_byte_array_unref(link->outgoing);
    g_free(link);
}

static void finish(Call *call, const BrokerAnswer *answer)
{
    BrokerDone done = call->done;
    gpointer data = call->data;
    g_hash_table_remove(call->link->calls, &call->id);
    done(answer, data);
}

static gboolean call_failed(gpointer data)
{
    Call *call = data;
    BrokerAnswer answer = {.code = "unreachable",
                           .message = call->failure ? call->failure : "The server did not answer in time.",
                           .hint = "Try again in a few seconds."};
    call->timer = 0;
    finish(call, &answer);
    return G_SOURCE_REMOVE;
}

static void fail_soon(Call *call, const char *failure)
{
    call->failure = failure;
    if (call->timer)
        g_source_remove(call->timer);
    call->timer = g_idle_add(call_failed, call);
}

static void lose_stream(BrokerLink *link, const char *why)
{
    GHashTableIter iter;
    Call *call;
    log_warning("the link to the broker %s", why);
    close_stream(link);
    g_hash_table_iter_init(&iter, link->calls);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&call))
        fail_soon(call, "The broker is being restarted.");
}

static void answered(BrokerLink *link, JsonObject *object)
{
    gint64 id = json_object_get_int_member_with_default(object, "id", 0);
    Call *call = g_hash_table_lookup(link->calls, &id);
    BrokerAnswer answer = {0};
    if (!call)
        return; /* too late, or cancelled */
    if (json_object_has_member(object, "result")) {
        answer.result = json_object_get_member(object, "result");
    } else {
        JsonNode *node = json_object_get_member(object, "error");
        JsonObject *error = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        answer.code = error ? json_object_get_string_member_with_default(error, "code", "failed") : "failed";
        answer.message = error ? json_object_get_string_member_with_default(error, "message", "") : "";
        answer.hint = error ? json_object_get_string_member_with_default(error, "hint", NULL) : NULL;
        answer.no_session = error && !json_object_get_boolean_member_with_default(error, "session", TRUE);
        answer.retry_after_ms =
            error ? json_object_get_int_member_with_default(error, "retry_after_ms", 0) : 0;
    }
    finish(call, &answer);
}

static void take_line(BrokerLink *link, const char *line, gsize length)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root;
    if (!json_parser_load_from_data(parser, line, (gssize)length, NULL) ||
        !(root = json_parser_get_root(parser)) || !JSON_NODE_HOLDS_OBJECT(root)) {
        log_warning("an answer of the broker is no JSON object and is ignored");
        return;
    }
    answered(link, json_node_get_object(root));
}

static void take_lines(BrokerLink *link)
{
    while (link->fd >= 0) {
        guint8 *start = link->incoming->data + link->scanned;
        guint8 *end = memchr(start, '\n', link->incoming->len - link->scanned);
        if (!end) {
            link->scanned = link->incoming->len;
            break;
        }
        gsize length = (gsize)(end - link->incoming->data);
        g_autofree char *line = g_strndup((const char *)link->incoming->data, length);
        explicit_bzero(link->incoming->data, length);
        g_byte_array_remove_range(link->incoming, 0, (guint)length + 1);
        link->scanned = 0;
        take_line(link, line, length);
        explicit_bzero(line, length);
    }
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    BrokerLink *link = data;
    guint had = link->incoming->len;
    g_byte_array_set_size(link->incoming, had + READ_CHUNK);
    ssize_t n = recv(fd, link->incoming->data + had, READ_CHUNK, MSG_DONTWAIT);
    int problem = errno;
    g_byte_array_set_size(link->incoming, had + (n > 0 ? (guint)n : 0));
    if (n < 0 && (problem == EAGAIN || problem == EINTR))
        return G_SOURCE_CONTINUE;
    if (n <= 0 || link->incoming->len > ANSWER_MAX + READ_CHUNK) {
        link->readable = 0;
        lose_stream(link, n <= 0 ? "is closed" : "sent too long an answer");
        return G_SOURCE_REMOVE;
    }
    guint id = link->readable;
    take_lines(link);
    return link->readable == id ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gboolean flush(BrokerLink *link)
{
    while (link->outgoing->len > 0) {
        ssize_t n = send(link->fd, link->outgoing->data, link->outgoing->len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        explicit_bzero(link->outgoing->data, (gsize)n);
        g_byte_array_remove_range(link->outgoing, 0, (guint)n);
    }
    return TRUE;
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer data)
{
    BrokerLink *link = data;
    gboolean sound = flush(link);
    if (sound && link->outgoing->len > 0)
        return G_SOURCE_CONTINUE;
    link->writable = 0;
    if (!sound)
        lose_stream(link, "broke");
    return G_SOURCE_REMOVE;
}

void broker_link_attach(BrokerLink *link, int fd)
{
    if (link->fd >= 0)
        lose_stream(link, "is replaced");
    link->fd = fd;
    link->readable = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, link);
    if (link->up)
        link->up(link->data);
}

gboolean broker_link_is_up(const BrokerLink *link)
{
    return link->fd >= 0;
}

static char *request_line(guint64 id, const char *verb, const char *session, const char *source,
                          JsonObject *args, gsize *length)
{
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    json_object_set_int_member(object, "id", (gint64)id);
    json_object_set_string_member(object, "verb", verb);
    if (session)
        json_object_set_string_member(object, "session", session);
    if (source)
        json_object_set_string_member(object, "source", source);
    json_object_set_object_member(object, "args", args ? args : json_object_new());
    json_node_take_object(root, object);
    g_autoptr(JsonGenerator) generator = json_generator_new();
    json_generator_set_root(generator, root);
    return json_generator_to_data(generator, length);
}

static const char *enqueue(BrokerLink *link, const char *line, gsize length)
{
    if (link->fd < 0)
        return "The broker is being restarted.";
    if (length >= REQUEST_MAX || link->outgoing->len + length >= OUTGOING_MAX ||
        g_hash_table_size(link->calls) > CALLS_MAX)
        return "The server is too busy.";
    g_byte_array_append(link->outgoing, (const guint8 *)line, (guint)length);
    g_byte_array_append(link->outgoing, (const guint8 *)"\n", 1);
    if (!link->writable)
        link->writable = g_unix_fd_add(link->fd, G_IO_OUT, on_writable, link);
    return NULL;
}

guint64 broker_link_call(BrokerLink *link, const char *verb, const char *session, const char *source,
                         JsonObject *args, BrokerDone done, gpointer data)
{
    Call *call = g_new0(Call, 1);
    gsize length;
    call->link = link;
    call->id = ++link->next_id;
    call->done = done;
    call->data = data;
    call->timer = g_timeout_add(CALL_TIMEOUT_MS, call_failed, call);
    g_hash_table_insert(link->calls, &call->id, call);
    g_autofree char *line = request_line(call->id, verb, session, source, args, &length);
    const char *failure = enqueue(link, line, length);
    if (failure)
        fail_soon(call, failure);
    explicit_bzero(line, length);
    return call->id;
}

void broker_link_cancel(BrokerLink *link, guint64 id)
{
    g_hash_table_remove(link->calls, &id);
}
