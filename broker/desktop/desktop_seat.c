/* A desktop's seat: when there is one, and how QEMU gets its display. */
#include "broker/desktop/desktops_internal.h"

#include "base/log.h"

#include <string.h>
#include <unistd.h>

#define QUICK_TRIES 3
#define CALM_US (30 * G_USEC_PER_SEC) /* a seat that lived so long counts as sound */
#define SLOW_TRY_MS 3000
#define DISPLAY_AGAIN_MS 2500 /* libvirt takes up to two seconds to report that a VM has died */
#define OLD_SEAT_MS 5000
#define WAITING_THUMBNAILS_MAX 8

static void answer_thumbnails(Desktop *self)
{
    g_autoptr(GArray) waiting = self->thumbnails;

    self->thumbnails = g_array_new(FALSE, FALSE, sizeof(DesktopThumbnail));
    for (guint i = 0; i < waiting->len; i++) {
        DesktopThumbnail *asked = &g_array_index(waiting, DesktopThumbnail, i);
        if (self->seat && seat_process_pictured(self->seat))
            seat_process_thumbnail(self->seat, asked->width, asked->height, asked->done, asked->data);
        else
            asked->done(NULL, 0, 0, 0, asked->data);
    }
}

static void set_timer(Desktop *self, guint ms, GSourceFunc function)
{
    g_clear_handle_id(&self->seat_timer, g_source_remove);
    self->seat_timer = g_timeout_add(ms, function, self);
}

static gboolean alive(const Desktop *self)
{
    return self->state == DESKTOP_STARTING || self->state == DESKTOP_RUNNING;
}

/* ---- the display ---- */

static gboolean reopen(gpointer data)
{
    Desktop *self = data;
    self->seat_timer = 0;
    if (self->seat && alive(self) && self->vm)
        seat_process_reopen(self->seat);
    return G_SOURCE_REMOVE;
}

typedef struct {
    char *name;
    Desktops *set;
} DisplayAsked;

static void display_opened(const GError *error, gpointer data)
{
    DisplayAsked *asked = data;
    Desktop *self = desktops_find(asked->set, asked->name);

    if (error && self && alive(self) && self->seat) {
        /* Off: the report of its end is on the way. */
        if (!g_error_matches(error, HYPERVISOR_ERROR, HYPERVISOR_ERROR_OFF))
            log_warning("%s: QEMU does not take the screen's connection: %s", self->row->name,
                        error->message);
        set_timer(self, SLOW_TRY_MS, reopen);
    }
    g_free(asked->name);
    g_free(asked);
}

static void open_display(Desktop *self)
{
    DisplayAsked asked = {g_strdup(self->row->name), self->set};
    int fd = self->display;

    self->display = -1;
    hypervisor_open_display(self->set->hypervisor, self->spec->uuid, fd, display_opened,
                            g_memdup2(&asked, sizeof asked));
}

static void drop_display(Desktop *self)
{
    if (self->display >= 0)
        close(self->display);
    self->display = -1;
}

void desktop_seat_vm_up(Desktop *self)
{
    if (self->display >= 0 && self->vm && self->set->hypervisor)
        open_display(self);
}

static void on_display(SeatProcess *seat, int fd, gpointer data)
{
    Desktop *self = data;
    if (seat != self->seat || !self->spec) {
        close(fd);
        return;
    }
    drop_display(self);
    self->display = fd;
    desktop_seat_vm_up(self);
}

static void on_lost(SeatProcess *seat, const char *text, gpointer data)
{
    Desktop *self = data;
    if (seat != self->seat)
        return;
    if (!self->spec) {
        desktop_picture_lost(self, text);
        return;
    }
    desktops_tell(self);
    /* Most often the VM is gone and that report is on its way. */
    if (alive(self))
        set_timer(self, DISPLAY_AGAIN_MS, reopen);
}

/* ---- its life ---- */

static void end_seat(Desktop *self)
{
    g_clear_handle_id(&self->seat_timer, g_source_remove);
    g_clear_handle_id(&self->idle_timer, g_source_remove);
    seat_process_end(g_steal_pointer(&self->seat));
    drop_display(self);
}

static gboolean is_unwatched(const Desktop *self)
{
    return self->seat && seat_process_pictured(self->seat) && self->spec && self->users == 0 &&
           seat_process_clients(self->seat) == 0 && self->state == DESKTOP_RUNNING;
}

static gboolean idle(gpointer data)
{
    Desktop *self = data;
    self->idle_timer = 0;
    if (is_unwatched(self)) {
        log_debug("%s: nobody is looking: its seat ends", self->row->name);
        end_seat(self);
        desktops_tell(self);
    }
    return G_SOURCE_REMOVE;
}

/* The time counts from the last look: whoever comes and goes begins it anew. */
static void consider_idle(Desktop *self)
{
    if (!is_unwatched(self))
        g_clear_handle_id(&self->idle_timer, g_source_remove);
    else if (!self->idle_timer)
        self->idle_timer = g_timeout_add(self->set->settings.seat_idle_ms, idle, self);
}

static void on_picture(SeatProcess *seat, guint width, guint height, gpointer data)
{
    Desktop *self = data;
    if (seat != self->seat)
        return;
    g_clear_handle_id(&self->seat_timer, g_source_remove);
    if (self->state == DESKTOP_STARTING)
        desktop_move(self, DESKTOP_EVENT_PICTURE, NULL);
    else
        desktops_tell(self);
    answer_thumbnails(self);
    consider_idle(self);
}

static void on_clients(SeatProcess *seat, guint clients, gpointer data)
{
    Desktop *self = data;
    if (seat == self->seat)
        consider_idle(self);
    else if (clients == 0 && g_ptr_array_remove(self->old_seats, seat))
        seat_process_end(seat);
}

static gboolean begin_again(gpointer data)
{
    Desktop *self = data;
    self->seat_timer = 0;
    if (alive(self))
        desktop_seat_begin(self);
    return G_SOURCE_REMOVE;
}

/* Three at once, then with patience: a seat that always dies must not keep the machine busy. */
static void replace(Desktop *self)
{
    if (g_get_monotonic_time() - self->seat_since > CALM_US)
        self->seat_tries = 0;
    drop_display(self);
    desktops_tell(self);
    if (!alive(self))
        return;
    if (self->seat_tries++ < QUICK_TRIES)
        desktop_seat_begin(self);
    else
        set_timer(self, SLOW_TRY_MS, begin_again);
}

static void on_failed(SeatProcess *seat, const char *text, gpointer data)
{
    Desktop *self = data;

    log_warning("%s: %s", self->row->name, text);
    if (seat != self->seat) {
        g_ptr_array_remove(self->old_seats, seat);
        seat_process_end(seat);
        return;
    }
    self->seat = NULL;
    if (seat_process_id(seat))
        seat_process_end(seat);
    else
        seat_process_forget(seat);
    self->seat_tries = MAX(self->seat_tries, QUICK_TRIES);
    replace(self);
}

static const SeatProcessEvents seat_events = {.display = on_display,
                                              .picture = on_picture,
                                              .lost = on_lost,
                                              .clients = on_clients,
                                              .failed = on_failed};

/* A pattern's image is a recording. */
static const char *recording(const Desktop *self)
{
    const char *image = self->row->template->image;
    return !self->spec && *image ? image : NULL;
}

static SeatConfigure configuration(const Desktop *self)
{
    const StoreTemplate *from = self->row->template;
    SeatConfigure packet = {.source = self->spec        ? SEAT_SOURCE_QEMU
                                      : recording(self) ? SEAT_SOURCE_REPLAY
                                                        : SEAT_SOURCE_PATTERN,
                            .whole_damage = strcmp(from->video, "vga") == 0,
                            .width = self->size.width ? self->size.width : from->width,
                            .height = self->size.height ? self->size.height : from->height};

    g_strlcpy(packet.desktop, self->row->name, sizeof packet.desktop);
    g_strlcpy(packet.xkb_layout, from->xkb_layout, sizeof packet.xkb_layout);
    g_strlcpy(packet.xkb_variant, from->xkb_variant, sizeof packet.xkb_variant);
    g_strlcpy(packet.encoder, self->set->hardware, sizeof packet.encoder);
    g_strlcpy(packet.software_encoder, self->set->software, sizeof packet.software_encoder);
    return packet;
}

void desktop_seat_begin(Desktop *self)
{
    SeatConfigure packet = configuration(self);

    if (self->seat)
        return;
    g_clear_handle_id(&self->seat_timer, g_source_remove);
    self->seat_since = g_get_monotonic_time();
    self->seat =
        seat_process_new(self->set->master, &packet, recording(self), self->epoch, &seat_events, self);
}

void desktop_seat_adopt(Desktop *self, const MasterProcess *process, int fd)
{
    SeatConfigure packet = configuration(self);

    self->seat_since = g_get_monotonic_time();
    self->seat = seat_process_adopt(self->set->master, process->id, &packet, recording(self),
                                    process->record.epoch, &seat_events, self);
    /* A seat that lives shows something that runs; the hypervisor corrects this where it knows better. */
    desktop_found(self);
    seat_process_link(self->seat, fd);
}

gboolean desktop_seat_gone(Desktop *self, ProcessId id)
{
    if (self->seat && seat_process_id(self->seat) == id) {
        log_info("%s: its seat has ended", self->row->name);
        seat_process_forget(g_steal_pointer(&self->seat));
        replace(self);
        return TRUE;
    }
    for (guint i = 0; i < self->old_seats->len; i++) {
        SeatProcess *seat = self->old_seats->pdata[i];
        if (seat_process_id(seat) == id) {
            g_ptr_array_remove_index(self->old_seats, i);
            seat_process_forget(seat);
            return TRUE;
        }
    }
    return FALSE;
}

typedef struct {
    Desktops *set;
    char *name;
    ProcessId id;
} OldSeat;

static gboolean end_old_seat(gpointer data)
{
    OldSeat *old = data;
    Desktop *self = desktops_find(old->set, old->name);

    for (guint i = 0; self && i < self->old_seats->len; i++) {
        SeatProcess *seat = self->old_seats->pdata[i];
        if (seat_process_id(seat) == old->id) {
            g_ptr_array_remove_index(self->old_seats, i);
            seat_process_end(seat);
            break;
        }
    }
    g_free(old->name);
    g_free(old);
    return G_SOURCE_REMOVE;
}

/* Its clients hold its last picture until their greeter draws: it lives until they have left. */
void desktop_seat_retire(Desktop *self)
{
    OldSeat old = {self->set, NULL, 0};

    g_clear_handle_id(&self->seat_timer, g_source_remove);
    g_clear_handle_id(&self->idle_timer, g_source_remove);
    drop_display(self);
    self->seat_tries = 0;
    if (!self->seat)
        return;
    if (seat_process_clients(self->seat) == 0 || !seat_process_id(self->seat)) {
        seat_process_end(g_steal_pointer(&self->seat));
    } else {
        old.name = g_strdup(self->row->name);
        old.id = seat_process_id(self->seat);
        g_timeout_add(OLD_SEAT_MS, end_old_seat, g_memdup2(&old, sizeof old));
        g_ptr_array_add(self->old_seats, g_steal_pointer(&self->seat));
    }
    answer_thumbnails(self);
}

void desktop_seat_free(Desktop *self)
{
    desktop_seat_retire(self);
    for (guint i = 0; i < self->old_seats->len; i++)
        seat_process_end(self->old_seats->pdata[i]);
    g_ptr_array_set_size(self->old_seats, 0);
}

/* ---- for broker/arrival ---- */

ProcessId desktop_seat(const Desktop *self)
{
    return self->state == DESKTOP_RUNNING && self->seat && seat_process_pictured(self->seat)
               ? seat_process_id(self->seat)
               : 0;
}

void desktop_want_seat(Desktop *self)
{
    if (alive(self) && !self->seat && !self->seat_timer)
        desktop_seat_begin(self);
}

gboolean desktop_bind(Desktop *self, uint64_t epoch)
{
    self->epoch = epoch;
    if (!self->seat || seat_process_bind(self->seat, epoch))
        return TRUE;
    end_seat(self);
    desktop_want_seat(self);
    return FALSE;
}

void desktop_release(Desktop *self)
{
    self->epoch = 0;
    if (!self->seat || !seat_process_epoch(self->seat))
        return;
    end_seat(self);
    desktops_tell(self);
    /* The pattern is nothing but its seat. */
    if (!self->spec)
        desktop_want_seat(self);
}

void desktop_set_users(Desktop *self, guint users)
{
    self->users = users;
    consider_idle(self);
}

void desktop_thumbnail(Desktop *self, guint max_width, guint max_height, SeatThumbnailDone done,
                       gpointer data)
{
    DesktopThumbnail asked = {max_width, max_height, done, data};

    if (self->seat && seat_process_pictured(self->seat)) {
        seat_process_thumbnail(self->seat, max_width, max_height, done, data);
    } else if (alive(self) && self->thumbnails->len < WAITING_THUMBNAILS_MAX) {
        g_array_append_val(self->thumbnails, asked);
        desktop_want_seat(self);
    } else {
        done(NULL, 0, 0, 0, data);
    }
}
