/* Bytes that are no requests, peers that do not read, and the bounds on everything. */
#include "tests/unit/control/harness.h"

#include "broker/control/control_internal.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char *ask(const char *text, gssize length)
{
    int fd = connect_admin();
    char *answer = exchange_line(fd, text, length);
    close(fd);
    return answer;
}

static void expect_usage(const char *text, gssize length)
{
    g_autofree char *answer = ask(text, length);
    ck_assert_ptr_nonnull(answer);
    ck_assert_msg(strstr(answer, "\"usage\"") != NULL, "%s", answer);
}

START_TEST(what_is_no_request_is_answered_as_such_and_the_link_lives_on)
{
    static const char *const nonsense[] = {"hello\n",
                                           "[]\n",
                                           "{\"id\":1}\n",
                                           "{\"id\":1,\"verb\":7}\n",
                                           "{\"id\":1,\"verb\":\"no.such\"}\n",
                                           "{\"id\":1,\"verb\":\"user.list\",\"args\":[]}\n",
                                           "{\"id\":1,\"verb\":\"user.list\",\"args\":{\"x\":1}}\n",
                                           "{\"id\":1,\"verb\":\"user.show\",\"args\":{\"name\":{}}}\n",
                                           "{\"id\":1,\"verb\":\"user.show\",\"args\":{\"name\":\"a/b\"}}\n",
                                           "{\"id\":1,\"verb\":\"user.show\"}\n"};
    int fd = connect_admin();
    for (guint i = 0; i < G_N_ELEMENTS(nonsense); i++) {
        expect_usage(nonsense[i], -1);
        g_autofree char *answer = exchange_line(fd, nonsense[i], -1);
        ck_assert_ptr_nonnull(strstr(answer, "\"usage\""));
    }
    g_autofree char *answer = exchange_line(fd, "{\"id\":5,\"verb\":\"user.list\"}\n", -1);
    ck_assert_str_eq(answer, "{\"id\":5,\"result\":[]}");
    close(fd);
}
END_TEST

START_TEST(bytes_that_are_no_text_are_refused)
{
    expect_usage("\xff\xfe\n", 3);
    expect_usage("{\"id\":1,\"verb\":\"user.list\0\"}\n", 30);
}
END_TEST

START_TEST(deep_nesting_is_refused_before_it_is_parsed)
{
    g_autoptr(GString) deep = g_string_new("{\"id\":1,\"verb\":\"user.list\",\"args\":");
    for (guint i = 0; i < 20000; i++)
        g_string_append_c(deep, '[');
    g_string_append_c(deep, '\n');
    expect_usage(deep->str, (gssize)deep->len);
}
END_TEST

START_TEST(a_request_without_an_end_is_cut_off_at_the_limit)
{
    g_autofree char *flood = g_strnfill(200000, 'x');
    ck_assert_ptr_null(ask(flood, -1));
    g_autofree char *answer = ask("{\"id\":1,\"verb\":\"user.list\"}\n", -1);
    ck_assert_ptr_nonnull(answer);
}
END_TEST

START_TEST(answers_carry_the_request_s_number_also_when_many_are_under_way)
{
    g_autoptr(GString) all = g_string_new(NULL);
    gboolean seen[100] = {0};
    for (guint i = 0; i < 100; i++)
        g_string_append_printf(all, "{\"id\":%u,\"verb\":\"user.list\"}\n", i);
    int fd = connect_admin();
    for (guint i = 0; i < 100; i++) {
        g_autofree char *answer = exchange_line(fd, i == 0 ? all->str : "", -1);
        guint id = 1000;
        ck_assert_ptr_nonnull(answer);
        ck_assert_int_eq(sscanf(answer, "{\"id\":%u", &id), 1);
        ck_assert_uint_lt(id, 100);
        ck_assert(!seen[id]);
        seen[id] = TRUE;
    }
    close(fd);
}
END_TEST

START_TEST(a_peer_that_does_not_read_is_closed_and_others_go_on)
{
    int fd = connect_admin(), small = 4096;
    const char *line = "{\"id\":1,\"verb\":\"api.openapi\"}\n";
    gboolean closed = FALSE;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (guint i = 0; i < 100000 && !closed; i++) {
        if (send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            closed = errno != EAGAIN;
        while (g_main_context_iteration(NULL, FALSE))
            continue;
    }
    ck_assert(closed);
    close(fd);
    g_autofree char *answer = ask("{\"id\":1,\"verb\":\"user.list\"}\n", -1);
    ck_assert_ptr_nonnull(answer);
}
END_TEST

START_TEST(a_peer_that_leaves_in_the_middle_harms_nobody)
{
    make_desktop("d1");
    int fd = connect_admin();
    const char *line = "{\"id\":1,\"verb\":\"user.add\",\"args\":{\"name\":\"alice\",\"password\":\"x\"}}\n";
    ck_assert_int_gt(send(fd, line, strlen(line), 0), 0);
    for (guint i = 0; i < 3; i++)
        g_main_context_iteration(NULL, FALSE);
    close(fd);
    g_autofree char *answer = NULL;
    for (guint i = 0; i < 1000 && !(answer && strstr(answer, "alice")); i++) {
        g_free(answer);
        answer = ask("{\"id\":1,\"verb\":\"user.list\"}\n", -1);
    }
    ck_assert_ptr_nonnull(strstr(answer, "alice"));
}
END_TEST

START_TEST(too_many_links_are_turned_away)
{
    int fds[70];
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
        fds[i] = connect_admin();
    ck_assert_ptr_nonnull(strstr(harness.hello, "unreachable"));
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
        close(fds[i]);
}
END_TEST

START_TEST(root_and_the_group_s_members_come_in_and_nobody_else)
{
    const gid_t groups[] = {5, 6, 7};
    ck_assert(control_peer_admitted(0, 0, NULL, 0, FALSE, 0));
    ck_assert(!control_peer_admitted(1000, 1000, groups, 3, FALSE, 0));
    ck_assert(!control_peer_admitted(1000, 0, groups, 3, FALSE, 0));
    ck_assert(control_peer_admitted(1000, 42, groups, 3, TRUE, 42));
    ck_assert(control_peer_admitted(1000, 1000, groups, 3, TRUE, 7));
    ck_assert(!control_peer_admitted(1000, 1000, groups, 3, TRUE, 8));
}
END_TEST

START_TEST(the_web_s_link_is_replaced_by_a_newer_one)
{
    int ends[2], old = harness.web;
    char byte;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    control_attach_web(harness.control, ends[0]);
    ck_assert_int_eq(recv(old, &byte, 1, MSG_DONTWAIT), 0);
    close(old);
    harness.web = ends[1];
    JsonObject *answer = web_raw("{\"id\":3,\"verb\":\"api.routes\"}");
    ck_assert(json_object_has_member(answer, "result"));
}
END_TEST

int main(void)
{
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, harness_setup, harness_teardown);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, what_is_no_request_is_answered_as_such_and_the_link_lives_on);
    tcase_add_test(all, bytes_that_are_no_text_are_refused);
    tcase_add_test(all, deep_nesting_is_refused_before_it_is_parsed);
    tcase_add_test(all, a_request_without_an_end_is_cut_off_at_the_limit);
    tcase_add_test(all, answers_carry_the_request_s_number_also_when_many_are_under_way);
    tcase_add_test(all, a_peer_that_does_not_read_is_closed_and_others_go_on);
    tcase_add_test(all, a_peer_that_leaves_in_the_middle_harms_nobody);
    tcase_add_test(all, too_many_links_are_turned_away);
    tcase_add_test(all, root_and_the_group_s_members_come_in_and_nobody_else);
    tcase_add_test(all, the_web_s_link_is_replaced_by_a_newer_one);
    return suite_run("control_link", all);
}
