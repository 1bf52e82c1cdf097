/* An encoder for the main view, one for the auxiliary view from when it is first needed, both at work at the
 * same time, and the splice that makes one stream of theirs. */
#include "encoder/h264_pair.h"

#include "base/log.h"
#include "encoder/auxiliary.h"
#include "encoder/splice.h"

#include <string.h>

#define TILE AUXILIARY_TILE
#define NEUTRAL 128

struct H264Pair {
    EncoderCandidate candidate; /* with the settings for a pair */
    char *settings;
    const H264PairEvents *events;
    gpointer data;
    H264Encoder *main, *auxiliary;
    Splice *splice; /* NULL: this pair was made without an auxiliary view, or cannot have one */
    guint width, height;
    guint patience_ms, kbit_s;
    gboolean chroma, chroma_possible;
    guint8 *tiles; /* which tiles need the auxiliary view */
    gsize tiles_stride, tiles_length;
    gboolean all_due;                       /* no tile has been looked at */
    gboolean neutral_due;                   /* the auxiliary view's planes have nothing in them */
    gboolean auxiliary_key_due;             /* its next picture must be a key frame */
    gboolean waits_auxiliary;               /* a picture of it is being encoded along */
    GByteArray *main_unit, *auxiliary_unit; /* as they came, until both have */
    gboolean main_key;
};

gsize h264_tiles_stride(guint width)
{
    return (width + 8 * TILE - 1) / (8 * TILE);
}

/* ---- units ---- */

/* The auxiliary view is given up; what was encoded is shown without it. */
static void drop_auxiliary(H264Pair *pair, const char *reason)
{
    log_warning("encoder %s: no AVC444: %s", pair->candidate.element, reason);
    g_clear_pointer(&pair->auxiliary, h264_encoder_free);
    g_clear_pointer(&pair->auxiliary_unit, g_byte_array_unref);
    pair->waits_auxiliary = FALSE;
    pair->chroma_possible = FALSE;
}

static gboolean splice_views(H264Pair *pair, GByteArray **main, GByteArray **auxiliary)
{
    if (splice_main(pair->splice, pair->main_unit->data, pair->main_unit->len, main) != SPLICE_DONE)
        return FALSE;
    if (pair->main_key)
        pair->auxiliary_key_due = TRUE;
    if (!pair->auxiliary_unit)
        return TRUE;
    switch (
        splice_auxiliary(pair->splice, pair->auxiliary_unit->data, pair->auxiliary_unit->len, auxiliary)) {
    case SPLICE_DONE:
        pair->auxiliary_key_due = FALSE;
        break;
    case SPLICE_NOT_YET:
        pair->auxiliary_key_due = TRUE;
        break;
    case SPLICE_UNABLE:
        drop_auxiliary(pair, "its pictures cannot be spliced");
        break;
    }
    return TRUE;
}

static void hand_out(H264Pair *pair)
{
    g_autoptr(GByteArray) unit = NULL, main = NULL, auxiliary = NULL;

    if (pair->splice && !splice_views(pair, &main, &auxiliary)) {
        if (!pair->main_key) {
            pair->events->failed("its pictures cannot be spliced", pair->data);
            return;
        }
        /* Nothing has been spliced since this key frame: so it goes as it is, and all that follow. */
        drop_auxiliary(pair, "its pictures cannot be spliced");
        g_clear_pointer(&pair->splice, splice_free);
    }
    unit = g_steal_pointer(&pair->main_unit);
    g_clear_pointer(&pair->auxiliary_unit, g_byte_array_unref);
    const GByteArray *shown = main ? main : unit;
    H264Units units = {.main = shown->data, .main_length = shown->len, .keyframe = pair->main_key};
    if (auxiliary) {
        units.auxiliary = auxiliary->data;
        units.auxiliary_length = auxiliary->len;
        units.tiles = pair->tiles;
        units.tiles_length = pair->tiles_length;
    }
    pair->events->units(&units, pair->data);
}

static void main_unit(const guint8 *unit, gsize length, gboolean keyframe, gpointer data)
{
    H264Pair *pair = data;

    pair->main_key = keyframe;
    if (!pair->splice) {
        H264Units units = {.main = unit, .main_length = length, .keyframe = keyframe};
        pair->events->units(&units, pair->data);
        return;
    }
    pair->main_unit = g_byte_array_sized_new((guint)length);
    g_byte_array_append(pair->main_unit, unit, (guint)length);
    if (!pair->waits_auxiliary)
        hand_out(pair);
}

static void main_failed(const char *reason, gpointer data)
{
    H264Pair *pair = data;
    pair->events->failed(reason, pair->data);
}

static void auxiliary_unit(const guint8 *unit, gsize length, gboolean keyframe, gpointer data)
{
    H264Pair *pair = data;

    pair->waits_auxiliary = FALSE;
    pair->auxiliary_unit = g_byte_array_sized_new((guint)length);
    g_byte_array_append(pair->auxiliary_unit, unit, (guint)length);
    if (pair->main_unit)
        hand_out(pair);
}

static void auxiliary_failed(const char *reason, gpointer data)
{
    H264Pair *pair = data;
    drop_auxiliary(pair, reason);
    if (pair->main_unit)
        hand_out(pair);
}

/* ---- making it ---- */

static void share_bitrate(H264Pair *pair)
{
    guint quarter = pair->auxiliary ? pair->kbit_s / 4 : 0;
    h264_encoder_set_bitrate(pair->main, pair->kbit_s - quarter);
    if (pair->auxiliary)
        h264_encoder_set_bitrate(pair->auxiliary, quarter);
}

H264Pair *h264_pair_new(const EncoderCandidate *candidate, guint width, guint height, gboolean chroma,
                        const H264PairEvents *events, gpointer data, GError **error)
{
    static const H264Events main_events = {.unit = main_unit, .failed = main_failed};
    H264Pair *pair = g_new0(H264Pair, 1);

    pair->candidate = *candidate;
    pair->events = events;
    pair->data = data;
    pair->width = width;
    pair->height = height;
    pair->chroma = chroma;
    pair->chroma_possible = chroma && candidate->pair;
    pair->tiles_stride = h264_tiles_stride(width);
    pair->tiles_length = pair->tiles_stride * ((height + TILE - 1) / TILE);
    pair->all_due = TRUE;
    if (pair->chroma_possible) {
        pair->settings = g_strdup_printf("%s %s", candidate->settings, candidate->pair);
        pair->candidate.settings = pair->settings;
        pair->splice = splice_new();
        pair->tiles = g_malloc0(pair->tiles_length);
    }
    pair->main = h264_encoder_new(&pair->candidate, width, height, &main_events, pair, error);
    if (!pair->main)
        g_clear_pointer(&pair, h264_pair_free);
    return pair;
}

void h264_pair_free(H264Pair *pair)
{
    if (!pair)
        return;
    h264_encoder_free(pair->main);
    h264_encoder_free(pair->auxiliary);
    splice_free(pair->splice);
    g_clear_pointer(&pair->main_unit, g_byte_array_unref);
    g_clear_pointer(&pair->auxiliary_unit, g_byte_array_unref);
    g_free(pair->tiles);
    g_free(pair->settings);
    g_free(pair);
}

void h264_pair_set_patience(H264Pair *pair, guint ms)
{
    pair->patience_ms = ms;
    h264_encoder_set_patience(pair->main, ms);
    if (pair->auxiliary)
        h264_encoder_set_patience(pair->auxiliary, ms);
}

void h264_pair_set_bitrate(H264Pair *pair, guint kbit_s)
{
    pair->kbit_s = kbit_s;
    share_bitrate(pair);
}

gboolean h264_pair_set_chroma(H264Pair *pair, gboolean chroma)
{
    if (chroma && !pair->splice && pair->candidate.pair && !pair->settings)
        return FALSE;
    pair->all_due |= chroma && !pair->chroma;
    pair->chroma = chroma;
    return TRUE;
}

/* Needs a while and memory for as many pictures as the main view's. */
static gboolean make_auxiliary(H264Pair *pair)
{
    static const H264Events events = {.unit = auxiliary_unit, .failed = auxiliary_failed};
    g_autoptr(GError) error = NULL;

    pair->auxiliary = h264_encoder_new(&pair->candidate, pair->width, pair->height, &events, pair, &error);
    if (!pair->auxiliary) {
        drop_auxiliary(pair, error->message);
        return FALSE;
    }
    h264_encoder_set_patience(pair->auxiliary, pair->patience_ms);
    pair->neutral_due = pair->all_due = TRUE;
    share_bitrate(pair);
    return TRUE;
}

/* ---- pictures ---- */

/* What an auxiliary view is drawn from. */
typedef struct {
    H264Pair *pair;
    const void *pixels;
    gsize stride;
    const SeatRect *rects;
    guint count;
    gboolean needed; /* something changed where the view is needed */
} Drawing;

static void draw_tile(Drawing *drawing, const YuvPicture *view, guint column, guint row)
{
    H264Pair *pair = drawing->pair;
    guint8 *byte = &pair->tiles[row * pair->tiles_stride + column / 8], bit = (guint8)(1u << column % 8);

    if (auxiliary_tile(view, column * TILE, row * TILE, drawing->pixels, drawing->stride, pair->width,
                       pair->height)) {
        *byte |= bit;
        drawing->needed = TRUE;
    } else {
        *byte &= (guint8)~bit;
    }
}

static void draw_rect(Drawing *drawing, const YuvPicture *view, const SeatRect *rect)
{
    guint right = ((guint)rect->x + rect->width + TILE - 1) / TILE;
    guint bottom = ((guint)rect->y + rect->height + TILE - 1) / TILE;

    for (guint row = rect->y / TILE; row < bottom; row++)
        for (guint column = rect->x / TILE; column < right; column++)
            draw_tile(drawing, view, column, row);
}

static void draw_neutral(const YuvPicture *view)
{
    gsize chroma = (gsize)view->chroma_stride * view->height / 2;
    memset(view->y, NEUTRAL, view->y_stride * view->height);
    memset(view->u, NEUTRAL, chroma - (view->chroma_step - 1));
    memset(view->v, NEUTRAL, chroma - (view->chroma_step - 1));
}

/* `view` NULL: only looks which tiles need it. */
static void draw_auxiliary(const YuvPicture *view, gpointer data)
{
    Drawing *drawing = data;
    H264Pair *pair = drawing->pair;
    const SeatRect whole = {.width = pair->width, .height = pair->height};

    if (view && pair->neutral_due) {
        draw_neutral(view);
        pair->neutral_due = FALSE;
    }
    if (pair->all_due)
        draw_rect(drawing, view, &whole);
    for (guint i = 0; i < drawing->count && !pair->all_due; i++)
        draw_rect(drawing, view, &drawing->rects[i]);
    pair->all_due = FALSE;
}

static gboolean any_tile(const H264Pair *pair)
{
    for (gsize i = 0; i < pair->tiles_length; i++)
        if (pair->tiles[i])
            return TRUE;
    return FALSE;
}

/* TRUE: the auxiliary view is needed and stands drawn in its encoder. */
static gboolean draws_auxiliary(H264Pair *pair, Drawing *drawing, gboolean keyframe)
{
    if (!pair->chroma || !pair->chroma_possible)
        return FALSE;
    if (!pair->auxiliary) {
        draw_auxiliary(NULL, drawing);
        if (!drawing->needed || !make_auxiliary(pair))
            return FALSE;
    }
    h264_encoder_draw(pair->auxiliary, draw_auxiliary, drawing);
    return drawing->needed || (keyframe && any_tile(pair));
}

void h264_pair_encode(H264Pair *pair, const void *pixels, gsize stride, const SeatRect *rects, guint count,
                      gboolean keyframe)
{
    Drawing drawing = {.pair = pair, .pixels = pixels, .stride = stride, .rects = rects, .count = count};

    pair->waits_auxiliary = draws_auxiliary(pair, &drawing, keyframe);
    h264_encode(pair->main, pixels, stride, rects, count, keyframe);
    if (pair->waits_auxiliary)
        h264_encode_drawn(pair->auxiliary, keyframe || pair->auxiliary_key_due);
}

gboolean h264_pair_busy(const H264Pair *pair)
{
    return h264_encoder_busy(pair->main) || pair->waits_auxiliary || pair->main_unit;
}
