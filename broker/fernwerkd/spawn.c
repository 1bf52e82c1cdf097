/* Starting a program under its own user, with nothing but its descriptors. */
#include "base/log.h"
#include "broker/fernwerkd/master.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LIFELINE_QUEUE 64
#define FIRST_FREE_FD 32 /* descriptors on their way to 3, 4, 5 stand above those numbers */
/* Private writable memory of processes that people reach before they have logged in: several times what the largest
 * picture costs them, so that a fault that grows ends one connection and not the machine. */
#define GREETER_DATA_MAX (384ull << 20)
#define CLIENT_DATA_MAX (1024ull << 20)

/* All that the child needs, made before the fork: between fork and exec only system calls are safe. */
typedef struct {
    ProcessKind kind;
    const char *path;
    char *argv[5];
    char *envp[24];
    uid_t uid;
    gid_t gid;
    const SetupIdentity *groups;
    gboolean own_namespaces;
    rlim_t files, data;
    int lifeline, heartbeat, requests;
    pid_t parent;
} Launch;

/* What the master lives on: other users for its processes, their namespaces and bounding sets, their end, and
 * certificates that other users own. */
void spawn_drop_capabilities(void)
{
    static const int kept[] = {CAP_SETUID, CAP_SETGID,    CAP_SETPCAP,
                               CAP_KILL,   CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH};
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2] = {{0}, {0}}, held[2] = {{0}, {0}};

    syscall(SYS_capget, &header, held);
    for (guint i = 0; i < G_N_ELEMENTS(kept); i++)
        sets[CAP_TO_INDEX(kept[i])].permitted |= CAP_TO_MASK(kept[i]);
    for (guint i = 0; i < 2; i++)
        sets[i].effective = sets[i].permitted &= held[i].permitted;
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        if (capability >= 64 || !(sets[CAP_TO_INDEX(capability)].permitted & CAP_TO_MASK(capability)))
            prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    if (syscall(SYS_capset, &header, sets) < 0)
        log_warning("cannot give up capabilities: %s", g_strerror(errno));
}

static G_NORETURN void child_fail(const char *what)
{
    dprintf(STDERR_FILENO, "fernwerkd: cannot start a process: %s: %s\n", what, strerror(errno));
    _exit(127);
}

static void child_descriptors(const Launch *launch)
{
    int lifeline = fcntl(launch->lifeline, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    int heartbeat = fcntl(launch->heartbeat, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    int requests = launch->requests >= 0 ? fcntl(launch->requests, F_DUPFD_CLOEXEC, FIRST_FREE_FD) : -1;
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0 ||
        dup2(lifeline, MASTER_LIFELINE_FD) < 0 || dup2(heartbeat, MASTER_HEARTBEAT_FD) < 0 ||
        (requests >= 0 && dup2(requests, MASTER_REQUEST_FD) < 0))
        child_fail("descriptors");
    if (close_range(requests >= 0 ? MASTER_REQUEST_FD + 1 : MASTER_HEARTBEAT_FD + 1, ~0u, 0) < 0)
        child_fail("close_range");
}

static void child_limits(const Launch *launch)
{
    struct rlimit core = {0, 0}, files;
    setrlimit(RLIMIT_CORE, &core); /* a dump would hold what users type */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max = MIN(launch->files, files.rlim_max);
        setrlimit(RLIMIT_NOFILE, &files);
    }
    struct rlimit data = {launch->data, launch->data};
    setrlimit(RLIMIT_DATA, &data);
}

static void child_drop_privileges(const Launch *launch)
{
    if (launch->own_namespaces)
        unshare(CLONE_NEWNET | CLONE_NEWIPC |
                CLONE_NEWUTS); /* where it may; sandbox_enter() tells what holds */
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    if (setgroups(launch->groups ? launch->groups->group_count : 0,
                  launch->groups ? launch->groups->groups : NULL) < 0 ||
        setresgid(launch->gid, launch->gid, launch->gid) < 0 ||
        setresuid(launch->uid, launch->uid, launch->uid) < 0)
        child_fail("user and groups");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        child_fail("prctl");
    if (getppid() != launch->parent)
        _exit(0);
}

static G_NORETURN void child_run(const Launch *launch)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    umask(077);
    child_descriptors(launch);
    child_limits(launch);
    if (chdir("/") < 0)
        child_fail("chdir");
    child_drop_privileges(launch);
    execve(launch->path, launch->argv, launch->envp);
    child_fail(launch->path);
}

/* Nothing of the caller's environment but what a log and a sanitizer need. */
static void fill_environment(Launch *launch)
{
    static const char *const kept[] = {
        "JOURNAL_STREAM", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "GST_DEBUG", "TZ"};
    guint n = 0;
    launch->envp[n++] = g_strdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    launch->envp[n++] = g_strdup("LANG=C.UTF-8");
    launch->envp[n++] = g_strdup("HOME=/nonexistent");
    for (guint i = 0; i < G_N_ELEMENTS(kept); i++)
        if (g_getenv(kept[i]))
            launch->envp[n++] = g_strdup_printf("%s=%s", kept[i], g_getenv(kept[i]));
}

static gboolean uid_is_used(Master *m, uid_t uid)
{
    GHashTableIter iter;
    Process *process;
    g_hash_table_iter_init(&iter, m->processes);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&process))
        if (process->uid == uid)
            return TRUE;
    return FALSE;
}

static gboolean choose_user(Master *m, ProcessKind kind, Launch *launch, GError **error)
{
    const SetupIdentity *fixed = kind == KIND_BROKER ? &m->node.broker
                                 : kind == KIND_GATE ? &m->node.gate
                                 : kind == KIND_WEB  ? &m->node.web
                                                     : NULL;
    if (fixed) {
        launch->uid = fixed->uid;
        launch->gid = fixed->gid;
        launch->groups = fixed;
        return TRUE;
    }
    launch->groups = kind == KIND_SEAT || kind == KIND_PROBE ? &m->node.seat : NULL;
    for (gint64 tried = m->node.uid_first; tried <= m->node.uid_last; tried++) {
        launch->uid = launch->gid = (uid_t)m->next_uid;
        m->next_uid = m->next_uid == m->node.uid_last ? m->node.uid_first : m->next_uid + 1;
        if (!uid_is_used(m, launch->uid))
            return TRUE;
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "fernwerk.uid_range is used up");
    return FALSE;
}

/* Fills in what a process of that kind gets at the start; returns the number of all, *owned that of the last
 * ones, which are to be closed. */
static guint start_descriptors(Master *m, ProcessKind kind, LifelineStart *start, int *descriptors,
                               guint *owned)
{
    guint n = 0;
    if (kind == KIND_BROKER)
        descriptors[n++] = m->admin_listener;
    for (guint i = 0; i < m->node.listener_count; i++) {
        gboolean web = m->node.listeners[i].protocol == CLIENT_WEB;
        if (kind != (web ? KIND_WEB : KIND_GATE))
            continue;
        if (!web)
            start->listeners[n] = m->node.listeners[i].protocol;
        descriptors[n++] = m->listeners[i];
    }
    *owned = tls_open(m, kind, descriptors + n);
    return n + *owned;
}

static gboolean send_start(Process *process, GError **error)
{
    LifelineStart start = {.header = {.type = LIFELINE_START, .size = sizeof start},
                           .version = MASTER_VERSION};
    int descriptors[MASTER_DESCRIPTORS_MAX + 3];
    guint owned;
    start.kind = process->kind;
    start.id = process->id;
    start.log_level = process->master->node.log_level;
    guint count = start_descriptors(process->master, process->kind, &start, descriptors, &owned);
    gboolean sent = packet_link_send(process->lifeline, &start, sizeof start, descriptors, count);
    for (guint i = 0; i < owned; i++)
        close(descriptors[count - 1 - i]);
    if (!sent)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "the lifeline broke");
    return sent;
}

/* Nobody but the master writes on a lifeline. */
static void lifeline_received(PacketLink *link, const void *packet, gsize length, int *descriptors,
                              guint count, gpointer data)
{
    log_error("%s wrote on its lifeline and is killed", process_kind_name(((Process *)data)->kind));
    process_kill(data);
}

static void lifeline_closed(PacketLink *link, gboolean broken, gpointer data)
{
    Process *process = data;
    if (broken)
        process_kill(process);
}

void process_free(Process *process)
{
    g_clear_handle_id(&process->pid_watch, g_source_remove);
    packet_link_free(process->lifeline);
    packet_link_free(process->requests);
    if (process->pidfd >= 0)
        close(process->pidfd);
    if (process->heartbeat >= 0)
        close(process->heartbeat);
    g_free(process);
}

static void launch_clear(Launch *launch)
{
    for (guint i = 0; launch->envp[i]; i++)
        g_free(launch->envp[i]);
    if (launch->lifeline >= 0)
        close(launch->lifeline);
    if (launch->requests >= 0)
        close(launch->requests);
}

static gboolean make_links(Process *process, Launch *launch, int *requests, GError **error)
{
    int ends[2];
    process->heartbeat = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    launch->heartbeat = process->heartbeat;
    if (process->heartbeat < 0 || !packet_pair(ends, error)) {
        if (error && !*error)
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "no descriptors left");
        return FALSE;
    }
    process->lifeline = packet_link_new(ends[0], NULL, MASTER_PACKET_MAX, LIFELINE_QUEUE, lifeline_received,
                                        lifeline_closed, process);
    launch->lifeline = ends[1];
    if (process->kind != KIND_BROKER && process->kind != KIND_GATE && process->kind != KIND_WEB)
        return TRUE;
    if (!packet_pair(ends, error))
        return FALSE;
    *requests = ends[0];
    launch->requests = ends[1];
    return TRUE;
}

static gboolean launch_process(Process *process, Launch *launch, GError **error)
{
    Master *m = process->master;
    g_autofree char *path = g_build_filename(m->node.libexec_dir, process_kind_name(process->kind), NULL);
    int requests = -1;

    launch->path = path;
    launch->argv[0] = (char *)process_kind_name(process->kind);
    launch->argv[1] = (char *)"--config";
    launch->argv[2] = (char *)m->node.config_path;
    launch->argv[3] = (char *)(process->kind == KIND_PROBE ? "--probe" : NULL);
    if (!choose_user(m, process->kind, launch, error) || !make_links(process, launch, &requests, error) ||
        !send_start(process, error))
        return FALSE;
    process->uid = launch->uid;
    process->pid = fork();
    if (process->pid == 0)
        child_run(launch);
    if (process->pid > 0)
        process->pidfd = pidfd_open(process->pid, 0);
    if (process->pid < 0 || process->pidfd < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "cannot fork: %s", g_strerror(errno));
        return FALSE;
    }
    if (requests >= 0)
        requests_open(process, requests);
    return TRUE;
}

static rlim_t data_limit(ProcessKind kind)
{
#ifndef FERNWERK_SANITIZED /* sanitizers map terabytes */
    if (kind == KIND_GREETER)
        return GREETER_DATA_MAX;
    if (kind == KIND_RDP || kind == KIND_VNC)
        return CLIENT_DATA_MAX;
#endif
    return RLIM_INFINITY;
}

Process *process_spawn(Master *m, ProcessKind kind, GError **error)
{
    Process *process = g_new0(Process, 1);
    Launch launch = {.kind = kind, .lifeline = -1, .requests = -1, .parent = getpid()};

    process->master = m;
    process->kind = kind;
    process->pidfd = process->heartbeat = -1;
    process->id = ++m->next_id;
    process->started_us = process->last_beat_us = g_get_monotonic_time();
    launch.own_namespaces = kind != KIND_BROKER;
    launch.files = kind == KIND_GATE || kind == KIND_WEB || kind == KIND_BROKER ? 65536 : 1000;
    launch.data = data_limit(kind);
    fill_environment(&launch);
    gboolean launched = launch_process(process, &launch, error);
    launch_clear(&launch);
    if (!launched) {
        g_prefix_error(error, "%s: ", process_kind_name(kind));
        process_free(process);
        return NULL;
    }
    g_hash_table_insert(m->processes, &process->id, process);
    process_watch(process);
    log_debug("%s %" G_GUINT64_FORMAT " started, pid %d", process_kind_name(kind), process->id, process->pid);
    return process;
}
