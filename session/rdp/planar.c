/* The planar encoder: each plane as differences to the row before, each row as runs. */
#include "session/rdp/planar.h"

#include <string.h>

#define FLAG_RLE 0x10
#define FLAG_NO_ALPHA 0x20
#define RUN_MIN 3
#define RUN_MIN_FOR_BULK 24
/* Four planes at two bytes a pixel and three a row fit, so those with alpha never need the raw form. */
G_STATIC_ASSERT(4 * (2 * PLANAR_ALPHA_WIDTH_MAX + 3) * PLANAR_HEIGHT_MAX + 1 <= PLANAR_SIZE_MAX);

typedef struct {
    const guint8 *pixels;
    gsize stride;
    guint width, height;
    PlanarFlags flags;
} Source;

static const guint8 *source_row(const Source *source, guint y)
{
    return source->pixels +
           (gsize)(source->flags & PLANAR_BOTTOM_UP ? source->height - 1 - y : y) * source->stride;
}

/* One run of `length` equal bytes; the byte itself was sent before, or is the zero a row begins with. */
static guint8 *put_run(guint8 *out, guint length)
{
    while (length >= 16) {
        guint part = MIN(length, 47);
        /* What remains must be a run that can be written, or nothing. */
        if (length > part && length - part < RUN_MIN)
            part -= RUN_MIN;
        *out++ = part < 32 ? (guint8)((part - 16) << 4 | 1) : (guint8)((part - 32) << 4 | 2);
        length -= part;
    }
    if (length >= RUN_MIN)
        *out++ = (guint8)length;
    return out;
}

/* `raw` bytes as they are, then a run of the last of them (run 0, or RUN_MIN and more). */
static guint8 *put_segment(guint8 *out, const guint8 *bytes, guint raw, guint run)
{
    while (raw > 15) {
        *out++ = 15 << 4;
        memcpy(out, bytes, 15);
        out += 15;
        bytes += 15;
        raw -= 15;
    }
    if (raw == 0)
        return put_run(out, run);
    guint here = run > 15 ? 15 : run;
    if (run > here && run - here < RUN_MIN)
        here -= RUN_MIN;
    *out++ = (guint8)(raw << 4 | here);
    memcpy(out, bytes, raw);
    return put_run(out + raw, run - here);
}

/* Encodes one row with runs of run_min bytes or more; writes at most two bytes for each and three more, with
 * RUN_MIN_FOR_BULK no more than PLANAR_SIZE_MAX counts. */
static guint8 *put_row(guint8 *out, const guint8 *row, guint width, guint run_min)
{
    guint start = 0, i = 0;
    guint8 last = 0;

    while (i < width) {
        guint run = 0;
        while (i + run < width && row[i + run] == last)
            run++;
        if (run >= run_min) {
            out = put_segment(out, row + start, i - start, run);
            i += run;
            start = i;
        } else {
            i += run;
        }
        if (i < width)
            last = row[i++];
    }
    return put_segment(out, row + start, width - start, 0);
}

static guint8 fold(guint8 now, guint8 before)
{
    gint8 difference = (gint8)(now - before);
    return difference < 0 ? (guint8)(((guint)-difference << 1) - 1) : (guint8)(difference << 1);
}

/* Returns the end of the plane's data, or NULL when it might not fit before `limit` (NULL: none). */
static guint8 *put_plane(guint8 *out, const guint8 *limit, const Source *source, guint channel)
{
    guint8 row[PLANAR_WIDTH_MAX];
    const guint8 *before = NULL;
    guint run_min = source->flags & PLANAR_FOR_BULK ? RUN_MIN_FOR_BULK : RUN_MIN;

    for (guint y = 0; y < source->height; y++) {
        const guint8 *now = source_row(source, y) + channel;
        if (limit && (gsize)(limit - out) < 2 * (gsize)source->width + 3)
            return NULL;
        for (guint x = 0; x < source->width; x++)
            row[x] = before ? fold(now[4 * x], before[4 * x]) : now[4 * x];
        out = put_row(out, row, source->width, run_min);
        before = now;
    }
    return out;
}

static gsize encode_raw(const Source *source, guint8 *out)
{
    guint8 *at = out;
    *at++ = FLAG_NO_ALPHA;
    for (guint channel = 3; channel-- > 0;)
        for (guint y = 0; y < source->height; y++) {
            const guint8 *row = source_row(source, y) + channel;
            for (guint x = 0; x < source->width; x++)
                *at++ = row[4 * x];
        }
    *at++ = 0;
    return (gsize)(at - out);
}

/* The plane of a picture that is opaque everywhere. */
static guint8 *put_opaque(guint8 *out, const Source *source)
{
    guint8 row[PLANAR_ALPHA_WIDTH_MAX];

    memset(row, 0xff, source->width);
    for (guint y = 0; y < source->height; y++) {
        out = put_row(out, row, source->width, RUN_MIN);
        memset(row, 0, source->width); /* no difference to the row before */
    }
    return out;
}

gsize planar_encode(const guint8 *pixels, gsize stride, guint width, guint height, PlanarFlags flags,
                    guint8 *out)
{
    const Source source = {pixels, stride, width, height, flags};
    gboolean alpha = (flags & PLANAR_ALPHA) != 0;
    /* As long as the raw form. */
    const guint8 *limit =
        flags & (PLANAR_ALPHA | PLANAR_FOR_BULK) ? NULL : out + (gsize)width * height * 3 + 2;
    guint8 *at = out;

    g_assert(width <= (alpha ? PLANAR_ALPHA_WIDTH_MAX : PLANAR_WIDTH_MAX) && height <= PLANAR_HEIGHT_MAX);
    *at++ = alpha ? FLAG_RLE : FLAG_NO_ALPHA | FLAG_RLE;
    if (alpha)
        at = put_opaque(at, &source);
    for (guint channel = 3; at && channel-- > 0;)
        at = put_plane(at, limit, &source, channel);
    return at ? (gsize)(at - out) : encode_raw(&source, out);
}
