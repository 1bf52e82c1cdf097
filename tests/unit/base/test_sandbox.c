/* Each profile of the sandbox refuses the five, and lets through what its programs live on. */
#include "base/sandbox.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const SandboxProfile profiles[] = {SANDBOX_CLIENT, SANDBOX_GATE, SANDBOX_WEB, SANDBOX_GREETER,
                                          SANDBOX_SEAT};

/* Runs `body` in a child inside of the sandbox and returns its exit code; 99: the sandbox could not be
 * entered. */
static int inside(SandboxProfile profile, int (*body)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(sandbox_enter(profile, NULL, NULL) ? body() : 99);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

START_TEST(every_profile_refuses_socket_connect_exec_and_ptrace)
{
    ck_assert_int_eq(sandbox_check(profiles[_i]), 0);
}
END_TEST

static gpointer add_one(gpointer data)
{
    g_atomic_int_inc((int *)data);
    return NULL;
}

static int live(void)
{
    int counter = 0;
    GThread *thread = g_thread_try_new("worker", add_one, &counter, NULL);
    if (!thread)
        return 1;
    g_thread_join(thread);
    int memory = memfd_create("shadow", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory < 0 || ftruncate(memory, 4096) < 0)
        return 2;
    if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0) == MAP_FAILED)
        return 3;
    if (eventfd(0, EFD_CLOEXEC) < 0)
        return 4;
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_timeout_add(1, (GSourceFunc)(void (*)(void))g_main_loop_quit, loop);
    g_main_loop_run(loop);
    return counter == 1 ? 0 : 5;
}

START_TEST(every_profile_lets_threads_memory_and_main_loops_work)
{
    ck_assert_int_eq(inside(profiles[_i], live), 0);
}
END_TEST

static int pair(void)
{
    int ends[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 ? 0 : 1;
}

START_TEST(socket_pairs_work_for_clients_web_and_seats_alone)
{
    ck_assert_int_eq(inside(SANDBOX_CLIENT, pair), 0);
    ck_assert_int_eq(inside(SANDBOX_WEB, pair), 0);
    ck_assert_int_eq(inside(SANDBOX_SEAT, pair), 0);
    ck_assert_int_eq(inside(SANDBOX_GATE, pair), 1);
    ck_assert_int_eq(inside(SANDBOX_GREETER, pair), 1);
}
END_TEST

static int reopen_read_only(void)
{
    int memory = memfd_create("shadow", MFD_CLOEXEC);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", memory);
    if (ftruncate(memory, 4096) < 0)
        return 1;
    int again = open(path, O_RDONLY | O_CLOEXEC);
    if (again < 0)
        return 2;
    return ftruncate(again, 0) < 0 ? 0 : 3;
}

START_TEST(seats_and_greeters_can_reopen_their_memory_for_reading)
{
    ck_assert_int_eq(inside(SANDBOX_SEAT, reopen_read_only), 0);
    ck_assert_int_eq(inside(SANDBOX_GREETER, reopen_read_only), 0);
}
END_TEST

static int read_keymaps(void)
{
    return open("/usr/share/X11/xkb/rules/evdev", O_RDONLY) >= 0 ? 0 : errno;
}

START_TEST(a_greeter_reads_keymaps)
{
    if (access("/usr/share/X11/xkb/rules/evdev", R_OK) == 0)
        ck_assert_int_eq(inside(SANDBOX_GREETER, read_keymaps), 0);
}
END_TEST

static int fork_a_child(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return child > 0 ? 0 : 1;
}

/* In a child: the leader of a group cannot leave it anyway. */
static int leave_the_group(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(setsid() >= 0 || setpgid(0, 0) == 0);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

START_TEST(a_child_of_a_seat_stays_in_the_group_that_is_killed_with_it)
{
    ck_assert_int_eq(inside(SANDBOX_SEAT, leave_the_group), 0);
}
END_TEST

START_TEST(only_a_seat_may_fork)
{
    ck_assert_int_eq(inside(SANDBOX_CLIENT, fork_a_child), 1);
    ck_assert_int_eq(inside(SANDBOX_GREETER, fork_a_child), 1);
    ck_assert_int_eq(inside(SANDBOX_SEAT, fork_a_child), 0);
}
END_TEST

static int write_a_file(void)
{
    return open("/tmp", O_TMPFILE | O_RDWR, 0600) < 0 && mkdir("/tmp/sandbox-test", 0700) < 0 &&
                   open("/dev/null", O_RDWR) >= 0
               ? 0
               : 1;
}

START_TEST(a_seat_writes_to_devices_alone)
{
    char *missing = NULL;
    ck_assert(sandbox_enter(SANDBOX_SEAT, &missing, NULL));
    if (!strstr(missing, "Landlock"))
        ck_assert_int_eq(write_a_file(), 0);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("sandbox");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, every_profile_refuses_socket_connect_exec_and_ptrace, 0,
                        G_N_ELEMENTS(profiles));
    tcase_add_loop_test(cases, every_profile_lets_threads_memory_and_main_loops_work, 0,
                        G_N_ELEMENTS(profiles));
    tcase_add_test(cases, socket_pairs_work_for_clients_web_and_seats_alone);
    tcase_add_test(cases, seats_and_greeters_can_reopen_their_memory_for_reading);
    tcase_add_test(cases, a_greeter_reads_keymaps);
    tcase_add_test(cases, a_child_of_a_seat_stays_in_the_group_that_is_killed_with_it);
    tcase_add_test(cases, only_a_seat_may_fork);
    tcase_add_test(cases, a_seat_writes_to_devices_alone);
    return suite_run("sandbox", cases);
}
