/* fernwerk-gate: takes connections, looks at their first packet, hands them over. */
#include "base/lifeline.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "broker/gate/gate.h"

#include <stdio.h>
#include <string.h>

static const LifelineEvents events = {0};

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
        return sandbox_check(SANDBOX_GATE) != 0;
    if (argc != 3 || strcmp(argv[1], "--config") != 0) {
        fprintf(stderr, "fernwerk-gate: is started by fernwerkd, not by hand\n");
        return 2;
    }
    config = config_load(argv[2], &error);
    if (!config) {
        fprintf(stderr, "fernwerk-gate: %s\n", error->message);
        return 1;
    }
    log_level_parse(config_string(config, "fernwerk.log_level"), &level);
    log_open("fernwerk-gate", level);
    lifeline_start(argc, argv, envp, KIND_GATE, &events, NULL, &start, descriptors, &count);
    if (!sandbox_enter(SANDBOX_GATE, &missing, &error)) {
        log_error("%s", error->message);
        return 1;
    }
    if (*missing)
        log_warning("the sandbox lacks: %s", missing);
    Gate *gate = gate_new(config, MASTER_REQUEST_FD);
    for (guint i = 0; i < count; i++)
        gate_listen(gate, descriptors[i], start.listeners[i]);
    g_main_loop_run(g_main_loop_new(NULL, FALSE));
    return 0;
}
