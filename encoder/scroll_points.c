/* Guessing in both directions at once: a few striking points of what has changed are looked for in the
 * picture before. */
#include "encoder/scroll_private.h"

#include <string.h>

#define PATCH_WIDTH 16 /* px that must be the same at a place where a point is found */
#define PATCH_HEIGHT 8
#define KEY 4        /* px of its first row that are looked for */
#define CANDIDATES 8 /* places of a tile that are weighed against each other */
#define HITS_MAX 256 /* places that look like the key; more: it is not striking */
#define FOUND_MAX 24
#define AGREE 2 /* points that say the same are enough */
#define TRIES 4 /* tiles that are looked at for a point */

typedef struct {
    ScrollOffset offset;
    guint votes;
} Found;

typedef struct {
    guint count;
    Found all[FOUND_MAX];
} FoundList;

static const guint32 *words(const guint8 *pixels)
{
    return (const guint32 *)(const void *)pixels;
}

static gboolean patch_fits(const Scroll *scroll, guint x, guint y)
{
    return x + PATCH_WIDTH <= scroll->width && y + PATCH_HEIGHT <= scroll->height;
}

/* Whether the pixels of `key` stand somewhere in `count` + KEY - 1 pixels. */
static gboolean has_key(const guint32 *pixels, guint count, const guint32 *key)
{
    guint32 hit = 0;
    for (guint i = 0; i < count; i++)
        hit |= (guint32)(pixels[i] == key[0]) & (guint32)(pixels[i + 1] == key[1]) &
               (guint32)(pixels[i + 2] == key[2]) & (guint32)(pixels[i + 3] == key[3]);
    return hit != 0;
}

/* In how many rows of a tile's damage, out of some, the pixels of `key` stand. */
static guint frequency(const Scroll *scroll, const ScrollBox *box, const guint32 *key)
{
    guint rows = 0;
    for (guint y = box->y0; y < box->y1; y += 3)
        rows += has_key(words(scroll_now(scroll, box->x0, y)), box->x1 - box->x0 - KEY + 1u, key);
    return rows;
}

/* The place in a tile's damage whose KEY pixels are rarest among some that are not of one colour; FALSE:
 * there is none. */
static gboolean striking(const Scroll *scroll, guint tile, guint *x, guint *y)
{
    const ScrollBox *box = &scroll->left[tile];
    guint tried = 0, best = G_MAXUINT;
    /* A key that crosses from tile to tile is not found: not all points may have the same place in theirs. */
    guint first = box->x0 + tile * 11 % ((box->x1 - box->x0) / 2u + 1);

    if (box->x1 - box->x0 < KEY)
        return FALSE;
    for (guint row = box->y0; row < box->y1; row += 5) {
        guint end = box->x1 - KEY + 1u;
        for (guint at = first; at < end && patch_fits(scroll, at, row); at++) {
            const guint32 *p = words(scroll_now(scroll, at, row));
            if (p[0] == p[1] || p[1] == p[2] || p[2] == p[3] || (p[0] == p[2] && p[1] == p[3]))
                continue;
            guint often = frequency(scroll, box, p);
            if (often < best) {
                best = often;
                *x = at;
                *y = row;
            }
            if (best <= 1 || ++tried == CANDIDATES)
                return TRUE;
            at += 8; /* another glyph */
        }
    }
    return tried > 0;
}

static gboolean patch_same(const Scroll *scroll, guint x, guint y, guint from_x, guint from_y)
{
    if (!patch_fits(scroll, from_x, from_y))
        return FALSE;
    for (guint row = 0; row < PATCH_HEIGHT; row++)
        if (!scroll_same(scroll, x, y + row, PATCH_WIDTH, from_x, from_y + row))
            return FALSE;
    return TRUE;
}

static void found(FoundList *list, ScrollOffset offset)
{
    for (guint i = 0; i < list->count; i++)
        if (list->all[i].offset.dx == offset.dx && list->all[i].offset.dy == offset.dy) {
            list->all[i].votes++;
            return;
        }
    if (list->count < FOUND_MAX)
        list->all[list->count++] = (Found){offset, 1};
}

/* Looks through one row of one tile; FALSE: there are too many places. */
static gboolean search_row(const Scroll *scroll, guint x, guint y, const ScrollBox *part, guint *hits,
                           FoundList *list)
{
    const guint32 *key = words(scroll_now(scroll, x, y));
    const guint32 *pixels = words(scroll_before(scroll, part->x0, part->y0));

    if (part->x1 - part->x0 < KEY || !has_key(pixels, part->x1 - part->x0 - KEY + 1u, key))
        return TRUE;
    for (guint from_x = part->x0; from_x + KEY <= part->x1; from_x++, pixels++) {
        if (memcmp(pixels, key, KEY * 4) != 0 || (from_x == x && part->y0 == y))
            continue;
        if (++*hits > HITS_MAX)
            return FALSE;
        if (patch_same(scroll, x, y, from_x, part->y0))
            found(list, (ScrollOffset){(gint)x - (gint)from_x, (gint)y - (gint)part->y0});
    }
    return TRUE;
}

/* Only where something has changed: what has moved away has. */
static void search(const Scroll *scroll, guint x, guint y, FoundList *list)
{
    guint left = x > SCROLL_REACH ? x - SCROLL_REACH : 0, right = MIN(x + SCROLL_REACH, scroll->width);
    guint top = y > SCROLL_REACH ? y - SCROLL_REACH : 0, bottom = MIN(y + SCROLL_REACH, scroll->height);
    FoundList mine = {0};
    guint hits = 0;

    for (guint row = top; row < bottom; row++)
        for (guint tx = left / SEAT_TILE; tx * SEAT_TILE < right; tx++) {
            guint tile = row / SEAT_TILE * scroll->tiles_x + tx;
            ScrollBox part = {.x0 = (guint16)MAX(left, tx * SEAT_TILE),
                              .x1 = (guint16)MIN(right, (tx + 1) * SEAT_TILE),
                              .y0 = (guint16)row};
            if (scroll->undo->kept[tile] != 0 && !search_row(scroll, x, y, &part, &hits, &mine))
                return;
        }
    for (guint i = 0; i < mine.count; i++)
        found(list, mine.all[i].offset);
}

static gboolean agree(const FoundList *list)
{
    for (guint i = 0; i < list->count; i++)
        if (list->all[i].votes >= AGREE)
            return TRUE;
    return FALSE;
}

static guint best_of(FoundList *list, ScrollOffset *offsets)
{
    guint count = 0;
    while (count < SCROLL_OFFSETS) {
        Found *best = NULL;
        for (guint i = 0; i < list->count; i++)
            if (list->all[i].votes > (best ? best->votes : 0))
                best = &list->all[i];
        if (!best)
            break;
        offsets[count++] = best->offset;
        best->votes = 0;
    }
    return count;
}

guint scroll_points(const Scroll *scroll, ScrollOffset *offsets)
{
    FoundList list = {0};
    guint damaged = 0, seen = 0, points = 0, due;

    for (guint i = 0; i < scroll->tiles; i++)
        damaged += !scroll_box_empty(&scroll->left[i]);
    guint every = MAX(damaged / SCROLL_POINTS, 1);
    due = every / 2;
    for (guint i = 0; i < scroll->tiles && points < SCROLL_POINTS && !agree(&list); i++) {
        guint x = 0, y = 0;
        if (scroll_box_empty(&scroll->left[i]))
            continue;
        /* in the middle of its share of the damaged tiles, or in the next few */
        guint place = seen++;
        if (place < due || !striking(scroll, i, &x, &y)) {
            due += place >= due + TRIES ? every : 0;
            continue;
        }
        points++;
        due += every;
        search(scroll, x, y, &list);
    }
    return best_of(&list, offsets);
}
