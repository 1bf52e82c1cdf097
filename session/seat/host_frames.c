/* Frames: damage waits per client, merged, until that client has a credit; nothing queues. It goes as
 * rectangles that the client reads from the shadow, unless the stream takes it (host_stream.c); what lies
 * beside the films does not wait for that. */
#include "session/seat/host_private.h"

#include <string.h>

#define WATCHES_US (5 * G_USEC_PER_SEC) /* after its last record; then it is not there */

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
    client->takes_part = client->follows = NULL;
    client->serial = client->pass = client->base = 0;
    client->n_moves = 0;
    damage_add_all(client->pending);
    packet_link_send(client->link, layout, sizeof *layout, descriptors, 2);
}

void host_frames_resized(SeatHost *host)
{
    const SeatBuffer *layout = shadow_layout(host->shadow);

    g_clear_pointer(&host->changed, damage_free);
    g_clear_pointer(&host->due, damage_free);
    g_clear_pointer(&host->classifier, classifier_free);
    host->changed = damage_new(layout->width, layout->height);
    host->due = damage_new(layout->width, layout->height);
    host->films = (Films){0};
    host->classifier = classifier_new(layout->width, layout->height);
    host_moves_resized(host);
    host_stream_resized(host->fast);
    host_stream_resized(host->slow);
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

static void put_moves(SeatMove *moves, const HostClient *client)
{
    for (guint i = 0; i < client->n_moves; i++) {
        const ScrollMove *move = &client->moves[i];
        moves[i] = (SeatMove){move->x, move->y, move->width, move->height, move->to_x, move->to_y};
    }
}

/* Later moves build on the last pass, even where the record does not lead to it: what the client lacks of
 * that is known here. */
void host_frames_send(HostClient *client, Damage *damage, guint64 pass, gboolean complete,
                      const SeatAccessUnit *units)
{
    union {
        SeatFrame frame;
        guint8
            bytes[sizeof(SeatFrame) + SEAT_RECTS_MAX * sizeof(SeatRect) + SEAT_MOVES_MAX * sizeof(SeatMove)];
    } packet = {0};
    SeatHost *host = client->host;
    SeatFrame *frame = &packet.frame;
    gsize rects_size;
    SeatRect rects[SEAT_RECTS_MAX];

    G_STATIC_ASSERT(sizeof packet <= SEAT_LINK_PACKET_MAX);
    frame->damage = damage_rects(damage, rects);
    frame->moves = client->n_moves;
    rects_size = frame->damage * sizeof *rects;
    classifier_mark(host->classifier, rects, frame->damage, g_get_monotonic_time());
    memcpy(packet.bytes + sizeof *frame, rects, rects_size);
    put_moves((SeatMove *)(void *)(packet.bytes + sizeof *frame + rects_size), client);
    frame->header = (SeatHeader){.type = SEAT_FRAME,
                                 .size = sizeof *frame + rects_size + frame->moves * sizeof(SeatMove),
                                 .generation = host->generation};
    frame->base = client->base;
    client->base = host->moves.published;
    frame->pass = client->pass = pass;
    client->n_moves = 0;
    frame->serial = ++client->serial;
    frame->time_us = host->changed_us;
    frame->complete = complete;
    client->sent_us = g_get_monotonic_time();
    client->untaken++;
    if (units) {
        memcpy(frame->units, units, sizeof frame->units);
        client->unit_untaken = client->untaken;
    }
    packet_link_send(client->link, frame, frame->header.size, NULL, 0);
}

/* Sends what waits as rectangles. */
static void send_exact(HostClient *client)
{
    if (damage_is_empty(client->pending) && client->n_moves == 0)
        return;
    client->credits--;
    host_frames_send(client, client->pending, client->host->moves.published, client->complete_due, NULL);
    client->complete_due = FALSE;
    damage_clear(client->pending);
}

void host_frames_take_beside(HostClient *client, const FilmRects *films, Damage *damage)
{
    host_moves_stay_beside(client, films);
    damage_take_outside(client->pending, films->rects, SEAT_FILMS_MAX, damage);
}

/* The record leads to no pass: what is damaged in the films is still to come. */
void host_frames_send_beside(HostClient *client, const FilmRects *films)
{
    SeatHost *host = client->host;
    const HostTier *tier = client->takes_part;
    guint kept = tier || client->unit_untaken > 0 ? 0 : 1;

    if (client->complete_due || (tier && client->encoding_complete) || client->credits <= kept)
        return;
    damage_clear(host->due);
    host_frames_take_beside(client, films, host->due);
    if (damage_is_empty(host->due) && client->n_moves == 0)
        return;
    client->credits--;
    host_frames_send(client, host->due, client->pass, FALSE, NULL);
}

/* ---- the pump ---- */

/* Whoever takes films has what moves looked at also while he has no credit: on a slow link changes would come
 * too seldom to be known as a film, and without loss they would remain. */
static gboolean watches(const HostClient *client, gint64 now)
{
    return client->greeted && (client->credits > 0 || client->takes_part ||
                               (client->wants_h264 && host_tier_works(client->host->fast) &&
                                now - client->sent_us < WATCHES_US));
}

gboolean seat_host_wants(SeatHost *host)
{
    gint64 now = g_get_monotonic_time();

    host->wanted = FALSE;
    FOR_CLIENTS(host, client)
    {
        host->wanted |= watches(client, now);
    }
    return host->wanted;
}

void host_frames_pump(SeatHost *host)
{
    gint64 now = g_get_monotonic_time();
    if (host->shadow && host->filled) {
        host_tiers_settle(host, now);
        host_stream_encode(host->fast, now);
        host_stream_encode(host->slow, now);
        FOR_CLIENTS(host, client)
        {
            if (!host_frames_can_send(client))
                continue;
            const HostTier *awaited = host_stream_awaited(client, now);
            if (awaited)
                host_frames_send_beside(client, &awaited->rects);
            else
                send_exact(client);
        }
    }
    gboolean wanted = host->wanted;
    if (seat_host_wants(host) && !wanted && host->events->wants)
        host->events->wants(host->data);
}

void seat_host_copy(SeatHost *host, const SeatRect *rects, guint count, const void *pixels, gsize stride,
                    gint64 time_us)
{
    g_return_if_fail(host->shadow);

    host->changed_us = time_us ? time_us : g_get_monotonic_time();
    damage_clear(host->changed);
    host_moves_copy(host, rects, count, pixels, stride);
}

void seat_host_publish(SeatHost *host)
{
    g_return_if_fail(host->shadow);
    gboolean first = !host->filled;

    host->filled = TRUE;
    if (damage_is_empty(host->changed) && !first) {
        host_moves_nothing(host);
        return;
    }
    host_stream_changed(host->fast);
    host_stream_changed(host->slow);
    /* What only moves does not call for a stream. */
    classifier_changed(host->classifier, host_moves_publish(host), shadow_pixels(host->shadow),
                       shadow_layout(host->shadow)->stride, host->changed_us);
    host_frames_pump(host);
}

void seat_host_damage(SeatHost *host, const SeatRect *rects, guint count, const void *pixels, gsize stride,
                      gint64 time_us)
{
    seat_host_copy(host, rects, count, pixels, stride, time_us);
    seat_host_publish(host);
}
