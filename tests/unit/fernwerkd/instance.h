/* A fernwerkd of its own in a temporary folder, with puppets for all its processes but the gate. */
#pragma once

#include <glib.h>
#include <sys/types.h>

typedef struct {
    char *dir;
    pid_t pid;
    int control;             /* the puppet broker's admin socket, -1 until connected */
    guint16 rdp, vnc, https; /* 0: off */
    GString *heard;          /* from the broker, not yet consumed */
} Instance;

/* The users of this test process's instances: from here on 2000 numbers, so that tests may run at the same
 * time. 1: broker, 2: gate, 3: web, 1000 and up: the others. */
guint instance_uid_base(void);
/* Writes the configuration (with `extra` appended), starts, connects to the broker, makes it ready and waits
 * for the ready file. Aborts the test when any of that fails. */
Instance *instance_start(const char *extra);
/* The same with an RDP listener (a bound socket) that a socket unit would have opened. */
Instance *instance_start_with(const char *extra, int listener);
/* The same without waiting for anything: for starts that are to fail. Returns the exit code; output gets
 * stderr. */
int instance_fails(const char *extra, char **output);
/* The same with --check-config; output gets stdout and stderr. */
int instance_check(const char *extra, char **output);
/* SIGTERM, waits for the end, removes the folder; fails when a process is left. */
void instance_stop(Instance *instance);

/* Connects (again) to the puppet broker. */
void instance_connect_broker(Instance *instance);
/* Sends a line to the puppet broker. */
G_GNUC_PRINTF(2, 3) void instance_tell(Instance *instance, const char *format, ...);
/* Waits up to `timeout_ms` for a line that starts with `start` and returns it; lines before it are dropped.
 * NULL: it did not come. */
const char *instance_hear(Instance *instance, const char *start, guint timeout_ms);

/* Connects to 127.0.0.1:port, sends `bytes`; returns the socket. */
int client_connect(guint16 port, const void *bytes, gsize length);
int client_connect_rdp(const Instance *instance);
/* Reads until a line that starts with `start`; NULL: the connection ended or the time was over. */
const char *client_hear(int fd, const char *start, guint timeout_ms);
/* TRUE when the peer closes within the time. */
gboolean client_is_closed(int fd, guint timeout_ms);
