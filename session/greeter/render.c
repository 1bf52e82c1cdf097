/* The greeter's screens as PNG files. */
#include "session/greeter/render.h"

#include "session/greeter/draw.h"

#include <stdio.h>
#include <string.h>

static void add_desktops(Form *form, guint total)
{
    static const struct {
        const char *name, *reason;
        DesktopState state;
    } samples[] = {{"office", "", DESKTOP_RUNNING},
                   {"build-server", "", DESKTOP_OFF},
                   {"cad", "", DESKTOP_STARTING},
                   {"old-windows", "the image /srv/images/w7.qcow2 is missing", DESKTOP_FAILED},
                   {"training-12", "", DESKTOP_STOPPING}};
    g_array_set_size(form->desktops, total);
    for (guint i = 0; i < total; i++) {
        GreeterDesktop *desktop = &g_array_index(form->desktops, GreeterDesktop, i);
        guint sample = i % G_N_ELEMENTS(samples);
        g_strlcpy(desktop->name, samples[sample].name, sizeof desktop->name);
        g_strlcpy(desktop->reason, samples[sample].reason, sizeof desktop->reason);
        desktop->state = samples[sample].state;
    }
}

static void progress(Form *form, GreeterPhase phase, const char *text)
{
    GreeterProgress packet = {.phase = phase, .desktop = "office"};
    g_strlcpy(packet.text, text, sizeof packet.text);
    form_progress(form, &packet);
}

static void result(Form *form, SeatLoginResult code, guint wait_ms, const char *text)
{
    GreeterResult packet = {.result = code, .retry_after_ms = wait_ms};
    g_strlcpy(packet.text, text, sizeof packet.text);
    form_result(form, &packet, 0);
}

static void screen_login(Form *form)
{
    form_prefill(form, "");
}

static void screen_typed(Form *form)
{
    form_prefill(form, "alice");
    for (guint i = 0; i < 12; i++)
        form_key(form, FORM_KEY_TEXT, "x", FALSE, 0);
    form->caps_lock = TRUE;
    form->seconds_left = 12;
}

static void screen_denied(Form *form)
{
    form_prefill(form, "alice");
    result(form, SEAT_LOGIN_DENIED, 0, "Name or password is wrong.");
}

static void screen_throttled(Form *form)
{
    form_prefill(form, "alice");
    result(form, SEAT_LOGIN_WAIT, 8000, "Too many attempts.");
}

static void screen_busy(Form *form)
{
    screen_typed(form);
    form_signing_in(form);
}

static void screen_choice(Form *form)
{
    add_desktops(form, 5);
    form->screen = SCREEN_CHOICE;
    form->selected = 1;
}

static void screen_many(Form *form)
{
    add_desktops(form, 23);
    form->screen = SCREEN_CHOICE;
    form->selected = 11;
}

static void screen_starting(Form *form)
{
    add_desktops(form, 2);
    progress(form, GREETER_PHASE_STARTING,
             "The virtual machine is being started. Its screen appears as soon as there is one.");
}

static void screen_failed(Form *form)
{
    add_desktops(form, 2);
    progress(form, GREETER_PHASE_FAILED,
             "The template's image /srv/images/debian-12-desktop.qcow2 is missing. Ask your administrator to "
             "restore "
             "it, then try again.");
}

static void screen_off(Form *form)
{
    progress(form, GREETER_PHASE_OFF, "It was shut down from inside. Press Enter to start it again.");
}

static void screen_none(Form *form)
{
    form->screen = SCREEN_NONE;
}

static int write_picture(Painter *painter, const Form *form, guint width, guint height, const char *path)
{
    Layout layout;
    layout_compute(&layout, form, width, height, 0, 0);
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
    painter_draw(painter, surface, &layout, form, 3, 0);
    cairo_status_t status = cairo_surface_write_to_png(surface, path);
    cairo_surface_destroy(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        return 0;
    fprintf(stderr, "%s: %s\n", path, cairo_status_to_string(status));
    return 1;
}

int render_sentence(const char *path, const char *size, const char *screen, const char *desktop,
                    const char *sentence)
{
    static const struct {
        const char *name;
        FormScreen screen;
    } screens[] = {{"login", SCREEN_LOGIN}, {"failed", SCREEN_FAILED}, {"off", SCREEN_OFF}, {"none", SCREEN_NONE}};
    Form form;
    guint width, height;
    int status = 2;
    form_init(&form);
    form_broker(&form, TRUE);
    g_strlcpy(form.desktop, desktop, sizeof form.desktop);
    g_strlcpy(form.text, sentence, sizeof form.text);
    for (guint i = 0; i < G_N_ELEMENTS(screens); i++)
        if (strcmp(screens[i].name, screen) == 0 && sscanf(size, "%ux%u", &width, &height) == 2) {
            Painter *painter = painter_new();
            form.screen = screens[i].screen;
            status = write_picture(painter, &form, width, height, path);
            painter_free(painter);
        }
    form_clear(&form);
    return status;
}

int render_screens(const char *dir)
{
    static const struct {
        const char *name;
        void (*prepare)(Form *form);
    } screens[] = {{"login", screen_login},   {"typed", screen_typed},
                   {"denied", screen_denied}, {"throttled", screen_throttled},
                   {"busy", screen_busy},     {"choice", screen_choice},
                   {"many", screen_many},     {"starting", screen_starting},
                   {"failed", screen_failed}, {"off", screen_off},
                   {"none", screen_none}};
    static const guint sizes[][2] = {{800, 600}, {1920, 1080}, {3840, 2160}};
    Painter *painter = painter_new();
    for (guint i = 0; i < G_N_ELEMENTS(screens) * G_N_ELEMENTS(sizes); i++) {
        const guint *size = sizes[i % G_N_ELEMENTS(sizes)];
        Form form;
        form_init(&form);
        form_broker(&form, TRUE);
        g_strlcpy(form.keyboard, "German (no dead keys)", sizeof form.keyboard);
        screens[i / G_N_ELEMENTS(sizes)].prepare(&form);
        g_autofree char *path =
            g_strdup_printf("%s/%s-%ux%u.png", dir, screens[i / G_N_ELEMENTS(sizes)].name, size[0], size[1]);
        int status = write_picture(painter, &form, size[0], size[1], path);
        form_clear(&form);
        if (status) {
            painter_free(painter);
            return status;
        }
    }
    painter_free(painter);
    return 0;
}
