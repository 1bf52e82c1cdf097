/* What clients send: checked, counted, and turned into events. Remembers what each holds down. */
#include "session/seat/host_private.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>

/* Input packets: a mouse with 1000 reports a second fits, a flood does not. */
#define INPUT_PER_SECOND 2000
#define INPUT_BURST 4000

#define EMIT(CLIENT, EVENT, ...)                                                                             \
    G_STMT_START                                                                                             \
    {                                                                                                        \
        SeatHost *emit_host = (CLIENT)->host;                                                                \
        if (emit_host->events->EVENT)                                                                        \
            emit_host->events->EVENT((CLIENT)->peer, __VA_ARGS__, emit_host->data);                          \
    }                                                                                                        \
    G_STMT_END

static gboolean within_budget(HostClient *client)
{
    gint64 now = g_get_monotonic_time();
    if (client->budget_us == 0)
        client->budget = INPUT_BURST;
    else
        client->budget += (now - client->budget_us) * (double)INPUT_PER_SECOND / G_USEC_PER_SEC;
    client->budget = MIN(client->budget, INPUT_BURST);
    client->budget_us = now;
    if (client->budget < 1)
        return FALSE;
    client->budget -= 1;
    return TRUE;
}

static void take_key(HostClient *client, const SeatKey *key)
{
    guint8 *byte = &client->keys[key->code / 8], bit = 1u << key->code % 8;
    if (!key->pressed && !(*byte & bit))
        return;
    if (key->pressed && !within_budget(client))
        return;
    *byte = key->pressed ? *byte | bit : *byte & (guint8)~bit;
    EMIT(client, key, key->code, key->pressed != 0);
}

static guint32 *held_keysym(HostClient *client, guint32 keysym)
{
    for (guint i = 0; i < HOST_KEYSYMS_HELD; i++)
        if (client->keysyms[i] == keysym)
            return &client->keysyms[i];
    return NULL;
}

static void take_keysym(HostClient *client, const SeatKeysym *packet)
{
    guint32 *slot = packet->keysym ? held_keysym(client, packet->keysym) : NULL;
    if (packet->keysym == 0 || (!packet->pressed && !slot))
        return;
    if (packet->pressed) {
        if (!slot)
            slot = held_keysym(client, 0);
        if (!slot || !within_budget(client))
            return;
        *slot = packet->keysym;
    } else {
        *slot = 0;
    }
    EMIT(client, keysym, packet->keysym, packet->pressed != 0);
}

static void take_pointer(HostClient *client, const SeatPointer *packet)
{
    SeatHost *host = client->host;
    SeatPointer pointer = *packet;
    guint width, height;

    seat_host_size(host, &width, &height);
    if (width == 0)
        return;
    if (packet->header.generation != host->generation) {
        /* Its place means nothing in this picture: only what it lets go of counts, where the pointer is. */
        pointer.x = client->x;
        pointer.y = client->y;
        pointer.buttons &= client->buttons;
        pointer.wheel_vertical = pointer.wheel_horizontal = 0;
        if (pointer.buttons == client->buttons)
            return;
    }
    /* A release must not be lost, whatever the budget says. */
    if (!within_budget(client) && (pointer.buttons & client->buttons) == client->buttons)
        return;
    pointer.x = CLAMP(pointer.x, 0, (gint)width - 1);
    pointer.y = CLAMP(pointer.y, 0, (gint)height - 1);
    client->x = pointer.x;
    client->y = pointer.y;
    client->buttons = pointer.buttons;
    client->relative = FALSE;
    EMIT(client, pointer, &pointer);
}

static void take_motion(HostClient *client, const SeatMotion *motion)
{
    if (!within_budget(client) && (motion->buttons & client->buttons) == client->buttons)
        return;
    client->buttons = motion->buttons;
    client->relative = TRUE;
    EMIT(client, motion, motion);
}

static void take_touch(HostClient *client, const SeatTouch *packet)
{
    SeatTouch touch = *packet;
    guint width, height, bit = 1u << packet->contact;
    gboolean ends = packet->phase >= 2;

    seat_host_size(client->host, &width, &height);
    if (width == 0 || (ends && !(client->contacts & bit)))
        return;
    if (!ends && (!within_budget(client) || packet->header.generation != client->host->generation))
        return;
    touch.x = CLAMP(touch.x, 0, (gint)width - 1);
    touch.y = CLAMP(touch.y, 0, (gint)height - 1);
    client->contacts = ends ? client->contacts & ~bit : client->contacts | bit;
    EMIT(client, touch, &touch);
}

void host_input_release(HostClient *client)
{
    SeatHost *host = client->host;
    for (guint code = 0; code < 256; code++) {
        if (!(client->keys[code / 8] & (1u << code % 8)))
            continue;
        client->keys[code / 8] &= (guint8) ~(1u << code % 8);
        EMIT(client, key, code, FALSE);
    }
    for (guint i = 0; i < HOST_KEYSYMS_HELD; i++) {
        guint32 keysym = client->keysyms[i];
        client->keysyms[i] = 0;
        if (keysym)
            EMIT(client, keysym, keysym, FALSE);
    }
    for (guint contact = 0; contact < 16; contact++) {
        SeatTouch touch = {.contact = contact, .phase = 3};
        if (client->contacts & (1u << contact))
            EMIT(client, touch, &touch);
    }
    client->contacts = 0;
    if (client->buttons && client->relative) {
        SeatMotion motion = {.header = {.type = SEAT_MOTION, .size = sizeof motion}};
        EMIT(client, motion, &motion);
    } else if (client->buttons) {
        SeatPointer pointer = {
            .header = {.type = SEAT_POINTER, .size = sizeof pointer, .generation = host->generation},
            .x = client->x,
            .y = client->y};
        EMIT(client, pointer, &pointer);
    }
    client->buttons = 0;
}

static void take_hello(HostClient *client, const SeatHello *hello)
{
    client->hello = *hello;
    client->greeted = TRUE;
    EMIT(client, hello, &client->hello);
    if (client->link && !client->view_only && hello->size.width && hello->size.height)
        EMIT(client, size, hello->header.head, &client->hello.size);
}

static void take_prefill(HostClient *client, SeatPrefill *prefill)
{
    if (!client->prefilled && client->host->greeter) {
        client->prefilled = TRUE;
        EMIT(client, prefill, prefill);
    }
}

static void take_credit(HostClient *client, const SeatCredit *credit)
{
    client->credits = MIN(client->credits + MIN(credit->frames, HOST_CREDITS_MAX), HOST_CREDITS_MAX);
    /* In the order in which they were sent; the first ones of all are for none. */
    client->untaken -= MIN(credit->frames, client->untaken);
    client->unit_untaken -= MIN(credit->frames, client->unit_untaken);
    if (host_stream_may_send(client))
        host_tiers_credited(client);
    host_frames_pump(client->host);
}

static void take_subscribe(HostClient *client, const SeatSubscribe *subscribe)
{
    client->wants_h264 = subscribe->h264 == SEAT_H264_AVC420 || subscribe->h264 == SEAT_H264_AVC444;
    client->takes_chroma = subscribe->h264 == SEAT_H264_AVC444;
    client->max_kbit_s = subscribe->max_kbit_s;
    client->wants_moves = subscribe->moves == 1;
    if (!client->wants_moves && client->pending)
        host_moves_become_damage(client);
    host_tiers_changed(client->host);
    host_frames_pump(client->host);
}

/* Packets that a view-only client may send too. */
static gboolean take_passive(HostClient *client, void *packet)
{
    switch (((const SeatHeader *)packet)->type) {
    case SEAT_PREFILL:
        take_prefill(client, packet);
        return TRUE;
    case SEAT_CREDIT:
        take_credit(client, packet);
        return TRUE;
    case SEAT_SUBSCRIBE:
        take_subscribe(client, packet);
        return TRUE;
    case SEAT_KEYFRAME:
        client->follows = NULL;
        host_frames_pump(client->host);
        return TRUE;
    default:
        return FALSE;
    }
}

static void take_input(HostClient *client, const void *packet)
{
    switch (((const SeatHeader *)packet)->type) {
    case SEAT_SIZE:
        if (within_budget(client))
            EMIT(client, size, ((const SeatHeader *)packet)->head, &((const SeatSize *)packet)->size);
        break;
    case SEAT_KEY:
        take_key(client, packet);
        break;
    case SEAT_KEYSYM:
        take_keysym(client, packet);
        break;
    case SEAT_LOCKS:
        if (within_budget(client))
            EMIT(client, locks, ((const SeatLocks *)packet)->mask);
        break;
    case SEAT_POINTER:
        take_pointer(client, packet);
        break;
    case SEAT_MOTION:
        take_motion(client, packet);
        break;
    case SEAT_TOUCH:
        take_touch(client, packet);
        break;
    case SEAT_RELEASE:
        host_input_release(client);
        break;
    case SEAT_STREAM_OPEN: {
        /* No stream is served yet: every one is refused politely. */
        SeatStreamClose refusal = {.header = {.type = SEAT_STREAM_CLOSE, .size = sizeof refusal},
                                   .stream = ((const SeatStreamOpen *)packet)->stream,
                                   .reason = EOPNOTSUPP};
        packet_link_send(client->link, &refusal, sizeof refusal, NULL, 0);
        break;
    }
    default:
        break;
    }
}

static const char *refuse(HostClient *client, const void *packet, gsize length, guint count)
{
    const char *fault = seat_link_check(packet, length, count, TRUE);
    const SeatHeader *header = packet;
    if (fault)
        return fault;
    if ((header->type == SEAT_HELLO) == client->greeted)
        return client->greeted ? "a second hello" : "a packet before its hello";
    if (header->type == SEAT_HELLO && ((const SeatHello *)packet)->version != SEAT_LINK_VERSION)
        return "another version of the seat link";
    return NULL;
}

void host_input_received(PacketLink *link, const void *packet, gsize length, int *descriptors, guint count,
                         gpointer data)
{
    HostClient *client = host_client_ref(data);
    /* Own, aligned memory: it may hold a password, and is scrubbed below. */
    union {
        SeatHeader header;
        guint8 bytes[SEAT_LINK_PACKET_MAX];
    } copy;
    const char *fault = refuse(client, packet, length, count);

    if (fault) {
        log_warning("client %" G_GUINT64_FORMAT ": sent %s: dropped", client->peer, fault);
        host_client_leave(client, END_FAULT, NULL);
        host_client_unref(client);
        return;
    }
    memcpy(copy.bytes, packet, length);
    if (copy.header.type == SEAT_PREFILL)
        explicit_bzero((void *)packet, length);
    if (copy.header.type == SEAT_HELLO)
        take_hello(client, (const SeatHello *)(void *)copy.bytes);
    else if (!take_passive(client, copy.bytes) && !client->view_only)
        take_input(client, copy.bytes);
    if (copy.header.type == SEAT_PREFILL)
        explicit_bzero(copy.bytes, length);
    if (client->link)
        host_client_send_signs(client);
    host_client_unref(client);
}
