// The card's font: printable ASCII, 8x13 px. From "misc-fixed" of X11 ("8x13", package xfonts-base):
// public domain font, "Share and enjoy". Only the table lives here.
#ifndef GUEST_TESTCARD_FONT_H
#define GUEST_TESTCARD_FONT_H

#include <stdint.h>

enum { TESTCARD_FONT_FIRST = 32, TESTCARD_FONT_COUNT = 95, TESTCARD_FONT_ROWS = 13 };

// One byte a pixel row, most significant bit at the left.
extern const uint8_t testcard_font[TESTCARD_FONT_COUNT][TESTCARD_FONT_ROWS];

#endif
