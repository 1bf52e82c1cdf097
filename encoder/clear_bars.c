/* V-bars: finding and storing columns of pixels. */
#include "encoder/clear_bars.h"

#include <string.h>

/* Three words name a whole column: the short one in it, its background, its place and height. */
#define KEY_WORDS 3
/* Columns of text are far from full: 24 px for each short one. */
#define SHORT_WORDS (CLEAR_SHORT_BARS * 24)

typedef struct {
    guint32 words[KEY_WORDS];
    guint32 hash;
} Key;

void clear_bars_init(ClearBars *bars)
{
    clear_store_init(&bars->bars, CLEAR_BARS, CLEAR_BARS * KEY_WORDS);
    clear_store_init(&bars->short_bars, CLEAR_SHORT_BARS, SHORT_WORDS);
    memset(bars->seen, 0, sizeof bars->seen);
}

void clear_bars_clear(ClearBars *bars)
{
    clear_store_clear(&bars->bars);
    clear_store_clear(&bars->short_bars);
}

void clear_bars_forget(ClearBars *bars)
{
    clear_store_forget(&bars->bars);
    clear_store_forget(&bars->short_bars);
}

ClearColumn clear_column(const guint32 *pixels, guint height, guint32 background)
{
    guint on = 0, off = height;

    while (on < off && pixels[on] == background)
        on++;
    gboolean blank = on == off;
    if (blank) {
        on = 0;
        off = 1; /* one pixel of it is told: no decoder has to cope with a column of none */
    }
    while (pixels[off - 1] == background && off - 1 > on)
        off--;
    guint count = off - on;
    return (ClearColumn){.pixels = pixels + on,
                         .hash = clear_hash(pixels + on, count),
                         .background = background,
                         .on = (guint8)on,
                         .count = (guint8)count,
                         .height = (guint8)height,
                         .blank = blank};
}

static Key key_of(const ClearColumn *column, const ClearEntry *short_bar)
{
    /* A full column has no background. The short one's number may be cut: whole columns do not live as long
     * as it takes to come round. */
    guint32 background = column->count == column->height ? 0 : column->background;
    Key key = {.words = {(guint32)short_bar->number, background,
                         (guint32)column->on | (guint32)column->height << 8}};
    key.hash = clear_hash(key.words, KEY_WORDS);
    return key;
}

static gboolean met_before(ClearBars *bars, guint32 hash)
{
    guint16 *slot = &bars->seen[hash % G_N_ELEMENTS(bars->seen)], tag = (guint16)(hash >> 16 | 1);
    gboolean met = *slot == tag;
    *slot = tag;
    return met;
}

void clear_bars_weigh(ClearBars *bars, const ClearColumn *column, ClearSpare spare, ClearCost *cost)
{
    gboolean met = met_before(bars, column->hash);
    /* One more: the end of the ring that is left empty. */
    ClearSpare pixels = {spare.entries, spare.words + CLEAR_BAR_HEIGHT_MAX};
    const ClearEntry *short_bar =
        clear_store_find(&bars->short_bars, column->pixels, column->count, 0, column->hash, pixels);
    gsize bytes = 2 + 3 * (gsize)column->count, burden = bytes;

    if (short_bar) {
        Key key = key_of(column, short_bar);
        ClearSpare keys = {spare.entries, spare.entries * KEY_WORDS};
        bytes = clear_store_find(&bars->bars, key.words, KEY_WORDS, 0, key.hash, keys) ? 2 : 3;
        burden = bytes;
    } else if (met) {
        burden = 2 + column->count; /* what came twice will come again */
    }
    cost->bytes += bytes;
    cost->burden += burden;
}

static guint8 *put_header(guint8 *out, guint header)
{
    *out++ = (guint8)header;
    *out++ = (guint8)(header >> 8);
    return out;
}

guint8 *clear_bars_put(ClearBars *bars, const ClearColumn *column, guint8 *out)
{
    static const ClearSpare none = {0, 0};
    const ClearEntry *short_bar =
        clear_store_find(&bars->short_bars, column->pixels, column->count, 0, column->hash, none);

    if (short_bar) {
        Key key = key_of(column, short_bar);
        const ClearEntry *bar = clear_store_find(&bars->bars, key.words, KEY_WORDS, 0, key.hash, none);
        if (bar)
            return put_header(out, 0x8000 | clear_store_index(&bars->bars, bar));
        out = put_header(out, 0x4000 | clear_store_index(&bars->short_bars, short_bar));
        *out++ = column->on;
    } else {
        out = put_header(out, (guint)(column->on | (column->on + column->count) << 8));
        for (guint i = 0; i < column->count; i++) {
            *out++ = (guint8)column->pixels[i];
            *out++ = (guint8)(column->pixels[i] >> 8);
            *out++ = (guint8)(column->pixels[i] >> 16);
        }
        short_bar = clear_store_add(&bars->short_bars, column->pixels, column->count, 0, column->hash);
    }
    Key key = key_of(column, short_bar);
    clear_store_add(&bars->bars, key.words, KEY_WORDS, 0, key.hash);
    return out;
}
