/* The memory behind a client's own copy of the picture. */
#include "session/client/picture_copy.h"

#include <sys/mman.h>

#define HUGE_PAGE (2u << 20)
#define MUCH (512u << 10) /* rows apart, so that most of a large page is written anyway */

gboolean picture_copy_fit(PictureCopy *copy, gsize size)
{
    if (copy->pixels && copy->size == size)
        return TRUE;
    picture_copy_clear(copy);
    gsize mapped = size + HUGE_PAGE;
    void *mapping =
        mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED)
        return FALSE;
    gsize over = (guintptr)mapping % HUGE_PAGE;
    *copy = (PictureCopy){.pixels = (guint8 *)mapping + (over ? HUGE_PAGE - over : 0),
                          .size = size,
                          .mapping = mapping,
                          .mapped = mapped};
    madvise(copy->pixels, size, MADV_NOHUGEPAGE);
    return TRUE;
}

void picture_copy_expect(PictureCopy *copy, gsize bytes)
{
    if (copy->huge || bytes < MUCH)
        return;
    /* Where it is refused, small pages do. */
    madvise(copy->pixels, copy->size, MADV_HUGEPAGE);
    copy->huge = TRUE;
}

void picture_copy_rest(PictureCopy *copy)
{
    if (copy->pixels)
        madvise(copy->pixels, copy->size, MADV_DONTNEED);
    if (copy->huge)
        madvise(copy->pixels, copy->size, MADV_NOHUGEPAGE);
    copy->huge = FALSE;
    copy->written = 0;
}

void picture_copy_clear(PictureCopy *copy)
{
    if (copy->mapping)
        munmap(copy->mapping, copy->mapped);
    *copy = (PictureCopy){0};
}
