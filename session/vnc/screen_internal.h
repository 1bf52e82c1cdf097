/* The screen's insides, for screen.c and screen_*.c only. */
#pragma once

#include "session/client/pace.h"
#include "session/vnc/capabilities.h"
#include "session/vnc/quality.h"
#include "session/vnc/screen.h"

/* What the client decodes of a film. */
typedef struct {
    guint32 stream; /* 0: nothing */
    ViewerRect region;
    gint64 shown_us; /* when its last unit was sent */
} ScreenDecoder;

struct Screen {
    Viewer *viewer;
    Pixels *pixels;
    Transport *transport; /* NULL before ServerInit */
    ScreenFailed failed;
    gpointer data;
    gboolean failed_already, web, noticed;

    guint width, height;               /* px, the picture */
    guint client_width, client_height; /* px, what the client believes; differs where it cannot resize */
    RfbPixelFormat format;
    Capabilities capabilities;
    Quality quality;
    Pace pace;
    guint film_kbit_s; /* that the link allows, as it was last told to the seat; 0: any */
    guint timer;

    gboolean requested, continuous, dirty, black_due;
    gboolean h264, h264_given_up, stalled, stall_told;
    guint h264_retries;
    ScreenDecoder decoders[SEAT_FILMS_MAX];
    gboolean reset_decoders; /* all that the client has, with the next unit */
    guint left;              /* decoders that the client keeps of regions that are no film any more */
    ViewerRect missed[SEAT_FILMS_MAX]; /* regions whose unit was not written */
    guint n_missed;

    /* signs: what is told beside pixels, each sent when its flag is up */
    gboolean size_due, cursor_due, leds_due, name_due, qemu_key_due, extended_mouse_due;
    gboolean size_reply_due, size_asked;
    guint size_reply;
    gboolean fence_announced, continuous_announced;
    guint8 *cursor; /* premultiplied ARGB, NULL none */
    guint cursor_width, cursor_height, hot_x, hot_y;
    gboolean cursor_known, leds_known;
    guint32 leds;
    char *name;

    guint updates, units;
    guint64 bytes;
};

void screen_fail(Screen *screen, const char *why);

/* screen_units.c: the client is going to begin all decoders anew, each with a key frame. */
void screen_forget_decoders(Screen *screen);
/* Writes the update's units, each a rectangle; not those that the client could not decode. */
void screen_put_units(Screen *screen, const ViewerUpdate *update, GByteArray *out, guint *rects);
/* After the update was sent, and released: what was not written is asked for, and key frames where
 * they are due. */
void screen_mend_units(Screen *screen);

/* Sends whatever may be sent now. */
void screen_pump(Screen *screen);

/* TRUE: one of the signs waits and the client knows it. */
gboolean screen_signs_due(const Screen *screen);
/* Sends all of them; the size alone, since clients expect it so. */
void screen_send_signs(Screen *screen);
/* The client has said what it can: raises the flags of what it has not been told. */
void screen_announce(Screen *screen, const Capabilities *before);
void screen_set_name(Screen *screen, const SeatWelcome *welcome);
