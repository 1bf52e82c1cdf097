/* Overlays through qemu-img, and the checks that give clearer errors than QEMU's when something is
 * missing. */
#include "broker/virt/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define QEMU_IMG "/usr/bin/qemu-img"
/* What QEMU needs beside the guest's memory. */
#define MEMORY_OVERHEAD_MIB 96

char *disk_nvram_path(const DomainSpec *spec)
{
    return g_strdup_printf("%s.nvram", spec->disk);
}

char *disk_serial_path(const char *image_dir, const DomainSpec *spec)
{
    return g_strdup_printf("%s/serial/%s.log", image_dir, spec->name);
}

static gboolean make_folder(const char *path, GError **error)
{
    /* QEMU's user passes through: others may enter, not list. */
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return TRUE;
    if (g_mkdir_with_parents(path, 0711) == 0 && g_chmod(path, 0711) == 0) /* whatever the umask */
        return TRUE;
    g_set_error(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_IMAGE_DENIED,
                "The folder %s for the disks of desktops cannot be made: %s.", path, g_strerror(errno));
    return FALSE;
}

gboolean disk_folders(const char *image_dir, GError **error)
{
    g_autofree char *serial = g_build_filename(image_dir, "serial", NULL);
    return make_folder(image_dir, error) && make_folder(serial, error);
}

/* EACCES on the way there says nothing about QEMU's user, who is another one. */
static gboolean check_file(const char *what, const char *path, GError **error)
{
    struct stat status;

    if (!path || !*path)
        return TRUE;
    if (stat(path, &status) < 0) {
        if (errno == EACCES)
            return TRUE;
        g_set_error(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_IMAGE_MISSING,
                    "The template's %s %s is missing: put it back or give the template another one.", what,
                    path);
        return FALSE;
    }
    if (!S_ISREG(status.st_mode)) {
        g_set_error(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_IMAGE_MISSING,
                    "The template's %s %s is not a file.", what, path);
        return FALSE;
    }
    return TRUE;
}

gboolean disk_check(const DomainSpec *spec, GError **error)
{
    return check_file("image", spec->image, error) && check_file("kernel", spec->kernel, error) &&
           check_file("initrd", spec->initrd, error);
}

static gboolean fail_qemu_img(const char *image, const char *output, GError **error)
{
    HypervisorError code = HYPERVISOR_ERROR_FAILED;
    g_autofree char *text = g_strstrip(g_strndup(output ? output : "", 300));

    if (strstr(text, "Permission denied"))
        code = HYPERVISOR_ERROR_IMAGE_DENIED;
    else if (strstr(text, "No space left"))
        code = HYPERVISOR_ERROR_DISK_FULL;
    else if (strstr(text, "No such file"))
        code = HYPERVISOR_ERROR_IMAGE_MISSING;
    g_set_error(error, HYPERVISOR_ERROR, code,
                code == HYPERVISOR_ERROR_IMAGE_DENIED
                    ? "The broker's user may not read the template's image %s: %s"
                    : "The disk on the template's image %s could not be made: %s",
                image, text);
    return FALSE;
}

static gboolean run_qemu_img(const char *target, const char *image, GError **error)
{
    const char *arguments[] = {QEMU_IMG, "create", "-q",  "-f",   "qcow2", "-F",
                               "qcow2",  "-b",     image, target, NULL};
    g_autofree char *output = NULL;
    g_autoptr(GError) cause = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **)arguments, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &output,
                      &status, &cause)) {
        g_set_error(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_NO_EMULATOR,
                    "qemu-img cannot be run: install the package qemu-utils (%s).", cause->message);
        return FALSE;
    }
    if (!g_spawn_check_wait_status(status, NULL))
        return fail_qemu_img(image, output, error);
    return TRUE;
}

gboolean disk_prepare(const char *overlay, const char *image, GError **error)
{
    g_autofree char *half = NULL;

    if (access(overlay, F_OK) == 0)
        return TRUE;
    half = g_strdup_printf("%s.new", overlay);
    unlink(half);
    if (!run_qemu_img(half, image, error)) {
        unlink(half);
        return FALSE;
    }
    if (rename(half, overlay) < 0) {
        g_set_error(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_FAILED, "The disk %s cannot be named: %s.",
                    overlay, g_strerror(errno));
        unlink(half);
        return FALSE;
    }
    return TRUE;
}

/* Overlay, variables and serial log, up to NULL. */
static char **own_files(const char *image_dir, const DomainSpec *spec)
{
    char **paths = g_new0(char *, 4);
    paths[0] = g_strdup(spec->disk);
    paths[1] = disk_nvram_path(spec);
    paths[2] = disk_serial_path(image_dir, spec);
    return paths;
}

gboolean disk_exists(const char *image_dir, const DomainSpec *spec)
{
    g_auto(GStrv) paths = own_files(image_dir, spec);
    struct stat status;

    for (guint i = 0; paths[i]; i++) {
        if (lstat(paths[i], &status) == 0 || errno != ENOENT)
            return TRUE;
    }
    return FALSE;
}

gboolean disk_remove(const char *image_dir, const DomainSpec *spec, GError **error)
{
    g_auto(GStrv) paths = own_files(image_dir, spec);

    for (guint i = 0; paths[i]; i++) {
        if (unlink(paths[i]) < 0 && errno != ENOENT) {
            g_set_error(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_FAILED,
                        "The file %s cannot be deleted: %s.", paths[i], g_strerror(errno));
            return FALSE;
        }
    }
    return TRUE;
}

gboolean disk_memory_available(guint mib, GError **error)
{
    g_autofree char *text = NULL;
    const char *line;
    guint64 available;

    if (!g_file_get_contents("/proc/meminfo", &text, NULL, NULL) || !(line = strstr(text, "MemAvailable:")))
        return TRUE;
    available = g_ascii_strtoull(line + strlen("MemAvailable:"), NULL, 10) / 1024;
    if ((guint64)mib + MEMORY_OVERHEAD_MIB <= available)
        return TRUE;
    g_set_error(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_NO_MEMORY,
                "There is not enough memory: the desktop needs %u MiB, the server has %" G_GUINT64_FORMAT
                " MiB left. Stop another desktop or give the template less.",
                mib + MEMORY_OVERHEAD_MIB, available);
    return FALSE;
}
