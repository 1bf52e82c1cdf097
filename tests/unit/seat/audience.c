/* See audience.h. */
#include "audience.h"

#include "base/packet.h"

#include <unistd.h>

SeatHost *host;
static guint32 pixels[WIDTH * HEIGHT];
Fake fakes[2], others[2];
Client clients[CLIENTS];
gint64 now_us;
SeatRect film;
guint wants;

/* For the host; GLib's timers run in real time. */
gint64 g_get_monotonic_time(void)
{
    return now_us;
}

/* ---- streams ---- */

static void fake_attach(HostStream *stream, const HostStreamEvents *events, gpointer data)
{
    ((Fake *)stream)->events = events;
    ((Fake *)stream)->data = data;
}

static gboolean fake_encode(HostStream *stream, const Shadow *shadow, const SeatRect *region,
                            const SeatRect *rects, guint count, gboolean keyframe)
{
    Fake *fake = (Fake *)stream;

    ck_assert_msg(count > 0 || keyframe, "a picture in which nothing has changed");
    ck_assert_msg(!fake->encoding, "a picture for an encoder that is at one");
    if (fake->refuses)
        return FALSE;
    fake->encoding = TRUE;
    fake->steps = fake->takes;
    fake->keyframe = keyframe;
    fake->region = *region;
    fake->encodes++;
    if (!keyframe)
        return TRUE;
    if (fake->keys++ > 0)
        fake->least_us = MIN(fake->least_us, now_us - fake->key_us);
    fake->key_us = now_us;
    return TRUE;
}

static void fake_cancel(HostStream *stream)
{
    ((Fake *)stream)->encoding = FALSE;
}

static void fake_demand(HostStream *stream, guint max_kbit_s, gboolean chroma)
{
    ((Fake *)stream)->max_kbit_s = max_kbit_s;
    ((Fake *)stream)->chroma = chroma;
}

static void fake_free(HostStream *stream)
{
}

static const HostStreamClass fake_class = {fake_attach, fake_encode, fake_cancel, fake_demand, fake_free};

static void on_wants(gpointer data)
{
    wants++;
}

static const SeatHostEvents events = {.wants = on_wants};

void turn(void)
{
    for (guint i = 0; i < 1000 && g_main_context_iteration(NULL, FALSE); i++)
        ;
}

void answer(Fake *fake)
{
    static const guint8 unit[] = {0, 0, 0, 1, 0x65};
    const H264Units made = {.main = unit, .main_length = sizeof unit, .keyframe = fake->keyframe};

    if (!fake->encoding || fake->steps-- > 0)
        return;
    fake->encoding = FALSE;
    fake->shown = fake->region;
    fake->events->unit(&made, 1, fake->data);
}

/* ---- clients ---- */

static void say(Client *client, gpointer packet, SeatPacketType type, gsize size)
{
    SeatHeader *header = packet;
    header->type = type;
    header->size = (guint16)size;
    header->generation = 1;
    ck_assert_int_eq(packet_send(client->fd, packet, size, NULL, 0), PACKET_OK);
    turn();
}

void subscribe(Client *client, SeatH264 h264, guint max_kbit_s)
{
    SeatSubscribe subscribe = {.h264 = h264, .max_kbit_s = max_kbit_s};
    say(client, &subscribe, SEAT_SUBSCRIBE, sizeof subscribe);
}

void give_credit(Client *client)
{
    SeatCredit credit = {.frames = 1};
    client->credit_us = 0;
    say(client, &credit, SEAT_CREDIT, sizeof credit);
}

void ask_keyframe(Client *client)
{
    SeatHeader packet = {0};
    say(client, &packet, SEAT_KEYFRAME, sizeof packet);
}

Client *join(guint rights, SeatH264 h264, guint max_kbit_s, gint delay_ms)
{
    static ProcessId peers;
    ProcessRecord record = {0};
    SeatHello hello = {.version = SEAT_LINK_VERSION, .protocol = SEAT_PROTOCOL_RDP, .heads = 1};
    Client *client = clients;
    int ends[2];

    while (client->fd >= 0)
        client++;
    ck_assert(packet_pair(ends, NULL));
    *client = (Client){.fd = ends[1], .peer = ++peers, .delay_ms = delay_ms};
    seat_host_add_client(host, ends[0], client->peer, rights, &record);
    say(client, &hello, SEAT_HELLO, sizeof hello);
    subscribe(client, h264, max_kbit_s);
    give_credit(client);
    return client;
}

void leave(Client *client)
{
    close(client->fd);
    client->fd = -1;
    turn();
}

/* As a decoder: another stream, and the first unit, is a key frame. */
static void check_unit(const Client *client, const SeatAccessUnit *unit, const Fake tiers[2])
{
    guint32 last = tiers == fakes ? client->stream : client->other_stream;
    const SeatRect *region = &tiers[unit->stream / SEAT_FILMS_MAX % 2].shown;

    if (unit->length == 0)
        return;
    ck_assert(unit->region.x == region->x && unit->region.y == region->y &&
              unit->region.width == region->width);
    ck_assert(unit->keyframe || last == unit->stream);
    ck_assert_uint_eq(unit->stream % SEAT_FILMS_MAX, tiers == others);
}

static void take(Client *client, const SeatFrame *frame)
{
    client->frames++;
    ck_assert_msg(client->credit_us == 0, "a frame without a credit");
    client->credit_us = now_us + client->delay_ms * 1000ll;
    check_unit(client, &frame->units[0], fakes);
    check_unit(client, &frame->units[1], others);
    if (frame->units[1].length > 0) {
        client->other_units++;
        client->other_keys += frame->units[1].keyframe;
        client->other_stream = frame->units[1].stream;
        client->both += frame->units[0].length > 0;
    }
    if (frame->units[0].length == 0)
        return;
    if (client->units > 0) {
        client->moves += client->stream != frame->units[0].stream;
        client->gap_us = MAX(client->gap_us, now_us - client->unit_us);
    }
    client->units++;
    client->keys += frame->units[0].keyframe;
    client->stream = frame->units[0].stream;
    client->unit_us = now_us;
}

static void hear(Client *client)
{
    union {
        SeatFrame frame;
        guint8 bytes[SEAT_LINK_PACKET_MAX];
    } packet;
    int descriptors[SEAT_LINK_DESCRIPTORS_MAX];
    guint count;
    gsize length;

    while (packet_receive(client->fd, &packet, sizeof packet, &length, descriptors, G_N_ELEMENTS(descriptors),
                          &count) == PACKET_OK) {
        for (guint i = 0; i < count; i++)
            close(descriptors[i]);
        if (packet.frame.header.type == SEAT_FRAME)
            take(client, &packet.frame);
        turn();
    }
}

static gboolean owes(const Client *client)
{
    return client->fd >= 0 && client->credit_us > 0 && client->delay_ms != NEVER &&
           client->credit_us <= now_us;
}

/* ---- the screen ---- */

void draw_parts(const SeatRect *rects, guint count)
{
    static guint32 colour;

    colour += 0x010203;
    for (guint i = 0; i < count; i++)
        for (guint y = rects[i].y; y < rects[i].y + rects[i].height; y++)
            for (guint x = rects[i].x; x < rects[i].x + rects[i].width; x++)
                pixels[y * WIDTH + x] = colour + (x + y) % 64 * 0x010101; /* picture-like */
    seat_host_damage(host, rects, count, pixels, WIDTH * 4, 0);
    turn();
}

void draw(const SeatRect *rect)
{
    draw_parts(rect, 1);
}

void hear_all(void)
{
    turn();
    for (guint i = 0; i < CLIENTS; i++)
        if (clients[i].fd >= 0)
            hear(&clients[i]);
}

void step(void)
{
    now_us += STEP_MS * 1000;
    for (guint i = 0; i < G_N_ELEMENTS(fakes); i++) {
        answer(&fakes[i]);
        answer(&others[i]);
    }
    for (guint i = 0; i < CLIENTS; i++) {
        if (clients[i].fd >= 0)
            hear(&clients[i]);
        if (owes(&clients[i]))
            give_credit(&clients[i]);
    }
}

void play(guint frames)
{
    for (guint i = 0; i < frames; i++) {
        draw(&film);
        for (guint j = 0; j < STEPS; j++)
            step();
    }
}

guint units_in(Client *client, guint frames)
{
    guint before = client->units;
    play(frames);
    return client->units - before;
}

static void set_up_films(guint films)
{
    HostStream *const first[] = {&fakes[0].stream, &others[0].stream};
    HostStream *const second[] = {&fakes[1].stream, &others[1].stream};

    now_us = 1000 * G_USEC_PER_SEC;
    film = (SeatRect){.width = WIDTH, .height = HEIGHT};
    for (guint i = 0; i < CLIENTS; i++)
        clients[i].fd = -1;
    for (guint i = 0; i < G_N_ELEMENTS(fakes); i++)
        fakes[i] = others[i] = (Fake){.stream.class = &fake_class, .least_us = G_MAXINT64};
    host = seat_host_new(FALSE, &events, NULL, NULL);
    ck_assert(seat_host_resize(host, WIDTH, HEIGHT, NULL));
    seat_host_set_streams(host, films, first, second);
}

void set_up(void)
{
    set_up_films(1);
}

void set_up_two_films(void)
{
    set_up_films(2);
}

void tear_down(void)
{
    for (guint i = 0; i < CLIENTS; i++)
        if (clients[i].fd >= 0)
            leave(&clients[i]);
    seat_host_free(host);
}
