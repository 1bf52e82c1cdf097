/* What the greeter shows and how it answers to keys, clicks and the broker: one state machine, no drawing, no
 * input or output. One thread. */
#pragma once

#include "base/proto/greeter_link.h"

#define FORM_DESKTOPS_MAX 1024

typedef enum {
    SCREEN_WAIT,     /* nothing to decide: signing in, or looking for the user's desktops */
    SCREEN_LOGIN,    /* user name and password */
    SCREEN_CHOICE,   /* several desktops */
    SCREEN_NONE,     /* no desktop is assigned */
    SCREEN_PROGRESS, /* the chosen desktop is on its way */
    SCREEN_FAILED,   /* it could not be had */
    SCREEN_OFF,      /* it went off under its user */
} FormScreen;

typedef enum {
    ELEMENT_NONE,
    ELEMENT_USER,
    ELEMENT_PASSWORD,
    ELEMENT_SUBMIT, /* the main button: sign in, try again, start again */
    ELEMENT_BACK,   /* to the choice */
    ELEMENT_ROW,    /* a desktop; with its index */
} FormElement;

typedef enum {
    FORM_KEY_TEXT,
    FORM_KEY_ENTER,
    FORM_KEY_NEXT, /* Tab */
    FORM_KEY_PREVIOUS,
    FORM_KEY_ESCAPE,
    FORM_KEY_BACKSPACE,
    FORM_KEY_DELETE,
    FORM_KEY_CLEAR, /* Ctrl-U */
    FORM_KEY_LEFT,
    FORM_KEY_RIGHT,
    FORM_KEY_UP,
    FORM_KEY_DOWN,
    FORM_KEY_PAGE_UP,
    FORM_KEY_PAGE_DOWN,
    FORM_KEY_HOME,
    FORM_KEY_END,
} FormKey;

/* What is to be sent to the broker now. */
typedef enum {
    FORM_NOTHING,
    FORM_LOGIN,  /* user and password */
    FORM_CHOOSE, /* form->desktop */
    FORM_CANCEL,
} FormAction;

typedef struct {
    char text[SEAT_SECRET_MAX];
    gsize capacity; /* bytes with the NUL */
    gsize caret;    /* byte offset of a character's start */
} FormField;

typedef struct {
    FormScreen screen;
    FormElement focus;
    FormField user, password;
    gboolean busy;               /* the broker has not answered yet */
    gboolean broker;             /* there is a link to it */
    gint64 retry_at_us;          /* throttled until then; 0: not */
    char text[SEAT_TEXT_MAX];    /* what is wrong, or what happens */
    char desktop[SEAT_NAME_MAX]; /* chosen, or on its way */
    GreeterPhase phase;
    GArray *desktops; /* of GreeterDesktop */
    guint selected;
    gboolean caps_lock;
    char keyboard[64]; /* name of the layout */
    gint seconds_left; /* until the connection ends, -1: no limit is near */
} Form;

void form_init(Form *form);
/* Scrubs and frees. */
void form_clear(Form *form);
/* Overwrites the password. */
void form_scrub(Form *form);

/* Shows the login with what the client brought. */
void form_prefill(Form *form, const char *user);

/* A key; `text` (UTF-8) with FORM_KEY_TEXT. repeat: it has been held down since it was pressed; what decides
 * something (Enter, a space on a button) counts once only. now_us: monotonic time. */
FormAction form_key(Form *form, FormKey key, const char *text, gboolean repeat, gint64 now_us);
/* A click on an element; `row` with ELEMENT_ROW. */
FormAction form_press(Form *form, FormElement element, guint row, gint64 now_us);

/* Credentials have been sent. */
void form_signing_in(Form *form);
void form_result(Form *form, const GreeterResult *result, gint64 now_us);
/* `desktops` has been checked with form_desktops_fit(). */
void form_desktops(Form *form, const GreeterDesktops *desktops);
gboolean form_desktops_fit(const GreeterDesktops *desktops, gsize length);
void form_progress(Form *form, const GreeterProgress *progress);
void form_broker(Form *form, gboolean there);

/* Whether something moves on the screen. */
gboolean form_is_waiting(const Form *form);
/* Seconds until the throttle lets go, 0: it does. */
guint form_retry_seconds(const Form *form, gint64 now_us);
/* Whether there is a choice to go back to. */
gboolean form_can_go_back(const Form *form);
/* Heading, sentence and main button of the current screen (static or in the form; "" where there is none). */
const char *form_title(const Form *form, char *buffer, gsize size);
const char *form_message(const Form *form, gint64 now_us, char *buffer, gsize size);
const char *form_submit_label(const Form *form);
const char *desktop_state_text(guint state);
