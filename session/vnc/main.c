/* fernwerk-vnc: one RFB connection. Started ahead of time (warm), it waits for its socket in the sandbox. */
#include "base/log.h"
#include "base/sandbox.h"
#include "session/vnc/connection.h"
#include "session/vnc/tls_server.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static void enter_sandbox(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *missing = NULL;
    if (!sandbox_enter(SANDBOX_CLIENT, &missing, &error)) {
        log_error("no sandbox: %s", error->message);
        _exit(1);
    }
    if (missing && *missing)
        log_debug("sandbox without: %s", missing);
}

/* The first TLS handshake loads and computes much; none of it should wait for the client, nor need a file
 * once the sandbox is closed. */
static void warm_up(TlsServer *tls)
{
    g_autoptr(GError) error = NULL;
    if (!tls_server_rehearse(tls, &error))
        log_warning("TLS does not work: %s", error->message);
}

int main(int argc, char *argv[], char *envp[])
{
    g_autoptr(GError) error = NULL;
    LifelineStart start;
    int descriptors[MASTER_DESCRIPTORS_MAX];
    guint count = 0;

    if (argc > 1 && strcmp(argv[1], "--sandbox-check") == 0)
        return sandbox_check(SANDBOX_CLIENT);
    log_open(process_kind_name(KIND_VNC), LOG_LEVEL_INFO);
    signal(SIGPIPE, SIG_IGN);

    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    Connection *connection = connection_new(loop);
    Viewer *viewer = viewer_start(argc, argv, envp, KIND_VNC, &connection_viewer_events, connection, &start,
                                  descriptors, &count);
    if (count != 2) {
        log_error("the master gave %u descriptors in place of certificate and key", count);
        return 1;
    }
    TlsServer *tls = tls_server_new(descriptors[0], descriptors[1], &error);
    Pixels *pixels = tls ? pixels_new(lifeline_beat, &error) : NULL;
    close(descriptors[0]);
    close(descriptors[1]);
    if (!pixels) {
        log_error("%s", error->message);
        return 1;
    }
    connection_equip(connection, viewer, tls, pixels);
    warm_up(tls);
    enter_sandbox();
    g_main_loop_run(loop);
    return 0;
}
