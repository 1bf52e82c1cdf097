/* Paints the greeter's screen with Cairo and Pango. One thread. */
#pragma once

#include "session/greeter/layout.h"

#include <cairo.h>

typedef struct Painter Painter;

/* Loads the fonts (the slow part: some 50 ms), so that the first screen is there at once. */
Painter *painter_new(void);
void painter_free(Painter *painter);

/* Paints the whole screen into `surface` (CAIRO_FORMAT_RGB24, the layout's size); `spin`: step of the animation. */
void painter_draw(Painter *painter, cairo_surface_t *surface, const Layout *layout, const Form *form, guint spin,
                  gint64 now_us);
/* Paints the animation alone: its area. */
void painter_spin(Painter *painter, cairo_surface_t *surface, const Layout *layout, guint spin);

/* Draws the pointer: premultiplied ARGB8888, *size x *size px, the hot spot at its top left. Caller frees. */
guint32 *painter_cursor(double scale, guint *size);
