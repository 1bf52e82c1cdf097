/* A test's own master, broker and client around a real fernwerk-seat process. Every wait has a deadline and
 * fails the running test. */
#pragma once

#include "base/heartbeat.h"
#include "base/packet.h"
#include "base/proto/master_link.h"
#include "base/proto/seat_control.h"

typedef struct {
    pid_t pid;
    int lifeline, broker;
    Heartbeat *heartbeat;
} RigSeat;

/* Starts build/bin/fernwerk-seat and hands it a broker link. */
void rig_seat_start(RigSeat *seat);
/* Closes the lifeline and waits for the process's end; fails unless it ended by itself with 0. */
void rig_seat_stop(RigSeat *seat);
/* A new broker link in place of the old one, as after a broker's restart. */
void rig_seat_broker_again(RigSeat *seat);
void rig_seat_configure(RigSeat *seat, SeatSource source, guint width, guint height, const char *layout);
/* The same with a recording, whose descriptor stays the caller's. */
void rig_seat_replay(RigSeat *seat, int recording, gboolean whole_damage);
/* The next packet from the seat to its broker of that type, others are skipped. *fd (may be NULL) gets its
 * descriptor or -1. `packet` has room for SEAT_CONTROL_PACKET_MAX bytes. */
void rig_seat_await(RigSeat *seat, guint type, void *packet, int *fd);
/* Proportional set size in KiB. */
guint rig_pss(pid_t pid);

typedef struct {
    int fd;
    guint32 generation;
    SeatBuffer layout;
    guint8 *memory; /* the shadow, read-only */
    guint8 *ring;
    int memory_fd, ring_fd; /* of the newest buffer */
    guint frames;
    SeatCursor cursor;
    int cursor_fd;
    guint leds;
    gboolean absolute;
} RigClient;

/* A client of process id `peer` with that size wish; takes WELCOME, and says hello. */
void rig_client_attach(RigSeat *seat, RigClient *client, ProcessId peer, guint rights, SeatProtocol protocol,
                       guint width, guint height);
void rig_client_close(RigClient *client);
void rig_client_credit(RigClient *client, guint frames);
void rig_client_key(RigClient *client, guint code, gboolean pressed);
void rig_client_keysym(RigClient *client, guint32 keysym);
void rig_client_pointer(RigClient *client, gint x, gint y, guint buttons);
void rig_client_subscribe(RigClient *client, gboolean h264);

/* Takes packets until one of `type` has come, at most `ms`; buffers, cursors and lights are kept in *client
 * on the way. Returns FALSE on timeout. `packet` (may be NULL) has room for SEAT_LINK_PACKET_MAX bytes. */
gboolean rig_client_take(RigClient *client, guint type, gint ms, void *packet);
/* As above, and fails the test on timeout. */
void rig_client_await(RigClient *client, guint type, void *packet);

const guint32 *rig_client_row(const RigClient *client, guint y);
/* The test card's frame number out of the shadow. */
guint32 rig_client_card_number(const RigClient *client);
