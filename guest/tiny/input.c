// evdev: keys, absolute and relative pointers, wheels, lock lamps. See the kernel's Documentation/input.
#include "guest/tiny/input.h"

#include "guest/testcard/testcard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct device {
    int fd;
    int number; // N of /dev/input/eventN
    struct input_absinfo axes[2];
};

struct input {
    const struct input_handler *handler;
    struct device devices[INPUT_DEVICES_MAX];
    size_t count;
    int width, height;
    int x, y;
    unsigned buttons;
    bool moved;
    int wheel, hwheel;
    bool lamps[LED_CNT];
};

struct input *input_new(const struct input_handler *handler)
{
    static struct input input;
    input.handler = handler;
    return &input;
}

static void device_open(struct input *input, int number)
{
    for (size_t i = 0; i < input->count; i++)
        if (input->devices[i].number == number)
            return;
    if (input->count == INPUT_DEVICES_MAX)
        return;
    char path[64];
    snprintf(path, sizeof path, "/dev/input/event%d", number);
    struct device device = {.number = number, .fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)};
    if (device.fd < 0)
        return;
    ioctl(device.fd, EVIOCGABS(ABS_X), &device.axes[0]);
    ioctl(device.fd, EVIOCGABS(ABS_Y), &device.axes[1]);
    // Or Alt-F2 and the like would act on the kernel's console as well.
    ioctl(device.fd, EVIOCGRAB, 1);
    input->devices[input->count++] = device;
}

void input_scan(struct input *input)
{
    DIR *directory = opendir("/dev/input");
    if (!directory)
        return;
    for (struct dirent *entry; (entry = readdir(directory));) {
        int number;
        if (sscanf(entry->d_name, "event%d", &number) == 1)
            device_open(input, number);
    }
    closedir(directory);
}

void input_set_size(struct input *input, int width, int height)
{
    input->width = width;
    input->height = height;
}

size_t input_poll_fds(const struct input *input, struct pollfd *fds)
{
    for (size_t i = 0; i < input->count; i++)
        fds[i] = (struct pollfd){.fd = input->devices[i].fd, .events = POLLIN};
    return input->count;
}

static int clamp(int value, int size)
{
    return value < 0 ? 0 : value >= size ? size - 1 : value;
}

// QEMU sends floor(px * range / size); rounding up gives the very pixel back.
static int axis_to_pixel(const struct input_absinfo *axis, int value, int size)
{
    long long range = (long long)axis->maximum - axis->minimum;
    if (range <= 0)
        return 0;
    return clamp((int)((((long long)value - axis->minimum) * size + range - 1) / range), size);
}

static unsigned button_bit(int code)
{
    switch (code) {
    case BTN_LEFT:
    case BTN_TOUCH:
        return TESTCARD_BUTTON_LEFT;
    case BTN_MIDDLE:
        return TESTCARD_BUTTON_MIDDLE;
    case BTN_RIGHT:
        return TESTCARD_BUTTON_RIGHT;
    case BTN_SIDE:
        return TESTCARD_BUTTON_SIDE;
    case BTN_EXTRA:
        return TESTCARD_BUTTON_EXTRA;
    default:
        return 0;
    }
}

static void toggle_lamp(struct input *input, const struct device *device, int key)
{
    int lamp = key == KEY_CAPSLOCK     ? LED_CAPSL
               : key == KEY_NUMLOCK    ? LED_NUML
               : key == KEY_SCROLLLOCK ? LED_SCROLLL
                                       : -1;
    if (lamp < 0)
        return;
    input->lamps[lamp] = !input->lamps[lamp];
    struct input_event events[2] = {{.type = EV_LED, .code = (__u16)lamp, .value = input->lamps[lamp]},
                                    {.type = EV_SYN, .code = SYN_REPORT}};
    if (write(device->fd, events, sizeof events) < 0)
        perror("testcard: lamp");
}

static void handle_key(struct input *input, const struct device *device, const struct input_event *event)
{
    unsigned bit = button_bit(event->code);
    if (bit) {
        input->buttons = event->value ? input->buttons | bit : input->buttons & ~bit;
        input->moved = true;
    } else if (event->value == 0 || event->value == 1) { // 2 is auto-repeat
        if (event->value)
            toggle_lamp(input, device, event->code);
        input->handler->key(input->handler->data, event->code, event->value);
    }
}

static void handle_relative(struct input *input, const struct input_event *event)
{
    switch (event->code) {
    case REL_X:
        input->x = clamp(input->x + event->value, input->width);
        input->moved = true;
        break;
    case REL_Y:
        input->y = clamp(input->y + event->value, input->height);
        input->moved = true;
        break;
    case REL_WHEEL:
        input->wheel += event->value;
        break;
    case REL_HWHEEL:
        input->hwheel += event->value;
        break;
    default:
        break;
    }
}

static void handle_report(struct input *input)
{
    if (input->moved)
        input->handler->pointer(input->handler->data, input->x, input->y, input->buttons);
    if (input->wheel || input->hwheel)
        input->handler->wheel(input->handler->data, input->wheel, input->hwheel);
    input->moved = false;
    input->wheel = input->hwheel = 0;
}

static void handle_event(struct input *input, const struct device *device, const struct input_event *event)
{
    switch (event->type) {
    case EV_KEY:
        handle_key(input, device, event);
        break;
    case EV_ABS:
        if (event->code == ABS_X)
            input->x = axis_to_pixel(&device->axes[0], event->value, input->width);
        else if (event->code == ABS_Y)
            input->y = axis_to_pixel(&device->axes[1], event->value, input->height);
        input->moved = input->moved || event->code == ABS_X || event->code == ABS_Y;
        break;
    case EV_REL:
        handle_relative(input, event);
        break;
    case EV_SYN:
        handle_report(input);
        break;
    default:
        break;
    }
}

void input_read(struct input *input, int fd)
{
    size_t index = 0;
    while (index < input->count && input->devices[index].fd != fd)
        index++;
    if (index == input->count)
        return;
    struct input_event events[64];
    ssize_t got;
    while ((got = read(fd, events, sizeof events)) > 0)
        for (size_t i = 0; i < (size_t)got / sizeof events[0]; i++)
            handle_event(input, &input->devices[index], &events[i]);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        close(fd);
        input->devices[index] = input->devices[--input->count];
    }
}
