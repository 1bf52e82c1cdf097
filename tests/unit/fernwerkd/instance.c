/* Starting and driving a fernwerkd for its tests. */
#include "tests/unit/fernwerkd/instance.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 20000

guint instance_uid_base(void)
{
    static guint base;
    if (!base)
        base = 1878000000 + (guint)getpid() % 500 * 2000;
    return base;
}

static void copy_program(const char *from, const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autoptr(GFile) source = g_file_new_for_path(from), target = g_file_new_for_path(path);
    ck_assert(g_file_copy(source, target, G_FILE_COPY_OVERWRITE, NULL, NULL, NULL, NULL));
    ck_assert_int_eq(chmod(path, 0755), 0);
}

static char *make_folder(const char *extra)
{
    static const char *const puppets[] = {"fernwerk-broker",  "fernwerk-web", "fernwerk-seat",
                                          "fernwerk-greeter", "fernwerk-rdp", "fernwerk-vnc"};
    char *dir = g_dir_make_tmp("fernwerkd-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "fernwerk.conf", NULL);
    guint base = instance_uid_base();
    g_autofree char *text =
        g_strdup_printf("[fernwerk]\nstate_dir = %s/state\nrun_dir = %s/run\n"
                        "admin_socket = %s/run/control.sock\nlibexec_dir = %s\n"
                        "broker_user = %u\nbroker_groups =\ngate_user = %u\n"
                        "web_user = %u\nadmin_group =\nlog_level = debug\n"
                        "uid_range = %u-%u\n"
                        "[listen]\nrdp = 127.0.0.1:0\nvnc = 127.0.0.1:0\nhttps =\n%s",
                        dir, dir, dir, dir, base + 1, base + 2, base + 3, base + 1000, base + 1999, extra);
    ck_assert_int_eq(chmod(dir, 0755), 0);
    for (guint i = 0; i < G_N_ELEMENTS(puppets); i++)
        copy_program(PUPPET_PROGRAM, dir, puppets[i]);
    copy_program(GATE_PROGRAM, dir, "fernwerk-gate");
    copy_program(CERTIFICATES_PROGRAM, dir, "fernwerk-certificates");
    ck_assert(g_file_set_contents_full(path, text, -1, 0, 0644, NULL));
    return dir;
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        if (g_file_test(child, G_FILE_TEST_IS_DIR) && !g_file_test(child, G_FILE_TEST_IS_SYMLINK))
            remove_tree(child);
        else
            g_unlink(child);
    }
    g_rmdir(path);
}

static int run_once(const char *extra, const char *option, gboolean standard, char **output)
{
    g_autofree char *dir = make_folder(extra), *config = g_build_filename(dir, "fernwerk.conf", NULL);
    g_autofree char *out = NULL, *err = NULL;
    char *argv[] = {(char *)MASTER_PROGRAM, (char *)"--config", config, (char *)option, NULL};
    int status = -1;
    g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, &status, NULL);
    *output = g_strconcat(standard ? out : "", err, NULL);
    remove_tree(dir);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int instance_fails(const char *extra, char **output)
{
    return run_once(extra, NULL, FALSE, output);
}

int instance_check(const char *extra, char **output)
{
    return run_once(extra, "--check-config", TRUE, output);
}

void instance_connect_broker(Instance *instance)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_snprintf(address.sun_path, sizeof address.sun_path, "%s/run/control.sock", instance->dir);
    if (instance->control >= 0)
        close(instance->control);
    for (guint waited = 0; waited < WAIT_MS; waited += 20) {
        instance->control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(instance->control, (struct sockaddr *)&address, sizeof address) == 0)
            return;
        close(instance->control);
        instance->control = -1;
        g_usleep(20000);
    }
    ck_abort_msg("the admin socket does not answer");
}

static void read_ports(Instance *instance)
{
    g_autofree char *path = g_build_filename(instance->dir, "run", "ready", NULL), *text = NULL;
    unsigned rdp = 0, vnc = 0, https = 0;
    for (guint waited = 0; waited < WAIT_MS && !g_file_get_contents(path, &text, NULL, NULL); waited += 20)
        g_usleep(20000);
    ck_assert_msg(text != NULL, "the instance does not become ready");
    ck_assert_int_eq(sscanf(strstr(text, "rdp="), "rdp=%*[^:]:%u", &rdp), 1);
    ck_assert_int_eq(sscanf(strstr(text, "vnc="), "vnc=127.0.0.1:%u", &vnc), 1);
    if (strstr(text, "https="))
        ck_assert_int_eq(sscanf(strstr(text, "https="), "https=127.0.0.1:%u", &https), 1);
    instance->https = (guint16)https;
    instance->rdp = (guint16)rdp;
    instance->vnc = (guint16)vnc;
}

/* What systemd does for a socket unit whose FileDescriptorName is rdp. */
static void pass_listener(int listener)
{
    g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
    dup2(listener, 3);
    g_setenv("LISTEN_PID", pid, TRUE);
    g_setenv("LISTEN_FDS", "1", TRUE);
    g_setenv("LISTEN_FDNAMES", "rdp", TRUE);
}

Instance *instance_start(const char *extra)
{
    return instance_start_with(extra, -1);
}

Instance *instance_start_with(const char *extra, int listener)
{
    Instance *instance = g_new0(Instance, 1);
    instance->dir = make_folder(extra);
    instance->control = -1;
    instance->heard = g_string_new(NULL);
    g_autofree char *config = g_build_filename(instance->dir, "fernwerk.conf", NULL);
    instance->pid = fork();
    if (instance->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nothing behind */
        if (listener >= 0)
            pass_listener(listener);
        execl(MASTER_PROGRAM, "fernwerkd", "--config", config, NULL);
        _exit(127);
    }
    instance_connect_broker(instance);
    instance_tell(instance, "ready");
    ck_assert_ptr_nonnull(instance_hear(instance, "living-end", WAIT_MS));
    ck_assert_ptr_nonnull(instance_hear(instance, "reply", WAIT_MS));
    read_ports(instance);
    return instance;
}

/* Every process of the instance has a user between these numbers. */
static guint count_left(void)
{
    g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);
    const char *name;
    guint count = 0;
    while ((name = g_dir_read_name(proc))) {
        g_autofree char *path = g_build_filename("/proc", name, NULL);
        struct stat status;
        count += g_ascii_isdigit(*name) && stat(path, &status) == 0 && status.st_uid > instance_uid_base() &&
                 status.st_uid < instance_uid_base() + 2000;
    }
    return count;
}

void instance_stop(Instance *instance)
{
    int status = 0;
    kill(instance->pid, SIGTERM);
    for (guint waited = 0; waited < WAIT_MS && waitpid(instance->pid, &status, WNOHANG) == 0; waited += 20)
        g_usleep(20000);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "fernwerkd ended with status %d", status);
    ck_assert_uint_eq(count_left(), 0);
    remove_tree(instance->dir);
    close(instance->control);
    g_string_free(instance->heard, TRUE);
    g_free(instance->dir);
    g_free(instance);
}

void instance_tell(Instance *instance, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *line = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    ck_assert_int_gt(dprintf(instance->control, "%s\n", line), 0);
}

/* Takes lines off `text` up to one that starts with `start`. */
static const char *find_line(GString *text, const char *start)
{
    char *end;
    while ((end = strchr(text->str, '\n'))) {
        g_autofree char *line = g_strndup(text->str, (gsize)(end - text->str));
        g_string_erase(text, 0, end - text->str + 1);
        if (g_str_has_prefix(line, start))
            return g_intern_string(line); /* lives as long as the test */
    }
    return NULL;
}

static const char *hear(int fd, GString *text, const char *start, guint timeout_ms)
{
    gint64 until = g_get_monotonic_time() + timeout_ms * 1000ll;
    const char *line;
    while (!(line = find_line(text, start))) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        gint64 left = (until - g_get_monotonic_time()) / 1000;
        char bytes[4096];
        if (left <= 0 || poll(&poll_fd, 1, (int)left) <= 0)
            return NULL;
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n <= 0)
            return NULL;
        g_string_append_len(text, bytes, n);
    }
    return line;
}

const char *instance_hear(Instance *instance, const char *start, guint timeout_ms)
{
    return hear(instance->control, instance->heard, start, timeout_ms);
}

int client_connect(guint16 port, const void *bytes, gsize length)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_msg(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "connect: %s",
                  strerror(errno));
    if (length)
        ck_assert_int_eq(send(fd, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
    return fd;
}

int client_connect_rdp(const Instance *instance)
{
    static const guint8 request[] = {3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 1, 0, 0, 0};
    return client_connect(instance->rdp, request, sizeof request);
}

const char *client_hear(int fd, const char *start, guint timeout_ms)
{
    g_autoptr(GString) text = g_string_new(NULL);
    return hear(fd, text, start, timeout_ms);
}

gboolean client_is_closed(int fd, guint timeout_ms)
{
    gint64 until = g_get_monotonic_time() + timeout_ms * 1000ll;
    for (;;) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        gint64 left = (until - g_get_monotonic_time()) / 1000;
        char bytes[4096];
        if (left <= 0 || poll(&poll_fd, 1, (int)left) <= 0)
            return FALSE;
        if (read(fd, bytes, sizeof bytes) <= 0)
            return TRUE;
    }
}
