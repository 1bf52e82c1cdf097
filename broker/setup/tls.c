/* Certificates and keys: made where none are configured, and copied into sealed memory. */
#include "broker/setup/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_MAX (1024 * 1024)

static gboolean make_own(Setup *setup, GError **error)
{
    g_autofree char *program = g_build_filename(setup->node.libexec_dir, CERTIFICATES_PROGRAM, NULL);
    char *argv[] = {program, (char *)"--config", setup->node.config_path, NULL};
    int status = 0;

    if (!setup->own_certificates)
        return TRUE;
    if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &status, error))
        return FALSE;
    if (!g_spawn_check_wait_status(status, NULL)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "the certificates below %s could not be made",
                    setup->tls_dir);
        return FALSE;
    }
    return TRUE;
}

static gboolean copy(int from, int to)
{
    char bytes[16384];
    gsize total = 0;
    ssize_t n;
    while ((n = read(from, bytes, sizeof bytes)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || write(to, bytes, (gsize)n) != n)
            return FALSE;
        total += (gsize)n;
        if (total > FILE_MAX) {
            errno = EFBIG;
            return FALSE;
        }
    }
    explicit_bzero(bytes, sizeof bytes);
    return fcntl(to, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0;
}

static int read_file(const char *path, GError **error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    int memory = file >= 0 ? memfd_create("tls", MFD_CLOEXEC | MFD_ALLOW_SEALING) : -1;
    if (memory >= 0 && copy(file, memory)) {
        close(file);
        return memory;
    }
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "cannot read %s: %s", path,
                g_strerror(errno));
    if (memory >= 0)
        close(memory);
    if (file >= 0)
        close(file);
    return -1;
}

gboolean tls_take(Setup *setup, GError **error)
{
    if (!make_own(setup, error))
        return FALSE;
    for (guint i = 0; i < SETUP_TLS_COUNT; i++) {
        const char *path = i != SETUP_CA                                ? setup->node.tls_paths[i]
                           : g_file_test(setup->ca, G_FILE_TEST_EXISTS) ? setup->ca
                                                                        : "/dev/null";
        setup->tls[i] = read_file(path, error);
        if (setup->tls[i] < 0)
            return FALSE;
    }
    return TRUE;
}
