/* The viewer without a lifeline: for viewer.c and its tests. */
#pragma once

#include "session/client/viewer.h"

/* As viewer_start(), but links and the end are brought by viewer_attach() and viewer_end(). */
Viewer *viewer_new(const ViewerEvents *events, gpointer data);
void viewer_free(Viewer *viewer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Viewer, viewer_free)

/* A new seat link has come: it becomes the pending one. Takes fd over. */
void viewer_attach(Viewer *viewer, int fd, gboolean greeter);

/* The connection is over; only the first call has an effect. text may be NULL: the reason's own sentence. */
void viewer_end(Viewer *viewer, EndReason reason, const char *text);
