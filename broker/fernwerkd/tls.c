/* Certificates and keys: opened as root, handed out as descriptors, never read here. */
#include "base/log.h"
#include "broker/fernwerkd/master.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_file(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "cannot open %s: %s", path,
                    g_strerror(errno));
    return fd;
}

int tls_open(Master *m, ProcessKind kind, int descriptors[3], GError **error)
{
    const Settings *s = &m->settings;
    gboolean web = kind == KIND_WEB, ca = g_file_test(s->ca, G_FILE_TEST_EXISTS);
    const char *paths[] = {web ? s->web_certificate : s->rdp_certificate, web ? s->web_key : s->rdp_key,
                           ca ? s->ca : "/dev/null"};
    int count = web ? 3 : kind_is_client(kind) ? 2 : 0;
    for (int i = 0; i < count; i++) {
        descriptors[i] = open_file(paths[i], error);
        if (descriptors[i] < 0) {
            while (i-- > 0)
                close(descriptors[i]);
            return -1;
        }
    }
    return count;
}

gboolean tls_make_own(Master *m, GError **error)
{
    g_autofree char *program = g_build_filename(m->settings.libexec_dir, CERTIFICATES_PROGRAM, NULL);
    char *argv[] = {program, (char *)"--config", (char *)m->settings.config_path, NULL};
    int status = 0;

    if (!m->settings.own_certificates)
        return TRUE;
    if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &status, error) ||
        !g_spawn_check_wait_status(status, NULL)) {
        if (error && !*error)
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "the certificates below %s could not be made",
                        m->settings.tls_dir);
        return FALSE;
    }
    return TRUE;
}

static char *look(const Settings *s)
{
    const char *const paths[] = {s->rdp_certificate, s->rdp_key, s->web_certificate, s->web_key};
    GString *seen = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        struct stat status = {0};
        if (stat(paths[i], &status) == 0)
            g_string_append_printf(seen, "%lu %ld.%09ld %ld;", (gulong)status.st_ino,
                                   (long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec, (long)status.st_size);
    }
    return g_string_free(seen, FALSE);
}

static void hand_out(Master *m)
{
    g_autoptr(GList) processes = g_hash_table_get_values(m->processes);
    log_info("the certificates have changed: new connections get the new ones");
    for (GList *l = processes; l; l = l->next) {
        Process *process = l->data;
        if (kind_is_client(process->kind) && !process->used && !process->ending) {
            process_end(process, END_REPLACED, NULL);
        } else if (process->kind == KIND_WEB && !process->ending) {
            MasterHeader reload = {.type = LIFELINE_RELOAD, .size = sizeof reload};
            g_autoptr(GError) error = NULL;
            int descriptors[3];
            int count = tls_open(m, KIND_WEB, descriptors, &error);
            if (count < 0) {
                log_error("%s", error->message);
                continue;
            }
            packet_link_send(process->lifeline, &reload, sizeof reload, descriptors, (guint)count);
            while (count-- > 0)
                close(descriptors[count]);
        }
    }
}

void tls_poll(Master *m, gboolean now)
{
    g_autofree char *seen = look(&m->settings);
    gboolean settled = now || g_strcmp0(seen, m->tls_seen) == 0;
    gboolean changed = m->tls_state && strcmp(m->tls_state, seen) != 0;
    g_free(m->tls_seen);
    m->tls_seen = g_strdup(seen);
    /* Certificate and key are two files: taken when both have stood still between two looks. */
    if (m->tls_state && !(changed && settled))
        return;
    g_free(m->tls_state);
    m->tls_state = g_steal_pointer(&seen);
    if (changed)
        hand_out(m);
}
