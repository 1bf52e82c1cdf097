/* The pure parts of the web server: headers, routes, tickets, admission, preamble. */
#include "base/proto/seat_link.h"
#include "tests/unit/suite.h"
#include "web/server/admission.h"
#include "web/server/headers.h"
#include "web/server/preamble.h"
#include "web/server/routes.h"
#include "web/server/tickets.h"

#include <string.h>

START_TEST(test_the_session_cookie_is_found_among_others)
{
    char handle[HANDLE_MAX + 1];
    ck_assert(cookie_find("a=b; __Host-fernwerk=Ab-_9; c=d", handle));
    ck_assert_str_eq(handle, "Ab-_9");
    ck_assert(cookie_find("__Host-fernwerk=x", handle));
    ck_assert(!cookie_find("x__Host-fernwerk=x", handle));
    ck_assert(!cookie_find("__Host-fernwerkx=x", handle));
    ck_assert(!cookie_find("__Host-fernwerk=", handle));
    ck_assert(!cookie_find("__Host-fernwerk=a\"b", handle));
    ck_assert(!cookie_find(NULL, handle));
    ck_assert(!cookie_find("", handle));
}
END_TEST

START_TEST(test_two_session_cookies_count_as_none)
{
    char handle[HANDLE_MAX + 1];
    ck_assert(!cookie_find("__Host-fernwerk=a; __Host-fernwerk=b", handle));
}
END_TEST

START_TEST(test_a_handle_may_be_as_long_as_the_limit_and_no_longer)
{
    char handle[HANDLE_MAX + 1];
    g_autofree char *text = g_strnfill(HANDLE_MAX, 'x');
    g_autofree char *fits = g_strconcat("__Host-fernwerk=", text, NULL);
    g_autofree char *longer = g_strconcat(fits, "x", NULL);
    ck_assert(cookie_find(fits, handle));
    ck_assert_str_eq(handle, text);
    ck_assert(!cookie_find(longer, handle));
}
END_TEST

START_TEST(test_a_cookie_is_bound_to_host_and_https)
{
    g_autofree char *set = cookie_format("abc"), *forget = cookie_format(NULL);
    ck_assert_str_eq(set, "__Host-fernwerk=abc; Path=/; Secure; HttpOnly; SameSite=Strict");
    ck_assert_ptr_nonnull(strstr(forget, "Max-Age=0"));
}
END_TEST

START_TEST(test_an_origin_must_be_ours)
{
    OriginClaim claim = {
        .host = "desk.example:8443", .origin = "https://desk.example:8443", .public_host = ""};
    ck_assert(origin_is_own(&claim) && origin_matches(&claim));
    claim.origin = "https://DESK.example:8443";
    ck_assert(origin_is_own(&claim));
    const char *foreign[] = {"https://desk.example",
                             "http://desk.example:8443",
                             "https://evil.example",
                             "https://desk.example:8443.evil.example",
                             "null",
                             "",
                             "https://",
                             "https://a@desk.example:8443"};
    for (guint i = 0; i < G_N_ELEMENTS(foreign); i++) {
        claim.origin = foreign[i];
        ck_assert_msg(!origin_is_own(&claim) && !origin_matches(&claim), "%s", foreign[i]);
    }
}
END_TEST

START_TEST(test_the_default_port_may_be_left_out)
{
    OriginClaim claim = {.host = "desk.example", .origin = "https://desk.example:443", .public_host = ""};
    ck_assert(origin_is_own(&claim));
}
END_TEST

START_TEST(test_the_public_host_is_as_good_as_the_host)
{
    OriginClaim claim = {
        .host = "10.0.0.1:8443", .origin = "https://desk.example", .public_host = "desk.example"};
    ck_assert(origin_is_own(&claim) && origin_matches(&claim));
}
END_TEST

START_TEST(test_a_request_that_does_not_say_where_it_comes_from_is_refused)
{
    OriginClaim claim = {.host = "desk.example", .public_host = ""};
    ck_assert(!origin_is_own(&claim));
    claim.fetch_site = "same-origin";
    ck_assert(origin_is_own(&claim));
    ck_assert(!origin_matches(&claim));
    claim.fetch_site = "cross-site";
    claim.origin = "https://desk.example";
    ck_assert(!origin_is_own(&claim));
}
END_TEST

START_TEST(test_a_length_is_digits_within_the_limit)
{
    ck_assert_int_eq(content_length_parse("0", 100), 0);
    ck_assert_int_eq(content_length_parse("100", 100), 100);
    ck_assert_int_eq(content_length_parse("101", 100), -2);
    ck_assert_int_eq(content_length_parse("99999999999999999999999999", 100), -2);
    ck_assert_int_eq(content_length_parse("-1", 100), -1);
    ck_assert_int_eq(content_length_parse("+1", 100), -1);
    ck_assert_int_eq(content_length_parse("1, 1", 100), -1);
    ck_assert_int_eq(content_length_parse("", 100), -1);
}
END_TEST

START_TEST(test_content_types_and_codings_are_recognised)
{
    ck_assert(content_type_is_json("application/json"));
    ck_assert(content_type_is_json("Application/JSON; charset=utf-8"));
    ck_assert(!content_type_is_json("application/jsonp"));
    ck_assert(!content_type_is_json("text/plain"));
    ck_assert(accepts_gzip("gzip, deflate, br"));
    ck_assert(accepts_gzip("br;q=1.0, gzip;q=0.8"));
    ck_assert(!accepts_gzip("gzip;q=0"));
    ck_assert(!accepts_gzip("identity"));
    ck_assert(!accepts_gzip(NULL));
}
END_TEST

static void check_query(const char *query, const char *name, const char *expected)
{
    g_autofree char *value = query_value(query, name);
    ck_assert_msg(g_strcmp0(value, expected) == 0, "%s of %s is %s", name, query, value ? value : "NULL");
}

START_TEST(test_query_values_are_decoded)
{
    check_query("a=1&b=2", "b", "2");
    check_query("ab=1&b=2", "b", "2");
    check_query("a=%C3%9F+x", "a", "ß x");
    check_query("a=%4", "a", "%4");
    check_query("a=", "a", "");
    check_query("a", "a", NULL);
    check_query("a=%00", "a", NULL);
    check_query("a=%FF", "a", NULL);
    check_query(NULL, "a", NULL);
}
END_TEST

START_TEST(test_the_ticket_is_found_among_subprotocols)
{
    g_autofree char *ticket = subprotocol_ticket("binary, ticket.ab-C_1.x");
    ck_assert_str_eq(ticket, "ab-C_1.x");
    ck_assert_ptr_null(subprotocol_ticket("binary"));
    ck_assert_ptr_null(subprotocol_ticket("binary, ticket."));
    ck_assert_ptr_null(subprotocol_ticket("ticket.a b"));
    ck_assert_ptr_null(subprotocol_ticket(NULL));
    g_autofree char *text = g_strnfill(SEAT_SECRET_MAX, 'x');
    g_autofree char *header = g_strconcat("ticket.", text, NULL);
    ck_assert_ptr_null(subprotocol_ticket(header));
}
END_TEST

START_TEST(test_deep_json_is_noticed_but_not_in_strings)
{
    ck_assert(json_is_shallow("{\"a\":[{}]}", 10, 3));
    ck_assert(!json_is_shallow("{\"a\":[{}]}", 10, 2));
    const char *quoted = "[\"[[[[\\\"[[\"]";
    ck_assert(json_is_shallow(quoted, strlen(quoted), 1));
    ck_assert(json_is_shallow("\"\\", 2, 1));
}
END_TEST

static const char table[] = "[{\"verb\":\"a\",\"method\":\"GET\",\"path\":\"users\"},"
                            "{\"verb\":\"b\",\"method\":\"GET\",\"path\":\"/api/v1/users/{name}\"},"
                            "{\"verb\":\"c\",\"method\":\"GET\",\"path\":\"users/me\"},"
                            "{\"verb\":\"d\",\"method\":\"PUT\",\"path\":\"users/{name}/x\"},"
                            "{\"verb\":\"e\",\"method\":\"GET\",\"path\":\"audit\",\"query\":[{\"name\":"
                            "\"limit\",\"type\":\"integer\"},"
                            "{\"name\":\"text\",\"type\":\"string\"}]},"
                            "{\"verb\":\"broken\"}, 7]";

static Routes *make_routes(void)
{
    g_autoptr(JsonNode) node = json_from_string(table, NULL);
    Routes *routes = routes_new(node, NULL);
    ck_assert_ptr_nonnull(routes);
    return routes;
}

static const char *match(const Routes *routes, const char *method, const char *path, const char *query,
                         JsonObject *args)
{
    const char *verb = NULL;
    return routes_match(routes, method, path, query, args, &verb) == ROUTE_FOUND ? verb : NULL;
}

START_TEST(test_routes_find_verbs_and_captures)
{
    g_autoptr(Routes) routes = make_routes();
    g_autoptr(JsonObject) args = json_object_new();
    ck_assert_uint_eq(routes_count(routes), 5);
    ck_assert_str_eq(match(routes, "GET", "users", NULL, args), "a");
    ck_assert_str_eq(match(routes, "GET", "users/alice", NULL, args), "b");
    ck_assert_str_eq(json_object_get_string_member(args, "name"), "alice");
    ck_assert_str_eq(match(routes, "GET", "users/me", NULL, args), "c");
    ck_assert_str_eq(match(routes, "PUT", "users/bob/x", NULL, args), "d");
    ck_assert_str_eq(json_object_get_string_member(args, "name"), "bob");
}
END_TEST

START_TEST(test_what_is_no_name_is_no_capture)
{
    g_autoptr(Routes) routes = make_routes();
    g_autoptr(JsonObject) args = json_object_new();
    const char *paths[] = {"users/",   "users/..", "users/.a", "users/a b", "users/a%2Fb",
                           "users//x", "",         "/",        "users/a/b", "users/ä"};
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
        ck_assert_msg(!match(routes, "GET", paths[i], NULL, args), "%s", paths[i]);
    g_autofree char *name = g_strnfill(64, 'a');
    g_autofree char *path = g_strconcat("users/", name, NULL);
    ck_assert_ptr_null(match(routes, "GET", path, NULL, args));
}
END_TEST

START_TEST(test_a_wrong_method_is_told_from_a_wrong_path)
{
    g_autoptr(Routes) routes = make_routes();
    g_autoptr(JsonObject) args = json_object_new();
    const char *verb;
    ck_assert_int_eq(routes_match(routes, "POST", "users", NULL, args, &verb), ROUTE_NO_METHOD);
    ck_assert_int_eq(routes_match(routes, "GET", "nothing", NULL, args, &verb), ROUTE_NO_PATH);
}
END_TEST

START_TEST(test_query_arguments_get_their_types)
{
    g_autoptr(Routes) routes = make_routes();
    g_autoptr(JsonObject) args = json_object_new();
    ck_assert_str_eq(match(routes, "GET", "audit", "limit=5&text=7&other=1", args), "e");
    ck_assert_int_eq(json_object_get_int_member(args, "limit"), 5);
    ck_assert_str_eq(json_object_get_string_member(args, "text"), "7");
    ck_assert(!json_object_has_member(args, "other"));
}
END_TEST

START_TEST(test_a_ticket_is_good_once_and_not_for_ever)
{
    g_autoptr(Tickets) tickets = tickets_new(8, 1000);
    tickets_remember(tickets, "a", "one", 0);
    tickets_remember(tickets, "a", "two", 0);
    ck_assert(tickets_take(tickets, "one", 10));
    ck_assert(!tickets_take(tickets, "one", 11));
    ck_assert(!tickets_take(tickets, "three", 12));
    ck_assert(!tickets_take(tickets, "two", 1000 * 1000));
}
END_TEST

START_TEST(test_the_oldest_ticket_gives_way_when_there_are_too_many)
{
    g_autoptr(Tickets) tickets = tickets_new(2, 1000);
    tickets_remember(tickets, "a", "one", 0);
    tickets_remember(tickets, "a", "two", 0);
    tickets_remember(tickets, "a", "three", 0);
    ck_assert(!tickets_take(tickets, "one", 1));
    ck_assert(tickets_take(tickets, "two", 1) && tickets_take(tickets, "three", 1));
}
END_TEST

START_TEST(test_nobody_makes_the_tickets_of_others_be_forgotten)
{
    g_autoptr(Tickets) tickets = tickets_new(20, 1000);
    tickets_remember(tickets, "alice", "hers", 0);
    for (guint i = 0; i < 100; i++) {
        g_autofree char *name = g_strdup_printf("t%u", i);
        tickets_remember(tickets, i % 2 ? "bob" : "bob's other session", name, 0);
    }
    ck_assert(tickets_take(tickets, "hers", 1));
    ck_assert(tickets_take(tickets, "t99", 1));
    ck_assert(!tickets_take(tickets, "t60", 1));
}
END_TEST

static const AdmissionLimits limits = {.half_open_total = 4,
                                       .half_open_per_source = 2,
                                       .anonymous_per_source = 3,
                                       .anonymous_total = 6,
                                       .connections_total = 8,
                                       .rate_per_source = 60};

START_TEST(test_silent_connections_are_capped_per_source_and_in_all)
{
    g_autoptr(Admission) admission = admission_new(&limits);
    guint64 a = 1, b = 2, c = 3;
    ck_assert(admission_enter(admission, a, 0) && admission_enter(admission, a, 0));
    ck_assert(!admission_enter(admission, a, 0));
    ck_assert(admission_enter(admission, b, 0) && admission_enter(admission, b, 0));
    ck_assert(!admission_enter(admission, c, 0));
    admission_leave(admission, a, STANDING_HALF_OPEN);
    ck_assert(admission_enter(admission, c, 0));
}
END_TEST

START_TEST(test_known_connections_free_the_place_of_anonymous_ones)
{
    g_autoptr(Admission) admission = admission_new(&limits);
    guint64 a = 1;
    for (guint i = 0; i < 3; i++) {
        ck_assert(admission_enter(admission, a, 0));
        admission_move(admission, a, STANDING_HALF_OPEN, STANDING_ANONYMOUS);
    }
    ck_assert(!admission_enter(admission, a, 0));
    admission_move(admission, a, STANDING_ANONYMOUS, STANDING_KNOWN);
    ck_assert(admission_enter(admission, a, 0));
    ck_assert_uint_eq(admission_count(admission, STANDING_KNOWN), 1);
}
END_TEST

START_TEST(test_connections_a_minute_are_limited_and_come_back)
{
    g_autoptr(Admission) admission = admission_new(&limits);
    guint64 a = 1;
    for (guint i = 0; i < limits.rate_per_source; i++) {
        ck_assert(admission_enter(admission, a, 0));
        admission_leave(admission, a, STANDING_HALF_OPEN);
    }
    ck_assert(!admission_enter(admission, a, 0));
    ck_assert(admission_enter(admission, a, 2 * G_USEC_PER_SEC));
}
END_TEST

START_TEST(test_a_preamble_takes_what_makes_sense)
{
    WebPreamble preamble;
    preamble_fill(&preamble, "t-1", "192.0.2.1", "width=1280&height=800&scale=150&layout=de&view=1");
    ck_assert_uint_eq(preamble.magic, WEB_PREAMBLE_MAGIC);
    ck_assert_str_eq(preamble.ticket, "t-1");
    ck_assert_str_eq(preamble.address, "192.0.2.1");
    ck_assert(preamble.width == 1280 && preamble.height == 800 && preamble.scale == 150 &&
              preamble.view_only_wish == 1);
    ck_assert_str_eq(preamble.xkb_layout, "de");
    preamble_fill(&preamble, "t", "", "width=99999&height=800&scale=7&layout=a%2Fb&view=x");
    ck_assert(preamble.width == 0 && preamble.height == 0 && preamble.scale == 100 &&
              preamble.view_only_wish == 0);
    ck_assert_str_eq(preamble.xkb_layout, "");
    preamble_fill(&preamble, "t", "", NULL);
    ck_assert(preamble.width == 0 && preamble.scale == 100);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, test_the_session_cookie_is_found_among_others);
    tcase_add_test(tcase, test_two_session_cookies_count_as_none);
    tcase_add_test(tcase, test_a_handle_may_be_as_long_as_the_limit_and_no_longer);
    tcase_add_test(tcase, test_a_cookie_is_bound_to_host_and_https);
    tcase_add_test(tcase, test_an_origin_must_be_ours);
    tcase_add_test(tcase, test_the_default_port_may_be_left_out);
    tcase_add_test(tcase, test_the_public_host_is_as_good_as_the_host);
    tcase_add_test(tcase, test_a_request_that_does_not_say_where_it_comes_from_is_refused);
    tcase_add_test(tcase, test_a_length_is_digits_within_the_limit);
    tcase_add_test(tcase, test_content_types_and_codings_are_recognised);
    tcase_add_test(tcase, test_query_values_are_decoded);
    tcase_add_test(tcase, test_the_ticket_is_found_among_subprotocols);
    tcase_add_test(tcase, test_deep_json_is_noticed_but_not_in_strings);
    tcase_add_test(tcase, test_routes_find_verbs_and_captures);
    tcase_add_test(tcase, test_what_is_no_name_is_no_capture);
    tcase_add_test(tcase, test_a_wrong_method_is_told_from_a_wrong_path);
    tcase_add_test(tcase, test_query_arguments_get_their_types);
    tcase_add_test(tcase, test_a_ticket_is_good_once_and_not_for_ever);
    tcase_add_test(tcase, test_nobody_makes_the_tickets_of_others_be_forgotten);
    tcase_add_test(tcase, test_the_oldest_ticket_gives_way_when_there_are_too_many);
    tcase_add_test(tcase, test_silent_connections_are_capped_per_source_and_in_all);
    tcase_add_test(tcase, test_known_connections_free_the_place_of_anonymous_ones);
    tcase_add_test(tcase, test_connections_a_minute_are_limited_and_come_back);
    tcase_add_test(tcase, test_a_preamble_takes_what_makes_sense);
    return suite_run("web parts", tcase);
}
