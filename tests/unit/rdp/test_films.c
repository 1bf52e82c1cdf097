/* Films on their way to a client of RDP: a client that reads what it is sent keeps surfaces, and a decoder
 * for each, which complains. The file under test is compiled in, since nobody else sees its insides. */
#include "session/rdp/gfx_film.c"
#include "tests/unit/suite.h"

#include <freerdp/channels/rdpgfx.h>

static Rdp rdp;
static Gfx gfx;
static struct {
    guint units, copies, created, deleted, keyframes, invalidated;
    guint copied_from, copied_x, copied_y; /* last */
    ViewerRect region;                     /* that was invalidated last */
} saw;

/* What the client has of each surface. */
static struct {
    gboolean made;
    guint width, height;
    guint8 stream, number; /* of the unit that its decoder has seen last */
} surfaces[8];

void bridge_need_keyframe(Bridge *bridge)
{
    saw.keyframes++;
}

void bridge_invalidate(Bridge *bridge, const ViewerRect *rect)
{
    ck_assert_ptr_nonnull(rect);
    saw.region = *rect;
    saw.invalidated++;
}

gboolean gfx_appended(Gfx *which)
{
    return TRUE;
}

static guint get16(const guint8 *bytes)
{
    return bytes[0] | (guint)bytes[1] << 8;
}

static guint32 get32(const guint8 *bytes)
{
    return get16(bytes) | (guint32)get16(bytes + 2) << 16;
}

static void see_surface(const guint8 *body, gboolean made)
{
    guint surface = get16(body);

    ck_assert_uint_lt(surface, G_N_ELEMENTS(surfaces));
    ck_assert(surfaces[surface].made != made);
    memset(&surfaces[surface], 0, sizeof surfaces[surface]);
    surfaces[surface].made = made;
    if (made) {
        surfaces[surface].width = get16(body + 2);
        surfaces[surface].height = get16(body + 4);
    }
}

/* A decoder begins with a key frame, and needs each unit after it. */
static void see_unit(const guint8 *body)
{
    guint surface = get16(body), width = get16(body + 9) - get16(body + 5);
    const guint8 *view = body + 17, *unit = view + 4 + 10 * (gsize)get32(view);

    saw.units++;
    ck_assert_uint_eq(get16(body + 2), RDPGFX_CODECID_AVC420);
    ck_assert_uint_lt(surface, G_N_ELEMENTS(surfaces));
    ck_assert(surfaces[surface].made);
    ck_assert_uint_eq(width, surfaces[surface].width);
    ck_assert_uint_eq(get16(body + 11) - get16(body + 7), surfaces[surface].height);
    ck_assert(unit[0] ||
              (surfaces[surface].stream == unit[1] && unit[2] == (guint8)(surfaces[surface].number + 1)));
    surfaces[surface].stream = unit[1];
    surfaces[surface].number = unit[2];
}

static void see_copy(const guint8 *body)
{
    saw.copies++;
    saw.copied_from = get16(body);
    ck_assert_uint_eq(get16(body + 2), GFX_SURFACE_SCREEN);
    saw.copied_x = get16(body + 14);
    saw.copied_y = get16(body + 16);
}

static void see_block(void)
{
    for (gsize at = 0; at < gfx.block.bytes->len; at += get32(gfx.block.bytes->data + at + 4)) {
        const guint8 *pdu = gfx.block.bytes->data + at;
        switch (get16(pdu)) {
        case RDPGFX_CMDID_CREATESURFACE:
            saw.created++;
            see_surface(pdu + 8, TRUE);
            break;
        case RDPGFX_CMDID_DELETESURFACE:
            saw.deleted++;
            see_surface(pdu + 8, FALSE);
            break;
        case RDPGFX_CMDID_SURFACETOSURFACE:
            see_copy(pdu + 8);
            break;
        default:
            ck_assert_uint_eq(get16(pdu), RDPGFX_CMDID_WIRETOSURFACE_1);
            see_unit(pdu + 8);
        }
    }
    gfx_block_empty(&gfx.block);
}

static void setup(void)
{
    memset(&saw, 0, sizeof saw);
    memset(surfaces, 0, sizeof surfaces);
    surfaces[GFX_SURFACE_SCREEN].made = TRUE;
    surfaces[GFX_SURFACE_SCREEN].width = 640;
    surfaces[GFX_SURFACE_SCREEN].height = 480;
    rdp = (Rdp){.output_width = 640, .output_height = 480, .gfx = &gfx};
    gfx = (Gfx){.rdp = &rdp, .h264 = SEAT_H264_AVC420};
    gfx_block_init(&gfx.block);
}

static void teardown(void)
{
    gfx_block_clear(&gfx.block);
}

/* A film of two tiles' changes. */
typedef struct {
    ViewerUnit unit;
    ViewerRect rects[2];
    guint8 bytes[3]; /* whether it is a key frame, stream, number */
} PlayedFilm;

static PlayedFilm first, second;
static guint8 streams; /* so many have begun, of all films */

static const ViewerUnit *play(PlayedFilm *film, ViewerRect region, gboolean begins)
{
    film->bytes[0] = begins;
    if (begins)
        film->bytes[1] = ++streams;
    film->bytes[2]++;
    film->rects[0] = (ViewerRect){region.x, region.y, 64, 64};
    film->rects[1] = (ViewerRect){region.x + 64, region.y + 64, 32, 32};
    film->unit = (ViewerUnit){.film = film == &second,
                              .data = film->bytes,
                              .length = sizeof film->bytes,
                              .region = region,
                              .key = begins,
                              .stream = film->bytes[1],
                              .rects = film->rects,
                              .n_rects = 2};
    return &film->unit;
}

static void send_units(const ViewerUnit *one, const ViewerUnit *other)
{
    ViewerUnit units[SEAT_FILMS_MAX];
    ViewerUpdate update = {.picture = {.width = 640, .height = 480}, .units = units};

    if (one)
        units[update.n_units++] = *one;
    if (other)
        units[update.n_units++] = *other;
    ck_assert(gfx_film_append(&gfx, &update));
    see_block();
}

static const ViewerRect left = {0, 0, 256, 192}, right = {320, 64, 256, 384};

START_TEST(two_films_have_surfaces_and_decoders_of_their_own)
{
    rdp.offset_x = 80;
    rdp.offset_y = 60;
    for (guint i = 0; i < 20; i++) {
        const ViewerUnit *one = i % 3 != 2 ? play(&first, left, i == 0) : NULL;
        const ViewerUnit *other = i % 5 != 2 ? play(&second, right, i == 0) : NULL;
        guint units = saw.units, copies = saw.copies, sent = (one != NULL) + (other != NULL);
        send_units(one, other);
        ck_assert_uint_eq(saw.units - units, sent);
        ck_assert_uint_eq(saw.copies - copies, 2 * sent);
        if (other) {
            ck_assert_uint_eq(saw.copied_from, GFX_SURFACE_FILM + 1);
            ck_assert_uint_eq(saw.copied_x, 80 + 320 + 64);
            ck_assert_uint_eq(saw.copied_y, 60 + 64 + 64);
        } else if (one) {
            ck_assert_uint_eq(saw.copied_from, GFX_SURFACE_FILM);
            ck_assert_uint_eq(saw.copied_x, 80 + 64);
        }
    }
    ck_assert_uint_eq(saw.created, 2);
    ck_assert_uint_eq(saw.keyframes, 0);
}
END_TEST

START_TEST(a_film_goes_on_however_often_the_other_changes_its_region)
{
    send_units(play(&first, left, TRUE), NULL);
    for (guint i = 0; i < 60; i++) {
        const ViewerRect region = {320, 64 + 64 * (i % 3), 128 + 64 * (i % 2), 128};
        send_units(i < 20 || i % 20 == 0 ? play(&first, left, FALSE) : NULL, play(&second, region, TRUE));
        send_units(NULL, play(&second, region, FALSE));
        ck_assert_uint_le(saw.created - saw.deleted, 2);
    }
    ck_assert_uint_eq(saw.keyframes, 0);
}
END_TEST

START_TEST(a_region_that_the_other_film_had_begins_with_a_key_frame)
{
    send_units(play(&first, left, TRUE), play(&second, right, TRUE));
    send_units(play(&first, right, TRUE), play(&second, left, TRUE));
    send_units(play(&first, right, FALSE), play(&second, left, FALSE));
    ck_assert_uint_eq(saw.units, 6);
    send_units(play(&first, left, FALSE), play(&second, left, FALSE));
    ck_assert_uint_eq(saw.units, 7);
    ck_assert_uint_eq(saw.keyframes, 1);
}
END_TEST

START_TEST(the_screen_s_decoder_is_of_the_film_that_began_last)
{
    const ViewerRect whole = {0, 0, 640, 480};
    send_units(play(&first, whole, TRUE), NULL);
    send_units(NULL, play(&second, whole, TRUE));
    send_units(play(&first, whole, FALSE), NULL);
    ck_assert_uint_eq(saw.units, 2);
    ck_assert_uint_eq(saw.keyframes, 1);
    ck_assert_uint_eq(saw.invalidated, 1);
    ck_assert_mem_eq(&saw.region, &whole, sizeof whole);
    send_units(NULL, play(&second, whole, FALSE));
    ck_assert_uint_eq(saw.units, 3);
    send_units(play(&first, whole, TRUE), NULL);
    send_units(play(&first, whole, FALSE), NULL);
    ck_assert_uint_eq(saw.units, 5);
    ck_assert_uint_eq(saw.keyframes, 1);
}
END_TEST

START_TEST(a_film_takes_nothing_of_the_other_s_surface_for_the_same_region)
{
    send_units(play(&first, left, TRUE), NULL);
    send_units(NULL, play(&second, left, TRUE));
    send_units(play(&first, left, FALSE), NULL);
    send_units(NULL, play(&second, left, FALSE));
    ck_assert_uint_eq(saw.units, 4);
    ck_assert_uint_eq(saw.created, 2);
    ck_assert_uint_eq(saw.keyframes, 0);
}
END_TEST

START_TEST(the_surface_of_a_film_that_is_long_over_goes_and_the_other_s_stays)
{
    send_units(play(&first, left, TRUE), play(&second, right, TRUE));
    gfx.films[0].shown_us -= VIEWER_FILM_OVER_US + 1;
    send_units(NULL, play(&second, right, FALSE));
    ck_assert_uint_eq(saw.deleted, 1);
    send_units(play(&first, left, FALSE), play(&second, right, FALSE));
    ck_assert_uint_eq(saw.units, 4);
    ck_assert_uint_eq(saw.keyframes, 1);
    ck_assert_uint_eq(saw.invalidated, 1);
    ck_assert_mem_eq(&saw.region, &left, sizeof left);
    send_units(play(&first, left, TRUE), play(&second, right, FALSE));
    ck_assert_uint_eq(saw.keyframes, 1);
    ck_assert_uint_eq(saw.created, 3);
    ck_assert_uint_eq(saw.deleted, 1);
    gfx.films[0].shown_us -= VIEWER_FILM_OVER_US + 1;
    send_units(NULL, NULL);
    ck_assert_uint_eq(saw.deleted, 2);
}
END_TEST

START_TEST(a_film_of_the_whole_screen_takes_no_surface_of_its_own)
{
    const ViewerRect whole = {0, 0, 640, 480};
    send_units(play(&first, whole, TRUE), NULL);
    send_units(play(&first, whole, FALSE), NULL);
    ck_assert_uint_eq(saw.units, 2);
    ck_assert_uint_eq(saw.created + saw.copies, 0);
    send_units(play(&first, left, TRUE), play(&second, right, TRUE));
    send_units(play(&first, whole, TRUE), NULL);
    ck_assert_uint_eq(saw.units, 5);
    ck_assert_uint_eq(saw.keyframes, 0);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("rdp films");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, two_films_have_surfaces_and_decoders_of_their_own);
    tcase_add_test(tcase, a_film_goes_on_however_often_the_other_changes_its_region);
    tcase_add_test(tcase, a_region_that_the_other_film_had_begins_with_a_key_frame);
    tcase_add_test(tcase, the_screen_s_decoder_is_of_the_film_that_began_last);
    tcase_add_test(tcase, a_film_takes_nothing_of_the_other_s_surface_for_the_same_region);
    tcase_add_test(tcase, the_surface_of_a_film_that_is_long_over_goes_and_the_other_s_stays);
    tcase_add_test(tcase, a_film_of_the_whole_screen_takes_no_surface_of_its_own);
    return suite_run("rdp films", tcase);
}
