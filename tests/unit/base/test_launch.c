/* What a launched program has, and what it has not. Needs root. */
#include "base/launch.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER 1879999999u

/* Runs `script` in a launched shell whose descriptor 4 is where it writes to; returns what it wrote. */
static char *run(const char *script, int *status)
{
    static const gid_t groups[] = {USER + 1};
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)script, NULL};
    int ends[2], pidfd, descriptors[2];
    char text[4096];
    gsize length = 0;
    ssize_t got;

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    descriptors[0] = ends[0];
    descriptors[1] = ends[1];
    Launch launch = {.path = "/bin/sh",
                     .argv = argv,
                     .uid = USER,
                     .gid = USER,
                     .groups = groups,
                     .group_count = 1,
                     .descriptors = descriptors,
                     .descriptor_count = 2,
                     .files = 40,
                     .data = 64 << 20};
    pid_t pid = launch_start(&launch, &pidfd, NULL);
    ck_assert_int_gt(pid, 0);
    close(ends[1]);
    while (length < sizeof text - 1 && (got = read(ends[0], text + length, sizeof text - 1 - length)) > 0)
        length += (gsize)got;
    text[length] = '\0';
    ck_assert_int_eq(waitpid(pid, status, 0), pid);
    close(ends[0]);
    close(pidfd);
    return g_strdup(text);
}

START_TEST(a_program_has_its_user_its_groups_and_no_capability)
{
    int status;
    g_autofree char *found =
        run("grep -E '^(Uid|Groups|CapPrm|CapBnd|NoNewPrivs)' /proc/self/status >&4", &status);
    g_autofree char *expected = g_strdup_printf("Uid:\t%1$u\t%1$u\t%1$u\t%1$u\nGroups:\t%2$u \n"
                                                "CapPrm:\t0000000000000000\nCapBnd:\t0000000000000000\n"
                                                "NoNewPrivs:\t1\n",
                                                USER, USER + 1);
    ck_assert_str_eq(found, expected);
}
END_TEST

START_TEST(a_program_inherits_the_given_descriptors_and_no_other)
{
    int status, other = dup(STDERR_FILENO);
    /* Without a pipeline, whose descriptors would show; that of the folder is closed when it is asked for. */
    g_autofree char *found =
        run("exec >&4; for fd in /proc/$$/fd/*; do [ ! -e $fd ] || printf '%s ' ${fd##*/}; done", &status);
    close(other);
    ck_assert_str_eq(found, "0 1 2 3 4 ");
}
END_TEST

START_TEST(a_program_has_little_environment_and_its_limits)
{
    int status;
    g_setenv("SECRET", "word", TRUE);
    g_autofree char *found = run("echo \"$HOME $PWD ${SECRET-unset} $(umask) $(ulimit -n) $(ulimit -d) "
                                 "$(ulimit -c)\" >&4",
                                 &status);
    ck_assert_str_eq(found, "/nonexistent / unset 0077 40 65536 0\n");
}
END_TEST

START_TEST(a_program_that_is_not_there_ends_with_127)
{
    char *argv[] = {(char *)"none", NULL};
    Launch launch = {.path = "/nonexistent/none", .argv = argv, .uid = USER, .gid = USER, .files = 40};
    int status, pidfd;
    launch.data = RLIM_INFINITY;
    pid_t pid = launch_start(&launch, &pidfd, NULL);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    close(pidfd);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 127);
}
END_TEST

int main(void)
{
    if (geteuid() != 0) {
        puts("needs root");
        return 77;
    }
    TCase *cases = tcase_create("launch");
    tcase_add_test(cases, a_program_has_its_user_its_groups_and_no_capability);
    tcase_add_test(cases, a_program_inherits_the_given_descriptors_and_no_other);
    tcase_add_test(cases, a_program_has_little_environment_and_its_limits);
    tcase_add_test(cases, a_program_that_is_not_there_ends_with_127);
    return suite_run("launch", cases);
}
