/* How a process shows that it has not hung, without anybody waking up for it: one word of memory that it
 * shares with the master. It tells since when the main loop has been at work on something, or that it waits
 * for work; the master reads it when it likes. Stopped processes, who cannot tell, are the master's to notice
 * (waitid). */
#pragma once

#include <glib.h>

typedef struct Heartbeat Heartbeat;

/* The master's side: new memory that counts as at work since now. *fd is for the process, owned by the
 * caller; its size is sealed, so that nobody can make the master read past its end. NULL with an error: no
 * descriptors or memory. */
Heartbeat *heartbeat_new(int *fd, GError **error);
void heartbeat_free(Heartbeat *heartbeat);

/* When the process last gave a sign, monotonic us; `now` while it waits for work. What it writes is its own
 * claim: never later than `now`, nor before 0. */
gint64 heartbeat_sign_us(const Heartbeat *heartbeat, gint64 now);
/* Whether its main loop has begun, that is whether it has loaded all that it needs. */
gboolean heartbeat_is_up(const Heartbeat *heartbeat);

/* The process's side: the memory behind `fd`, NULL when that is none of ours. */
Heartbeat *heartbeat_join(int fd);
/* A sign of life amid long work. Any thread. */
void heartbeat_beat(Heartbeat *heartbeat);
/* From now on the default main context tells when it waits. Main thread, once. */
void heartbeat_follow_loop(Heartbeat *heartbeat);
