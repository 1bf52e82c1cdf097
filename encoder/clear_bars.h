/* Columns of pixels (V-bars) and the decoder's two storages for them ([MS-RDPEGFX] 2.2.4.1.1.2.1.1, 3.3.1.10
 * to 3.3.1.13): whole ones, and what stands between their background (short ones). Any one thread.
 */
#pragma once

#include "encoder/clear_store.h"

#define CLEAR_BAR_HEIGHT_MAX 52 /* px */
#define CLEAR_BARS 32768
#define CLEAR_SHORT_BARS 16384
#define CLEAR_BAR_SIZE_MAX (2 + 3 * CLEAR_BAR_HEIGHT_MAX) /* bytes */

typedef struct {
    ClearStore bars, short_bars;
    guint16 seen[32768]; /* short ones met before, whether sent or not */
} ClearBars;

/* One column: `count` pixels from the `on`th are told, all others are the background. */
typedef struct {
    const guint32 *pixels;
    guint32 hash, background;
    guint8 on, count, height;
    gboolean blank;
} ClearColumn;

typedef struct {
    gsize bytes;  /* at most */
    gsize burden; /* less than that where storing the columns promises to save bytes later */
} ClearCost;

void clear_bars_init(ClearBars *bars);
void clear_bars_clear(ClearBars *bars);
void clear_bars_forget(ClearBars *bars);

/* The column of these `height` pixels, whose memory it points to. */
ClearColumn clear_column(const guint32 *pixels, guint height, guint32 background);

/* Adds what the column costs as long as no more than `spare` columns and pixels of columns are put before. */
void clear_bars_weigh(ClearBars *bars, const ClearColumn *column, ClearSpare spare, ClearCost *cost);

/* Writes the column (CLEAR_BAR_SIZE_MAX bytes at most), which changes the storages as it does the decoder's.
 * Returns the end of what was written. */
guint8 *clear_bars_put(ClearBars *bars, const ClearColumn *column, guint8 *out);
