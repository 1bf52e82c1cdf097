/* Who belongs to which of the two tiers, each of which has streams of its own for all films:
 *  - to the fast one all who can follow it: alone, or among its like, nobody costs a second encoder;
 *  - to the slow one whose link is far below the best of the others', for whom these have had to wait, or who
 * would take the auxiliary view away from somebody at work;
 *  - to neither who keeps the slow one waiting, too: it gets all without loss.
 * Up again goes who has not been behind for some time; each fall makes that time longer. */
#include "session/seat/host_private.h"

#include "base/log.h"
#include "encoder/rect.h"

#define PATIENCE_US 80000       /* two frames of a film, and a little */
#define FORGIVEN 16             /* of the time that passes: so much waiting is forgiven */
#define SLOW_PATIENCE_US 500000 /* at a time */
#define REST_US (3 * G_USEC_PER_SEC)
#define REST_MAX_US (48 * G_USEC_PER_SEC)
#define PROVEN_US (60 * G_USEC_PER_SEC) /* then it begins with the shortest rest again */
#define KNOWN_US (2 * G_USEC_PER_SEC)
#define SETTING_UP_US (3 * G_USEC_PER_SEC)
#define BELOW_US 500000    /* a busy machine looks like a slow link for moments */
#define ENOUGH_KBIT_S 8000 /* what a film hardly ever is above */

/* ---- lateness ---- */

static gint64 late_us(const Lateness *late, gint64 now)
{
    gint64 left = late->sum_us - (now - late->summed_us) / FORGIVEN;
    return MAX(left, 0) + (late->since_us ? now - late->since_us : 0);
}

static void late_begins(Lateness *late, gint64 now)
{
    if (!late->since_us)
        *late = (Lateness){.since_us = now, .sum_us = late_us(late, now), .summed_us = now};
}

static void late_ends(Lateness *late, gint64 now)
{
    if (late->since_us)
        *late = (Lateness){.sum_us = late_us(late, now), .summed_us = now};
}

void host_tiers_credited(HostClient *client)
{
    gint64 now = g_get_monotonic_time();
    late_ends(&client->waited, now);
    late_ends(&client->behind, now);
}

void host_tiers_picture(SeatHost *host, gint64 now)
{
    FOR_CLIENTS(host, client)
    {
        if (client->follows == host->slow && !client->takes_part && !host_stream_may_send(client))
            late_begins(&client->behind, now);
    }
}

/* ---- what speaks against the fast tier ---- */

static guint link_kbit_s(const HostClient *client)
{
    return client->max_kbit_s ? MIN(client->max_kbit_s, ENOUGH_KBIT_S) : ENOUGH_KBIT_S;
}

/* The link is below so much of the best one in the fast tier. Of who has just come, and takes nothing yet, it
 * is not known. */
static gboolean far_below(const HostClient *client, double share, gint64 now)
{
    const HostTier *fast = client->host->fast;
    guint best = 0;
    FOR_CLIENTS(client->host, other)
    {
        if (other != client && other->member == fast && other->follows == fast &&
            now - other->moved_us >= KNOWN_US)
            best = MAX(best, link_kbit_s(other));
    }
    return link_kbit_s(client) < best * share;
}

/* Somebody at work would lose the auxiliary view by it. Who works as well is not sent to slow links for it.
 */
static gboolean costs_chroma(const HostClient *client)
{
    gboolean taken = FALSE, weak = FALSE;
    FOR_CLIENTS(client->host, other)
    {
        taken |= other->member == client->host->fast && other->takes_chroma && !other->view_only;
        weak |= other->member == client->host->slow && other->weak;
    }
    return !client->takes_chroma && taken && (client->view_only || !weak);
}

/* ---- moving ---- */

static void move(HostClient *client, HostTier *tier, gint64 now)
{
    if (client->moved_us)
        log_info("client %" G_GUINT64_FORMAT ": %s", client->peer,
                 !tier                        ? "cannot follow films: without loss for now"
                 : tier == client->host->fast ? "belongs to the films' first tier"
                                              : "belongs to the films' second tier");
    client->member = tier;
    client->waited = client->behind = (Lateness){0};
    client->moved_us = now;
    client->below_us = 0;
}

/* At once: with the fast tier's units, which come first, it would never have a credit for a key frame. */
static void exclude(HostClient *client, gint64 now)
{
    if (client->follows == client->host->fast)
        host_stream_leave(client);
    move(client, client->host->slow, now);
}

/* Its client may still be making its window and its decoder: that is no sign of a weak link. It leaves the
 * stream, so that nobody waits for it, and comes back with the next key frame; once. */
static gboolean pardon(HostClient *client, gint64 now)
{
    if (client->pardoned || !client->joined_us || now - client->joined_us > SETTING_UP_US)
        return FALSE;
    client->pardoned = TRUE;
    client->waited = (Lateness){.sum_us = PATIENCE_US / 2, .summed_us = now};
    return TRUE;
}

/* Where nobody has to wait for it: down by one. */
static void fall(HostClient *client, gint64 now)
{
    SeatHost *host = client->host;
    HostTier *below = client->member == host->fast && host_tier_works(host->slow) ? host->slow : NULL;
    gboolean proven = client->rest_us == 0 || now - client->moved_us > PROVEN_US;

    client->rest_us = proven ? REST_US : MIN(2 * client->rest_us, REST_MAX_US);
    client->behind_us = now;
    client->weak = TRUE;
    if (client->follows != below)
        host_stream_leave(client);
    move(client, below, now);
}

static void forget(HostClient *client)
{
    client->follows = client->member = NULL;
    client->weak = client->pardoned = FALSE;
    client->joined_us = 0;
}

static void rise(HostClient *client, gint64 now)
{
    SeatHost *host = client->host;
    gboolean nearer = !client->member && host_tier_works(host->slow);

    client->weak = nearer;
    client->behind_us = now;
    move(client, nearer ? host->slow : host->fast, now);
}

static void settle_fast(HostClient *client, gint64 now)
{
    SeatHost *host = client->host;

    if (!host_tier_works(host->slow))
        return;
    if (!far_below(client, 0.5, now))
        client->below_us = 0;
    else if (!client->below_us)
        client->below_us = now;
    if (client->below_us && now - client->below_us >= BELOW_US)
        fall(client, now);
    else if (costs_chroma(client))
        exclude(client, now);
}

static void settle_slow(HostClient *client, gint64 now)
{
    if (late_us(&client->behind, now) >= PATIENCE_US || far_below(client, 0.75, now)) {
        client->behind = (Lateness){.since_us = client->behind.since_us ? now : 0};
        client->weak = TRUE;
        client->rest_us = MAX(client->rest_us, REST_US);
        client->behind_us = now;
    } else if (!client->weak || now - client->behind_us >= client->rest_us) {
        client->weak = FALSE;
        if (!costs_chroma(client))
            rise(client, now);
    }
}

static void settle(HostClient *client, gint64 now)
{
    SeatHost *host = client->host;

    if (!client->wants_h264 || !host_tier_works(host->fast))
        return;
    if (!client->member) {
        if (!client->weak)
            move(client, host->fast, now);
        else if (now - client->behind_us >= client->rest_us)
            rise(client, now);
    } else if (client->member == host->fast) {
        settle_fast(client, now);
    } else {
        settle_slow(client, now);
    }
}

/* Nobody is left whom they could not follow: what was the slow tier goes on as the fast one. */
static void promote(SeatHost *host)
{
    HostTier *fast = host->slow;
    gboolean any = FALSE;

    FOR_CLIENTS(host, client)
    {
        if (client->member == host->fast)
            return;
        any |= client->member != NULL;
    }
    if (!any)
        return;
    host->slow = host->fast;
    host->fast = fast;
    FOR_CLIENTS(host, client)
    {
        client->weak &= client->member != fast;
        client->behind = (Lateness){0};
    }
}

/* What of the rate (kbit/s, 0: no limit) is the film's, by the areas of those that go on or have just rested.
 * It stays while it is about right: an encoder may begin anew with another one. */
static guint share(const HostFilm *film, const FilmRects *lately, guint kbit_s)
{
    guint64 all = film_rects_area(lately), area = rect_area(&lately->rects[film->index]),
            last = film->max_kbit_s;

    if (kbit_s == 0 || area == 0 || area == all)
        return kbit_s;
    guint64 wanted = MAX(kbit_s * area / all, 1);
    return (guint)(wanted * 4 >= last * 3 && wanted * 4 <= last * 5 ? last : wanted);
}

static void part_rate(HostTier *tier, guint kbit_s, gboolean chroma, gint64 now)
{
    FilmRects lately = films_lately(&tier->host->films, now);

    for (guint i = 0; i < SEAT_FILMS_MAX; i++) {
        HostFilm *film = &tier->films[i];
        if (!film->stream)
            continue;
        film->max_kbit_s = share(film, &lately, kbit_s);
        film->stream->class->demand(film->stream, film->max_kbit_s, chroma);
    }
}

/* What each tier may take, and whether it has the auxiliary view. */
static void demand(HostTier *tier, gint64 now)
{
    guint subscribers = 0, drivers = 0, owned = 0, watched = 0; /* kbit/s */
    gboolean chroma = TRUE;

    if (!host_tier_works(tier))
        return;
    FOR_CLIENTS(tier->host, client)
    {
        if (client->member != tier && client->follows != tier)
            continue;
        subscribers++;
        chroma &= client->takes_chroma;
        guint *least = client->view_only ? &watched : &owned;
        drivers += client->view_only ? 0 : 1;
        if (client->max_kbit_s)
            *least = *least ? MIN(*least, client->max_kbit_s) : client->max_kbit_s;
    }
    /* Who only looks on makes nobody's picture worse. */
    part_rate(tier, drivers ? owned : watched, chroma && subscribers > 0, now);
}

void host_tiers_settle(SeatHost *host, gint64 now)
{
    FOR_CLIENTS(host, client)
    {
        if (!client->wants_h264)
            forget(client);
    }
    promote(host);
    FOR_CLIENTS(host, client)
    {
        settle(client, now);
    }
    demand(host->fast, now);
    demand(host->slow, now);
}

void host_tiers_changed(SeatHost *host)
{
    host_tiers_settle(host, g_get_monotonic_time());
}

void host_tiers_init(SeatHost *host)
{
    for (guint i = 0; i < HOST_TIERS; i++)
        host_stream_init(&host->tiers[i], host, i);
    host->fast = &host->tiers[0];
    host->slow = &host->tiers[1];
}

/* ---- waiting ---- */

static gboolean has_owner(const HostTier *tier)
{
    FOR_CLIENTS(tier->host, client)
    {
        if (client->member == tier && !client->view_only)
            return TRUE;
    }
    return FALSE;
}

/* For how long the tier still waits for the client, which has no credit. Who is about to join only, or
 * follows the slow tier, has more patience. */
static gint64 patience_us(const HostTier *tier, HostClient *client, gboolean followed, gint64 now)
{
    gboolean slow = tier == tier->host->slow && !(client->view_only && has_owner(tier));

    late_begins(&client->waited, now);
    return slow || !followed ? client->waited.since_us + SLOW_PATIENCE_US - now
                             : PATIENCE_US - late_us(&client->waited, now);
}

static gboolean patience_over(gpointer data)
{
    HostTier *tier = data;
    tier->patience_timer = 0;
    host_frames_pump(tier->host);
    return G_SOURCE_REMOVE;
}

gboolean host_tier_ready(HostTier *tier, gint64 now)
{
    guint with = 0, without = 0, joining = 0;
    gint64 soonest = G_MAXINT64;

    FOR_CLIENTS(tier->host, client)
    {
        joining += host_stream_joins(tier, client, now);
        with += client->follows == tier && host_stream_may_send(client);
        without += client->follows == tier && !host_stream_may_send(client);
    }
    if (with + joining == 0 || without == 0)
        return without == 0;
    FOR_CLIENTS(tier->host, client)
    {
        if (client->follows != tier || host_stream_may_send(client))
            continue;
        gint64 left = patience_us(tier, client, with > 0, now);
        if (left > 0) {
            soonest = MIN(soonest, left);
            continue;
        }
        host_stream_leave(client);
        if (!pardon(client, now))
            fall(client, now);
        without--;
    }
    if (without > 0 && tier->patience_timer == 0)
        tier->patience_timer = g_timeout_add((guint)(soonest / 1000) + 1, patience_over, tier);
    return without == 0;
}
