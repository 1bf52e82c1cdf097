/* Finding domains that belong to an instance. Blocks: threads of broker/virt only. */
#pragma once

#include "broker/virt/hypervisor.h"

#include <libvirt/libvirt.h>

/* The running domain of that UUID when it is the instance's (virDomainFree() it); NULL with
 * HYPERVISOR_ERROR_OFF, NOT_OURS, or what libvirt says. */
virDomainPtr libvirt_domain_find(virConnectPtr connection, const char *instance, const char *uuid,
                                 GError **error);

/* UUIDs (char *) of the instance's running domains; NULL when the connection broke. */
GPtrArray *libvirt_domain_list(virConnectPtr connection, const char *instance);
