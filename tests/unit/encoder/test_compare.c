/* Compare-and-copy: each variant against a naive one, and under sources and readers that do not wait. */
#include "encoder/shadow.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

/* ---- random updates, against pixels compared one by one ---- */

typedef struct {
    guint width, height, tiles_x, tiles;
    guint32 *pixels, *versions; /* what the shadow should hold */
    guint8 *source;             /* somewhere in memory */
    gsize stride;
    guint8 *memory;
} Naive;

static void naive_init(Naive *naive, GRand *random)
{
    naive->width = (guint)g_rand_int_range(random, 1, 300);
    naive->height = (guint)g_rand_int_range(random, 1, 200);
    naive->tiles_x = (naive->width + SEAT_TILE - 1) / SEAT_TILE;
    naive->tiles = naive->tiles_x * ((naive->height + SEAT_TILE - 1) / SEAT_TILE);
    naive->pixels = g_new0(guint32, naive->width * naive->height);
    naive->versions = g_new0(guint32, naive->tiles);
    naive->stride = naive->width * 4 + (gsize)g_rand_int_range(random, 0, 70);
    naive->memory = g_malloc0(naive->stride * naive->height + 64);
    naive->source = naive->memory + g_rand_int_range(random, 0, 64);
}

static void naive_clear(Naive *naive)
{
    g_free(naive->pixels);
    g_free(naive->versions);
    g_free(naive->memory);
}

static SeatRect random_rect(const Naive *naive, GRand *random)
{
    SeatRect rect = {.x = (guint16)g_rand_int_range(random, 0, (gint)naive->width),
                     .y = (guint16)g_rand_int_range(random, 0, (gint)naive->height)};
    gboolean small = g_rand_boolean(random);
    rect.width = (guint16)g_rand_int_range(random, 1, small ? 20 : (gint)naive->width + 1);
    rect.height = (guint16)g_rand_int_range(random, 1, small ? 20 : (gint)naive->height + 1);
    return rect;
}

/* One byte of a pixel, the unused one too, or all of a rectangle. */
static void change_source(Naive *naive, GRand *random)
{
    SeatRect rect = random_rect(naive, random);
    if (g_rand_int_range(random, 0, 3) > 0) {
        gsize at = rect.y * naive->stride + rect.x * 4u + (gsize)g_rand_int_range(random, 0, 4);
        naive->source[at] = (guint8)g_rand_int(random);
        return;
    }
    for (guint y = rect.y; y < MIN((guint)rect.y + rect.height, naive->height); y++)
        for (guint at = rect.x * 4u; at < MIN((guint)rect.x + rect.width, naive->width) * 4; at++)
            naive->source[y * naive->stride + at] = (guint8)g_rand_int(random);
}

static void naive_tile(Naive *naive, guint tile, const SeatRect *rect, Damage *changed)
{
    guint left = tile % naive->tiles_x * SEAT_TILE, top = tile / naive->tiles_x * SEAT_TILE;
    guint right = MIN(MIN(left + SEAT_TILE, naive->width), (guint)rect->x + rect->width);
    guint bottom = MIN(MIN(top + SEAT_TILE, naive->height), (guint)rect->y + rect->height);
    guint x0 = G_MAXUINT, y0 = G_MAXUINT, x1 = 0, y1 = 0;

    for (guint y = MAX(top, rect->y); y < bottom; y++)
        for (guint x = MAX(left, rect->x); x < right; x++) {
            guint32 now;
            memcpy(&now, naive->source + y * naive->stride + x * 4, 4);
            if (naive->pixels[y * naive->width + x] == now)
                continue;
            naive->pixels[y * naive->width + x] = now;
            x0 = MIN(x0, x);
            y0 = MIN(y0, y);
            x1 = MAX(x1, x + 1);
            y1 = MAX(y1, y + 1);
        }
    if (x1 == 0)
        return;
    naive->versions[tile] += 2;
    damage_add(changed, (gint)x0, (gint)y0, (gint)(x1 - x0), (gint)(y1 - y0));
}

static void naive_update(Naive *naive, const SeatRect *rect, Damage *changed)
{
    for (guint tile = 0; tile < naive->tiles; tile++)
        naive_tile(naive, tile, rect, changed);
}

static const guint8 *map_shadow(const Shadow *shadow)
{
    const guint8 *memory =
        mmap(NULL, shadow_layout(shadow)->memory, PROT_READ, MAP_SHARED, shadow_fd(shadow), 0);
    ck_assert(memory != MAP_FAILED);
    return memory;
}

static const guint32 *versions_of(const Shadow *shadow, const guint8 *memory)
{
    return (const guint32 *)(const void *)(memory + shadow_layout(shadow)->versions_offset);
}

static void assert_same_damage(const Damage *want, const Damage *have)
{
    SeatRect wanted[SEAT_RECTS_MAX], had[SEAT_RECTS_MAX];
    guint count = damage_rects(want, wanted);
    ck_assert_uint_eq(damage_rects(have, had), count);
    ck_assert_uint_eq(damage_area(have), damage_area(want));
    if (count > 0)
        ck_assert_mem_eq(had, wanted, count * sizeof *had);
}

static void assert_as_naive(const Naive *naive, const Shadow *shadow, const guint32 *versions)
{
    gsize stride = shadow_layout(shadow)->stride;
    gboolean same = TRUE;
    for (guint y = 0; y < naive->height; y++)
        same &= memcmp(shadow_pixels(shadow) + y * stride, naive->pixels + y * naive->width,
                       naive->width * 4) == 0;
    ck_assert(same);
    ck_assert_mem_eq(versions, naive->versions, naive->tiles * sizeof *versions);
}

START_TEST(every_variant_copies_and_tells_exactly_what_differs)
{
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    Naive naive;
    naive_init(&naive, random);
    Shadow *shadows[COMPARE_VARIANTS] = {NULL};
    const guint8 *memory[COMPARE_VARIANTS];
    g_autoptr(Damage) want = damage_new(naive.width, naive.height);
    g_autoptr(Damage) have = damage_new(naive.width, naive.height);

    for (guint i = 0; i < COMPARE_VARIANTS; i++) {
        if (!compare_variant(i))
            continue;
        shadows[i] = shadow_new(naive.width, naive.height, 1, NULL);
        shadow_compare_with(shadows[i], compare_variant(i));
        memory[i] = map_shadow(shadows[i]);
    }
    for (guint step = 0; step < 120; step++) {
        for (gint changes = g_rand_int_range(random, 0, 4); changes > 0; changes--)
            change_source(&naive, random);
        SeatRect rect = random_rect(&naive, random);
        damage_clear(want);
        naive_update(&naive, &rect, want);
        for (guint i = 0; i < COMPARE_VARIANTS; i++) {
            if (!shadows[i])
                continue;
            damage_clear(have);
            shadow_update(shadows[i], &rect, naive.source, naive.stride, have);
            assert_same_damage(want, have);
            assert_as_naive(&naive, shadows[i], versions_of(shadows[i], memory[i]));
        }
    }
    for (guint i = 0; i < COMPARE_VARIANTS; i++) {
        if (!shadows[i])
            continue;
        munmap((void *)memory[i], shadow_layout(shadows[i])->memory);
        shadow_free(shadows[i]);
    }
    naive_clear(&naive);
}
END_TEST

/* ---- every place in a row ---- */

/* A page whose neighbours cannot be touched. */
static guint8 *fenced_page(void)
{
    guint8 *pages = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(pages != MAP_FAILED);
    ck_assert_int_eq(mprotect(pages + PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
    return pages + PAGE;
}

static void check_places(CompareTile *tile, guint width, guint8 *source, guint8 *target)
{
    const ComparePart part = {.source = source,
                              .target = target,
                              .source_stride = width * 4,
                              .target_stride = width * 4,
                              .width = width,
                              .height = 2,
                              .more = TRUE};
    guint wrong = 0;
    for (guint x = 0; x < width; x++)
        for (guint second = x; second < width; second++) {
            _Atomic guint32 version = 6;
            source[x * 4 + 3] ^= 0x80;
            source[width * 4 + second * 4] ^= 1;
            CompareBounds found = tile(&part, &version), again = tile(&part, &version);
            wrong += found.left != x || found.right != second + 1 || found.top != 0 || found.bottom != 2;
            wrong += again.right != 0 || version != 8 || memcmp(source, target, width * 8) != 0;
        }
    ck_assert_uint_eq(wrong, 0);
}

START_TEST(a_pixel_is_found_at_every_place_and_nothing_outside_is_touched)
{
    guint8 *source = fenced_page(), *target = fenced_page();

    for (guint i = 0; i < COMPARE_VARIANTS; i++) {
        if (!compare_variant(i))
            continue;
        for (guint width = 1; width <= SEAT_TILE; width++) {
            check_places(compare_variant(i), width, source, target);
            check_places(compare_variant(i), width, source + PAGE - width * 8, target + PAGE - width * 8);
        }
    }
    munmap(source - PAGE, 3 * PAGE);
    munmap(target - PAGE, 3 * PAGE);
}
END_TEST

/* What lies beside a part belongs to others, who may be writing it. */
START_TEST(pixels_beside_a_part_stay_as_they_are)
{
    enum { ROW = 128 };
    guint32 source[ROW], target[ROW];

    for (guint i = 0; i < COMPARE_VARIANTS; i++) {
        for (guint width = 1; compare_variant(i) && width <= SEAT_TILE; width++) {
            _Atomic guint32 version = 0;
            memset(source, 1, sizeof source);
            memset(target, 2, sizeof target);
            const ComparePart part = {.source = (guint8 *)(source + 30),
                                      .target = (guint8 *)(target + 30),
                                      .width = width,
                                      .height = 1};
            compare_variant(i)(&part, &version);
            guint wrong = 0;
            for (guint x = 0; x < ROW; x++)
                wrong += target[x] != (x >= 30 && x < 30 + width ? 0x01010101 : 0x02020202);
            ck_assert_uint_eq(wrong, 0);
        }
    }
}
END_TEST

/* ---- with others at the same memory: one small picture, so that they meet often ---- */

enum { WIDTH = SEAT_TILE, HEIGHT = 16, MEETING_US = 300000 };
static const SeatRect whole = {.width = WIDTH, .height = HEIGHT};

typedef struct {
    guint32 *pixels; /* a mapping of its own, as another process has it */
    gint stop;
} Hostile;

/* Few pixels: with many, what came too late to be told would lie among what has been told. */
static gpointer change_without_end(gpointer data)
{
    static const guint places[] = {5 * WIDTH + 1, 5 * WIDTH + 20, 5 * WIDTH + 41, 5 * WIDTH + 62};
    Hostile *hostile = data;
    for (guint32 state = 1; !g_atomic_int_get(&hostile->stop); state = state * 1664525u + 1013904223u)
        hostile->pixels[places[state >> 30]] = state >> 29 & 1;
    return NULL;
}

static guint32 *map_writable(int fd)
{
    guint32 *map = mmap(NULL, WIDTH * HEIGHT * 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert(map != MAP_FAILED);
    return map;
}

START_TEST(bounds_and_version_fit_the_shadow_while_the_source_changes)
{
    CompareTile *tile = compare_variant((CompareVariant)_i);
    int fd = memfd_create("source", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(fd, WIDTH * HEIGHT * 4), 0);
    guint32 *source = map_writable(fd), pixels[WIDTH * HEIGHT] = {0}, version = 0;
    Hostile hostile = {.pixels = map_writable(fd)};
    g_autoptr(Shadow) shadow = shadow_new(WIDTH, HEIGHT, 1, NULL);
    g_autoptr(Damage) told = damage_new(WIDTH, HEIGHT), want = damage_new(WIDTH, HEIGHT);
    const guint8 *memory = map_shadow(shadow);
    /* What is told must be what differs between the shadow before and after. */
    Naive before = {WIDTH, HEIGHT, 1, 1, pixels, &version, (guint8 *)shadow_pixels(shadow), WIDTH * 4, NULL};
    GThread *thread = g_thread_new("hostile", change_without_end, &hostile);

    if (tile)
        shadow_compare_with(shadow, tile);
    for (gint64 end = g_get_monotonic_time() + MEETING_US; tile && g_get_monotonic_time() < end;) {
        shadow_update(shadow, &whole, source, WIDTH * 4, told);
        naive_update(&before, &whole, want);
        assert_same_damage(want, told);
        damage_clear(told);
        damage_clear(want);
    }
    ck_assert_uint_eq(*versions_of(shadow, memory), version);
    g_atomic_int_set(&hostile.stop, 1);
    g_thread_join(thread);
    munmap((void *)memory, shadow_layout(shadow)->memory);
    munmap(source, WIDTH * HEIGHT * 4);
    munmap(hostile.pixels, WIDTH * HEIGHT * 4);
    close(fd);
}
END_TEST

typedef struct {
    const guint32 *pixels, *version;
    gint stop;
    gint whole, mixed; /* copies */
} Reader;

/* First and last pixel under the tile's lock: of one colour, or a torn copy. */
static gpointer read_without_end(gpointer data)
{
    Reader *reader = data;

    while (!g_atomic_int_get(&reader->stop)) {
        guint32 before = __atomic_load_n(reader->version, __ATOMIC_ACQUIRE);
        guint32 first = __atomic_load_n(&reader->pixels[0], __ATOMIC_RELAXED);
        guint32 last = __atomic_load_n(&reader->pixels[WIDTH * HEIGHT - 1], __ATOMIC_ACQUIRE);
        if (before & 1 || __atomic_load_n(reader->version, __ATOMIC_RELAXED) != before)
            continue;
        g_atomic_int_add(first == last ? &reader->whole : &reader->mixed, 1);
    }
    return NULL;
}

START_TEST(a_copy_made_under_an_unchanged_version_is_of_one_moment)
{
    CompareTile *tile = compare_variant((CompareVariant)_i);
    guint32 source[WIDTH * HEIGHT];
    g_autoptr(Shadow) shadow = shadow_new(WIDTH, HEIGHT, 1, NULL);
    g_autoptr(Damage) told = damage_new(WIDTH, HEIGHT);
    const guint8 *memory = map_shadow(shadow);
    Reader reader = {.version = versions_of(shadow, memory)};
    reader.pixels = (const guint32 *)(const void *)(memory + shadow_layout(shadow)->pixels_offset);
    GThread *thread = g_thread_new("reader", read_without_end, &reader);

    if (tile)
        shadow_compare_with(shadow, tile);
    for (gint64 now = 0, end = g_get_monotonic_time() + MEETING_US; now < end;) {
        now = g_get_monotonic_time();
        for (guint at = 0; at < WIDTH * HEIGHT; at++)
            source[at] = (guint32)now;
        shadow_update(shadow, &whole, source, WIDTH * 4, told);
    }
    while (g_atomic_int_get(&reader.whole) == 0)
        g_usleep(1000);
    g_atomic_int_set(&reader.stop, 1);
    g_thread_join(thread);
    munmap((void *)memory, shadow_layout(shadow)->memory);
    ck_assert_int_eq(reader.mixed, 0);
}
END_TEST

START_TEST(a_machine_without_vectors_has_the_plain_variant_and_each_takes_its_best)
{
    ck_assert_ptr_nonnull(compare_variant(COMPARE_PLAIN));
    ck_assert_ptr_null(compare_variant(COMPARE_VARIANTS));
    CompareTile *last = NULL;
    for (guint i = 0; i < COMPARE_VARIANTS; i++)
        if (compare_variant(i))
            last = compare_variant(i);
    ck_assert(compare_best() == last);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("compare");

    tcase_set_timeout(tests, 60); /* slow machines */
    tcase_add_loop_test(tests, every_variant_copies_and_tells_exactly_what_differs, 0, 50);
    tcase_add_test(tests, a_pixel_is_found_at_every_place_and_nothing_outside_is_touched);
    tcase_add_test(tests, pixels_beside_a_part_stay_as_they_are);
    tcase_add_loop_test(tests, bounds_and_version_fit_the_shadow_while_the_source_changes, 0,
                        COMPARE_VARIANTS);
    tcase_add_loop_test(tests, a_copy_made_under_an_unchanged_version_is_of_one_moment, 0, COMPARE_VARIANTS);
    tcase_add_test(tests, a_machine_without_vectors_has_the_plain_variant_and_each_takes_its_best);
    return suite_run("compare", tests);
}
