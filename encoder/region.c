/* The hysteresis of a film's region. */
#include "encoder/region.h"

#include "encoder/rect.h"

#define REST_US 300000
#define FROZEN_US G_USEC_PER_SEC
#define ROOMY_US (2 * G_USEC_PER_SEC)
#define OUTSIDE_TILES 16 /* of a film outside its region: some 100 KB a frame without loss */
#define WIDTH_MIN 160    /* px; hardware encoders take no less */
#define HEIGHT_MIN 64
#define SNUG_PERCENT 90 /* of a region: less of it that moves after so long a rest is another one */
#define SNUG_US G_USEC_PER_SEC
#define WHOLE_PERCENT 70 /* of the screen: then all of it */

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

SeatRect region_encodable(const SeatRect *box, guint width, guint height)
{
    guint left = box->x, top = box->y, right = rect_right(box), bottom = rect_bottom(box);

    stretch(&left, &right, WIDTH_MIN, width);
    stretch(&top, &bottom, HEIGHT_MIN, height);
    if ((guint64)(right - left) * (bottom - top) * 100 >= (guint64)width * height * WHOLE_PERCENT)
        return rect_of_edges(0, 0, width, height);
    return rect_of_edges(left, top, right, bottom);
}

void region_choose(Region *region, const SeatRect *rect, gint64 now_us)
{
    region->rect = *rect;
    region->chosen_us = now_us;
    region->roomy_us = 0;
}

/* Half of the region has done for long. */
static gboolean is_roomy(Region *region, const SeatRect *wanted, gint64 now_us)
{
    if (rect_area(wanted) * 2 >= rect_area(&region->rect))
        region->roomy_us = 0;
    else if (!region->roomy_us)
        region->roomy_us = now_us;
    return region->roomy_us && now_us - region->roomy_us >= ROOMY_US;
}

void region_follow(Region *region, const SeatRect *wanted, guint outside, gint64 now_us)
{
    gboolean active = region_is_active(region, now_us);

    if (region->rect.width > 0 && rect_inside(wanted, &region->rect)) {
        if (is_roomy(region, wanted, now_us) ||
            (now_us - region->busy_us >= SNUG_US &&
             rect_area(wanted) * 100 < rect_area(&region->rect) * SNUG_PERCENT))
            region_choose(region, wanted, now_us);
    } else if (!active || now_us - region->chosen_us >= FROZEN_US) {
        region_choose(region, wanted, now_us);
    } else if (outside > OUTSIDE_TILES) {
        SeatRect both = rect_union(&region->rect, wanted);
        region_choose(region, &both, now_us);
    }
}

gboolean region_is_active(const Region *region, gint64 now_us)
{
    return region->rect.width > 0 && now_us - region->busy_us <= REST_US;
}
