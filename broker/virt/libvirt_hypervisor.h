/* VMs through libvirt. */
#pragma once

#include "broker/virt/hypervisor.h"

typedef enum { VIRT_AUTO, VIRT_KVM, VIRT_TCG } VirtMode;

typedef struct {
    const char *uri;
    const char *instance;  /* UUID that our domains carry */
    const char *image_dir; /* absolute */
    VirtMode virt;
} LibvirtSettings;

/* Begins to connect; events.up follows. Domains are transient: libvirt holds what runs and nothing else, each
 * start builds the definition anew from the template, and neither a reboot nor a crash leaves one behind that
 * could be started past the broker. NULL with HYPERVISOR_ERROR_REMOTE when the URI is not local. Main
 * thread. */
Hypervisor *libvirt_hypervisor_new(const LibvirtSettings *settings, const HypervisorEvents *events,
                                   gpointer data, GError **error);
