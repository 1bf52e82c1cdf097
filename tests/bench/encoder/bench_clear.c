/* What ClearCodec takes, in bytes and time, beside planar: the same pictures, in parts as a client sends
 * them, frame after frame through one encoder. Both take turns, so that whatever else the machine does meets
 * both. Prints figures, judges nothing. */
#include "encoder/clear.h"
#include "session/rdp/planar.h"

#include <pango/pangocairo.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define WIDTH 1536 /* px */
#define HEIGHT 832 /* px */
#define FRAMES 12
#define UPDATES (100 * FRAMES) /* of typing */

typedef void (*Painter)(cairo_t *cairo, guint frame);

typedef struct {
    guint x, y, width, height;
} Part;

static const char *const words[] = {"the",     "frame",  "of",        "a",    "desktop", "that",  "nobody",
                                    "sees",    "is",     "drawn",     "once", "and",     "never", "sent",
                                    "because", "Pixels", "(checked)", "cost", "1024",    "bytes", "each;"};

static double cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e9 + (double)used.tv_nsec;
}

static void colour(cairo_t *cairo, guint32 rgb)
{
    cairo_set_source_rgb(cairo, (rgb >> 16 & 0xff) / 255.0, (rgb >> 8 & 0xff) / 255.0, (rgb & 0xff) / 255.0);
}

static void box(cairo_t *cairo, double x, double y, double width, double height, guint32 rgb)
{
    colour(cairo, rgb);
    cairo_rectangle(cairo, x, y, width, height);
    cairo_fill(cairo);
}

static void line_of_text(cairo_t *cairo, const char *font, double x, double y, guint seed, guint n,
                         guint32 rgb)
{
    g_autoptr(GString) text = g_string_new(NULL);
    PangoLayout *layout = pango_cairo_create_layout(cairo);
    PangoFontDescription *description = pango_font_description_from_string(font);

    for (guint i = 0; i < n; i++) {
        seed = seed * 1103515245 + 12345;
        g_string_append_printf(text, "%s ", words[(seed >> 16) % G_N_ELEMENTS(words)]);
    }
    pango_layout_set_font_description(layout, description);
    pango_layout_set_text(layout, text->str, -1);
    colour(cairo, rgb);
    cairo_move_to(cairo, x, y);
    pango_cairo_show_layout(cairo, layout);
    pango_font_description_free(description);
    g_object_unref(layout);
}

static void terminal(cairo_t *cairo, guint frame)
{
    static const guint32 inks[] = {0xd0d0d0, 0xd0d0d0, 0x8ae234, 0x729fcf, 0xef2929};
    box(cairo, 0, 0, WIDTH, HEIGHT, 0x1e1e1e);
    for (guint row = 0; row < HEIGHT / 17; row++) {
        guint line = row + frame * 3;
        line_of_text(cairo, "Monospace 10", 4, row * 17, line * 7 + 1, 3 + line * 5 % 19, inks[line * 3 % 5]);
    }
}

static void document(cairo_t *cairo, guint frame)
{
    box(cairo, 0, 0, WIDTH, HEIGHT, 0xffffff);
    for (guint row = 0; row < HEIGHT / 21; row++)
        line_of_text(cairo, "Sans 11", 90, row * 21, (row + frame * 2) * 11 + 5,
                     (row + frame * 2) % 9 ? 24 : 4, 0x202020);
}

static void interface(cairo_t *cairo, guint frame)
{
    box(cairo, 0, 0, WIDTH, HEIGHT, 0xf6f5f4);
    box(cairo, 0, 0, 230, HEIGHT, 0xebebeb);
    box(cairo, 0, 0, WIDTH, 46, 0xdeddda);
    for (guint i = 0; i < 20; i++) {
        guint x = 250 + i % 5 * 250, y = 70 + i / 5 * 180;
        box(cairo, x, y, 220, 150, 0xcdc7c2);
        box(cairo, x + 1, y + 1, 218, 148, i == frame ? 0x3584e4 : 0xffffff);
        line_of_text(cairo, "Sans 10", x + 12, y + 116, i, 4, i == frame ? 0xffffff : 0x2e3436);
        line_of_text(cairo, "Sans 10", 20, 60 + i * 34, i * 3, 3, 0x2e3436);
    }
}

static void photo(cairo_t *cairo, guint frame)
{
    cairo_surface_t *surface = cairo_get_target(cairo);
    cairo_surface_flush(surface);
    guint8 *pixels = cairo_image_surface_get_data(surface);
    guint seed = frame + 1;
    for (guint y = 0; y < HEIGHT; y++)
        for (guint x = 0; x < WIDTH; x++) {
            guint8 *p = pixels + (gsize)y * (gsize)cairo_image_surface_get_stride(surface) + 4 * x;
            seed = seed * 1103515245 + 12345;
            p[0] = (guint8)(x / 8 + y / 16 + (seed >> 28));
            p[1] = (guint8)(x / 16 + y / 8 + frame + (seed >> 24 & 7));
            p[2] = (guint8)(180 - y / 12 + (seed >> 20 & 7));
        }
    cairo_surface_mark_dirty(surface);
}

static void gradient(cairo_t *cairo, guint frame)
{
    cairo_pattern_t *pattern = cairo_pattern_create_linear(0, 0, WIDTH, HEIGHT);
    cairo_pattern_add_color_stop_rgb(pattern, 0, 0.1, 0.2, 0.5 + 0.02 * frame);
    cairo_pattern_add_color_stop_rgb(pattern, 1, 0.6, 0.3, 0.2);
    cairo_set_source(cairo, pattern);
    cairo_paint(cairo);
    cairo_pattern_destroy(pattern);
}

/* ---- */

typedef struct {
    double clear_ns, planar_ns, pixels;
    gsize clear_bytes, planar_bytes, cold_bytes, larger, parts;
} Sum;

static void send_part(Clear *clear, cairo_surface_t *surface, const Part *part, Sum *sum)
{
    static guint8 out[MAX(CLEAR_SIZE_MAX(CLEAR_WIDTH_MAX, CLEAR_HEIGHT_MAX), PLANAR_SIZE_MAX)];
    gsize stride = (gsize)cairo_image_surface_get_stride(surface);
    const guint8 *pixels = cairo_image_surface_get_data(surface) + part->y * stride + 4 * (gsize)part->x;

    double start = cpu_ns();
    clear_measure(clear, pixels, stride, part->width, part->height);
    gsize ours = clear_write(clear, out);
    double between = cpu_ns();
    gsize planar = planar_encode(pixels, stride, part->width, part->height, PLANAR_PLAIN, out);
    double end = cpu_ns();
    sum->clear_ns += between - start;
    sum->planar_ns += end - between;
    sum->clear_bytes += ours;
    sum->planar_bytes += planar;
    sum->larger += ours > planar;
    sum->parts++;
    sum->pixels += part->width * part->height;
}

/* A rectangle in the parts in which a client sends it. */
static void send_parts(Clear *clear, cairo_surface_t *surface, const Part *whole, Sum *sum)
{
    for (guint y = 0; y < whole->height; y += CLEAR_HEIGHT_MAX)
        for (guint x = 0; x < whole->width; x += CLEAR_WIDTH_MAX) {
            Part part = {whole->x + x, whole->y + y, MIN(CLEAR_WIDTH_MAX, whole->width - x),
                         MIN(CLEAR_HEIGHT_MAX, whole->height - y)};
            send_part(clear, surface, &part, sum);
        }
}

static void print(const char *name, const Sum *sum)
{
    printf("%-22s %8.0f bytes, planar %8.0f (%5.1f times), first %8zu; %5.2f ns/px, planar %5.2f; larger in "
           "%zu of %zu parts\n",
           name, (double)sum->clear_bytes / FRAMES, (double)sum->planar_bytes / FRAMES,
           (double)sum->planar_bytes / (double)sum->clear_bytes, sum->cold_bytes, sum->clear_ns / sum->pixels,
           sum->planar_ns / sum->pixels, sum->larger, sum->parts);
}

static void figure(const char *name, Painter paint)
{
    g_autoptr(Clear) clear = clear_new();
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH, HEIGHT);
    cairo_t *cairo = cairo_create(surface);
    Part all = {0, 0, WIDTH, HEIGHT};
    Sum sum = {0};

    for (guint frame = 0; frame < FRAMES; frame++) {
        paint(cairo, frame);
        cairo_surface_flush(surface);
        send_parts(clear, surface, &all, &sum);
        if (frame == 0)
            sum.cold_bytes = sum.clear_bytes;
    }
    print(name, &sum);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
}

/* One character after another, and a caret that blinks: what changed, on whole cells of `cell` px. */
static void typing(const char *name, guint cell)
{
    g_autoptr(Clear) clear = clear_new();
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH, HEIGHT);
    cairo_t *cairo = cairo_create(surface);
    Sum sum = {0};

    box(cairo, 0, 0, WIDTH, HEIGHT, 0xffffff);
    for (guint i = 0; i < UPDATES; i++) {
        char letter[] = {(char)('a' + i * 7 % 26), 0};
        guint x = 100 + i % 100 * 9, y = 105 + i / 100 * 34;
        PangoLayout *layout = pango_cairo_create_layout(cairo);
        box(cairo, x - 9, y, 27, 17, 0xffffff);
        box(cairo, x + 9, y, 1, 17, i % 2 ? 0x000000 : 0xffffff);
        pango_layout_set_text(layout, letter, -1);
        colour(cairo, 0x202020);
        cairo_move_to(cairo, x, y);
        pango_cairo_show_layout(cairo, layout);
        g_object_unref(layout);
        cairo_surface_flush(surface);
        guint left = x / cell * cell, top = y / cell * cell;
        Part part = {left, top, (x + 10 + cell - 1) / cell * cell - left,
                     (y + 17 + cell - 1) / cell * cell - top};
        send_parts(clear, surface, &part, &sum);
        if (i < UPDATES / FRAMES)
            sum.cold_bytes = sum.clear_bytes;
    }
    print(name, &sum);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
}

int main(void)
{
    printf("%u frames of %u x %u, bytes a frame; of typing, bytes of %u updates\n", FRAMES, WIDTH, HEIGHT,
           UPDATES / FRAMES);
    typing("typing, exact", 1);
    typing("typing, 16 px cells", 16);
    typing("typing, 64 px cells", 64);
    figure("terminal, scrolled", terminal);
    figure("document, scrolled", document);
    figure("flat interface", interface);
    figure("gradient", gradient);
    figure("photograph-like", photo);
}
