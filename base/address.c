/* IPv4 and IPv6 peers, in text and as one number. */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

void address_text(const struct sockaddr *address, char text[ADDRESS_TEXT_MAX])
{
    const struct sockaddr_in6 *v6 = (const void *)address;
    *text = '\0';
    if (address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, text,
                  ADDRESS_TEXT_MAX);
    else if (address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text, ADDRESS_TEXT_MAX);
    else if (address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &v6->sin6_addr, text, ADDRESS_TEXT_MAX);
}

guint64 address_source(const struct sockaddr *address)
{
    guint64 key = 0;
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;
        if (!IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
            memcpy(&key, v6->sin6_addr.s6_addr, sizeof key);
            return GUINT64_FROM_BE(key);
        }
        memcpy(&key, v6->sin6_addr.s6_addr + 12, 4);
    } else if (address->sa_family == AF_INET) {
        memcpy(&key, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    }
    return 0xffffull << 48 | GUINT32_FROM_BE((guint32)key); /* where no IPv6 network is */
}
