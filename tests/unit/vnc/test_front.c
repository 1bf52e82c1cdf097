/* The handshake's state machine. */
#include "session/vnc/front.h"
#include "tests/unit/suite.h"

#include <string.h>

typedef struct {
    Front *front;
    GByteArray *out;
} Fixture;

static Fixture open_front(FrontKind kind)
{
    Fixture f = {.out = g_byte_array_new()};
    f.front = front_new(kind, f.out);
    return f;
}

static void close_front(Fixture *f)
{
    front_free(f->front);
    g_byte_array_unref(f->out);
}

static FrontStep feed(Fixture *f, const void *bytes, gsize length)
{
    gsize used;
    FrontStep step = front_feed(f->front, bytes, length, &used);
    ck_assert_uint_eq(used, length);
    return step;
}
#define FEED(F, TEXT) feed(F, TEXT, sizeof(TEXT) - 1)

/* What was said since the last look is exactly this. */
static void said(Fixture *f, const void *bytes, gsize length)
{
    ck_assert_uint_eq(f->out->len, length);
    ck_assert_mem_eq(f->out->data, bytes, length);
    g_byte_array_set_size(f->out, 0);
}
#define SAID(F, TEXT) said(F, TEXT, sizeof(TEXT) - 1)

static void said_reason(Fixture *f, gsize before, const char *part)
{
    ck_assert_uint_gt(f->out->len, before + 4);
    guint32 length = (guint32)f->out->data[before + 2] << 8 | f->out->data[before + 3];
    ck_assert_uint_eq(f->out->len, before + 4 + length);
    g_autofree char *text = g_strndup((const char *)f->out->data + before + 4, length);
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" lacks \"%s\"", text, part);
}

static void reach_tls(Fixture *f, const char *subtype)
{
    ck_assert_int_eq(FEED(f, "RFB 003.008\n"), FRONT_MORE);
    SAID(f, "\001\023");
    ck_assert_int_eq(FEED(f, "\023"), FRONT_MORE);
    SAID(f, "\000\002");
    ck_assert_int_eq(FEED(f, "\000\002"), FRONT_MORE);
    SAID(f, "\000\002\000\000\001\006\000\000\001\004");
    ck_assert_int_eq(feed(f, subtype, 4), FRONT_START_TLS);
    SAID(f, "\001");
}

START_TEST(a_viewer_with_name_and_password_is_let_in)
{
    Fixture f = open_front(FRONT_TCP);
    reach_tls(&f, "\000\000\001\006");
    ck_assert_int_eq(front_secured(f.front), FRONT_MORE);
    ck_assert_int_eq(FEED(&f, "\000\000\000\005\000\000\000\006alicese"), FRONT_MORE);
    ck_assert_int_eq(FEED(&f, "cret"), FRONT_LOGIN);
    ck_assert_str_eq(front_user(f.front), "alice");
    ck_assert_str_eq(front_password(f.front), "secret");
    front_verdict(f.front, TRUE, NULL);
    SAID(&f, "\000\000\000\000");
    ck_assert_str_eq(front_password(f.front), "");
    ck_assert_int_eq(FEED(&f, "\001"), FRONT_FINISHED);
    close_front(&f);
}
END_TEST

START_TEST(the_same_holds_when_every_byte_comes_alone)
{
    static const char bytes[] = "RFB 003.008\n\023\000\002\000\000\001\006";
    static const char login[] = "\000\000\000\001\000\000\000\001ab";
    Fixture f = open_front(FRONT_TCP);
    FrontStep step = FRONT_MORE;
    for (gsize i = 0; i < sizeof bytes - 1; i++) {
        ck_assert_int_eq(step, FRONT_MORE);
        step = feed(&f, bytes + i, 1);
    }
    ck_assert_int_eq(step, FRONT_START_TLS);
    step = front_secured(f.front);
    for (gsize i = 0; i < sizeof login - 1; i++) {
        ck_assert_int_eq(step, FRONT_MORE);
        step = feed(&f, login + i, 1);
    }
    ck_assert_int_eq(step, FRONT_LOGIN);
    close_front(&f);
}
END_TEST

START_TEST(a_wrong_password_fails_in_the_handshake_with_the_reason)
{
    Fixture f = open_front(FRONT_TCP);
    reach_tls(&f, "\000\000\001\006");
    front_secured(f.front);
    ck_assert_int_eq(FEED(&f, "\000\000\000\001\000\000\000\001ab"), FRONT_LOGIN);
    front_verdict(f.front, FALSE, "Try again in 8 seconds.");
    ck_assert_mem_eq(f.out->data, "\000\000\000\001", 4);
    said_reason(&f, 4, "8 seconds");
    ck_assert_ptr_nonnull(front_failure(f.front));
    close_front(&f);
}
END_TEST

START_TEST(rfb_3_7_gets_a_result_without_a_reason)
{
    Fixture f = open_front(FRONT_TCP);
    FEED(&f, "RFB 003.007\n");
    FEED(&f, "\023");
    FEED(&f, "\000\002");
    FEED(&f, "\000\000\001\006");
    front_secured(f.front);
    FEED(&f, "\000\000\000\001\000\000\000\001ab");
    g_byte_array_set_size(f.out, 0);
    front_verdict(f.front, FALSE, "no");
    SAID(&f, "\000\000\000\001");
    close_front(&f);
}
END_TEST

START_TEST(a_viewer_without_a_name_goes_on_to_the_greeter)
{
    Fixture f = open_front(FRONT_TCP);
    reach_tls(&f, "\000\000\001\004");
    ck_assert_int_eq(front_secured(f.front), FRONT_OPEN);
    SAID(&f, "\000\000\000\000");
    ck_assert_int_eq(FEED(&f, "\000"), FRONT_FINISHED);
    close_front(&f);
}
END_TEST

START_TEST(rfb_3_3_is_refused_with_a_reason_in_its_own_form)
{
    Fixture f = open_front(FRONT_TCP);
    ck_assert_int_eq(FEED(&f, "RFB 003.003\n"), FRONT_FAILED);
    ck_assert_mem_eq(f.out->data, "\000\000\000\000", 4);
    said_reason(&f, 4, "VeNCrypt");
    close_front(&f);
}
END_TEST

START_TEST(an_odd_minor_version_counts_as_3_3_and_a_newer_one_as_3_8)
{
    Fixture f = open_front(FRONT_TCP);
    ck_assert_int_eq(FEED(&f, "RFB 003.005\n"), FRONT_FAILED);
    close_front(&f);
    f = open_front(FRONT_TCP);
    ck_assert_int_eq(FEED(&f, "RFB 003.889\n"), FRONT_MORE);
    SAID(&f, "\001\023");
    close_front(&f);
}
END_TEST

START_TEST(what_is_not_rfb_is_dropped_without_a_word)
{
    Fixture f = open_front(FRONT_TCP);
    ck_assert_int_eq(FEED(&f, "GET / HTTP/1"), FRONT_FAILED);
    ck_assert_uint_eq(f.out->len, 0);
    close_front(&f);
    f = open_front(FRONT_TCP);
    ck_assert_int_eq(FEED(&f, "RFB 003x008\n"), FRONT_FAILED);
    ck_assert_uint_eq(f.out->len, 0);
    close_front(&f);
}
END_TEST

START_TEST(another_security_type_is_refused_with_a_reason)
{
    Fixture f = open_front(FRONT_TCP);
    FEED(&f, "RFB 003.008\n");
    g_byte_array_set_size(f.out, 0);
    ck_assert_int_eq(FEED(&f, "\002"), FRONT_FAILED);
    ck_assert_mem_eq(f.out->data, "\000\000\000\001", 4);
    said_reason(&f, 4, "VeNCrypt");
    close_front(&f);
}
END_TEST

START_TEST(type_none_is_for_the_web_only)
{
    Fixture f = open_front(FRONT_TCP);
    FEED(&f, "RFB 003.008\n");
    ck_assert_int_eq(FEED(&f, "\001"), FRONT_FAILED);
    close_front(&f);
}
END_TEST

START_TEST(a_subtype_that_was_not_offered_is_refused)
{
    Fixture f = open_front(FRONT_TCP);
    FEED(&f, "RFB 003.008\n");
    FEED(&f, "\023");
    FEED(&f, "\000\002");
    g_byte_array_set_size(f.out, 0);
    ck_assert_int_eq(FEED(&f, "\000\000\001\001"), FRONT_FAILED); /* TLSNone: anonymous */
    SAID(&f, "\000");
    close_front(&f);
}
END_TEST

START_TEST(another_vencrypt_version_is_refused)
{
    Fixture f = open_front(FRONT_TCP);
    FEED(&f, "RFB 003.008\n");
    FEED(&f, "\023");
    g_byte_array_set_size(f.out, 0);
    ck_assert_int_eq(FEED(&f, "\000\001"), FRONT_FAILED);
    SAID(&f, "\001");
    close_front(&f);
}
END_TEST

START_TEST(lengths_beyond_the_limit_are_refused_before_anything_is_read)
{
    Fixture f = open_front(FRONT_TCP);
    reach_tls(&f, "\000\000\001\006");
    front_secured(f.front);
    ck_assert_int_eq(FEED(&f, "\000\000\000\100\000\000\000\001"), FRONT_FAILED);
    said_reason(&f, 4, "too long");
    close_front(&f);
    f = open_front(FRONT_TCP);
    reach_tls(&f, "\000\000\001\006");
    front_secured(f.front);
    ck_assert_int_eq(FEED(&f, "\000\000\000\001\377\377\377\377"), FRONT_FAILED);
    close_front(&f);
}
END_TEST

START_TEST(a_password_with_a_nul_inside_is_refused)
{
    Fixture f = open_front(FRONT_TCP);
    reach_tls(&f, "\000\000\001\006");
    front_secured(f.front);
    ck_assert_int_eq(FEED(&f, "\000\000\000\001\000\000\000\003aa\000b"), FRONT_FAILED);
    close_front(&f);
}
END_TEST

START_TEST(bytes_behind_the_tls_choice_are_left_alone)
{
    static const guint8 bytes[] = {0, 0, 1, 6, 0x16, 3, 1};
    Fixture f = open_front(FRONT_TCP);
    gsize used;
    FEED(&f, "RFB 003.008\n");
    FEED(&f, "\023");
    FEED(&f, "\000\002");
    ck_assert_int_eq(front_feed(f.front, bytes, sizeof bytes, &used), FRONT_START_TLS);
    ck_assert_uint_eq(used, 4);
    ck_assert_int_eq(front_feed(f.front, bytes + 4, 3, &used), FRONT_MORE);
    ck_assert_uint_eq(used, 0);
    close_front(&f);
}
END_TEST

START_TEST(nothing_is_taken_while_the_verdict_is_out)
{
    Fixture f = open_front(FRONT_TCP);
    gsize used;
    reach_tls(&f, "\000\000\001\006");
    front_secured(f.front);
    FEED(&f, "\000\000\000\001\000\000\000\001ab");
    ck_assert_int_eq(front_feed(f.front, (const guint8 *)"\001", 1, &used), FRONT_MORE);
    ck_assert_uint_eq(used, 0);
    close_front(&f);
}
END_TEST

START_TEST(a_page_is_greeted_first_and_waits_for_its_tickets_verdict)
{
    Fixture f = open_front(FRONT_WEB);
    SAID(&f, "RFB 003.008\n");
    ck_assert_int_eq(FEED(&f, "RFB 003.008\n"), FRONT_MORE);
    SAID(&f, "\001\001");
    ck_assert_int_eq(FEED(&f, "\001"), FRONT_LOGIN);
    front_verdict(f.front, TRUE, NULL);
    SAID(&f, "\000\000\000\000");
    ck_assert_int_eq(FEED(&f, "\001"), FRONT_FINISHED);
    close_front(&f);
}
END_TEST

START_TEST(an_end_during_the_login_is_told_where_the_result_stands)
{
    Fixture f = open_front(FRONT_TCP);
    reach_tls(&f, "\000\000\001\006");
    front_secured(f.front);
    front_refuse(f.front, "The service is being stopped.");
    ck_assert_mem_eq(f.out->data, "\000\000\000\001", 4);
    said_reason(&f, 4, "stopped");
    close_front(&f);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("handshake");
    tcase_add_test(cases, a_viewer_with_name_and_password_is_let_in);
    tcase_add_test(cases, the_same_holds_when_every_byte_comes_alone);
    tcase_add_test(cases, a_wrong_password_fails_in_the_handshake_with_the_reason);
    tcase_add_test(cases, rfb_3_7_gets_a_result_without_a_reason);
    tcase_add_test(cases, a_viewer_without_a_name_goes_on_to_the_greeter);
    tcase_add_test(cases, rfb_3_3_is_refused_with_a_reason_in_its_own_form);
    tcase_add_test(cases, an_odd_minor_version_counts_as_3_3_and_a_newer_one_as_3_8);
    tcase_add_test(cases, what_is_not_rfb_is_dropped_without_a_word);
    tcase_add_test(cases, another_security_type_is_refused_with_a_reason);
    tcase_add_test(cases, type_none_is_for_the_web_only);
    tcase_add_test(cases, a_subtype_that_was_not_offered_is_refused);
    tcase_add_test(cases, another_vencrypt_version_is_refused);
    tcase_add_test(cases, lengths_beyond_the_limit_are_refused_before_anything_is_read);
    tcase_add_test(cases, a_password_with_a_nul_inside_is_refused);
    tcase_add_test(cases, bytes_behind_the_tls_choice_are_left_alone);
    tcase_add_test(cases, nothing_is_taken_while_the_verdict_is_out);
    tcase_add_test(cases, a_page_is_greeted_first_and_waits_for_its_tickets_verdict);
    tcase_add_test(cases, an_end_during_the_login_is_told_where_the_result_stands);
    return suite_run("vnc front", cases);
}
