/* Arithmetic with the films' rectangles. */
#include "encoder/films.h"
#include "encoder/rect.h"

G_STATIC_ASSERT(SEAT_FILMS_MAX == 2 && FILM_PARTS_MAX == 4 * 4);

gboolean film_rects_any(const FilmRects *films)
{
    return films->rects[0].width > 0 || films->rects[1].width > 0;
}

gboolean film_rects_touch(const FilmRects *films, const SeatRect *rect)
{
    SeatRect common;
    return rect_common(rect, &films->rects[0], &common) || rect_common(rect, &films->rects[1], &common);
}

guint64 film_rects_area(const FilmRects *films)
{
    return rect_area(&films->rects[0]) + rect_area(&films->rects[1]);
}

guint film_rects_outside(const FilmRects *films, const SeatRect *rect, SeatRect parts[FILM_PARTS_MAX])
{
    SeatRect around[4];
    guint count = 0;

    for (guint i = 0, n = rect_outside(rect, &films->rects[0], around); i < n; i++)
        count += rect_outside(&around[i], &films->rects[1], parts + count);
    return count;
}
