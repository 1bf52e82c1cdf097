/* From the configuration to users, folders and files; what must be so before anything is started. */
#include "base/log.h"
#include "broker/fernwerkd/master.h"

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

static gboolean find_user(Config *config, const char *key, Identity *identity, GError **error)
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
        return fail(error, "%s: there is no user \"%s\": run systemd-sysusers, or set the key to another user or a "
                           "number", key, name);
    if (user->pw_uid == 0)
        return fail(error, "%s: must not be root", key);
    identity->uid = user->pw_uid;
    identity->gid = user->pw_gid;
    return TRUE;
}

static void find_groups(Config *config, const char *key, Identity *identity, gboolean warn)
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

static gboolean find_programs(Master *m, GError **error)
{
    const char *configured = config_string(m->config, "fernwerk.libexec_dir");
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *beside = g_path_get_dirname(self ? self : "/");
    g_autofree char *broker = g_build_filename(beside, "fernwerk-broker", NULL);

    m->settings.libexec_dir = g_strdup(*configured                               ? configured
                                       : g_file_test(broker, G_FILE_TEST_EXISTS) ? beside
                                                                                 : FERNWERK_LIBEXECDIR);
    for (guint kind = 0; kind <= KIND_LAST; kind++) {
        if (kind == KIND_WEB && !*config_string(m->config, "listen.https"))
            continue;
        g_autofree char *path =
            g_build_filename(m->settings.libexec_dir, kind ? process_program(kind) : CERTIFICATES_PROGRAM, NULL);
        if (access(path, X_OK) < 0)
            return fail(error, "the program %s is missing (%s): install Fernwerk completely or set libexec_dir", path,
                        g_strerror(errno));
        if (!check_reachable(path, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean resolve_tls(Master *m, GError **error)
{
    static const char *const keys[] = {"tls.rdp_certificate", "tls.rdp_key", "tls.web_certificate", "tls.web_key"};
    static const char *const names[] = {"tls/rdp.pem", "tls/rdp.key", "tls/web.pem", "tls/web.key"};
    char **targets[] = {&m->settings.rdp_certificate, &m->settings.rdp_key, &m->settings.web_certificate,
                        &m->settings.web_key};
    for (guint i = 0; i < 4; i++) {
        gboolean set = *config_string(m->config, keys[i]) != 0;
        if (set != (*config_string(m->config, keys[i ^ 1]) != 0))
            return fail(error, "%s is set, but not %s: a certificate and its key belong together",
                        keys[set ? i : i ^ 1], keys[set ? i ^ 1 : i]);
        m->settings.own_certificates |= !set;
        *targets[i] = config_state_path(m->config, keys[i], names[i]);
    }
    if (strcmp(m->settings.rdp_key, m->settings.web_key) == 0)
        return fail(error, "tls.rdp_key and tls.web_key must be different keys: every RDP process holds the first");
    m->settings.tls_dir = config_state_path(m->config, NULL, "tls");
    m->settings.ca = config_state_path(m->config, NULL, "tls/ca.pem");
    return TRUE;
}

gboolean settings_resolve(Master *m, const char *config_path, GError **error)
{
    const char *group = config_string(m->config, "fernwerk.admin_group");
    m->settings.config_path = config_path;
    if (geteuid() != 0)
        return fail(error, "must be started as root: it starts each process under a user of its own");
    if (!find_user(m->config, "fernwerk.broker_user", &m->settings.broker, error) ||
        !find_user(m->config, "fernwerk.gate_user", &m->settings.gate, error) ||
        !find_user(m->config, "fernwerk.web_user", &m->settings.web, error))
        return FALSE;
    if (m->settings.broker.uid == m->settings.gate.uid || m->settings.broker.uid == m->settings.web.uid ||
        m->settings.gate.uid == m->settings.web.uid)
        return fail(error, "broker_user, gate_user and web_user must be three users");
    if (*group && !find_group(group, &m->settings.admin_gid))
        return fail(error, "fernwerk.admin_group: there is no group \"%s\": run systemd-sysusers, or leave the key "
                           "empty (then root alone may use the admin socket)", group);
    find_groups(m->config, "fernwerk.broker_groups", &m->settings.broker, TRUE);
    find_groups(m->config, "fernwerk.seat_groups", &m->settings.seat, FALSE);
    config_range(m->config, "fernwerk.uid_range", &m->settings.uid_first, &m->settings.uid_last);
    m->next_uid = m->settings.uid_first;
    return find_programs(m, error) && check_reachable(config_path, error) && resolve_tls(m, error);
}

static gboolean make_folder(const char *path, uid_t owner, gid_t group, mode_t mode, GError **error)
{
    struct stat status;
    if (g_mkdir_with_parents(path, 0755) < 0)
        return fail(error, "cannot make the folder %s: %s", path, g_strerror(errno));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0 ||
        ((status.st_uid != owner || status.st_gid != group) && fchown(fd, owner, group) < 0) || fchmod(fd, mode) < 0) {
        fail(error, "cannot set owner and mode of %s: %s", path, g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return FALSE;
    }
    close(fd);
    return TRUE;
}

static gboolean take_lock(Master *m, const char *run_dir, GError **error)
{
    g_autofree char *path = g_build_filename(run_dir, "lock", NULL);
    m->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (m->lock < 0)
        return fail(error, "cannot open %s: %s", path, g_strerror(errno));
    if (flock(m->lock, LOCK_EX | LOCK_NB) < 0)
        return fail(error, "another fernwerkd runs with run_dir %s: stop it, or give this instance a run_dir, "
                           "state_dir and uid_range of its own", run_dir);
    g_autofree char *pid = g_strdup_printf("%d\n", (int)getpid());
    if (ftruncate(m->lock, 0) < 0 || pwrite(m->lock, pid, strlen(pid), 0) < 0)
        return fail(error, "cannot write %s: %s", path, g_strerror(errno));
    return TRUE;
}

/* The UUID is written once, by root, before the broker exists: who runs as the broker cannot become another instance. */
static gboolean make_uuid(Master *m, GError **error)
{
    g_autofree char *path = config_state_path(m->config, NULL, "instance-uuid");
    if (*config_string(m->config, "fernwerk.instance_uuid") || g_file_test(path, G_FILE_TEST_EXISTS))
        return TRUE;
    g_autofree char *uuid = g_uuid_string_random();
    g_autofree char *line = g_strconcat(uuid, "\n", NULL);
    return g_file_set_contents_full(path, line, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0644,
                                    error);
}

gboolean settings_prepare(Master *m, GError **error)
{
    const char *run_dir = config_string(m->config, "fernwerk.run_dir");
    const char *state_dir = config_string(m->config, "fernwerk.state_dir");
    const Identity *broker = &m->settings.broker;
    g_autofree char *images = config_state_path(m->config, "libvirt.image_dir", "images");

    /* Sticky: the broker keeps its database here and cannot replace what root keeps here. */
    return make_folder(run_dir, 0, 0, 0755, error) && take_lock(m, run_dir, error) &&
           make_folder(state_dir, 0, broker->gid, 01771, error) &&
           make_folder(images, broker->uid, broker->gid, 0711, error) && make_uuid(m, error);
}
