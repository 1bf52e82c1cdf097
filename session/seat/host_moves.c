/* What a picture has only moved goes to the clients as moves, beside the damage that these leave. Each client
 * has a list of moves that wait with its damage, so that a slow one still gets its scrolls cheaply. */
#include "session/seat/host_private.h"

#define WORTH_TILES 16 /* damaged ones, from which on a search pays */
#define REST_MS 1500   /* then the memory of what was overwritten goes back */

G_STATIC_ASSERT(SCROLL_MOVES_MAX <= SEAT_MOVES_MAX);

void host_moves_clear(SeatHost *host)
{
    HostMoves *moves = &host->moves;

    g_clear_handle_id(&moves->rest_timer, g_source_remove);
    if (host->shadow) {
        shadow_keep_in(host->shadow, NULL);
        shadow_watch(host->shadow, NULL);
    }
    g_clear_pointer(&moves->undo, undo_free);
    g_clear_pointer(&moves->forecast, forecast_free);
    g_clear_pointer(&moves->scroll, scroll_free);
    g_clear_pointer(&moves->left, damage_free);
    g_clear_pointer(&moves->shifted, damage_free);
}

void host_moves_resized(SeatHost *host)
{
    const SeatBuffer *layout = shadow_layout(host->shadow);
    HostMoves *moves = &host->moves;

    host_moves_clear(host);
    moves->published = 0;
    if (host->greeter)
        return;
    moves->undo = undo_new(layout->width, layout->height, layout->stride);
    moves->forecast = forecast_new(layout->width, layout->height, layout->stride);
    moves->scroll = scroll_new(layout->width, layout->height);
    moves->left = damage_new(layout->width, layout->height);
    moves->shifted = damage_new(layout->width, layout->height);
}

/* ---- clients ---- */

static gboolean takes_moves(const HostClient *client)
{
    return client->wants_moves && client->greeted && !client->complete_due && !client->takes_part;
}

void host_moves_become_damage(HostClient *client)
{
    for (guint i = 0; i < client->n_moves; i++) {
        const ScrollMove *move = &client->moves[i];
        damage_add(client->pending, move->to_x, move->to_y, move->width, move->height);
    }
    client->n_moves = 0;
}

/* What the client lacks at a move's source it lacks at its destination afterwards. */
static void shift(const Damage *pending, const ScrollMove *move, guint tiles_x, Damage *shifted)
{
    gint right = move->x + move->width, bottom = move->y + move->height;
    guint end = ((guint)bottom - 1) / SEAT_TILE * tiles_x + ((guint)right - 1) / SEAT_TILE + 1;

    for (guint tile = damage_next_tile(pending, move->y / SEAT_TILE * tiles_x); tile < end;
         tile = damage_next_tile(pending, tile + 1)) {
        SeatRect rect = damage_tile_rect(pending, tile);
        gint x0 = MAX(rect.x, move->x), x1 = MIN(rect.x + rect.width, right);
        gint y0 = MAX(rect.y, move->y), y1 = MIN(rect.y + rect.height, bottom);
        damage_add(shifted, x0 - move->x + move->to_x, y0 - move->y + move->to_y, x1 - x0, y1 - y0);
    }
}

/* The moves of one picture all read the one before, and none reads what an earlier one has written: appended
 * to the list they may be made in order. */
static void client_moves(HostClient *client, const ScrollMove *moves, guint count)
{
    SeatHost *host = client->host;

    if (!takes_moves(client) || client->n_moves + count > SEAT_MOVES_MAX) {
        host_moves_become_damage(client);
        damage_add_map(client->pending, host->changed);
        return;
    }
    damage_clear(host->moves.shifted);
    for (guint i = 0; i < count; i++) {
        shift(client->pending, &moves[i], shadow_layout(host->shadow)->tiles_x, host->moves.shifted);
        client->moves[client->n_moves++] = moves[i];
    }
    damage_add_map(client->pending, host->moves.shifted);
    damage_add_map(client->pending, host->moves.left);
}

static gboolean anybody_takes_moves(const SeatHost *host)
{
    FOR_CLIENTS(host, client)
    {
        if (takes_moves(client))
            return TRUE;
    }
    return FALSE;
}

/* ---- a picture ---- */

static gboolean rest(gpointer data)
{
    HostMoves *moves = data;
    if (moves->used) {
        moves->used = FALSE;
        return G_SOURCE_CONTINUE;
    }
    moves->rest_timer = 0;
    undo_rest(moves->undo);
    return G_SOURCE_REMOVE;
}

/* Has what is overwritten kept for a search. */
static void keep(HostMoves *moves)
{
    undo_clear(moves->undo);
    moves->used = TRUE;
    if (moves->rest_timer == 0)
        moves->rest_timer = g_timeout_add(REST_MS, rest, moves);
}

static void copy_expected(SeatHost *host, const SeatRect *rects, guint count, const void *pixels,
                          gsize stride)
{
    Forecast *forecast = host->moves.forecast;
    const ScrollMove *move = &forecast->move;
    const SeatRect written = {.x = move->to_x, .y = move->to_y, .width = move->width, .height = move->height};
    SeatRect outside[4];

    shadow_update(host->shadow, &written, pixels, stride, host->changed);
    forecast_close(forecast);
    for (guint i = 0; i < count; i++)
        for (guint part = forecast_outside(forecast, &rects[i], outside); part-- > 0;)
            shadow_update(host->shadow, &outside[part], pixels, stride, host->changed);
}

void host_moves_copy(SeatHost *host, const SeatRect *rects, guint count, const void *pixels, gsize stride)
{
    HostMoves *moves = &host->moves;
    Shadow *shadow = host->shadow;
    gboolean wanted = moves->undo && scroll_ready(moves->scroll) && anybody_takes_moves(host);

    shadow_begin_pass(shadow);
    moves->expected = wanted && forecast_begin(moves->forecast, scroll_expected(moves->scroll),
                                               shadow_pixels(shadow), pixels, stride, rects, count);
    moves->kept = wanted && !moves->expected;
    if (moves->kept)
        keep(moves);
    shadow_keep_in(shadow, moves->kept ? moves->undo : NULL);
    shadow_watch(shadow, moves->expected ? moves->forecast : NULL);
    if (moves->expected)
        copy_expected(host, rects, count, pixels, stride);
    for (guint i = 0; i < count && !moves->expected; i++)
        shadow_update(shadow, &rects[i], pixels, stride, host->changed);
}

/* Who has the picture before this pass has the one after it, so what it copies meanwhile is not newer. */
void host_moves_nothing(SeatHost *host)
{
    guint64 before = host->moves.published, now = shadow_passes(host->shadow);
    FOR_CLIENTS(host, client)
    {
        client->pass = client->pass == before ? now : client->pass;
    }
    host->moves.published = now;
}

static gboolean worth_a_search(const Damage *changed)
{
    guint tiles = 0, end = damage_tiles(changed);
    for (guint tile = damage_next_tile(changed, 0); tile < end && tiles <= WORTH_TILES;
         tile = damage_next_tile(changed, tile + 1))
        tiles++;
    return tiles > WORTH_TILES;
}

const Damage *host_moves_publish(SeatHost *host)
{
    HostMoves *moves = &host->moves;
    ScrollMove found[SCROLL_MOVES_MAX];
    guint count = 0;

    moves->published = shadow_passes(host->shadow);
    if (moves->undo && worth_a_search(host->changed)) {
        if (moves->expected)
            count = scroll_confirm(moves->scroll, moves->forecast, host->changed, moves->left, found);
        else if (moves->kept)
            count = scroll_find(moves->scroll, shadow_pixels(host->shadow), moves->undo, host->changed,
                                moves->left, found);
        else
            scroll_skip(moves->scroll);
    }
    FOR_CLIENTS(host, client)
    {
        if (count > 0)
            client_moves(client, found, count);
        else
            damage_add_map(client->pending, host->changed);
    }
    return count > 0 ? moves->left : host->changed;
}
