/* The host's frames and real viewers, each with a client that makes the moves and paints the rectangles: its
 * picture ends like the seat's, whatever moves, whoever is slow, and whatever is copied too early or torn. */
#include "base/packet.h"
#include "base/proto/master_link.h"
#include "session/client/viewer_internal.h"
#include "session/seat/host_private.h"
#include "session/seat/recording.h"
#include "tests/unit/encoder/scenes.h"
#include "tests/unit/seat/film.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CLIENTS 3
#define SEQUENCES 5 /* of each of 25 runs */
#define FRAMES 40
#define PANES 3
#define PICTURE_US (G_USEC_PER_SEC / 30)

typedef struct {
    Viewer *viewer;
    guint8 *picture;
    gboolean dirty;
    guint patience; /* tenths of the occasions that it takes */
    guint moves;
    guint64 exact; /* px that were painted without loss */
    guint32 unit_stream;
} Client;

typedef struct {
    HostStream stream;
    const HostStreamEvents *events;
    gpointer data;
    gboolean encoding, keyframe;
    guint32 run;
} Fake;

typedef struct {
    ScenePart part;
    SceneKind kind;
    guint32 number;
    gint x, y; /* what of the sheet is at the part's corner */
} Pane;

static SeatHost *host;
static Scene *scene;
static Client clients[CLIENTS];
static guint units_painted, losses_painted, tiers_changed, forecasts, settled, unsettled;
static guint beside_units, beside_films; /* moves in updates with a unit; forecasts while there is a film */
static gint64 jumped_us, stopped_us;
static Fake fakes[2];

/* Now and then a while passes at once, so that clients change between the film's tiers; or time passes with
 * the pictures alone, so that a film is one on the slowest machine. GLib's timers run in real time. */
gint64 g_get_monotonic_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return stopped_us ? stopped_us : now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 + jumped_us;
}

static void stop_clock(void)
{
    stopped_us = g_get_monotonic_time();
}

static void start_clock(void)
{
    gint64 stopped = stopped_us;
    stopped_us = 0;
    jumped_us += stopped - g_get_monotonic_time();
}

/* ---- the stream ---- */

static void fake_attach(HostStream *stream, const HostStreamEvents *events, gpointer data)
{
    ((Fake *)stream)->events = events;
    ((Fake *)stream)->data = data;
}

static gboolean fake_encode(HostStream *stream, const Shadow *shadow, const SeatRect *region,
                            const SeatRect *rects, guint count, gboolean keyframe)
{
    ((Fake *)stream)->encoding = TRUE;
    ((Fake *)stream)->keyframe = keyframe;
    return TRUE;
}

static void fake_cancel(HostStream *stream)
{
    ((Fake *)stream)->encoding = FALSE;
}

static void fake_demand(HostStream *stream, guint max_kbit_s, gboolean chroma)
{
}

static void fake_free(HostStream *stream)
{
}

static const HostStreamClass fake_class = {fake_attach, fake_encode, fake_cancel, fake_demand, fake_free};
static const SeatHostEvents host_events;

static void deliver_unit(Fake *fake)
{
    static const guint8 unit[] = {0, 0, 0, 1, 0x65};
    if (!fake->encoding)
        return;
    fake->encoding = FALSE;
    H264Units made = {.main = unit, .main_length = sizeof unit, .keyframe = fake->keyframe};
    fake->events->unit(&made, fake->run, fake->data);
}

static void lose_unit(Fake *fake)
{
    if (!fake->encoding)
        return;
    fake->encoding = FALSE;
    fake->run++;
    fake->events->lost(fake->data);
}

/* ---- the clients ---- */

static void on_switched(Viewer *viewer, guint width, guint height, const SeatWelcome *welcome, gpointer data)
{
}

static void on_dirty(Viewer *viewer, gpointer data)
{
    ((Client *)data)->dirty = TRUE;
}

static void on_cursor(Viewer *viewer, const guint8 *pixels, guint width, guint height, guint hot_x,
                      guint hot_y, gpointer data)
{
}

static void on_leds(Viewer *viewer, guint32 mask, gpointer data)
{
}

static void on_mode(Viewer *viewer, gboolean absolute, gpointer data)
{
}

static void on_ended(Viewer *viewer, EndReason reason, const char *text, gpointer data)
{
    ck_abort_msg("a connection ended: %s", text);
}

static const ViewerEvents viewer_events = {.switched = on_switched,
                                           .dirty = on_dirty,
                                           .cursor = on_cursor,
                                           .leds = on_leds,
                                           .pointer_mode = on_mode,
                                           .ended = on_ended};

static void turn(void)
{
    for (guint i = 0; i < 1000 && g_main_context_iteration(NULL, FALSE); i++)
        ;
}

static gint between(gint from, gint to)
{
    return g_rand_int_range(scene->random, from, MAX(to, from + 1));
}

static void client_join(Client *client, ProcessId peer, gboolean h264, gboolean losses)
{
    SeatHello hello = {.protocol = SEAT_PROTOCOL_RDP, .heads = 1};
    ProcessRecord record = {0};
    int ends[2];

    *client = (Client){.viewer = viewer_new(&viewer_events, client), .patience = (guint)between(1, 10)};
    client->picture = g_malloc0(scene->stride * scene->height);
    ck_assert(packet_pair(ends, NULL));
    viewer_units_paint_all(client->viewer, FALSE);
    viewer_accept_moves(client->viewer, TRUE);
    viewer_subscribe(client->viewer, h264, 0);
    viewer_accept_losses(client->viewer, losses);
    viewer_name_tiles(client->viewer, between(0, 3) != 0);
    viewer_hello(client->viewer, &hello, NULL);
    seat_host_add_client(host, ends[0], peer, 0, &record);
    viewer_attach(client->viewer, ends[1], FALSE);
    if (between(0, 2)) { /* several records between two updates */
        SeatCredit credit = {.header.type = SEAT_CREDIT, .frames = 2};
        feed_send(client->viewer->pending, &credit, sizeof credit);
    }
    turn();
}

static void client_leave(Client *client)
{
    viewer_free(client->viewer);
    g_free(client->picture);
}

static void make_move(guint8 *picture, gsize stride, const ViewerMove *move)
{
    gsize row = move->width * 4u;
    g_autofree guint8 *taken = g_malloc(row * move->height);
    for (guint y = 0; y < move->height; y++)
        memcpy(taken + y * row, picture + (move->y + y) * stride + move->x * 4u, row);
    for (guint y = 0; y < move->height; y++)
        memcpy(picture + (move->to_y + y) * stride + move->to_x * 4u, taken + y * row, row);
}

/* As lossy as can be. */
static void paint_losses(Client *client, const ViewerRect *rects, guint count)
{
    for (guint i = 0; i < count; i++)
        for (guint y = rects[i].y; y < rects[i].y + rects[i].height; y++)
            memset(client->picture + y * scene->stride + rects[i].x * 4, 0x77, rects[i].width * 4u);
}

/* Whole tiles that are settled stand on the client's screen as they are in the update's picture; some clients
 * have them from before and paint them all over, settled or not. */
static void see_tiles(Client *client, const ViewerUpdate *update)
{
    for (guint i = 0; i < update->n_tiles; i++) {
        const ViewerTile *tile = &update->tiles[i];
        guint x = tile->column * SEAT_TILE, y = tile->row * SEAT_TILE, again = (guint)between(0, 2);
        gsize length = MIN(SEAT_TILE, scene->width - x) * 4;
        for (guint row = y; tile->whole && row < MIN(y + SEAT_TILE, scene->height); row++) {
            guint8 *shown = client->picture + row * scene->stride + x * 4;
            const guint8 *meant = update->picture.pixels + row * update->picture.stride + x * 4;
            if (tile->settled)
                ck_assert_mem_eq(shown, meant, length);
            else if (again)
                memcpy(shown, meant, length);
        }
        settled += tile->whole && tile->settled;
        unsettled += tile->whole && !tile->settled;
    }
}

static gboolean meets(const ViewerRect *rect, guint x, guint y, guint width, guint height)
{
    return x < rect->x + rect->width && rect->x < x + width && y < rect->y + rect->height &&
           rect->y < y + height;
}

static void check_unit(Client *client, const ViewerUpdate *update)
{
    const ViewerRect *region = &update->unit_region;
    gboolean another = update->unit_stream != client->unit_stream;

    ck_assert_msg(update->unit_key || !another, "a decoder that begins without a key frame");
    tiers_changed += another && client->unit_stream;
    client->unit_stream = update->unit_stream;
    for (guint i = 0; i < update->n_moves; i++) {
        const ViewerMove *move = &update->moves[i];
        ck_assert_msg(!meets(region, move->x, move->y, move->width, move->height) &&
                          !meets(region, move->to_x, move->to_y, move->width, move->height),
                      "a move from or to the film");
    }
    beside_units += update->n_moves;
}

static void client_take(Client *client)
{
    ViewerUpdate update;

    client->dirty = FALSE;
    gboolean taken = viewer_take(client->viewer, FALSE, &update);
    viewer_ready(client->viewer);
    if (!taken)
        return;
    if (update.unit)
        check_unit(client, &update);
    for (guint i = 0; i < update.n_moves; i++)
        make_move(client->picture, scene->stride, &update.moves[i]);
    client->moves += update.n_moves;
    paint_losses(client, update.unit_rects, update.n_unit_rects);
    paint_losses(client, update.lossy_rects, update.n_lossy_rects);
    units_painted += update.unit != NULL;
    losses_painted += update.n_lossy_rects;
    for (guint i = 0; i < update.n_rects; i++) {
        const ViewerRect *r = &update.rects[i];
        client->exact += (guint64)r->width * r->height;
        for (guint y = r->y; y < r->y + r->height; y++)
            memcpy(client->picture + y * scene->stride + r->x * 4,
                   update.picture.pixels + y * update.picture.stride + r->x * 4, r->width * 4u);
    }
    see_tiles(client, &update);
    viewer_release(client->viewer);
}

static void some_take(void)
{
    turn();
    for (guint i = 0; i < CLIENTS; i++)
        if (clients[i].dirty && between(0, 10) < (gint)clients[i].patience)
            client_take(&clients[i]);
}

/* ---- what happens on the screen ---- */

static Pane pane_new(void)
{
    gint width = (gint)scene->width, height = (gint)scene->height;
    Pane pane = {.kind = (SceneKind)between(0, SCENE_KINDS), .number = g_rand_int(scene->random)};
    pane.part = (ScenePart){between(-20, width / 3), between(-20, height / 3), between(width / 3, width),
                            between(height / 3, height)};
    pane.x = between(-100, 100);
    pane.y = between(-100, 1000);
    return pane;
}

static void pane_act(Pane *pane)
{
    switch (between(0, 10)) {
    case 0:
    case 1:
    case 2:
        pane->y += 17;
        break;
    case 3:
        pane->y += between(-60, 60);
        break;
    case 4:
        pane->x += between(-60, 60);
        break;
    case 5:
        pane->part.x += between(-40, 40);
        pane->part.y += between(-40, 40);
        break;
    case 6:
        pane->number += between(0, 3) == 0; /* another picture, as a film has */
        break;
    default:
        break;
    }
}

static void draw(Pane *panes, guint count)
{
    for (guint i = 0; i < count; i++) {
        const Pane *pane = &panes[i];
        ScenePart border = {pane->part.x - 3, pane->part.y - 9, pane->part.width + 6, pane->part.height + 12};
        scene_fill(scene, border, 0x00304050);
        scene_sheet(scene, pane->part, pane->kind, pane->number, pane->x, pane->y);
    }
    if (between(0, 3) == 0)
        scene_noise(scene, (ScenePart){between(0, (gint)scene->width), between(0, (gint)scene->height),
                                       between(1, 30), between(1, 20)});
}

/* A tile is being written while the clients copy. */
static void take_torn(void)
{
    const SeatBuffer *layout = shadow_layout(host->shadow);
    guint32 *versions = (guint32 *)(void *)((guint8 *)shadow_pixels(host->shadow) - layout->pixels_offset +
                                            layout->versions_offset);
    guint tile = (guint)between(0, (gint)(layout->tiles_x * layout->tiles_y));

    versions[tile]++;
    some_take();
    versions[tile]++;
}

/* What has been drawn gets into the host, and from there to the clients as chance has it. */
static void show(const SeatRect *rects, guint count)
{
    seat_host_copy(host, rects, count, scene->drawn, scene->stride, 0);
    forecasts += host->moves.expected;
    beside_films += host->moves.expected && host->moves.film.width > 0;
    if (between(0, 2))
        some_take(); /* the next picture while the last record is being taken */
    seat_host_publish(host);
    if (between(0, 4) == 0)
        take_torn();
    if (between(0, 3))
        some_take();
    for (guint i = 0; i < G_N_ELEMENTS(fakes); i++)
        if (between(0, 3) == 0)
            between(0, 30) ? deliver_unit(&fakes[i]) : lose_unit(&fakes[i]);
    if (between(0, 12) == 0) {
        Viewer *viewer = clients[between(0, CLIENTS)].viewer;
        viewer_accept_moves(viewer, !viewer->accept_moves);
    }
}

/* Links become slow and quick again, and time passes. */
static void change_links(void)
{
    static const guint links[] = {0, 0, 1000, 6000};
    if (between(0, 4) == 0)
        viewer_subscribe(clients[between(1, CLIENTS)].viewer, SEAT_H264_AVC420, links[between(0, 4)]);
    if (between(0, 3) == 0)
        jumped_us += between(0, 4) ? between(0, 200000) : 4 * G_USEC_PER_SEC;
}

/* steady: the pane before all others scrolls on and on. */
static void frame(Pane *panes, guint count, gboolean steady)
{
    const SeatRect all = {.width = (guint16)scene->width, .height = (guint16)scene->height};

    for (guint i = 0; i < count; i++)
        if (steady && i == count - 1)
            panes[i].y += 17;
        else
            pane_act(&panes[i]);
    draw(panes, count);
    show(&all, 1);
}

static void settle(gboolean h264)
{
    gint64 calm = (h264 ? TILES_CALM_MAX_MS + 100 : 10) * 1000, until = g_get_monotonic_time() + calm;
    gboolean dirty, over;

    do {
        over = g_get_monotonic_time() >= until; /* what was due by then is done below */
        for (guint i = 0; i < G_N_ELEMENTS(fakes); i++)
            deliver_unit(&fakes[i]);
        turn();
        dirty = fakes[0].encoding || fakes[1].encoding;
        for (guint i = 0; i < CLIENTS; i++)
            if (clients[i].dirty) {
                client_take(&clients[i]);
                dirty = TRUE;
            }
        if (dirty)
            until =
                g_get_monotonic_time() + calm; /* a unit that is taken now leaves tiles that follow later */
        else
            g_usleep(1000);
    } while (dirty || !over);
}

static void check_pictures(guint32 seed)
{
    for (guint i = 0; i < CLIENTS; i++)
        for (guint y = 0; y < scene->height; y++)
            ck_assert_msg(memcmp(clients[i].picture + y * scene->stride,
                                 shadow_pixels(host->shadow) + y * shadow_layout(host->shadow)->stride,
                                 scene->width * 4u) == 0,
                          "client %u has a wrong pixel in row %u, seed %u", i, y, seed);
}

static void begin(guint32 seed, guint width, guint height, gboolean h264)
{
    scene = scene_new(width, height, seed);
    host = seat_host_new(FALSE, &host_events, NULL, NULL);
    ck_assert(seat_host_resize(host, width, height, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(fakes); i++)
        fakes[i] = (Fake){.stream.class = &fake_class, .run = 1};
    if (h264)
        seat_host_set_streams(host, &fakes[0].stream, &fakes[1].stream);
    for (guint i = 0; i < CLIENTS; i++)
        client_join(&clients[i], i + 1, h264 && i > 0, h264 && i == 0);
}

static void finish(guint32 seed, gboolean h264)
{
    settle(h264);
    check_pictures(seed);
    for (guint i = 0; i < CLIENTS; i++)
        client_leave(&clients[i]);
    seat_host_free(host);
    scene_free(scene);
}

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
    forecasts = 0;
    for (guint i = 0; i < SEQUENCES; i++)
        check_sequence((guint32)_i * SEQUENCES + i, FALSE);
    ck_assert_uint_gt(forecasts, 0);
}
END_TEST

START_TEST(moves_and_the_stream_get_along)
{
    units_painted = losses_painted = tiers_changed = settled = unsettled = 0;
    for (guint i = 0; i < 4; i++)
        check_sequence(1000 + (guint32)_i * 4 + i, TRUE);
    ck_assert_uint_gt(units_painted, 0);
    ck_assert_uint_gt(losses_painted, 0);
    ck_assert_uint_gt(settled, 100);
    ck_assert_uint_gt(unsettled, 0);
    ck_assert_uint_gt(tiers_changed, 0);
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

/* ---- a film, and what scrolls beside it ---- */

/* A film anywhere in the left part; a text beside it, or all around. */
static void film_and_text(guint32 seed, Pane *panes)
{
    gint width = (gint)scene->width, height = (gint)scene->height;
    ScenePart film = {between(0, 40), between(0, 90), between(180, 200), between(260, 330)};
    gint left = seed % 3 ? film.x + film.width + between(0, 9) : 0;

    panes[0] = (Pane){{left, between(0, 20), width - left, height}, SCENE_TEXT, seed, 0, 0};
    panes[1] = (Pane){film, SCENE_PHOTO, 0, 0, 0};
}

/* Now and then the film is somewhere else, or rests. */
static void play_beside(Pane *panes)
{
    panes[0].y += between(0, 8) ? 17 : between(-60, 60);
    panes[1].number += between(0, 20) > 0;
    if (between(0, 25) == 0)
        panes[1].part.x += between(-30, 30);
}

static void check_beside(guint32 seed)
{
    const SeatRect all = {.width = 560, .height = 440};
    Pane panes[2];

    begin(seed, all.width, all.height, TRUE);
    film_and_text(seed, panes);
    stop_clock();
    for (guint i = 0; i < 2 * FRAMES; i++) {
        stopped_us += PICTURE_US;
        play_beside(panes);
        draw(panes, 2);
        show(&all, 1);
    }
    start_clock();
    finish(seed, TRUE);
}

START_TEST(what_scrolls_beside_a_film_is_moved_and_never_wrong)
{
    beside_units = beside_films = 0;
    for (guint i = 0; i < SEQUENCES; i++)
        check_beside(3000 + (guint32)_i * SEQUENCES + i);
    ck_assert_uint_gt(beside_units, 0);
    ck_assert_uint_gt(beside_films, 0);
}
END_TEST

static void all_take(void)
{
    for (guint i = 0; i < 4; i++) {
        turn();
        for (guint j = 0; j < CLIENTS; j++)
            if (clients[j].dirty)
                client_take(&clients[j]);
        deliver_unit(&fakes[0]);
        deliver_unit(&fakes[1]);
    }
}

/* The next picture, at a film's pace by the stopped clock. */
static void show_in_time(void)
{
    const SeatRect all = {.width = (guint16)scene->width, .height = (guint16)scene->height};

    stopped_us += PICTURE_US;
    seat_host_damage(host, &all, 1, scene->drawn, scene->stride, 0);
    all_take();
}

#define SETTLED_US                                                                                           \
    (30 * G_USEC_PER_SEC) /* the film's region needs seconds to become as small as the film                  \
                           */

static void play_line(guint number)
{
    scene_sheet(scene, (ScenePart){21, 33, 171, 230}, SCENE_PHOTO, number, 0, 0);
    scene_sheet(scene, (ScenePart){210, 0, 430, 512}, SCENE_TEXT, 1, 0, (gint)number * 17);
    show_in_time();
}

static gboolean followers_have_moves(void)
{
    for (guint i = 1; i < CLIENTS; i++)
        if (clients[i].moves == 0)
            return FALSE;
    return TRUE;
}

START_TEST(a_text_that_scrolls_beside_a_film_costs_its_new_line)
{
    const guint measured = 20, line = 430;
    guint moves[CLIENTS] = {0}, number = 0;
    guint64 exact[CLIENTS] = {0};

    begin(1, 640, 512, TRUE);
    stop_clock();
    gint64 deadline = g_get_monotonic_time() + SETTLED_US;
    while (!followers_have_moves() && g_get_monotonic_time() < deadline)
        play_line(number++);
    for (guint i = 1; i < CLIENTS; i++) {
        moves[i] = clients[i].moves;
        exact[i] = clients[i].exact;
    }
    for (guint i = 0; i < measured; i++)
        play_line(number++);
    for (guint i = 1; i < CLIENTS; i++) { /* who follows the film */
        guint64 painted = (clients[i].exact - exact[i]) / measured;
        ck_assert_uint_ge(clients[i].moves - moves[i], measured - 1);
        /* Of 512 lines; a slow machine's film is calm between its pictures, and becomes exact each time. */
        ck_assert_msg(painted < 170u * line, "%" G_GUINT64_FORMAT " px were painted for each line", painted);
    }
    ck_assert_uint_ge(units_painted, measured);
    start_clock();
    finish(1, TRUE);
}
END_TEST

/* The new line of a photograph is picture-like and in motion, but no film. */
START_TEST(a_photograph_that_scrolls_is_moved_and_no_film)
{
    const guint warm = 20, measured = 20;
    guint moves = 0, units = 0;

    begin(1, 640, 512, TRUE);
    stop_clock();
    for (guint i = 0; i < warm + measured; i++) {
        if (i == warm) {
            moves = clients[1].moves;
            units = units_painted;
        }
        scene_sheet(scene, (ScenePart){0, 0, 640, 512}, SCENE_PHOTO, 1, 0, (gint)i * 17);
        show_in_time();
    }
    ck_assert_uint_eq(units_painted, units);
    ck_assert_uint_ge(clients[1].moves - moves, measured - 1);
    start_clock();
    finish(1, TRUE);
}
END_TEST

/* The film is less than an eighth of what scrolls, but not where that was. */
START_TEST(a_small_film_beside_a_large_scroll_stays_a_film)
{
    guint units = 0;

    begin(1, 640, 512, TRUE);
    stop_clock();
    for (guint i = 0; i < 60; i++) {
        units = i == 40 ? units_painted : units;
        scene_sheet(scene, (ScenePart){0, 0, 170, 100}, SCENE_PHOTO, i, 0, 0);
        scene_sheet(scene, (ScenePart){192, 0, 448, 512}, SCENE_TEXT, 1, 0, (gint)i * 17);
        show_in_time();
    }
    ck_assert_uint_ge(units_painted, units + 20);
    start_clock();
    finish(1, TRUE);
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

    scene = scene_new(640, 512, 1);
    host = seat_host_new(FALSE, &host_events, NULL, NULL);
    ck_assert(seat_host_resize(host, 640, 512, NULL));
    for (guint i = 0; i < CLIENTS; i++)
        client_join(&clients[i], i + 1, FALSE, FALSE);
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
    for (guint i = 0; i < CLIENTS; i++)
        client_leave(&clients[i]);
    seat_host_free(host);
    scene_free(scene);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("moves");
    tcase_set_timeout(tcase, 120); /* slow machines */
    tcase_add_loop_test(tcase, every_client_ends_with_the_seats_picture_whatever_moves, 0, 25);
    tcase_add_loop_test(tcase, moves_and_the_stream_get_along, 0, 4);
    tcase_add_loop_test(tcase, every_client_ends_with_the_last_picture_of_a_recording, 0, 4);
    tcase_add_loop_test(tcase, what_scrolls_beside_a_film_is_moved_and_never_wrong, 0, 6);
    tcase_add_test(tcase, a_text_that_scrolls_beside_a_film_costs_its_new_line);
    tcase_add_test(tcase, a_photograph_that_scrolls_is_moved_and_no_film);
    tcase_add_test(tcase, a_small_film_beside_a_large_scroll_stays_a_film);
    tcase_add_test(tcase, a_client_that_has_waited_still_gets_its_scrolls_as_moves);
    return suite_run("moves", tcase);
}
