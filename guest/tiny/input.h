// The tiny guest's keyboards and pointers: every /dev/input/event*, also those plugged in later.
#ifndef GUEST_TINY_INPUT_H
#define GUEST_TINY_INPUT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

enum { INPUT_DEVICES_MAX = 16 };

// Called for what users do; x and y in px of the screen set last, buttons as TESTCARD_BUTTON_*.
struct input_handler {
    void (*key)(void *data, int code, bool down);
    void (*pointer)(void *data, int x, int y, unsigned buttons);
    void (*wheel)(void *data, int vertical, int horizontal);
    void *data;
};

struct input;

// The one input object (static); `handler` must outlive it.
struct input *input_new(const struct input_handler *handler);

// Opens devices that appeared since the last scan and takes them away from the kernel's own console.
void input_scan(struct input *input);

// The size in px to which absolute positions are scaled.
void input_set_size(struct input *input, int width, int height);

// Fills in what to poll for; returns how many entries (at most INPUT_DEVICES_MAX).
size_t input_poll_fds(const struct input *input, struct pollfd *fds);

// Reads all events waiting on `fd`, one of those above; closes it when its device is gone.
void input_read(struct input *input, int fd);

#endif
