/* A client's own copy of the picture: what is written stays until it is let go, whatever kind of pages holds
 * it. */
#include "session/client/picture_copy.h"
#include "tests/unit/suite.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE (1920 * 1080 * 4)

static guint pages_there(const PictureCopy *copy)
{
    guint8 there[SIZE / 4096 + 1];
    gsize page = (gsize)sysconf(_SC_PAGESIZE), pages = copy->size / page;
    guint count = 0;

    ck_assert_int_eq(mincore(copy->pixels, pages * page, there), 0);
    for (gsize i = 0; i < pages; i++)
        count += there[i] & 1;
    return count;
}

START_TEST(what_was_written_stays_until_it_is_let_go)
{
    PictureCopy copy = {0};

    ck_assert(picture_copy_fit(&copy, SIZE));
    memset(copy.pixels, 0x5a, 70000);
    picture_copy_expect(&copy, SIZE);
    memset(copy.pixels + SIZE / 2, 0x5a, SIZE / 2);
    ck_assert(picture_copy_fit(&copy, SIZE));
    ck_assert_uint_eq(copy.pixels[0], 0x5a);
    ck_assert_uint_eq(copy.pixels[69999], 0x5a);
    ck_assert_uint_eq(copy.pixels[SIZE - 1], 0x5a);
    picture_copy_rest(&copy);
    ck_assert_uint_eq(pages_there(&copy), 0);
    ck_assert_uint_eq(copy.pixels[0], 0);
    picture_copy_clear(&copy);
    ck_assert_ptr_null(copy.pixels);
}
END_TEST

START_TEST(little_takes_few_pages_also_after_much)
{
    PictureCopy copy = {0};

    ck_assert(picture_copy_fit(&copy, SIZE));
    picture_copy_expect(&copy, 4096);
    copy.pixels[SIZE / 2] = 1;
    ck_assert_uint_eq(pages_there(&copy), 1);
    picture_copy_expect(&copy, SIZE);
    memset(copy.pixels, 1, SIZE);
    picture_copy_rest(&copy);
    picture_copy_expect(&copy, 4096);
    copy.pixels[SIZE / 2] = 1;
    ck_assert_uint_eq(pages_there(&copy), 1);
    picture_copy_clear(&copy);
}
END_TEST

START_TEST(another_size_is_another_picture)
{
    PictureCopy copy = {0};

    ck_assert(picture_copy_fit(&copy, 64 * 64 * 4));
    memset(copy.pixels, 1, 64 * 64 * 4);
    ck_assert(picture_copy_fit(&copy, SIZE));
    ck_assert_uint_eq(copy.pixels[0], 0);
    memset(copy.pixels, 1, SIZE);
    picture_copy_clear(&copy);
    picture_copy_clear(&copy);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("picture copy");

    tcase_add_test(tests, what_was_written_stays_until_it_is_let_go);
    tcase_add_test(tests, little_takes_few_pages_also_after_much);
    tcase_add_test(tests, another_size_is_another_picture);
    return suite_run("picture copy", tests);
}
