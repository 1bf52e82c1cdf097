/* Hostile clients: arbitrary packets to a seat that shows a changing picture, with a stream and another
 * client beside it. What comes out of the host is in range, and whatever a client presses is released when it
 * has gone. */
#include "base/log.h"
#include "base/packet.h"
#include "session/seat/host_private.h"
#include "tests/fuzz/seat_feed/packets.h"

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WIDTH 200u
#define HEIGHT 150u
#define CLIENTS 2
#define STEPS 64
#define END(TYPE, FIELD) (offsetof(TYPE, FIELD) + sizeof(((TYPE *)NULL)->FIELD) - 1)

static const PacketKind kinds[] = {
    {SEAT_KEY, sizeof(SeatKey), {0}},
    {SEAT_KEYSYM, sizeof(SeatKeysym), {0}},
    {SEAT_POINTER, sizeof(SeatPointer), {0}},
    {SEAT_MOTION, sizeof(SeatMotion), {0}},
    {SEAT_TOUCH, sizeof(SeatTouch), {0}},
    {SEAT_CREDIT, sizeof(SeatCredit), {0}},
    {SEAT_SUBSCRIBE, sizeof(SeatSubscribe), {0}},
    {SEAT_KEYFRAME, sizeof(SeatHeader), {0}},
    {SEAT_RELEASE, sizeof(SeatHeader), {0}},
    {SEAT_SIZE, sizeof(SeatSize), {0}},
    {SEAT_LOCKS, sizeof(SeatLocks), {0}},
    {SEAT_PREFILL,
     sizeof(SeatPrefill),
     {END(SeatPrefill, user), END(SeatPrefill, desktop), END(SeatPrefill, password),
      END(SeatPrefill, ticket)}},
    {SEAT_HELLO, sizeof(SeatHello), {END(SeatHello, xkb_layout), END(SeatHello, xkb_variant)}},
    {SEAT_STREAM_OPEN, sizeof(SeatStreamOpen), {END(SeatStreamOpen, mime)}},
    {SEAT_STREAM_DATA, sizeof(SeatStreamData), {0}},
    {SEAT_FRAME, sizeof(SeatFrame), {0}},
};

typedef struct {
    HostStream stream;
    const HostStreamEvents *events;
    gpointer data;
    gboolean encoding;
} Fake;

static SeatHost *host;
static guint32 pixels[WIDTH * HEIGHT];
static guint8 keys[CLIENTS + 1][256];
static guint32 buttons[CLIENTS + 1], contacts[CLIENTS + 1];
static guint keysyms[CLIENTS + 1];
static Fake fakes[2 * SEAT_FILMS_MAX];

/* ---- the stream ---- */

static void fake_attach(HostStream *stream, const HostStreamEvents *events, gpointer data)
{
    ((Fake *)stream)->events = events;
    ((Fake *)stream)->data = data;
}

static gboolean fake_encode(HostStream *stream, const Shadow *shadow, const SeatRect *region,
                            const SeatRect *rects, guint count, gboolean keyframe)
{
    g_assert(region->x + region->width <= WIDTH && region->y + region->height <= HEIGHT);
    ((Fake *)stream)->encoding = TRUE;
    return TRUE;
}

static void fake_cancel(HostStream *stream)
{
    ((Fake *)stream)->encoding = FALSE;
}

static void fake_demand(HostStream *stream, guint max_kbit_s, gboolean chroma)
{
}

static void fake_free(HostStream *stream)
{
}

static void finish_unit(Fake *fake, gboolean lost)
{
    static const guint8 unit[] = {0, 0, 0, 1, 0x65};
    H264Units made = {.main = unit, .main_length = sizeof unit, .keyframe = TRUE};
    if (!fake->encoding)
        return;
    fake->encoding = FALSE;
    if (lost)
        fake->events->lost(fake->data);
    else
        fake->events->unit(&made, 1, fake->data);
}

/* ---- what the host says ---- */

static void on_size(ProcessId peer, guint head, const SeatSizeHint *size, gpointer data)
{
    g_assert(head < SEAT_HEADS_MAX && size->width <= SEAT_WIDTH_MAX && size->height <= SEAT_WIDTH_MAX);
}

static void on_prefill(ProcessId peer, const SeatPrefill *prefill, gpointer data)
{
    g_assert(strlen(prefill->password) < SEAT_SECRET_MAX && strlen(prefill->user) < SEAT_NAME_MAX);
}

static void on_key(ProcessId peer, guint code, gboolean pressed, gpointer data)
{
    g_assert(code < 256);
    keys[peer][code] = pressed;
}

static void on_keysym(ProcessId peer, guint32 keysym, gboolean pressed, gpointer data)
{
    g_assert(pressed || keysyms[peer] > 0);
    keysyms[peer] += pressed ? 1 : 0; /* repeats are presses, too */
}

static void on_locks(ProcessId peer, guint mask, gpointer data)
{
    g_assert(mask <= 7);
}

static void on_pointer(ProcessId peer, const SeatPointer *pointer, gpointer data)
{
    g_assert(pointer->x >= 0 && pointer->x < (gint)WIDTH && pointer->y >= 0 && pointer->y < (gint)HEIGHT &&
             pointer->buttons < 32);
    buttons[peer] = pointer->buttons;
}

static void on_motion(ProcessId peer, const SeatMotion *motion, gpointer data)
{
    g_assert(ABS(motion->dx) <= 65535 && ABS(motion->dy) <= 65535 && motion->buttons < 32);
    buttons[peer] = motion->buttons;
}

static void on_touch(ProcessId peer, const SeatTouch *touch, gpointer data)
{
    guint32 bit = 1u << touch->contact;
    g_assert(touch->contact < 16 && touch->phase <= 3);
    contacts[peer] = touch->phase < 2 ? contacts[peer] | bit : contacts[peer] & ~bit;
}

static void on_left(ProcessId peer, gpointer data)
{
    for (guint code = 0; code < 256; code++)
        g_assert(!keys[peer][code]);
    g_assert(buttons[peer] == 0 && contacts[peer] == 0);
}

static const SeatHostEvents events = {.prefill = on_prefill,
                                      .size = on_size,
                                      .key = on_key,
                                      .keysym = on_keysym,
                                      .locks = on_locks,
                                      .pointer = on_pointer,
                                      .motion = on_motion,
                                      .touch = on_touch,
                                      .left = on_left};

static void turn(void)
{
    for (guint i = 0; i < 100 && g_main_context_iteration(NULL, FALSE); i++)
        ;
}

/* ---- a run ---- */

static void change_picture(Input *input)
{
    guint x = input_byte(input) % WIDTH, y = input_byte(input) % HEIGHT, n = input_byte(input);
    const SeatRect all = {.width = WIDTH, .height = HEIGHT};
    for (guint i = y; i < MIN(y + n, HEIGHT); i++)
        for (guint j = x; j < MIN(x + n, WIDTH); j++)
            pixels[i * WIDTH + j] += n & 1 ? 0x010101 : (i * 7919 + j * 104729) & 0xffffff;
    seat_host_damage(host, &all, 1, pixels, WIDTH * 4, 0);
}

static void send_something(Input *input, int link, guint8 what)
{
    Packet packet;
    gsize length =
        packet_make(input, &kinds[what % G_N_ELEMENTS(kinds)], seat_host_generation(host), &packet);
    packet_send(link, &packet, length, NULL, 0);
}

/* What comes to the clients is thrown away, or their links would be full. */
static void forget(int link)
{
    guint8 packet[SEAT_LINK_PACKET_MAX];
    int descriptors[SEAT_LINK_DESCRIPTORS_MAX];
    gsize length;
    guint count;
    while (packet_receive(link, packet, sizeof packet, &length, descriptors, G_N_ELEMENTS(descriptors),
                          &count) == PACKET_OK)
        for (guint i = 0; i < count; i++)
            close(descriptors[i]);
}

static void begin(guint8 way, int links[CLIENTS])
{
    static const HostStreamClass class = {fake_attach, fake_encode, fake_cancel, fake_demand, fake_free};
    const ProcessRecord record = {.user = "alice", .desktop = "d1"};

    host = seat_host_new((way & 1) != 0, &events, NULL, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(fakes); i++)
        fakes[i] = (Fake){.stream.class = &class};
    if (way & 2)
        seat_host_set_streams(host, SEAT_FILMS_MAX, (HostStream *[]){&fakes[0].stream, &fakes[1].stream},
                              (HostStream *[]){&fakes[2].stream, &fakes[3].stream});
    g_assert(seat_host_resize(host, WIDTH, HEIGHT, NULL));
    for (guint i = 0; i < CLIENTS; i++) {
        SeatHello hello = {.header = {.type = SEAT_HELLO, .size = sizeof hello},
                           .version = SEAT_LINK_VERSION,
                           .protocol = SEAT_PROTOCOL_RDP,
                           .heads = 1};
        int ends[2];
        g_assert(packet_pair(ends, NULL));
        links[i] = ends[0];
        seat_host_add_client(host, ends[1], i + 1, i == 0 || !(way & 4) ? 0 : LINK_VIEW_ONLY, &record);
        if (way & (8u << i))
            packet_send(ends[0], &hello, sizeof hello, NULL, 0);
    }
    turn();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input = {data, size};
    int links[CLIENTS];

    if (size < 2)
        return 0;
    log_open("fuzz", LOG_LEVEL_ERROR);
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL |
                           G_LOG_FATAL_MASK); /* what a function refuses should not get there */
    memset(keys, 0, sizeof keys);
    memset(buttons, 0, sizeof buttons);
    memset(contacts, 0, sizeof contacts);
    memset(keysyms, 0, sizeof keysyms);
    memset(pixels, 0, sizeof pixels);
    begin(input_byte(&input), links);
    for (guint step = 0; step < STEPS && input.size > 0; step++) {
        guint8 what = input_byte(&input);
        if (what < 0xb0)
            send_something(&input, links[what / 16 % CLIENTS], what);
        else if (what < 0xe0)
            change_picture(&input);
        else if (what < 0xf0)
            finish_unit(&fakes[what >> 1 & 3], what & 1);
        else if (what == 0xff)
            seat_host_remove_client(host, 1 + what % CLIENTS, END_DONE, NULL);
        turn();
        forget(links[step % CLIENTS]);
    }
    seat_host_remove_all(host, END_DONE, NULL);
    seat_host_free(host);
    for (guint i = 0; i < CLIENTS; i++)
        close(links[i]);
    turn();
    return 0;
}
