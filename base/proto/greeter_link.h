/* What a greeter and the broker say to each other about one person, SOCK_SEQPACKET, fixed structs. The greeter holds
 * one such link (LIFELINE_BROKER); the broker knows from the master which client and source address it stands for. */
#pragma once

#include "base/proto/seat_link.h"

#define GREETER_PACKET_MAX 4096
#define GREETER_DESKTOPS_MAX 24 /* in one packet; more come in further packets */

typedef enum {
    /* greeter -> broker */
    GREETER_LOGIN = 1,    /* GreeterLogin */
    GREETER_TICKET = 2,   /* GreeterTicket */
    GREETER_CHOOSE = 3,   /* GreeterChoose: connect to that desktop, starting it when it is off */
    GREETER_ACTIVITY = 4, /* no body, at most one a second: a person is typing */
    GREETER_SCREEN = 5,   /* GreeterScreen: the client's size, before LOGIN/TICKET */
    GREETER_CANCEL = 6,   /* no body: back from start progress to the choice */
    /* broker -> greeter */
    GREETER_RESULT = 64,   /* GreeterResult: answer to LOGIN or TICKET */
    GREETER_DESKTOPS = 65, /* GreeterDesktops: what the user may choose; again whenever a state changes */
    GREETER_PROGRESS = 66, /* GreeterProgress: what happens to the chosen desktop */
    GREETER_KNOWN = 67,    /* GreeterResult: this greeter's person is already logged in (his desktop went off) */
} GreeterPacketType;

typedef struct {
    uint16_t type;
    uint16_t size; /* bytes of the whole packet */
    uint32_t reserved;
} GreeterHeader;

typedef struct {
    GreeterHeader header;
    char user[SEAT_NAME_MAX];
    char password[SEAT_SECRET_MAX]; /* both sides scrub it after use */
    char desktop[SEAT_NAME_MAX];    /* wanted one or "" */
} GreeterLogin;

typedef struct {
    GreeterHeader header;
    char ticket[SEAT_SECRET_MAX];
} GreeterTicket;

typedef struct {
    GreeterHeader header;
    char desktop[SEAT_NAME_MAX];
} GreeterChoose;

typedef struct {
    GreeterHeader header;
    SeatSizeHint size;
} GreeterScreen;

typedef struct {
    GreeterHeader header;
    uint32_t result;         /* SeatLoginResult */
    uint32_t retry_after_ms; /* SEAT_LOGIN_WAIT */
    char user[SEAT_NAME_MAX];
    char text[SEAT_TEXT_MAX]; /* sentence for the person, "" when OK */
} GreeterResult;

typedef enum {
    DESKTOP_OFF = 0,
    DESKTOP_STARTING = 1,
    DESKTOP_RUNNING = 2,
    DESKTOP_STOPPING = 3,
    DESKTOP_FAILED = 4,
} DesktopState;

typedef struct {
    char name[SEAT_NAME_MAX];
    uint32_t state;   /* DesktopState */
    char reason[76]; /* in words, cut; when failed or off */
} GreeterDesktop;

/* With one desktop, or a wanted one that is assigned, the broker goes on by itself: PROGRESS follows at once. */
typedef struct {
    GreeterHeader header;
    uint32_t count; /* in this packet */
    uint32_t total;
    uint32_t first; /* index of desktops[0] */
    uint32_t reserved;
    GreeterDesktop desktops[];
} GreeterDesktops;

typedef enum {
    GREETER_PHASE_WAITING = 1,  /* for another desktop's start, a lock; text says for what */
    GREETER_PHASE_STARTING = 2, /* the VM starts */
    GREETER_PHASE_JOINING = 3,  /* the seat is being introduced: the picture is about to come */
    GREETER_PHASE_FAILED = 4,   /* text says why and what to do; Enter tries again */
    GREETER_PHASE_OFF = 5,      /* the desktop was switched off (text: reason); Enter starts it again */
} GreeterPhase;

typedef struct {
    GreeterHeader header;
    uint32_t phase; /* GreeterPhase */
    uint32_t reserved;
    char desktop[SEAT_NAME_MAX];
    char text[SEAT_TEXT_MAX];
} GreeterProgress;
