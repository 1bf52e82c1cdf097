/* Pictures that move as desktops do, and the seat's part of a frame: what has changed, and what was there
 * before. For the test of the search for scrolls and for its benchmark. */
#pragma once

#include "encoder/damage.h"
#include "encoder/undo.h"

typedef struct {
    guint width, height; /* px */
    gsize stride;        /* bytes */
    GRand *random;
    guint8 *drawn;  /* what the guest draws into */
    guint8 *shadow; /* as it is now, after scene_frame() */
    guint8 *old;    /* as it was before scene_frame() */
    Undo *undo;
    Damage *damage;
} Scene;

Scene *scene_new(guint width, guint height, guint32 seed);
void scene_free(Scene *scene);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scene, scene_free)

/* Takes over what has been drawn: fills in old, shadow, undo and damage. */
void scene_frame(Scene *scene);

/* A part of the picture; drawing outside of it is cut off. */
typedef struct {
    gint x, y, width, height;
} ScenePart;

typedef enum { SCENE_TEXT, SCENE_PHOTO, SCENE_FLAT, SCENE_STRIPES, SCENE_CHECKS, SCENE_KINDS } SceneKind;

/* Draws a part of an endless sheet of a kind into a part of the picture: the sheet's point sheet_x, sheet_y
 * comes to the part's corner. The same number makes the same sheet. */
void scene_sheet(Scene *scene, ScenePart part, SceneKind kind, guint32 number, gint sheet_x, gint sheet_y);
/* Pixels that nothing has to do with. */
void scene_noise(Scene *scene, ScenePart part);
void scene_fill(Scene *scene, ScenePart part, guint32 colour);
