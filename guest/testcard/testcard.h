// The test card: what the tiny guest and the seat's pattern source draw, and what the end-to-end tests
// decode. Pure drawing into memory, libc only; no display, no input device and no clock live here. The layout
// is a contract with decoders outside the tree: docs/test-card.md.
#ifndef GUEST_TESTCARD_TESTCARD_H
#define GUEST_TESTCARD_TESTCARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TESTCARD_CELL = 16,       // px, edge of one frame number cell
    TESTCARD_CELLS = 32,      // cells, one a bit, most significant first
    TESTCARD_BOX = 64,        // px, edge of the moving box
    TESTCARD_BOX_STEP = 8,    // px the box moves a frame
    TESTCARD_DAMAGE_MAX = 6,  // most rectangles one testcard_draw() returns
    TESTCARD_KEY_FREEZE = 66, // evdev code of F8
    TESTCARD_CURSOR = 64,     // px, edge of the cursor picture
    TESTCARD_SIZE_MAX = 16384 // px, larger sizes are not drawn
};

// Bits of a pointer's button mask, as in `PTR <x> <y> <buttons>`.
enum {
    TESTCARD_BUTTON_LEFT = 1,
    TESTCARD_BUTTON_MIDDLE = 2,
    TESTCARD_BUTTON_RIGHT = 4,
    TESTCARD_BUTTON_SIDE = 8,
    TESTCARD_BUTTON_EXTRA = 16
};

struct testcard_rect {
    int x, y, width, height; // px, always inside the picture
};

// All state of one card. Callers may read it; only the functions below change it.
struct testcard {
    uint32_t frame;    // the number in the cells
    bool frozen;       // F8: frame number and box stand still
    int key;           // evdev code of the last key event, -1: none yet
    bool key_down;     // whether that event was a press
    bool pointer_seen; // whether x, y and buttons mean anything
    int pointer_x;     // px
    int pointer_y;     // px
    unsigned buttons;  // TESTCARD_BUTTON_*

    // What the pixels show since the last testcard_draw().
    int drawn_width, drawn_height; // px, 0: nothing is drawn yet
    uint32_t drawn_frame;
    bool state_stale, key_stale, pointer_stale;
};

// Puts a card into its first state: frame 0, running, no input seen, nothing drawn.
void testcard_init(struct testcard *card);

// Steps to the next frame, once a displayed frame at whatever rate the caller keeps; does nothing while
// frozen.
void testcard_advance(struct testcard *card);

// Takes a key event: `code` is the evdev code, `down` true for a press (auto-repeat is no event here).
// A press of F8 freezes or unfreezes the card.
void testcard_key(struct testcard *card, int code, bool down);

// Takes the pointer's new state: x and y in px of the picture, buttons as TESTCARD_BUTTON_*.
void testcard_pointer(struct testcard *card, int x, int y, unsigned buttons);

// Forgets what was drawn, so that the next testcard_draw() paints everything: for new pixel memory.
void testcard_invalidate(struct testcard *card);

// Brings `pixels` (XRGB8888 in host byte order, `stride` bytes a line, owned by the caller) up to date and
// writes the rectangles that changed since the last call to `damage`; returns how many, 0 if nothing changed.
// The first call, and one with another size than the last, paints everything. A width or height outside
// 1..TESTCARD_SIZE_MAX, or a stride below 4 * width, draws nothing and returns 0.
size_t testcard_draw(struct testcard *card, void *pixels, int width, int height, size_t stride,
                     struct testcard_rect damage[TESTCARD_DAMAGE_MAX]);

// Where the moving box stands in a frame: left edge in px for a picture `width` px wide.
int testcard_box_x(uint32_t frame, int width);

// Draws the card's cursor into `argb` (premultiplied ARGB8888, TESTCARD_CURSOR squared px): an arrow, hot
// spot 0,0.
void testcard_cursor(uint32_t argb[TESTCARD_CURSOR * TESTCARD_CURSOR]);

#endif
