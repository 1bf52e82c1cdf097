/* A desktop's moves, and the VM behind them. */
#include "broker/desktop/desktops_internal.h"

#include "base/log.h"

#include <string.h>
#include <unistd.h>

#define STOP_AGAIN_S 5

const char *desktop_name(const Desktop *self)
{
    return self->row->name;
}

DesktopState desktop_state(const Desktop *self)
{
    return self->state;
}

const char *desktop_reason(const Desktop *self)
{
    return self->reason;
}

gboolean desktop_is_vm(const Desktop *self)
{
    return self->spec != NULL;
}

/* ---- waiters ---- */

static void wait_for(Desktop *self, DesktopPower goal, DesktopDone done, gpointer data)
{
    DesktopWaiter waiter = {goal, done, data};
    if (done)
        g_array_append_val(self->waiters, waiter);
}

static void answer(Desktop *self, DesktopPower goal, const GError *error)
{
    for (guint i = 0; i < self->waiters->len;) {
        DesktopWaiter waiter = g_array_index(self->waiters, DesktopWaiter, i);
        if (waiter.goal != goal) {
            i++;
            continue;
        }
        g_array_remove_index(self->waiters, i);
        waiter.done(error, waiter.data);
    }
}

static void answer_text(Desktop *self, DesktopPower goal, const char *text)
{
    g_autoptr(GError) error = g_error_new_literal(HYPERVISOR_ERROR, (int)self->fault, text);
    answer(self, goal, error);
}

static void answer_state(Desktop *self)
{
    if (self->state == DESKTOP_RUNNING || (self->state == DESKTOP_STARTING && self->vm))
        answer(self, DESKTOP_POWER_START, NULL);
    if (self->state != DESKTOP_OFF && self->state != DESKTOP_FAILED)
        return;
    answer(self, DESKTOP_POWER_STOP, NULL);
    if (!self->start_again)
        answer_text(self, DESKTOP_POWER_START,
                    *self->reason ? self->reason : "The desktop was switched off.");
}

/* ---- moves ---- */

static void leave_state(Desktop *self)
{
    g_clear_handle_id(&self->timer, g_source_remove);
    if (self->state == DESKTOP_STARTING)
        desktops_leave(self);
}

void desktop_move(Desktop *self, DesktopEvent event, const char *reason)
{
    DesktopState to = self->state;
    gboolean legal = desktop_next(self->state, event, &to);

    g_assert(legal);
    g_strlcpy(self->reason, reason ? reason : "", sizeof self->reason);
    if (to != self->state) {
        log_info("%s: %s -> %s%s%s", self->row->name, desktop_state_name(self->state), desktop_state_name(to),
                 *self->reason ? ": " : "", self->reason);
        leave_state(self);
        self->state = to;
    }
    desktops_tell(self);
    answer_state(self);
}

static void go_off(Desktop *self, DesktopEvent event, const char *reason)
{
    gboolean again = self->start_again && event == DESKTOP_EVENT_ENDED;

    self->vm = FALSE;
    self->failing = FALSE;
    desktop_seat_retire(self);
    desktop_move(self, event, reason);
    self->start_again = FALSE;
    if (again)
        desktop_start(self, NULL);
}

/* ---- starting ---- */

static gboolean start_timed_out(gpointer data);

void desktop_start(Desktop *self, const SeatSizeHint *size)
{
    if (self->going || (self->state != DESKTOP_OFF && self->state != DESKTOP_FAILED))
        return;
    if (size && size->width && size->height)
        self->size = *size;
    self->failing = FALSE;
    self->fault = HYPERVISOR_ERROR_FAILED;
    desktop_move(self, DESKTOP_EVENT_START, NULL);
    desktops_enqueue(self);
}

static void unref(Desktop *self);

/* A callback of the hypervisor holds a reference; `set` is NULL when the desktop was freed meanwhile. */
static void destroyed(const GError *error, gpointer data)
{
    Desktop *self = data;

    if (error && self->set && self->state == DESKTOP_STOPPING) {
        if (g_error_matches(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_OFF))
            desktop_vm_ended(self, NULL);
        else
            answer(self, DESKTOP_POWER_STOP, error);
    }
    unref(self);
}

static void destroy(Desktop *self)
{
    if (self->set->hypervisor)
        hypervisor_act(self->set->hypervisor, self->spec->uuid, DOMAIN_DESTROY, destroyed,
                       g_rc_box_acquire(self));
}

static void take_start(Desktop *self, const GError *error)
{
    self->creating = FALSE;
    if (error && self->state == DESKTOP_STARTING) {
        self->fault = (HypervisorError)error->code;
        go_off(self, DESKTOP_EVENT_FAILED, error->message);
        return;
    }
    self->vm = !error;
    if (self->state == DESKTOP_STOPPING) {
        /* It was stopped meanwhile. */
        if (self->vm)
            destroy(self);
        else
            desktop_vm_ended(self, NULL);
        return;
    }
    if (self->state != DESKTOP_STARTING)
        return;
    desktop_seat_vm_up(self);
    answer_state(self);
}

static void started(const GError *error, gpointer data)
{
    Desktop *self = data;
    if (self->set)
        take_start(self, error);
    unref(self);
}

void desktop_begin(Desktop *self)
{
    self->timer = g_timeout_add_seconds(self->set->settings.start_timeout_s, start_timed_out, self);
    *self->reason = '\0';
    desktops_tell(self);
    if (self->spec && !self->set->hypervisor) {
        go_off(self, DESKTOP_EVENT_FAILED, self->set->no_hypervisor);
        return;
    }
    if (self->spec) {
        self->creating = TRUE;
        hypervisor_start(self->set->hypervisor, self->spec, started, g_rc_box_acquire(self));
    } else {
        self->vm = TRUE;
    }
    desktop_seat_begin(self);
}

/* ---- stopping ---- */

static void press_button(Desktop *self)
{
    if (self->set->hypervisor)
        hypervisor_act(self->set->hypervisor, self->spec->uuid, DOMAIN_SHUTDOWN, destroyed,
                       g_rc_box_acquire(self));
}

static guint stop_step(const Desktop *self)
{
    return MIN(STOP_AGAIN_S, self->set->settings.stop_timeout_s);
}

/* A guest that is only just booting does not hear the power button: it is pressed until it is obeyed. */
static gboolean stop_again(gpointer data)
{
    Desktop *self = data;

    self->stop_seconds += stop_step(self);
    if (self->stop_seconds < self->set->settings.stop_timeout_s) {
        press_button(self);
        return G_SOURCE_CONTINUE;
    }
    log_info("%s: did not shut down in %u s and is switched off", self->row->name,
             self->set->settings.stop_timeout_s);
    destroy(self);
    return G_SOURCE_CONTINUE;
}

static void stop(Desktop *self, gboolean at_once, const char *reason)
{
    gboolean asked = self->state == DESKTOP_RUNNING && !at_once;

    if (self->state == DESKTOP_STOPPING && !at_once) {
        /* It has been asked already, perhaps for another reason. */
        if (!self->failing)
            g_strlcpy(self->reason, reason, sizeof self->reason);
        return;
    }
    desktop_move(self, DESKTOP_EVENT_STOP, reason);
    if (!self->spec) {
        go_off(self, self->failing ? DESKTOP_EVENT_FAILED : DESKTOP_EVENT_ENDED, reason);
        return;
    }
    self->stop_seconds = asked ? 0 : self->set->settings.stop_timeout_s;
    if (!self->timer)
        self->timer = g_timeout_add_seconds(stop_step(self), stop_again, self);
    if (self->creating)
        return; /* take_start() destroys it */
    if (!self->vm)
        desktop_vm_ended(self, reason);
    else if (asked)
        press_button(self);
    else
        destroy(self);
}

static gboolean start_timed_out(gpointer data)
{
    Desktop *self = data;
    g_autofree char *reason = g_strdup_printf("The desktop showed no picture within %u seconds.",
                                              self->set->settings.start_timeout_s);
    self->timer = 0;
    self->failing = TRUE;
    stop(self, TRUE, reason);
    return G_SOURCE_REMOVE;
}

void desktop_vm_ended(Desktop *self, const char *reason)
{
    gboolean asked = self->state == DESKTOP_STOPPING;
    g_autofree char *kept = g_strdup(*self->reason ? self->reason : "The desktop was switched off.");

    if (self->state == DESKTOP_OFF || self->state == DESKTOP_FAILED || self->creating)
        return;
    go_off(self, asked && self->failing ? DESKTOP_EVENT_FAILED : DESKTOP_EVENT_ENDED,
           asked || !reason ? kept : reason);
}

void desktop_found(Desktop *self)
{
    if (self->state != DESKTOP_OFF && self->state != DESKTOP_FAILED)
        return;
    self->vm = TRUE;
    desktop_move(self, DESKTOP_EVENT_FOUND, NULL);
    if (self->seat)
        desktop_seat_vm_up(self);
}

void desktop_picture_lost(Desktop *self, const char *reason)
{
    if (self->state != DESKTOP_STARTING && self->state != DESKTOP_RUNNING)
        return;
    self->failing = TRUE;
    stop(self, TRUE, reason);
}

void desktop_ask_again(Desktop *self)
{
    if (self->state == DESKTOP_STOPPING && self->vm && !self->creating)
        destroy(self);
}

/* ---- power ---- */

static void was_reset(const GError *error, gpointer data)
{
    DesktopWaiter *waiter = data;
    if (waiter->done)
        waiter->done(error, waiter->data);
    g_free(waiter);
}

static void reset(Desktop *self, DesktopDone done, gpointer data)
{
    DesktopWaiter waiter = {DESKTOP_POWER_RESET, done, data};

    if (self->state == DESKTOP_OFF || self->state == DESKTOP_FAILED) {
        g_autoptr(GError) error =
            g_error_new_literal(HYPERVISOR_ERROR, HYPERVISOR_ERROR_OFF, "The desktop is off.");
        if (done)
            done(error, data);
    } else if (self->spec && self->vm) {
        hypervisor_act(self->set->hypervisor, self->spec->uuid, DOMAIN_RESET, was_reset,
                       g_memdup2(&waiter, sizeof waiter));
    } else if (done) {
        done(NULL, data); /* it is only just starting, or a picture that has nothing to lose */
    }
}

void desktop_power(Desktop *self, DesktopPower power, DesktopDone done, gpointer data)
{
    gboolean off = self->state == DESKTOP_OFF || self->state == DESKTOP_FAILED;

    switch (power) {
    case DESKTOP_POWER_START:
        wait_for(self, DESKTOP_POWER_START, done, data);
        if (self->state == DESKTOP_STOPPING)
            self->start_again = TRUE;
        desktop_start(self, NULL);
        answer_state(self);
        break;
    case DESKTOP_POWER_STOP:
        self->start_again = FALSE;
        wait_for(self, DESKTOP_POWER_STOP, done, data);
        if (off)
            answer_state(self);
        else
            stop(self, FALSE, "The desktop was switched off.");
        break;
    case DESKTOP_POWER_RESTART:
        wait_for(self, DESKTOP_POWER_START, done, data);
        if (off) {
            desktop_start(self, NULL);
            break;
        }
        self->start_again = TRUE;
        stop(self, FALSE, "The desktop restarts.");
        break;
    case DESKTOP_POWER_RESET:
        reset(self, done, data);
        break;
    }
}

/* ---- life ---- */

typedef struct {
    Desktop *desktop;
    DesktopDone done;
    gpointer data;
} Removal;

static void disk_removed(const GError *error, gpointer data)
{
    Removal *removal = data;

    removal->desktop->going = FALSE;
    if (!error)
        desktop_free(removal->desktop);
    removal->done(error, removal->data);
    g_free(removal);
}

/* Not from inside the move that brought it here. */
static gboolean remove_now(gpointer data)
{
    Removal *removal = data;
    Hypervisor *hypervisor = removal->desktop->set->hypervisor;

    if (removal->desktop->spec && hypervisor)
        hypervisor_remove_disk(hypervisor, removal->desktop->spec, disk_removed, removal);
    else
        disk_removed(NULL, removal);
    return G_SOURCE_REMOVE;
}

static void off_for_removal(const GError *error, gpointer data)
{
    Removal *removal = data;
    if (!error) {
        g_idle_add(remove_now, removal);
        return;
    }
    disk_removed(error, removal);
}

void desktop_remove(Desktop *self, DesktopDone done, gpointer data)
{
    Removal removal = {self, done, data};
    gpointer kept = g_memdup2(&removal, sizeof removal);

    self->going = TRUE;
    self->start_again = FALSE;
    if (self->state == DESKTOP_OFF || self->state == DESKTOP_FAILED) {
        off_for_removal(NULL, kept);
        return;
    }
    wait_for(self, DESKTOP_POWER_STOP, off_for_removal, kept);
    stop(self, TRUE, "The desktop is being removed.");
}

static DomainSpec *make_spec(const StoreDesktop *row)
{
    const StoreTemplate *from = row->template;
    DomainSpec spec = {.uuid = row->uuid,
                       .domain = row->domain,
                       .name = row->name,
                       .disk = row->disk,
                       .image = from->image,
                       .kernel = from->kernel,
                       .initrd = from->initrd,
                       .cmdline = from->cmdline,
                       .uefi = strcmp(from->firmware, "uefi") == 0,
                       .memory_mib = from->memory_mib,
                       .vcpus = from->vcpus,
                       .video = strcmp(from->video, "vga") == 0 ? DOMAIN_VIDEO_VGA : DOMAIN_VIDEO_VIRTIO};

    return strcmp(from->kind, "pattern") == 0 ? NULL : domain_spec_copy(&spec);
}

Desktop *desktop_new(Desktops *set, StoreDesktop *row)
{
    Desktop *self = g_rc_box_new0(Desktop);

    self->set = set;
    self->row = row;
    self->spec = make_spec(row);
    self->epoch = row->epoch;
    self->display = -1;
    self->waiters = g_array_new(FALSE, FALSE, sizeof(DesktopWaiter));
    self->thumbnails = g_array_new(FALSE, FALSE, sizeof(DesktopThumbnail));
    self->old_seats = g_ptr_array_new();
    return self;
}

static void clear(gpointer data)
{
    Desktop *self = data;
    g_array_unref(self->waiters);
    g_array_unref(self->thumbnails);
    g_ptr_array_unref(self->old_seats);
    domain_spec_free(self->spec);
    store_desktop_free(self->row);
}

static void unref(Desktop *self)
{
    g_rc_box_release_full(self, clear);
}

void desktop_free(Desktop *self)
{
    g_clear_handle_id(&self->timer, g_source_remove);
    desktops_leave(self);
    desktop_seat_free(self);
    g_ptr_array_remove(self->set->all, self);
    self->set = NULL;
    unref(self);
}
