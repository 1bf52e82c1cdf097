/* The encoder: each piece of a picture in the layer that tells it in the fewest bytes, and small pictures by
 * the number under which the decoder has them. */
#include "encoder/clear.h"

#include "encoder/clear_bars.h"
#include "encoder/clear_rlex.h"

#include <string.h>

#define FLAG_GLYPH_INDEX 0x01
#define FLAG_GLYPH_HIT 0x02
#define FLAG_CACHE_RESET 0x04
#define SUBCODEC_RAW 0
#define SUBCODEC_RLEX 2

#define HEADER_SIZE 14 /* flags, sequence number, the lengths of three layers */
#define BAND_HEADER 11
#define SUBCODEC_HEADER 13
#define RUN_SIZE 4 /* bytes of a residual run */
#define RUN_MAX 6  /* bytes of a residual run of less than 2^16 px */

#define GLYPHS 4000
#define GLYPH_AREA_MAX 1024      /* px */
#define GLYPH_WORDS (256 * 1024) /* px of glyphs that are remembered */

#define BAND_ROWS_MIN 5 /* lower pieces are not text */
#define BAND_GAP_MIN 6  /* blank columns that cost more than another band */
#define AREA_MAX (CLEAR_WIDTH_MAX * CLEAR_HEIGHT_MAX)
/* Pieces of BAND_ROWS_MIN rows stand between flat rows. Those that are too high for one band have two. */
#define COLUMNS_MAX ((CLEAR_HEIGHT_MAX + 1) / (BAND_ROWS_MIN + 1) * CLEAR_WIDTH_MAX)

typedef struct {
    gboolean ready, whole_raw;
    gboolean glyph; /* small enough to be one */
    const ClearEntry *hit;
    guint32 glyph_hash;
    gsize residual, coded, words; /* used of the buffers */
    guint n_columns;
} Plan;

struct Clear {
    guint8 sequence;
    gboolean fresh;
    ClearBars bars;
    ClearStore glyphs;
    ClearPicture picture;
    ClearPieces pieces;
    Plan plan;
    ClearColumn columns[COLUMNS_MAX];
    guint32 column_pixels[AREA_MAX];
    ClearRun runs[AREA_MAX];
    guint8 coded[3 * AREA_MAX];
    guint8 residual[3 * AREA_MAX + RUN_MAX];
};

G_STATIC_ASSERT(AREA_MAX <= 1 << 15);

Clear *clear_new(void)
{
    Clear *clear = g_new0(Clear, 1);
    clear_bars_init(&clear->bars);
    clear_store_init(&clear->glyphs, GLYPHS, GLYPH_WORDS);
    clear->fresh = TRUE;
    return clear;
}

void clear_free(Clear *clear)
{
    if (!clear)
        return;
    clear_bars_clear(&clear->bars);
    clear_store_clear(&clear->glyphs);
    g_free(clear);
}

void clear_reset(Clear *clear)
{
    clear_bars_forget(&clear->bars);
    clear_store_forget(&clear->glyphs);
    clear->sequence = 0;
    clear->fresh = TRUE;
    clear->plan.ready = FALSE;
}

/* ---- pieces ---- */

static const guint32 *piece_pixels(const Clear *clear, const ClearPiece *piece)
{
    return clear->picture.pixels + (gsize)piece->y * clear->picture.width + piece->x;
}

/* Where the residual layer alone tells the piece: each change of colour takes a run. */
static gsize runs_size(const Clear *clear, const ClearPiece *piece)
{
    const guint32 *row = piece_pixels(clear, piece);
    gsize changes = 0;

    for (guint y = 0; y < piece->height; y++, row += clear->picture.width) {
        guint here = (row[0] != piece->background) + (row[piece->width - 1] != piece->background);
        for (guint x = 1; x < piece->width; x++)
            here += row[x] != row[x - 1];
        changes += here;
    }
    return changes * RUN_SIZE;
}

/* Turns the piece's rows from the `top`th into columns. */
static void read_columns(Clear *clear, const ClearPiece *piece, guint top, guint height)
{
    Plan *plan = &clear->plan;
    const guint32 *rows = piece_pixels(clear, piece) + (gsize)top * clear->picture.width;
    guint32 *column = clear->column_pixels + plan->words;

    for (guint x = 0; x < piece->width; x++, column += height) {
        for (guint y = 0; y < height; y++)
            column[y] = rows[(gsize)y * clear->picture.width + x];
        clear->columns[plan->n_columns++] = clear_column(column, height, piece->background);
    }
    plan->words += (gsize)piece->width * height;
}

/* The next band among `n` columns: from *from on, which is moved to its begin. Returns its width, 0: none. */
static guint next_band(const ClearColumn *columns, guint n, guint *from)
{
    while (*from < n && columns[*from].blank)
        (*from)++;
    guint end = *from;
    for (guint i = *from; i < n && i - end < BAND_GAP_MIN; i++)
        if (!columns[i].blank)
            end = i + 1;
    return end - *from;
}

static guint band_parts(const ClearPiece *piece)
{
    return piece->height > CLEAR_BAR_HEIGHT_MAX ? 2 : 1;
}

/* The rows of the part's bands. */
static guint part_height(const ClearPiece *piece, guint part)
{
    return band_parts(piece) == 1 ? piece->height : part ? piece->height / 2 : (piece->height + 1) / 2;
}

static ClearCost weigh_bands(Clear *clear, ClearPiece *piece)
{
    static const ClearSpare spare = {COLUMNS_MAX, AREA_MAX};
    ClearCost cost = {0, 0};
    guint top = 0;

    piece->column = clear->plan.n_columns;
    for (guint part = 0; part < band_parts(piece); top += part_height(piece, part++)) {
        const ClearColumn *columns = clear->columns + clear->plan.n_columns;
        read_columns(clear, piece, top, part_height(piece, part));
        for (guint from = 0, width; (width = next_band(columns, piece->width, &from)); from += width) {
            for (guint i = 0; i < width; i++)
                clear_bars_weigh(&clear->bars, &columns[from + i], spare, &cost);
            cost.bytes += BAND_HEADER;
            cost.burden += BAND_HEADER;
        }
    }
    return cost;
}

/* Chooses between the layers that tell the piece, of which runs are `best` so far. Returns its bytes, 0 when
 * the piece has too many colours for a palette and was cut in two. */
static gsize choose_coding(Clear *clear, guint index, gsize best)
{
    ClearPiece *piece = &clear->pieces.pieces[index];
    gsize area = (gsize)piece->width * piece->height, raw = SUBCODEC_HEADER + 3 * area;
    gsize changes = best / RUN_SIZE, size = best;

    piece->coding = CLEAR_RUNS;
    piece->at = clear->plan.coded;
    if (piece->height >= BAND_ROWS_MIN && changes < area * 7 / 8) {
        ClearCost cost = weigh_bands(clear, piece);
        if (cost.burden < best) {
            piece->coding = CLEAR_BANDS;
            best = cost.burden;
            size = cost.bytes;
        }
    }
    /* A palette's runs take a byte at least for each change of colour. */
    if (size > SUBCODEC_HEADER + changes) {
        gsize limit = MIN(best - MIN(best, SUBCODEC_HEADER), 3 * area);
        gboolean fits =
            clear_rlex_encode(piece_pixels(clear, piece), clear->picture.width, piece->width, piece->height,
                              clear->runs, clear->coded + piece->at, limit, &piece->length);
        if (!fits && size > raw / 2 && clear_pieces_halve(&clear->pieces, index))
            return 0;
        if (piece->length) {
            piece->coding = CLEAR_RLEX;
            size = SUBCODEC_HEADER + piece->length;
        }
    }
    if (raw < size) {
        piece->coding = CLEAR_RAW;
        size = raw;
    }
    return size;
}

/* Returns the bytes that the piece takes besides those in the residual layer. */
static gsize plan_piece(Clear *clear, guint index)
{
    Plan before = clear->plan;
    gsize size;

    while ((size = choose_coding(clear, index, runs_size(clear, &clear->pieces.pieces[index]))) == 0)
        clear->plan = before;
    const ClearPiece *piece = &clear->pieces.pieces[index];
    if (piece->coding != CLEAR_BANDS)
        clear->plan = before;
    if (piece->coding == CLEAR_RLEX)
        clear->plan.coded += piece->length;
    return piece->coding == CLEAR_RUNS ? 0 : size;
}

/* ---- the residual layer ---- */

typedef struct {
    guint8 *at;
    const guint8 *limit;
    guint32 colour;
    guint length; /* px of the run that is not written yet */
    gboolean any; /* those before are covered by other layers: any colour does */
} Residual;

static void end_run(Residual *r)
{
    if (r->at > r->limit)
        return;
    *r->at++ = (guint8)r->colour;
    *r->at++ = (guint8)(r->colour >> 8);
    *r->at++ = (guint8)(r->colour >> 16);
    if (r->length < 0xff) {
        *r->at++ = (guint8)r->length;
    } else {
        *r->at++ = 0xff;
        *r->at++ = (guint8)r->length;
        *r->at++ = (guint8)(r->length >> 8);
    }
}

static inline void add_run(Residual *r, guint32 colour, guint length)
{
    if (length == 0)
        return;
    if (r->any || colour == r->colour) {
        r->colour = colour;
        r->length += length;
        r->any = FALSE;
        return;
    }
    end_run(r);
    r->colour = colour;
    r->length = length;
}

/* What lies below the piece in one row. */
static void add_piece_row(const Clear *clear, const ClearPiece *piece, guint y, Residual *r)
{
    const guint32 *row = clear->picture.pixels + (gsize)y * clear->picture.width + piece->x;

    switch (piece->coding) {
    case CLEAR_RUNS:
        for (guint x = 0; x < piece->width; x++)
            add_run(r, row[x], 1);
        break;
    case CLEAR_BANDS: /* blank columns between bands are not told */
        add_run(r, piece->background, piece->width);
        break;
    case CLEAR_RLEX:
    case CLEAR_RAW:
        r->length += piece->width;
        break;
    }
}

/* Makes the layer. Returns FALSE where it would be longer than the pixels. */
static gboolean plan_residual(Clear *clear)
{
    guint width = clear->picture.width, area = width * clear->picture.height, first = 0;
    Residual r = {.at = clear->residual, .limit = clear->residual + 3 * (gsize)area, .any = TRUE};

    for (guint y = 0; y < clear->picture.height; y++) {
        guint32 background = clear->pieces.background[y];
        guint x = 0;
        while (first < clear->pieces.n &&
               clear->pieces.pieces[first].y + clear->pieces.pieces[first].height <= y)
            first++;
        for (guint i = first; i < clear->pieces.n && clear->pieces.pieces[i].y <= y; i++) {
            const ClearPiece *piece = &clear->pieces.pieces[i];
            add_run(&r, background, piece->x - x);
            add_piece_row(clear, piece, y, &r);
            x = piece->x + piece->width;
        }
        add_run(&r, background, width - x);
    }
    if (!r.any)
        end_run(&r);
    clear->plan.residual = (gsize)(r.at - clear->residual);
    return r.at <= r.limit;
}

/* ---- the whole ---- */

static void take_picture(ClearPicture *picture, const guint8 *pixels, gsize stride, guint width, guint height)
{
    guint32 *to = picture->pixels;

    picture->width = width;
    picture->height = height;
    for (guint y = 0; y < height; y++, pixels += stride, to += width) {
        memcpy(to, pixels, width * sizeof *to);
        for (guint x = 0; x < width; x++)
            to[x] &= 0xffffff;
    }
}

static void find_glyph(Clear *clear)
{
    static const ClearSpare none = {0, 0};
    guint area = clear->picture.width * clear->picture.height;

    clear->plan.glyph = area <= GLYPH_AREA_MAX;
    if (!clear->plan.glyph)
        return;
    clear->plan.glyph_hash = clear_hash(clear->picture.pixels, area);
    clear->plan.hit = clear_store_find(&clear->glyphs, clear->picture.pixels, area, clear->picture.width,
                                       clear->plan.glyph_hash, none);
}

/* Where nearly every pixel has another colour than the one before, no layer is shorter than the pixels. */
static gboolean is_noisy(const ClearPicture *picture)
{
    gsize area = (gsize)picture->width * picture->height, changes = 0;

    if (area <= GLYPH_AREA_MAX)
        return FALSE;
    for (gsize i = 1; i < area; i++)
        changes += picture->pixels[i] != picture->pixels[i - 1];
    return changes > area - area / 8;
}

gsize clear_measure(Clear *clear, const guint8 *pixels, gsize stride, guint width, guint height)
{
    g_assert(width > 0 && width <= CLEAR_WIDTH_MAX && height > 0 && height <= CLEAR_HEIGHT_MAX);
    take_picture(&clear->picture, pixels, stride, width, height);
    clear->plan = (Plan){.ready = TRUE};
    find_glyph(clear);
    if (clear->plan.hit)
        return 4;
    gsize raw = SUBCODEC_HEADER + 3 * (gsize)width * height, size = 0;
    if (is_noisy(&clear->picture)) {
        clear->plan.whole_raw = TRUE;
        return HEADER_SIZE + raw;
    }
    clear_pieces_cut(&clear->picture, &clear->pieces);
    for (guint i = 0; i < clear->pieces.n; i++)
        size += plan_piece(clear, i);
    clear->plan.whole_raw = !plan_residual(clear) || clear->plan.residual + size >= raw;
    return HEADER_SIZE + (clear->plan.glyph ? 2 : 0) +
           (clear->plan.whole_raw ? raw : clear->plan.residual + size);
}

static guint8 *put_16(guint8 *out, guint value)
{
    out[0] = (guint8)value;
    out[1] = (guint8)(value >> 8);
    return out + 2;
}

static guint8 *put_32(guint8 *out, gsize value)
{
    return put_16(put_16(out, (guint)value & 0xffff), (guint)(value >> 16));
}

static guint8 *put_pixel(guint8 *out, guint32 pixel)
{
    out[0] = (guint8)pixel;
    out[1] = (guint8)(pixel >> 8);
    out[2] = (guint8)(pixel >> 16);
    return out + 3;
}

static guint8 *put_bands(Clear *clear, const ClearPiece *piece, guint8 *out)
{
    const ClearColumn *columns = clear->columns + piece->column;
    guint top = piece->y;

    for (guint part = 0; part < band_parts(piece); part++, columns += piece->width) {
        guint height = part_height(piece, part);
        for (guint from = 0, width; (width = next_band(columns, piece->width, &from)); from += width) {
            out = put_16(out, piece->x + from);
            out = put_16(out, piece->x + from + width - 1);
            out = put_16(out, top);
            out = put_16(out, top + height - 1);
            out = put_pixel(out, piece->background);
            for (guint i = 0; i < width; i++)
                out = clear_bars_put(&clear->bars, &columns[from + i], out);
        }
        top += height;
    }
    return out;
}

static guint8 *put_subcodec(const Clear *clear, const ClearPiece *piece, guint8 *out)
{
    gboolean raw = piece->coding == CLEAR_RAW;

    out = put_16(out, piece->x);
    out = put_16(out, piece->y);
    out = put_16(out, piece->width);
    out = put_16(out, piece->height);
    out = put_32(out, raw ? 3 * (gsize)piece->width * piece->height : piece->length);
    *out++ = raw ? SUBCODEC_RAW : SUBCODEC_RLEX;
    if (!raw)
        return (guint8 *)memcpy(out, clear->coded + piece->at, piece->length) + piece->length;
    const guint32 *row = piece_pixels(clear, piece);
    for (guint y = 0; y < piece->height; y++, row += clear->picture.width)
        for (guint x = 0; x < piece->width; x++)
            out = put_pixel(out, row[x]);
    return out;
}

static guint8 *put_layers(Clear *clear, guint8 *out)
{
    guint8 *lengths = out, *begin;
    ClearPiece whole = {.width = clear->picture.width, .height = clear->picture.height, .coding = CLEAR_RAW};
    const ClearPiece *pieces = clear->plan.whole_raw ? &whole : clear->pieces.pieces;
    guint n = clear->plan.whole_raw ? 1 : clear->pieces.n;
    gsize residual = clear->plan.whole_raw ? 0 : clear->plan.residual;

    put_32(lengths, residual);
    begin = out += 12;
    memcpy(out, clear->residual, residual);
    begin = out += residual;
    for (guint i = 0; i < n; i++)
        if (pieces[i].coding == CLEAR_BANDS)
            out = put_bands(clear, &pieces[i], out);
    put_32(lengths + 4, (gsize)(out - begin));
    begin = out;
    for (guint i = 0; i < n; i++)
        if (pieces[i].coding == CLEAR_RLEX || pieces[i].coding == CLEAR_RAW)
            out = put_subcodec(clear, &pieces[i], out);
    put_32(lengths + 8, (gsize)(out - begin));
    return out;
}

gsize clear_write(Clear *clear, guint8 *out)
{
    const ClearPicture *picture = &clear->picture;
    const ClearEntry *glyph = clear->plan.hit;
    guint8 *begin = out;

    g_assert(clear->plan.ready);
    clear->plan.ready = FALSE;
    if (!glyph && clear->plan.glyph)
        glyph = clear_store_add(&clear->glyphs, picture->pixels, picture->width * picture->height,
                                picture->width, clear->plan.glyph_hash);
    *out++ = (guint8)((glyph ? FLAG_GLYPH_INDEX : 0) | (clear->plan.hit ? FLAG_GLYPH_HIT : 0) |
                      (clear->fresh ? FLAG_CACHE_RESET : 0));
    *out++ = clear->sequence++;
    clear->fresh = FALSE;
    if (glyph)
        out = put_16(out, clear_store_index(&clear->glyphs, glyph));
    if (!clear->plan.hit)
        out = put_layers(clear, out);
    return (gsize)(out - begin);
}
