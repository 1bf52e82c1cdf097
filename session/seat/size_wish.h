/* Asks the guest for the size that a client has, until the guest follows. Newest wins. One ask at a time: a
 * virtio-gpu guest that is told a second size while it fetches the first clears both announcements and keeps
 * the first for good; and QEMU drops an ask that equals the last one. So asks are kept apart, and what was
 * not followed is asked again a few times. Thread of the default main context. */
#pragma once

#include <glib.h>

typedef struct SizeWish SizeWish;

/* Passes an ask on; sizes in px and mm. */
typedef void (*SizeWishAsk)(guint width, guint height, guint width_mm, guint height_mm, gpointer data);

/* width, height: asked for when nobody wishes anything within a unit of the display's coming, px. unit_ms:
 * the shortest time between two asks; an ask that is not followed is repeated after about 3, 10 and 30 of
 * them. Nothing is asked before size_wish_connected(). */
SizeWish *size_wish_new(guint width, guint height, guint unit_ms, SizeWishAsk ask, gpointer data);
void size_wish_free(SizeWish *wish);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SizeWish, size_wish_free)

/* The size that the guest shall have; millimetres 0: as many as 96 dpi give. Asks now or as soon as it may.
 */
void size_wish_set(SizeWish *wish, guint width, guint height, guint width_mm, guint height_mm);

/* Whether there is a display to ask; asks when there is one now. */
void size_wish_connected(SizeWish *wish, gboolean connected);

/* The guest's picture has this size, px. Once it is the wish the guest may change it as it likes. */
void size_wish_shown(SizeWish *wish, guint width, guint height);
