/* The process's side of lifeline, heartbeat and title. */
#include "base/lifeline.h"

#include "base/heartbeat.h"
#include "base/log.h"

#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const LifelineEvents *lifeline_events;
static gpointer lifeline_data;
static ProcessKind lifeline_kind;

const char *process_kind_name(ProcessKind kind)
{
    static const char *const names[] = {
        [KIND_BROKER] = "fernwerk-broker", [KIND_GATE] = "fernwerk-gate",       [KIND_WEB] = "fernwerk-web",
        [KIND_SEAT] = "fernwerk-seat",     [KIND_GREETER] = "fernwerk-greeter", [KIND_RDP] = "fernwerk-rdp",
        [KIND_VNC] = "fernwerk-vnc",       [KIND_PROBE] = "fernwerk-seat"};
    g_return_val_if_fail(kind >= KIND_BROKER && kind <= KIND_LAST, "?");
    return names[kind];
}

static Heartbeat *heartbeat(void)
{
    static Heartbeat *joined;
    if (!joined)
        joined = heartbeat_join(MASTER_HEARTBEAT_FD);
    return joined;
}

void lifeline_beat(void)
{
    if (heartbeat())
        heartbeat_beat(heartbeat());
}

static void take_record(const ProcessRecord *record)
{
    char subject[2 * SEAT_NAME_MAX + 8] = "";
    if (*record->user && *record->desktop)
        g_snprintf(subject, sizeof subject, "%.63s on %.63s", record->user, record->desktop);
    else
        g_snprintf(subject, sizeof subject, "%.63s", *record->user ? record->user : record->desktop);
    setproctitle("-%s: %s", process_kind_name(lifeline_kind), subject);
    log_subject(subject);
    if (lifeline_events->record)
        lifeline_events->record(record, lifeline_data);
}

static int take_first(int *descriptors, guint count)
{
    int fd = count > 0 ? descriptors[0] : -1;
    if (count > 0)
        descriptors[0] = -1;
    return fd;
}

static void received(PacketLink *link, const void *packet, gsize length, int *descriptors, guint count,
                     gpointer data)
{
    const MasterHeader *header = packet;
    const LifelineEvents *events = lifeline_events;

    g_assert(length >= sizeof *header && header->size == length);
    switch (header->type) {
    case LIFELINE_CLIENT:
        g_assert(length == sizeof(LifelineClient) && count == 1);
        if (events->client)
            events->client(packet, take_first(descriptors, count), lifeline_data);
        break;
    case LIFELINE_SEAT_LINK:
        g_assert(length == sizeof(LifelineSeatLink) && count == 1);
        if (events->seat_link)
            events->seat_link(packet, take_first(descriptors, count), lifeline_data);
        break;
    case LIFELINE_BROKER:
        g_assert(count == 1);
        if (events->broker)
            events->broker(take_first(descriptors, count), lifeline_data);
        break;
    case LIFELINE_RECORD:
        g_assert(length == sizeof(LifelineRecord));
        take_record(&((const LifelineRecord *)packet)->record);
        break;
    case LIFELINE_UNLINK:
        g_assert(length == sizeof(LifelineUnlink));
        if (events->unlink)
            events->unlink(((const LifelineUnlink *)packet)->peer, lifeline_data);
        break;
    case LIFELINE_END: {
        const LifelineEnd *end = packet;
        g_assert(length == sizeof *end);
        if (events->end)
            events->end(end->reason, end->text, lifeline_data);
        else
            exit(0);
        break;
    }
    case LIFELINE_RELOAD:
        if (events->reload) {
            events->reload(descriptors, count, lifeline_data);
            for (guint i = 0; i < count; i++)
                descriptors[i] = -1;
        }
        break;
    default:
        log_warning("lifeline: unknown packet %u is ignored", header->type);
    }
}

static void closed(PacketLink *link, gboolean broken, gpointer data)
{
    /* The master is gone, or wants us gone: nothing of ours must outlive it. */
    _exit(0);
}

static void read_start(LifelineStart *start, int *descriptors, guint *count)
{
    struct pollfd poll_fd = {.fd = MASTER_LIFELINE_FD, .events = POLLIN};
    gsize length;

    if (fcntl(MASTER_LIFELINE_FD, F_GETFD) < 0 || !heartbeat()) {
        fprintf(stderr, "%s: is started by fernwerkd, not by hand\n", process_kind_name(lifeline_kind));
        exit(2);
    }
    poll(&poll_fd, 1, 10000);
    if (packet_receive(MASTER_LIFELINE_FD, start, sizeof *start, &length, descriptors, MASTER_DESCRIPTORS_MAX,
                       count) != PACKET_OK ||
        length != sizeof *start || start->header.type != LIFELINE_START || start->version != MASTER_VERSION) {
        fprintf(stderr,
                "%s: the master's first packet is missing or of another version: install all programs of "
                "Fernwerk from one build\n",
                process_kind_name(lifeline_kind));
        exit(1);
    }
    /* These three are ours alone: nothing that we might start inherits them. */
    fcntl(MASTER_LIFELINE_FD, F_SETFD, FD_CLOEXEC);
    fcntl(MASTER_HEARTBEAT_FD, F_SETFD, FD_CLOEXEC);
    if (lifeline_kind == KIND_BROKER || lifeline_kind == KIND_GATE || lifeline_kind == KIND_WEB)
        fcntl(MASTER_REQUEST_FD, F_SETFD, FD_CLOEXEC);
}

void lifeline_start(int argc, char *argv[], char *envp[], ProcessKind kind, const LifelineEvents *events,
                    gpointer data, LifelineStart *start, int *descriptors, guint *count)
{
    lifeline_events = events;
    lifeline_data = data;
    lifeline_kind = kind;
    setproctitle_init(argc, argv, envp);
    prctl(PR_SET_NAME, process_kind_name(kind));
    read_start(start, descriptors, count);
    log_open(process_kind_name(kind), (LogLevel)MIN(start->log_level, LOG_LEVEL_DEBUG));
    packet_link_new(MASTER_LIFELINE_FD, NULL, MASTER_PACKET_MAX, 0, received, closed, NULL);
    lifeline_beat();
    heartbeat_follow_loop(heartbeat());
}
