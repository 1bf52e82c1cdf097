/* Frames: damage waits per client, merged, until that client has a credit; nothing queues. Decides when
 * damage goes as rectangles that the client reads from the shadow, and when as an access unit of the shared
 * H.264 stream:
 *  - a client follows the stream ("synced") from one of its key frames on; key frames for joiners come at
 * most once a second, until then they get rectangles;
 *  - the stream encodes when every synced client has a credit; who has had none for STARVED_US while others
 * have leaves the stream until it has one again; whom an encode keeps waiting for LATE_MS leaves it too, and
 * returns with a key frame when the encoder is back. Sending exactly once more what units showed with losses
 * is the client's work: it knows what it has sent. */
#include "session/seat/host_private.h"

#include "base/log.h"

#include <string.h>

#define KEYFRAME_EVERY_US G_USEC_PER_SEC
#define STARVED_US 150000
#define LATE_MS 700 /* a picture that stands still longer looks broken */

#define FOR_CLIENTS(HOST, CLIENT)                                                                            \
    for (guint index_ = 0; index_ < (HOST)->clients->len; index_++)                                          \
        for (HostClient *CLIENT = g_ptr_array_index((HOST)->clients, index_), *once_ = CLIENT; once_;        \
             once_ = NULL)

void host_frames_client_clear(HostClient *client)
{
    g_clear_pointer(&client->pending, damage_free);
    g_clear_pointer(&client->encoding, damage_free);
}

void host_frames_announce(HostClient *client)
{
    SeatHost *host = client->host;
    const SeatBuffer *layout = shadow_layout(host->shadow);
    int descriptors[2] = {shadow_fd(host->shadow), ring_fd(host->ring)};

    host_frames_client_clear(client);
    client->pending = damage_new(layout->width, layout->height);
    client->encoding = damage_new(layout->width, layout->height);
    client->complete_due = TRUE;
    client->takes_part = client->synced = FALSE;
    client->serial = 0;
    damage_add_all(client->pending);
    packet_link_send(client->link, layout, sizeof *layout, descriptors, 2);
}

static void encoding_over(SeatHost *host)
{
    host->encoding = FALSE;
    g_clear_handle_id(&host->late_timer, g_source_remove);
}

void host_frames_resized(SeatHost *host)
{
    const SeatBuffer *layout = shadow_layout(host->shadow);

    g_clear_pointer(&host->changed, damage_free);
    g_clear_pointer(&host->unencoded, damage_free);
    g_clear_pointer(&host->classifier, classifier_free);
    host->changed = damage_new(layout->width, layout->height);
    host->unencoded = damage_new(layout->width, layout->height);
    host->classifier = classifier_new(layout->width, layout->height);
    host->keyframe_us = 0;
    if (host->encoding) {
        host->stream->class->cancel(host->stream);
        encoding_over(host);
        FOR_CLIENTS(host, client)
        {
            client->credits += client->takes_part ? 1 : 0;
        }
    }
    FOR_CLIENTS(host, client)
    {
        host_frames_announce(client);
    }
}

/* ---- sending ---- */

static gboolean can_send(const HostClient *client)
{
    return client->greeted && client->host->filled && client->credits > 0;
}

static void send_frame(HostClient *client, Damage *damage, gboolean complete, const SeatAccessUnit *unit)
{
    union {
        SeatFrame frame;
        guint8 bytes[sizeof(SeatFrame) + SEAT_RECTS_MAX * sizeof(SeatRect)];
    } packet = {0};
    SeatHost *host = client->host;
    SeatFrame *frame = &packet.frame;
    SeatRect rects[SEAT_RECTS_MAX];

    G_STATIC_ASSERT(sizeof packet <= SEAT_LINK_PACKET_MAX);
    frame->damage = damage_rects(damage, rects);
    classifier_mark(host->classifier, rects, frame->damage, g_get_monotonic_time());
    memcpy(packet.bytes + sizeof *frame, rects, frame->damage * sizeof *rects);
    frame->header = (SeatHeader){.type = SEAT_FRAME,
                                 .size = sizeof *frame + frame->damage * sizeof *rects,
                                 .generation = host->generation};
    frame->serial = ++client->serial;
    frame->time_us = host->changed_us;
    frame->complete = complete;
    if (unit)
        frame->unit = *unit;
    packet_link_send(client->link, frame, frame->header.size, NULL, 0);
}

/* Sends what waits as rectangles. */
static void send_exact(HostClient *client)
{
    if (damage_is_empty(client->pending))
        return;
    client->credits--;
    send_frame(client, client->pending, client->complete_due, NULL);
    client->complete_due = FALSE;
    damage_clear(client->pending);
}

/* ---- the stream ---- */

static gboolean follows(const HostClient *client)
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
        if (!follows(client))
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
        if (follows(client) && client->credits == 0 && now - client->starved_us >= STARVED_US) {
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
    return client->wants_h264 && !client->synced && can_send(client);
}

static void take_part(HostClient *client)
{
    Damage *swap = client->encoding;
    client->encoding = client->pending;
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

/* Starts encoding when it is time to; TRUE: clients that follow the stream wait for it. */
static gboolean encode(SeatHost *host, gint64 now)
{
    gboolean motion = FALSE, keyframe = FALSE, key_allowed = now - host->keyframe_us >= KEYFRAME_EVERY_US;
    SeatRect rects[SEAT_RECTS_MAX];

    if (host->encoding)
        return TRUE;
    FOR_CLIENTS(host, client)
    {
        if (!(follows(client) || (key_allowed && joins(client))) || damage_is_empty(client->pending))
            continue;
        motion |= classifier_wants_video(host->classifier, client->pending, now);
    }
    if (!motion)
        return FALSE;
    if (!all_have_credit(host, now))
        return TRUE;
    FOR_CLIENTS(host, client)
    {
        keyframe |= key_allowed && joins(client) && !damage_is_empty(client->pending);
    }
    guint count = damage_rects(host->unencoded, rects);
    damage_clear(host->unencoded);
    FOR_CLIENTS(host, client)
    {
        if (can_send(client) &&
            (follows(client) || (keyframe && joins(client) && !damage_is_empty(client->pending))))
            take_part(client);
    }
    host->encoding = TRUE;
    if (keyframe)
        host->keyframe_us = now;
    host->late_timer = g_timeout_add(LATE_MS, late_timeout, host);
    if (host->stream->class->encode(host->stream, host->shadow, rects, count, keyframe))
        return TRUE;
    encoding_over(host);
    damage_add_all(host->unencoded);
    FOR_CLIENTS(host, client)
    {
        stop_part(client);
    }
    return FALSE;
}

static void unit_ready(const guint8 *bytes, gsize length, gboolean keyframe, guint32 stream, gpointer data)
{
    SeatHost *host = data;
    const SeatBuffer *layout = shadow_layout(host->shadow);
    SeatAccessUnit unit = {
        .stream = stream,
        .length = length,
        .region = {.width = layout->width, .height = layout->height, .class = SEAT_CLASS_MOTION},
        .keyframe = keyframe};

    g_return_if_fail(host->encoding);
    encoding_over(host);
    if (keyframe)
        host->keyframe_us = g_get_monotonic_time();
    gboolean fits = ring_put(host->ring, bytes, length, &unit.position);
    if (!fits)
        log_warning("stream: an access unit of %" G_GSIZE_FORMAT " bytes does not fit the ring", length);
    FOR_CLIENTS(host, client)
    {
        if (!client->takes_part)
            continue;
        if (!fits) {
            stop_part(client);
            continue;
        }
        send_frame(client, client->encoding, client->encoding_complete, &unit);
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

void host_frames_attach_stream(SeatHost *host)
{
    static const HostStreamEvents events = {.unit = unit_ready, .lost = unit_lost};
    host->stream->class->attach(host->stream, &events, host);
    host_frames_demand(host);
}

void host_frames_demand(SeatHost *host)
{
    guint subscribers = 0, drivers = 0, owned = 0, watched = 0; /* kbit/s */
    if (!host->stream)
        return;
    FOR_CLIENTS(host, client)
    {
        if (!client->wants_h264)
            continue;
        subscribers++;
        guint *least = client->view_only ? &watched : &owned;
        drivers += client->view_only ? 0 : 1;
        if (client->max_kbit_s)
            *least = *least ? MIN(*least, client->max_kbit_s) : client->max_kbit_s;
    }
    /* Who only looks on makes nobody's picture worse. */
    host->stream->class->demand(host->stream, subscribers, drivers ? owned : watched);
}

/* ---- the pump ---- */

gboolean seat_host_wants(const SeatHost *host)
{
    FOR_CLIENTS(host, client)
    {
        if (client->greeted && client->credits > 0)
            return TRUE;
    }
    return FALSE;
}

void host_frames_pump(SeatHost *host)
{
    gint64 now = g_get_monotonic_time();
    if (host->shadow && host->filled) {
        gboolean stream_has_it = host->stream && encode(host, now);
        FOR_CLIENTS(host, client)
        {
            if (can_send(client) && !(stream_has_it && follows(client)))
                send_exact(client);
        }
    }
    gboolean wanted = host->wanted;
    host->wanted = seat_host_wants(host);
    if (host->wanted && !wanted && host->events->wants)
        host->events->wants(host->data);
}

void seat_host_copy(SeatHost *host, const SeatRect *rects, guint count, const void *pixels, gsize stride,
                    gint64 time_us)
{
    g_return_if_fail(host->shadow);

    host->changed_us = time_us ? time_us : g_get_monotonic_time();
    damage_clear(host->changed);
    for (guint i = 0; i < count; i++)
        shadow_update(host->shadow, &rects[i], pixels, stride, host->changed);
}

void seat_host_publish(SeatHost *host)
{
    g_return_if_fail(host->shadow);
    gboolean first = !host->filled;

    host->filled = TRUE;
    if (damage_is_empty(host->changed) && !first)
        return;
    if (!damage_is_empty(host->changed)) {
        classifier_changed(host->classifier, host->changed, host->changed_us);
        damage_add_map(host->unencoded, host->changed);
    }
    FOR_CLIENTS(host, client)
    {
        damage_add_map(client->pending, host->changed);
    }
    host_frames_pump(host);
}

void seat_host_damage(SeatHost *host, const SeatRect *rects, guint count, const void *pixels, gsize stride,
                      gint64 time_us)
{
    seat_host_copy(host, rects, count, pixels, stride, time_us);
    seat_host_publish(host);
}
