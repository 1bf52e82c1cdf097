/* A recording's file is outside data: what is sound is drawn exactly, what is not is refused with its reason.
 */
#include "film.h"
#include "session/seat/recording.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static Film film;
static guint32 shown[FILM_WIDTH * FILM_HEIGHT], wanted[FILM_WIDTH * FILM_HEIGHT];

static void setup(void)
{
    film_make(&film);
}

static Recording *open_film(GError **error)
{
    return recording_new(film_open(&film, sizeof film), error);
}

START_TEST(every_frame_is_drawn_over_the_one_before_it)
{
    SeatRect rects[RECORDING_OPS_MAX];
    g_autoptr(GError) error = NULL;
    g_autoptr(Recording) recording = open_film(&error);
    guint count;

    ck_assert_msg(recording != NULL, "%s", error ? error->message : "");
    ck_assert_uint_eq(recording_header(recording)->frames, FILM_FRAMES);
    ck_assert(recording_first(recording, shown, NULL));
    ck_assert_mem_eq(shown, film.first, sizeof shown);
    for (guint frame = 0; frame < FILM_FRAMES; frame++) {
        ck_assert(recording_draw(recording, frame, shown, rects, &count, NULL));
        film_expect(&film, frame, wanted);
        ck_assert_mem_eq(shown, wanted, sizeof shown);
        ck_assert_uint_eq(count, film.frames[frame].count);
        for (guint i = 0; i < count; i++) {
            const RecordingOp *op = &film.ops[film.frames[frame].first + i];
            ck_assert_int_eq(rects[i].x, op->x);
            ck_assert_int_eq(rects[i].y, op->y);
            ck_assert_uint_eq(rects[i].width, op->width);
            ck_assert_uint_eq(rects[i].height, op->height);
        }
    }
}
END_TEST

START_TEST(an_area_moves_onto_itself_in_every_direction)
{
    static const guint to[][2] = {{10, 30}, {30, 10}, {9, 11}, {12, 10}, {8, 10}, {10, 9}, {10, 12}};
    SeatRect rects[RECORDING_OPS_MAX];
    guint count;

    for (guint i = 0; i < G_N_ELEMENTS(to); i++) {
        film.ops[0] = (RecordingOp){to[i][0], to[i][1], 90, 60, 10, 10, RECORDING_COPY, 0};
        g_autoptr(Recording) recording = open_film(NULL);
        ck_assert(recording_first(recording, shown, NULL));
        ck_assert(recording_draw(recording, 0, shown, rects, &count, NULL));
        film_expect(&film, 0, wanted);
        ck_assert_mem_eq(shown, wanted, sizeof shown);
    }
}
END_TEST

static void refused(const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Recording) recording = open_film(&error);
    ck_assert_msg(!recording, "played, though it should say \"%s\"", words);
    ck_assert_msg(strstr(error->message, words) != NULL, "\"%s\" without \"%s\"", error->message, words);
    film_make(&film);
}

START_TEST(what_is_wrong_is_said)
{
    film.header.magic[7]++;
    refused("another version");
    film.header.width = 63;
    refused("63 x 96 pixels");
    film.header.height = 8193;
    refused("128 x 8193 pixels");
    film.header.frames = 0;
    refused("0 frames");
    film.header.frames = RECORDING_FRAMES_MAX + 1;
    refused("frames");
    film.header.interval_us = 999;
    refused("999 microseconds");
    film.header.ops = RECORDING_ALL_OPS_MAX + 1;
    refused("operations");
    film.header.picture = sizeof film - sizeof film.first + 1;
    refused("ends too early");
    film.header.picture = G_MAXUINT64 - 4;
    refused("ends too early");
    film.frames[1].count = 3;
    refused("of frame 1");
    film.frames[1].first = G_MAXUINT32;
    refused("of frame 1");
    film.ops[1].x = FILM_WIDTH - 9;
    refused("operation 1");
    film.ops[1].height = 0;
    refused("operation 1");
    film.ops[1].pixels = sizeof film - 10 * 7 * 4 + 1;
    refused("operation 1");
    film.ops[2].from_y = 47;
    refused("operation 2");
    film.ops[2].kind = 3;
    refused("operation 2");
}
END_TEST

START_TEST(what_is_no_ordinary_file_is_refused)
{
    g_autoptr(GError) error = NULL;
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_ptr_null(recording_new(ends[0], &error));
    ck_assert_ptr_nonnull(strstr(error->message, "no ordinary file"));
    close(ends[1]);
    ck_assert_ptr_null(recording_new(-1, NULL));
}
END_TEST

START_TEST(a_file_that_is_cut_short_is_refused_or_told_while_it_plays)
{
    SeatRect rects[RECORDING_OPS_MAX];
    g_autoptr(GError) error = NULL;
    guint count;

    for (gsize length = 0; length < sizeof film; length += 17)
        ck_assert_ptr_null(recording_new(film_open(&film, length), NULL));
    int fd = film_open(&film, sizeof film);
    g_autoptr(Recording) recording = recording_new(fd, NULL);
    ck_assert_int_eq(ftruncate(fd, (off_t)(sizeof film - 4)), 0);
    ck_assert(!recording_draw(recording, 2, shown, rects, &count, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "ends too early"));
}
END_TEST

/* The sanitizers judge. */
START_TEST(no_damaged_file_draws_outside_of_the_picture)
{
    SeatRect rects[RECORDING_OPS_MAX];
    GRand *random = g_rand_new_with_seed(7);
    guint played = 0, count;

    for (guint round = 0; round < 3000; round++) {
        film_make(&film);
        gsize tables = G_STRUCT_OFFSET(Film, first);
        for (guint i = 0; i < 2; i++)
            ((guint8 *)&film)[8 + g_rand_int_range(random, 0, (gint)tables - 8)] = (guint8)g_rand_int(random);
        g_autoptr(Recording) recording = open_film(NULL);
        if (!recording || recording_header(recording)->width != FILM_WIDTH ||
            recording_header(recording)->height > FILM_HEIGHT)
            continue;
        played++;
        for (guint i = 0; i < recording_header(recording)->frames; i++)
            recording_draw(recording, i, shown, rects, &count, NULL);
    }
    g_rand_free(random);
    ck_assert_uint_gt(played, 100);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("recording");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_frame_is_drawn_over_the_one_before_it);
    tcase_add_test(tests, an_area_moves_onto_itself_in_every_direction);
    tcase_add_test(tests, what_is_wrong_is_said);
    tcase_add_test(tests, what_is_no_ordinary_file_is_refused);
    tcase_add_test(tests, a_file_that_is_cut_short_is_refused_or_told_while_it_plays);
    tcase_add_test(tests, no_damaged_file_draws_outside_of_the_picture);
    return suite_run("recording", tests);
}
