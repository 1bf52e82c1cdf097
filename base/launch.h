/* Starting a program under another user with nothing of the caller's but the descriptors that it is given.
 * For a caller that runs as root; what is started can become nothing else again. */
#pragma once

#include <gio/gio.h>
#include <sys/resource.h>
#include <sys/types.h>

#define LAUNCH_FIRST_FD 3
#define LAUNCH_DESCRIPTORS_MAX 8

typedef struct {
    const char *path;
    char *const *argv; /* NULL ends it */
    uid_t uid;
    gid_t gid;
    const gid_t *groups; /* the supplementary ones */
    gsize group_count;
    const int *descriptors; /* borrowed; in the program they are LAUNCH_FIRST_FD and those after it */
    guint descriptor_count;
    rlim_t files, data;      /* descriptors; bytes of private writable memory */
    gboolean own_namespaces; /* of network, IPC and host name, where they may be had */
} Launch;

/* Starts the program: a session and process group of its own, no capability or way to one, no core dumps,
 * umask 077,
 * "/" as its folder, input from /dev/null, output to the log, an environment of a few names; it is killed
 * when the calling thread ends. Returns its pid with *pidfd (owned by the caller), or -1 with an error. What
 * fails in the program's own process is told on stderr there, and it ends with code 127. */
pid_t launch_start(const Launch *launch, int *pidfd, GError **error);

/* Gives up all of the calling process's capabilities but the `count` in `kept`, for good. */
gboolean launch_keep_capabilities(const int *kept, guint count, GError **error);
