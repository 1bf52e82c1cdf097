/* The part of the screen that one film takes: how long it stays where it is, when it is over. A codec pays
 * for the region and not for the screen, and its decoder begins anew with each other region. Where films are
 * is chosen in films.h. */
#pragma once

#include "base/proto/seat_link.h"

typedef struct {
    SeatRect rect;    /* px, even places; width 0: there was none yet */
    gint64 chosen_us; /* monotonic, as all here */
    gint64 busy_us;   /* when it has last had anything worth a film */
    gint64 roomy_us;  /* since when half of it would do, 0: it is needed */
} Region;

/* The region for a film that takes `box`, in a picture of width x height px: not smaller than encoders take,
 * and all of the picture when that is most of it. */
SeatRect region_encodable(const SeatRect *box, guint width, guint height);

/* Takes this place, whatever it was. */
void region_choose(Region *region, const SeatRect *rect, gint64 now_us);

/* The film takes `wanted` (of region_encodable()) now; `outside` tiles of it have changed that are not in the
 * region. It becomes another one where it must, not more often than once a second unless that is much, where
 * half of it has done for some seconds, and where a film that goes on after a rest takes clearly less. */
void region_follow(Region *region, const SeatRect *wanted, guint outside, gint64 now_us);

/* There is a film: it has not rested for longer than 300 ms. */
gboolean region_is_active(const Region *region, gint64 now_us);
