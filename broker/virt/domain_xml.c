/* Domain XML through libxml2. What a VM is made of stands here, in the order of libvirt's documentation. */
#include "broker/virt/domain_xml.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

#define IDENTITY_MAX (64 * 1024)
/* QEMU's own default is a quarter of the machine's memory for each VM's translated code. */
#define TCG_CACHE_MIB 256

static const xmlChar *x(const char *text)
{
    return (const xmlChar *)text;
}

static gboolean has(const char *text)
{
    return text && *text;
}

/* A child with attributes given as name, value pairs up to NULL; a pair whose value is NULL is left out. */
static xmlNode *add(xmlNode *parent, const char *name, ...) G_GNUC_NULL_TERMINATED;
static xmlNode *add(xmlNode *parent, const char *name, ...)
{
    xmlNode *node = xmlNewChild(parent, NULL, x(name), NULL);
    va_list list;

    va_start(list, name);
    for (const char *key; (key = va_arg(list, const char *));) {
        const char *value = va_arg(list, const char *);
        if (value)
            xmlNewProp(node, x(key), x(value));
    }
    va_end(list);
    return node;
}

static xmlNode *add_text(xmlNode *parent, const char *name, const char *text)
{
    return xmlNewTextChild(parent, NULL, x(name), x(text));
}

static xmlNode *add_number(xmlNode *parent, const char *name, guint64 number)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, number);
    return add_text(parent, name, text);
}

static void add_identity(xmlNode *domain, const DomainSpec *spec, const DomainPlace *place)
{
    xmlNode *metadata = add(domain, "metadata", NULL);
    xmlNode *node = xmlNewChild(metadata, NULL, x("desktop"), NULL);

    xmlSetNs(node, xmlNewNs(node, x(DOMAIN_XML_NAMESPACE), x("fernwerk")));
    xmlNewProp(node, x("instance"), x(place->instance));
    xmlNewProp(node, x("name"), x(spec->name));
}

static void add_boot(xmlNode *domain, const DomainSpec *spec, const DomainPlace *place)
{
    xmlNode *os = add(domain, "os", NULL);

    if (spec->uefi)
        xmlNewProp(os, x("firmware"), x("efi"));
    xmlNewProp(add_text(os, "type", "hvm"), x("machine"), x("q35"));
    if (spec->uefi && has(place->nvram))
        add_text(os, "nvram", place->nvram);
    if (has(spec->kernel)) {
        add_text(os, "kernel", spec->kernel);
        if (has(spec->initrd))
            add_text(os, "initrd", spec->initrd);
        if (has(spec->cmdline))
            add_text(os, "cmdline", spec->cmdline);
    } else {
        add(os, "boot", "dev", "hd", NULL);
    }
}

static void add_processor(xmlNode *domain, const DomainPlace *place)
{
    xmlNode *features = add(domain, "features", NULL);

    add(features, "acpi", NULL);
    add(features, "apic", NULL);
    if (place->kvm) {
        add(domain, "cpu", "mode", "host-passthrough", "check", "none", NULL);
    } else {
        g_autofree char *cache = g_strdup_printf("%d", TCG_CACHE_MIB);
        xmlNewProp(add_text(add(features, "tcg", NULL), "tb-cache", cache), x("unit"), x("MiB"));
        add(domain, "cpu", "mode", "maximum", NULL);
    }
    add(domain, "clock", "offset", "utc", NULL);
}

static void add_disk(xmlNode *devices, const DomainSpec *spec)
{
    xmlNode *disk = add(devices, "disk", "type", "file", "device", "disk", NULL);

    add(disk, "driver", "name", "qemu", "type", "qcow2", "discard", "unmap", NULL);
    add(disk, "source", "file", spec->disk, NULL);
    add(disk, "target", "dev", "vda", "bus", "virtio", NULL);
}

static void add_channel(xmlNode *devices, const char *name)
{
    xmlNode *channel = add(devices, "channel", "type", "unix", NULL);
    add(channel, "target", "type", "virtio", "name", name, NULL);
}

/* Virtio input takes over from PS/2, which q35 always has, once the guest's driver is there; a guest that
 * knows only standard VGA is taken to know only USB too. */
static void add_seat(xmlNode *devices, const DomainSpec *spec)
{
    const char *bus = spec->video == DOMAIN_VIDEO_VGA ? "usb" : "virtio";

    add(devices, "controller", "type", "usb", "model", spec->video == DOMAIN_VIDEO_VGA ? "qemu-xhci" : "none",
        NULL);
    add(devices, "input", "type", "keyboard", "bus", bus, NULL);
    add(devices, "input", "type", "tablet", "bus", bus, NULL);
    add(devices, "graphics", "type", "dbus", "p2p", "yes", NULL);
    add(add(devices, "video", NULL), "model", "type", spec->video == DOMAIN_VIDEO_VGA ? "vga" : "virtio",
        NULL);
}

static void add_serial(xmlNode *devices, const DomainPlace *place)
{
    xmlNode *serial = add(devices, "serial", "type", "pty", NULL);
    if (has(place->serial_log))
        add(serial, "log", "file", place->serial_log, "append", "on", NULL);
    add(serial, "target", "port", "0", NULL);
}

static void add_devices(xmlNode *domain, const DomainSpec *spec, const DomainPlace *place)
{
    xmlNode *devices = add(domain, "devices", NULL);

    if (has(spec->image))
        add_disk(devices, spec);
    if (has(place->network)) {
        xmlNode *interface = add(devices, "interface", "type", "network", NULL);
        add(interface, "source", "network", place->network, NULL);
        add(interface, "model", "type", "virtio", NULL);
    }
    add_seat(devices, spec);
    add_serial(devices, place);
    add_channel(devices, "com.redhat.spice.0");
    add_channel(devices, "org.qemu.guest_agent.0");
    xmlNode *rng = add(devices, "rng", "model", "virtio", NULL);
    xmlNewProp(add_text(rng, "backend", "/dev/urandom"), x("model"), x("random"));
    add(devices, "memballoon", "model", "none", NULL);
}

char *domain_xml_build(const DomainSpec *spec, const DomainPlace *place)
{
    xmlDoc *document = xmlNewDoc(x("1.0"));
    xmlNode *domain = xmlNewNode(NULL, x("domain"));
    xmlChar *text = NULL;
    int length = 0;

    g_assert(has(spec->name) && has(spec->domain) && has(spec->uuid) && has(place->instance));
    xmlDocSetRootElement(document, domain);
    xmlNewProp(domain, x("type"), x(place->kvm ? "kvm" : "qemu"));
    add_text(domain, "name", spec->domain);
    add_text(domain, "uuid", spec->uuid);
    add_identity(domain, spec, place);
    xmlNewProp(add_number(domain, "memory", spec->memory_mib), x("unit"), x("MiB"));
    add_number(domain, "vcpu", spec->vcpus);
    add_boot(domain, spec, place);
    add_processor(domain, place);
    add_text(domain, "on_poweroff", "destroy");
    add_text(domain, "on_reboot", "restart");
    add_text(domain, "on_crash", "destroy");
    add_devices(domain, spec, place);

    xmlDocDumpMemoryEnc(document, &text, &length, "UTF-8");
    char *copy = g_strndup((const char *)text, length);
    xmlFree(text);
    xmlFreeDoc(document);
    return copy;
}

static gboolean read_identity(xmlNode *node, const char *instance, char **desktop)
{
    xmlChar *owner, *name;
    gboolean ours;

    /* libvirt, asked for the element of our namespace, gives it without that. */
    if (!node || !xmlStrEqual(node->name, x("desktop")) ||
        (node->ns && !xmlStrEqual(node->ns->href, x(DOMAIN_XML_NAMESPACE))))
        return FALSE;
    owner = xmlGetNoNsProp(node, x("instance"));
    name = xmlGetNoNsProp(node, x("name"));
    ours = owner && name && g_ascii_strcasecmp((const char *)owner, instance) == 0;
    if (ours && desktop)
        *desktop = g_strdup((const char *)name);
    xmlFree(owner);
    xmlFree(name);
    return ours;
}

gboolean domain_xml_identity(const char *element, const char *instance, char **desktop)
{
    gsize length = element ? strnlen(element, IDENTITY_MAX + 1) : 0;
    xmlDoc *document;
    gboolean ours;

    if (desktop)
        *desktop = NULL;
    if (length == 0 || length > IDENTITY_MAX || !has(instance))
        return FALSE;
    document = xmlReadMemory(element, (int)length, "metadata", NULL,
                             XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    ours = document && read_identity(xmlDocGetRootElement(document), instance, desktop);
    xmlFreeDoc(document);
    return ours;
}
