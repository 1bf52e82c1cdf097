/* Which part of the screen is a film: where it begins, how long it stays where it is, when it is over. A
 * codec pays for the region and not for the screen, and its decoder begins anew with each other region. */
#pragma once

#include "encoder/classify.h"

typedef struct {
    SeatRect rect;    /* px, even places, as tight as the film; width 0: there was none yet */
    gint64 chosen_us; /* monotonic, as all here */
    gint64 busy_us;   /* when it has last had anything worth a film */
    gint64 roomy_us;  /* since when half of it would do, 0: it is needed */
} Region;

/* Whether `due` (what clients are to be sent) goes as film, in region->rect, which may have become another
 * one by this. What of it lies outside goes without loss. It does where picture-like tiles are in motion,
 * where many of them change at once, and, until it has rested for 300 ms, for all that changes inside. A
 * region stays for a second, unless much of the film is outside. Small ones and text are cheaper without
 * loss. */
gboolean region_choose(Region *region, const Classifier *classifier, const Damage *due, gint64 now_us);

/* The same without another region: what lies in it goes as film. */
gboolean region_holds(const Region *region, const Classifier *classifier, const Damage *due, gint64 now_us);

/* There is a film: it has not rested for longer than that. */
gboolean region_is_active(const Region *region, gint64 now_us);
