/* The seat's wiring. */
#include "session/seat/seat.h"

#include "base/log.h"
#include "base/packet.h"
#include "session/seat/source.h"
#include "session/seat/stream_h264.h"
#include "session/seat/thumbnail.h"
#include "session/seat/typer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BROKER_QUEUE_MAX 64

struct Seat {
    SeatHost *host;
    Source *source;
    Typer *typer;
    HostStream *streams[SEAT_FILMS_MAX], *slow_streams[SEAT_FILMS_MAX]; /* the host owns them */
    Doubt doubt;
    PacketLink *broker;
    SeatConfigure configuration;
    gboolean configured, pictured, lost;
};

/* ---- keys ---- */

static void typed_key(guint code, gboolean pressed, gpointer data)
{
    Seat *seat = data;
    if (seat->source)
        seat->source->class->key(seat->source, code, pressed);
}

static void make_typer(Seat *seat)
{
    typer_free(seat->typer);
    seat->typer = typer_new(seat->configuration.xkb_layout, seat->configuration.xkb_variant, typed_key, seat);
}

/* ---- to the broker ---- */

static void tell_broker(Seat *seat, const void *packet, gsize length, const int *fd)
{
    if (seat->broker)
        packet_link_send(seat->broker, packet, length, fd, fd ? 1 : 0);
}

static void tell_picture(Seat *seat)
{
    SeatPicture picture = {.header = {.type = SEAT_CONTROL_PICTURE, .size = sizeof picture}};
    seat_host_size(seat->host, &picture.width, &picture.height);
    tell_broker(seat, &picture, sizeof picture, NULL);
}

static void tell_clients(Seat *seat)
{
    SeatClients clients = {.header = {.type = SEAT_CONTROL_CLIENTS, .size = sizeof clients},
                           .clients = seat_host_clients(seat->host)};
    tell_broker(seat, &clients, sizeof clients, NULL);
    if (seat->source)
        seat->source->class->clients(seat->source, clients.clients);
}

/* ---- from the source ---- */

static void source_picture(guint width, guint height, gpointer data)
{
    Seat *seat = data;
    if (!seat->pictured)
        log_info("first picture, %ux%u", width, height);
    seat->pictured = TRUE;
    tell_picture(seat);
}

static void source_lost(const char *text, gpointer data)
{
    Seat *seat = data;
    SeatLost lost = {.header = {.type = SEAT_CONTROL_LOST, .size = sizeof lost}};
    log_info("display lost: %s", text);
    seat->lost = TRUE;
    g_strlcpy(lost.text, text, sizeof lost.text);
    tell_broker(seat, &lost, sizeof lost, NULL);
}

static void source_leds(guint mask, gpointer data)
{
    Seat *seat = data;
    typer_guest_locks(seat->typer, mask);
    seat_host_leds(seat->host, mask);
}

static const SourceEvents source_events = {
    .picture = source_picture, .lost = source_lost, .leds = source_leds};

/* The socketpair is made here, under the seat's own uid: D-Bus authentication looks at the maker
 * (docs/internals). */
static void open_display(Seat *seat)
{
    SeatControlHeader display = {.type = SEAT_CONTROL_DISPLAY, .size = sizeof display};
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        source_lost(g_strerror(errno), seat);
        return;
    }
    if (seat->source)
        seat->source->class->free(g_steal_pointer(&seat->source));
    seat->lost = seat->pictured = FALSE;
    seat->source = source_qemu_new(seat->host, ends[0], seat->configuration.width, seat->configuration.height,
                                   &source_events, seat);
    tell_broker(seat, &display, sizeof display, &ends[1]);
    close(ends[1]);
    tell_clients(seat);
}

/* ---- from the broker ---- */

/* `recording` is this function's. */
static void open_recording(Seat *seat, int recording)
{
    g_autoptr(GError) error = NULL;
    seat->source = source_replay_new(seat->host, recording, !seat->configuration.whole_damage, &source_events,
                                     seat, &error);
    if (seat->source)
        tell_clients(seat);
    else
        source_lost(error->message, seat);
}

/* *recording: the descriptor that came along, -1: none; what is taken becomes -1. */
static void configure(Seat *seat, const SeatConfigure *packet, int *recording)
{
    SeatConfigure *configuration = &seat->configuration;

    for (guint i = 0; i < SEAT_FILMS_MAX; i++) {
        stream_h264_encoders(seat->streams[i], packet->encoder, packet->software_encoder);
        stream_h264_encoders(seat->slow_streams[i], packet->encoder, packet->software_encoder);
    }
    if (seat->configured) {
        /* A new broker, an old display. */
        if (seat->lost && configuration->source == SEAT_SOURCE_QEMU)
            open_display(seat);
        else if (seat->pictured)
            tell_picture(seat);
        tell_clients(seat);
        return;
    }
    *configuration = *packet;
    configuration->width = CLAMP(configuration->width, SEAT_WIDTH_MIN, SEAT_WIDTH_MAX);
    configuration->height = CLAMP(configuration->height, SEAT_WIDTH_MIN, SEAT_WIDTH_MAX);
    seat->configured = TRUE;
    make_typer(seat);
    if (configuration->source == SEAT_SOURCE_QEMU) {
        open_display(seat);
        return;
    }
    if (configuration->source == SEAT_SOURCE_REPLAY) {
        open_recording(seat, *recording);
        *recording = -1;
        return;
    }
    seat->source =
        source_pattern_new(seat->host, configuration->width, configuration->height, &source_events, seat);
    tell_clients(seat);
}

static void send_thumbnail(Seat *seat, const SeatThumbnailRequest *request)
{
    SeatThumbnail thumbnail = {.header = {.type = SEAT_CONTROL_THUMB, .size = sizeof thumbnail},
                               .request = request->request};
    g_autoptr(GError) error = NULL;
    guint width, height;
    gsize stride = 0, length = 0;
    int fd = -1;

    if (seat->source)
        seat->source->class->wants(seat->source);
    const void *pixels = seat_host_pixels(seat->host, &stride);
    seat_host_size(seat->host, &width, &height);
    if (pixels && seat->pictured && request->max_width > 0 && request->max_height > 0) {
        fd = thumbnail_new(pixels, width, height, stride, request->max_width, request->max_height,
                           &thumbnail.width, &thumbnail.height, &length, &error);
        if (fd < 0)
            log_warning("%s", error->message);
    }
    thumbnail.length = fd >= 0 ? length : 0;
    tell_broker(seat, &thumbnail, sizeof thumbnail, fd >= 0 ? &fd : NULL);
    if (fd >= 0)
        close(fd);
}

static void broker_received(PacketLink *link, const void *packet, gsize length, int *descriptors, guint count,
                            gpointer data)
{
    Seat *seat = data;
    const SeatControlHeader *header = packet;
    int none = -1;

    if (length < sizeof *header || header->size != length) {
        log_warning("broker: a packet whose size lies is ignored");
        return;
    }
    switch (header->type) {
    case SEAT_CONTROL_CONFIGURE:
        if (length == sizeof(SeatConfigure))
            configure(seat, packet, count > 0 ? &descriptors[0] : &none);
        break;
    case SEAT_CONTROL_REOPEN:
        if (seat->configured && seat->configuration.source == SEAT_SOURCE_QEMU)
            open_display(seat);
        break;
    case SEAT_CONTROL_THUMBNAIL:
        if (length == sizeof(SeatThumbnailRequest))
            send_thumbnail(seat, packet);
        break;
    case SEAT_CONTROL_RESIZE:
        if (length == sizeof(SeatSize) && seat->source)
            seat->source->class->size(seat->source, &((const SeatSize *)packet)->size);
        break;
    default:
        log_warning("broker: unknown packet %u is ignored", header->type);
    }
}

static void broker_closed(PacketLink *link, gboolean broken, gpointer data)
{
    Seat *seat = data;
    packet_link_free(g_steal_pointer(&seat->broker));
    log_info("the broker's link has ended; display and clients stay");
}

void seat_broker(Seat *seat, int fd)
{
    packet_link_free(seat->broker);
    seat->broker = packet_link_new(fd, NULL, SEAT_CONTROL_PACKET_MAX, BROKER_QUEUE_MAX, broker_received,
                                   broker_closed, seat);
}

/* ---- from the clients ---- */

static void client_key(ProcessId peer, guint code, gboolean pressed, gpointer data)
{
    typer_key(((Seat *)data)->typer, code, pressed);
}

static void client_keysym(ProcessId peer, guint32 keysym, gboolean pressed, gpointer data)
{
    if (!typer_keysym(((Seat *)data)->typer, keysym, pressed) && pressed)
        log_debug("the desktop's keyboard layout cannot type keysym 0x%x", keysym);
}

static void client_locks(ProcessId peer, guint mask, gpointer data)
{
    typer_client_locks(((Seat *)data)->typer, mask);
}

static void client_pointer(ProcessId peer, const SeatPointer *pointer, gpointer data)
{
    Seat *seat = data;
    if (seat->source)
        seat->source->class->pointer(seat->source, pointer);
}

static void client_motion(ProcessId peer, const SeatMotion *motion, gpointer data)
{
    Seat *seat = data;
    if (seat->source)
        seat->source->class->motion(seat->source, motion);
}

static void client_touch(ProcessId peer, const SeatTouch *touch, gpointer data)
{
    Seat *seat = data;
    if (seat->source)
        seat->source->class->touch(seat->source, touch);
}

static void client_size(ProcessId peer, guint head, const SeatSizeHint *size, gpointer data)
{
    Seat *seat = data;
    if (head != 0 || size->width == 0 || size->height == 0)
        return;
    seat->configuration.width = CLAMP(size->width, SEAT_WIDTH_MIN, SEAT_WIDTH_MAX);
    seat->configuration.height = CLAMP(size->height, SEAT_WIDTH_MIN, SEAT_WIDTH_MAX);
    if (seat->source)
        seat->source->class->size(seat->source, size);
}

static void client_left(ProcessId peer, gpointer data)
{
    tell_clients(data);
}

static void host_wants(gpointer data)
{
    Seat *seat = data;
    if (seat->source)
        seat->source->class->wants(seat->source);
}

void seat_client(Seat *seat, const LifelineSeatLink *link, int fd)
{
    seat_host_add_client(seat->host, fd, link->peer, link->rights, &link->record);
    tell_clients(seat);
}

void seat_unlink(Seat *seat, ProcessId peer)
{
    seat_host_remove_client(seat->host, peer, END_REPLACED, NULL);
}

Seat *seat_new(GError **error)
{
    static const SeatHostEvents host_events = {
        .key = client_key,
        .keysym = client_keysym,
        .locks = client_locks,
        .pointer = client_pointer,
        .motion = client_motion,
        .touch = client_touch,
        .size = client_size,
        .left = client_left,
        .wants = host_wants,
    };
    Seat *seat = g_new0(Seat, 1);
    seat->host = seat_host_new(FALSE, &host_events, seat, error);
    if (!seat->host) {
        g_free(seat);
        return NULL;
    }
    for (guint i = 0; i < SEAT_FILMS_MAX; i++) {
        seat->streams[i] = stream_h264_new(&seat->doubt);
        seat->slow_streams[i] = stream_h264_new(&seat->doubt);
    }
    seat_host_set_streams(seat->host, SEAT_FILMS_MAX, seat->streams, seat->slow_streams);
    make_typer(seat);
    return seat;
}

void seat_end(Seat *seat, EndReason reason, const char *text)
{
    seat_host_remove_all(seat->host, reason, text && *text ? text : NULL);
}

void seat_free(Seat *seat)
{
    if (!seat)
        return;
    seat_host_free(seat->host);
    if (seat->source)
        seat->source->class->free(seat->source);
    packet_link_free(seat->broker);
    typer_free(seat->typer);
    g_free(seat);
}
