/* What the way from a changed source to a list of rectangles costs: compare-and-copy in each variant beside
 * memcmp() and memcpy() of the same area, and the maps that follow. All take turns, so that whatever else the
 * machine does meets each of them. Prints figures, judges nothing. */
#include "encoder/shadow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WIDTH 1920
#define HEIGHT 1080
#define ROUNDS 31
#define CELLS 240 /* characters typed all over the screen: one alone is too short to be timed */
#define WAYS (COMPARE_VARIANTS + 3)

typedef enum { UNCHANGED, ONE_CELL, ALL } Change;

typedef struct {
    const char *name;
    CompareTile *tile; /* NULL: memcmp() or memcpy() */
    gboolean copies;
} Way;

typedef struct {
    Shadow *shadow;
    Damage *changed;
    guint32 *source;
    guint32 value;
} Rig;

static const SeatRect whole = {.width = WIDTH, .height = HEIGHT};

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

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, compare);
    return values[ROUNDS / 2];
}

/* As the shadow once did it: rows that differ are read up to three times. */
static CompareBounds several_passes(const ComparePart *part, _Atomic guint32 *version)
{
    CompareBounds found = {.left = part->width};
    gsize bytes = part->width * 4;

    for (guint y = 0; y < part->height; y++) {
        const guint8 *source = part->source + y * part->source_stride;
        guint8 *target = part->target + y * part->target_stride;
        guint left = 0, right = part->width;
        if (memcmp(source, target, bytes) == 0)
            continue;
        if (found.right == 0)
            found.top = y;
        while (left < found.left && memcmp(source + left * 4, target + left * 4, 4) == 0)
            left++;
        while (right > found.right && memcmp(source + right * 4 - 4, target + right * 4 - 4, 4) == 0)
            right--;
        found = (CompareBounds){MIN(found.left, left), found.top, MAX(found.right, right), y + 1};
        memcpy(target, source, bytes);
    }
    if (found.right > 0)
        *version += 2;
    return found;
}

static void by_rows(const Rig *rig, const SeatRect *rect, gboolean copy)
{
    gsize stride = shadow_layout(rig->shadow)->stride;
    int differs = 0;

    for (guint y = rect->y; y < (guint)rect->y + rect->height; y++) {
        guint8 *target = (guint8 *)shadow_pixels(rig->shadow) + y * stride + rect->x * 4u;
        const guint8 *source = (const guint8 *)rig->source + y * (WIDTH * 4u) + rect->x * 4u;
        if (copy)
            memcpy(target, source, rect->width * 4u);
        else
            differs |= memcmp(target, source, rect->width * 4u);
    }
    if (differs) /* the compiler must not see that nobody wants to know */
        abort();
}

static SeatRect cell(guint i)
{
    return (SeatRect){.x = (i % 16) * 118 + 5, .y = (i / 16) * 71 + 3, .width = 8, .height = 16};
}

static void paint(Rig *rig, const SeatRect *rect)
{
    for (guint y = rect->y; y < (guint)rect->y + rect->height; y++)
        for (guint x = rect->x; x < (guint)rect->x + rect->width; x++)
            rig->source[y * WIDTH + x] ^= rig->value;
}

static void change(Rig *rig, Change what, gboolean hints)
{
    rig->value = rig->value * 1664525u + 1013904223u;
    if (what == ALL)
        paint(rig, &whole);
    for (guint i = 0; what == ONE_CELL && i < (hints ? CELLS : 1); i++) {
        const SeatRect rect = cell(i);
        paint(rig, &rect);
    }
}

static void flush(const void *memory, gsize size)
{
#if defined(__x86_64__)
    for (gsize i = 0; i < size; i += 64)
        __builtin_ia32_clflush((const char *)memory + i);
    __builtin_ia32_mfence();
#endif
}

static void synchronize(Rig *rig)
{
    shadow_compare_with(rig->shadow, compare_best());
    shadow_update(rig->shadow, &whole, rig->source, WIDTH * 4, rig->changed);
    damage_clear(rig->changed);
}

static void run(Rig *rig, const Way *way, const SeatRect *rect)
{
    if (way->tile)
        shadow_update(rig->shadow, rect, rig->source, WIDTH * 4, rig->changed);
    else
        by_rows(rig, rect, way->copies);
}

/* One frame, in us, or one character of those of a frame. */
static double once(Rig *rig, const Way *way, Change what, gboolean hints, gboolean cold)
{
    change(rig, what, hints);
    if (!way->tile && !way->copies)
        synchronize(rig); /* memcmp() would end at the first difference */
    if (way->tile)
        shadow_compare_with(rig->shadow, way->tile);
    if (cold) {
        flush(rig->source, WIDTH * 4 * HEIGHT);
        flush(shadow_pixels(rig->shadow), (gsize)shadow_layout(rig->shadow)->stride * HEIGHT);
    }
    double start = used_us();
    if (!hints)
        run(rig, way, &whole);
    for (guint i = 0; hints && i < CELLS; i++) {
        const SeatRect rect = cell(i);
        run(rig, way, &rect);
    }
    double took = used_us() - start;
    damage_clear(rig->changed);
    synchronize(rig);
    return hints ? took / CELLS : took;
}

static void figure(Rig *rig, const Way *ways, guint count, const char *title, Change what, gboolean hints)
{
    for (gboolean cold = FALSE; cold <= TRUE; cold++) {
        double times[WAYS][ROUNDS], base;
        for (guint round = 0; round < ROUNDS; round++)
            for (guint i = 0; i < count; i++) {
                guint way = (i + round) % count;
                times[way][round] = once(rig, &ways[way], what, hints, cold);
            }
        base = median(times[0]);
        printf("%s, %s:\n", title, cold ? "cold" : "warm");
        for (guint i = 0; i < count; i++) {
            double middle = median(times[i]);
            printf("  %-15s %9.3f us  %5.2f\n", ways[i].name, middle, middle / base);
        }
    }
}

/* What the maps of a frame cost, with two clients, at the screen's and at the largest size. */
static void maps(guint width, guint height, guint cells, const char *title)
{
    g_autoptr(Damage) changed = damage_new(width, height), unencoded = damage_new(width, height);
    Damage *pending[2] = {damage_new(width, height), damage_new(width, height)};
    SeatRect rects[SEAT_RECTS_MAX];
    double times[ROUNDS];
    enum { FRAMES = 200 };

    for (guint round = 0; round < ROUNDS; round++) {
        double start = used_us();
        for (guint frame = 0; frame < FRAMES; frame++) {
            damage_clear(changed);
            for (guint i = 0; i < cells; i++) {
                const SeatRect rect = cell(i);
                damage_add(changed, rect.x, rect.y, rect.width, rect.height);
            }
            if (cells == 0)
                damage_add_all(changed);
            damage_add_map(unencoded, changed);
            for (guint i = 0; i < 2; i++) {
                damage_add_map(pending[i], changed);
                damage_rects(pending[i], rects);
                damage_clear(pending[i]);
            }
            damage_clear(unencoded);
        }
        times[round] = (used_us() - start) / FRAMES;
    }
    damage_free(pending[0]);
    damage_free(pending[1]);
    printf("maps of a frame, 2 clients, %s, %ux%u: %.2f us\n", title, width, height,
           median(times));
}

int main(void)
{
    g_autoptr(Shadow) shadow = shadow_new(WIDTH, HEIGHT, 1, NULL);
    g_autoptr(Damage) changed = damage_new(WIDTH, HEIGHT);
    void *source = NULL;
    Rig rig = {shadow, changed, NULL, 1};
    Way ways[WAYS] = {
        {"memcmp", NULL, FALSE}, {"memcpy", NULL, TRUE}, {"several passes", several_passes, FALSE}};
    guint count = 3;

    if (!shadow || sealed_memory_new("source", WIDTH * 4 * HEIGHT, &source, NULL) < 0)
        return EXIT_FAILURE;
    rig.source = source;
    for (guint i = 0; i < WIDTH * HEIGHT; i++)
        rig.source[i] = i * 2654435761u;
    synchronize(&rig);
    for (guint i = 0; i < COMPARE_VARIANTS; i++)
        if (compare_variant(i))
            ways[count++] = (Way){compare_name(i), compare_variant(i), FALSE};
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("medians of %d rounds taken in turn, and how often they are the first line\n", ROUNDS);
    figure(&rig, ways, count, "1920x1080 without a change", UNCHANGED, FALSE);
    figure(&rig, ways, count, "1920x1080, a character changed", ONE_CELL, FALSE);
    figure(&rig, ways, count, "1920x1080, all changed", ALL, FALSE);
    figure(&rig, ways, count, "a character of 8x16, unchanged", UNCHANGED, TRUE);
    figure(&rig, ways, count, "a character of 8x16, changed", ONE_CELL, TRUE);
    maps(WIDTH, HEIGHT, 1, "a character");
    maps(WIDTH, HEIGHT, CELLS, "240 characters");
    maps(WIDTH, HEIGHT, 0, "all");
    maps(SEAT_WIDTH_MAX, SEAT_WIDTH_MAX, 1, "a character");
    return EXIT_SUCCESS;
}
