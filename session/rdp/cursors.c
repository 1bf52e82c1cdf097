/* The guest's cursor as the client's own: shapes go into the client's cache once. */
#include "session/rdp/rdp.h"

#include <freerdp/pointer.h>
#include <freerdp/settings.h>
#include <freerdp/update.h>

#define SLOTS_MAX 25
#define SIZE_ORDINARY 32 /* px; every client takes these */
#define SIZE_96 96
#define SIZE_LARGE 256 /* the protocol's 384 is beyond what a seat sends */

typedef struct {
    char *key; /* checksum of the shape, NULL: free */
    guint64 used;
} Slot;

struct Cursors {
    Rdp *rdp;
    BridgeCursor shown;
    gboolean known;
    Slot slots[SLOTS_MAX];
    guint64 clock;
};

Cursors *cursors_new(Rdp *rdp)
{
    Cursors *cursors = g_new0(Cursors, 1);
    cursors->rdp = rdp;
    return cursors;
}

static void forget(Cursors *cursors)
{
    for (guint i = 0; i < SLOTS_MAX; i++)
        g_clear_pointer(&cursors->slots[i].key, g_free);
}

void cursors_free(Cursors *cursors)
{
    if (!cursors)
        return;
    forget(cursors);
    g_clear_pointer(&cursors->shown.pixels, g_bytes_unref);
    g_free(cursors);
}

static rdpUpdate *update_of(Cursors *cursors)
{
    return cursors->rdp->context->base.update;
}

static gboolean hide(Cursors *cursors)
{
    POINTER_SYSTEM_UPDATE hidden = {.type = SYSPTR_NULL};
    return update_of(cursors)->pointer->PointerSystem(update_of(cursors)->context, &hidden);
}

static gboolean send_new(Cursors *cursors, const PointerShape *shape, guint slot, gboolean alpha)
{
    rdpUpdate *update = update_of(cursors);
    POINTER_NEW_UPDATE pointer = {.xorBpp = shape->bpp,
                                  .colorPtrAttr = {.cacheIndex = (UINT16)slot,
                                                   .hotSpotX = (UINT16)shape->hot_x,
                                                   .hotSpotY = (UINT16)shape->hot_y,
                                                   .width = (UINT16)shape->width,
                                                   .height = (UINT16)shape->height,
                                                   .lengthAndMask = (UINT16)shape->and_mask->len,
                                                   .lengthXorMask = (UINT16)shape->xor_mask->len,
                                                   .xorMaskData = shape->xor_mask->data,
                                                   .andMaskData = shape->and_mask->data}};
    return alpha ? update->pointer->PointerNew(update->context, &pointer)
                 : update->pointer->PointerColor(update->context, &pointer.colorPtrAttr);
}

static gboolean send_large(Cursors *cursors, const PointerShape *shape, guint slot)
{
    rdpUpdate *update = update_of(cursors);
    POINTER_LARGE_UPDATE pointer = {.xorBpp = (UINT16)shape->bpp,
                                    .cacheIndex = (UINT16)slot,
                                    .hotSpotX = (UINT16)shape->hot_x,
                                    .hotSpotY = (UINT16)shape->hot_y,
                                    .width = (UINT16)shape->width,
                                    .height = (UINT16)shape->height,
                                    .lengthAndMask = shape->and_mask->len,
                                    .lengthXorMask = shape->xor_mask->len,
                                    .xorMaskData = shape->xor_mask->data,
                                    .andMaskData = shape->and_mask->data};
    return update->pointer->PointerLarge(update->context, &pointer);
}

/* The slot that has the shape (then *found), or the one to use for it. */
static guint choose_slot(Cursors *cursors, const char *key, guint slots, gboolean *found)
{
    guint oldest = 0;
    for (guint i = 0; i < slots; i++) {
        *found = cursors->slots[i].key && g_str_equal(cursors->slots[i].key, key);
        if (*found)
            return i;
        if (cursors->slots[oldest].key &&
            (!cursors->slots[i].key || cursors->slots[i].used < cursors->slots[oldest].used))
            oldest = i;
    }
    *found = FALSE;
    return oldest;
}

static guint largest(const rdpSettings *settings)
{
    guint32 large = freerdp_settings_get_uint32(settings, FreeRDP_LargePointerFlag);
    if (large & LARGE_POINTER_FLAG_384x384)
        return SIZE_LARGE;
    return large & LARGE_POINTER_FLAG_96x96 ? SIZE_96 : SIZE_ORDINARY;
}

static gboolean show_shape(Cursors *cursors)
{
    const rdpSettings *settings = cursors->rdp->context->base.settings;
    const BridgeCursor *c = &cursors->shown;
    guint news = freerdp_settings_get_uint32(settings, FreeRDP_PointerCacheSize);
    guint colours = freerdp_settings_get_uint32(settings, FreeRDP_ColorPointerCacheSize);
    gboolean alpha = news > 0, found, sent;
    guint slots = CLAMP(alpha ? news : colours, 1, SLOTS_MAX);
    g_autofree char *sum = g_compute_checksum_for_bytes(G_CHECKSUM_SHA1, c->pixels);
    g_autofree char *key = g_strdup_printf("%s %u %u %u %u", sum, c->width, c->height, c->hot_x, c->hot_y);
    guint slot = choose_slot(cursors, key, slots, &found);

    cursors->slots[slot].used = ++cursors->clock;
    if (found) {
        POINTER_CACHED_UPDATE cached = {.cacheIndex = slot};
        return update_of(cursors)->pointer->PointerCached(update_of(cursors)->context, &cached);
    }
    PointerShape shape;
    pointer_shape_encode(&shape, g_bytes_get_data(c->pixels, NULL), c->width, c->height, c->hot_x, c->hot_y,
                         alpha ? largest(settings) : SIZE_ORDINARY, alpha);
    if (alpha && (shape.width > SIZE_96 || shape.height > SIZE_96))
        sent = send_large(cursors, &shape, slot);
    else
        sent = send_new(cursors, &shape, slot, alpha);
    pointer_shape_clear(&shape);
    g_free(cursors->slots[slot].key);
    cursors->slots[slot].key = g_steal_pointer(&key);
    return sent;
}

gboolean cursors_show(Cursors *cursors, const BridgeCursor *cursor)
{
    g_clear_pointer(&cursors->shown.pixels, g_bytes_unref);
    cursors->shown = *cursor;
    cursors->known = TRUE;
    if (!cursors->rdp->active)
        return TRUE; /* shown by cursors_repeat() */
    return cursor->pixels ? show_shape(cursors) : hide(cursors);
}

gboolean cursors_repeat(Cursors *cursors)
{
    forget(cursors);
    if (!cursors->known)
        return TRUE;
    return cursors->shown.pixels ? show_shape(cursors) : hide(cursors);
}
