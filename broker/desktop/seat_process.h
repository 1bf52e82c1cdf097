/* One fernwerk-seat as the broker sees it: its start, its record, its link. It belongs to a desktop; what its
 * reports mean for that is decided there. Main thread only. */
#pragma once

#include "base/proto/seat_control.h"
#include "broker/arrival/master_client.h"

typedef struct SeatProcess SeatProcess;

typedef struct {
    /* One end of a socketpair for QEMU, owned by the callee. */
    void (*display)(SeatProcess *seat, int fd, gpointer data);
    /* The first picture, or another size. */
    void (*picture)(SeatProcess *seat, guint width, guint height, gpointer data);
    /* The display's connection ended. */
    void (*lost)(SeatProcess *seat, const char *text, gpointer data);
    void (*clients)(SeatProcess *seat, guint clients, gpointer data);
    /* It could not be started, or its record says something else: give it up. */
    void (*failed)(SeatProcess *seat, const char *text, gpointer data);
} SeatProcessEvents;

/* Asks for a new process, bound to desktop and epoch (0: none yet). `configuration` and `recording` are
 * copied; the latter is the file that a seat of SEAT_SOURCE_REPLAY gets, else NULL. */
SeatProcess *seat_process_new(MasterClient *master, const SeatConfigure *configuration, const char *recording,
                              uint64_t epoch, const SeatProcessEvents *events, gpointer data);
/* Takes over one that lives already; its link follows with seat_process_link(). */
SeatProcess *seat_process_adopt(MasterClient *master, ProcessId id, const SeatConfigure *configuration,
                                const char *recording, uint64_t epoch, const SeatProcessEvents *events,
                                gpointer data);

/* The broker's end of the seat's link (taken over), the first one or a new one: configures the seat. May call
 * `lost`, and this object may be gone afterwards: the recording cannot be opened. */
void seat_process_link(SeatProcess *seat, int fd);

/* Binds it to the lease. FALSE: it is bound to another one and must be replaced. */
gboolean seat_process_bind(SeatProcess *seat, uint64_t epoch);

ProcessId seat_process_id(const SeatProcess *seat); /* 0: not started yet */
uint64_t seat_process_epoch(const SeatProcess *seat);
gboolean seat_process_pictured(const SeatProcess *seat);
guint seat_process_clients(const SeatProcess *seat);

/* Asks for a new display socket. */
void seat_process_reopen(SeatProcess *seat);

/* png is NULL when there is no picture. */
typedef void (*SeatThumbnailDone)(const guint8 *png, gsize length, guint width, guint height, gpointer data);
/* At most 16 at a time, else refused at once; answered within five seconds. Main thread. */
void seat_process_thumbnail(SeatProcess *seat, guint max_width, guint max_height, SeatThumbnailDone done,
                            gpointer data);

/* Ends the process, frees the object; no event follows. Thumbnails are answered with none. NULL is
 * allowed. */
void seat_process_end(SeatProcess *seat);
/* Frees the object of a process that is gone. */
void seat_process_forget(SeatProcess *seat);
