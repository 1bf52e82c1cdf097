/* The word of memory through which a process shows that it lives. */
#include "base/heartbeat.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

struct Heartbeat {
    _Atomic gint64 since_us; /* at work since then, monotonic; 0: waits for work */
    _Atomic guint32 up;      /* the main loop has begun */
};

static Heartbeat *followed;

static Heartbeat *map(int fd)
{
    void *memory = mmap(NULL, sizeof(Heartbeat), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

Heartbeat *heartbeat_new(int *fd, GError **error)
{
    Heartbeat *heartbeat = NULL;
    *fd = memfd_create("heartbeat", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd >= 0 && ftruncate(*fd, sizeof *heartbeat) == 0 && fcntl(*fd, F_ADD_SEALS, SEALS) == 0)
        heartbeat = map(*fd);
    if (heartbeat) {
        heartbeat_beat(heartbeat);
        return heartbeat;
    }
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "no memory for a heartbeat: %s",
                g_strerror(errno));
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    return NULL;
}

void heartbeat_free(Heartbeat *heartbeat)
{
    if (heartbeat)
        munmap(heartbeat, sizeof *heartbeat);
}

gint64 heartbeat_sign_us(const Heartbeat *heartbeat, gint64 now)
{
    gint64 since = atomic_load_explicit(&heartbeat->since_us, memory_order_relaxed);
    return since == 0 ? now : CLAMP(since, 0, now);
}

gboolean heartbeat_is_up(const Heartbeat *heartbeat)
{
    return atomic_load_explicit(&heartbeat->up, memory_order_relaxed) != 0;
}

Heartbeat *heartbeat_join(int fd)
{
    /* Whatever else might stand at that number, a file of somebody's, must not be written into. */
    int seals = fcntl(fd, F_GET_SEALS);
    struct stat status;
    gboolean ours = seals >= 0 && (seals & SEALS) == SEALS && fstat(fd, &status) == 0 &&
                    status.st_size == sizeof(Heartbeat);
    return ours ? map(fd) : NULL;
}

void heartbeat_beat(Heartbeat *heartbeat)
{
    atomic_store_explicit(&heartbeat->since_us, g_get_monotonic_time(), memory_order_relaxed);
}

static gint poll_and_tell(GPollFD *fds, guint count, gint timeout_ms)
{
    atomic_store_explicit(&followed->up, 1, memory_order_relaxed);
    atomic_store_explicit(&followed->since_us, 0, memory_order_relaxed);
    gint ready = g_poll(fds, count, timeout_ms);
    gint error = errno;
    heartbeat_beat(followed);
    errno = error;
    return ready;
}

void heartbeat_follow_loop(Heartbeat *heartbeat)
{
    g_assert(!followed);
    followed = heartbeat;
    g_main_context_set_poll_func(NULL, poll_and_tell);
}
