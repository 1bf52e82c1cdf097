/* stage RECORDING rdp|vnc CERTIFICATE KEY [whole]: a seat that plays a recording, and a client process for
 * each connection to the TCP port whose number it prints ("port N"), until it is ended. What fernwerkd, gate
 * and broker do for them is done here without asking anybody: the first client owns the desktop, the others
 * look on. whole: the seat gets no hints about what has changed. */
#include "tests/unit/seat/rig.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEAT_ID 1u
#define RFB_GREETING "RFB 003.008\n" /* which the gate sends */

static struct {
    const char *recording, *certificate, *key;
    gboolean vnc, whole;
} told;

static const ProcessRecord desktop = {.desktop = "d1"};

static int open_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_msg(fd >= 0, "%s: %s", path, g_strerror(errno));
    return fd;
}

static void tell(int lifeline, guint type, void *packet, gsize size, const int *descriptors, guint count)
{
    MasterHeader *header = packet;
    header->type = type;
    header->size = (guint32)size;
    ck_assert_int_eq(packet_send(lifeline, packet, size, descriptors, count), PACKET_OK);
}

static void run_client(int lifeline, int heartbeat)
{
    int first = fcntl(lifeline, F_DUPFD, 10), second = fcntl(heartbeat, F_DUPFD, 10);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(first, MASTER_LIFELINE_FD);
    dup2(second, MASTER_HEARTBEAT_FD);
    close_range(MASTER_REQUEST_FD, ~0u, 0);
    if (told.vnc)
        execl(FERNWERK_VNC, "fernwerk-vnc", NULL);
    else
        execl(FERNWERK_RDP, "fernwerk-rdp", NULL);
    _exit(127);
}

/* A new client process; returns its lifeline. */
static int start_client(ProcessKind kind, ProcessId id)
{
    LifelineStart start = {.version = MASTER_VERSION, .kind = kind, .id = id, .log_level = 2};
    int ends[2], heartbeat, files[2] = {open_file(told.certificate), open_file(told.key)};

    ck_assert(packet_pair(ends, NULL));
    ck_assert_ptr_nonnull(heartbeat_new(&heartbeat, NULL));
    tell(ends[0], LIFELINE_START, &start, sizeof start, files, 2);
    if (fork() == 0)
        run_client(ends[1], heartbeat);
    close(ends[1]);
    close(heartbeat);
    close(files[0]);
    close(files[1]);
    return ends[0];
}

static void introduce(const RigSeat *seat, int client, ProcessKind kind, ProcessId id,
                      const ProcessRecord *who)
{
    LifelineSeatLink to_client = {.peer = SEAT_ID, .peer_kind = KIND_SEAT, .record = *who},
                     to_seat = {.peer = id, .peer_kind = kind, .record = *who};
    int ends[2];

    to_client.rights = to_seat.rights = id > SEAT_ID + 1 ? LINK_VIEW_ONLY : 0;
    ck_assert(packet_pair(ends, NULL));
    tell(client, LIFELINE_SEAT_LINK, &to_client, sizeof to_client, &ends[0], 1);
    tell(seat->lifeline, LIFELINE_SEAT_LINK, &to_seat, sizeof to_seat, &ends[1], 1);
    close(ends[0]);
    close(ends[1]);
}

static void serve(const RigSeat *seat, int connection, ProcessId id)
{
    const ProcessKind kind = told.vnc ? KIND_VNC : KIND_RDP;
    LifelineClient client = {.protocol = told.vnc ? CLIENT_VNC : CLIENT_RDP, .address = "127.0.0.1"};
    LifelineRecord record = {.record = desktop};
    int lifeline = start_client(kind, id); /* closed by this program's end, which ends it */

    g_snprintf(record.record.user, sizeof record.record.user, "viewer%u", (guint)id - SEAT_ID);
    tell(lifeline, LIFELINE_RECORD, &record, sizeof record, NULL, 0);
    if (told.vnc)
        ck_assert_int_eq(send(connection, RFB_GREETING, strlen(RFB_GREETING), 0), strlen(RFB_GREETING));
    tell(lifeline, LIFELINE_CLIENT, &client, sizeof client, &connection, 1);
    introduce(seat, lifeline, kind, id, &record.record);
    close(connection);
}

static int listen_anywhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 16) == 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    printf("port %u\n", ntohs(address.sin_port));
    return fd;
}

/* What the seat tells its broker interests nobody here. */
static void forget_packet(int fd)
{
    guint8 packet[SEAT_CONTROL_PACKET_MAX];
    int descriptors[MASTER_DESCRIPTORS_MAX];
    gsize length;
    guint count;

    PacketResult result =
        packet_receive(fd, packet, sizeof packet, &length, descriptors, G_N_ELEMENTS(descriptors), &count);
    ck_assert_msg(result == PACKET_OK || result == PACKET_AGAIN, "the seat has ended");
    for (guint i = 0; result == PACKET_OK && i < count; i++)
        close(descriptors[i]);
}

START_TEST(play)
{
    LifelineRecord record = {.record = desktop};
    RigSeat seat;
    ProcessId next = SEAT_ID + 1;

    rig_seat_start(&seat);
    tell(seat.lifeline, LIFELINE_RECORD, &record, sizeof record, NULL, 0);
    rig_seat_replay(&seat, open_file(told.recording), told.whole);
    int listener = listen_anywhere();
    for (;;) {
        struct pollfd fds[] = {{.fd = listener, .events = POLLIN}, {.fd = seat.broker, .events = POLLIN}};
        poll(fds, G_N_ELEMENTS(fds), -1);
        if (fds[1].revents)
            forget_packet(seat.broker);
        int connection = fds[0].revents ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (connection >= 0)
            serve(&seat, connection, next++);
    }
}
END_TEST

/* In a suite's clothes, since the rig asserts. */
int main(int argc, char *argv[])
{
    if (argc < 5 || argc > 6 || (strcmp(argv[2], "rdp") != 0 && strcmp(argv[2], "vnc") != 0)) {
        fputs("usage: stage RECORDING rdp|vnc CERTIFICATE KEY [whole]\n", stderr);
        return 2;
    }
    told.recording = argv[1];
    told.vnc = strcmp(argv[2], "vnc") == 0;
    told.certificate = argv[3];
    told.key = argv[4];
    told.whole = argc == 6;
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGCHLD, SIG_IGN); /* nobody waits for clients that have left */
    TCase *all = tcase_create("play");
    Suite *suite = suite_create("stage");
    tcase_add_test(all, play);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    return EXIT_FAILURE; /* it plays until it is ended */
}
