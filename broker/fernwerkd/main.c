/* fernwerkd: root, tiny. Keeps the listeners; starts, introduces, kills and restarts every other process. It
 * reads neither its command line nor a configuration: fernwerk-setup does, and is gone before the first
 * process starts. */
#include "base/launch.h"
#include "base/log.h"
#include "base/notify.h"
#include "broker/fernwerkd/master.h"

#include <glib-unix.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/resource.h>

#define RENEWAL_S 86400

static gboolean on_stop(gpointer data)
{
    Master *m = data;
    if (!m->shutdown_at_us) {
        log_info("stopping");
        notify_service_manager("STOPPING=1");
    }
    processes_shutdown(m);
    return G_SOURCE_CONTINUE;
}

static gboolean on_reload(gpointer data)
{
    tls_renew(data);
    return G_SOURCE_CONTINUE;
}

static void raise_limits(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* What the master lives on: other users for its processes, their namespaces and bounding sets, their end, and
 * certificates that other users own. */
static void keep_capabilities(void)
{
    static const int kept[] = {CAP_SETUID, CAP_SETGID,    CAP_SETPCAP,
                               CAP_KILL,   CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH};
    g_autoptr(GError) error = NULL;
    if (!launch_keep_capabilities(kept, G_N_ELEMENTS(kept), &error))
        log_warning("%s", error->message);
}

int main(int argc, char *argv[])
{
    static Master m;
    int code;

    if (!setup_run(&m, argv, &code))
        return code;
    log_open("fernwerkd", (LogLevel)m.node.log_level);
    raise_limits();
    keep_capabilities();
    m.loop = g_main_loop_new(NULL, FALSE);
    m.processes = g_hash_table_new(g_int64_hash, g_int64_equal);
    m.next_uid = m.node.uid_first;
    tls_poll(&m);
    g_unix_signal_add(SIGTERM, on_stop, &m);
    g_unix_signal_add(SIGINT, on_stop, &m);
    g_unix_signal_add(SIGHUP, on_reload, &m);
    g_timeout_add_seconds(RENEWAL_S, on_reload, &m);
    processes_look_after(&m);
    g_main_loop_run(m.loop);
    ready_withdraw(&m);
    log_info("stopped");
    return 0;
}
