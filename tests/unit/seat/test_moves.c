/* Every client's picture ends like the seat's, whatever moves, whoever is slow, and whatever is copied too
 * early or torn. */
#include "session/seat/recording.h"
#include "tests/unit/seat/film.h"
#include "tests/unit/seat/spectators.h"

#include <stdlib.h>

static void check_sequence(guint32 seed, gboolean h264)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    guint width = (guint)g_rand_int_range(random, 200, 600),
          height = (guint)g_rand_int_range(random, 200, 480);
    Pane panes[PANES];
    guint count;

    begin(seed, width, height, h264);
    count = (guint)between(1, PANES + 1);
    for (guint i = 0; i < count; i++)
        panes[i] = pane_new();
    if (!h264 && seed % 2)
        panes[count - 1] = (Pane){.part = {10, 10, (gint)width - 30, (gint)height - 30}, .kind = SCENE_TEXT};
    for (guint i = 0; i < FRAMES; i++) {
        if (h264)
            panes[count - 1] = (Pane){{30, 40, 150, 140}, SCENE_PHOTO, i, 0, 0}; /* a film */
        frame(panes, count, !h264 && seed % 2);
        if (h264)
            change_links();
    }
    finish(seed, h264);
}

/* A recording's own rectangles are all that the host is told. */
static void check_recording(guint32 seed, int fd, guint frames, gboolean h264)
{
    g_autoptr(Recording) recording = recording_new(fd, NULL);
    ck_assert_ptr_nonnull(recording);
    const RecordingHeader *header = recording_header(recording);
    const SeatRect all = {.width = (guint16)header->width, .height = (guint16)header->height};

    begin(seed, header->width, header->height, h264);
    ck_assert_uint_eq(scene->stride, header->width * 4); /* as recordings are drawn */
    guint32 *pixels = (guint32 *)(void *)scene->drawn;
    ck_assert(recording_first(recording, pixels, NULL));
    show(&all, 1);
    for (guint i = 0; i < frames; i++) {
        SeatRect rects[RECORDING_OPS_MAX];
        guint count;
        ck_assert(recording_draw(recording, i % header->frames, pixels, rects, &count, NULL));
        show(rects, count);
        if (h264)
            change_links();
    }
    ck_assert_mem_eq(shadow_pixels(host->shadow), scene->drawn, scene->stride * scene->height);
    finish(seed, h264);
}

START_TEST(every_client_ends_with_the_seats_picture_whatever_moves)
{
    seen = (Seen){0};
    for (guint i = 0; i < SEQUENCES; i++)
        check_sequence((guint32)_i * SEQUENCES + i, FALSE);
    ck_assert_uint_gt(seen.forecasts, 0);
}
END_TEST

START_TEST(moves_and_the_stream_get_along)
{
    seen = (Seen){0};
    for (guint i = 0; i < 4; i++)
        check_sequence(1000 + (guint32)_i * 4 + i, TRUE);
    ck_assert_uint_gt(seen.units_painted, 0);
    ck_assert_uint_gt(seen.losses_painted, 0);
    ck_assert_uint_gt(seen.settled, 100);
    ck_assert_uint_gt(seen.unsettled, 0);
    ck_assert_uint_gt(seen.tiers_changed, 0);
}
END_TEST

START_TEST(every_client_ends_with_the_last_picture_of_a_recording)
{
    Film film;

    film_make(&film);
    for (guint i = 0; i < SEQUENCES; i++)
        check_recording(2000 + i, film_open(&film, sizeof film), 10 + i, FALSE);
    check_recording(2100 + (guint32)_i, film_moving(30, 10), 40 + 7 * (guint)_i, TRUE);
}
END_TEST
static void rest(guint count)
{
    for (guint i = 0; i < count; i++) {
        turn();
        for (guint j = 0; j < CLIENTS; j++)
            if (clients[j].dirty)
                client_take(&clients[j]);
    }
}

START_TEST(a_client_that_has_waited_still_gets_its_scrolls_as_moves)
{
    const SeatRect all = {.width = 640, .height = 512};
    guint64 before = 0, painted = 0;

    begin(1, all.width, all.height, FALSE);
    for (guint i = 0; i < 5; i++) {
        scene_sheet(scene, (ScenePart){0, 0, 640, 512}, SCENE_TEXT, 1, 0, (gint)i * 17);
        seat_host_damage(host, &all, 1, scene->drawn, scene->stride, 0);
        if (i == 0)
            rest(10);
        before = viewer_counters(clients[0].viewer).rects;
    }
    rest(10);
    check_pictures(0);
    painted = viewer_counters(clients[0].viewer).rects - before;
    ck_assert_uint_ge(clients[0].moves, 4);
    ck_assert_msg(painted <= 12, "%" G_GUINT64_FORMAT " rectangles were painted for four scrolls", painted);
    finish(1, FALSE);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("moves");
    tcase_set_timeout(tcase, 120); /* slow machines */
    tcase_add_loop_test(tcase, every_client_ends_with_the_seats_picture_whatever_moves, 0, 25);
    tcase_add_loop_test(tcase, moves_and_the_stream_get_along, 0, 4);
    tcase_add_loop_test(tcase, every_client_ends_with_the_last_picture_of_a_recording, 0, 4);
    tcase_add_test(tcase, a_client_that_has_waited_still_gets_its_scrolls_as_moves);
    return suite_run("moves", tcase);
}
