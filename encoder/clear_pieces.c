/* Cutting a picture into pieces. */
#include "encoder/clear_pieces.h"

#include <string.h>

#define GAP_MIN 24   /* px of background that part two pieces */
#define HALF_MIN 32  /* px a piece is wide at least after it was cut in two */
#define SAMPLES 64   /* pixels that elect a background */
#define CANDIDATES 8 /* colours among which it is chosen */

static gboolean is_flat(const guint32 *row, guint width)
{
    return memcmp(row, row + 1, (width - 1) * sizeof *row) == 0;
}

/* The most frequent colour of some rows, or one of the more frequent ones. */
static guint32 elect_background(const ClearPicture *picture, guint top, guint bottom)
{
    const guint32 *pixels = picture->pixels + (gsize)top * picture->width;
    guint n = (bottom - top) * picture->width, step = n / SAMPLES | 1, best = 0;
    guint32 colours[CANDIDATES];
    guint counts[CANDIDATES], used = 0;

    for (guint i = 0; i < n; i += step) {
        guint c = 0;
        while (c < used && colours[c] != pixels[i])
            c++;
        if (c < used) {
            counts[c]++;
        } else if (used < CANDIDATES) {
            colours[used] = pixels[i];
            counts[used++] = 1;
        }
    }
    for (guint c = 1; c < used; c++)
        if (counts[c] > counts[best])
            best = c;
    return colours[best];
}

static void add(ClearPieces *pieces, guint x, guint y, guint width, guint height, guint32 background)
{
    pieces->pieces[pieces->n++] =
        (ClearPiece){.x = x, .y = y, .width = width, .height = height, .background = background};
}

/* The pieces in rows none of which is flat, at most `room` of them. */
static void cut_strip(const ClearPicture *picture, guint top, guint bottom, guint room, ClearPieces *pieces)
{
    guint8 taken[CLEAR_WIDTH_MAX];
    guint32 background = elect_background(picture, top, bottom);
    guint width = picture->width, from = width, end = 0;

    memset(taken, 0, width);
    for (guint y = top; y < bottom; y++) {
        const guint32 *row = picture->pixels + (gsize)y * width;
        pieces->background[y] = background;
        for (guint x = 0; x < width; x++)
            taken[x] |= row[x] != background;
    }
    for (guint x = 0; x < width; x++) {
        if (!taken[x])
            continue;
        if (from < width && x - end >= GAP_MIN && room > 1) {
            add(pieces, from, top, end - from, bottom - top, background);
            from = width;
            room--;
        }
        if (from == width)
            from = x;
        end = x + 1;
    }
    add(pieces, from, top, end - from, bottom - top, background);
}

void clear_pieces_cut(const ClearPicture *picture, ClearPieces *pieces)
{
    guint width = picture->width, top = 0;

    pieces->n = 0;
    for (guint y = 0; y <= picture->height; y++) {
        const guint32 *row = picture->pixels + (gsize)y * width;
        gboolean flat = y == picture->height || is_flat(row, width);
        if (!flat)
            continue;
        /* Each strip that follows needs one at least, and a flat row stands before it. */
        if (y > top)
            cut_strip(picture, top, y, CLEAR_PIECES_MAX / 2 - pieces->n - (picture->height - y) / 2, pieces);
        if (y < picture->height)
            pieces->background[y] = row[0];
        top = y + 1;
    }
}

gboolean clear_pieces_halve(ClearPieces *pieces, guint piece)
{
    ClearPiece *left = &pieces->pieces[piece], *right = left + 1;

    if (left->width < 2 * HALF_MIN || pieces->n == CLEAR_PIECES_MAX)
        return FALSE;
    memmove(right, left, (pieces->n - piece) * sizeof *left);
    pieces->n++;
    left->width /= 2;
    right->x += left->width;
    right->width -= left->width;
    return TRUE;
}
