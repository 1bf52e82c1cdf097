/* Entering the sandbox: capabilities, Landlock, system call filter; and the proof that it holds. The
 * namespaces are made by the master before it drops root; here is only looked whether they are there. */
#include "base/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Debian 12's headers end at Landlock's third version; the numbers are the kernel's, for ever. */
#define FS_ALL_V1 0x1fffull
#define FS_READ_FILE (1ull << 2)
#define FS_READ_DIR (1ull << 3)
#define FS_WRITE_FILE (1ull << 1)
#define FS_REFER (1ull << 13)      /* version 2 */
#define FS_TRUNCATE (1ull << 14)   /* version 3 */
#define FS_IOCTL_DEV (1ull << 15)  /* version 5 */
#define NET_BIND_CONNECT 3ull      /* version 4 */
#define SCOPE_ABSTRACT_SIGNAL 3ull /* version 6 */

typedef struct {
    uint64_t fs, net, scoped;
} Ruleset;

/* clang-format off */
/* What every profile but the seat's may call, without arguments looked at. */
static const char *const allowed[] = {
    "arch_prctl", "brk", "clock_getres", "clock_gettime", "clock_nanosleep", "close", "close_range", "dup", "dup2",
    "dup3", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2", "exit",
    "exit_group", "fallocate", "fcntl", "fstat", "ftruncate", "futex", "futex_waitv", "get_robust_list", "getcpu",
    "getcwd", "getegid", "geteuid", "getgid", "getgroups", "getpeername", "getpgrp", "getpid", "getppid", "getpriority",
    "getrandom", "getresgid", "getresuid", "getrlimit", "getrusage", "getsockname", "getsockopt", "gettid",
    "gettimeofday", "getuid", "lseek", "madvise", "membarrier", "memfd_create", "mincore", "mlock", "mlock2", "mmap",
    "mprotect", "mremap", "msync", "munlock", "munmap", "nanosleep", "newfstatat", "pipe", "pipe2", "poll", "ppoll",
    "pread64", "preadv", "pselect6", "pwrite64", "pwritev", "read", "readv", "recvfrom", "recvmmsg", "recvmsg",
    "restart_syscall", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend",
    "rt_sigtimedwait", "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getattr",
    "sched_getparam", "sched_getscheduler", "sched_setaffinity", "sched_setattr", "sched_setscheduler", "sched_yield",
    "select", "sendmmsg", "sendmsg", "sendto", "set_robust_list", "set_tid_address", "setitimer", "setpriority",
    "setsockopt", "shutdown", "sigaltstack", "signalfd4", "sysinfo", "time", "timer_create", "timer_delete",
    "timer_getoverrun", "timer_gettime", "timer_settime", "timerfd_create", "timerfd_gettime", "timerfd_settime",
    "times", "uname", "write", "writev", NULL};

/* What a seat may not call: it loads drivers late, so the rest stays open to it. A child that it forks stays in its process
 * group, which the master kills with it. */
static const char *const seat_denied[] = {
    "accept", "accept4", "acct", "add_key", "bind", "bpf", "chroot", "clock_adjtime", "clock_settime", "connect",
    "delete_module", "execve", "execveat", "fanotify_init", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick",
    "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup", "kcmp", "kexec_file_load", "kexec_load",
    "keyctl", "listen", "lookup_dcookie", "mount", "mount_setattr", "move_mount", "name_to_handle_at",
    "open_by_handle_at", "open_tree", "perf_event_open", "personality", "pidfd_getfd", "pivot_root",
    "process_madvise", "quotactl", "reboot", "request_key", "setdomainname", "sethostname", "setns", "setpgid", "setsid", "settimeofday",
    "socket", "swapoff", "swapon", "sysfs", "syslog", "umount2", "unshare", "userfaultfd", "vhangup", NULL};
/* clang-format on */

/* Nobody who calls these has an honest reason. */
static const char *const deadly[] = {"ptrace", "process_vm_readv", "process_vm_writev", NULL};

#define CLONE_NEW_ANY                                                                                        \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |            \
     CLONE_NEWNET)

#ifdef FERNWERK_SANITIZED
/* The leak check at exit traces its own process, which is refused here: without this the process would end in
 * error. */
static gboolean leak_check_off;
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return leak_check_off;
}
#endif

static int rule(scmp_filter_ctx filter, guint32 action, const char *name, guint count,
                struct scmp_arg_cmp compare)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return 0; /* newer than this library */
    int result = count ? seccomp_rule_add(filter, action, number, 1, compare)
                       : seccomp_rule_add(filter, action, number, 0);
    return result == -EACCES ? 0 : result; /* the same as the default action */
}

static int rules(scmp_filter_ctx filter, guint32 action, const char *const *names)
{
    for (; *names; names++) {
        int result = rule(filter, action, *names, 0, (struct scmp_arg_cmp){0});
        if (result < 0)
            return result;
    }
    return 0;
}

static int allow_if(scmp_filter_ctx filter, const char *name, struct scmp_arg_cmp compare)
{
    return rule(filter, SCMP_ACT_ALLOW, name, 1, compare);
}

static int add_common(scmp_filter_ctx filter)
{
    static const unsigned long ioctls[] = {FIONREAD, FIONBIO, TIOCOUTQ};
    static const int prctls[] = {PR_SET_NAME, PR_GET_NAME, PR_SET_PDEATHSIG, PR_GET_DUMPABLE,
                                 0x53564d41 /* SET_VMA */};
    int result = rules(filter, SCMP_ACT_ALLOW, allowed);
    for (guint i = 0; i < G_N_ELEMENTS(ioctls) && result == 0; i++)
        result = allow_if(filter, "ioctl", SCMP_A1(SCMP_CMP_EQ, ioctls[i]));
    for (guint i = 0; i < G_N_ELEMENTS(prctls) && result == 0; i++)
        result = allow_if(filter, "prctl", SCMP_A0(SCMP_CMP_EQ, (guint)prctls[i]));
    if (result == 0) /* threads, never processes or namespaces */
        result = allow_if(filter, "clone",
                          SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_NEW_ANY, CLONE_THREAD));
    if (result == 0) /* abort() */
        result = allow_if(filter, "tgkill", SCMP_A0(SCMP_CMP_EQ, (guint)getpid()));
    if (result == 0) /* reading one's own limits */
        result = allow_if(filter, "prlimit64", SCMP_A2(SCMP_CMP_EQ, 0));
    return result;
}

static int add_profile(scmp_filter_ctx filter, SandboxProfile profile)
{
    static const char *const accept_names[] = {"accept", "accept4", NULL};
    static const char *const greeter_names[] = {"getdents64", "access", "faccessat", "faccessat2", "readlink",
                                                "readlinkat", "statx",  "fstatfs",   "statfs",     NULL};
    const guint32 reading = O_ACCMODE | O_CREAT | O_TRUNC;
    int result = 0;

    if (profile == SANDBOX_GATE || profile == SANDBOX_WEB)
        result = rules(filter, SCMP_ACT_ALLOW, accept_names);
    if (result == 0 && (profile == SANDBOX_CLIENT || profile == SANDBOX_WEB))
        result = allow_if(filter, "socketpair", SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
    /* Fonts are opened when a text first needs them, keymaps when a client names its own, so this filter lets
     * reading through; that only their folders can be read is Landlock's doing alone. Without it a greeter
     * could read what every user may read. */
    if (result == 0 && profile == SANDBOX_GREETER) {
        result = rules(filter, SCMP_ACT_ALLOW, greeter_names);
        if (result == 0)
            result = allow_if(filter, "openat", SCMP_A2(SCMP_CMP_MASKED_EQ, reading, O_RDONLY));
        if (result == 0)
            result = allow_if(filter, "open", SCMP_A1(SCMP_CMP_MASKED_EQ, reading, O_RDONLY));
    }
    return result;
}

static int add_seat(scmp_filter_ctx filter)
{
    static const int spaces[] = {CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                 CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET};
    int result = rules(filter, SCMP_ACT_ERRNO(EPERM), seat_denied);
    for (guint i = 0; i < G_N_ELEMENTS(spaces) && result == 0; i++)
        result = rule(filter, SCMP_ACT_ERRNO(EPERM), "clone", 1,
                      SCMP_A0(SCMP_CMP_MASKED_EQ, (guint)spaces[i], (guint)spaces[i]));
    if (result == 0)
        result = rule(filter, SCMP_ACT_ERRNO(EPERM), "socketpair", 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX));
    return result;
}

static gboolean filter_calls(SandboxProfile profile, GError **error)
{
#ifdef FERNWERK_SANITIZED
    const guint32 kill = SCMP_ACT_ERRNO(EPERM);
    leak_check_off = TRUE;
#else
    const guint32 kill = SCMP_ACT_KILL_PROCESS;
#endif
    scmp_filter_ctx filter = seccomp_init(profile == SANDBOX_SEAT ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM));
    int result = filter ? seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) : -ENOMEM;
    if (result == 0)
        result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (result == 0)
        result = rules(filter, kill, deadly);
    if (result == 0) /* its flags cannot be seen by a filter; the C library then takes clone */
        result = rule(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, (struct scmp_arg_cmp){0});
    if (result == 0)
        result = profile == SANDBOX_SEAT ? add_seat(filter) : add_common(filter);
    if (result == 0)
        result = add_profile(filter, profile);
    if (result == 0)
        result = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    if (result < 0)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "the system call filter could not be set: %s",
                    g_strerror(-result));
    return result == 0;
}

static void allow_path(int ruleset, const char *path, guint64 access)
{
    struct landlock_path_beneath_attr attribute = {.allowed_access = access};
    attribute.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (attribute.parent_fd < 0)
        return;
    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &attribute, 0);
    close(attribute.parent_fd);
}

static void allow_paths(int ruleset, SandboxProfile profile, guint64 handled)
{
    static const char *const greeter[] = {
        "/usr/share/fonts",      "/usr/local/share/fonts", "/etc/fonts",   "/usr/share/fontconfig",
        "/var/cache/fontconfig", "/usr/share/X11",         "/etc/X11/xkb", "/usr/share/xkeyboard-config-2"};
    if (profile == SANDBOX_GREETER)
        for (guint i = 0; i < G_N_ELEMENTS(greeter); i++)
            allow_path(ruleset, greeter[i], FS_READ_FILE | FS_READ_DIR);
    if (profile == SANDBOX_SEAT) {
        allow_path(ruleset, "/", FS_READ_FILE | FS_READ_DIR);
        allow_path(ruleset, "/dev",
                   (FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV) & handled);
    }
}

/* Only the calling thread and those it starts later are held; the filter holds all. */
static gboolean restrict_files(SandboxProfile profile)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1u);
    Ruleset set = {.fs = FS_ALL_V1};
    if (version < 1)
        return FALSE;
    set.fs |= version >= 2 ? FS_REFER : 0;
    set.fs |= version >= 3 ? FS_TRUNCATE : 0;
    set.fs |= version >= 5 ? FS_IOCTL_DEV : 0;
    set.net = version >= 4 ? NET_BIND_CONNECT : 0;
    set.scoped = version >= 6 ? SCOPE_ABSTRACT_SIGNAL : 0;
    gsize size = version >= 6   ? sizeof set
                 : version >= 4 ? offsetof(Ruleset, scoped)
                                : offsetof(Ruleset, net);
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &set, size, 0);
    if (ruleset < 0)
        return FALSE;
    allow_paths(ruleset, profile, set.fs);
    gboolean done = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    close(ruleset);
    return done;
}

/* A network namespace of one's own has no interface but lo. */
static gboolean network_is_empty(void)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents("/proc/self/net/dev", &text, NULL, NULL))
        return FALSE;
    g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
    for (guint i = 2; i < g_strv_length(lines); i++)
        if (!g_str_has_prefix(g_strchug(lines[i]), "lo:"))
            return FALSE;
    return TRUE;
}

static gboolean drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}, {0}};
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &header, none) == 0;
}

gboolean sandbox_enter(SandboxProfile profile, char **missing, GError **error)
{
    g_autoptr(GString) lacks = g_string_new(NULL);

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "no_new_privs: %s", g_strerror(errno));
        return FALSE;
    }
    if (!network_is_empty() && unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
        g_string_append(lacks, "an empty network namespace");
    if (!drop_capabilities())
        g_string_append_printf(lacks, "%sempty capability sets", lacks->len ? ", " : "");
    if (!restrict_files(profile))
        g_string_append_printf(lacks, "%sLandlock", lacks->len ? ", " : "");
    /* A process that is not dumpable cannot open its own /proc/self/fd, which seats and greeters do. */
    if (profile != SANDBOX_SEAT && profile != SANDBOX_GREETER)
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (!filter_calls(profile, error))
        return FALSE;
    if (missing)
        *missing = g_string_free(g_steal_pointer(&lacks), FALSE);
    return TRUE;
}

typedef struct {
    int socket; /* made outside of the sandbox, for connect */
} Attempt;

static gboolean try_open(const Attempt *attempt)
{
    return open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 || open("/tmp", O_TMPFILE | O_RDWR, 0600) >= 0;
}

static gboolean try_socket(const Attempt *attempt)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ||
           socket(AF_INET6, SOCK_DGRAM, 0) >= 0 || socket(AF_NETLINK, SOCK_RAW, 0) >= 0;
}

static gboolean try_connect(const Attempt *attempt)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(attempt->socket, (struct sockaddr *)&address, sizeof address) == 0 ||
           (errno != EPERM && errno != EACCES);
}

static gboolean try_exec(const Attempt *attempt)
{
    /* Success does not come back: the program that then runs ends with 0, which counts as having worked. */
    execl("/bin/true", "true", NULL);
    return errno != EPERM && errno != EACCES;
}

static gboolean try_ptrace(const Attempt *attempt)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

/* Runs one attempt in a child inside of the sandbox: 0 means that it worked; being killed is a refusal. */
static gboolean attempt_works(SandboxProfile profile, gboolean (*attempt)(const Attempt *))
{
    Attempt prepared = {.socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        g_autoptr(GError) error = NULL;
        if (!sandbox_enter(profile, NULL, &error)) {
            fprintf(stderr, "%s\n", error->message);
            _exit(0);
        }
        _exit(attempt(&prepared) ? 0 : 1);
    }
    if (prepared.socket >= 0)
        close(prepared.socket);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return child < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int sandbox_check(SandboxProfile profile)
{
    static const struct {
        const char *name;
        gboolean (*attempt)(const Attempt *);
    } attempts[] = {{"open", try_open},
                    {"socket", try_socket},
                    {"connect", try_connect},
                    {"exec", try_exec},
                    {"ptrace", try_ptrace}};
    int worked = 0;
    for (guint i = 0; i < G_N_ELEMENTS(attempts); i++) {
        gboolean works = attempt_works(profile, attempts[i].attempt);
        if (works && profile == SANDBOX_SEAT && attempts[i].attempt == try_open) {
            printf("open allowed: reading, and devices\n");
            continue;
        }
        printf("%s %s\n", attempts[i].name, works ? "WORKS" : "refused");
        worked += works;
    }
    return worked;
}
