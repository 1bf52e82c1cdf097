/* What our bulk compression writes, FreeRDP's decoder must turn into the same bytes. */
#include "encoder/bulk.h"
#include "tests/unit/suite.h"

#include <freerdp/codec/zgfx.h>
#include <stdlib.h>
#include <string.h>

#define HISTORY 2500000 /* bytes that a decoder remembers */
#define SEGMENT 65535   /* bytes at most */
#define LENGTH_MAX (8 * SEGMENT)
#define GUARD 0xa5

typedef enum {
    ZEROS,
    NOISE,
    TEXT,
    SMALL_DIFFERENCES, /* as planar has them of photographs */
    HEADERS,           /* little changes from one to the next */
    STRIPES,
    OLD,       /* parts of what was sent before */
    NEW_BYTES, /* now noise, now text */
    KINDS
} Kind;

/* An encoder and the decoder that gets all of its messages. */
typedef struct {
    Bulk *bulk;
    ZGFX_CONTEXT *decoder;
    GRand *random;
    guint8 *message, *stream;
    gsize size; /* bytes of the stream made last */
    GByteArray *sent;
} Pair;

static guint any(Pair *pair, guint below)
{
    return (guint)g_rand_int_range(pair->random, 0, (gint32)below);
}

static void fill_noise(Pair *pair, guint8 *bytes, gsize length)
{
    for (gsize i = 0; i < length; i += 4) {
        guint32 word = g_rand_int(pair->random);
        memcpy(bytes + i, &word, MIN(sizeof word, length - i));
    }
}

/* What a decoder remembers before the first message is not the encoder's to use: here it is no zeros. */
static void poison(ZGFX_CONTEXT *decoder)
{
    guint8 segment[2 + SEGMENT];
    memset(segment, GUARD, sizeof segment);
    segment[0] = 0xe0;
    segment[1] = 0x04;
    for (gsize done = 0; done < HISTORY; done += SEGMENT) {
        BYTE *back = NULL;
        UINT32 length;
        ck_assert_int_ge(zgfx_decompress(decoder, segment, sizeof segment, &back, &length, 0), 0);
        free(back);
    }
}

static Pair *pair_new(guint32 seed)
{
    Pair *pair = g_new0(Pair, 1);
    pair->bulk = bulk_new();
    pair->decoder = zgfx_context_new(FALSE);
    pair->random = g_rand_new_with_seed(seed);
    pair->message = g_malloc(LENGTH_MAX);
    pair->stream = g_malloc(bulk_size_max(LENGTH_MAX) + 1);
    pair->sent = g_byte_array_new();
    poison(pair->decoder);
    return pair;
}

static void pair_free(Pair *pair)
{
    bulk_free(pair->bulk);
    zgfx_context_free(pair->decoder);
    g_rand_free(pair->random);
    g_free(pair->message);
    g_free(pair->stream);
    g_byte_array_free(pair->sent, TRUE);
    g_free(pair);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pair, pair_free)

static gsize promised(gsize length)
{
    if (length == 0)
        return 3;
    return length + (length <= SEGMENT ? 2 : 7 + 5 * ((length + SEGMENT - 1) / SEGMENT));
}

/* Sends so many bytes of the message; returns how many they became. */
static gsize send_dense(Pair *pair, gsize length, const BulkRange *dense, guint n_dense)
{
    BYTE *back = NULL;
    UINT32 back_length = 0;

    pair->stream[bulk_size_max(length)] = GUARD;
    pair->size = bulk_encode(pair->bulk, pair->message, length, dense, n_dense, pair->stream);
    ck_assert_uint_eq(pair->stream[bulk_size_max(length)], GUARD);
    ck_assert_uint_le(pair->size, promised(length));
    ck_assert_uint_le(pair->size, bulk_size_max(length));
    ck_assert_int_ge(zgfx_decompress(pair->decoder, pair->stream, (UINT32)pair->size, &back, &back_length, 0),
                     0);
    ck_assert_uint_eq(back_length, length);
    if (length)
        ck_assert_mem_eq(back, pair->message, length);
    free(back);
    g_byte_array_append(pair->sent, pair->message, (guint)length);
    return pair->size;
}

static gsize send_whole(Pair *pair, gsize length)
{
    return send_dense(pair, length, NULL, 0);
}

static void fill_text(Pair *pair, guint8 *bytes, gsize length)
{
    static const char *const words[] = {"the ", "frame ", "of a desktop ", "that nobody sees ", "is drawn\n"};
    for (gsize i = 0; i < length;) {
        const char *word = words[any(pair, G_N_ELEMENTS(words))];
        gsize here = MIN(strlen(word), length - i);
        memcpy(bytes + i, word, here);
        i += here;
    }
}

static void fill_headers(Pair *pair, guint8 *bytes, gsize length)
{
    static const guint8 header[] = {11, 0, 0, 0, 16, 0, 0, 0, 1, 0, 8, 0, 32, 1, 2, 3, 0, 0, 64, 0, 64, 0};
    for (gsize i = 0; i < length; i++)
        bytes[i] = any(pair, 12) ? header[i % sizeof header] : (guint8)any(pair, 256);
}

/* Bytes that overlap with others, and such as are longer ago than any encoder remembers. */
static void fill_old(Pair *pair, guint8 *bytes, gsize length)
{
    fill_noise(pair, bytes, length);
    if (pair->sent->len == 0)
        return;
    for (gsize i = any(pair, 20); i < length; i += any(pair, 20)) {
        guint ago = any(pair, any(pair, 2) ? 100000 : 3000000) % pair->sent->len;
        gsize here = 3 + any(pair, any(pair, 3) ? 30 : 3000);
        here = MIN(MIN(here, length - i), ago + 1);
        memcpy(bytes + i, pair->sent->data + pair->sent->len - 1 - ago, here);
        i += here;
    }
}

static void fill(Pair *pair, Kind kind, guint8 *bytes, gsize length)
{
    switch (kind) {
    case ZEROS:
        memset(bytes, 0, length);
        return;
    case NOISE:
        fill_noise(pair, bytes, length);
        return;
    case TEXT:
        fill_text(pair, bytes, length);
        return;
    case SMALL_DIFFERENCES:
        for (gsize i = 0; i < length; i++)
            bytes[i] = (guint8)(any(pair, 6) * any(pair, 6));
        return;
    case HEADERS:
        fill_headers(pair, bytes, length);
        return;
    case STRIPES:
        for (gsize i = 0, wide = 1 + any(pair, 40); i < length; i++)
            bytes[i] = (guint8)(i % wide);
        return;
    case OLD:
        fill_old(pair, bytes, length);
        return;
    default:
        for (gsize i = 0; i < length; i += 400)
            fill(pair, i / 400 % 2 ? NOISE : TEXT, bytes + i, MIN(400, length - i));
        return;
    }
}

START_TEST(whatever_messages_come_in_whatever_order_they_come_back)
{
    g_autoptr(Pair) pair = pair_new((guint32)_i);
    guint large = 0;

    while (pair->sent->len < HISTORY + HISTORY / 3) {
        gsize length = any(pair, 4) ? any(pair, 2000) : any(pair, ++large % 8 ? 40000 : LENGTH_MAX);
        fill(pair, any(pair, KINDS), pair->message, length);
        send_whole(pair, length);
    }
}
END_TEST

START_TEST(all_lengths_around_a_segment_come_back)
{
    static const gsize lengths[] = {0,      1,      2,      3,      4,      5,      31,        65533,
                                    65534,  65535,  65536,  65537,  65538,  65539,  131069,    131070,
                                    131071, 131072, 196605, 196606, 262140, 262141, LENGTH_MAX};
    g_autoptr(Pair) pair = pair_new(7);
    for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
        fill(pair, (Kind)_i, pair->message, lengths[i]);
        send_whole(pair, lengths[i]);
    }
}
END_TEST

START_TEST(a_single_segment_holds_up_to_65535_bytes)
{
    g_autoptr(Pair) pair = pair_new(1);
    fill(pair, TEXT, pair->message, 65536);
    send_whole(pair, 65535);
    ck_assert_uint_eq(pair->stream[0], 0xe0);
    send_whole(pair, 65536);
    ck_assert_uint_eq(pair->stream[0], 0xe1);
    ck_assert_uint_eq(pair->stream[1] | pair->stream[2] << 8, 2);
    ck_assert_uint_eq(pair->stream[3] | pair->stream[4] << 8 | pair->stream[5] << 16, 65536);
}
END_TEST

START_TEST(every_byte_alone_comes_back)
{
    g_autoptr(Pair) pair = pair_new(2);
    for (guint byte = 0; byte < 256; byte++) {
        /* Amid others, else it is sent as it is. */
        fill_noise(pair, pair->message, 16);
        memset(pair->message + 4, 0, 8);
        pair->message[8] = (guint8)byte;
        send_whole(pair, 16);
        ck_assert_uint_eq(pair->stream[1], 0x24);
    }
}
END_TEST

START_TEST(matches_of_every_length_come_back)
{
    g_autoptr(Pair) pair = pair_new(3);
    for (guint length = 3; length < 70000; length += 1 + length / 9) {
        /* Equal bytes, which overlap, and the same noise twice. */
        pair->message[0] = (guint8)(7 * length);
        memset(pair->message + 1, (int)length, length);
        pair->message[1 + length] = (guint8)(length + 1);
        send_whole(pair, length + 2);
        guint noise = MIN(length, 30000);
        fill_noise(pair, pair->message, noise);
        memcpy(pair->message + noise + 1, pair->message, noise);
        pair->message[noise] = 1;
        gsize size = send_whole(pair, 2 * noise + 1);
        if (length >= 8)
            ck_assert_uint_lt(size, noise + noise / 200 + 40);
    }
}
END_TEST

/* The same at distances where the token changes, and at the end of what is searched. */
START_TEST(matches_of_every_distance_come_back)
{
    static const guint edges[] = {1, 32, 160, 672, 1696, 5792, 22176, 54944, 65535};
    g_autoptr(Pair) pair = pair_new(4);
    for (guint i = 0; i < G_N_ELEMENTS(edges); i++)
        for (guint distance = edges[i] - MIN(edges[i] - 1, 3); distance < edges[i] + 4; distance++) {
            gsize length = distance + 40;
            fill_noise(pair, pair->message, distance);
            for (gsize at = distance; at < length; at++)
                pair->message[at] = pair->message[at - distance];
            gsize size = send_whole(pair, length);
            if (distance <= 65535 && length > 60)
                ck_assert_uint_lt(size, length - 10 + distance / 200);
        }
}
END_TEST

START_TEST(what_is_not_dense_is_found_again_behind_what_is)
{
    static const guint apart[] = {0, 1, 100, 1023, 1024, 60000, 300000, LENGTH_MAX};
    g_autoptr(Pair) pair = pair_new(5);
    guint8 text[500];

    fill_noise(pair, text, sizeof text);
    for (guint i = 0; i < G_N_ELEMENTS(apart); i++) {
        BulkRange dense = {0, apart[i]};
        fill_noise(pair, pair->message, apart[i]);
        send_dense(pair, apart[i], &dense, 1);
        memcpy(pair->message, text, sizeof text);
        gsize size = send_whole(pair, sizeof text);
        if (i > 0)
            ck_assert_uint_lt(size, 20);
    }
}
END_TEST

START_TEST(what_a_decoder_no_longer_remembers_is_not_referred_to)
{
    g_autoptr(Pair) pair = pair_new(6);
    guint8 text[500];

    fill_noise(pair, text, sizeof text);
    for (guint more = 0; more < 1200; more += 100) {
        gsize gap = HISTORY - 600 + more;
        memcpy(pair->message, text, sizeof text);
        send_whole(pair, sizeof text);
        for (gsize done = 0; done < gap;) {
            gsize here = MIN(gap - done, LENGTH_MAX);
            BulkRange dense = {0, here};
            fill_noise(pair, pair->message, here);
            send_dense(pair, here, &dense, 1);
            done += here;
        }
        memcpy(pair->message, text, sizeof text);
        send_whole(pair, sizeof text);
    }
}
END_TEST

START_TEST(bytes_are_found_again_however_many_came_before_them)
{
    g_autoptr(Pair) pair = pair_new(12);
    guint8 text[500];

    fill_noise(pair, text, sizeof text);
    for (guint i = 0; i < 20; i++) {
        fill_noise(pair, pair->message, 20000);
        send_whole(pair, 20000);
        memcpy(pair->message, text, sizeof text);
        gsize size = send_whole(pair, sizeof text);
        if (i > 0)
            ck_assert_uint_lt(size, 20);
    }
}
END_TEST

START_TEST(more_dense_ranges_than_are_counted_make_older_bytes_unknown)
{
    g_autoptr(Pair) pair = pair_new(13);
    guint8 text[500];

    fill_noise(pair, text, sizeof text);
    memcpy(pair->message, text, sizeof text);
    send_whole(pair, sizeof text);
    for (guint i = 0; i < 40; i++) {
        BulkRange dense = {20, 1500};
        fill_noise(pair, pair->message, 1520);
        send_dense(pair, 1520, &dense, 1);
    }
    memcpy(pair->message, text, sizeof text);
    send_whole(pair, sizeof text);
}
END_TEST

/* Bytes on both sides of dense ones are neighbours only for us. */
START_TEST(no_match_reaches_across_dense_bytes)
{
    g_autoptr(Pair) pair = pair_new(8);
    guint8 before[300], after[300];

    fill_noise(pair, before, sizeof before);
    fill_noise(pair, after, sizeof after);
    for (guint i = 0; i < 100; i++) {
        BulkRange dense = {sizeof before, 900 + 20 * i};
        gsize tail = dense.at + dense.length;
        memcpy(pair->message, before, sizeof before);
        fill_noise(pair, pair->message + dense.at, dense.length);
        memcpy(pair->message + tail, after, sizeof after);
        send_dense(pair, tail + sizeof after, &dense, 1);
        memcpy(pair->message, before, sizeof before);
        memcpy(pair->message + sizeof before, after, sizeof after);
        ck_assert_uint_lt(send_whole(pair, sizeof before + sizeof after), 30);
    }
}
END_TEST

static guint random_ranges(Pair *pair, gsize length, BulkRange *ranges, guint max)
{
    gsize at = any(pair, 2) ? any(pair, 3000) : 0;
    guint n = 0;
    for (; n < max && at <= length; n++) {
        gsize here = any(pair, 3) ? any(pair, 90000) : any(pair, 40);
        if (here > length - at || any(pair, 8) == 0)
            here = length - at;
        ranges[n] = (BulkRange){at, here};
        at += here + (any(pair, 4) ? any(pair, 2000) : 0);
    }
    return n;
}

START_TEST(dense_ranges_may_be_anywhere)
{
    g_autoptr(Pair) pair = pair_new(900 + (guint32)_i);
    BulkRange ranges[24];

    for (guint i = 0; i < 25; i++) {
        gsize length = any(pair, 3) ? any(pair, 140000) : any(pair, 200);
        fill(pair, any(pair, KINDS), pair->message, length);
        send_dense(pair, length, ranges, random_ranges(pair, length, ranges, 1 + any(pair, 24)));
        fill(pair, OLD, pair->message, 2000);
        send_whole(pair, 2000);
    }
}
END_TEST

START_TEST(dense_bytes_are_sent_as_they_are)
{
    g_autoptr(Pair) pair = pair_new(9);
    BulkRange dense = {100, 20000};
    fill(pair, TEXT, pair->message, 20200);
    send_dense(pair, 20200, &dense, 1);
    ck_assert_ptr_nonnull(memmem(pair->stream, pair->size, pair->message + dense.at, dense.length));
}
END_TEST

START_TEST(noise_grows_by_two_bytes)
{
    g_autoptr(Pair) pair = pair_new(10);
    fill_noise(pair, pair->message, 60000);
    ck_assert_uint_eq(send_whole(pair, 60000), 60002);
    ck_assert_uint_eq(pair->stream[1], 0x04);
}
END_TEST

START_TEST(what_repeats_becomes_small)
{
    g_autoptr(Pair) pair = pair_new(11);
    memset(pair->message, 0, LENGTH_MAX);
    ck_assert_uint_lt(send_whole(pair, LENGTH_MAX), 200);
    fill(pair, TEXT, pair->message, 20000);
    ck_assert_uint_lt(send_whole(pair, 20000), 20000 / 3);
    fill(pair, SMALL_DIFFERENCES, pair->message, 20000);
    ck_assert_uint_lt(send_whole(pair, 20000), 20000 * 85 / 100);
    fill_headers(pair, pair->message, 250);
    guint8 first = pair->message[100];
    send_whole(pair, 250);
    pair->message[100] = (guint8)(first + 1);
    ck_assert_uint_lt(send_whole(pair, 250), 30);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("bulk");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, whatever_messages_come_in_whatever_order_they_come_back, 0, 6);
    tcase_add_loop_test(tests, all_lengths_around_a_segment_come_back, 0, KINDS);
    tcase_add_test(tests, a_single_segment_holds_up_to_65535_bytes);
    tcase_add_test(tests, every_byte_alone_comes_back);
    tcase_add_test(tests, matches_of_every_length_come_back);
    tcase_add_test(tests, matches_of_every_distance_come_back);
    tcase_add_test(tests, what_is_not_dense_is_found_again_behind_what_is);
    tcase_add_test(tests, what_a_decoder_no_longer_remembers_is_not_referred_to);
    tcase_add_test(tests, bytes_are_found_again_however_many_came_before_them);
    tcase_add_test(tests, more_dense_ranges_than_are_counted_make_older_bytes_unknown);
    tcase_add_test(tests, no_match_reaches_across_dense_bytes);
    tcase_add_loop_test(tests, dense_ranges_may_be_anywhere, 0, 8);
    tcase_add_test(tests, dense_bytes_are_sent_as_they_are);
    tcase_add_test(tests, noise_grows_by_two_bytes);
    tcase_add_test(tests, what_repeats_becomes_small);
    return suite_run("bulk", tests);
}
