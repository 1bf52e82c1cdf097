/* The greeter's look: a calm dark card, one accent, contrast of at least 7:1 for every text. */
#include "session/greeter/draw.h"

#include <math.h>
#include <pango/pangocairo.h>
#include <string.h>

#define FAMILIES "Inter, Cantarell, Noto Sans, DejaVu Sans, sans-serif"
#define SPIN_STEPS 12

typedef struct {
    double r, g, b;
} Colour;

static const Colour background = {0.071, 0.086, 0.106}, card = {0.118, 0.141, 0.169}, outline = {0.196, 0.231, 0.271},
                    field = {0.082, 0.098, 0.122}, border = {0.455, 0.502, 0.553}, text = {0.933, 0.945, 0.957},
                    quiet = {0.733, 0.769, 0.804}, accent = {0.482, 0.733, 0.996}, on_accent = {0.039, 0.090, 0.149},
                    bad = {1.0, 0.667, 0.639}, good = {0.506, 0.851, 0.604}, warm = {0.976, 0.812, 0.478},
                    selected = {0.149, 0.196, 0.247};

struct Painter {
    PangoContext *context;
    PangoLayout *layout;
};

typedef struct {
    cairo_t *cairo;
    PangoLayout *pango;
    const Layout *layout;
    const Form *form;
    double scale;
} Canvas;

static void paint(cairo_t *cairo, const Colour *colour)
{
    cairo_set_source_rgb(cairo, colour->r, colour->g, colour->b);
}

static void rounded(cairo_t *cairo, const Area *area, double radius, double inset)
{
    double x = area->x + inset, y = area->y + inset, right = area->x + area->width - inset,
           bottom = area->y + area->height - inset;
    cairo_new_sub_path(cairo);
    cairo_arc(cairo, right - radius, y + radius, radius, -G_PI_2, 0);
    cairo_arc(cairo, right - radius, bottom - radius, radius, 0, G_PI_2);
    cairo_arc(cairo, x + radius, bottom - radius, radius, G_PI_2, G_PI);
    cairo_arc(cairo, x + radius, y + radius, radius, G_PI, 3 * G_PI_2);
    cairo_close_path(cairo);
}

typedef enum { ALIGN_LEFT, ALIGN_MIDDLE, ALIGN_RIGHT } Align;

static void set_text(const Canvas *canvas, const char *string, double points, PangoWeight weight, const Area *area,
                     gboolean wrap)
{
    PangoFontDescription *font = pango_font_description_from_string(FAMILIES);
    pango_font_description_set_absolute_size(font, points * canvas->scale * PANGO_SCALE);
    pango_font_description_set_weight(font, weight);
    pango_layout_set_font_description(canvas->pango, font);
    pango_font_description_free(font);
    pango_layout_set_text(canvas->pango, string, -1);
    pango_layout_set_width(canvas->pango, (int)(area->width * PANGO_SCALE));
    pango_layout_set_height(canvas->pango, wrap ? (int)(area->height * PANGO_SCALE) : 0);
    pango_layout_set_wrap(canvas->pango, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_ellipsize(canvas->pango, PANGO_ELLIPSIZE_END);
    pango_layout_set_single_paragraph_mode(canvas->pango, TRUE);
    pango_layout_set_line_spacing(canvas->pango, wrap ? 1.25f : 0);
}

static void write_text(const Canvas *canvas, const char *string, double points, PangoWeight weight,
                       const Colour *colour, const Area *area, Align align, gboolean wrap)
{
    int height;
    set_text(canvas, string, points, weight, area, wrap);
    pango_layout_set_alignment(canvas->pango, align == ALIGN_LEFT     ? PANGO_ALIGN_LEFT
                                              : align == ALIGN_MIDDLE ? PANGO_ALIGN_CENTER
                                                                      : PANGO_ALIGN_RIGHT);
    pango_layout_get_pixel_size(canvas->pango, NULL, &height);
    paint(canvas->cairo, colour);
    cairo_move_to(canvas->cairo, area->x, wrap ? area->y : area->y + round((area->height - height) / 2));
    pango_cairo_show_layout(canvas->cairo, canvas->pango);
}

/* A screen with a line that goes out of it: works from afar. */
static void draw_brand(const Canvas *canvas)
{
    const Area *brand = &canvas->layout->brand;
    double s = canvas->scale, size = 26 * s, gap = 12 * s;
    Area name = {0, brand->y, brand->width, brand->height};
    PangoRectangle extents;

    set_text(canvas, "Fernwerk", 21, PANGO_WEIGHT_SEMIBOLD, &name, FALSE);
    pango_layout_set_alignment(canvas->pango, PANGO_ALIGN_LEFT);
    pango_layout_get_pixel_extents(canvas->pango, NULL, &extents);
    double x = round(brand->x + (brand->width - size - gap - extents.width) / 2);
    Area mark = {x, round(brand->y + (brand->height - size * 0.78) / 2), size, size * 0.78};
    paint(canvas->cairo, &accent);
    cairo_set_line_width(canvas->cairo, 2.5 * s);
    cairo_set_line_cap(canvas->cairo, CAIRO_LINE_CAP_ROUND);
    rounded(canvas->cairo, &mark, 4 * s, 1.25 * s);
    cairo_stroke(canvas->cairo);
    cairo_move_to(canvas->cairo, mark.x + 7 * s, mark.y + mark.height - 6.5 * s);
    cairo_line_to(canvas->cairo, mark.x + 12 * s, mark.y + 8 * s);
    cairo_line_to(canvas->cairo, mark.x + 16 * s, mark.y + 12 * s);
    cairo_line_to(canvas->cairo, mark.x + 20 * s, mark.y + 6.5 * s);
    cairo_stroke(canvas->cairo);
    name.x = x + size + gap;
    write_text(canvas, "Fernwerk", 21, PANGO_WEIGHT_SEMIBOLD, &text, &name, ALIGN_LEFT, FALSE);
}

static void draw_focus_ring(const Canvas *canvas, const Area *area, gboolean focused, const Colour *plain)
{
    double width = focused ? 2 : 1;
    paint(canvas->cairo, focused ? &accent : plain);
    cairo_set_line_width(canvas->cairo, width * canvas->scale);
    rounded(canvas->cairo, area, 8 * canvas->scale, width * canvas->scale / 2);
    cairo_stroke(canvas->cairo);
}

/* The visible part of a field's text: what stands around the caret. */
static void draw_field_text(const Canvas *canvas, const Area *area, const char *shown, gsize caret, gboolean focused)
{
    double s = canvas->scale, pad = 14 * s;
    Area inner = {area->x + pad, area->y, area->width - 2 * pad, area->height}, endless = inner;
    PangoRectangle at;
    int height;

    endless.width = 1 << 16;
    set_text(canvas, shown, 16, PANGO_WEIGHT_NORMAL, &endless, FALSE);
    pango_layout_set_alignment(canvas->pango, PANGO_ALIGN_LEFT);
    pango_layout_get_pixel_size(canvas->pango, NULL, &height);
    pango_layout_get_cursor_pos(canvas->pango, (int)caret, &at, NULL);
    double x = PANGO_PIXELS(at.x), shift = MAX(x - inner.width + 2 * s, 0);
    cairo_save(canvas->cairo);
    cairo_rectangle(canvas->cairo, inner.x - s, inner.y, inner.width + 3 * s, inner.height);
    cairo_clip(canvas->cairo);
    paint(canvas->cairo, &text);
    cairo_move_to(canvas->cairo, inner.x - shift, inner.y + round((inner.height - height) / 2));
    pango_cairo_show_layout(canvas->cairo, canvas->pango);
    if (focused) {
        paint(canvas->cairo, &accent);
        cairo_rectangle(canvas->cairo, round(inner.x + x - shift), inner.y + round(inner.height / 2 - 11 * s), MAX(2 * s, 1),
                        round(22 * s));
        cairo_fill(canvas->cairo);
    }
    cairo_restore(canvas->cairo);
}

static void draw_field(const Canvas *canvas, const Area *area, const Area *label, const char *name,
                       const FormField *content, FormElement element)
{
    gboolean focused = canvas->form->focus == element && !canvas->form->busy;
    g_autoptr(GString) dots = NULL;
    const char *shown = content->text;
    gsize caret = content->caret;

    write_text(canvas, name, 13.5, PANGO_WEIGHT_MEDIUM, &quiet, label, ALIGN_LEFT, FALSE);
    paint(canvas->cairo, &field);
    rounded(canvas->cairo, area, 8 * canvas->scale, 0);
    cairo_fill(canvas->cairo);
    if (element == ELEMENT_PASSWORD) {
        dots = g_string_new(NULL);
        for (const char *p = content->text; *p; p = g_utf8_next_char(p)) {
            if ((gsize)(p - content->text) == content->caret)
                caret = dots->len;
            g_string_append(dots, "●");
        }
        caret = content->text[content->caret] ? caret : dots->len;
        shown = dots->str;
    }
    draw_field_text(canvas, area, shown, caret, focused);
    draw_focus_ring(canvas, area, focused, &border);
}

static void draw_button(const Canvas *canvas, const Area *area, const char *label, gboolean main, gboolean focused,
                        gboolean usable)
{
    double s = canvas->scale;
    if (area->width <= 0)
        return;
    rounded(canvas->cairo, area, 8 * s, 0);
    paint(canvas->cairo, main ? usable ? &accent : &outline : &card);
    cairo_fill(canvas->cairo);
    if (!main)
        draw_focus_ring(canvas, area, focused, &border);
    if (main && focused && usable) {
        paint(canvas->cairo, &text);
        cairo_set_line_width(canvas->cairo, 2 * s);
        rounded(canvas->cairo, area, 10 * s, -3 * s);
        cairo_stroke(canvas->cairo);
    }
    write_text(canvas, label, 15.5, PANGO_WEIGHT_SEMIBOLD, main && usable ? &on_accent : &text, area, ALIGN_MIDDLE, FALSE);
}

static void draw_login(const Canvas *canvas, const char *message, gint64 now_us)
{
    const Layout *layout = canvas->layout;
    const Form *form = canvas->form;
    gboolean usable = !form->busy && form_retry_seconds(form, now_us) == 0;

    draw_field(canvas, &layout->user, &layout->user_label, "User name", &form->user, ELEMENT_USER);
    draw_field(canvas, &layout->password, &layout->password_label, "Password", &form->password, ELEMENT_PASSWORD);
    if (form->caps_lock)
        write_text(canvas, "Caps Lock is on", 13.5, PANGO_WEIGHT_MEDIUM, &warm, &layout->hint, ALIGN_LEFT, FALSE);
    draw_button(canvas, &layout->submit, form_submit_label(form), TRUE, form->focus == ELEMENT_SUBMIT, usable);
    write_text(canvas, message, 14, PANGO_WEIGHT_NORMAL, form->busy ? &quiet : &bad, &layout->message, ALIGN_MIDDLE, TRUE);
}

static void draw_row(const Canvas *canvas, const Area *row, const GreeterDesktop *desktop, gboolean focused)
{
    static const Colour *const colours[] = {[DESKTOP_OFF] = &border,
                                            [DESKTOP_STARTING] = &warm,
                                            [DESKTOP_RUNNING] = &good,
                                            [DESKTOP_STOPPING] = &warm,
                                            [DESKTOP_FAILED] = &bad};
    double s = canvas->scale;
    char line[160];
    Area name = {row->x + 44 * s, row->y + 9 * s, row->width - 60 * s, 21 * s};
    Area state = {name.x, row->y + 30 * s, name.width, 19 * s};

    paint(canvas->cairo, focused ? &selected : &field);
    rounded(canvas->cairo, row, 8 * s, 0);
    cairo_fill(canvas->cairo);
    draw_focus_ring(canvas, row, focused, &outline);
    paint(canvas->cairo, colours[desktop->state]);
    cairo_arc(canvas->cairo, row->x + 23 * s, row->y + row->height / 2, 5.5 * s, 0, 2 * G_PI);
    if (desktop->state == DESKTOP_OFF) {
        cairo_set_line_width(canvas->cairo, 2 * s);
        cairo_stroke(canvas->cairo);
    } else {
        cairo_fill(canvas->cairo);
    }
    write_text(canvas, desktop->name, 15.5, PANGO_WEIGHT_SEMIBOLD, &text, &name, ALIGN_LEFT, FALSE);
    g_snprintf(line, sizeof line, "%s%s%s", desktop_state_text(desktop->state), *desktop->reason ? ": " : "",
               desktop->reason);
    write_text(canvas, line, 13, PANGO_WEIGHT_NORMAL, &quiet, &state, ALIGN_LEFT, FALSE);
}

static void draw_choice(const Canvas *canvas)
{
    const Layout *layout = canvas->layout;
    const GArray *desktops = canvas->form->desktops;
    char line[96];
    for (guint i = 0; i < layout->row_count; i++) {
        guint index = layout->first_row + i;
        draw_row(canvas, &layout->rows[i], &g_array_index(desktops, GreeterDesktop, index),
                 index == canvas->form->selected);
    }
    if (layout->row_count < desktops->len)
        g_snprintf(line, sizeof line, "%u of %u.  ↑ ↓ and Enter", canvas->form->selected + 1, desktops->len);
    else
        g_snprintf(line, sizeof line, "↑ ↓ and Enter, or click");
    write_text(canvas, line, 13, PANGO_WEIGHT_NORMAL, &quiet, &layout->more, ALIGN_MIDDLE, FALSE);
}

static void draw_spinner(cairo_t *cairo, const Area *area, double scale, guint spin)
{
    double radius = area->width / 2 - 4 * scale, x = area->x + area->width / 2, y = area->y + area->height / 2;
    for (guint i = 0; i < SPIN_STEPS; i++) {
        double angle = 2 * G_PI * i / SPIN_STEPS - G_PI_2, age = (double)((spin + SPIN_STEPS - i) % SPIN_STEPS) / SPIN_STEPS;
        double light = pow(1 - age, 1.6);
        cairo_set_source_rgb(cairo, outline.r + (accent.r - outline.r) * light, outline.g + (accent.g - outline.g) * light,
                             outline.b + (accent.b - outline.b) * light);
        cairo_arc(cairo, x + radius * cos(angle), y + radius * sin(angle), 2.8 * scale, 0, 2 * G_PI);
        cairo_fill(cairo);
    }
}

static void draw_outcome(const Canvas *canvas, const char *message)
{
    const Form *form = canvas->form;
    write_text(canvas, message, 15, PANGO_WEIGHT_NORMAL, form->screen == SCREEN_FAILED ? &bad : &quiet,
               &canvas->layout->message, ALIGN_LEFT, TRUE);
    draw_button(canvas, &canvas->layout->submit, form_submit_label(form), TRUE, form->focus == ELEMENT_SUBMIT, TRUE);
    draw_button(canvas, &canvas->layout->back, "Other desktops", FALSE, form->focus == ELEMENT_BACK, TRUE);
}

static void draw_footer(const Canvas *canvas)
{
    const Form *form = canvas->form;
    char line[128];
    if (*form->keyboard && form->screen == SCREEN_LOGIN) {
        g_snprintf(line, sizeof line, "Keyboard: %s", form->keyboard);
        write_text(canvas, line, 13, PANGO_WEIGHT_NORMAL, &quiet, &canvas->layout->footer, ALIGN_LEFT, FALSE);
    }
    if (form->seconds_left >= 0 && form->screen == SCREEN_LOGIN) {
        g_snprintf(line, sizeof line, "Closes in %d s. Type to stay.", form->seconds_left);
        write_text(canvas, line, 13, PANGO_WEIGHT_MEDIUM, &warm, &canvas->layout->footer, ALIGN_RIGHT, FALSE);
    }
}

void painter_draw(Painter *painter, cairo_surface_t *surface, const Layout *layout, const Form *form, guint spin,
                  gint64 now_us)
{
    char title[128], message[SEAT_TEXT_MAX + 64];
    cairo_t *cairo = cairo_create(surface);
    Canvas canvas = {cairo, painter->layout, layout, form, layout->scale};
    const char *sentence = form_message(form, now_us, message, sizeof message);
    gboolean outcome = form->screen == SCREEN_FAILED || form->screen == SCREEN_OFF || form->screen == SCREEN_NONE;

    paint(cairo, &background);
    cairo_paint(cairo);
    draw_brand(&canvas);
    rounded(cairo, &layout->card, 16 * layout->scale, 0);
    paint(cairo, &card);
    cairo_fill_preserve(cairo);
    paint(cairo, &outline);
    cairo_set_line_width(cairo, MAX(layout->scale, 1));
    cairo_stroke(cairo);
    write_text(&canvas, form_title(form, title, sizeof title), 22, PANGO_WEIGHT_SEMIBOLD, &text, &layout->title,
               outcome || form->screen == SCREEN_LOGIN || form->screen == SCREEN_CHOICE ? ALIGN_LEFT : ALIGN_MIDDLE, FALSE);
    if (form->screen == SCREEN_LOGIN) {
        draw_login(&canvas, sentence, now_us);
    } else if (form->screen == SCREEN_CHOICE) {
        draw_choice(&canvas);
    } else if (outcome) {
        draw_outcome(&canvas, sentence);
    } else {
        draw_spinner(cairo, &layout->spinner, layout->scale, spin);
        write_text(&canvas, sentence, 14.5, PANGO_WEIGHT_NORMAL, &quiet, &layout->message, ALIGN_MIDDLE, TRUE);
        draw_button(&canvas, &layout->back, "Other desktops", FALSE, FALSE, TRUE);
    }
    draw_footer(&canvas);
    cairo_destroy(cairo);
    cairo_surface_flush(surface);
}

void painter_spin(Painter *painter, cairo_surface_t *surface, const Layout *layout, guint spin)
{
    cairo_t *cairo = cairo_create(surface);
    cairo_rectangle(cairo, layout->spinner.x, layout->spinner.y, layout->spinner.width, layout->spinner.height);
    cairo_clip(cairo);
    paint(cairo, &card);
    cairo_paint(cairo);
    draw_spinner(cairo, &layout->spinner, layout->scale, spin);
    cairo_destroy(cairo);
    cairo_surface_flush(surface);
}

Painter *painter_new(void)
{
    static const char warm_up[] = "Sign in Fernwerk abcdefghijklmnopqrstuvwxyz 0123456789 äöüßéñ ●↑↓";
    Painter *painter = g_new0(Painter, 1);
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 64, 64);
    cairo_t *cairo = cairo_create(surface);
    Area area = {0, 0, 64, 64};

    painter->context = pango_font_map_create_context(pango_cairo_font_map_get_default());
    pango_cairo_context_set_resolution(painter->context, 96);
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_SLIGHT);
    pango_cairo_context_set_font_options(painter->context, options);
    cairo_font_options_destroy(options);
    painter->layout = pango_layout_new(painter->context);
    Canvas canvas = {cairo, painter->layout, NULL, NULL, 1};
    write_text(&canvas, warm_up, 16, PANGO_WEIGHT_NORMAL, &text, &area, ALIGN_LEFT, FALSE);
    write_text(&canvas, warm_up, 16, PANGO_WEIGHT_MEDIUM, &text, &area, ALIGN_LEFT, FALSE);
    write_text(&canvas, warm_up, 16, PANGO_WEIGHT_SEMIBOLD, &text, &area, ALIGN_LEFT, FALSE);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    return painter;
}

void painter_free(Painter *painter)
{
    g_object_unref(painter->layout);
    g_object_unref(painter->context);
    g_free(painter);
}

guint32 *painter_cursor(double scale, guint *size)
{
    static const double points[][2] = {{1, 1}, {1, 17}, {5, 13.3}, {7.8, 19.5}, {10.6, 18.2}, {7.9, 12.2}, {13, 12.2}};
    *size = (guint)CLAMP(ceil(22 * scale), 16, 96);
    double s = *size / 22.0;
    guint32 *pixels = g_new0(guint32, (gsize)*size * *size);
    cairo_surface_t *surface = cairo_image_surface_create_for_data((guchar *)pixels, CAIRO_FORMAT_ARGB32, (int)*size,
                                                                   (int)*size, (int)(*size * 4));
    cairo_t *cairo = cairo_create(surface);
    for (guint i = 0; i < G_N_ELEMENTS(points); i++)
        cairo_line_to(cairo, points[i][0] * s, points[i][1] * s);
    cairo_close_path(cairo);
    cairo_set_source_rgb(cairo, 0.05, 0.05, 0.05);
    cairo_fill_preserve(cairo);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_set_line_width(cairo, 1.4 * s);
    cairo_stroke(cairo);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    return pixels;
}
