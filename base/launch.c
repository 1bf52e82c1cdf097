/* From a fork to an exec. All that the child needs is made before the fork: between the two only system calls
 * are safe. */
#include "base/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_FREE_FD 32 /* descriptors on their way to their numbers stand above these */

gboolean launch_keep_capabilities(const int *kept, guint count, GError **error)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2] = {{0}, {0}}, held[2] = {{0}, {0}};

    syscall(SYS_capget, &header, held);
    for (guint i = 0; i < count; i++)
        sets[CAP_TO_INDEX(kept[i])].permitted |= CAP_TO_MASK(kept[i]);
    for (guint i = 0; i < 2; i++)
        sets[i].effective = sets[i].permitted &= held[i].permitted;
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        if (capability >= 64 || !(sets[CAP_TO_INDEX(capability)].permitted & CAP_TO_MASK(capability)))
            prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    if (syscall(SYS_capset, &header, sets) == 0)
        return TRUE;
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "cannot give up capabilities: %s",
                g_strerror(errno));
    return FALSE;
}

static G_NORETURN void child_fail(const Launch *launch, const char *what)
{
    dprintf(STDERR_FILENO, "%s cannot be started: %s: %s\n", launch->path, what, strerror(errno));
    _exit(127);
}

static void child_descriptors(const Launch *launch)
{
    int moved[LAUNCH_DESCRIPTORS_MAX], null = open("/dev/null", O_RDONLY);

    for (guint i = 0; i < launch->descriptor_count; i++)
        moved[i] = fcntl(launch->descriptors[i], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        child_fail(launch, "descriptors");
    for (guint i = 0; i < launch->descriptor_count; i++)
        if (dup2(moved[i], LAUNCH_FIRST_FD + (int)i) < 0)
            child_fail(launch, "descriptors");
    if (close_range(LAUNCH_FIRST_FD + launch->descriptor_count, ~0u, 0) < 0)
        child_fail(launch, "close_range");
}

static void child_limits(const Launch *launch)
{
    struct rlimit core = {0, 0}, data = {launch->data, launch->data}, files;
    setrlimit(RLIMIT_CORE, &core); /* a dump would hold what users type */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max = MIN(launch->files, files.rlim_max);
        setrlimit(RLIMIT_NOFILE, &files);
    }
    setrlimit(RLIMIT_DATA, &data);
}

static void child_drop_privileges(const Launch *launch, pid_t parent)
{
    if (launch->own_namespaces) /* where it may; sandbox_enter() tells what holds */
        unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    if (setgroups(launch->group_count, launch->groups) < 0 ||
        setresgid(launch->gid, launch->gid, launch->gid) < 0 ||
        setresuid(launch->uid, launch->uid, launch->uid) < 0)
        child_fail(launch, "user and groups");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        child_fail(launch, "prctl");
    if (getppid() != parent)
        _exit(0);
}

static G_NORETURN void child_run(const Launch *launch, char *const *environment, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    umask(077);
    child_descriptors(launch);
    child_limits(launch);
    if (chdir("/") < 0)
        child_fail(launch, "chdir");
    child_drop_privileges(launch, parent);
    execve(launch->path, launch->argv, environment);
    child_fail(launch, "exec");
}

/* Nothing of the caller's environment but what a log and a sanitizer need. */
static char **make_environment(void)
{
    static const char *const kept[] = {
        "JOURNAL_STREAM", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "GST_DEBUG", "TZ"};
    char **list =
        g_environ_setenv(NULL, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", TRUE);
    list = g_environ_setenv(list, "LANG", "C.UTF-8", TRUE);
    list = g_environ_setenv(list, "HOME", "/nonexistent", TRUE);
    for (guint i = 0; i < G_N_ELEMENTS(kept); i++)
        if (g_getenv(kept[i]))
            list = g_environ_setenv(list, kept[i], g_getenv(kept[i]), TRUE);
    return list;
}

pid_t launch_start(const Launch *launch, int *pidfd, GError **error)
{
    g_auto(GStrv) environment = make_environment();
    pid_t parent = getpid();

    g_assert(launch->descriptor_count <= LAUNCH_DESCRIPTORS_MAX);
    pid_t pid = fork();
    if (pid == 0)
        child_run(launch, environment, parent);
    *pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;
    if (*pidfd >= 0)
        return pid;
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "cannot fork: %s", g_strerror(errno));
    if (pid > 0) { /* nobody could watch it */
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    return -1;
}
