/* Pictures as QEMU shows them: memory shared with QEMU, mapped once per file, or a copy of inline pixels. */
#pragma once

#include <gio/gio.h>

/* A picture of width x height px. Shared between the display's thread and the main thread; count references.
 */
typedef struct {
    guint width, height; /* px */
    guint format;        /* pixman_format_code_t */
    gsize stride;        /* bytes */
    const guint8 *pixels;
    gboolean shared; /* QEMU's memory: may change at any time. Else `lock` guards the pixels */
    GMutex lock;
    gpointer memory; /* private: a mapping's reference, or own memory */
} Surface;

Surface *surface_ref(Surface *surface);
void surface_unref(Surface *surface);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Surface, surface_unref)

/* A black picture in own memory, XRGB8888. NULL: out of range (1 .. SEAT_WIDTH_MAX) or no memory. Any thread.
 */
Surface *surface_new_own(guint width, guint height);

/* Copies w x h px of `format` from `data` (`length` bytes, `stride` bytes a row) to x, y of an own surface,
 * converting. FALSE: numbers that do not fit each other or the surface; nothing was copied. Any thread. */
gboolean surface_put(Surface *surface, gint x, gint y, gint w, gint h, guint stride, guint format,
                     const guint8 *data, gsize length);

/* Whether pixels of this format have 4 bytes B, G, R, X in memory, as the shadow has them. */
gboolean surface_format_is_native(guint format);

/* Converts one rectangle of a surface (inside it) to XRGB8888 at the same place of `target`, of the surface's
 * size. */
void surface_convert(const Surface *surface, guint x, guint y, guint width, guint height, void *target,
                     gsize target_stride);

/* The last few files that QEMU has shown, still mapped: a guest that flips pages comes back to them. One
 * thread. */
typedef struct SurfaceCache SurfaceCache;
SurfaceCache *surface_cache_new(void);
void surface_cache_free(SurfaceCache *cache);

/* A picture inside the file `fd` (borrowed), mapped for reading; checks every number against the file's size.
 * Should the file shrink later its pixels turn black, nothing crashes. NULL with error set. */
Surface *surface_cache_map(SurfaceCache *cache, int fd, guint64 offset, guint width, guint height,
                           guint stride, guint format, GError **error);
