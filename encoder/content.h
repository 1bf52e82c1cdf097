/* What a tile's pixels are like, whatever they did before. */
#pragma once

#include "base/proto/seat_link.h"

/* Whether a block of width x height px (XRGB8888, `stride` bytes a row) is picture-like: photographs, films,
 * gradients, noise, where neighbours differ by little or nearly everywhere. Text, drawings and user
 * interfaces have long runs and hard edges; a lossless codec takes those in few bytes. Looks at some rows
 * only. */
gboolean content_is_picture(const void *pixels, gsize stride, guint width, guint height);
