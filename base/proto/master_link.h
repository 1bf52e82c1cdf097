/* What fernwerkd (the master) and its processes say to each other. Two kinds of link, both SOCK_SEQPACKET:
 *  - the lifeline, descriptor 3 of every process: only the master writes; when it closes, the process ends;
 *  - the request link, descriptor 5 of broker, gate and web: they ask, the master answers and reports.
 * Descriptor 4 of every process is its heartbeat (base/heartbeat.h): memory in which its main loop tells when
 * it works. Nobody passes paths, arguments, uids or pids to the master: fixed structs only. */
#pragma once

#include "base/proto/seat_link.h"

#define MASTER_VERSION 3
#define MASTER_LIFELINE_FD 3
#define MASTER_HEARTBEAT_FD 4
#define MASTER_REQUEST_FD 5
#define MASTER_HEARTBEAT_MS 500 /* how often long work gives a sign; the least limit is three times that */
#define MASTER_PACKET_MAX 1024
#define MASTER_DESCRIPTORS_MAX 8

typedef enum {
    KIND_BROKER = 1,
    KIND_GATE = 2,
    KIND_WEB = 3,
    KIND_SEAT = 4,
    KIND_GREETER = 5,
    KIND_RDP = 6,
    KIND_VNC = 7,
    KIND_PROBE = 8, /* fernwerk-seat --probe: proves the encoders once, then ends */
    KIND_LAST = KIND_PROBE
} ProcessKind;

/* Process ids are the master's own numbers, never reused within its life, never 0. */
typedef uint64_t ProcessId;

typedef struct {
    uint16_t type;
    uint16_t size; /* bytes of the whole packet */
    uint32_t reserved;
} MasterHeader;

/* What a process stands for. Each field is written once: first user, serial and web session at login, then
 * desktop and epoch when the lease is granted (seats: desktop and epoch at once). An introduction needs equal
 * desktop and epoch on both sides, a greeter excepted. */
typedef struct {
    char user[SEAT_NAME_MAX];
    char desktop[SEAT_NAME_MAX];
    uint64_t epoch;      /* of the lease; 0: not known yet */
    uint64_t connection; /* the store's connection id; 0: none */
    /* What the login leant on, for a broker that was started after it. Only the broker knows what they mean.
     */
    uint64_t serial, web_session; /* 0: none */
} ProcessRecord;

/* ---- lifeline: master -> process ---- */
typedef enum {
    LIFELINE_START = 1,  /* LifelineStart; descriptors by kind, see below */
    LIFELINE_CLIENT = 2, /* LifelineClient + the accepted socket: to an rdp or vnc process, once */
    LIFELINE_SEAT_LINK =
        3, /* LifelineSeatLink + one end: to a client (its pending link), a seat or a greeter */
    LIFELINE_BROKER =
        4, /* LifelineBroker + one end of a link to the broker: to seat, greeter, probe (greeter_link.h,
              seat_control.h) and web (control link, a stream); again after each restart of the broker */
    LIFELINE_RECORD = 5, /* LifelineRecord: who this process now is; set the process title */
    LIFELINE_UNLINK = 6, /* LifelineUnlink: to a seat: close that client's link now, release its keys */
    LIFELINE_END = 7,    /* LifelineEnd: show the reason for at most 500 ms, then exit */
    LIFELINE_RELOAD = 8, /* no body + new certificate and key descriptors: to web */
} LifelineType;

/* Descriptors of LIFELINE_START: broker: admin socket listener. gate: one listener per
 * LifelineStart.listeners entry. web: HTTPS listener, certificate chain (PEM), private key (PEM), certificate
 * of the CA (PEM). rdp, vnc: certificate chain (PEM), private key (PEM) (RDP's and VNC's own key, not the
 * web's). Others: none. */
typedef struct {
    MasterHeader header;
    uint32_t version; /* MASTER_VERSION */
    uint32_t kind;    /* ProcessKind */
    ProcessId id;
    uint32_t listeners[8]; /* gate: ClientProtocol of each listener; 0 ends */
    uint32_t log_level;    /* LogLevel; lifeline_start() sets it */
    uint32_t reserved;
} LifelineStart;

typedef enum {
    CLIENT_RDP = 1, /* TCP, X.224 request still unread in the socket */
    CLIENT_VNC = 2, /* TCP; the gate has sent "RFB 003.008\n", the 12-byte reply is still unread */
    CLIENT_WEB = 3  /* socketpair from fernwerk-web: a WebPreamble, then raw RFB (nothing sent yet by us) */
} ClientProtocol;

typedef struct {
    MasterHeader header;
    uint32_t protocol; /* ClientProtocol */
    uint32_t reserved;
    char address[64]; /* numeric peer address, for logs; "" for CLIENT_WEB (see WebPreamble) */
} LifelineClient;

/* First bytes that fernwerk-web writes into the socketpair it hands over, a fixed block, before any RFB. */
typedef struct {
    uint32_t magic; /* WEB_PREAMBLE_MAGIC */
    uint32_t view_only_wish;
    char ticket[SEAT_SECRET_MAX];
    char address[64];
    uint32_t width, height; /* px, the page's size; 0 unknown */
    uint32_t scale;         /* percent */
    char xkb_layout[16];
} WebPreamble;
#define WEB_PREAMBLE_MAGIC 0x46575750u

#define LINK_VIEW_ONLY 1u /* rights of an introduction */
typedef struct {
    MasterHeader header;
    ProcessId peer;  /* the other end's process */
    uint32_t rights; /* LINK_* */
    uint32_t peer_kind;
    ProcessRecord record; /* of the client process */
} LifelineSeatLink;

typedef struct {
    MasterHeader header;
} LifelineBroker;

typedef struct {
    MasterHeader header;
    ProcessRecord record;
} LifelineRecord;

typedef struct {
    MasterHeader header;
    ProcessId peer;
} LifelineUnlink;

typedef struct {
    MasterHeader header;
    uint32_t reason; /* EndReason */
    uint32_t reserved;
    char text[SEAT_TEXT_MAX];
} LifelineEnd;

/* ---- request link: broker, gate, web -> master ---- */
typedef enum {
    REQUEST_CLIENT =
        1, /* RequestClient + socket: gate, web. Answered by REPLY (0, or ECONNREFUSED: no room) */
    REQUEST_SPAWN = 16,     /* RequestSpawn: broker. Kinds SEAT, GREETER, PROBE */
    REQUEST_BIND = 17,      /* RequestBind: broker. Fields once */
    REQUEST_INTRODUCE = 18, /* RequestIntroduce: broker */
    REQUEST_END = 19, /* RequestEnd: broker; PROCESS_GONE reports the end, always after the process is dead */
    REQUEST_EXTEND =
        20, /* RequestExtend: broker: a person is typing at this client's greeter: 30 s more, bounded */
    REQUEST_READY = 21, /* no body: broker has loaded its state; it wants the living processes now */
} RequestType;

typedef struct {
    MasterHeader header;
    uint64_t request; /* chosen by the asker, comes back in MasterReply; may be repeated: same answer */
} RequestHeader;

typedef struct {
    RequestHeader header;
    uint32_t protocol; /* ClientProtocol */
    uint32_t reserved;
} RequestClient;

typedef struct {
    RequestHeader header;
    uint32_t kind; /* ProcessKind */
    uint32_t reserved;
} RequestSpawn;

typedef struct {
    RequestHeader header;
    ProcessId id;
    ProcessRecord record; /* empty fields are left as they are; a filled field that differs from a written
                             one: EEXIST */
} RequestBind;

/* a: a client; b: a seat or greeter. The master makes the pair and hands out both ends. */
typedef struct {
    RequestHeader header;
    ProcessId a, b;
    uint32_t rights; /* LINK_* */
    uint32_t reserved;
} RequestIntroduce;

typedef struct {
    RequestHeader header;
    ProcessId id;
    uint32_t reason; /* EndReason */
    uint32_t reserved;
    char text[SEAT_TEXT_MAX];
} RequestEnd;

typedef struct {
    RequestHeader header;
    ProcessId id;
} RequestExtend;

/* ---- request link: master -> broker (gate, web: only REPLY) ---- */
typedef enum {
    MASTER_REPLY = 64,   /* MasterReply */
    MASTER_PROCESS = 65, /* MasterProcess + the broker's end of its link (seat, greeter, probe; web: the
                            control stream): a process has started, or (after REQUEST_READY) lives. Re-sent
                            with a new descriptor whenever that link was made anew. */
    MASTER_ARRIVAL = 66, /* MasterArrival: a client with its greeter; the MASTER_PROCESS of both came before.
                            Again with another greeter when one has died, and after REQUEST_READY for every
                            client that has no user yet. */
    MASTER_PROCESS_GONE = 67, /* MasterProcessGone */
    MASTER_LIVING_END = 68,   /* no body: all living processes have been reported after REQUEST_READY */
} MasterEventType;

typedef struct {
    MasterHeader header;
    uint64_t request;
    int32_t error; /* 0 or errno: EEXIST record differs, ENOENT no such process, EBUSY/EAGAIN no room, EINVAL,
                      EPERM */
    uint32_t reserved;
    ProcessId id; /* REQUEST_SPAWN, REQUEST_CLIENT: the process */
} MasterReply;

typedef struct {
    MasterHeader header;
    ProcessId id;
    uint32_t kind;
    uint32_t living; /* 1: it lived before this broker */
    ProcessRecord record;
    ProcessId client;  /* greeter: the client process that it serves, 0 else */
    ProcessId at;      /* client: the seat or greeter to which it was introduced last, 0 none */
    uint32_t protocol; /* client: ClientProtocol */
    uint32_t pid;      /* for `fernwerk status` only */
    char address[64];  /* client: numeric source address */
} MasterProcess;

typedef struct {
    MasterHeader header;
    ProcessId client, greeter;
    uint32_t protocol; /* ClientProtocol */
    uint32_t reserved;
    char address[64];
} MasterArrival;

typedef struct {
    MasterHeader header;
    ProcessId id;
    uint32_t kind;
    uint32_t reason; /* EndReason when ended on request, END_DONE after exit 0, else END_FAULT */
    int32_t status;  /* waitpid's */
    uint32_t reserved;
} MasterProcessGone;
