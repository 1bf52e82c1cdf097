/* The pattern source: the test card of guest/testcard, drawn in the seat itself. */
#include "base/log.h"
#include "guest/testcard/testcard.h"
#include "session/seat/keycodes.h"
#include "session/seat/source.h"

#define FRAME_MS 33

typedef struct {
    Source source;
    SeatHost *host;
    const SourceEvents *events;
    gpointer data;
    struct testcard card;
    guint32 *pixels;
    guint width, height; /* px */
    guint clients;
    guint timer;
    gint x, y; /* px, of a relative pointer */
} Pattern;

static void draw(Pattern *pattern)
{
    struct testcard_rect damage[TESTCARD_DAMAGE_MAX];
    SeatRect rects[TESTCARD_DAMAGE_MAX];
    gsize count = testcard_draw(&pattern->card, pattern->pixels, pattern->width, pattern->height,
                                pattern->width * 4, damage);
    for (gsize i = 0; i < count; i++)
        rects[i] = (SeatRect){
            .x = damage[i].x, .y = damage[i].y, .width = damage[i].width, .height = damage[i].height};
    if (count > 0)
        seat_host_damage(pattern->host, rects, count, pattern->pixels, pattern->width * 4, 0);
}

static gboolean next_frame(gpointer data)
{
    Pattern *pattern = data;
    testcard_advance(&pattern->card);
    draw(pattern);
    return G_SOURCE_CONTINUE;
}

/* The clock runs only while somebody could see it move. */
static void set_clock(Pattern *pattern)
{
    gboolean runs = pattern->clients > 0 && !pattern->card.frozen;
    if (runs && pattern->timer == 0)
        pattern->timer = g_timeout_add(FRAME_MS, next_frame, pattern);
    else if (!runs)
        g_clear_handle_id(&pattern->timer, g_source_remove);
}

static void take_size(Pattern *pattern, guint width, guint height)
{
    g_autoptr(GError) error = NULL;
    width = CLAMP(width, SEAT_WIDTH_MIN, SEAT_WIDTH_MAX);
    height = CLAMP(height, SEAT_WIDTH_MIN, SEAT_WIDTH_MAX);
    if (pattern->pixels && pattern->width == width && pattern->height == height)
        return;
    guint32 *pixels = g_try_new0(guint32, (gsize)width * height);
    if (!pixels || !seat_host_resize(pattern->host, width, height, &error)) {
        log_warning("pattern: %ux%u: %s", width, height, error ? error->message : "not enough memory");
        g_free(pixels);
        return;
    }
    g_free(pattern->pixels);
    pattern->pixels = pixels;
    pattern->width = width;
    pattern->height = height;
    testcard_invalidate(&pattern->card);
    draw(pattern);
    pattern->events->picture(width, height, pattern->data);
}

static void pattern_key(Source *source, guint code, gboolean pressed)
{
    Pattern *pattern = (Pattern *)source;
    testcard_key(&pattern->card, keycode_to_evdev(code), pressed);
    draw(pattern);
    set_clock(pattern);
}

static void move_to(Pattern *pattern, gint x, gint y, guint buttons)
{
    pattern->x = CLAMP(x, 0, (gint)pattern->width - 1);
    pattern->y = CLAMP(y, 0, (gint)pattern->height - 1);
    testcard_pointer(&pattern->card, pattern->x, pattern->y, buttons);
    draw(pattern);
}

static void pattern_pointer(Source *source, const SeatPointer *pointer)
{
    move_to((Pattern *)source, pointer->x, pointer->y, pointer->buttons);
}

static void pattern_motion(Source *source, const SeatMotion *motion)
{
    Pattern *pattern = (Pattern *)source;
    move_to(pattern, pattern->x + motion->dx, pattern->y + motion->dy, motion->buttons);
}

static void pattern_touch(Source *source, const SeatTouch *touch)
{
    if (touch->contact == 0)
        move_to((Pattern *)source, touch->x, touch->y, touch->phase < 2 ? TESTCARD_BUTTON_LEFT : 0);
}

static void pattern_size(Source *source, const SeatSizeHint *size)
{
    take_size((Pattern *)source, size->width, size->height);
}

static void pattern_wants(Source *source)
{
    draw((Pattern *)source);
}

static void pattern_clients(Source *source, guint count)
{
    ((Pattern *)source)->clients = count;
    set_clock((Pattern *)source);
}

static void pattern_free(Source *source)
{
    Pattern *pattern = (Pattern *)source;
    g_clear_handle_id(&pattern->timer, g_source_remove);
    g_free(pattern->pixels);
    g_free(pattern);
}

Source *source_pattern_new(SeatHost *host, guint width, guint height, const SourceEvents *events,
                           gpointer data)
{
    static const SourceClass class = {
        .key = pattern_key,
        .pointer = pattern_pointer,
        .motion = pattern_motion,
        .touch = pattern_touch,
        .size = pattern_size,
        .wants = pattern_wants,
        .clients = pattern_clients,
        .free = pattern_free,
    };
    Pattern *pattern = g_new0(Pattern, 1);
    g_autofree guint32 *cursor = g_new(guint32, TESTCARD_CURSOR * TESTCARD_CURSOR);

    pattern->source.class = &class;
    pattern->host = host;
    pattern->events = events;
    pattern->data = data;
    testcard_init(&pattern->card);
    testcard_cursor(cursor);
    seat_host_cursor(host, cursor, TESTCARD_CURSOR, TESTCARD_CURSOR, 0, 0);
    take_size(pattern, width, height);
    return &pattern->source;
}
