/* What the search for moves costs in a frame of 1920 x 1080 px, and what it finds. Prints figures, judges
 * nothing. */
#include "encoder/scroll.h"
#include "tests/unit/encoder/scenes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WIDTH 1920
#define HEIGHT 1080
#define ROUNDS 61

typedef struct {
    const char *name;
    void (*draw)(Scene *scene, guint frame);
} Workload;

static const ScenePart all = {0, 0, WIDTH, HEIGHT};

static void terminal(Scene *scene, guint frame)
{
    scene_sheet(scene, (ScenePart){2, 30, WIDTH - 4, 61 * 17}, SCENE_TEXT, 1, 0, (gint)frame * 17);
}

static void document(Scene *scene, guint frame)
{
    scene_sheet(scene, (ScenePart){260, 90, 1400, 960}, SCENE_TEXT, 2, -40, (gint)frame * 53);
}

static void aside(Scene *scene, guint frame)
{
    scene_sheet(scene, (ScenePart){60, 90, 1800, 960}, SCENE_TEXT, 2, (gint)frame * 7, 0);
}

static void drag(Scene *scene, guint frame)
{
    ScenePart window = {100 + (gint)frame * 13, 80 + (gint)frame * 7, 900, 600};
    scene_sheet(scene, all, SCENE_PHOTO, 3, 0, 0);
    scene_sheet(scene, window, SCENE_TEXT, 4, 0, 0);
}

static void film_half(Scene *scene, guint frame)
{
    scene_noise(scene, (ScenePart){300, 200, WIDTH / 2, HEIGHT});
}

static void film(Scene *scene, guint frame)
{
    scene_noise(scene, all);
}

/* Each line stands for itself but says nearly nothing: most guesses look good at first. */
static void stripes(Scene *scene, guint frame)
{
    scene_sheet(scene, all, SCENE_CHECKS, 5 + frame % 2, 0, (gint)frame * 3);
}

static void typing(Scene *scene, guint frame)
{
    scene_noise(scene, (ScenePart){(gint)(frame * 9), 500, 9, 15});
}

static const Workload workloads[] = {
    {"terminal scroll", terminal}, {"document scroll", document},
    {"text pushed aside", aside},  {"window drag", drag},
    {"film in a part", film_half}, {"film everywhere", film},
    {"periodic pattern", stripes}, {"typing", typing},
};

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

static void figure(const Workload *workload)
{
    g_autoptr(Scene) scene = scene_new(WIDTH, HEIGHT, 1);
    g_autoptr(Scroll) scroll = scroll_new(WIDTH, HEIGHT);
    g_autoptr(Damage) left = damage_new(WIDTH, HEIGHT);
    guint64 damaged = 0, rest = 0;
    ScrollMove moves[SCROLL_MOVES_MAX];
    double used[ROUNDS], sum = 0;
    guint count = 0;

    for (guint i = 0; i <= ROUNDS; i++) {
        workload->draw(scene, i);
        scene_frame(scene);
        if (i == 0)
            continue;
        double start = cpu_ms();
        count += scroll_find(scroll, scene->shadow, scene->undo, scene->damage, left, moves);
        used[i - 1] = cpu_ms() - start;
        sum += used[i - 1];
        damaged += damage_area(scene->damage);
        rest += damage_area(left);
    }
    qsort(used, ROUNDS, sizeof *used, compare);
    printf(
        "%-18s %6.3f ms of processor a frame (half of them under %.3f, worst %.3f), %.1f moves, %.1f of %.1f "
        "thousand px left\n",
        workload->name, sum / ROUNDS, used[ROUNDS / 2], used[ROUNDS - 1], (double)count / ROUNDS,
        (double)rest / ROUNDS / 1e3, (double)damaged / ROUNDS / 1e3);
}

/* With an argument only that workload. */
int main(int argc, char *argv[])
{
    for (guint i = 0; i < G_N_ELEMENTS(workloads); i++)
        if (argc < 2 || g_str_equal(argv[1], workloads[i].name))
            figure(&workloads[i]);
}
