/* From the configuration to users, folders and files; what must be so before anything is started. */
#include "base/log.h"
#include "broker/setup/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

G_GNUC_PRINTF(2, 3)
static gboolean fail(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, text);
    return FALSE;
}

/* As fail(), about the value of a key: opens with where it stands. */
G_GNUC_PRINTF(4, 5)
static gboolean blame(const Config *config, const char *key, GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments), *where = config_where(config, key);
    va_end(arguments);
    return fail(error, "%s: %s", where, text);
}

static gboolean find_group(const char *name, gid_t *gid)
{
    guint64 number;
    if (g_ascii_string_to_unsigned(name, 10, 0, G_MAXUINT32 - 1, &number, NULL)) {
        *gid = (gid_t)number;
        return TRUE;
    }
    const struct group *group = getgrnam(name);
    if (group)
        *gid = group->gr_gid;
    return group != NULL;
}

static gboolean find_user(Config *config, const char *key, SetupIdentity *identity, GError **error)
{
    const char *name = config_string(config, key);
    guint64 number;
    if (g_ascii_string_to_unsigned(name, 10, 1, G_MAXUINT32 - 1, &number, NULL)) {
        identity->uid = (uid_t)number;
        identity->gid = (gid_t)number;
        return TRUE;
    }
    const struct passwd *user = getpwnam(name);
    if (!user)
        return blame(
            config, key, error,
            "there is no user \"%s\": run systemd-sysusers, or set the key to another user or a number",
            name);
    if (user->pw_uid == 0)
        return blame(config, key, error, "must not be root");
    identity->uid = user->pw_uid;
    identity->gid = user->pw_gid;
    return TRUE;
}

static void find_groups(Config *config, const char *key, SetupIdentity *identity, gboolean warn)
{
    g_auto(GStrv) names = g_strsplit_set(config_string(config, key), " ,", -1);
    for (guint i = 0; names[i]; i++) {
        gid_t gid;
        if (!*names[i])
            continue;
        if (!find_group(names[i], &gid)) {
            if (warn)
                log_warning("%s: there is no group \"%s\", it is left out", key, names[i]);
        } else if (identity->group_count < G_N_ELEMENTS(identity->groups)) {
            identity->groups[identity->group_count++] = gid;
        }
    }
}

/* Processes under other users read the configuration and run from the program folder. */
static gboolean check_reachable(const char *path, GError **error)
{
    g_autofree char *at = g_canonicalize_filename(path, NULL);
    struct stat status;
    if (stat(at, &status) < 0)
        return fail(error, "%s: %s", at, g_strerror(errno));
    if (!(status.st_mode & S_IROTH))
        return fail(error, "%s is not readable for Fernwerk's users: chmod o+r %s", at, at);
    while (strcmp(at, "/") != 0) {
        char *parent = g_path_get_dirname(at);
        g_free(at);
        at = parent;
        if (stat(at, &status) == 0 && !(status.st_mode & S_IXOTH))
            return fail(error, "Fernwerk's users cannot pass the folder %s: chmod o+x %s", at, at);
    }
    return TRUE;
}

static gboolean find_programs(Setup *setup, GError **error)
{
    const char *configured = config_string(setup->config, "fernwerk.libexec_dir");
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *beside = g_path_get_dirname(self ? self : "/");

    g_strlcpy(setup->node.libexec_dir, *configured ? configured : beside, sizeof setup->node.libexec_dir);
    for (guint kind = 0; kind <= KIND_LAST; kind++) {
        if (kind == KIND_WEB && !*config_string(setup->config, "listen.https"))
            continue;
        g_autofree char *path = g_build_filename(setup->node.libexec_dir,
                                                 kind ? process_kind_name(kind) : CERTIFICATES_PROGRAM, NULL);
        if (access(path, X_OK) < 0)
            return blame(setup->config, "fernwerk.libexec_dir", error,
                         "the program %s is missing (%s): install Fernwerk completely or set the key", path,
                         g_strerror(errno));
        if (!check_reachable(path, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean resolve_tls(Setup *setup, GError **error)
{
    static const struct {
        const char *key, *name;
    } files[] = {[SETUP_RDP_CERTIFICATE] = {"tls.rdp_certificate", "tls/rdp.pem"},
                 [SETUP_RDP_KEY] = {"tls.rdp_key", "tls/rdp.key"},
                 [SETUP_WEB_CERTIFICATE] = {"tls.web_certificate", "tls/web.pem"},
                 [SETUP_WEB_KEY] = {"tls.web_key", "tls/web.key"}};
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        const char *other = files[i ^ 1].key;
        gboolean set = *config_string(setup->config, files[i].key) != 0;
        g_autofree char *path = config_state_path(setup->config, files[i].key, files[i].name);
        if (set && !*config_string(setup->config, other))
            return blame(setup->config, files[i].key, error,
                         "is set, but not %s: a certificate and its key belong together", other);
        setup->own_certificates |= !set;
        g_strlcpy(setup->node.tls_paths[i], path, SETUP_PATH_MAX);
    }
    if (strcmp(setup->node.tls_paths[SETUP_RDP_KEY], setup->node.tls_paths[SETUP_WEB_KEY]) == 0)
        return blame(setup->config, "tls.rdp_key", error,
                     "must be another key than tls.web_key: every RDP process holds it");
    setup->tls_dir = config_state_path(setup->config, NULL, "tls");
    setup->ca = config_state_path(setup->config, NULL, "tls/ca.pem");
    return TRUE;
}

static gboolean resolve_users(Setup *setup, GError **error)
{
    SetupNode *node = &setup->node;
    const char *group = config_string(setup->config, "fernwerk.admin_group");

    if (!find_user(setup->config, "fernwerk.broker_user", &node->broker, error) ||
        !find_user(setup->config, "fernwerk.gate_user", &node->gate, error) ||
        !find_user(setup->config, "fernwerk.web_user", &node->web, error))
        return FALSE;
    if (node->broker.uid == node->gate.uid || node->broker.uid == node->web.uid ||
        node->gate.uid == node->web.uid)
        return blame(setup->config, "fernwerk.broker_user", error,
                     "broker_user, gate_user and web_user must be three users");
    if (*group && !find_group(group, &setup->admin_gid))
        return blame(
            setup->config, "fernwerk.admin_group", error,
            "there is no group \"%s\": run systemd-sysusers, or leave the key empty (then root alone "
            "may use the admin socket)",
            group);
    find_groups(setup->config, "fernwerk.broker_groups", &node->broker, TRUE);
    find_groups(setup->config, "fernwerk.seat_groups", &node->seat, FALSE);
    return TRUE;
}

gboolean settings_resolve(Setup *setup, const char *config_path, GError **error)
{
    SetupNode *node = &setup->node;
    gint64 first, last;
    g_autofree char *ready =
        g_build_filename(config_string(setup->config, "fernwerk.run_dir"), "ready", NULL);

    if (g_strlcpy(node->config_path, config_path, SETUP_PATH_MAX) >= SETUP_PATH_MAX)
        return fail(error, "the path of the configuration is too long");
    g_strlcpy(node->ready_path, ready, SETUP_PATH_MAX);
    config_range(setup->config, "fernwerk.uid_range", &first, &last);
    node->uid_first = (uint32_t)first;
    node->uid_last = (uint32_t)last;
    return resolve_users(setup, error) && find_programs(setup, error) &&
           check_reachable(config_path, error) && resolve_tls(setup, error);
}

static gboolean make_folder(const char *path, uid_t owner, gid_t group, mode_t mode, GError **error)
{
    struct stat status;
    if (g_mkdir_with_parents(path, 0755) < 0)
        return fail(error, "cannot make the folder %s: %s", path, g_strerror(errno));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0 ||
        ((status.st_uid != owner || status.st_gid != group) && fchown(fd, owner, group) < 0) ||
        fchmod(fd, mode) < 0) {
        fail(error, "cannot set owner and mode of %s: %s", path, g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return FALSE;
    }
    close(fd);
    return TRUE;
}

static gboolean take_lock(Setup *setup, const char *run_dir, GError **error)
{
    g_autofree char *path = g_build_filename(run_dir, "lock", NULL);
    setup->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (setup->lock < 0)
        return fail(error, "cannot open %s: %s", path, g_strerror(errno));
    if (flock(setup->lock, LOCK_EX | LOCK_NB) < 0)
        return fail(error,
                    "another fernwerkd runs with run_dir %s: stop it, or give this instance a run_dir, "
                    "state_dir and uid_range of its own",
                    run_dir);
    g_autofree char *pid =
        g_strdup_printf("%d\n", (int)getppid()); /* the master, whose lock it is from now on */
    if (ftruncate(setup->lock, 0) < 0 || pwrite(setup->lock, pid, strlen(pid), 0) < 0)
        return fail(error, "cannot write %s: %s", path, g_strerror(errno));
    return TRUE;
}

/* The UUID is written once, by root, before the broker exists: who runs as the broker cannot become another
 * instance. */
static gboolean make_uuid(Setup *setup, GError **error)
{
    g_autofree char *path = config_state_path(setup->config, NULL, "instance-uuid");
    if (*config_string(setup->config, "fernwerk.instance_uuid") || g_file_test(path, G_FILE_TEST_EXISTS))
        return TRUE;
    g_autofree char *uuid = g_uuid_string_random();
    g_autofree char *line = g_strconcat(uuid, "\n", NULL);
    return g_file_set_contents_full(
        path, line, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0644, error);
}

gboolean settings_prepare(Setup *setup, GError **error)
{
    const char *run_dir = config_string(setup->config, "fernwerk.run_dir");
    const char *state_dir = config_string(setup->config, "fernwerk.state_dir");
    const SetupIdentity *broker = &setup->node.broker;
    g_autofree char *images = config_state_path(setup->config, "libvirt.image_dir", "images");

    if (geteuid() != 0)
        return fail(error, "must be started as root: it starts each process under a user of its own");
    /* Sticky: the broker keeps its database here and cannot replace what root keeps here. */
    return make_folder(run_dir, 0, 0, 0755, error) && take_lock(setup, run_dir, error) &&
           make_folder(state_dir, 0, broker->gid, 01771, error) &&
           make_folder(images, broker->uid, broker->gid, 0711, error) && make_uuid(setup, error);
}
