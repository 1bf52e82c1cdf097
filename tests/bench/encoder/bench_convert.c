/* What the conversion to YUV 4:2:0 costs beside libyuv's of the same area (ARGBToJ420: full range as ours,
 * with 7-bit weights). All take turns, so that whatever else the machine does meets each of them. Prints
 * figures, judges nothing. */
#include "encoder/convert.h"

#include <libyuv/convert_from_argb.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WIDTH 1920u
#define HEIGHT 1080u
#define ROUNDS 61
#define WAYS (CONVERT_VARIANTS + 1)

typedef struct {
    const char *name;
    SeatRect rect;
    guint repeats; /* a small area alone is too short to be timed */
} Area;

static const Area areas[] = {
    {"1920x1080", {0, 0, WIDTH, HEIGHT}, 1},
    {"960x1056", {960, 24, 960, 1056}, 1},
    {"640x360", {200, 300, 640, 360}, 4},
    {"64x64", {512, 256, 64, 64}, 100},
};

static guint32 *source;
static YuvPicture planes;

static double used_us(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void libyuv(const SeatRect *rect)
{
    gsize chroma = rect->y / 2 * planes.chroma_stride + rect->x / 2;
    ARGBToJ420((const guint8 *)(source + rect->y * WIDTH + rect->x), WIDTH * 4,
               planes.y + rect->y * planes.y_stride + rect->x, (int)planes.y_stride, planes.u + chroma,
               (int)planes.chroma_stride, planes.v + chroma, (int)planes.chroma_stride, rect->width,
               rect->height);
}

static double once(guint way, const Area *area)
{
    double begin = used_us();
    for (guint i = 0; i < area->repeats; i++) {
        if (way == CONVERT_VARIANTS)
            libyuv(&area->rect);
        else
            convert_rect_as((ConvertVariant)way, &planes, &area->rect, source, WIDTH * 4, WIDTH, HEIGHT);
    }
    return (used_us() - begin) / area->repeats;
}

static void figure(const Area *area)
{
    static double used[WAYS][ROUNDS];
    for (guint round = 0; round < ROUNDS; round++)
        for (guint way = 0; way < WAYS; way++)
            used[way][round] = way == CONVERT_VARIANTS || convert_has(way) ? once(way, area) : 0;
    for (guint way = 0; way < WAYS; way++)
        qsort(used[way], ROUNDS, sizeof used[way][0], compare);
    printf("%-10s", area->name);
    for (guint way = 0; way < WAYS; way++)
        printf("  %s %7.1f us", way < CONVERT_VARIANTS ? convert_name(way) : "libyuv", used[way][ROUNDS / 2]);
    guint best = convert_best();
    printf("  %s/libyuv %.2f\n", convert_name(best),
           used[best][ROUNDS / 2] / used[CONVERT_VARIANTS][ROUNDS / 2]);
}

int main(void)
{
    guint8 *memory = g_malloc0(WIDTH * HEIGHT * 3 / 2);
    source = g_new(guint32, WIDTH * HEIGHT);
    for (guint i = 0; i < WIDTH * HEIGHT; i++)
        source[i] = i * 2654435761u;
    planes = (YuvPicture){.y = memory,
                          .u = memory + WIDTH * HEIGHT,
                          .v = memory + WIDTH * HEIGHT * 5 / 4,
                          .y_stride = WIDTH,
                          .chroma_stride = WIDTH / 2,
                          .chroma_step = 1,
                          .width = WIDTH,
                          .height = HEIGHT};
    for (guint i = 0; i < G_N_ELEMENTS(areas); i++)
        figure(&areas[i]);
}
