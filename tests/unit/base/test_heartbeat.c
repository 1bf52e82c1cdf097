/* The word of memory through which a process shows that it lives, both sides in one process. */
#include "base/heartbeat.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int fd;
static Heartbeat *seen, *own;

static void make(void)
{
    seen = heartbeat_new(&fd, NULL);
    ck_assert_ptr_nonnull(seen);
    own = heartbeat_join(fd);
    ck_assert_ptr_nonnull(own);
}

static void drop(void)
{
    heartbeat_free(own);
    heartbeat_free(seen);
    close(fd);
}

START_TEST(it_counts_from_its_making_and_from_each_beat)
{
    gint64 before = g_get_monotonic_time();
    make();
    ck_assert_int_ge(heartbeat_sign_us(seen, G_MAXINT64), before);
    gint64 made = heartbeat_sign_us(seen, G_MAXINT64);
    g_usleep(2000);
    ck_assert_int_eq(heartbeat_sign_us(seen, G_MAXINT64), made);
    heartbeat_beat(own);
    ck_assert_int_gt(heartbeat_sign_us(seen, G_MAXINT64), made);
    ck_assert(!heartbeat_is_up(seen));
    drop();
}
END_TEST

START_TEST(what_it_claims_of_the_time_before_all_counts_as_the_beginning)
{
    make();
    void *memory = mmap(NULL, sizeof(gint64), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    *(volatile gint64 *)memory = G_MININT64; /* the master subtracts what it reads */
    ck_assert_int_eq(heartbeat_sign_us(seen, 1000), 0);
    munmap(memory, sizeof(gint64));
    drop();
}
END_TEST

START_TEST(what_it_claims_of_the_future_counts_as_now)
{
    make();
    heartbeat_beat(own);
    ck_assert_int_eq(heartbeat_sign_us(seen, 1000), 1000);
    drop();
}
END_TEST

static gboolean look_amid_work(gpointer data)
{
    gint64 begun = heartbeat_sign_us(seen, G_MAXINT64);
    g_usleep(2000);
    ck_assert_int_lt(begun, g_get_monotonic_time());
    ck_assert_int_eq(heartbeat_sign_us(seen, G_MAXINT64), begun);
    return G_SOURCE_REMOVE;
}

static gpointer look_at_waiting(gpointer loop)
{
    gint64 now = G_MAXINT64 - 1;
    gboolean waits = FALSE;
    for (guint i = 0; i < 2000 && !waits; i++) {
        waits = heartbeat_sign_us(seen, now) == now;
        g_usleep(1000);
    }
    g_main_loop_quit(loop);
    return GINT_TO_POINTER(waits);
}

START_TEST(a_loop_shows_since_when_it_works_and_that_it_waits)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    make();
    heartbeat_follow_loop(own);
    ck_assert(!heartbeat_is_up(seen));
    g_idle_add(look_amid_work, NULL);
    GThread *watcher = g_thread_new("watcher", look_at_waiting, loop);
    g_main_loop_run(loop);
    ck_assert(g_thread_join(watcher));
    ck_assert(heartbeat_is_up(seen));
    ck_assert_int_lt(heartbeat_sign_us(seen, G_MAXINT64), G_MAXINT64);
    drop();
}
END_TEST

START_TEST(no_process_can_take_the_memory_from_under_the_master)
{
    make();
    ck_assert_int_eq(ftruncate(fd, 0), -1);
    ck_assert_int_eq(ftruncate(fd, 4096), -1);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
    drop();
}
END_TEST

START_TEST(another_file_is_no_heartbeat)
{
    int other = memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ck_assert_int_eq(ftruncate(other, 16), 0);
    ck_assert_ptr_null(heartbeat_join(other));
    ck_assert_ptr_null(heartbeat_join(-1));
    close(other);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("heartbeat");
    tcase_add_test(cases, it_counts_from_its_making_and_from_each_beat);
    tcase_add_test(cases, what_it_claims_of_the_time_before_all_counts_as_the_beginning);
    tcase_add_test(cases, what_it_claims_of_the_future_counts_as_now);
    tcase_add_test(cases, a_loop_shows_since_when_it_works_and_that_it_waits);
    tcase_add_test(cases, no_process_can_take_the_memory_from_under_the_master);
    tcase_add_test(cases, another_file_is_no_heartbeat);
    return suite_run("heartbeat", cases);
}
