/* x_player RECORDING: plays a recording in a window over the whole X screen, drawing only what changes, until
 * it is ended. Writes a line for each frame: its number since the start and the time at which the X server
 * had drawn it, us of CLOCK_MONOTONIC. */
#include "session/seat/recording.h"

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/XShm.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <time.h>

typedef struct {
    Display *display;
    Window window;
    GC gc;
    XImage *image;
    XShmSegmentInfo memory;
} Player;

static void give_up(const char *what)
{
    fprintf(stderr, "x_player: %s\n", what);
    exit(1);
}

static void make_image(Player *player, guint width, guint height)
{
    int screen = DefaultScreen(player->display);
    player->image = XShmCreateImage(player->display, DefaultVisual(player->display, screen),
                                    (unsigned)DefaultDepth(player->display, screen), ZPixmap, NULL,
                                    &player->memory, width, height);
    if (!player->image || player->image->bits_per_pixel != 32 ||
        player->image->bytes_per_line != (int)width * 4)
        give_up("the X server has no shared memory or no 32 bits a pixel");
    player->memory.shmid = shmget(IPC_PRIVATE, (gsize)width * height * 4, IPC_CREAT | 0600);
    if (player->memory.shmid < 0)
        give_up(strerror(errno));
    player->memory.shmaddr = player->image->data = shmat(player->memory.shmid, NULL, 0);
    player->memory.readOnly = False;
    XShmAttach(player->display, &player->memory);
    XSync(player->display, False);
    shmctl(player->memory.shmid, IPC_RMID, NULL); /* goes with its last user */
}

/* Over everything else, without a window manager, and without a cursor that would hide something. */
static void make_window(Player *player, guint width, guint height)
{
    static char nothing[1];
    XSetWindowAttributes attributes = {.override_redirect = True};
    XColor black = {0};
    Window root = DefaultRootWindow(player->display);
    Pixmap empty = XCreateBitmapFromData(player->display, root, nothing, 1, 1);
    XEvent event;

    attributes.cursor = XCreatePixmapCursor(player->display, empty, empty, &black, &black, 0, 0);
    attributes.event_mask = ExposureMask;
    player->window = XCreateWindow(player->display, root, 0, 0, width, height, 0, CopyFromParent, InputOutput,
                                   CopyFromParent, CWOverrideRedirect | CWCursor | CWEventMask, &attributes);
    player->gc = XCreateGC(player->display, player->window, 0, NULL);
    XMapRaised(player->display, player->window);
    XWindowEvent(player->display, player->window, ExposureMask, &event);
}

static void put(Player *player, const SeatRect *rect)
{
    XShmPutImage(player->display, player->window, player->gc, player->image, rect->x, rect->y, rect->x,
                 rect->y, rect->width, rect->height, False);
}

static void put_exposed(Player *player, const SeatRect *all)
{
    XEvent event;
    while (XPending(player->display) > 0) {
        XNextEvent(player->display, &event);
        if (event.type == Expose && event.xexpose.count == 0)
            put(player, all);
    }
}

static void sleep_until(gint64 us)
{
    struct timespec due = {.tv_sec = us / G_USEC_PER_SEC, .tv_nsec = us % G_USEC_PER_SEC * 1000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
        ;
}

/* The seat's pace (session/seat/source_replay.c): late frames follow, none is left out. */
static void play(Player *player, const Recording *recording)
{
    const RecordingHeader *header = recording_header(recording);
    guint32 *pixels = (guint32 *)(void *)player->image->data;
    SeatRect all = {.width = header->width, .height = header->height}, rects[RECORDING_OPS_MAX];
    g_autoptr(GError) error = NULL;
    guint count;

    if (!recording_first(recording, pixels, &error))
        give_up(error->message);
    put(player, &all);
    XSync(player->display, False);
    gint64 due = g_get_monotonic_time();
    for (guint64 frame = 0;; frame++) {
        due = MAX(due, g_get_monotonic_time() - header->interval_us) + header->interval_us;
        sleep_until(due);
        if (!recording_draw(recording, frame % header->frames, pixels, rects, &count, &error))
            give_up(error->message);
        for (guint i = 0; i < count; i++)
            put(player, &rects[i]);
        XSync(player->display, False);
        printf("%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT "\n", frame, g_get_monotonic_time());
        fflush(stdout);
        put_exposed(player, &all);
    }
}

int main(int argc, char *argv[])
{
    g_autoptr(GError) error = NULL;
    Player player = {0};

    if (argc != 2)
        give_up("which recording?");
    int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        give_up(strerror(errno));
    Recording *recording = recording_new(fd, &error);
    if (!recording)
        give_up(error->message);
    player.display = XOpenDisplay(NULL);
    if (!player.display)
        give_up("no X server");
    const RecordingHeader *header = recording_header(recording);
    make_image(&player, header->width, header->height);
    make_window(&player, header->width, header->height);
    play(&player, recording);
}
