/* Guessing along one axis: lines of 16 px are hashed before and now, and each stretch of 16 lines that stood
 * at one place before votes for the way to where it stands now. Rows make vertical offsets, columns
 * horizontal ones. */
#include "encoder/scroll_private.h"

#include <string.h>

#define CHUNK 16      /* px of a line */
#define STRETCH 16    /* lines */
#define BUSY 3        /* lines of a stretch that must not be of one colour */
#define STEP 4        /* every so many stretches votes */
#define VOTES_LEAST 4 /* for an offset to be tried */
#define FACTOR G_GUINT64_CONSTANT(0x9e3779b97f4a7c15)

typedef struct {
    guint64 hash;
    guint32 stamp; /* of the strip that has filled it */
    gint32 at;     /* -1: there are several */
} Slot;

typedef struct {
    guint64 *hashes;
    guint8 *busy;
} Side;

struct ScrollLines {
    guint length; /* lines of the axis in use */
    Side before, now;
    Slot *slots;
    guint slots_mask;
    guint32 stamp;
    guint64 highest; /* FACTOR ^ (STRETCH - 1) */
    guint16 *votes;  /* of the offsets -length .. length */
    guint given;     /* votes */
};

ScrollLines *scroll_lines_new(guint longest)
{
    ScrollLines *lines = g_new0(ScrollLines, 1);
    guint slots = 64;

    while (slots < 2 * longest)
        slots *= 2;
    lines->before = (Side){g_new(guint64, longest), g_new(guint8, longest)};
    lines->now = (Side){g_new(guint64, longest), g_new(guint8, longest)};
    lines->slots = g_new0(Slot, slots);
    lines->slots_mask = slots - 1;
    lines->votes = g_new(guint16, 2 * (gsize)longest + 1);
    lines->highest = 1;
    for (guint i = 1; i < STRETCH; i++)
        lines->highest *= FACTOR;
    return lines;
}

void scroll_lines_free(ScrollLines *lines)
{
    g_free(lines->before.hashes);
    g_free(lines->before.busy);
    g_free(lines->now.hashes);
    g_free(lines->now.busy);
    g_free(lines->slots);
    g_free(lines->votes);
    g_free(lines);
}

static void lines_start(ScrollLines *lines, guint length)
{
    lines->length = length;
    lines->given = 0;
    memset(lines->votes, 0, (2 * (gsize)length + 1) * sizeof *lines->votes);
}

/* ---- voting ---- */

static Slot *slot_find(ScrollLines *lines, guint64 hash)
{
    guint at = (guint)(hash >> 32) & lines->slots_mask;
    while (lines->slots[at].stamp == lines->stamp && lines->slots[at].hash != hash)
        at = (at + 1) & lines->slots_mask;
    return &lines->slots[at];
}

static void note(ScrollLines *lines, guint64 hash, guint at)
{
    Slot *slot = slot_find(lines, hash);
    if (slot->stamp == lines->stamp)
        slot->at = -1;
    else
        *slot = (Slot){hash, lines->stamp, (gint32)at};
}

static void vote(ScrollLines *lines, guint64 hash, guint at)
{
    if (at % STEP != 0)
        return;
    const Slot *slot = slot_find(lines, hash);
    if (slot->stamp != lines->stamp || slot->at < 0 || slot->at == (gint32)at)
        return;
    lines->votes[(gint32)at - slot->at + (gint32)lines->length]++;
    lines->given++;
}

/* Calls `each` with the hash of every busy stretch. */
static void stretches(ScrollLines *lines, const Side *side, void (*each)(ScrollLines *, guint64, guint))
{
    guint64 hash = 0;
    guint busy = 0;

    for (guint i = 0; i < lines->length; i++) {
        if (i >= STRETCH) {
            hash -= side->hashes[i - STRETCH] * lines->highest;
            busy -= side->busy[i - STRETCH];
        }
        hash = hash * FACTOR + side->hashes[i];
        busy += side->busy[i];
        if (i + 1 >= STRETCH && busy >= BUSY)
            each(lines, hash ^ hash >> 29, i + 1 - STRETCH);
    }
}

static void lines_vote(ScrollLines *lines)
{
    if (++lines->stamp == 0) { /* after years: what older strips left must not seem fresh */
        memset(lines->slots, 0, ((gsize)lines->slots_mask + 1) * sizeof *lines->slots);
        lines->stamp = 1;
    }
    stretches(lines, &lines->before, note);
    stretches(lines, &lines->now, vote);
}

/* The offsets with most votes. */
static guint lines_result(const ScrollLines *lines, gint *offsets)
{
    guint count = 0, votes[SCROLL_OFFSETS];
    for (guint i = 0; i <= 2 * lines->length; i++) {
        if (lines->votes[i] < VOTES_LEAST)
            continue;
        guint at = MIN(count, SCROLL_OFFSETS - 1);
        if (count == SCROLL_OFFSETS && votes[at] >= lines->votes[i])
            continue;
        for (; at > 0 && votes[at - 1] < lines->votes[i]; at--) {
            votes[at] = votes[at - 1];
            offsets[at] = offsets[at - 1];
        }
        votes[at] = lines->votes[i];
        offsets[at] = (gint)i - (gint)lines->length;
        count = MIN(count + 1, SCROLL_OFFSETS);
    }
    return count;
}

/* Up to SCROLL_STRIPS of `count` tile columns (or rows) to look at, those with little damage left out. */
static guint choose(const guint *damage, guint count, guint *chosen)
{
    guint most = 0, worthy = 0, taken = 0, seen = 0;

    for (guint i = 0; i < count; i++)
        most = MAX(most, damage[i]);
    for (guint i = 0; i < count; i++)
        worthy += damage[i] > 0 && damage[i] >= most / 4;
    guint wanted = MIN(worthy, SCROLL_STRIPS);
    for (guint i = 0; i < count && taken < wanted; i++) {
        if (damage[i] == 0 || damage[i] < most / 4)
            continue;
        /* the middle of each of `wanted` equal parts */
        if (seen++ == (2 * taken + 1) * worthy / (2 * wanted))
            chosen[taken++] = i;
    }
    return taken;
}

/* Every other one first: where those say nothing the rest is not asked. */
static void look(Scroll *scroll, void (*one)(Scroll *, guint), const guint *chosen, guint count)
{
    for (guint i = 0; i < count; i += 2)
        one(scroll, chosen[i]);
    for (guint i = 1; i < count && scroll->lines->given > 0; i += 2)
        one(scroll, chosen[i]);
}

/* ---- rows ---- */

static inline gboolean busy_row(const guint8 *pixels)
{
    return memcmp(pixels, pixels + 4, (CHUNK - 1) * 4) != 0;
}

static inline guint64 row_hash(const guint8 *pixels, guint8 *busy)
{
    static const guint64 factors[CHUNK / 2] = {0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9,
                                               0x27d4eb2f165667c5, 0xd6e8feb86659fd93, 0xa0761d6478bd642f,
                                               0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3};
    guint64 two[CHUNK / 2], hash = 0, differences = 0;

    memcpy(two, pixels, sizeof two);
    for (guint i = 0; i < CHUNK / 2; i++) {
        hash += two[i] * factors[i];
        differences |= two[i] ^ two[0];
    }
    *busy = differences != 0 || (guint32)two[0] != (guint32)(two[0] >> 32);
    return hash ^ hash >> 32;
}

/* The part of a tile column, from its left edge, with most lines that are not of one colour. */
static guint busiest_chunk(const Scroll *scroll, guint tx)
{
    guint best = 0, most = 0;
    for (guint at = 0; at + CHUNK <= MIN(SEAT_TILE, scroll->width - tx * SEAT_TILE); at += CHUNK) {
        guint busy = 0;
        for (guint ty = 0; ty < scroll->tiles_y; ty++) {
            const ScrollBox *box = &scroll->left[ty * scroll->tiles_x + tx];
            for (guint y = box->y0; !scroll_box_empty(box) && y < box->y1; y += 8)
                busy += busy_row(scroll_now(scroll, tx * SEAT_TILE + at, y));
        }
        if (busy > most) {
            most = busy;
            best = at;
        }
    }
    return best;
}

static void strip(Scroll *scroll, guint tx)
{
    ScrollLines *lines = scroll->lines;
    Side *before = &lines->before, *now = &lines->now;
    guint x = tx * SEAT_TILE + busiest_chunk(scroll, tx);

    for (guint ty = 0; ty < scroll->tiles_y; ty++) {
        guint64 kept = scroll->undo->kept[ty * scroll->tiles_x + tx];
        guint y = ty * SEAT_TILE, end = MIN(y + SEAT_TILE, scroll->height);
        if (kept == 0) {
            memset(now->busy + y, 0, end - y);
            memset(before->busy + y, 0, end - y);
            memset(now->hashes + y, 0, (end - y) * sizeof *now->hashes);
            memset(before->hashes + y, 0, (end - y) * sizeof *before->hashes);
            continue;
        }
        for (; y < end; y++) {
            const guint8 *pixels = scroll_now(scroll, x, y), *old = scroll_before(scroll, x, y);
            now->hashes[y] = row_hash(pixels, &now->busy[y]);
            if (old != pixels) {
                before->hashes[y] = row_hash(old, &before->busy[y]);
            } else {
                before->hashes[y] = now->hashes[y];
                before->busy[y] = now->busy[y];
            }
        }
    }
    lines_vote(lines);
}

guint scroll_lines_vertical(Scroll *scroll, ScrollOffset *offsets)
{
    guint damage[SEAT_WIDTH_MAX / SEAT_TILE] = {0}, chosen[SCROLL_STRIPS];
    gint found[SCROLL_OFFSETS];

    if (scroll->width < CHUNK)
        return 0;
    for (guint i = 0; i < scroll->tiles; i++)
        damage[i % scroll->tiles_x] += scroll->left[i].y1 - scroll->left[i].y0;
    if (scroll->width % SEAT_TILE != 0 && scroll->width % SEAT_TILE < CHUNK)
        damage[scroll->tiles_x - 1] = 0;
    lines_start(scroll->lines, scroll->height);
    look(scroll, strip, chosen, choose(damage, scroll->tiles_x, chosen));
    guint count = lines_result(scroll->lines, found);
    for (guint i = 0; i < count; i++)
        offsets[i] = (ScrollOffset){0, found[i]};
    return count;
}

/* ---- columns ---- */

typedef struct {
    guint32 sums[SEAT_TILE], differences[SEAT_TILE];
} Columns;

/* CHUNK rows of up to a tile's width, column by column. */
static void columns_hash(const Scroll *scroll, gboolean now, guint x, guint y, guint width, Columns *columns)
{
    guint32 factor = 0x9e3779b1;
    const guint32 *first =
        (const guint32 *)(const void *)(now ? scroll_now(scroll, x, y) : scroll_before(scroll, x, y));
    memset(columns, 0, sizeof *columns);
    for (guint row = 0; row < CHUNK; row++, factor *= 0x85ebca77) {
        const guint32 *pixels = (const guint32 *)(const void *)(now ? scroll_now(scroll, x, y + row)
                                                                    : scroll_before(scroll, x, y + row));
        for (guint i = 0; i < width; i++) {
            columns->sums[i] += pixels[i] * factor;
            columns->differences[i] |= pixels[i] ^ first[i];
        }
    }
}

static void columns_put(const Columns *columns, guint x, guint width, Side *side)
{
    for (guint i = 0; i < width; i++) {
        side->hashes[x + i] = columns->sums[i] * FACTOR;
        side->busy[x + i] = columns->differences[i] != 0;
    }
}

static guint busiest_rows(const Scroll *scroll, guint ty)
{
    guint best = 0, most = 0;
    for (guint at = 0; at + CHUNK <= MIN(SEAT_TILE, scroll->height - ty * SEAT_TILE); at += CHUNK) {
        guint busy = 0, y = ty * SEAT_TILE + at;
        for (guint tx = 0; tx < scroll->tiles_x; tx++) {
            const ScrollBox *box = &scroll->left[ty * scroll->tiles_x + tx];
            for (guint x = box->x0; x < box->x1; x += 8)
                busy += memcmp(scroll_now(scroll, x, y), scroll_now(scroll, x, y + CHUNK / 2), 4) != 0;
        }
        if (busy > most) {
            most = busy;
            best = at;
        }
    }
    return best;
}

static void band(Scroll *scroll, guint ty)
{
    ScrollLines *lines = scroll->lines;
    guint y = ty * SEAT_TILE + busiest_rows(scroll, ty);
    Columns columns;

    for (guint tx = 0; tx < scroll->tiles_x; tx++) {
        guint x = tx * SEAT_TILE, width = MIN(SEAT_TILE, scroll->width - x);
        if (scroll->undo->kept[ty * scroll->tiles_x + tx] == 0) {
            memset(&columns, 0, sizeof columns);
            columns_put(&columns, x, width, &lines->now);
            columns_put(&columns, x, width, &lines->before);
            continue;
        }
        columns_hash(scroll, TRUE, x, y, width, &columns);
        columns_put(&columns, x, width, &lines->now);
        columns_hash(scroll, FALSE, x, y, width, &columns);
        columns_put(&columns, x, width, &lines->before);
    }
    lines_vote(lines);
}

guint scroll_lines_horizontal(Scroll *scroll, ScrollOffset *offsets)
{
    guint damage[SEAT_WIDTH_MAX / SEAT_TILE] = {0}, chosen[SCROLL_STRIPS];
    gint found[SCROLL_OFFSETS];

    if (scroll->height < CHUNK)
        return 0;
    for (guint i = 0; i < scroll->tiles; i++)
        damage[i / scroll->tiles_x] += scroll->left[i].x1 - scroll->left[i].x0;
    if (scroll->height % SEAT_TILE != 0 && scroll->height % SEAT_TILE < CHUNK)
        damage[scroll->tiles_y - 1] = 0;
    lines_start(scroll->lines, scroll->width);
    look(scroll, band, chosen, choose(damage, scroll->tiles_y, chosen));
    guint count = lines_result(scroll->lines, found);
    for (guint i = 0; i < count; i++)
        offsets[i] = (ScrollOffset){found[i], 0};
    return count;
}
