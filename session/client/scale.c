/* Scaling down by the mean of all pixels that a new one covers: nothing that is one pixel thin gets lost, and
 * a part comes out as it would in the whole. */
#include "session/client/scale.h"

#define ONE 256u /* a pixel of the source, in the parts that are weighed */

struct Scaler {
    guint width, height; /* px */
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

Scaler *scaler_new(guint width, guint height)
{
    Scaler *scaler = g_new0(Scaler, 1);
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
    g_free(scaler->pixels);
    g_array_unref(scaler->rects);
    g_free(scaler);
}

/* The part of the source that a new pixel covers along one axis, in parts of a pixel. */
typedef struct {
    guint from, to;
} Span;

static Span span(guint at, guint size, guint source)
{
    return (Span){(guint)((guint64)at * source * ONE / size),
                  (guint)((guint64)(at + 1) * source * ONE / size)};
}

static guint share(Span s, guint at)
{
    return MIN(s.to, (at + 1) * ONE) - MAX(s.from, at * ONE);
}

static guint32 mean(const ViewerPicture *picture, Span across, Span down)
{
    guint64 sums[3] = {0}, whole = (guint64)(across.to - across.from) * (down.to - down.from);

    for (guint y = down.from / ONE; y * ONE < down.to; y++) {
        const guint8 *row = picture->pixels + (gsize)y * picture->stride;
        guint rows = share(down, y);
        for (guint x = across.from / ONE; x * ONE < across.to; x++) {
            guint weight = rows * share(across, x);
            for (guint c = 0; c < 3; c++)
                sums[c] += (guint64)weight * row[x * 4 + c];
        }
    }
    guint32 result = 0xff000000;
    for (guint c = 0; c < 3; c++)
        result |= (guint32)((sums[c] + whole / 2) / whole) << (8 * c);
    return result;
}

static ViewerRect scale_rect(const Scaler *scaler, const ViewerPicture *picture, const ViewerRect *rect)
{
    guint x0 = (guint)((guint64)rect->x * scaler->width / picture->width);
    guint y0 = (guint)((guint64)rect->y * scaler->height / picture->height);
    guint x1 =
        (guint)(((guint64)(rect->x + rect->width) * scaler->width + picture->width - 1) / picture->width);
    guint y1 =
        (guint)(((guint64)(rect->y + rect->height) * scaler->height + picture->height - 1) / picture->height);
    return (ViewerRect){x0, y0, x1 - x0, y1 - y0};
}

void scaler_take(Scaler *scaler, const ViewerUpdate *update, ViewerUpdate *scaled)
{
    const ViewerPicture *picture = &update->picture;

    g_array_set_size(scaler->rects, 0);
    for (guint i = 0; i < update->n_rects; i++) {
        ViewerRect r = scale_rect(scaler, picture, &update->rects[i]);
        for (guint y = r.y; y < r.y + r.height; y++) {
            Span down = span(y, scaler->height, picture->height);
            for (guint x = r.x; x < r.x + r.width; x++)
                scaler->pixels[(gsize)y * scaler->width + x] =
                    mean(picture, span(x, scaler->width, picture->width), down);
        }
        g_array_append_val(scaler->rects, r);
    }
    *scaled = (ViewerUpdate){.serial = update->serial,
                             .time_us = update->time_us,
                             .picture = {scaler->width, scaler->height, scaler->width * 4,
                                         picture->generation, (const guint8 *)scaler->pixels},
                             .rects = (const ViewerRect *)scaler->rects->data,
                             .n_rects = scaler->rects->len};
}
