/* Where on the screen there are films: at most two, each with a region of its own, so that two small ones far
 * apart do not cost what lies between them. */
#pragma once

#include "encoder/classify.h"
#include "encoder/region.h"

/* By film, px; width 0: there is none. No two of them have a tile in common. */
typedef struct {
    SeatRect rects[SEAT_FILMS_MAX];
} FilmRects;

typedef struct {
    Region regions[SEAT_FILMS_MAX];
    gint64 apart_us;    /* since when the one region could be two, 0: it could not */
    gint64 patience_us; /* for so long it must, or for the shortest time */
    gint64 parted_us;   /* when it became two last */
} Films;

/* In which regions, after they have followed what changes, `due` (what clients are to be sent) goes as film.
 * What of it lies outside goes without loss. It goes as film where picture-like tiles are in motion, where
 * many of them change at once, and, until it has rested for 300 ms, for all that changes inside. Small films
 * and text are cheaper without loss. limit: at most so many regions, 1 .. SEAT_FILMS_MAX. */
FilmRects films_choose(Films *films, guint limit, const Classifier *classifier, const Damage *due,
                       gint64 now_us);

/* The same without other regions: what lies in those that there are goes as film. */
FilmRects films_hold(const Films *films, const Classifier *classifier, const Damage *due, gint64 now_us);

/* The regions that have not rested for longer than that; those that have not for some seconds. */
FilmRects films_active(const Films *films, gint64 now_us);
FilmRects films_lately(const Films *films, gint64 now_us);

/* For so long these regions were encoded, and nobody looked whether they went on: that was no rest. */
void films_went_on(Films *films, const FilmRects *encoded, gint64 us);

gboolean film_rects_any(const FilmRects *films);
/* Whether the rectangle has anything in common with one of them. */
gboolean film_rects_touch(const FilmRects *films, const SeatRect *rect);
/* Pixels in all of them. */
guint64 film_rects_area(const FilmRects *films);

/* The parts of `rect` that lie in no film, disjoint; returns how many. */
#define FILM_PARTS_MAX 16
guint film_rects_outside(const FilmRects *films, const SeatRect *rect, SeatRect parts[FILM_PARTS_MAX]);
