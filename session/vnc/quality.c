/* Down quickly, up slowly. */
#include "session/vnc/quality.h"

#define LEAST 1
#define ROOM 2 /* a level more takes at most half as much again: with twice the room it fits */

void quality_ask(Quality *quality, gint level)
{
    if (level != quality->asked)
        quality->level = level;
    quality->asked = level;
}

gboolean quality_follow(Quality *quality, gsize bytes, guint32 carried)
{
    gint before = quality->level;

    if (bytes > (gsize)carried * ROOM)
        quality->level -= 2;
    else if (bytes > carried)
        quality->level--;
    else if (bytes * ROOM < carried)
        quality->level++;
    quality->level = MIN(MAX(quality->level, LEAST), quality->asked);
    return quality->level != before;
}
