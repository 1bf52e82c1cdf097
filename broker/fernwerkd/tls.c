/* Certificates and keys: handed out as descriptors, never read here; looked at for changes from outside. */
#include "base/log.h"
#include "broker/fernwerkd/master.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

guint tls_open(Master *m, ProcessKind kind, int *descriptors)
{
    guint first = kind == KIND_WEB ? SETUP_WEB_CERTIFICATE : SETUP_RDP_CERTIFICATE;
    guint count = kind == KIND_WEB ? 3 : kind_is_client(kind) ? 2 : 0;
    for (guint i = 0; i < count; i++) {
        /* Opened again: a descriptor that is only duplicated shares its position with all others. */
        g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", m->tls[first + i]);
        descriptors[i] = open(path, O_RDONLY | O_CLOEXEC);
        if (descriptors[i] < 0)
            g_error("%s: %s", path, g_strerror(errno));
    }
    return count;
}

static char *look(const Master *m)
{
    GString *seen = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(m->node.tls_paths); i++) {
        struct stat status = {0};
        if (stat(m->node.tls_paths[i], &status) == 0)
            g_string_append_printf(seen, "%lu %ld.%09ld %ld;", (gulong)status.st_ino,
                                   (long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec, (long)status.st_size);
    }
    return g_string_free(seen, FALSE);
}

void tls_renew(Master *m)
{
    g_free(m->tls_before);
    m->tls_before = m->tls_state;
    m->tls_state = look(m);
    setup_certificates(m);
}

void tls_poll(Master *m)
{
    g_autofree char *seen = look(m);
    gboolean settled = g_strcmp0(seen, m->tls_seen) == 0;
    g_free(m->tls_seen);
    m->tls_seen = g_strdup(seen);
    if (!m->tls_state)
        m->tls_state = g_steal_pointer(&seen);
    /* Certificate and key are two files: taken when both have stood still between two looks. */
    else if (settled && strcmp(m->tls_state, seen) != 0)
        tls_renew(m);
}

void tls_taken(Master *m)
{
    g_autofree char *seen = look(m);
    g_autoptr(GList) processes = g_hash_table_get_values(m->processes);

    if (g_strcmp0(seen, m->tls_before) == 0)
        return;
    log_info("the certificates have changed: new connections get the new ones");
    for (GList *l = processes; l; l = l->next) {
        Process *process = l->data;
        if (kind_is_client(process->kind) && !process->used && !process->ending) {
            process_end(process, END_REPLACED, NULL);
        } else if (process->kind == KIND_WEB && !process->ending) {
            MasterHeader reload = {.type = LIFELINE_RELOAD, .size = sizeof reload};
            int descriptors[3];
            guint count = tls_open(m, KIND_WEB, descriptors);
            packet_link_send(process->lifeline, &reload, sizeof reload, descriptors, count);
            while (count-- > 0)
                close(descriptors[count]);
        }
    }
}
