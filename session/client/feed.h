/* One seat link: reads and checks what a seat or greeter says, keeps its shadow, its newest frame, cursor and
 * modes, whether it is shown already or still pending. The viewer decides which feed is shown. */
#pragma once

#include "base/packet.h"
#include "session/client/moves.h"
#include "session/client/shadow_map.h"

typedef struct Feed Feed;

/* A move that came after the first `damage` rectangles of the feed's damage. */
typedef struct {
    ViewerMove move;
    guint64 base; /* pass of the picture that its record builds on */
    guint damage;
} FeedMove;

/* One of the seat's films. */
typedef struct {
    SeatAccessUnit unit; /* length 0: none waits */
    GByteArray *bytes;   /* the unit's */
    guint32 stream;      /* of the last unit; 0: none, only a key frame is taken */
    gboolean lost;       /* a unit was: only a key frame helps */
} FeedFilm;

typedef struct {
    GBytes *pixels; /* premultiplied ARGB, NULL: no shape yet; kept while the cursor is hidden */
    guint width, height, hot_x, hot_y;
    gboolean visible;
} FeedCursor;

/* All on the default main context. The feed may be freed inside of `closed` and `complete` only. */
typedef struct {
    void (*complete)(Feed *feed, gpointer data); /* feed->shadow has a first, or a new, whole picture */
    void (*frame)(Feed *feed, gpointer data); /* the record in feed->damage, feed->films has something new */
    void (*cursor)(Feed *feed, gpointer data);
    void (*leds)(Feed *feed, gpointer data);
    void (*pointer_mode)(Feed *feed, gpointer data);
    void (*login)(Feed *feed, const SeatLogin *login, gpointer data);
    void (*welcome)(Feed *feed, gpointer data);
    /* Gone: with a SEAT_CLOSE (reason and text), or broken or closed without one (close NULL). */
    void (*closed)(Feed *feed, const SeatClose *close, gpointer data);
} FeedEvents;

struct Feed {
    PacketLink *link; /* NULL: closed; the last picture stays */
    const FeedEvents *events;
    gpointer data;
    gboolean welcomed;
    SeatWelcome welcome;
    ShadowMap *shadow; /* the newest complete one */
    ShadowMap *next;   /* waits for its first complete frame */
    GArray *damage;    /* of ViewerRect, since it was last emptied; bounded */
    GArray *moves;     /* of FeedMove, among it; bounded */
    gboolean overflow; /* too much was noted: all is damaged */
    guint64 pass;      /* that the last record led to */
    guint owed;        /* frames taken without a credit given back yet */
    guint64 serial, time_us;
    FeedFilm films[SEAT_FILMS_MAX]; /* units that wait are of one record */
    gboolean key_asked;
    FeedCursor cursor;
    gboolean cursor_known;
    guint32 leds;
    gboolean leds_known;
    gboolean absolute;
};

/* Takes the link's descriptor over. */
Feed *feed_new(int fd, const FeedEvents *events, gpointer data);
void feed_free(Feed *feed);

/* Sends a packet whose type and head stand in its header; fills size and generation. A closed link swallows
 * it. */
void feed_send(Feed *feed, gpointer packet, gsize size);

/* Gives back the credits of the frames that were taken. */
void feed_give_credit(Feed *feed);

/* Whether units wait. */
gboolean feed_units_wait(const Feed *feed);

/* Asks for key frames, once until they have come, if some film is lost. */
void feed_ask_keyframe(Feed *feed);

/* The waiting units are not going to be shown: those that build on them cannot be either. */
void feed_drop_units(Feed *feed);

/* All films are lost: whatever waits, or comes, and is no key frame cannot be shown. */
void feed_lose_films(Feed *feed);
