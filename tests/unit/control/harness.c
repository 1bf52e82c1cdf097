#include "tests/unit/control/harness.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

Harness harness;
static JsonParser *parser;
static gboolean have_template;

/* ---- the played desktops ---- */

typedef struct {
    ControlDone done;
    gpointer request;
} Later;

static Later waiting;

void harness_finish_power(void)
{
    waiting.done(CONTROL_OK, NULL, NULL, waiting.request);
}

static gboolean finish(gpointer data)
{
    Later *later = data;
    later->done(harness.answer, harness.answer ? "It did not work." : NULL, NULL, later->request);
    g_free(later);
    return G_SOURCE_REMOVE;
}

static void finish_later(ControlDone done, gpointer request)
{
    Later *later = g_new(Later, 1);
    *later = (Later){done, request};
    g_idle_add(finish, later);
}

static void state(const char *desktop, ControlDesktopState *out, gpointer data)
{
    out->state = harness.state;
    g_strlcpy(out->reason, harness.state == DESKTOP_FAILED ? "The image is missing." : "",
              sizeof out->reason);
}

static void added(const StoreDesktop *desktop, ControlDone done, gpointer request, gpointer data)
{
    harness.added++;
    finish_later(done, request);
}

static void power(const char *desktop, ControlPower action, ControlDone done, gpointer request, gpointer data)
{
    harness.powered++;
    harness.last_power = action;
    if (harness.silent)
        waiting = (Later){done, request};
    else
        finish_later(done, request);
}

static void removed(const char *desktop, ControlDone done, gpointer request, gpointer data)
{
    harness.removed++;
    finish_later(done, request);
}

static void assigned(const char *desktop, const char *user, gpointer data)
{
    harness.assigned++;
}

static void end_revoked(const StoreRevoked *revoked, EndReason reason, const char *text, ControlDone done,
                        gpointer request, gpointer data)
{
    harness.revoked++;
    harness.last_reason = reason;
    harness.last_connections = revoked->connections->len;
    g_strlcpy(harness.last_text, text, sizeof harness.last_text);
    g_strlcpy(harness.last_user, revoked->user ? revoked->user : "", sizeof harness.last_user);
    for (guint i = 0; i < revoked->leases->len; i++)
        store_lease_return(harness.store, revoked->leases->pdata[i], 0, NULL, NULL);
    finish_later(done, request);
}

static void thumbnail(const char *desktop, guint max_width, guint max_height, ControlThumbnailDone done,
                      gpointer request, gpointer data)
{
    static const guint8 png[] = {0x89, 'P', 'N', 'G'};
    done(CONTROL_OK, NULL, png, sizeof png, 320, 200, request);
}

static void encoders(GArray *verdicts, gpointer data)
{
    EncoderVerdict verdict = {.element = "x264enc", .usable = 1, .chosen = 1, .fps = 90, .reason = "works"};
    g_array_append_val(verdicts, verdict);
}

static void status(ControlStatus *out, gpointer data)
{
    MasterProcess process = {.id = 3, .kind = KIND_RDP, .pid = 4711};
    g_strlcpy(process.record.user, "alice", sizeof process.record.user);
    g_strlcpy(out->libvirt, "connected (11.3.0)", sizeof out->libvirt);
    g_strlcpy(out->virt, "tcg", sizeof out->virt);
    g_strlcpy(out->instance, "0b0c7f43-5c0f-4f3e-9b7b-0d4b3d4c1f00", sizeof out->instance);
    g_array_append_val(out->processes, process);
}

static const ControlBackend backend = {state,       added,     power,    removed, assigned,
                                       end_revoked, thumbnail, encoders, status};

/* ---- life ---- */

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    return fd;
}

void harness_setup(void)
{
    g_autoptr(GError) error = NULL;
    int ends[2];
    log_open("test", LOG_LEVEL_ERROR);
    memset(&harness, 0, sizeof harness);
    have_template = FALSE;
    harness.folder = g_dir_make_tmp("fernwerk-control-XXXXXX", NULL);
    harness.socket = g_build_filename(harness.folder, "control.sock", NULL);
    g_autofree char *database = g_build_filename(harness.folder, "fernwerk.db", NULL);
    g_autofree char *text = g_strdup_printf("[fernwerk]\nstate_dir = %s\nrun_dir = %s\nadmin_group =\n"
                                            "[listen]\nrdp = 127.0.0.1:0\n"
                                            "[broker]\nargon2_memory_kib = 8192\nargon2_passes = 1\n",
                                            harness.folder, harness.folder);
    harness.config = config_parse("test", text, strlen(text), &error);
    ck_assert_msg(harness.config != NULL, "%s", error ? error->message : "");
    harness.store = store_open(database, "node1", NULL);
    ck_assert_ptr_nonnull(harness.store);
    harness.login = login_new(harness.store, harness.config, NULL);
    ck_assert_ptr_nonnull(harness.login);
    harness.control = control_new(harness.store, harness.login, harness.config, &backend, NULL);
    ck_assert(control_listen(harness.control, listen_at(harness.socket), NULL));
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    control_attach_web(harness.control, ends[0]);
    harness.web = ends[1];
}

static int remove_entry(const char *path, const struct stat *info, int flag, struct FTW *walk)
{
    return remove(path);
}

void harness_teardown(void)
{
    close(harness.web);
    while (g_main_context_iteration(NULL, FALSE))
        continue;
    g_clear_pointer(&harness.control, control_free);
    g_clear_pointer(&harness.login, login_free);
    g_clear_pointer(&harness.store, store_close);
    g_clear_pointer(&harness.config, config_free);
    while (g_main_context_iteration(NULL, FALSE))
        continue;
    g_clear_object(&parser);
    nftw(harness.folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    g_free(harness.folder);
    g_free(harness.socket);
    g_clear_pointer(&harness.hello, g_free);
}

/* ---- the command ---- */

static void communicated(GObject *source, GAsyncResult *result, gpointer data)
{
    *(GAsyncResult **)data = g_object_ref(result);
}

static CliRun *run_argv(const char *input, GPtrArray *argv)
{
    static CliRun run;
    g_autoptr(GError) error = NULL;
    g_autoptr(GAsyncResult) result = NULL;
    g_ptr_array_add(argv, NULL);
    g_autoptr(GSubprocess) process = g_subprocess_newv(
        (const char *const *)argv->pdata,
        G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE,
        &error);
    ck_assert_msg(process != NULL, "%s", error ? error->message : "");
    g_subprocess_communicate_utf8_async(process, input ? input : "", NULL, communicated, &result);
    while (!result)
        g_main_context_iteration(NULL, TRUE);
    g_free(run.out);
    g_free(run.err);
    ck_assert(g_subprocess_communicate_utf8_finish(process, result, &run.out, &run.err, NULL));
    ck_assert(g_subprocess_get_if_exited(process));
    run.code = g_subprocess_get_exit_status(process);
    return &run;
}

static GPtrArray *start_argv(void)
{
    GPtrArray *argv = g_ptr_array_new();
    g_ptr_array_add(argv, (gpointer)FERNWERK_CLI);
    g_ptr_array_add(argv, (gpointer) "--socket");
    g_ptr_array_add(argv, harness.socket);
    return argv;
}

static void add_arguments(GPtrArray *argv, va_list list)
{
    for (const char *argument = va_arg(list, const char *); argument; argument = va_arg(list, const char *))
        g_ptr_array_add(argv, (gpointer)argument);
}

CliRun *cli_run(const char *input, ...)
{
    g_autoptr(GPtrArray) argv = start_argv();
    va_list list;
    va_start(list, input);
    add_arguments(argv, list);
    va_end(list);
    return run_argv(input, argv);
}

static JsonNode *run_json(int code, const char *input, GPtrArray *argv)
{
    const CliRun *run = run_argv(input, argv);
    ck_assert_msg(run->code == code, "exit %d instead of %d: %s%s", run->code, code, run->out, run->err);
    ck_assert_str_eq(code == 0 ? run->err : run->out, "");
    g_clear_object(&parser);
    parser = json_parser_new();
    const char *text = code == 0 ? run->out : run->err;
    ck_assert_msg(json_parser_load_from_data(parser, text, -1, NULL), "no JSON: %s", text);
    return json_parser_get_root(parser);
}

JsonNode *cli_json(int code, const char *input, ...)
{
    g_autoptr(GPtrArray) argv = start_argv();
    va_list list;
    g_ptr_array_add(argv, (gpointer) "--json");
    va_start(list, input);
    add_arguments(argv, list);
    va_end(list);
    return run_json(code, input, argv);
}

JsonObject *cli_object(int code, const char *input, ...)
{
    g_autoptr(GPtrArray) argv = start_argv();
    va_list list;
    g_ptr_array_add(argv, (gpointer) "--json");
    va_start(list, input);
    add_arguments(argv, list);
    va_end(list);
    JsonNode *node = run_json(code, input, argv);
    ck_assert(JSON_NODE_HOLDS_OBJECT(node));
    JsonObject *object = json_node_get_object(node);
    return code == 0 ? object : json_object_get_object_member(object, "error");
}

/* ---- raw links ---- */

char *exchange_line(int fd, const char *text, gssize length)
{
    gsize left = length < 0 ? strlen(text) : (gsize)length;
    g_autoptr(GString) line = g_string_new(NULL);
    for (;;) {
        ssize_t sent = left > 0 ? send(fd, text, left, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
        if (sent > 0) {
            text += sent;
            left -= (gsize)sent;
        } else if (sent < 0 && errno != EAGAIN) {
            left = 0;
        }
        while (g_main_context_iteration(NULL, FALSE))
            continue;
        char byte;
        ssize_t got;
        while ((got = recv(fd, &byte, 1, MSG_DONTWAIT)) == 1) {
            if (byte == '\n')
                return g_strdup(line->str);
            g_string_append_c(line, byte);
        }
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return NULL;
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        poll(&poller, 1, 2);
    }
}

JsonObject *web_raw(const char *line)
{
    g_autofree char *full = g_strconcat(line, "\n", NULL);
    g_autofree char *answer = exchange_line(harness.web, full, -1);
    ck_assert_ptr_nonnull(answer);
    g_clear_object(&parser);
    parser = json_parser_new();
    ck_assert(json_parser_load_from_data(parser, answer, -1, NULL));
    return json_node_get_object(json_parser_get_root(parser));
}

JsonObject *web_call(const char *verb, const char *session, const char *args, const char *code)
{
    g_autofree char *handle = session ? g_strdup_printf("\"session\":\"%s\",", session) : g_strdup("");
    g_autofree char *line =
        g_strdup_printf("{\"id\":9,\"verb\":\"%s\",%s\"source\":\"192.0.2.1\",\"args\":%s}", verb, handle,
                        args ? args : "{}");
    JsonObject *answer = web_raw(line);
    ck_assert_int_eq(json_object_get_int_member(answer, "id"), 9);
    if (!code) {
        g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), answer);
        g_autofree char *text = json_to_string(node, FALSE);
        ck_assert_msg(json_object_has_member(answer, "result"), "%s: %s", verb, text);
        JsonNode *result = json_object_get_member(answer, "result");
        return JSON_NODE_HOLDS_OBJECT(result) ? json_node_get_object(result) : answer;
    }
    ck_assert(json_object_has_member(answer, "error"));
    JsonObject *error = json_object_get_object_member(answer, "error");
    ck_assert_str_eq(json_object_get_string_member(error, "code"), code);
    return error;
}

char *web_login(const char *user, const char *password)
{
    g_autofree char *args = g_strdup_printf("{\"username\":\"%s\",\"password\":\"%s\"}", user, password);
    return g_strdup(json_object_get_string_member(web_call("session.login", NULL, args, NULL), "session"));
}

int connect_admin(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_strlcpy(address.sun_path, harness.socket, sizeof address.sun_path);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    g_free(harness.hello);
    harness.hello = exchange_line(fd, "", 0);
    ck_assert_ptr_nonnull(harness.hello);
    return fd;
}

static char *admin_call(const char *verb, const char *args)
{
    int fd = connect_admin();
    g_autofree char *line = g_strdup_printf("{\"id\":1,\"verb\":\"%s\",\"args\":%s}\n", verb, args);
    char *answer = exchange_line(fd, line, -1);
    close(fd);
    ck_assert_msg(answer && strstr(answer, "\"result\""), "%s: %s", verb, answer);
    return answer;
}

void make_user(const char *name, const char *password, gboolean admin)
{
    g_autofree char *args = g_strdup_printf("{\"name\":\"%s\",\"password\":\"%s\",\"admin\":%s}", name,
                                            password, admin ? "true" : "false");
    g_free(admin_call("user.add", args));
}

void make_desktop(const char *name)
{
    g_autofree char *args = g_strdup_printf("{\"name\":\"%s\",\"template\":\"p\"}", name);
    if (!have_template)
        g_free(admin_call("template.add", "{\"name\":\"p\",\"kind\":\"pattern\"}"));
    have_template = TRUE;
    g_free(admin_call("desktop.create", args));
}
