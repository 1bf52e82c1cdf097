/* Where everything stands on the greeter's screen, and what is under the pointer. Pure. */
#pragma once

#include "session/greeter/form.h"

#define LAYOUT_ROWS_MAX 8

typedef struct {
    double x, y, width, height; /* px */
} Area;

typedef struct {
    double scale;        /* px per point of the design; 1 at 96 dpi */
    guint width, height; /* px, the screen */
    Area brand, card, title, message, user_label, user, password_label, password, hint, submit, back, spinner,
        footer;
    Area rows[LAYOUT_ROWS_MAX];
    guint first_row, row_count; /* visible desktops */
    Area more;                  /* "3 of 12" */
} Layout;

/* The largest screen that is drawn: who has not logged in yet costs memory by what he says his window is. */
#define LAYOUT_SIDE_MAX 5120 /* px */
#define LAYOUT_PIXELS_MAX (4096 * 2304)

/* Shrinks a window's size to a picture that is drawn for it, of the same shape where it is too large; the
 * client shows bars around it. */
void layout_clamp(guint *width, guint *height);

/* Computes the layout of the form's current screen. hint_percent: the client's scale (0: unknown); a screen
 * that is much larger than 1080 lines is scaled up nevertheless, and nothing is ever larger than the screen.
 * now_us: monotonic time (the sentence may count down). */
void layout_compute(Layout *layout, const Form *form, guint width, guint height, guint hint_percent,
                    gint64 now_us);

/* The element at x, y (px); *row with ELEMENT_ROW: the desktop's index. */
FormElement layout_hit(const Layout *layout, const Form *form, gint x, gint y, guint *row);
