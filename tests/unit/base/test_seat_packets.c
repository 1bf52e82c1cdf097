/* What of a frame record is checked before anybody looks at it. */
#include "base/proto/seat_link.h"
#include "tests/unit/suite.h"

static SeatFrame frame_of(SeatAccessUnit first, SeatAccessUnit second)
{
    return (SeatFrame){.header = {.type = SEAT_FRAME, .size = sizeof(SeatFrame)}, .units = {first, second}};
}

static gboolean passes(const SeatFrame *frame)
{
    return seat_link_check(frame, sizeof *frame, 0, FALSE) == NULL;
}

START_TEST(a_record_may_have_a_unit_for_each_film)
{
    SeatAccessUnit none = {0}, unit = {.length = 100, .auxiliary = 60, .tiles = 40},
                   most = {.length = SEAT_AU_RING};
    const SeatFrame frames[] = {frame_of(none, none), frame_of(unit, none), frame_of(none, unit),
                                frame_of(most, most)};
    for (guint i = 0; i < G_N_ELEMENTS(frames); i++)
        ck_assert(passes(&frames[i]));
}
END_TEST

START_TEST(a_unit_whose_parts_or_length_cannot_be_is_refused_in_either_place)
{
    const SeatAccessUnit unit = {.length = 100},
                         bad[] = {{.length = SEAT_AU_RING + 1},
                                  {.length = 100, .auxiliary = 61, .tiles = 40},
                                  {.length = 0, .tiles = 1},
                                  {.length = 100, .auxiliary = G_MAXUINT32, .tiles = 2}};
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        SeatFrame first = frame_of(bad[i], unit), second = frame_of(unit, bad[i]);
        ck_assert(!passes(&first));
        ck_assert(!passes(&second));
    }
}
END_TEST

START_TEST(a_record_that_counts_more_than_it_has_is_refused)
{
    SeatFrame frame = frame_of((SeatAccessUnit){0}, (SeatAccessUnit){0});
    frame.damage = 1;
    ck_assert(!passes(&frame));
    frame.damage = 0;
    frame.moves = 1;
    ck_assert(!passes(&frame));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("seat packets");
    tcase_add_test(tests, a_record_may_have_a_unit_for_each_film);
    tcase_add_test(tests, a_unit_whose_parts_or_length_cannot_be_is_refused_in_either_place);
    tcase_add_test(tests, a_record_that_counts_more_than_it_has_is_refused);
    return suite_run("seat packets", tests);
}
