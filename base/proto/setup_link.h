/* What fernwerk-setup tells the master, once at the start and once more whenever certificates are taken
 * again. It runs for a moment and reads what the master never does: the configuration, accounts,
 * certificates. One packet over SOCK_SEQPACKET, then it ends. */
#pragma once

#include "base/proto/master_link.h"

#define SETUP_FD 100 /* its end of the link; it also has what systemd passed, from 3 on */
#define SETUP_PACKET_MAX 8192
#define SETUP_LISTENERS_MAX 9
#define SETUP_PATH_MAX 544 /* PATH_LENGTH_MAX and a file in the folder */

/* The certificate chain and key for RDP and VNC, then for the web, then the CA (empty where none was made
 * here): the files' bytes in sealed memory, so that what belongs together stays together whatever happens to
 * the files. */
enum {
    SETUP_RDP_CERTIFICATE,
    SETUP_RDP_KEY,
    SETUP_WEB_CERTIFICATE,
    SETUP_WEB_KEY,
    SETUP_CA,
    SETUP_TLS_COUNT
};

typedef enum {
    SETUP_NODE = 1, /* SetupNode; descriptors: the run folder's lock, the admin socket, SETUP_TLS_COUNT files,
                       listeners */
    SETUP_TLS = 2,  /* no body; descriptors: SETUP_TLS_COUNT files */
} SetupType;

typedef struct {
    uint32_t uid, gid;
    uint32_t groups[16];
    uint32_t group_count;
} SetupIdentity;

typedef struct {
    MasterHeader header;
    uint32_t version; /* MASTER_VERSION */
    uint32_t log_level;
    char config_path[SETUP_PATH_MAX];
    char libexec_dir[SETUP_PATH_MAX];
    char ready_path[SETUP_PATH_MAX];
    char admin_socket[SETUP_PATH_MAX];                   /* to be removed at the end; "": a socket unit's */
    char tls_paths[SETUP_TLS_COUNT - 1][SETUP_PATH_MAX]; /* to be looked at for changes */
    SetupIdentity broker, gate, web, seat;               /* seat: the groups alone */
    uint32_t uid_first, uid_last;
    int32_t login_s, clients_max, logging_in_total, logging_in_per_source;
    int32_t warm_rdp, warm_vnc, warm_greeter;
    int32_t heartbeat_ms, seat_heartbeat_ms, start_heartbeat_ms;
    uint32_t listener_count;
    struct {
        uint32_t protocol; /* ClientProtocol; CLIENT_WEB: HTTPS */
        char name[80];     /* address:port */
    } listeners[SETUP_LISTENERS_MAX];
} SetupNode;
