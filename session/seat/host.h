/* The serving side of the seat link, for fernwerk-seat and fernwerk-greeter alike: one picture in a shadow,
 * any number of clients with credits, their input as callbacks. Knows neither QEMU nor how the picture comes
 * about. All functions and callbacks: the thread of the default main context. */
#pragma once

#include "base/proto/master_link.h"
#include "base/proto/seat_link.h"

typedef struct SeatHost SeatHost;
typedef struct HostStream HostStream; /* H.264, see session/seat/stream.h; a greeter has none */

/* What clients do; any callback may be NULL. `peer` is the client process. Input of a view-only link never
 * arrives here, input with coordinates of an old generation neither; coordinates are clamped to the buffer. A
 * callback may remove clients, also the one it was called for. */
typedef struct {
    void (*hello)(ProcessId peer, const SeatHello *hello, gpointer data);
    /* Once per client at most; the host scrubs the packet after the call. */
    void (*prefill)(ProcessId peer, const SeatPrefill *prefill, gpointer data);
    /* The client's window of that head has this size (also called after hello, when hello brought a size). */
    void (*size)(ProcessId peer, guint head, const SeatSizeHint *size, gpointer data);
    /* code: QEMU key number. Repeats arrive as further presses. Whatever a client still holds when it leaves,
     * sends SEAT_RELEASE or is dropped, comes as releases here. */
    void (*key)(ProcessId peer, guint code, gboolean pressed, gpointer data);
    void (*keysym)(ProcessId peer, guint32 keysym, gboolean pressed, gpointer data);
    void (*locks)(ProcessId peer, guint mask, gpointer data); /* SEAT_LOCK_* of the client's keyboard */
    void (*pointer)(ProcessId peer, const SeatPointer *pointer, gpointer data);
    void (*motion)(ProcessId peer, const SeatMotion *motion, gpointer data);
    void (*touch)(ProcessId peer, const SeatTouch *touch, gpointer data);
    /* A client has gone (removed, closed, dropped); its record is no longer known. Not after
     * seat_host_free(). */
    void (*left)(ProcessId peer, gpointer data);
    /* seat_host_wants() has become true: bring the damage that was held back. */
    void (*wants)(gpointer data);
} SeatHostEvents;

/* `events` is borrowed for the host's life. greeter: what Welcome says. Starts without a picture: clients are
 * welcomed and get SEAT_BUFFER at the first seat_host_resize(). Returns NULL with error set when memory
 * cannot be had. */
SeatHost *seat_host_new(gboolean greeter, const SeatHostEvents *events, gpointer data, GError **error);

/* Closes every link with SEAT_CLOSE END_SHUTDOWN. NULL is allowed. */
void seat_host_free(SeatHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SeatHost, seat_host_free)

/* Takes over `fd` (from LIFELINE_SEAT_LINK). rights: LINK_*. At most SEAT_HOST_CLIENTS_MAX clients: one too
 * many is told END_LIMIT. A peer that is here already is replaced (its keys are released). */
#define SEAT_HOST_CLIENTS_MAX 32
void seat_host_add_client(SeatHost *host, int fd, ProcessId peer, guint rights, const ProcessRecord *record);

/* Releases what the client holds, sends SEAT_CLOSE with the reason (text NULL: end_reason_text()), closes.
 * Nothing happens when there is no such client. */
void seat_host_remove_client(SeatHost *host, ProcessId peer, EndReason reason, const char *text);

/* All of them. */
void seat_host_remove_all(SeatHost *host, EndReason reason, const char *text);

guint seat_host_clients(const SeatHost *host);
/* The record or the hello of a client; NULL when there is no such client, or no hello yet. Borrowed until it
 * leaves. */
const ProcessRecord *seat_host_record(const SeatHost *host, ProcessId peer);
const SeatHello *seat_host_hello(const SeatHost *host, ProcessId peer);

/* Makes a new shadow of width x height px (1 .. SEAT_WIDTH_MAX each, black) under a new generation and
 * announces it; the next seat_host_damage() should cover all of it, and the first frame of each client is
 * `complete` and waits for it. Same size: a new generation nevertheless. Returns FALSE with error set when
 * memory cannot be had; then the old one stays. */
gboolean seat_host_resize(SeatHost *host, guint width, guint height, GError **error);

/* Brings the shadow up to date: compares and copies `count` rectangles (px, clipped to the buffer;
 * overlapping ones are allowed) from `pixels`, XRGB8888 (bytes B,G,R,X), the whole picture's first byte,
 * `stride` bytes a row, and sends frames to the clients that have a credit. What did not really change costs
 * no frame. Never blocks. time_us: g_get_monotonic_time() of the change, 0 for now. */
void seat_host_damage(SeatHost *host, const SeatRect *rects, guint count, const void *pixels, gsize stride,
                      gint64 time_us);

/* The same in two steps, for a source whose pixels are under a lock: only the first one reads `pixels`. */
void seat_host_copy(SeatHost *host, const SeatRect *rects, guint count, const void *pixels, gsize stride,
                    gint64 time_us);
void seat_host_publish(SeatHost *host);

/* Whether any client could be sent a frame now. A source may hold damage back until the `wants` event (newest
 * wins). */
gboolean seat_host_wants(SeatHost *host);

/* Buffer size in px, 0 x 0 before the first seat_host_resize(). */
void seat_host_size(const SeatHost *host, guint *width, guint *height);
guint32 seat_host_generation(const SeatHost *host);

/* The pointer's shape for all clients: argb is premultiplied ARGB8888 (B,G,R,A), width * height pixels, NULL:
 * hidden. At most SEAT_CURSOR_MAX px each way; larger ones are cut. Kept for clients that come later. */
void seat_host_cursor(SeatHost *host, const guint32 *argb, guint width, guint height, guint hot_x,
                      guint hot_y);
/* Hides or shows the last shape. */
void seat_host_cursor_visible(SeatHost *host, gboolean visible);

void seat_host_leds(SeatHost *host, guint mask);                /* SEAT_LOCK_* */
void seat_host_pointer_mode(SeatHost *host, gboolean absolute); /* default: absolute */

/* To a greeter's client: how its prefill fared. user and text may be NULL. */
void seat_host_login(SeatHost *host, ProcessId peer, SeatLoginResult result, const char *user,
                     const char *text);

/* Lets clients subscribe to H.264, for so many films at a time (1 .. SEAT_FILMS_MAX); the host takes the
 * streams over, each array has one for each film. It uses the second while some of several clients cannot
 * follow the rest (NULL: these go without loss). Without any every frame is lossless. */
void seat_host_set_streams(SeatHost *host, guint films, HostStream *const first[],
                           HostStream *const second[]);

/* Reads the shadow, e.g. for a thumbnail: XRGB8888, borrowed until the next resize; NULL before the first
 * one. */
const void *seat_host_pixels(const SeatHost *host, gsize *stride);
