/* The values that pass between the broker and a hypervisor. */
#include "broker/virt/hypervisor.h"

G_DEFINE_QUARK(fernwerk - hypervisor - error, hypervisor_error)

DomainSpec *domain_spec_copy(const DomainSpec *spec)
{
    DomainSpec *copy = g_new(DomainSpec, 1);
    *copy = *spec;
    copy->uuid = g_strdup(spec->uuid);
    copy->domain = g_strdup(spec->domain);
    copy->disk = g_strdup(spec->disk);
    copy->name = g_strdup(spec->name);
    copy->image = g_strdup(spec->image);
    copy->kernel = g_strdup(spec->kernel);
    copy->initrd = g_strdup(spec->initrd);
    copy->cmdline = g_strdup(spec->cmdline);
    return copy;
}

void domain_spec_free(DomainSpec *spec)
{
    if (!spec)
        return;
    g_free(spec->uuid);
    g_free(spec->domain);
    g_free(spec->disk);
    g_free(spec->name);
    g_free(spec->image);
    g_free(spec->kernel);
    g_free(spec->initrd);
    g_free(spec->cmdline);
    g_free(spec);
}
