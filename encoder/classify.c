/* Classification by how often a tile changes, and into what. */
#include "encoder/classify.h"

#include "encoder/content.h"
#include "encoder/rect.h"

/* A tile that changes at least every QUICK_US, MOTION_HEAT times in a row, is in motion until it rests for
 * REST_US. Typing and key repeat leave a 64 px tile before that; a blinking cursor is slower. */
#define QUICK_US 90000
#define REST_US 300000
#define MOTION_HEAT 8
#define STIR_HEAT 3

typedef struct {
    gint64 last_us;
    SeatRect stirred; /* px of the picture */
    guint8 heat;
    guint8 picture;
} TileHistory;

struct Classifier {
    guint width, height, tiles_x, tiles;
    TileHistory history[];
};

Classifier *classifier_new(guint width, guint height)
{
    guint tiles_x = (width + SEAT_TILE - 1) / SEAT_TILE, tiles_y = (height + SEAT_TILE - 1) / SEAT_TILE;
    Classifier *classifier = g_malloc0(sizeof *classifier + (gsize)tiles_x * tiles_y * sizeof(TileHistory));
    classifier->width = width;
    classifier->height = height;
    classifier->tiles_x = tiles_x;
    classifier->tiles = tiles_x * tiles_y;
    return classifier;
}

void classifier_free(Classifier *classifier)
{
    g_free(classifier);
}

void classifier_size(const Classifier *classifier, guint *width, guint *height)
{
    *width = classifier->width;
    *height = classifier->height;
}

static gboolean shows_picture(const Classifier *classifier, guint number, const guint8 *pixels, gsize stride)
{
    guint x = number % classifier->tiles_x * SEAT_TILE, y = number / classifier->tiles_x * SEAT_TILE;
    return content_is_picture(pixels + y * stride + (gsize)x * 4, stride,
                              MIN(SEAT_TILE, classifier->width - x), MIN(SEAT_TILE, classifier->height - y));
}

void classifier_changed(Classifier *classifier, const Damage *changed, const void *pixels, gsize stride,
                        gint64 now_us)
{
    g_return_if_fail(damage_tiles(changed) == classifier->tiles);
    for (guint i = damage_next_tile(changed, 0); i < classifier->tiles;
         i = damage_next_tile(changed, i + 1)) {
        TileHistory *tile = &classifier->history[i];
        gint64 pause = now_us - tile->last_us;
        gboolean goes_on = pause < QUICK_US || (tile->heat >= MOTION_HEAT && pause < REST_US);
        tile->heat = tile->last_us != 0 && goes_on ? (guint8)MIN(tile->heat + 1, 2 * MOTION_HEAT) : 1;
        tile->last_us = now_us;
        SeatRect rect = damage_tile_rect(changed, i);
        tile->stirred = tile->heat > 1 ? rect_union(&tile->stirred, &rect) : rect;
        tile->picture = shows_picture(classifier, i, pixels, stride);
    }
}

static gboolean has_heat(const Classifier *classifier, guint tile, gint64 now_us, guint heat)
{
    const TileHistory *history = &classifier->history[tile];
    return history->last_us != 0 && now_us - history->last_us <= REST_US && history->heat >= heat;
}

SeatClass classifier_tile(const Classifier *classifier, guint tile, gint64 now_us)
{
    if (has_heat(classifier, tile, now_us, MOTION_HEAT))
        return SEAT_CLASS_MOTION;
    if (!has_heat(classifier, tile, now_us, 1))
        return SEAT_CLASS_STILL;
    return classifier->history[tile].picture ? SEAT_CLASS_PICTURE : SEAT_CLASS_TEXT;
}

gboolean classifier_is_picture(const Classifier *classifier, guint tile)
{
    return classifier->history[tile].picture;
}

gboolean classifier_stirs(const Classifier *classifier, guint tile, gint64 now_us)
{
    return has_heat(classifier, tile, now_us, STIR_HEAT);
}

SeatRect classifier_stirred(const Classifier *classifier, guint tile)
{
    return classifier->history[tile].stirred;
}

void classifier_mark(const Classifier *classifier, SeatRect *rects, guint count, gint64 now_us)
{
    for (guint i = 0; i < count; i++) {
        SeatRect *rect = &rects[i];
        SeatClass best = SEAT_CLASS_STILL;
        for (guint ty = rect->y / SEAT_TILE; ty * SEAT_TILE < (guint)rect->y + rect->height; ty++)
            for (guint tx = rect->x / SEAT_TILE; tx * SEAT_TILE < (guint)rect->x + rect->width; tx++) {
                SeatClass class = classifier_tile(classifier, ty * classifier->tiles_x + tx, now_us);
                best = MAX(best, class);
            }
        rect->class = best;
    }
}
