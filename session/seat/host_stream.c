/* When damage goes as an access unit of a tier's H.264 stream, and to whom:
 *  - a client follows a stream from one of its key frames on; key frames for joiners come at most once a
 * second, until then they go on as they did;
 *  - a tier encodes when every client that follows it has a credit (host_tiers.c: for how long one is waited
 * for); whom an encode keeps waiting for LATE_MS leaves it, and returns with a key frame when the encoder is
 * back. Sending exactly once more what units showed with losses is the client's work: it knows what it has
 * sent. */
#include "session/seat/host_private.h"

#include "base/log.h"
#include "encoder/rect.h"

#define KEYFRAME_EVERY_US G_USEC_PER_SEC
#define LATE_MS 700 /* a picture that stands still longer looks broken */

static void encoding_over(HostTier *tier)
{
    tier->encoding = FALSE;
    g_clear_handle_id(&tier->late_timer, g_source_remove);
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

    host_frames_send_beside(client);
    /* What of it has no credit waits for the unit's record. */
    damage_clear(beside);
    host_frames_take_beside(client, beside);
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
    if (!client->takes_part)
        return;
    damage_add_map(client->pending, client->encoding);
    damage_clear(client->encoding);
    client->complete_due |= client->encoding_complete;
    client->takes_part = NULL;
    client->credits = MIN(client->credits + 1, HOST_CREDITS_MAX);
}

static void leave_encode(HostTier *tier)
{
    FOR_CLIENTS(tier->host, client)
    {
        if (client->takes_part == tier)
            host_stream_leave(client);
    }
}

/* The encoder may be given longer before it counts as failed, but nobody waits for it: what it has goes as
 * rectangles, and its unit, when it comes, to nobody. */
static gboolean late_timeout(gpointer data)
{
    HostTier *tier = data;
    tier->late_timer = 0;
    tier->has_it = FALSE;
    leave_encode(tier);
    host_frames_pump(tier->host);
    return G_SOURCE_REMOVE;
}

static gboolean has_pending(const HostClient *client)
{
    return !damage_is_empty(client->pending);
}

/* Whether what followers are to be sent goes as film; without any, what joiners are. The fast tier says where
 * the film is: what the slow one lacks has gathered for longer, and a joiner lacks the whole screen, which
 * shall not become the region of those who follow. */
static gboolean wants_film(HostTier *tier, gint64 now)
{
    SeatHost *host = tier->host;
    gboolean chooses = tier == host->fast, followed = FALSE;

    damage_clear(host->due);
    FOR_CLIENTS(host, client)
    {
        if (client->follows != tier)
            continue;
        followed = TRUE;
        damage_add_map(host->due, client->pending);
    }
    if (damage_is_empty(host->due)) {
        chooses &= !followed;
        FOR_CLIENTS(host, client)
        {
            if (host_stream_joins(tier, client, now))
                damage_add_map(host->due, client->pending);
        }
    }
    if (damage_is_empty(host->due) || host_moves_explain(host, host->due))
        return FALSE;
    return chooses ? region_choose(&host->region, host->classifier, host->due, now)
                   : region_holds(&host->region, host->classifier, host->due, now);
}

static gboolean start_encoding(HostTier *tier, gboolean keyframe, gint64 now)
{
    SeatHost *host = tier->host;
    SeatRect rects[SEAT_RECTS_MAX];
    guint count = damage_rects(tier->unencoded, rects);

    damage_clear(tier->unencoded);
    tier->encoding = TRUE;
    tier->region = host->region.rect;
    if (keyframe)
        tier->keyframe_us = now;
    tier->late_timer = g_timeout_add(LATE_MS, late_timeout, tier);
    return tier->stream->class->encode(tier->stream, host->shadow, &tier->region, rects, count, keyframe);
}

/* TRUE: an encode has begun. */
static gboolean encode(HostTier *tier, gint64 now)
{
    SeatHost *host = tier->host;
    /* Another region begins with a key frame anyway. */
    gboolean keyframe = !rect_same(&tier->region, &host->region.rect);

    FOR_CLIENTS(host, client)
    {
        keyframe |= host_stream_joins(tier, client, now) && has_pending(client);
    }
    if (tier == host->fast)
        host_tiers_picture(host, now);
    FOR_CLIENTS(host, client)
    {
        if (host_frames_can_send(client) && host_stream_may_send(client) &&
            (client->follows == tier || (keyframe && joins(tier, client) && has_pending(client))))
            take_part(tier, client);
    }
    if (start_encoding(tier, keyframe, now))
        return TRUE;
    encoding_over(tier);
    damage_add_all(tier->unencoded);
    leave_encode(tier);
    return FALSE;
}

void host_stream_encode(HostTier *tier, gint64 now)
{
    if (tier->stream && !tier->encoding)
        tier->has_it = wants_film(tier, now) && (!host_tier_ready(tier, now) || encode(tier, now));
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

static void unit_ready(const H264Units *units, guint32 run, gpointer data)
{
    HostTier *tier = data;
    SeatHost *host = tier->host;
    /* To clients all runs of both tiers are streams of their own. */
    SeatAccessUnit unit = {
        .stream = run * HOST_TIERS + tier->index, .region = tier->region, .keyframe = units->keyframe};

    g_return_if_fail(tier->encoding);
    unit.region.class = SEAT_CLASS_MOTION;
    encoding_over(tier);
    if (units->keyframe)
        tier->keyframe_us = g_get_monotonic_time();
    gboolean fits = store(host, units, &unit);
    if (!fits) {
        log_warning("stream: an access unit of %u bytes does not fit the ring", unit.length);
        leave_encode(tier);
    }
    FOR_CLIENTS(host, client)
    {
        if (client->takes_part != tier)
            continue;
        host_frames_take_beside(client, client->encoding);
        host_frames_send(client, client->encoding, client->encoding_pass, client->encoding_complete, &unit);
        damage_clear(client->encoding);
        client->takes_part = NULL;
    }
    host_frames_pump(host);
}

static void unit_lost(gpointer data)
{
    HostTier *tier = data;
    encoding_over(tier);
    tier->keyframe_us = 0;
    damage_add_all(tier->unencoded);
    FOR_CLIENTS(tier->host, client)
    {
        if (client->follows == tier)
            host_stream_leave(client);
    }
    host_frames_pump(tier->host);
}

gboolean host_stream_waits(const HostClient *client, gint64 now)
{
    const HostTier *next = client->member;

    return client->takes_part || (client->follows && client->follows->has_it) ||
           (next && next->has_it && host_stream_joins(next, client, now));
}

void host_stream_resized(HostTier *tier)
{
    const SeatBuffer *layout = shadow_layout(tier->host->shadow);

    g_clear_pointer(&tier->unencoded, damage_free);
    tier->unencoded = damage_new(layout->width, layout->height);
    tier->region = (SeatRect){0};
    tier->keyframe_us = 0;
    tier->has_it = FALSE;
    if (!tier->encoding)
        return;
    tier->stream->class->cancel(tier->stream);
    encoding_over(tier);
    FOR_CLIENTS(tier->host, client)
    {
        client->credits += client->takes_part == tier ? 1 : 0;
    }
}

void host_stream_attach(HostTier *tier, HostStream *stream)
{
    static const HostStreamEvents events = {.unit = unit_ready, .lost = unit_lost};
    tier->stream = stream;
    stream->class->attach(stream, &events, tier);
}

void host_stream_detach(HostTier *tier)
{
    if (tier->stream)
        tier->stream->class->free(tier->stream);
    g_clear_handle_id(&tier->late_timer, g_source_remove);
    g_clear_handle_id(&tier->patience_timer, g_source_remove);
    g_clear_pointer(&tier->unencoded, damage_free);
}
