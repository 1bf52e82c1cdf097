/* A right that ended in the database ends in the processes before anybody is told that it did (I8). */
#include "broker/control/control_internal.h"

#include "base/log.h"

typedef struct {
    ControlRequest *request;
    ControlVerb next;
} Revoking;

static void revoked(ControlResult result, const char *message, const char *hint, gpointer data)
{
    Revoking *work = data;
    ControlRequest *request = work->request;
    ControlVerb next = work->next;
    g_free(work);
    if (result == CONTROL_OK) {
        next(request);
        return;
    }
    log_error("%s: revoked, but not all processes ended: %s", request->verb->name, message ? message : "");
    control_refuse(request, result, message, hint);
}

void control_revoke(ControlRequest *request, const StoreRevoked *ended, EndReason reason, const char *text,
                    ControlVerb next)
{
    Control *control = request->control;
    if (!ended ||
        (!ended->user && !ended->web_session && ended->connections->len == 0 && ended->leases->len == 0)) {
        next(request);
        return;
    }
    Revoking *work = g_new(Revoking, 1);
    *work = (Revoking){request, next};
    control->backend->revoke(ended, reason, text, revoked, work, control->data);
}
