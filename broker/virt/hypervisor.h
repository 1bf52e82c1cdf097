/* Where virtual machines run: the few things the broker asks for, whatever does them (libvirt; a fake in
 * tests). Nothing here blocks: each call returns at once, its callback comes on the default main context. */
#pragma once

#include <gio/gio.h>

typedef enum {
    HYPERVISOR_ERROR_FAILED,        /* anything else; the message is the hypervisor's own */
    HYPERVISOR_ERROR_UNREACHABLE,   /* libvirtd does not run or does not answer */
    HYPERVISOR_ERROR_DENIED,        /* libvirtd refuses the broker's user */
    HYPERVISOR_ERROR_REMOTE,        /* the URI names another machine */
    HYPERVISOR_ERROR_NO_EMULATOR,   /* QEMU is not installed */
    HYPERVISOR_ERROR_NO_MEMORY,     /* the machine has not enough of it now */
    HYPERVISOR_ERROR_IMAGE_MISSING, /* image, kernel or initrd is not there */
    HYPERVISOR_ERROR_IMAGE_DENIED,  /* it is there and may not be read */
    HYPERVISOR_ERROR_DISK_FULL,
    HYPERVISOR_ERROR_DISK_BUSY, /* another process holds the disk */
    HYPERVISOR_ERROR_NOT_OURS,  /* a domain of that name or UUID belongs to someone else */
    HYPERVISOR_ERROR_OFF,       /* the domain does not run */
} HypervisorError;

#define HYPERVISOR_ERROR (hypervisor_error_quark())
GQuark hypervisor_error_quark(void);

typedef enum { DOMAIN_NETWORK_NONE, DOMAIN_NETWORK_LIBVIRT } DomainNetwork;
typedef enum { DOMAIN_VIDEO_VIRTIO, DOMAIN_VIDEO_VGA } DomainVideo;

/* What a VM is made of. Strings may be NULL or "" where there is nothing. */
typedef struct {
    char *uuid;   /* the domain's; the store promises that no two desktops share it */
    char *domain; /* the domain's name */
    char *name;   /* the desktop's name */
    char *disk;   /* path of the desktop's overlay */
    char *image;  /* qcow2 of the template, read only; the overlay is laid on it */
    char *kernel, *initrd, *cmdline;
    gboolean uefi;
    guint memory_mib, vcpus;
    DomainVideo video;
} DomainSpec;

DomainSpec *domain_spec_copy(const DomainSpec *spec);
void domain_spec_free(DomainSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DomainSpec, domain_spec_free)

typedef enum {
    DOMAIN_SHUTDOWN, /* asks the guest (ACPI); it may take its time or ignore it */
    DOMAIN_DESTROY,  /* pulls the plug */
    DOMAIN_RESET,    /* presses the reset button: same VM process, fresh boot */
} DomainAct;

/* error is NULL when it worked, else in HYPERVISOR_ERROR with a sentence for a person; borrowed. */
typedef void (*HypervisorDone)(const GError *error, gpointer data);

typedef struct {
    /* Connected, the first time or anew: `running` holds the UUIDs of our domains that run, `version` is the
     * hypervisor's, `virt` says how VMs run and why ("tcg: ..."). */
    void (*up)(GPtrArray *running, const char *version, const char *virt, gpointer data);
    /* The connection is lost or could not be made; attempts go on. VMs run on. */
    void (*down)(const GError *error, gpointer data);
    /* That VM has ended, checked against the hypervisor; `reason` is a sentence. */
    void (*ended)(const char *uuid, const char *reason, gpointer data);
} HypervisorEvents;

typedef struct Hypervisor Hypervisor;
typedef struct {
    void (*start)(Hypervisor *self, const DomainSpec *spec, HypervisorDone done, gpointer data);
    void (*act)(Hypervisor *self, const char *uuid, DomainAct act, HypervisorDone done, gpointer data);
    void (*open_display)(Hypervisor *self, const char *uuid, int fd, HypervisorDone done, gpointer data);
    void (*remove_disk)(Hypervisor *self, const DomainSpec *spec, HypervisorDone done, gpointer data);
    void (*free)(Hypervisor *self);
} HypervisorClass;

struct Hypervisor {
    const HypervisorClass *class;
};

/* Makes the overlay when there is none and runs the VM. One that runs already is taken as it is (it is the
 * same VM, on the same disk). NULL done is allowed in all of these. */
static inline void hypervisor_start(Hypervisor *self, const DomainSpec *spec, HypervisorDone done,
                                    gpointer data)
{
    self->class->start(self, spec, done, data);
}

/* Never touches a domain whose metadata do not carry this instance's UUID. */
static inline void hypervisor_act(Hypervisor *self, const char *uuid, DomainAct act, HypervisorDone done,
                                  gpointer data)
{
    self->class->act(self, uuid, act, done, data);
}

/* Gives one end of the seat's socketpair to QEMU; takes `fd` over. */
static inline void hypervisor_open_display(Hypervisor *self, const char *uuid, int fd, HypervisorDone done,
                                           gpointer data)
{
    self->class->open_display(self, uuid, fd, done, data);
}

/* Deletes the overlay and what else belongs to the VM; refused while it runs. */
static inline void hypervisor_remove_disk(Hypervisor *self, const DomainSpec *spec, HypervisorDone done,
                                          gpointer data)
{
    self->class->remove_disk(self, spec, done, data);
}

static inline void hypervisor_free(Hypervisor *self)
{
    if (self)
        self->class->free(self);
}
