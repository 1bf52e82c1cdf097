/* The real gate behind a real fernwerkd: silent, slow, lying and too many connections. Needs root. */
#include "tests/unit/fernwerkd/instance.h"
#include "tests/unit/suite.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOON 10000
#define MANY 400

static const guint8 request[] = {3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 1, 0, 0, 0};

static pid_t find_gate(void)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    pid_t found = 0;
    while ((entry = readdir(proc))) {
        g_autofree char *path = g_strdup_printf("/proc/%s/status", entry->d_name), *text = NULL;
        g_autofree char *uid = g_strdup_printf("\nUid:\t%u", instance_uid_base() + 2);
        if (g_ascii_isdigit(*entry->d_name) && g_file_get_contents(path, &text, NULL, NULL) &&
            g_str_has_prefix(text, "Name:\tfernwerk-gate") && strstr(text, uid))
            found = atoi(entry->d_name);
    }
    closedir(proc);
    ck_assert_int_gt(found, 0);
    return found;
}

static long number_in(pid_t pid, const char *file, const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", pid, file), *text = NULL;
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    const char *at = strstr(text, name);
    ck_assert_ptr_nonnull(at);
    return atol(at + strlen(name));
}

static guint count_descriptors(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", pid);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint count = 0;
    while (g_dir_read_name(dir))
        count++;
    return count;
}

/* Waits until the process has that many descriptors, no fewer and no more. */
static void await_descriptors(pid_t pid, guint count)
{
    for (guint waited = 0; waited < SOON && count_descriptors(pid) != count; waited += 20)
        g_usleep(20000);
    ck_assert_uint_eq(count_descriptors(pid), count);
}

/* Processor time of a process, ms. */
static long cpu_ms(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid), *text = NULL;
    unsigned long user = 0, system = 0;
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    sscanf(strrchr(text, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (long)((user + system) * 1000 / (unsigned long)sysconf(_SC_CLK_TCK));
}

START_TEST(a_request_in_two_pieces_arrives_whole)
{
    Instance *instance = instance_start("");
    int fd = client_connect(instance->rdp, request, 7);
    ck_assert(!client_is_closed(fd, 500));
    ck_assert_int_eq(send(fd, request + 7, sizeof request - 7, MSG_NOSIGNAL), (ssize_t)sizeof request - 7);
    ck_assert_ptr_nonnull(client_hear(fd, "hello", SOON));
    instance_stop(instance);
}
END_TEST

START_TEST(garbage_and_half_a_packet_are_dropped)
{
    Instance *instance = instance_start("");
    int garbage = client_connect(instance->rdp, "GET / HTTP/1.1\r\n\r\n", 18);
    ck_assert(client_is_closed(garbage, SOON));
    int half = client_connect(instance->rdp, request, 12);
    shutdown(half, SHUT_WR);
    ck_assert(client_is_closed(half, SOON));
    int vnc = client_connect(instance->vnc, "GET / HTTP/1.1\r\n\r\n", 18);
    ck_assert(client_is_closed(vnc, SOON));
    int good = client_connect_rdp(instance);
    ck_assert_ptr_nonnull(client_hear(good, "hello", SOON));
    instance_stop(instance);
}
END_TEST

START_TEST(a_silent_connection_ends_after_the_time_for_the_first_packet)
{
    Instance *instance = instance_start("[limits]\nfirst_packet_s = 1\n");
    gint64 begun = g_get_monotonic_time();
    int fd = client_connect(instance->rdp, NULL, 0);
    ck_assert(client_is_closed(fd, SOON));
    ck_assert_int_ge(g_get_monotonic_time() - begun, 900000);
    instance_stop(instance);
}
END_TEST

START_TEST(a_source_has_a_bounded_number_of_half_open_connections)
{
    Instance *instance = instance_start("[limits]\nhalf_open_per_source = 3\n");
    int fds[4];
    for (guint i = 0; i < 4; i++)
        fds[i] = client_connect(instance->rdp, NULL, 0);
    ck_assert(client_is_closed(fds[3], SOON));
    ck_assert(!client_is_closed(fds[0], 200));
    instance_stop(instance);
}
END_TEST

START_TEST(a_viewer_refused_at_a_limit_can_read_why)
{
    Instance *instance = instance_start("[limits]\nhalf_open_per_source = 1\n");
    int first = client_connect(instance->vnc, NULL, 0), second = client_connect(instance->vnc, NULL, 0);
    struct pollfd said = {.fd = second, .events = POLLRDHUP};
    char bytes[200] = "";
    ck_assert_int_eq(poll(&said, 1, SOON), 1); /* all has been said: what comes late must not reset it */
    ck_assert_int_eq(send(second, "RFB 003.008\n", 12, MSG_NOSIGNAL), 12);
    ssize_t length = recv(second, bytes, sizeof bytes - 1, MSG_WAITALL);
    ck_assert_int_gt(length, 17);
    ck_assert_mem_eq(bytes, "RFB 003.008\n\0\0\0\0", 16);
    ck_assert_int_eq((guint8)bytes[16], length - 17);
    ck_assert_ptr_nonnull(strstr(bytes + 17, "Too many connections"));
    ck_assert_int_eq(recv(second, bytes, sizeof bytes, 0), 0);
    ck_assert_int_eq(send(second, "x", 1, MSG_NOSIGNAL), 1); /* no reset has come */
    ck_assert(!client_is_closed(first, 100));
    instance_stop(instance);
}
END_TEST

START_TEST(a_half_open_connection_costs_one_descriptor_less_than_16_kib_and_no_time)
{
    Instance *instance = instance_start("[limits]\nhalf_open_per_source = 1000\nrate_per_source = 100000\n");
    pid_t gate = find_gate();
    guint descriptors = count_descriptors(gate) + 1;
    int warm_up = client_connect(instance->vnc, NULL, 0);
    await_descriptors(gate, descriptors);
    long memory = number_in(gate, "smaps_rollup", "\nPss:");
    for (guint i = 0; i < MANY; i++)
        client_connect(i % 2 ? instance->rdp : instance->vnc, request, i % 2 ? 11 : 0);
    await_descriptors(gate, descriptors + MANY);
    long cost = number_in(gate, "smaps_rollup", "\nPss:") - memory, used = cpu_ms(gate);
#ifndef FERNWERK_SANITIZED
    ck_assert_int_lt(cost, MANY * 16);
#endif
    g_usleep(2000000);
    ck_assert_int_le(cpu_ms(gate) - used, 100); /* 2 s of waiting */
    printf("%d half-open connections: %ld KiB\n", MANY, cost);
    close(warm_up);
    instance_stop(instance);
}
END_TEST

/* Holds `count` connections in a process of its own, whose descriptors are not ours. */
static pid_t hold_connections(const Instance *instance, guint count)
{
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        for (guint i = 0; i < count; i++)
            client_connect(instance->rdp, NULL, 0);
        ssize_t ignored = write(ready[1], "x", 1);
        (void)ignored;
        pause();
        _exit(0);
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

START_TEST(a_full_descriptor_table_does_not_spin_and_recovers)
{
    const struct rlimit few = {200, 200};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    Instance *instance = instance_start("[limits]\nhalf_open_per_source = 1000\nrate_per_source = 100000\n");
    pid_t gate = find_gate(), holders[2];
    for (guint i = 0; i < 2; i++)
        holders[i] = hold_connections(instance, 120);
    await_descriptors(gate, few.rlim_cur);
    long used = cpu_ms(gate);
    g_usleep(2000000);
    ck_assert_int_le(cpu_ms(gate) - used, 100);
    for (guint i = 0; i < 2; i++)
        kill(holders[i], SIGKILL);
    int good = client_connect_rdp(instance);
    ck_assert_ptr_nonnull(client_hear(good, "hello", SOON));
    instance_stop(instance);
}
END_TEST

START_TEST(the_listeners_outlive_the_gate)
{
    Instance *instance = instance_start("");
    int before = client_connect_rdp(instance);
    ck_assert_ptr_nonnull(client_hear(before, "hello", SOON));
    kill(find_gate(), SIGKILL);
    int after = client_connect_rdp(instance);
    ck_assert_ptr_nonnull(client_hear(after, "hello", SOON));
    ck_assert(!client_is_closed(before, 100));
    instance_stop(instance);
}
END_TEST

int main(void)
{
    struct rlimit files = {4096, 4096};
    if (geteuid() != 0) {
        fprintf(stderr, "these tests need root\n");
        return 77;
    }
    setrlimit(RLIMIT_NOFILE, &files);
    TCase *cases = tcase_create("gate");
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, a_request_in_two_pieces_arrives_whole);
    tcase_add_test(cases, garbage_and_half_a_packet_are_dropped);
    tcase_add_test(cases, a_silent_connection_ends_after_the_time_for_the_first_packet);
    tcase_add_test(cases, a_source_has_a_bounded_number_of_half_open_connections);
    tcase_add_test(cases, a_viewer_refused_at_a_limit_can_read_why);
    tcase_add_test(cases, a_half_open_connection_costs_one_descriptor_less_than_16_kib_and_no_time);
    tcase_add_test(cases, a_full_descriptor_table_does_not_spin_and_recovers);
    tcase_add_test(cases, the_listeners_outlive_the_gate);
    return suite_run("gate", cases);
}
