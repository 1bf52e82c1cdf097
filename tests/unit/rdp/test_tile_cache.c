/* The client's cache of tiles: what is kept, what comes again; and that a simulated client which does what it
 * is told never shows a wrong pixel. The clock and the PDUs are the test's own. */
#include "session/rdp/gfx_private.h"

static gint64 clock_us = 1000000;
#define g_get_monotonic_time() clock_us
#include "session/rdp/gfx_cache.c"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH_MAX 330
#define HEIGHT_MAX 210
#define OFFSET_X 7
#define OFFSET_Y 3
#define SURFACE_WIDTH (WIDTH_MAX + OFFSET_X)
#define SURFACE_HEIGHT (HEIGHT_MAX + OFFSET_Y)
#define TILES_MAX (6 * 4)

/* ---- the client ---- */

typedef struct {
    guint64 key;
    guint width, height;
    guint32 pixels[SEAT_TILE * SEAT_TILE];
} Entry;

static struct {
    guint32 surface[SURFACE_HEIGHT][SURFACE_WIDTH];
    GHashTable *entries; /* slot -> Entry */
    guint most;          /* entries at once */
    guint kept, again, evicted;
} client;

void gfx_pdu_surface_to_cache(GfxBlock *block, guint16 surface, guint64 key, guint16 slot,
                              const ViewerRect *rect)
{
    Entry *entry = g_new0(Entry, 1);

    ck_assert_uint_eq(surface, GFX_SURFACE_SCREEN);
    ck_assert_uint_gt(slot, 0);
    ck_assert_msg(!g_hash_table_contains(client.entries, GUINT_TO_POINTER(slot)), "slot %u is in use", slot);
    *entry = (Entry){.key = key, .width = rect->width, .height = rect->height};
    for (guint y = 0; y < rect->height; y++)
        memcpy(entry->pixels + y * rect->width, &client.surface[rect->y + y][rect->x],
               rect->width * sizeof(guint32));
    g_hash_table_insert(client.entries, GUINT_TO_POINTER(slot), entry);
    client.most = MAX(client.most, g_hash_table_size(client.entries));
    client.kept++;
}

void gfx_pdu_cache_to_surface(GfxBlock *block, guint16 slot, guint16 surface, guint x, guint y)
{
    const Entry *entry = g_hash_table_lookup(client.entries, GUINT_TO_POINTER(slot));

    ck_assert_ptr_nonnull(entry);
    for (guint row = 0; row < entry->height; row++)
        memcpy(&client.surface[y + row][x], entry->pixels + row * entry->width,
               entry->width * sizeof(guint32));
    client.again++;
}

void gfx_pdu_evict_cache_entry(GfxBlock *block, guint16 slot)
{
    ck_assert(g_hash_table_remove(client.entries, GUINT_TO_POINTER(slot)));
    client.evicted++;
}

/* ---- the desktop ---- */

static Gfx *gfx;
static Rdp rdp;
static guint width, height;                   /* of the picture */
static guint32 source[HEIGHT_MAX][WIDTH_MAX]; /* what the desktop shows */
static guint32 picture[HEIGHT_MAX][WIDTH_MAX];
static ViewerTile tiles[TILES_MAX];
static ViewerRect rects[TILES_MAX], lossy[TILES_MAX];
static ViewerMove moves[4];
static ViewerUpdate update;
static guint8 right[HEIGHT_MAX][WIDTH_MAX]; /* the client's pixel is the desktop's, also without a cache */

static guint columns(void)
{
    return (width + SEAT_TILE - 1) / SEAT_TILE;
}

static guint rows(void)
{
    return (height + SEAT_TILE - 1) / SEAT_TILE;
}

static ViewerRect rect_of(guint column, guint row)
{
    guint x = column * SEAT_TILE, y = row * SEAT_TILE;
    return (ViewerRect){x, y, MIN(SEAT_TILE, width - x), MIN(SEAT_TILE, height - y)};
}

static void begin(guint new_width, guint new_height)
{
    width = new_width;
    height = new_height;
    memset(right, 1, sizeof right);
    memset(source, 0, sizeof source);
    memset(client.surface, 0, sizeof client.surface);
}

static void set_up(void)
{
    gfx = g_new0(Gfx, 1);
    rdp = (Rdp){.offset_x = OFFSET_X, .offset_y = OFFSET_Y};
    gfx->rdp = &rdp;
    client.entries = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    client.most = client.kept = client.again = client.evicted = 0;
    gfx_cache_start(gfx, &(GfxCaps){.version = RDPGFX_CAPVERSION_107});
    begin(WIDTH_MAX, HEIGHT_MAX);
}

static void tear_down(void)
{
    gfx_cache_clear(gfx);
    g_hash_table_unref(client.entries);
    g_free(gfx);
}

static guint32 noise(guint seed, guint x, guint y)
{
    guint32 n = seed * 2654435761u + x * 40503u + y * 65599u;
    n ^= n >> 13;
    n *= 2246822519u;
    return (n ^ n >> 16) & 0xffffff;
}

#define PLAIN 0 /* a seed of one colour */

static void draw(const ViewerRect *rect, guint seed)
{
    for (guint y = rect->y; y < rect->y + rect->height; y++)
        for (guint x = rect->x; x < rect->x + rect->width; x++)
            source[y][x] = seed == PLAIN ? 0x50606c : noise(seed, x % SEAT_TILE, y % SEAT_TILE);
}

static void copy(guint32 to[HEIGHT_MAX][WIDTH_MAX], guint32 from[HEIGHT_MAX][WIDTH_MAX],
                 const ViewerRect *rect)
{
    for (guint y = rect->y; y < rect->y + rect->height; y++)
        memcpy(&to[y][rect->x], &from[y][rect->x], rect->width * sizeof(guint32));
}

static void note_right(const ViewerRect *rect, gboolean is)
{
    for (guint y = rect->y; y < rect->y + rect->height; y++)
        memset(&right[y][rect->x], is, rect->width);
}

static gboolean all_right(const ViewerRect *rect)
{
    for (guint y = rect->y; y < rect->y + rect->height; y++)
        if (memchr(&right[y][rect->x], 0, rect->width))
            return FALSE;
    return TRUE;
}

static void start_update(void)
{
    /* What the update does not say to be there is rubbish. */
    memset(picture, g_random_int_range(0, 256), sizeof picture);
    update = (ViewerUpdate){.picture = {width, height, sizeof picture[0], 1, (const guint8 *)picture},
                            .tiles = tiles,
                            .rects = rects,
                            .lossy_rects = lossy,
                            .moves = moves};
}

/* The tile is sent in this update, row by row; `lacking` has all that has changed in it. */
static void send_box(guint column, guint row, ViewerRect lacking, gboolean with_losses)
{
    ViewerRect all = rect_of(column, row);
    gboolean whole = lacking.width * lacking.height * 2 >= all.width * all.height;

    copy(picture, source, whole ? &all : &lacking);
    note_right(&lacking, !with_losses);
    tiles[update.n_tiles++] = (ViewerTile){column, row, lacking, with_losses, whole, all_right(&all)};
    if (with_losses)
        lossy[update.n_lossy_rects++] = lacking;
    else
        rects[update.n_rects++] = lacking;
}

static void paint(guint32 colours[HEIGHT_MAX][WIDTH_MAX], const ViewerRect *rect)
{
    for (guint y = rect->y; y < rect->y + rect->height; y++)
        memcpy(&client.surface[y + OFFSET_Y][rect->x + OFFSET_X], &colours[y][rect->x],
               rect->width * sizeof(guint32));
}

static void client_moves(const ViewerMove *move)
{
    g_autofree guint32 *block = g_new(guint32, (gsize)move->width * move->height);

    for (guint y = 0; y < move->height; y++)
        memcpy(block + (gsize)y * move->width, &client.surface[move->y + y + OFFSET_Y][move->x + OFFSET_X],
               move->width * sizeof(guint32));
    for (guint y = 0; y < move->height; y++)
        memcpy(&client.surface[move->to_y + y + OFFSET_Y][move->to_x + OFFSET_X],
               block + (gsize)y * move->width, move->width * sizeof(guint32));
}

static void assert_right(void)
{
    for (guint y = 0; y < height; y++)
        for (guint x = 0; x < width; x++)
            if (right[y][x] && client.surface[y + OFFSET_Y][x + OFFSET_X] != source[y][x])
                ck_abort_msg("a wrong pixel at %u, %u", x, y);
}

/* As gfx_send() does it. */
static void show_update(void)
{
    ViewerUpdate rest;

    gfx_cache_begin(gfx, &update);
    for (guint i = 0; i < update.n_moves; i++)
        client_moves(&moves[i]);
    gfx_cache_append(gfx, &update, &rest);
    for (guint i = 0; i < rest.n_rects; i++)
        paint(picture, &rest.rects[i]);
    for (guint i = 0; i < rest.n_lossy_rects; i++)
        for (guint y = 0; y < rest.lossy_rects[i].height; y++)
            for (guint x = 0; x < rest.lossy_rects[i].width; x++)
                client.surface[rest.lossy_rects[i].y + y + OFFSET_Y][rest.lossy_rects[i].x + x + OFFSET_X] =
                    g_random_int();
    assert_right();
}

/* What arrives is as right as what it came from. */
static void move_source(const ViewerMove *move)
{
    static guint32 colours[HEIGHT_MAX][WIDTH_MAX];
    static guint8 were_right[HEIGHT_MAX][WIDTH_MAX];

    memcpy(colours, source, sizeof source);
    memcpy(were_right, right, sizeof right);
    for (guint y = 0; y < move->height; y++) {
        memcpy(&source[move->to_y + y][move->to_x], &colours[move->y + y][move->x],
               move->width * sizeof(guint32));
        memcpy(&right[move->to_y + y][move->to_x], &were_right[move->y + y][move->x], move->width);
    }
}

static void show_all(guint seed)
{
    start_update();
    for (guint row = 0; row < rows(); row++)
        for (guint column = 0; column < columns(); column++) {
            ViewerRect all = rect_of(column, row);
            draw(&all, seed * 100 + row * 10 + column);
            send_box(column, row, all, FALSE);
        }
    show_update();
}

static void wait_ms(guint ms)
{
    clock_us += (gint64)ms * 1000;
}

/* ---- what is kept ---- */

START_TEST(a_window_that_comes_back_is_shown_from_the_clients_cache)
{
    guint all = columns() * rows();

    show_all(1);
    wait_ms(1000);
    show_all(2);
    ck_assert_uint_eq(client.kept, all);
    ck_assert_uint_eq(client.again, 0);
    wait_ms(1000);
    show_all(1);
    ck_assert_uint_eq(client.kept, 2 * all);
    ck_assert_uint_eq(client.again, all);
    for (guint i = 0; i < 10; i++) {
        wait_ms(1000);
        show_all(2 - i % 2);
    }
    ck_assert_uint_eq(client.kept, 2 * all);
    ck_assert_uint_eq(client.again, 11 * all);
}
END_TEST

START_TEST(what_lies_under_a_menu_comes_back_when_it_closes)
{
    ViewerRect part = {64, 64, 64, 48};

    show_all(1);
    wait_ms(1000);
    for (guint i = 0; i < 2; i++) {
        start_update();
        draw(&part, i ? 111 : 7);
        send_box(1, 1, part, FALSE);
        show_update();
        wait_ms(100);
    }
    ck_assert_uint_eq(client.kept, 1);
    ck_assert_uint_eq(client.again, 1);
}
END_TEST

START_TEST(a_film_is_not_kept)
{
    for (guint i = 0; i < 100; i++) {
        show_all(1 + i % 10);
        wait_ms(33);
    }
    ck_assert_uint_eq(client.kept, 0);
    ck_assert_uint_eq(client.again, 0);
}
END_TEST

START_TEST(what_is_plain_is_not_kept)
{
    for (guint i = 0; i < 4; i++) {
        start_update();
        for (guint row = 0; row < rows(); row++)
            for (guint column = 0; column < columns(); column++) {
                ViewerRect all = rect_of(column, row);
                draw(&all, PLAIN);
                source[all.y][all.x] = i; /* a dot in it */
                send_box(column, row, all, FALSE);
            }
        show_update();
        wait_ms(1000);
    }
    ck_assert_uint_eq(client.kept, 0);
}
END_TEST

START_TEST(what_stands_is_learned_and_kept_when_it_goes)
{
    ViewerRect small = {70, 70, 10, 10}, all = rect_of(1, 1);

    show_all(1);
    for (guint i = 0; i < 2; i++) {
        wait_ms(1000);
        start_update();
        draw(&small, 5); /* the tile is not known any more */
        send_box(1, 1, small, FALSE);
        show_update();
        if (i == 1) {
            start_update();
            copy(picture, source, &all);
            tiles[update.n_tiles++] = (ViewerTile){1, 1, {0}, FALSE, TRUE, TRUE};
            ck_assert(gfx_cache_learn(gfx, &update));
        }
        wait_ms(1000);
        client.kept = 0;
        show_all(2 + i);
        ck_assert_uint_eq(client.kept, columns() * rows() - 1 + i);
    }
}
END_TEST

START_TEST(tiles_that_move_by_whole_tiles_are_known_where_they_arrive)
{
    show_all(1);
    wait_ms(1000);
    start_update();
    moves[update.n_moves++] = (ViewerMove){0, 0, 192, 128, 64, 64};
    move_source(&moves[0]);
    show_update();
    wait_ms(1000);
    show_all(2);
    /* Four stand twice now. */
    ck_assert_uint_eq(client.kept, columns() * rows() - 4);
}
END_TEST

START_TEST(a_client_with_a_small_cache_is_given_no_more_than_that)
{
    static const GfxCaps small[] = {{.version = RDPGFX_CAPVERSION_8, .flags = RDPGFX_CAPS_FLAG_THINCLIENT},
                                    {.version = RDPGFX_CAPVERSION_107, .flags = RDPGFX_CAPS_FLAG_SMALL_CACHE},
                                    {.version = RDPGFX_CAPVERSION_103}};
    for (guint i = 0; i < G_N_ELEMENTS(small); i++) {
        gfx_cache_start(gfx, &small[i]);
        g_hash_table_remove_all(client.entries);
        client.most = 0;
        for (guint seed = 1; seed < 60; seed++) {
            show_all(seed);
            wait_ms(1000);
        }
        ck_assert_uint_eq(client.most, SMALL_BYTES / (SEAT_TILE * SEAT_TILE * 4));
    }
    ck_assert_uint_gt(client.evicted, 0);
}
END_TEST

START_TEST(before_the_output_is_made_anew_all_is_thrown_out)
{
    show_all(1);
    wait_ms(1000);
    show_all(2);
    gfx_cache_empty(gfx);
    ck_assert_uint_eq(g_hash_table_size(client.entries), 0);
    wait_ms(1000);
    show_all(1);
    ck_assert_uint_eq(client.again, 0);
}
END_TEST

START_TEST(the_same_pixels_in_another_shape_are_another_tile)
{
    guint32 pixels[32 * 16];

    for (guint i = 0; i < G_N_ELEMENTS(pixels); i++)
        pixels[i] = noise(1, i, 0);
    TileHash wide = tile_cache_hash(gfx->cache.tiles, (const guint8 *)pixels, 32 * 4, 32, 16);
    TileHash tall = tile_cache_hash(gfx->cache.tiles, (const guint8 *)pixels, 16 * 4, 16, 32);
    ck_assert(tile_hash_known(wide) && tile_hash_known(tall));
    ck_assert(wide.low != tall.low || wide.high != tall.high);
}
END_TEST

/* ---- anything, for long ---- */

static guint below(guint end)
{
    return (guint)g_random_int_range(0, (gint)end);
}

static ViewerRect random_rect(const ViewerRect *in)
{
    guint x = below(in->width), y = below(in->height);
    return (ViewerRect){in->x + x, in->y + y, 1 + below(in->width - x), 1 + below(in->height - y)};
}

static void random_moves(void)
{
    guint grid = below(3) ? SEAT_TILE : 1;

    for (guint n = below(3); n > 0; n--) {
        guint w = 1 + below(width), h = 1 + below(height);
        ViewerMove move = {0, 0, w, h, 0, 0};
        move.x = below(width - w + 1) / grid * grid;
        move.y = below(height - h + 1) / grid * grid;
        move.to_x = below(width - w + 1) / grid * grid;
        move.to_y = below(height - h + 1) / grid * grid;
        moves[update.n_moves++] = move;
        move_source(&move);
    }
}

static void random_tile(guint column, guint row)
{
    ViewerRect all = rect_of(column, row);
    ViewerRect part = below(4) ? all : random_rect(&all);
    guint what = below(8);

    if (what >= 5)
        return;
    draw(&part, below(5) ? 1 + below(2) : PLAIN); /* few, so that they come again */
    send_box(column, row, part, what == 0);
}

static void random_update(void)
{
    guint some = 1 + below(4);

    start_update();
    if (below(3) == 0)
        random_moves();
    for (guint row = 0; row < rows(); row++)
        for (guint column = 0; column < columns(); column++)
            if (below(some) == 0)
                random_tile(column, row);
    show_update();
    wait_ms(below(5) ? below(700) : below(40));
}

static void random_sequence(void)
{
    static const guint slots[] = {0, 1, 3, 20, 20, 25600};

    g_hash_table_remove_all(client.entries);
    tile_cache_start(gfx->cache.tiles, slots[below(G_N_ELEMENTS(slots))], BYTES);
    begin(1 + below(WIDTH_MAX), 1 + below(HEIGHT_MAX));
    for (guint n = 10 + below(40); n > 0; n--) {
        random_update();
        if (below(60) == 0) {
            gfx_cache_empty(gfx);
            begin(1 + below(WIDTH_MAX), 1 + below(HEIGHT_MAX));
        }
    }
    show_all(1 + below(2));
    ck_assert(all_right(&(ViewerRect){0, 0, width, height}));
}

START_TEST(whatever_happens_a_client_with_a_cache_shows_what_the_desktop_does)
{
    g_random_set_seed((guint32)_i);
    for (guint i = 0; i < 50; i++)
        random_sequence();
    ck_assert_uint_gt(client.again, 100);
    ck_assert_uint_gt(client.evicted, 20);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rdp_tile_cache");
    TCase *kept = tcase_create("kept"), *anything = tcase_create("anything");

    tcase_add_checked_fixture(kept, set_up, tear_down);
    tcase_add_test(kept, a_window_that_comes_back_is_shown_from_the_clients_cache);
    tcase_add_test(kept, what_lies_under_a_menu_comes_back_when_it_closes);
    tcase_add_test(kept, a_film_is_not_kept);
    tcase_add_test(kept, what_is_plain_is_not_kept);
    tcase_add_test(kept, what_stands_is_learned_and_kept_when_it_goes);
    tcase_add_test(kept, tiles_that_move_by_whole_tiles_are_known_where_they_arrive);
    tcase_add_test(kept, a_client_with_a_small_cache_is_given_no_more_than_that);
    tcase_add_test(kept, before_the_output_is_made_anew_all_is_thrown_out);
    tcase_add_test(kept, the_same_pixels_in_another_shape_are_another_tile);
    tcase_add_checked_fixture(anything, set_up, tear_down);
    tcase_add_loop_test(anything, whatever_happens_a_client_with_a_cache_shows_what_the_desktop_does, 0, 12);
    tcase_set_timeout(anything, 120);
    suite_add_tcase(suite, kept);
    suite_add_tcase(suite, anything);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
