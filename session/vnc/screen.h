/* What a client of RFB sees: takes pictures from the viewer when the client can take them and sends them,
 * with sizes, cursor, name and lock lights. Knows no handshake and no input. Main thread. */
#pragma once

#include "session/client/viewer.h"
#include "session/vnc/messages.h"
#include "session/vnc/pixels.h"
#include "session/vnc/transport.h"

typedef struct Screen Screen;

/* `failed` is called (from within another call) when the client cannot be served any longer: close the
 * connection; why is a static text. */
typedef void (*ScreenFailed)(const char *why, gpointer data);

/* All are borrowed and must outlive it. */
Screen *screen_new(Viewer *viewer, Pixels *pixels, ScreenFailed failed, gpointer data);
void screen_free(Screen *screen);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Screen, screen_free)

/* The client is a page in a browser. */
void screen_set_web(Screen *screen, gboolean web);

/* The viewer's events; any time. */
void screen_switched(Screen *screen, guint width, guint height, const SeatWelcome *welcome);
void screen_dirty(Screen *screen);
void screen_cursor(Screen *screen, const guint8 *pixels, guint width, guint height, guint hot_x, guint hot_y);
void screen_leds(Screen *screen, guint32 mask);

/* TRUE once the first picture is there. */
gboolean screen_known(const Screen *screen);

/* ClientInit has come (and screen_known()): sends ServerInit; from now on pictures go to `transport`. */
void screen_start(Screen *screen, Transport *transport);

/* The client's messages. */
void screen_take_format(Screen *screen, const RfbPixelFormat *format);
/* Returns TRUE when ExtendedMouseButtons has been acknowledged just now. */
gboolean screen_take_encodings(Screen *screen, const gint32 *list, guint count);
void screen_take_request(Screen *screen, gboolean incremental, guint x, guint y, guint width, guint height);
void screen_take_continuous(Screen *screen, gboolean enable);
void screen_take_fence(Screen *screen, guint32 flags, const guint8 *payload, guint length);
void screen_take_size(Screen *screen, guint width, guint height, guint screens);

/* The socket takes bytes again. */
void screen_ready(Screen *screen);

/* The last picture: a sentence; nothing else follows. A page gets the reason with it. */
void screen_notice(Screen *screen, EndReason reason, const char *text);

/* What has been sent, for the log. */
void screen_log(const Screen *screen);
