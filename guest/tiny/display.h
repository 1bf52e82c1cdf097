// The tiny guest's screen: one DRM connector, drawn through a dumb buffer.
#ifndef GUEST_TINY_DISPLAY_H
#define GUEST_TINY_DISPLAY_H

#include "guest/testcard/testcard.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct display;

// Opens the first graphics card and lights its first connected connector at the preferred mode.
// Returns NULL and complains on standard error when there is no card or no connector; never freed.
struct display *display_open(void);

// Asks the connector for its modes again and changes to the preferred one if it differs.
// Returns true when the size changed: all pixels are then new memory.
bool display_follow(struct display *display);

int display_width(const struct display *display);  // px
int display_height(const struct display *display); // px

// The pixels to draw into (XRGB8888) and the bytes in one of their lines; valid until display_follow() or
// display_flip().
void *display_pixels(const struct display *display, size_t *stride);

// Tells the host that these rectangles changed, each one on its own so that it learns the exact areas.
void display_flush(struct display *display, const struct testcard_rect *damage, size_t count);

// Shows the buffer just drawn and makes the other one the one to draw into, as a page-flipping desktop does.
void display_flip(struct display *display);

// Moves the cursor's hot spot to x, y in px.
void display_move_cursor(struct display *display, int x, int y);

#endif
