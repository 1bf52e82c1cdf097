/* Which of the files that QEMU has shown stay mapped. */
#include "session/seat/surface.h"
#include "tests/unit/suite.h"

#include <pixman.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAME "fernwerk-test-screen"

static guint mapped(void)
{
    g_autofree char *maps = NULL;
    guint count = 0;
    ck_assert(g_file_get_contents("/proc/self/maps", &maps, NULL, NULL));
    for (const char *at = maps; (at = strstr(at, NAME)) != NULL; at++)
        count++;
    return count;
}

/* Shows a picture of a file of its own. */
static int show(SurfaceCache *cache, Surface **shown, guint width, guint height)
{
    int fd = memfd_create(NAME, MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(fd, (off_t)width * height * 4), 0);
    g_clear_pointer(shown, surface_unref);
    *shown = surface_cache_map(cache, fd, 0, width, height, width * 4, PIXMAN_x8r8g8b8, NULL);
    ck_assert_ptr_nonnull(*shown);
    return fd;
}

START_TEST(a_guest_that_flips_pages_comes_back_to_files_that_are_still_mapped)
{
    SurfaceCache *cache = surface_cache_new();
    Surface *shown = NULL;
    int first = show(cache, &shown, 64, 48), second = show(cache, &shown, 64, 48);
    const guint8 *before = shown->pixels;

    ck_assert_uint_eq(mapped(), 2);
    g_clear_pointer(&shown, surface_unref);
    g_autoptr(Surface) other = surface_cache_map(cache, first, 0, 64, 48, 256, PIXMAN_x8r8g8b8, NULL);
    g_autoptr(Surface) again = surface_cache_map(cache, second, 0, 64, 48, 256, PIXMAN_x8r8g8b8, NULL);
    ck_assert_ptr_eq(again->pixels, before);
    ck_assert_ptr_ne(other->pixels, before);
    ck_assert_uint_eq(mapped(), 2);
    surface_cache_free(cache);
    close(first);
    close(second);
}
END_TEST

START_TEST(files_of_another_mode_are_let_go_of)
{
    SurfaceCache *cache = surface_cache_new();
    Surface *shown = NULL;

    close(show(cache, &shown, 64, 48));
    close(show(cache, &shown, 64, 48));
    close(show(cache, &shown, 80, 48));
    ck_assert_uint_eq(mapped(), 1);
    ck_assert_uint_eq(shown->pixels[79 * 4], 0);
    surface_cache_free(cache);
    ck_assert_uint_eq(mapped(), 1); /* what is shown stays */
    surface_unref(shown);
    ck_assert_uint_eq(mapped(), 0);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("surface");
    tcase_set_timeout(tcase, 60); /* slow machines */
    tcase_add_test(tcase, a_guest_that_flips_pages_comes_back_to_files_that_are_still_mapped);
    tcase_add_test(tcase, files_of_another_mode_are_let_go_of);
    return suite_run("surface", tcase);
}
