/* fernwerkd with puppets: arrivals, introductions, ends, deadlines, crashes. Needs root. */
#include "base/log.h"
#include "base/proto/master_link.h"
#include "tests/unit/fernwerkd/instance.h"
#include "tests/unit/suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOON 10000 /* ms: generous, for slow machines; nothing here waits for it when all is well */

typedef struct {
    int fd;
    unsigned long client, greeter;
    unsigned uid;
    pid_t pid;
} Visitor;

static Visitor arrive(Instance *instance)
{
    Visitor visitor = {.fd = client_connect_rdp(instance)};
    unsigned kind;
    const char *hello = client_hear(visitor.fd, "hello", SOON);
    ck_assert_ptr_nonnull(hello);
    ck_assert_int_eq(sscanf(hello, "hello kind=%u uid=%u pid=%d", &kind, &visitor.uid, &visitor.pid), 3);
    ck_assert_uint_eq(kind, KIND_RDP);
    const char *arrival = instance_hear(instance, "arrival", SOON);
    ck_assert_ptr_nonnull(arrival);
    ck_assert_int_eq(sscanf(arrival, "arrival %lu %lu 1 127.0.0.1", &visitor.client, &visitor.greeter), 2);
    return visitor;
}

static unsigned long spawn(Instance *instance, ProcessKind kind)
{
    unsigned long request, id;
    int error;
    instance_tell(instance, "spawn %d", kind);
    const char *reply = instance_hear(instance, "reply", SOON);
    ck_assert_int_eq(sscanf(reply, "reply %lu %d %lu", &request, &error, &id), 3);
    ck_assert_int_eq(error, 0);
    return id;
}

/* Sends a request and returns the error of its reply. */
G_GNUC_PRINTF(2, 3)
static int ask(Instance *instance, const char *format, ...)
{
    unsigned long request;
    int error = -1;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *line = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    instance_tell(instance, "%s", line);
    const char *reply = instance_hear(instance, "reply", SOON);
    ck_assert_ptr_nonnull(reply);
    sscanf(reply, "reply %lu %d", &request, &error);
    return error;
}

START_TEST(an_arrival_gets_a_client_and_a_greeter_under_users_of_their_own)
{
    Instance *instance = instance_start("");
    Visitor first = arrive(instance), second = arrive(instance);
    ck_assert_uint_ne(first.client, second.client);
    ck_assert_uint_ne(first.uid, second.uid);
    ck_assert_uint_ge(first.uid, instance_uid_base() + 1000);
    instance_stop(instance);
    ck_assert(client_is_closed(first.fd, SOON));
}
END_TEST

#ifndef FERNWERK_SANITIZED
START_TEST(a_client_process_has_a_limit_of_memory)
{
    Instance *instance = instance_start("");
    int fd = client_connect_rdp(instance);
    const char *hello = client_hear(fd, "hello", SOON), *data = hello ? strstr(hello, "data=") : NULL;
    ck_assert_ptr_nonnull(data);
    ck_assert_uint_le(strtoul(data + 5, NULL, 10), 1ul << 30);
    instance_stop(instance);
    close(fd);
}
END_TEST
#endif

START_TEST(every_process_logs_as_much_as_is_configured)
{
    Instance *instance = instance_start("[fernwerk]\nlog_level = warning\n");
    g_autofree char *expected = g_strdup_printf(" log=%d", LOG_LEVEL_WARNING);
    int fd = client_connect_rdp(instance);
    const char *hello = client_hear(fd, "hello", SOON);
    ck_assert_ptr_nonnull(hello);
    ck_assert_msg(g_str_has_suffix(hello, expected), "%s", hello);
    instance_stop(instance);
}
END_TEST

START_TEST(an_introduction_needs_equal_desktop_and_epoch)
{
    Instance *instance = instance_start("");
    Visitor visitor = arrive(instance);
    unsigned long seat = spawn(instance, KIND_SEAT);
    ck_assert_int_eq(ask(instance, "introduce %lu %lu", visitor.client, seat), EPERM);
    ck_assert_int_eq(ask(instance, "bind %lu - d1 7 0", seat), 0);
    ck_assert_int_eq(ask(instance, "bind %lu alice - 0 1", visitor.client), 0);
    ck_assert_int_eq(ask(instance, "introduce %lu %lu", visitor.client, seat), EPERM);
    ck_assert_int_eq(ask(instance, "bind %lu alice d1 8 1", visitor.client), 0);
    ck_assert_int_eq(ask(instance, "introduce %lu %lu", visitor.client, seat), EPERM);
    ck_assert_int_eq(ask(instance, "bind %lu alice d1 7 1", visitor.client), EEXIST);
    ck_assert_int_eq(ask(instance, "bind %lu bob - 0 0", visitor.client), EEXIST);
    unsigned long other = spawn(instance, KIND_SEAT);
    ck_assert_int_eq(ask(instance, "bind %lu - d1 8 0", other), 0);
    ck_assert_int_eq(ask(instance, "introduce %lu %lu", visitor.client, other), 0);
    g_autofree char *expected = g_strdup_printf("link peer=%lu kind=%d", other, KIND_SEAT);
    ck_assert_ptr_nonnull(client_hear(visitor.fd, expected, SOON));
    ck_assert_int_eq(ask(instance, "introduce %lu %lu", seat, other), EINVAL);
    ck_assert_int_eq(ask(instance, "introduce 99999 %lu", other), ENOENT);
    instance_stop(instance);
}
END_TEST

START_TEST(an_ended_client_says_why_and_its_greeter_goes_with_it)
{
    Instance *instance = instance_start("");
    Visitor visitor = arrive(instance);
    ck_assert_int_eq(ask(instance, "end %lu %d", visitor.client, END_TAKEN_OVER), 0);
    ck_assert_ptr_nonnull(client_hear(visitor.fd, "end 1 This desktop is continued", SOON));
    g_autofree char *gone = g_strdup_printf("gone %lu fernwerk-rdp %d", visitor.client, END_TAKEN_OVER);
    ck_assert_ptr_nonnull(instance_hear(instance, gone, SOON));
    g_autofree char *greeter = g_strdup_printf("gone %lu fernwerk-greeter", visitor.greeter);
    ck_assert_ptr_nonnull(instance_hear(instance, greeter, SOON));
    instance_stop(instance);
}
END_TEST

START_TEST(a_client_that_ignores_its_end_is_killed_after_half_a_second)
{
    Instance *instance = instance_start("");
    Visitor visitor = arrive(instance);
    ck_assert_int_gt(dprintf(visitor.fd, "linger"), 0);
    ck_assert_ptr_nonnull(client_hear(visitor.fd, "lingering", SOON));
    gint64 begun = g_get_monotonic_time();
    ck_assert_int_eq(ask(instance, "end %lu %d", visitor.client, END_KILLED), 0);
    ck_assert_ptr_nonnull(client_hear(visitor.fd, "end 3", SOON));
    g_autofree char *gone = g_strdup_printf("gone %lu fernwerk-rdp %d", visitor.client, END_KILLED);
    ck_assert_ptr_nonnull(instance_hear(instance, gone, SOON));
    gint64 took = g_get_monotonic_time() - begun;
    ck_assert_int_ge(took, 400000);
    ck_assert_int_le(took, 8000000);
    instance_stop(instance);
}
END_TEST

START_TEST(a_client_without_a_user_ends_at_the_deadline_and_one_with_a_user_stays)
{
    Instance *instance = instance_start("[limits]\nlogin_s = 5\n");
    Visitor bound = arrive(instance), unbound = arrive(instance);
    ck_assert_int_eq(ask(instance, "bind %lu alice - 0 1", bound.client), 0);
    ck_assert_ptr_nonnull(client_hear(unbound.fd, "end 4 Nobody logged in", SOON));
    ck_assert(!client_is_closed(bound.fd, 1500));
    instance_stop(instance);
}
END_TEST

START_TEST(typing_extends_the_deadline)
{
    Instance *instance = instance_start("[limits]\nlogin_s = 5\n");
    Visitor visitor = arrive(instance);
    ck_assert_int_eq(ask(instance, "extend %lu", visitor.client), 0);
    ck_assert(!client_is_closed(visitor.fd, 7000));
    instance_stop(instance);
}
END_TEST

/* A visitor whose process is told that word: it is killed after 1.5 s, at once when it is looked after next.
 */
static void is_killed_after(const char *word)
{
    Instance *instance = instance_start("[limits]\nheartbeat_ms = 1500\n");
    Visitor visitor = arrive(instance);
    g_autofree char *gone = g_strdup_printf("gone %lu fernwerk-rdp %d", visitor.client, END_FAULT);
    gint64 begun = g_get_monotonic_time();
    ck_assert_int_gt(dprintf(visitor.fd, "%s", word), 0);
    ck_assert_ptr_nonnull(instance_hear(instance, gone, SOON));
    ck_assert_int_ge(g_get_monotonic_time() - begun, 400000);
    ck_assert_int_le(g_get_monotonic_time() - begun, 8000000);
    instance_stop(instance);
}

START_TEST(a_stopped_process_counts_as_dead)
{
    is_killed_after("stop");
}
END_TEST

START_TEST(a_process_that_hangs_counts_as_dead)
{
    is_killed_after("hang");
}
END_TEST

START_TEST(who_waits_or_gives_signs_amid_long_work_lives)
{
    Instance *instance = instance_start("[limits]\nheartbeat_ms = 1500\n");
    Visitor waiting = arrive(instance), working = arrive(instance);
    ck_assert_int_gt(dprintf(working.fd, "work"), 0);
    ck_assert(!client_is_closed(waiting.fd, 4000));
    ck_assert(!client_is_closed(working.fd, 100));
    instance_stop(instance);
}
END_TEST

START_TEST(who_was_stopped_and_goes_on_in_time_lives)
{
    Instance *instance = instance_start("[limits]\nheartbeat_ms = 4000\n");
    Visitor visitor = arrive(instance);
    for (guint i = 0; i < 4; i++) {
        kill(visitor.pid, SIGSTOP);
        g_usleep(1500000);
        kill(visitor.pid, SIGCONT);
        g_usleep(1000000);
    }
    ck_assert(!client_is_closed(visitor.fd, 1000));
    instance_stop(instance);
}
END_TEST

START_TEST(a_client_whose_greeter_dies_gets_a_new_one)
{
    Instance *instance = instance_start("");
    Visitor visitor = {.fd = client_connect_rdp(instance)};
    unsigned long id, client, greeter;
    unsigned pid;
    const char *line, *at;
    do {
        line = instance_hear(instance, "process", SOON);
        ck_assert_ptr_nonnull(line);
    } while (!strstr(line, "fernwerk-greeter"));
    at = strstr(line, "pid=");
    ck_assert(at && sscanf(at, "pid=%u", &pid) == 1 && sscanf(line, "process %lu", &id) == 1);
    ck_assert_ptr_nonnull(instance_hear(instance, "arrival", SOON));
    kill((pid_t)pid, SIGKILL);
    line = instance_hear(instance, "arrival", SOON);
    ck_assert_ptr_nonnull(line);
    ck_assert_int_eq(sscanf(line, "arrival %lu %lu", &client, &greeter), 2);
    ck_assert_uint_ne(greeter, id);
    ck_assert(!client_is_closed(visitor.fd, 300));
    instance_stop(instance);
}
END_TEST

START_TEST(a_new_broker_learns_who_lives_and_no_client_is_cut)
{
    Instance *instance = instance_start("");
    Visitor visitor = arrive(instance), second = arrive(instance);
    unsigned long seat = spawn(instance, KIND_SEAT);
    ck_assert_int_eq(ask(instance, "bind %lu - d1 7 0", seat), 0);
    ck_assert_int_eq(ask(instance, "bind %lu alice d1 7 42", visitor.client), 0);
    ck_assert_int_eq(ask(instance, "introduce %lu %lu", visitor.client, seat), 0);
    instance_tell(instance, "garbage");
    ck_assert(client_is_closed(instance->control, SOON));
    Visitor meanwhile = {.fd = client_connect_rdp(instance)};
    ck_assert_ptr_nonnull(client_hear(meanwhile.fd, "hello", SOON));
    instance_connect_broker(instance);
    instance_tell(instance, "ready");
    g_autofree char *expected_seat =
        g_strdup_printf("process %lu fernwerk-seat living=1 client=0 at=0 user= desktop=d1 epoch=7", seat);
    g_autofree char *expected_client =
        g_strdup_printf("process %lu fernwerk-rdp living=1 client=0 at=%lu user=alice desktop=d1 epoch=7",
                        visitor.client, seat);
    g_autofree char *expected_greeter =
        g_strdup_printf("process %lu fernwerk-greeter living=1 client=%lu", second.greeter, second.client);
    gboolean seat_seen = FALSE, client_seen = FALSE, greeter_seen = FALSE;
    guint arrivals = 0;
    const char *line;
    while ((line = instance_hear(instance, "", SOON)) && strcmp(line, "living-end") != 0) {
        seat_seen |= g_str_has_prefix(line, expected_seat) && strstr(line, "link=1");
        client_seen |= g_str_has_prefix(line, expected_client) && strstr(line, "link=0");
        greeter_seen |= g_str_has_prefix(line, expected_greeter) && strstr(line, "link=1");
        arrivals += g_str_has_prefix(line, "arrival");
    }
    ck_assert(seat_seen && client_seen && greeter_seen);
    ck_assert_uint_eq(arrivals, 2);
    ck_assert(!client_is_closed(visitor.fd, 100));
    instance_stop(instance);
}
END_TEST

START_TEST(a_repeated_request_gets_the_same_answer_and_has_no_second_effect)
{
    Instance *instance = instance_start("");
    instance_tell(instance, "request 1000");
    unsigned long seat = spawn(instance, KIND_SEAT);
    instance_tell(instance, "request 1000");
    ck_assert_uint_eq(spawn(instance, KIND_SEAT), seat);
    ck_assert_uint_ne(spawn(instance, KIND_SEAT), seat);
    instance_stop(instance);
}
END_TEST

/* What a viewer of RFB reads that is slow to answer; fails when the connection is reset instead of closed. */
static void expect_refusal(guint16 port)
{
    int refused = client_connect(port, NULL, 0);
    char bytes[200] = "";
    gsize used = 0;
    ssize_t n;
    g_usleep(100000);
    ck_assert_int_eq(send(refused, "RFB 003.008\n", 12, MSG_NOSIGNAL), 12);
    while (used < sizeof bytes - 1 && (n = read(refused, bytes + used, sizeof bytes - 1 - used)) > 0)
        used += (gsize)n;
    ck_assert_msg(n == 0 && send(refused, "x", 1, MSG_NOSIGNAL) == 1, "the connection was reset: %s",
                  strerror(errno));
    ck_assert_uint_gt(used, 17);
    ck_assert_mem_eq(bytes, "RFB 003.008\n\0\0\0\0", 16);
    ck_assert_uint_eq((guint8)bytes[16], used - 17);
    ck_assert_ptr_nonnull(strstr(bytes + 17, "Too many connections"));
    close(refused);
}

START_TEST(more_clients_than_allowed_are_refused_with_the_reason)
{
    Instance *instance = instance_start("[limits]\nclients_max = 1\n");
    Visitor visitor = arrive(instance);
    ck_assert_int_eq(ask(instance, "bind %lu alice - 0 1", visitor.client), 0);
    expect_refusal(instance->vnc);
    int rdp = client_connect_rdp(instance);
    guint8 words[20];
    ck_assert_int_eq(recv(rdp, words, sizeof words, MSG_WAITALL),
                     11); /* X.224: disconnect request, congestion */
    ck_assert_mem_eq(words, "\3\0\0\13\6\x80\0\0\0\0\1", 11);
    ck_assert(!client_is_closed(visitor.fd, 100));
    instance_stop(instance);
}
END_TEST

START_TEST(one_source_that_does_not_log_in_cannot_take_every_place)
{
    Instance *instance = instance_start("[limits]\nlogging_in_per_source = 2\n");
    Visitor first = arrive(instance), second = arrive(instance);
    expect_refusal(instance->vnc);
    ck_assert_int_eq(ask(instance, "extend %lu", first.client), 0);
    expect_refusal(instance->vnc);
    ck_assert_int_eq(ask(instance, "bind %lu alice - 0 1", second.client), 0);
    arrive(instance);
    expect_refusal(instance->vnc);
    instance_stop(instance);
}
END_TEST

START_TEST(logins_in_progress_take_half_of_the_places_at_most)
{
    Instance *instance = instance_start("[limits]\nclients_max = 4\n");
    Visitor first = arrive(instance);
    arrive(instance);
    expect_refusal(instance->vnc);
    ck_assert_int_eq(ask(instance, "bind %lu alice - 0 1", first.client), 0);
    arrive(instance);
    instance_stop(instance);
}
END_TEST

START_TEST(own_certificates_are_made_with_their_keys_for_root_alone)
{
    Instance *instance = instance_start("");
    static const char *const keys[] = {"ca.key", "rdp.key", "web.key"}, *const open[] = {"ca.pem", "rdp.pem",
                                                                                         "web.pem"};
    for (guint i = 0; i < 3; i++) {
        struct stat status;
        g_autofree char *key = g_build_filename(instance->dir, "state", "tls", keys[i], NULL);
        g_autofree char *certificate = g_build_filename(instance->dir, "state", "tls", open[i], NULL);
        ck_assert_int_eq(stat(key, &status), 0);
        ck_assert_uint_eq(status.st_mode & 0777, 0600);
        ck_assert_uint_eq(status.st_uid, 0);
        ck_assert_int_eq(stat(certificate, &status), 0);
    }
    instance_stop(instance);
}
END_TEST

START_TEST(a_listener_of_a_socket_unit_is_used_instead_of_the_configured_one)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(listener, 5), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    Instance *instance = instance_start_with("", listener);
    ck_assert_uint_eq(instance->rdp, ntohs(address.sin_port));
    arrive(instance);
    instance_stop(instance);
}
END_TEST

static guint64 capabilities(pid_t pid, const char *set)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", pid), *text = NULL;
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    return g_ascii_strtoull(strstr(text, set) + strlen(set), NULL, 16);
}

START_TEST(processes_hold_no_capability_and_the_master_few)
{
    Instance *instance = instance_start("");
    const char *line;
    unsigned pid = 0;
    client_connect_rdp(instance);
    ck_assert_ptr_nonnull(line = instance_hear(instance, "process", SOON));
    ck_assert_int_eq(sscanf(strstr(line, "pid="), "pid=%u", &pid), 1);
    ck_assert_uint_eq(capabilities((pid_t)pid, "CapPrm:") | capabilities((pid_t)pid, "CapBnd:") |
                          capabilities((pid_t)pid, "CapAmb:"),
                      0);
    ck_assert_uint_eq(capabilities((pid_t)pid, "NoNewPrivs:"), 1);
    guint64 kept = 1ull << 2 | 1ull << 5 | 1ull << 6 | 1ull << 7 | 1ull << 8 | 1ull << 21;
    ck_assert_uint_eq(capabilities(instance->pid, "CapPrm:") & ~kept, 0);
    ck_assert_uint_eq(capabilities(instance->pid, "CapBnd:") & ~kept, 0);
    instance_stop(instance);
}
END_TEST

/* How many of this instance's processes bear that name. */
static guint count_named(const Instance *instance, const char *name)
{
    g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);
    g_autofree char *parent = g_strdup_printf("\nPPid:\t%d\n", instance->pid);
    const char *entry;
    guint count = 0;
    while ((entry = g_dir_read_name(proc))) {
        g_autofree char *path = g_strdup_printf("/proc/%s/status", entry), *text = NULL;
        if (g_ascii_isdigit(*entry) && g_file_get_contents(path, &text, NULL, NULL) &&
            g_str_has_prefix(text + strlen("Name:\t"), name) && strstr(text, parent))
            count++;
    }
    return count;
}

START_TEST(a_new_certificate_replaces_the_warm_processes_and_cuts_no_session)
{
    Instance *instance = instance_start("[limits]\nwarm_rdp = 1\n[listen]\nhttps = 127.0.0.1:0\n");
    g_autofree char *path = g_build_filename(instance->dir, "state", "tls", "rdp.pem", NULL), *text = NULL;
    int browser = client_connect(instance->https, NULL, 0);
    ck_assert_ptr_nonnull(client_hear(browser, "hello", SOON));
    Visitor before = arrive(instance);
    for (guint i = 0; i < SOON && count_named(instance, "fernwerk-rdp") < 2; i += 10)
        g_usleep(10000);
    unsigned long mark = spawn(instance, KIND_SEAT); /* whoever is warm by now has a smaller number */
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    ck_assert(g_file_set_contents(path, text, -1, NULL));
    kill(instance->pid, SIGHUP);
    ck_assert_ptr_nonnull(client_hear(browser, "reload", SOON)); /* told in the same turn as the warm ones */
    Visitor after = arrive(instance);
    ck_assert_uint_gt(after.client, mark);
    ck_assert(!client_is_closed(before.fd, 200));
    instance_stop(instance);
}
END_TEST

START_TEST(a_reload_brings_the_web_its_certificate_key_and_ca)
{
    Instance *instance = instance_start("[listen]\nhttps = 127.0.0.1:0\n");
    static const char *const names[] = {"web.pem", "web.key", "ca.pem"};
    g_autoptr(GString) expected = g_string_new("reload");
    int browser = client_connect(instance->https, NULL, 0);
    ck_assert_ptr_nonnull(client_hear(browser, "hello", SOON));
    for (guint i = 0; i < 3; i++) {
        g_autofree char *path = g_build_filename(instance->dir, "state", "tls", names[i], NULL), *text = NULL;
        gsize length;
        ck_assert(g_file_get_contents(path, &text, &length, NULL));
        ck_assert(g_file_set_contents(path, text, (gssize)length, NULL));
        g_string_append_printf(expected, " %lu", length);
    }
    kill(instance->pid, SIGHUP);
    ck_assert_str_eq(client_hear(browser, "reload", SOON), expected->str);
    instance_stop(instance);
}
END_TEST

/* In a network namespace of this test's own process the kernel may choose from libvirt's ports and very few
 * others. */
START_TEST(port_0_keeps_clear_of_libvirts_ports)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    if (unshare(CLONE_NEWNET) < 0)
        return;
    int any = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(ioctl(any, SIOCSIFFLAGS, &lo), 0);
    close(any);
    int range = open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY);
    if (range < 0 || write(range, "5690 6010", 9) != 9)
        return;
    close(range);
    Instance *instance = instance_start("[listen]\nhttps = 127.0.0.1:0\n");
    const guint16 ports[] = {instance->rdp, instance->vnc, instance->https};
    for (guint i = 0; i < G_N_ELEMENTS(ports); i++)
        ck_assert_msg(ports[i] < 5700 || ports[i] > 5999, "port %u", ports[i]);
    instance_stop(instance);
}
END_TEST

static void expect_failure(const char *extra, const char *words)
{
    g_autofree char *output = NULL;
    ck_assert_int_eq(instance_fails(extra, &output), 1);
    ck_assert_msg(strstr(output, words) != NULL, "\"%s\" does not contain \"%s\"", output, words);
}

START_TEST(what_prevents_a_start_is_said_with_what_to_do)
{
    Instance *instance = instance_start("");
    g_autofree char *port = g_strdup_printf("[listen]\nrdp = 127.0.0.1:%u\n", instance->rdp);
    expect_failure(port, "another program listens there");
    g_autofree char *run = g_strdup_printf("[fernwerk]\nrun_dir = %s/run\n", instance->dir);
    expect_failure(run, "another fernwerkd runs with run_dir");
    g_autofree char *socket =
        g_strdup_printf("[fernwerk]\nadmin_socket = %s/run/control.sock\n", instance->dir);
    expect_failure(socket, "another instance answers");
    instance_stop(instance);
    expect_failure("[fernwerk]\nweb_user = no-such-user\n", "there is no user \"no-such-user\"");
    expect_failure("[fernwerk]\nadmin_group = no-such-group\n", "there is no group \"no-such-group\"");
    expect_failure("[fernwerk]\nlibexec_dir = /nonexistent\n", "fernwerk-certificates is missing");
    expect_failure("[tls]\nweb_key = /nonexistent\n", "belong together");
    expect_failure("[nonsense]\n", "unknown section");
}
END_TEST

static void expect_check(const char *extra, int code, const char *words)
{
    g_autofree char *output = NULL;
    ck_assert_int_eq(instance_check(extra, &output), code);
    ck_assert_msg(strstr(output, words) != NULL, "\"%s\" does not contain \"%s\"", output, words);
}

/* The configuration has 16 lines before what is added. */
START_TEST(checking_the_configuration_finds_what_a_start_would_and_names_its_line)
{
    expect_check("", 0, "ok\n");
    expect_check("rdp = 127.0.0.1:1 127.0.0.1:2 127.0.0.1:3 127.0.0.1:4 127.0.0.1:5\n", 1,
                 "fernwerk.conf:17: rdp must be at most 4 addresses");
    expect_check("https = 127.0.0.1:1 127.0.0.1:2\n", 1,
                 "fernwerk.conf:17: https must be at most 1 address,");
    expect_check("[tls]\nweb_key = /nonexistent\n", 1, "fernwerk.conf:18: tls.web_key: is set, but not");
    expect_check("[libvirt]\nuri = qemu+ssh://host/system\n", 1,
                 "fernwerk.conf:18: uri must be a URI of this");
    expect_check("[fernwerk]\nname_prefix = a/b\n", 1, "fernwerk.conf:18: name_prefix must be");
    expect_check("[web]\npublic_host = https://x/\n", 1, "fernwerk.conf:18: public_host must be");
    expect_check("[encoder]\nsoftware = x265enc\n", 1, "fernwerk.conf:18: software must be one of");
    expect_check("[encoder]\ncandidates = vah264enc vah265enc\n", 1, "fernwerk.conf:18: candidates must be");
    expect_check("[fernwerk]\ngate_user = no-such-user\n", 1,
                 "fernwerk.conf:18: fernwerk.gate_user: there is");
    expect_check("[fernwerk]\nbroker_groups = a b;c\n", 1, "fernwerk.conf:18: broker_groups must be");
    expect_check(
        "[fernwerk]\nadmin_socket = /tmp/0123456789012345678901234567890123456789012345678901234567890123456"
        "789012345678901234567890123456789.sock\n",
        1, "at most 107 bytes");
}
END_TEST

int main(void)
{
    if (geteuid() != 0) {
        fprintf(stderr, "these tests need root\n");
        return 77;
    }
    TCase *cases = tcase_create("fernwerkd");
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, an_arrival_gets_a_client_and_a_greeter_under_users_of_their_own);
#ifndef FERNWERK_SANITIZED
    tcase_add_test(cases, a_client_process_has_a_limit_of_memory);
#endif
    tcase_add_test(cases, every_process_logs_as_much_as_is_configured);
    tcase_add_test(cases, an_introduction_needs_equal_desktop_and_epoch);
    tcase_add_test(cases, an_ended_client_says_why_and_its_greeter_goes_with_it);
    tcase_add_test(cases, a_client_that_ignores_its_end_is_killed_after_half_a_second);
    tcase_add_test(cases, a_client_without_a_user_ends_at_the_deadline_and_one_with_a_user_stays);
    tcase_add_test(cases, typing_extends_the_deadline);
    tcase_add_test(cases, a_stopped_process_counts_as_dead);
    tcase_add_test(cases, a_process_that_hangs_counts_as_dead);
    tcase_add_test(cases, who_waits_or_gives_signs_amid_long_work_lives);
    tcase_add_test(cases, who_was_stopped_and_goes_on_in_time_lives);
    tcase_add_test(cases, a_client_whose_greeter_dies_gets_a_new_one);
    tcase_add_test(cases, a_new_broker_learns_who_lives_and_no_client_is_cut);
    tcase_add_test(cases, a_repeated_request_gets_the_same_answer_and_has_no_second_effect);
    tcase_add_test(cases, more_clients_than_allowed_are_refused_with_the_reason);
    tcase_add_test(cases, one_source_that_does_not_log_in_cannot_take_every_place);
    tcase_add_test(cases, logins_in_progress_take_half_of_the_places_at_most);
    tcase_add_test(cases, own_certificates_are_made_with_their_keys_for_root_alone);
    tcase_add_test(cases, a_listener_of_a_socket_unit_is_used_instead_of_the_configured_one);
    tcase_add_test(cases, processes_hold_no_capability_and_the_master_few);
    tcase_add_test(cases, a_new_certificate_replaces_the_warm_processes_and_cuts_no_session);
    tcase_add_test(cases, a_reload_brings_the_web_its_certificate_key_and_ca);
    tcase_add_test(cases, port_0_keeps_clear_of_libvirts_ports);
    tcase_add_test(cases, what_prevents_a_start_is_said_with_what_to_do);
    tcase_add_test(cases, checking_the_configuration_finds_what_a_start_would_and_names_its_line);
    return suite_run("fernwerkd", cases);
}
