/* One request and its answer over the admin socket, blocking. */
#include "broker/cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX (4 * 1024 * 1024 + 4096)
#define READ_CHUNK 65536
/* Longer than the longest that a desktop may take to stop and start by default. */
#define PATIENCE_MS (10 * 60 * 1000)
/* The master listens for the broker and restarts it; one that is up greets at once. */
#define GREETING_MS (10 * 1000)
#define HINT_BROKER "The log tells why: journalctl -u fernwerk, or where fernwerkd writes its standard error."
#define HINT_RUNNING "Is fernwerkd running? Another socket can be named with --socket."

static int open_socket(const char *path, CliError *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        cli_error_set(error, "usage", NULL, "The socket's path is too long.");
        return -1;
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    if (errno == EACCES || errno == EPERM)
        cli_error_set(error, "denied", "Use sudo, or see admin_group in fernwerk.conf.",
                      "Only root and members of the admin group may use %s.", path);
    else
        cli_error_set(error, "unreachable", HINT_RUNNING, "The broker is not reachable at %s: %s.", path,
                      g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static char *render(const Verb *verb, JsonObject *args, gsize *length)
{
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    json_object_set_int_member(object, "id", 1);
    json_object_set_string_member(object, "verb", verb->name);
    json_object_set_object_member(object, "args", json_object_ref(args));
    json_node_take_object(root, object);
    g_autoptr(JsonGenerator) generator = json_generator_new();
    json_generator_set_root(generator, root);
    return json_generator_to_data(generator, length);
}

/* A refusal may already be on its way when sending fails: then reading finds it. */
static void send_line(int fd, const char *line, gsize length)
{
    struct iovec parts[] = {{(char *)line, length}, {"\n", 1}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    while (parts[0].iov_len + parts[1].iov_len > 0) {
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return;
        for (guint i = 0; i < 2; i++) {
            gsize gone = MIN((gsize)sent, parts[i].iov_len);
            parts[i].iov_base = (char *)parts[i].iov_base + gone;
            parts[i].iov_len -= gone;
            sent -= (ssize_t)gone;
        }
    }
}

/* The broker sends one line at a time: what it is asked for. */
static gboolean read_line(int fd, int patience_ms, GByteArray *line, gboolean *late)
{
    g_byte_array_set_size(line, 0);
    for (;;) {
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        int ready = poll(&poller, 1, patience_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        guint had = line->len;
        g_byte_array_set_size(line, had + READ_CHUNK);
        ssize_t got = ready > 0 ? recv(fd, line->data + had, READ_CHUNK, 0) : -1;
        g_byte_array_set_size(line, had + (got > 0 ? (guint)got : 0));
        if (got <= 0 || line->len > ANSWER_MAX) {
            *late = ready == 0;
            return FALSE;
        }
        guint8 *end = memchr(line->data + had, '\n', line->len - had);
        if (end) {
            g_byte_array_set_size(line, (guint)(end - line->data));
            return TRUE;
        }
    }
}

static JsonNode *read_answer(const GByteArray *line, CliError *error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root = NULL;
    if (json_parser_load_from_data(parser, (const char *)line->data, line->len, NULL))
        root = json_parser_get_root(parser);
    JsonObject *object = root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
    if (object && json_object_has_member(object, "result"))
        return json_object_dup_member(object, "result");
    JsonNode *node = object ? json_object_get_member(object, "error") : NULL;
    if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
        cli_error_set(error, "failed", NULL, "The broker's answer makes no sense.");
        return NULL;
    }
    JsonObject *inner = json_node_get_object(node);
    cli_error_set(error, json_object_get_string_member_with_default(inner, "code", "failed"),
                  json_object_get_string_member_with_default(inner, "hint", NULL), "%s",
                  json_object_get_string_member_with_default(inner, "message", "It failed."));
    return NULL;
}

/* The first line: a greeting, or an error for somebody who may not ask. */
static gboolean read_greeting(int fd, GByteArray *line, CliError *error)
{
    gboolean late;
    if (!read_line(fd, GREETING_MS, line, &late)) {
        cli_error_set(error, "unreachable", HINT_BROKER, "fernwerkd runs, but its broker does not come up.");
        return FALSE;
    }
    if (memmem(line->data, line->len, "\"hello\"", 7))
        return TRUE;
    JsonNode *nothing = read_answer(line, error);
    g_clear_pointer(&nothing, json_node_unref);
    return FALSE;
}

static JsonNode *ask(int fd, const char *request, gsize length, GByteArray *line, CliError *error)
{
    gboolean late;
    send_line(fd, request, length);
    if (read_line(fd, PATIENCE_MS, line, &late))
        return read_answer(line, error);
    cli_error_set(error, "unreachable", HINT_RUNNING,
                  late ? "The broker did not answer in time. It may still do what was asked."
                       : "The broker ended the connection before it answered.");
    return NULL;
}

JsonNode *cli_call(const char *socket_path, const Verb *verb, JsonObject *args, CliError *error)
{
    gsize length;
    int fd = open_socket(socket_path, error);
    if (fd < 0)
        return NULL;
    g_autoptr(GByteArray) line = g_byte_array_new();
    g_autofree char *request = render(verb, args, &length);
    JsonNode *result = read_greeting(fd, line, error) ? ask(fd, request, length, line, error) : NULL;
    explicit_bzero(request, length);
    close(fd);
    return result;
}
