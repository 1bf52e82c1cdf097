/* The access unit ring's writer. */
#include "encoder/ring.h"

#include "encoder/shadow.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RING_MEMORY (sizeof(SeatRingHeader) + SEAT_AU_RING)
/* What is used of the ring as long as units are small: memory that was never written costs nothing. It holds
 * most of a second at 20 Mbit/s; who has not copied a unit by then starts again with a key frame. */
#define USUAL_LAP (2u << 20)
#define UNITS_A_LAP 4 /* at least, of the longest size */

struct Ring {
    int fd;
    guint8 *memory;
    guint64 written;
};

Ring *ring_new(GError **error)
{
    void *memory = NULL;
    int fd = sealed_memory_new("fernwerk-units", RING_MEMORY, &memory, error);
    if (fd < 0)
        return NULL;
    Ring *ring = g_new0(Ring, 1);
    ring->fd = fd;
    ring->memory = memory;
    return ring;
}

void ring_free(Ring *ring)
{
    if (!ring)
        return;
    munmap(ring->memory, RING_MEMORY);
    close(ring->fd);
    g_free(ring);
}

int ring_fd(const Ring *ring)
{
    return ring->fd;
}

gboolean ring_put(Ring *ring, const void *unit, gsize length, guint64 *position)
{
    _Atomic guint64 *written = (_Atomic guint64 *)(void *)ring->memory;
    guint64 offset = ring->written % SEAT_AU_RING;

    if (length > SEAT_AU_RING / UNITS_A_LAP)
        return FALSE;
    if (offset + length > MAX(USUAL_LAP, UNITS_A_LAP * length)) {
        ring->written += SEAT_AU_RING - offset;
        offset = 0;
    }
    *position = ring->written;
    ring->written += length;
    /* First the counter, then the bytes: a reader that finds its unit inside the window after copying it has
     * an intact one. */
    atomic_store_explicit(written, ring->written, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    memcpy(ring->memory + sizeof(SeatRingHeader) + offset, unit, length);
    atomic_thread_fence(memory_order_release);
    return TRUE;
}
