/* When damage goes as access units of a tier's H.264 streams, one for each film, and to whom:
 *  - a client follows a tier from key frames of all films in a picture on; key frames for joiners come at
 * most once a second, until then they go on as they did. Of a film that had rested then it gets one when that
 * goes on;
 *  - a tier encodes when every client that follows it has a credit (host_tiers.c: for how long one is waited
 * for); whom an encode keeps waiting for LATE_MS leaves it, and returns with a key frame when the encoder is
 * back. Sending exactly once more what units showed with losses is the client's work: it knows what it has
 * sent. */
#include "session/seat/host_private.h"

#include "base/log.h"
#include "encoder/rect.h"

#define KEYFRAME_EVERY_US G_USEC_PER_SEC
#define LATE_MS 700 /* a picture that stands still longer looks broken */

#define FOR_FILMS(TIER, FILM)                                                                                \
    for (HostFilm *FILM = (TIER)->films; FILM < (TIER)->films + SEAT_FILMS_MAX; FILM++)

/* The picture is done when no unit of it is waited for any more. */
static gboolean encoding_over(HostTier *tier)
{
    tier->encoding = FALSE;
    FOR_FILMS(tier, film)
    {
        tier->encoding |= film->encoding && !film->late;
    }
    if (!tier->encoding)
        g_clear_handle_id(&tier->late_timer, g_source_remove);
    return !tier->encoding;
}

static gboolean key_allowed(const HostTier *tier, gint64 now)
{
    return now - tier->keyframe_us >= KEYFRAME_EVERY_US;
}

/* The client could take a key frame of the tier now, and needs one. */
static gboolean joins(const HostTier *tier, const HostClient *client)
{
    return client->member == tier && client->follows != tier && !client->takes_part &&
           host_frames_can_send(client) && host_stream_may_send(client);
}

gboolean host_stream_may_send(const HostClient *client)
{
    return client->credits > 0 && client->unit_untaken == 0;
}

gboolean host_stream_joins(const HostTier *tier, const HostClient *client, gint64 now)
{
    return key_allowed(tier, now) && joins(tier, client);
}

static void take_part(HostTier *tier, HostClient *client)
{
    Damage *beside = client->encoding;

    host_frames_send_beside(client, &tier->rects);
    /* What of it has no credit waits for the units' record. */
    damage_clear(beside);
    host_frames_take_beside(client, &tier->rects, beside);
    if (client->follows != tier)
        client->keyed = 0;
    client->encoding = client->pending;
    client->encoding_pass = client->host->moves.published;
    client->pending = beside;
    client->takes_part = client->follows = tier;
    if (!client->joined_us)
        client->joined_us = g_get_monotonic_time();
    client->encoding_complete = client->complete_due;
    client->complete_due = FALSE;
    client->credits--;
}

void host_stream_leave(HostClient *client)
{
    client->follows = NULL;
    client->keyed = 0;
    if (!client->takes_part)
        return;
    damage_add_map(client->pending, client->encoding);
    damage_clear(client->encoding);
    client->complete_due |= client->encoding_complete;
    client->takes_part = NULL;
    client->credits = MIN(client->credits + 1, HOST_CREDITS_MAX);
}

static void leave_all(HostTier *tier)
{
    FOR_CLIENTS(tier->host, client)
    {
        if (client->follows == tier || client->takes_part == tier)
            host_stream_leave(client);
    }
}

/* The current picture goes without this film: what that would have shown goes without loss, and its next unit
 * is a key frame. */
static void drop_film(HostFilm *film)
{
    HostTier *tier = film->tier;
    FilmRects *left = &tier->rects;

    damage_add_all(film->unencoded);
    film->unit = (SeatAccessUnit){0};
    left->rects[film->index] = (SeatRect){0};
    if (!film_rects_any(left)) {
        tier->has_it = FALSE;
        leave_all(tier);
        return;
    }
    FOR_CLIENTS(tier->host, client)
    {
        client->keyed &= client->follows == tier ? ~(1u << film->index) : ~0u;
        if (client->takes_part != tier)
            continue;
        if (client->encoding_complete) /* it needs all of the picture in one record */
            host_stream_leave(client);
        else
            damage_take_outside(client->encoding, left->rects, SEAT_FILMS_MAX, client->pending);
    }
}

static void picture_over(HostTier *tier);

/* An encoder may be given longer before it counts as failed, but nobody waits for it: its unit, when it
 * comes, goes to nobody. */
static gboolean late_timeout(gpointer data)
{
    HostTier *tier = data;

    tier->late_timer = 0;
    FOR_FILMS(tier, film)
    {
        if (!film->encoding || film->late)
            continue;
        film->late = TRUE;
        drop_film(film);
    }
    picture_over(tier);
    return G_SOURCE_REMOVE;
}

static gboolean has_pending(const HostClient *client)
{
    return !damage_is_empty(client->pending);
}

static gboolean joined_by(HostTier *tier, gint64 now)
{
    FOR_CLIENTS(tier->host, client)
    {
        if (host_stream_joins(tier, client, now) && has_pending(client))
            return TRUE;
    }
    return FALSE;
}

/* Gathers what is due for the tier. FALSE: its followers have all that there is; then it is what joiners
 * lack. */
static gboolean gather_due(HostTier *tier, gint64 now)
{
    SeatHost *host = tier->host;
    gboolean followed = FALSE;

    damage_clear(host->due);
    FOR_CLIENTS(host, client)
    {
        if (client->follows != tier)
            continue;
        followed = TRUE;
        damage_add_map(host->due, client->pending);
    }
    if (!damage_is_empty(host->due))
        return TRUE;
    FOR_CLIENTS(host, client)
    {
        if (host_stream_joins(tier, client, now))
            damage_add_map(host->due, client->pending);
    }
    return !followed;
}

/* Where what followers are to be sent goes as film; without any, what joiners are. The fast tier says where
 * the films are: what the slow one lacks has gathered for longer, and a joiner lacks the whole screen, which
 * shall not become a region of those who follow. */
static FilmRects wanted_films(HostTier *tier, gint64 now)
{
    SeatHost *host = tier->host;
    gboolean chooses = gather_due(tier, now) && tier == host->fast;
    guint limit = tier->films[1].stream ? 2 : 1;

    if (damage_is_empty(host->due) || host_moves_explain(host, host->due))
        return (FilmRects){0};
    FilmRects wanted = chooses ? films_choose(&host->films, limit, host->classifier, host->due, now)
                               : films_hold(&host->films, host->classifier, host->due, now);
    if (!film_rects_any(&wanted) || !joined_by(tier, now))
        return wanted;
    /* Who joins gets all films at once. */
    FilmRects active = films_active(&host->films, now);
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        if (wanted.rects[i].width == 0)
            wanted.rects[i] = active.rects[i];
    return wanted;
}

/* FALSE: no encoder works for it. */
static gboolean encode_film(HostFilm *film, const SeatRect *region, gboolean keyframe)
{
    SeatHost *host = film->tier->host;
    SeatRect rects[SEAT_RECTS_MAX];
    guint count = damage_rects(film->unencoded, rects), bit = 1u << film->index;

    /* Another region begins with a key frame anyway; and who has come while the film rested knows nothing of
     * it. */
    keyframe |= !rect_same(&film->region, region);
    FOR_CLIENTS(host, client)
    {
        keyframe |= client->takes_part == film->tier && !(client->keyed & bit);
    }
    FOR_CLIENTS(host, client)
    {
        client->keyed |= client->takes_part == film->tier ? bit : 0;
    }
    damage_clear(film->unencoded);
    film->region = *region;
    film->encoding = film->stream->class->encode(film->stream, host->shadow, region, rects, count, keyframe);
    return film->encoding;
}

static gboolean start_encoding(HostTier *tier, gboolean keyframe, gint64 now)
{
    const FilmRects wanted = tier->rects;

    tier->began_us = now;
    if (keyframe)
        tier->keyframe_us = now;
    FOR_FILMS(tier, film)
    {
        const SeatRect *region = &wanted.rects[film->index];
        film->unit = (SeatAccessUnit){0};
        if (region->width > 0 && !encode_film(film, region, keyframe))
            drop_film(film);
    }
    if (encoding_over(tier))
        return FALSE;
    tier->late_timer = g_timeout_add(LATE_MS, late_timeout, tier);
    return TRUE;
}

/* All that is going to be encoded begins anew. */
static gboolean all_begin(const HostTier *tier)
{
    for (guint i = 0; i < SEAT_FILMS_MAX; i++) {
        const SeatRect *region = &tier->rects.rects[i];
        if (region->width > 0 && rect_same(&tier->films[i].region, region))
            return FALSE;
    }
    return TRUE;
}

/* TRUE: an encode has begun. */
static gboolean encode(HostTier *tier, gint64 now)
{
    SeatHost *host = tier->host;
    gboolean keyframe = all_begin(tier) || joined_by(tier, now);

    if (tier == host->fast)
        host_tiers_picture(host, now);
    FOR_CLIENTS(host, client)
    {
        if (host_frames_can_send(client) && host_stream_may_send(client) &&
            (client->follows == tier || (keyframe && joins(tier, client) && has_pending(client))))
            take_part(tier, client);
    }
    return start_encoding(tier, keyframe, now);
}

void host_stream_changed(HostTier *tier)
{
    FOR_FILMS(tier, film)
    {
        if (film->region.width > 0)
            damage_add_map(film->unencoded, tier->host->changed);
    }
}

void host_stream_encode(HostTier *tier, gint64 now)
{
    if (!host_tier_works(tier) || tier->encoding)
        return;
    tier->rects = wanted_films(tier, now);
    FOR_FILMS(tier, film)
    {
        if (film->late)
            tier->rects.rects[film->index] = (SeatRect){0};
    }
    tier->has_it = film_rects_any(&tier->rects) && (!host_tier_ready(tier, now) || encode(tier, now));
}

/* Puts the units into the ring as SeatAccessUnit says. */
static gboolean store(SeatHost *host, const H264Units *units, SeatAccessUnit *unit)
{
    g_autoptr(GByteArray) all = NULL;

    unit->length = (guint32)units->main_length;
    if (!units->auxiliary)
        return ring_put(host->ring, units->main, units->main_length, &unit->position);
    all = g_byte_array_sized_new((guint)(units->main_length + units->auxiliary_length + units->tiles_length));
    g_byte_array_append(all, units->main, (guint)units->main_length);
    g_byte_array_append(all, units->auxiliary, (guint)units->auxiliary_length);
    g_byte_array_append(all, units->tiles, (guint)units->tiles_length);
    unit->length = all->len;
    unit->auxiliary = (guint32)units->auxiliary_length;
    unit->tiles = (guint32)units->tiles_length;
    return ring_put(host->ring, all->data, all->len, &unit->position);
}

/* All units of the picture are there. */
static void send_units(HostTier *tier)
{
    SeatAccessUnit units[SEAT_FILMS_MAX];

    FOR_FILMS(tier, film)
    {
        units[film->index] = film->unit;
    }
    FOR_CLIENTS(tier->host, client)
    {
        if (client->takes_part != tier)
            continue;
        host_frames_take_beside(client, &tier->rects, client->encoding);
        host_frames_send(client, client->encoding, client->encoding_pass, client->encoding_complete, units);
        damage_clear(client->encoding);
        client->takes_part = NULL;
    }
}

/* Perhaps: then what there is of it goes out. */
static void picture_over(HostTier *tier)
{
    SeatHost *host = tier->host;
    gboolean waited = tier->encoding;

    if (encoding_over(tier) && waited) {
        send_units(tier);
        if (tier == host->fast)
            films_went_on(&host->films, &tier->rects, g_get_monotonic_time() - tier->began_us);
    }
    host_frames_pump(host);
}

/* FALSE: nobody waits for it any more. */
static gboolean film_answers(HostFilm *film)
{
    gboolean late = film->late;

    film->encoding = film->late = FALSE;
    return !late;
}

static void take_unit(HostFilm *film, const H264Units *units, SeatAccessUnit *unit)
{
    if (store(film->tier->host, units, unit)) {
        film->unit = *unit;
        return;
    }
    log_warning("stream: an access unit of %u bytes does not fit the ring", unit->length);
    drop_film(film);
}

static void unit_ready(const H264Units *units, guint32 run, gpointer data)
{
    HostFilm *film = data;
    HostTier *tier = film->tier;
    /* To clients all runs of all films in both tiers are streams of their own. */
    guint32 stream = (run * HOST_TIERS + tier->index) * SEAT_FILMS_MAX + film->index;
    SeatAccessUnit unit = {.stream = stream, .region = film->region, .keyframe = units->keyframe};

    g_return_if_fail(film->encoding);
    unit.region.class = SEAT_CLASS_MOTION;
    if (film_answers(film)) {
        take_unit(film, units, &unit);
        picture_over(tier);
    } else {
        host_frames_pump(tier->host);
    }
}

static void unit_lost(gpointer data)
{
    HostFilm *film = data;
    HostTier *tier = film->tier;

    tier->keyframe_us = 0;
    if (film_answers(film)) {
        drop_film(film);
        picture_over(tier);
    } else {
        host_frames_pump(tier->host);
    }
}

const HostTier *host_stream_awaited(const HostClient *client, gint64 now)
{
    const HostTier *next = client->member;

    if (client->takes_part)
        return client->takes_part;
    if (client->follows && client->follows->has_it)
        return client->follows;
    return next && next->has_it && host_stream_joins(next, client, now) ? next : NULL;
}

void host_stream_resized(HostTier *tier)
{
    const SeatBuffer *layout = shadow_layout(tier->host->shadow);

    tier->rects = (FilmRects){0};
    tier->keyframe_us = 0;
    tier->has_it = FALSE;
    FOR_FILMS(tier, film)
    {
        g_clear_pointer(&film->unencoded, damage_free);
        film->unencoded = damage_new(layout->width, layout->height);
        film->region = (SeatRect){0};
        if (film->encoding)
            film->stream->class->cancel(film->stream);
        film->encoding = film->late = FALSE;
    }
    encoding_over(tier);
    FOR_CLIENTS(tier->host, client)
    {
        client->credits += client->takes_part == tier ? 1 : 0;
    }
}

void host_stream_init(HostTier *tier, SeatHost *host, guint index)
{
    *tier = (HostTier){.host = host, .index = index};
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        tier->films[i] = (HostFilm){.tier = tier, .index = i};
}

void host_stream_attach(HostTier *tier, HostStream *const streams[], guint films)
{
    static const HostStreamEvents events = {.unit = unit_ready, .lost = unit_lost};

    for (guint i = 0; i < films; i++) {
        tier->films[i].stream = streams[i];
        streams[i]->class->attach(streams[i], &events, &tier->films[i]);
    }
}

void host_stream_detach(HostTier *tier)
{
    FOR_FILMS(tier, film)
    {
        if (film->stream)
            film->stream->class->free(film->stream);
        g_clear_pointer(&film->unencoded, damage_free);
    }
    g_clear_handle_id(&tier->late_timer, g_source_remove);
    g_clear_handle_id(&tier->patience_timer, g_source_remove);
}
