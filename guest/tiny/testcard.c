// The tiny guest's only program: shows the test card, follows the screen's size, reports all input on the
// serial line, and powers off when asked. Started by guest/tiny/init.
#include "guest/testcard/testcard.h"
#include "guest/tiny/display.h"
#include "guest/tiny/input.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/input-event-codes.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <termios.h>
#include <unistd.h>

enum {
    FRAMES_PER_SECOND = 30,
    KEY_FLIP = KEY_F9,    // page flips instead of damage rectangles, and back
    KEY_FOLLOW = KEY_F10, // stops and resumes following the screen's size
};

struct guest {
    struct testcard card;
    struct display *display;
    struct input *input;
    int serial, timer, events;
    bool flipping, fixed_size;
};

static void __attribute__((format(printf, 2, 3))) report(const struct guest *guest, const char *format, ...)
{
    char line[128];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    for (int done = 0; done < length && length < (int)sizeof line;) {
        ssize_t wrote = write(guest->serial, line + done, (size_t)(length - done));
        if (wrote <= 0 && errno != EINTR)
            return;
        done += wrote > 0 ? (int)wrote : 0;
    }
}

// A frozen card needs no clock, so that an idle guest is really idle.
static void set_clock(const struct guest *guest)
{
    long period = guest->card.frozen ? 0 : 1000000000L / FRAMES_PER_SECOND;
    struct itimerspec spec = {.it_interval.tv_nsec = period, .it_value.tv_nsec = period};
    timerfd_settime(guest->timer, 0, &spec, NULL);
}

static void show(struct guest *guest)
{
    struct testcard_rect damage[TESTCARD_DAMAGE_MAX];
    size_t stride;
    if (guest->flipping)
        testcard_invalidate(&guest->card); // the back buffer holds the frame before last
    void *pixels = display_pixels(guest->display, &stride);
    size_t count = testcard_draw(&guest->card, pixels, display_width(guest->display),
                                 display_height(guest->display), stride, damage);
    if (guest->flipping)
        display_flip(guest->display);
    else
        display_flush(guest->display, damage, count);
}

static void announce_size(struct guest *guest)
{
    int width = display_width(guest->display), height = display_height(guest->display);
    input_set_size(guest->input, width, height);
    report(guest, "MODE %d %d\n", width, height);
}

static void follow_size(struct guest *guest)
{
    if (guest->fixed_size || !display_follow(guest->display))
        return;
    testcard_invalidate(&guest->card);
    show(guest);
    announce_size(guest);
}

static void power_off(const struct guest *guest)
{
    report(guest, "POWEROFF\n");
    tcdrain(guest->serial);
    sync();
    reboot(RB_POWER_OFF);
}

static void on_key(void *data, int code, bool down)
{
    struct guest *guest = data;
    report(guest, "KEY %d %d\n", code, down);
    testcard_key(&guest->card, code, down);
    if (!down)
        return;
    if (code == TESTCARD_KEY_FREEZE) {
        set_clock(guest);
    } else if (code == KEY_FLIP) {
        guest->flipping = !guest->flipping;
        testcard_invalidate(&guest->card);
    } else if (code == KEY_FOLLOW) {
        guest->fixed_size = !guest->fixed_size;
        follow_size(guest);
    } else if (code == KEY_POWER) {
        power_off(guest);
    }
}

static void on_pointer(void *data, int x, int y, unsigned buttons)
{
    struct guest *guest = data;
    report(guest, "PTR %d %d %u\n", x, y, buttons);
    testcard_pointer(&guest->card, x, y, buttons);
    display_move_cursor(guest->display, x, y);
}

static void on_wheel(void *data, int vertical, int horizontal)
{
    report(data, "WHEEL %d %d\n", vertical, horizontal);
}

static int open_serial(void)
{
    int fd = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios mode;
    if (fd < 0 || tcgetattr(fd, &mode))
        return STDERR_FILENO;
    cfmakeraw(&mode);
    tcsetattr(fd, TCSANOW, &mode);
    return fd;
}

// The kernel's own announcements of new input devices and of a changed screen.
static int open_kernel_events(void)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address))
        perror("testcard: kernel events");
    return fd;
}

static void read_kernel_events(struct guest *guest)
{
    char message[4096];
    bool screen = false, inputs = false;
    // A full queue loses messages (ENOBUFS): then look at everything again.
    for (ssize_t got; (got = recv(guest->events, message, sizeof message - 1, 0)) > 0 || errno == ENOBUFS;) {
        if (got < 0) {
            screen = inputs = true;
            continue;
        }
        message[got] = 0;
        for (const char *field = message; field < message + got; field += strlen(field) + 1) {
            screen = screen || strcmp(field, "SUBSYSTEM=drm") == 0;
            inputs = inputs || strcmp(field, "SUBSYSTEM=input") == 0;
        }
    }
    if (inputs)
        input_scan(guest->input);
    if (screen)
        follow_size(guest);
}

static void run(struct guest *guest)
{
    for (;;) {
        struct pollfd fds[2 + INPUT_DEVICES_MAX] = {{.fd = guest->timer, .events = POLLIN},
                                                    {.fd = guest->events, .events = POLLIN}};
        size_t devices = input_poll_fds(guest->input, fds + 2);
        if (poll(fds, 2 + devices, -1) < 0)
            continue;
        uint64_t ticks;
        if (fds[0].revents && read(guest->timer, &ticks, sizeof ticks) == sizeof ticks)
            testcard_advance(&guest->card);
        for (size_t i = 0; i < devices; i++)
            if (fds[2 + i].revents)
                input_read(guest->input, fds[2 + i].fd);
        if (fds[1].revents)
            read_kernel_events(guest);
        show(guest);
    }
}

int main(void)
{
    static struct guest guest;
    const struct input_handler handler = {on_key, on_pointer, on_wheel, &guest};
    testcard_init(&guest.card);
    guest.serial = open_serial();
    guest.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    guest.events = open_kernel_events();
    guest.input = input_new(&handler);
    guest.display = display_open();
    if (!guest.display) {
        report(&guest, "NODISPLAY\n");
        return EXIT_FAILURE;
    }
    // Only the init process would be asked; this keeps Ctrl-Alt-Del an ordinary key for tests.
    reboot(RB_DISABLE_CAD);
    input_scan(guest.input);
    show(&guest);
    announce_size(&guest);
    set_clock(&guest);
    run(&guest);
}
