/* fernwerk-broker: the wiring. Started by fernwerkd; holds database, libvirt and policy, and no privilege. */
#include "base/lifeline.h"
#include "base/log.h"
#include "broker/arrival/backend.h"
#include "broker/virt/libvirt_hypervisor.h"

#include <glib-unix.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SEAT_IDLE_MS 60000
#define STARTS_MIN 2

typedef struct {
    GMainLoop *loop;
    Config *config;
    Store *store;
    Login *login;
    MasterClient *master;
    Desktops *desktops;
    Arrivals *arrivals;
    Encoders *encoders;
    Control *control;
    Hypervisor *hypervisor;
    Backend backend;
    char *instance, *image_dir;
    GPtrArray *removing; /* names of desktops whose removal was interrupted */
    int listener;
    gboolean listening;
} Broker;

static G_NORETURN void give_up(const char *format, ...) G_GNUC_PRINTF(1, 2);
static G_NORETURN void give_up(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    g_autofree char *text = g_strdup_vprintf(format, list);
    va_end(list);
    log_error("%s", text);
    exit(1);
}

/* ---- the hypervisor ---- */

static void row_deleted(StoreReply *reply, gpointer data)
{
    if (reply->result == STORE_FAILED)
        log_warning("a removed desktop stays in the database: %s", reply->error->message);
}

typedef struct {
    Store *store;
    char *name;
} Removal;

static void finish_removal(ControlResult result, const char *message, const char *hint, gpointer request)
{
    Removal *removal = request;

    if (result == CONTROL_OK)
        store_desktop_delete(removal->store, "broker", removal->name, row_deleted, NULL);
    else
        log_warning("%s: its removal is not finished: %s", removal->name, message ? message : "");
    g_free(removal->name);
    g_free(removal);
}

static void finish_removals(Broker *self)
{
    for (guint i = 0; i < self->removing->len; i++) {
        Removal removal = {self->store, g_strdup(self->removing->pdata[i])};
        backend_functions.remove(removal.name, finish_removal, g_memdup2(&removal, sizeof removal),
                                 &self->backend);
    }
    g_ptr_array_set_size(self->removing, 0);
}

static void hypervisor_up(GPtrArray *running, const char *version, const char *virt, gpointer data)
{
    Broker *self = data;
    log_info("libvirt %s; desktops run with %s; %u of them already run", version, virt, running->len);
    g_snprintf(self->backend.libvirt, sizeof self->backend.libvirt, "connected (%s)", version);
    g_strlcpy(self->backend.virt, virt, sizeof self->backend.virt);
    desktops_hypervisor_up(self->desktops, running);
    finish_removals(self);
}

static void hypervisor_down(const GError *error, gpointer data)
{
    Broker *self = data;
    g_strlcpy(self->backend.libvirt, error->message, sizeof self->backend.libvirt);
    desktops_hypervisor_down(self->desktops, error);
}

static void vm_ended(const char *uuid, const char *reason, gpointer data)
{
    desktops_vm_ended(((Broker *)data)->desktops, uuid, reason);
}

static VirtMode virt_mode(const Config *config)
{
    const char *text = config_string(config, "libvirt.virt");
    return strcmp(text, "kvm") == 0 ? VIRT_KVM : strcmp(text, "tcg") == 0 ? VIRT_TCG : VIRT_AUTO;
}

/* Where all desktops are patterns, libvirt need not be there. */
static void need_hypervisor(gpointer data)
{
    static const HypervisorEvents events = {hypervisor_up, hypervisor_down, vm_ended};
    Broker *self = data;
    LibvirtSettings settings = {.uri = config_string(self->config, "libvirt.uri"),
                                .instance = self->instance,
                                .image_dir = self->image_dir,
                                .virt = virt_mode(self->config)};
    g_autoptr(GError) error = NULL;

    if (self->hypervisor)
        return;
    self->hypervisor = libvirt_hypervisor_new(&settings, &events, self, &error);
    if (error) {
        log_error("%s", error->message);
        g_strlcpy(self->backend.libvirt, error->message, sizeof self->backend.libvirt);
    } else {
        g_strlcpy(self->backend.libvirt, "connecting", sizeof self->backend.libvirt);
    }
    desktops_set_hypervisor(self->desktops, self->hypervisor, error ? error->message : NULL);
}

/* ---- the master ---- */

static void on_process(const MasterProcess *process, int fd, gpointer data)
{
    Broker *self = data;

    if (process->kind == KIND_RDP || process->kind == KIND_VNC || process->kind == KIND_GREETER) {
        arrivals_process(self->arrivals, process, fd);
        return;
    }
    MasterProcess *kept = g_memdup2(process, sizeof *process);
    g_hash_table_replace(self->backend.processes, &kept->id, kept);
    if (process->kind == KIND_WEB && fd >= 0) {
        control_attach_web(self->control, fd);
    } else if (process->kind == KIND_SEAT && fd >= 0) {
        if (!desktops_take_seat(self->desktops, process, fd)) {
            close(fd);
            master_client_end(self->master, process->id, END_DONE, NULL);
        }
    } else if (fd >= 0 && !encoders_take(self->encoders, process, fd)) {
        close(fd);
    }
}

static void on_arrival(const MasterArrival *arrival, gpointer data)
{
    arrivals_arrived(((Broker *)data)->arrivals, arrival);
}

static void on_gone(const MasterProcessGone *gone, gpointer data)
{
    Broker *self = data;

    g_hash_table_remove(self->backend.processes, &gone->id);
    if (gone->kind == KIND_PROBE) {
        encoders_gone(self->encoders, gone->id);
        return;
    }
    arrivals_gone(self->arrivals, gone);
    if (gone->kind == KIND_SEAT)
        desktops_seat_gone(self->desktops, gone->id);
}

static void on_living_end(gpointer data)
{
    Broker *self = data;
    g_autoptr(GError) error = NULL;

    arrivals_reconcile(self->arrivals);
    encoders_begin(self->encoders);
    if (self->listening)
        return;
    self->listening = TRUE;
    if (!control_listen(self->control, self->listener, &error))
        log_warning("%s: root alone may use the admin socket", error->message);
    log_info("ready");
}

static void desktop_changed(Desktop *desktop, gpointer data)
{
    arrivals_desktop_changed(((Broker *)data)->arrivals, desktop);
}

static void encoders_known(Encoders *encoders, gpointer data)
{
    Broker *self = data;
    const char *hardware = encoders_hardware(encoders), *software = encoders_software(encoders);
    log_info("H.264 by %s%s%s", *hardware ? hardware : software, *hardware ? ", or " : "",
             *hardware ? software : "");
    desktops_set_encoders(self->desktops, hardware, software);
}

/* ---- start ---- */

static void desktops_loaded(StoreReply *reply, gpointer data)
{
    Broker *self = data;
    gboolean vms = FALSE;

    if (reply->result != STORE_OK)
        give_up("the database cannot be read: %s", reply->error ? reply->error->message : reply->message);
    for (guint i = 0; i < reply->desktops->len; i++) {
        StoreDesktop *row = g_steal_pointer(&reply->desktops->pdata[i]);
        vms |= row->uuid != NULL;
        if (row->removing)
            g_ptr_array_add(self->removing, g_strdup(row->name));
        desktops_add(self->desktops, row);
    }
    if (vms)
        need_hypervisor(self);
    else
        finish_removals(self);
    master_client_ready(self->master);
}

/* Everything that the broker may do comes from its user, the group libvirt, and the descriptors it was
 * given. */
static void check_privileges(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2] = {{0}};

    if (geteuid() == 0)
        give_up("the broker does not run as root: set fernwerk.broker_user");
    if (syscall(SYS_capget, &header, sets) == 0 &&
        (sets[0].effective | sets[0].permitted | sets[1].effective | sets[1].permitted))
        give_up("the broker was started with capabilities, which it must not have");
}

static const char *config_path(int argc, char *argv[])
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], "--config") == 0)
            return argv[i + 1];
    return "/etc/fernwerk/fernwerk.conf";
}

static char *read_instance(const Config *config)
{
    const char *configured = config_string(config, "fernwerk.instance_uuid");
    g_autofree char *path = config_state_path(config, NULL, "instance-uuid");
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    if (*configured)
        return g_strdup(configured);
    if (!g_file_get_contents(path, &text, NULL, &error))
        give_up("the instance's UUID cannot be read: %s", error->message);
    g_strstrip(text);
    if (!g_uuid_string_is_valid(text))
        give_up("%s holds no UUID", path);
    return g_steal_pointer(&text);
}

static void open_parts(Broker *self)
{
    static const MasterEvents master_events = {on_process, on_arrival, on_gone, on_living_end};
    static const DesktopsEvents desktop_events = {desktop_changed};
    g_autofree char *database = config_state_path(self->config, "broker.database", "fernwerk.db");
    g_autoptr(GError) error = NULL;
    DesktopsSettings settings = {
        .start_timeout_s = (guint)config_integer(self->config, "broker.desktop_start_timeout_s"),
        .stop_timeout_s = (guint)config_integer(self->config, "broker.desktop_stop_timeout_s"),
        .starts_max = MAX(STARTS_MIN, g_get_num_processors()),
        .seat_idle_ms = SEAT_IDLE_MS};

    self->store = store_open(database, g_get_host_name(), &error);
    if (!self->store)
        give_up("%s", error->message);
    lifeline_beat();
    self->login = login_new(self->store, self->config, &error);
    if (!self->login)
        give_up("%s", error->message);
    lifeline_beat();
    self->master = master_client_new(MASTER_REQUEST_FD, &master_events, self);
    self->desktops = desktops_new(self->master, &settings, &desktop_events, self);
    self->encoders = encoders_new(self->master, self->config, encoders_known, self);
    desktops_set_encoders(self->desktops, "", config_string(self->config, "encoder.software"));
    self->arrivals = arrivals_new(&(ArrivalsNeeds){self->master, self->store, self->login, self->desktops});
    self->backend.store = self->store;
    self->backend.desktops = self->desktops;
    self->backend.arrivals = self->arrivals;
    self->backend.encoders = self->encoders;
    self->backend.need_hypervisor = need_hypervisor;
    self->backend.data = self;
    self->backend.processes = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    g_strlcpy(self->backend.instance, self->instance, sizeof self->backend.instance);
    g_strlcpy(self->backend.libvirt, "not used", sizeof self->backend.libvirt);
    self->control = control_new(self->store, self->login, self->config, &backend_functions, &self->backend);
    store_desktop_list(self->store, NULL, desktops_loaded, self);
}

static gboolean on_signal(gpointer data)
{
    g_main_loop_quit(((Broker *)data)->loop);
    return G_SOURCE_CONTINUE;
}

static void on_end(EndReason reason, const char *text, gpointer data)
{
    g_main_loop_quit(((Broker *)data)->loop);
}

int main(int argc, char *argv[], char *envp[])
{
    static const LifelineEvents events = {.end = on_end};
    static Broker broker;
    g_autoptr(GError) error = NULL;
    LogLevel level = LOG_LEVEL_INFO;
    LifelineStart start;
    int descriptors[MASTER_DESCRIPTORS_MAX];
    guint count = 0;

    signal(SIGPIPE, SIG_IGN);
    broker.config = config_load(config_path(argc, argv), &error);
    if (broker.config)
        log_level_parse(config_string(broker.config, "fernwerk.log_level"), &level);
    log_open("fernwerk-broker", level);
    if (!broker.config)
        give_up("%s", error->message);
    lifeline_start(argc, argv, envp, KIND_BROKER, &events, &broker, &start, descriptors, &count);
    if (count < 1)
        give_up("fernwerkd passed no admin socket");
    check_privileges();
    broker.listener = descriptors[0];
    broker.instance = read_instance(broker.config);
    broker.image_dir = config_state_path(broker.config, "libvirt.image_dir", "images");
    broker.removing = g_ptr_array_new_with_free_func(g_free);
    broker.loop = g_main_loop_new(NULL, FALSE);
    g_unix_signal_add(SIGTERM, on_signal, &broker);
    g_unix_signal_add(SIGINT, on_signal, &broker);
    open_parts(&broker);
    g_main_loop_run(broker.loop);
    /* What was acknowledged is on disk already; what still waits for it gets there. VMs and seats go on. */
    store_close(broker.store);
    return 0;
}
