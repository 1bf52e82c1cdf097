/* The admin's verbs for desktops, assignments and sessions. */
#include "broker/control/control_internal.h"

static void answer_desktop(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (control_store_ok(request, reply))
        control_answer_object(request, control_desktop_json(request->control, reply->desktop));
}

static void answer_result(ControlRequest *request)
{
    control_answer(request, g_steal_pointer(&request->result));
}

/* ---- create ---- */

typedef struct {
    ControlRequest *request;
    ControlResult result;
    char *message, *hint;
} Undo;

static void undone(StoreReply *reply, gpointer data)
{
    Undo *undo = data;
    control_refuse(undo->request, undo->result, undo->message, undo->hint);
    g_free(undo->message);
    g_free(undo->hint);
    g_free(undo);
}

static void undo_retired(StoreReply *reply, gpointer data)
{
    Undo *undo = data;
    store_desktop_delete(undo->request->control->store, undo->request->actor, undo->request->name, undone,
                         undo);
}

static void added(ControlResult result, const char *message, const char *hint, gpointer data)
{
    ControlRequest *request = data;
    Control *control = request->control;
    if (result == CONTROL_OK) {
        store_desktop_show(control->store, request->name, answer_desktop, request);
        return;
    }
    Undo *undo = g_new0(Undo, 1);
    *undo = (Undo){request, result, g_strdup(message), g_strdup(hint)};
    store_desktop_retire(control->store, request->actor, request->name, undo_retired, undo);
}

static void created(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    Control *control = request->control;
    if (!control_store_ok(request, reply))
        return;
    request->name = g_strdup(reply->desktop->name);
    control->backend->added(reply->desktop, added, request, control->data);
}

static void got_template(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    Control *control = request->control;
    const char *name = control_text(request, "name");
    if (!control_store_ok(request, reply))
        return;
    g_autofree char *domain = NULL, *uuid = NULL, *disk = NULL;
    if (g_strcmp0(reply->template->kind, "vm") == 0) {
        g_autofree char *images = config_state_path(control->config, "libvirt.image_dir", "images");
        uuid = g_uuid_string_random();
        domain = g_strconcat(config_string(control->config, "fernwerk.name_prefix"), name, NULL);
        /* A name may come again; the disk of its predecessor must not. */
        disk = g_strdup_printf("%s/%s-%.8s.qcow2", images, name, uuid);
    }
    store_desktop_create(control->store, request->actor, name, reply->template->name, domain, uuid, disk,
                         created, request);
}

void control_desktop_create(ControlRequest *request)
{
    store_template_show(request->control->store, control_text(request, "template"), got_template, request);
}

/* ---- list and show ---- */

static void got_desktops(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (!control_store_ok(request, reply))
        return;
    JsonArray *array = json_array_new();
    for (guint i = 0; i < reply->desktops->len; i++)
        json_array_add_object_element(array,
                                      control_desktop_json(request->control, reply->desktops->pdata[i]));
    control_answer(request, control_array_node(array));
}

void control_desktop_list(ControlRequest *request)
{
    store_desktop_list(request->control->store, NULL, got_desktops, request);
}

void control_desktop_show(ControlRequest *request)
{
    store_desktop_show(request->control->store, control_text(request, "name"), answer_desktop, request);
}

/* ---- remove ---- */

static void deleted(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (control_store_ok(request, reply))
        answer_result(request);
}

static void removed(ControlResult result, const char *message, const char *hint, gpointer data)
{
    ControlRequest *request = data;
    if (result == CONTROL_OK || result == CONTROL_NOT_FOUND)
        store_desktop_delete(request->control->store, request->actor, request->name, deleted, request);
    else
        control_refuse(request, result, message, hint);
}

static void remove_machine(ControlRequest *request)
{
    Control *control = request->control;
    control->backend->remove(request->name, removed, request, control->data);
}

static void retired(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (!control_store_ok(request, reply))
        return;
    request->name = g_strdup(reply->desktop->name);
    request->result = control_object_node(control_desktop_json(request->control, reply->desktop));
    control_revoke(request, reply->revoked, END_REVOKED, "The desktop was removed.", remove_machine);
}

void control_desktop_remove(ControlRequest *request)
{
    store_desktop_retire(request->control->store, request->actor, control_text(request, "name"), retired,
                         request);
}

/* ---- assignments ---- */

static void assigned(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    Control *control = request->control;
    if (!control_store_ok(request, reply))
        return;
    control->backend->assigned(reply->desktop->name, reply->desktop->assigned, control->data);
    control_answer_object(request, control_desktop_json(control, reply->desktop));
}

void control_assign(ControlRequest *request)
{
    store_assign(request->control->store, request->actor, control_text(request, "desktop"),
                 control_text(request, "user"), assigned, request);
}

static void tell_unassigned(ControlRequest *request)
{
    Control *control = request->control;
    control->backend->assigned(request->name, NULL, control->data);
    store_desktop_show(control->store, request->name, answer_desktop, request);
}

static void unassigned(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (!control_store_ok(request, reply))
        return;
    request->name = g_strdup(reply->desktop->name);
    control_revoke(request, reply->revoked, END_REVOKED, "This desktop is no longer assigned to you.",
                   tell_unassigned);
}

void control_unassign(ControlRequest *request)
{
    store_unassign(request->control->store, request->actor, control_text(request, "desktop"), unassigned,
                   request);
}

/* ---- sessions ---- */

static void got_connections(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (!control_store_ok(request, reply))
        return;
    JsonArray *array = json_array_new();
    for (guint i = 0; i < reply->connections->len; i++)
        json_array_add_object_element(array, control_connection_json(reply->connections->pdata[i]));
    control_answer(request, control_array_node(array));
}

void control_session_list(ControlRequest *request)
{
    store_connection_list(request->control->store, NULL, got_connections, request);
}

static void killed(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (!control_store_ok(request, reply))
        return;
    request->result = control_object_node(control_connection_json(reply->revoked->connections->pdata[0]));
    control_revoke(request, reply->revoked, END_KILLED, "An administrator ended this session.",
                   answer_result);
}

void control_session_kill(ControlRequest *request)
{
    store_connection_kill(request->control->store, request->actor,
                          json_object_get_int_member(request->args, "id"), killed, request);
}
