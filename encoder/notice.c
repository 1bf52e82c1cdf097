/* Text on a dark screen, with the test card's bitmap font at twice or more its size. */
#include "encoder/notice.h"

#include "guest/testcard/font.h"

#include <string.h>

#define GLYPH_WIDTH 8
#define LINES_MAX 12
#define BACKGROUND 0x202326u
#define FOREGROUND 0xf2f2f2u

typedef struct {
    const char *start;
    gsize length;
} Line;

/* Breaks at blanks so that no line has more than `columns` characters. */
static guint wrap(const char *text, gsize columns, Line lines[LINES_MAX])
{
    guint count = 0;
    while (*text && count < LINES_MAX) {
        gsize length = strlen(text), used;
        if (length > columns) {
            length = columns;
            while (length > 0 && text[length] != ' ')
                length--;
            if (length == 0)
                length = columns;
        }
        used = length;
        lines[count++] = (Line){text, length};
        text += used;
        while (*text == ' ')
            text++;
    }
    return count;
}

static void paint_glyph(guint32 *pixels, guint width, guint height, guint x, guint y, guint scale,
                        guchar character)
{
    if (character < TESTCARD_FONT_FIRST || character >= TESTCARD_FONT_FIRST + TESTCARD_FONT_COUNT)
        character = '?';
    const guint8 *rows = testcard_font[character - TESTCARD_FONT_FIRST];
    for (guint row = 0; row < TESTCARD_FONT_ROWS * scale && y + row < height; row++)
        for (guint column = 0; column < GLYPH_WIDTH * scale && x + column < width; column++)
            if (rows[row / scale] & 0x80u >> column / scale)
                pixels[(gsize)(y + row) * width + x + column] = GUINT32_TO_LE(FOREGROUND);
}

guint8 *notice_paint(guint width, guint height, const char *text)
{
    guint32 *pixels = g_new(guint32, (gsize)width * height);
    guint scale = CLAMP(width / 500, 1, 5);
    gsize columns = MAX(1, width / (GLYPH_WIDTH * scale) * 4 / 5);
    guint line_height = TESTCARD_FONT_ROWS * scale * 3 / 2;
    g_autofree char *ascii = g_str_to_ascii(text, "C");
    Line lines[LINES_MAX];
    guint count = wrap(ascii, columns, lines);
    guint top = height > count * line_height ? (height - count * line_height) / 2 : 0;

    for (gsize i = 0; i < (gsize)width * height; i++)
        pixels[i] = GUINT32_TO_LE(BACKGROUND);
    for (guint line = 0; line < count; line++) {
        guint line_width = (guint)lines[line].length * GLYPH_WIDTH * scale;
        guint left = width > line_width ? (width - line_width) / 2 : 0;
        for (gsize i = 0; i < lines[line].length; i++)
            paint_glyph(pixels, width, height, left + (guint)i * GLYPH_WIDTH * scale,
                        top + line * line_height, scale, (guchar)lines[line].start[i]);
    }
    return (guint8 *)pixels;
}
