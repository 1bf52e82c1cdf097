/* The table of living processes: deadlines, deaths and what follows from them. */
#include "base/log.h"
#include "broker/fernwerkd/master.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKOFF_FIRST_MS 100
#define BACKOFF_LAST_MS 5000
#define LIVED_LONG_US (10 * G_USEC_PER_SEC)
#define LATE_US 500000 /* a tick that late: we were held up ourselves (suspend, overload) */
/* A replacement that starts at once takes the processor from who just came. */
#define REFILL_CALM_US 1500000
#define TLS_POLL_US (5 * G_USEC_PER_SEC)

Process *process_find(Master *m, ProcessId id)
{
    return g_hash_table_lookup(m->processes, &id);
}

gboolean kind_is_client(ProcessKind kind)
{
    return kind == KIND_RDP || kind == KIND_VNC;
}

/* A copy of the table's values: what is done to one process may end others. */
static GPtrArray *all_processes(Master *m)
{
    GPtrArray *list = g_ptr_array_new();
    GHashTableIter iter;
    gpointer process;
    g_hash_table_iter_init(&iter, m->processes);
    while (g_hash_table_iter_next(&iter, NULL, &process))
        g_ptr_array_add(list, process);
    return list;
}

guint process_count(Master *m, ProcessKind kind, gboolean used)
{
    g_autoptr(GPtrArray) list = all_processes(m);
    guint count = 0;
    for (guint i = 0; i < list->len; i++) {
        const Process *process = list->pdata[i];
        count += process->kind == kind && process->used == used && (used || !process->ending);
    }
    return count;
}

void process_kill(Process *process)
{
    process->ending = TRUE;
    processes_hurry(process->master);
    pidfd_send_signal(process->pidfd, SIGKILL, NULL, 0);
}

void process_end(Process *process, EndReason reason, const char *text)
{
    LifelineEnd end = {.header = {.type = LIFELINE_END, .size = sizeof end}, .reason = reason};
    Process *seat = kind_is_client(process->kind) ? process_find(process->master, process->at) : NULL;

    if (process->ending)
        return;
    process->reason = reason;
    if (!process->used) {
        process_kill(process);
        return;
    }
    process->ending = TRUE;
    if (seat && seat->kind == KIND_SEAT) {
        LifelineUnlink unlink = {.header = {.type = LIFELINE_UNLINK, .size = sizeof unlink},
                                 .peer = process->id};
        packet_link_send(seat->lifeline, &unlink, sizeof unlink, NULL, 0);
    }
    g_strlcpy(end.text, text && *text ? text : end_reason_text(reason), sizeof end.text);
    packet_link_send(process->lifeline, &end, sizeof end, NULL, 0);
    process->kill_at_us = g_get_monotonic_time() + END_MESSAGE_MS * 1000;
    processes_hurry(process->master);
}

static gboolean is_service(ProcessKind kind)
{
    return kind == KIND_BROKER || kind == KIND_GATE || kind == KIND_WEB;
}

static void bump_backoff(Master *m, ProcessKind kind, gboolean lived_long)
{
    Backoff *backoff = &m->backoff[kind];
    backoff->delay_ms =
        lived_long || !backoff->delay_ms ? BACKOFF_FIRST_MS : MIN(backoff->delay_ms * 2, BACKOFF_LAST_MS);
    backoff->not_before_us = g_get_monotonic_time() + backoff->delay_ms * 1000;
}

static void log_end(const Process *process, int status)
{
    const char *name = process_kind_name(process->kind);
    if (WIFSIGNALED(status) && (!process->ending || WTERMSIG(status) != SIGKILL))
        log_warning("%s %d died of signal %d (%s)", name, process->pid, WTERMSIG(status),
                    strsignal(WTERMSIG(status)));
    else if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        log_warning("%s %d ended with code %d", name, process->pid, WEXITSTATUS(status));
    else
        log_debug("%s %d has ended", name, process->pid);
}

/* The process is dead and no longer in the table. */
static void follow_up(Process *process)
{
    Master *m = process->master;
    g_autoptr(GPtrArray) others = all_processes(m);

    if (process->kind == KIND_BROKER)
        m->broker_ready = FALSE;
    for (guint i = 0; i < others->len; i++) {
        Process *other = others->pdata[i];
        if (process->kind == KIND_BROKER)
            other->announced = FALSE;
        if (other->kind == KIND_GREETER && other->client == process->id)
            process_kill(other);
        if (other->at == process->id) {
            other->at = 0;
            if (process->kind == KIND_GREETER && !process->kill_at_us && !other->ending &&
                !m->shutdown_at_us && arrival_give_greeter(other) != 0)
                process_end(other, END_FAULT, NULL);
        }
    }
}

static void shutdown_second_half(Master *m)
{
    g_autoptr(GPtrArray) list = all_processes(m);
    for (guint i = 0; i < list->len; i++)
        if (kind_is_client(((Process *)list->pdata[i])->kind))
            return;
    for (guint i = 0; i < list->len; i++) {
        Process *process = list->pdata[i];
        if (process->ending)
            continue;
        process_end(process, END_SHUTDOWN, NULL);
        process->kill_at_us = m->shutdown_at_us + SHUTDOWN_MS * 1000;
    }
    if (list->len == 0)
        g_main_loop_quit(m->loop);
}

static gboolean process_ended(gint fd, GIOCondition condition, gpointer data)
{
    Process *process = data;
    Master *m = process->master;
    gint64 lived = g_get_monotonic_time() - process->started_us;
    int status = 0;

    kill(-process->pid, SIGKILL); /* its children, while the dead leader still holds the group's number */
    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    process->pid_watch = 0;
    g_hash_table_steal(m->processes, &process->id);
    log_end(process, status);
    if ((is_service(process->kind) || !process->used) && !process->kill_at_us && process->reason == END_DONE)
        bump_backoff(m, process->kind, lived > LIVED_LONG_US);
    broker_tell_gone(process, status);
    follow_up(process);
    process_free(process);
    processes_hurry(m);
    if (m->shutdown_at_us)
        shutdown_second_half(m);
    return G_SOURCE_REMOVE;
}

void process_watch(Process *process)
{
    process->used = is_service(process->kind);
    process->pid_watch = g_unix_fd_add(process->pidfd, G_IO_IN, process_ended, process);
}

static gboolean listens(Master *m, gboolean rdp, gboolean vnc, gboolean web)
{
    for (guint i = 0; i < m->node.listener_count; i++) {
        ClientProtocol protocol = m->node.listeners[i].protocol;
        if ((rdp && protocol == CLIENT_RDP) || (vnc && protocol == CLIENT_VNC) ||
            (web && protocol == CLIENT_WEB))
            return TRUE;
    }
    return FALSE;
}

/* FALSE: one is missing, and not yet due. */
static gboolean keep(Master *m, ProcessKind kind, gint64 wanted)
{
    g_autoptr(GError) error = NULL;
    gint64 now = g_get_monotonic_time(), count = process_count(m, kind, is_service(kind));
    if (count >= wanted)
        return TRUE;
    if (now < m->backoff[kind].not_before_us || (count > 0 && now < m->taken_us + REFILL_CALM_US))
        return FALSE;
    Process *process = process_spawn(m, kind, &error);
    if (!process) {
        log_error("%s", error->message);
        bump_backoff(m, kind, FALSE);
    } else if (kind == KIND_WEB) {
        broker_link(process, FALSE); /* a broker that is already ready asks for no list again */
    }
    return FALSE;
}

/* Keeps broker, gate, web and the warm processes running. FALSE: some are missing. */
static gboolean replenish(Master *m)
{
    gboolean rdp = listens(m, TRUE, FALSE, FALSE), vnc = listens(m, FALSE, TRUE, FALSE),
             web = listens(m, FALSE, FALSE, TRUE), complete;
    if (m->shutdown_at_us)
        return FALSE;
    complete = keep(m, KIND_BROKER, 1);
    complete &= keep(m, KIND_GATE, rdp || vnc);
    complete &= keep(m, KIND_WEB, web);
    complete &= keep(m, KIND_RDP, rdp ? m->node.warm_rdp : 0);
    complete &= keep(m, KIND_VNC, vnc || web ? m->node.warm_vnc : 0);
    complete &= keep(m, KIND_GREETER, rdp || vnc || web ? m->node.warm_greeter : 0);
    return complete;
}

/* Returns in how many us something of this process may be due. */
static gint64 check_deadlines(Process *process, gint64 now)
{
    if (process->kill_at_us && now >= process->kill_at_us) {
        process_kill(process);
    } else if (process->login_by_us && now >= process->login_by_us && !process->ending) {
        log_info("%s %d from %s: nobody logged in in time", process_kind_name(process->kind), process->pid,
                 process->address);
        process_end(process, END_TIMEOUT, NULL);
    }
    return process->ending ? 0 : process->login_by_us ? process->login_by_us - now : G_MAXINT64;
}

static gboolean is_up(Master *m, ProcessKind kind)
{
    g_autoptr(GPtrArray) list = all_processes(m);
    for (guint i = 0; i < list->len; i++) {
        const Process *process = list->pdata[i];
        if (process->kind == kind && heartbeat_is_up(process->heartbeat))
            return TRUE;
    }
    return FALSE;
}

static void check_ready(Master *m)
{
    if (m->ready || !m->broker_ready || (listens(m, TRUE, TRUE, FALSE) && !is_up(m, KIND_GATE)) ||
        (listens(m, FALSE, FALSE, TRUE) && !is_up(m, KIND_WEB)))
        return;
    m->ready = TRUE;
    ready_publish(m);
}

/* Returns in how many us to look again. */
static gint64 look(Master *m, gint64 now)
{
    g_autoptr(GPtrArray) list = all_processes(m);
    gint64 next = CALM_TICK_MS * 1000;

    for (guint i = 0; i < list->len; i++) {
        Process *process = list->pdata[i];
        gint64 silent = process_check_heartbeat(process, now), due = check_deadlines(process, now);
        next = MIN(next, MIN(silent, due));
    }
    if (!replenish(m))
        next = 0;
    if (!m->shutdown_at_us)
        check_ready(m);
    if (now - m->tls_checked_us >= TLS_POLL_US) {
        m->tls_checked_us = now;
        tls_poll(m);
    }
    return m->ready ? next : 0;
}

static gboolean tick(gpointer data);

static void tick_in(Master *m, guint ms)
{
    g_clear_handle_id(&m->tick, g_source_remove);
    m->tick_due_us = g_get_monotonic_time() + ms * 1000;
    m->tick = g_timeout_add(ms, tick, m);
}

static gboolean tick(gpointer data)
{
    Master *m = data;
    gint64 now = g_get_monotonic_time(), late = now - m->tick_due_us;

    m->tick = 0;
    if (late > LATE_US)
        liveness_forgive(m, late);
    tick_in(m, (guint)(MAX(look(m, now), TICK_MS * 1000) / 1000));
    return G_SOURCE_REMOVE;
}

void processes_hurry(Master *m)
{
    /* 0: the look that is going on decides when the next one is; what comes up in it counts there. */
    if (m->tick && m->tick_due_us - g_get_monotonic_time() > TICK_MS * 1000)
        tick_in(m, TICK_MS);
}

void processes_look_after(Master *m)
{
    liveness_watch(m);
    replenish(m);
    tick_in(m, TICK_MS);
}

void processes_shutdown(Master *m)
{
    g_autoptr(GPtrArray) list = all_processes(m);
    gboolean again = m->shutdown_at_us != 0;
    m->shutdown_at_us = g_get_monotonic_time();
    for (guint i = 0; i < list->len; i++) {
        Process *process = list->pdata[i];
        if (again || process->kind == KIND_GATE || !process->used)
            process_kill(process);
        else if (kind_is_client(process->kind))
            process_end(process, END_SHUTDOWN, NULL);
    }
    shutdown_second_half(m);
}
