/* libvirt's errors in our words. */
#pragma once

#include "broker/virt/hypervisor.h"

/* Turns this thread's last libvirt error into one of HYPERVISOR_ERROR. `what` was being done ("started"), for
 * errors that we have no own words for. Any thread that has just called libvirt. */
void libvirt_error_take(const char *what, GError **error);

/* The same from an error's parts; pure, for tests. `code` and `domain` are virErrorNumber and
 * virErrorDomain. */
void libvirt_error_translate(int code, int domain, const char *text, const char *what, GError **error);

/* FALSE when `uri` names another machine. Any thread. */
gboolean libvirt_uri_is_local(const char *uri, GError **error);
