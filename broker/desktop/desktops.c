/* The set of desktops: starts in turn, reports, reconciliation with the hypervisor. */
#include "broker/desktop/desktops_internal.h"

#include "base/log.h"

#include <string.h>
#include <unistd.h>

Desktops *desktops_new(MasterClient *master, const DesktopsSettings *settings, const DesktopsEvents *events,
                       gpointer data)
{
    Desktops *self = g_new0(Desktops, 1);

    self->master = master;
    self->settings = *settings;
    self->events = *events;
    self->data = data;
    self->all = g_ptr_array_new();
    self->no_hypervisor = g_strdup("There is no virtualisation.");
    g_queue_init(&self->queue);
    return self;
}

void desktops_free(Desktops *self)
{
    if (!self)
        return;
    while (self->all->len > 0)
        desktop_free(self->all->pdata[self->all->len - 1]);
    g_clear_handle_id(&self->tell_idle, g_source_remove);
    g_ptr_array_unref(self->all);
    g_queue_clear(&self->queue);
    g_free(self->no_hypervisor);
    g_free(self);
}

Desktop *desktops_add(Desktops *self, StoreDesktop *row)
{
    Desktop *desktop = desktop_new(self, row);
    g_ptr_array_add(self->all, desktop);
    return desktop;
}

Desktop *desktops_find(Desktops *self, const char *name)
{
    for (guint i = 0; i < self->all->len; i++) {
        Desktop *desktop = self->all->pdata[i];
        if (g_ascii_strcasecmp(desktop->row->name, name) == 0)
            return desktop;
    }
    return NULL;
}

void desktops_each(Desktops *self, void (*visit)(Desktop *desktop, gpointer data), gpointer data)
{
    for (guint i = 0; i < self->all->len; i++)
        visit(self->all->pdata[i], data);
}

/* ---- telling ---- */

static gboolean tell(gpointer data)
{
    Desktops *self = data;
    g_autoptr(GPtrArray) changed = g_ptr_array_new();

    self->tell_idle = 0;
    for (guint i = 0; i < self->all->len; i++) {
        Desktop *desktop = self->all->pdata[i];
        if (desktop->changed)
            g_ptr_array_add(changed, desktop);
        desktop->changed = FALSE;
    }
    for (guint i = 0; i < changed->len; i++)
        if (g_ptr_array_find(self->all, changed->pdata[i], NULL))
            self->events.changed(changed->pdata[i], self->data);
    return G_SOURCE_REMOVE;
}

void desktops_tell(Desktop *desktop)
{
    Desktops *self = desktop->set;
    desktop->changed = TRUE;
    if (!self->tell_idle)
        self->tell_idle = g_idle_add_full(G_PRIORITY_DEFAULT, tell, self, NULL);
}

/* ---- starts in turn ---- */

static void show_places(Desktops *self)
{
    guint place = 0;
    for (GList *l = self->queue.head; l; l = l->next) {
        Desktop *desktop = l->data;
        char text[SEAT_TEXT_MAX];
        if (desktop->spec && !self->known)
            g_strlcpy(text, "Waiting for the server's virtualisation.", sizeof text);
        else
            g_snprintf(text, sizeof text, "Waiting for other desktops to start: place %u.", ++place);
        if (strcmp(text, desktop->reason) != 0) {
            g_strlcpy(desktop->reason, text, sizeof desktop->reason);
            desktops_tell(desktop);
        }
    }
}

static Desktop *next_to_start(Desktops *self)
{
    if (self->starting >= self->settings.starts_max)
        return NULL;
    for (GList *l = self->queue.head; l; l = l->next) {
        Desktop *desktop = l->data;
        if (!desktop->spec || self->known || !self->hypervisor)
            return desktop;
    }
    return NULL;
}

static void pump(Desktops *self)
{
    Desktop *desktop;
    while ((desktop = next_to_start(self))) {
        g_queue_remove(&self->queue, desktop);
        desktop->queued = FALSE;
        desktop->slot = TRUE;
        self->starting++;
        desktop_begin(desktop);
    }
    show_places(self);
}

void desktops_enqueue(Desktop *desktop)
{
    desktop->queued = TRUE;
    g_queue_push_tail(&desktop->set->queue, desktop);
    pump(desktop->set);
}

static gboolean pump_later(gpointer data)
{
    pump(data);
    return G_SOURCE_REMOVE;
}

void desktops_leave(Desktop *desktop)
{
    Desktops *self = desktop->set;

    if (desktop->queued)
        g_queue_remove(&self->queue, desktop);
    if (desktop->slot)
        self->starting--;
    desktop->queued = desktop->slot = FALSE;
    if (self->queue.length > 0)
        g_idle_add(pump_later, self);
}

/* ---- the hypervisor ---- */

void desktops_set_hypervisor(Desktops *self, Hypervisor *hypervisor, const char *why)
{
    self->hypervisor = hypervisor;
    if (why) {
        g_free(self->no_hypervisor);
        self->no_hypervisor = g_strdup(why);
    }
}

static Desktop *find_uuid(Desktops *self, const char *uuid)
{
    for (guint i = 0; i < self->all->len; i++) {
        Desktop *desktop = self->all->pdata[i];
        if (desktop->spec && g_ascii_strcasecmp(desktop->spec->uuid, uuid) == 0)
            return desktop;
    }
    return NULL;
}

void desktops_hypervisor_up(Desktops *self, GPtrArray *running)
{
    g_autoptr(GHashTable) found = g_hash_table_new(g_direct_hash, g_direct_equal);

    for (guint i = 0; i < running->len; i++) {
        Desktop *desktop = find_uuid(self, running->pdata[i]);
        if (desktop) {
            g_hash_table_add(found, desktop);
            continue;
        }
        /* It carries this instance's UUID, and no desktop knows it: nobody could ever reach or stop it. */
        log_warning("the virtual machine %s belongs to no desktop and is switched off",
                    (char *)running->pdata[i]);
        hypervisor_act(self->hypervisor, running->pdata[i], DOMAIN_DESTROY, NULL, NULL);
    }
    self->known = TRUE;
    for (guint i = 0; i < self->all->len; i++) {
        Desktop *desktop = self->all->pdata[i];
        if (!desktop->spec)
            continue;
        if (g_hash_table_contains(found, desktop)) {
            desktop_found(desktop);
            desktop_ask_again(desktop);
        } else if (desktop->vm && !desktop->creating) {
            desktop_vm_ended(desktop, "The desktop ended while libvirt could not be reached.");
        }
    }
    pump(self);
}

void desktops_hypervisor_down(Desktops *self, const GError *error)
{
    self->known = TRUE;
    pump(self);
}

void desktops_vm_ended(Desktops *self, const char *uuid, const char *reason)
{
    Desktop *desktop = find_uuid(self, uuid);
    if (desktop)
        desktop_vm_ended(desktop, reason);
}

/* ---- seats ---- */

Desktop *desktops_of_seat(Desktops *self, ProcessId id)
{
    for (guint i = 0; i < self->all->len; i++) {
        Desktop *desktop = self->all->pdata[i];
        if (desktop->seat && seat_process_id(desktop->seat) == id)
            return desktop;
    }
    return NULL;
}

gboolean desktops_take_seat(Desktops *self, const MasterProcess *process, int fd)
{
    Desktop *desktop = desktops_of_seat(self, process->id);

    if (desktop) {
        seat_process_link(desktop->seat, fd);
        return TRUE;
    }
    desktop = *process->record.desktop ? desktops_find(self, process->record.desktop) : NULL;
    if (!desktop || desktop->seat || !process->living ||
        (process->record.epoch && process->record.epoch != desktop->epoch))
        return FALSE;
    desktop_seat_adopt(desktop, process, fd);
    return TRUE;
}

gboolean desktops_seat_gone(Desktops *self, ProcessId id)
{
    for (guint i = 0; i < self->all->len; i++)
        if (desktop_seat_gone(self->all->pdata[i], id))
            return TRUE;
    return FALSE;
}

void desktops_set_encoders(Desktops *self, const char *hardware, const char *software)
{
    g_strlcpy(self->hardware, hardware, sizeof self->hardware);
    g_strlcpy(self->software, software, sizeof self->software);
}
