/* What a picture costs that is larger than the client's window, beside the plain way, which weighs every
 * pixel of the source anew for every new one. Both take turns, so that whatever else the machine does meets
 * both. Prints figures, judges nothing. */
#include "session/client/scale.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 15
#define ONE 256u /* a pixel of the source, in the parts that are weighed */

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
    guint32 result = 0xff000000;

    for (guint y = down.from / ONE; y * ONE < down.to; y++) {
        const guint8 *row = picture->pixels + (gsize)y * picture->stride;
        guint rows = share(down, y);
        for (guint x = across.from / ONE; x * ONE < across.to; x++) {
            guint weight = rows * share(across, x);
            for (guint c = 0; c < 3; c++)
                sums[c] += (guint64)weight * row[x * 4 + c];
        }
    }
    for (guint c = 0; c < 3; c++)
        result |= (guint32)((sums[c] + whole / 2) / whole) << (8 * c);
    return result;
}

static void plain(const ViewerPicture *picture, guint to_width, guint to_height, guint32 *result)
{
    for (guint y = 0; y < to_height; y++) {
        Span down = span(y, to_height, picture->height);
        for (guint x = 0; x < to_width; x++)
            *result++ = mean(picture, span(x, to_width, picture->width), down);
    }
}

static double cpu_ms(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, compare);
    return values[ROUNDS / 2];
}

static void figure(guint width, guint height, guint to_width, guint to_height)
{
    g_autoptr(Scaler) scaler = scaler_new(width, height, to_width, to_height);
    g_autofree guint32 *pixels = g_new(guint32, (gsize)width * height);
    g_autofree guint32 *result = g_new(guint32, (gsize)to_width * to_height);
    ViewerRect all = {0, 0, width, height};
    ViewerUpdate scaled, update = {.picture = {width, height, width * 4, 1, (const guint8 *)pixels},
                                   .rects = &all,
                                   .n_rects = 1};
    double ours[ROUNDS], theirs[ROUNDS];

    for (gsize i = 0; i < (gsize)width * height; i++)
        pixels[i] = (guint32)i * 2654435761u;
    for (guint i = 0; i < ROUNDS; i++) {
        double start = cpu_ms();
        scaler_take(scaler, &update, &scaled);
        double between = cpu_ms();
        plain(&update.picture, to_width, to_height, result);
        ours[i] = between - start;
        theirs[i] = cpu_ms() - between;
    }
    double mine = median(ours), other = median(theirs);
    printf("%ux%u to %ux%u: %.2f ms of processor, the plain way %.2f ms: %.1f times as much\n", width, height,
           to_width, to_height, mine, other, other / mine);
}

int main(void)
{
    figure(1920, 1080, 1366, 768);
    figure(3840, 2160, 1920, 1080);
    figure(3840, 2160, 1366, 768);
}
