/* Which domains are ours: told by their metadata, and by nothing else. */
#include "broker/virt/libvirt_domain.h"

#include "broker/virt/domain_xml.h"
#include "broker/virt/libvirt_error.h"

#include <libvirt/virterror.h>
#include <stdlib.h>

typedef enum { OWNER_US, OWNER_OTHER, OWNER_UNKNOWN } Owner;

/* UNKNOWN: libvirt did not say, most often because the domain is just ending; its error is still to be
 * taken. */
static Owner owner(virDomainPtr domain, const char *instance)
{
    g_autofree char *element =
        virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, DOMAIN_XML_NAMESPACE, 0);
    const virError *error = virGetLastError();

    if (!element && error && error->code != VIR_ERR_NO_DOMAIN_METADATA)
        return OWNER_UNKNOWN;
    virResetLastError();
    return domain_xml_identity(element, instance, NULL) ? OWNER_US : OWNER_OTHER;
}

virDomainPtr libvirt_domain_find(virConnectPtr connection, const char *instance, const char *uuid,
                                 GError **error)
{
    virDomainPtr domain = virDomainLookupByUUIDString(connection, uuid);

    if (!domain) {
        libvirt_error_take("found", error);
        return NULL;
    }
    switch (owner(domain, instance)) {
    case OWNER_US:
        if (virDomainIsActive(domain) == 1)
            return domain;
        g_set_error_literal(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_OFF, "The desktop is off.");
        break;
    case OWNER_OTHER:
        g_set_error(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_NOT_OURS,
                    "The virtual machine %s does not belong to this Fernwerk and is left alone.",
                    virDomainGetName(domain));
        break;
    case OWNER_UNKNOWN:
        libvirt_error_take("found", error);
        break;
    }
    virDomainFree(domain);
    return NULL;
}

GPtrArray *libvirt_domain_list(virConnectPtr connection, const char *instance)
{
    GPtrArray *running = g_ptr_array_new_with_free_func(g_free);
    virDomainPtr *domains = NULL;
    int count = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);

    for (int i = 0; i < count; i++) {
        char uuid[VIR_UUID_STRING_BUFLEN];
        if (owner(domains[i], instance) == OWNER_US && virDomainGetUUIDString(domains[i], uuid) == 0)
            g_ptr_array_add(running, g_strdup(uuid));
        virResetLastError();
        virDomainFree(domains[i]);
    }
    free(domains);
    if (count >= 0)
        return running;
    /* The connection broke again: the next one brings the list. */
    g_ptr_array_unref(running);
    return NULL;
}
