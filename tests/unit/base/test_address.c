/* What counts as one source of connections, and the text of an address. */
#include "base/address.h"
#include "tests/unit/suite.h"

#include <arpa/inet.h>
#include <netinet/in.h>

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} Address;

static Address parse(const char *text)
{
    Address address = {.v6 = {.sin6_family = AF_INET6}};
    if (inet_pton(AF_INET6, text, &address.v6.sin6_addr) == 1)
        return address;
    address.v4 = (struct sockaddr_in){.sin_family = AF_INET};
    ck_assert_int_eq(inet_pton(AF_INET, text, &address.v4.sin_addr), 1);
    return address;
}

static gboolean same(const char *a, const char *b)
{
    Address x = parse(a), y = parse(b);
    return address_source(&x.any) == address_source(&y.any);
}

START_TEST(test_ipv6_addresses_of_one_network_are_one_source)
{
    ck_assert(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
    ck_assert(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
    ck_assert(same("::ffff:192.0.2.7", "192.0.2.7"));
    ck_assert(!same("192.0.2.7", "192.0.2.8"));
    ck_assert(!same("192.0.2.7", "::192.0.2.7"));
}
END_TEST

START_TEST(test_ipv4_in_ipv6_is_written_as_ipv4)
{
    static const char *const texts[][2] = {
        {"::ffff:192.0.2.7", "192.0.2.7"}, {"192.0.2.7", "192.0.2.7"}, {"2001:db8::1", "2001:db8::1"}};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        Address address = parse(texts[i][0]);
        char text[ADDRESS_TEXT_MAX];
        address_text(&address.any, text);
        ck_assert_str_eq(text, texts[i][1]);
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("address");
    tcase_add_test(tcase, test_ipv6_addresses_of_one_network_are_one_source);
    tcase_add_test(tcase, test_ipv4_in_ipv6_is_written_as_ipv4);
    return suite_run("address", tcase);
}
