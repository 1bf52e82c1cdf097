/* Damage as a map of tiles, each with the rectangle inside it that changed: bounded however much comes in. */
#pragma once

#include "base/proto/seat_link.h"

typedef struct Damage Damage;

/* For a picture of width x height px (1 .. SEAT_WIDTH_MAX). Starts empty. Free with damage_free(). No
 * locking: one thread at a time. */
Damage *damage_new(guint width, guint height);
void damage_free(Damage *damage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Damage, damage_free)

/* Adds a rectangle in px; what lies outside the picture is cut off. */
void damage_add(Damage *damage, gint x, gint y, gint width, gint height);
void damage_add_all(Damage *damage);
/* Adds another map of the same size. */
void damage_add_map(Damage *damage, const Damage *other);
void damage_clear(Damage *damage);
/* Moves what of it touches none of `count` rectangles, tile by tile, to another map of the same size. */
void damage_take_outside(Damage *damage, const SeatRect *rects, guint count, Damage *outside);

gboolean damage_is_empty(const Damage *damage);
/* Pixels inside the tiles' rectangles. */
guint64 damage_area(const Damage *damage);

/* Tiles are numbered row by row. */
guint damage_tiles(const Damage *damage);
/* The first damaged tile whose number is at least `from`, else damage_tiles(). */
guint damage_next_tile(const Damage *damage, guint from);
/* The damaged rectangle of a tile, px of the picture; width 0: it is clean. */
SeatRect damage_tile_rect(const Damage *damage, guint tile);

/* Writes the map as non-overlapping rectangles, neighbours merged, at most SEAT_RECTS_MAX: more are made
 * coarser, never dropped. Returns how many. */
guint damage_rects(const Damage *damage, SeatRect rects[SEAT_RECTS_MAX]);
