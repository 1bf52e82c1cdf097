/* The broker's end of one greeter's link: packets checked on the way in, made on the way out. Main thread
 * only. */
#pragma once

#include "base/proto/greeter_link.h"

#include <gio/gio.h>

typedef struct GreeterLine GreeterLine;

/* All strings end inside their fields when these are called; what is not const is the callee's to scrub. */
typedef struct {
    void (*login)(GreeterLine *line, GreeterLogin *login, gpointer data);
    void (*ticket)(GreeterLine *line, GreeterTicket *ticket, gpointer data);
    void (*choose)(GreeterLine *line, const char *desktop, gpointer data);
    void (*activity)(GreeterLine *line, gpointer data);
    void (*screen)(GreeterLine *line, const SeatSizeHint *size, gpointer data);
    void (*cancel)(GreeterLine *line, gpointer data);
    /* It is gone or sent what is none of these. */
    void (*closed)(GreeterLine *line, gpointer data);
} GreeterLineEvents;

/* Takes `fd` over. */
GreeterLine *greeter_line_new(int fd, const GreeterLineEvents *events, gpointer data);
/* NULL is allowed. */
void greeter_line_free(GreeterLine *line);

/* type: GREETER_RESULT or GREETER_KNOWN. text NULL: none. */
void greeter_line_result(GreeterLine *line, GreeterPacketType type, SeatLoginResult result,
                         guint retry_after_ms, const char *user, const char *text);
/* `count` entries, in as many packets as it takes. */
void greeter_line_desktops(GreeterLine *line, const GreeterDesktop *desktops, guint count);
/* The same as the last one sent is not sent again. */
void greeter_line_progress(GreeterLine *line, GreeterPhase phase, const char *desktop, const char *text);
