/* What the files of fernwerk-setup share: the node that they describe for the master. Runs as root, for a
 * moment, from the top to the bottom; what it opens ends with it or goes to the master. */
#pragma once

#include "base/config.h"
#include "base/lifeline.h"
#include "base/proto/setup_link.h"

#define CERTIFICATES_PROGRAM "fernwerk-certificates"

typedef struct {
    Config *config;
    SetupNode node;
    char *tls_dir, *ca;
    gboolean own_certificates; /* at least one pair is made here */
    gid_t admin_gid;
    int lock, admin_listener; /* -1: not open */
    int tls[SETUP_TLS_COUNT];
    int listeners[SETUP_LISTENERS_MAX];
} Setup;

/* ---- settings.c ---- */
/* Resolves users, folders and paths of the configuration. Returns FALSE with an error that says what to do.
 */
gboolean settings_resolve(Setup *setup, const char *config_path, GError **error);
/* Makes state and run folders and takes the lock of run_dir. */
gboolean settings_prepare(Setup *setup, GError **error);

/* ---- listeners.c ---- */
/* Opens what the configuration names and no socket unit has brought. */
gboolean listeners_open(Setup *setup, GError **error);
/* Adds a listening socket; FALSE when its protocol has as many as it may have. */
gboolean listeners_add(Setup *setup, ClientProtocol protocol, int fd, const char *host);

/* ---- activation.c ---- */
/* Takes the listeners that systemd passed to the master, if any. */
void activation_take(Setup *setup);

/* ---- tls.c ---- */
/* Makes own certificates where needed, then reads all files. */
gboolean tls_take(Setup *setup, GError **error);
