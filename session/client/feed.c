/* Receiving on a seat link. Every packet is checked before it is looked at; a link that sends nonsense is
 * closed. */
#include "session/client/feed.h"

#include "base/log.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FEED_QUEUE_MAX 256   /* packets that wait for a seat which does not read */
#define FEED_DAMAGE_MAX 1024 /* rectangles noted; beyond that everything is damaged */
#define FEED_MOVES_MAX 64    /* moves, likewise */

static const char *take_welcome(Feed *feed, const SeatWelcome *welcome)
{
    if (welcome->version != SEAT_LINK_VERSION)
        return "another version of the seat link";
    if (!memchr(welcome->desktop, 0, sizeof welcome->desktop) ||
        !memchr(welcome->user, 0, sizeof welcome->user))
        return "an unterminated name";
    feed->welcome = *welcome;
    feed->welcomed = TRUE;
    feed->events->welcome(feed, feed->data);
    return NULL;
}

static const char *take_buffer(Feed *feed, const SeatBuffer *buffer, const int *descriptors)
{
    const char *wrong = NULL;
    ShadowMap *map = shadow_map_open(buffer, descriptors, &wrong);

    if (!map)
        return wrong;
    shadow_map_free(feed->next);
    feed->next = map;
    return NULL;
}

static ViewerMove move_of(const SeatMove *move)
{
    return (ViewerMove){move->x, move->y, move->width, move->height, move->to_x, move->to_y};
}

/* A record's moves come before its damage. */
static void note_damage(Feed *feed, const SeatFrame *frame)
{
    if (feed->damage->len + frame->damage > FEED_DAMAGE_MAX ||
        feed->moves->len + frame->moves > FEED_MOVES_MAX)
        feed->overflow = TRUE;
    for (guint i = 0; i < frame->moves && !feed->overflow; i++) {
        FeedMove noted = {move_of(&seat_frame_moves(frame)[i]), frame->base, feed->damage->len};
        g_array_append_val(feed->moves, noted);
    }
    for (guint i = 0; i < frame->damage && !feed->overflow; i++) {
        const SeatRect *rect = &frame->rects[i];
        ViewerRect noted = {rect->x, rect->y, rect->width, rect->height};
        g_array_append_val(feed->damage, noted);
    }
}

/* What was asked for before it was lost need not help. */
static void lose(Feed *feed, FeedFilm *film)
{
    film->unit.length = 0;
    if (!film->lost)
        feed->key_asked = FALSE;
    film->lost = TRUE;
}

/* TRUE: the film was lost and this is its key frame. */
static gboolean take_unit(Feed *feed, FeedFilm *film, const SeatAccessUnit *unit)
{
    gboolean lost = film->lost, goes_on = !lost && film->stream != 0 && unit->stream == film->stream;

    if (unit->length == 0)
        return FALSE;
    if (!unit->keyframe && !goes_on) {
        lose(feed, film);
        return FALSE;
    }
    if (!shadow_map_unit(feed->shadow, unit, film->bytes)) {
        film->lost = TRUE;
        feed->key_asked = FALSE; /* this may have been the answer */
        return FALSE;
    }
    film->unit = *unit;
    film->stream = unit->stream;
    film->lost = FALSE;
    return lost;
}

/* A record with a lost film's key frame answers for all films: one of which it has nothing may be over. */
static void take_units(Feed *feed, const SeatFrame *frame)
{
    gboolean answers = FALSE, some = FALSE;

    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        some |= frame->units[i].length != 0;
    if (some)
        feed_drop_units(feed); /* only a seat that sends without credit has any wait */
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        answers |= take_unit(feed, &feed->films[i], &frame->units[i]);
    if (!answers)
        return;
    feed->key_asked = FALSE;
    for (guint i = 0; i < SEAT_FILMS_MAX; i++) {
        FeedFilm *film = &feed->films[i];
        if (film->lost && frame->units[i].length == 0) {
            film->lost = FALSE;
            film->stream = 0;
        }
    }
}

/* Nothing is asked for: a seat begins with key frames. */
static void forget_films(Feed *feed)
{
    for (guint i = 0; i < SEAT_FILMS_MAX; i++) {
        FeedFilm *film = &feed->films[i];
        film->unit.length = 0;
        film->stream = 0;
        film->lost = FALSE;
    }
    feed->key_asked = FALSE;
}

static gboolean share_a_tile(const SeatRect *a, const SeatRect *b)
{
    return a->x / SEAT_TILE <= (b->x + b->width - 1) / SEAT_TILE &&
           b->x / SEAT_TILE <= (a->x + a->width - 1) / SEAT_TILE &&
           a->y / SEAT_TILE <= (b->y + b->height - 1) / SEAT_TILE &&
           b->y / SEAT_TILE <= (a->y + a->height - 1) / SEAT_TILE;
}

static gboolean units_fit(const ShadowMap *shadow, const SeatFrame *frame)
{
    for (guint i = 0; i < SEAT_FILMS_MAX; i++) {
        const SeatRect *region = &frame->units[i].region;
        if (frame->units[i].length == 0)
            continue;
        if (region->width == 0 || region->height == 0 || (guint)region->x + region->width > shadow->width ||
            (guint)region->y + region->height > shadow->height)
            return FALSE;
        for (guint j = 0; j < i; j++)
            if (frame->units[j].length > 0 && share_a_tile(region, &frame->units[j].region))
                return FALSE;
    }
    return TRUE;
}

static gboolean moves_fit(const ShadowMap *shadow, const SeatFrame *frame)
{
    for (guint i = 0; i < frame->moves; i++) {
        ViewerMove move = move_of(&seat_frame_moves(frame)[i]);
        if (!move_fits(&move, shadow->width, shadow->height))
            return FALSE;
    }
    return TRUE;
}

static const char *take_frame(Feed *feed, const SeatFrame *frame)
{
    gboolean completes = frame->complete && feed->next && frame->header.generation == feed->next->generation;

    feed->owed++;
    if (completes) {
        g_clear_pointer(&feed->shadow, shadow_map_free);
        feed->shadow = g_steal_pointer(&feed->next);
        g_array_set_size(feed->damage, 0);
        g_array_set_size(feed->moves, 0);
        feed->overflow = FALSE;
        forget_films(feed);
        feed->time_us = 0;
    }
    if (!feed->shadow || frame->header.generation != feed->shadow->generation) {
        feed_give_credit(feed); /* of a buffer that is on its way out */
        return NULL;
    }
    if (!moves_fit(feed->shadow, frame))
        return "a move that leaves the picture";
    if (!units_fit(feed->shadow, frame))
        return "a film that leaves the picture, or two in one tile";
    feed->serial = frame->serial;
    feed->pass = frame->pass;
    if (feed->time_us == 0)
        feed->time_us = frame->time_us;
    if (!completes)
        note_damage(feed, frame);
    take_units(feed, frame);
    if (completes)
        feed->events->complete(feed, feed->data);
    else
        feed->events->frame(feed, feed->data);
    return NULL;
}

static const char *take_cursor(Feed *feed, const SeatCursor *cursor, const int *descriptors, guint count)
{
    gsize size = (gsize)cursor->width * cursor->height * 4;

    if (cursor->visible && count == 1) {
        struct stat st;
        if (cursor->width < 1 || cursor->height < 1)
            return "an empty cursor";
        if (fstat(descriptors[0], &st) < 0 || !S_ISREG(st.st_mode) || (gsize)st.st_size < size)
            return "a cursor without its pixels";
        g_autofree guint8 *pixels = g_malloc(size);
        if (pread(descriptors[0], pixels, size, 0) != (ssize_t)size)
            return "a cursor that cannot be read";
        g_clear_pointer(&feed->cursor.pixels, g_bytes_unref);
        feed->cursor = (FeedCursor){g_bytes_new_take(g_steal_pointer(&pixels), size),
                                    cursor->width,
                                    cursor->height,
                                    cursor->hot_x,
                                    cursor->hot_y,
                                    TRUE};
    }
    feed->cursor.visible = cursor->visible != 0;
    feed->cursor_known = TRUE;
    feed->events->cursor(feed, feed->data);
    return NULL;
}

static const char *take_packet(Feed *feed, const SeatHeader *header, const int *descriptors, guint count)
{
    const void *packet = header;

    if (!feed->welcomed && header->type != SEAT_WELCOME && header->type != SEAT_CLOSE)
        return "something before its welcome";
    if (header->head != 0)
        return NULL; /* one head is shown so far */
    switch (header->type) {
    case SEAT_WELCOME:
        return take_welcome(feed, packet);
    case SEAT_BUFFER:
        return take_buffer(feed, packet, descriptors);
    case SEAT_FRAME:
        return take_frame(feed, packet);
    case SEAT_CURSOR:
        return take_cursor(feed, packet, descriptors, count);
    case SEAT_LEDS:
        feed->leds = ((const SeatLocks *)packet)->mask;
        feed->leds_known = TRUE;
        feed->events->leds(feed, feed->data);
        return NULL;
    case SEAT_POINTER_MODE:
        feed->absolute = ((const SeatPointerMode *)packet)->absolute != 0;
        feed->events->pointer_mode(feed, feed->data);
        return NULL;
    case SEAT_LOGIN:
        feed->events->login(feed, packet, feed->data);
        return NULL;
    default:
        return NULL; /* presence, streams */
    }
}

static void feed_close(Feed *feed, const SeatClose *close)
{
    if (!feed->link)
        return;
    g_clear_pointer(&feed->link, packet_link_free);
    feed->events->closed(feed, close, feed->data);
}

static void received(PacketLink *link, const void *packet, gsize length, int *descriptors, guint count,
                     gpointer data)
{
    Feed *feed = data;
    const SeatHeader *header = packet;
    const char *wrong = seat_link_check(packet, length, count, FALSE);

    if (!wrong && header->type == SEAT_CLOSE) {
        feed_close(feed, packet);
        return;
    }
    if (!wrong)
        wrong = take_packet(feed, header, descriptors, count);
    if (wrong) {
        log_warning("the seat sent %s: its link is closed", wrong);
        feed_close(feed, NULL);
    }
}

static void closed(PacketLink *link, gboolean broken, gpointer data)
{
    feed_close(data, NULL);
}

Feed *feed_new(int fd, const FeedEvents *events, gpointer data)
{
    Feed *feed = g_new0(Feed, 1);
    feed->events = events;
    feed->data = data;
    feed->absolute = TRUE;
    feed->damage = g_array_new(FALSE, FALSE, sizeof(ViewerRect));
    feed->moves = g_array_new(FALSE, FALSE, sizeof(FeedMove));
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        feed->films[i].bytes = g_byte_array_new();
    forget_films(feed);
    feed->link = packet_link_new(fd, NULL, SEAT_LINK_PACKET_MAX, FEED_QUEUE_MAX, received, closed, feed);
    return feed;
}

void feed_free(Feed *feed)
{
    if (!feed)
        return;
    packet_link_free(feed->link);
    shadow_map_free(feed->shadow);
    shadow_map_free(feed->next);
    g_array_unref(feed->damage);
    g_array_unref(feed->moves);
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        g_byte_array_unref(feed->films[i].bytes);
    g_clear_pointer(&feed->cursor.pixels, g_bytes_unref);
    g_free(feed);
}

void feed_send(Feed *feed, gpointer packet, gsize size)
{
    SeatHeader *header = packet;

    header->size = (guint16)size;
    header->generation = feed->shadow ? feed->shadow->generation : 0;
    if (feed->link)
        packet_link_send(feed->link, packet, size, NULL, 0);
}

void feed_give_credit(Feed *feed)
{
    SeatCredit credit = {.header.type = SEAT_CREDIT, .frames = feed->owed};

    if (feed->owed == 0)
        return;
    feed->owed = 0;
    feed_send(feed, &credit, sizeof credit);
}

void feed_ask_keyframe(Feed *feed)
{
    SeatHeader packet = {.type = SEAT_KEYFRAME};

    gboolean lost = FALSE;

    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        lost |= feed->films[i].lost;
    if (!lost || feed->key_asked)
        return;
    feed->key_asked = TRUE;
    feed_send(feed, &packet, sizeof packet);
}

gboolean feed_units_wait(const Feed *feed)
{
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        if (feed->films[i].unit.length)
            return TRUE;
    return FALSE;
}

void feed_drop_units(Feed *feed)
{
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        if (feed->films[i].unit.length)
            lose(feed, &feed->films[i]);
}

void feed_lose_films(Feed *feed)
{
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        if (feed->films[i].stream)
            lose(feed, &feed->films[i]);
}
