/* A program that stands in for any of fernwerkd's processes. As the broker it serves the admin socket: a line
 * is a request to the master, and what the master says comes back as lines. As a client process it says hello
 * on the connection it was handed and obeys words that come over it. */
#include "base/lifeline.h"
#include "base/log.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static ProcessKind kind;
static int control = -1; /* broker: the test; client: its peer */
static gboolean linger;
static PacketLink *requests;
static guint64 last_request;

G_GNUC_PRINTF(1, 2)
static void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (control >= 0)
        vdprintf(control, format, arguments);
    va_end(arguments);
}

/* ---- the broker ---- */

static void heard(PacketLink *link, const void *packet, gsize length, int *descriptors, guint count,
                  gpointer data)
{
    const MasterHeader *header = packet;
    switch (header->type) {
    case MASTER_REPLY: {
        const MasterReply *reply = packet;
        say("reply %lu %d %lu\n", reply->request, reply->error, reply->id);
        break;
    }
    case MASTER_PROCESS: {
        const MasterProcess *p = packet;
        say("process %lu %s living=%u client=%lu at=%lu user=%s desktop=%s epoch=%lu pid=%u link=%u\n", p->id,
            process_kind_name(p->kind), p->living, p->client, p->at, p->record.user, p->record.desktop,
            p->record.epoch, p->pid, count);
        break;
    }
    case MASTER_ARRIVAL: {
        const MasterArrival *a = packet;
        say("arrival %lu %lu %u %s\n", a->client, a->greeter, a->protocol, a->address);
        break;
    }
    case MASTER_PROCESS_GONE: {
        const MasterProcessGone *gone = packet;
        say("gone %lu %s %u\n", gone->id, process_kind_name(gone->kind), gone->reason);
        break;
    }
    case MASTER_LIVING_END:
        say("living-end\n");
        break;
    default:
        say("unknown %u\n", header->type);
    }
}

static void master_gone(PacketLink *link, gboolean broken, gpointer data)
{
    exit(3);
}

static void obey(char *line)
{
    unsigned long a = 0, b = 0, c = 0;
    char first[SEAT_NAME_MAX] = "", second[SEAT_NAME_MAX] = "";
    if (sscanf(line, "request %lu", &a) == 1) {
        last_request = a - 1;
    } else if (strcmp(line, "ready") == 0) {
        RequestHeader r = {{REQUEST_READY, sizeof r, 0}, ++last_request};
        packet_link_send(requests, &r, sizeof r, NULL, 0);
    } else if (sscanf(line, "spawn %lu", &a) == 1) {
        RequestSpawn r = {{{REQUEST_SPAWN, sizeof r, 0}, ++last_request}, (guint32)a, 0};
        packet_link_send(requests, &r, sizeof r, NULL, 0);
    } else if (sscanf(line, "bind %lu %63s %63s %lu %lu", &a, first, second, &b, &c) == 5) {
        RequestBind r = {{{REQUEST_BIND, sizeof r, 0}, ++last_request}, a, {.epoch = b, .connection = c}};
        strcpy(r.record.user, strcmp(first, "-") ? first : "");
        strcpy(r.record.desktop, strcmp(second, "-") ? second : "");
        packet_link_send(requests, &r, sizeof r, NULL, 0);
    } else if (sscanf(line, "introduce %lu %lu", &a, &b) == 2) {
        RequestIntroduce r = {{{REQUEST_INTRODUCE, sizeof r, 0}, ++last_request}, a, b, 0, 0};
        packet_link_send(requests, &r, sizeof r, NULL, 0);
    } else if (sscanf(line, "end %lu %lu", &a, &b) == 2) {
        RequestEnd r = {{{REQUEST_END, sizeof r, 0}, ++last_request}, a, (guint32)b, 0, ""};
        packet_link_send(requests, &r, sizeof r, NULL, 0);
    } else if (sscanf(line, "extend %lu", &a) == 1) {
        RequestExtend r = {{{REQUEST_EXTEND, sizeof r, 0}, ++last_request}, a};
        packet_link_send(requests, &r, sizeof r, NULL, 0);
    } else if (strcmp(line, "garbage") == 0) {
        packet_link_send(requests, "garbage!garbage!", 16, NULL, 0);
    } else {
        say("what? %s\n", line);
    }
}

static gboolean control_readable(gint fd, GIOCondition condition, gpointer data)
{
    char bytes[4096], *rest = NULL;
    ssize_t n = read(fd, bytes, sizeof bytes - 1);
    if (n <= 0) {
        close(fd);
        control = -1;
        return G_SOURCE_REMOVE;
    }
    bytes[n] = '\0';
    for (char *line = strtok_r(bytes, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        obey(line);
    return G_SOURCE_CONTINUE;
}

static gboolean test_connects(gint fd, GIOCondition condition, gpointer data)
{
    control = accept(fd, NULL, NULL);
    g_unix_fd_add(control, G_IO_IN, control_readable, NULL);
    return G_SOURCE_CONTINUE;
}

/* ---- the others ---- */

/* Two seconds of it, and signs of life meanwhile. */
static void work(void)
{
    for (guint i = 0; i < 8; i++) {
        g_usleep(MASTER_HEARTBEAT_MS * 1000 / 2);
        lifeline_beat();
    }
}

static gboolean peer_readable(gint fd, GIOCondition condition, gpointer data)
{
    char bytes[256];
    ssize_t n = read(fd, bytes, sizeof bytes - 1);
    if (n <= 0)
        exit(0);
    bytes[n] = '\0';
    if (memmem(bytes, (size_t)n, "linger", 6)) {
        linger = TRUE;
        say("lingering\n");
    }
    if (memmem(bytes, (size_t)n, "stop", 4))
        raise(SIGSTOP);
    if (memmem(bytes, (size_t)n, "hang", 4))
        pause();
    if (memmem(bytes, (size_t)n, "work", 4))
        work();
    if (memmem(bytes, (size_t)n, "die", 3))
        abort();
    return G_SOURCE_CONTINUE;
}

static void take_client(const LifelineClient *client, int socket, gpointer data)
{
    control = socket;
    struct rlimit limit = {0};
    getrlimit(RLIMIT_DATA, &limit);
    say("hello kind=%u uid=%u pid=%d data=%lu address=%s log=%u\n", kind, getuid(), getpid(), limit.rlim_cur,
        client->address, log_level());
    g_unix_fd_add(socket, G_IO_IN | G_IO_HUP, peer_readable, NULL);
}

static void take_link(const LifelineSeatLink *link, int fd, gpointer data)
{
    if (kind == KIND_RDP || kind == KIND_VNC)
        say("link peer=%lu kind=%u\n", link->peer, link->peer_kind);
}

static void take_broker(int fd, gpointer data)
{
}

static void take_end(EndReason reason, const char *text, gpointer data)
{
    say("end %u %s\n", reason, text);
    if (!linger)
        exit(0);
}

/* As the web: the bytes of what a start or a reload brought after the listener, to whoever is connected. */
static void say_files(const char *word, const int *descriptors, guint count)
{
    say("%s", word);
    for (guint i = 0; i < count; i++)
        say(" %ld", (long)lseek(descriptors[i], 0, SEEK_END));
    say("\n");
}

static void take_reload(const int *descriptors, guint count, gpointer data)
{
    say_files("reload", descriptors, count);
}

static gboolean browser_connects(gint fd, GIOCondition condition, gpointer data)
{
    control = accept(fd, NULL, NULL);
    say("hello kind=%u uid=%u address=\n", kind, getuid());
    return G_SOURCE_CONTINUE;
}

static void take_record(const ProcessRecord *record, gpointer data)
{
    if (kind == KIND_RDP || kind == KIND_VNC)
        say("record %s on %s\n", record->user, record->desktop);
}

static ProcessKind own_kind(const char *name)
{
    for (ProcessKind k = KIND_BROKER; k < KIND_PROBE; k++)
        if (strcmp(name, process_kind_name(k)) == 0)
            return k;
    return 0;
}

int main(int argc, char *argv[], char *envp[])
{
    static const LifelineEvents events = {.client = take_client,
                                          .seat_link = take_link,
                                          .broker = take_broker,
                                          .end = take_end,
                                          .record = take_record,
                                          .reload = take_reload};
    LifelineStart start;
    int descriptors[MASTER_DESCRIPTORS_MAX];
    guint count;

    kind = own_kind(argv[0]);
    signal(SIGPIPE, SIG_IGN);
    lifeline_start(argc, argv, envp, kind, &events, NULL, &start, descriptors, &count);
    if (kind == KIND_BROKER) {
        requests = packet_link_new(MASTER_REQUEST_FD, NULL, MASTER_PACKET_MAX, 100, heard, master_gone, NULL);
        g_unix_fd_add(descriptors[0], G_IO_IN, test_connects, NULL);
    }
    if (kind == KIND_WEB)
        g_unix_fd_add(descriptors[0], G_IO_IN, browser_connects, NULL);
    g_main_loop_run(g_main_loop_new(NULL, FALSE));
    return 0;
}
