/* ControlBackend: each verb's effect on what runs. */
#include "broker/arrival/backend.h"

#include "base/log.h"

#include <string.h>

typedef struct {
    Backend *backend;
    char *desktop;
    ControlDone done;
    gpointer request;
} Call;

static Call *call_new(Backend *backend, const char *desktop, ControlDone done, gpointer request)
{
    Call call = {backend, g_strdup(desktop), done, request};
    return g_memdup2(&call, sizeof call);
}

static void finish(Call *call, ControlResult result, const char *message, const char *hint)
{
    call->done(result, message, hint, call->request);
    g_free(call->desktop);
    g_free(call);
}

static void finish_error(Call *call, const GError *error)
{
    if (!error)
        finish(call, CONTROL_OK, NULL, NULL);
    else if (error->code == HYPERVISOR_ERROR_UNREACHABLE)
        finish(call, CONTROL_UNREACHABLE, error->message, "systemctl start libvirtd");
    else if (error->code == HYPERVISOR_ERROR_OFF || error->code == HYPERVISOR_ERROR_DISK_BUSY)
        finish(call, CONTROL_CONFLICT, error->message, NULL);
    else
        finish(call, CONTROL_FAILED, error->message, NULL);
}

static void powered(const GError *error, gpointer data)
{
    finish_error(data, error);
}

/* ---- desktops ---- */

static void state(const char *name, ControlDesktopState *out, gpointer data)
{
    Backend *self = data;
    const Desktop *desktop = desktops_find(self->desktops, name);

    memset(out, 0, sizeof *out);
    if (!desktop)
        return;
    out->state = desktop_state(desktop);
    g_strlcpy(out->reason, desktop_reason(desktop), sizeof out->reason);
}

static StoreTemplate *copy_template(const StoreTemplate *from)
{
    StoreTemplate *copy = g_memdup2(from, sizeof *from);
    char **strings[] = {&copy->name,    &copy->kind,     &copy->image, &copy->kernel,     &copy->initrd,
                        &copy->cmdline, &copy->firmware, &copy->video, &copy->xkb_layout, &copy->xkb_variant};
    for (guint i = 0; i < G_N_ELEMENTS(strings); i++)
        *strings[i] = g_strdup(*strings[i]);
    return copy;
}

static StoreDesktop *copy_desktop(const StoreDesktop *from)
{
    StoreDesktop *copy = g_memdup2(from, sizeof *from);
    char **strings[] = {&copy->name,   &copy->template_name, &copy->node, &copy->assigned, &copy->user,
                        &copy->domain, &copy->uuid,          &copy->disk, &copy->owner};
    for (guint i = 0; i < G_N_ELEMENTS(strings); i++)
        *strings[i] = g_strdup(*strings[i]);
    copy->template = copy_template(from->template);
    return copy;
}

static void added(const StoreDesktop *row, ControlDone done, gpointer request, gpointer data)
{
    Backend *self = data;
    if (row->uuid)
        self->need_hypervisor(self->data);
    if (!desktops_find(self->desktops, row->name))
        desktops_add(self->desktops, copy_desktop(row));
    done(CONTROL_OK, NULL, NULL, request);
}

static void power(const char *name, ControlPower action, ControlDone done, gpointer request, gpointer data)
{
    static const DesktopPower powers[] = {[CONTROL_START] = DESKTOP_POWER_START,
                                          [CONTROL_STOP] = DESKTOP_POWER_STOP,
                                          [CONTROL_RESTART] = DESKTOP_POWER_RESTART,
                                          [CONTROL_RESET] = DESKTOP_POWER_RESET};
    Backend *self = data;
    Desktop *desktop = desktops_find(self->desktops, name);

    if (desktop)
        desktop_power(desktop, powers[action], powered, call_new(self, name, done, request));
    else
        done(CONTROL_NOT_FOUND, "There is no such desktop.", "fernwerk desktop list", request);
}

static void lease_returned(StoreReply *reply, gpointer data)
{
    finish(data, reply->result == STORE_OK ? CONTROL_OK : CONTROL_FAILED, reply->message, reply->hint);
}

static void removed(const GError *error, gpointer data)
{
    Call *call = data;
    if (error)
        finish_error(call, error);
    else
        store_lease_return(call->backend->store, call->desktop, 0, lease_returned, call);
}

static void remove_desktop(const char *name, ControlDone done, gpointer request, gpointer data)
{
    Backend *self = data;
    Desktop *desktop = desktops_find(self->desktops, name);
    Call *call = call_new(self, name, done, request);

    if (desktop)
        desktop_remove(desktop, removed, call);
    else
        removed(NULL, call);
}

/* ---- people ---- */

static void assigned(const char *desktop, const char *user, gpointer data)
{
    arrivals_assigned(((Backend *)data)->arrivals, user);
}

static void revoked(gpointer data)
{
    finish(data, CONTROL_OK, NULL, NULL);
}

static void revoke_rights(const StoreRevoked *what, EndReason reason, const char *text, ControlDone done,
                          gpointer request, gpointer data)
{
    Backend *self = data;
    arrivals_revoke(self->arrivals, what, reason, text, revoked, call_new(self, NULL, done, request));
    arrivals_assigned(self->arrivals, NULL);
}

/* ---- pictures, encoders, status ---- */

typedef struct {
    ControlThumbnailDone done;
    gpointer request;
} ThumbnailCall;

static void pictured(const guint8 *png, gsize length, guint width, guint height, gpointer data)
{
    ThumbnailCall *call = data;
    if (png)
        call->done(CONTROL_OK, NULL, png, length, width, height, call->request);
    else
        call->done(CONTROL_NOT_FOUND, "The desktop shows no picture now.", NULL, 0, 0, 0, call->request);
    g_free(call);
}

static void thumbnail(const char *name, guint max_width, guint max_height, ControlThumbnailDone done,
                      gpointer request, gpointer data)
{
    Backend *self = data;
    Desktop *desktop = desktops_find(self->desktops, name);
    ThumbnailCall call = {done, request};

    if (desktop)
        desktop_thumbnail(desktop, max_width, max_height, pictured, g_memdup2(&call, sizeof call));
    else
        done(CONTROL_NOT_FOUND, "There is no such desktop.", NULL, 0, 0, 0, request);
}

static void encoders(GArray *verdicts, gpointer data)
{
    const GArray *known = encoders_verdicts(((Backend *)data)->encoders);
    g_array_append_vals(verdicts, known->data, known->len);
}

static void status(ControlStatus *out, gpointer data)
{
    Backend *self = data;
    GHashTableIter iter;
    MasterProcess *process;

    g_strlcpy(out->libvirt, self->libvirt, sizeof out->libvirt);
    g_strlcpy(out->virt, self->virt, sizeof out->virt);
    g_strlcpy(out->instance, self->instance, sizeof out->instance);
    g_hash_table_iter_init(&iter, self->processes);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&process)) {
        MasterProcess shown = *process;
        const Desktop *desktop = desktops_of_seat(self->desktops, process->id);
        g_strlcpy(shown.record.desktop, desktop ? desktop_name(desktop) : "", sizeof shown.record.desktop);
        g_array_append_val(out->processes, shown);
    }
    arrivals_processes(self->arrivals, out->processes);
}

const ControlBackend backend_functions = {.state = state,
                                          .added = added,
                                          .power = power,
                                          .remove = remove_desktop,
                                          .assigned = assigned,
                                          .revoke = revoke_rights,
                                          .thumbnail = thumbnail,
                                          .encoders = encoders,
                                          .status = status};
