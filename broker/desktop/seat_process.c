/* Spawning, binding, configuring and hearing one seat. */
#include "broker/desktop/seat_process.h"

#include "base/log.h"
#include "base/packet.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUEUE_MAX 64
#define THUMBNAILS_MAX 16
#define THUMBNAIL_BYTES_MAX (2u << 20)
#define THUMBNAIL_MS 5000
/* A seat taken over that has no picture by then had asked the broker before us for its display. */
#define ADOPTED_PICTURE_MS 1500

typedef struct {
    uint64_t request;
    gint64 deadline; /* us */
    SeatThumbnailDone done;
    gpointer data;
} Thumbnail;

struct SeatProcess {
    MasterClient *master;
    ProcessId id;
    PacketLink *link;
    SeatConfigure configuration;
    char *recording; /* path; NULL: none */
    uint64_t epoch;
    gboolean adopted, pictured, ended;
    guint clients, timer, adopted_timer;
    uint64_t next_request;
    GArray *thumbnails; /* of Thumbnail */
    SeatProcessEvents events;
    gpointer data;
};

static void bound(int error, ProcessId id, gpointer data)
{
    SeatProcess *self = data;
    if (error)
        self->events.failed(self, "The desktop's screen could not be given its record.", self->data);
}

static void bind_record(SeatProcess *self)
{
    ProcessRecord record = {.epoch = self->epoch};
    g_strlcpy(record.desktop, self->configuration.desktop, sizeof record.desktop);
    master_client_bind(self->master, self->id, &record, bound, self);
}

static void spawned(int error, ProcessId id, gpointer data)
{
    SeatProcess *self = data;

    self->id = id;
    if (self->ended) {
        if (!error)
            master_client_end(self->master, id, END_DONE, NULL);
        seat_process_forget(self);
    } else if (error) {
        self->events.failed(self, "The server cannot start another screen now.", self->data);
    } else {
        bind_record(self);
    }
}

static SeatProcess *make(MasterClient *master, const SeatConfigure *configuration, const char *recording,
                         uint64_t epoch, const SeatProcessEvents *events, gpointer data)
{
    SeatProcess *self = g_new0(SeatProcess, 1);
    self->master = master;
    self->configuration = *configuration;
    self->configuration.header.type = SEAT_CONTROL_CONFIGURE;
    self->configuration.header.size = sizeof self->configuration;
    self->recording = g_strdup(recording);
    self->epoch = epoch;
    self->events = *events;
    self->data = data;
    self->next_request = 1;
    self->thumbnails = g_array_new(FALSE, FALSE, sizeof(Thumbnail));
    return self;
}

SeatProcess *seat_process_new(MasterClient *master, const SeatConfigure *configuration, const char *recording,
                              uint64_t epoch, const SeatProcessEvents *events, gpointer data)
{
    SeatProcess *self = make(master, configuration, recording, epoch, events, data);
    master_client_spawn(master, KIND_SEAT, spawned, self);
    return self;
}

SeatProcess *seat_process_adopt(MasterClient *master, ProcessId id, const SeatConfigure *configuration,
                                const char *recording, uint64_t epoch, const SeatProcessEvents *events,
                                gpointer data)
{
    SeatProcess *self = make(master, configuration, recording, epoch, events, data);
    self->id = id;
    self->adopted = TRUE;
    return self;
}

/* ---- its reports ---- */

static void answer_thumbnail(SeatProcess *self, uint64_t request, const guint8 *png, gsize length,
                             guint width, guint height)
{
    for (guint i = 0; i < self->thumbnails->len; i++) {
        Thumbnail thumbnail = g_array_index(self->thumbnails, Thumbnail, i);
        if (thumbnail.request != request)
            continue;
        g_array_remove_index(self->thumbnails, i);
        thumbnail.done(png, length, width, height, thumbnail.data);
        return;
    }
}

/* The memfd is the seat's: it is read, not mapped, so that cutting it short harms nobody. */
static void take_thumbnail(SeatProcess *self, const SeatThumbnail *packet, int fd)
{
    g_autofree guint8 *png = NULL;
    gsize length = packet->length;

    if (fd >= 0 && length > 0 && length <= THUMBNAIL_BYTES_MAX) {
        png = g_malloc(length);
        for (gsize got = 0; got < length;) {
            ssize_t n = pread(fd, png + got, length - got, (off_t)got);
            if (n <= 0) {
                g_clear_pointer(&png, g_free);
                break;
            }
            got += (gsize)n;
        }
    }
    answer_thumbnail(self, packet->request, png, png ? length : 0, packet->width, packet->height);
}

static void received(PacketLink *link, const void *packet, gsize length, int *descriptors, guint count,
                     gpointer data)
{
    SeatProcess *self = data;
    const SeatControlHeader *header = packet;

    if (length < sizeof *header || header->size != length)
        return;
    if (header->type == SEAT_CONTROL_DISPLAY && length == sizeof *header && count == 1) {
        int fd = descriptors[0];
        descriptors[0] = -1;
        self->events.display(self, fd, self->data);
    } else if (header->type == SEAT_CONTROL_PICTURE && length == sizeof(SeatPicture)) {
        const SeatPicture *picture = packet;
        self->pictured = TRUE;
        self->events.picture(self, picture->width, picture->height, self->data);
    } else if (header->type == SEAT_CONTROL_LOST && length == sizeof(SeatLost)) {
        g_autofree char *text = g_strndup(((const SeatLost *)packet)->text, SEAT_TEXT_MAX - 1);
        self->pictured = FALSE;
        self->events.lost(self, text, self->data);
    } else if (header->type == SEAT_CONTROL_THUMB && length == sizeof(SeatThumbnail)) {
        take_thumbnail(self, packet, count > 0 ? descriptors[0] : -1);
    } else if (header->type == SEAT_CONTROL_CLIENTS && length == sizeof(SeatClients)) {
        self->clients = ((const SeatClients *)packet)->clients;
        self->events.clients(self, self->clients, self->data);
    } else {
        log_warning("%s: the seat sent a packet of type %u that is none", self->configuration.desktop,
                    header->type);
    }
}

/* Its death is reported by the master; a seat that lives without a link gets none again before the next
 * broker. */
static void closed(PacketLink *link, gboolean broken, gpointer data)
{
    SeatProcess *self = data;
    packet_link_free(g_steal_pointer(&self->link));
}

static gboolean ask_adopted(gpointer data)
{
    SeatProcess *self = data;
    self->adopted_timer = 0;
    if (!self->pictured)
        seat_process_reopen(self);
    return G_SOURCE_REMOVE;
}

/* Sends the configuration, with the recording's descriptor where there is one: the seat opens no file by a
 * path. */
static gboolean configure(SeatProcess *self)
{
    g_autofree char *text = NULL;
    if (!self->recording)
        return packet_link_send(self->link, &self->configuration, sizeof self->configuration, NULL, 0);
    int fd = open(self->recording, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) {
        packet_link_send(self->link, &self->configuration, sizeof self->configuration, &fd, 1);
        close(fd);
        return TRUE;
    }
    text = g_strdup_printf("The recording %s cannot be read: %s.", self->recording, g_strerror(errno));
    self->events.lost(self, text, self->data);
    return FALSE;
}

void seat_process_link(SeatProcess *self, int fd)
{
    packet_link_free(self->link);
    self->link = packet_link_new(fd, NULL, SEAT_CONTROL_PACKET_MAX, QUEUE_MAX, received, closed, self);
    if (!configure(self))
        return;
    if (self->adopted && !self->adopted_timer)
        self->adopted_timer = g_timeout_add(ADOPTED_PICTURE_MS, ask_adopted, self);
}

/* ---- what is asked of it ---- */

gboolean seat_process_bind(SeatProcess *self, uint64_t epoch)
{
    if (self->epoch == epoch)
        return TRUE;
    if (self->epoch)
        return FALSE;
    self->epoch = epoch;
    if (self->id)
        bind_record(self);
    return TRUE;
}

ProcessId seat_process_id(const SeatProcess *self)
{
    return self->id;
}

uint64_t seat_process_epoch(const SeatProcess *self)
{
    return self->epoch;
}

gboolean seat_process_pictured(const SeatProcess *self)
{
    return self->pictured;
}

guint seat_process_clients(const SeatProcess *self)
{
    return self->clients;
}

void seat_process_reopen(SeatProcess *self)
{
    SeatControlHeader packet = {.type = SEAT_CONTROL_REOPEN, .size = sizeof packet};
    if (self->link)
        packet_link_send(self->link, &packet, sizeof packet, NULL, 0);
}

static gboolean expire_thumbnails(gpointer data)
{
    SeatProcess *self = data;
    gint64 now = g_get_monotonic_time();

    while (self->thumbnails->len > 0 && g_array_index(self->thumbnails, Thumbnail, 0).deadline <= now)
        answer_thumbnail(self, g_array_index(self->thumbnails, Thumbnail, 0).request, NULL, 0, 0, 0);
    if (self->thumbnails->len > 0)
        return G_SOURCE_CONTINUE;
    self->timer = 0;
    return G_SOURCE_REMOVE;
}

void seat_process_thumbnail(SeatProcess *self, guint max_width, guint max_height, SeatThumbnailDone done,
                            gpointer data)
{
    SeatThumbnailRequest packet = {.header = {.type = SEAT_CONTROL_THUMBNAIL, .size = sizeof packet},
                                   .max_width = max_width,
                                   .max_height = max_height,
                                   .request = self->next_request};
    Thumbnail thumbnail = {self->next_request, g_get_monotonic_time() + THUMBNAIL_MS * 1000, done, data};

    if (!self->link || self->thumbnails->len >= THUMBNAILS_MAX) {
        done(NULL, 0, 0, 0, data);
        return;
    }
    self->next_request++;
    g_array_append_val(self->thumbnails, thumbnail);
    if (!self->timer)
        self->timer = g_timeout_add(THUMBNAIL_MS / 4, expire_thumbnails, self);
    packet_link_send(self->link, &packet, sizeof packet, NULL, 0);
}

/* ---- its end ---- */

static void let_go(SeatProcess *self)
{
    g_clear_handle_id(&self->timer, g_source_remove);
    g_clear_handle_id(&self->adopted_timer, g_source_remove);
    g_clear_pointer(&self->link, packet_link_free);
    while (self->thumbnails->len > 0)
        answer_thumbnail(self, g_array_index(self->thumbnails, Thumbnail, 0).request, NULL, 0, 0, 0);
}

void seat_process_end(SeatProcess *self)
{
    if (!self)
        return;
    let_go(self);
    if (!self->id) {
        /* Its number is still to come; spawned() frees it. */
        self->ended = TRUE;
        return;
    }
    master_client_end(self->master, self->id, END_DONE, NULL);
    seat_process_forget(self);
}

void seat_process_forget(SeatProcess *self)
{
    if (!self)
        return;
    let_go(self);
    master_client_forget(self->master, self);
    g_array_unref(self->thumbnails);
    g_free(self->recording);
    g_free(self);
}
