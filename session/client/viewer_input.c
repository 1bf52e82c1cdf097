/* Input and sizes on their way to the shown screen. */
#include "session/client/viewer_internal.h"

#define QUEUE_BUSY 32 /* a seat that has so many packets before it gets no more mere pointer moves */

static Feed *target(Viewer *viewer)
{
    Feed *feed = viewer->shown;
    return feed && feed->link && !feed->welcome.view_only ? feed : NULL;
}

void viewer_key(Viewer *viewer, guint32 code, gboolean pressed)
{
    Feed *feed = target(viewer);
    SeatKey packet = {.header.type = SEAT_KEY, .code = code, .pressed = pressed ? 1 : 0};
    /* The client's own lights change with the key. */
    if (pressed && !held_has_key(&viewer->held, code))
        viewer->locks ^= seat_lock_of(code);
    if (held_key(&viewer->held, code, pressed) && feed)
        feed_send(feed, &packet, sizeof packet);
}

void viewer_keysym(Viewer *viewer, guint32 keysym, gboolean pressed)
{
    Feed *feed = target(viewer);
    SeatKeysym packet = {.header.type = SEAT_KEYSYM, .keysym = keysym, .pressed = pressed ? 1 : 0};
    if (held_keysym(&viewer->held, keysym, pressed) && feed)
        feed_send(feed, &packet, sizeof packet);
}

void viewer_send_locks(Viewer *viewer)
{
    Feed *feed = target(viewer);
    SeatLocks packet = {.header.type = SEAT_LOCKS, .mask = viewer->locks};
    if (feed && viewer->has_locks)
        feed_send(feed, &packet, sizeof packet);
}

void viewer_locks(Viewer *viewer, guint32 mask)
{
    viewer->locks = mask;
    viewer->has_locks = TRUE;
    viewer_send_locks(viewer);
}

void viewer_pointer(Viewer *viewer, gint x, gint y, guint32 buttons, gint wheel_vertical,
                    gint wheel_horizontal)
{
    Feed *feed = target(viewer);
    gboolean move_only = viewer->held.buttons == buttons && wheel_vertical == 0 && wheel_horizontal == 0;
    SeatPointer packet = {.header.type = SEAT_POINTER,
                          .x = CLAMP(x, 0, (gint)MAX(viewer->tiles.width, 1) - 1),
                          .y = CLAMP(y, 0, (gint)MAX(viewer->tiles.height, 1) - 1),
                          .buttons = held_buttons(&viewer->held, buttons),
                          .wheel_vertical = wheel_vertical,
                          .wheel_horizontal = wheel_horizontal};
    if (feed && !(move_only && packet_link_queued(feed->link) > QUEUE_BUSY))
        feed_send(feed, &packet, sizeof packet);
}

void viewer_motion(Viewer *viewer, gint dx, gint dy, guint32 buttons, gint wheel_vertical,
                   gint wheel_horizontal)
{
    Feed *feed = target(viewer);
    SeatMotion packet = {.header.type = SEAT_MOTION,
                         .dx = dx,
                         .dy = dy,
                         .buttons = held_buttons(&viewer->held, buttons),
                         .wheel_vertical = wheel_vertical,
                         .wheel_horizontal = wheel_horizontal};
    if (feed)
        feed_send(feed, &packet, sizeof packet);
}

void viewer_touch(Viewer *viewer, guint contact, guint phase, gint x, gint y)
{
    Feed *feed = target(viewer);
    SeatTouch packet = {.header.type = SEAT_TOUCH, .contact = contact, .phase = phase, .x = x, .y = y};
    if (feed)
        feed_send(feed, &packet, sizeof packet);
}

void viewer_size(Viewer *viewer, guint head, const SeatSizeHint *size)
{
    SeatSize packet = {.header = {.type = SEAT_SIZE, .head = (guint16)head}, .size = *size};
    if (head == 0)
        viewer->hello.size = *size;
    if (viewer->shown)
        feed_send(viewer->shown, &packet, sizeof packet);
    if (viewer->pending)
        feed_send(viewer->pending, &packet, sizeof packet);
}

void viewer_release_keys(Viewer *viewer)
{
    Feed *feed = target(viewer);
    SeatHeader packet = {.type = SEAT_RELEASE};
    held_clear(&viewer->held);
    if (feed)
        feed_send(feed, &packet, sizeof packet);
}
