/* The greeter's screens as a state machine. */
#include "session/greeter/form.h"

#include <string.h>

#define PAGE_ROWS 5

static void field_clear(FormField *field)
{
    explicit_bzero(field->text, sizeof field->text);
    field->caret = 0;
}

static void field_set(FormField *field, const char *text)
{
    const char *end;
    field_clear(field);
    g_strlcpy(field->text, text, field->capacity);
    /* A name that was cut inside of a character, or is no text, ends before that. */
    if (!g_utf8_validate(field->text, -1, &end))
        field->text[end - field->text] = '\0';
    field->caret = strlen(field->text);
}

void form_init(Form *form)
{
    memset(form, 0, sizeof *form);
    form->user.capacity = SEAT_NAME_MAX;
    form->password.capacity = SEAT_SECRET_MAX;
    form->desktops = g_array_new(FALSE, TRUE, sizeof(GreeterDesktop));
    form->seconds_left = -1;
}

void form_scrub(Form *form)
{
    field_clear(&form->password);
}

void form_clear(Form *form)
{
    form_scrub(form);
    g_clear_pointer(&form->desktops, g_array_unref);
}

/* The one place where the screen changes. */
static void form_show(Form *form, FormScreen screen)
{
    form->screen = screen;
    form->busy = screen == SCREEN_WAIT;
    switch (screen) {
    case SCREEN_LOGIN:
        form->focus = *form->user.text ? ELEMENT_PASSWORD : ELEMENT_USER;
        break;
    case SCREEN_CHOICE:
        form->focus = ELEMENT_ROW;
        break;
    case SCREEN_FAILED:
    case SCREEN_OFF:
        form->focus = ELEMENT_SUBMIT;
        break;
    case SCREEN_PROGRESS:
        form->focus = ELEMENT_BACK;
        break;
    case SCREEN_WAIT:
    case SCREEN_NONE:
        form->focus = ELEMENT_NONE;
        break;
    }
}

void form_prefill(Form *form, const char *user)
{
    field_set(&form->user, user);
    form_show(form, SCREEN_LOGIN);
}

static FormField *focused_field(Form *form)
{
    if (form->screen != SCREEN_LOGIN || form->busy)
        return NULL;
    return form->focus == ELEMENT_USER       ? &form->user
           : form->focus == ELEMENT_PASSWORD ? &form->password
                                             : NULL;
}

static void field_insert(FormField *field, const char *text)
{
    gsize length = strlen(text), used = strlen(field->text);
    if (used + length >= field->capacity)
        return;
    memmove(field->text + field->caret + length, field->text + field->caret, used - field->caret + 1);
    memcpy(field->text + field->caret, text, length);
    field->caret += length;
}

static gsize next_character(const FormField *field, gsize at)
{
    return field->text[at] ? at + (gsize)(g_utf8_next_char(field->text + at) - (field->text + at)) : at;
}

static gsize previous_character(const FormField *field, gsize at)
{
    return at ? (gsize)(g_utf8_prev_char(field->text + at) - field->text) : 0;
}

static void field_delete(FormField *field, gsize from, gsize to)
{
    gsize used = strlen(field->text);
    memmove(field->text + from, field->text + to, used - to + 1);
    explicit_bzero(field->text + used - (to - from), to - from);
    field->caret = from;
}

static void field_key(FormField *field, FormKey key, const char *text)
{
    switch (key) {
    case FORM_KEY_TEXT:
        field_insert(field, text);
        break;
    case FORM_KEY_BACKSPACE:
        field_delete(field, previous_character(field, field->caret), field->caret);
        break;
    case FORM_KEY_DELETE:
        field_delete(field, field->caret, next_character(field, field->caret));
        break;
    case FORM_KEY_CLEAR:
        field_clear(field);
        break;
    case FORM_KEY_LEFT:
        field->caret = previous_character(field, field->caret);
        break;
    case FORM_KEY_RIGHT:
        field->caret = next_character(field, field->caret);
        break;
    case FORM_KEY_HOME:
        field->caret = 0;
        break;
    case FORM_KEY_END:
        field->caret = strlen(field->text);
        break;
    default:
        break;
    }
}

gboolean form_can_go_back(const Form *form)
{
    return form->desktops->len > 1;
}

static FormAction submit_login(Form *form, gint64 now_us)
{
    if (form->busy || form_retry_seconds(form, now_us) > 0)
        return FORM_NOTHING;
    if (!*form->user.text) {
        form->focus = ELEMENT_USER;
        return FORM_NOTHING;
    }
    if (!*form->password.text && form->focus != ELEMENT_PASSWORD) {
        form->focus = ELEMENT_PASSWORD;
        return FORM_NOTHING;
    }
    return FORM_LOGIN;
}

static FormAction choose(Form *form, const char *desktop)
{
    g_autofree char *name = g_strdup(desktop); /* may be form->desktop itself */
    g_strlcpy(form->desktop, name, sizeof form->desktop);
    form->phase = GREETER_PHASE_WAITING;
    *form->text = '\0';
    /* Without a name, it is the list that is asked for again. */
    form_show(form, *form->desktop ? SCREEN_PROGRESS : SCREEN_WAIT);
    return FORM_CHOOSE;
}

static FormAction choose_selected(Form *form)
{
    if (form->selected >= form->desktops->len)
        return FORM_NOTHING;
    return choose(form, g_array_index(form->desktops, GreeterDesktop, form->selected).name);
}

static FormAction go_back(Form *form)
{
    if (!form_can_go_back(form))
        return FORM_NOTHING;
    *form->text = '\0';
    form_show(form, SCREEN_CHOICE);
    return FORM_CANCEL;
}

static void move_focus(Form *form, gboolean forward)
{
    static const FormElement login[] = {ELEMENT_USER, ELEMENT_PASSWORD, ELEMENT_SUBMIT};
    if (form->screen == SCREEN_LOGIN && !form->busy) {
        guint at = 0;
        while (at < 2 && login[at] != form->focus)
            at++;
        form->focus = login[(at + (forward ? 1 : 2)) % 3];
    } else if ((form->screen == SCREEN_FAILED || form->screen == SCREEN_OFF) && form_can_go_back(form)) {
        form->focus = form->focus == ELEMENT_SUBMIT ? ELEMENT_BACK : ELEMENT_SUBMIT;
    }
}

static void move_selection(Form *form, gint by)
{
    gint last = (gint)form->desktops->len - 1;
    if (last >= 0)
        form->selected = (guint)CLAMP((gint)form->selected + by, 0, last);
}

static FormAction choice_key(Form *form, FormKey key)
{
    switch (key) {
    case FORM_KEY_ENTER:
        return choose_selected(form);
    case FORM_KEY_UP:
    case FORM_KEY_PREVIOUS:
        move_selection(form, -1);
        break;
    case FORM_KEY_DOWN:
    case FORM_KEY_NEXT:
        move_selection(form, 1);
        break;
    case FORM_KEY_PAGE_UP:
        move_selection(form, -PAGE_ROWS);
        break;
    case FORM_KEY_PAGE_DOWN:
        move_selection(form, PAGE_ROWS);
        break;
    case FORM_KEY_HOME:
        move_selection(form, -FORM_DESKTOPS_MAX);
        break;
    case FORM_KEY_END:
        move_selection(form, FORM_DESKTOPS_MAX);
        break;
    default:
        break;
    }
    return FORM_NOTHING;
}

static FormAction login_key(Form *form, FormKey key, const char *text, gint64 now_us)
{
    FormField *field = focused_field(form);
    if (form->busy)
        return FORM_NOTHING;
    switch (key) {
    case FORM_KEY_ENTER:
        return submit_login(form, now_us);
    case FORM_KEY_NEXT:
    case FORM_KEY_DOWN:
        move_focus(form, TRUE);
        break;
    case FORM_KEY_PREVIOUS:
    case FORM_KEY_UP:
        move_focus(form, FALSE);
        break;
    case FORM_KEY_ESCAPE:
        field_clear(&form->user);
        field_clear(&form->password);
        *form->text = '\0';
        form->focus = ELEMENT_USER;
        break;
    default:
        if (field)
            field_key(field, key, text);
        else if (form->focus == ELEMENT_SUBMIT && key == FORM_KEY_TEXT && strcmp(text, " ") == 0)
            return submit_login(form, now_us);
    }
    return FORM_NOTHING;
}

FormAction form_key(Form *form, FormKey key, const char *text, gboolean repeat, gint64 now_us)
{
    gboolean enter = key == FORM_KEY_ENTER || (key == FORM_KEY_TEXT && strcmp(text, " ") == 0);
    gboolean decides = key == FORM_KEY_ESCAPE || (enter && !(key == FORM_KEY_TEXT && focused_field(form)));
    if (repeat && decides)
        return FORM_NOTHING;
    switch (form->screen) {
    case SCREEN_LOGIN:
        return login_key(form, key, text, now_us);
    case SCREEN_CHOICE:
        return choice_key(form, key);
    case SCREEN_PROGRESS:
        return key == FORM_KEY_ESCAPE || enter ? go_back(form) : FORM_NOTHING;
    case SCREEN_FAILED:
    case SCREEN_OFF:
        if (key == FORM_KEY_ESCAPE || (enter && form->focus == ELEMENT_BACK))
            return go_back(form);
        if (enter)
            return choose(form, form->desktop);
        if (key != FORM_KEY_TEXT)
            move_focus(form, TRUE);
        return FORM_NOTHING;
    case SCREEN_WAIT:
    case SCREEN_NONE:
        return FORM_NOTHING;
    }
    return FORM_NOTHING;
}

FormAction form_press(Form *form, FormElement element, guint row, gint64 now_us)
{
    switch (element) {
    case ELEMENT_USER:
    case ELEMENT_PASSWORD:
        if (form->screen == SCREEN_LOGIN && !form->busy)
            form->focus = element;
        return FORM_NOTHING;
    case ELEMENT_SUBMIT:
        if (form->screen == SCREEN_LOGIN)
            return submit_login(form, now_us);
        return form->screen == SCREEN_FAILED || form->screen == SCREEN_OFF ? choose(form, form->desktop)
                                                                           : FORM_NOTHING;
    case ELEMENT_BACK:
        return go_back(form);
    case ELEMENT_ROW:
        if (form->screen != SCREEN_CHOICE || row >= form->desktops->len)
            return FORM_NOTHING;
        form->selected = row;
        return choose_selected(form);
    case ELEMENT_NONE:
        break;
    }
    return FORM_NOTHING;
}

void form_signing_in(Form *form)
{
    *form->text = '\0';
    form->busy = TRUE;
    if (form->screen != SCREEN_LOGIN)
        form_show(form, SCREEN_WAIT);
}

void form_result(Form *form, const GreeterResult *result, gint64 now_us)
{
    form_scrub(form);
    form->retry_at_us = 0;
    g_strlcpy(form->text, result->text, sizeof form->text);
    if (result->result == SEAT_LOGIN_OK) {
        field_set(&form->user, result->user);
        if (form->screen == SCREEN_LOGIN)
            form_show(form, SCREEN_WAIT);
        form->busy = TRUE;
        return;
    }
    if (result->result == SEAT_LOGIN_WAIT)
        form->retry_at_us = now_us + MIN(result->retry_after_ms, 3600000u) * 1000ll;
    form_show(form, SCREEN_LOGIN);
    if (!*form->text)
        g_strlcpy(form->text, "Signing in did not work. Try again.", sizeof form->text);
}

gboolean form_desktops_fit(const GreeterDesktops *desktops, gsize length)
{
    if (length < sizeof *desktops || desktops->count > GREETER_DESKTOPS_MAX ||
        desktops->total > FORM_DESKTOPS_MAX || desktops->first > desktops->total ||
        desktops->count > desktops->total - desktops->first ||
        length != sizeof *desktops + desktops->count * sizeof(GreeterDesktop))
        return FALSE;
    for (guint i = 0; i < desktops->count; i++)
        if (!memchr(desktops->desktops[i].name, 0, sizeof desktops->desktops[i].name) ||
            !memchr(desktops->desktops[i].reason, 0, sizeof desktops->desktops[i].reason) ||
            desktops->desktops[i].state > DESKTOP_FAILED)
            return FALSE;
    return TRUE;
}

void form_desktops(Form *form, const GreeterDesktops *desktops)
{
    g_array_set_size(form->desktops, desktops->total);
    for (guint i = 0; i < desktops->count; i++)
        g_array_index(form->desktops, GreeterDesktop, desktops->first + i) = desktops->desktops[i];
    form->selected = MIN(form->selected, desktops->total ? desktops->total - 1 : 0);
    /* Whoever is on the way to a desktop stays on it. */
    if (form->screen != SCREEN_WAIT && form->screen != SCREEN_CHOICE && form->screen != SCREEN_NONE)
        return;
    if (desktops->total == 0)
        form_show(form, SCREEN_NONE);
    else
        form_show(form, desktops->total > 1 ? SCREEN_CHOICE : SCREEN_WAIT);
}

void form_progress(Form *form, const GreeterProgress *progress)
{
    g_strlcpy(form->desktop, progress->desktop, sizeof form->desktop);
    g_strlcpy(form->text, progress->text, sizeof form->text);
    form->phase = progress->phase;
    form_show(form, progress->phase == GREETER_PHASE_FAILED ? SCREEN_FAILED
                    : progress->phase == GREETER_PHASE_OFF  ? SCREEN_OFF
                                                            : SCREEN_PROGRESS);
}

void form_broker(Form *form, gboolean there)
{
    form->broker = there;
}

gboolean form_is_waiting(const Form *form)
{
    return form->busy || form->screen == SCREEN_WAIT || form->screen == SCREEN_PROGRESS;
}

guint form_retry_seconds(const Form *form, gint64 now_us)
{
    gint64 left = form->retry_at_us - now_us;
    return form->retry_at_us && left > 0 ? (guint)((left + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC) : 0;
}

const char *form_title(const Form *form, char *buffer, gsize size)
{
    switch (form->screen) {
    case SCREEN_WAIT:
        return "Signing in";
    case SCREEN_LOGIN:
        return "Sign in";
    case SCREEN_CHOICE:
        return "Choose a desktop";
    case SCREEN_NONE:
        return "No desktop yet";
    case SCREEN_PROGRESS:
        g_snprintf(buffer, size,
                   form->phase == GREETER_PHASE_STARTING  ? "Starting %s"
                   : form->phase == GREETER_PHASE_JOINING ? "Connecting to %s"
                                                          : "Waiting for %s",
                   form->desktop);
        return buffer;
    case SCREEN_FAILED:
        if (!*form->desktop)
            return "This does not work now";
        g_snprintf(buffer, size, "%s did not start", form->desktop);
        return buffer;
    case SCREEN_OFF:
        g_snprintf(buffer, size, "%s is off", form->desktop);
        return buffer;
    }
    return "";
}

const char *form_message(const Form *form, gint64 now_us, char *buffer, gsize size)
{
    guint wait = form_retry_seconds(form, now_us);
    if (form->screen == SCREEN_LOGIN && wait) {
        g_snprintf(buffer, size, "%s You can try again in %u second%s.", form->retry_at_us ? form->text : "",
                   wait, wait == 1 ? "" : "s");
        return buffer;
    }
    if (!form->broker && form->busy)
        return "The service is being restarted. This takes a moment.";
    if (*form->text)
        return form->text;
    switch (form->screen) {
    case SCREEN_NONE:
        return "No desktop is assigned to you. Ask your administrator for one, then connect again.";
    case SCREEN_OFF:
        return "The desktop has been switched off.";
    case SCREEN_FAILED:
        return "The reason is not known. Try again, or ask your administrator.";
    default:
        return "";
    }
}

const char *form_submit_label(const Form *form)
{
    return form->screen == SCREEN_LOGIN    ? form->busy ? "Signing in" : "Sign in"
           : form->screen == SCREEN_FAILED ? "Try again"
           : form->screen == SCREEN_OFF    ? "Start again"
                                           : "";
}

const char *desktop_state_text(guint state)
{
    static const char *const texts[] = {[DESKTOP_OFF] = "Off",
                                        [DESKTOP_STARTING] = "Starting",
                                        [DESKTOP_RUNNING] = "Running",
                                        [DESKTOP_STOPPING] = "Shutting down",
                                        [DESKTOP_FAILED] = "Failed"};
    return state < G_N_ELEMENTS(texts) ? texts[state] : "";
}
