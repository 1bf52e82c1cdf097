/* Whether a template can work at all: its files are there and are what they should be, its keyboard layout
 * exists. */
#include "broker/control/control_internal.h"

#include "base/proto/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xkbcommon/xkbcommon.h>

/* Opens an ordinary file, reads its first bytes. */
static char *read_start(const char *what, const char *path, guint8 *bytes, gsize size, gsize *length)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return g_strdup_printf("The %s %s cannot be read: %s.", what, path, g_strerror(errno));
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return g_strdup_printf("The %s %s is no ordinary file.", what, path);
    }
    ssize_t got = read(fd, bytes, size);
    close(fd);
    *length = got > 0 ? (gsize)got : 0;
    return *length > 0 ? NULL : g_strdup_printf("The %s %s is empty.", what, path);
}

static char *image_problem(const char *path)
{
    guint8 header[32];
    gsize length = 0;
    char *problem = read_start("image", path, header, sizeof header, &length);
    if (problem)
        return problem;
    /* Magic, version 2 or 3, backing file, ..., size in bytes: docs/interop/qcow2 of QEMU. */
    guint32 version =
        length == sizeof header ? GUINT32_FROM_BE(*(const guint32 *)(const void *)(header + 4)) : 0;
    if (memcmp(header, "QFI\xfb", 4) != 0 || (version != 2 && version != 3))
        return g_strdup_printf("The image %s is no qcow2 image.", path);
    return NULL;
}

static char *recording_problem(const char *path)
{
    guint8 magic[sizeof((RecordingHeader){0}.magic)];
    gsize length = 0;
    char *problem = read_start("recording", path, magic, sizeof magic, &length);
    if (!problem && (length != sizeof magic || memcmp(magic, RECORDING_MAGIC, sizeof magic) != 0))
        problem = g_strdup_printf("The image of a pattern is a recording, and %s is none.", path);
    return problem;
}

static char *file_problem(const char *what, const char *path)
{
    guint8 start[4];
    gsize length = 0;
    return *path ? read_start(what, path, start, sizeof start, &length) : NULL;
}

static void say_nothing(struct xkb_context *context, enum xkb_log_level level, const char *format,
                        va_list values)
{
}

static char *layout_problem(const char *layout, const char *variant)
{
    struct xkb_context *context = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
    if (!context)
        return g_strdup("The keyboard layouts (xkb-data) are not installed.");
    xkb_context_set_log_fn(context, say_nothing);
    struct xkb_rule_names names = {.rules = "evdev", .model = "pc105", .layout = layout, .variant = variant};
    struct xkb_keymap *keymap = xkb_keymap_new_from_names(context, &names, XKB_KEYMAP_COMPILE_NO_FLAGS);
    char *problem = NULL;
    if (!keymap)
        problem = g_strdup_printf("There is no keyboard layout %s%s%s%s.", layout, *variant ? " (" : "",
                                  variant, *variant ? ")" : "");
    xkb_keymap_unref(keymap);
    xkb_context_unref(context);
    return problem;
}

char *control_template_problem(const StoreTemplate *template)
{
    gboolean pattern = strcmp(template->kind, "pattern") == 0;
    char *problem = NULL;
    if (pattern && (*template->kernel || *template->initrd || *template->cmdline))
        return g_strdup("A pattern has no kernel, initrd or command line.");
    if (!pattern && !*template->image && !*template->kernel)
        return g_strdup("A template needs an image or a kernel.");
    if (!*template->kernel && (*template->initrd || *template->cmdline))
        return g_strdup("An initrd and a command line need a kernel.");
    if (!*template->xkb_layout || strspn(template->xkb_layout, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS
                                         "_-") != strlen(template->xkb_layout))
        return g_strdup("\"xkb_layout\" is no layout.");
    if (*template->image)
        problem = pattern ? recording_problem(template->image) : image_problem(template->image);
    if (!problem)
        problem = file_problem("kernel", template->kernel);
    if (!problem)
        problem = file_problem("initrd", template->initrd);
    if (!problem)
        problem = layout_problem(template->xkb_layout, template->xkb_variant);
    return problem;
}
