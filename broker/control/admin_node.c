/* The admin's verbs for templates and for the instance: encoders, audit, status. */
#include "broker/control/control_internal.h"

/* ---- templates ---- */

static void answer_template(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (control_store_ok(request, reply))
        control_answer_object(request, control_template_json(reply->template));
}

static StoreTemplate *read_template(const ControlRequest *request)
{
    StoreTemplate *template = g_new0(StoreTemplate, 1);
    const struct {
        char **field;
        const char *argument;
    } texts[] = {
        {&template->name, "name"},
        {&template->kind, "kind"},
        {&template->image, "image"},
        {&template->kernel, "kernel"},
        {&template->initrd, "initrd"},
        {&template->cmdline, "cmdline"},
        {&template->firmware, "firmware"},
        {&template->video, "video"},
        {&template->xkb_layout, "xkb_layout"},
        {&template->xkb_variant, "xkb_variant"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        *texts[i].field = g_strdup(control_text(request, texts[i].argument));
    template->memory_mib = (guint)json_object_get_int_member(request->args, "memory_mib");
    template->vcpus = (guint)json_object_get_int_member(request->args, "vcpus");
    template->width = (guint)json_object_get_int_member(request->args, "width");
    template->height = (guint)json_object_get_int_member(request->args, "height");
    return template;
}

/* An image may lie on a file system that takes its time. */
static void check_template(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    g_task_return_pointer(task, control_template_problem(data), g_free);
}

static void template_checked(GObject *source, GAsyncResult *result, gpointer data)
{
    ControlRequest *request = data;
    g_autofree char *problem = g_task_propagate_pointer(G_TASK(result), NULL);
    const StoreTemplate *template = g_task_get_task_data(G_TASK(result));
    if (problem)
        control_refuse(request, CONTROL_USAGE, problem, NULL);
    else
        store_template_add(request->control->store, request->actor, template, answer_template, request);
}

static void free_template(gpointer template)
{
    store_template_free(template);
}

void control_template_add(ControlRequest *request)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, template_checked, request);
    g_task_set_task_data(task, read_template(request), free_template);
    g_task_run_in_thread(task, check_template);
}

static void got_templates(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (!control_store_ok(request, reply))
        return;
    JsonArray *array = json_array_new();
    for (guint i = 0; i < reply->templates->len; i++)
        json_array_add_object_element(array, control_template_json(reply->templates->pdata[i]));
    control_answer(request, control_array_node(array));
}

void control_template_list(ControlRequest *request)
{
    store_template_list(request->control->store, got_templates, request);
}

void control_template_show(ControlRequest *request)
{
    store_template_show(request->control->store, control_text(request, "name"), answer_template, request);
}

void control_template_remove(ControlRequest *request)
{
    store_template_remove(request->control->store, request->actor, control_text(request, "name"),
                          answer_template, request);
}

/* ---- the instance ---- */

void control_encoder_list(ControlRequest *request)
{
    Control *control = request->control;
    g_autoptr(GArray) verdicts = g_array_new(FALSE, TRUE, sizeof(EncoderVerdict));
    control->backend->encoders(verdicts, control->data);
    JsonArray *array = json_array_new();
    for (guint i = 0; i < verdicts->len; i++)
        json_array_add_object_element(array,
                                      control_encoder_json(&g_array_index(verdicts, EncoderVerdict, i)));
    control_answer(request, control_array_node(array));
}

static void got_audit(StoreReply *reply, gpointer data)
{
    ControlRequest *request = data;
    if (!control_store_ok(request, reply))
        return;
    JsonArray *array = json_array_new();
    for (guint i = 0; i < reply->audit->len; i++)
        json_array_add_object_element(array, control_audit_json(reply->audit->pdata[i]));
    control_answer(request, control_array_node(array));
}

void control_audit(ControlRequest *request)
{
    store_audit_list(request->control->store, (guint)json_object_get_int_member(request->args, "limit"),
                     json_object_get_int_member(request->args, "before"), got_audit, request);
}

void control_status(ControlRequest *request)
{
    Control *control = request->control;
    g_autoptr(GArray) processes = g_array_new(FALSE, TRUE, sizeof(MasterProcess));
    ControlStatus status = {.processes = processes};
    control->backend->status(&status, control->data);
    control_answer_object(request, control_status_json(&status, FERNWERK_VERSION));
}
