/* A QEMU of a test's own, without libvirt: its D-Bus display takes the socket that a seat made. */
#pragma once

#include <glib.h>
#include <sys/types.h>

typedef struct {
    pid_t pid;
    int monitor; /* QMP */
    char *folder, *serial;
} Vm;

/* Whether this machine has QEMU. */
gboolean vm_available(void);

/* `arguments` (NULL-terminated) come after the common ones. */
void vm_start(Vm *vm, const char *const *arguments);
void vm_stop(Vm *vm);

/* Runs a QMP command (JSON text) with a descriptor for "getfd" or -1; returns the answer's line. Caller
 * frees. */
char *vm_command(Vm *vm, const char *json, int fd);
/* What virDomainOpenGraphics() does: gives QEMU one end of the seat's pair (borrowed). */
void vm_open_display(Vm *vm, int fd);
/* The screen as QEMU itself sees it, PPM bytes: RGB rows. Caller frees. */
guint8 *vm_screen(Vm *vm, guint *width, guint *height);
/* Waits up to `ms` until the serial log holds this text. */
gboolean vm_serial_has(Vm *vm, const char *text, guint ms);

/* The folder with the tiny guest's kernel and initrd, NULL: not built. */
const char *vm_tiny_guest(void);
