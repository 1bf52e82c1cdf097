/* The choice of the films' regions: what changes is gathered into clusters, and regions follow those. */
#include "encoder/films.h"

#include "encoder/rect.h"

#define SUDDEN_SHARE 6 /* a sixth of the screen at once */
#define NEAR SEAT_TILE /* px between parts of one film that stand still */
/* Of what lies around both: so much of it at most two films take, or they are one. To begin with two has to
 * pay more than to go on with them. */
#define APART_PERCENT 60
#define STILL_APART_PERCENT 85
/* Before the region of both is given up; longer each time when they have come together again soon. */
#define APART_US (3 * G_USEC_PER_SEC)
#define APART_MAX_US (48 * G_USEC_PER_SEC)
#define PROVEN_US (60 * G_USEC_PER_SEC)
#define LATELY_US (3 * G_USEC_PER_SEC)
#define FROZEN_US G_USEC_PER_SEC

/* ---- clusters ---- */

static SeatRect tiles_of(const SeatRect *rect)
{
    guint left = rect->x / SEAT_TILE, right = (rect_right(rect) + SEAT_TILE - 1) / SEAT_TILE;
    guint top = rect->y / SEAT_TILE, bottom = (rect_bottom(rect) + SEAT_TILE - 1) / SEAT_TILE;
    return rect_of_edges(left, top, right, bottom);
}

static gboolean share_a_tile(const SeatRect *a, const SeatRect *b)
{
    SeatRect tiles_a = tiles_of(a), tiles_b = tiles_of(b), common;
    return rect_common(&tiles_a, &tiles_b, &common);
}

static gboolean meet(const SeatRect *a, const SeatRect *b)
{
    SeatRect common;
    return rect_common(a, b, &common);
}

/* Px between the two, across or down. */
static guint gap(const SeatRect *a, const SeatRect *b)
{
    guint across = MAX(a->x, b->x) - MIN(MAX(a->x, b->x), MIN(rect_right(a), rect_right(b)));
    guint down = MAX(a->y, b->y) - MIN(MAX(a->y, b->y), MIN(rect_bottom(a), rect_bottom(b)));
    return MAX(across, down);
}

static void grow(SeatRect *box, const SeatRect *rect)
{
    *box = box->width ? rect_union(box, rect) : *rect;
}

static guint64 growth(const SeatRect *box, const SeatRect *rect)
{
    SeatRect both = rect_union(box, rect);
    return rect_area(&both) - rect_area(box);
}

/* What moves together, as one box for each film; width 0: nothing. */
typedef struct {
    SeatRect boxes[SEAT_FILMS_MAX];
    const FilmRects *known; /* there are two films, to which all belongs; NULL: there are not */
    guint limit;
} Gathering;

/* Which of two boxes the rectangle belongs to: to one that is near, to a new one, or to that which it makes
 * grow less. */
static guint box_for(const SeatRect boxes[2], const SeatRect *rect)
{
    if (boxes[0].width == 0 || gap(&boxes[0], rect) <= NEAR)
        return 0;
    if (boxes[1].width == 0 || gap(&boxes[1], rect) <= NEAR)
        return 1;
    return growth(&boxes[1], rect) < growth(&boxes[0], rect);
}

static guint place_of(const Gathering *gathering, const SeatRect *rect)
{
    if (gathering->limit < 2)
        return 0;
    if (gathering->known)
        return gap(&gathering->known->rects[1], rect) < gap(&gathering->known->rects[0], rect);
    return box_for(gathering->boxes, rect);
}

static void gather(Gathering *gathering, const SeatRect *rect)
{
    grow(&gathering->boxes[place_of(gathering, rect)], rect);
}

/* What only stirs may be a part of a film, and makes none. */
static void gather_near(Gathering *gathering, const SeatRect *rect)
{
    guint at = place_of(gathering, rect);
    SeatRect *box = &gathering->boxes[at];

    if (box->width > 0 && (gathering->limit < 2 || gap(box, rect) <= NEAR))
        grow(box, rect);
}

/* Two boxes that are one film become one. */
static void settle_boxes(Gathering *gathering, guint width, guint height)
{
    SeatRect *boxes = gathering->boxes, places[2];

    if (boxes[0].width == 0 || boxes[1].width == 0)
        return;
    for (guint i = 0; i < 2; i++)
        places[i] = region_encodable(&boxes[i], width, height);
    SeatRect both = rect_union(&places[0], &places[1]);
    guint percent = gathering->known ? STILL_APART_PERCENT : APART_PERCENT;
    if (!share_a_tile(&places[0], &places[1]) &&
        (rect_area(&places[0]) + rect_area(&places[1])) * 100 <= rect_area(&both) * percent)
        return;
    grow(&boxes[0], &boxes[1]);
    boxes[1] = (SeatRect){0};
}

/* ---- what there is to see ---- */

typedef struct {
    guint64 area;    /* px of picture-like damage */
    gboolean motion; /* some of it is in motion */
    gboolean sudden; /* it is much at once */
} Look;

static gboolean is_sudden(const Classifier *classifier, guint64 area)
{
    guint width, height;
    classifier_size(classifier, &width, &height);
    return area * SUDDEN_SHARE >= (guint64)width * height;
}

/* In motion, or about to be where there has just been a film: that one goes on. */
static gboolean moves(const Films *films, const Classifier *classifier, guint tile, gint64 now_us)
{
    if (classifier_tile(classifier, tile, now_us) == SEAT_CLASS_MOTION)
        return TRUE;
    if (!classifier_stirs(classifier, tile, now_us))
        return FALSE;
    FilmRects lately = films_lately(films, now_us);
    SeatRect rect = classifier_stirred(classifier, tile);
    return film_rects_touch(&lately, &rect);
}

static Look look(const Films *films, const Classifier *classifier, const Damage *due, gint64 now_us)
{
    guint tiles = damage_tiles(due);
    Look seen = {0};

    for (guint i = damage_next_tile(due, 0); i < tiles; i = damage_next_tile(due, i + 1)) {
        if (!classifier_is_picture(classifier, i))
            continue;
        SeatRect rect = damage_tile_rect(due, i);
        seen.area += rect_area(&rect);
        seen.motion = seen.motion || moves(films, classifier, i, now_us);
    }
    seen.sudden = is_sudden(classifier, seen.area);
    return seen;
}

static void gather_sudden(Gathering *gathering, const Classifier *classifier, const Damage *due)
{
    guint tiles = damage_tiles(due);

    for (guint i = damage_next_tile(due, 0); i < tiles; i = damage_next_tile(due, i + 1)) {
        if (!classifier_is_picture(classifier, i))
            continue;
        /* What is due may be all of a screen that somebody has not seen yet. */
        SeatRect rect = damage_tile_rect(due, i), stirred = classifier_stirred(classifier, i);
        rect_common(&rect, &stirred, &rect);
        gather(gathering, &rect);
    }
}

static void gather_all(Gathering *gathering, const Films *films, const Look *seen,
                       const Classifier *classifier, const Damage *due, gint64 now_us)
{
    guint tiles = seen->motion ? damage_tiles(due) : 0;

    for (guint i = 0; i < tiles; i++) {
        SeatRect rect = classifier_stirred(classifier, i);
        if (classifier_is_picture(classifier, i) && moves(films, classifier, i, now_us))
            gather(gathering, &rect);
    }
    if (seen->sudden)
        gather_sudden(gathering, classifier, due);
    for (guint i = 0; i < tiles; i++) {
        SeatRect rect = classifier_stirred(classifier, i);
        if (classifier_is_picture(classifier, i) && classifier_stirs(classifier, i, now_us))
            gather_near(gathering, &rect);
    }
}

/* Picture-like tiles of the damage in `wanted` that are not in the region. */
static guint tiles_outside(const Region *region, const SeatRect *wanted, const Classifier *classifier,
                           const Damage *due)
{
    guint tiles = damage_tiles(due), outside = 0;

    for (guint i = damage_next_tile(due, 0); i < tiles; i = damage_next_tile(due, i + 1)) {
        SeatRect rect = damage_tile_rect(due, i);
        outside +=
            classifier_is_picture(classifier, i) && meet(&rect, wanted) && !rect_inside(&rect, &region->rect);
    }
    return outside;
}

/* ---- regions ---- */

/* The region where the only film is that there is, or for the first one. */
static guint only_region(const Films *films, const FilmRects *active, const SeatRect *wanted)
{
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        if (active->rects[i].width > 0)
            return i;
    const SeatRect *second = &films->regions[1].rect;
    return second->width > 0 && rect_inside(wanted, second) && !rect_inside(wanted, &films->regions[0].rect);
}

/* One film: it is in the region that it meets, even if another one has just been somewhere else. */
static FilmRects want_one(const Films *films, guint limit, const FilmRects *active, const SeatRect *wanted)
{
    guint at = only_region(films, active, wanted);
    FilmRects all = {0};

    if (limit > 1 && active->rects[at].width > 0 && !share_a_tile(&active->rects[at], wanted))
        at = !at;
    all.rects[at] = *wanted;
    return all;
}

/* Two films, while there are not two regions: that which there is, or was, goes on with the one that it
 * meets. When it has both it goes on with both, until they have been two for some time. */
static FilmRects want_two(Films *films, const FilmRects *active, const SeatRect wanted[2], gint64 now_us)
{
    guint at = active->rects[1].width > 0;
    const SeatRect *region = &films->regions[at].rect;
    gboolean alone = active->rects[at].width > 0, both = alone;
    FilmRects all = {0};

    for (guint i = 0; i < 2; i++)
        both &= share_a_tile(region, &wanted[i]);
    if (both && films->apart_us == 0)
        films->apart_us = now_us;
    if (both && now_us - films->apart_us < MAX(films->patience_us, APART_US)) {
        all.rects[at] = rect_union(&wanted[0], &wanted[1]);
        return all;
    }
    guint first = share_a_tile(region, &wanted[1]) && !share_a_tile(region, &wanted[0]);
    if (both) {
        films->regions[at] = (Region){0};
        films->parted_us = now_us;
    }
    films->apart_us = 0;
    all.rects[at] = wanted[first];
    all.rects[!at] = wanted[!first];
    return all;
}

static void follow(Films *films, const FilmRects *wanted, const Classifier *classifier, const Damage *due,
                   gint64 now_us)
{
    for (guint i = 0; i < SEAT_FILMS_MAX; i++) {
        Region *region = &films->regions[i];
        const SeatRect *rect = &wanted->rects[i];
        if (rect->width == 0)
            continue;
        region_follow(region, rect, tiles_outside(region, rect, classifier, due), now_us);
        region->busy_us = now_us;
    }
}

static void join(Films *films, guint width, guint height, gint64 now_us)
{
    Region *first = &films->regions[0], *second = &films->regions[1];
    SeatRect both = rect_union(&first->rect, &second->rect);

    films->patience_us = films->parted_us && now_us - films->parted_us < PROVEN_US
                             ? MIN(2 * MAX(films->patience_us, APART_US), APART_MAX_US)
                             : APART_US;
    both = region_encodable(&both, width, height);
    region_choose(first, &both, now_us);
    first->busy_us = now_us;
    *second = (Region){0};
}

/* Regions that have come to share a tile: one that was left larger than it has to be for long becomes what is
 * wanted; else the two are one from now on. */
static void part_or_join(Films *films, const FilmRects *wanted, guint width, guint height, gint64 now_us)
{
    Region *first = &films->regions[0], *second = &films->regions[1];

    if (!region_is_active(first, now_us) || !region_is_active(second, now_us) ||
        !share_a_tile(&first->rect, &second->rect))
        return;
    for (guint i = 0; i < SEAT_FILMS_MAX; i++) {
        Region *region = &films->regions[i];
        if (wanted->rects[i].width == 0 || now_us - region->chosen_us < FROZEN_US)
            continue;
        region_choose(region, &wanted->rects[i], now_us);
        if (!share_a_tile(&first->rect, &second->rect))
            return;
    }
    join(films, width, height, now_us);
}

static void choose(Films *films, guint limit, const Look *seen, const Classifier *classifier,
                   const Damage *due, gint64 now_us)
{
    const FilmRects active = films_active(films, now_us);
    gboolean two = active.rects[0].width > 0 && active.rects[1].width > 0;
    Gathering gathering = {.known = two ? &active : NULL, .limit = limit};
    SeatRect places[SEAT_FILMS_MAX] = {0};
    guint width, height, count = 0;
    FilmRects wanted = {0};

    classifier_size(classifier, &width, &height);
    gather_all(&gathering, films, seen, classifier, due, now_us);
    settle_boxes(&gathering, width, height);
    for (guint i = 0; i < SEAT_FILMS_MAX; i++) {
        if (gathering.boxes[i].width == 0)
            continue;
        places[count] = region_encodable(&gathering.boxes[i], width, height);
        wanted.rects[i] = places[count++];
    }
    if (count == 1 && !two)
        wanted = want_one(films, limit, &active, &places[0]);
    else if (count == 2 && !two)
        wanted = want_two(films, &active, places, now_us);
    if (count < 2)
        films->apart_us = 0;
    follow(films, &wanted, classifier, due, now_us);
    part_or_join(films, &wanted, width, height, now_us);
}

FilmRects films_active(const Films *films, gint64 now_us)
{
    FilmRects active = {0};
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        if (region_is_active(&films->regions[i], now_us))
            active.rects[i] = films->regions[i].rect;
    return active;
}

FilmRects films_lately(const Films *films, gint64 now_us)
{
    FilmRects lately = {0};
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        if (films->regions[i].rect.width > 0 && now_us - films->regions[i].busy_us <= LATELY_US)
            lately.rects[i] = films->regions[i].rect;
    return lately;
}

void films_went_on(Films *films, const FilmRects *encoded, gint64 us)
{
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        if (encoded->rects[i].width > 0 && rect_same(&encoded->rects[i], &films->regions[i].rect))
            films->regions[i].busy_us += us;
}

/* Those of the films in which something is due. */
static FilmRects touched(const FilmRects *films, const Damage *due)
{
    guint tiles = damage_tiles(due);
    FilmRects found = {0};

    for (guint i = damage_next_tile(due, 0); i < tiles; i = damage_next_tile(due, i + 1)) {
        SeatRect rect = damage_tile_rect(due, i);
        for (guint film = 0; film < SEAT_FILMS_MAX; film++)
            if (meet(&rect, &films->rects[film]))
                found.rects[film] = films->rects[film];
    }
    return found;
}

FilmRects films_choose(Films *films, guint limit, const Classifier *classifier, const Damage *due,
                       gint64 now_us)
{
    Look seen = look(films, classifier, due, now_us);

    if (seen.motion || seen.sudden)
        choose(films, limit, &seen, classifier, due, now_us);
    FilmRects active = films_active(films, now_us);
    return touched(&active, due);
}

/* Whether what is due in the region makes a film of it, though it has rested. */
static gboolean begins(const SeatRect *region, const Classifier *classifier, const Damage *due, gint64 now_us)
{
    guint tiles = damage_tiles(due);
    gboolean motion = FALSE;
    guint64 area = 0;

    for (guint i = damage_next_tile(due, 0); i < tiles; i = damage_next_tile(due, i + 1)) {
        SeatRect rect = damage_tile_rect(due, i), common;
        if (!classifier_is_picture(classifier, i) || !rect_common(&rect, region, &common))
            continue;
        area += rect_area(&common);
        motion |= classifier_tile(classifier, i, now_us) == SEAT_CLASS_MOTION;
    }
    return motion || is_sudden(classifier, area);
}

FilmRects films_hold(const Films *films, const Classifier *classifier, const Damage *due, gint64 now_us)
{
    FilmRects held = films_active(films, now_us);

    for (guint i = 0; i < SEAT_FILMS_MAX; i++) {
        const SeatRect *region = &films->regions[i].rect;
        if (held.rects[i].width == 0 && region->width > 0 && !share_a_tile(&held.rects[!i], region) &&
            begins(region, classifier, due, now_us))
            held.rects[i] = *region;
    }
    return touched(&held, due);
}
