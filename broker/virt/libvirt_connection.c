/* Connecting, keeping alive, reconnecting; libvirt's event loop. No domain is touched here. */
#include "broker/virt/libvirt_connection.h"

#include "base/log.h"
#include "broker/virt/hypervisor.h"
#include "broker/virt/libvirt_error.h"

#include <libvirt/virterror.h>

#define BACKOFF_FIRST_MS 250
#define BACKOFF_MAX_MS 8000
/* libvirtd asks every 5 s by itself (its keepalive_interval), and what it asks is its sign of life: asking
 * less often means not asking at all while it lives. Given up after 20 s. */
#define KEEPALIVE_S 10
#define KEEPALIVE_MISSED 1

struct LibvirtConnection {
    char *uri;
    const LibvirtConnectionEvents *events;
    gpointer data;
    GThread *thread;
    GMutex lock;
    GCond wake;
    virConnectPtr lanes[LIBVIRT_LANES]; /* under lock, with all below */
    gboolean lost, stopping;
    GError *error; /* why there is no connection */
};

static gpointer run_events(gpointer data)
{
    for (;;) {
        if (virEventRunDefaultImpl() < 0)
            g_usleep(10000);
    }
    return NULL;
}

static void silent(void *data, virErrorPtr error)
{
}

static void start_events(void)
{
    static gsize once;
    if (g_once_init_enter(&once)) {
        virSetErrorFunc(NULL, silent);
        virEventRegisterDefaultImpl();
        g_thread_unref(g_thread_new("libvirt-events", run_events, NULL));
        g_once_init_leave(&once, 1);
    }
}

static void clear(gpointer data)
{
    LibvirtConnection *self = data;
    g_clear_error(&self->error);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->wake);
    g_free(self->uri);
}

/* libvirt may still be inside a callback when its registration is taken back: each holds a reference. */
static void unref(void *data)
{
    g_atomic_rc_box_release_full(data, clear);
}

static void on_closed(virConnectPtr lane, int reason, void *data)
{
    LibvirtConnection *self = data;
    g_mutex_lock(&self->lock);
    self->lost = TRUE;
    g_cond_signal(&self->wake);
    g_mutex_unlock(&self->lock);
}

static int on_lifecycle(virConnectPtr lane, virDomainPtr domain, int event, int detail, void *data)
{
    LibvirtConnection *self = data;
    char uuid[VIR_UUID_STRING_BUFLEN];

    if ((event != VIR_DOMAIN_EVENT_STOPPED && event != VIR_DOMAIN_EVENT_CRASHED) ||
        virDomainGetUUIDString(domain, uuid) < 0)
        return 0;
    g_mutex_lock(&self->lock);
    if (!self->stopping)
        self->events->stopped(uuid, event, detail, self->data);
    g_mutex_unlock(&self->lock);
    return 0;
}

static virConnectPtr open_lane(LibvirtConnection *self, GError **error)
{
    virConnectPtr lane = virConnectOpen(self->uri);

    if (lane && virConnectSetKeepAlive(lane, KEEPALIVE_S, KEEPALIVE_MISSED) >= 0 &&
        virConnectRegisterCloseCallback(lane, on_closed, g_atomic_rc_box_acquire(self), unref) == 0)
        return lane;
    libvirt_error_take("reached", error);
    if (lane)
        virConnectClose(lane);
    return NULL;
}

static void close_lanes(LibvirtConnection *self)
{
    virConnectPtr old[LIBVIRT_LANES];

    g_mutex_lock(&self->lock);
    for (guint i = 0; i < LIBVIRT_LANES; i++)
        old[i] = g_steal_pointer(&self->lanes[i]);
    g_mutex_unlock(&self->lock);
    for (guint i = 0; i < LIBVIRT_LANES; i++) {
        if (!old[i])
            continue;
        virConnectUnregisterCloseCallback(old[i], on_closed);
        virConnectClose(old[i]);
    }
}

static gboolean open_lanes(LibvirtConnection *self, GError **error)
{
    virConnectPtr lanes[LIBVIRT_LANES] = {NULL};

    for (guint i = 0; i < LIBVIRT_LANES; i++) {
        lanes[i] = open_lane(self, error);
        if (!lanes[i])
            goto failed;
    }
    if (virConnectDomainEventRegisterAny(lanes[LIBVIRT_QUICK], NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                         VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle),
                                         g_atomic_rc_box_acquire(self), unref) < 0) {
        libvirt_error_take("followed", error);
        goto failed;
    }
    g_mutex_lock(&self->lock);
    for (guint i = 0; i < LIBVIRT_LANES; i++)
        self->lanes[i] = lanes[i];
    self->lost = FALSE;
    g_clear_error(&self->error);
    g_mutex_unlock(&self->lock);
    return TRUE;

failed:
    for (guint i = 0; i < LIBVIRT_LANES; i++) {
        if (!lanes[i])
            continue;
        virConnectUnregisterCloseCallback(lanes[i], on_closed);
        virConnectClose(lanes[i]);
    }
    return FALSE;
}

/* FALSE when the module is to end. */
static gboolean wait_until(LibvirtConnection *self, gint64 deadline)
{
    gboolean go_on;
    g_mutex_lock(&self->lock);
    while (!self->stopping && (deadline ? g_get_monotonic_time() < deadline : !self->lost)) {
        if (deadline)
            g_cond_wait_until(&self->wake, &self->lock, deadline);
        else
            g_cond_wait(&self->wake, &self->lock);
    }
    go_on = !self->stopping;
    g_mutex_unlock(&self->lock);
    return go_on;
}

static void tell_down(LibvirtConnection *self, GError *error)
{
    gboolean news;
    g_mutex_lock(&self->lock);
    news = !self->error || self->error->code != error->code;
    g_clear_error(&self->error);
    self->error = g_error_copy(error);
    g_mutex_unlock(&self->lock);
    if (news) {
        log_warning("libvirt: %s", error->message);
        self->events->down(error, self->data);
    }
}

static gpointer run(gpointer data)
{
    LibvirtConnection *self = data;
    guint backoff = BACKOFF_FIRST_MS;

    self->events->begin(self->data);
    while (wait_until(self, g_get_monotonic_time())) {
        g_autoptr(GError) error = NULL;
        if (open_lanes(self, &error)) {
            virConnectPtr quick = libvirt_connection_get(self, LIBVIRT_QUICK, NULL);
            backoff = BACKOFF_FIRST_MS;
            self->events->up(quick, self->data);
            virConnectClose(quick);
            if (!wait_until(self, 0))
                break;
            close_lanes(self);
            g_set_error_literal(
                &error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_UNREACHABLE,
                "The connection to libvirt was lost. Desktops run on; start libvirtd if it is not "
                "running.");
        }
        tell_down(self, error);
        if (!wait_until(self, g_get_monotonic_time() + backoff * 1000L))
            break;
        backoff = MIN(backoff * 2, BACKOFF_MAX_MS);
    }
    close_lanes(self);
    return NULL;
}

LibvirtConnection *libvirt_connection_new(const char *uri, const LibvirtConnectionEvents *events,
                                          gpointer data)
{
    LibvirtConnection *self = g_atomic_rc_box_new0(LibvirtConnection);

    start_events();
    self->uri = g_strdup(uri);
    self->events = events;
    self->data = data;
    g_mutex_init(&self->lock);
    g_cond_init(&self->wake);
    return self;
}

void libvirt_connection_open(LibvirtConnection *self)
{
    g_assert(!self->thread);
    self->thread = g_thread_new("libvirt-connect", run, self);
}

virConnectPtr libvirt_connection_get(LibvirtConnection *self, LibvirtLane lane, GError **error)
{
    virConnectPtr connection;

    g_mutex_lock(&self->lock);
    connection = self->lanes[lane];
    if (connection)
        virConnectRef(connection);
    else if (self->error)
        g_propagate_error(error, g_error_copy(self->error));
    else
        g_set_error_literal(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_UNREACHABLE,
                            "The connection to libvirt is still being made: try again in a moment.");
    g_mutex_unlock(&self->lock);
    return connection;
}

void libvirt_connection_stop(LibvirtConnection *self)
{
    g_mutex_lock(&self->lock);
    self->stopping = TRUE;
    g_cond_signal(&self->wake);
    g_mutex_unlock(&self->lock);
    if (self->thread)
        g_thread_join(g_steal_pointer(&self->thread));
}

void libvirt_connection_free(LibvirtConnection *self)
{
    libvirt_connection_stop(self);
    unref(self);
}
