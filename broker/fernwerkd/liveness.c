/* Which processes hang. A heartbeat tells since when its process has been at work on one thing; who waits for
 * work is well; who has been stopped by a signal can tell nothing, that the kernel tells its parent. */
#include "broker/fernwerkd/master.h"

#include "base/log.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

static int changes = -1;

static Process *find_pid(Master *m, pid_t pid)
{
    GHashTableIter iter;
    Process *process;
    g_hash_table_iter_init(&iter, m->processes);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&process))
        if (process->pid == pid)
            return process;
    return NULL;
}

void liveness_note_stops(Master *m)
{
    siginfo_t change = {.si_pid = 0};
    while (waitid(P_ALL, 0, &change, WSTOPPED | WCONTINUED | WNOHANG) == 0 && change.si_pid) {
        Process *process = find_pid(m, change.si_pid);
        change.si_pid = 0;
        if (!process)
            continue;
        process->stopped = change.si_code != CLD_CONTINUED;
        process->last_sign_us = g_get_monotonic_time();
    }
}

static void on_child(int number)
{
    guint64 one = 1;
    gint error = errno;
    ssize_t ignored = write(changes, &one, sizeof one);
    (void)ignored;
    errno = error;
}

static gboolean children_changed(gint fd, GIOCondition condition, gpointer data)
{
    guint64 count;
    ssize_t ignored = read(fd, &count, sizeof count);
    (void)ignored;
    liveness_note_stops(data);
    return G_SOURCE_CONTINUE;
}

void liveness_watch(Master *m)
{
    /* A handler, not a blocked signal: what is blocked would stay so in every program that we start. */
    struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_RESTART};
    changes = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (changes < 0)
        g_error("eventfd: %s", g_strerror(errno));
    g_unix_fd_add(changes, G_IO_IN, children_changed, m);
    sigaction(SIGCHLD, &action, NULL);
}

void liveness_forgive(Master *m, gint64 us)
{
    GHashTableIter iter;
    Process *process;
    g_hash_table_iter_init(&iter, m->processes);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&process))
        process->last_sign_us += us;
}

static gint64 longest_silence_us(const Process *process)
{
    const SetupNode *node = &process->master->node;
    gint64 ms = !heartbeat_is_up(process->heartbeat) ? node->start_heartbeat_ms
                : process->kind == KIND_SEAT         ? node->seat_heartbeat_ms
                                                     : node->heartbeat_ms;
    return ms * 1000;
}

static gint64 silence_us(Process *process, gint64 now)
{
    if (!process->stopped)
        process->last_sign_us = MAX(process->last_sign_us, heartbeat_sign_us(process->heartbeat, now));
    return now - process->last_sign_us;
}

gboolean process_is_fresh(Process *process)
{
    return !process->stopped &&
           silence_us(process, g_get_monotonic_time()) <= longest_silence_us(process) / 2;
}

gint64 process_check_heartbeat(Process *process, gint64 now)
{
    gint64 left = longest_silence_us(process) - silence_us(process, now);
    if (left < 0 && !process->ending) {
        log_warning("%s %d does not answer and is killed", process_kind_name(process->kind), process->pid);
        process_kill(process);
    }
    return left;
}
