/* Who is at the other end of the admin socket. */
#include "broker/control/control_internal.h"

#include <pwd.h>
#include <string.h>
#include <sys/socket.h>

#define GROUPS_MAX 65536

gboolean control_peer_admitted(uid_t uid, gid_t gid, const gid_t *groups, guint count, gboolean has_group,
                               gid_t group)
{
    if (uid == 0)
        return TRUE;
    if (!has_group)
        return FALSE;
    if (gid == group)
        return TRUE;
    for (guint i = 0; i < count; i++)
        if (groups[i] == group)
            return TRUE;
    return FALSE;
}

static char *describe(uid_t uid)
{
    char buffer[4096];
    struct passwd entry, *found = NULL;
    if (getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found)
        return g_strdup_printf("uid:%u(%s)", (guint)uid, found->pw_name);
    return g_strdup_printf("uid:%u", (guint)uid);
}

gboolean control_peer_check(int fd, gboolean has_group, gid_t group, char **actor)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return FALSE;
    /* The groups as they were at connect(), so that nothing has to be looked up or believed. */
    g_autofree gid_t *groups = NULL;
    socklen_t size = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) != 0 && size > 0 &&
        size <= GROUPS_MAX * sizeof(gid_t)) {
        groups = g_malloc(size);
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
            size = 0;
    } else {
        size = 0;
    }
    if (!control_peer_admitted(peer.uid, peer.gid, groups, (guint)(size / sizeof(gid_t)), has_group, group))
        return FALSE;
    *actor = describe(peer.uid);
    return TRUE;
}
