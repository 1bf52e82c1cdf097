/* Every configuration key with its type, default, limits and explanation. Nothing else. */
#include "base/config_table.h"

#define SECOND_MAX 86400

const ConfigSection config_sections[] = {
    {"fernwerk", "The instance itself. Several instances can run on one machine when state_dir, run_dir, "
                 "admin_socket, uid_range and the listeners differ."},
    {"listen",
     "Where clients connect. Each value is a list of `address:port`, separated by spaces; IPv6 addresses "
     "stand in brackets, `*` is every address of IPv6 and IPv4, port 0 is any free port."},
    {"limits", "Bounds on what clients can use up."},
    {"tls",
     "Certificates, as PEM files that only root needs to read. Without them a certificate authority and "
     "certificates are made at the first start, below `state_dir/tls`."},
    {"libvirt", "The virtual machines."},
    {"broker", "Desktops, accounts and logins."},
    {"web", "The browser's side."},
    {"encoder", "H.264."},
    {NULL, NULL},
};

/* clang-format off */
#define STRING(S, K, V, TEXT) {S, K, CONFIG_STRING, V, 0, 0, NULL, TEXT, NULL, NULL}
#define SHAPED(S, K, V, PATTERN, SHAPE, TEXT) {S, K, CONFIG_STRING, V, 0, 0, NULL, TEXT, PATTERN, SHAPE}
#define INTEGER(S, K, V, MIN, MAX, TEXT) {S, K, CONFIG_INTEGER, V, MIN, MAX, NULL, TEXT, NULL, NULL}
#define BOOLEAN(S, K, V, TEXT) {S, K, CONFIG_BOOLEAN, V, 0, 0, NULL, TEXT, NULL, NULL}
#define CHOICE(S, K, V, CHOICES, TEXT) {S, K, CONFIG_CHOICE, V, 0, 0, CHOICES, TEXT, NULL, NULL}
#define PATH(S, K, V, TEXT) {S, K, CONFIG_PATH, V, 0, 0, NULL, TEXT, NULL, NULL}
#define ENDPOINTS(S, K, V, MAX, TEXT) {S, K, CONFIG_ENDPOINTS, V, 0, MAX, NULL, TEXT, NULL, NULL}
#define IDENTITY(S, K, V, TEXT) {S, K, CONFIG_IDENTITY, V, 0, 0, NULL, TEXT, NULL, NULL}

/* Written so that a word can be matched in one way only: what does not match must not take for ever to say so. */
#define GROUPS "^[ ,]*([A-Za-z0-9_.$][A-Za-z0-9_.$-]*([ ,]+[A-Za-z0-9_.$][A-Za-z0-9_.$-]*)*[ ,]*)?$"
#define HOST "([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]+\\])"
/* clang-format on */

const ConfigKey config_keys[] = {
    {"fernwerk", "instance_uuid", CONFIG_UUID, "", 0, 0, NULL,
     "Identifies this instance's virtual machines; one that carries another UUID, or none, is never touched. "
     "Empty: "
     "made at the first start and kept in `state_dir/instance-uuid`."},
    PATH("fernwerk", "state_dir", "/var/lib/fernwerk",
         "Database, disks of desktops, certificates made here."),
    PATH("fernwerk", "run_dir", "/run/fernwerk",
         "Lock file and the file `ready`, which lists the ports in use."),
    CHOICE("fernwerk", "log_level", "info", "error|warning|info|debug",
           "How much is logged, to standard error."),
    PATH("fernwerk", "libexec_dir", "",
         "Folder of the programs fernwerk-broker, fernwerk-gate and so on. Empty: the folder of fernwerkd "
         "itself when "
         "they are there, else the installed one."),
    IDENTITY("fernwerk", "broker_user", "fernwerk", "The broker's user; here and below a name or a number."),
    SHAPED("fernwerk", "broker_groups", "libvirt kvm", GROUPS, "names or numbers of groups",
           "The broker's further groups, separated by spaces: what libvirt's socket asks for, and /dev/kvm. "
           "A group "
           "that does not exist is left out with a warning."),
    IDENTITY("fernwerk", "gate_user", "fernwerk-gate", "The gate's user."),
    IDENTITY("fernwerk", "web_user", "fernwerk-web", "The web server's user."),
    SHAPED("fernwerk", "seat_groups", "render video", GROUPS, "names or numbers of groups",
           "Groups that the process of a desktop's screen gets, for encoder devices. One that does not exist "
           "is left "
           "out."),
    {"fernwerk", "uid_range", CONFIG_RANGE, "1879048192-1879113727", 1000, 4294967293, NULL,
     "User numbers for the processes of connections and desktops, one each. No account may have one of them, "
     "and two "
     "instances need different ranges."},
    {"fernwerk", "admin_socket", CONFIG_PATH, "/run/fernwerk/control.sock", 0, 107, NULL,
     "The socket of the command `fernwerk`.", NULL, NULL},
    IDENTITY("fernwerk", "admin_group", "fernwerk-admin",
             "Members may use the admin socket, as root may. Empty: root alone."),
    SHAPED("fernwerk", "name_prefix", "fw-", "^([A-Za-z0-9][A-Za-z0-9._-]{0,31})?$",
           "at most 32 letters, digits, dots, _ or -",
           "Opens the libvirt name of every virtual machine made here."),

    ENDPOINTS("listen", "rdp", "*:3389", 4, "RDP. Empty: off."),
    ENDPOINTS("listen", "vnc", "", 4,
              "VNC with VeNCrypt. Empty: off. Stay clear of libvirt's own ports, 5900 and up."),
    ENDPOINTS("listen", "https", "*:443", 1, "Web pages and the browser's desktop. Empty: off."),

    INTEGER("limits", "half_open_total", "512", 1, 65536,
            "Connections that have not sent their first packet, in all."),
    INTEGER("limits", "half_open_per_source", "16", 1, 65536,
            "The same from one IPv4 address or IPv6 /64 network."),
    INTEGER("limits", "rate_per_source", "120", 1, 1000000,
            "Connections a minute that one IPv4 address or IPv6 /64 network may open."),
    INTEGER("limits", "first_packet_s", "10", 1, 600, "Seconds until the first packet must be complete."),
    INTEGER("limits", "login_s", "30", 5, 3600,
            "Seconds until a connection must be logged in; typing at the login screen extends it, up to ten "
            "minutes."),
    INTEGER("limits", "clients_max", "256", 1, 16384, "Connections at a time, logged in or not."),
    INTEGER("limits", "logging_in_total", "0", 0, 16384,
            "Connections at a time in which nobody has logged in yet. 0: half of `clients_max`."),
    INTEGER("limits", "logging_in_per_source", "32", 1, 16384,
            "The same from one IPv4 address or IPv6 /64 network, for RDP and VNC."),
    INTEGER("limits", "warm_rdp", "2", 0, 64, "RDP processes kept ready for the next connection."),
    INTEGER("limits", "warm_vnc", "1", 0, 64, "VNC and browser processes kept ready."),
    INTEGER("limits", "warm_greeter", "2", 0, 64, "Login screens kept ready."),
    INTEGER("limits", "heartbeat_ms", "5000", 1500, 600000,
            "Milliseconds after which a process that does not answer is killed."),
    INTEGER("limits", "seat_heartbeat_ms", "2000", 1500, 600000,
            "The same for the process of a desktop's screen, which a virtual machine may be waiting for."),
    INTEGER("limits", "start_heartbeat_ms", "30000", 1500, 600000,
            "The same for a process that has only just been started, until it answers for the first time."),

    PATH("tls", "rdp_certificate", "", "Certificate chain for RDP and VNC."),
    PATH("tls", "rdp_key", "",
         "Its private key. Every process that speaks RDP holds it, so do not use the web's."),
    PATH("tls", "web_certificate", "", "Certificate chain for HTTPS."),
    PATH("tls", "web_key", "", "Its private key."),
    STRING(
        "tls", "names", "",
        "Further host names and addresses that certificates made here are valid for, separated by spaces."),

    SHAPED("libvirt", "uri", "qemu:///system", "^[a-z][a-z0-9]*(\\+unix)?:///[^ ]*$",
           "a URI of this machine, such as qemu:///system",
           "libvirt on this machine. Remote ones are refused: descriptors are passed."),
    CHOICE(
        "libvirt", "virt", "auto", "auto|kvm|tcg",
        "How virtual machines run. `auto` uses KVM when a proof at start succeeds, else emulation (slow)."),
    PATH("libvirt", "image_dir", "", "Folder of the desktops' disks. Empty: `state_dir/images`."),

    PATH("broker", "database", "", "The SQLite file. Empty: `state_dir/fernwerk.db`."),
    INTEGER("broker", "argon2_parallel", "2", 1, 64, "Password checks at a time."),
    INTEGER("broker", "argon2_memory_kib", "65536", 8192, 4194304,
            "Memory of a password check, KiB. An account's stored hash follows at its next login."),
    INTEGER("broker", "argon2_passes", "2", 1, 64,
            "Passes of a password check. An account's stored hash follows at its next login."),
    INTEGER("broker", "ticket_life_s", "30", 5, 3600,
            "Seconds for which a ticket for one connection is good."),
    INTEGER("broker", "desktop_start_timeout_s", "120", 5, SECOND_MAX,
            "Seconds until a starting desktop without a picture counts as failed."),
    INTEGER("broker", "desktop_stop_timeout_s", "60", 1, SECOND_MAX,
            "Seconds that a desktop asked to shut down gets before it is switched off."),

    INTEGER("web", "session_life_s", "43200", 60, 30 * SECOND_MAX,
            "Seconds until a browser must log in again."),
    INTEGER("web", "session_idle_s", "3600", 60, 30 * SECOND_MAX,
            "Seconds without a request or a connected desktop after which a browser must log in again."),
    PATH("web", "pages_dir", "", "Folder of the web pages. Empty: the installed one."),
    SHAPED("web", "public_host", "", "^(" HOST "(:[0-9]{1,5})?)?$", "a host name, or host:port",
           "Host name, or host:port, under which browsers and .rdp files reach this server. Empty: what the "
           "browser used."),

    CHOICE("encoder", "software", "x264enc", "x264enc|openh264enc",
           "GStreamer element that encodes when no hardware does, and takes over when it fails."),
    {"encoder", "candidates", CONFIG_CHOICES, "", 0, 0,
     "nvh264enc|vah264enc|vaapih264enc|qsvh264enc|v4l2h264enc|x264enc|openh264enc",
     "GStreamer elements to prove, best first, separated by spaces. Empty: all that Fernwerk knows.", NULL,
     NULL},
    {NULL},
};
