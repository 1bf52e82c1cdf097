/* Objects as the control link tells them; field by field as verb_objects in verbs.c lists them. */
#include "broker/control/control_internal.h"

static const char *kind_name(guint kind)
{
    static const char *const names[] = {"?",       "broker", "gate", "web",  "seat",
                                        "greeter", "rdp",    "vnc",  "probe"};
    return kind < G_N_ELEMENTS(names) ? names[kind] : names[0];
}

static void set_text(JsonObject *object, const char *name, const char *text)
{
    if (text)
        json_object_set_string_member(object, name, text);
    else
        json_object_set_null_member(object, name);
}

JsonNode *control_object_node(JsonObject *object)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, object);
    return node;
}

JsonNode *control_array_node(JsonArray *array)
{
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);
    json_node_take_array(node, array);
    return node;
}

char *control_time(gint64 ms)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ms / 1000);
    g_autofree char *seconds =
        time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S") : g_strdup("1970-01-01T00:00:00");
    return g_strdup_printf("%s.%03dZ", seconds, (int)(ms % 1000));
}

JsonObject *control_user_json(const StoreUser *user)
{
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "name", user->name);
    json_object_set_boolean_member(object, "admin", user->admin);
    json_object_set_boolean_member(object, "disabled", user->disabled);
    return object;
}

JsonObject *control_template_json(const StoreTemplate *template)
{
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "name", template->name);
    json_object_set_string_member(object, "kind", template->kind);
    json_object_set_string_member(object, "image", template->image);
    json_object_set_string_member(object, "kernel", template->kernel);
    json_object_set_string_member(object, "initrd", template->initrd);
    json_object_set_string_member(object, "cmdline", template->cmdline);
    json_object_set_string_member(object, "firmware", template->firmware);
    json_object_set_int_member(object, "memory_mib", template->memory_mib);
    json_object_set_int_member(object, "vcpus", template->vcpus);
    json_object_set_int_member(object, "width", template->width);
    json_object_set_int_member(object, "height", template->height);
    json_object_set_string_member(object, "xkb_layout", template->xkb_layout);
    json_object_set_string_member(object, "xkb_variant", template->xkb_variant);
    json_object_set_string_member(object, "video", template->video);
    return object;
}

JsonObject *control_desktop_json(Control *control, const StoreDesktop *desktop)
{
    static const char *const states[] = {"off", "starting", "running", "stopping", "failed"};
    ControlDesktopState state = {.state = DESKTOP_OFF};
    control->backend->state(desktop->name, &state, control->data);
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "name", desktop->name);
    json_object_set_string_member(object, "template", desktop->template_name);
    json_object_set_string_member(object, "state", states[state.state]);
    json_object_set_string_member(object, "reason", state.reason);
    set_text(object, "assigned", desktop->assigned);
    set_text(object, "user", desktop->user);
    set_text(object, "domain", desktop->domain);
    return object;
}

JsonObject *control_connection_json(const StoreConnection *connection)
{
    g_autofree char *since = control_time(connection->since);
    JsonObject *object = json_object_new();
    json_object_set_int_member(object, "id", connection->id);
    json_object_set_string_member(object, "user", connection->user);
    json_object_set_string_member(object, "desktop", connection->desktop);
    json_object_set_string_member(object, "protocol", connection->protocol);
    json_object_set_string_member(object, "address", connection->address);
    json_object_set_string_member(object, "since", since);
    return object;
}

JsonObject *control_audit_json(const StoreAudit *audit)
{
    g_autofree char *time = control_time(audit->time);
    JsonObject *object = json_object_new();
    json_object_set_int_member(object, "id", audit->id);
    json_object_set_string_member(object, "time", time);
    json_object_set_string_member(object, "actor", audit->actor);
    json_object_set_string_member(object, "action", audit->action);
    json_object_set_string_member(object, "object", audit->object);
    json_object_set_string_member(object, "result", audit->result);
    json_object_set_string_member(object, "address", audit->address);
    return object;
}

JsonObject *control_encoder_json(const EncoderVerdict *verdict)
{
    g_autofree char *element = g_strndup(verdict->element, sizeof verdict->element);
    g_autofree char *reason = g_strndup(verdict->reason, sizeof verdict->reason);
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "element", element);
    json_object_set_boolean_member(object, "usable", verdict->usable != 0);
    json_object_set_boolean_member(object, "hardware", verdict->hardware != 0);
    json_object_set_boolean_member(object, "chosen", verdict->chosen != 0);
    json_object_set_int_member(object, "fps", verdict->fps);
    json_object_set_string_member(object, "reason", reason);
    return object;
}

static JsonObject *process_json(const MasterProcess *process)
{
    g_autofree char *user = g_strndup(process->record.user, sizeof process->record.user);
    g_autofree char *desktop = g_strndup(process->record.desktop, sizeof process->record.desktop);
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "kind", kind_name(process->kind));
    json_object_set_int_member(object, "id", (gint64)process->id);
    json_object_set_int_member(object, "pid", process->pid);
    set_text(object, "user", *user ? user : NULL);
    set_text(object, "desktop", *desktop ? desktop : NULL);
    return object;
}

JsonObject *control_status_json(const ControlStatus *status, const char *version)
{
    JsonObject *object = json_object_new();
    JsonArray *processes = json_array_new();
    for (guint i = 0; i < status->processes->len; i++)
        json_array_add_object_element(processes,
                                      process_json(&g_array_index(status->processes, MasterProcess, i)));
    json_object_set_string_member(object, "version", version);
    json_object_set_string_member(object, "instance", status->instance);
    json_object_set_string_member(object, "libvirt", status->libvirt);
    json_object_set_string_member(object, "virt", status->virt);
    json_object_set_array_member(object, "processes", processes);
    return object;
}
