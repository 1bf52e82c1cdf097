/* The probe's role. All proving happens before the lifeline is read, while there is one thread and no source.
 */
#include "session/seat/probe_main.h"

#include "base/lifeline.h"
#include "base/log.h"
#include "base/proto/seat_control.h"
#include "base/sandbox.h"
#include "encoder/probe.h"

#include <fcntl.h>
#include <stdio.h>

#define VERDICTS_MAX 16

static EncoderVerdict verdicts[VERDICTS_MAX];
static guint verdict_count;
static GMainLoop *loop;
static PacketLink *broker;

static void prove_all(void (*beat)(void))
{
    g_autofree char *key = encoder_cache_key();
    gboolean chosen = FALSE;

    for (const EncoderCandidate *candidate = encoder_candidates;
         candidate->element && verdict_count < VERDICTS_MAX; candidate++) {
        EncoderVerdict *verdict = &verdicts[verdict_count++];
        ProbeVerdict probe;
        encoder_probe(candidate, beat, &probe);
        *verdict = (EncoderVerdict){.header = {.type = SEAT_CONTROL_VERDICT, .size = sizeof *verdict},
                                    .usable = probe.usable,
                                    .hardware = candidate->hardware,
                                    .chosen = probe.usable && !chosen,
                                    .fps = probe.fps};
        chosen |= probe.usable;
        g_strlcpy(verdict->element, candidate->element, sizeof verdict->element);
        g_strlcpy(verdict->reason, probe.reason, sizeof verdict->reason);
        g_strlcpy(verdict->key, key, sizeof verdict->key);
    }
}

static void nothing_received(PacketLink *link, const void *packet, gsize length, int *descriptors,
                             guint count, gpointer data)
{
}

static void broker_closed(PacketLink *link, gboolean broken, gpointer data)
{
    g_main_loop_quit(loop);
}

static void on_broker(int fd, gpointer data)
{
    SeatControlHeader end = {.type = SEAT_CONTROL_VERDICTS_END, .size = sizeof end};

    packet_link_free(broker);
    broker = packet_link_new(fd, NULL, SEAT_CONTROL_PACKET_MAX, 2 * VERDICTS_MAX, nothing_received,
                             broker_closed, NULL);
    for (guint i = 0; i < verdict_count; i++)
        packet_link_send(broker, &verdicts[i], sizeof verdicts[i], NULL, 0);
    packet_link_send(broker, &end, sizeof end, NULL, 0);
    /* The packets stay readable for the broker after our end. */
    if (packet_link_queued(broker) == 0)
        g_main_loop_quit(loop);
}

static void on_end(EndReason reason, const char *text, gpointer data)
{
    g_main_loop_quit(loop);
}

int probe_main(int argc, char *argv[], char *envp[])
{
    static const LifelineEvents events = {.broker = on_broker, .end = on_end};
    gboolean by_hand = fcntl(MASTER_LIFELINE_FD, F_GETFD) < 0 || fcntl(MASTER_HEARTBEAT_FD, F_GETFD) < 0;
    g_autofree char *missing = NULL;
    g_autoptr(GError) error = NULL;
    LifelineStart start;
    int descriptors[MASTER_DESCRIPTORS_MAX];
    guint count;

    if (!sandbox_enter(SANDBOX_SEAT, &missing, &error)) {
        log_error("no sandbox: %s", error->message);
        return 1;
    }
    prove_all(by_hand ? NULL : lifeline_beat);
    if (by_hand) {
        for (guint i = 0; i < verdict_count; i++)
            printf("%s %s: %s\n",
                   verdicts[i].chosen   ? "*"
                   : verdicts[i].usable ? "+"
                                        : "-",
                   verdicts[i].element, verdicts[i].reason);
        return 0;
    }
    loop = g_main_loop_new(NULL, FALSE);
    lifeline_start(argc, argv, envp, KIND_PROBE, &events, NULL, &start, descriptors, &count);
    g_main_loop_run(loop);
    packet_link_free(broker);
    g_main_loop_unref(loop);
    return 0;
}
