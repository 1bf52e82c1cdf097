/* The viewer: which of its feeds is shown, and what of it the client still lacks. Input stands in
 * viewer_input.c. */
#include "session/client/viewer_internal.h"

#include "base/log.h"

#include <string.h>
#include <unistd.h>

#define CALM_TILES 64      /* in one update, while nobody knows what the link carries */
#define CALM_BESIDE_UNIT 4 /* a fourth of them */
#define TORN_RETRY_MS 5
#define STANDS_MS 500 /* without a change: then tiles are named that were not */
#define NAMED_AT_ONCE 64
#define NAMED_EVERY_MS 20
#define PAGES_KEPT (1u << 20) /* bytes of the private picture that are worth keeping */
#define PAGES_KEPT_MS 250     /* more of them for so long: the next update may need them again */
#define DONE_GRACE_MS 300     /* for the master's own reason, or another link, to arrive */

gint64 viewer_clock_us(const Viewer *viewer)
{
    return (viewer->full_us ? viewer->full_us : g_get_monotonic_time()) - viewer->stood_us;
}

static guint32 clock_ms(const Viewer *viewer)
{
    guint32 now = (guint32)(viewer_clock_us(viewer) / 1000);
    return now == 0 ? 1 : now;
}

static gboolean frame_waits(const Feed *feed)
{
    return feed->damage->len || feed->moves->len || feed->overflow || feed_units_wait(feed);
}

/* The seat may send again. */
static void give_credit(Viewer *viewer)
{
    feed_give_credit(viewer->shown);
    if (viewer->full_us)
        viewer->stood_us += g_get_monotonic_time() - viewer->full_us;
    viewer->full_us = 0;
}

/* The seat has sent all that it may. */
static void note_full(Viewer *viewer)
{
    if (viewer->full_us == 0)
        viewer->full_us = g_get_monotonic_time();
}

static void announce(Viewer *viewer)
{
    if (viewer->announced || !viewer->shown || !viewer->shown->shadow)
        return;
    viewer->announced = TRUE;
    viewer->events->dirty(viewer, viewer->data);
}

static gboolean wake(gpointer data)
{
    Viewer *viewer = data;
    viewer->wake_source = 0;
    announce(viewer);
    return G_SOURCE_REMOVE;
}

static void wake_in(Viewer *viewer, gint ms)
{
    if (viewer->wake_source)
        g_source_remove(viewer->wake_source);
    viewer->wake_source = ms < 0 ? 0 : g_timeout_add((guint)ms, wake, viewer);
}

void viewer_end(Viewer *viewer, EndReason reason, const char *text)
{
    if (viewer->ended)
        return;
    viewer->ended = TRUE;
    viewer->events->ended(viewer, reason, text && *text ? text : end_reason_text(reason), viewer->data);
}

static gboolean done_for_good(gpointer data)
{
    Viewer *viewer = data;
    viewer->done_source = 0;
    viewer_end(viewer, END_DONE, NULL);
    return G_SOURCE_REMOVE;
}

/* The screen that has come up hears how the client's lock keys stand, then tells how its own do. */
static void replay_state(Viewer *viewer)
{
    Feed *feed = viewer->shown;
    viewer_send_locks(viewer);
    if (feed->cursor_known)
        feed->events->cursor(feed, viewer);
    if (feed->leds_known)
        feed->events->leds(feed, viewer);
    feed->events->pointer_mode(feed, viewer);
}

static void feed_complete(Feed *feed, gpointer data)
{
    Viewer *viewer = data;
    gboolean another = feed == viewer->pending;

    if (another) {
        Feed *old = viewer->shown;
        viewer->shown = feed;
        viewer->pending = NULL;
        held_switched(&viewer->held);
        feed_free(old);
        if (viewer->done_source)
            g_source_remove(viewer->done_source);
        viewer->done_source = 0;
    }
    note_full(viewer);
    tiles_reset(&viewer->tiles, feed->shadow->width, feed->shadow->height);
    viewer->events->switched(viewer, feed->shadow->width, feed->shadow->height, &feed->welcome, viewer->data);
    if (another)
        replay_state(viewer);
    announce(viewer);
}

static void feed_frame(Feed *feed, gpointer data)
{
    Viewer *viewer = data;
    if (feed != viewer->shown) {
        feed_give_credit(feed);
        return;
    }
    note_full(viewer);
    if (frame_waits(feed))
        announce(viewer);
    else
        give_credit(viewer);
}

static void feed_cursor(Feed *feed, gpointer data)
{
    Viewer *viewer = data;
    const FeedCursor *c = &feed->cursor;
    gboolean shown = c->visible && c->pixels;
    if (feed == viewer->shown)
        viewer->events->cursor(viewer, shown ? g_bytes_get_data(c->pixels, NULL) : NULL, c->width, c->height,
                               c->hot_x, c->hot_y, viewer->data);
}

static void feed_leds(Feed *feed, gpointer data)
{
    Viewer *viewer = data;
    if (feed != viewer->shown)
        return;
    viewer->locks = feed->leds; /* the client follows */
    viewer->events->leds(viewer, feed->leds, viewer->data);
}

static void feed_pointer_mode(Feed *feed, gpointer data)
{
    Viewer *viewer = data;
    if (feed == viewer->shown)
        viewer->events->pointer_mode(viewer, feed->absolute, viewer->data);
}

static void feed_login(Feed *feed, const SeatLogin *login, gpointer data)
{
    Viewer *viewer = data;
    viewer->events->login(viewer, login->result, login->user, login->text, viewer->data);
}

/* A greeter gets what the client's protocol brought along; a seat never does. */
static void feed_welcome(Feed *feed, gpointer data)
{
    Viewer *viewer = data;
    if (!feed->welcome.greeter || !viewer->has_prefill)
        return;
    viewer->prefill.header.type = SEAT_PREFILL;
    feed_send(feed, &viewer->prefill, sizeof viewer->prefill);
    explicit_bzero(&viewer->prefill, sizeof viewer->prefill);
    viewer->has_prefill = FALSE;
}

static gboolean close_is_final(const SeatClose *close)
{
    switch (close->reason) {
    case END_TAKEN_OVER:
    case END_REVOKED:
    case END_KILLED:
    case END_TIMEOUT:
    case END_SHUTDOWN:
    case END_LIMIT:
        return TRUE;
    default:
        return FALSE;
    }
}

static void feed_closed(Feed *feed, const SeatClose *close, gpointer data)
{
    Viewer *viewer = data;
    gboolean shown = feed == viewer->shown;

    log_info("%s link closed%s%s", shown ? "the shown" : "a pending", close ? ": " : "",
             close ? close->text : "");
    if (!shown) {
        viewer->pending = NULL;
        if (close && close_is_final(close) && !viewer->shown)
            viewer_end(viewer, close->reason, close->text);
        feed_free(feed);
        return;
    }
    /* The picture stays until another link brings one. */
    if (close && close_is_final(close))
        viewer_end(viewer, close->reason, close->text);
    else if (close && close->reason == END_DONE && !viewer->done_source)
        viewer->done_source = g_timeout_add(DONE_GRACE_MS, done_for_good, viewer);
}

static const FeedEvents feed_events = {
    .complete = feed_complete,
    .frame = feed_frame,
    .cursor = feed_cursor,
    .leds = feed_leds,
    .pointer_mode = feed_pointer_mode,
    .login = feed_login,
    .welcome = feed_welcome,
    .closed = feed_closed,
};

static void subscribe(Viewer *viewer, Feed *feed)
{
    SeatSubscribe packet = {.header.type = SEAT_SUBSCRIBE,
                            .h264 = viewer->h264,
                            .max_kbit_s = viewer->max_kbit_s,
                            .moves = viewer->accept_moves};
    feed_send(feed, &packet, sizeof packet);
}

static void subscribe_all(Viewer *viewer)
{
    if (viewer->shown)
        subscribe(viewer, viewer->shown);
    if (viewer->pending)
        subscribe(viewer, viewer->pending);
}

static void greet(Viewer *viewer, int fd)
{
    /* One for a unit, and one for what lies beside the film while that is encoded. */
    SeatCredit credit = {.header.type = SEAT_CREDIT, .frames = 2};

    feed_free(viewer->pending);
    viewer->pending = feed_new(fd, &feed_events, viewer);
    viewer->hello.header.type = SEAT_HELLO;
    feed_send(viewer->pending, &viewer->hello, sizeof viewer->hello);
    if (viewer->h264 || viewer->accept_moves)
        subscribe(viewer, viewer->pending);
    feed_send(viewer->pending, &credit, sizeof credit);
}

void viewer_attach(Viewer *viewer, int fd, gboolean greeter)
{
    if (viewer->has_hello) {
        greet(viewer, fd);
        return;
    }
    if (viewer->waiting_fd >= 0)
        close(viewer->waiting_fd);
    viewer->waiting_fd = fd;
}

void viewer_hello(Viewer *viewer, const SeatHello *hello, const SeatPrefill *prefill)
{
    viewer->hello = *hello;
    viewer->hello.version = SEAT_LINK_VERSION;
    viewer->has_hello = TRUE;
    if (prefill) {
        viewer->prefill = *prefill;
        viewer->has_prefill = TRUE;
    }
    if (viewer->waiting_fd >= 0)
        greet(viewer, viewer->waiting_fd);
    viewer->waiting_fd = -1;
}

void viewer_subscribe(Viewer *viewer, SeatH264 h264, guint max_kbit_s)
{
    if (viewer->h264 == h264 && viewer->max_kbit_s == max_kbit_s)
        return;
    viewer->h264 = h264;
    viewer->max_kbit_s = max_kbit_s;
    subscribe_all(viewer);
}

void viewer_accept_moves(Viewer *viewer, gboolean accept)
{
    if (viewer->accept_moves == accept)
        return;
    viewer->accept_moves = accept;
    subscribe_all(viewer);
}

void viewer_accept_losses(Viewer *viewer, gboolean accept)
{
    viewer->accept_losses = accept;
}

void viewer_name_tiles(Viewer *viewer, gboolean name)
{
    viewer->name_tiles = name;
}

void viewer_units_paint_all(Viewer *viewer, gboolean paint_all)
{
    viewer->paint_all = paint_all;
}

static gboolean fit_copy(Viewer *viewer)
{
    const ShadowMap *shadow = viewer->shown->shadow;

    viewer->copy_generation = shadow->generation;
    return picture_copy_fit(&viewer->copy, (gsize)shadow->stride * shadow->height);
}

/* Where nothing has changed for a while tiles are named that have not been. In how many ms the next are due,
 * -1: none. */
static gint name_what_stands(Viewer *viewer, gboolean changes)
{
    gint64 now = g_get_monotonic_time();

    if (!viewer->name_tiles)
        return -1;
    if (changes)
        viewer->changed_us = now;
    gint64 left = viewer->changed_us + STANDS_MS * 1000 - now;
    if (left > 0)
        return viewer_copy_untold(viewer, 0) ? (gint)(left / 1000 + 1) : -1;
    return viewer_copy_untold(viewer, NAMED_AT_ONCE) ? NAMED_EVERY_MS : -1;
}

/* The sooner of two times, -1: never. */
static gint sooner(gint a, gint b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

gboolean viewer_take(Viewer *viewer, gboolean lossless_only, ViewerUpdate *update)
{
    Feed *feed = viewer->shown;

    *update = (ViewerUpdate){0};
    viewer->announced = FALSE;
    if (!feed || !feed->shadow || !fit_copy(viewer))
        return FALSE;
    /* What is calm may fill the link for long: meanwhile the seat has its say. */
    viewer_ready(viewer);
    g_array_set_size(viewer->rects, 0);
    g_array_set_size(viewer->lossy_rects, 0);
    g_array_set_size(viewer->moves, 0);
    g_array_set_size(viewer->named, 0);
    if (lossless_only || !viewer->h264)
        feed_drop_units(feed);
    viewer_take_units(viewer, clock_ms(viewer), update);
    if (viewer->h264 && !lossless_only)
        feed_ask_keyframe(feed);
    gboolean torn =
        viewer_copy(viewer, clock_ms(viewer),
                    update->n_units ? MAX(viewer->calm_tiles / CALM_BESIDE_UNIT, 1) : viewer->calm_tiles);
    gint due = tiles_calm_due(&viewer->tiles, clock_ms(viewer));
    gboolean changes =
        update->n_units || viewer->rects->len || viewer->lossy_rects->len || viewer->moves->len;
    due = sooner(due, name_what_stands(viewer, changes));
    wake_in(viewer, torn ? sooner(due, TORN_RETRY_MS) : due);

    update->serial = feed->serial;
    update->time_us = feed->time_us;
    feed->time_us = 0;
    update->picture = (ViewerPicture){viewer->tiles.width, viewer->tiles.height, feed->shadow->stride,
                                      viewer->copy_generation, viewer->copy.pixels};
    update->rects = (const ViewerRect *)viewer->rects->data;
    update->n_rects = viewer->rects->len;
    update->tiles = (const ViewerTile *)(void *)viewer->named->data;
    update->n_tiles = viewer->named->len;
    update->lossy_rects = (const ViewerRect *)viewer->lossy_rects->data;
    update->n_lossy_rects = viewer->lossy_rects->len;
    update->moves = (const ViewerMove *)viewer->moves->data;
    update->n_moves = viewer->moves->len;
    viewer->counters.frames++;
    viewer->counters.rects += update->n_rects;
    viewer->counters.lossy += update->n_lossy_rects;
    viewer->counters.moves += update->n_moves;
    viewer->lent = changes || update->n_tiles > 0;
    return viewer->lent;
}

void viewer_ready(Viewer *viewer)
{
    if (viewer->shown && !frame_waits(viewer->shown))
        give_credit(viewer);
}

static gsize area(const ViewerRect *rects, guint count)
{
    gsize sum = 0;
    for (guint i = 0; i < count; i++)
        sum += (gsize)rects[i].width * rects[i].height;
    return sum;
}

gboolean viewer_update_is_whole(const ViewerUpdate *update)
{
    gsize whole = (gsize)update->picture.width * update->picture.height, units = 0;

    for (guint i = 0; i < update->n_units; i++)
        units += area(update->units[i].rects, update->units[i].n_rects);
    return area(update->rects, update->n_rects) + area(update->lossy_rects, update->n_lossy_rects) == whole ||
           units == whole;
}

static gboolean rest(gpointer data)
{
    Viewer *viewer = data;

    viewer->rest_source = 0;
    /* While it is lent viewer_release() sees to it: a client that is minimised may not send it for hours. */
    if (viewer->lent || viewer->keep)
        return G_SOURCE_REMOVE;
    picture_copy_rest(&viewer->copy);
    if (viewer->shown && viewer->shown->shadow)
        shadow_map_rest(viewer->shown->shadow);
    return G_SOURCE_REMOVE;
}

void viewer_release(Viewer *viewer)
{
    viewer->lent = FALSE;
    if (viewer->copy.written >= PAGES_KEPT && !viewer->keep && !viewer->rest_source)
        viewer->rest_source = g_timeout_add(PAGES_KEPT_MS, rest, viewer);
}

void viewer_keep_picture(Viewer *viewer, gboolean keep)
{
    viewer->keep = keep;
}

void viewer_invalidate(Viewer *viewer, const ViewerRect *rects, guint count)
{
    ViewerRect all = {0, 0, viewer->tiles.width, viewer->tiles.height};
    if (!rects) {
        rects = &all;
        count = 1;
    }
    for (guint i = 0; viewer->tiles.tiles && i < count; i++)
        tiles_damage(&viewer->tiles, &rects[i], FALSE, TRUE);
    announce(viewer);
}

void viewer_refine(Viewer *viewer, guint tiles)
{
    viewer->calm_tiles = tiles;
}

void viewer_need_keyframe(Viewer *viewer)
{
    if (!viewer->shown)
        return;
    feed_lose_films(viewer->shown);
    if (viewer->h264)
        feed_ask_keyframe(viewer->shown);
}

void viewer_geometry(Viewer *viewer, guint *width, guint *height)
{
    *width = viewer->tiles.width;
    *height = viewer->tiles.height;
}

ViewerCounters viewer_counters(const Viewer *viewer)
{
    return viewer->counters;
}

Viewer *viewer_new(const ViewerEvents *events, gpointer data)
{
    Viewer *viewer = g_new0(Viewer, 1);
    viewer->events = events;
    viewer->data = data;
    viewer->waiting_fd = -1;
    viewer->calm_tiles = CALM_TILES;
    viewer->paint_all = TRUE;
    viewer->rects = g_array_new(FALSE, FALSE, sizeof(ViewerRect));
    viewer->lossy_rects = g_array_new(FALSE, FALSE, sizeof(ViewerRect));
    viewer->moves = g_array_new(FALSE, FALSE, sizeof(ViewerMove));
    viewer->named = g_array_new(FALSE, FALSE, sizeof(ViewerTile));
    viewer_units_init(viewer);
    return viewer;
}

void viewer_free(Viewer *viewer)
{
    if (!viewer)
        return;
    wake_in(viewer, -1);
    if (viewer->done_source)
        g_source_remove(viewer->done_source);
    feed_free(viewer->pending);
    feed_free(viewer->shown);
    if (viewer->waiting_fd >= 0)
        close(viewer->waiting_fd);
    if (viewer->rest_source)
        g_source_remove(viewer->rest_source);
    picture_copy_clear(&viewer->copy);
    tiles_clear(&viewer->tiles);
    g_array_unref(viewer->rects);
    g_array_unref(viewer->lossy_rects);
    g_array_unref(viewer->moves);
    g_array_unref(viewer->named);
    viewer_units_clear(viewer);
    explicit_bzero(&viewer->prefill, sizeof viewer->prefill);
    g_free(viewer);
}

static void lifeline_client(const LifelineClient *client, int fd, gpointer data)
{
    Viewer *viewer = data;
    viewer->events->client(viewer, client, fd, viewer->data);
}

static void lifeline_seat_link(const LifelineSeatLink *link, int fd, gpointer data)
{
    viewer_attach(data, fd, link->peer_kind == KIND_GREETER);
}

static void lifeline_end(EndReason reason, const char *text, gpointer data)
{
    viewer_end(data, reason, text);
}

static const LifelineEvents lifeline_events = {
    .client = lifeline_client, .seat_link = lifeline_seat_link, .end = lifeline_end};

Viewer *viewer_start(int argc, char *argv[], char *envp[], ProcessKind kind, const ViewerEvents *events,
                     gpointer data, LifelineStart *start, int *descriptors, guint *count)
{
    Viewer *viewer = viewer_new(events, data);
    lifeline_start(argc, argv, envp, kind, &lifeline_events, viewer, start, descriptors, count);
    return viewer;
}
