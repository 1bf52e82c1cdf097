/* fernwerk-web: HTTPS pages, the REST interface and WebSockets. Holds its TLS key and a link to the broker;
 * the sockets it serves were opened by fernwerkd. What comes in over HTTP is in exchange.c, over WebSocket in
 * bridge.c. */
#include "base/config.h"
#include "base/lifeline.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "web/server/api.h"
#include "web/server/bridge.h"
#include "web/server/service.h"

#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TLS_DESCRIPTORS 3 /* chain, key, CA: the last ones of LIFELINE_START */
#define TICKETS_MAX 1024
#define RATE_FACTOR 10 /* a browser opens several connections where another client opens one */
#define ANONYMOUS_FACTOR 4

static void broker_up(gpointer data)
{
    api_describe(data);
}

static void on_broker(int fd, gpointer data)
{
    broker_link_attach(((Server *)data)->broker, fd);
}

static void on_reload(const int *descriptors, guint count, gpointer data)
{
    g_autoptr(GError) error = NULL;
    if (count < 2) {
        log_error("a new certificate came without its key");
        for (guint i = 0; i < count; i++)
            close(descriptors[i]);
        return;
    }
    /* A CA that signed the old certificate is not resent; without one the new certificate counts as bought.
     */
    if (service_reload(data, descriptors[0], descriptors[1], count > 2 ? descriptors[2] : -1, &error))
        log_info("new certificate, SHA-256 %s", tls_identity_fingerprint(((Server *)data)->identity));
    else
        log_error("the new certificate is not taken, the old one stays: %s", error->message);
    for (guint i = TLS_DESCRIPTORS; i < count; i++)
        close(descriptors[i]);
}

static const LifelineEvents lifeline_events = {.broker = on_broker, .reload = on_reload};

static void from_master(PacketLink *link, const void *packet, gsize length, int *descriptors, guint count,
                        gpointer data)
{
    const MasterReply *reply = packet;
    if (length == sizeof *reply && reply->header.type == MASTER_REPLY)
        bridge_handed_over(data, reply);
}

static void master_gone(PacketLink *link, gboolean broken, gpointer data)
{
    log_error("the link to fernwerkd broke");
    exit(1);
}

static G_NORETURN void die(const char *message)
{
    log_error("%s", message);
    exit(1);
}

/* Pages beside the program: ../share/fernwerk/web once installed (libexec/fernwerk/ -> ../../share),
 * ../web/ui/dist in the build tree. */
static char *default_pages(void)
{
    static const char *const places[] = {"../../share/fernwerk/web", "../share/fernwerk/web",
                                         "../web/ui/dist"};
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(program ? program : "/usr/libexec/fernwerk/x");
    for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *place = g_build_filename(folder, places[i], NULL);
        g_autofree char *index = g_build_filename(place, "index.html", NULL);
        if (g_file_test(index, G_FILE_TEST_EXISTS))
            return g_canonicalize_filename(place, NULL);
    }
    return g_build_filename(folder, places[0], NULL);
}

static void load_settings(Server *server, const Config *config)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *pages = g_strdup(config_string(config, "web.pages_dir"));
    guint half_open = (guint)config_integer(config, "limits.half_open_total");
    guint per_source = (guint)config_integer(config, "limits.half_open_per_source");
    AdmissionLimits limits = {
        .half_open_total = half_open,
        .half_open_per_source = per_source,
        .anonymous_total = half_open * ANONYMOUS_FACTOR,
        .anonymous_per_source = per_source * ANONYMOUS_FACTOR,
        .connections_total =
            half_open * ANONYMOUS_FACTOR + (guint)config_integer(config, "limits.clients_max") * 8,
        .rate_per_source = (guint)config_integer(config, "limits.rate_per_source") * RATE_FACTOR,
    };

    server->admission = admission_new(&limits);
    server->connections_max = limits.connections_total;
    server->first_packet_s = (guint)config_integer(config, "limits.first_packet_s");
    server->login_s = (guint)config_integer(config, "limits.login_s");
    server->websockets_max = (guint)config_integer(config, "limits.clients_max");
    server->tickets = tickets_new(TICKETS_MAX, (guint)config_integer(config, "broker.ticket_life_s") * 1000);
    server->public_host = g_strdup(config_string(config, "web.public_host"));
    if (!*pages) {
        g_free(pages);
        pages = default_pages();
    }
    server->assets = assets_load(pages, &error);
    if (!server->assets)
        die(error->message);
}

static void open_log(const Config *config)
{
    LogLevel level = LOG_LEVEL_INFO;
    log_level_parse(config_string(config, "fernwerk.log_level"), &level);
    log_open("fernwerk-web", level);
}

static Config *load_config(const char *path)
{
    g_autoptr(GError) error = NULL;
    Config *config = path ? config_load(path, &error) : config_parse("defaults", "", 0, &error);
    if (!config) {
        log_open("fernwerk-web", LOG_LEVEL_INFO);
        die(error->message);
    }
    return config;
}

static void enter_sandbox(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *missing = NULL;
    if (!sandbox_enter(SANDBOX_WEB, &missing, &error))
        die(error->message);
    if (missing && *missing)
        log_warning("sandbox: not available here: %s", missing);
}

static void serve(int argc, char *argv[], char *envp[], const Config *config)
{
    static Server server;
    g_autoptr(GError) error = NULL;
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    LifelineStart start;
    int descriptors[MASTER_DESCRIPTORS_MAX];
    guint count;

    server.broker = broker_link_new(broker_up, &server);
    server.handovers = g_hash_table_new(g_int64_hash, g_int64_equal);
    lifeline_start(argc, argv, envp, KIND_WEB, &lifeline_events, &server, &start, descriptors, &count);
    if (count <= TLS_DESCRIPTORS)
        die("fernwerkd gave no listener or no certificate");
    guint listeners = count - TLS_DESCRIPTORS;
    load_settings(&server, config);
    server.identity = tls_identity_load(descriptors[listeners], descriptors[listeners + 1],
                                        descriptors[listeners + 2], &error);
    if (!server.identity)
        die(error->message);
    server.requests =
        packet_link_new(MASTER_REQUEST_FD, NULL, MASTER_PACKET_MAX, 64, from_master, master_gone, &server);
    if (!service_start(&server, loop, &error))
        die(error->message);
    enter_sandbox();
    for (guint i = 0; i < listeners; i++)
        service_listen(&server, descriptors[i]);
    log_info("serving, certificate SHA-256 %s", tls_identity_fingerprint(server.identity));
    g_main_loop_run(loop);
}

int main(int argc, char *argv[], char *envp[])
{
    const char *path = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--sandbox-check") == 0)
            return sandbox_check(SANDBOX_WEB) == 0 ? 0 : 1;
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
            path = argv[++i];
        } else {
            fprintf(stderr, "usage: fernwerk-web [--config FILE] | --sandbox-check\n");
            return 2;
        }
    }
    g_autofree char *config_path = g_strdup(path); /* the process title overwrites argv */
    g_autoptr(Config) config = load_config(config_path);
    open_log(config);
    serve(argc, argv, envp, config);
    return 0;
}
