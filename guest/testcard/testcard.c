// Draws the test card. Every pixel is a function of the size, the frame number, the last inputs and the
// frozen state, so that a decoder needs nothing else; see docs/test-card.md for the layout.
#include "guest/testcard/testcard.h"

#include "guest/testcard/font.h"

#include <stdio.h>
#include <string.h>

enum {
    GLYPH_WIDTH = 8,
    LINE_HEIGHT = 16,
    MARGIN = 8,
    TITLE_Y = 24,
    KEY_Y = 40,
    POINTER_Y = 56,
    STATUS_COLUMNS = 24,
    STATE_X = MARGIN + (STATUS_COLUMNS + 2) * GLYPH_WIDTH,
    STATE_COLUMNS = 6,
    BARS_Y = 80,
    BARS_HEIGHT = 64,
    RAMP_Y = 144,
    RAMP_HEIGHT = 32,
    RAMP_STEPS = 16,
    FINE_Y = 176,
    FINE_HEIGHT = 32,
    PAGE_Y = 216,
    BAND_HEIGHT = 80,
    PAGE_GAP = 8,
    // Below this height the band covers other areas and single areas cannot be repainted on their own.
    WHOLE_HEIGHT = 320
};

static const uint32_t background = 0x202830, ink = 0xe8e8e8, page_ground = 0xf4f4f4, page_ink = 0x101010,
                      band_ground = 0x103050, box_edge = 0xffffff, black = 0x000000, white = 0xffffff;
static const uint32_t bars[8] = {0xffffff, 0xffff00, 0x00ffff, 0x00ff00,
                                 0xff00ff, 0xff0000, 0x0000ff, 0x000000};
static const uint32_t box_quarters[4] = {0xff8000, 0x00a0ff, 0xa000ff, 0x00c040};

struct canvas {
    uint8_t *pixels;
    int width, height;
    size_t stride;
};

static inline uint32_t *canvas_line(const struct canvas *canvas, int y)
{
    return (uint32_t *)(void *)(canvas->pixels + (size_t)y * canvas->stride);
}

static struct testcard_rect canvas_clip(const struct canvas *canvas, struct testcard_rect rect)
{
    int right = rect.x + rect.width, bottom = rect.y + rect.height;
    right = right > canvas->width ? canvas->width : right;
    bottom = bottom > canvas->height ? canvas->height : bottom;
    rect.x = rect.x < 0 ? 0 : rect.x;
    rect.y = rect.y < 0 ? 0 : rect.y;
    rect.width = right > rect.x ? right - rect.x : 0;
    rect.height = bottom > rect.y ? bottom - rect.y : 0;
    return rect;
}

static void fill(const struct canvas *canvas, struct testcard_rect rect, uint32_t colour)
{
    rect = canvas_clip(canvas, rect);
    for (int y = rect.y; y < rect.y + rect.height; y++) {
        uint32_t *line = canvas_line(canvas, y);
        for (int x = rect.x; x < rect.x + rect.width; x++)
            line[x] = colour;
    }
}

static void draw_glyph(const struct canvas *canvas, int x, int y, int character, uint32_t fore, uint32_t back)
{
    fill(canvas, (struct testcard_rect){x, y, GLYPH_WIDTH, LINE_HEIGHT}, back);
    if (character < TESTCARD_FONT_FIRST || character >= TESTCARD_FONT_FIRST + TESTCARD_FONT_COUNT)
        return;
    const uint8_t *rows = testcard_font[character - TESTCARD_FONT_FIRST];
    for (int row = 0; row < TESTCARD_FONT_ROWS && y + 1 + row < canvas->height; row++) {
        uint32_t *line = canvas_line(canvas, y + 1 + row);
        for (int column = 0; column < GLYPH_WIDTH && x + column < canvas->width; column++)
            if (rows[row] & (0x80 >> column))
                line[x + column] = fore;
    }
}

// Draws exactly `columns` characters, blanks after the end of the text, so that a shorter text erases a
// longer.
static struct testcard_rect draw_text(const struct canvas *canvas, int x, int y, const char *text,
                                      int columns)
{
    size_t length = strlen(text);
    for (int i = 0; i < columns; i++)
        draw_glyph(canvas, x + i * GLYPH_WIDTH, y, (size_t)i < length ? text[i] : ' ', ink, background);
    return canvas_clip(canvas, (struct testcard_rect){x, y, columns * GLYPH_WIDTH, LINE_HEIGHT});
}

static void draw_cells(const struct canvas *canvas, uint32_t frame, int first, int last)
{
    for (int i = first; i <= last; i++) {
        bool set = frame & (0x80000000u >> i);
        fill(canvas, (struct testcard_rect){i * TESTCARD_CELL, 0, TESTCARD_CELL, TESTCARD_CELL},
             set ? white : black);
    }
}

static struct testcard_rect draw_key(const struct canvas *canvas, const struct testcard *card)
{
    char text[STATUS_COLUMNS + 1] = "KEY -";
    if (card->key >= 0)
        snprintf(text, sizeof text, "KEY %d %d", card->key, card->key_down);
    return draw_text(canvas, MARGIN, KEY_Y, text, STATUS_COLUMNS);
}

static struct testcard_rect draw_pointer(const struct canvas *canvas, const struct testcard *card)
{
    char text[STATUS_COLUMNS + 1] = "PTR -";
    if (card->pointer_seen)
        snprintf(text, sizeof text, "PTR %d %d %u", card->pointer_x, card->pointer_y, card->buttons);
    return draw_text(canvas, MARGIN, POINTER_Y, text, STATUS_COLUMNS);
}

static struct testcard_rect draw_state(const struct canvas *canvas, const struct testcard *card)
{
    return draw_text(canvas, STATE_X, KEY_Y, card->frozen ? "FROZEN" : "MOVING", STATE_COLUMNS);
}

static void draw_title(const struct canvas *canvas)
{
    char text[64];
    int length = snprintf(text, sizeof text, "FERNWERK TEST CARD 1  %dx%d", canvas->width, canvas->height);
    draw_text(canvas, MARGIN, TITLE_Y, text, length);
}

static void draw_colours(const struct canvas *canvas)
{
    int width = canvas->width;
    for (int i = 0; i < 8; i++) {
        int left = i * width / 8, right = (i + 1) * width / 8;
        fill(canvas, (struct testcard_rect){left, BARS_Y, right - left, BARS_HEIGHT}, bars[i]);
    }
    for (int i = 0; i < RAMP_STEPS; i++) {
        int left = i * width / RAMP_STEPS, right = (i + 1) * width / RAMP_STEPS;
        fill(canvas, (struct testcard_rect){left, RAMP_Y, right - left, RAMP_HEIGHT}, (uint32_t)i * 0x111111);
    }
}

// Patterns of single pixels, a quarter of the width each: they show scaling, chroma loss and lossy coding at
// once.
static void draw_fine(const struct canvas *canvas)
{
    for (int y = FINE_Y; y < FINE_Y + FINE_HEIGHT && y < canvas->height; y++) {
        uint32_t *line = canvas_line(canvas, y);
        for (int x = 0; x < canvas->width; x++) {
            bool lit;
            switch (x * 4 / canvas->width) {
            case 0:
                lit = x & 1;
                break;
            case 1:
                lit = y & 1;
                break;
            case 2:
                lit = (x + y) & 1;
                break;
            default:
                lit = (x + y) % 4 == 0;
                break;
            }
            line[x] = lit ? white : black;
        }
    }
}

static void draw_page(const struct canvas *canvas)
{
    int bottom = canvas->height - BAND_HEIGHT - PAGE_GAP;
    fill(canvas, (struct testcard_rect){0, PAGE_Y, canvas->width, bottom - PAGE_Y}, page_ground);
    for (int line = 0; PAGE_Y + (line + 1) * LINE_HEIGHT <= bottom; line++) {
        for (int column = 0; MARGIN + (column + 1) * GLYPH_WIDTH <= canvas->width - MARGIN; column++) {
            int character = TESTCARD_FONT_FIRST + (line * 7 + column) % TESTCARD_FONT_COUNT;
            draw_glyph(canvas, MARGIN + column * GLYPH_WIDTH, PAGE_Y + line * LINE_HEIGHT, character,
                       page_ink, page_ground);
        }
    }
}

static void draw_box(const struct canvas *canvas, int x)
{
    const int edge = 4, half = TESTCARD_BOX / 2, y = canvas->height - BAND_HEIGHT + MARGIN;
    fill(canvas, (struct testcard_rect){x, y, TESTCARD_BOX, TESTCARD_BOX}, box_edge);
    for (int i = 0; i < 4; i++) {
        int left = x + (i % 2 ? half : edge), top = y + (i / 2 ? half : edge);
        fill(canvas, (struct testcard_rect){left, top, half - edge, half - edge}, box_quarters[i]);
    }
}

static void draw_band(const struct canvas *canvas, uint32_t frame)
{
    fill(canvas, (struct testcard_rect){0, canvas->height - BAND_HEIGHT, canvas->width, BAND_HEIGHT},
         band_ground);
    draw_box(canvas, testcard_box_x(frame, canvas->width));
}

static void draw_everything(const struct canvas *canvas, const struct testcard *card)
{
    fill(canvas, (struct testcard_rect){0, 0, canvas->width, canvas->height}, background);
    draw_title(canvas);
    draw_key(canvas, card);
    draw_pointer(canvas, card);
    draw_state(canvas, card);
    draw_colours(canvas);
    draw_fine(canvas);
    draw_page(canvas);
    draw_band(canvas, card->frame);
    draw_cells(canvas, card->frame, 0, TESTCARD_CELLS - 1);
}

// Repaints the cells whose bit changed and moves the box; returns the number of damaged rectangles.
static size_t draw_motion(const struct canvas *canvas, const struct testcard *card,
                          struct testcard_rect *damage)
{
    size_t count = 0;
    uint32_t changed = card->frame ^ card->drawn_frame;
    if (!changed)
        return 0;
    int first = __builtin_clz(changed), last = TESTCARD_CELLS - 1 - __builtin_ctz(changed);
    draw_cells(canvas, card->frame, first, last);
    struct testcard_rect cells =
        canvas_clip(canvas, (struct testcard_rect){first * TESTCARD_CELL, 0,
                                                   (last - first + 1) * TESTCARD_CELL, TESTCARD_CELL});
    if (cells.width > 0)
        damage[count++] = cells;

    int from = testcard_box_x(card->drawn_frame, canvas->width);
    int to = testcard_box_x(card->frame, canvas->width);
    if (from != to) {
        int left = from < to ? from : to, right = (from > to ? from : to) + TESTCARD_BOX;
        struct testcard_rect path = {left, canvas->height - BAND_HEIGHT + MARGIN, right - left, TESTCARD_BOX};
        fill(canvas, path, band_ground);
        draw_box(canvas, to);
        damage[count++] = canvas_clip(canvas, path);
    }
    return count;
}

void testcard_init(struct testcard *card)
{
    *card = (struct testcard){.key = -1};
}

void testcard_advance(struct testcard *card)
{
    if (!card->frozen)
        card->frame++;
}

void testcard_key(struct testcard *card, int code, bool down)
{
    card->key = code;
    card->key_down = down;
    card->key_stale = true;
    if (code == TESTCARD_KEY_FREEZE && down) {
        card->frozen = !card->frozen;
        card->state_stale = true;
    }
}

void testcard_pointer(struct testcard *card, int x, int y, unsigned buttons)
{
    if (card->pointer_seen && card->pointer_x == x && card->pointer_y == y && card->buttons == buttons)
        return;
    card->pointer_seen = true;
    card->pointer_x = x;
    card->pointer_y = y;
    card->buttons = buttons;
    card->pointer_stale = true;
}

void testcard_invalidate(struct testcard *card)
{
    card->drawn_width = card->drawn_height = 0;
}

size_t testcard_draw(struct testcard *card, void *pixels, int width, int height, size_t stride,
                     struct testcard_rect damage[TESTCARD_DAMAGE_MAX])
{
    if (width < 1 || height < 1 || width > TESTCARD_SIZE_MAX || height > TESTCARD_SIZE_MAX ||
        stride < (size_t)width * 4)
        return 0;

    const struct canvas canvas = {pixels, width, height, stride};
    bool stale =
        card->state_stale || card->key_stale || card->pointer_stale || card->frame != card->drawn_frame;
    size_t count = 0;
    if (width != card->drawn_width || height != card->drawn_height || (stale && height < WHOLE_HEIGHT)) {
        draw_everything(&canvas, card);
        damage[count++] = (struct testcard_rect){0, 0, width, height};
    } else {
        count = draw_motion(&canvas, card, damage);
        if (card->key_stale)
            damage[count++] = draw_key(&canvas, card);
        if (card->pointer_stale)
            damage[count++] = draw_pointer(&canvas, card);
        if (card->state_stale)
            damage[count++] = draw_state(&canvas, card);
    }
    card->drawn_width = width;
    card->drawn_height = height;
    card->drawn_frame = card->frame;
    card->state_stale = card->key_stale = card->pointer_stale = false;

    size_t visible = 0;
    for (size_t i = 0; i < count; i++)
        if (damage[i].width > 0 && damage[i].height > 0)
            damage[visible++] = damage[i];
    return visible;
}

int testcard_box_x(uint32_t frame, int width)
{
    int span = width - TESTCARD_BOX;
    if (span <= 0)
        return 0;
    int way = (int)((uint64_t)frame * TESTCARD_BOX_STEP % (2 * (uint64_t)span));
    return way <= span ? way : 2 * span - way;
}

void testcard_cursor(uint32_t argb[TESTCARD_CURSOR * TESTCARD_CURSOR])
{
    const int size = 24;
    memset(argb, 0, sizeof(uint32_t) * TESTCARD_CURSOR * TESTCARD_CURSOR);
    for (int y = 0; y < size; y++) {
        for (int x = 0; x <= y && x + y < size + size / 2; x++) {
            bool edge = x == 0 || x == y || y == size - 1 || x + y + 1 >= size + size / 2;
            argb[y * TESTCARD_CURSOR + x] = edge ? 0xff000000 : 0xffff00ff;
        }
    }
}
