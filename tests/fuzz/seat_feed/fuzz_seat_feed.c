/* A hostile seat: arbitrary packets, descriptors and shared memory to a client process's viewer. Whatever
 * comes, what it hands to the protocol stays inside its picture. */
#include "base/log.h"
#include "base/packet.h"
#include "encoder/ring.h"
#include "encoder/shadow.h"
#include "session/client/viewer_internal.h"
#include "tests/fuzz/seat_feed/packets.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WIDTH 200u
#define HEIGHT 150u
#define GENERATION 7u
#define STEPS 64
#define END(TYPE, FIELD) (offsetof(TYPE, FIELD) + sizeof(((TYPE *)NULL)->FIELD) - 1)

static const PacketKind kinds[] = {
    {SEAT_FRAME, sizeof(SeatFrame), {0}},
    {SEAT_BUFFER, sizeof(SeatBuffer), {0}},
    {SEAT_CURSOR, sizeof(SeatCursor), {0}},
    {SEAT_LEDS, sizeof(SeatLocks), {0}},
    {SEAT_POINTER_MODE, sizeof(SeatPointerMode), {0}},
    {SEAT_PRESENCE, sizeof(SeatPresence), {0}},
    {SEAT_LOGIN, sizeof(SeatLogin), {END(SeatLogin, user), END(SeatLogin, text)}},
    {SEAT_WELCOME, sizeof(SeatWelcome), {END(SeatWelcome, desktop), END(SeatWelcome, user)}},
    {SEAT_CLOSE, sizeof(SeatClose), {END(SeatClose, text)}},
    {SEAT_STREAM_OPEN, sizeof(SeatStreamOpen), {END(SeatStreamOpen, mime)}},
    {SEAT_STREAM_DATA, sizeof(SeatStreamData), {0}},
    {SEAT_HELLO, sizeof(SeatHello), {0}},
};

/* What a seat may hand out: a sound shadow whose bytes the input may change, a ring, and what is neither. */
static struct {
    guint8 *memory;
    SeatBuffer layout;
    Ring *ring;
    int shadow, small, pipe[2];
} seat;

static Viewer *viewer;
static gboolean dirty, ended;

static void check_rect(const ViewerRect *r, const ViewerPicture *picture)
{
    g_assert(r->width > 0 && r->height > 0 && r->x + r->width <= picture->width &&
             r->y + r->height <= picture->height);
}

static guint check_unit(const ViewerUnit *unit, const ViewerPicture *picture)
{
    guint sum = 0;

    g_assert(unit->film < SEAT_FILMS_MAX);
    check_rect(&unit->region, picture);
    for (guint i = 0; i < unit->n_rects; i++)
        check_rect(&unit->rects[i], picture);
    for (guint i = 0; i < unit->n_auxiliary_rects; i++)
        check_rect(&unit->auxiliary_rects[i], picture);
    for (gsize i = 0; i < unit->length; i++)
        sum += unit->data[i];
    for (gsize i = 0; unit->auxiliary && i < unit->auxiliary_length; i++)
        sum += unit->auxiliary[i];
    return sum;
}

static void take(gboolean lossless_only)
{
    ViewerUpdate update;
    guint sum = 0;

    dirty = FALSE;
    if (!viewer_take(viewer, lossless_only, &update))
        return;
    for (guint i = 0; i < update.n_rects; i++) {
        const ViewerRect *r = &update.rects[i];
        check_rect(r, &update.picture);
        for (guint y = r->y; y < r->y + r->height; y++) /* the sanitizer looks on */
            sum += update.picture.pixels[y * update.picture.stride + r->x * 4] +
                   update.picture.pixels[y * update.picture.stride + (r->x + r->width) * 4 - 1];
    }
    g_assert(update.n_units <= SEAT_FILMS_MAX);
    for (guint i = 0; i < update.n_units; i++)
        sum += check_unit(&update.units[i], &update.picture);
    for (guint i = 0; i < update.n_moves; i++) {
        const ViewerMove *m = &update.moves[i];
        g_assert(MAX(m->x, m->to_x) + m->width <= update.picture.width &&
                 MAX(m->y, m->to_y) + m->height <= update.picture.height);
    }
    __asm__ volatile("" ::"r"(sum));
    viewer_release(viewer);
}

static void on_switched(Viewer *which, guint width, guint height, const SeatWelcome *welcome, gpointer data)
{
    g_assert(width >= 1 && width <= SEAT_WIDTH_MAX && height >= 1 && height <= SEAT_WIDTH_MAX);
}

static void on_dirty(Viewer *which, gpointer data)
{
    dirty = TRUE;
}

static void on_cursor(Viewer *which, const guint8 *pixels, guint width, guint height, guint hot_x,
                      guint hot_y, gpointer data)
{
    g_assert(width <= SEAT_CURSOR_MAX && height <= SEAT_CURSOR_MAX && hot_x <= width && hot_y <= height);
    g_free(pixels ? g_memdup2(pixels, (gsize)width * height * 4) : NULL);
}

static void on_leds(Viewer *which, guint32 mask, gpointer data)
{
    g_assert(mask <= 7);
}

static void on_mode(Viewer *which, gboolean absolute, gpointer data)
{
}

static void on_login(Viewer *which, SeatLoginResult result, const char *user, const char *text, gpointer data)
{
    g_assert(strlen(user) < SEAT_NAME_MAX && strlen(text) < SEAT_TEXT_MAX);
}

static void on_ended(Viewer *which, EndReason reason, const char *text, gpointer data)
{
    ended = TRUE;
}

static const ViewerEvents events = {.switched = on_switched,
                                    .dirty = on_dirty,
                                    .cursor = on_cursor,
                                    .leds = on_leds,
                                    .pointer_mode = on_mode,
                                    .login = on_login,
                                    .ended = on_ended};

static void turn(void)
{
    for (guint i = 0; i < 100 && g_main_context_iteration(NULL, FALSE); i++)
        ;
}

static void prepare(void)
{
    g_autoptr(Shadow) shadow = shadow_new(WIDTH, HEIGHT, GENERATION, NULL);
    static const guint8 units[4096] = {0, 0, 0, 1, 0x65};
    guint64 position;

    log_open("fuzz", LOG_LEVEL_ERROR);
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL |
                           G_LOG_FATAL_MASK); /* what a function refuses should not get there */
    seat.layout = *shadow_layout(shadow);
    seat.ring = ring_new(NULL);
    seat.shadow = memfd_create("shadow", MFD_CLOEXEC);
    seat.small = memfd_create("small", MFD_CLOEXEC);
    if (!seat.ring || !ring_put(seat.ring, units, sizeof units, &position) || seat.shadow < 0 ||
        ftruncate(seat.shadow, (off_t)seat.layout.memory) < 0 || ftruncate(seat.small, 64) < 0 ||
        pipe(seat.pipe) < 0)
        abort();
    seat.memory = mmap(NULL, seat.layout.memory, PROT_READ | PROT_WRITE, MAP_SHARED, seat.shadow, 0);
    if (seat.memory == MAP_FAILED)
        abort();
}

/* As a seat begins; each input finds it so. */
static void reset(int link)
{
    const SeatShadowHeader header = {.magic = SEAT_SHADOW_MAGIC, .generation = GENERATION, .passes = 1};
    SeatWelcome welcome = {.header = {.type = SEAT_WELCOME, .size = sizeof welcome},
                           .version = SEAT_LINK_VERSION};
    SeatFrame whole = {.header = {.type = SEAT_FRAME, .size = sizeof whole, .generation = GENERATION},
                       .serial = 1,
                       .pass = 1,
                       .complete = 1};
    int descriptors[2] = {seat.shadow, ring_fd(seat.ring)};

    memset(seat.memory + seat.layout.versions_offset, 0, seat.layout.tiles_x * seat.layout.tiles_y * 4);
    memcpy(seat.memory, &header, sizeof header);
    packet_send(link, &welcome, sizeof welcome, NULL, 0);
    packet_send(link, &seat.layout, sizeof seat.layout, descriptors, 2);
    packet_send(link, &whole, sizeof whole, NULL, 0);
}

/* The sound layout, changed here and there. */
static gsize make_buffer(Input *input, Packet *packet)
{
    SeatBuffer *buffer = &packet->buffer;

    memset(packet, 0, sizeof *packet);
    *buffer = seat.layout;
    buffer->header.generation = GENERATION + input_byte(input) % 3;
    for (guint8 n = input_byte(input) % 4; n > 0; n--)
        packet->bytes[sizeof(SeatHeader) + input_byte(input) % (sizeof *buffer - sizeof(SeatHeader))] =
            input_byte(input);
    return sizeof *buffer;
}

static void send_something(Input *input, int link, guint8 what)
{
    const int offered[] = {seat.shadow, ring_fd(seat.ring), seat.small, seat.pipe[0]};
    const PacketKind *kind = &kinds[what % G_N_ELEMENTS(kinds)];
    guint8 count = 0, choice = input_byte(input);
    int descriptors[2];
    Packet packet;
    gsize length = kind->type == SEAT_BUFFER && what & 0x40 ? make_buffer(input, &packet)
                                                            : packet_make(input, kind, GENERATION, &packet);

    if (kind->type == SEAT_BUFFER || kind->type == SEAT_CURSOR)
        count = kind->type == SEAT_BUFFER ? 2 : choice >> 7;
    if (choice & 0x10)
        count = choice >> 5 & 1;
    for (guint i = 0; i < count; i++)
        descriptors[i] = offered[choice & 0x40 ? choice >> (2 * i) & 3 : i];
    packet_send(link, &packet, length, descriptors, count);
}

static void write_memory(Input *input)
{
    guint tile = input_byte(input) % (seat.layout.tiles_x * seat.layout.tiles_y);
    guint8 what = input_byte(input);
    if (what & 1)
        seat.memory[seat.layout.versions_offset + tile * 4]++;
    else if (what & 2)
        seat.memory[8 + what / 4 % 8]++; /* passes */
    else
        memset(seat.memory + seat.layout.pixels_offset + tile * 4096u % (WIDTH * HEIGHT), what, 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input = {data, size};
    SeatHello hello = {.protocol = SEAT_PROTOCOL_RDP, .heads = 1};
    int ends[2];

    if (!seat.memory)
        prepare();
    if (size < 2 || !packet_pair(ends, NULL))
        return 0;
    guint8 way = input_byte(&input);
    dirty = ended = FALSE;
    viewer = viewer_new(&events, NULL);
    viewer_units_paint_all(viewer, way & 1);
    viewer_accept_moves(viewer, (way & 2) != 0);
    viewer_subscribe(viewer, way & 4 ? SEAT_H264_AVC444 : SEAT_H264_NONE, 0);
    viewer_hello(viewer, &hello, NULL);
    viewer_attach(viewer, ends[1], FALSE);
    if (way & 8)
        reset(ends[0]);
    for (guint step = 0; step < STEPS && input.size > 0 && !ended; step++) {
        guint8 what = input_byte(&input);
        if (what < 0xc0)
            send_something(&input, ends[0], what);
        else if (what < 0xe0)
            write_memory(&input);
        else if (what < 0xf0)
            viewer_invalidate(viewer, NULL, 0);
        turn();
        if (dirty && what % 3)
            take(what & 8);
    }
    viewer_free(viewer);
    close(ends[0]);
    turn();
    return 0;
}
