/* fernwerk-setup: fernwerkd's command line and configuration. Prepares what the master needs, hands it over,
 * ends. */
#include "base/log.h"
#include "base/packet.h"
#include "broker/setup/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    char *config_path, *describe_as;
    gboolean check, version, certificates;
} Options;

static gboolean parse(int argc, char *argv[], Options *options, GError **error)
{
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &options->config_path, "Configuration file", "PATH"},
        {"check-config", 0, 0, G_OPTION_ARG_NONE, &options->check,
         "Read the configuration, say ok or what is wrong, end", NULL},
        {"describe-config", 0, 0, G_OPTION_ARG_STRING, &options->describe_as,
         "Print all keys as a file or a page, end", "ini|markdown"},
        {"version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Print the version, end", NULL},
        {"certificates", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &options->certificates, NULL, NULL},
        {NULL}};
    g_autoptr(GOptionContext) context = g_option_context_new("- the master of Fernwerk's processes");

    g_set_prgname("fernwerkd");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, error))
        return FALSE;
    if (argc > 1)
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "takes no arguments but options");
    return argc == 1;
}

static int describe(const char *format)
{
    g_autofree char *text = config_describe(strcmp(format, "markdown") == 0);
    fputs(text, stdout);
    return 0;
}

static void fill_limits(Setup *setup)
{
    SetupNode *node = &setup->node;
    const struct {
        const char *key;
        int32_t *value;
    } limits[] = {{"limits.login_s", &node->login_s},
                  {"limits.clients_max", &node->clients_max},
                  {"limits.logging_in_total", &node->logging_in_total},
                  {"limits.logging_in_per_source", &node->logging_in_per_source},
                  {"limits.warm_rdp", &node->warm_rdp},
                  {"limits.warm_vnc", &node->warm_vnc},
                  {"limits.warm_greeter", &node->warm_greeter},
                  {"limits.heartbeat_ms", &node->heartbeat_ms},
                  {"limits.seat_heartbeat_ms", &node->seat_heartbeat_ms},
                  {"limits.start_heartbeat_ms", &node->start_heartbeat_ms}};
    for (guint i = 0; i < G_N_ELEMENTS(limits); i++)
        *limits[i].value = (int32_t)config_integer(setup->config, limits[i].key);
    if (node->logging_in_total == 0)
        node->logging_in_total = MAX(node->clients_max / 2, 1);
}

/* Exit code. */
static int hand_over(Setup *setup, SetupType type)
{
    SetupNode *node = &setup->node;
    int descriptors[2 + SETUP_TLS_COUNT + SETUP_LISTENERS_MAX];
    guint count = 0;

    node->header = (MasterHeader){.type = (uint16_t)type, .size = sizeof *node};
    node->version = MASTER_VERSION;
    node->log_level = log_level();
    if (type == SETUP_NODE) {
        descriptors[count++] = setup->lock;
        descriptors[count++] = setup->admin_listener;
    }
    for (guint i = 0; i < SETUP_TLS_COUNT; i++)
        descriptors[count++] = setup->tls[i];
    for (guint i = 0; i < node->listener_count; i++)
        descriptors[count++] = setup->listeners[i];
    if (packet_send(SETUP_FD, node, sizeof *node, descriptors, count) == PACKET_OK)
        return 0;
    fprintf(stderr, "fernwerkd: the master does not listen to its setup\n");
    return 1;
}

static gboolean prepare(Setup *setup, const Options *options, const char *path, GError **error)
{
    if (!settings_resolve(setup, path, error))
        return FALSE;
    if (options->check)
        return TRUE;
    if (fcntl(SETUP_FD, F_GETFD) < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "fernwerk-setup is started by fernwerkd, not by hand");
        return FALSE;
    }
    fcntl(SETUP_FD, F_SETFD, FD_CLOEXEC);
    fill_limits(setup);
    if (options->certificates)
        return tls_take(setup, error);
    return settings_prepare(setup, error) && tls_take(setup, error) && listeners_open(setup, error);
}

int main(int argc, char *argv[])
{
    static Setup setup = {.lock = -1, .admin_listener = -1};
    static Options options;
    g_autoptr(GError) error = NULL;
    LogLevel level = LOG_LEVEL_INFO;

    if (!parse(argc, argv, &options, &error)) {
        fprintf(stderr, "fernwerkd: %s; see --help\n", error->message);
        return 2;
    }
    if (options.version)
        return printf("fernwerkd %s\n", FERNWERK_VERSION) < 0;
    if (options.describe_as)
        return describe(options.describe_as);
    g_autofree char *path =
        g_canonicalize_filename(options.config_path ? options.config_path : FERNWERK_CONFIG, NULL);
    setup.config = config_load(path, &error);
    if (setup.config && log_level_parse(config_string(setup.config, "fernwerk.log_level"), &level))
        log_open("fernwerkd", level);
    if (!setup.config || !prepare(&setup, &options, path, &error)) {
        fprintf(stderr, "fernwerkd: %s\n", error->message);
        return 1;
    }
    if (options.check)
        return puts("ok") < 0;
    return hand_over(&setup, options.certificates ? SETUP_TLS : SETUP_NODE);
}
