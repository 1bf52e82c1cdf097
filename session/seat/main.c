/* fernwerk-seat: a desktop's screen and input. With --probe: proves the H.264 encoders once, tells the
 * broker. */
#include "base/lifeline.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "session/seat/probe_main.h"
#include "session/seat/seat.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static GMainLoop *loop;
static Seat *seat;

static void on_seat_link(const LifelineSeatLink *link, int fd, gpointer data)
{
    seat_client(seat, link, fd);
}

static void on_broker(int fd, gpointer data)
{
    seat_broker(seat, fd);
}

static void on_unlink(ProcessId peer, gpointer data)
{
    seat_unlink(seat, peer);
}

static void on_end(EndReason reason, const char *text, gpointer data)
{
    seat_end(seat, reason, text);
    g_main_loop_quit(loop);
}

static void enter_sandbox(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *missing = NULL;
    if (!sandbox_enter(SANDBOX_SEAT, &missing, &error)) {
        log_error("no sandbox: %s", error->message);
        exit(1);
    }
    if (*missing)
        log_info("sandbox without: %s", missing);
}

/* The master passes --config first; a seat needs nothing of it. */
static gboolean has_option(int argc, char *argv[], const char *option)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], option) == 0)
            return TRUE;
    return FALSE;
}

/* What an encoder has given up goes back to the system: one of another size could not use it. */
static void save_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 64 * 1024);
    mallopt(M_TRIM_THRESHOLD, 128 * 1024);
}

int main(int argc, char *argv[], char *envp[])
{
    static const LifelineEvents events = {
        .seat_link = on_seat_link, .broker = on_broker, .unlink = on_unlink, .end = on_end};
    g_autoptr(GError) error = NULL;
    LifelineStart start;
    int descriptors[MASTER_DESCRIPTORS_MAX];
    guint count;

    save_memory();
    log_open("fernwerk-seat", LOG_LEVEL_INFO);
    signal(SIGPIPE, SIG_IGN);
    if (has_option(argc, argv, "--sandbox-check")) {
        enter_sandbox();
        return sandbox_check(SANDBOX_SEAT);
    }
    if (has_option(argc, argv, "--probe"))
        return probe_main(argc, argv, envp);
    seat = seat_new(&error);
    if (!seat) {
        log_error("%s", error->message);
        return 1;
    }
    loop = g_main_loop_new(NULL, FALSE);
    lifeline_start(argc, argv, envp, KIND_SEAT, &events, NULL, &start, descriptors, &count);
    enter_sandbox();
    g_main_loop_run(loop);
    seat_free(seat);
    g_main_loop_unref(loop);
    return 0;
}
