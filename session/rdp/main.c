/* fernwerk-rdp: one RDP connection. Warms up, enters the sandbox, waits for its socket. */
#include "session/rdp/rdp.h"

#include "base/log.h"
#include "base/sandbox.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEM_MAX 65536

typedef struct {
    rdpSettings *settings;
    gboolean started;
} Program;

/* The whole file behind a descriptor as text; closes it. */
static char *read_pem(int fd, GError **error)
{
    g_autofree char *text = g_malloc0(PEM_MAX + 1);
    gsize length = 0;
    ssize_t n = 0;

    while (length < PEM_MAX && (n = pread(fd, text + length, PEM_MAX - length, (off_t)length)) > 0)
        length += (gsize)n;
    close(fd);
    if (n < 0 || length == 0 || length == PEM_MAX) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "a certificate or key cannot be read, or is too large");
        return NULL;
    }
    return g_steal_pointer(&text);
}

static rdpSettings *load_settings(const int *descriptors, guint count, GError **error)
{
    if (count < 2) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "the master gave no certificate and key");
        return NULL;
    }
    g_autofree char *certificate = read_pem(descriptors[0], error);
    g_autofree char *key = certificate ? read_pem(descriptors[1], error) : NULL;
    if (!key)
        return NULL;
    rdpSettings *settings = rdp_settings_new(certificate, key, error);
    explicit_bzero(key, strlen(key));
    return settings;
}

static void socket_came(Bridge *bridge, const LifelineClient *client, int socket, gpointer data)
{
    Program *program = data;
    if (program->started || client->protocol != CLIENT_RDP) {
        close(socket);
        return;
    }
    program->started = TRUE;
    log_info("connection from %.63s", client->address);
    rdp_start(bridge, program->settings, socket);
}

static int check_sandbox(void)
{
    rdp_warm_up(NULL);
    return sandbox_check(SANDBOX_CLIENT) == 0 ? 0 : 1;
}

/* A process per connection: memory that is not needed goes back at once. */
static void save_memory(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 64 * 1024);
    mallopt(M_TRIM_THRESHOLD, 128 * 1024);
}

int main(int argc, char *argv[], char *envp[])
{
    g_autoptr(GError) error = NULL;
    g_autofree char *missing = NULL;
    Program program = {0};
    LifelineStart start;
    int descriptors[MASTER_DESCRIPTORS_MAX];
    guint count = 0;

    save_memory();
    log_open("fernwerk-rdp", LOG_LEVEL_INFO);
    if (argc > 1 && strcmp(argv[1], "--sandbox-check") == 0)
        return check_sandbox();
    Bridge *bridge = bridge_new(socket_came, &program);
    Viewer *viewer =
        viewer_start(argc, argv, envp, KIND_RDP, &bridge_viewer_events, bridge, &start, descriptors, &count);
    bridge_set_viewer(bridge, viewer);
    program.settings = load_settings(descriptors, count, &error);
    if (!program.settings) {
        log_error("%s", error->message);
        return 1;
    }
    rdp_warm_up(program.settings);
    if (!sandbox_enter(SANDBOX_CLIENT, &missing, &error)) {
        log_error("%s", error->message);
        return 1;
    }
    if (*missing)
        log_info("sandbox without %s", missing);
    malloc_trim(0);
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    bridge_set_loop(bridge, loop);
    g_main_loop_run(loop);
    /* The peer's thread may still be blocked in a library: nothing is left to be saved by waiting. */
    _exit(0);
}
