/* When damage goes as an access unit of the shared H.264 stream, and to whom:
 *  - a client follows the stream ("synced") from one of its key frames on; key frames for joiners come at
 * most once a second, until then they get rectangles;
 *  - the stream encodes when every synced client has a credit; who has had none for STARVED_US while others
 * have leaves the stream until it has one again; whom an encode keeps waiting for LATE_MS leaves it too, and
 * returns with a key frame when the encoder is back. Sending exactly once more what units showed with losses
 * is the client's work: it knows what it has sent. */
#include "session/seat/host_private.h"

#include "base/log.h"
#include "encoder/rect.h"

#define KEYFRAME_EVERY_US G_USEC_PER_SEC
#define STARVED_US 150000
#define LATE_MS 700 /* a picture that stands still longer looks broken */

static void encoding_over(SeatHost *host)
{
    host->encoding = FALSE;
    g_clear_handle_id(&host->late_timer, g_source_remove);
}

gboolean host_stream_follows(const HostClient *client)
{
    return client->wants_h264 && client->synced && client->greeted;
}

/* A synced client without a credit holds everyone back; not for long, unless it is alone. */
static gboolean starved_timeout(gpointer data)
{
    SeatHost *host = data;
    host->starve_timer = 0;
    host_frames_pump(host);
    return G_SOURCE_REMOVE;
}

/* TRUE: every synced client has a credit (the starved ones have been sent away). */
static gboolean all_have_credit(SeatHost *host, gint64 now)
{
    guint with = 0, without = 0;
    FOR_CLIENTS(host, client)
    {
        if (!host_stream_follows(client))
            continue;
        if (client->credits > 0) {
            with++;
            continue;
        }
        if (client->starved_us == 0)
            client->starved_us = now;
        without++;
    }
    if (without == 0)
        return TRUE;
    if (with == 0)
        return FALSE;
    FOR_CLIENTS(host, client)
    {
        if (host_stream_follows(client) && client->credits == 0 && now - client->starved_us >= STARVED_US) {
            client->synced = FALSE;
            without--;
        }
    }
    if (without > 0 && host->starve_timer == 0)
        host->starve_timer = g_timeout_add(STARVED_US / 1000 + 1, starved_timeout, host);
    return without == 0;
}

static gboolean joins(const HostClient *client)
{
    return client->wants_h264 && !client->synced && host_frames_can_send(client);
}

static void take_part(HostClient *client)
{
    Damage *swap = client->encoding;
    host_moves_become_damage(client);
    client->encoding = client->pending;
    client->encoding_pass = client->host->moves.published;
    client->pending = swap;
    damage_clear(client->pending);
    client->takes_part = TRUE;
    client->encoding_complete = client->complete_due;
    client->complete_due = FALSE;
    client->synced = TRUE;
    client->credits--;
}

static void stop_part(HostClient *client)
{
    if (!client->takes_part)
        return;
    damage_add_map(client->pending, client->encoding);
    damage_clear(client->encoding);
    client->complete_due |= client->encoding_complete;
    client->takes_part = client->synced = FALSE;
    client->credits = MIN(client->credits + 1, HOST_CREDITS_MAX);
}

/* The encoder may be given longer before it counts as failed, but nobody waits for it: what it has goes as
 * rectangles, and its unit, when it comes, to nobody. */
static gboolean late_timeout(gpointer data)
{
    SeatHost *host = data;
    host->late_timer = 0;
    FOR_CLIENTS(host, client)
    {
        stop_part(client);
    }
    host_frames_pump(host);
    return G_SOURCE_REMOVE;
}

static gboolean has_pending(const HostClient *client)
{
    return !damage_is_empty(client->pending);
}

/* Whether what followers are to be sent goes as film; without any, what joiners are. A joiner lacks the whole
 * screen, and that shall not become everyone's region. */
static gboolean wants_film(SeatHost *host, gboolean key_allowed, gint64 now)
{
    gboolean followed = FALSE;

    damage_clear(host->due);
    FOR_CLIENTS(host, client)
    {
        if (host_stream_follows(client) && has_pending(client)) {
            damage_add_map(host->due, client->pending);
            followed = TRUE;
        }
    }
    FOR_CLIENTS(host, client)
    {
        if (!followed && key_allowed && joins(client))
            damage_add_map(host->due, client->pending);
    }
    return !damage_is_empty(host->due) && region_choose(&host->region, host->classifier, host->due, now);
}

static gboolean start_encoding(SeatHost *host, gboolean keyframe, gint64 now)
{
    SeatRect rects[SEAT_RECTS_MAX];
    guint count = damage_rects(host->unencoded, rects);

    damage_clear(host->unencoded);
    host->encoding = TRUE;
    if (keyframe)
        host->keyframe_us = now;
    host->late_timer = g_timeout_add(LATE_MS, late_timeout, host);
    return host->stream->class->encode(host->stream, host->shadow, &host->region.rect, rects, count,
                                       keyframe);
}

gboolean host_stream_encode(SeatHost *host, gint64 now)
{
    gboolean key_allowed = now - host->keyframe_us >= KEYFRAME_EVERY_US;
    SeatRect before = host->region.rect;

    if (host->encoding)
        return TRUE;
    if (!wants_film(host, key_allowed, now))
        return FALSE;
    if (!all_have_credit(host, now))
        return TRUE;
    /* Another region begins with a key frame anyway. */
    gboolean keyframe = !rect_same(&before, &host->region.rect);
    FOR_CLIENTS(host, client)
    {
        keyframe |= key_allowed && joins(client) && has_pending(client);
    }
    FOR_CLIENTS(host, client)
    {
        if (host_frames_can_send(client) &&
            (host_stream_follows(client) || (keyframe && joins(client) && has_pending(client))))
            take_part(client);
    }
    if (start_encoding(host, keyframe, now))
        return TRUE;
    encoding_over(host);
    damage_add_all(host->unencoded);
    FOR_CLIENTS(host, client)
    {
        stop_part(client);
    }
    return FALSE;
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

static void unit_ready(const H264Units *units, guint32 stream, gpointer data)
{
    SeatHost *host = data;
    SeatAccessUnit unit = {.stream = stream, .region = host->region.rect, .keyframe = units->keyframe};

    g_return_if_fail(host->encoding);
    unit.region.class = SEAT_CLASS_MOTION;
    encoding_over(host);
    if (units->keyframe)
        host->keyframe_us = g_get_monotonic_time();
    gboolean fits = store(host, units, &unit);
    if (!fits)
        log_warning("stream: an access unit of %u bytes does not fit the ring", unit.length);
    FOR_CLIENTS(host, client)
    {
        if (!client->takes_part)
            continue;
        if (!fits) {
            stop_part(client);
            continue;
        }
        host_frames_send(client, client->encoding, client->encoding_pass, client->encoding_complete, &unit);
        damage_clear(client->encoding);
        client->takes_part = FALSE;
    }
    host_frames_pump(host);
}

static void unit_lost(gpointer data)
{
    SeatHost *host = data;
    encoding_over(host);
    host->keyframe_us = 0;
    damage_add_all(host->unencoded);
    FOR_CLIENTS(host, client)
    {
        stop_part(client);
        client->synced = FALSE;
    }
    host_frames_pump(host);
}

void host_stream_cancel(SeatHost *host)
{
    host->keyframe_us = 0;
    if (!host->encoding)
        return;
    host->stream->class->cancel(host->stream);
    encoding_over(host);
    FOR_CLIENTS(host, client)
    {
        client->credits += client->takes_part ? 1 : 0;
    }
}

void host_stream_attach(SeatHost *host)
{
    static const HostStreamEvents events = {.unit = unit_ready, .lost = unit_lost};
    host->stream->class->attach(host->stream, &events, host);
    host_stream_demand(host);
}

void host_stream_demand(SeatHost *host)
{
    guint subscribers = 0, drivers = 0, owned = 0, watched = 0; /* kbit/s */
    gboolean chroma = TRUE;
    if (!host->stream)
        return;
    FOR_CLIENTS(host, client)
    {
        if (!client->wants_h264)
            continue;
        subscribers++;
        chroma &= client->takes_chroma;
        guint *least = client->view_only ? &watched : &owned;
        drivers += client->view_only ? 0 : 1;
        if (client->max_kbit_s)
            *least = *least ? MIN(*least, client->max_kbit_s) : client->max_kbit_s;
    }
    /* Who only looks on makes nobody's picture worse. */
    host->stream->class->demand(host->stream, drivers ? owned : watched, chroma && subscribers > 0);
}
