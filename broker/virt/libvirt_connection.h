/* Two connections to libvirtd (it serves five requests at a time on each): quick calls, and those that create
 * or destroy. Kept up for ever: a lost one is made anew, with back-off, on a thread of its own. */
#pragma once

#include <gio/gio.h>
#include <libvirt/libvirt.h>

typedef struct LibvirtConnection LibvirtConnection;

typedef enum { LIBVIRT_QUICK, LIBVIRT_SLOW, LIBVIRT_LANES } LibvirtLane;

/* All on threads of this module, never on the main one. */
typedef struct {
    void (*begin)(gpointer data);                   /* once, before the first attempt to connect; may block */
    void (*up)(virConnectPtr quick, gpointer data); /* may call libvirt */
    void (*down)(const GError *error, gpointer data);
    void (*stopped)(const char *uuid, int event, int detail,
                    gpointer data); /* virDomainEventType; must not block */
} LibvirtConnectionEvents;

/* For `uri`, which is local (libvirt_uri_is_local()). `events` is borrowed. */
LibvirtConnection *libvirt_connection_new(const char *uri, const LibvirtConnectionEvents *events,
                                          gpointer data);

/* Begins to connect, once. */
void libvirt_connection_open(LibvirtConnection *connection);
/* Closes and waits for the thread; libvirt_connection_get() fails from now on. */
void libvirt_connection_stop(LibvirtConnection *connection);

/* A reference to the lane's connection (virConnectClose() it), or NULL with the reason why there is none. Any
 * thread. */
virConnectPtr libvirt_connection_get(LibvirtConnection *connection, LibvirtLane lane, GError **error);

/* Stops it when it is not yet. */
void libvirt_connection_free(LibvirtConnection *connection);
