/* fernwerkd: root, tiny. Owns the listeners; starts, introduces, kills and restarts every other process. */
#include "base/log.h"
#include "broker/fernwerkd/master.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    g_autoptr(GError) error = NULL;
    if (!tls_make_own(data, &error))
        log_error("%s", error->message);
    tls_poll(data, TRUE);
    return G_SOURCE_CONTINUE;
}

static gboolean prepare(Master *m, GError **error)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    return settings_prepare(m, error) && tls_make_own(m, error) && listeners_open(m, error);
}

static void run(Master *m)
{
    m->loop = g_main_loop_new(NULL, FALSE);
    m->processes = g_hash_table_new(g_int64_hash, g_int64_equal);
    tls_poll(m, TRUE);
    spawn_drop_capabilities();
    g_unix_signal_add(SIGTERM, on_stop, m);
    g_unix_signal_add(SIGINT, on_stop, m);
    g_unix_signal_add(SIGHUP, on_reload, m);
    g_timeout_add(250, processes_tick, m);
    g_timeout_add_seconds(RENEWAL_S, on_reload, m);
    processes_replenish(m);
    g_main_loop_run(m->loop);
    listeners_close(m);
    log_info("stopped");
}

static int describe(const char *format)
{
    g_autofree char *text = config_describe(strcmp(format, "markdown") == 0);
    fputs(text, stdout);
    return 0;
}

int main(int argc, char *argv[])
{
    g_autofree char *config_path = NULL, *describe_as = NULL, *path = NULL;
    gboolean check = FALSE, version = FALSE;
    const GOptionEntry options[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &config_path, "Configuration file", "PATH"},
        {"check-config", 0, 0, G_OPTION_ARG_NONE, &check, "Read the configuration, say ok or what is wrong, end", NULL},
        {"describe-config", 0, 0, G_OPTION_ARG_STRING, &describe_as, "Print all keys as a file or a page, end",
         "ini|markdown"},
        {"version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version, end", NULL},
        {NULL}};
    g_autoptr(GOptionContext) context = g_option_context_new("- the master of Fernwerk's processes");
    g_autoptr(GError) error = NULL;
    static Master master = {.admin_listener = -1, .lock = -1};
    LogLevel level = LOG_LEVEL_INFO;

    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
        fprintf(stderr, "fernwerkd: %s; see --help\n", error ? error->message : "takes no arguments but options");
        return 2;
    }
    if (version)
        return printf("fernwerkd %s\n", FERNWERK_VERSION) < 0;
    if (describe_as)
        return describe(describe_as);
    path = g_canonicalize_filename(config_path ? config_path : FERNWERK_CONFIG, NULL);
    master.config = config_load(path, &error);
    if (check && master.config)
        return puts("ok") < 0;
    if (master.config && log_level_parse(config_string(master.config, "fernwerk.log_level"), &level))
        log_open("fernwerkd", level);
    if (!master.config || !settings_resolve(&master, path, &error) || !prepare(&master, &error)) {
        fprintf(stderr, "fernwerkd: %s\n", error->message);
        return 1;
    }
    run(&master);
    return 0;
}
