/* The JPEG level of what moves, between what the client asked for and what its link carries. Pure. */
#pragma once

#include <glib.h>

#define QUALITY_FRAME_US 30000 /* a picture should not take longer than this on the link: 30 a second */

typedef struct {
    gint asked; /* the client's level, 0 .. 9; -1: no JPEG */
    gint level; /* in use, 1 .. asked */
} Quality;

/* The client has asked for a level (0 .. 9, -1 for none). */
void quality_ask(Quality *quality, gint level);

/* An update with JPEG in it had so many bytes; the link carries so many in QUALITY_FRAME_US (G_MAXUINT32:
 * unknown, or more). TRUE: the level has changed. */
gboolean quality_follow(Quality *quality, gsize bytes, guint32 carried);
