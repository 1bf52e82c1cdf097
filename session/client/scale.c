/* A smaller picture of what is shown, kept and brought up to date rectangle by rectangle. */
#include "session/client/scale.h"

#include "encoder/shrink.h"

struct Scaler {
    Shrink *shrink;
    guint source_width, source_height, width, height; /* px */
    guint32 *pixels;
    GArray *rects; /* of ViewerRect */
};

Fit fit_into(guint width, guint height, guint window_width, guint window_height)
{
    Fit fit = {.width = width, .height = height};

    if (width > window_width || height > window_height) {
        gboolean wide = (guint64)width * window_height >= (guint64)height * window_width;
        fit.width = wide ? window_width : (guint)MAX((guint64)width * window_height / height, 1);
        fit.height = wide ? (guint)MAX((guint64)height * window_width / width, 1) : window_height;
    }
    fit.x = (window_width - fit.width) / 2;
    fit.y = (window_height - fit.height) / 2;
    return fit;
}

Scaler *scaler_new(guint source_width, guint source_height, guint width, guint height)
{
    Scaler *scaler = g_new0(Scaler, 1);
    scaler->shrink = shrink_new(source_width, source_height, width, height);
    scaler->source_width = source_width;
    scaler->source_height = source_height;
    scaler->width = width;
    scaler->height = height;
    scaler->pixels = g_new0(guint32, (gsize)width * height);
    scaler->rects = g_array_new(FALSE, FALSE, sizeof(ViewerRect));
    return scaler;
}

void scaler_free(Scaler *scaler)
{
    if (!scaler)
        return;
    shrink_free(scaler->shrink);
    g_free(scaler->pixels);
    g_array_unref(scaler->rects);
    g_free(scaler);
}

void scaler_take(Scaler *scaler, const ViewerUpdate *update, ViewerUpdate *scaled)
{
    const ViewerPicture *picture = &update->picture;
    g_assert(picture->width == scaler->source_width && picture->height == scaler->source_height);

    g_array_set_size(scaler->rects, 0);
    for (guint i = 0; i < update->n_rects; i++) {
        const ViewerRect *r = &update->rects[i];
        SeatRect changed = {
            .x = (guint16)r->x, .y = (guint16)r->y, .width = (guint16)r->width, .height = (guint16)r->height};
        SeatRect part = shrink_reach(scaler->shrink, &changed);
        shrink_part(scaler->shrink, &part, picture->pixels, picture->stride, scaler->pixels);
        g_array_append_val(scaler->rects, ((ViewerRect){part.x, part.y, part.width, part.height}));
    }
    *scaled = (ViewerUpdate){.serial = update->serial,
                             .time_us = update->time_us,
                             .picture = {scaler->width, scaler->height, scaler->width * 4,
                                         picture->generation, (const guint8 *)scaler->pixels},
                             .rects = (const ViewerRect *)scaler->rects->data,
                             .n_rects = scaler->rects->len};
}
