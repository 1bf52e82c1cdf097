/* Frames: damage waits per client, merged, until that client has a credit; nothing queues. It goes as
 * rectangles that the client reads from the shadow, unless the stream takes it (host_stream.c). */
#include "session/seat/host_private.h"

#include <string.h>

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

void host_frames_resized(SeatHost *host)
{
    const SeatBuffer *layout = shadow_layout(host->shadow);

    g_clear_pointer(&host->changed, damage_free);
    g_clear_pointer(&host->unencoded, damage_free);
    g_clear_pointer(&host->due, damage_free);
    g_clear_pointer(&host->classifier, classifier_free);
    host->changed = damage_new(layout->width, layout->height);
    host->unencoded = damage_new(layout->width, layout->height);
    host->due = damage_new(layout->width, layout->height);
    host->region = (Region){0};
    host->classifier = classifier_new(layout->width, layout->height);
    host_stream_cancel(host);
    FOR_CLIENTS(host, client)
    {
        host_frames_announce(client);
    }
}

/* ---- sending ---- */

gboolean host_frames_can_send(const HostClient *client)
{
    return client->greeted && client->host->filled && client->credits > 0;
}

void host_frames_send(HostClient *client, Damage *damage, gboolean complete, const SeatAccessUnit *unit)
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
    host_frames_send(client, client->pending, client->complete_due, NULL);
    client->complete_due = FALSE;
    damage_clear(client->pending);
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
        gboolean stream_has_it = host->stream && host_stream_encode(host, now);
        FOR_CLIENTS(host, client)
        {
            if (host_frames_can_send(client) && !(stream_has_it && host_stream_follows(client)))
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
        classifier_changed(host->classifier, host->changed, shadow_pixels(host->shadow),
                           shadow_layout(host->shadow)->stride, host->changed_us);
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
