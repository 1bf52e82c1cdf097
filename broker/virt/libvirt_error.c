/* What libvirt and QEMU say, as sentences on which a user or an admin can act. */
#include "broker/virt/libvirt_error.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>

typedef struct {
    const char *text; /* part of libvirt's or QEMU's message */
    HypervisorError code;
    const char *sentence; /* %s is the original message */
} Phrase;

/* In this order: QEMU's messages quote paths, so the narrower phrase stands first. */
static const Phrase phrases[] = {
    {"Cannot allocate memory", HYPERVISOR_ERROR_NO_MEMORY,
     "There is not enough memory for this desktop now. Stop another one or give its template less. (%s)"},
    {"cannot set up guest memory", HYPERVISOR_ERROR_NO_MEMORY,
     "There is not enough memory for this desktop now. Stop another one or give its template less. (%s)"},
    {"Failed to get \"write\" lock", HYPERVISOR_ERROR_DISK_BUSY,
     "The desktop's disk is in use by another program. (%s)"},
    {"Failed to get shared \"write\" lock", HYPERVISOR_ERROR_DISK_BUSY,
     "The desktop's disk, or its template's image, is in use by another program. (%s)"},
    {"No space left on device", HYPERVISOR_ERROR_DISK_FULL, "The server's disk is full. (%s)"},
    {"Unable to find any emulator", HYPERVISOR_ERROR_NO_EMULATOR,
     "QEMU is not installed: install the package qemu-system-x86. (%s)"},
    {"unable to find any emulator", HYPERVISOR_ERROR_NO_EMULATOR,
     "QEMU is not installed: install the package qemu-system-x86. (%s)"},
    {"No emulator found for", HYPERVISOR_ERROR_NO_EMULATOR,
     "QEMU is not installed: install the package qemu-system-x86. (%s)"},
    {"Cannot find suitable emulator", HYPERVISOR_ERROR_NO_EMULATOR,
     "QEMU is not installed: install the package qemu-system-x86. (%s)"},
    {"could not find capabilities for", HYPERVISOR_ERROR_NO_EMULATOR,
     "QEMU cannot run this kind of machine: install the package qemu-system-x86. (%s)"},
    {"Cannot check QEMU binary", HYPERVISOR_ERROR_NO_EMULATOR,
     "QEMU is not installed: install the package qemu-system-x86. (%s)"},
    {"Unable to find any firmware", HYPERVISOR_ERROR_NO_EMULATOR,
     "There is no UEFI firmware: install the package ovmf. (%s)"},
    {"already exists with uuid", HYPERVISOR_ERROR_NOT_OURS,
     "A virtual machine of this name exists already and does not belong to this Fernwerk. (%s)"},
    {"Permission denied", HYPERVISOR_ERROR_IMAGE_DENIED,
     "QEMU may not read the desktop's files: its user (libvirt-qemu) needs the right to read them and to "
     "enter all "
     "folders above. (%s)"},
    {"No such file or directory", HYPERVISOR_ERROR_IMAGE_MISSING, "A file of the desktop is missing. (%s)"},
};

static gboolean connection_lost(int code, int domain)
{
    return code == VIR_ERR_NO_CONNECT || code == VIR_ERR_INVALID_CONN || code == VIR_ERR_INTERNAL_ERROR ||
                   code == VIR_ERR_RPC || code == VIR_ERR_NO_SUPPORT
               ? domain == VIR_FROM_RPC || domain == VIR_FROM_REMOTE || code == VIR_ERR_NO_CONNECT ||
                     code == VIR_ERR_INVALID_CONN
               : code == VIR_ERR_SYSTEM_ERROR && (domain == VIR_FROM_RPC || domain == VIR_FROM_REMOTE);
}

void libvirt_error_translate(int code, int domain, const char *text, const char *what, GError **error)
{
    text = text && *text ? text : "no message";
    if (code == VIR_ERR_AUTH_FAILED || code == VIR_ERR_AUTH_UNAVAILABLE || code == VIR_ERR_AUTH_CANCELLED ||
        code == VIR_ERR_ACCESS_DENIED || code == VIR_ERR_OPERATION_DENIED ||
        (domain == VIR_FROM_RPC && strstr(text, "Permission denied"))) {
        g_set_error(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_DENIED,
                    "libvirt refuses the broker's user: put it into the group libvirt. (%s)", text);
        return;
    }
    if (connection_lost(code, domain)) {
        g_set_error(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_UNREACHABLE,
                    "libvirt is not running on the server: start libvirtd. (%s)", text);
        return;
    }
    if (code == VIR_ERR_NO_DOMAIN || code == VIR_ERR_OPERATION_INVALID) {
        g_set_error(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_OFF, "The desktop is off.");
        return;
    }
    for (guint i = 0; i < G_N_ELEMENTS(phrases); i++) {
        if (!strstr(text, phrases[i].text))
            continue;
        g_autoptr(GString) sentence = g_string_new(phrases[i].sentence);
        g_string_replace(sentence, "%s", text, 1);
        g_set_error_literal(error, HYPERVISOR_ERROR, phrases[i].code, sentence->str);
        return;
    }
    g_set_error(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_FAILED, "The desktop could not be %s: %s", what,
                text);
}

void libvirt_error_take(const char *what, GError **error)
{
    virErrorPtr last = virGetLastError();
    libvirt_error_translate(last ? last->code : 0, last ? last->domain : 0, last ? last->message : NULL, what,
                            error);
    virResetLastError();
}

gboolean libvirt_uri_is_local(const char *uri, GError **error)
{
    g_autoptr(GUri) parsed = g_uri_parse(uri, G_URI_FLAGS_NONE, NULL);
    const char *host = parsed ? g_uri_get_host(parsed) : NULL;
    const char *plus = parsed ? strchr(g_uri_get_scheme(parsed), '+') : NULL;

    if (!parsed) {
        g_set_error(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_REMOTE, "libvirt.uri: \"%s\" is not a URI.",
                    uri);
        return FALSE;
    }
    if ((host && *host) || (plus && strcmp(plus, "+unix") != 0)) {
        g_set_error(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_REMOTE,
                    "libvirt.uri: \"%s\" is on another machine. Fernwerk passes descriptors of the desktop's "
                    "screen to "
                    "QEMU, which works on one machine only: use qemu:///system.",
                    uri);
        return FALSE;
    }
    return TRUE;
}
