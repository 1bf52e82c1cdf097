/* See spectators.h. */
#include "tests/unit/seat/spectators.h"

#include "base/packet.h"
#include "base/proto/master_link.h"

#include <string.h>
#include <time.h>

SeatHost *host;
Scene *scene;
Client clients[CLIENTS];
Fake fakes[HOST_TIERS * SEAT_FILMS_MAX];
Seen seen;
static gint64 jumped_us, stopped_us;

/* Now and then a while passes at once, so that clients change between the film's tiers; or time passes with
 * the pictures alone, so that a film is one on the slowest machine. GLib's timers run in real time. */
gint64 g_get_monotonic_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return stopped_us ? stopped_us : now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 + jumped_us;
}

void stop_clock(void)
{
    stopped_us = g_get_monotonic_time();
}

void start_clock(void)
{
    gint64 stopped = stopped_us;
    stopped_us = 0;
    jumped_us += stopped - g_get_monotonic_time();
}

void pass_time(gint64 us)
{
    gint64 *clock = stopped_us ? &stopped_us : &jumped_us;
    *clock += us;
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

void deliver_unit(Fake *fake)
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

void turn(void)
{
    for (guint i = 0; i < 1000 && g_main_context_iteration(NULL, FALSE); i++)
        ;
}

gint between(gint from, gint to)
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

/* Whole tiles that are seen.settled stand on the client's screen as they are in the update's picture; some
 * clients have them from before and paint them all over, seen.settled or not. */
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
        seen.settled += tile->whole && tile->settled;
        seen.unsettled += tile->whole && !tile->settled;
    }
}

static gboolean meets(const ViewerRect *rect, guint x, guint y, guint width, guint height)
{
    return x < rect->x + rect->width && rect->x < x + width && y < rect->y + rect->height &&
           rect->y < y + height;
}

static void check_unit(Client *client, const ViewerUpdate *update, const ViewerUnit *unit)
{
    const ViewerRect *region = &unit->region;
    guint32 *stream = &client->unit_streams[unit->stream % SEAT_FILMS_MAX];
    gboolean another = unit->stream != *stream;

    ck_assert_msg(unit->key || !another, "a decoder that begins without a key frame");
    seen.tiers_changed += another && *stream;
    *stream = unit->stream;
    for (guint i = 0; i < update->n_moves; i++) {
        const ViewerMove *move = &update->moves[i];
        ck_assert_msg(!meets(region, move->x, move->y, move->width, move->height) &&
                          !meets(region, move->to_x, move->to_y, move->width, move->height),
                      "a move from or to the film");
    }
    for (guint i = 0; i < unit->n_rects; i++) {
        const ViewerRect *r = &unit->rects[i];
        ck_assert(r->x >= region->x && r->x + r->width <= region->x + region->width && r->y >= region->y &&
                  r->y + r->height <= region->y + region->height);
    }
    seen.beside_units += update->n_moves;
}

void client_take(Client *client)
{
    ViewerUpdate update;

    client->dirty = FALSE;
    gboolean taken = viewer_take(client->viewer, FALSE, &update);
    viewer_ready(client->viewer);
    if (!taken)
        return;
    for (guint i = 0; i < update.n_units; i++)
        check_unit(client, &update, &update.units[i]);
    for (guint i = 0; i < update.n_moves; i++)
        make_move(client->picture, scene->stride, &update.moves[i]);
    client->moves += update.n_moves;
    for (guint i = 0; i < update.n_units; i++)
        paint_losses(client, update.units[i].rects, update.units[i].n_rects);
    paint_losses(client, update.lossy_rects, update.n_lossy_rects);
    seen.units_painted += update.n_units;
    seen.pairs_painted += update.n_units > 1;
    seen.losses_painted += update.n_lossy_rects;
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

Pane pane_new(void)
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

void draw(Pane *panes, guint count)
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
void show(const SeatRect *rects, guint count)
{
    seat_host_copy(host, rects, count, scene->drawn, scene->stride, 0);
    seen.forecasts += host->moves.expected;
    seen.beside_films += host->moves.expected && film_rects_any(&host->moves.films);
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
void change_links(void)
{
    static const guint links[] = {0, 0, 1000, 6000};
    if (between(0, 4) == 0)
        viewer_subscribe(clients[between(1, CLIENTS)].viewer, SEAT_H264_AVC420, links[between(0, 4)]);
    if (between(0, 3) == 0)
        pass_time(between(0, 4) ? between(0, 200000) : 4 * G_USEC_PER_SEC);
}

/* steady: the pane before all others scrolls on and on. */
void frame(Pane *panes, guint count, gboolean steady)
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
        dirty = host->fast->encoding || host->slow->encoding;
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

void check_pictures(guint32 seed)
{
    for (guint i = 0; i < CLIENTS; i++)
        for (guint y = 0; y < scene->height; y++)
            ck_assert_msg(memcmp(clients[i].picture + y * scene->stride,
                                 shadow_pixels(host->shadow) + y * shadow_layout(host->shadow)->stride,
                                 scene->width * 4u) == 0,
                          "client %u has a wrong pixel in row %u, seed %u", i, y, seed);
}

void begin(guint32 seed, guint width, guint height, gboolean h264)
{
    scene = scene_new(width, height, seed);
    host = seat_host_new(FALSE, &host_events, NULL, NULL);
    ck_assert(seat_host_resize(host, width, height, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(fakes); i++)
        fakes[i] = (Fake){.stream.class = &fake_class, .run = 1};
    if (h264)
        seat_host_set_streams(host, SEAT_FILMS_MAX, (HostStream *[]){&fakes[0].stream, &fakes[1].stream},
                              (HostStream *[]){&fakes[2].stream, &fakes[3].stream});
    for (guint i = 0; i < CLIENTS; i++)
        client_join(&clients[i], i + 1, h264 && i > 0, h264 && i == 0);
}

void finish(guint32 seed, gboolean h264)
{
    settle(h264);
    check_pictures(seed);
    for (guint i = 0; i < CLIENTS; i++)
        client_leave(&clients[i]);
    seat_host_free(host);
    scene_free(scene);
}
