/* H.264 on its way to an RFB client, which has a decoder for each rectangle that it was sent (encoding 50):
 * those of films that go on stay, those of old regions are to go. */
#include "session/vnc/screen_internal.h"
#include "session/vnc/writer.h"

#include <string.h>

/* noVNC and TigerVNC have 64 decoders and throw one away for one more, which may be of a film that goes on.
 * Not much fewer than these, since to begin anew costs all films a key frame. */
#define LEFT_MAX 48
G_STATIC_ASSERT(LEFT_MAX + SEAT_FILMS_MAX < 64);

void screen_forget_decoders(Screen *screen)
{
    memset(screen->decoders, 0, sizeof screen->decoders);
    screen->left = 0;
    screen->reset_decoders = TRUE;
}

static gboolean same_region(const ScreenDecoder *decoder, const ViewerUnit *unit)
{
    return memcmp(&decoder->region, &unit->region, sizeof decoder->region) == 0;
}

/* The client has the decoder that the unit builds on. */
static gboolean goes_on(const Screen *screen, const ViewerUnit *unit)
{
    const ScreenDecoder *decoder = &screen->decoders[unit->film];
    return decoder->stream != 0 && decoder->stream == unit->stream && same_region(decoder, unit);
}

/* Whether no decoder that the client has is of use any more: each unit begins one, no other film goes on. */
static gboolean all_begin(const Screen *screen, const ViewerUpdate *update)
{
    gint64 now = g_get_monotonic_time();
    gboolean begins[SEAT_FILMS_MAX] = {FALSE};

    for (guint i = 0; i < update->n_units; i++) {
        const ViewerUnit *unit = &update->units[i];
        if (!unit->key || goes_on(screen, unit))
            return FALSE;
        begins[unit->film] = TRUE;
    }
    for (guint i = 0; i < SEAT_FILMS_MAX; i++) {
        const ScreenDecoder *decoder = &screen->decoders[i];
        if (!begins[i] && decoder->stream != 0 && now - decoder->shown_us < VIEWER_FILM_OVER_US)
            return FALSE;
    }
    return update->n_units > 0;
}

/* The client's decoder belongs to the rectangle: what another film had there is no more. */
static void take_over(Screen *screen, const ViewerUnit *unit)
{
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        if (i != unit->film && same_region(&screen->decoders[i], unit))
            screen->decoders[i].stream = 0;
}

static void put_unit(Screen *screen, const ViewerUnit *unit, GByteArray *out, guint *rects)
{
    const ViewerRect *r = &unit->region;
    ScreenDecoder *decoder = &screen->decoders[unit->film];
    gboolean begins = !goes_on(screen, unit);

    if (begins && !unit->key) {
        screen->missed[screen->n_missed++] = unit->region;
        return;
    }
    if (decoder->stream != 0 && !same_region(decoder, unit))
        screen->left++;
    if (begins)
        take_over(screen, unit);
    write_h264(out, r->x, r->y, r->width, r->height, begins, screen->reset_decoders, unit->data,
               unit->length);
    *decoder = (ScreenDecoder){unit->stream, unit->region, g_get_monotonic_time()};
    screen->reset_decoders = FALSE;
    screen->units++;
    (*rects)++;
}

void screen_put_units(Screen *screen, const ViewerUpdate *update, GByteArray *out, guint *rects)
{
    screen->n_missed = 0;
    if (all_begin(screen, update))
        screen_forget_decoders(screen);
    for (guint i = 0; i < update->n_units; i++)
        put_unit(screen, &update->units[i], out, rects);
}

void screen_mend_units(Screen *screen)
{
    guint missed = screen->n_missed;
    gboolean full = screen->left >= LEFT_MAX;

    if (missed == 0 && !full)
        return;
    screen->n_missed = 0;
    if (full)
        screen_forget_decoders(screen);
    viewer_need_keyframe(screen->viewer);
    if (missed > 0)
        viewer_invalidate(screen->viewer, screen->missed, missed);
}
