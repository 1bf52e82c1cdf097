/* The choice of the film's region: hysteresis over the boxes of what changes. */
#include "encoder/region.h"

#include "encoder/rect.h"

#define REST_US 300000
#define FROZEN_US G_USEC_PER_SEC
#define ROOMY_US (2 * G_USEC_PER_SEC)
#define SUDDEN_SHARE 6   /* a sixth of the screen at once */
#define OUTSIDE_TILES 16 /* of a film outside its region: some 100 KB a frame without loss */
#define WIDTH_MIN 160    /* px; hardware encoders take no less */
#define HEIGHT_MIN 64
#define WHOLE_PERCENT 70 /* of the screen: then all of it */

typedef struct {
    SeatRect moving;  /* what is in motion, and what stirs around it; width 0: nothing */
    SeatRect sudden;  /* picture-like damage */
    guint64 area;     /* px of that damage */
    guint outside;    /* tiles of it that are not in the region */
    gboolean motion;  /* some of it is in motion */
    gboolean touches; /* some damage lies in the region */
} Look;

static void grow(SeatRect *box, const SeatRect *rect)
{
    *box = box->width ? rect_union(box, rect) : *rect;
}

static Look look(const Region *region, const Classifier *classifier, const Damage *due, gint64 now_us)
{
    guint tiles = damage_tiles(due);
    Look seen = {0};

    for (guint i = damage_next_tile(due, 0); i < tiles; i = damage_next_tile(due, i + 1)) {
        SeatRect rect = damage_tile_rect(due, i), common;
        seen.touches |= rect_common(&rect, &region->rect, &common);
        if (!classifier_is_picture(classifier, i))
            continue;
        grow(&seen.sudden, &rect);
        seen.area += rect_area(&rect);
        seen.outside += !rect_inside(&rect, &region->rect);
        seen.motion |= classifier_tile(classifier, i, now_us) == SEAT_CLASS_MOTION;
    }
    for (guint i = 0; seen.motion && i < tiles; i++) {
        if (!classifier_is_picture(classifier, i) || !classifier_stirs(classifier, i, now_us))
            continue;
        SeatRect rect = classifier_stirred(classifier, i);
        grow(&seen.moving, &rect);
    }
    return seen;
}

/* Stretches from..to (px) to even places and at least `least`, inside 0..limit. */
static void stretch(guint *from, guint *to, guint least, guint limit)
{
    *from &= ~1u;
    *to = MIN((*to + 1) & ~1u, limit);
    least = MIN(least, limit);
    if (*to - *from >= least)
        return;
    *from = MIN(*from, (limit - least) & ~1u);
    *to = MIN(*from + least, limit);
}

static SeatRect encodable(const SeatRect *box, guint width, guint height)
{
    guint left = box->x, top = box->y, right = rect_right(box), bottom = rect_bottom(box);

    stretch(&left, &right, WIDTH_MIN, width);
    stretch(&top, &bottom, HEIGHT_MIN, height);
    if ((guint64)(right - left) * (bottom - top) * 100 >= (guint64)width * height * WHOLE_PERCENT)
        return rect_of_edges(0, 0, width, height);
    return rect_of_edges(left, top, right, bottom);
}

static void choose(Region *region, const SeatRect *rect, gint64 now_us)
{
    region->rect = *rect;
    region->chosen_us = now_us;
    region->roomy_us = 0;
}

/* The region has to be another one, or may be. */
static void follow(Region *region, const SeatRect *wanted, const Look *seen, gboolean active, gint64 now_us)
{
    SeatRect both = rect_union(&region->rect, wanted);
    gboolean roomy = rect_area(wanted) * 2 < rect_area(&region->rect);

    if (!rect_same(&both, &region->rect)) {
        if (!active || now_us - region->chosen_us >= FROZEN_US)
            choose(region, wanted, now_us);
        else if (seen->outside > OUTSIDE_TILES)
            choose(region, &both, now_us);
        return;
    }
    if (!roomy)
        region->roomy_us = 0;
    else if (!active || (region->roomy_us && now_us - region->roomy_us >= ROOMY_US))
        choose(region, wanted, now_us);
    else if (!region->roomy_us)
        region->roomy_us = now_us;
}

gboolean region_is_active(const Region *region, gint64 now_us)
{
    return region->rect.width > 0 && now_us - region->busy_us <= REST_US;
}

static gboolean is_sudden(const Classifier *classifier, guint64 area)
{
    guint width, height;
    classifier_size(classifier, &width, &height);
    return area * SUDDEN_SHARE >= (guint64)width * height;
}

gboolean region_holds(const Region *region, const Classifier *classifier, const Damage *due, gint64 now_us)
{
    guint tiles = damage_tiles(due);
    gboolean touches = FALSE, motion = FALSE;
    guint64 area = 0;

    for (guint i = damage_next_tile(due, 0); i < tiles; i = damage_next_tile(due, i + 1)) {
        SeatRect rect = damage_tile_rect(due, i), common;
        if (!rect_common(&rect, &region->rect, &common))
            continue;
        touches = TRUE;
        if (!classifier_is_picture(classifier, i))
            continue;
        area += rect_area(&common);
        motion |= classifier_tile(classifier, i, now_us) == SEAT_CLASS_MOTION;
    }
    return touches && (motion || region_is_active(region, now_us) || is_sudden(classifier, area));
}

gboolean region_choose(Region *region, const Classifier *classifier, const Damage *due, gint64 now_us)
{
    guint width, height;
    Look seen = look(region, classifier, due, now_us);
    gboolean active = region_is_active(region, now_us);

    classifier_size(classifier, &width, &height);
    gboolean sudden = is_sudden(classifier, seen.area);
    if (!seen.motion && !sudden)
        return active && seen.touches;
    SeatRect box = seen.motion ? seen.moving : seen.sudden;
    if (sudden)
        grow(&box, &seen.sudden);
    SeatRect wanted = encodable(&box, width, height);
    if (region->rect.width == 0)
        choose(region, &wanted, now_us);
    else
        follow(region, &wanted, &seen, active, now_us);
    region->busy_us = now_us;
    return TRUE;
}
