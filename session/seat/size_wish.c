/* When the guest is asked for which size. */
#include "session/seat/size_wish.h"

#define MM_PER_INCH_10 254
#define DPI 96

static const guint repeats[] = {3, 10, 30}; /* units after the ask before */

struct SizeWish {
    SizeWishAsk ask;
    gpointer data;
    guint unit_ms;
    guint width, height, width_mm, height_mm;
    guint shown_width, shown_height;
    gboolean connected;
    gboolean patient; /* nobody has wished yet: the default may wait for one who does */
    gboolean due;     /* there is a size that has not been asked for */
    guint asks;       /* how often this size has been */
    gint64 asked_us;  /* monotonic, of the last ask */
    guint timer;
};

static gboolean followed(const SizeWish *wish)
{
    return wish->shown_width == wish->width && wish->shown_height == wish->height;
}

static void plan(SizeWish *wish);

static gboolean timer_over(gpointer data)
{
    SizeWish *wish = data;
    /* Another millimetre makes a repeated ask a new one to QEMU. */
    guint nudge = wish->asks % 2;

    wish->timer = 0;
    wish->due = FALSE;
    wish->asks++;
    wish->asked_us = g_get_monotonic_time();
    wish->ask(wish->width, wish->height, wish->width_mm + nudge, wish->height_mm, wish->data);
    plan(wish);
    return G_SOURCE_REMOVE;
}

static void plan(SizeWish *wish)
{
    guint wait;

    g_clear_handle_id(&wish->timer, g_source_remove);
    if (!wish->connected || wish->width == 0)
        return;
    if (wish->due)
        wait = wish->unit_ms;
    else if (wish->asks > 0 && wish->asks <= G_N_ELEMENTS(repeats) && !followed(wish))
        wait = repeats[wish->asks - 1] * wish->unit_ms;
    else
        return;
    gint64 passed = wish->asked_us  ? (g_get_monotonic_time() - wish->asked_us) / 1000
                    : wish->patient ? 0
                                    : wait;
    if (passed >= wait && wish->due && !wish->patient)
        timer_over(wish);
    else
        wish->timer = g_timeout_add((guint)CLAMP(wait - passed, 0, wait), timer_over, wish);
}

SizeWish *size_wish_new(guint width, guint height, guint unit_ms, SizeWishAsk ask, gpointer data)
{
    SizeWish *wish = g_new0(SizeWish, 1);
    size_wish_set(wish, width, height, 0, 0);
    wish->patient = TRUE;
    wish->unit_ms = unit_ms;
    wish->ask = ask;
    wish->data = data;
    return wish;
}

void size_wish_free(SizeWish *wish)
{
    if (!wish)
        return;
    g_clear_handle_id(&wish->timer, g_source_remove);
    g_free(wish);
}

void size_wish_set(SizeWish *wish, guint width, guint height, guint width_mm, guint height_mm)
{
    width_mm = width_mm ? width_mm : width * MM_PER_INCH_10 / (DPI * 10);
    height_mm = height_mm ? height_mm : height * MM_PER_INCH_10 / (DPI * 10);
    wish->width = width;
    wish->height = height;
    wish->width_mm = width_mm;
    wish->height_mm = height_mm;
    wish->asks = 0;
    wish->due = TRUE;
    wish->patient = FALSE;
    plan(wish);
}

void size_wish_connected(SizeWish *wish, gboolean connected)
{
    wish->connected = connected;
    wish->asks = 0;
    wish->due = connected;
    plan(wish);
}

void size_wish_shown(SizeWish *wish, guint width, guint height)
{
    wish->shown_width = width;
    wish->shown_height = height;
    if (followed(wish) && !wish->due) {
        wish->asks = G_N_ELEMENTS(repeats) + 1;
        plan(wish);
    }
}
