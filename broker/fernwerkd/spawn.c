/* What a process of each kind is started with: its user, its limits, its links and its first packet. */
#include "base/launch.h"
#include "base/log.h"
#include "broker/fernwerkd/master.h"

#include <gio/gio.h>
#include <unistd.h>

#define LIFELINE_QUEUE 64
/* Private writable memory of processes that people reach before they have logged in: several times what the
 * largest picture costs them, so that a fault that grows ends one connection and not the machine. */
#define GREETER_DATA_MAX (384ull << 20)
#define CLIENT_DATA_MAX (1024ull << 20)

/* A process's ends of its links, each at its number: lifeline, heartbeat and, for those who ask, the request
 * link. */
#define GIVEN_MAX 3
#define GIVEN(FD) ((FD)-LAUNCH_FIRST_FD)
G_STATIC_ASSERT(GIVEN(MASTER_LIFELINE_FD) == 0 && GIVEN(MASTER_HEARTBEAT_FD) == 1 &&
                GIVEN(MASTER_REQUEST_FD) == GIVEN_MAX - 1);

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
        launch->groups = fixed->groups;
        launch->group_count = fixed->group_count;
        return TRUE;
    }
    if (kind == KIND_SEAT || kind == KIND_PROBE) {
        launch->groups = m->node.seat.groups;
        launch->group_count = m->node.seat.group_count;
    }
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
    heartbeat_free(process->heartbeat);
    g_free(process);
}

static gboolean make_links(Process *process, int *given, int *requests, GError **error)
{
    int ends[2];
    process->heartbeat = heartbeat_new(&given[GIVEN(MASTER_HEARTBEAT_FD)], error);
    if (!process->heartbeat)
        return FALSE;
    if (!packet_pair(ends, error))
        return FALSE;
    process->lifeline = packet_link_new(ends[0], NULL, MASTER_PACKET_MAX, LIFELINE_QUEUE, lifeline_received,
                                        lifeline_closed, process);
    given[GIVEN(MASTER_LIFELINE_FD)] = ends[1];
    if (process->kind != KIND_BROKER && process->kind != KIND_GATE && process->kind != KIND_WEB)
        return TRUE;
    if (!packet_pair(ends, error))
        return FALSE;
    *requests = ends[0];
    given[GIVEN(MASTER_REQUEST_FD)] = ends[1];
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

static gboolean start_program(Process *process, const int *given, GError **error)
{
    Master *m = process->master;
    ProcessKind kind = process->kind;
    g_autofree char *path = g_build_filename(m->node.libexec_dir, process_kind_name(kind), NULL);
    char *argv[] = {(char *)process_kind_name(kind), (char *)"--config", m->node.config_path,
                    (char *)(kind == KIND_PROBE ? "--probe" : NULL), NULL};
    Launch launch = {.path = path,
                     .argv = argv,
                     .descriptors = given,
                     .descriptor_count = given[GIVEN(MASTER_REQUEST_FD)] >= 0 ? GIVEN_MAX : GIVEN_MAX - 1,
                     .files = kind == KIND_GATE || kind == KIND_WEB || kind == KIND_BROKER ? 65536 : 1000,
                     .data = data_limit(kind),
                     .own_namespaces = kind != KIND_BROKER};

    if (!choose_user(m, kind, &launch, error))
        return FALSE;
    process->uid = launch.uid;
    process->pid = launch_start(&launch, &process->pidfd, error);
    return process->pid > 0;
}

static gboolean start(Process *process, GError **error)
{
    int given[GIVEN_MAX] = {-1, -1, -1}, requests = -1;
    gboolean started = make_links(process, given, &requests, error) && send_start(process, error) &&
                       start_program(process, given, error);

    for (guint i = 0; i < GIVEN_MAX; i++)
        if (given[i] >= 0)
            close(given[i]);
    if (started && requests >= 0)
        requests_open(process, requests);
    else if (requests >= 0)
        close(requests);
    return started;
}

Process *process_spawn(Master *m, ProcessKind kind, GError **error)
{
    Process *process = g_new0(Process, 1);

    process->master = m;
    process->kind = kind;
    process->pidfd = -1;
    process->id = ++m->next_id;
    process->started_us = process->last_sign_us = g_get_monotonic_time();
    if (!start(process, error)) {
        g_prefix_error(error, "%s: ", process_kind_name(kind));
        process_free(process);
        return NULL;
    }
    g_hash_table_insert(m->processes, &process->id, process);
    process_watch(process);
    log_debug("%s %" G_GUINT64_FORMAT " started, pid %d", process_kind_name(kind), process->id, process->pid);
    return process;
}
