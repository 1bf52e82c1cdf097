/* The host's clients and what all of them share: buffer, cursor, lights. Input is in host_input.c, frames and
 * their credits in host_frames.c. */
#include "session/seat/host_private.h"

#include "base/log.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Packets other than frames that may wait for a client that does not read. */
#define CLIENT_QUEUE_MAX 64

HostClient *host_client_ref(HostClient *client)
{
    return g_rc_box_acquire(client);
}

static void client_destroy(gpointer data)
{
    host_frames_client_clear(data);
}

void host_client_unref(HostClient *client)
{
    g_rc_box_release_full(client, client_destroy);
}

HostClient *host_client_find(const SeatHost *host, ProcessId peer)
{
    for (guint i = 0; i < host->clients->len; i++) {
        HostClient *client = g_ptr_array_index(host->clients, i);
        if (client->peer == peer)
            return client;
    }
    return NULL;
}

SeatHost *seat_host_new(gboolean greeter, const SeatHostEvents *events, gpointer data, GError **error)
{
    g_autoptr(Ring) ring = ring_new(error);
    if (!ring)
        return NULL;
    SeatHost *host = g_new0(SeatHost, 1);
    host->greeter = greeter;
    host->events = events;
    host->data = data;
    host->clients = g_ptr_array_new_with_free_func((GDestroyNotify)host_client_unref);
    host->ring = g_steal_pointer(&ring);
    host->cursor_fd = -1;
    host->cursor.header = (SeatHeader){.type = SEAT_CURSOR, .size = sizeof host->cursor};
    host->absolute = TRUE;
    host_tiers_init(host);
    return host;
}

void seat_host_free(SeatHost *host)
{
    static const SeatHostEvents silence;
    if (!host)
        return;
    host->events = &silence;
    seat_host_remove_all(host, END_SHUTDOWN, NULL);
    host_stream_detach(host->fast);
    host_stream_detach(host->slow);
    g_ptr_array_unref(host->clients);
    host_moves_clear(host);
    g_clear_pointer(&host->changed, damage_free);
    g_clear_pointer(&host->due, damage_free);
    g_clear_pointer(&host->classifier, classifier_free);
    shadow_free(host->shadow);
    ring_free(host->ring);
    if (host->cursor_fd >= 0)
        close(host->cursor_fd);
    g_free(host);
}

static void send_presence(SeatHost *host)
{
    SeatPresence presence = {.header = {.type = SEAT_PRESENCE, .size = sizeof presence},
                             .viewers = host->clients->len};
    for (guint i = 0; i < host->clients->len; i++) {
        HostClient *client = g_ptr_array_index(host->clients, i);
        packet_link_send(client->link, &presence, sizeof presence, NULL, 0);
    }
}

static void send_close(PacketLink *link, EndReason reason, const char *text)
{
    SeatClose packet = {.header = {.type = SEAT_CLOSE, .size = sizeof packet}, .reason = reason};
    g_strlcpy(packet.text, text ? text : end_reason_text(reason), sizeof packet.text);
    packet_link_send(link, &packet, sizeof packet, NULL, 0);
}

void host_client_leave(HostClient *client, EndReason reason, const char *text)
{
    SeatHost *host = client->host;
    if (!client->link)
        return;
    host_client_ref(client);
    PacketLink *link = g_steal_pointer(&client->link);
    g_ptr_array_remove(host->clients, client);
    host_input_release(client);
    send_close(link, reason, text);
    packet_link_free(link);
    send_presence(host);
    host_tiers_changed(host);
    if (host->events->left)
        host->events->left(client->peer, host->data);
    host_client_unref(client);
}

static void link_closed(PacketLink *link, gboolean broken, gpointer data)
{
    HostClient *client = data;
    if (broken)
        log_info("client %" G_GUINT64_FORMAT ": its link broke off or was not read", client->peer);
    host_client_leave(client, END_FAULT, NULL);
}

static void send_welcome(HostClient *client)
{
    SeatHost *host = client->host;
    SeatWelcome welcome = {
        .header = {.type = SEAT_WELCOME, .size = sizeof welcome, .generation = host->generation},
        .version = SEAT_LINK_VERSION,
        .view_only = client->view_only,
        .greeter = host->greeter,
        .heads = 1};

    g_strlcpy(welcome.desktop, client->record.desktop, sizeof welcome.desktop);
    g_strlcpy(welcome.user, client->record.user, sizeof welcome.user);
    packet_link_send(client->link, &welcome, sizeof welcome, NULL, 0);
}

void seat_host_add_client(SeatHost *host, int fd, ProcessId peer, guint rights, const ProcessRecord *record)
{
    HostClient *before = host_client_find(host, peer);
    if (before)
        host_client_leave(before, END_REPLACED, NULL);

    HostClient *client = g_rc_box_new0(HostClient);
    client->host = host;
    client->peer = peer;
    client->view_only = (rights & LINK_VIEW_ONLY) != 0;
    client->record = *record;
    client->shape_due = client->cursor_due = client->leds_due = client->mode_due = TRUE;
    client->link = packet_link_new(fd, NULL, SEAT_LINK_PACKET_MAX, CLIENT_QUEUE_MAX, host_input_received,
                                   link_closed, client);
    if (host->clients->len >= SEAT_HOST_CLIENTS_MAX) {
        send_close(client->link, END_LIMIT, NULL);
        packet_link_free(g_steal_pointer(&client->link));
        host_client_unref(client);
        return;
    }
    g_ptr_array_add(host->clients, client);
    send_welcome(client);
    if (host->shadow)
        host_frames_announce(client);
    host_client_send_signs(client);
    send_presence(host);
}

void seat_host_remove_client(SeatHost *host, ProcessId peer, EndReason reason, const char *text)
{
    HostClient *client = host_client_find(host, peer);
    if (client)
        host_client_leave(client, reason, text);
}

void seat_host_remove_all(SeatHost *host, EndReason reason, const char *text)
{
    while (host->clients->len > 0)
        host_client_leave(g_ptr_array_index(host->clients, 0), reason, text);
}

guint seat_host_clients(const SeatHost *host)
{
    return host->clients->len;
}

const ProcessRecord *seat_host_record(const SeatHost *host, ProcessId peer)
{
    HostClient *client = host_client_find(host, peer);
    return client ? &client->record : NULL;
}

const SeatHello *seat_host_hello(const SeatHost *host, ProcessId peer)
{
    HostClient *client = host_client_find(host, peer);
    return client && client->greeted ? &client->hello : NULL;
}

gboolean seat_host_resize(SeatHost *host, guint width, guint height, GError **error)
{
    Shadow *shadow = shadow_new(width, height, host->generation + 1, error);
    if (!shadow)
        return FALSE;
    shadow_free(host->shadow);
    host->shadow = shadow;
    host->generation++;
    host->filled = FALSE;
    host_frames_resized(host);
    return TRUE;
}

void seat_host_size(const SeatHost *host, guint *width, guint *height)
{
    *width = host->shadow ? shadow_layout(host->shadow)->width : 0;
    *height = host->shadow ? shadow_layout(host->shadow)->height : 0;
}

guint32 seat_host_generation(const SeatHost *host)
{
    return host->generation;
}

const void *seat_host_pixels(const SeatHost *host, gsize *stride)
{
    if (!host->shadow)
        return NULL;
    *stride = shadow_layout(host->shadow)->stride;
    return shadow_pixels(host->shadow);
}

static void send_cursor(HostClient *client)
{
    SeatHost *host = client->host;
    SeatCursor cursor = host->cursor;
    gboolean with_shape = client->shape_due && cursor.visible && host->cursor_fd >= 0;

    client->cursor_due = FALSE;
    if (cursor.visible && host->cursor_fd < 0)
        return;
    cursor.header.generation = host->generation;
    if (packet_link_send(client->link, &cursor, sizeof cursor, &host->cursor_fd, with_shape ? 1 : 0) &&
        with_shape)
        client->shape_due = FALSE;
}

/* All of them are newest-wins: what waits behind a full socket is replaced, not queued. */
void host_client_send_signs(HostClient *client)
{
    SeatHost *host = client->host;
    SeatLocks leds = {.header = {.type = SEAT_LEDS, .size = sizeof leds}, .mask = host->leds};
    SeatPointerMode mode = {.header = {.type = SEAT_POINTER_MODE, .size = sizeof mode},
                            .absolute = host->absolute};

    if (client->mode_due && packet_link_queued(client->link) == 0) {
        client->mode_due = FALSE;
        packet_link_send(client->link, &mode, sizeof mode, NULL, 0);
    }
    /* Lights that nobody has told are not "off": the client would switch its own off. */
    if (client->leds_due && host->leds_known && packet_link_queued(client->link) == 0) {
        client->leds_due = FALSE;
        packet_link_send(client->link, &leds, sizeof leds, NULL, 0);
    }
    if (client->cursor_due && packet_link_queued(client->link) == 0)
        send_cursor(client);
}

static void cursor_to_all(SeatHost *host, gboolean shape)
{
    for (guint i = 0; i < host->clients->len; i++) {
        HostClient *client = g_ptr_array_index(host->clients, i);
        client->shape_due |= shape;
        client->cursor_due = TRUE;
        host_client_send_signs(client);
    }
}

void seat_host_cursor(SeatHost *host, const guint32 *argb, guint width, guint height, guint hot_x,
                      guint hot_y)
{
    g_autoptr(GError) error = NULL;
    guint cut_width = MIN(width, SEAT_CURSOR_MAX), cut_height = MIN(height, SEAT_CURSOR_MAX);
    void *memory = NULL;

    if (!argb || width == 0 || height == 0) {
        seat_host_cursor_visible(host, FALSE);
        return;
    }
    gsize size = (gsize)cut_width * cut_height * sizeof(guint32);
    int fd = sealed_memory_new("fernwerk-cursor", size, &memory, &error);
    if (fd < 0) {
        log_warning("cursor: %s", error->message);
        return;
    }
    for (guint y = 0; y < cut_height; y++)
        memcpy((guint32 *)memory + (gsize)y * cut_width, argb + (gsize)y * width,
               cut_width * sizeof(guint32));
    munmap(memory, size);
    if (host->cursor_fd >= 0)
        close(host->cursor_fd);
    host->cursor_fd = fd;
    host->cursor.visible = 1;
    host->cursor.width = cut_width;
    host->cursor.height = cut_height;
    host->cursor.hot_x = MIN(hot_x, cut_width - 1);
    host->cursor.hot_y = MIN(hot_y, cut_height - 1);
    cursor_to_all(host, TRUE);
}

void seat_host_cursor_visible(SeatHost *host, gboolean visible)
{
    if (host->cursor.visible == (guint32)(visible != FALSE))
        return;
    host->cursor.visible = visible != FALSE;
    cursor_to_all(host, FALSE);
}

void seat_host_leds(SeatHost *host, guint mask)
{
    if (host->leds_known && host->leds == (mask & 7))
        return;
    host->leds = mask & 7;
    host->leds_known = TRUE;
    for (guint i = 0; i < host->clients->len; i++) {
        HostClient *client = g_ptr_array_index(host->clients, i);
        client->leds_due = TRUE;
        host_client_send_signs(client);
    }
}

void seat_host_pointer_mode(SeatHost *host, gboolean absolute)
{
    if (host->absolute == (absolute != FALSE))
        return;
    host->absolute = absolute != FALSE;
    for (guint i = 0; i < host->clients->len; i++) {
        HostClient *client = g_ptr_array_index(host->clients, i);
        client->mode_due = TRUE;
        host_client_send_signs(client);
    }
}

void seat_host_login(SeatHost *host, ProcessId peer, SeatLoginResult result, const char *user,
                     const char *text)
{
    HostClient *client = host_client_find(host, peer);
    SeatLogin login = {.header = {.type = SEAT_LOGIN, .size = sizeof login}, .result = result};
    if (!client)
        return;
    g_strlcpy(login.user, user ? user : "", sizeof login.user);
    g_strlcpy(login.text, text ? text : "", sizeof login.text);
    packet_link_send(client->link, &login, sizeof login, NULL, 0);
}

void seat_host_set_streams(SeatHost *host, guint films, HostStream *const first[], HostStream *const second[])
{
    g_return_if_fail(!host_tier_works(host->fast) && films >= 1 && films <= SEAT_FILMS_MAX);
    host_stream_attach(host->fast, first, films);
    if (second)
        host_stream_attach(host->slow, second, films);
    host_tiers_changed(host);
}
