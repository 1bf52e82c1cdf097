/* Jobs on two pools of threads, one a connection; answers go to the main loop. A domain is touched only after
 * its metadata have been read and found to be ours. */
#include "broker/virt/libvirt_hypervisor.h"

#include "base/log.h"
#include "broker/virt/disk.h"
#include "broker/virt/domain_xml.h"
#include "broker/virt/kvm_probe.h"
#include "broker/virt/libvirt_connection.h"
#include "broker/virt/libvirt_domain.h"
#include "broker/virt/libvirt_error.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <unistd.h>

/* Below libvirtd's limit of five requests a connection. */
#define QUICK_THREADS 3
#define SLOW_THREADS 3
#define KVM_DEADLINE_MS 2000
#define NETWORK "default"

typedef struct {
    Hypervisor base;
    HypervisorEvents events;
    gpointer data;
    char *instance, *image_dir;
    VirtMode mode;
    LibvirtConnection *connection;
    GThreadPool *pools[LIBVIRT_LANES];
    gboolean dead; /* main thread: no more callbacks */
    GMutex lock;
    GHashTable *starting; /* UUIDs whose start is under way; under lock, with all below */
    gboolean kvm;         /* how VMs run */
    char virt[256];       /* why */
} LibvirtHypervisor;

typedef struct Job Job;
struct Job {
    LibvirtHypervisor *owner; /* a reference */
    void (*run)(Job *job, virConnectPtr connection, GError **error);
    /* Without a connection: what can be said or done nonetheless. *error is why there is none; may be
     * replaced or cleared. NULL: nothing. */
    void (*without)(Job *job, GError **error);
    LibvirtLane lane;
    DomainSpec *spec;
    char *uuid;
    DomainAct act;
    int fd;
    char *reason;   /* of an end to be looked at */
    gboolean ended; /* it really has ended */
    HypervisorDone done;
    gpointer data;
    GError *error;
};

typedef struct {
    LibvirtHypervisor *owner;
    GPtrArray *running;
    char *version, *virt;
    GError *error;
} Notice;

static void clear_hypervisor(gpointer data)
{
    LibvirtHypervisor *self = data;
    g_hash_table_unref(self->starting);
    g_mutex_clear(&self->lock);
    g_free(self->instance);
    g_free(self->image_dir);
}

static void unref(LibvirtHypervisor *self)
{
    g_atomic_rc_box_release_full(self, clear_hypervisor);
}

/* ---- jobs ---- */

static gboolean answer(gpointer data)
{
    Job *job = data;
    LibvirtHypervisor *self = job->owner;

    if (!self->dead && job->done)
        job->done(job->error, job->data);
    if (!self->dead && job->ended && self->events.ended)
        self->events.ended(job->uuid, job->reason, self->data);
    g_clear_error(&job->error);
    if (job->fd >= 0)
        close(job->fd);
    domain_spec_free(job->spec);
    g_free(job->uuid);
    g_free(job->reason);
    g_free(job);
    unref(self);
    return G_SOURCE_REMOVE;
}

static void forget_start(LibvirtHypervisor *self, const char *uuid)
{
    g_mutex_lock(&self->lock);
    g_hash_table_remove(self->starting, uuid);
    g_mutex_unlock(&self->lock);
}

static void run_start(Job *job, virConnectPtr connection, GError **error);

static void work(gpointer data, gpointer pool_data)
{
    Job *job = data;
    virConnectPtr connection = libvirt_connection_get(job->owner->connection, job->lane, &job->error);

    if (connection) {
        job->run(job, connection, &job->error);
        virConnectClose(connection);
    } else if (job->without) {
        job->without(job, &job->error);
    }
    if (job->run == run_start)
        forget_start(job->owner, job->spec->uuid);
    g_idle_add_full(G_PRIORITY_DEFAULT, answer, job, NULL);
}

static void push(LibvirtHypervisor *self, Job job)
{
    job.owner = g_atomic_rc_box_acquire(self);
    g_thread_pool_push(self->pools[job.lane], g_memdup2(&job, sizeof job), NULL);
}

/* ---- start ---- */

static const char *active_network(virConnectPtr connection)
{
    virNetworkPtr network = virNetworkLookupByName(connection, NETWORK);
    gboolean active = network && virNetworkIsActive(network) == 1;

    if (network)
        virNetworkFree(network);
    virResetLastError();
    return active ? NETWORK : NULL;
}

/* What is missing on this machine, whoever is asked to start it. */
static gboolean check_host(const DomainSpec *spec, GError **error)
{
    return disk_check(spec, error) && disk_memory_available(spec->memory_mib, error);
}

static gboolean create(Job *job, virConnectPtr connection, GError **error)
{
    LibvirtHypervisor *self = job->owner;
    const DomainSpec *spec = job->spec;
    g_autofree char *nvram = disk_nvram_path(spec);
    g_autofree char *serial = disk_serial_path(self->image_dir, spec);
    g_autofree char *xml = NULL;
    DomainPlace place = {.instance = self->instance, .nvram = nvram, .serial_log = serial};
    virDomainPtr domain;

    if (!check_host(spec, error) || !disk_folders(self->image_dir, error))
        return FALSE;
    if (spec->image && *spec->image && !disk_prepare(spec->disk, spec->image, error))
        return FALSE;
    g_mutex_lock(&self->lock);
    place.kvm = self->kvm;
    g_mutex_unlock(&self->lock);
    place.network = active_network(connection);
    xml = domain_xml_build(spec, &place);
    domain = virDomainCreateXML(connection, xml, 0);
    if (!domain) {
        libvirt_error_take("started", error);
        return FALSE;
    }
    virDomainFree(domain);
    return TRUE;
}

static void run_start(Job *job, virConnectPtr connection, GError **error)
{
    LibvirtHypervisor *self = job->owner;
    g_autoptr(GError) absent = NULL;
    virDomainPtr domain = libvirt_domain_find(connection, self->instance, job->spec->uuid, &absent);
    gboolean made = FALSE;

    if (!domain && !g_error_matches(absent, HYPERVISOR_ERROR, HYPERVISOR_ERROR_OFF)) {
        g_propagate_error(error, g_steal_pointer(&absent));
        return;
    }
    if (!domain)
        made = create(job, connection, error);
    forget_start(self, job->spec->uuid);
    if (made && !(domain = libvirt_domain_find(connection, self->instance, job->spec->uuid, NULL)))
        g_set_error_literal(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_FAILED,
                            "QEMU ended as soon as it had started; its log is in /var/log/libvirt/qemu.");
    if (domain)
        virDomainFree(domain);
}

/* That libvirtd is down too helps nobody whose template's image is gone. */
static void start_without(Job *job, GError **error)
{
    g_autoptr(GError) nearer = NULL;
    if (!check_host(job->spec, &nearer)) {
        g_clear_error(error);
        g_propagate_error(error, g_steal_pointer(&nearer));
    }
}

static void start(Hypervisor *base, const DomainSpec *spec, HypervisorDone done, gpointer data)
{
    LibvirtHypervisor *self = (LibvirtHypervisor *)base;

    g_mutex_lock(&self->lock);
    g_hash_table_add(self->starting, g_strdup(spec->uuid));
    g_mutex_unlock(&self->lock);
    push(self, (Job){.run = run_start,
                     .without = start_without,
                     .lane = LIBVIRT_SLOW,
                     .spec = domain_spec_copy(spec),
                     .fd = -1,
                     .done = done,
                     .data = data});
}

/* ---- the other calls ---- */

static void run_act(Job *job, virConnectPtr connection, GError **error)
{
    virDomainPtr domain = libvirt_domain_find(connection, job->owner->instance, job->uuid, error);
    int result = 0;

    if (!domain)
        return;
    switch (job->act) {
    case DOMAIN_SHUTDOWN:
        result = virDomainShutdownFlags(domain, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN);
        break;
    case DOMAIN_DESTROY:
        result = virDomainDestroy(domain);
        break;
    case DOMAIN_RESET:
        result = virDomainReset(domain, 0);
        break;
    }
    if (result < 0)
        libvirt_error_take(job->act == DOMAIN_RESET ? "reset" : "stopped", error);
    virDomainFree(domain);
}

static void act(Hypervisor *base, const char *uuid, DomainAct act, HypervisorDone done, gpointer data)
{
    LibvirtLane lane = act == DOMAIN_DESTROY ? LIBVIRT_SLOW : LIBVIRT_QUICK;
    push((LibvirtHypervisor *)base, (Job){.run = run_act,
                                          .lane = lane,
                                          .uuid = g_strdup(uuid),
                                          .act = act,
                                          .fd = -1,
                                          .done = done,
                                          .data = data});
}

static void run_open_display(Job *job, virConnectPtr connection, GError **error)
{
    virDomainPtr domain = libvirt_domain_find(connection, job->owner->instance, job->uuid, error);

    if (!domain)
        return;
    if (virDomainOpenGraphics(domain, 0, job->fd, 0) < 0)
        libvirt_error_take("shown", error);
    virDomainFree(domain);
}

static void open_display(Hypervisor *base, const char *uuid, int fd, HypervisorDone done, gpointer data)
{
    push((LibvirtHypervisor *)base, (Job){.run = run_open_display,
                                          .lane = LIBVIRT_QUICK,
                                          .uuid = g_strdup(uuid),
                                          .fd = fd,
                                          .done = done,
                                          .data = data});
}

static void run_remove_disk(Job *job, virConnectPtr connection, GError **error)
{
    g_autoptr(GError) absent = NULL;
    virDomainPtr domain = libvirt_domain_find(connection, job->owner->instance, job->spec->uuid, &absent);

    if (domain) {
        virDomainFree(domain);
        g_set_error_literal(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_DISK_BUSY,
                            "The desktop is running: its disk cannot be deleted.");
    } else if (!g_error_matches(absent, HYPERVISOR_ERROR, HYPERVISOR_ERROR_OFF)) {
        g_propagate_error(error, g_steal_pointer(&absent));
    } else {
        disk_remove(job->owner->image_dir, job->spec, error);
    }
}

/* A VM leaves files behind from its first start on: without any there is neither a VM nor a disk. */
static void remove_disk_without(Job *job, GError **error)
{
    if (!disk_exists(job->owner->image_dir, job->spec))
        g_clear_error(error);
}

static void remove_disk(Hypervisor *base, const DomainSpec *spec, HypervisorDone done, gpointer data)
{
    push((LibvirtHypervisor *)base, (Job){.run = run_remove_disk,
                                          .without = remove_disk_without,
                                          .lane = LIBVIRT_SLOW,
                                          .spec = domain_spec_copy(spec),
                                          .fd = -1,
                                          .done = done,
                                          .data = data});
}

/* ---- events ---- */

static const char *ended_reason(int event, int detail)
{
    if (event == VIR_DOMAIN_EVENT_CRASHED)
        return "The desktop crashed.";
    switch (detail) {
    case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN:
        return "The desktop was shut down.";
    case VIR_DOMAIN_EVENT_STOPPED_DESTROYED:
        return "The desktop was switched off.";
    case VIR_DOMAIN_EVENT_STOPPED_SAVED:
        return "The desktop was saved by somebody else.";
    case VIR_DOMAIN_EVENT_STOPPED_MIGRATED:
        return "The desktop was moved away by somebody else.";
    default:
        return "The desktop's virtual machine failed; its log is in /var/log/libvirt/qemu.";
    }
}

/* A report may be older than a start that came after it: only a domain that is gone now has ended. */
static void run_look(Job *job, virConnectPtr connection, GError **error)
{
    LibvirtHypervisor *self = job->owner;
    gboolean starting;
    virDomainPtr domain = libvirt_domain_find(connection, self->instance, job->uuid, error);

    g_mutex_lock(&self->lock);
    starting = g_hash_table_contains(self->starting, job->uuid);
    g_mutex_unlock(&self->lock);
    job->ended = !domain && !starting && g_error_matches(*error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_OFF);
    if (domain)
        virDomainFree(domain);
}

static void on_stopped(const char *uuid, int event, int detail, gpointer data)
{
    push(data, (Job){.run = run_look,
                     .lane = LIBVIRT_QUICK,
                     .uuid = g_strdup(uuid),
                     .fd = -1,
                     .reason = g_strdup(ended_reason(event, detail))});
}

/* Before any connection is given out: no VM may start while it is still open how. */
static void decide(gpointer data)
{
    LibvirtHypervisor *self = data;
    g_autofree char *reason = NULL;
    gboolean proven = FALSE;

    if (self->mode != VIRT_TCG)
        proven = kvm_probe(KVM_DEADLINE_MS, &reason);
    g_mutex_lock(&self->lock);
    self->kvm = self->mode == VIRT_KVM || (self->mode == VIRT_AUTO && proven);
    if (self->mode == VIRT_TCG)
        g_strlcpy(self->virt, "tcg: configured", sizeof self->virt);
    else if (proven)
        g_strlcpy(self->virt, "kvm: proven", sizeof self->virt);
    else
        g_snprintf(self->virt, sizeof self->virt, "%s: %s",
                   self->kvm ? "kvm, configured but not proven" : "tcg", reason);
    g_mutex_unlock(&self->lock);
    if (!proven && self->mode != VIRT_TCG)
        log_warning("virt: %s. %s", self->virt,
                    self->kvm ? "Desktops may hang."
                              : "Desktops are emulated, which is several times slower.");
}

static gboolean tell(gpointer data)
{
    Notice *notice = data;
    LibvirtHypervisor *self = notice->owner;

    if (!self->dead && notice->running && self->events.up)
        self->events.up(notice->running, notice->version, notice->virt, self->data);
    if (!self->dead && notice->error && self->events.down)
        self->events.down(notice->error, self->data);
    g_clear_pointer(&notice->running, g_ptr_array_unref);
    g_clear_error(&notice->error);
    g_free(notice->version);
    g_free(notice->virt);
    g_free(notice);
    unref(self);
    return G_SOURCE_REMOVE;
}

static void on_up(virConnectPtr quick, gpointer data)
{
    LibvirtHypervisor *self = data;
    Notice *notice;
    unsigned long version = 0;
    GPtrArray *running;

    running = libvirt_domain_list(quick, self->instance);
    if (!running)
        return;
    virConnectGetLibVersion(quick, &version);
    notice = g_new0(Notice, 1);
    notice->owner = g_atomic_rc_box_acquire(self);
    notice->running = running;
    notice->version =
        g_strdup_printf("%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);
    notice->virt = g_strdup(self->virt);
    g_idle_add_full(G_PRIORITY_DEFAULT, tell, notice, NULL);
}

static void on_down(const GError *error, gpointer data)
{
    LibvirtHypervisor *self = data;
    Notice *notice = g_new0(Notice, 1);

    notice->owner = g_atomic_rc_box_acquire(self);
    notice->error = g_error_copy(error);
    g_idle_add_full(G_PRIORITY_DEFAULT, tell, notice, NULL);
}

/* ---- life ---- */

static void destroy(Hypervisor *base)
{
    LibvirtHypervisor *self = (LibvirtHypervisor *)base;

    self->dead = TRUE;
    libvirt_connection_stop(self->connection);
    for (guint i = 0; i < LIBVIRT_LANES; i++)
        g_thread_pool_free(self->pools[i], FALSE, TRUE);
    libvirt_connection_free(self->connection);
    unref(self);
}

Hypervisor *libvirt_hypervisor_new(const LibvirtSettings *settings, const HypervisorEvents *events,
                                   gpointer data, GError **error)
{
    static const HypervisorClass class = {.start = start,
                                          .act = act,
                                          .open_display = open_display,
                                          .remove_disk = remove_disk,
                                          .free = destroy};
    static const LibvirtConnectionEvents connection_events = {decide, on_up, on_down, on_stopped};
    static const guint threads[LIBVIRT_LANES] = {QUICK_THREADS, SLOW_THREADS};
    LibvirtHypervisor *self;

    if (!libvirt_uri_is_local(settings->uri, error))
        return NULL;
    self = g_atomic_rc_box_new0(LibvirtHypervisor);
    self->base.class = &class;
    self->events = *events;
    self->data = data;
    self->instance = g_strdup(settings->instance);
    self->image_dir = g_strdup(settings->image_dir);
    self->mode = settings->virt;
    self->starting = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_mutex_init(&self->lock);
    for (guint i = 0; i < LIBVIRT_LANES; i++)
        self->pools[i] = g_thread_pool_new(work, self, (int)threads[i], FALSE, NULL);
    self->connection = libvirt_connection_new(settings->uri, &connection_events, self);
    libvirt_connection_open(self->connection);
    return &self->base;
}
