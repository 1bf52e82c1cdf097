/* What a picture has only moved goes to the clients as moves, beside the damage that these leave. Each client
 * has a list of moves that wait with its damage, so that a slow one still gets its scrolls cheaply.
 *
 * While there are films nothing moves from or to their regions, and the search leaves these out, so that what
 * scrolls beside a film costs little more than the scroll. Now and then the whole picture is searched all the
 * same: what seemed to be a film may be a picture that is scrolled. */
#include "session/seat/host_private.h"

#include "encoder/rect.h"

#define WORTH_TILES 16 /* damaged ones, from which on a search pays */
#define REST_MS 1500   /* then the memory of what was overwritten goes back, */
#define FORESEEN 4     /* or after so many pictures whose move was expected */
/* Of what has moved: a scroll leaves no more than the first where it was; what changes elsewhere, such as a
 * cursor or a scroll bar, is no more than the second. */
#define LEFT_SHARE 8
#define ELSEWHERE_SHARE 32
#define MOVED_SHARE 4 /* a fourth of a film that has moved: it is none */

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
    g_clear_pointer(&moves->whole, scroll_free);
    g_clear_pointer(&moves->beside, scroll_free);
    g_clear_pointer(&moves->within, damage_free);
    g_clear_pointer(&moves->around, damage_free);
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
    moves->whole = scroll_new(layout->width, layout->height);
    moves->beside = scroll_new(layout->width, layout->height);
    moves->search = moves->whole;
    moves->within = damage_new(layout->width, layout->height);
    moves->around = damage_new(layout->width, layout->height);
    moves->left = damage_new(layout->width, layout->height);
    moves->shifted = damage_new(layout->width, layout->height);
}

/* ---- clients ---- */

static gboolean takes_moves(const HostClient *client)
{
    return client->wants_moves && client->greeted && !client->complete_due &&
           !(client->takes_part && client->encoding_complete);
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

static gboolean touches(const ScrollMove *move, const FilmRects *films)
{
    const SeatRect from = {.x = move->x, .y = move->y, .width = move->width, .height = move->height};
    const SeatRect to = {.x = move->to_x, .y = move->to_y, .width = move->width, .height = move->height};

    return film_rects_touch(films, &from) || film_rects_touch(films, &to);
}

void host_moves_stay_beside(HostClient *client, const FilmRects *films)
{
    SeatHost *host = client->host;
    Damage *lost = host->moves.shifted;
    guint kept = 0;

    if (client->n_moves == 0)
        return;
    damage_clear(lost);
    for (guint i = 0; i < client->n_moves; i++) {
        const ScrollMove move = client->moves[i];
        if (touches(&move, films)) {
            damage_add(lost, move.to_x, move.to_y, move.width, move.height);
        } else {
            shift(lost, &move, shadow_layout(host->shadow)->tiles_x, lost);
            client->moves[kept++] = move;
        }
    }
    client->n_moves = kept;
    damage_add_map(client->pending, lost);
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
        shift(client->encoding, &moves[i], shadow_layout(host->shadow)->tiles_x, host->moves.shifted);
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
    moves->foreseen = 0;
    moves->used = TRUE;
    if (moves->rest_timer == 0)
        moves->rest_timer = g_timeout_add(REST_MS, rest, moves);
}

static FilmRects films_of(const SeatHost *host)
{
    return host_tier_works(host->fast) ? films_active(&host->films, g_get_monotonic_time()) : (FilmRects){0};
}

/* What the pass writes is kept, or watched, for the search. */
static void observe(HostMoves *moves, Shadow *shadow, gboolean on)
{
    shadow_keep_in(shadow, on && moves->kept ? moves->undo : NULL);
    shadow_watch(shadow, on && moves->expected ? moves->forecast : NULL);
}

/* In films nothing is observed. */
static void copy_rect(SeatHost *host, const SeatRect *rect, const void *pixels, gsize stride)
{
    HostMoves *moves = &host->moves;
    Damage *changed = film_rects_any(&moves->films) ? moves->around : host->changed;
    SeatRect parts[FILM_PARTS_MAX], common;

    observe(moves, host->shadow, TRUE);
    for (guint part = film_rects_outside(&moves->films, rect, parts); part-- > 0;)
        shadow_update(host->shadow, &parts[part], pixels, stride, changed);
    observe(moves, host->shadow, FALSE);
    for (guint i = 0; i < SEAT_FILMS_MAX; i++)
        if (rect_common(rect, &moves->films.rects[i], &common))
            shadow_update(host->shadow, &common, pixels, stride, moves->within);
}

static void copy_expected(SeatHost *host, const SeatRect *rects, guint count, const void *pixels,
                          gsize stride)
{
    Forecast *forecast = host->moves.forecast;
    const ScrollMove *move = &forecast->move;
    const SeatRect written = {.x = move->to_x, .y = move->to_y, .width = move->width, .height = move->height};
    SeatRect outside[4];

    copy_rect(host, &written, pixels, stride);
    forecast_close(forecast);
    for (guint i = 0; i < count; i++)
        for (guint part = forecast_outside(forecast, &rects[i], outside); part-- > 0;)
            copy_rect(host, &outside[part], pixels, stride);
}

/* Which search the pass is for, and what it leaves out. TRUE: that search wants to see it. */
static gboolean choose_search(SeatHost *host)
{
    HostMoves *moves = &host->moves;
    const FilmRects films = films_of(host);
    gboolean any = film_rects_any(&films), over = moves->search == moves->beside && !any;

    moves->search = moves->whole;
    moves->films = (FilmRects){0};
    if (!moves->undo || !anybody_takes_moves(host))
        return FALSE;
    if (over)
        scroll_wake(moves->whole);
    if (any && !scroll_ready(moves->whole)) {
        moves->search = moves->beside;
        moves->films = films;
        scroll_leave_out(moves->beside, films.rects, SEAT_FILMS_MAX);
    }
    return scroll_ready(moves->search);
}

gboolean host_moves_explain(const SeatHost *host, const Damage *left)
{
    const HostMoves *moves = &host->moves;
    guint64 swept = 0, elsewhere = 0;

    for (guint i = damage_next_tile(left, 0), end = damage_tiles(left); i < end;
         i = damage_next_tile(left, i + 1)) {
        SeatRect rect = damage_tile_rect(left, i);
        gboolean inside = FALSE;
        for (guint j = 0; j < moves->n_sweeps && !inside; j++)
            inside = rect_inside(&rect, &moves->sweeps[j]);
        *(inside ? &swept : &elsewhere) += rect_area(&rect);
        if (swept * LEFT_SHARE > moves->area || elsewhere * ELSEWHERE_SHARE > moves->area)
            return FALSE;
    }
    return moves->area > 0;
}

void host_moves_copy(SeatHost *host, const SeatRect *rects, guint count, const void *pixels, gsize stride)
{
    HostMoves *moves = &host->moves;
    gboolean wanted = choose_search(host), beside = film_rects_any(&moves->films);
    const ScrollMove *move = wanted ? scroll_expected(moves->search) : NULL;

    if (beside) {
        damage_clear(moves->within);
        damage_clear(moves->around);
    }
    shadow_begin_pass(host->shadow);
    if (move && touches(move, &moves->films))
        move = NULL;
    moves->expected = move && forecast_begin(moves->forecast, move, shadow_pixels(host->shadow), pixels,
                                             stride, rects, count);
    moves->kept = wanted && !moves->expected;
    if (moves->kept)
        keep(moves);
    if (moves->expected && ++moves->foreseen == FORESEEN)
        undo_rest(moves->undo);
    if (moves->expected)
        copy_expected(host, rects, count, pixels, stride);
    for (guint i = 0; i < count && !moves->expected; i++)
        copy_rect(host, &rects[i], pixels, stride);
    if (beside) {
        damage_add_map(host->changed, moves->within);
        damage_add_map(host->changed, moves->around);
    }
}

/* Who has the picture before this pass has the one after it, so what it copies meanwhile is not newer. */
void host_moves_nothing(SeatHost *host)
{
    guint64 before = host->moves.published, now = shadow_passes(host->shadow);
    FOR_CLIENTS(host, client)
    {
        client->pass = client->pass == before ? now : client->pass;
        client->base = client->base == before ? now : client->base;
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

/* Whether what seems to be this film is something that is moved. */
static gboolean is_moved(const ScrollMove *found, guint count, const SeatRect *film)
{
    guint64 area = 0;
    for (guint i = 0; i < count; i++) {
        const SeatRect to = {
            .x = found[i].to_x, .y = found[i].to_y, .width = found[i].width, .height = found[i].height};
        SeatRect common;
        area += rect_common(&to, film, &common) ? rect_area(&common) : 0;
    }
    return area > 0 && area * MOVED_SHARE >= rect_area(film);
}

static gboolean any_is_moved(const ScrollMove *found, guint count, const FilmRects *films)
{
    return is_moved(found, count, &films->rects[0]) || is_moved(found, count, &films->rects[1]);
}

/* What the picture's moves take along, and what they sweep. */
static void note_moves(HostMoves *moves, const ScrollMove *found, guint count)
{
    moves->area = 0;
    moves->n_sweeps = count;
    for (guint i = 0; i < count; i++) {
        const SeatRect from = {
            .x = found[i].x, .y = found[i].y, .width = found[i].width, .height = found[i].height};
        const SeatRect to = {
            .x = found[i].to_x, .y = found[i].to_y, .width = found[i].width, .height = found[i].height};
        moves->area += rect_area(&from);
        moves->sweeps[i] = rect_union(&from, &to);
    }
}

/* Fills in `found` and what these moves leave, and returns how many there are. */
static guint search(SeatHost *host, ScrollMove found[SCROLL_MOVES_MAX])
{
    HostMoves *moves = &host->moves;
    gboolean left_out = film_rects_any(&moves->films);
    const Damage *changed = left_out ? moves->around : host->changed;
    const FilmRects films = left_out ? (FilmRects){0} : films_of(host);
    guint count = 0;

    note_moves(moves, found, 0);
    if (!moves->undo)
        return 0;
    if (left_out && worth_a_search(host->changed))
        scroll_skip(moves->whole);
    if (!worth_a_search(changed))
        return 0;
    if (moves->expected)
        count = scroll_confirm(moves->search, moves->forecast, changed, moves->left, found);
    else if (moves->kept)
        count =
            scroll_find(moves->search, shadow_pixels(host->shadow), moves->undo, changed, moves->left, found);
    else
        scroll_skip(moves->search);
    note_moves(moves, found, left_out ? 0 : count);
    /* That something moves beside a film, or a little in it, is no reason to search all of it. */
    if (film_rects_any(&films) && count > 0 && !any_is_moved(found, count, &films) &&
        !host_moves_explain(host, moves->left))
        scroll_in_vain(moves->whole);
    if (left_out && count > 0)
        damage_add_map(moves->left, moves->within);
    return count;
}

const Damage *host_moves_publish(SeatHost *host)
{
    HostMoves *moves = &host->moves;
    ScrollMove found[SCROLL_MOVES_MAX];

    moves->published = shadow_passes(host->shadow);
    guint count = search(host, found);
    FOR_CLIENTS(host, client)
    {
        if (count > 0)
            client_moves(client, found, count);
        else
            damage_add_map(client->pending, host->changed);
    }
    return count > 0 ? moves->left : host->changed;
}
