/* A service and systemd: how it is doing (sd_notify(3)), what it was passed (sd_listen_fds(3)), without its
 * library. */
#pragma once

#include <glib.h>
#include <sys/types.h>

#define NOTIFY_PASSED_MAX 64

/* Sends `state`, e.g. "READY=1", where NOTIFY_SOCKET asks for it; a failure is logged. */
void notify_service_manager(const char *state);

/* How many descriptors a socket unit passed to process `pid`, from 3 on; at most NOTIFY_PASSED_MAX, 0: none.
 */
guint notify_passed(pid_t pid);
