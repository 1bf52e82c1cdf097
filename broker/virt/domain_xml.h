/* libvirt's domain XML: written from a DomainSpec, and the identity that we leave in it read back. Pure. */
#pragma once

#include "broker/virt/hypervisor.h"

#define DOMAIN_XML_NAMESPACE "https://fernwerk.invalid/xmlns/domain/1"

/* What surrounds a DomainSpec on this node. Paths are absolute. A disk is there when spec->image is. */
typedef struct {
    const char *instance; /* UUID of this Fernwerk instance */
    gboolean kvm;
    const char *nvram;      /* UEFI's variables, made by libvirt; used with spec->uefi only */
    const char *serial_log; /* what the guest writes to its serial port goes here too */
    const char *network;    /* libvirt network; NULL: none */
} DomainPlace;

/* The domain's definition. Caller frees. Any thread. */
char *domain_xml_build(const DomainSpec *spec, const DomainPlace *place);

/* Whose domain it is, from the <fernwerk:desktop> element as virDomainGetMetadata() gives it (at most 64
 * KiB). TRUE: it is of that instance; *desktop gets the desktop's name (NULL allowed, caller frees). FALSE:
 * another's. */
gboolean domain_xml_identity(const char *element, const char *instance, char **desktop);
