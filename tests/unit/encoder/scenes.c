/* Sheets are functions of their coordinates, so that any part of them can be drawn anywhere. */
#include "tests/unit/encoder/scenes.h"

#include <string.h>

#define GLYPH_WIDTH 8
#define LINE_HEIGHT 17

Scene *scene_new(guint width, guint height, guint32 seed)
{
    Scene *scene = g_new0(Scene, 1);
    scene->width = width;
    scene->height = height;
    scene->stride = (width * 4 + 63) & ~63u;
    scene->random = g_rand_new_with_seed(seed);
    scene->drawn = g_malloc0(scene->stride * height);
    scene->shadow = g_malloc0(scene->stride * height);
    scene->old = g_malloc0(scene->stride * height);
    scene->undo = undo_new(width, height, scene->stride);
    scene->damage = damage_new(width, height);
    return scene;
}

void scene_free(Scene *scene)
{
    g_rand_free(scene->random);
    g_free(scene->drawn);
    g_free(scene->shadow);
    g_free(scene->old);
    undo_free(scene->undo);
    damage_free(scene->damage);
    g_free(scene);
}

/* As exact as the shadow's own: the columns and rows of a tile outside of which nothing differs. */
static void frame_tile(Scene *scene, guint tile)
{
    guint left = tile % scene->undo->tiles_x * SEAT_TILE, top = tile / scene->undo->tiles_x * SEAT_TILE;
    guint right = MIN(left + SEAT_TILE, scene->width), bottom = MIN(top + SEAT_TILE, scene->height);

    for (guint y = top; y < bottom; y++) {
        const guint8 *now = scene->drawn + y * scene->stride;
        guint8 *before = scene->shadow + y * scene->stride;
        guint x0 = left, x1 = right;
        while (x0 < x1 && memcmp(now + x0 * 4, before + x0 * 4, 4) == 0)
            x0++;
        while (x0 < x1 && memcmp(now + x1 * 4 - 4, before + x1 * 4 - 4, 4) == 0)
            x1--;
        if (x0 == x1)
            continue;
        undo_keep(scene->undo, tile, y, scene->shadow);
        memcpy(before + left * 4, now + left * 4, (right - left) * 4);
        damage_add(scene->damage, (gint)x0, (gint)y, (gint)(x1 - x0), 1);
    }
}

void scene_frame(Scene *scene)
{
    memcpy(scene->old, scene->shadow, scene->stride * scene->height);
    undo_clear(scene->undo);
    damage_clear(scene->damage);
    for (guint tile = 0; tile < damage_tiles(scene->damage); tile++)
        frame_tile(scene, tile);
}

/* ---- drawing ---- */

static guint32 mix(guint32 a, guint32 b, guint32 c)
{
    guint32 h = a * 0x9e3779b1u ^ b * 0x85ebca77u ^ c * 0xc2b2ae3du;
    h = (h ^ h >> 15) * 0x2c1b3c6du;
    h = (h ^ h >> 12) * 0x297a2d39u;
    return h ^ h >> 15;
}

static gint down(gint value, gint by)
{
    return value >= 0 ? value / by : -((by - 1 - value) / by);
}

/* Lines of words, of differing length and some of them empty, in three shades of ink. */
static guint32 text(guint32 number, gint x, gint y)
{
    gint line = down(y, LINE_HEIGHT), column = down(x, GLYPH_WIDTH);
    guint32 row = mix(number, (guint32)line, 1);
    guint32 letter = mix(number, (guint32)line, (guint32)(column + 1000) * 7);
    guint in_x = (guint)(x - column * GLYPH_WIDTH), in_y = (guint)(y - line * LINE_HEIGHT);

    if (row % 8 == 0 || column < 0 || (guint)column > 20 + row % 150 || letter % 6 == 0 || in_y < 3 ||
        in_y > 13 || in_x == 0)
        return 0x00ffffff;
    switch (mix(letter % 60, in_x, in_y) % 8) {
    case 0:
        return 0x00808080;
    case 1:
        return 0x00404448;
    case 2:
    case 3:
        return 0x00000000;
    default:
        return 0x00ffffff;
    }
}

static guint32 photo(guint32 number, gint x, gint y)
{
    guint32 coarse = mix(number, (guint32)down(x, 16), (guint32)down(y, 16)), fine = mix(number + 1, x, y);
    return (coarse & 0xf0f0f0) + (fine & 0x0f0f0f);
}

static guint32 sheet(SceneKind kind, guint32 number, gint x, gint y)
{
    switch (kind) {
    case SCENE_TEXT:
        return text(number, x, y);
    case SCENE_PHOTO:
        return photo(number, x, y);
    case SCENE_STRIPES:
        return (y & 15) < 4 ? 0x00203040 + number % 256 : 0x00c0c0c0;
    case SCENE_CHECKS:
        return mix((guint32)(x & 31), (guint32)(y & 31), number) & 1 ? 0x00ffffff : 0x00102030;
    default:
        return number & 0xffffff;
    }
}

static guint32 *row_of(Scene *scene, gint y)
{
    return (guint32 *)(void *)(scene->drawn + (gsize)y * scene->stride);
}

static ScenePart clip(const Scene *scene, ScenePart part)
{
    gint right = MIN(part.x + part.width, (gint)scene->width);
    gint bottom = MIN(part.y + part.height, (gint)scene->height);
    ScenePart clipped = {MAX(part.x, 0), MAX(part.y, 0), 0, 0};
    clipped.width = MAX(right - clipped.x, 0);
    clipped.height = MAX(bottom - clipped.y, 0);
    return clipped;
}

void scene_sheet(Scene *scene, ScenePart part, SceneKind kind, guint32 number, gint sheet_x, gint sheet_y)
{
    ScenePart p = clip(scene, part);
    for (gint y = p.y; y < p.y + p.height; y++)
        for (gint x = p.x; x < p.x + p.width; x++)
            row_of(scene, y)[x] = sheet(kind, number, x - part.x + sheet_x, y - part.y + sheet_y);
}

void scene_noise(Scene *scene, ScenePart part)
{
    ScenePart p = clip(scene, part);
    for (gint y = p.y; y < p.y + p.height; y++)
        for (gint x = p.x; x < p.x + p.width; x++)
            row_of(scene, y)[x] = g_rand_int(scene->random);
}

void scene_fill(Scene *scene, ScenePart part, guint32 colour)
{
    ScenePart p = clip(scene, part);
    for (gint y = p.y; y < p.y + p.height; y++)
        for (gint x = p.x; x < p.x + p.width; x++)
            row_of(scene, y)[x] = colour;
}
