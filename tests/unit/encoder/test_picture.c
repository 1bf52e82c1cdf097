/* damage, shadow, ring, classify: what needs no codec. */
#include "encoder/ring.h"
#include "encoder/shadow.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Paints rectangles into a map of bytes, to compare coverage. */
static void paint(guint8 *map, guint width, const SeatRect *rects, guint count)
{
    for (guint i = 0; i < count; i++)
        for (guint y = rects[i].y; y < (guint)rects[i].y + rects[i].height; y++)
            memset(map + y * width + rects[i].x, 1, rects[i].width);
}

START_TEST(damage_covers_everything_added_and_never_exceeds_the_limit)
{
    enum { WIDTH = 1000, HEIGHT = 700 };
    g_autoptr(GRand) random = g_rand_new_with_seed(_i);
    g_autoptr(Damage) damage = damage_new(WIDTH, HEIGHT);
    g_autofree guint8 *want = g_malloc0(WIDTH * HEIGHT), *have = g_malloc0(WIDTH * HEIGHT);
    SeatRect rects[SEAT_RECTS_MAX];

    for (gint i = 0; i < _i * 4; i++) {
        SeatRect rect = {.x = g_rand_int_range(random, 0, WIDTH - 1),
                         .y = g_rand_int_range(random, 0, HEIGHT - 1)};
        rect.width = g_rand_int_range(random, 1, MIN(60, WIDTH - rect.x) + 1);
        rect.height = g_rand_int_range(random, 1, MIN(60, HEIGHT - rect.y) + 1);
        damage_add(damage, rect.x, rect.y, rect.width, rect.height);
        paint(want, WIDTH, &rect, 1);
    }
    guint count = damage_rects(damage, rects);
    ck_assert_uint_le(count, SEAT_RECTS_MAX);
    for (guint i = 0; i < count; i++) {
        ck_assert_uint_le(rects[i].x + rects[i].width, WIDTH);
        ck_assert_uint_le(rects[i].y + rects[i].height, HEIGHT);
        ck_assert_uint_gt(rects[i].width, 0);
        ck_assert_uint_gt(rects[i].height, 0);
    }
    paint(have, WIDTH, rects, count);
    guint missing = 0;
    for (guint i = 0; i < WIDTH * HEIGHT; i++)
        missing += have[i] < want[i];
    ck_assert_uint_eq(missing, 0);
}
END_TEST

START_TEST(damage_outside_the_picture_is_cut_and_a_small_rectangle_stays_exact)
{
    g_autoptr(Damage) damage = damage_new(100, 100);
    SeatRect rects[SEAT_RECTS_MAX];

    damage_add(damage, -50, -50, 20, 20);
    damage_add(damage, 100, 0, 10, 10);
    damage_add(damage, 5, 5, 0, 10);
    damage_add(damage, G_MAXINT - 5, 5, G_MAXINT, 10);
    ck_assert(damage_is_empty(damage));
    damage_add(damage, 60, 10, 8, 16);
    ck_assert_uint_eq(damage_rects(damage, rects), 1);
    ck_assert_uint_eq(rects[0].x, 60);
    ck_assert_uint_eq(rects[0].width, 8);
    ck_assert_uint_eq(rects[0].height, 16);
    ck_assert_uint_eq(damage_area(damage), 8 * 16);
    damage_clear(damage);
    damage_add(damage, -10, -10, G_MAXINT, G_MAXINT);
    ck_assert_uint_eq(damage_rects(damage, rects), 1);
    ck_assert_uint_eq(rects[0].width, 100);
    ck_assert_uint_eq(rects[0].height, 100);
}
END_TEST

START_TEST(damage_that_does_not_touch_a_rectangle_can_be_taken_out)
{
    Damage *damage = damage_new(640, 480), *outside = damage_new(640, 480);
    SeatRect region = {.x = 100, .y = 100, .width = 200, .height = 200}, rects[SEAT_RECTS_MAX];

    damage_add(damage, 200, 210, 10, 10);
    damage_add(damage, 98, 290, 3, 5); /* touches it by a pixel */
    damage_add(damage, 90, 70, 5, 5);  /* in a tile of the region, and beside it */
    damage_add(damage, 500, 400, 20, 10);
    damage_take_outside(damage, &region, 1, outside);
    ck_assert_uint_eq(damage_area(damage), 100 + 15);
    ck_assert_uint_eq(damage_area(outside), 25 + 200);
    ck_assert_uint_eq(damage_rects(outside, rects), 2);
    ck_assert(rects[0].x == 90 && rects[1].x == 500);
    damage_free(damage);
    damage_free(outside);
}
END_TEST

START_TEST(the_shadow_reports_only_what_really_changed)
{
    g_autoptr(Shadow) shadow = shadow_new(300, 200, 5, NULL);
    g_autoptr(Damage) changed = damage_new(300, 200);
    g_autofree guint32 *source = g_new0(guint32, 300 * 200);
    const SeatRect whole = {.width = 300, .height = 200};
    SeatRect rects[SEAT_RECTS_MAX];

    shadow_update(shadow, &whole, source, 300 * 4, changed);
    ck_assert(damage_is_empty(changed));
    source[100 * 300 + 150] = 0x123456;
    source[103 * 300 + 152] = 0x123456;
    shadow_update(shadow, &whole, source, 300 * 4, changed);
    ck_assert_uint_eq(damage_rects(changed, rects), 1);
    ck_assert_uint_eq(rects[0].x, 150);
    ck_assert_uint_eq(rects[0].y, 100);
    ck_assert_uint_eq(rects[0].width, 3);
    ck_assert_uint_eq(rects[0].height, 4);
    for (guint y = 0; y < 200; y++)
        ck_assert_mem_eq(shadow_pixels(shadow) + y * shadow_layout(shadow)->stride, source + y * 300,
                         300 * 4);
}
END_TEST

START_TEST(the_undo_has_what_the_shadow_showed_before_the_frame)
{
    enum { WIDTH = 300, HEIGHT = 201 };
    g_autoptr(GRand) random = g_rand_new_with_seed(_i);
    g_autoptr(Shadow) shadow = shadow_new(WIDTH, HEIGHT, 1, NULL);
    gsize stride = shadow_layout(shadow)->stride, size = stride * HEIGHT;
    g_autoptr(Undo) undo = undo_new(WIDTH, HEIGHT, stride);
    g_autoptr(Damage) changed = damage_new(WIDTH, HEIGHT);
    g_autofree guint8 *source = g_malloc0(size);

    shadow_keep_in(shadow, undo);
    for (guint frame = 0; frame < 5; frame++) {
        g_autofree guint8 *before = g_memdup2(shadow_pixels(shadow), size);
        undo_clear(undo);
        for (guint i = 0; i < 6; i++) {
            SeatRect rect = {.x = g_rand_int_range(random, 0, WIDTH),
                             .y = g_rand_int_range(random, 0, HEIGHT)};
            rect.width = g_rand_int_range(random, 1, WIDTH - rect.x + 1);
            rect.height = g_rand_int_range(random, 1, HEIGHT - rect.y + 1);
            for (guint y = rect.y; y < (guint)rect.y + rect.height; y += 3)
                source[y * stride + rect.x * 4u] = (guint8)g_rand_int(random);
            shadow_update(shadow, &rect, source, stride, changed);
        }
        for (guint y = 0; y < HEIGHT; y++)
            for (guint x = 0; x < WIDTH; x++)
                if (memcmp(undo_before(undo, shadow_pixels(shadow), x, y), before + y * stride + x * 4, 4) !=
                    0)
                    ck_abort_msg("pixel %u,%u of frame %u", x, y, frame);
    }
}
END_TEST

START_TEST(versions_grow_by_two_where_a_tile_changed_and_only_there)
{
    g_autoptr(Shadow) shadow = shadow_new(130, 70, 1, NULL);
    g_autoptr(Damage) changed = damage_new(130, 70);
    g_autofree guint32 *source = g_new0(guint32, 130 * 70);
    const SeatBuffer *layout = shadow_layout(shadow);
    const SeatRect whole = {.width = 130, .height = 70};
    const guint8 *memory = mmap(NULL, layout->memory, PROT_READ, MAP_SHARED, shadow_fd(shadow), 0);
    const guint32 *versions = (const guint32 *)(const void *)(memory + layout->versions_offset);

    ck_assert_uint_eq(((const SeatShadowHeader *)(const void *)memory)->magic, SEAT_SHADOW_MAGIC);
    ck_assert_uint_eq(layout->tiles_x, 3);
    ck_assert_uint_eq(layout->tiles_y, 2);
    source[69 * 130 + 129] = 1;
    shadow_update(shadow, &whole, source, 130 * 4, changed);
    for (guint i = 0; i < 6; i++)
        ck_assert_uint_eq(versions[i], i == 5 ? 2 : 0);
    munmap((void *)memory, layout->memory);
}
END_TEST

START_TEST(a_unit_in_the_ring_never_wraps_and_the_counter_tells_when_it_is_gone)
{
    g_autoptr(Ring) ring = ring_new(NULL);
    g_autofree guint8 *unit = g_malloc(1000003);
    const guint8 *memory =
        mmap(NULL, sizeof(SeatRingHeader) + SEAT_AU_RING, PROT_READ, MAP_SHARED, ring_fd(ring), 0);
    const guint64 *written = (const guint64 *)(const void *)memory;
    guint64 position, first = 0;

    for (guint i = 0; i < 30; i++) {
        memset(unit, i, 1000003);
        ck_assert(ring_put(ring, unit, 1000003, &position));
        if (i == 0)
            first = position;
        guint64 offset = position % SEAT_AU_RING;
        ck_assert_uint_le(offset + 1000003, SEAT_AU_RING);
        ck_assert_uint_le(*written - position, SEAT_AU_RING);
        ck_assert_uint_eq(memory[sizeof(SeatRingHeader) + offset], i);
        ck_assert_uint_eq(memory[sizeof(SeatRingHeader) + offset + 1000002], i);
    }
    ck_assert_uint_gt(*written - first, SEAT_AU_RING);
    ck_assert(!ring_put(ring, unit, SEAT_AU_RING / 4 + 1, &position));
    munmap((void *)memory, sizeof(SeatRingHeader) + SEAT_AU_RING);
}
END_TEST

START_TEST(small_units_use_a_small_part_of_the_ring_and_a_long_one_still_fits)
{
    enum { SMALL = 20000, LONG = 1500000, SMALL_LAP = SEAT_AU_RING / 4, LAST = 80 };
    g_autoptr(Ring) ring = ring_new(NULL);
    g_autofree guint8 *unit = g_malloc0(LONG);
    const guint8 *memory = mmap(NULL, sizeof(SeatRingHeader), PROT_READ, MAP_SHARED, ring_fd(ring), 0);
    const guint64 *written = (const guint64 *)(const void *)memory;
    guint64 position = 0, last[LAST] = {0};

    for (guint i = 0; i < 1000; i++) {
        ck_assert(ring_put(ring, unit, SMALL, &position));
        ck_assert_uint_le(position % SEAT_AU_RING + SMALL, SMALL_LAP);
        /* One of 80 units ago is still there. */
        if (i >= LAST)
            ck_assert_uint_le(*written - last[i % LAST], SEAT_AU_RING);
        last[i % LAST] = position;
    }
    ck_assert(ring_put(ring, unit, LONG, &position));
    ck_assert_uint_eq(position + LONG, *written);
    ck_assert_uint_le(position % SEAT_AU_RING + LONG, SEAT_AU_RING);
    munmap((void *)memory, sizeof(SeatRingHeader));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("picture");

    tcase_add_loop_test(tests, damage_covers_everything_added_and_never_exceeds_the_limit, 0, 60);
    tcase_add_test(tests, damage_outside_the_picture_is_cut_and_a_small_rectangle_stays_exact);
    tcase_add_test(tests, damage_that_does_not_touch_a_rectangle_can_be_taken_out);
    tcase_add_test(tests, the_shadow_reports_only_what_really_changed);
    tcase_add_test(tests, versions_grow_by_two_where_a_tile_changed_and_only_there);
    tcase_add_test(tests, a_unit_in_the_ring_never_wraps_and_the_counter_tells_when_it_is_gone);
    tcase_add_test(tests, small_units_use_a_small_part_of_the_ring_and_a_long_one_still_fits);
    tcase_add_loop_test(tests, the_undo_has_what_the_shadow_showed_before_the_frame, 0, 20);
    return suite_run("picture", tests);
}
