/* Switching desktops on and off. The audit row is written before the act, its result after it. */
#include "broker/control/control_internal.h"

#include <string.h>

/* fernwerk-web waits ten seconds for an answer; a shutdown may take a minute. */
#define WEB_PATIENCE_MS 8000

typedef struct {
    Control *control;
    ControlRequest *request; /* NULL: answered already */
    ControlPower action;
    char *desktop;
    gint64 audit;
    guint timer;
} Power;

static void power_free(Power *power)
{
    g_clear_handle_id(&power->timer, g_source_remove);
    g_free(power->desktop);
    g_free(power);
}

static void answer_desktop(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (control_store_ok(request, reply))
        control_answer_object(request, control_desktop_json(request->control, reply->desktop));
}

static void answer(Power *power)
{
    if (power->request)
        store_desktop_show(power->control->store, power->desktop, answer_desktop, power->request);
    power->request = NULL;
}

/* The browser learns the state as it is now, and sees the rest of it in the list of desktops. */
static gboolean answer_early(gpointer data)
{
    Power *power = data;
    power->timer = 0;
    answer(power);
    return G_SOURCE_REMOVE;
}

static void acted(ControlResult result, const char *message, const char *hint, gpointer data)
{
    Power *power = data;
    g_autofree char *failed = g_strdup_printf("failed: %s", message ? message : "");
    store_audit_end(power->control->store, power->audit, result == CONTROL_OK ? "ok" : failed, NULL, NULL);
    if (result == CONTROL_OK)
        answer(power);
    else if (power->request)
        control_refuse(power->request, result, message, hint);
    power_free(power);
}

static void begun(StoreReply *reply, gpointer data)
{
    Power *power = data;
    Control *control = power->control;
    if (!control_store_ok(power->request, reply)) {
        power_free(power);
        return;
    }
    power->audit = reply->id;
    if (power->request->web)
        power->timer = g_timeout_add(WEB_PATIENCE_MS, answer_early, power);
    control->backend->power(power->desktop, power->action, acted, power, control->data);
}

static ControlPower action_of(const ControlRequest *request)
{
    static const char *const names[] = {"start", "stop", "restart", "reset"};
    const char *wanted = verb_id(request->verb) == VERB_DESKTOP_POWER ? control_text(request, "action")
                                                                      : strchr(request->verb->name, '.') + 1;
    guint action = 0;
    while (strcmp(names[action], wanted) != 0)
        action++;
    return (ControlPower)action;
}

static void found(StoreReply *reply, gpointer data)
{
    static const char *const actions[] = {"desktop.start", "desktop.stop", "desktop.restart",
                                          "desktop.reset"};
    ControlRequest *request = data;
    gboolean own_only = verb_id(request->verb) == VERB_DESKTOP_POWER;
    if (!(own_only ? control_is_own(request, reply, actions[action_of(request)])
                   : control_store_ok(request, reply)))
        return;
    if (reply->desktop->removing) {
        control_refuse(request, CONTROL_CONFLICT, "The desktop is being removed.", NULL);
        return;
    }
    Power *power = g_new0(Power, 1);
    power->control = request->control;
    power->request = request;
    power->action = action_of(request);
    power->desktop = g_strdup(reply->desktop->name);
    store_audit_begin(request->control->store, request->actor, actions[power->action], power->desktop,
                      request->source, begun, power);
}

void control_power(ControlRequest *request)
{
    store_desktop_show(request->control->store, control_text(request, "name"), found, request);
}
