/* A film and who looks at it, in simulated time: clients of all kinds of links look at one screen, and
 * encoders answer at the next step. Every test has its own, between set_up() and tear_down(). */
#pragma once

#include "session/seat/host.h"
#include "session/seat/stream.h"

#include <check.h>

#define WIDTH 512
#define HEIGHT 320
#define STEP_MS 11
#define STEPS 3   /* of one frame of the film */
#define SECOND 30 /* frames */
#define CLIENTS 12
#define NEVER G_MAXINT

typedef struct {
    HostStream stream;
    const HostStreamEvents *events;
    gpointer data;
    gboolean encoding, keyframe, chroma;
    gboolean refuses;       /* to encode anything */
    SeatRect region, shown; /* of the last picture, and of the last unit */
    guint encodes, keys, max_kbit_s;
    guint steps, takes;      /* until it answers, and how many it takes */
    gint64 key_us, least_us; /* of the last key frame, and between two */
} Fake;

typedef struct {
    int fd; /* -1: it is not here */
    ProcessId peer;
    gint delay_ms;                    /* from a frame to its credit */
    gint64 credit_us;                 /* when that is due, 0: it owes none */
    guint frames, units, keys, moves; /* units, keys: of the first film */
    guint32 stream;
    guint other_units, both, other_keys; /* of the second film, and records with both */
    guint32 other_stream;
    gint64 unit_us, gap_us; /* of the last unit, and the longest time between two */
} Client;

extern SeatHost *host;
extern Fake fakes[2];  /* the fast tier's stream, and the slow one's */
extern Fake others[2]; /* the same for a second film, where it is set_up_two_films() */
extern Client clients[CLIENTS];
extern gint64 now_us; /* what the host takes for the time */
extern SeatRect film; /* where it is; all of the screen at first */
extern guint wants;   /* how often the host has said that it wants damage */

void set_up(void);
void set_up_two_films(void);
void tear_down(void);

/* Lets the host work off what has come. */
void turn(void);
/* The stream's encoder, if it is at work, gets on by a step; the last one brings its unit. */
void answer(Fake *fake);

/* A client with one credit, which it gives again so many ms after each frame. Ours until leave() or
 * tear_down(). */
Client *join(guint rights, SeatH264 h264, guint max_kbit_s, gint delay_ms);
void leave(Client *client);
/* Says again what it takes and how much; 0 kbit/s: as much as there is. */
void subscribe(Client *client, SeatH264 h264, guint max_kbit_s);
void give_credit(Client *client);
void ask_keyframe(Client *client);

/* Something picture-like appears in these parts of the screen at once. */
void draw_parts(const SeatRect *rects, guint count);
void draw(const SeatRect *rect);
/* STEP_MS pass: encoders answer, clients take what has come and give their credits. */
void step(void);
/* Clients take what has come, and no time passes. */
void hear_all(void);
/* So many frames of the film appear, and everybody goes on. */
void play(guint frames);
/* The units that the client gets while so many frames of the film appear. */
guint units_in(Client *client, guint frames);
