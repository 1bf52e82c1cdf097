/* Addresses of peers: their text for logs, and the network that counts as one source. */
#pragma once

#include <glib.h>
#include <sys/socket.h>

#define ADDRESS_TEXT_MAX 64

/* The numeric address of an IPv4 or IPv6 peer, IPv4 in IPv6 as IPv4; "" for another family. */
void address_text(const struct sockaddr *address, char text[ADDRESS_TEXT_MAX]);

/* A number for the source: an IPv4 address, or an IPv6 /64 network (whoever has one address of it has all).
 */
guint64 address_source(const struct sockaddr *address);
