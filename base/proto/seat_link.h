/* The seat link: everything that passes between a client process (fernwerk-rdp, fernwerk-vnc) and whatever
 * shows it a screen: a greeter first, then the desktop's seat. One packet, one struct; SOCK_SEQPACKET, at most
 * 4 KiB and 4 descriptors. Both ends are of the same build: no conversion of byte order, a version check only.
 *
 * Neither side trusts the other: every receiver checks size, type, ranges (see seat_link_check()).
 * Who holds the descriptor has the right to use it; view-only is a property of the link, told by Welcome. */
#pragma once

#include <glib.h>
#include <stdint.h>

#define SEAT_LINK_VERSION 4
#define SEAT_LINK_PACKET_MAX 4096
#define SEAT_LINK_DESCRIPTORS_MAX 4

#define SEAT_TILE 64           /* px; a tile is SEAT_TILE x SEAT_TILE, cut at the right and bottom edge */
#define SEAT_HEADS_MAX 16      /* heads (screens) of a desktop */
#define SEAT_WIDTH_MIN 64      /* px */
#define SEAT_WIDTH_MAX 8192    /* px, also the limit of the height */
#define SEAT_RECTS_MAX 128     /* rectangles in one frame record; more damage is merged */
#define SEAT_MOVES_MAX 16      /* moves in one frame record */
#define SEAT_FILMS_MAX 2       /* regions that are films at a time, so units in one frame record */
#define SEAT_CURSOR_MAX 256    /* px, width and height of a cursor shape */
#define SEAT_AU_RING (8u << 20) /* bytes of the access unit ring */
#define SEAT_NAME_MAX 64       /* bytes with the NUL: user and desktop names */
#define SEAT_SECRET_MAX 256    /* bytes with the NUL: passwords and tickets */
#define SEAT_TEXT_MAX 512      /* bytes with the NUL: sentences for a person, UTF-8 */

typedef enum {
    /* client -> seat or greeter */
    SEAT_HELLO = 1,      /* SeatHello, first packet of a client */
    SEAT_PREFILL = 2,    /* SeatPrefill, to a greeter only, once, after HELLO */
    SEAT_SIZE = 3,       /* SeatSize, whenever the client's window changes */
    SEAT_KEY = 4,        /* SeatKey */
    SEAT_KEYSYM = 5,     /* SeatKeysym */
    SEAT_LOCKS = 6,      /* SeatLocks: client's lock key state */
    SEAT_POINTER = 7,    /* SeatPointer, absolute */
    SEAT_MOTION = 8,     /* SeatMotion, relative */
    SEAT_TOUCH = 9,      /* SeatTouch */
    SEAT_CREDIT = 10,    /* SeatCredit: frame records that the client will take */
    SEAT_SUBSCRIBE = 11, /* SeatSubscribe: wants motion as H.264, or no longer */
    SEAT_KEYFRAME = 12,  /* no body: the client's decoder lost its state */
    SEAT_RELEASE = 13,   /* no body: release all keys and buttons (focus lost) */
    /* both ways: flow-controlled streams for clipboard, files, USB, sound */
    SEAT_STREAM_OPEN = 32,   /* SeatStreamOpen */
    SEAT_STREAM_DATA = 33,   /* SeatStreamData */
    SEAT_STREAM_CREDIT = 34, /* SeatStreamCredit */
    SEAT_STREAM_CLOSE = 35,  /* SeatStreamClose */
    /* seat or greeter -> client */
    SEAT_WELCOME = 64,      /* SeatWelcome, first packet */
    SEAT_BUFFER = 65,       /* SeatBuffer + 2 descriptors: shadow memory, access unit ring (both read-only) */
    SEAT_FRAME = 66,        /* SeatFrame, costs one credit */
    SEAT_CURSOR = 67,       /* SeatCursor + 1 descriptor when visible with a new shape */
    SEAT_LEDS = 68,         /* SeatLocks: the guest's lock key state */
    SEAT_POINTER_MODE = 69, /* SeatPointerMode */
    SEAT_PRESENCE = 70,     /* SeatPresence */
    SEAT_LOGIN = 71,        /* SeatLogin, from a greeter: how the prefill fared */
    SEAT_CLOSE = 72,        /* SeatClose, last packet */
} SeatPacketType;

/* Opens every packet. `size` is the whole packet's, header included. `generation` is that of the newest SEAT_BUFFER
 * of this head which the sender has seen or made; input of another generation than the seat's is dropped where it
 * carries coordinates. */
typedef struct {
    uint16_t type; /* SeatPacketType */
    uint16_t size; /* bytes */
    uint16_t head; /* 0 .. SEAT_HEADS_MAX - 1 */
    uint16_t reserved;
    uint32_t generation;
} SeatHeader;

typedef enum { SEAT_PROTOCOL_RDP = 1, SEAT_PROTOCOL_VNC = 2, SEAT_PROTOCOL_WEB = 3 } SeatProtocol;

/* A screen as a person sees it. scale: percent (100, 125, ...; 0 unknown), millimetres may be 0 (unknown). */
typedef struct {
    uint32_t width, height;       /* px; 0 x 0: no wish, take the desktop's own size */
    uint32_t scale;               /* percent */
    uint32_t width_mm, height_mm; /* mm */
    int32_t x, y;                 /* px, place of this head among the heads */
} SeatSizeHint;

typedef struct {
    SeatHeader header;
    uint32_t version;  /* SEAT_LINK_VERSION */
    uint32_t protocol; /* SeatProtocol */
    SeatSizeHint size; /* of head 0; further heads follow as SEAT_SIZE */
    uint32_t heads;
    char xkb_layout[16];  /* the client's keyboard, XKB names, e.g. "de"; "" unknown */
    char xkb_variant[32]; /* e.g. "nodeadkeys" */
} SeatHello;

/* What the client's protocol brought along; empty strings where it brought nothing. The receiver scrubs it. */
typedef struct {
    SeatHeader header;
    uint32_t must_login; /* 1: answer SEAT_LOGIN and draw nothing on failure (VeNCrypt X509Plain) */
    char user[SEAT_NAME_MAX];
    char desktop[SEAT_NAME_MAX]; /* wanted desktop (RDP load balance info, ticket) */
    char password[SEAT_SECRET_MAX];
    char ticket[SEAT_SECRET_MAX];
} SeatPrefill;

typedef struct {
    SeatHeader header;
    SeatSizeHint size;
} SeatSize;

/* code: QEMU key number, that is XT scancode set 1, 0x80 set for the 0xe0-prefixed ones (evdev KEY_A 30 = 0x1e). */
typedef struct {
    SeatHeader header;
    uint32_t code;
    uint32_t pressed; /* 0 or 1 */
} SeatKey;

/* keysym: X11 keysym (Unicode as 0x01000000 + code point); the seat types it through the desktop's keymap. */
typedef struct {
    SeatHeader header;
    uint32_t keysym;
    uint32_t pressed;
} SeatKeysym;

#define SEAT_LOCK_SCROLL 1u
#define SEAT_LOCK_NUM 2u
#define SEAT_LOCK_CAPS 4u
/* The lock (SEAT_LOCK_*) that a key (QEMU key number) switches, 0: none. */
static inline uint32_t seat_lock_of(uint32_t code)
{
    return code == 0x3a ? SEAT_LOCK_CAPS : code == 0x45 ? SEAT_LOCK_NUM : code == 0x46 ? SEAT_LOCK_SCROLL : 0;
}

typedef struct {
    SeatHeader header;
    uint32_t mask; /* SEAT_LOCK_* */
} SeatLocks;

#define SEAT_BUTTON_LEFT 1u
#define SEAT_BUTTON_MIDDLE 2u
#define SEAT_BUTTON_RIGHT 4u
#define SEAT_BUTTON_SIDE 8u
#define SEAT_BUTTON_EXTRA 16u
/* The pointer's whole state; wheel in 1/120 notches since the last packet, up and right are positive. */
typedef struct {
    SeatHeader header;
    int32_t x, y;     /* px of the buffer of `generation` */
    uint32_t buttons; /* SEAT_BUTTON_* that are down */
    int32_t wheel_vertical, wheel_horizontal;
} SeatPointer;

typedef struct {
    SeatHeader header;
    int32_t dx, dy;
    uint32_t buttons;
    int32_t wheel_vertical, wheel_horizontal;
} SeatMotion;

typedef struct {
    SeatHeader header;
    uint32_t contact; /* 0 .. 15 */
    uint32_t phase;   /* 0 begin, 1 update, 2 end, 3 cancel */
    int32_t x, y;     /* px */
} SeatTouch;

typedef struct {
    SeatHeader header;
    uint32_t frames; /* added to what is left; the seat caps the sum at 8 */
} SeatCredit;

typedef enum {
    SEAT_H264_NONE = 0,   /* lossless only */
    SEAT_H264_AVC420 = 1, /* without an auxiliary view */
    SEAT_H264_AVC444 = 2, /* with one, when all clients of the stream take it */
} SeatH264;

typedef struct {
    SeatHeader header;
    uint32_t h264;       /* SeatH264: access units wanted for head `header.head` */
    uint32_t max_kbit_s; /* 0: no limit known */
    uint32_t moves;      /* 1: takes moves; 0: what has moved is damage */
    uint32_t reserved;
} SeatSubscribe;

typedef struct {
    SeatHeader header;
    uint32_t stream;  /* chosen by the opener: clients odd, seats even */
    uint32_t type;    /* SeatStreamType */
    uint32_t flags;   /* direction: 1 opener sends, 2 opener receives */
    uint32_t credit;  /* bytes the opener takes before it says more */
    char mime[128];   /* what flows, e.g. "text/plain;charset=utf-8" */
} SeatStreamOpen;
typedef enum { SEAT_STREAM_CLIPBOARD = 1, SEAT_STREAM_FILE = 2, SEAT_STREAM_USB = 3, SEAT_STREAM_SOUND = 4 } SeatStreamType;

typedef struct {
    SeatHeader header;
    uint32_t stream;
    uint32_t length; /* bytes that follow, at most SEAT_LINK_PACKET_MAX - sizeof(SeatStreamData) */
    uint8_t data[];
} SeatStreamData;

typedef struct {
    SeatHeader header;
    uint32_t stream;
    uint32_t credit; /* bytes added */
} SeatStreamCredit;

typedef struct {
    SeatHeader header;
    uint32_t stream;
    uint32_t reason; /* 0 done, else errno */
} SeatStreamClose;

typedef struct {
    SeatHeader header;
    uint32_t version;
    uint32_t view_only; /* 1: input is ignored */
    uint32_t greeter;   /* 1: a greeter, 0: a desktop's seat */
    uint32_t heads;
    char desktop[SEAT_NAME_MAX]; /* "" at a greeter that does not know yet */
    char user[SEAT_NAME_MAX];
} SeatWelcome;

/* A new shadow. Memory layout of descriptor 0 (length = `memory` bytes):
 *   at 0: SeatShadowHeader; at `versions_offset`: uint32_t per tile, row by row; at `pixels_offset`: pixels,
 *   XRGB8888 (bytes B,G,R,X), `stride` bytes a row.
 * A tile's version is odd while the seat writes it and even else (a sequence lock): copy, then compare with what was
 * read before; when it differs, the copy is torn: try again at the next frame.
 * Descriptor 1: access unit ring, SeatRingHeader and then SEAT_AU_RING bytes. */
typedef struct {
    SeatHeader header; /* header.generation: the new one */
    uint32_t width, height; /* px */
    uint32_t stride;        /* bytes */
    uint32_t tiles_x, tiles_y;
    uint64_t memory;          /* bytes of descriptor 0 */
    uint64_t versions_offset; /* bytes */
    uint64_t pixels_offset;   /* bytes, page aligned */
} SeatBuffer;

typedef struct {
    uint32_t magic; /* SEAT_SHADOW_MAGIC */
    uint32_t generation;
    uint64_t passes; /* grows before the seat begins to write a further pass; to be read atomically */
} SeatShadowHeader;
#define SEAT_SHADOW_MAGIC 0x46575348u /* "FWSH" */

/* written: bytes ever put into the ring. A unit at position p, length n stands at p % SEAT_AU_RING (it never wraps: the
 * writer skips to the ring's start when the rest is too small, and earlier when it needs no more of the ring) and is
 * intact as long as written - p <= SEAT_AU_RING still holds after the reader has copied it. */
typedef struct {
    uint64_t written;
    uint8_t pad[4096 - sizeof(uint64_t)];
} SeatRingHeader;

typedef enum {
    SEAT_CLASS_STILL = 0,
    SEAT_CLASS_TEXT = 1,
    SEAT_CLASS_PICTURE = 2,
    SEAT_CLASS_SCROLL = 3,
    SEAT_CLASS_MOTION = 4,
} SeatClass;

typedef struct {
    uint16_t x, y, width, height; /* px */
    uint16_t class;               /* SeatClass */
    uint16_t reserved;
} SeatRect;

/* One access unit of H.264 for a region of the head; for AVC444 two, which one decoder takes in turn: in the ring then
 * stand the main view's unit, the auxiliary view's (MS-RDPEGFX 3.3.8.3.3) and a bit for each tile of SEAT_TILE px of the
 * region that is to be shown with both: row by row, each from a whole byte on, the lowest bit first. */
typedef struct {
    uint32_t stream;   /* number of the encoder run: a new number starts with a key frame and a fresh decoder */
    uint32_t length;   /* bytes of all; 0: none in this frame */
    uint64_t position; /* in the ring */
    SeatRect region;   /* px; the stream's coded size is region.width x height rounded up to 16 */
    uint32_t keyframe; /* 1: IDR with SPS and PPS */
    uint32_t quality;  /* quantizer, informational */
    uint32_t auxiliary; /* bytes of the auxiliary view's unit, 0: there is none */
    uint32_t tiles;     /* bytes of the tiles' bits */
} SeatAccessUnit;

/* What was at x, y before is at to_x, to_y now. */
typedef struct {
    uint16_t x, y, width, height; /* px */
    uint16_t to_x, to_y;          /* px */
} SeatMove;

/* serial counts frames of this head and generation. `complete` says that this record covers the whole buffer (first
 * after SEAT_BUFFER). `damage` counts the SeatRects that follow. A frame with access units: each shows all of the damage
 * up to this frame inside its `region`; the client may instead send tiles from the shadow. The regions of one record
 * have no tile in common. Film n has the record's unit n, and the place of one that has not changed is empty; each has a
 * decoder of its own.
 *
 * `pass`: the damage and the moves together lead to the picture after that pass (SeatShadowHeader); `base`: the
 * newest picture when the client's record before this one was sent; moves build on it. `moves` counts the SeatMoves that stand after the rects;
 * they are made in order, each reads what those before it have left, and the damage comes after them. A client may
 * take a move's destination for damage, and must where it has not got exactly the picture of `base` at its source: a
 * tile that it copied when `passes` had gone on already is newer. */
typedef struct {
    SeatHeader header;
    uint64_t serial;
    uint64_t time_us; /* CLOCK_MONOTONIC when the source changed */
    uint32_t complete;
    uint32_t damage;
    uint64_t base, pass;
    uint32_t moves;
    uint32_t reserved;
    SeatAccessUnit units[SEAT_FILMS_MAX];
    SeatRect rects[]; /* then SeatMove moves[] */
} SeatFrame;

/* The moves of a record whose counts have been checked. */
static inline const SeatMove *seat_frame_moves(const SeatFrame *frame)
{
    return (const SeatMove *)(const void *)(frame->rects + frame->damage);
}

/* visible 0: no cursor. With a descriptor: a new shape, width * height * 4 bytes, premultiplied ARGB8888 (B,G,R,A). */
typedef struct {
    SeatHeader header;
    uint32_t visible;
    uint32_t width, height; /* px, 1 .. SEAT_CURSOR_MAX */
    uint32_t hot_x, hot_y;  /* px */
} SeatCursor;

typedef struct {
    SeatHeader header;
    uint32_t absolute; /* 1: send SEAT_POINTER; 0: send SEAT_MOTION */
} SeatPointerMode;

typedef struct {
    SeatHeader header;
    uint32_t viewers;
} SeatPresence;

typedef enum {
    SEAT_LOGIN_OK = 0,
    SEAT_LOGIN_DENIED = 1,    /* wrong name or password, or ticket: one answer for all */
    SEAT_LOGIN_WAIT = 2,      /* try again later (throttled), `text` says when */
    SEAT_LOGIN_UNAVAILABLE = 3 /* broker not there */
} SeatLoginResult;

typedef struct {
    SeatHeader header;
    uint32_t result; /* SeatLoginResult */
    char user[SEAT_NAME_MAX];
    char text[SEAT_TEXT_MAX];
} SeatLogin;

/* The reasons for which a connection or a link ends; also used by the master's lifeline (EndReason). */
typedef enum {
    END_DONE = 0,         /* normal */
    END_TAKEN_OVER = 1,   /* "continued on another device" */
    END_REVOKED = 2,      /* unassigned, user disabled, password changed */
    END_KILLED = 3,       /* by an admin */
    END_TIMEOUT = 4,      /* not logged in in time */
    END_DESKTOP_OFF = 5,  /* the desktop stopped: a greeter follows */
    END_SHUTDOWN = 6,     /* the service stops */
    END_LIMIT = 7,        /* too many connections */
    END_FAULT = 8,        /* something broke; `text` says what */
    END_REPLACED = 9,     /* link only: another link follows (greeter -> seat) */
} EndReason;

typedef struct {
    SeatHeader header;
    uint32_t reason; /* EndReason */
    char text[SEAT_TEXT_MAX];
} SeatClose;

/* Checks a received packet's header, size and ranges, and that strings end inside their fields.
 * from_client: TRUE when a seat or greeter received it. Returns NULL, or what is wrong (static text). Any thread. */
const char *seat_link_check(const void *packet, gsize length, guint descriptors, gboolean from_client);

/* The sentence for a person that belongs to a reason (static, English). Any thread. */
const char *end_reason_text(EndReason reason);
