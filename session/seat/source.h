/* Where a seat's picture comes from and its input goes to: QEMU, or what needs no VM: a pattern, a recording.
 * A source draws into the host by itself. Thread of the default main context throughout. */
#pragma once

#include "session/seat/host.h"

typedef struct Source Source;

typedef struct {
    /* The first picture of this display is in the shadow, or the size has changed. */
    void (*picture)(guint width, guint height, gpointer data);
    /* The display's connection has ended; `text` says why. The last picture stays. */
    void (*lost)(const char *text, gpointer data);
    /* The guest's lock keys, SEAT_LOCK_*; only called by sources that know. */
    void (*leds)(guint mask, gpointer data);
} SourceEvents;

typedef struct {
    void (*key)(Source *source, guint code, gboolean pressed); /* QEMU key number */
    void (*pointer)(Source *source, const SeatPointer *pointer);
    void (*motion)(Source *source, const SeatMotion *motion);
    void (*touch)(Source *source, const SeatTouch *touch);
    /* The size that the client would like head 0 to have. */
    void (*size)(Source *source, const SeatSizeHint *size);
    /* A client can be sent a frame again: bring the shadow up to date. Also called before a thumbnail. */
    void (*wants)(Source *source);
    /* How many clients are attached. */
    void (*clients)(Source *source, guint count);
    void (*free)(Source *source);
} SourceClass;

struct Source {
    const SourceClass *class;
};

/* The test card at width x height px, 30 frames a second while a client is attached. `events` borrowed. */
Source *source_pattern_new(SeatHost *host, guint width, guint height, const SourceEvents *events,
                           gpointer data);

/* A recording (taken over: `fd`, see session/seat/recording.h) at its own size and rate while a client is
 * attached; input goes nowhere. exact: damage is the recording's rectangles, else the whole picture at each
 * frame. NULL with error set when it cannot be played; `lost` when that shows later. */
Source *source_replay_new(SeatHost *host, int fd, gboolean exact, const SourceEvents *events, gpointer data,
                          GError **error);

/* QEMU's D-Bus display over `fd` (taken over), one end of a socketpair made by this process whose other end
 * goes to QEMU. Connects in the background: `picture` or `lost` follows. width, height: the size to ask the
 * guest for until a client has one. */
Source *source_qemu_new(SeatHost *host, int fd, guint width, guint height, const SourceEvents *events,
                        gpointer data);
