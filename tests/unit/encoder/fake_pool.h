/* Buffers that a scripted encoder lends: rows padded as devices want them, and as many as it says. */
#pragma once

#include <gst/gst.h>

/* `refuses`: it cannot be started. `map_fails`: the first map of a buffer that fails, as do all after it; 0:
 * none. */
GstBufferPool *fake_pool_new(guint buffers, guint padding, gboolean refuses, guint map_fails);
gboolean fake_pool_owns(const GstBuffer *buffer);
