/* The host's frames and real viewers, each with a client that makes the moves and paints the rectangles,
 * before a screen on which panes scroll, move and change. Encoders answer, or lose their picture, as chance
 * has it. Every sequence has its own, between begin() and finish(). */
#pragma once

#include "session/client/viewer_internal.h"
#include "session/seat/host_private.h"
#include "tests/unit/encoder/scenes.h"
#include "tests/unit/suite.h"

#define CLIENTS 3
#define PANES 3
#define FRAMES 40   /* of a sequence, or some times that */
#define SEQUENCES 5 /* of each run of a test */

typedef struct {
    Viewer *viewer;
    guint8 *picture;
    gboolean dirty;
    guint patience; /* tenths of the occasions that it takes */
    guint moves;
    guint64 exact; /* px that were painted without loss */
    guint32 unit_streams[SEAT_FILMS_MAX];
} Client;

typedef struct {
    HostStream stream;
    const HostStreamEvents *events;
    gpointer data;
    gboolean encoding, keyframe;
    guint32 run;
} Fake;

typedef struct {
    ScenePart part;
    SceneKind kind;
    guint32 number;
    gint x, y; /* what of the sheet is at the part's corner */
} Pane;

/* What has happened since somebody set it to zero. */
typedef struct {
    guint units_painted, pairs_painted; /* units; updates with those of two films */
    guint losses_painted, tiers_changed, settled, unsettled;
    guint forecasts, beside_films; /* forecasts, and those while there is a film */
    guint beside_units;            /* moves in updates with a unit */
} Seen;

extern SeatHost *host;
extern Scene *scene;
extern Client clients[CLIENTS];
extern Fake fakes[HOST_TIERS * SEAT_FILMS_MAX]; /* the fast tier's, then the slow one's */
extern Seen seen;

/* With `h264` the first client takes losses and the others units; else all want everything without loss. */
void begin(guint32 seed, guint width, guint height, gboolean h264);
/* Waits until everybody has everything and looks whether it is right. */
void finish(guint32 seed, gboolean h264);

/* Between the two time stands still, but for pass_time(). */
void stop_clock(void);
void start_clock(void);
void pass_time(gint64 us); /* at once */

void turn(void);
gint between(gint from, gint to); /* by chance, `to` excluded */
void deliver_unit(Fake *fake);

void client_take(Client *client);
/* Each client's picture is the seat's. */
void check_pictures(guint32 seed);

Pane pane_new(void);
void draw(Pane *panes, guint count);
/* What has been drawn gets into the host, and from there to the clients as chance has it. */
void show(const SeatRect *rects, guint count);
/* Links become slow and quick again, and time passes. */
void change_links(void);
/* The next picture of the panes. steady: the one before all others scrolls on and on. */
void frame(Pane *panes, guint count, gboolean steady);
