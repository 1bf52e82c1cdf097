/* What the broker and a seat (or the encoder probe) say to each other, SOCK_SEQPACKET, fixed structs. */
#pragma once

#include "base/proto/seat_link.h"

#define SEAT_CONTROL_PACKET_MAX 4096

typedef enum {
    /* broker -> seat */
    SEAT_CONTROL_CONFIGURE = 1, /* SeatConfigure: first packet; for SEAT_SOURCE_REPLAY with the recording, read-only */
    SEAT_CONTROL_REOPEN = 2,    /* no body: the VM was started anew: make a new display socket (DISPLAY follows) */
    SEAT_CONTROL_THUMBNAIL = 3, /* SeatThumbnailRequest */
    SEAT_CONTROL_RESIZE = 4,    /* SeatSize hint from outside a link (header unused) */
    /* seat -> broker */
    SEAT_CONTROL_DISPLAY = 64,   /* no body + one end of a socketpair made under the seat's own uid, for
                                    virDomainOpenGraphics() (see FACTS.md, authentication) */
    SEAT_CONTROL_PICTURE = 65,   /* SeatPicture: the first picture of this display is in the shadow, or the size changed */
    SEAT_CONTROL_LOST = 66,      /* SeatLost: the display connection ended */
    SEAT_CONTROL_THUMB = 67,     /* SeatThumbnail + memfd with a PNG */
    SEAT_CONTROL_CLIENTS = 68,   /* SeatClients: attached links changed */
    /* probe -> broker */
    SEAT_CONTROL_VERDICT = 96,   /* EncoderVerdict, one per candidate */
    SEAT_CONTROL_VERDICTS_END = 97, /* no body */
} SeatControlType;

typedef struct {
    uint16_t type;
    uint16_t size;
    uint32_t reserved;
} SeatControlHeader;

typedef enum { SEAT_SOURCE_QEMU = 1, SEAT_SOURCE_PATTERN = 2, SEAT_SOURCE_REPLAY = 3 } SeatSource;

typedef struct {
    SeatControlHeader header;
    uint32_t source;        /* SeatSource */
    uint32_t width, height; /* px: the template's resolution, used until a client brings its own */
    uint32_t whole_damage;  /* REPLAY: 1: as a graphics card does that cannot tell what has changed */
    char desktop[SEAT_NAME_MAX];
    char xkb_layout[16], xkb_variant[32]; /* of the desktop (template): for typing keysyms */
    char encoder[64];       /* GStreamer element that won the probe; "" : software */
    char software_encoder[64];
} SeatConfigure;

typedef struct {
    SeatControlHeader header;
    uint32_t width, height; /* px */
} SeatPicture;

typedef struct {
    SeatControlHeader header;
    char text[SEAT_TEXT_MAX];
} SeatLost;

typedef struct {
    SeatControlHeader header;
    uint32_t max_width, max_height; /* px */
    uint64_t request;
} SeatThumbnailRequest;

typedef struct {
    SeatControlHeader header;
    uint32_t width, height; /* px */
    uint32_t length;        /* bytes of PNG in the memfd; 0: no picture yet, no descriptor */
    uint32_t reserved;
    uint64_t request;
} SeatThumbnail;

typedef struct {
    SeatControlHeader header;
    uint32_t clients;
} SeatClients;

typedef struct {
    SeatControlHeader header;
    char element[64];  /* GStreamer factory */
    uint32_t usable;   /* 1: proven */
    uint32_t hardware; /* 1: a hardware encoder */
    uint32_t chosen;   /* 1: the winner */
    uint32_t fps;      /* measured in the probe, 0 unknown */
    char reason[256];  /* verdict in words */
    char key[256];     /* GStreamer version, driver, kernel: the cache's key */
} EncoderVerdict;
