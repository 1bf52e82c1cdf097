/* A client's own copy of a desktop's picture, from which it encodes: the seat's may change at any time.
 * Memory of which only what was written is there, and goes back when it is not needed for a while. Main
 * thread. */
#pragma once

#include <glib.h>

typedef struct {
    guint8 *pixels; /* NULL: none */
    gsize size;     /* bytes */
    gsize written;  /* bytes, since pages were let go */
    gboolean huge;  /* pages come by the 2 MiB */
    void *mapping;  /* with what aligns the pixels */
    gsize mapped;   /* bytes */
} PictureCopy;

/* Makes it fit `size` bytes; what it has is lost when the size is another. FALSE: no memory for it. */
gboolean picture_copy_fit(PictureCopy *copy, gsize size);

/* So many bytes, in rows, are about to be written: with much, pages are taken in large pieces, since each one
 * costs a fault (on some virtual machines 30 us: 70 ms for 1920x1080, under 1 ms in large pieces). */
void picture_copy_expect(PictureCopy *copy, gsize bytes);

/* Gives all pages back; the pixels are lost. */
void picture_copy_rest(PictureCopy *copy);

void picture_copy_clear(PictureCopy *copy);
