/* RLEX: a segment is a run of one colour and then, a pixel each, the colours that follow it in the palette.
 * So the palette is put in an order in which colours follow each other as they do in the picture. */
#include "encoder/clear_rlex.h"

#include <string.h>

#define SLOTS 512      /* of the table that finds colours */
#define CHAINED_MAX 48 /* colours whose order is worth a thought */
#define SEGMENT_MAX 4  /* bytes */

typedef struct {
    guint32 colours[CLEAR_RLEX_COLOURS_MAX];
    guint count;
    guint8 place[CLEAR_RLEX_COLOURS_MAX]; /* in the palette that is sent */
} Palette;

typedef struct {
    guint8 from, to;
    guint16 count;
} Step;

/* The place of a colour that is, or becomes, one of the palette's; -1 when it is full. */
static gint find_colour(Palette *palette, guint8 *slots, guint32 colour)
{
    guint slot = (colour * 2654435761u) >> 23;

    while (slots[slot] && palette->colours[slots[slot] - 1] != colour)
        slot = (slot + 1) % SLOTS;
    if (!slots[slot]) {
        if (palette->count == CLEAR_RLEX_COLOURS_MAX)
            return -1;
        palette->colours[palette->count++] = colour;
        slots[slot] = (guint8)palette->count;
    }
    return slots[slot] - 1;
}

/* The picture as runs, and its colours in the order in which they come. Returns the number of runs, 0 when
 * there are too many colours. */
static guint read_runs(const guint32 *pixels, gsize stride, guint width, guint height, ClearRun *runs,
                       Palette *palette)
{
    guint8 slots[SLOTS]; /* counted from 1 */
    guint32 last = ~0u;
    guint n = 0;

    memset(slots, 0, sizeof slots);
    palette->count = 0;
    for (guint y = 0; y < height; y++, pixels += stride) {
        for (guint x = 0; x < width;) {
            guint from = x;
            if (pixels[x] != last) {
                last = pixels[x++];
                gint colour = find_colour(palette, slots, last);
                if (colour < 0)
                    return 0;
                runs[n++] = (ClearRun){0, (guint8)colour};
            }
            while (x < width && pixels[x] == last)
                x++;
            runs[n - 1].length = (guint16)(runs[n - 1].length + x - from);
        }
    }
    return n;
}

/* Shell's way: the library's would allocate. */
static void sort_steps(Step *steps, guint n)
{
    static const guint gaps[] = {701, 301, 132, 57, 23, 10, 4, 1};

    for (guint g = 0; g < G_N_ELEMENTS(gaps); g++)
        for (guint i = gaps[g]; i < n; i++) {
            Step step = steps[i];
            guint at = i;
            for (; at >= gaps[g] && steps[at - gaps[g]].count < step.count; at -= gaps[g])
                steps[at] = steps[at - gaps[g]];
            steps[at] = step;
        }
}

/* How often each colour follows each other one, the most frequent first. */
static guint count_steps(const ClearRun *runs, guint n, guint colours, Step *steps)
{
    guint16 counts[CHAINED_MAX * CHAINED_MAX];
    guint n_steps = 0;

    memset(counts, 0, colours * colours * sizeof *counts);
    for (guint i = 1; i < n; i++)
        counts[runs[i - 1].colour * colours + runs[i].colour]++;
    for (guint from = 0; from < colours; from++)
        for (guint to = 0; to < colours; to++)
            if (counts[from * colours + to])
                steps[n_steps++] = (Step){(guint8)from, (guint8)to, counts[from * colours + to]};
    sort_steps(steps, n_steps);
    return n_steps;
}

/* Joins colours to chains, the most frequent steps first, and lays the chains behind each other. */
static void chain(const ClearRun *runs, guint n, Palette *palette)
{
    Step steps[CHAINED_MAX * CHAINED_MAX];
    guint colours = palette->count, next_place = 0;
    guint8 next[CHAINED_MAX], first[CHAINED_MAX], last[CHAINED_MAX]; /* of the chain that ends, begins here */
    gboolean follows[CHAINED_MAX] = {FALSE};
    guint n_steps = count_steps(runs, n, colours, steps);

    memset(next, 0xff, sizeof next);
    for (guint i = 0; i < colours; i++)
        first[i] = last[i] = (guint8)i;
    for (guint i = 0; i < n_steps; i++) {
        guint8 from = steps[i].from, to = steps[i].to;
        if (next[from] != 0xff || follows[to] || first[from] == to)
            continue;
        next[from] = to;
        follows[to] = TRUE;
        guint8 begin = first[from], end = last[to];
        first[end] = begin;
        last[begin] = end;
    }
    for (guint i = 0; i < colours; i++)
        if (!follows[i])
            for (guint at = i; at != 0xff; at = next[at])
                palette->place[at] = (guint8)next_place++;
}

static guint8 *put_palette(const Palette *palette, guint count, guint8 *out)
{
    *out++ = (guint8)count;
    memset(out, 0, 3 * (gsize)count);
    for (guint i = 0; i < palette->count; i++) {
        guint8 *entry = out + 3 * palette->place[i];
        entry[0] = (guint8)palette->colours[i];
        entry[1] = (guint8)(palette->colours[i] >> 8);
        entry[2] = (guint8)(palette->colours[i] >> 16);
    }
    return out + 3 * (gsize)count;
}

static guint8 *put_segment(guint8 *out, guint stop, guint depth, guint bits, guint run)
{
    *out++ = (guint8)(depth << bits | stop);
    if (run < 0xff) {
        *out++ = (guint8)run;
        return out;
    }
    *out++ = 0xff;
    *out++ = (guint8)run;
    *out++ = (guint8)(run >> 8);
    return out;
}

static guint8 *put_segments(const Palette *palette, const ClearRun *runs, guint n, guint bits, guint8 *out,
                            const guint8 *limit)
{
    guint depth_max = (1u << (8 - bits)) - 1, told = 0; /* of the next run's pixels */

    for (guint i = 0; i < n;) {
        guint colour = palette->place[runs[i].colour], depth = 0;
        guint run = runs[i++].length - told;
        if (limit - out < SEGMENT_MAX)
            return NULL;
        told = 0;
        while (!told && i < n && depth < depth_max && palette->place[runs[i].colour] == colour + depth + 1) {
            depth++;
            if (runs[i].length > 1)
                told = 1;
            else
                i++;
        }
        /* The run's last pixel is the first of those that follow each other. */
        out = put_segment(out, colour + depth, depth, bits, run - 1);
    }
    return out;
}

gboolean clear_rlex_encode(const guint32 *pixels, gsize stride, guint width, guint height, ClearRun *runs,
                           guint8 *out, gsize limit, gsize *length)
{
    Palette palette;
    guint bits = 1;

    g_assert((gsize)width * height <= 1 << 15);
    *length = 0;
    guint n = read_runs(pixels, stride, width, height, runs, &palette);
    if (n == 0)
        return FALSE;
    /* How many bits one colour takes is not defined. */
    guint count = MAX(palette.count, 2);
    if (limit < 1 + 3 * (gsize)count)
        return TRUE;
    while (1u << bits < count)
        bits++;
    for (guint i = 0; i < palette.count; i++)
        palette.place[i] = (guint8)i;
    if (palette.count > 2 && palette.count <= CHAINED_MAX)
        chain(runs, n, &palette);
    guint8 *segments = put_palette(&palette, count, out);
    guint8 *end = put_segments(&palette, runs, n, bits, segments, out + limit);
    if (end)
        *length = (gsize)(end - out);
    return TRUE;
}
