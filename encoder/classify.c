/* Classification by how often a tile changes. */
#include "encoder/classify.h"

/* A tile that changes at least every QUICK_US, MOTION_HEAT times in a row, is in motion until it rests for
 * REST_US. Typing and key repeat leave a 64 px tile before that; a blinking cursor is slower. */
#define QUICK_US 90000
#define REST_US 300000
#define MOTION_HEAT 8
#define VIDEO_SHARE 6 /* a sixth of the picture at once */

typedef struct {
    gint64 last_us;
    guint heat;
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

void classifier_changed(Classifier *classifier, const Damage *changed, gint64 now_us)
{
    g_return_if_fail(damage_tiles(changed) == classifier->tiles);
    for (guint i = damage_next_tile(changed, 0); i < classifier->tiles;
         i = damage_next_tile(changed, i + 1)) {
        TileHistory *tile = &classifier->history[i];
        gint64 pause = now_us - tile->last_us;
        gboolean goes_on = pause < QUICK_US || (tile->heat >= MOTION_HEAT && pause < REST_US);
        tile->heat = tile->last_us != 0 && goes_on ? MIN(tile->heat + 1, 2 * MOTION_HEAT) : 1;
        tile->last_us = now_us;
    }
}

SeatClass classifier_tile(const Classifier *classifier, guint tile, gint64 now_us)
{
    const TileHistory *history = &classifier->history[tile];
    if (history->last_us == 0 || now_us - history->last_us > REST_US)
        return SEAT_CLASS_STILL;
    return history->heat >= MOTION_HEAT ? SEAT_CLASS_MOTION : SEAT_CLASS_TEXT;
}

gboolean classifier_wants_video(const Classifier *classifier, const Damage *damage, gint64 now_us)
{
    if (damage_area(damage) >= (guint64)classifier->width * classifier->height / VIDEO_SHARE)
        return TRUE;
    for (guint i = damage_next_tile(damage, 0); i < classifier->tiles; i = damage_next_tile(damage, i + 1))
        if (classifier_tile(classifier, i, now_us) == SEAT_CLASS_MOTION)
            return TRUE;
    return FALSE;
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
