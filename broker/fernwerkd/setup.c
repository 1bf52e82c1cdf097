/* Running fernwerk-setup and taking over what it has prepared. */
#include "base/log.h"
#include "base/notify.h"
#include "broker/fernwerkd/master.h"

#include <errno.h>
#include <gio/gio.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "fernwerk-setup"
#define DESCRIPTORS_MAX (2 + SETUP_TLS_COUNT + SETUP_LISTENERS_MAX)

/* Beside this program, as in a build folder, or where all of them are installed, seen from here: a tree that
 * was installed for elsewhere runs too. */
static char *find_program(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *beside = g_path_get_dirname(self ? self : "/");
    char *path = g_build_filename(beside, PROGRAM, NULL);
    if (access(path, X_OK) == 0)
        return path;
    g_free(path);
    return g_build_filename(beside, FERNWERK_LIBEXEC_FROM_SBIN, PROGRAM, NULL);
}

/* Returns our end of the link; -1: error. argv[0] is filled in. */
static int start(char *argv[], GSpawnFlags flags, GPid *pid, GError **error)
{
    static const int at = SETUP_FD;
    g_autofree char *program = find_program();
    int ends[2];

    argv[0] = program;
    if (!packet_pair(ends, error))
        return -1;
    if (!g_spawn_async_with_pipes_and_fds(NULL, (const char *const *)argv, NULL, flags, NULL, NULL, -1, -1,
                                          -1, &ends[1], &at, 1, pid, NULL, NULL, NULL, error)) {
        close(ends[0]);
        ends[0] = -1;
    }
    close(ends[1]);
    argv[0] = NULL;
    return ends[0];
}

static void take_tls(Master *m, const int *descriptors)
{
    for (guint i = 0; i < SETUP_TLS_COUNT; i++) {
        if (m->tls[i] > 0)
            close(m->tls[i]);
        m->tls[i] = descriptors[i];
    }
}

static gboolean take_node(Master *m, int link)
{
    struct pollfd poller = {.fd = link, .events = POLLIN};
    int descriptors[DESCRIPTORS_MAX];
    gsize length = 0;
    guint count = 0;

    while (poll(&poller, 1, -1) < 0 && errno == EINTR)
        continue;
    if (packet_receive(link, &m->node, sizeof m->node, &length, descriptors, DESCRIPTORS_MAX, &count) !=
        PACKET_OK)
        return FALSE;
    g_assert(length == sizeof m->node && m->node.header.type == SETUP_NODE &&
             m->node.version == MASTER_VERSION);
    g_assert(count == 2 + SETUP_TLS_COUNT + m->node.listener_count);
    m->lock = descriptors[0];
    m->admin_listener = descriptors[1];
    take_tls(m, descriptors + 2);
    memcpy(m->listeners, descriptors + 2 + SETUP_TLS_COUNT, m->node.listener_count * sizeof(int));
    return TRUE;
}

gboolean setup_run(Master *m, char *argv[], int *code)
{
    g_autoptr(GError) error = NULL;
    int status = 0;
    GPid pid;
    int link = start(argv, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_LEAVE_DESCRIPTORS_OPEN, &pid, &error);

    if (link < 0) {
        fprintf(stderr, "fernwerkd: %s\n", error->message);
        *code = 1;
        return FALSE;
    }
    gboolean taken = take_node(m, link);
    close(link);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    guint passed = notify_passed(getpid());
    if (passed) /* they have come back from the setup under other numbers */
        close_range(3, 2 + passed, 0);
    return taken;
}

static void received(PacketLink *link, const void *packet, gsize length, int *descriptors, guint count,
                     gpointer data)
{
    const MasterHeader *header = packet;
    g_assert(length == sizeof(SetupNode) && header->type == SETUP_TLS && count == SETUP_TLS_COUNT);
    take_tls(data, descriptors);
    for (guint i = 0; i < count; i++)
        descriptors[i] = -1;
    tls_taken(data);
}

static void closed(PacketLink *link, gboolean broken, gpointer data)
{
    g_clear_pointer(&((Master *)data)->setup, packet_link_free);
}

void setup_certificates(Master *m)
{
    char *argv[] = {NULL, (char *)"--certificates", (char *)"--config", m->node.config_path, NULL};
    g_autoptr(GError) error = NULL;
    int link;

    if (m->setup)
        return;
    link = start(argv, G_SPAWN_DEFAULT, NULL, &error);
    if (link < 0)
        log_error("the certificates are not taken again: %s", error->message);
    else
        m->setup = packet_link_new(link, NULL, SETUP_PACKET_MAX, 0, received, closed, m);
}
