/* What a refused client is told, in its own protocol and version. */
#include "broker/gate/refusals.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

START_TEST(a_viewer_reads_no_security_type_and_then_the_reason)
{
    guint8 bytes[REFUSAL_MAX];
    gsize length = refusal_write(bytes, CLIENT_VNC, "RFB 003.008\n");
    ck_assert_mem_eq(bytes, "\0\0\0\0", 4);
    ck_assert_uint_eq(bytes[4], length - 5);
    ck_assert_mem_eq(bytes + 5, "Too many", 8);
}
END_TEST

START_TEST(a_viewer_of_the_oldest_version_reads_a_word_instead_of_a_count)
{
    guint8 bytes[REFUSAL_MAX];
    gsize length = refusal_write(bytes, CLIENT_VNC, "RFB 003.003\n");
    ck_assert_mem_eq(bytes, "\0\0\0\0\0\0\0", 7);
    ck_assert_uint_eq(bytes[7], length - 8);
    ck_assert_mem_eq(bytes + 8, "Too many", 8);
}
END_TEST

START_TEST(a_viewer_that_has_not_spoken_yet_is_first_told_the_version)
{
    guint8 bytes[REFUSAL_MAX];
    gsize length = refusal_write(bytes, CLIENT_VNC, NULL);
    ck_assert_mem_eq(bytes, "RFB 003.008\n\0\0\0\0", 16);
    ck_assert_uint_eq(bytes[16], length - 17);
}
END_TEST

START_TEST(no_more_than_so_many_are_waited_for)
{
    Refusals *refusals = refusals_new();
    int peers[REFUSALS_MAX + 1];
    char byte;
    for (guint i = 0; i <= REFUSALS_MAX; i++) {
        int ends[2];
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        peers[i] = ends[1];
        refusals_take(refusals, ends[0], CLIENT_VNC, NULL);
    }
    ck_assert_int_eq(send(peers[0], "x", 1, MSG_NOSIGNAL), -1); /* closed already */
    ck_assert_int_eq(send(peers[1], "x", 1, MSG_NOSIGNAL), 1);
    ck_assert_int_eq(recv(peers[1], &byte, 1, 0), 1);
    for (guint i = 0; i <= REFUSALS_MAX; i++)
        close(peers[i]);
}
END_TEST

START_TEST(whoever_goes_on_sending_is_not_listened_to_any_longer)
{
    static const char bytes[512];
    static Refusals *refusals; /* there is no end of them */
    int ends[2];
    gsize sent = 0;

    refusals = refusals_new();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    refusals_take(refusals, ends[0], CLIENT_VNC, NULL);
    while (sent <= 64 * 1024 && send(ends[1], bytes, sizeof bytes, MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
        sent += sizeof bytes;
        while (g_main_context_iteration(NULL, FALSE))
            continue;
    }
    ck_assert_uint_ge(sent, 8 * 1024); /* what a client may well have sent before it reads */
    ck_assert_uint_le(sent, 64 * 1024);
    close(ends[1]);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("refusals");
    tcase_add_test(cases, a_viewer_reads_no_security_type_and_then_the_reason);
    tcase_add_test(cases, a_viewer_of_the_oldest_version_reads_a_word_instead_of_a_count);
    tcase_add_test(cases, a_viewer_that_has_not_spoken_yet_is_first_told_the_version);
    tcase_add_test(cases, no_more_than_so_many_are_waited_for);
    tcase_add_test(cases, whoever_goes_on_sending_is_not_listened_to_any_longer);
    return suite_run("refusals", cases);
}
