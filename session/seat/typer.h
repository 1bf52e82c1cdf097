/* Types keysyms through the desktop's XKB layout: finds the key and the modifiers it needs, and keeps the
 * lock keys in step. All key strokes of all clients pass through here, so that it knows what is held. One
 * thread. */
#pragma once

#include <glib.h>

typedef struct Typer Typer;

/* A key of the guest's keyboard: QEMU key number. */
typedef void (*TyperKey)(guint code, gboolean pressed, gpointer data);

/* layout, variant: XKB names, copied ("" : "us"). The layout is loaded at the first keysym; when it does not
 * exist, "us" is taken and a warning logged. */
Typer *typer_new(const char *layout, const char *variant, TyperKey key, gpointer data);
void typer_free(Typer *typer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Typer, typer_free)

/* Passes a raw key on. */
void typer_key(Typer *typer, guint code, gboolean pressed);

/* Presses or releases whatever makes this keysym appear. Characters that have no key of their own are typed
 * with a dead key. Returns FALSE when the layout cannot type it at all (nothing was sent). */
gboolean typer_keysym(Typer *typer, guint32 keysym, gboolean pressed);

/* The guest's lock keys are in this state (SEAT_LOCK_*). */
void typer_guest_locks(Typer *typer, guint mask);
/* The client's lock keys are in this state: strokes the lock keys where the guest's differ. */
void typer_client_locks(Typer *typer, guint mask);
