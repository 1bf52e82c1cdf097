/* fernwerk-greeter: a seat without a VM, where every connection begins. */
#include "base/log.h"
#include "base/sandbox.h"
#include "session/greeter/greeter.h"
#include "session/greeter/render.h"

#include <stdio.h>
#include <string.h>

static void on_seat_link(const LifelineSeatLink *link, int fd, gpointer data)
{
    greeter_add_client(link, fd);
}

static void on_broker(int fd, gpointer data)
{
    greeter_add_broker(fd);
}

static void on_unlink(ProcessId peer, gpointer data)
{
    greeter_remove_client(peer);
}

static void on_end(EndReason reason, const char *text, gpointer data)
{
    greeter_end(reason, text);
}

static void on_record(const ProcessRecord *record, gpointer data)
{
    greeter_record(record);
}

static const LifelineEvents events = {
    .seat_link = on_seat_link, .broker = on_broker, .unlink = on_unlink, .end = on_end, .record = on_record};

int main(int argc, char *argv[], char *envp[])
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = NULL;
    g_autofree char *missing = NULL;
    LifelineStart start;
    int descriptors[MASTER_DESCRIPTORS_MAX];
    guint count;
    LogLevel level = LOG_LEVEL_INFO;

    if (argc == 2 && strcmp(argv[1], "--sandbox-check") == 0)
        return sandbox_check(SANDBOX_GREETER) != 0;
    if (argc == 3 && strcmp(argv[1], "--render") == 0)
        return render_screens(argv[2]);
    if (argc == 7 && strcmp(argv[1], "--render-sentence") == 0)
        return render_sentence(argv[2], argv[3], argv[4], argv[5], argv[6]);
    if (argc != 3 || strcmp(argv[1], "--config") != 0) {
        fprintf(stderr, "fernwerk-greeter: is started by fernwerkd, not by hand (but: --render DIR, --sandbox-check)\n");
        return 2;
    }
    config = config_load(argv[2], &error);
    if (!config) {
        fprintf(stderr, "fernwerk-greeter: %s\n", error->message);
        return 1;
    }
    log_level_parse(config_string(config, "fernwerk.log_level"), &level);
    log_open("fernwerk-greeter", level);
    lifeline_start(argc, argv, envp, KIND_GREETER, &events, NULL, &start, descriptors, &count);
    /* Before the first thread: Landlock holds only those that come later. */
    if (!sandbox_enter(SANDBOX_GREETER, &missing, &error)) {
        log_error("%s", error->message);
        return 1;
    }
    if (*missing)
        log_warning("the sandbox lacks: %s", missing);
    greeter_prepare(config);
    g_main_loop_run(g_main_loop_new(NULL, FALSE));
    return 0;
}
