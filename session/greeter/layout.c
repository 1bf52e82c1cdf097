/* The greeter's layout: one card in the middle, the same rhythm on every screen. */
#include "session/greeter/layout.h"

#include <math.h>
#include <string.h>

/* Points. */
#define CARD_WIDTH 408
#define PADDING 32
#define TITLE_HEIGHT 34
#define LABEL_HEIGHT 22
#define FIELD_HEIGHT 42
#define BUTTON_HEIGHT 44
#define ROW_HEIGHT 58
#define ROW_GAP 8
#define MESSAGE_GAP 14
#define LINE_HEIGHT 25
#define LINE_CHARACTERS 40 /* of a sentence, at least, on one line of the card */
#define LINES_MAX 6
#define HINT_HEIGHT 24
#define SPINNER 44
#define BRAND_HEIGHT 30
#define BRAND_GAP 28
#define FOOTER_HEIGHT 52

void layout_clamp(guint *width, guint *height)
{
    double w = CLAMP(*width, SEAT_WIDTH_MIN, SEAT_WIDTH_MAX),
           h = CLAMP(*height, SEAT_WIDTH_MIN, SEAT_WIDTH_MAX);
    double shrink = MIN(1, MIN(LAYOUT_SIDE_MAX / MAX(w, h), sqrt(LAYOUT_PIXELS_MAX / (w * h))));
    *width = (guint)MAX(floor(w * shrink), SEAT_WIDTH_MIN);
    *height = (guint)MAX(floor(h * shrink), SEAT_WIDTH_MIN);
}

static double choose_scale(guint width, guint height, guint hint_percent)
{
    double wish = hint_percent ? hint_percent / 100.0 : 1;
    double size = MIN(height / 900.0, width / 1600.0);
    double fits = MIN(width / (CARD_WIDTH + 24.0), height / 520.0);
    double scale = MAX(wish, size > 1 ? size : 1);
    return MAX(MIN(MIN(scale, 4), fits), 0.1);
}

static guint rows_that_fit(const Layout *layout)
{
    double room = layout->height / layout->scale - 2 * FOOTER_HEIGHT - BRAND_HEIGHT - BRAND_GAP -
                  2 * PADDING - TITLE_HEIGHT - HINT_HEIGHT - 12;
    return (guint)CLAMP(floor((room + ROW_GAP) / (ROW_HEIGHT + ROW_GAP)), 1, LAYOUT_ROWS_MAX);
}

/* Points that a sentence may need: a guess from its length, so that nothing here depends on fonts. */
static double message_height(const char *sentence)
{
    glong lines = (g_utf8_strlen(sentence, -1) + LINE_CHARACTERS - 1) / LINE_CHARACTERS;
    return (double)MIN(lines, LINES_MAX) * LINE_HEIGHT;
}

/* Cuts `height` points off the card's rest; `gap` points stand before it. */
typedef struct {
    double x, y, width; /* points */
} Pen;

static Area down(Pen *pen, double gap, double height)
{
    Area area = {pen->x, pen->y + gap, pen->width, height};
    pen->y += gap + height;
    return area;
}

static void place_login(Layout *layout, const char *sentence, Pen *pen)
{
    layout->user_label = down(pen, 14, LABEL_HEIGHT);
    layout->user = down(pen, 2, FIELD_HEIGHT);
    layout->password_label = down(pen, 14, LABEL_HEIGHT);
    layout->password = down(pen, 2, FIELD_HEIGHT);
    layout->hint = down(pen, 4, HINT_HEIGHT);
    layout->submit = down(pen, 4, BUTTON_HEIGHT);
    if (*sentence)
        layout->message = down(pen, MESSAGE_GAP, message_height(sentence));
}

static void place_choice(Layout *layout, const Form *form, Pen *pen)
{
    guint fit = rows_that_fit(layout), total = form->desktops->len;
    layout->row_count = MIN(total, fit);
    layout->first_row = form->selected >= fit ? form->selected - fit + 1 : 0;
    for (guint i = 0; i < layout->row_count; i++)
        layout->rows[i] = down(pen, i ? ROW_GAP : 16, ROW_HEIGHT);
    layout->more = down(pen, 12, HINT_HEIGHT);
}

static void place_progress(Layout *layout, const Form *form, const char *sentence, Pen *pen)
{
    layout->spinner = down(pen, 22, SPINNER);
    layout->spinner.x += (layout->spinner.width - SPINNER) / 2;
    layout->spinner.width = SPINNER;
    layout->message = down(pen, 16, MAX(message_height(sentence), 2 * LINE_HEIGHT));
    if (form->screen == SCREEN_PROGRESS && form_can_go_back(form))
        layout->back = down(pen, 12, BUTTON_HEIGHT);
}

static void place_outcome(Layout *layout, const Form *form, const char *sentence, Pen *pen)
{
    layout->message = down(pen, 10, message_height(sentence));
    if (form->screen == SCREEN_NONE)
        return;
    layout->submit = down(pen, 16, BUTTON_HEIGHT);
    if (form_can_go_back(form))
        layout->back = down(pen, 14, BUTTON_HEIGHT);
}

static void to_pixels(Area *area, double scale, double x, double y)
{
    Area points = *area;
    area->x = round(points.x * scale + x);
    area->y = round(points.y * scale + y);
    area->width = round((points.x + points.width) * scale + x) - area->x;
    area->height = round((points.y + points.height) * scale + y) - area->y;
}

void layout_compute(Layout *layout, const Form *form, guint width, guint height, guint hint_percent,
                    gint64 now_us)
{
    Pen pen = {PADDING, PADDING, CARD_WIDTH - 2 * PADDING};
    char buffer[SEAT_TEXT_MAX + 64];
    const char *sentence = form_message(form, now_us, buffer, sizeof buffer);

    memset(layout, 0, sizeof *layout);
    layout->width = width;
    layout->height = height;
    layout->scale = choose_scale(width, height, hint_percent);
    layout->title = down(&pen, 0, TITLE_HEIGHT);
    switch (form->screen) {
    case SCREEN_LOGIN:
        place_login(layout, sentence, &pen);
        break;
    case SCREEN_CHOICE:
        place_choice(layout, form, &pen);
        break;
    case SCREEN_WAIT:
    case SCREEN_PROGRESS:
        place_progress(layout, form, sentence, &pen);
        break;
    case SCREEN_NONE:
    case SCREEN_FAILED:
    case SCREEN_OFF:
        place_outcome(layout, form, sentence, &pen);
        break;
    }
    layout->card = (Area){0, 0, CARD_WIDTH, pen.y + PADDING};
    layout->brand = (Area){0, -BRAND_GAP - BRAND_HEIGHT, CARD_WIDTH, BRAND_HEIGHT};

    /* A sentence under the login form makes the card longer without moving the fields. */
    double extra = form->screen == SCREEN_LOGIN && *sentence ? MESSAGE_GAP + layout->message.height : 0;
    double scale = layout->scale, whole = layout->card.height - extra + BRAND_HEIGHT + BRAND_GAP;
    double x = round((width - CARD_WIDTH * scale) / 2);
    double y = round(MAX((height - FOOTER_HEIGHT * scale - whole * scale) / 2, 4 * scale) +
                     (BRAND_HEIGHT + BRAND_GAP) * scale);
    Area *const all[] = {&layout->brand,      &layout->card,   &layout->title,          &layout->message,
                         &layout->user_label, &layout->user,   &layout->password_label, &layout->password,
                         &layout->hint,       &layout->submit, &layout->back,           &layout->spinner,
                         &layout->more};
    for (guint i = 0; i < G_N_ELEMENTS(all); i++)
        if (all[i]->width > 0)
            to_pixels(all[i], scale, x, y);
    for (guint i = 0; i < layout->row_count; i++)
        to_pixels(&layout->rows[i], scale, x, y);
    layout->footer = (Area){round(24 * scale), round(height - FOOTER_HEIGHT * scale),
                            width - round(48 * scale), round(FOOTER_HEIGHT * scale)};
}

static gboolean inside(const Area *area, gint x, gint y)
{
    return area->width > 0 && x >= area->x && x < area->x + area->width && y >= area->y &&
           y < area->y + area->height;
}

FormElement layout_hit(const Layout *layout, const Form *form, gint x, gint y, guint *row)
{
    *row = 0;
    for (guint i = 0; i < layout->row_count; i++) {
        if (inside(&layout->rows[i], x, y)) {
            *row = layout->first_row + i;
            return ELEMENT_ROW;
        }
    }
    return inside(&layout->user, x, y)       ? ELEMENT_USER
           : inside(&layout->password, x, y) ? ELEMENT_PASSWORD
           : inside(&layout->submit, x, y)   ? ELEMENT_SUBMIT
           : inside(&layout->back, x, y)     ? ELEMENT_BACK
                                             : ELEMENT_NONE;
}
