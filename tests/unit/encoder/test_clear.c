/* What the ClearCodec encoder writes, FreeRDP's decoder must turn into the same pixels. */
#include "encoder/clear.h"
#include "encoder/clear_bars.h"
#include "tests/unit/suite.h"

#include <freerdp/codec/clear.h>
#include <stdlib.h>
#include <string.h>

#define GLYPHS 60
#define GUARD 0xa5

typedef enum {
    NOISE,
    FLAT,
    SPECKS,
    TEXT,
    COLOURED_TEXT,
    TALL_TEXT,
    GRADIENT,
    PHOTO,
    BOXES,
    STRIPES,
    COLUMNS,
    ALMOST_TOO_MANY_COLOURS,
    MIXED,
    KINDS
} Kind;

/* An encoder and the decoder that gets all of its streams. */
typedef struct {
    Clear *clear;
    CLEAR_CONTEXT *decoder;
    GRand *random;
    guint width, height, stride; /* px */
    guint32 *picture, *back;
    guint8 *stream;
    gsize length;
    guint8 glyphs[GLYPHS][8 * 16];
} Pair;

/* How the columns of a stream's bands are told. */
typedef struct {
    guint bands, whole, shorter, new;
} Columns;

static guint any(Pair *pair, guint below)
{
    return (guint)g_rand_int_range(pair->random, 0, (gint32)below);
}

static Pair *pair_new(guint32 seed)
{
    Pair *pair = g_new0(Pair, 1);
    pair->clear = clear_new();
    pair->decoder = clear_context_new(FALSE);
    pair->random = g_rand_new_with_seed(seed);
    pair->picture = g_new(guint32, (CLEAR_WIDTH_MAX + 8) * CLEAR_HEIGHT_MAX);
    pair->back = g_new0(guint32, (CLEAR_WIDTH_MAX + 8) * CLEAR_HEIGHT_MAX);
    pair->stream = g_malloc(CLEAR_SIZE_MAX(CLEAR_WIDTH_MAX, CLEAR_HEIGHT_MAX) + 1);
    for (guint g = 0; g < GLYPHS; g++)
        for (guint i = 0; i < 8 * 16; i++) {
            gboolean ink = i % 8 > 0 && i / 8 > 2 && i / 8 < 13 && any(pair, 3) == 0;
            pair->glyphs[g][i] = (guint8)(ink ? 255 - any(pair, 6) * 40 : 0);
        }
    return pair;
}

static void pair_free(Pair *pair)
{
    clear_free(pair->clear);
    clear_context_free(pair->decoder);
    g_rand_free(pair->random);
    g_free(pair->picture);
    g_free(pair->back);
    g_free(pair->stream);
    g_free(pair);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pair, pair_free)

static void set(Pair *pair, guint x, guint y, guint32 colour)
{
    if (x < pair->width && y < pair->height)
        pair->picture[y * pair->stride + x] = colour;
}

static void fill(Pair *pair, guint x, guint y, guint width, guint height, guint32 colour)
{
    for (guint row = y; row < y + height; row++)
        for (guint column = x; column < x + width; column++)
            set(pair, column, row, colour);
}

static void write_text(Pair *pair, guint32 paper, gboolean coloured, guint line)
{
    guint from = any(pair, 10), margin = any(pair, 40), to = pair->width - MIN(pair->width, margin);

    fill(pair, 0, 0, pair->width, pair->height, paper);
    for (guint y = any(pair, 8); y < pair->height; y += line)
        for (guint x = from; x < to; x += 8) {
            const guint8 *glyph = pair->glyphs[any(pair, GLYPHS)];
            guint32 tint = coloured ? g_rand_int(pair->random) : 0x00ffffff;
            gboolean space = any(pair, 6) == 0;
            for (guint i = 0; i < 8 * 16; i++)
                if (glyph[i] && !space)
                    set(pair, x + i % 8, y + i / 8, paper ^ (glyph[i] * 0x010101u & tint));
        }
}

static void paint_photo(Pair *pair, guint x, guint y, guint width, guint height)
{
    guint r = any(pair, 200), g = any(pair, 200), b = any(pair, 200);
    for (guint row = y; row < y + height; row++)
        for (guint column = x; column < x + width; column++)
            set(pair, column, row,
                ((r + row / 2 + any(pair, 5)) & 0xff) << 16 | ((g + column / 3 + any(pair, 5)) & 0xff) << 8 |
                    ((b + (row + column) / 4 + any(pair, 5)) & 0xff));
}

static void paint_columns(Pair *pair)
{
    fill(pair, 0, 0, pair->width, pair->height, 0xf0f0f0);
    for (guint x = 0; x < pair->width; x++) {
        guint from = 2 + any(pair, 12), to = from + 1 + any(pair, 6);
        for (guint y = from; y < to; y++)
            set(pair, x, y, g_rand_int(pair->random));
    }
}

static void paint_boxes(Pair *pair)
{
    fill(pair, 0, 0, pair->width, pair->height, 0xeeeeee);
    for (guint i = 0; i < 6; i++)
        fill(pair, any(pair, pair->width), any(pair, pair->height), 1 + any(pair, 90), 1 + any(pair, 30),
             g_rand_int(pair->random));
}

/* Everything that is a matter of one pixel alone. */
static guint32 pixel(Pair *pair, Kind kind, guint x, guint y)
{
    switch (kind) {
    case NOISE:
        return g_rand_int(pair->random);
    case SPECKS:
        return any(pair, 5) ? 0xffffff : any(pair, 3) * 0x7f;
    case GRADIENT:
        return (x * 5 & 0xff) << 16 | (y * 3 & 0xff) << 8 | ((x + y) & 0xff);
    case STRIPES:
        return x / 3 % 2 ? 0xff0000 : 0x0000ff;
    case ALMOST_TOO_MANY_COLOURS:
        return any(pair, 125 + pair->width % 5) * 0x020301;
    default:
        return 0x123456;
    }
}

static void paint(Pair *pair, Kind kind, guint width, guint height)
{
    pair->width = width;
    pair->height = height;
    pair->stride = width + any(pair, 8);
    for (guint y = 0; y < height; y++)
        for (guint x = 0; x < width; x++)
            set(pair, x, y, pixel(pair, kind, x, y));
    if (kind == TEXT || kind == MIXED)
        write_text(pair, any(pair, 4) ? 0xffffff : 0x202020, FALSE, 18);
    if (kind == COLOURED_TEXT)
        write_text(pair, 0x300a24, TRUE, 17);
    if (kind == TALL_TEXT)
        write_text(pair, 0xfafafa, FALSE, 9);
    if (kind == PHOTO)
        paint_photo(pair, 0, 0, width, height);
    if (kind == MIXED)
        paint_photo(pair, any(pair, width), any(pair, height), 100, 40);
    if (kind == COLUMNS)
        paint_columns(pair);
    if (kind == BOXES)
        paint_boxes(pair);
    for (guint y = 0; y < height; y++) /* the fourth byte says nothing */
        for (guint x = 0; x < width; x++)
            pair->picture[y * pair->stride + x] |= any(pair, 3) << 24;
}

static void decode(Pair *pair)
{
    guint width = pair->width, height = pair->height;

    memset(pair->back, 0x77, sizeof *pair->back * width * height);
    INT32 result =
        clear_decompress(pair->decoder, pair->stream, (UINT32)pair->length, width, height, (BYTE *)pair->back,
                         PIXEL_FORMAT_BGRX32, width * 4, 0, 0, width, height, NULL);
    ck_assert_msg(result == 0, "%u x %u is not decoded", width, height);
    for (guint y = 0; y < height; y++)
        for (guint x = 0; x < width; x++)
            if (((pair->back[y * width + x] ^ pair->picture[y * pair->stride + x]) & 0xffffff) != 0)
                ck_abort_msg("%u x %u differs at %u, %u: %06x, not %06x", width, height, x, y,
                             pair->back[y * width + x] & 0xffffff,
                             pair->picture[y * pair->stride + x] & 0xffffff);
}

static gsize send_picture(Pair *pair)
{
    guint width = pair->width, height = pair->height;
    gsize most = clear_measure(pair->clear, (const guint8 *)pair->picture, pair->stride * 4, width, height);

    ck_assert_uint_le(most, CLEAR_SIZE_MAX(width, height));
    pair->stream[most] = GUARD;
    pair->length = clear_write(pair->clear, pair->stream);
    ck_assert_uint_le(pair->length, most);
    ck_assert_uint_eq(pair->stream[most], GUARD);
    decode(pair);
    return pair->length;
}

static guint read_16(const guint8 *at)
{
    return at[0] | (guint)at[1] << 8;
}

static Columns count_columns(const Pair *pair)
{
    Columns c = {0};
    const guint8 *at = pair->stream + 2 + (pair->stream[0] & 1 ? 2 : 0);
    const guint8 *band = at + 12 + read_16(at) + ((gsize)read_16(at + 2) << 16);
    const guint8 *end = band + read_16(at + 4) + ((gsize)read_16(at + 6) << 16);

    if (pair->stream[0] & 2)
        return c;
    while (band < end) {
        guint n = read_16(band + 2) - read_16(band) + 1;
        band += 11;
        c.bands++;
        while (n--) {
            guint header = read_16(band);
            band += 2;
            if (header & 0x8000) {
                c.whole++;
            } else if (header & 0x4000) {
                c.shorter++;
                band++;
            } else {
                c.new ++;
                band += 3 * ((header >> 8) - (header & 0xff));
            }
        }
    }
    ck_assert_ptr_eq(band, end);
    return c;
}

START_TEST(pictures_of_every_small_size_come_back_exactly)
{
    g_autoptr(Pair) pair = pair_new(1);
    for (Kind kind = NOISE; kind < KINDS; kind++)
        for (guint width = 1; width <= 24; width++)
            for (guint height = 1; height <= 20; height++) {
                paint(pair, kind, width, height);
                send_picture(pair);
            }
}
END_TEST

START_TEST(the_largest_pictures_come_back_exactly)
{
    g_autoptr(Pair) pair = pair_new(2);
    for (guint round = 0; round < 3; round++)
        for (Kind kind = NOISE; kind < KINDS; kind++) {
            paint(pair, kind, CLEAR_WIDTH_MAX, CLEAR_HEIGHT_MAX);
            send_picture(pair);
        }
}
END_TEST

START_TEST(thousands_of_pictures_come_back_exactly_through_one_encoder_and_one_decoder)
{
    g_autoptr(Pair) pair = pair_new(3);
    Columns all = {0};
    for (guint i = 0; i < 6000; i++) {
        guint limit = any(pair, 12) ? 160 : CLEAR_WIDTH_MAX;
        paint(pair, any(pair, KINDS), 1 + any(pair, limit), 1 + any(pair, CLEAR_HEIGHT_MAX));
        send_picture(pair);
        Columns c = count_columns(pair);
        all.whole += c.whole;
        all.shorter += c.shorter;
        all.new += c.new;
    }
    ck_assert_uint_gt(all.whole, 50000);
    ck_assert_uint_gt(all.shorter, 1000);
    ck_assert_uint_gt(all.new, 1000);
}
END_TEST

START_TEST(pictures_that_are_measured_and_not_sent_change_nothing)
{
    g_autoptr(Pair) pair = pair_new(4);
    for (guint i = 0; i < 1000; i++) {
        paint(pair, any(pair, KINDS), 1 + any(pair, 200), 1 + any(pair, CLEAR_HEIGHT_MAX));
        if (any(pair, 2))
            clear_measure(pair->clear, (const guint8 *)pair->picture, pair->stride * 4, pair->width,
                          pair->height);
        else
            send_picture(pair);
    }
}
END_TEST

START_TEST(the_storages_of_columns_wrap_around_and_stay_the_decoders)
{
    g_autoptr(Pair) pair = pair_new(5);
    const guint size = CLEAR_WIDTH_MAX * CLEAR_HEIGHT_MAX, kept = 64;
    g_autofree guint32 *old = g_new(guint32, kept * size);
    guint columns = 0, hits = 0;

    for (guint i = 0; columns < 3 * CLEAR_BARS + 1000; i++) {
        guint again = any(pair, kept);
        paint(pair, COLUMNS, CLEAR_WIDTH_MAX, 24);
        if (i > kept && any(pair, 3) == 0)
            memcpy(pair->picture, old + again * size, 24 * pair->stride * 4);
        memcpy(old + i % kept * size, pair->picture, 24 * pair->stride * 4);
        send_picture(pair);
        Columns c = count_columns(pair);
        columns += c.shorter + c.new;
        hits += c.whole;
    }
    ck_assert_uint_gt(hits, 1000);
}
END_TEST

START_TEST(a_column_is_found_until_the_decoder_forgets_it_and_no_longer)
{
    g_autoptr(Pair) pair = pair_new(6);
    g_autofree guint32 *first = g_new(guint32, (CLEAR_WIDTH_MAX + 8) * 24);

    for (guint back = 30; back <= 33; back++) { /* 512 columns each, of 16384 short ones */
        paint(pair, COLUMNS, CLEAR_WIDTH_MAX, 24);
        guint stride = pair->stride;
        memcpy(first, pair->picture, stride * 24 * 4);
        send_picture(pair);
        for (guint i = 0; i < back; i++) {
            paint(pair, COLUMNS, CLEAR_WIDTH_MAX, 24);
            send_picture(pair);
        }
        pair->stride = stride;
        memcpy(pair->picture, first, stride * 24 * 4);
        send_picture(pair);
        Columns c = count_columns(pair);
        if (back < 31)
            ck_assert_uint_gt(c.whole, 500);
        else if (back > 32)
            ck_assert_uint_lt(c.whole, 12); /* which were made again by chance */
    }
}
END_TEST

START_TEST(the_same_columns_on_other_backgrounds_at_other_heights_come_back_exactly)
{
    static const guint32 papers[] = {0xf0f0f0, 0x102030, 0x000001};
    g_autoptr(Pair) pair = pair_new(12);
    guint again = 0;

    for (guint i = 0; i < 60; i++) {
        guint top = i % 5, height = i % 7 == 0 ? 6 : 20 + i / 15 % 3;
        g_rand_set_seed(pair->random, 77);
        pair->width = pair->stride = 300;
        pair->height = height;
        fill(pair, 0, 0, 300, height, papers[i % G_N_ELEMENTS(papers)]);
        fill(pair, 290, 0, 1, height, 0xff0000); /* no row is flat */
        for (guint x = 0; x < 290; x++)
            for (guint y = 0; y < 6; y++)
                set(pair, x, (height == 6 ? 0 : top) + y, (x + y) % 3 ? 0x555555 : g_rand_int(pair->random));
        send_picture(pair);
        Columns c = count_columns(pair);
        again += c.whole + c.shorter;
    }
    ck_assert_uint_gt(again, 40 * 290);
}
END_TEST

START_TEST(a_store_finds_what_the_decoder_has_and_nothing_else)
{
    enum { SIZE = 16, WORDS = 10 };
    static const ClearSpare none = {0, 0};
    g_autoptr(GRand) random = g_rand_new_with_seed(13);
    guint32 decoder[SIZE][WORDS], words[WORDS];
    guint counts[SIZE], next = 0, found = 0;
    ClearStore store;

    clear_store_init(&store, SIZE, 60); /* words of ten entries or so */
    for (guint i = 0; i < 20000; i++) {
        guint count = (guint)g_rand_int_range(random, 1, WORDS + 1), hash = g_rand_int(random) % 5;
        for (guint w = 0; w < WORDS; w++)
            words[w] = (guint32)g_rand_int_range(random, 0, 8) / 7;
        const ClearEntry *entry = clear_store_find(&store, words, count, 0, hash, none);
        if (entry) {
            guint index = clear_store_index(&store, entry);
            ck_assert_uint_eq(counts[index], count);
            ck_assert_mem_eq(decoder[index], words, count * sizeof *words);
            found++;
        } else {
            entry = clear_store_add(&store, words, count, 0, hash);
            ck_assert_uint_eq(clear_store_index(&store, entry), next);
            memcpy(decoder[next], words, sizeof words);
            counts[next] = count;
            next = (next + 1) % SIZE;
        }
    }
    ck_assert_uint_gt(found, 1000);
    clear_store_clear(&store);
}
END_TEST

START_TEST(small_pictures_sent_before_take_four_bytes)
{
    g_autoptr(Pair) pair = pair_new(7);
    for (guint i = 0; i < 50; i++) {
        paint(pair, i % KINDS, 1 + any(pair, 32), 1 + any(pair, 32));
        send_picture(pair);
        ck_assert_uint_eq(send_picture(pair), 4);
    }
    paint(pair, NOISE, 33, 32);
    send_picture(pair);
    ck_assert_uint_gt(send_picture(pair), 4);
    ck_assert_uint_eq(pair->stream[0] & 3, 0);
}
END_TEST

START_TEST(the_storage_of_small_pictures_wraps_around_and_stays_the_decoders)
{
    g_autoptr(Pair) pair = pair_new(8);
    guint hits = 0;
    for (guint i = 0; i < 20000; i++) { /* of 6000 kinds */
        guint id = any(pair, 6000);
        pair->width = pair->stride = 1 + id % 7;
        pair->height = 1 + id % 5;
        fill(pair, 0, 0, pair->width, pair->height, id * 977);
        hits += send_picture(pair) == 4;
    }
    ck_assert_uint_gt(hits, 5000);
}
END_TEST

START_TEST(text_that_comes_again_is_told_by_its_columns)
{
    g_autoptr(Pair) pair = pair_new(9);
    gsize first = 0, last = 0;
    for (guint i = 0; i < 20; i++) {
        paint(pair, TEXT, CLEAR_WIDTH_MAX, CLEAR_HEIGHT_MAX);
        last = send_picture(pair);
        first = first ? first : last;
    }
    ck_assert_uint_lt(last * 3, first * 2);
    Columns c = count_columns(pair);
    ck_assert_uint_gt(c.whole + c.shorter, 20 * c.new);
}
END_TEST

START_TEST(a_flat_picture_takes_twenty_bytes)
{
    g_autoptr(Pair) pair = pair_new(10);
    paint(pair, FLAT, CLEAR_WIDTH_MAX, CLEAR_HEIGHT_MAX);
    ck_assert_uint_eq(send_picture(pair), 14 + 6);
}
END_TEST

START_TEST(after_a_reset_the_encoder_serves_a_new_decoder_and_one_that_was_reset)
{
    g_autoptr(Pair) pair = pair_new(11);
    for (guint round = 0; round < 6; round++) {
        for (guint i = 0; i < 60; i++) {
            paint(pair, any(pair, KINDS), 1 + any(pair, CLEAR_WIDTH_MAX), 1 + any(pair, CLEAR_HEIGHT_MAX));
            send_picture(pair);
        }
        clear_reset(pair->clear);
        if (round % 2) {
            clear_context_reset(pair->decoder);
        } else {
            clear_context_free(pair->decoder);
            pair->decoder = clear_context_new(FALSE);
        }
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("clear");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, pictures_of_every_small_size_come_back_exactly);
    tcase_add_test(tcase, the_largest_pictures_come_back_exactly);
    tcase_add_test(tcase, thousands_of_pictures_come_back_exactly_through_one_encoder_and_one_decoder);
    tcase_add_test(tcase, pictures_that_are_measured_and_not_sent_change_nothing);
    tcase_add_test(tcase, the_storages_of_columns_wrap_around_and_stay_the_decoders);
    tcase_add_test(tcase, a_column_is_found_until_the_decoder_forgets_it_and_no_longer);
    tcase_add_test(tcase, the_same_columns_on_other_backgrounds_at_other_heights_come_back_exactly);
    tcase_add_test(tcase, a_store_finds_what_the_decoder_has_and_nothing_else);
    tcase_add_test(tcase, small_pictures_sent_before_take_four_bytes);
    tcase_add_test(tcase, the_storage_of_small_pictures_wraps_around_and_stays_the_decoders);
    tcase_add_test(tcase, text_that_comes_again_is_told_by_its_columns);
    tcase_add_test(tcase, a_flat_picture_takes_twenty_bytes);
    tcase_add_test(tcase, after_a_reset_the_encoder_serves_a_new_decoder_and_one_that_was_reset);
    return suite_run("clear", tcase);
}
